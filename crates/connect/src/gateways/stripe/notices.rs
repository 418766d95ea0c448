//! What an event's object says: evidence and notes as hints, and the objects to fetch for the truth.
//!
//! Called by `webhooks` only. Invariants: a payload about money always names an object to fetch, so that no amount is
//! taken from a payload alone; an object that cannot be read as the pinned version renders it is reduced to its id.

use serde_json::value::RawValue;
use suture_core::evidence::Evidence;

use crate::gateway::{Fetch, Note, Seen, WebhookRefusal};
use crate::gateways::stripe::events::Reads;
use crate::gateways::stripe::invoices::Found;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::settlements;
use crate::gateways::stripe::translate::{fetchable, id_of, is_id, noted, nothing};
use crate::gateways::stripe::webhooks::not_an_event;
use crate::gateways::stripe::wire::Object;
use crate::gateways::stripe::{
    translate, translate_invoice, translate_vault, wire, wire_invoice, wire_vault,
};

/// The object's id and what it says.
pub(super) type Read = Result<(Option<String>, Seen), WebhookRefusal>;

impl Stripe {
    pub(super) fn seen(&self, reads: Option<Reads>, raw: &RawValue) -> Read {
        match reads {
            Some(Reads::Intent) => about(raw, |wire| self.translate().intent(wire), Fetch::Intent),
            Some(Reads::Charge) => about(raw, |wire| self.translate().charge(wire), Fetch::Charge),
            Some(Reads::ChargeRefunded) => {
                let (id, mut seen) = about(raw, |wire| self.translate().charge(wire), Fetch::Charge)?;
                seen.fetch.extend(id.clone().map(Fetch::RefundsOfCharge));
                Ok((id, seen))
            }
            Some(Reads::Refund) => about(raw, refund, Fetch::Refund),
            Some(Reads::Dispute) => dispute(raw, false, false),
            Some(Reads::DisputeWithdrawn) => dispute(raw, true, false),
            Some(Reads::DisputeReinstated) => dispute(raw, false, true),
            Some(Reads::Customer) => self.customer(raw, false),
            Some(Reads::CustomerDeleted) => self.customer(raw, true),
            Some(Reads::Setup) => {
                let note = |wire| Some(noted(Note::Setup(Box::new(self.translate().setup(wire)?))));
                about(raw, note, Fetch::Setup)
            }
            Some(Reads::Method) => about(raw, method, Fetch::Method),
            Some(Reads::MethodDetached) => about(raw, detached, Fetch::Method),
            Some(Reads::Invoice) => self.invoice_notice(raw, false),
            Some(Reads::InvoiceMoney) => self.invoice_notice(raw, true),
            Some(Reads::InvoiceDeleted) => {
                let (id, _) = object::<wire_invoice::Invoice>(raw)?;
                Ok((Some(id.clone()), noted(Note::InvoiceGone { id })))
            }
            Some(Reads::InvoicePayment) => invoice_payment(raw),
            Some(Reads::CreditNote) => credit_note(raw),
            Some(Reads::Payout) => about(raw, settlements::payout, Fetch::Settlement),
            Some(Reads::Warning) => warning(raw),
            Some(Reads::Recorded) | None => Ok((identity(raw), nothing())),
        }
    }

    /// A customer, deleted or not. An id that somebody chose freely, as old accounts could, is recorded only: it cannot
    /// safely be put into an address.
    fn customer(&self, raw: &RawValue, deleted: bool) -> Read {
        if let Some(id) = identity(raw).filter(|id| !is_id(id)) {
            return Ok((Some(id), nothing()));
        }
        let note = |wire: wire_vault::Customer| {
            let mut seen = self.translate().customer(wire)?;
            seen.deleted |= deleted;
            Some(noted(Note::Customer(seen)))
        };
        about(raw, note, Fetch::Customer)
    }

    /// Since basil an invoice does not name its payment; older payloads do (FACTS §0).
    fn invoice_notice(&self, raw: &RawValue, money: bool) -> Read {
        let (id, whole) = object::<wire_invoice::Invoice>(raw)?;
        let mut seen = nothing();
        if money {
            seen.fetch.push(Fetch::InvoicePayments(id.clone()));
            if let Some(wire) = &whole {
                seen.fetch.extend(fetchable(wire.payment_intent.as_ref()).map(Fetch::Intent));
                seen.fetch.extend(fetchable(wire.charge.as_ref()).map(Fetch::Charge));
            }
        }
        // Last, so that what it says about what remains is newer than its payments.
        seen.fetch.push(Fetch::Invoice(id.clone()));
        if let Some(Found::There(invoice)) = whole.and_then(|wire| self.invoice(wire)) {
            seen.notes.push(Note::Invoice(invoice));
        }
        Ok((Some(id), seen))
    }
}

