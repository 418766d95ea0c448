//! Calls of business process management: signed, bounded, and read once the signature holds.

use ring::hmac;
use serde_json::json;
use suture_connect::erp::epicor::webhook::{BODY_BYTES_MAX, CallRefusal, read_call};
use suture_connect::erp::event::{ErpEvent, ErpEventKind};
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::support::{company, now};

const CREATED: &str = r#"{"event":"order_created","company":"EPIC06","number":1001,"revision":5120,"at":"2026-11-21T11:59:58Z","reference":"order:1","body":{"CustNum":17,"OrderHeld":false}}"#;
const INVOICED: &str = r#"{"event":"invoiced","company":"epic06","number":501,"body":{"OrderNum":1001,"CustNum":17,"DocInvoiceAmt":"108.00","CurrencyCode":"USD"}}"#;
const SHIPPED: &str = r#"{"event":"shipped","company":"EPIC06","number":77,"revision":5201,"body":{"OrderNum":1001,"TrackingNumber":"1Z"}}"#;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn sign(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn call(header: Option<&str>, body: &str) -> Result<ErpEvent, CallRefusal> {
    let headers: Vec<(String, String)> =
        header.map(|value| ("x-suture-signature".to_owned(), value.to_owned())).into_iter().collect();
    read_call(&company(), &[secret("old"), secret("new")], &headers, body.as_bytes(), now())
}

#[test]
fn the_sample_calls_become_events() {
    let event = call(Some(&format!("sha256={}", sign("new", CREATED))), CREATED).unwrap();
    assert_eq!((event.kind, event.number, event.revision), (ErpEventKind::OrderCreated, 1001, 5120));
    assert_eq!(event.at, Timestamp::parse_rfc3339("2026-11-21T11:59:58Z").unwrap());
    assert_eq!((event.reference.as_deref(), &event.body["CustNum"]), (Some("order:1"), &json!(17)));
    let event = call(Some(&sign("new", INVOICED)), INVOICED).unwrap();
    assert_eq!((event.kind, event.revision, event.at), (ErpEventKind::Invoiced, 0, now()));
    let event = call(Some(&sign("new", SHIPPED).to_uppercase()), SHIPPED).unwrap();
    assert_eq!(event.key(), "shipped::77:5201");
}

#[test]
fn while_a_secret_is_rolled_both_count() {
    for name in ["old", "new"] {
        call(Some(&sign(name, CREATED)), CREATED).unwrap();
    }
    assert_eq!(call(Some(&sign("other", CREATED)), CREATED), Err(CallRefusal::NoMatch));
}

#[test]
fn what_is_not_signed_is_not_read() {
    let good = sign("new", CREATED);
    assert_eq!(call(None, CREATED), Err(CallRefusal::MissingHeader("x-suture-signature".to_owned())));
    assert!(matches!(call(Some(""), CREATED), Err(CallRefusal::MissingHeader(_))));
    let changed = CREATED.replace("1001", "1002");
    let short = &good[..62];
    for (header, body) in [
        (good.as_str(), changed.as_str()),
        (short, CREATED),
        ("zz", CREATED),
        ("sha256=", CREATED),
        ("é", CREATED),
    ] {
        assert_eq!(call(Some(header), body), Err(CallRefusal::NoMatch), "{header}");
    }
    let headers = [("x-suture-signature".to_owned(), sign("", CREATED))];
    let refused = read_call(&company(), &[secret(" ")], &headers, CREATED.as_bytes(), now());
    assert_eq!(refused, Err(CallRefusal::NoSecret));
}

#[test]
fn a_signed_call_that_cannot_be_understood_is_refused_without_its_text() {
    let refused = |body: &str| call(Some(&sign("new", body)), body).unwrap_err();
    assert_eq!(refused(&CREATED.replace("EPIC06", "EPIC07")), CallRefusal::OtherCompany);
    for body in [
        "",
        "[]",
        r#"{"event":"exploded","company":"EPIC06","number":1,"body":{"Name":"Ann"}}"#,
        &CREATED.replace("1001", "0"),
        &CREATED.replace("2026-11-21T11:59:58Z", "today"),
    ] {
        let refusal = refused(body);
        assert!(matches!(refusal, CallRefusal::Unreadable(_)), "{body}: {refusal:?}");
        assert!(!refusal.to_string().contains("Ann"));
    }
    let large = format!(r#"{{"pad":"{}"}}"#, "x".repeat(BODY_BYTES_MAX));
    assert_eq!(refused(&large), CallRefusal::TooLarge);
}
