//! Stripe's invoices, their lines and payments, and credit notes as they come over the wire (OBJECTS.md).
//!
//! The rules of `wire` hold. The customer's name, e-mail, phone and address on an invoice are never read.

use crate::gateways::stripe::wire::{Created, Linked, List, Metadata, Refund, object};

object!(Invoice, "invoice");
object!(InvoicePayment, "invoice_payment");
object!(Item, "invoiceitem");
object!(CreditNote, "credit_note");

#[derive(serde::Deserialize)]
pub(super) struct Invoice {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount_due: Option<i64>,
    pub(super) amount_overpaid: Option<i64>,
    pub(super) amount_paid: Option<i64>,
    pub(super) amount_remaining: Option<i64>,
    /// Before basil (FACTS §0).
    pub(super) charge: Option<Linked<Created>>,
    pub(super) collection_method: Option<String>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) customer: Option<Linked<Created>>,
    #[serde(default)]
    pub(super) deleted: bool,
    pub(super) due_date: Option<i64>,
    pub(super) hosted_invoice_url: Option<String>,
    pub(super) invoice_pdf: Option<String>,
    pub(super) lines: Option<List<Line>>,
    pub(super) metadata: Option<Metadata>,
    pub(super) number: Option<String>,
    /// Before basil (FACTS §0).
    pub(super) payment_intent: Option<Linked<Created>>,
    pub(super) post_payment_credit_notes_amount: Option<i64>,
    pub(super) pre_payment_credit_notes_amount: Option<i64>,
    pub(super) starting_balance: Option<i64>,
    pub(super) status: Option<String>,
    pub(super) status_transitions: Option<Transitions>,
    pub(super) total: Option<i64>,
}

#[derive(Default, serde::Deserialize)]
pub(super) struct Transitions {
    pub(super) finalized_at: Option<i64>,
    pub(super) marked_uncollectible_at: Option<i64>,
    pub(super) paid_at: Option<i64>,
    pub(super) voided_at: Option<i64>,
}

#[derive(serde::Deserialize)]
pub(super) struct Line {
    pub(super) id: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) description: Option<String>,
    pub(super) metadata: Option<Metadata>,
}

#[derive(serde::Deserialize)]
pub(super) struct Item {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) invoice: Option<Linked<Created>>,
}

#[derive(serde::Deserialize)]
pub(super) struct InvoicePayment {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount_paid: Option<i64>,
    pub(super) amount_requested: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) invoice: Option<Linked<Created>>,
    #[serde(default)]
    pub(super) is_default: bool,
    pub(super) payment: Option<InvoicePaymentSource>,
    pub(super) status: Option<String>,
}

#[derive(serde::Deserialize)]
pub(super) struct InvoicePaymentSource {
    pub(super) charge: Option<Linked<Created>>,
    pub(super) payment_intent: Option<Linked<Created>>,
    pub(super) payment_record: Option<Linked<Created>>,
}

#[derive(serde::Deserialize)]
pub(super) struct CreditNote {
    pub(super) id: Option<String>,
    pub(super) object: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) created: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) customer_balance_transaction: Option<Linked<Created>>,
    pub(super) invoice: Option<Linked<Created>>,
    pub(super) metadata: Option<Metadata>,
    pub(super) number: Option<String>,
    pub(super) out_of_band_amount: Option<i64>,
    pub(super) pdf: Option<String>,
    pub(super) post_payment_amount: Option<i64>,
    pub(super) pre_payment_amount: Option<i64>,
    #[serde(default)]
    pub(super) refunds: Vec<CreditRefund>,
    pub(super) status: Option<String>,
    pub(super) voided_at: Option<i64>,
}

#[derive(serde::Deserialize)]
pub(super) struct CreditRefund {
    pub(super) amount_refunded: Option<i64>,
    /// `None` for a refund of money that another gateway took.
    pub(super) refund: Option<Linked<Refund>>,
}
