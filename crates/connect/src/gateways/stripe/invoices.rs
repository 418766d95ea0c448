//! Billing: invoices, lines, payments of invoices, credit notes (FACTS §b, §d; ENDPOINTS `/v1/invoices`).
//!
//! Called by `engine` through [`Invoices`]. Invariants: `auto_advance` is off, so Stripe never finalizes or charges by
//! itself; lines that wait for the customer's next invoice are excluded; metadata holds our opaque ids only.

use suture_core::money::Money;

use crate::gateway::{
    AddItem, Collection, CreateCreditNote, CreateInvoice, CreditNoteSeen, CreditReason, Fetch,
    InvoicePaymentSeen, InvoiceSeen, Invoices, ItemSeen, Note, Part, PayInvoice, Seen,
};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::request::path;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::{CREDIT_NOTE, INVOICE, LINE, LINK, noted};
use crate::gateways::stripe::vault::{of_its_kind, part};
use crate::gateways::stripe::{amounts, errors, translate_invoice, wire_invoice as wire};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome, Retry};

const INVOICES: &str = "/v1/invoices/";

impl Invoices for Stripe {
    fn create(&self, call: &CreateInvoice) -> HttpRequest {
        let (method, days) = match call.collection {
            Collection::Send { days_until_due } => ("send_invoice", Some(days_until_due.to_string())),
            Collection::Charge => ("charge_automatically", None),
        };
        let form = Form::new()
            .text(&["customer"], &call.customer)
            .text(&["currency"], &call.currency.code_lowercase())
            .text(&["collection_method"], method)
            .maybe(&["days_until_due"], days.as_deref())
            .text(&["auto_advance"], "false")
            .text(&["pending_invoice_items_behavior"], "exclude")
            .maybe(&["description"], call.description.as_deref())
            .text(&["metadata", LINK], &call.link)
            .text(&["metadata", INVOICE], &call.invoice_id);
        self.post("/v1/invoices", form, &call.idempotency_key)
    }

    fn add_item(&self, call: &AddItem) -> HttpRequest {
        let form = Form::new()
            .text(&["customer"], &call.customer)
            .text(&["invoice"], &call.invoice)
            .text(&["amount"], &amounts::to_text(call.amount))
            .text(&["currency"], &call.amount.currency.code_lowercase())
            .text(&["description"], &call.description)
            .text(&["metadata", LINE], &call.line_id);
        self.post("/v1/invoiceitems", form, &call.idempotency_key)
    }

    fn finalize(&self, invoice: &str, idempotency_key: &str) -> HttpRequest {
        self.act(invoice, "/finalize", Form::new().text(&["auto_advance"], "false"), idempotency_key)
    }

    fn send(&self, invoice: &str, idempotency_key: &str) -> HttpRequest {
        self.act(invoice, "/send", Form::new(), idempotency_key)
    }

    fn pay(&self, call: &PayInvoice) -> HttpRequest {
        let off_session = if call.off_session { "true" } else { "false" };
        let form = Form::new().text(&["payment_method"], &call.method).text(&["off_session"], off_session);
        self.act(&call.invoice, "/pay", form, &call.idempotency_key)
    }

    fn pay_out_of_band(&self, invoice: &str, idempotency_key: &str) -> HttpRequest {
        self.act(invoice, "/pay", Form::new().flag(&["paid_out_of_band"], true), idempotency_key)
    }

    fn attach_payment(&self, invoice: &str, intent: &str, idempotency_key: &str) -> HttpRequest {
        self.act(invoice, "/attach_payment", Form::new().text(&["payment_intent"], intent), idempotency_key)
    }

    fn void(&self, invoice: &str, idempotency_key: &str) -> HttpRequest {
        self.act(invoice, "/void", Form::new(), idempotency_key)
    }

    fn mark_uncollectible(&self, invoice: &str, idempotency_key: &str) -> HttpRequest {
        self.act(invoice, "/mark_uncollectible", Form::new(), idempotency_key)
    }

    fn fetch(&self, invoice: &str) -> HttpRequest {
        self.get(&path(INVOICES, invoice, ""), Form::new())
    }

    fn list_payments(&self, invoice: &str, after: Option<&str>, limit: u8) -> HttpRequest {
        let form = Form::new()
            .text(&["limit"], &limit.clamp(1, 100).to_string())
            .text(&["invoice"], invoice)
            .maybe(&["starting_after"], after);
        self.get("/v1/invoice_payments", form)
    }

