//! What is known of the things that a payment has at the gateway, and what it is for.

use serde::{Deserialize, Serialize};

use crate::evidence::{DisputeStatus, IntentStatus, PaymentError, RefundStatus};
use crate::money::Money;
use crate::time::Timestamp;

use super::event::is_zero;

/// What a payment is for. Decides the account that its money is credited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It pays what a patient owes.
    Balance,
    /// It is a deposit for care to come.
    Deposit,
    /// It was a deposit whose care was given: what of it is not kept is owed back.
    Credit,
    /// It pays a customer's order: a deposit until the order is invoiced.
    Order,
}

/// The latest word on the intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentKnown {
    /// The status.
    pub status: IntentStatus,
    /// As of when.
    pub seen_at: Timestamp,
    /// Why it was canceled.
    pub cancel_reason: Option<String>,
    /// The last error.
    pub error: Option<Box<PaymentError>>,
    /// What the payer must do next.
    pub next_action: Option<serde_json::Value>,
}

/// What is known of one refund at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundKnown {
    /// The strongest status seen.
    pub status: RefundStatus,
    /// How much.
    pub amount: Money,
    /// How much of it went out of the credit that earlier refunds had left, in minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_credit_minor: i64,
    /// How much of it, when it came back, went to where the payment had put it, in minor units.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub to_target_minor: i64,
}

/// What is known of one dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeKnown {
    /// The strongest status seen.
    pub status: DisputeStatus,
    /// How much.
    pub amount: Money,
    /// Whether the money was taken.
    pub withdrawn: bool,
    /// Whether the money came back.
    pub reinstated: bool,
    /// Whether it is gone for good.
    pub lost: bool,
}
