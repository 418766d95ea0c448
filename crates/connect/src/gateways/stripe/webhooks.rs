//! Webhooks: which events exist for us, what each says, and how the endpoint is registered (FACTS §e).
//!
//! Called by `engine` through [`Webhooks`]: verify the raw bytes, store the event, read it. An event is a snapshot,
//! perhaps old, perhaps rendered by another API version; so every event about money also names the object to fetch.

use serde_json::value::RawValue;
use suture_core::evidence::Evidence;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::gateway::{Fetch, Notice, Seen, WebhookRefusal, Webhooks};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::settings::{API_VERSION, Stripe};
use crate::gateways::stripe::vault::of_kind;
use crate::gateways::stripe::wire::{self, Object};
use crate::gateways::stripe::{errors, signature, translate};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// What an event's object is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Intent,
    Charge,
    ChargeRefunded,
    Refund,
    Dispute,
    /// A dispute of which the event says that the money went.
    DisputeWithdrawn,
    /// A dispute of which the event says that the money came back.
    DisputeReinstated,
    Invoice,
    InvoicePayment,
    /// Known, and no evidence about a payment: recorded only.
    Recorded,
}

/// The events that the installed features need, and what each is read as.
const NEEDED: &[(&str, Reads)] = &[
    ("charge.captured", Reads::Charge),
    ("charge.dispute.closed", Reads::Dispute),
    ("charge.dispute.created", Reads::Dispute),
    ("charge.dispute.funds_reinstated", Reads::DisputeReinstated),
    ("charge.dispute.funds_withdrawn", Reads::DisputeWithdrawn),
    ("charge.dispute.updated", Reads::Dispute),
    ("charge.expired", Reads::Charge),
    ("charge.failed", Reads::Charge),
    ("charge.pending", Reads::Charge),
    ("charge.refunded", Reads::ChargeRefunded),
    ("charge.succeeded", Reads::Charge),
    ("charge.updated", Reads::Charge),
    ("customer.created", Reads::Recorded),
    ("customer.deleted", Reads::Recorded),
    ("customer.updated", Reads::Recorded),
    ("invoice.finalized", Reads::Recorded),
    ("invoice.marked_uncollectible", Reads::Recorded),
    ("invoice.overpaid", Reads::Invoice),
    ("invoice.paid", Reads::Invoice),
    ("invoice.payment_failed", Reads::Invoice),
    ("invoice.payment_succeeded", Reads::Invoice),
    ("invoice.voided", Reads::Recorded),
    ("invoice_payment.paid", Reads::InvoicePayment),
    ("payment_intent.amount_capturable_updated", Reads::Intent),
    ("payment_intent.canceled", Reads::Intent),
    ("payment_intent.payment_failed", Reads::Intent),
    ("payment_intent.processing", Reads::Intent),
    ("payment_intent.requires_action", Reads::Intent),
    ("payment_intent.succeeded", Reads::Intent),
    ("payment_method.attached", Reads::Recorded),
    ("payment_method.automatically_updated", Reads::Recorded),
    ("payment_method.detached", Reads::Recorded),
    ("payment_method.updated", Reads::Recorded),
    ("payout.canceled", Reads::Recorded),
    ("payout.created", Reads::Recorded),
    ("payout.failed", Reads::Recorded),
    ("payout.paid", Reads::Recorded),
    ("payout.reconciliation_completed", Reads::Recorded),
    ("payout.updated", Reads::Recorded),
    ("radar.early_fraud_warning.created", Reads::Recorded),
    ("refund.created", Reads::Refund),
    ("refund.failed", Reads::Refund),
    ("refund.updated", Reads::Refund),
    ("reporting.report_run.failed", Reads::Recorded),
    ("reporting.report_run.succeeded", Reads::Recorded),
    ("setup_intent.setup_failed", Reads::Recorded),
    ("setup_intent.succeeded", Reads::Recorded),
    ("transfer.created", Reads::Recorded),
    ("transfer.reversed", Reads::Recorded),
];

/// Events that are understood when somebody subscribed to them, but that nothing here needs.
const ALSO_READ: &[(&str, Reads)] = &[
    ("charge.refund.updated", Reads::Refund),
    ("payment_intent.created", Reads::Intent),
    ("payment_intent.partially_funded", Reads::Intent),
    ("setup_intent.canceled", Reads::Recorded),
    ("setup_intent.created", Reads::Recorded),
    ("setup_intent.requires_action", Reads::Recorded),
];

