//! What a gateway's object said about money, in our words.
//!
//! Connectors translate webhooks, API answers and polled objects into these values; [`crate::payment`] turns them into
//! facts. One charge may be described by many pieces of evidence (`charge.succeeded`, `payment_intent.succeeded`,
//! `invoice.paid`, our own API answer): they all carry the same charge id and are evidence of one fact (FEATURES R17).

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::Timestamp;

/// One observation of one object at a gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A payment intent (or the gateway's like: an order, a checkout).
    Intent(IntentSeen),
    /// A charge: one movement, or one reservation, of the payer's money.
    Charge(ChargeSeen),
    /// A refund.
    Refund(RefundSeen),
    /// A dispute or inquiry.
    Dispute(DisputeSeen),
    /// The gateway's fee for a charge, from its balance transaction.
    Fee(FeeSeen),
}

/// Status of a payment intent. Names are ours; Stripe's differ slightly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    /// Waits for a (new) payment method. After a decline it comes back here.
    RequiresMethod,
    /// Has a method, waits for our confirmation.
    RequiresConfirmation,
    /// The payer must act (3-D Secure, redirect).
    RequiresAction,
    /// The method takes time (bank debit).
    Processing,
    /// Authorized; waits for capture.
    RequiresCapture,
    /// Paid.
    Succeeded,
    /// Canceled or expired; never pays.
    Canceled,
}

/// A payment intent as seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentSeen {
    /// The gateway's id, for example `pi_…`.
    pub intent: String,
    /// Its status.
    pub status: IntentStatus,
    /// The amount asked for.
    pub amount: Money,
    /// What may still be captured, in minor units of the same currency.
    pub capturable_minor: i64,
    /// What was received, in minor units.
    pub received_minor: i64,
    /// The latest charge, when there is one.
    pub charge: Option<String>,
    /// The gateway's customer.
    pub customer: Option<String>,
    /// The payment method in use.
    pub method: Option<String>,
    /// Our opaque link token, from metadata.
    pub link: Option<String>,
    /// Our own attempt id, from metadata, when we created the intent.
    pub attempt: Option<String>,
    /// Why it was canceled, in the gateway's word (`expired`, `requested_by_customer` …).
    pub cancel_reason: Option<String>,
    /// The last error, when the latest try failed.
    pub error: Option<PaymentError>,
    /// What the payer must do next: the gateway's object, verbatim.
    pub next_action: Option<serde_json::Value>,
    /// When the gateway created it.
    pub created: Timestamp,
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PaymentError {
    /// Our code, for example `card_declined`, `authentication_required`.
    pub code: String,
    /// The issuer's word, for example `insufficient_funds`, when there is one.
    pub decline_code: Option<String>,
    /// Whether, and how, to try again.
    pub advice: DeclineAdvice,
    /// A plain sentence for the payer or the desk: what to do now.
    pub message: String,
    /// The gateway's error object, verbatim (`lastPaymentError`).
    pub raw: serde_json::Value,
}

/// What a decline allows next (FLOWS §12.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineAdvice {
    /// Lost, stolen, closed, do not try again: ask for another method.
    HardDecline,
    /// Insufficient funds, issuer down: a later try may pass.
    SoftDecline,
    /// The payer must authenticate in a session.
    Authenticate,
    /// The card's data are wrong or expired: ask for corrected data.
    FixMethod,
}

/// Status of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    /// On its way (bank debit).
    Pending,
    /// Refused; no money moved.
    Failed,
    /// Approved. Money moved only if it is also captured.
    Succeeded,
}

/// A charge as seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChargeSeen {
    /// The gateway's id, for example `ch_…`: the key of the fact.
    pub charge: String,
    /// The intent it belongs to.
    pub intent: Option<String>,
    /// Its status.
    pub status: ChargeStatus,
    /// The amount authorized or charged.
    pub amount: Money,
    /// What was captured, in minor units; 0 while it is only authorized.
    pub captured_minor: i64,
    /// What was refunded so far, in minor units. A hint: refunds become facts by their own ids.
    pub refunded_minor: i64,
    /// Whether a dispute is or was open.
    pub disputed: bool,
    /// The authorization lapses at this moment (`capture_before`).
    pub capture_before: Option<Timestamp>,
    /// The gateway's customer.
    pub customer: Option<String>,
    /// The payment method.
    pub method: Option<String>,
    /// Card brand, last four digits and funding, when it is a card.
    pub card: Option<CardSeen>,
    /// Our opaque link token, from metadata.
    pub link: Option<String>,
    /// Our own attempt id, from metadata.
    pub attempt: Option<String>,
    /// The fee, when the balance transaction is expanded.
    pub fee: Option<FeeSeen>,
    /// Why it failed.
    pub error: Option<PaymentError>,
    /// The receipt page at the gateway.
    pub receipt_url: Option<String>,
    /// When the gateway created it.
    pub created: Timestamp,
}

/// What may be kept of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSeen {
    /// `visa`, `mastercard` …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `credit`, `debit`, `prepaid` or `unknown`.
    pub funding: String,
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<u8>,
    /// Year of expiry, four digits.
    pub exp_year: Option<u16>,
}

/// Status of a refund. The order is the order of proof: a later one replaces an earlier one, never the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Accepted, on its way (also `requires_action`).
    Pending,
    /// Arrived.
    Succeeded,
    /// Came back to us, possibly after it had succeeded.
    Failed,
    /// Canceled before it was sent.
    Canceled,
}

/// A refund as seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RefundSeen {
    /// The gateway's id, for example `re_…`: the key of the fact.
    pub refund: String,
    /// The charge it returns.
    pub charge: String,
    /// The intent of the charge.
    pub intent: Option<String>,
    /// Its status.
    pub status: RefundStatus,
    /// The amount returned.
    pub amount: Money,
    /// The gateway's reason for a failure.
    pub failure_reason: Option<String>,
    /// The gateway's reason for the refund (`requested_by_customer` …).
    pub reason: Option<String>,
    /// Our own refund id, from metadata, when we asked for it.
    pub refund_id: Option<String>,
    /// When the gateway created it.
    pub created: Timestamp,
}

/// Where a dispute stands. The order is the order of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// Asked about; no funds moved.
    Inquiry,
    /// The inquiry ended without a dispute.
    InquiryClosed,
    /// Waits for our answer.
    Opened,
    /// We answered.
    Challenged,
    /// Ended in our favour.
    Won,
    /// Ended against us.
    Lost,
}

/// A dispute as seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisputeSeen {
    /// The gateway's id, for example `dp_…`: the key of the fact.
    pub dispute: String,
    /// The disputed charge.
    pub charge: String,
    /// The intent of the charge.
    pub intent: Option<String>,
    /// Where it stands.
    pub status: DisputeStatus,
    /// The disputed amount.
    pub amount: Money,
    /// The fee that was taken, in minor units of the same currency; 0 when none is known.
    pub fee_minor: i64,
    /// Whether funds were withdrawn.
    pub withdrawn: bool,
    /// Whether funds came back.
    pub reinstated: bool,
    /// The network's or gateway's reason.
    pub reason: String,
    /// Evidence must be in by then.
    pub due_by: Option<Timestamp>,
    /// When the gateway created it.
    pub created: Timestamp,
}

/// The gateway's fee for one charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeSeen {
    /// The balance transaction, for example `txn_…`: the key of the fee's posting.
    pub transaction: String,
    /// The charge it belongs to.
    pub charge: String,
    /// The fee. Its currency is the settlement currency.
    pub fee: Money,
}
