//! Where the filing of a document is, what the caller tells, and what it is told. Stored by the caller.
//!
//! The steps themselves are the ERP's own: for Epicor [`super::epicor::filing`]. Invariants: a record is created only
//! when nothing was sent before or when a look-up by our reference proved it absent; after an unknown outcome the next
//! request is a look-up. The state is stored before each request leaves, so a crash at any moment is survived.

use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;

use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Failure;

/// Where a filing is. Opaque to the caller; stored as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilingState {
    /// What is in flight.
    pub(in crate::erp) leg: Leg,
    /// How often the record itself may have been created or changed.
    pub(in crate::erp) writes: u8,
    /// How often a group may have been made.
    pub(in crate::erp) group_writes: u8,
    /// Which of the day's groups is tried: 0 is the first.
    pub(in crate::erp) group_turn: u8,
    /// Whether the present group was seen open.
    pub(in crate::erp) group_seen: bool,
    /// The day to which a closed period moved the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::erp) moved_to: Option<LocalDate>,
    /// How often it was moved.
    pub(in crate::erp) moves: u8,
    /// Why the last write was refused, while the group is being looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::erp) refusal: Option<Refusal>,
    /// The change that a look-up found to be needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::erp) change: Option<Change>,
    /// How often in a row the identity was refused.
    pub(in crate::erp) refused_tokens: u8,
}

/// What is in flight. A crash leaves the leg whose request may have left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::erp) enum Leg {
    /// Nothing, and everything that was sent is proven not to have happened.
    Ready,
    /// A look-up of our record.
    LookingUp {
        /// Why we look.
        cause: Cause,
        /// By what.
        by: LookUpBy,
    },
    /// The look at the group, after a refusal.
    LookingAtGroup,
    /// The creation of the group.
    MakingGroup,
    /// The creation or the change of the record itself.
    Writing,
    /// Nothing, for good.
    Finished(FilingStatus),
}

/// Why our record is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::erp) enum Cause {
    /// Nothing was sent yet, or what was sent is proven not to have happened.
    First,
    /// A write was sent and its outcome is unknown.
    Unknown,
    /// The ERP said that the record exists.
    Duplicate,
}

/// By what our record is looked up. Only customers have more than one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::erp) enum LookUpBy {
    /// The ERP's own number.
    Number,
    /// Our reference, or our key of a customer.
    Reference,
    /// What people know: e-mail and name.
    Match,
    /// A record that was found on the way: the customer that matched, the receipt of an application.
    Other,
}

/// A write that the ERP refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::erp) struct Refusal {
    pub(in crate::erp) failure: Failure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::erp) field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::erp) value: Option<String>,
}

/// A change of a record that exists, decided once and with an absolute target, so that sending it twice is one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::erp) enum Change {
    /// Set the fields of the document.
    Set,
    /// Delete the record, which is not posted.
    Delete,
    /// Lower the amount to this many minor units.
    Lower(i64),
    /// Reverse the record, which is posted.
    Reverse,
    /// Apply the posted record's credit, by this number of the ERP.
    ApplyCredit(i64),
    /// Write our key into a customer that was matched.
    Link {
        /// The ERP's number.
        number: i64,
        /// The ERP's id.
        id: String,
    },
}

/// What a filing came to, told truthfully.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum FilingStatus {
    /// The ERP has it.
    Filed {
        /// The ERP's keys of the record, by kind of document. Holds no personal data.
        result: serde_json::Value,
        /// Whether it was there before this filing sent anything.
        existing: bool,
    },
    /// It may or may not have happened. Not the end: the next [`FilingInput::Go`] looks it up.
    Unknown {
        /// What happened, and when to go on.
        why: Failure,
    },
    /// A person must look at it in the ERP.
    WaitingForPerson {
        /// What is known, and what to do.
        why: Failure,
    },
    /// The ERP, or the check before it, refused the document; nothing was recorded.
    Rejected {
        /// Why, and what to do.
        failure: Failure,
        /// The field that was refused, in the ERP's word (`PartNum`) or the document's path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
        /// The refused value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
}

/// What the caller knows when it calls.
#[derive(Debug, Clone, Copy)]
pub enum FilingInput<'a> {
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
pub enum FilingStep {
    /// Store the state, send the request, come back with its answer.
    Send {
        /// The new state.
        state: FilingState,
        /// The request.
        request: HttpRequest,
    },
    /// Store the state; it cannot go on now. Come back with `Go` when `failure.retry` allows. Whether something that
    /// was sent before is still uncertain tells [`FilingState::is_uncertain`].
    Wait {
        /// The new state.
        state: FilingState,
        /// Why, and when to go on.
        failure: Failure,
    },
    /// The status to show. Final, unless it is `Unknown`.
    Done {
        /// The new state.
        state: FilingState,
        /// The status.
        status: FilingStatus,
    },
}

impl FilingState {
    /// The beginning: nothing was sent.
    #[must_use]
    pub const fn begin() -> Self {
        Self {
            leg: Leg::Ready,
            writes: 0,
            group_writes: 0,
            group_turn: 0,
            group_seen: false,
            moved_to: None,
            moves: 0,
            refusal: None,
            change: None,
            refused_tokens: 0,
        }
    }

    /// Whether something was sent whose outcome is not known: the record may or may not be in the ERP.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match &self.leg {
            Leg::Writing => true,
            Leg::LookingUp { cause, .. } => *cause != Cause::First,
            Leg::Finished(status) => matches!(status, FilingStatus::Unknown { .. }),
            Leg::Ready | Leg::LookingAtGroup | Leg::MakingGroup => false,
        }
    }
}
