//! A fault at any request, and at any two: nothing is created twice, and the end is `Filed` or honest.

use std::sync::LazyLock;

use serde_json::json;
use suture_connect::erp::document::Document;
use suture_connect::erp::epicor::filing::{Filing, Identity};
use suture_connect::erp::epicor::settings::Epicor;
use suture_connect::erp::filing::{FilingInput, FilingState, FilingStatus, FilingStep};
use suture_connect::http::HttpRequest;

use crate::kinetic::Kinetic;
use crate::support::{company, error, every_document, file, filed, identity, now, response, reversal};

/// One step, taken once: there are tens of thousands of them here.
fn step(document: &Document, state: &FilingState, input: FilingInput<'_>) -> FilingStep {
    static COMPANY: LazyLock<Epicor> = LazyLock::new(company);
    static IDENTITY: LazyLock<Identity> = LazyLock::new(identity);
    Filing { epicor: &COMPANY, identity: &IDENTITY, document, now: now() }.step(state, input)
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The process dies after the state was stored, before the request left.
    DiesBeforeSending,
    /// The process dies after Epicor acted.
    DiesAfterSending,
    /// The answer is lost.
    AnswerLost,
    /// The request is lost.
    RequestLost,
    /// No connection.
    NotSent,
    /// Epicor acts and then says 500.
    ActsThenServerError,
    /// Epicor says 500 and has done nothing.
    ServerError,
    /// Epicor acts, and a proxy says 503.
    ActsThenUnavailable,
    /// The token is refused.
    Unauthorized,
    /// Too many calls.
    Throttled,
    /// Epicor acts, and its answer is cut off.
    Truncated,
    /// Epicor says that the record exists, and has done nothing.
    Conflict,
}

const FAULTS: [Fault; 12] = [
    Fault::DiesBeforeSending,
    Fault::DiesAfterSending,
    Fault::AnswerLost,
    Fault::RequestLost,
    Fault::NotSent,
    Fault::ActsThenServerError,
    Fault::ServerError,
    Fault::ActsThenUnavailable,
    Fault::Unauthorized,
    Fault::Throttled,
    Fault::Truncated,
    Fault::Conflict,
];

fn kinetic_for(document: &Document) -> Kinetic {
    let mut kinetic = Kinetic::new();
    if document.kind() == "receipt_reversal" && document.amount().unwrap().minor == 10_800 {
        kinetic.sets.get_mut("CashRecs").unwrap()[0]["Posted"] = json!(true);
    }
    kinetic
}

fn file_with(document: &Document, faults: &[(usize, Fault)]) -> (Kinetic, FilingStatus, usize) {
    let mut kinetic = kinetic_for(document);
    let mut next = step(document, &FilingState::begin(), FilingInput::Go);
    let mut requests = 0;
    for _ in 0..60 {
        match next {
            FilingStep::Done { status, .. } if !matches!(status, FilingStatus::Unknown { .. }) => {
                return (kinetic, status, requests);
            }
            FilingStep::Done { state, .. } | FilingStep::Wait { state, .. } => {
                next = step(document, &through_storage(&state), FilingInput::Go);
            }
            FilingStep::Send { state, request } => {
                let state = through_storage(&state);
                let fault = faults.iter().find(|(at, _)| *at == requests).map(|(_, fault)| *fault);
                requests += 1;
                next = deliver(&mut kinetic, document, &state, &request, fault);
            }
        }
    }
    panic!("the filing never ended: {} {faults:?}", document.kind());
}

fn deliver(
    kinetic: &mut Kinetic,
    document: &Document,
    state: &FilingState,
    request: &HttpRequest,
    fault: Option<Fault>,
) -> FilingStep {
    let Some(fault) = fault else {
        return step(document, state, FilingInput::Answer(&kinetic.receive(request)));
    };
    let answer = match fault {
        Fault::DiesBeforeSending => return step(document, state, FilingInput::Go),
        Fault::DiesAfterSending => {
            kinetic.receive(request);
            return step(document, state, FilingInput::Go);
        }
        Fault::AnswerLost => {
            kinetic.receive(request);
            return step(document, state, FilingInput::Lost);
        }
        Fault::RequestLost => return step(document, state, FilingInput::Lost),
        Fault::NotSent => return step(document, state, FilingInput::NotSent),
        Fault::ActsThenServerError => {
            kinetic.receive(request);
            error(500, "Exception", "Sorry! An unexpected internal problem occurred.")
        }
        Fault::ServerError => response(500, "<html>"),
        Fault::ActsThenUnavailable => {
            kinetic.receive(request);
            response(503, "")
        }
        Fault::Unauthorized => response(401, ""),
        Fault::Throttled => response(429, ""),
        Fault::Truncated => {
            let mut answer = kinetic.receive(request);
            answer.body.truncate(answer.body.len() / 2);
            answer
        }
        Fault::Conflict => error(409, "DuplicateRecordException", "A duplicate record exists."),
    };
    step(document, state, FilingInput::Answer(&answer))
}

fn through_storage(state: &FilingState) -> FilingState {
    let stored = serde_json::to_string(state).unwrap();
    let loaded = serde_json::from_str(&stored).unwrap();
    assert_eq!(*state, loaded);
    loaded
}

