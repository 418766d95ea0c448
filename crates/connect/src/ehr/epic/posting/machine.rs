//! The step machine of a posting: pure, and safe to stop and resume before and after every request.
//!
//! Called by the engine's posting worker. Invariants: a payment is sent only when nothing was sent before, or when what
//! was sent is proven absent; after an unknown outcome the first request is a look-up; `Confirmed` needs a receipt
//! number or a record found with our reference and amount. Same state and input ⇒ same step.

use std::convert::Infallible;

use suture_core::redact::Secret;

use super::document::{PaymentPosting, PostingProblem};
use super::external::{self, Posted};
use super::fhir::{self, NOTICE, RECONCILIATION};
use super::look_up::LookUp;
use super::state::{Confirmation, Leg, LookUpCause, PostingInput, PostingState, PostingStatus, PostingStep};
use crate::ehr::epic::outcome_codes;
use crate::ehr::epic::routes::Route;
use crate::ehr::epic::settings::Epic;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome, Retry};

/// How often one posting may send its payment, and its notice, before a person must look.
const POSTS_MAX: u8 = 3;
/// How often the final look-up may fail before the posting is shown as accepted.
const FAILED_CONFIRMATIONS_MAX: u8 = 3;

/// One posting with everything its requests need.
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a> {
    /// The site.
    pub epic: &'a Epic,
    /// A valid access token.
    pub token: &'a Secret<String>,
    /// What to post. The same document in every step.
    pub document: &'a PaymentPosting,
}

