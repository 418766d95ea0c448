//! What happened to a payment: past-tense facts, as they stand in the journal.

use serde::{Deserialize, Serialize};

use crate::attempt::Step;
use crate::evidence::{CardSeen, DisputeStatus, IntentStatus, PaymentError};
use crate::explain::Care;
use crate::id::{DebtId, PaymentId, RefundId};
use crate::money::Money;
use crate::time::Timestamp;

use super::known::Purpose;

/// One fact about one payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The payment exists: asked for by us, or first seen at the gateway.
    Opened {
        /// Its id.
        payment: PaymentId,
        /// The debt it collects; `None` when it was made outside of us.
        debt: Option<DebtId>,
        /// The connection to the gateway.
        connection: String,
        /// The gateway's name, for the ledger.
        gateway: String,
        /// Our link token.
        link: Option<String>,
        /// What it is for; `None` while its owner is not known.
        purpose: Option<Purpose>,
        /// The chain to the act of care.
        care: Care,
        /// The amount asked for.
        amount: Money,
        /// Whether it is captured by a later call.
        manual_capture: bool,
        /// The gateway's customer, when the payer's methods are on file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// Who confirmed an amount that is far from the usual.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confirmed_by: Option<String>,
    },
    /// An attempt was planned and its key frozen.
    AttemptPlanned {
        /// 1 for the first.
        number: u32,
        /// The frozen key.
        key: String,
        /// When.
        at: Timestamp,
        /// The method, when it is known.
        method: Option<String>,
    },
    /// An attempt moved on.
    AttemptMoved {
        /// Which.
        number: u32,
        /// How.
        step: Step,
        /// When.
        at: Timestamp,
    },
    /// The intent was seen in a new status.
    IntentMoved {
        /// The gateway's id.
        intent: String,
        /// The status.
        status: IntentStatus,
        /// As of when.
        seen_at: Timestamp,
        /// Why it was canceled.
        cancel_reason: Option<String>,
        /// The last error.
        error: Option<Box<PaymentError>>,
        /// What the payer must do next, verbatim.
        next_action: Option<serde_json::Value>,
        /// The gateway's customer.
        customer: Option<String>,
    },
    /// Money is reserved, not moved.
    Authorized {
        /// The charge.
        charge: String,
        /// How much.
        amount: Money,
        /// It lapses then.
        capture_before: Option<Timestamp>,
    },
    /// A charge failed. No money moved.
    ChargeFailed {
        /// The charge.
        charge: String,
        /// Why.
        error: Option<Box<PaymentError>>,
    },
    /// Money moved to us. The one fact of this charge.
    Captured {
        /// The charge: the key of the fact.
        charge: String,
        /// How much more than known before.
        amount: Money,
        /// When the gateway made the charge.
        charged_at: Timestamp,
        /// The card, when it is one.
        card: Option<CardSeen>,
    },
    /// The gateway's fee is known.
    FeeKnown {
        /// The balance transaction: the key of the fact.
        transaction: String,
        /// The fee.
        fee: Money,
    },
    /// We asked the gateway to capture.
    CaptureRequested {
        /// 1 for the first request.
        number: u32,
        /// The frozen key.
        key: String,
        /// How much.
        amount: Money,
    },
    /// A capture was refused by the gateway; the authorization still stands or has lapsed.
    CaptureFailed {
        /// The request.
        number: u32,
        /// Our code for why.
        code: String,
    },
    /// We asked the gateway to cancel.
    CancelRequested {
        /// The frozen key.
        key: String,
    },
    /// A refund was asked for; its amount can no longer be refunded otherwise.
    RefundReserved {
        /// Our refund.
        refund_id: RefundId,
        /// How much.
        amount: Money,
    },
    /// A refund that was asked for did not and will not happen.
    RefundReleased {
        /// Our refund.
        refund_id: RefundId,
    },
    /// A refund is on its way.
    RefundPending {
        /// The gateway's refund.
        refund: String,
        /// Our refund, when we asked for it.
        refund_id: Option<RefundId>,
        /// How much.
        amount: Money,
    },
    /// Money went back to the payer. The one fact of this refund.
    Refunded {
        /// The gateway's refund: the key of the fact.
        refund: String,
        /// Our refund, when we asked for it.
        refund_id: Option<RefundId>,
        /// How much.
        amount: Money,
        /// How much of it an earlier refund had brought back: it goes out of the credit, the rest out of where the payment
        /// put it. In minor units.
        #[serde(default, skip_serializing_if = "is_zero")]
        from_credit_minor: i64,
    },
    /// A refund came back to us: we still owe the patient.
    RefundFailed {
        /// The gateway's refund.
        refund: String,
        /// Our refund, when we asked for it.
        refund_id: Option<RefundId>,
        /// How much.
        amount: Money,
        /// How much of it goes back to where the payment put it, because another refund took it from there meanwhile; the
        /// rest is a credit. In minor units.
        #[serde(default, skip_serializing_if = "is_zero")]
        to_target_minor: i64,
        /// The gateway's reason.
        failure_reason: Option<String>,
    },
    /// What had come back from refunds was paid to the patient outside of a gateway: at the desk, or by cheque.
    PaidBackElsewhere {
        /// How much.
        amount: Money,
    },
    /// A dispute was seen in a new status.
    DisputeMoved {
        /// The gateway's dispute.
        dispute: String,
        /// The status.
        status: DisputeStatus,
        /// The disputed amount.
        amount: Money,
        /// The network's reason.
        reason: String,
        /// Evidence must be in by then.
        due_by: Option<Timestamp>,
    },
    /// Disputed money was taken from us.
    DisputeWithdrawn {
        /// The gateway's dispute: the key of the fact.
        dispute: String,
        /// How much.
        amount: Money,
        /// The dispute's fee, or nothing.
        fee: Money,
    },
    /// Disputed money came back.
    DisputeReinstated {
        /// The gateway's dispute.
        dispute: String,
        /// How much.
        amount: Money,
    },
    /// Disputed money is gone for good.
    DisputeLost {
        /// The gateway's dispute.
        dispute: String,
        /// How much.
        amount: Money,
    },
    /// The owner of the money became known.
    LinkResolved {
        /// Our link token.
        link: String,
        /// What the payment is for.
        purpose: Purpose,
        /// The chain to the act of care.
        care: Care,
        /// The debt that it turned out to collect.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        debt: Option<DebtId>,
    },
    /// It pays for other care of the same patient.
    Relinked {
        /// Our link token for that care.
        link: String,
        /// The chain to it.
        care: Care,
    },
    /// The care that a deposit was for was given: its money was applied, and refunds now come out of the credit.
    Consumed,
    /// The money arrived in a payout.
    Settled {
        /// The payout.
        payout: String,
    },
}