/// How often the document is in Epicor, counted by what a person would see there.
fn times(kinetic: &Kinetic, document: &Document) -> usize {
    let reference = json!(document.reference());
    let receipts = kinetic.rows("CashRecs");
    match document.kind() {
        "customer" => kinetic.count("Customers", "ExternalID", &json!("cus_1")),
        "sales_order" => kinetic.count("SalesOrders", "SutureRef_c", &reference),
        "cash_receipt" => kinetic.count("CashRecs", "ExternalID", &reference),
        "application" => kinetic.count("CashDtls", "InvoiceNum", &json!(501)),
        "credit_memo" | "debit_memo" => kinetic.count("ARInvoices", "ExternalID", &reference),
        "journal" => kinetic.count("GLJournalEntries", "SutureRef_c", &reference),
        "order_hold" => kinetic.count("SalesOrders", "OrderHeld", &json!(true)),
        "receipt_reversal" if document.amount().unwrap().minor == 10_800 => {
            receipts.first().map_or(0, |row| usize::try_from(row["reversals"].as_i64().unwrap_or(0)).unwrap())
        }
        // 800 of 10800 lowered once is 100.00; twice would be 92.00.
        "receipt_reversal" => match receipts[0]["DocTranAmt"].as_f64().unwrap().to_string().as_str() {
            "108" => 0,
            "100" => 1,
            _ => 2,
        },
        other => panic!("{other}"),
    }
}

/// Returns how many requests it took.
fn assert_once(document: &Document, faults: &[(usize, Fault)]) -> usize {
    let (kinetic, status, requests) = file_with(document, faults);
    let (times, kind) = (times(&kinetic, document), document.kind());
    assert!(times <= 1, "{kind} {faults:?}: {times} times, {status:?}");
    match &status {
        FilingStatus::Filed { .. } => {
            assert_eq!(times, 1, "{kind} {faults:?}: told as filed");
        }
        FilingStatus::Rejected { .. } => {
            assert_eq!(times, 0, "{kind} {faults:?}: told as refused: {status:?}");
        }
        FilingStatus::WaitingForPerson { .. } | FilingStatus::Unknown { .. } => {}
    }
    // Only a conflict that is none may stop a filing: every other fault passes.
    if !faults.iter().any(|(_, fault)| *fault == Fault::Conflict) {
        assert!(matches!(status, FilingStatus::Filed { .. }), "{kind} {faults:?}: {status:?}");
    }
    requests
}

#[test]
fn a_fault_at_any_request_leaves_exactly_one_record() {
    for document in every_document() {
        for at in 0..6 {
            for fault in FAULTS {
                assert_once(&document, &[(at, fault)]);
            }
        }
    }
}

#[test]
fn two_faults_at_any_two_requests_leave_exactly_one_record() {
    for document in every_document() {
        let mut pairs = 0;
        for first in 0..assert_once(&document, &[]) {
            for one in FAULTS {
                // A second fault matters only up to the last request that the first one leads to.
                for second in first + 1..assert_once(&document, &[(first, one)]) {
                    for other in FAULTS {
                        assert_once(&document, &[(first, one), (second, other)]);
                        pairs += 1;
                    }
                }
            }
        }
        assert!(pairs >= 100, "{} was tried with {pairs} pairs only", document.kind());
    }
}

#[test]
fn what_was_filed_before_is_found_by_its_reference_and_not_repeated() {
    for document in every_document() {
        let mut kinetic = kinetic_for(&document);
        let (status, _) = file(&mut kinetic, &document);
        filed(&status);
        // The process forgot everything but that something was sent.
        let (state, _) = match step(&document, &FilingState::begin(), FilingInput::Go) {
            FilingStep::Send { state, request } => (state, request),
            other => panic!("{other:?}"),
        };
        let mut next = step(&document, &state, FilingInput::Go);
        let status = loop {
            match next {
                FilingStep::Send { state, request } => {
                    next = step(&document, &state, FilingInput::Answer(&kinetic.receive(&request)));
                }
                FilingStep::Done { status, .. } => break status,
                FilingStep::Wait { failure, .. } => panic!("{failure:?}"),
            }
        };
        assert!(matches!(status, FilingStatus::Filed { .. }), "{}: {status:?}", document.kind());
        assert_eq!(times(&kinetic, &document), 1, "{}", document.kind());
    }
}

#[test]
fn a_deletion_whose_answer_is_lost_is_seen_to_have_happened() {
    let document = reversal(10_800);
    let mut kinetic = Kinetic::new();
    let mut next = step(&document, &FilingState::begin(), FilingInput::Go);
    for turn in 0..4 {
        let FilingStep::Send { state, request } = next else { panic!("{next:?}") };
        let answer = kinetic.receive(&request);
        next = if turn == 1 {
            let FilingStep::Done { state, .. } = step(&document, &state, FilingInput::Lost) else { panic!() };
            step(&document, &state, FilingInput::Go)
        } else {
            step(&document, &state, FilingInput::Answer(&answer))
        };
        if matches!(next, FilingStep::Done { .. }) {
            break;
        }
    }
    let FilingStep::Done { status, .. } = next else { panic!("{next:?}") };
    assert_eq!(filed(&status).0["how"], "deleted");
    assert_eq!(kinetic.rows("CashRecs").len(), 0);
}
