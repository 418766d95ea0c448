//! One connection to one Stripe account in one mode: where, with which key, as which account, how strict.
//!
//! Opened by `gateways::registry` or, in tests, by [`Stripe::try_new`]. Invariants: the key is a server key, its mode
//! is the one the connection is meant for, a live key never travels unencrypted, and no credential is ever printed.

use suture_core::redact::Secret;

use crate::gateway::Settlements;
use crate::gateway::{
    Account, Gateway, Guide, History, Holds, Invoices, Payments, Refunds, Transfers, Vault, Webhooks,
};
use crate::gateways::registry::{Connection, Error};

/// The connector's name.
pub const NAME: &str = "stripe";

/// The one API version that every call is pinned to and every webhook endpoint is registered with (FACTS §0).
pub const API_VERSION: &str = "2026-10-28.endive";

/// Stripe's own address (FACTS §a).
pub const BASE_URL: &str = "https://api.stripe.com";

/// How old, or how far in the future, a webhook's signature may be unless the settings say otherwise (FACTS §e).
pub const TOLERANCE_SECONDS: i64 = 300;

/// The settings of a connection, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Scheme, host and port; no path. [`BASE_URL`], or the address of a sandbox.
    pub base_url: String,
    /// The server key, `sk_…` or better a restricted `rk_…` (FACTS §l).
    pub secret_key: Secret<String>,
    /// The endpoint's signing secrets. Several are valid at once while one is rolled (≤ 24 h, FACTS §e).
    pub webhook_secrets: Vec<Secret<String>>,
    /// The connected account to act for, sent as `Stripe-Account` (FACTS §a).
    pub account: Option<String>,
    /// The mode this connection is meant for. `None` takes it from the key.
    pub livemode: Option<bool>,
    /// The oldest acceptable signature in seconds; 0 switches the check off, as in Stripe's SDKs.
    pub tolerance_seconds: i64,
    /// How far in the future a signature's time may lie, in seconds. `None` accepts any, as Stripe's SDKs do.
    pub future_tolerance_seconds: Option<i64>,
    /// A metadata key of an earlier system whose value is read as link token where `suture_link` is absent.
    pub link_import_key: Option<String>,
    /// Where the payer's browser returns after an action when we confirm an existing intent.
    pub return_url: Option<String>,
}

impl Settings {
    /// The settings of a plain connection: everything but the credentials has its default.
    #[must_use]
    pub fn new(secret_key: Secret<String>, webhook_secrets: Vec<Secret<String>>) -> Self {
        Self {
            base_url: BASE_URL.to_owned(),
            secret_key,
            webhook_secrets,
            account: None,
            livemode: None,
            tolerance_seconds: TOLERANCE_SECONDS,
            future_tolerance_seconds: Some(TOLERANCE_SECONDS),
            link_import_key: None,
            return_url: None,
        }
    }
}

/// A connection to Stripe. Made of checked [`Settings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripe {
    pub(super) settings: Settings,
    pub(super) livemode: bool,
}

impl Stripe {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] when the key is not a server key, its mode is not the expected one, or an address, account
    /// or limit cannot be used. The text never contains the key.
    pub fn try_new(mut settings: Settings) -> Result<Self, Error> {
        let livemode = mode_of(&settings)?;
        while settings.base_url.ends_with('/') {
            settings.base_url.pop();
        }
        check_base_url(&settings.base_url, livemode)?;
        if let Some(account) = &settings.account {
            let plain = account.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            check(plain && account.starts_with("acct_"), "account", "it is an id that begins with acct_")?;
        }
        let limits =
            settings.tolerance_seconds >= 0 && settings.future_tolerance_seconds.is_none_or(|s| s >= 0);
        check(limits, "tolerance_seconds", "a tolerance is a number of seconds that is not negative")?;
        Ok(Self { settings, livemode })
    }

    /// Whether the key is for real money.
    #[must_use]
    pub const fn livemode(&self) -> bool {
        self.livemode
    }
}

fn check(holds: bool, name: &'static str, problem: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Setting { name, problem: problem.to_owned() }) }
}

