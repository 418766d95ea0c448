//! One call that moves a provider's money, there or back, and how far it got.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How far a transfer or reversal got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Amount and key are stored.
    Planned,
    /// Handed to a sender.
    Sent,
    /// The answer was lost; it may have happened.
    Unknown,
    /// It happened.
    Done,
    /// It did not happen.
    Declined,
    /// It was never sent: the payout was held or changed before.
    Withdrawn,
}

impl Step {
    /// The step as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether money may still move by it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Planned | Self::Sent | Self::Unknown => true,
            Self::Done | Self::Declined | Self::Withdrawn => false,
        }
    }

    /// Whether the next step is news. Nothing leaves an end, and nothing goes back.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Planned, Self::Sent | Self::Withdrawn)
                | (Self::Sent, Self::Unknown)
                | (Self::Sent | Self::Unknown, Self::Done | Self::Declined)
        )
    }
}

/// Money sent to the provider's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// 1 for the first.
    pub number: u32,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Where to.
    pub destination: String,
    /// The charge it is taken from, when one charge holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The frozen key.
    pub key: String,
    /// When it was planned.
    pub at: Timestamp,
    /// When it was handed to a sender: its key is known to the gateway from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// How far it got.
    pub step: Step,
    /// The gateway's transfer, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Our code for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What came back of it, in minor units.
    pub reversed_minor: i64,
}

impl Transfer {
    /// What of it is still with the provider, in minor units.
    #[must_use]
    pub fn left_minor(&self) -> i64 {
        match self.step {
            Step::Done => self.amount_minor.saturating_sub(self.reversed_minor),
            Step::Planned | Step::Sent | Step::Unknown | Step::Declined | Step::Withdrawn => 0,
        }
    }
}

/// Money taken back from the provider's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// 1 for the first.
    pub number: u32,
    /// The number of the transfer it takes back from.
    pub transfer: u32,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The frozen key.
    pub key: String,
    /// When it was planned.
    pub at: Timestamp,
    /// When it was handed to a sender: its key is known to the gateway from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// How far it got.
    pub step: Step,
    /// The gateway's reversal, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Our code for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}
