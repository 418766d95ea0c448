//! The platform's codes in plain words: how bad, what to do, and where the platform documents it (FEATURES M31).
//!
//! Used by `api` and the screens next to each error. Invariant: the sentences are ours and name no person.

use suture_core::evidence::DeclineAdvice;

/// A page of the platform's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Page {
    /// Its title, as the platform prints it.
    pub title: &'static str,
    /// Its address.
    pub url: &'static str,
}

/// What is known about a code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// The code, as it was asked for.
    pub code: String,
    /// Whether and how to try again, when the code is about a payer's method. A hard decline is never retried.
    pub advice: Option<DeclineAdvice>,
    /// One plain sentence for the payer or the desk.
    pub sentence: &'static str,
    /// Where to read more.
    pub pages: Vec<Page>,
}

/// Explain the platform's codes.
pub trait Guide: Send + Sync {
    /// What is known about an error or decline code; `None` for a code that the connector does not know.
    fn explain(&self, code: &str) -> Option<Explanation>;
    /// All codes that [`Self::explain`] knows, sorted, each once.
    fn codes(&self) -> Vec<&'static str>;
}
