//! From Stripe's invoices, their payments and credit notes to ours.
//!
//! Called by `invoices`, `history` and `webhooks`. An object that lacks one of the amounts that decide what is owed gives
//! `None`; a status that is not known here is kept as text.

use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::redact::{Phi, Secret};
use suture_core::time::Timestamp;

use crate::gateway::{
    CreditNoteSeen, CreditNoteStatus, InvoiceLine, InvoicePaymentSeen, InvoicePaymentStatus, InvoiceSeen,
    InvoiceStatus, ItemSeen, LinkedRefund,
};
use crate::gateways::stripe::translate::{CREDIT_NOTE, INVOICE, LINE, Translate, entry, id_of, money};
use crate::gateways::stripe::wire::List;
use crate::gateways::stripe::wire_invoice as wire;

impl Translate<'_> {
    pub(super) fn invoice(self, wire: wire::Invoice) -> Option<InvoiceSeen> {
        let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
        let stated = |amount: Option<i64>| money(amount?, currency);
        // Versions that lack these fields have nothing of the kind.
        let perhaps = |amount: Option<i64>| money(amount.unwrap_or(0), currency);
        let times = wire.status_transitions.unwrap_or_default();
        Some(InvoiceSeen {
            status: invoice_status(wire.status?),
            number: wire.number,
            total: stated(wire.total)?,
            amount_due: stated(wire.amount_due)?,
            amount_paid: stated(wire.amount_paid)?,
            amount_remaining: stated(wire.amount_remaining)?,
            amount_overpaid: perhaps(wire.amount_overpaid)?,
            credited_before_payment: perhaps(wire.pre_payment_credit_notes_amount)?,
            credited_after_payment: perhaps(wire.post_payment_credit_notes_amount)?,
            starting_balance: perhaps(wire.starting_balance)?,
            customer: id_of(wire.customer.as_ref()),
            link: self.link(wire.metadata.as_ref()),
            invoice_id: entry(wire.metadata.as_ref(), INVOICE),
            metadata: Phi::new(wire.metadata.unwrap_or_default()),
            collection: wire.collection_method,
            lines: wire.lines.and_then(|list| lines(list, currency)),
            hosted_url: wire.hosted_invoice_url.map(Secret::new),
            pdf_url: wire.invoice_pdf.map(Secret::new),
            created: wire.created.map(Timestamp::from_seconds),
            due_at: wire.due_date.map(Timestamp::from_seconds),
            finalized_at: times.finalized_at.map(Timestamp::from_seconds),
            paid_at: times.paid_at.map(Timestamp::from_seconds),
            voided_at: times.voided_at.map(Timestamp::from_seconds),
            uncollectible_at: times.marked_uncollectible_at.map(Timestamp::from_seconds),
            id: wire.id?,
        })
    }
}

/// All lines, or none: a sum over a part of them would be wrong.
fn lines(list: List<wire::Line>, currency: Currency) -> Option<Vec<InvoiceLine>> {
    if list.has_more {
        return None;
    }
    let line = |wire: wire::Line| {
        Some(InvoiceLine {
            amount: money(wire.amount?, currency)?,
            line_id: entry(wire.metadata.as_ref(), LINE),
            description: wire.description.map(Phi::new),
            id: wire.id,
        })
    };
    list.data.into_iter().map(line).collect()
}

pub(super) fn item(wire: &wire::Item) -> Option<ItemSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    Some(ItemSeen {
        id: wire.id.clone()?,
        invoice: id_of(wire.invoice.as_ref()),
        amount: money(wire.amount?, currency)?,
    })
}

pub(super) fn payment(wire: &wire::InvoicePayment) -> Option<InvoicePaymentSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    let source = wire.payment.as_ref();
    let paid = match wire.amount_paid {
        Some(amount) => Some(money(amount, currency)?),
        None => None,
    };
    Some(InvoicePaymentSeen {
        id: wire.id.clone()?,
        invoice: id_of(wire.invoice.as_ref())?,
        status: payment_status(wire.status.as_deref()?),
        asked: money(wire.amount_requested?, currency)?,
        paid,
        intent: source.and_then(|source| id_of(source.payment_intent.as_ref())),
        charge: source.and_then(|source| id_of(source.charge.as_ref())),
        record: source.and_then(|source| id_of(source.payment_record.as_ref())),
        is_default: wire.is_default,
    })
}

pub(super) fn credit_note(wire: wire::CreditNote) -> Option<CreditNoteSeen> {
    let currency = Currency::parse(wire.currency.as_deref()?).ok()?;
    let stated = |amount: Option<i64>| money(amount?, currency);
    Some(CreditNoteSeen {
        invoice: id_of(wire.invoice.as_ref())?,
        status: credit_status(wire.status?),
        number: wire.number,
        amount: stated(wire.amount)?,
        before_payment: stated(wire.pre_payment_amount)?,
        after_payment: stated(wire.post_payment_amount)?,
        out_of_band: stated(wire.out_of_band_amount.or(Some(0)))?,
        refunds: refunds(&wire.refunds, currency)?,
        balance_entry: id_of(wire.customer_balance_transaction.as_ref()),
        credit_note_id: entry(wire.metadata.as_ref(), CREDIT_NOTE),
        pdf_url: wire.pdf.map(Secret::new),
        created: wire.created.map(Timestamp::from_seconds),
        voided_at: wire.voided_at.map(Timestamp::from_seconds),
        id: wire.id?,
    })
}

/// Refunds of money that another gateway took have no refund here and are left out.
fn refunds(wire: &[wire::CreditRefund], currency: Currency) -> Option<Vec<LinkedRefund>> {
    let ours = wire.iter().filter_map(|linked| Some((linked, id_of(linked.refund.as_ref())?)));
    let linked = |(wire, refund): (&wire::CreditRefund, String)| {
        let amount: Money = money(wire.amount_refunded?, currency)?;
        Some(LinkedRefund { refund, amount })
    };
    ours.map(linked).collect()
}

/// FACTS §b.
fn invoice_status(status: String) -> InvoiceStatus {
    match status.as_str() {
        "draft" => InvoiceStatus::Draft,
        "open" => InvoiceStatus::Open,
        "paid" => InvoiceStatus::Paid,
        "void" => InvoiceStatus::Void,
        "uncollectible" => InvoiceStatus::Uncollectible,
        _ => InvoiceStatus::Other(status),
    }
}

/// FACTS §b.
fn payment_status(status: &str) -> InvoicePaymentStatus {
    match status {
        "open" => InvoicePaymentStatus::Open,
        "paid" => InvoicePaymentStatus::Paid,
        "canceled" => InvoicePaymentStatus::Canceled,
        other => InvoicePaymentStatus::Other(other.to_owned()),
    }
}

/// FACTS §b.
fn credit_status(status: String) -> CreditNoteStatus {
    match status.as_str() {
        "issued" => CreditNoteStatus::Issued,
        "void" => CreditNoteStatus::Void,
        _ => CreditNoteStatus::Other(status),
    }
}
