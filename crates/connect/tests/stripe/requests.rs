//! What is sent: the whole text of every request, and its parameters against Stripe's own schema.

use serde_json::Value;
use suture_connect::gateway::{
    CaptureMode, Collection, CreateCreditNote, CreateCustomer, CreateInvoice, CreatePayment, CustomerSearch,
    Invoices, Metadata, Payments, Vault,
};
use suture_connect::gateways::stripe::settings::Stripe;
use suture_connect::http::{HeaderValue, HttpRequest, Method};
use suture_connect::kit;
use suture_core::currency::Currency;
use suture_core::money::Money;

use crate::support::{KEY, json, matches_the_reviewed_file, secret, settings, stripe};

/// The kit's samples, and the variants of a payment that reach the wire in another form.
fn all() -> Vec<(String, HttpRequest)> {
    let stripe = stripe();
    let mut requests = kit::requests(&stripe);
    let mut add =
        |name: &str, call: CreatePayment| requests.push((name.to_owned(), Payments::create(&stripe, &call)));
    let browser = CreatePayment { method: None, confirm: false, off_session: false, ..kit::sample_payment() };
    add(
        "create payment: the payer pays in the browser",
        CreatePayment { save_method: true, ..browser.clone() },
    );
    add("create payment: a hold", CreatePayment { capture: CaptureMode::Manual, customer: None, ..browser });
    let return_url = Some("https://clinic.example/back?step=pay&x=1".to_owned());
    add(
        "create payment: confirmed while the payer is present",
        CreatePayment { off_session: false, return_url, ..kit::sample_payment() },
    );
    let yen = Money::new(500, Currency::parse("JPY").unwrap());
    add("create payment: yen have no decimals", CreatePayment { amount: yen, ..kit::sample_payment() });
    let charged =
        CreateInvoice { collection: Collection::Charge, description: None, ..kit::sample_invoice() };
    requests.push(("create invoice: charged by us".to_owned(), Invoices::create(&stripe, &charged)));
    let plain = CreateCreditNote {
        refund_minor: 0,
        refunds: Vec::new(),
        out_of_band_minor: 0,
        credit_minor: 0,
        reason: None,
        memo: None,
        ..kit::sample_credit_note()
    };
    requests.push(("create credit note: lowers what is due".to_owned(), stripe.create_credit_note(&plain)));
    let mut connected = settings();
    connected.account = Some("acct_1Connected".to_owned());
    connected.return_url = Some("https://clinic.example/back".to_owned());
    let connected = Stripe::try_new(connected).unwrap();
    let confirm = connected.confirm("pi_1", "pm_1", "eff_2:0");
    requests.push(("confirm payment: for a connected account, with a way back".to_owned(), confirm));
    requests
}

