//! Fetching objects and walking lists, for polls and sweeps (FACTS §j).
//!
//! Called by `engine` through [`History`]. Invariant: an object counts only when it is the one that was asked for.

use serde_json::Value;
use suture_core::evidence::Evidence;
use suture_core::time::Timestamp;

use crate::gateway::{Fetch, History, Invoices, List, Note, Page, Seen, SetupStatus, Vault};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::invoices::there;
use crate::gateways::stripe::refunds::refund;
use crate::gateways::stripe::request::path;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::noted;
use crate::gateways::stripe::wire::Object;
use crate::gateways::stripe::{
    errors, settlements, translate, translate_invoice, translate_vault, wire, wire_invoice, wire_vault,
};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

impl History for Stripe {
    fn fetch(&self, what: &Fetch) -> HttpRequest {
        let whole = || Form::new().text(&["limit"], "100");
        match what {
            Fetch::Charge(id) => {
                self.get(&path("/v1/charges/", id, ""), Form::new().list("expand", &["balance_transaction"]))
            }
            Fetch::Intent(id) => {
                let expand = Form::new().list("expand", &["latest_charge.balance_transaction"]);
                self.get(&path("/v1/payment_intents/", id, ""), expand)
            }
            Fetch::Refund(id) => self.get(&path("/v1/refunds/", id, ""), Form::new()),
            Fetch::Dispute(id) => self.get(&path("/v1/disputes/", id, ""), Form::new()),
            Fetch::RefundsOfCharge(id) => self.get("/v1/refunds", whole().text(&["charge"], id)),
            Fetch::InvoicePayments(id) => self.list_payments(id, None, 100),
            Fetch::Customer(id) => self.fetch_customer(id),
            Fetch::Method(id) => self.fetch_method(id),
            Fetch::Setup(id) => self.fetch_setup(id),
            Fetch::Invoice(id) => Invoices::fetch(self, id),
            Fetch::CreditNote(id) => self.get(&path("/v1/credit_notes/", id, ""), Form::new()),
            Fetch::Settlement(id) => self.get(&path("/v1/payouts/", id, ""), Form::new()),
        }
    }

    fn read_fetched(&self, what: &Fetch, response: &HttpResponse) -> Outcome<Seen> {
        match what {
            Fetch::Charge(id) => errors::read(response, |wire| self.translate().charge(asked(wire, id)?)),
            Fetch::Intent(id) => errors::read(response, |wire| self.intent(asked(wire, id)?)),
            Fetch::Refund(id) => errors::read(response, |wire| refund(asked(wire, id)?)),
            Fetch::Dispute(id) => errors::read(response, |wire| dispute(asked(wire, id)?)),
            Fetch::RefundsOfCharge(id) => errors::read(response, |list| refunds_of(list, id)),
            Fetch::InvoicePayments(id) => errors::read(response, |list| payments_of(list, id)),
            Fetch::Customer(id) => errors::read(response, |wire| {
                Some(noted(Note::Customer(self.translate().customer(asked(wire, id)?)?)))
            }),
            Fetch::Method(id) => errors::read(response, |wire| {
                Some(noted(translate_vault::method_note(translate_vault::method(asked(wire, id)?)?)))
            }),
            Fetch::Setup(id) => errors::read(response, |wire| self.setup_done(asked(wire, id)?)),
            Fetch::Invoice(id) => {
                let found = errors::read(response, |wire| self.invoice(asked(wire, id)?));
                there(found).map(|invoice| noted(Note::Invoice(Box::new(invoice))))
            }
            Fetch::CreditNote(id) => errors::read(response, |wire| credit_note(asked(wire, id)?)),
            Fetch::Settlement(id) => errors::read(response, |wire| settlements::payout(asked(wire, id)?)),
        }
    }

    fn list(&self, list: List, since: Timestamp, after: Option<&str>, limit: u8) -> HttpRequest {
        let (path, expand): (_, &[&str]) = match list {
            List::Intents => ("/v1/payment_intents", &["data.latest_charge.balance_transaction"]),
            List::Refunds => ("/v1/refunds", &[]),
            List::Disputes => ("/v1/disputes", &[]),
            List::Events => ("/v1/events", &[]),
            List::BalanceTransactions => ("/v1/balance_transactions", &[]),
            List::Payouts => ("/v1/payouts", &[]),
        };
        let query = Form::new()
            .text(&["created", "gte"], &since.seconds().to_string())
            .text(&["limit"], &limit.clamp(1, 100).to_string())
            .maybe(&["starting_after"], after)
            .list("expand", expand);
        self.get(path, query)
    }