fn identity(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<wire::Created>(raw.get()).ok().and_then(|wire| wire.id)
}

/// Reads an object and its kind, or only its id.
fn object<W: Object>(raw: &RawValue) -> Result<(String, Option<W>), WebhookRefusal> {
    let whole = serde_json::from_str::<W>(raw.get()).ok();
    let identity = match &whole {
        Some(wire) => Some((wire.id().map(str::to_owned), wire.object().map(str::to_owned))),
        None => serde_json::from_str::<wire::Created>(raw.get()).ok().map(|wire| (wire.id, wire.object)),
    };
    let Some((Some(id), kind)) = identity else { return Err(not_an_event("its object has no id")) };
    if !is_id(&id) {
        return Err(not_an_event("its object's id is not one of Stripe's"));
    }
    if kind.is_some_and(|kind| kind != W::KIND) {
        return Err(not_an_event("its object is not of the kind that its type names"));
    }
    Ok((id, whole))
}

/// What the object says, and the object itself to fetch.
fn about<W: Object>(
    raw: &RawValue,
    translate: impl FnOnce(W) -> Option<Seen>,
    fetch: fn(String) -> Fetch,
) -> Read {
    let (id, whole) = object::<W>(raw)?;
    let told = whole.and_then(translate).unwrap_or_else(nothing);
    // The browser secret of a payload has no use here, and the fetch brings what the payload only names.
    let seen = Seen { fetch: vec![fetch(id.clone())], client_secret: None, ..told };
    Ok((Some(id), seen))
}

fn refund(wire: wire::Refund) -> Option<Seen> {
    Some(Seen { evidence: vec![Evidence::Refund(translate::refund(wire)?)], ..nothing() })
}

fn dispute(raw: &RawValue, withdrawn: bool, reinstated: bool) -> Read {
    let told = |wire| {
        let mut seen = translate::dispute(wire)?;
        seen.withdrawn |= withdrawn || reinstated;
        seen.reinstated |= reinstated;
        Some(Seen { evidence: vec![Evidence::Dispute(seen)], ..nothing() })
    };
    about(raw, told, Fetch::Dispute)
}

fn method(wire: wire_vault::Method) -> Option<Seen> {
    Some(noted(translate_vault::method_note(translate_vault::method(wire)?)))
}

fn detached(wire: wire_vault::Method) -> Option<Seen> {
    Some(noted(Note::MethodGone { id: wire.id? }))
}

fn invoice_payment(raw: &RawValue) -> Read {
    let (id, whole) = object::<wire_invoice::InvoicePayment>(raw)?;
    let mut seen = nothing();
    if let Some(wire) = whole {
        let invoice = fetchable(wire.invoice.as_ref());
        seen.fetch = translate::invoice_payment(&wire);
        if seen.fetch.is_empty() {
            seen.fetch.extend(invoice.clone().map(Fetch::InvoicePayments));
        }
        seen.fetch.extend(invoice.map(Fetch::Invoice));
        seen.notes.extend(translate_invoice::payment(&wire).map(Note::InvoicePayment));
    }
    Ok((Some(id), seen))
}

fn credit_note(raw: &RawValue) -> Read {
    let invoice = serde_json::from_str::<wire_invoice::CreditNote>(raw.get()).ok();
    let invoice = invoice.and_then(|wire| fetchable(wire.invoice.as_ref()));
    let note = |wire| Some(noted(Note::CreditNote(Box::new(translate_invoice::credit_note(wire)?))));
    let (id, mut seen) = about(raw, note, Fetch::CreditNote)?;
    seen.fetch.extend(invoice.map(Fetch::Invoice));
    Ok((id, seen))
}

fn warning(raw: &RawValue) -> Read {
    let (id, whole) = object::<wire_vault::Warning>(raw)?;
    let mut seen = nothing();
    if let Some(wire) = whole {
        seen.notes.extend(translate_vault::warning(&wire).map(Note::EarlyFraudWarning));
        seen.fetch.extend(id_of(wire.charge.as_ref()).filter(|id| is_id(id)).map(Fetch::Charge));
    }
    Ok((Some(id), seen))
}