/// The mode is written in the key: `sk_live_…`, `rk_test_…` (FACTS §l).
fn mode_of(settings: &Settings) -> Result<bool, Error> {
    let key = settings.secret_key.expose();
    let name = "secret_key";
    check(!key.starts_with("pk_"), name, "a publishable key (pk_) was given; the server needs sk_ or rk_")?;
    let live = key.starts_with("sk_live_") || key.starts_with("rk_live_");
    let test = key.starts_with("sk_test_") || key.starts_with("rk_test_");
    check(live || test, name, "it does not begin with sk_live_, rk_live_, sk_test_ or rk_test_")?;
    check(
        key.bytes().all(|byte| byte.is_ascii_graphic()),
        name,
        "it contains a space or another odd character",
    )?;
    match settings.livemode {
        Some(true) if test => check(false, name, "a test key was given to a connection for real money")?,
        Some(false) if live => check(false, name, "a live key was given to a connection for tests")?,
        _ => {}
    }
    Ok(live)
}

fn check_base_url(base_url: &str, livemode: bool) -> Result<(), Error> {
    let name = "base_url";
    let host = base_url.strip_prefix("https://").or_else(|| base_url.strip_prefix("http://"));
    let plain = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@\\".contains(&byte))
    };
    check(
        host.is_some_and(plain),
        name,
        "expected a scheme, a host and perhaps a port, without path or user",
    )?;
    let safe = base_url.starts_with("https://") || !livemode;
    check(safe, name, "a live key is only sent over https")
}

/// Opens a connection from named settings.
///
/// # Errors
/// [`Error`]: a setting is unknown, missing or cannot be used.
pub fn open(connection: &Connection) -> Result<Box<dyn Gateway>, Error> {
    connection.only(
        &[
            "base_url",
            "account",
            "livemode",
            "tolerance_seconds",
            "future_tolerance_seconds",
            "link_import_key",
            "return_url",
        ],
        &["secret_key", "webhook_secret"],
    )?;
    let [secret_key] = connection.secrets("secret_key") else {
        return Err(Error::Setting { name: "secret_key", problem: "exactly one is needed".to_owned() });
    };
    let text = |name| connection.option(name).map(str::to_owned);
    let mut settings = Settings::new(secret_key.clone(), connection.secrets("webhook_secret").to_vec());
    settings.base_url = text("base_url").unwrap_or(settings.base_url);
    settings.account = text("account");
    settings.livemode = parsed(connection, "livemode", "expected true or false")?;
    let seconds = "expected a number of seconds";
    settings.tolerance_seconds =
        parsed(connection, "tolerance_seconds", seconds)?.unwrap_or(settings.tolerance_seconds);
    settings.future_tolerance_seconds = match connection.option("future_tolerance_seconds") {
        Some("none") => None,
        None => settings.future_tolerance_seconds,
        Some(_) => parsed(connection, "future_tolerance_seconds", "expected a number of seconds, or none")?,
    };
    settings.link_import_key = text("link_import_key");
    settings.return_url = text("return_url");
    Ok(Box::new(Stripe::try_new(settings)?))
}

fn parsed<T: std::str::FromStr>(
    connection: &Connection,
    name: &'static str,
    expected: &str,
) -> Result<Option<T>, Error> {
    let Some(text) = connection.option(name) else { return Ok(None) };
    let wrong = |_| Error::Setting { name, problem: expected.to_owned() };
    text.parse().map(Some).map_err(wrong)
}

impl Gateway for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn payments(&self) -> Option<&dyn Payments> {
        Some(self)
    }

    fn holds(&self) -> Option<&dyn Holds> {
        Some(self)
    }

    fn refunds(&self) -> Option<&dyn Refunds> {
        Some(self)
    }

    fn transfers(&self) -> Option<&dyn Transfers> {
        Some(self)
    }

    fn settlements(&self) -> Option<&dyn Settlements> {
        Some(self)
    }

    fn vault(&self) -> Option<&dyn Vault> {
        Some(self)
    }

    fn invoices(&self) -> Option<&dyn Invoices> {
        Some(self)
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn account(&self) -> Option<&dyn Account> {
        Some(self)
    }

    fn guide(&self) -> Option<&dyn Guide> {
        Some(self)
    }
}
