//! One company, one identity, one document of each kind, and a driver.

use serde_json::{Value, json};
use suture_connect::erp::document::Document;
use suture_connect::erp::epicor::Identity;
use suture_connect::erp::epicor::filing::Filing;
use suture_connect::erp::epicor::settings::Epicor;
use suture_connect::erp::filing::{FilingInput, FilingState, FilingStatus, FilingStep};
use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse};
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::kinetic::Kinetic;

pub(crate) fn company() -> Epicor {
    let mut epicor = Epicor::new("https://erp.example", "kinetic", "EPIC06");
    epicor.bank_account = "MAIN".to_owned();
    epicor
}

pub(crate) fn identity() -> Identity {
    let secret = |text: &str| Secret::new(text.to_owned());
    Identity::Basic { user: "suture".to_owned(), password: secret("hunter2"), api_key: secret("key-1") }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T12:00:00Z").unwrap()
}

pub(crate) fn document(value: Value) -> Document {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn usd(minor: i64) -> Value {
    json!({"minor": minor, "currency": "USD"})
}

pub(crate) fn customer() -> Document {
    document(json!({"kind": "customer", "reference": "cust:1", "external_id": "cus_1", "name": "Ann O'Neil",
        "email": "ann.o'neil@example.org", "currency": "USD",
        "address": {"line1": "1 Main St", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"}}))
}

pub(crate) fn order() -> Document {
    document(json!({"kind": "sales_order", "reference": "order:1", "customer_number": 17, "currency": "USD",
        "order_date": "2026-11-21", "tax_minor": 800, "total_minor": 10800,
        "lines": [{"part": "WIDGET", "quantity": "2", "unit_price_minor": 5000}]}))
}

pub(crate) fn receipt() -> Document {
    document(
        json!({"kind": "cash_receipt", "reference": "receipt:1", "customer_number": 17, "order_number": 1001,
        "amount": usd(10800), "date": "2026-11-21", "method": "visa 4242"}),
    )
}

pub(crate) fn application() -> Document {
    document(
        json!({"kind": "application", "reference": "apply:1", "receipt": {"group": "S261120A", "head": 1},
        "invoice_number": 501, "amount": usd(10800), "date": "2026-11-21"}),
    )
}

pub(crate) fn reversal(minor: i64) -> Document {
    document(
        json!({"kind": "receipt_reversal", "reference": "reverse:1", "receipt": {"group": "S261120A", "head": 1},
        "amount": usd(minor), "date": "2026-11-21", "reason": "refunded"}),
    )
}

pub(crate) fn hold() -> Document {
    document(json!({"kind": "order_hold", "reference": "hold:1", "order_number": 900, "hold": true,
        "reason": "payment declined"}))
}

pub(crate) fn credit() -> Document {
    document(
        json!({"kind": "credit_memo", "reference": "credit:1", "invoice_number": 501, "customer_number": 17,
        "amount": usd(5400), "tax_minor": 400, "reason_code": "RET", "date": "2026-11-21"}),
    )
}

pub(crate) fn debit() -> Document {
    document(
        json!({"kind": "debit_memo", "reference": "debit:1", "customer_number": 17, "invoice_number": 501,
        "amount": usd(10800), "reason_code": "CHB", "date": "2026-11-21"}),
    )
}

pub(crate) fn journal() -> Document {
    document(json!({"kind": "journal", "reference": "journal:1", "date": "2026-11-21", "currency": "USD",
        "description": "payout po_1", "lines": [{"account": "1010", "debit_minor": 10489},
        {"account": "6100", "debit_minor": 311}, {"account": "1190", "credit_minor": 10800}]}))
}

pub(crate) fn every_document() -> Vec<Document> {
    vec![
        customer(),
        order(),
        receipt(),
        application(),
        reversal(10_800),
        reversal(800),
        hold(),
        credit(),
        debit(),
        journal(),
    ]
}

pub(crate) fn step_in(
    epicor: &Epicor,
    document: &Document,
    state: &FilingState,
    input: FilingInput<'_>,
) -> FilingStep {
    let identity = identity();
    let filing = Filing { epicor, identity: &identity, document, now: now() };
    let first = filing.step(state, input);
    assert_eq!(first, filing.step(state, input), "the same state and input give the same step");
    first
}

pub(crate) fn step(document: &Document, state: &FilingState, input: FilingInput<'_>) -> FilingStep {
    step_in(&company(), document, state, input)
}

/// Files against a Kinetic without faults; returns the status and the requests.
pub(crate) fn file_in(
    epicor: &Epicor,
    kinetic: &mut Kinetic,
    document: &Document,
) -> (FilingStatus, Vec<HttpRequest>) {
    let mut requests = Vec::new();
    let mut next = step_in(epicor, document, &FilingState::begin(), FilingInput::Go);
    for _ in 0..40 {
        match next {
            FilingStep::Done { status, .. } => return (status, requests),
            FilingStep::Wait { failure, .. } => panic!("waits: {failure:?}"),
            FilingStep::Send { state, request } => {
                let answer = kinetic.receive(&request);
                requests.push(request);
                next = step_in(epicor, document, &state, FilingInput::Answer(&answer));
            }
        }
    }
    panic!("the filing never ended");
}

pub(crate) fn file(kinetic: &mut Kinetic, document: &Document) -> (FilingStatus, Vec<HttpRequest>) {
    file_in(&company(), kinetic, document)
}

pub(crate) fn filed(status: &FilingStatus) -> (&Value, bool) {
    match status {
        FilingStatus::Filed { result, existing } => (result, *existing),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn code(status: &FilingStatus) -> &str {
    match status {
        FilingStatus::Filed { .. } => "filed",
        FilingStatus::Unknown { why } | FilingStatus::WaitingForPerson { why } => &why.code,
        FilingStatus::Rejected { failure, .. } => &failure.code,
    }
}

pub(crate) fn sent(step: FilingStep) -> (FilingState, HttpRequest) {
    match step {
        FilingStep::Send { state, request } => (state, request),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn done(step: FilingStep) -> (FilingState, FilingStatus) {
    match step {
        FilingStep::Done { state, status } => (state, status),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

/// An error as Epicor writes it.
pub(crate) fn error(status: u16, kind: &str, message: &str) -> HttpResponse {
    let body = json!({"HttpStatus": status, "ReasonPhrase": "REST API Exception", "ErrorMessage": message,
        "ErrorType": format!("Ice.Common.{kind}"), "ErrorDetails": [], "CorrelationId": "c-1"});
    response(status, &body.to_string())
}

/// The request as text, with credentials shown: what really goes over the wire.
pub(crate) fn wire(request: &HttpRequest) -> String {
    let mut text = format!("{} {}\n", request.method.as_str(), request.url);
    for (name, value) in &request.headers {
        match value {
            HeaderValue::Text(value) => text.push_str(&format!("{name}: {value}\n")),
            HeaderValue::Secret(value) => text.push_str(&format!("{name}: secret {}\n", value.expose())),
        }
    }
    text.push_str(std::str::from_utf8(&request.body).unwrap());
    text
}
