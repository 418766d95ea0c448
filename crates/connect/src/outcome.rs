//! What became of a call, in our words.
//!
//! The default is [`Outcome::Unknown`]: the other side may have acted. [`Outcome::Declined`] and [`Outcome::NotSent`]
//! need a line of the vendor's documentation next to the code that returns them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of one call to another system.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    /// The other side did it and said so.
    Done(T),
    /// The other side considered it and refused; nothing moved.
    Declined(Failure),
    /// Proven not to have happened: refused before processing, or never arrived. Safe to send again.
    NotSent(Failure),
    /// It may or may not have happened. Look it up, or send the same call with the same key again.
    Unknown(Failure),
}

/// Why a call did not end in `Done`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Our stable code, for example `card_declined`, `rate_limited`, `epic_duplicate`.
    pub code: String,
    /// One plain sentence for people: what happened and what to do. No personal data.
    pub message: String,
    /// When and whether to try again.
    pub retry: Retry,
    /// The other side's error object, verbatim (for example Stripe's `error`), for the caller and the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<serde_json::Value>,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Send the same call again later (backoff is the caller's).
    Later,
    /// The other side asked us to slow down; wait at least this long if it said so.
    Throttled(Option<Duration>),
    /// Not before the next local day of the site (Epic's daily ceiling).
    NextLocalDay,
    /// Look up first whether it happened; send again only if it did not.
    LookUpFirst,
    /// Fetch a new access token, once, then send again.
    RefreshToken,
    /// Trying the same again cannot help; a person or a new attempt must change something.
    Never,
}

impl Failure {
    /// A failure without the other side's error object.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>, retry: Retry) -> Self {
        Self { code: code.to_owned(), message: message.into(), retry, raw: None }
    }

    /// Adds the other side's error object.
    #[must_use]
    pub fn with_raw(mut self, raw: serde_json::Value) -> Self {
        self.raw = Some(raw);
        self
    }
}

impl<T> Outcome<T> {
    /// Maps the value of `Done`.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(f(value)),
            Self::Declined(failure) => Outcome::Declined(failure),
            Self::NotSent(failure) => Outcome::NotSent(failure),
            Self::Unknown(failure) => Outcome::Unknown(failure),
        }
    }

    /// The failure, if it is one.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Done(_) => None,
            Self::Declined(failure) | Self::NotSent(failure) | Self::Unknown(failure) => Some(failure),
        }
    }
}
