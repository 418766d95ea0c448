//! What stands in a message besides its fixed words: placeholders and their values.
//!
//! There is no placeholder for a name, a record number, a birth date, a diagnosis or a procedure, so no template can ask
//! for one. Values are short single lines; what does not fit is cut, because a message must not stop what it tells of.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::lint::lint;
use crate::time::Timestamp;

/// What a template may leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placeholder {
    /// The sender as patients know it. Filled in when the message is sent, unless given.
    Clinic,
    /// The provider's name, without a specialty.
    Provider,
    /// Day and time of the visit, in the clinic's zone.
    When,
    /// Day and time before a change.
    Before,
    /// An amount with its currency.
    Amount,
    /// Until when, or on which day.
    Deadline,
    /// Why money is asked for, in neutral words.
    Reason,
    /// A payment method, such as `Visa ending 4242`.
    Method,
    /// The link.
    Link,
}

impl Placeholder {
    /// Every placeholder.
    pub const ALL: [Self; 9] = [
        Self::Clinic,
        Self::Provider,
        Self::When,
        Self::Before,
        Self::Amount,
        Self::Deadline,
        Self::Reason,
        Self::Method,
        Self::Link,
    ];

    /// The word between braces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clinic => "clinic",
            Self::Provider => "provider",
            Self::When => "when",
            Self::Before => "before",
            Self::Amount => "amount",
            Self::Deadline => "deadline",
            Self::Reason => "reason",
            Self::Method => "method",
            Self::Link => "link",
        }
    }

    /// The placeholder of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placeholder| placeholder.name() == name)
    }

    /// Characters that a value usually has at most, for the length of texts.
    #[must_use]
    pub const fn usual_length(self) -> usize {
        match self {
            Self::Clinic | Self::Provider | Self::When | Self::Before | Self::Deadline => 32,
            Self::Amount => 14,
            Self::Reason => 40,
            Self::Method => 24,
            // `https://care.example.org/booking/` and a token of 107 characters.
            Self::Link => 145,
        }
    }

    const fn longest(self) -> usize {
        match self {
            Self::Link => 500,
            _ => 120,
        }
    }
}

/// Values by placeholder. Printed without the values: a time and a provider together are personal.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<Placeholder, String>);

impl Values {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The same with one more. Line ends become spaces, and what is too long is cut.
    #[must_use]
    pub fn with(mut self, placeholder: Placeholder, value: impl AsRef<str>) -> Self {
        let plain = value.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c });
        let kept: String = plain.take(placeholder.longest()).collect();
        self.0.insert(placeholder, kept.trim().to_owned());
        self
    }

    /// The same, with these in place of those of the same placeholder.
    #[must_use]
    pub fn updated(mut self, newer: &Self) -> Self {
        self.0.extend(newer.0.iter().map(|(placeholder, value)| (*placeholder, value.clone())));
        self
    }

    /// The same, with neutral words in place of names that would tell too much: a message without a name is better than
    /// none.
    #[must_use]
    pub fn neutral(mut self) -> Self {
        for (placeholder, words) in
            [(Placeholder::Clinic, "your clinic"), (Placeholder::Provider, "your provider")]
        {
            if self.get(placeholder).is_some_and(|name| !lint(name).is_empty()) {
                self = self.with(placeholder, words);
            }
        }
        self
    }

    /// A value; `None` when it is missing or empty.
    #[must_use]
    pub fn get(&self, placeholder: Placeholder) -> Option<&str> {
        self.0.get(&placeholder).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(|placeholder| placeholder.name())).finish()
    }
}

/// A moment as people read it in a zone: `Tue 24 Nov 2026, 10:00 AM CST`. In UTC when the zone is unknown.
#[must_use]
pub fn local_time(at: Timestamp, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(
        |_| at.to_rfc3339(),
        |moment| moment.to_zoned(zone).strftime("%a %-d %b %Y, %-I:%M %p %Z").to_string(),
    )
}
