//! What happened to a provider's payout: past-tense facts, as they stand in the journal.

use serde::{Deserialize, Serialize};

use crate::id::ProviderPayoutId;
use crate::money::Money;
use crate::time::Timestamp;

use super::terms::{Accrual, HoldReason, LossRule};
use super::transfer::Step;

/// One fact about one payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was earned.
    Accrued(Box<Accrual>),
    /// The charge changed.
    Adjusted {
        /// The whole charge now.
        gross: Money,
        /// Counts the adjustments.
        number: u32,
    },
    /// The provider's account became known, or is another one.
    DestinationSet {
        /// The account at the gateway.
        destination: String,
    },
    /// It must not go out.
    Held {
        /// Why.
        reason: HoldReason,
        /// Until when, when that is known.
        until: Option<Timestamp>,
        /// Who, for a person's hold.
        by: Option<String>,
    },
    /// One reason is gone.
    Unheld {
        /// Which.
        reason: HoldReason,
        /// A person lifted it for good, though what it waits for is not true.
        waived: bool,
        /// Who, for a person.
        by: Option<String>,
    },
    /// It may go out.
    Released {
        /// Who, when a person said so.
        by: Option<String>,
    },
    /// Of a loss, the provider bears a part. Replaces what was said of the same cause before.
    LossShared {
        /// `write_offs`, or `dispute:` and the gateway's id.
        cause: String,
        /// The whole loss.
        lost: Money,
        /// Who bears it.
        rule: LossRule,
        /// What the provider bears of it.
        borne: Money,
        /// Counts the sharings.
        number: u32,
    },
    /// A transfer is planned.
    TransferPlanned {
        /// Which.
        number: u32,
        /// How much.
        amount: Money,
        /// Where to.
        destination: String,
        /// The charge it is taken from.
        source: Option<String>,
        /// The frozen key.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// A transfer moved on.
    TransferMoved {
        /// Which.
        number: u32,
        /// Where to.
        to: Step,
        /// The gateway's transfer, when known.
        transfer: Option<String>,
        /// Our code for a failure.
        code: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A part is kept because the provider owes it from another payout.
    Deducted {
        /// The payout it is owed from.
        owed_from: ProviderPayoutId,
        /// How much.
        amount: Money,
    },
    /// What the provider owes was kept from another payout.
    Netted {
        /// The payout it was kept from.
        against: ProviderPayoutId,
        /// How much.
        amount: Money,
    },
    /// A reversal is planned.
    ReversalPlanned {
        /// Which.
        number: u32,
        /// The number of the transfer.
        transfer: u32,
        /// How much.
        amount: Money,
        /// The frozen key.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// A reversal moved on.
    ReversalMoved {
        /// Which.
        number: u32,
        /// Where to.
        to: Step,
        /// The gateway's reversal, when known.
        reversal: Option<String>,
        /// Our code for a failure.
        code: Option<String>,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Accrued(_) => "provider_payout.accrued",
            Self::Adjusted { .. } => "provider_payout.adjusted",
            Self::DestinationSet { .. } => "provider_payout.destination_set",
            Self::Held { .. } => "provider_payout.held",
            Self::Unheld { .. } => "provider_payout.unheld",
            Self::Released { .. } => "provider_payout.released",
            Self::LossShared { .. } => "provider_payout.loss_shared",
            Self::TransferPlanned { .. } => "provider_payout.transfer_planned",
            Self::TransferMoved { .. } => "provider_payout.transfer_moved",
            Self::Deducted { .. } => "provider_payout.deducted",
            Self::Netted { .. } => "provider_payout.netted",
            Self::ReversalPlanned { .. } => "provider_payout.reversal_planned",
            Self::ReversalMoved { .. } => "provider_payout.reversal_moved",
        }
    }
}
