//! The step machine of filing a document in Epicor: pure, and safe to stop and resume before and after every request.
//!
//! Invariants: a record is created only when nothing was sent before, or when what was sent is proven absent; after an
//! unknown outcome the first request is a look-up; a change is decided once, with an absolute target. Same state and
//! input ⇒ same step. A document without trouble takes one request, a change two, a customer two or more.

mod customer;
mod groups;
mod journal;
mod looked_up;
mod memo;
mod order;
mod receipt;
mod reversal;
mod writing;

use suture_core::time::Timestamp;

use super::call::Caller;
pub use super::call::Identity;
use super::errors::{Asked, Failed, unreadable};
use super::settings::Epicor;
use crate::erp::document::{Document, DocumentProblem};
use crate::erp::filing::{
    Cause, Change, FilingInput, FilingState, FilingStatus, FilingStep, Leg, LookUpBy, Refusal,
};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome, Retry};
use looked_up::LookedUp;

/// How often one filing may send its record before a person must look.
const WRITES_MAX: u8 = 3;

/// One document with everything its requests need.
#[derive(Debug, Clone, Copy)]
pub struct Filing<'a> {
    /// The company.
    pub epicor: &'a Epicor,
    /// Who calls.
    pub identity: &'a Identity,
    /// What to file. The same document in every step.
    pub document: &'a Document,
    /// Now; it bounds how far a closed period may move a document.
    pub now: Timestamp,
}

