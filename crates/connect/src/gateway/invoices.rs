//! Billing a patient: invoices, their lines, their payments, and credit notes.
//!
//! Used by `engine` to settle services (FLOWS 5). Invariants: the gateway never advances an invoice by itself; every
//! text is the caller's and is sent verbatim, so the caller's firewall sees all that leaves.

use serde::{Deserialize, Serialize};
use suture_core::currency::Currency;
use suture_core::money::Money;

use crate::gateway::{CreditNoteSeen, InvoicePaymentSeen, InvoiceSeen, LinkedRefund, Part, Seen};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// How an invoice is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Collection {
    /// The payer gets a link and pays. The gateway may want an e-mail address of the customer for it.
    Send {
        /// Days from finalization until payment is due.
        days_until_due: u16,
    },
    /// We charge a stored method by [`Invoices::pay`].
    Charge,
}

/// Create a draft without lines. Lines that wait for the customer's next invoice stay out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateInvoice {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's customer.
    pub customer: String,
    /// The currency of all lines.
    pub currency: Currency,
    /// How it is collected.
    pub collection: Collection,
    /// A text on the invoice, sent verbatim. It must say nothing about a person or care.
    pub description: Option<String>,
    /// Our opaque link token.
    pub link: String,
    /// Our own invoice id.
    pub invoice_id: String,
}

/// Add a line to a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddItem {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's customer: the invoice's own.
    pub customer: String,
    /// The gateway's draft.
    pub invoice: String,
    /// The amount; negative for a deduction, for example an estimate that was paid.
    pub amount: Money,
    /// The text of the line, sent verbatim. It must say nothing about a person or care.
    pub description: String,
    /// Our own line id.
    pub line_id: String,
}

/// A line as the gateway took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemSeen {
    /// The gateway's id, for example `ii_…`.
    pub id: String,
    /// The draft it stands on.
    pub invoice: Option<String>,
    /// The amount.
    pub amount: Money,
}

/// Charge what remains of an invoice to a stored method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayInvoice {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's invoice.
    pub invoice: String,
    /// The gateway's method.
    pub method: String,
    /// The payer is not present.
    pub off_session: bool,
}

/// Why a credit is given, in words that may be told to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditReason {
    /// Billed twice.
    Duplicate,
    /// Fraud.
    Fraudulent,
    /// What was ordered changed.
    OrderChange,
    /// The payer was not satisfied.
    Unsatisfactory,
}

/// Correct a final invoice. What is not covered by the part that is still due must be accounted for exactly by the other
/// amounts, all in minor units of the currency of `amount`; 0 leaves one out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateCreditNote {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's invoice.
    pub invoice: String,
    /// The whole credit.
    pub amount: Money,
    /// The gateway makes a refund of so much itself. It carries no refund id of ours: prefer `refunds`.
    pub refund_minor: i64,
    /// Refunds that were made before.
    pub refunds: Vec<LinkedRefund>,
    /// Returned outside of the gateway.
    pub out_of_band_minor: i64,
    /// Kept as the customer's credit at the gateway.
    pub credit_minor: i64,
    /// Why.
    pub reason: Option<CreditReason>,
    /// A text on the credit note, sent verbatim. It must say nothing about a person or care.
    pub memo: Option<String>,
    /// Our own credit note id.
    pub credit_note_id: String,
}

/// Bill a patient.
pub trait Invoices: Send + Sync {
    /// Builds a draft.
    fn create(&self, call: &CreateInvoice) -> HttpRequest;
    /// Builds a line of a draft.
    fn add_item(&self, call: &AddItem) -> HttpRequest;
    /// Builds the finalization of a draft. Its amounts never change again; with nothing due it is paid at once.
    fn finalize(&self, invoice: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the sending of an invoice by the gateway.
    fn send(&self, invoice: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the charge of a stored method.
    fn pay(&self, call: &PayInvoice) -> HttpRequest;
    /// Builds the mark that an invoice was paid outside of the gateway. No money moves.
    fn pay_out_of_band(&self, invoice: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the crediting of an intent, captured or on its way, to an open invoice of the same customer and currency.
    /// What is more than remains becomes the customer's credit at the gateway: refund a surplus first where none may stay.
    fn attach_payment(&self, invoice: &str, intent: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the voiding of a final invoice.
    fn void(&self, invoice: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the giving up of an open invoice.
    fn mark_uncollectible(&self, invoice: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the fetch of an invoice.
    fn fetch(&self, invoice: &str) -> HttpRequest;
    /// Builds one page of an invoice's payments, `limit` ≤ 100; `after` is the `next` of the page before.
    fn list_payments(&self, invoice: &str, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Builds a credit note. The gateway sends no e-mail about it.
    fn create_credit_note(&self, call: &CreateCreditNote) -> HttpRequest;

    /// Reads an invoice, whatever was done with it. A deleted draft is `Declined` with code `resource_missing`.
    fn read_invoice(&self, response: &HttpResponse) -> Outcome<InvoiceSeen>;
    /// Reads an added line.
    fn read_item(&self, response: &HttpResponse) -> Outcome<ItemSeen>;
    /// Reads the answer to [`Self::pay`]: the invoice as a note and its payments to fetch. A decline is `Done` with the
    /// intent that carries the error when the gateway sent the intent, else `Declined`.
    fn read_pay(&self, response: &HttpResponse) -> Outcome<Seen>;
    /// Reads one page of payments.
    fn read_payments(&self, response: &HttpResponse) -> Outcome<Part<InvoicePaymentSeen>>;
    /// Reads a created credit note.
    fn read_credit_note(&self, response: &HttpResponse) -> Outcome<CreditNoteSeen>;
}
