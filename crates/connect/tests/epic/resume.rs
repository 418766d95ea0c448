//! A process that dies at every possible moment, against an Epic that remembers.

use serde_json::{Value, json};
use suture_connect::ehr::epic::posting::{
    Confirmation, Leg, LookUpCause, PostingInput, PostingState, PostingStatus, PostingStep,
};
use suture_connect::ehr::epic::routes::Route;
use suture_connect::http::{HttpRequest, HttpResponse};

use crate::support::{begin, response, step};

/// Every leg with a request in flight.
pub(crate) fn every_leg(route: Route) -> Vec<PostingState> {
    let causes = [LookUpCause::First, LookUpCause::Unknown, LookUpCause::Duplicate];
    let mut legs: Vec<Leg> = causes.into_iter().map(|cause| Leg::LookingUp { cause }).collect();
    legs.extend([Leg::Posting, Leg::Confirming]);
    if route == Route::Fhir {
        legs.extend([Leg::LookingUpNotice, Leg::PostingNotice]);
    }
    legs.into_iter().map(|leg| PostingState { leg, posts: 1, ..begin(route) }).collect()
}

/// An Epic that keeps whatever it is given, as often as it is given.
#[derive(Default)]
struct Remembering {
    reconciliations: Vec<Value>,
    notices: Vec<Value>,
    transactions: Vec<Value>,
}

