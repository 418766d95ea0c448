//! What a payment platform can do, as object-safe capabilities. A missing capability is `None`, never a stub.
//!
//! `engine` asks for a capability, builds the request, sends it through egress and hands the response back to the
//! matching `read_…`. Every builder is deterministic: the same call gives the same bytes.

use suture_core::evidence::Evidence;
use suture_core::money::Money;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// A payment platform behind one connection (one account, one mode).
pub trait Gateway: Send + Sync {
    /// The connector's name, for example `stripe`.
    fn name(&self) -> &'static str;
    /// Take payments.
    fn payments(&self) -> Option<&dyn Payments>;
    /// Return payments.
    fn refunds(&self) -> Option<&dyn Refunds>;
    /// Customers and stored methods.
    fn vault(&self) -> Option<&dyn Vault>;
    /// Verify and read webhooks.
    fn webhooks(&self) -> Option<&dyn Webhooks>;
    /// Fetch objects and lists for polls and sweeps.
    fn history(&self) -> Option<&dyn History>;
    /// Read the account, to check the credentials.
    fn account(&self) -> Option<&dyn Account>;
}

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

/// Something the gateway told us about its objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Evidence, parents before children.
    pub evidence: Vec<Evidence>,
    /// Objects that must be fetched before the whole truth is known.
    pub fetch: Vec<Fetch>,
    /// The browser's secret for this payment, when it was in the answer. Never stored or logged.
    pub client_secret: Option<Secret<String>>,
}

/// One object, or list of objects, to fetch from the gateway.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(tag = "what", content = "id", rename_all = "snake_case")]
pub enum Fetch {
    /// A charge, with its balance transaction.
    Charge(String),
    /// A payment intent, with its latest charge.
    Intent(String),
    /// One refund.
    Refund(String),
    /// All refunds of a charge.
    RefundsOfCharge(String),
    /// One dispute.
    Dispute(String),
    /// The payments of an invoice.
    InvoicePayments(String),
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

/// Customers and stored methods.
pub trait Vault: Send + Sync {
    /// Builds a customer that carries nothing but our link token.
    fn create_customer(&self, link: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds a setup intent that stores a method for later use.
    fn create_setup(&self, customer: &str, link: &str, idempotency_key: &str) -> HttpRequest;
    /// Reads the id of the created customer.
    fn read_customer(&self, response: &HttpResponse) -> Outcome<String>;
    /// Reads the id and browser secret of the created setup intent.
    fn read_setup(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)>;
}

/// A webhook that passed verification.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The gateway's event id: the key of deduplication.
    pub event_id: String,
    /// The gateway's event type, verbatim.
    pub event_type: String,
    /// When the gateway made the event.
    pub created: Timestamp,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The account the event is for, when the gateway names one.
    pub account: Option<String>,
    /// The version the payload was rendered with.
    pub api_version: Option<String>,
    /// Id of the object the event is about.
    pub object_id: Option<String>,
    /// What it says. Empty evidence and no fetches: recorded, nothing to do.
    pub seen: Seen,
    /// Whether the event type is known to this connector.
    pub known: bool,
}

/// Why a webhook was refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// No signature header.
    #[error("the signature header is missing")]
    MissingHeader,
    /// The header cannot be read.
    #[error("the signature header cannot be read")]
    UnreadableHeader,
    /// The header carries no signature of the expected scheme.
    #[error("the signature header has no v1 signature")]
    NoSignature,
    /// No signature matches.
    #[error("no signature matches the body and the secrets of this connection")]
    NoMatch,
    /// Too old, or from the future.
    #[error(
        "the signature's time is {seconds_off} s off, more than the {tolerance_seconds} s that are allowed"
    )]
    OutsideTolerance {
        /// Distance from now in seconds; negative: from the future.
        seconds_off: i64,
        /// The setting.
        tolerance_seconds: i64,
    },
    /// No secret is configured.
    #[error("no webhook secret is configured for this connection")]
    NoSecret,
    /// Signed correctly but not an event: empty, not JSON, not UTF-8, nested too deeply, wrong shape.
    #[error("the body is not an event: {0}")]
    NotAnEvent(String),
}

impl WebhookRefusal {
    /// A stable code for counters and the list of rejected deliveries.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::UnreadableHeader => "unreadable_header",
            Self::NoSignature => "no_signature",
            Self::NoMatch => "no_matching_signature",
            Self::OutsideTolerance { .. } => "outside_tolerance",
            Self::NoSecret => "no_secret",
            Self::NotAnEvent(_) => "not_an_event",
        }
    }
}

/// Verify and read webhooks.
pub trait Webhooks: Send + Sync {
    /// The lower-case name of the signature header.
    fn signature_header(&self) -> &'static str;
    /// Checks the signature over the raw bytes with any of the connection's secrets, and the time.
    ///
    /// # Errors
    /// [`WebhookRefusal`]; the caller answers 400 and counts it.
    fn verify(&self, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<(), WebhookRefusal>;
    /// Reads a verified body.
    ///
    /// # Errors
    /// [`WebhookRefusal::NotAnEvent`].
    fn read(&self, body: &[u8]) -> Result<Notice, WebhookRefusal>;
    /// The version that payloads should be rendered with; another one is read, but not trusted alone.
    fn pinned_version(&self) -> Option<&'static str>;
    /// The event types that the installed features need (FEATURES M9).
    fn needed_events(&self) -> &'static [&'static str];
    /// Builds the registration of our endpoint with the needed events and the pinned version.
    fn create_endpoint(&self, url: &str, idempotency_key: &str) -> HttpRequest;
    /// Reads the new endpoint's id and signing secret.
    fn read_endpoint(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)>;
}

/// Which list to walk in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Payment intents with their latest charges.
    Intents,
    /// Refunds.
    Refunds,
    /// Disputes.
    Disputes,
    /// Events, for gaps in the webhooks.
    Events,
    /// Balance transactions.
    BalanceTransactions,
    /// Payouts.
    Payouts,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Everything seen on the page.
    pub seen: Seen,
    /// The raw items, for lists that are not evidence (balance transactions, payouts, events).
    pub items: Vec<serde_json::Value>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Fetch objects and lists for polls and sweeps.
pub trait History: Send + Sync {
    /// Builds the fetch of one object.
    fn fetch(&self, what: &Fetch) -> HttpRequest;
    /// Reads what was fetched. An object that no longer exists is `Declined` with code `resource_missing`.
    fn read_fetched(&self, what: &Fetch, response: &HttpResponse) -> Outcome<Seen>;
    /// Builds one page of a list of objects created since a moment, newest first, `limit` ≤ 100.
    fn list(&self, list: List, since: Timestamp, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Reads one page.
    fn read_list(&self, list: List, response: &HttpResponse) -> Outcome<Page>;
}

/// What the account says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSeen {
    /// The gateway's account id, when it tells it.
    pub id: Option<String>,
    /// The display name, when it tells it.
    pub name: Option<String>,
    /// Whether the credentials are for real money.
    pub livemode: bool,
}

/// Read the account, to check the credentials.
pub trait Account: Send + Sync {
    /// Builds the request.
    fn probe(&self) -> HttpRequest;
    /// Reads the answer; `Declined` with code `invalid_credentials` when the key is refused.
    fn read_account(&self, response: &HttpResponse) -> Outcome<AccountSeen>;
}
