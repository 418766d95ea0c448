//! Why the store did not do something.

/// A failure of the store. Nothing of the work that met it was kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Somebody else was first: a unique key is taken, or a row is no longer at the expected version. Load and decide
    /// again.
    #[error("another change came first in {0}")]
    Conflict(String),
    /// The database said no.
    #[error("the database failed at {operation}: {cause}")]
    Database {
        /// Which statement or step.
        operation: String,
        /// The database's words. Never holds parameter values.
        cause: String,
    },
    /// Stored content does not read back.
    #[error("stored content of {0} cannot be read")]
    Corrupt(String),
    /// The key that sealed a value is not in the keyring.
    #[error("the encryption key {0} is not in the keyring; add it to the configuration to read this value")]
    KeyMissing(String),
    /// The URL is not of a supported database.
    #[error("{0} is not a database URL; use sqlite:PATH or postgres://USER@HOST/NAME")]
    Url(String),
    /// The writer has stopped.
    #[error("the store is shutting down")]
    Closed,
}

impl Error {
    /// A database failure.
    pub(crate) fn database(operation: &str, cause: impl std::fmt::Display) -> Self {
        Self::Database { operation: operation.to_owned(), cause: cause.to_string() }
    }

    /// Whether loading, deciding and writing again can help.
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}
