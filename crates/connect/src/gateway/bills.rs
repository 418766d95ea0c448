//! Invoices, their payments and credit notes as a gateway shows them.
//!
//! Made by connectors, used by `engine` to settle services. Invariants: amounts are as the gateway states them, in one
//! currency per object; texts that may speak about care and links that open without a password are never printed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suture_core::money::Money;
use suture_core::redact::{Phi, Secret};
use suture_core::time::Timestamp;

/// Where an invoice stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Can still be changed.
    Draft,
    /// Final, and waits for payment.
    Open,
    /// Paid, or nothing was due.
    Paid,
    /// Canceled; never paid.
    Void,
    /// Given up; may still be paid or voided.
    Uncollectible,
    /// A word that is not known here.
    Other(String),
}

/// An invoice as seen.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceSeen {
    /// The gateway's id, for example `in_…`.
    pub id: String,
    /// Where it stands.
    pub status: InvoiceStatus,
    /// The gateway's number, once it is final.
    pub number: Option<String>,
    /// The sum of the lines, before balance and payments.
    pub total: Money,
    /// What was due when it became final, less credit notes that came before payment.
    pub amount_due: Money,
    /// What was paid, also outside of the gateway.
    pub amount_paid: Money,
    /// What is still to be paid.
    pub amount_remaining: Money,
    /// What was paid too much; the gateway keeps it as the customer's credit.
    pub amount_overpaid: Money,
    /// Credit notes that lowered what is due.
    pub credited_before_payment: Money,
    /// Credit notes that returned what was paid.
    pub credited_after_payment: Money,
    /// The customer's balance that was applied; negative is credit.
    pub starting_balance: Money,
    /// The gateway's customer.
    pub customer: Option<String>,
    /// Our link token, from metadata.
    pub link: Option<String>,
    /// Our own invoice id, from metadata, when we created it.
    pub invoice_id: Option<String>,
    /// All metadata. Somebody else may have put a person's data there.
    pub metadata: Phi<BTreeMap<String, String>>,
    /// The gateway's word for how it is collected: `send_invoice` or `charge_automatically`.
    pub collection: Option<String>,
    /// Its lines; `None` when the gateway did not show all of them.
    pub lines: Option<Vec<InvoiceLine>>,
    /// The page on which it can be paid. Whoever has the address can open it; it expires, so fetch it anew.
    pub hosted_url: Option<Secret<String>>,
    /// The document. Whoever has the address can open it; it expires, so fetch it anew.
    pub pdf_url: Option<Secret<String>>,
    /// When the gateway created it.
    pub created: Option<Timestamp>,
    /// When payment is due.
    pub due_at: Option<Timestamp>,
    /// When it became final.
    pub finalized_at: Option<Timestamp>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it was voided.
    pub voided_at: Option<Timestamp>,
    /// When it was given up.
    pub uncollectible_at: Option<Timestamp>,
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct InvoiceLine {
    /// The gateway's id of the line.
    pub id: Option<String>,
    /// The amount; negative is a deduction.
    pub amount: Money,
    /// The text, which may speak about care.
    pub description: Option<Phi<String>>,
    /// Our own line id, from metadata.
    pub line_id: Option<String>,
}

/// Where a payment of an invoice stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoicePaymentStatus {
    /// Not paid yet.
    Open,
    /// Paid.
    Paid,
    /// Canceled.
    Canceled,
    /// A word that is not known here.
    Other(String),
}

/// A payment of an invoice: which intent or charge pays it, and how much of it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePaymentSeen {
    /// The gateway's id, for example `inpay_…`.
    pub id: String,
    /// The invoice.
    pub invoice: String,
    /// Where it stands.
    pub status: InvoicePaymentStatus,
    /// What was asked for.
    pub asked: Money,
    /// What of it counts as paid.
    pub paid: Option<Money>,
    /// The intent, when an intent pays.
    pub intent: Option<String>,
    /// The charge, when a charge without intent pays.
    pub charge: Option<String>,
    /// The record of money that another gateway took.
    pub record: Option<String>,
    /// Whether it is the one that the gateway keeps in step with what remains.
    pub is_default: bool,
}

/// Where a credit note stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditNoteStatus {
    /// In force.
    Issued,
    /// Taken back.
    Void,
    /// A word that is not known here.
    Other(String),
}

/// A refund that stands behind a credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedRefund {
    /// The gateway's refund.
    pub refund: String,
    /// How much of it counts for the credit note.
    pub amount: Money,
}

/// A credit note as seen.
#[derive(Debug, Clone, PartialEq)]
pub struct CreditNoteSeen {
    /// The gateway's id, for example `cn_…`.
    pub id: String,
    /// The invoice it corrects.
    pub invoice: String,
    /// Where it stands.
    pub status: CreditNoteStatus,
    /// The gateway's number.
    pub number: Option<String>,
    /// The whole credit.
    pub amount: Money,
    /// The part that lowered what is due.
    pub before_payment: Money,
    /// The part that returns what was paid.
    pub after_payment: Money,
    /// The part that was returned outside of the gateway.
    pub out_of_band: Money,
    /// The refunds behind it, made for it or linked to it.
    pub refunds: Vec<LinkedRefund>,
    /// The entry of the customer's balance, when a part became credit there.
    pub balance_entry: Option<String>,
    /// Our own credit note id, from metadata, when we created it.
    pub credit_note_id: Option<String>,
    /// The document. Whoever has the address can open it.
    pub pdf_url: Option<Secret<String>>,
    /// When the gateway created it.
    pub created: Option<Timestamp>,
    /// When it was voided.
    pub voided_at: Option<Timestamp>,
}
