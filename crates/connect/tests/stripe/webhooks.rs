//! What events say.

use serde_json::{Value, json as object};
use suture_connect::gateway::{Fetch, InvoiceStatus, Note, Notice, WebhookRefusal, Webhooks};
use suture_core::evidence::{DeclineAdvice, Evidence, IntentStatus};

use crate::support::{fixture, json, matches_the_reviewed_file, note, stripe};

fn read(event: &Value) -> Notice {
    stripe().read(event.to_string().as_bytes()).unwrap()
}

fn event(event_type: &str, inner: &Value) -> Value {
    object!({ "id": "evt_1", "object": "event", "api_version": "2026-10-28.endive", "created": 1_795_254_100,
        "data": { "object": inner }, "livemode": false, "type": event_type })
}

fn recorded(event_type: &str) -> Value {
    let events = fixture("events.jsonl");
    let mut events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.find(|event| event["type"] == event_type).unwrap()
}

fn evidence(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Intent(seen) => format!(
            "intent {} {:?} {:?} received {} capturable {}",
            seen.intent, seen.status, seen.amount, seen.received_minor, seen.capturable_minor
        ),
        Evidence::Charge(seen) => format!(
            "charge {} {:?} {:?} captured {} refunded {}",
            seen.charge, seen.status, seen.amount, seen.captured_minor, seen.refunded_minor
        ),
        Evidence::Refund(seen) => format!("refund {} {:?} {:?}", seen.refund, seen.status, seen.amount),
        Evidence::Dispute(seen) => format!(
            "dispute {} {:?} {:?} fee {} withdrawn {} reinstated {}",
            seen.dispute, seen.status, seen.amount, seen.fee_minor, seen.withdrawn, seen.reinstated
        ),
        Evidence::Fee(seen) => format!("fee {} {:?}", seen.transaction, seen.fee),
    }
}

#[test]
fn every_event_says_what_was_reviewed() {
    let mut text = String::new();
    for line in fixture("events.jsonl").lines() {
        let notice = stripe().read(line.as_bytes()).unwrap();
        let known = if notice.known { "" } else { " (not known)" };
        text += &format!(
            "## {}{known}\nabout {}\n",
            notice.event_type,
            notice.object_id.as_deref().unwrap_or("-")
        );
        for seen in &notice.seen.evidence {
            text += &format!("sees {}\n", evidence(seen));
        }
        for told in &notice.seen.notes {
            text += &format!("notes {}\n", note(told));
        }
        for fetch in &notice.seen.fetch {
            text += &format!("fetch {fetch:?}\n");
        }
        assert!(notice.seen.client_secret.is_none());
        for hidden in ["Hidden", "hidden", "_secret_"] {
            assert!(!format!("{notice:?}").contains(hidden), "{} prints {hidden}", notice.event_type);
        }
    }
    matches_the_reviewed_file("events.txt", &text);
}

#[test]
fn every_needed_event_is_one_that_stripe_sends_and_that_is_recorded_here() {
    let words = json("words.json");
    let sent: Vec<&str> = words["event_types"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let recorded = fixture("events.jsonl");
    for name in stripe().needed_events() {
        assert!(sent.contains(name), "{name}");
        assert!(recorded.contains(&format!("\"type\":\"{name}\"")), "{name} has no fixture");
    }
}

#[test]
fn evidence_about_money_always_comes_with_a_fetch() {
    for line in fixture("events.jsonl").lines() {
        let notice = stripe().read(line.as_bytes()).unwrap();
        let about_money =
            ["charge.", "payment_intent.", "refund.", "invoice.paid", "invoice_payment.", "credit_note."];
        if about_money.iter().any(|family| notice.event_type.starts_with(family)) {
            assert!(!notice.seen.fetch.is_empty(), "{}", notice.event_type);
        }
    }
}

#[test]
fn the_envelope_is_kept() {
    let mut event = event("charge.updated", &json("charge.json"));
    event["account"] = "acct_1".into();
    event["livemode"] = true.into();
    let notice = read(&event);
    assert_eq!((notice.event_id.as_str(), notice.created.seconds()), ("evt_1", 1_795_254_100));
    assert_eq!((notice.livemode, notice.account.as_deref()), (true, Some("acct_1")));
    assert_eq!(notice.api_version.as_deref(), Some("2026-10-28.endive"));
}

#[test]
fn the_last_error_of_a_failed_payment_is_forwarded() {
    let notice = read(&recorded("payment_intent.payment_failed"));
    let [Evidence::Intent(intent)] = &notice.seen.evidence[..] else { panic!("expected one intent") };
    let error = intent.error.as_ref().unwrap();
    assert_eq!((intent.status, error.advice), (IntentStatus::RequiresMethod, DeclineAdvice::SoftDecline));
    assert_eq!(error.raw["doc_url"], "https://stripe.com/docs/error-codes/card-declined");
    assert!(!format!("{notice:?}").contains("Hidden Name"));
}

#[test]
fn a_failed_charge_carries_the_issuers_word() {
    let notice = read(&recorded("charge.failed"));
    let [Evidence::Charge(charge)] = &notice.seen.evidence[..] else { panic!("expected one charge") };
    let error = charge.error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.decline_code.as_deref()),
        ("card_declined", Some("insufficient_funds"))
    );
    assert_eq!(error.raw["outcome"]["network_decline_code"], "51");
}

#[test]
fn an_object_that_an_old_version_renders_otherwise_is_fetched_instead_of_refused() {
    for inner in [
        object!({ "id": "pi_1", "object": "payment_intent", "amount": "a lot", "status": "succeeded" }),
        object!({ "id": "pi_1", "object": "payment_intent", "status": "brand_new", "amount": 1, "currency": "usd" }),
        object!({ "id": "pi_1" }),
    ] {
        let notice = read(&event("payment_intent.succeeded", &inner));
        assert!(notice.seen.evidence.is_empty());
        assert_eq!(notice.seen.fetch, [Fetch::Intent("pi_1".to_owned())]);
    }
}