impl Posting<'_> {
    /// Takes one step. See [`PostingStep`] for what to do with the result.
    #[must_use]
    pub fn step(&self, state: &PostingState, input: PostingInput<'_>) -> PostingStep {
        if let Leg::Finished(status) = &state.leg {
            return PostingStep::Done { state: state.clone(), status: status.clone() };
        }
        if let Err(problem) = self.document.check() {
            return finish(state, incomplete(state, &problem));
        }
        match input {
            PostingInput::Go => self.go(state),
            PostingInput::Answer(response) => self.answered(state, response),
            PostingInput::NotSent => not_sent(state),
            PostingInput::Lost => lost(state),
        }
    }

    /// Goes on from a stored state of which nothing more is known: a request in flight may or may not have arrived.
    fn go(&self, state: &PostingState) -> PostingStep {
        match &state.leg {
            // Proven absent before, but a second look costs less than a second payment.
            Leg::Ready if state.posts > 0 && state.read_back => self.look_up(state, LookUpCause::Unknown),
            Leg::Ready if state.route == Route::Fhir && state.read_back => {
                self.look_up(state, LookUpCause::First)
            }
            Leg::Ready => self.post(state),
            Leg::LookingUp { cause } => self.look_up(state, *cause),
            Leg::Posting if state.read_back => self.look_up(state, LookUpCause::Unknown),
            Leg::NoticeReady if !state.read_back => self.post_notice(state),
            Leg::NoticeReady | Leg::LookingUpNotice => self.look_up_notice(state),
            Leg::PostingNotice if state.read_back => self.look_up_notice(state),
            Leg::Posting | Leg::PostingNotice => finish(state, for_person(cannot_look_up())),
            Leg::Confirming => self.confirm(state),
            Leg::Finished(status) => PostingStep::Done { state: state.clone(), status: status.clone() },
        }
    }

    fn answered(&self, state: &PostingState, response: &HttpResponse) -> PostingStep {
        match &state.leg {
            Leg::LookingUp { cause } => {
                self.looked_up(state, *cause, self.read_look_up(state, response), response)
            }
            Leg::Posting if state.route == Route::Fhir => match fhir::created(RECONCILIATION, response) {
                Ok(id) => {
                    let mut state = accepted_token(state);
                    state.reconciliation = id;
                    self.post_notice(&state)
                }
                Err(failed) => self.post_failed(state, failed, response),
            },
            Leg::Posting => self.result_posted(state, response),
            Leg::LookingUpNotice => {
                self.notice_looked_up(state, fhir::found(self.epic, NOTICE, self.document, response))
            }
            Leg::PostingNotice => match fhir::created(NOTICE, response) {
                Ok(_) => self.accepted(&accepted_token(state)),
                Err(failed) => self.notice_failed(state, failed),
            },
            Leg::Confirming => confirmed(state, self.read_look_up(state, response)),
            // No request is in flight, so this answers nothing.
            Leg::Ready | Leg::NoticeReady | Leg::Finished(_) => self.go(state),
        }
    }

    fn read_look_up(&self, state: &PostingState, response: &HttpResponse) -> LookUp {
        match state.route {
            Route::Fhir => fhir::found(self.epic, RECONCILIATION, self.document, response),
            Route::ExternalPayment | Route::Lockbox | Route::Hl7 | Route::Person => {
                external::found(self.epic, self.document, response)
            }
        }
    }

    fn look_up_request(&self, state: &PostingState) -> HttpRequest {
        match state.route {
            Route::Fhir => fhir::search(self.epic, self.token, RECONCILIATION, self.document),
            Route::ExternalPayment | Route::Lockbox | Route::Hl7 | Route::Person => {
                external::look_up(self.epic, self.token, self.document)
            }
        }
    }

    fn look_up(&self, state: &PostingState, cause: LookUpCause) -> PostingStep {
        send(at(state, Leg::LookingUp { cause }), self.look_up_request(state))
    }

    fn confirm(&self, state: &PostingState) -> PostingStep {
        send(at(state, Leg::Confirming), self.look_up_request(state))
    }

    fn post(&self, state: &PostingState) -> PostingStep {
        if state.posts >= POSTS_MAX {
            return finish(state, for_person(too_often()));
        }
        let mut next = at(state, Leg::Posting);
        next.posts += 1;
        let request = match state.route {
            Route::Fhir => fhir::create_reconciliation(self.epic, self.token, self.document),
            Route::ExternalPayment | Route::Lockbox | Route::Hl7 | Route::Person => {
                external::post_result(self.epic, self.token, self.document)
            }
        };
        send(next, request)
    }

    fn look_up_notice(&self, state: &PostingState) -> PostingStep {
        let request = fhir::search(self.epic, self.token, NOTICE, self.document);
        send(at(state, Leg::LookingUpNotice), request)
    }

    fn post_notice(&self, state: &PostingState) -> PostingStep {
        if state.notice_posts >= POSTS_MAX {
            return finish(state, for_person(too_often()));
        }
        let mut next = at(state, Leg::PostingNotice);
        next.notice_posts += 1;
        let id = state.reconciliation.as_deref();
        send(next, fhir::create_notice(self.epic, self.token, self.document, id))
    }

    /// Epic said yes: read it back when that is possible.
    fn accepted(&self, state: &PostingState) -> PostingStep {
        if state.read_back { self.confirm(state) } else { finish(state, accepted_only(state)) }
    }

    fn looked_up(
        &self,
        state: &PostingState,
        cause: LookUpCause,
        found: LookUp,
        response: &HttpResponse,
    ) -> PostingStep {
        match (found, cause) {
            (LookUp::Found { reference, .. }, _) if state.route == Route::Fhir => {
                let mut next = accepted_token(state);
                next.reconciliation = Some(reference);
                next.existing = was_there_before(state, cause);
                self.look_up_notice(&next)
            }
            (found @ LookUp::Found { .. }, _) => {
                let mut next = accepted_token(state);
                next.existing = was_there_before(state, cause);
                confirmed(&next, found)
            }
            (LookUp::Different(why), _) => finish(state, for_person(why)),
            (LookUp::Absent, LookUpCause::First | LookUpCause::Unknown) => self.post(&accepted_token(state)),
            (LookUp::Absent, LookUpCause::Duplicate) => finish(state, for_person(duplicate_not_found())),
            (LookUp::Failed(Outcome::NotSent(failure)), _) => wait(state, failure),
            (LookUp::Failed(Outcome::Declined(failure)), LookUpCause::First) => {
                self.declined(state, failure, response)
            }
            (LookUp::Failed(Outcome::Unknown(failure)), LookUpCause::First) => wait(state, failure),
            (LookUp::Failed(Outcome::Declined(why) | Outcome::Unknown(why)), _) => unknown(state, why),
            (LookUp::Failed(Outcome::Done(never)), _) => match never {},
        }
    }

    fn result_posted(&self, state: &PostingState, response: &HttpResponse) -> PostingStep {
        match external::posted(self.epic, self.document, response) {
            Posted::Receipt(number) => {
                finish(state, PostingStatus::Confirmed { evidence: Confirmation::Receipt { number } })
            }
            Posted::Taken => self.accepted(&accepted_token(state)),
            Posted::Different(why) => finish(state, for_person(why)),
            Posted::Failed(failed) => self.post_failed(state, failed, response),
        }
    }

    fn post_failed(
        &self,
        state: &PostingState,
        failed: Outcome<Infallible>,
        response: &HttpResponse,
    ) -> PostingStep {
        match failed {
            Outcome::Done(never) => match never {},
            Outcome::Declined(failure) if failure.code == "epic_duplicate" => {
                if state.read_back {
                    self.look_up(&accepted_token(state), LookUpCause::Duplicate)
                } else {
                    finish(state, for_person(duplicate_not_found()))
                }
            }
            Outcome::Declined(failure) => self.declined(state, failure, response),
            Outcome::NotSent(failure) => wait(&post_taken_back(state), failure),
            Outcome::Unknown(why) => unknown(state, why),
        }
    }

    /// Nothing was posted, and Epic said why.
    fn declined(&self, state: &PostingState, failure: Failure, response: &HttpResponse) -> PostingStep {
        if failure.code == "epic_break_the_glass" {
            return finish(state, for_person(failure));
        }
        let surviving_patient = if failure.code == "epic_merged_patient" {
            let former = self.document.patient_id().unwrap_or_default();
            outcome_codes::surviving_patient(response, former)
        } else {
            None
        };
        finish(state, PostingStatus::Rejected { failure, surviving_patient })
    }

    fn notice_looked_up(&self, state: &PostingState, found: LookUp) -> PostingStep {
        match found {
            LookUp::Found { .. } => self.accepted(&accepted_token(state)),
            LookUp::Different(why) => finish(state, for_person(why)),
            LookUp::Absent => self.post_notice(&accepted_token(state)),
            LookUp::Failed(Outcome::NotSent(failure) | Outcome::Unknown(failure)) => wait(state, failure),
            LookUp::Failed(Outcome::Declined(failure)) => finish(state, for_person(half_posted(failure))),
            LookUp::Failed(Outcome::Done(never)) => match never {},
        }
    }

    fn notice_failed(&self, state: &PostingState, failed: Outcome<Infallible>) -> PostingStep {
        match failed {
            Outcome::Done(never) => match never {},
            // Epic has the notice already: the final look-up tells about the payment itself.
            Outcome::Declined(failure) if failure.code == "epic_duplicate" => {
                self.accepted(&accepted_token(state))
            }
            Outcome::Declined(failure) => finish(state, for_person(half_posted(failure))),
            Outcome::NotSent(failure) => wait(&notice_taken_back(state), failure),
            Outcome::Unknown(why) => unknown(state, why),
        }
    }
}