/// Families that are recorded whole.
const RECORDED: &[&str] = &["customer.", "payment_method.", "payout."];

const NEEDED_NAMES: [&str; NEEDED.len()] = {
    let mut names = [""; NEEDED.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = NEEDED[at].0;
        at += 1;
    }
    names
};

/// How deep a body may nest; below the limit of every parser that may read the stored body again.
const NESTING_MAX: usize = 100;

impl Webhooks for Stripe {
    fn signature_header(&self) -> &'static str {
        "stripe-signature"
    }

    fn verify(&self, header: Option<&str>, body: &[u8], now: Timestamp) -> Result<(), WebhookRefusal> {
        signature::verify(&self.settings, header, body, now)
    }

    fn read(&self, body: &[u8]) -> Result<Notice, WebhookRefusal> {
        let event = envelope(body)?;
        let reads = reads_of(&event.event_type);
        let (object_id, seen) = self.seen(reads, event.data.object)?;
        Ok(Notice {
            known: reads.is_some(),
            object_id,
            seen,
            event_id: event.id,
            event_type: event.event_type,
            created: Timestamp::from_seconds(event.created),
            livemode: event.livemode,
            account: event.account,
            api_version: event.api_version,
        })
    }

    fn pinned_version(&self) -> Option<&'static str> {
        Some(API_VERSION)
    }

    fn needed_events(&self) -> &'static [&'static str] {
        &NEEDED_NAMES
    }

    fn create_endpoint(&self, url: &str, idempotency_key: &str) -> HttpRequest {
        // The endpoint's version is fixed at its creation and decides how events are rendered (FACTS §0).
        let form = Form::new()
            .text(&["url"], url)
            .text(&["api_version"], API_VERSION)
            .list("enabled_events", &NEEDED_NAMES);
        self.post("/v1/webhook_endpoints", form, idempotency_key)
    }

    fn read_endpoint(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)> {
        errors::read(response, |wire: wire::Created| {
            of_kind(&wire, "webhook_endpoint").then_some(())?;
            Some((wire.id?, Secret::new(wire.secret?)))
        })
    }
}

fn not_an_event(why: &str) -> WebhookRefusal {
    WebhookRefusal::NotAnEvent(why.to_owned())
}

fn reads_of(event_type: &str) -> Option<Reads> {
    let listed =
        NEEDED.iter().chain(ALSO_READ).find(|(name, _)| *name == event_type).map(|(_, reads)| *reads);
    let recorded = || RECORDED.iter().any(|family| event_type.starts_with(family)).then_some(Reads::Recorded);
    listed.or_else(recorded)
}

/// Reads the envelope. Refusals never quote the body: it may hold personal data.
fn envelope(body: &[u8]) -> Result<wire::Event<'_>, WebhookRefusal> {
    let text = std::str::from_utf8(body).map_err(|_| not_an_event("it is not UTF-8 text"))?;
    if text.trim_start().is_empty() {
        return Err(not_an_event("it is empty"));
    }
    if nests_too_deeply(body) {
        return Err(not_an_event("it is nested too deeply"));
    }
    match serde_json::from_str::<wire::Event<'_>>(text) {
        Ok(event) if event.object == "event" && !event.id.is_empty() => Ok(event),
        Ok(_) => Err(not_a_snapshot(text, None)),
        Err(error) => Err(not_a_snapshot(text, Some(&error))),
    }
}

fn not_a_snapshot(text: &str, error: Option<&serde_json::Error>) -> WebhookRefusal {
    let kind = serde_json::from_str::<wire::Kind>(text).ok().and_then(|kind| kind.object);
    if kind.as_deref() == Some("v2.core.event") {
        return not_an_event(
            "it is a thin event (v2.core.event), which carries no object; \
             register a snapshot endpoint (/v1/webhook_endpoints) for this address",
        );
    }
    match error {
        Some(error) if !error.is_data() => {
            not_an_event(&format!("it is not JSON (line {}, column {})", error.line(), error.column()))
        }
        _ => {
            not_an_event("it lacks the fields of an event (id, object, type, created, livemode, data.object)")
        }
    }
}

/// Whether the nesting exceeds [`NESTING_MAX`]. Skipped values are not parsed recursively, so the parser would not
/// notice. Almost every body is cleared by the first line: it cannot nest deeper than it has opening brackets.
fn nests_too_deeply(body: &[u8]) -> bool {
    if body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= NESTING_MAX {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return true;
        }
    }
    false
}

type Read = Result<(Option<String>, Seen), WebhookRefusal>;

