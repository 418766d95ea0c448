//! Why a command was not carried out. A refusal is data for the caller, never a log line.

use serde::Serialize;

/// What kind of refusal, which decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The thing is in a state that does not allow it now (409).
    State,
    /// The command itself is wrong (422).
    Invalid,
    /// A safety limit stopped it; an authorized person may override (422).
    Held,
}

/// A command that was considered and not carried out. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The kind.
    pub kind: Kind,
    /// A stable code; `docs/problems/<code>.md` explains it.
    pub code: &'static str,
    /// What happened, what did not happen, and the next step.
    pub detail: String,
}

impl Refusal {
    /// Not allowed in the present state.
    #[must_use]
    pub fn state(code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: Kind::State, code, detail: detail.into() }
    }

    /// The command is wrong in itself.
    #[must_use]
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: Kind::Invalid, code, detail: detail.into() }
    }

    /// Stopped by a safety limit.
    #[must_use]
    pub fn held(code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind: Kind::Held, code, detail: detail.into() }
    }
}
