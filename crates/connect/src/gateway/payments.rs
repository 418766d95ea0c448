//! Taking and returning payments.
//!
//! Used by `engine` for attempts and refunds. Invariant: the key of every call was stored before the call is built.

use suture_core::money::Money;

use crate::gateway::Seen;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// When the money is taken after the authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// At once.
    Automatic,
    /// By a later capture call.
    Manual,
}

/// Create one payment at the gateway: one attempt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CreatePayment {
    /// The frozen key, stored with the attempt before the first byte leaves (FEATURES R4, M209).
    pub idempotency_key: String,
    /// How much.
    pub amount: Money,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// The gateway's customer.
    pub customer: Option<String>,
    /// The gateway's payment method. `None`: the payer gives it in the browser.
    pub method: Option<String>,
    /// Confirm at once. Needs a method.
    pub confirm: bool,
    /// The payer is not present.
    pub off_session: bool,
    /// Keep the method for later off-session use.
    pub save_method: bool,
    /// Where the payer's browser returns after an action.
    pub return_url: Option<String>,
    /// Our opaque link token: the only thing about the patient that leaves.
    pub link: String,
    /// Our attempt id.
    pub attempt: String,
}

/// Ask for a refund.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CreateRefund {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's charge.
    pub charge: String,
    /// How much.
    pub amount: Money,
    /// Our refund id.
    pub refund_id: String,
    /// `duplicate`, `fraudulent` or `requested_by_customer`; the full reason stays with us.
    pub reason: RefundReason,
}

/// The reasons that may be told to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// Charged twice.
    Duplicate,
    /// Fraud.
    Fraudulent,
    /// Everything else.
    RequestedByCustomer,
}

/// Take payments.
pub trait Payments: Send + Sync {
    /// Builds the creation (and confirmation) of a payment.
    fn create(&self, call: &CreatePayment) -> HttpRequest;
    /// Builds the confirmation of an intent with a method.
    fn confirm(&self, intent: &str, method: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds a capture; `None` captures all that is authorized.
    fn capture(&self, intent: &str, amount: Option<Money>, idempotency_key: &str) -> HttpRequest;
    /// Builds a cancellation.
    fn cancel(&self, intent: &str, idempotency_key: &str) -> HttpRequest;
    /// Reads the answer of any of the above. A decline is `Done` with an intent that carries the error when the
    /// gateway sent the intent, else `Declined`.
    fn read_payment(&self, response: &HttpResponse) -> Outcome<Seen>;
}

/// Return payments.
pub trait Refunds: Send + Sync {
    /// Builds a refund.
    fn create(&self, call: &CreateRefund) -> HttpRequest;
    /// Reads the answer.
    fn read_refund(&self, response: &HttpResponse) -> Outcome<Seen>;
}
