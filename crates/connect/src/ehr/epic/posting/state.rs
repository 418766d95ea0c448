//! Where a posting is, and what it came to. Both are stored by the caller.

use serde::{Deserialize, Serialize};

use crate::ehr::epic::routes::{Proposal, Route};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Retry};

/// Where a posting is. Stored before each request leaves, so that a crash at any moment is survived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostingState {
    /// The route, fixed when the posting begins: changing it in between could post twice.
    pub route: Route,
    /// Whether Epic can be asked for the posting afterwards.
    pub read_back: bool,
    /// What is in flight.
    pub leg: Leg,
    /// How often the payment may have reached Epic.
    pub posts: u8,
    /// How often the notice may have reached Epic (FHIR only).
    pub notice_posts: u8,
    /// How often the final look-up was not answered.
    pub failed_confirmations: u8,
    /// How often in a row the access token was refused.
    pub refused_tokens: u8,
    /// The `PaymentReconciliation` (FHIR only).
    pub reconciliation: Option<String>,
    /// Whether the record was there before we sent anything in this posting.
    pub existing: bool,
}

/// What is in flight. A crash leaves the leg whose request may have left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Nothing, and everything that was sent is proven not to have happened.
    Ready,
    /// The search for our reference.
    LookingUp {
        /// Why we look.
        cause: LookUpCause,
    },
    /// The payment itself.
    Posting,
    /// Nothing; the payment is there, the notice is to come (FHIR only).
    NoticeReady,
    /// The search for the notice (FHIR only).
    LookingUpNotice,
    /// The notice (FHIR only).
    PostingNotice,
    /// The final look-up; Epic has already said yes.
    Confirming,
    /// Nothing, for good.
    Finished(PostingStatus),
}

/// Why our reference is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookUpCause {
    /// Nothing was sent yet.
    First,
    /// A post was sent and its outcome is unknown.
    Unknown,
    /// Epic said that the record exists.
    Duplicate,
}

/// What a posting came to, told truthfully.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PostingStatus {
    /// Epic has it: a receipt number, or found again with the same amount.
    Confirmed {
        /// The proof.
        evidence: Confirmation,
    },
    /// Epic said yes, but nothing proves it afterwards.
    Accepted {
        /// Epic's id of the record, when it told one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// A person must look at it in Epic.
    WaitingForPerson {
        /// What is known, and what to do.
        why: Failure,
    },
    /// It may or may not have happened. Not the end: the next [`PostingInput::Go`] looks it up.
    Unknown {
        /// What happened, and when to go on.
        why: Failure,
    },
    /// Epic refused it; nothing was posted.
    Rejected {
        /// Why, and what to do.
        failure: Failure,
        /// For `epic_merged_patient`: the patient to link and post to instead, when Epic named one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        surviving_patient: Option<String>,
    },
}

/// The proof of a confirmed posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Confirmation {
    /// Epic answered with a receipt number.
    Receipt {
        /// The number.
        number: String,
    },
    /// Epic was asked and has our reference with the same amount.
    ReadBack {
        /// Epic's id or receipt number of the record.
        reference: String,
        /// Whether it was there before this posting sent anything.
        existing: bool,
    },
}

/// What the caller knows when it calls.
#[derive(Debug, Clone, Copy)]
pub enum PostingInput<'a> {
    /// Nothing new: the first call, a call after a wait or an unknown outcome, or after a restart. After a restart
    /// wait at least the time limit of a request first: the former one may still be on its way.
    Go,
    /// The answer to the request that was sent.
    Answer(&'a HttpResponse),
    /// The request is proven not to have left (no connection).
    NotSent,
    /// The request left, or may have left, and no whole answer came.
    Lost,
}

/// What to do next. Store the state first, always.
#[derive(Debug, Clone, PartialEq)]
pub enum PostingStep {
    /// Store the state, send the request, come back with its answer.
    Send {
        /// The new state.
        state: PostingState,
        /// The request.
        request: HttpRequest,
    },
    /// Store the state; it cannot go on now. Come back with `Go` when `failure.retry` allows. Whether something that
    /// was sent before is still uncertain tells [`PostingState::is_uncertain`].
    Wait {
        /// The new state.
        state: PostingState,
        /// Why, and when to go on.
        failure: Failure,
    },
    /// The status to show. Final, unless it is `Unknown`.
    Done {
        /// The new state.
        state: PostingState,
        /// The status.
        status: PostingStatus,
    },
}

impl PostingState {
    /// The beginning of a posting by the proposed route. A route that cannot be carried out here is finished at once:
    /// it waits for a person.
    #[must_use]
    pub fn begin(proposal: &Proposal) -> Self {
        let leg = match proposal.route {
            Route::Fhir | Route::ExternalPayment => Leg::Ready,
            Route::Person | Route::Lockbox | Route::Hl7 => {
                let message = format!(
                    "This site offers no way to post by itself, and nothing was sent. A person posts it in Epic. {}",
                    proposal.reasons.join(" ")
                );
                let why = Failure::new("epic_no_posting_route", message.trim_end(), Retry::Never);
                Leg::Finished(PostingStatus::WaitingForPerson { why })
            }
        };
        Self {
            route: proposal.route,
            read_back: proposal.read_back,
            leg,
            posts: 0,
            notice_posts: 0,
            failed_confirmations: 0,
            refused_tokens: 0,
            reconciliation: None,
            existing: false,
        }
    }

    /// Whether something was sent whose outcome is not known: the money may or may not be in Epic.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match &self.leg {
            Leg::Posting | Leg::PostingNotice => true,
            Leg::LookingUp { cause } => *cause != LookUpCause::First,
            Leg::Finished(status) => matches!(status, PostingStatus::Unknown { .. }),
            Leg::Ready | Leg::NoticeReady | Leg::LookingUpNotice | Leg::Confirming => false,
        }
    }
}
