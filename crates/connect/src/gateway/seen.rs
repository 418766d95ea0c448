//! What a gateway's answer or notice tells: evidence about money, notes about the rest, and what to fetch next.
//!
//! Made by connectors, taken in by `engine`. Evidence becomes facts; a note never moves money by itself.

use suture_core::evidence::Evidence;
use suture_core::redact::Secret;

use crate::gateway::Note;

/// Something the gateway told us about its objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Evidence, parents before children.
    pub evidence: Vec<Evidence>,
    /// What else it says: stored methods, customers, invoices, holds. In a webhook's notice a note is a hint, perhaps old;
    /// in the answer to a fetch it is the truth of that moment.
    pub notes: Vec<Note>,
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
    /// A customer.
    Customer(String),
    /// A stored payment method.
    Method(String),
    /// A setup intent.
    Setup(String),
    /// An invoice, with its first lines.
    Invoice(String),
    /// A credit note.
    CreditNote(String),
    /// A payout of the gateway to the bank.
    Settlement(String),
}

/// A part of a list that is read page by page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T> {
    /// The items of this page, in the gateway's order.
    pub items: Vec<T>,
    /// What to ask for next, in the word of the same call; `None` at the end.
    pub next: Option<String>,
}