/// The end of the final look-up, and of every look-up on the external route that found something. Epic has said yes
/// before, so nothing here may lead to another post.
fn confirmed(state: &PostingState, found: LookUp) -> PostingStep {
    match found {
        LookUp::Found { reference, amount_seen: true } => {
            let evidence = Confirmation::ReadBack { reference, existing: state.existing };
            finish(state, PostingStatus::Confirmed { evidence })
        }
        LookUp::Found { reference, amount_seen: false } => {
            finish(state, PostingStatus::Accepted { reference: Some(reference) })
        }
        LookUp::Different(why) => finish(state, for_person(why)),
        LookUp::Absent | LookUp::Failed(Outcome::Declined(_)) => finish(state, accepted_only(state)),
        LookUp::Failed(Outcome::NotSent(failure)) => wait(state, failure),
        LookUp::Failed(Outcome::Unknown(failure)) => {
            let mut next = accepted_token(state);
            next.failed_confirmations = next.failed_confirmations.saturating_add(1);
            if next.failed_confirmations >= FAILED_CONFIRMATIONS_MAX {
                return finish(&next, accepted_only(&next));
            }
            wait(&next, failure)
        }
        LookUp::Failed(Outcome::Done(never)) => match never {},
    }
}

fn not_sent(state: &PostingState) -> PostingStep {
    let message = "Epic could not be reached and nothing was sent. It is tried again later.";
    let failure = Failure::new("epic_unreachable", message, Retry::Later);
    match &state.leg {
        Leg::Posting => wait(&post_taken_back(state), failure),
        Leg::PostingNotice => wait(&notice_taken_back(state), failure),
        Leg::Ready
        | Leg::LookingUp { .. }
        | Leg::NoticeReady
        | Leg::LookingUpNotice
        | Leg::Confirming
        | Leg::Finished(_) => wait(state, failure),
    }
}

fn lost(state: &PostingState) -> PostingStep {
    match &state.leg {
        Leg::Posting
        | Leg::PostingNotice
        | Leg::LookingUp { cause: LookUpCause::Unknown | LookUpCause::Duplicate } => {
            let message = "No whole answer came from Epic, so it is not known whether Epic posted it. It is looked up \
                           before it is sent again.";
            unknown(state, Failure::new("epic_no_answer", message, Retry::LookUpFirst))
        }
        Leg::Confirming => {
            confirmed(state, LookUp::Failed(outcome_codes::unreadable(outcome_codes::Asked::Read)))
        }
        Leg::Ready
        | Leg::LookingUp { cause: LookUpCause::First }
        | Leg::NoticeReady
        | Leg::LookingUpNotice
        | Leg::Finished(_) => {
            let message =
                "No answer came from Epic to a question. Nothing was changed by it; it is asked again later.";
            wait(state, Failure::new("epic_no_answer", message, Retry::Later))
        }
    }
}