/// Entries that were written before a part was kept have none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(super) const fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "payment.opened",
            Self::AttemptPlanned { .. } => "payment.attempt_planned",
            Self::AttemptMoved { .. } => "payment.attempt_moved",
            Self::IntentMoved { .. } => "payment.intent_moved",
            Self::Authorized { .. } => "payment.authorized",
            Self::ChargeFailed { .. } => "payment.charge_failed",
            Self::Captured { .. } => "payment.captured",
            Self::FeeKnown { .. } => "payment.fee_known",
            Self::CaptureRequested { .. } => "payment.capture_requested",
            Self::CaptureFailed { .. } => "payment.capture_failed",
            Self::CancelRequested { .. } => "payment.cancel_requested",
            Self::RefundReserved { .. } => "payment.refund_reserved",
            Self::RefundReleased { .. } => "payment.refund_released",
            Self::RefundPending { .. } => "payment.refund_pending",
            Self::Refunded { .. } => "payment.refunded",
            Self::RefundFailed { .. } => "payment.refund_failed",
            Self::PaidBackElsewhere { .. } => "payment.paid_back_elsewhere",
            Self::DisputeMoved { .. } => "payment.dispute_moved",
            Self::DisputeWithdrawn { .. } => "payment.dispute_withdrawn",
            Self::DisputeReinstated { .. } => "payment.dispute_reinstated",
            Self::DisputeLost { .. } => "payment.dispute_lost",
            Self::LinkResolved { .. } => "payment.link_resolved",
            Self::Relinked { .. } => "payment.relinked",
            Self::Consumed => "payment.consumed",
            Self::Settled { .. } => "payment.settled",
        }
    }
}