/// One header or field per line, so that a person can review it.
fn shown(name: &str, request: &HttpRequest) -> String {
    let (url, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let mut text = format!("## {name}\n{} {url}\n", request.method.as_str());
    for field in query.split('&').filter(|field| !field.is_empty()) {
        text += &format!("  ? {field}\n");
    }
    for (header, value) in &request.headers {
        text += &format!("  {header}: {value:?}\n");
    }
    let body = std::str::from_utf8(&request.body).unwrap();
    for field in body.split('&').filter(|field| !field.is_empty()) {
        text += &format!("  {field}\n");
    }
    text
}

#[test]
fn every_request_reads_as_reviewed() {
    let text: Vec<String> = all().iter().map(|(name, request)| shown(name, request)).collect();
    matches_the_reviewed_file("requests.txt", &text.join("\n"));
}

#[test]
fn every_parameter_is_one_that_stripe_documents() {
    let schema = json("request-schema.json");
    for (name, request) in all() {
        let (path, sent) = call_of(&request);
        let call = operation(&schema, request.method, &path);
        let allowed =
            schema["calls"][&call].as_object().unwrap_or_else(|| panic!("{name}: {call} is unknown"));
        for (key, value) in &sent {
            let top = allowed.get(&key[0]).unwrap_or_else(|| panic!("{name}: {call} takes no {key:?}"));
            assert!(fits(top, &key[1..], value), "{name}: {key:?}={value} does not fit {top}");
        }
        for (required, _) in allowed.iter().filter(|(_, schema)| schema["required"] == true) {
            assert!(sent.iter().any(|(key, _)| key[0] == *required), "{name}: {required} is missing");
        }
    }
}

#[test]
fn the_credential_travels_in_a_secret_header_and_nowhere_else() {
    for (name, request) in all() {
        let credential = request.headers.iter().find(|(header, _)| *header == "authorization");
        let expected = HeaderValue::Secret(secret(&format!("Bearer {KEY}")));
        assert_eq!(credential.map(|(_, value)| value), Some(&expected), "{name}");
        assert!(
            !request.url.contains(KEY) && !String::from_utf8_lossy(&request.body).contains(KEY),
            "{name}"
        );
    }
}

#[test]
fn an_id_from_outside_cannot_reach_another_endpoint() {
    let request = stripe().cancel("pi_1/../../v1/refunds?x=#", "key");
    assert_eq!(
        request.url,
        "https://api.stripe.com/v1/payment_intents/pi_1%2F..%2F..%2Fv1%2Frefunds%3Fx%3D%23/cancel"
    );
}

#[test]
fn nothing_but_opaque_tokens_leaves_about_a_patient() {
    for (name, request) in all() {
        let body = String::from_utf8(request.body.clone()).unwrap();
        for field in ["email=", "name=", "phone", "address", "statement_descriptor", "shipping"] {
            assert!(!body.contains(field), "{name} sends {field}");
        }
        let billed = ["create invoice", "add item"].iter().any(|begins| name.starts_with(begins));
        assert!(billed || !body.contains("description"), "{name} sends a description");
    }
    let plain = CreateCustomer { metadata: Metadata::default(), ..kit::sample_customer() };
    assert_eq!(stripe().create_customer(&plain).body, b"metadata[suture_link]=lnk_sample");
}

#[test]
fn stripe_never_advances_an_invoice_by_itself_nor_adds_what_waits() {
    let create = String::from_utf8(Invoices::create(&stripe(), &kit::sample_invoice()).body).unwrap();
    assert!(create.contains("auto_advance=false&pending_invoice_items_behavior=exclude"), "{create}");
    assert_eq!(stripe().finalize("in_1", "key").body, b"auto_advance=false");
}

#[test]
fn a_search_cannot_be_widened_by_what_is_searched_for() {
    let link = CustomerSearch::Link(r#"x" OR name~"A\"#.to_owned());
    let request = stripe().search_customers(&link, None, 0);
    let (_, sent) = call_of(&request);
    assert_eq!(sent[0].1, r#"metadata["suture_link"]:"x\" OR name~\"A\\""#);
    assert_eq!(sent[1].1, "1", "a page has at least one row");
}

fn call_of(request: &HttpRequest) -> (String, Vec<(Vec<String>, String)>) {
    let target = request.url.strip_prefix("https://api.stripe.com").unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let form = format!("{query}&{}", std::str::from_utf8(&request.body).unwrap());
    let field = |field: &str| {
        let (key, value) = field.split_once('=').unwrap();
        let key = key.split('[').map(|part| decoded(part.trim_end_matches(']'))).collect();
        (key, decoded(value))
    };
    (path.to_owned(), form.split('&').filter(|part| !part.is_empty()).map(field).collect())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The operation of the schema whose path fits: `{…}` stands for one segment.
fn operation(schema: &Value, method: Method, path: &str) -> String {
    let fits = |template: &str| {
        let (template, path): (Vec<&str>, Vec<&str>) =
            (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len()
            && template.iter().zip(&path).all(|(left, right)| left.starts_with('{') || left == right)
    };
    let calls = schema["calls"].as_object().unwrap();
    let found = calls.keys().find(|call| {
        call.split_once(' ').is_some_and(|(verb, template)| verb == method.as_str() && fits(template))
    });
    found.unwrap_or_else(|| panic!("no operation for {path}")).clone()
}

fn fits(schema: &Value, path: &[String], value: &str) -> bool {
    if let Some(any) = schema["anyOf"].as_array() {
        return any.iter().any(|one| fits(one, path, value));
    }
    if let Some(words) = schema["enum"].as_array() {
        return path.is_empty() && words.iter().any(|word| word == value);
    }
    match (schema["type"].as_str(), path) {
        (Some("object"), [name, rest @ ..]) => {
            let inner = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
            inner.is_some_and(|inner| inner.is_object() && fits(inner, rest, value))
        }
        (Some("array"), [index, rest @ ..]) => {
            index.parse::<usize>().is_ok() && fits(&schema["items"], rest, value)
        }
        (Some("integer"), []) => value.parse::<i64>().is_ok(),
        (Some("boolean"), []) => value == "true" || value == "false",
        (Some("string"), []) => true,
        _ => false,
    }
}
