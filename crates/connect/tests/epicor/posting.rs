//! Posting a group: asked once, submitted once, looked at until it is gone.

use suture_connect::erp::epicor::posting::{GroupPosting, GroupPostingState, GroupPostingStep};
use suture_connect::erp::filing::FilingInput;
use suture_connect::http::{HttpRequest, HttpResponse};

use crate::support::{company, error, identity, response, wire};

const OPEN: &str = r#"{"value":[{"GroupID":"S261121A","PostErrorLog":""}]}"#;
const NO_QUESTION: &str = r#"{"parameters":{"vQuestion":"","vTaxQuestion":"","lnMessage":""}}"#;

fn step(allowed: bool, state: &GroupPostingState, input: FilingInput<'_>) -> GroupPostingStep {
    let mut epicor = company();
    epicor.auto_post = allowed;
    let identity = identity();
    GroupPosting { epicor: &epicor, identity: &identity, group: "S261121A" }.step(state, input)
}

fn sent(step: GroupPostingStep) -> (GroupPostingState, HttpRequest) {
    match step {
        GroupPostingStep::Send { state, request } => {
            let stored = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<GroupPostingState>(&stored).unwrap(), state);
            (state, request)
        }
        other => panic!("{other:?}"),
    }
}

fn answer(state: &GroupPostingState, response: &HttpResponse) -> GroupPostingStep {
    step(true, state, FilingInput::Answer(response))
}

/// The state with the submission on its way.
fn submitting() -> (GroupPostingState, HttpRequest) {
    let (state, _) = sent(step(true, &GroupPostingState::begin(), FilingInput::Go));
    let (state, request) = sent(answer(&state, &response(200, OPEN)));
    assert!(wire(&request).contains("CashGrpSvc/PrePostGroup"));
    sent(answer(&state, &response(200, NO_QUESTION)))
}

fn code(step: &GroupPostingStep) -> &str {
    match step {
        GroupPostingStep::Wait { failure, .. } | GroupPostingStep::WaitingForPerson(failure) => &failure.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_is_not_posted_unless_the_connection_allows_it() {
    assert_eq!(code(&step(false, &GroupPostingState::begin(), FilingInput::Go)), "erp_posting_not_allowed");
}

#[test]
fn a_group_is_submitted_once_and_posted_when_it_is_gone() {
    let (state, request) = submitting();
    assert!(
        wire(&request)
            .contains(r#"{"ds":{"CashRecPostParam":[{"GroupID":"S261121A","RowMod":"A"}]},"agentID":"","#)
    );
    let (state, request) = sent(answer(&state, &response(200, "{}")));
    assert!(request.url.contains("CashGrps?$filter="));
    let waiting = answer(&state, &response(200, OPEN));
    assert_eq!(code(&waiting), "erp_posting");
    let GroupPostingStep::Wait { state, .. } = waiting else { panic!() };
    let (state, _) = sent(step(true, &state, FilingInput::Go));
    assert_eq!(answer(&state, &response(200, r#"{"value":[]}"#)), GroupPostingStep::Posted);
}

#[test]
fn after_a_lost_submission_the_group_is_looked_at_and_not_submitted_again() {
    let (submitting, _) = submitting();
    let failure = response(500, "");
    for input in [FilingInput::Lost, FilingInput::Answer(&failure)] {
        let GroupPostingStep::Wait { state, .. } = step(true, &submitting, input) else {
            panic!("{input:?}")
        };
        let (state, request) = sent(step(true, &state, FilingInput::Go));
        assert!(request.url.contains("CashGrps?$filter="));
        assert_eq!(code(&answer(&state, &response(200, OPEN))), "erp_posting");
    }
    let GroupPostingStep::Wait { state, .. } = step(true, &submitting, FilingInput::NotSent) else {
        panic!()
    };
    let (state, _) = sent(step(true, &state, FilingInput::Go));
    assert!(wire(&sent(answer(&state, &response(200, OPEN))).1).contains("PrePostGroup"), "proven not sent");
}

#[test]
fn what_epicor_asks_refuses_or_logs_goes_to_a_person() {
    let (state, _) = sent(step(true, &GroupPostingState::begin(), FilingInput::Go));
    let log = r#"{"value":[{"GroupID":"S261121A","PostErrorLog":"no account"}]}"#;
    assert_eq!(code(&answer(&state, &response(200, log))), "erp_posting_failed");
    let (state, _) = sent(answer(&state, &response(200, OPEN)));
    let question = r#"{"parameters":{"vQuestion":"Post unapplied?"}}"#;
    assert_eq!(code(&answer(&state, &response(200, question))), "erp_posting_question");
    let (state, _) = submitting();
    let refused = answer(&state, &error(400, "BusinessObjectException", "Agent is blank."));
    assert!(matches!(&refused, GroupPostingStep::WaitingForPerson(why) if why.code == "erp_refused"));
}

#[test]
fn a_group_that_is_never_posted_goes_to_a_person() {
    let (mut state, _) = submitting();
    for _ in 0..300 {
        match step(true, &state, FilingInput::Go) {
            GroupPostingStep::Send { state: next, .. } => state = next,
            stuck => return assert_eq!(code(&stuck), "erp_posting_stuck"),
        }
    }
    panic!("looked for ever");
}
