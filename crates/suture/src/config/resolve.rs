//! From file and environment to settings that can be used: checked, with secrets read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use suture_core::redact::Secret;
use toml::Table;

use super::environment::{self, Environment};
use super::file::{Billing, File, LogFormat};
use super::notices;
use super::reference::Reference;
use crate::failure::Failure;
use crate::keys;

/// A configuration that can be used. Secrets print as `***`.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) database: Secret<String>,
    pub(crate) database_writers: usize,
    pub(crate) database_readers: usize,
    /// By id; the first one seals.
    pub(crate) encryption_keys: Vec<(String, Secret<Vec<u8>>)>,
    pub(crate) sealing_key: Secret<Vec<u8>>,
    pub(crate) listen: std::net::SocketAddr,
    pub(crate) flows: Option<PathBuf>,
    pub(crate) jobs: usize,
    pub(crate) slots: usize,
    pub(crate) node: String,
    pub(crate) ehr: Option<String>,
    pub(crate) seal_every: Duration,
    pub(crate) request_limit: Duration,
    pub(crate) requests_per_second_per_key: u32,
    pub(crate) metrics_token: Option<Secret<String>>,
    pub(crate) log: LogFormat,
    pub(crate) log_level: String,
    pub(crate) billing: suture_engine::Billing,
    pub(crate) notices: suture_engine::notices::Notices,
}

impl Configuration {
    /// Reads a file and this process's environment. Without a name: `suture.toml` here, when there is one.
    ///
    /// # Errors
    /// A sentence about the first thing that is wrong.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Failure> {
        let here = Path::new("suture.toml");
        let file = file.or_else(|| here.exists().then_some(here));
        let Some(file) = file else { return Self::parse("", Path::new("."), &environment::variables()) };
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::of(format!("the configuration {} cannot be read", file.display()), &error)
        })?;
        let folder = file.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder, &environment::variables())
            .map_err(|failure| Failure::new(format!("{}: {failure}", file.display())))
    }

    /// Reads settings from a text, the environment, and the files that they refer to.
    ///
    /// # Errors
    /// A sentence about the first thing that is wrong.
    pub(crate) fn parse(text: &str, folder: &Path, environment: &Environment) -> Result<Self, Failure> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| unreadable(text, &error))?;
        // Checked before the environment is mixed in, so that a problem is told with its line.
        toml::from_str::<File>(text).map_err(|error| unreadable(text, &error))?;
        let own_database = table.get("database").cloned();
        environment::override_with(&mut table, environment)?;
        let from_file = table.get("database") == own_database.as_ref();
        let file: File = table.try_into().map_err(|error: toml::de::Error| {
            Failure::new(format!(
                "the environment does not fit the settings: {}",
                without_value(error.message())
            ))
        })?;
        Self::resolve(file, from_file, folder, environment)
    }

    fn resolve(
        file: File,
        database_is_from_file: bool,
        folder: &Path,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let database = database(&file.database, database_is_from_file, folder, environment)?;
        if file.jobs == 0
            || file.requests_per_second_per_key == 0
            || file.database_writers == 0
            || file.database_readers == 0
        {
            return Err(Failure::new(
                "jobs, requests_per_second_per_key, database_writers and database_readers must be at least 1",
            ));
        }
        if file.encryption_keys.is_empty() || file.sealing_key.is_empty() {
            return Err(Failure::new(
                "encryption_keys and sealing_key are not set: nothing was opened. Make the keys with \
                 `suture keys init --dir keys` and copy the two lines that it prints into the configuration.",
            ));
        }
        let mut encryption_keys = Vec::new();
        for entry in &file.encryption_keys {
            encryption_keys.push(encryption_key(entry, folder, environment)?);
        }
        let sealing = Reference::parse("sealing_key", &file.sealing_key)?;
        let sealing = sealing.read("sealing_key", folder, environment)?;
        let token = |text: String| {
            Reference::parse("metrics_token", &text)?.read("metrics_token", folder, environment)
        };
        let metrics_token = file.metrics_token.map(token).transpose()?;
        Ok(Self {
            database,
            database_writers: file.database_writers,
            database_readers: file.database_readers,
            encryption_keys,
            sealing_key: keys::read_key("sealing_key", &sealing)?,
            listen: file.listen,
            flows: file.flows.map(|flows| folder.join(flows)),
            jobs: file.jobs,
            slots: file.slots,
            node: file.node,
            ehr: file.ehr,
            seal_every: Duration::from_secs(file.seal_every_seconds.max(1)),
            request_limit: Duration::from_secs(file.request_limit_seconds.clamp(1, 45)),
            requests_per_second_per_key: file.requests_per_second_per_key,
            metrics_token,
            log: file.log,
            log_level: file.log_level,
            billing: billing(&file.billing)?,
            notices: notices::resolve(file.notices, file.listen, folder, environment)?,
        })
    }
}

