//! Webhooks: the signature, the envelope, and how the endpoint is registered (FACTS §e).
//!
//! Called by `engine` through [`Webhooks`]: verify the raw bytes, store the event, read it. An event is a snapshot,
//! perhaps old, perhaps rendered by another API version; `notices` reads it and names what to fetch.

use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::gateway::{Notice, WebhookRefusal, Webhooks};
use crate::gateways::stripe::events::{NEEDED_NAMES, reads_of};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::settings::{API_VERSION, Stripe};
use crate::gateways::stripe::vault::of_kind;
use crate::gateways::stripe::{errors, signature, wire};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

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

pub(super) fn not_an_event(why: &str) -> WebhookRefusal {
    WebhookRefusal::NotAnEvent(why.to_owned())
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