    fn create_credit_note(&self, call: &CreateCreditNote) -> HttpRequest {
        let part = |form: Form, name: &str, minor: i64| match minor {
            0 => form,
            _ => form.text(&[name], &amounts::to_text(Money::new(minor, call.amount.currency))),
        };
        let form =
            Form::new().text(&["invoice"], &call.invoice).text(&["amount"], &amounts::to_text(call.amount));
        let form = part(form, "refund_amount", call.refund_minor);
        let form = part(form, "out_of_band_amount", call.out_of_band_minor);
        let form = part(form, "credit_amount", call.credit_minor);
        let form = call.refunds.iter().enumerate().fold(form, |form, (at, linked)| {
            let at = at.to_string();
            form.text(&["refunds", &at, "refund"], &linked.refund)
                .text(&["refunds", &at, "amount_refunded"], &amounts::to_text(linked.amount))
        });
        let form = form
            .text(&["email_type"], "none")
            .maybe(&["reason"], call.reason.map(reason))
            .maybe(&["memo"], call.memo.as_deref())
            .text(&["metadata", CREDIT_NOTE], &call.credit_note_id);
        self.post("/v1/credit_notes", form, &call.idempotency_key)
    }

    fn read_invoice(&self, response: &HttpResponse) -> Outcome<InvoiceSeen> {
        let outcome = errors::read(response, |wire| self.invoice(of_its_kind(wire)?));
        there(outcome)
    }

    fn read_item(&self, response: &HttpResponse) -> Outcome<ItemSeen> {
        errors::read(response, |wire| translate_invoice::item(&of_its_kind(wire)?))
    }

    fn read_pay(&self, response: &HttpResponse) -> Outcome<Seen> {
        if response.status == 402 {
            return self.read_declined(response);
        }
        self.read_invoice(response).map(|invoice| {
            let payments = Fetch::InvoicePayments(invoice.id.clone());
            Seen { fetch: vec![payments], ..noted(Note::Invoice(Box::new(invoice))) }
        })
    }

    fn read_payments(&self, response: &HttpResponse) -> Outcome<Part<InvoicePaymentSeen>> {
        errors::read(response, |list| part(list, |wire| translate_invoice::payment(&of_its_kind(wire)?)))
    }

    fn read_credit_note(&self, response: &HttpResponse) -> Outcome<CreditNoteSeen> {
        errors::read(response, |wire| translate_invoice::credit_note(of_its_kind(wire)?))
    }
}

/// An invoice that is there, or a draft that was deleted (FACTS §j: 200 with `deleted`).
pub(super) enum Found {
    There(Box<InvoiceSeen>),
    Deleted,
}

impl Stripe {
    fn act(&self, invoice: &str, what: &str, form: Form, idempotency_key: &str) -> HttpRequest {
        self.post(&path(INVOICES, invoice, what), form, idempotency_key)
    }

    pub(super) fn invoice(&self, wire: wire::Invoice) -> Option<Found> {
        if wire.deleted {
            return wire.id.map(|_| Found::Deleted);
        }
        Some(Found::There(Box::new(self.translate().invoice(wire)?)))
    }
}

/// The invoice; a deleted one is missing, as if it could not be found.
pub(super) fn there(outcome: Outcome<Found>) -> Outcome<InvoiceSeen> {
    match outcome {
        Outcome::Done(Found::There(invoice)) => Outcome::Done(*invoice),
        Outcome::Done(Found::Deleted) => Outcome::Declined(Failure::new(
            "resource_missing",
            "The draft of this invoice was deleted at Stripe. Nothing was billed by it; create it anew if it is needed.",
            Retry::Never,
        )),
        Outcome::Declined(failure) => Outcome::Declined(failure),
        Outcome::NotSent(failure) => Outcome::NotSent(failure),
        Outcome::Unknown(failure) => Outcome::Unknown(failure),
    }
}

const fn reason(reason: CreditReason) -> &'static str {
    match reason {
        CreditReason::Duplicate => "duplicate",
        CreditReason::Fraudulent => "fraudulent",
        CreditReason::OrderChange => "order_change",
        CreditReason::Unsatisfactory => "product_unsatisfactory",
    }
}