/// How balances are settled.
fn billing(billing: &Billing) -> Result<suture_engine::Billing, Failure> {
    // No notice at all would charge before the patient could object (FEATURES M326).
    if billing.collect_after_days == Some(0) || billing.small_balance_minor < 0 {
        return Err(Failure::new(
            "billing.collect_after_days must be at least 1, or absent; billing.small_balance_minor must not be negative",
        ));
    }
    let day = Duration::from_secs(86_400);
    Ok(suture_engine::Billing {
        invoices: billing.invoices,
        collect_after: billing.collect_after_days.map(|days| day * u32::from(days)),
        small_balance_minor: billing.small_balance_minor,
    })
}

/// The message of the parser with its line. Lines and values are not quoted, they may hold a secret.
fn unreadable(text: &str, error: &toml::de::Error) -> Failure {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    Failure::new(format!("line {}: {}", before.matches('\n').count() + 1, without_value(error.message())))
}

fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid ") => {
            format!("the value is not of the right kind, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

/// A database address: as written when it holds no password, or by reference.
fn database(
    text: &str,
    is_from_file: bool,
    folder: &Path,
    environment: &Environment,
) -> Result<Secret<String>, Failure> {
    let address = match text.split_once(':') {
        Some(("file" | "env", _)) => {
            Reference::parse("database", text)?.read("database", folder, environment)?
        }
        _ if is_from_file && has_password(text) => {
            return Err(Failure::new(
                "database holds a password: nothing was opened. Put the whole address into a file or a variable and \
                 refer to it with `file:PATH` or `env:NAME`.",
            ));
        }
        _ => Secret::new(text.to_owned()),
    };
    // A relative SQLite path is seen from the folder of the configuration, wherever the server is started.
    Ok(match address.expose().strip_prefix("sqlite:").filter(|path| Path::new(path).is_relative()) {
        Some(path) => Secret::new(format!("sqlite:{}", folder.join(path).display())),
        None => address,
    })
}

fn has_password(address: &str) -> bool {
    let in_query = address.contains("password=");
    let after_scheme = address.split_once("://").map_or("", |(_, rest)| rest);
    let user = after_scheme.split_once('@').map_or("", |(user, _)| user);
    in_query || user.contains(':')
}

/// One entry `ID = REFERENCE`.
fn encryption_key(
    entry: &str,
    folder: &Path,
    environment: &Environment,
) -> Result<(String, Secret<Vec<u8>>), Failure> {
    let setting = "encryption_keys";
    let Some((id, reference)) = entry.split_once('=') else {
        return Err(Failure::new(
            "an entry of encryption_keys must be written `ID = file:PATH` or `ID = env:NAME`; this one was not used",
        ));
    };
    let secret = Reference::parse(setting, reference.trim())?.read(setting, folder, environment)?;
    Ok((id.trim().to_owned(), keys::read_key(setting, &secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Configuration, String> {
        let keys = [("A_KEY", KEY)];
        let all = environment.iter().chain(&keys);
        let environment = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Configuration::parse(text, Path::new("/srv"), &environment).map_err(|failure| failure.to_string())
    }

    fn with_keys(text: &str) -> String {
        format!("{text}\nencryption_keys = [\"k1 = env:A_KEY\"]\nsealing_key = \"env:A_KEY\"\n")
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_name_and_line() {
        let refused = parse(&with_keys("jobs = 4\nlisten_on = \"x\""), &[]).unwrap_err();
        assert!(refused.contains("line 2") && refused.contains("listen_on"), "{refused}");
    }

    #[test]
    fn an_unknown_variable_is_refused_and_those_of_a_cluster_are_not() {
        let refused = parse(&with_keys(""), &[("SUTURE_LISTNE", "127.0.0.1:1")]).unwrap_err();
        assert!(refused.contains("SUTURE_LISTNE"), "{refused}");
        assert!(parse(&with_keys(""), &[("SUTURE_SERVICE_HOST", "10.0.0.1")]).is_ok());
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let read =
            parse(&with_keys("jobs = 4"), &[("SUTURE_JOBS", "9"), ("SUTURE_LISTEN", "127.0.0.1:9")]).unwrap();
        assert_eq!((read.jobs, read.listen.port()), (9, 9));
    }

    #[test]
    fn a_secret_that_is_written_inline_is_refused_and_not_repeated() {
        let text = format!("sealing_key = \"{KEY}\"\nencryption_keys = [\"k1 = env:A_KEY\"]");
        let refused = parse(&text, &[]).unwrap_err();
        assert!(refused.contains("sealing_key") && !refused.contains("0707"), "{refused}");
        let refused = parse(&with_keys("database = \"postgres://u:hunter2@db/x\""), &[]).unwrap_err();
        assert!(refused.contains("database") && !refused.contains("hunter2"), "{refused}");
    }

    #[test]
    fn a_secret_in_the_wrong_kind_of_value_is_not_repeated() {
        let refused = parse(&format!("encryption_keys = \"{KEY}\""), &[]).unwrap_err();
        assert!(refused.contains("line 1") && !refused.contains("0707"), "{refused}");
    }

    #[test]
    fn a_secret_in_a_variable_of_ours_may_be_referred_to() {
        let text = "encryption_keys = [\"k1 = env:SUTURE_SECRET_ONE\"]\nsealing_key = \"env:A_KEY\"";
        assert!(parse(text, &[("SUTURE_SECRET_ONE", KEY)]).is_ok());
    }

    #[test]
    fn balances_are_collected_by_themselves_only_with_a_notice() {
        let read = parse(&with_keys(""), &[]).unwrap();
        assert_eq!((read.billing.invoices, read.billing.collect_after), (true, None));
        let table = "[billing]\ninvoices = false\ncollect_after_days = 10\nsmall_balance_minor = 99";
        let read = parse(&format!("{}{table}", with_keys("")), &[]).unwrap();
        assert_eq!(read.billing.collect_after, Some(Duration::from_secs(864_000)));
        assert_eq!((read.billing.invoices, read.billing.small_balance_minor), (false, 99));
        let refused = parse(&format!("{}[billing]\ncollect_after_days = 0", with_keys("")), &[]).unwrap_err();
        assert!(refused.contains("collect_after_days"), "{refused}");
        let refused = parse(&format!("{}[billing]\ncolect_after_days = 3", with_keys("")), &[]).unwrap_err();
        assert!(refused.contains("colect_after_days"), "{refused}");
    }

    #[test]
    fn a_relative_database_lies_beside_the_configuration() {
        let read = parse(&with_keys("database = \"sqlite:a.db\""), &[]).unwrap();
        assert_eq!(read.database.expose(), "sqlite:/srv/a.db");
        assert!(!format!("{read:?}").contains("0707") && !format!("{read:?}").contains("[7, 7"));
    }
}
