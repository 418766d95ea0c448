//! Credit notes: the object, show, list. Issuing and voiding live in `credit_note_issue` (FACTS §d).
//!
//! What must stay true: `amount = pre_payment_amount + post_payment_amount`, and the post-payment part is exactly what
//! was refunded, credited and given outside of Stripe.

use super::currency::Currency;
use super::listing::page_of;
use super::object::{Answer, Metadata, Snapshot};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// One line of a credit note.
#[derive(Debug, Clone)]
pub(crate) struct NoteLine {
    pub(crate) id: Id,
    pub(crate) amount: i64,
    pub(crate) description: Option<Arc<str>>,
    /// The invoice's line that is credited; free text otherwise.
    pub(crate) invoice_line: Option<Id>,
    pub(crate) quantity: i64,
}

/// A credit note. All amounts are minor units.
#[derive(Debug, Clone)]
pub(crate) struct CreditNote {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) invoice: Id,
    pub(crate) customer: Id,
    pub(crate) currency: Currency,
    pub(crate) number: Arc<str>,
    pub(crate) lines: Arc<Vec<NoteLine>>,
    pub(crate) pre_payment: i64,
    pub(crate) post_payment: i64,
    pub(crate) out_of_band: Option<i64>,
    /// Refunds that belong to the note, with the part of each.
    pub(crate) refunds: Arc<Vec<(Id, i64)>>,
    pub(crate) balance_transaction: Option<Id>,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) memo: Option<Arc<str>>,
    pub(crate) voided_at: Option<i64>,
    pub(crate) metadata: Metadata,
    pub(crate) site: Arc<str>,
}

impl Row for CreditNote {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl CreditNote {
    /// What the note takes off its invoice.
    pub(crate) fn amount(&self) -> i64 {
        self.pre_payment + self.post_payment
    }

    /// The address of the note as a PDF; served by `page`.
    pub(crate) fn pdf_url(&self) -> String {
        format!("{}/credit_notes/{}/{}/pdf", self.site, self.id, derived(&self.id, 30))
    }

    fn kind(&self) -> &'static str {
        match (self.pre_payment, self.post_payment) {
            (_, 0) => "pre_payment",
            (0, _) => "post_payment",
            _ => "mixed",
        }
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let amount = self.amount();
        let refunds: Vec<Value> = self
            .refunds
            .iter()
            .map(|(refund, part)| {
                json!({
                    "amount_refunded": part, "payment_record_refund": null, "refund": **refund, "type": "refund"
                })
            })
            .collect();
        json!({
            "id": *self.id, "object": "credit_note", "amount": amount, "amount_shipping": 0,
            "created": self.created, "currency": self.currency, "customer": *self.customer,
            "customer_account": null, "customer_balance_transaction": self.balance_transaction.as_deref(),
            "discount_amount": 0, "discount_amounts": [], "effective_at": self.created, "invoice": *self.invoice,
            "lines": self.lines_page(), "livemode": false, "memo": self.memo.as_deref(),
            "metadata": *self.metadata, "number": *self.number, "out_of_band_amount": self.out_of_band,
            "pdf": self.pdf_url(), "post_payment_amount": self.post_payment,
            "pre_payment_amount": self.pre_payment, "pretax_credit_amounts": [], "reason": self.reason.as_deref(),
            "refunds": refunds, "shipping_cost": null,
            "status": if self.voided_at.is_some() { "void" } else { "issued" }, "subtotal": amount,
            "subtotal_excluding_tax": amount, "total": amount, "total_excluding_tax": amount, "total_taxes": [],
            "type": self.kind(), "voided_at": self.voided_at,
        })
    }

    fn lines_page(&self) -> Value {
        let rows: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                json!({
                    "id": *line.id, "object": "credit_note_line_item", "amount": line.amount,
                    "description": line.description.as_deref(), "discount_amount": 0, "discount_amounts": [],
                    "invoice_line_item": line.invoice_line.as_deref(), "livemode": false,
                    "quantity": line.quantity, "taxes": [],
                    "type": if line.invoice_line.is_some() { "invoice_line_item" } else { "custom_line_item" },
                })
            })
            .collect();
        json!({
            "object": "list", "data": rows, "has_more": false,
            "url": format!("/v1/credit_notes/{}/lines", self.id)
        })
    }
}

impl StripeWorld {
    /// `GET /v1/credit_notes/{id}`
    pub(crate) fn show_credit_note(&self, id: &str) -> Answer {
        self.credit_notes
            .get(id)
            .map(|row| Snapshot::CreditNote(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("credit_note", id, "id"))
    }

    /// `GET /v1/credit_notes`
    pub(crate) fn list_credit_notes(&self, params: &Params) -> Answer {
        let mut tags = Vec::new();
        for name in ["customer", "invoice"] {
            if let Some(value) = params.text(name) {
                tags.push((name, value));
            }
        }
        page_of(&self.credit_notes, "/v1/credit_notes", params, &tags, |row| {
            let fits = params.text("customer").is_none_or(|wanted| *row.customer == *wanted)
                && params.text("invoice").is_none_or(|wanted| *row.invoice == *wanted);
            fits.then(|| row.render())
        })
    }
}
