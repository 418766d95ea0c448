//! Why a use case did not do what was asked.

use suture_connect::outcome::Failure;
use suture_core::refusal::Refusal;

/// A use case that ended without its effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The rules say no. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such thing for this organization.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its id as given, shortened.
        id: String,
    },
    /// The store failed. Nothing was changed.
    #[error("the store did not answer as expected")]
    Store(#[from] suture_store::Error),
    /// Another system refused or did not answer.
    #[error("{}", .0.message)]
    Outside(Failure),
    /// A connection is configured in a way that does not work.
    #[error("connection {connection} cannot be used: {problem}")]
    Connection {
        /// The connection.
        connection: String,
        /// What is wrong and how to mend it. No secrets.
        problem: String,
    },
    /// The object must be fetched first; the caller fetches it and tries again.
    #[error("{} must be fetched first", .0)]
    Missing(String),
}

impl Error {
    /// There is no such thing.
    #[must_use]
    pub fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound { what, id: id.chars().take(64).collect() }
    }

    /// Whether loading, deciding and writing again can help.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(store) if store.is_conflict())
    }
}
