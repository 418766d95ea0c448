//! The statuses that a payment can have. Which one it has follows from what is known: see [`super::Payment::status`].

use serde::{Deserialize, Serialize};

/// The status of a payment (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Planned, not yet known at the gateway.
    Created,
    /// Waits for a payment method, for example after a decline.
    RequiresMethod,
    /// The payer must act.
    RequiresAction,
    /// The method takes time.
    Processing,
    /// Reserved, not moved.
    Authorized,
    /// Moved to us.
    Captured,
    /// Arrived in a payout.
    Settled,
    /// An answer was lost; it may or may not have happened.
    Unknown,
    /// It failed for good; no money moved.
    Failed,
    /// Canceled; no money moved.
    Canceled,
    /// The reservation lapsed; no money moved.
    Expired,
    /// A part went back.
    PartRefunded,
    /// All of it went back.
    Refunded,
    /// The payer's bank disputes it.
    Disputed,
    /// A dispute was lost.
    Lost,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RequiresMethod => "requires_method",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Settled => "settled",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::PartRefunded => "part_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Lost => "lost",
        }
    }
}