#[test]
fn an_invoice_before_basil_names_its_payment_itself() {
    let inner = object!({ "id": "in_1", "object": "invoice", "payment_intent": "pi_1", "charge": "ch_1" });
    let expected = [
        Fetch::InvoicePayments("in_1".to_owned()),
        Fetch::Intent("pi_1".to_owned()),
        Fetch::Charge("ch_1".to_owned()),
        Fetch::Invoice("in_1".to_owned()),
    ];
    assert_eq!(read(&event("invoice.paid", &inner)).seen.fetch, expected);
}

#[test]
fn every_note_of_a_payload_but_a_deletion_comes_with_a_fetch() {
    for line in fixture("events.jsonl").lines() {
        let notice = stripe().read(line.as_bytes()).unwrap();
        let hints = !notice.seen.notes.is_empty() && notice.event_type != "invoice.deleted";
        assert!(!hints || !notice.seen.fetch.is_empty(), "{}", notice.event_type);
    }
}

#[test]
fn an_invoice_whose_status_is_new_is_noted_with_that_word() {
    let mut inner = json("invoice.json");
    inner["status"] = "in_dispute".into();
    let notice = read(&event("invoice.updated", &inner));
    let [Note::Invoice(invoice)] = &notice.seen.notes[..] else { panic!("expected one invoice") };
    assert_eq!(invoice.status, InvoiceStatus::Other("in_dispute".to_owned()));
}

#[test]
fn an_invoice_without_an_amount_that_decides_is_only_fetched() {
    for amount in ["total", "amount_due", "amount_paid", "amount_remaining", "currency"] {
        let mut inner = json("invoice.json");
        inner.as_object_mut().unwrap().remove(amount);
        let notice = read(&event("invoice.updated", &inner));
        assert!(notice.seen.notes.is_empty(), "{amount}");
        assert_eq!(notice.seen.fetch, [Fetch::Invoice("in_1".to_owned())], "{amount}");
    }
}

#[test]
fn a_customer_whose_id_somebody_chose_is_recorded_but_never_put_into_an_address() {
    for id in ["ann@example.org", "..", "a/b"] {
        let mut inner = json("customer.json");
        inner["id"] = id.into();
        let notice = read(&event("customer.updated", &inner));
        assert!(notice.known && notice.seen.fetch.is_empty() && notice.seen.notes.is_empty(), "{id}");
        assert_eq!(notice.object_id.as_deref(), Some(id));
    }
}

#[test]
fn a_type_that_is_not_known_is_recorded_and_does_nothing() {
    let notice = read(&event("charge.teleported", &object!({ "id": "ch_1", "object": "charge" })));
    assert!(!notice.known && notice.seen.evidence.is_empty() && notice.seen.fetch.is_empty());
    assert_eq!(notice.object_id.as_deref(), Some("ch_1"));
    assert!(read(&event("customer.something_new", &object!({ "id": "cus_1" }))).known);
}

fn refusal(body: &[u8]) -> String {
    match stripe().read(body) {
        Err(WebhookRefusal::NotAnEvent(why)) => why,
        other => panic!("not refused as an event: {other:?}"),
    }
}

#[test]
fn a_thin_event_is_refused_with_the_way_out() {
    let thin = object!({ "id": "evt_1", "object": "v2.core.event", "type": "v1.invoice.paid", "livemode": false,
        "created": "2026-11-21T09:30:00.000Z", "related_object": { "id": "in_1", "type": "invoice" } });
    let why = refusal(thin.to_string().as_bytes());
    assert!(why.contains("v2.core.event") && why.contains("snapshot endpoint"), "{why}");
}

#[test]
fn what_is_not_an_event_is_refused_without_quoting_it() {
    assert_eq!(refusal(b""), "it is empty");
    assert_eq!(refusal(b" \n"), "it is empty");
    assert_eq!(refusal(b"\xff"), "it is not UTF-8 text");
    assert_eq!(refusal(b"{\"id\":"), "it is not JSON (line 1, column 6)");
    let lacks = "it lacks the fields of an event (id, object, type, created, livemode, data.object)";
    for body in ["null", "[]", "7", "{}", r#"{"id":"Hidden Name","object":"event","type":7}"#] {
        assert_eq!(refusal(body.as_bytes()), lacks, "{body}");
    }
    let foreign = event("charge.updated", &json("refund.json")).to_string();
    assert_eq!(refusal(foreign.as_bytes()), "its object is not of the kind that its type names");
    let bad_id = event("charge.updated", &object!({ "id": "../refunds", "object": "charge" })).to_string();
    assert_eq!(refusal(bad_id.as_bytes()), "its object's id is not one of Stripe's");
    let no_id = event("charge.updated", &object!({ "object": "charge" })).to_string();
    assert_eq!(refusal(no_id.as_bytes()), "its object has no id");
}

#[test]
fn nesting_is_limited_even_where_nothing_is_read() {
    let nested = |depth: usize| {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let wide = "[{},\"[[[\\\"[\"],".repeat(60);
        event("charge.updated", &json("charge.json")).to_string().replacen(
            "{\"",
            &format!("{{\"deep\":{deep},\"wide\":[{wide}0],\""),
            1,
        )
    };
    assert!(stripe().read(nested(90).as_bytes()).is_ok());
    assert_eq!(refusal(nested(100).as_bytes()), "it is nested too deeply");
    assert_eq!(refusal("[".repeat(1_000_000).as_bytes()), "it is nested too deeply");
}