impl Remembering {
    fn receive(&mut self, request: &HttpRequest) -> HttpResponse {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let url = request.url.as_str();
        let bundle = |records: &[Value]| {
            let entries: Vec<Value> = records.iter().map(|record| json!({ "resource": record })).collect();
            response(200, &json!({"resourceType": "Bundle", "entry": entries}).to_string())
        };
        if url.contains("/PaymentReconciliation?") {
            bundle(&self.reconciliations)
        } else if url.contains("/PaymentNotice?") {
            bundle(&self.notices)
        } else if url.ends_with("/PaymentReconciliation") {
            store(&mut self.reconciliations, body)
        } else if url.ends_with("/PaymentNotice") {
            store(&mut self.notices, body)
        } else if url.ends_with("/PostTransactionResult") {
            self.transactions.push(body);
            response(200, r#"{"Status":"Posted","ReceiptNumber":"R-1"}"#)
        } else {
            response(200, &json!({ "Transactions": self.transactions }).to_string())
        }
    }
}

fn store(records: &mut Vec<Value>, mut record: Value) -> HttpResponse {
    record["id"] = format!("e{}", records.len()).into();
    records.push(record);
    response(201, "")
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The process dies after the state was stored, before the request left.
    DiesBeforeSending,
    /// The process dies after Epic acted.
    DiesAfterSending,
    /// The answer is lost.
    AnswerLost,
    /// No connection.
    NotSent,
    /// Epic acts and then says 500.
    ServerError,
}

const FAULTS: [Fault; 5] = [
    Fault::DiesBeforeSending,
    Fault::DiesAfterSending,
    Fault::AnswerLost,
    Fault::NotSent,
    Fault::ServerError,
];

/// Posts, with faults at the given requests (counted over the whole posting).
fn post_with(route: Route, faults: &[(usize, Fault)]) -> (Remembering, PostingStatus, usize) {
    let mut epic = Remembering::default();
    let mut state = begin(route);
    let mut next = step(&state, PostingInput::Go);
    let mut requests = 0;
    for _ in 0..40 {
        match next {
            PostingStep::Done { status, .. } if !matches!(status, PostingStatus::Unknown { .. }) => {
                return (epic, status, requests);
            }
            PostingStep::Done { state: stored, .. } | PostingStep::Wait { state: stored, .. } => {
                state = stored;
                next = step(&state, PostingInput::Go);
            }
            PostingStep::Send { state: stored, request } => {
                state = through_storage(&stored);
                let fault = faults.iter().find(|(at, _)| *at == requests).map(|(_, fault)| *fault);
                requests += 1;
                next = deliver(&mut epic, &state, &request, fault);
            }
        }
    }
    panic!("the posting never ended: {faults:?}");
}

fn deliver(
    epic: &mut Remembering,
    state: &PostingState,
    request: &HttpRequest,
    fault: Option<Fault>,
) -> PostingStep {
    match fault {
        None => step(state, PostingInput::Answer(&epic.receive(request))),
        Some(Fault::DiesBeforeSending) => step(state, PostingInput::Go),
        Some(Fault::DiesAfterSending) => {
            epic.receive(request);
            step(state, PostingInput::Go)
        }
        Some(Fault::AnswerLost) => {
            epic.receive(request);
            step(state, PostingInput::Lost)
        }
        Some(Fault::NotSent) => step(state, PostingInput::NotSent),
        Some(Fault::ServerError) => {
            epic.receive(request);
            step(state, PostingInput::Answer(&response(500, "")))
        }
    }
}

fn through_storage(state: &PostingState) -> PostingState {
    let stored = serde_json::to_string(state).unwrap();
    let loaded = serde_json::from_str(&stored).unwrap();
    assert_eq!(*state, loaded);
    loaded
}

fn assert_posted_once(route: Route, faults: &[(usize, Fault)]) {
    let (epic, status, _) = post_with(route, faults);
    assert!(matches!(status, PostingStatus::Confirmed { .. }), "{route:?} {faults:?}: {status:?}");
    let kept = (epic.reconciliations.len(), epic.notices.len(), epic.transactions.len());
    let expected = if route == Route::Fhir { (1, 1, 0) } else { (0, 0, 1) };
    assert_eq!(kept, expected, "{route:?} {faults:?}");
}

#[test]
fn without_faults_the_external_route_takes_one_request_and_fhir_four() {
    let (_, status, requests) = post_with(Route::ExternalPayment, &[]);
    assert_eq!(requests, 1);
    let evidence = Confirmation::Receipt { number: "R-1".to_owned() };
    assert_eq!(status, PostingStatus::Confirmed { evidence });
    assert_eq!(post_with(Route::Fhir, &[]).2, 4);
}

#[test]
fn a_fault_at_any_request_leaves_exactly_one_posting() {
    for route in [Route::Fhir, Route::ExternalPayment] {
        for at in 0..4 {
            for fault in FAULTS {
                assert_posted_once(route, &[(at, fault)]);
            }
        }
    }
}

#[test]
fn two_faults_at_any_two_requests_leave_exactly_one_posting() {
    for route in [Route::Fhir, Route::ExternalPayment] {
        for first in 0..6 {
            for second in first + 1..8 {
                for one in FAULTS {
                    for other in FAULTS {
                        assert_posted_once(route, &[(first, one), (second, other)]);
                    }
                }
            }
        }
    }
}

#[test]
fn a_posting_that_was_done_before_is_found_and_not_repeated() {
    let (mut epic, _, _) = post_with(Route::Fhir, &[]);
    let mut next = step(&begin(Route::Fhir), PostingInput::Go);
    while let PostingStep::Send { state, request } = next {
        next = step(&state, PostingInput::Answer(&epic.receive(&request)));
    }
    let PostingStep::Done { status, .. } = next else { panic!("{next:?}") };
    let evidence = Confirmation::ReadBack { reference: "e0".to_owned(), existing: true };
    assert_eq!(status, PostingStatus::Confirmed { evidence });
    assert_eq!((epic.reconciliations.len(), epic.notices.len()), (1, 1));
}

#[test]
fn without_a_look_up_an_unknown_outcome_goes_to_a_person_and_is_never_sent_again() {
    for route in [Route::Fhir, Route::ExternalPayment] {
        let start = PostingState { read_back: false, ..begin(route) };
        let PostingStep::Send { state, .. } = step(&start, PostingInput::Go) else { panic!("not sent") };
        let PostingStep::Done { state, status } = step(&state, PostingInput::Lost) else {
            panic!("not done")
        };
        assert!(matches!(status, PostingStatus::Unknown { .. }));
        let PostingStep::Done { status, .. } = step(&state, PostingInput::Go) else { panic!("sent again") };
        assert!(matches!(status, PostingStatus::WaitingForPerson { .. }));
    }
}

#[test]
fn a_finished_posting_stays_finished() {
    let (_, status, _) = post_with(Route::ExternalPayment, &[]);
    let finished = PostingState { leg: Leg::Finished(status.clone()), ..begin(Route::ExternalPayment) };
    let late = response(500, "");
    for input in [PostingInput::Go, PostingInput::Lost, PostingInput::NotSent, PostingInput::Answer(&late)] {
        let PostingStep::Done { status: again, .. } = step(&finished, input) else { panic!("{input:?}") };
        assert_eq!(again, status);
    }
}