impl Filing<'_> {
    /// Takes one step. See [`FilingStep`] for what to do with the result.
    #[must_use]
    pub fn step(&self, state: &FilingState, input: FilingInput<'_>) -> FilingStep {
        if let Leg::Finished(status) = &state.leg {
            return FilingStep::Done { state: state.clone(), status: status.clone() };
        }
        if let Err(problem) = self.document.check() {
            return finish(state, incomplete(state, &problem));
        }
        match input {
            FilingInput::Go => self.go(state),
            FilingInput::Answer(response) => self.answered(state, response),
            FilingInput::NotSent => not_sent(state),
            FilingInput::Lost => lost(state),
        }
    }

    fn caller(&self) -> Caller<'_> {
        Caller { epicor: self.epicor, identity: self.identity }
    }

    /// Goes on from a stored state of which nothing more is known: a request in flight may or may not have arrived.
    fn go(&self, state: &FilingState) -> FilingStep {
        match &state.leg {
            // Proven absent before, but a second look costs less than a second record.
            Leg::Ready if state.writes > 0 => self.look_up(state, Cause::Unknown, self.first_look_up()),
            Leg::Ready if self.looks_first() => self.look_up(state, Cause::First, self.first_look_up()),
            Leg::Ready => self.write(state),
            Leg::LookingUp { cause, by } => self.look_up(state, *cause, *by),
            Leg::LookingAtGroup | Leg::MakingGroup => self.look_at_group(state),
            Leg::Writing => self.look_up(state, Cause::Unknown, self.first_look_up()),
            Leg::Finished(status) => FilingStep::Done { state: state.clone(), status: status.clone() },
        }
    }

    fn answered(&self, state: &FilingState, response: &HttpResponse) -> FilingStep {
        match &state.leg {
            Leg::LookingUp { cause, by } => {
                let found = self.read_look_up(state, *by, response);
                self.looked_up(state, *cause, found)
            }
            Leg::LookingAtGroup => self.group_looked_at(state, response),
            Leg::MakingGroup => self.group_made(state, response),
            Leg::Writing => match self.read_written(state, response) {
                LookedUp::There(result) => {
                    let existing = matches!(state.change, Some(Change::Link { .. }));
                    finish(state, FilingStatus::Filed { result, existing })
                }
                LookedUp::Different(why) => finish(state, for_person(why)),
                LookedUp::Failed(failed) => self.write_failed(state, failed),
                LookedUp::Change(_) | LookedUp::Next(..) | LookedUp::Absent | LookedUp::Refused(_) => {
                    self.write_failed(state, unreadable(Asked::Write))
                }
            },
            // No request is in flight, so this answers nothing.
            Leg::Ready | Leg::Finished(_) => self.go(state),
        }
    }

    /// Kinds that may exist already for good reasons, or that change what exists.
    fn looks_first(&self) -> bool {
        match self.document {
            Document::Customer(_) | Document::OrderHold(_) | Document::ReceiptReversal(_) => true,
            Document::SalesOrder(_)
            | Document::CashReceipt(_)
            | Document::Application(_)
            | Document::CreditMemo(_)
            | Document::DebitMemo(_)
            | Document::Journal(_) => false,
        }
    }

    fn first_look_up(&self) -> LookUpBy {
        match self.document {
            Document::Customer(customer) if customer.number.is_some() => LookUpBy::Number,
            _ => LookUpBy::Reference,
        }
    }

    fn look_up(&self, state: &FilingState, cause: Cause, by: LookUpBy) -> FilingStep {
        let request = self.look_up_request(state, by);
        send(at(state, Leg::LookingUp { cause, by }), request)
    }

    fn write(&self, state: &FilingState) -> FilingStep {
        if state.writes >= WRITES_MAX {
            return finish(state, for_person(too_often()));
        }
        let mut next = at(state, Leg::Writing);
        next.writes += 1;
        let request = self.write_request(&next);
        send(next, request)
    }

    fn looked_up(&self, state: &FilingState, cause: Cause, found: LookedUp) -> FilingStep {
        let state = &accepted_token(state);
        match found {
            LookedUp::There(result) => {
                let existing = state.writes == 0 || (state.writes == 1 && cause == Cause::Duplicate);
                finish(state, FilingStatus::Filed { result, existing })
            }
            LookedUp::Different(why) => finish(state, for_person(why)),
            LookedUp::Next(by, change) => {
                let next = FilingState { change: change.or_else(|| state.change.clone()), ..state.clone() };
                self.look_up(&next, cause, by)
            }
            LookedUp::Change(change) => self.write(&FilingState { change: Some(change), ..state.clone() }),
            LookedUp::Absent => match (cause, &state.refusal) {
                (Cause::Duplicate, _) => finish(state, for_person(duplicate_not_found())),
                // Refused inside a success, and nothing of it was kept.
                (Cause::First | Cause::Unknown, Some(refusal)) => {
                    let refusal = refusal.clone();
                    let next = FilingState { refusal: None, ..state.clone() };
                    match self.place_of(state) {
                        Some(_) => self.declined_in_group(&next, refusal),
                        None => finish(state, rejected(refusal)),
                    }
                }
                (Cause::First | Cause::Unknown, None) => self.write(state),
            },
            LookedUp::Refused(refusal) => finish(state, rejected(refusal)),
            LookedUp::Failed(failed) => match (failed.outcome.clone(), cause) {
                (Outcome::Done(never), _) => match never {},
                (Outcome::NotSent(failure), _) => wait(state, failure),
                (Outcome::Unknown(failure), Cause::First) => wait(state, failure),
                (Outcome::Declined(failure), Cause::First) => {
                    finish(state, rejected(refusal(failed, failure)))
                }
                (Outcome::Unknown(why) | Outcome::Declined(why), Cause::Unknown | Cause::Duplicate) => {
                    unknown(state, why)
                }
            },
        }
    }

    fn write_failed(&self, state: &FilingState, failed: Failed) -> FilingStep {
        match failed.outcome.clone() {
            Outcome::Done(never) => match never {},
            Outcome::NotSent(failure) => wait(&taken_back(state), failure),
            // Errors inside a success: some of it may have been kept.
            Outcome::Unknown(failure) if failure.retry != Retry::LookUpFirst && !is_throttled(&failure) => {
                let next = FilingState { refusal: Some(refusal(failed, failure)), ..accepted_token(state) };
                self.look_up(&next, Cause::Unknown, self.first_look_up())
            }
            Outcome::Unknown(failure) if is_throttled(&failure) => wait(state, failure),
            Outcome::Unknown(why) => unknown(state, why),
            Outcome::Declined(failure) => self.declined(&accepted_token(state), failed, failure),
        }
    }

    /// Epicor considered the write and refused it: nothing was recorded by it.
    fn declined(&self, state: &FilingState, failed: Failed, failure: Failure) -> FilingStep {
        let code = failure.code.clone();
        if code == "erp_duplicate" {
            return self.look_up(state, Cause::Duplicate, self.first_look_up());
        }
        let refused = refusal(failed, failure);
        match self.document {
            Document::ReceiptReversal(_) if code == "erp_not_found" => {
                self.look_up(state, Cause::Unknown, LookUpBy::Reference)
            }
            Document::Application(_)
                if state.change.is_none() && code.starts_with("erp_") && is_about_place(&code) =>
            {
                let next = FilingState { refusal: Some(refused), ..taken_back(state) };
                self.look_up(&next, Cause::First, LookUpBy::Other)
            }
            Document::CashReceipt(_)
            | Document::CreditMemo(_)
            | Document::DebitMemo(_)
            | Document::Journal(_) => self.declined_in_group(state, refused),
            _ if code == "erp_group_in_use" => wait(&taken_back(state), refused.failure),
            _ => finish(state, rejected(refused)),
        }
    }
}