/// Whether a record that was found cannot be the work of this posting: nothing was sent, or the only post was refused
/// as a duplicate.
fn was_there_before(state: &PostingState, cause: LookUpCause) -> bool {
    state.posts == 0 || (state.posts == 1 && cause == LookUpCause::Duplicate)
}

/// A document that cannot be written. Once something was sent, only a person can tell what became of it.
fn incomplete(state: &PostingState, problem: &PostingProblem) -> PostingStatus {
    let rejected = state.leg == Leg::Ready && state.posts == 0;
    let ending = if rejected {
        "Nothing was sent. Correct the mapping, then post again."
    } else {
        "It was sent in part before the document changed. A person must look in Epic."
    };
    let failure = Failure::new(
        "posting_incomplete",
        format!("The posting cannot be sent: {problem}. {ending}"),
        Retry::Never,
    );
    if rejected { PostingStatus::Rejected { failure, surviving_patient: None } } else { for_person(failure) }
}

fn at(state: &PostingState, leg: Leg) -> PostingState {
    PostingState { leg, ..state.clone() }
}

fn send(state: PostingState, request: HttpRequest) -> PostingStep {
    PostingStep::Send { state, request }
}

fn finish(state: &PostingState, status: PostingStatus) -> PostingStep {
    PostingStep::Done { state: at(state, Leg::Finished(status.clone())), status }
}

fn unknown(state: &PostingState, why: Failure) -> PostingStep {
    PostingStep::Done { state: accepted_token(state), status: PostingStatus::Unknown { why } }
}

/// The token was good for the call that was just answered.
fn accepted_token(state: &PostingState) -> PostingState {
    PostingState { refused_tokens: 0, ..state.clone() }
}

/// Waits. A token is fetched anew once; when the new one is refused too, fetching more would not help.
fn wait(state: &PostingState, failure: Failure) -> PostingStep {
    if failure.retry != Retry::RefreshToken {
        return PostingStep::Wait { state: accepted_token(state), failure };
    }
    let state = PostingState { refused_tokens: state.refused_tokens.saturating_add(1), ..state.clone() };
    if state.refused_tokens == 1 {
        return PostingStep::Wait { state, failure };
    }
    let message = "Epic refused a new access token too and did nothing. Check the app's registration, scopes and the \
                   background user; it is tried again later and nothing is lost.";
    let again =
        Failure { raw: failure.raw, ..Failure::new("epic_token_refused_again", message, Retry::Later) };
    PostingStep::Wait { state, failure: again }
}

/// The last post is proven not to have happened.
fn post_taken_back(state: &PostingState) -> PostingState {
    PostingState { posts: state.posts.saturating_sub(1), ..at(state, Leg::Ready) }
}

/// The last notice is proven not to have happened.
fn notice_taken_back(state: &PostingState) -> PostingState {
    PostingState { notice_posts: state.notice_posts.saturating_sub(1), ..at(state, Leg::NoticeReady) }
}

fn accepted_only(state: &PostingState) -> PostingStatus {
    PostingStatus::Accepted { reference: state.reconciliation.clone() }
}

fn for_person(why: Failure) -> PostingStatus {
    PostingStatus::WaitingForPerson { why }
}

fn cannot_look_up() -> Failure {
    let message = "It is not known whether Epic posted this, and this site offers no way to look it up. Nothing more is \
                   sent. A person must look in Epic.";
    Failure::new("epic_cannot_look_up", message, Retry::Never)
}

fn too_often() -> Failure {
    let message = format!(
        "This was sent {POSTS_MAX} times; Epic never answered clearly and the look-ups did not find it. Nothing more \
         is sent. A person must look in Epic."
    );
    Failure::new("epic_sent_too_often", message, Retry::Never)
}

fn duplicate_not_found() -> Failure {
    let message = "Epic says that this record exists already, but no record with our reference was found. Nothing was \
                   added. A person must look in Epic before anybody posts again.";
    Failure::new("epic_duplicate_not_found", message, Retry::Never)
}

/// The payment is at Epic, its notice is not.
fn half_posted(failure: Failure) -> Failure {
    let message = format!(
        "Epic has the payment, but not the notice to the organization. A person must complete it in Epic. {}",
        failure.message
    );
    Failure { code: "epic_half_posted".to_owned(), message, retry: Retry::Never, raw: failure.raw }
}
