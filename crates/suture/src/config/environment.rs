//! The environment, read once. `SUTURE_LISTEN` overrides `listen`, and so on for every key of the file.

use std::collections::BTreeMap;
use std::ffi::OsString;

use toml::{Table, Value};

use crate::failure::Failure;

/// A copy of the environment.
pub(crate) type Environment = BTreeMap<String, String>;

const PREFIX: &str = "SUTURE_";

/// Variables of the test scripts and of the command line: not settings.
const OTHERS: [&str; 4] =
    ["SUTURE_CONFIG", "SUTURE_KEY", "SUTURE_TEST_POSTGRES", "SUTURE_FORCE_TEMP_POSTGRES"];

/// Settings by their kind; the name is the key of the file.
const TEXTS: [&str; 9] =
    ["database", "listen", "flows", "node", "ehr", "log", "log_level", "sealing_key", "metrics_token"];
const NUMBERS: [&str; 7] = [
    "jobs",
    "slots",
    "database_writers",
    "database_readers",
    "seal_every_seconds",
    "request_limit_seconds",
    "requests_per_second_per_key",
];
const LISTS: [&str; 1] = ["encryption_keys"];

/// The environment of this process.
pub(crate) fn variables() -> Environment {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// One variable of this process.
#[expect(clippy::disallowed_methods, reason = "the configuration is what reads the environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Puts overrides into the table of the file.
///
/// # Errors
/// A sentence for a variable that no setting has, or whose value does not fit. Values are not repeated.
pub(super) fn override_with(table: &mut Table, environment: &Environment) -> Result<(), Failure> {
    for (name, value) in environment {
        let Some(key) = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { continue };
        if OTHERS.contains(&name.as_str())
            || is_of_the_cluster(name)
            || is_referred_to(table, environment, name)
        {
            continue;
        }
        let value = if TEXTS.contains(&key.as_str()) {
            Value::String(value.clone())
        } else if NUMBERS.contains(&key.as_str()) {
            let number =
                value.trim().parse().map_err(|_| Failure::new(format!("{name} is not a whole number")))?;
            Value::Integer(number)
        } else if LISTS.contains(&key.as_str()) {
            Value::Array(value.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
        } else {
            return Err(Failure::new(format!(
                "the environment variable {name} is no setting of Suture: nothing was started. Correct its name, or \
                 remove it. Settings are listed in suture.example.toml."
            )));
        };
        table.insert(key, value);
    }
    Ok(())
}

/// Kubernetes tells every container about a service named `suture` in variables of this form.
fn is_of_the_cluster(name: &str) -> bool {
    name == "SUTURE_PORT" || name.starts_with("SUTURE_PORT_") || name.starts_with("SUTURE_SERVICE_")
}

/// A variable that holds a secret which the file, or another variable, refers to.
fn is_referred_to(table: &Table, environment: &Environment, name: &str) -> bool {
    let wanted = format!("env:{name}");
    let refers = |text: &str| text.split([',', '=']).any(|part| part.trim() == wanted);
    let in_file = table.values().any(|value| match value {
        Value::String(text) => refers(text),
        Value::Array(list) => list.iter().filter_map(Value::as_str).any(refers),
        _ => false,
    });
    in_file || environment.iter().any(|(other, text)| other.starts_with(PREFIX) && refers(text))
}
