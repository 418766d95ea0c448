//! The list of payment platforms that a connection can name. Adding one is one folder and one line here.
//!
//! Called by `engine` when it opens the connections of the configuration. Names are unique (a test checks it).

use std::collections::{BTreeMap, BTreeSet};

use suture_core::redact::Secret;

use crate::gateway::Gateway;
use crate::gateways::stripe;

/// What the configuration says about one connection: open options, and credentials by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// Options that may be shown, for example `base_url`.
    pub options: BTreeMap<String, String>,
    /// Credentials. Several under one name are valid at the same time, as while a webhook secret is rolled.
    pub secrets: BTreeMap<String, Vec<Secret<String>>>,
}

/// Why a connection cannot be opened. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No platform of that name.
    #[error("no gateway is named {name:?}; known are {known}")]
    UnknownGateway {
        /// The name as configured.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// An option or credential that the platform does not know.
    #[error("the connection has a setting {name:?} that this gateway does not know")]
    UnknownSetting {
        /// The name as configured.
        name: String,
    },
    /// A setting is missing or cannot be used.
    #[error("the setting {name} cannot be used: {problem}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// What is wrong and what is expected. Never the value of a credential.
        problem: String,
    },
}

/// One payment platform.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name that a connection uses.
    pub name: &'static str,
    /// Opens a connection.
    pub open: fn(&Connection) -> Result<Box<dyn Gateway>, Error>,
}

/// All payment platforms.
pub const GATEWAYS: &[Entry] = &[Entry { name: stripe::settings::NAME, open: stripe::settings::open }];

/// Opens a connection to the platform of that name.
///
/// # Errors
/// [`Error`]: the name or a setting is wrong.
pub fn open(name: &str, connection: &Connection) -> Result<Box<dyn Gateway>, Error> {
    let Some(entry) = GATEWAYS.iter().find(|entry| entry.name == name) else {
        let known = GATEWAYS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownGateway { name: name.chars().take(40).collect(), known });
    };
    (entry.open)(connection)
}

impl Connection {
    /// Refuses settings that a platform does not know, so that a misspelled one is not silently without effect.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] with the first unknown name.
    pub fn only(&self, options: &[&str], secrets: &[&str]) -> Result<(), Error> {
        let known: BTreeSet<&str> = options.iter().copied().collect();
        let known_secrets: BTreeSet<&str> = secrets.iter().copied().collect();
        let unknown = self
            .options
            .keys()
            .find(|name| !known.contains(name.as_str()))
            .or_else(|| self.secrets.keys().find(|name| !known_secrets.contains(name.as_str())));
        unknown.map_or(Ok(()), |name| Err(Error::UnknownSetting { name: name.chars().take(40).collect() }))
    }

    /// The option of that name.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// The credentials of that name.
    #[must_use]
    pub fn secrets(&self, name: &str) -> &[Secret<String>] {
        self.secrets.get(name).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gateway_has_its_own_name() {
        let names: BTreeSet<&str> = GATEWAYS.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), GATEWAYS.len());
    }

    #[test]
    fn a_name_that_does_not_exist_is_refused_with_those_that_do() {
        let refused = open("stripes", &Connection::default()).err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some("no gateway is named \"stripes\"; known are stripe"));
    }
}