    fn read_list(&self, list: List, response: &HttpResponse) -> Outcome<Page> {
        match list {
            List::Intents => {
                errors::read(response, |list| page(list, |wire| self.intent(wire), Fetch::Intent))
            }
            List::Refunds => errors::read(response, |list| page(list, refund, Fetch::Refund)),
            List::Disputes => errors::read(response, |list| page(list, dispute, Fetch::Dispute)),
            List::Payouts => {
                errors::read(response, |list| page(list, settlements::payout, Fetch::Settlement))
            }
            List::Events | List::BalanceTransactions => errors::read(response, raw_page),
        }
    }
}

impl Stripe {
    /// The setup. When it stored a method, the method is fetched, too: the setup only names it.
    fn setup_done(&self, wire: wire_vault::Setup) -> Option<Seen> {
        let setup = self.translate().setup(wire)?;
        let stored = setup.method.clone().filter(|_| setup.status == SetupStatus::Succeeded);
        let fetch = stored.filter(|id| translate::is_id(id)).map(Fetch::Method).into_iter().collect();
        Some(Seen { fetch, ..noted(Note::Setup(Box::new(setup))) })
    }
}

/// The credit note, and the refunds behind it to fetch: they are the facts about money.
fn credit_note(wire: wire_invoice::CreditNote) -> Option<Seen> {
    let note = translate_invoice::credit_note(wire)?;
    let refunds = note.refunds.iter().map(|linked| linked.refund.clone());
    let fetch = refunds.filter(|id| translate::is_id(id)).map(Fetch::Refund).collect();
    Some(Seen { fetch, ..noted(Note::CreditNote(Box::new(note))) })
}

/// The payments of an invoice, noted where they can be read, and the objects behind them to fetch.
fn payments_of(list: wire::List<wire_invoice::InvoicePayment>, invoice: &str) -> Option<Seen> {
    let mut seen = translate::nothing();
    for wire in whole(list)?.data {
        seen.fetch.extend(translate::invoice_payment(&wire));
        let note = translate_invoice::payment(&wire).filter(|payment| payment.invoice == invoice);
        seen.notes.extend(note.map(Note::InvoicePayment));
    }
    Some(seen)
}

fn dispute(wire: wire::Dispute) -> Option<Seen> {
    let mut seen = translate::nothing();
    seen.evidence.push(Evidence::Dispute(translate::dispute(wire)?));
    Some(seen)
}

/// The object, when it is of the right kind and has the id that was asked for.
fn asked<W: Object>(wire: W, id: &str) -> Option<W> {
    (wire.object() == Some(W::KIND) && wire.id() == Some(id)).then_some(wire)
}

fn whole<T>(list: wire::List<T>) -> Option<wire::List<T>> {
    (list.object.as_deref() == Some("list")).then_some(list)
}

/// All refunds of one charge. One that cannot be read makes the answer unreadable: a sum over a part of them would
/// be wrong. A charge with more refunds than one page gives the newest hundred.
fn refunds_of(list: wire::List<wire::Refund>, charge: &str) -> Option<Seen> {
    let mut seen = translate::nothing();
    for wire in whole(list)?.data {
        let refund = translate::refund(wire).filter(|refund| refund.charge == charge)?;
        seen.evidence.push(Evidence::Refund(refund));
    }
    Some(seen)
}

/// A page of evidence. An object that cannot be read does not hide the others: it is listed for a fetch of its own.
fn page<W: Object>(
    list: wire::List<W>,
    translate: impl Fn(W) -> Option<Seen>,
    fetch: fn(String) -> Fetch,
) -> Option<Page> {
    let list = whole(list)?;
    let last = list.data.last().and_then(Object::id).map(str::to_owned);
    let mut seen = translate::nothing();
    for wire in list.data {
        let id = wire.id().map(str::to_owned)?;
        match translate(wire) {
            // Browser secrets of a list belong to nobody's session.
            Some(one) => {
                seen.evidence.extend(one.evidence);
                seen.notes.extend(one.notes);
                seen.fetch.extend(one.fetch);
            }
            None => seen.fetch.push(fetch(id)),
        }
    }
    next_page(seen, Vec::new(), list.has_more, last)
}

fn raw_page(list: wire::List<Value>) -> Option<Page> {
    let mut list = whole(list)?;
    list.data.iter_mut().for_each(remove_browser_secrets);
    let last = list.data.last().and_then(|item| item.get("id")).and_then(Value::as_str).map(str::to_owned);
    next_page(translate::nothing(), list.data, list.has_more, last)
}

/// A page that promises more but has no last id would be walked forever, or end too early: it is unreadable.
fn next_page(seen: Seen, items: Vec<Value>, has_more: bool, last: Option<String>) -> Option<Page> {
    let next = if has_more { Some(last?) } else { None };
    Some(Page { seen, items, next })
}

/// Events embed whole intents. The items are kept and shown, so the browser secrets must go. Depth is bounded by the
/// parser's own limit.
fn remove_browser_secrets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("client_secret");
            map.values_mut().for_each(remove_browser_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_browser_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