/// Whether a refusal may be about where the record was to go, not about the record.
fn is_about_place(code: &str) -> bool {
    matches!(code, "erp_group_posted" | "erp_group_missing" | "erp_not_found" | "erp_refused")
}

fn is_throttled(failure: &Failure) -> bool {
    matches!(failure.retry, Retry::Throttled(_))
}

fn not_sent(state: &FilingState) -> FilingStep {
    let message = "Epicor could not be reached and nothing was sent. It is tried again later.";
    let failure = Failure::new("erp_unreachable", message, Retry::Later);
    match &state.leg {
        Leg::Writing => wait(&taken_back(state), failure),
        Leg::Ready | Leg::LookingUp { .. } | Leg::LookingAtGroup | Leg::MakingGroup | Leg::Finished(_) => {
            wait(state, failure)
        }
    }
}

fn lost(state: &FilingState) -> FilingStep {
    if state.is_uncertain() {
        let message = "No whole answer came from Epicor, so it is not known whether Epicor did it. It is looked up \
                       before it is sent again.";
        return unknown(state, Failure::new("erp_no_answer", message, Retry::LookUpFirst));
    }
    let message =
        "No answer came from Epicor to a question. No money was moved by it; it is asked again later.";
    wait(state, Failure::new("erp_no_answer", message, Retry::Later))
}

/// A document that cannot be written. Once something was sent, only a person can tell what became of it.
fn incomplete(state: &FilingState, problem: &DocumentProblem) -> FilingStatus {
    let unsent = state.leg == Leg::Ready && state.writes == 0;
    let ending = if unsent {
        "Nothing was sent. Correct the mapping, then send again."
    } else {
        "Something was sent before the document changed. A person must look in Epicor."
    };
    let message = format!("The document cannot be sent: {problem}. {ending}");
    let failure = Failure::new("erp_document_incomplete", message, Retry::Never);
    if unsent {
        FilingStatus::Rejected { failure, field: Some(problem.field.clone()), value: None }
    } else {
        for_person(failure)
    }
}

fn at(state: &FilingState, leg: Leg) -> FilingState {
    FilingState { leg, ..state.clone() }
}

fn send(state: FilingState, request: HttpRequest) -> FilingStep {
    FilingStep::Send { state, request }
}

fn finish(state: &FilingState, status: FilingStatus) -> FilingStep {
    FilingStep::Done { state: at(state, Leg::Finished(status.clone())), status }
}

/// Stays where it is: the next `Go` looks it up.
fn unknown(state: &FilingState, why: Failure) -> FilingStep {
    FilingStep::Done { state: accepted_token(state), status: FilingStatus::Unknown { why } }
}

fn rejected(refusal: Refusal) -> FilingStatus {
    FilingStatus::Rejected { failure: refusal.failure, field: refusal.field, value: refusal.value }
}

fn refusal(failed: Failed, failure: Failure) -> Refusal {
    Refusal { failure, field: failed.field, value: failed.value }
}

fn for_person(why: Failure) -> FilingStatus {
    FilingStatus::WaitingForPerson { why }
}

/// The identity was good for the call that was just answered.
fn accepted_token(state: &FilingState) -> FilingState {
    FilingState { refused_tokens: 0, ..state.clone() }
}

/// The last write is proven not to have happened.
fn taken_back(state: &FilingState) -> FilingState {
    FilingState { writes: state.writes.saturating_sub(1), ..at(state, Leg::Ready) }
}

/// Waits. A token is fetched anew once; when the new one is refused too, fetching more would not help.
fn wait(state: &FilingState, failure: Failure) -> FilingStep {
    if failure.retry != Retry::RefreshToken {
        return FilingStep::Wait { state: accepted_token(state), failure };
    }
    let state = FilingState { refused_tokens: state.refused_tokens.saturating_add(1), ..state.clone() };
    if state.refused_tokens == 1 {
        return FilingStep::Wait { state, failure };
    }
    let message = "Epicor refused a new sign-in too and did nothing. Check the user, the password, the API key and the \
                   licence; it is tried again later and nothing is lost.";
    let again =
        Failure { raw: failure.raw, ..Failure::new("erp_token_refused_again", message, Retry::Later) };
    FilingStep::Wait { state, failure: again }
}

fn too_often() -> Failure {
    let message = format!(
        "This was sent {WRITES_MAX} times; Epicor never answered clearly and the look-ups did not find it. Nothing more \
         is sent. A person must look in Epicor."
    );
    Failure::new("erp_sent_too_often", message, Retry::Never)
}

fn duplicate_not_found() -> Failure {
    let message = "Epicor says that this record exists already, but no record with our reference was found. Nothing \
                   was added. A person must look in Epicor before anybody sends it again.";
    Failure::new("erp_duplicate_not_found", message, Retry::Never)
}