impl Stripe {
    fn seen(&self, reads: Option<Reads>, raw: &RawValue) -> Read {
        let charge = |wire| self.translate().charge(wire).unwrap_or_default();
        let intent = |wire| self.translate().intent(wire).map(|seen| seen.evidence).unwrap_or_default();
        match reads {
            Some(Reads::Intent) => money(raw, intent, |id| vec![Fetch::Intent(id)]),
            Some(Reads::Charge) => money(raw, charge, |id| vec![Fetch::Charge(id)]),
            Some(Reads::ChargeRefunded) => {
                money(raw, charge, |id| vec![Fetch::Charge(id.clone()), Fetch::RefundsOfCharge(id)])
            }
            Some(Reads::Refund) => {
                let refund = |wire| translate::refund(wire).map(Evidence::Refund).into_iter().collect();
                money(raw, refund, |id| vec![Fetch::Refund(id)])
            }
            Some(Reads::Dispute) => dispute(raw, false, false),
            Some(Reads::DisputeWithdrawn) => dispute(raw, true, false),
            Some(Reads::DisputeReinstated) => dispute(raw, false, true),
            Some(Reads::Invoice) => invoice(raw),
            Some(Reads::InvoicePayment) => invoice_payment(raw),
            Some(Reads::Recorded) | None => {
                let identity = serde_json::from_str::<wire::Created>(raw.get()).ok();
                Ok((identity.and_then(|wire| wire.id), translate::nothing()))
            }
        }
    }
}

/// Reads an object about money. One that cannot be read as the pinned version renders it is reduced to its id: then
/// there is no evidence, and the fetch tells the truth.
fn object<W: Object>(raw: &RawValue) -> Result<(String, Option<W>), WebhookRefusal> {
    let whole = serde_json::from_str::<W>(raw.get()).ok();
    let identity = match &whole {
        Some(wire) => Some((wire.id().map(str::to_owned), wire.object().map(str::to_owned))),
        None => serde_json::from_str::<wire::Created>(raw.get()).ok().map(|wire| (wire.id, wire.object)),
    };
    let Some((Some(id), kind)) = identity else { return Err(not_an_event("its object has no id")) };
    if !translate::is_id(&id) {
        return Err(not_an_event("its object's id is not one of Stripe's"));
    }
    if kind.is_some_and(|kind| kind != W::KIND) {
        return Err(not_an_event("its object is not of the kind that its type names"));
    }
    Ok((id, whole))
}

fn money<W: Object>(
    raw: &RawValue,
    translate: impl FnOnce(W) -> Vec<Evidence>,
    fetch: impl FnOnce(String) -> Vec<Fetch>,
) -> Read {
    let (id, whole) = object::<W>(raw)?;
    let evidence = whole.map(translate).unwrap_or_default();
    // The browser secret of a payload has no use here.
    Ok((Some(id.clone()), Seen { evidence, fetch: fetch(id), client_secret: None }))
}

fn dispute(raw: &RawValue, withdrawn: bool, reinstated: bool) -> Read {
    let evidence = |wire| {
        let mut seen = translate::dispute(wire)?;
        seen.withdrawn |= withdrawn || reinstated;
        seen.reinstated |= reinstated;
        Some(Evidence::Dispute(seen))
    };
    money(raw, |wire| evidence(wire).into_iter().collect(), |id| vec![Fetch::Dispute(id)])
}

/// Since basil an invoice does not name its payment; older payloads do (FACTS §0).
fn invoice(raw: &RawValue) -> Read {
    let (id, whole) = object::<wire::Invoice>(raw)?;
    let mut seen = translate::nothing();
    seen.fetch.push(Fetch::InvoicePayments(id.clone()));
    if let Some(wire) = whole {
        seen.fetch.extend(translate::fetchable(wire.payment_intent.as_ref()).map(Fetch::Intent));
        seen.fetch.extend(translate::fetchable(wire.charge.as_ref()).map(Fetch::Charge));
    }
    Ok((Some(id), seen))
}

fn invoice_payment(raw: &RawValue) -> Read {
    let (id, whole) = object::<wire::InvoicePayment>(raw)?;
    let mut seen = translate::nothing();
    if let Some(wire) = whole {
        seen.fetch = translate::invoice_payment(&wire);
        if seen.fetch.is_empty() {
            seen.fetch.extend(translate::fetchable(wire.invoice.as_ref()).map(Fetch::InvoicePayments));
        }
    }
    Ok((Some(id), seen))
}
