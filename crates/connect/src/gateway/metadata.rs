//! Metadata that a caller puts on an object at the gateway, next to our own link token.
//!
//! Made by `engine` from configured keys and opaque values. Invariants: it fits the gateway's limits, it never overwrites
//! one of our own entries, and its values are never printed: those of an earlier system may name a person.

use std::collections::BTreeMap;
use std::fmt;

/// Keys that begin so are ours.
const OURS: &str = "suture_";
/// Ten of Stripe's fifty are left to us (FACTS §a "Metadata").
const ENTRIES_MAX: usize = 40;
const KEY_CHARS_MAX: usize = 40;
const VALUE_CHARS_MAX: usize = 500;

/// Entries that fit the limits of every gateway. Empty by default.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Metadata(BTreeMap<String, String>);

/// Why entries cannot be sent. Nothing was sent. Values are not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataRefusal {
    /// Too many entries.
    #[error("{count} metadata entries were given; at most {ENTRIES_MAX} can be sent")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// A key that cannot be sent.
    #[error(
        "the metadata key {key:?} cannot be sent: use 1 to {KEY_CHARS_MAX} characters without square brackets"
    )]
    Key {
        /// The key, cut off when it is long.
        key: String,
    },
    /// A key of ours.
    #[error("the metadata key {key:?} is ours (it begins with suture_); choose another one")]
    Reserved {
        /// The key.
        key: String,
    },
    /// A value that cannot be sent. An empty one would delete the entry.
    #[error("the value of the metadata key {key:?} cannot be sent: use 1 to {VALUE_CHARS_MAX} characters")]
    Value {
        /// The key of the value.
        key: String,
    },
}

impl Metadata {
    /// Checks the entries.
    ///
    /// # Errors
    /// [`MetadataRefusal`]: one of them cannot be sent.
    pub fn try_new(entries: BTreeMap<String, String>) -> Result<Self, MetadataRefusal> {
        if entries.len() > ENTRIES_MAX {
            return Err(MetadataRefusal::TooMany { count: entries.len() });
        }
        for (key, value) in &entries {
            let shown = || key.chars().take(KEY_CHARS_MAX).collect::<String>();
            if !fits(key, KEY_CHARS_MAX) || key.contains(['[', ']']) {
                return Err(MetadataRefusal::Key { key: shown() });
            }
            if key.starts_with(OURS) {
                return Err(MetadataRefusal::Reserved { key: shown() });
            }
            if !fits(value, VALUE_CHARS_MAX) {
                return Err(MetadataRefusal::Value { key: shown() });
            }
        }
        Ok(Self(entries))
    }

    /// The entries, by key.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn fits(text: &str, chars_max: usize) -> bool {
    !text.is_empty() && text.chars().count() <= chars_max && !text.chars().any(char::is_control)
}

impl TryFrom<BTreeMap<String, String>> for Metadata {
    type Error = MetadataRefusal;

    fn try_from(entries: BTreeMap<String, String>) -> Result<Self, Self::Error> {
        Self::try_new(entries)
    }
}

impl From<Metadata> for BTreeMap<String, String> {
    fn from(metadata: Metadata) -> Self {
        metadata.0
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|key| (key, "***"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(key: &str, value: &str) -> Result<Metadata, MetadataRefusal> {
        Metadata::try_new(BTreeMap::from([(key.to_owned(), value.to_owned())]))
    }

    #[test]
    fn entries_that_a_gateway_would_refuse_are_refused_before_they_are_sent() {
        assert!(made("bridgePatientId", "p_1").is_ok());
        let long_key = "k".repeat(41);
        for key in ["", "a[b]", "a\nb", long_key.as_str()] {
            assert!(matches!(made(key, "v"), Err(MetadataRefusal::Key { .. })), "{key:?}");
        }
        let long_value = "v".repeat(501);
        for value in ["", long_value.as_str(), "a\u{0}"] {
            assert!(matches!(made("k", value), Err(MetadataRefusal::Value { .. })), "{value:?}");
        }
        let many = (0..41).map(|at| (format!("k{at}"), "v".to_owned())).collect();
        assert_eq!(Metadata::try_new(many), Err(MetadataRefusal::TooMany { count: 41 }));
    }

    #[test]
    fn our_own_entries_cannot_be_overwritten() {
        assert!(matches!(made("suture_link", "lnk_2"), Err(MetadataRefusal::Reserved { .. })));
        let stored = r#"{"suture_link":"lnk_2"}"#;
        assert!(serde_json::from_str::<Metadata>(stored).is_err(), "a stored one is checked, too");
    }

    #[test]
    fn values_are_not_printed() {
        let printed =
            format!("{:?} {}", made("k", "Ann Example").unwrap(), made("[", "Ann Example").unwrap_err());
        assert!(printed.contains('k') && !printed.contains("Ann"), "{printed}");
    }
}
