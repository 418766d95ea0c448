//! What a run asks of the shell, and what the shell answers.
//!
//! Keys, documents and details may hold personal data and are wrapped, so that `Debug` of these types is safe to log.

use std::fmt;

use serde_json::Value;
use suture_core::redact::Phi;

use super::summary::Summary;
use crate::problem::Place;
use crate::shape::Difference;

/// What must happen before a run can go on. Asking again without an answer gives the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Look something up; answer with `Found` or `Missing`.
    Lookup {
        /// The step that asks, unique in its run: `link`, `lines[3].part`, `ship.order`.
        step: String,
        /// Where to look, for example `link`, `epic.encounter`, or `table:part` for the shell's own table `part`.
        source: String,
        /// What to look for.
        key: Phi<Value>,
        /// For how many milliseconds an earlier answer to the same source and key may be used again.
        cache: Option<u64>,
    },
    /// Do something; answer with `Done` or `Refused`.
    Call {
        /// The step that asks.
        step: String,
        /// What to do, for example `epic.post_payment`.
        target: String,
        /// The document to send.
        document: Phi<Value>,
        /// How the flow wants failures of this call retried; none leaves it to the shell.
        retry: Option<Retry>,
        /// The name of the earlier call that this one undoes; this one's own is that name and `.undo`.
        undoes: Option<String>,
    },
    /// Note something at the source; answer with `Done` or `Refused`. Neither stops the run.
    WriteBack {
        /// The step that asks.
        step: String,
        /// Where to note it, for example `stripe.metadata`.
        target: String,
        /// What to note. The shell's firewall for gateway fields must still see it.
        document: Phi<Value>,
    },
    /// Wait until an event happens; answer with `Happened` or `TimedOut`. A run may stand here for weeks: store it and
    /// load it for the answer.
    Wait {
        /// The step that waits.
        step: String,
        /// The event, for example `epicor.invoiced`.
        event: String,
        /// Whose event, as the flow knows it: an order's number, a document's reference. Never null.
        key: Phi<Value>,
        /// Milliseconds from the moment the run began to wait; none means without end. Asking again does not start
        /// the time anew.
        within: Option<u64>,
    },
    /// Ask a person; answer with `Approved`, `Rejected` or `TimedOut`. Store the run as for a wait.
    Approve {
        /// The step that asks.
        step: String,
        /// What the person reads.
        question: Phi<String>,
        /// The role that may answer.
        by: String,
        /// Milliseconds from the moment the question was first asked; none means without end.
        within: Option<u64>,
    },
    /// The run is over.
    Finished {
        /// What it did.
        summary: Summary,
    },
    /// The run cannot go on until a person or a later fact repairs the reason. Advancing it again tries the same step again.
    Parked {
        /// Why.
        reason: Parked,
        /// The step that cannot go on.
        step: String,
        /// The step's place in the document.
        place: Place,
    },
    /// The flow itself is wrong for this event, or the caller broke the protocol. Advancing it again gives the same failure.
    Failed {
        /// What went wrong.
        error: Failure,
        /// The step, or `trigger`.
        step: String,
        /// The step's place in the document.
        place: Place,
    },
}

/// Why a run is parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parked {
    /// A lookup that must find something found nothing.
    Missing {
        /// Where it looked.
        source: String,
        /// What it looked for.
        key: Phi<Value>,
    },
    /// A table has no such key. After the row of an external table is saved, advance the run again; a new row of an inline
    /// table is a new version of the flow, so start the event again with it. See [`row`](Self::row).
    UnknownKey {
        /// The table.
        table: String,
        /// The code that has no row.
        key: String,
    },
    /// A value is outside a value set.
    NotInSet {
        /// The set.
        set: String,
        /// The value.
        value: String,
    },
    /// A document differs from the shape of its target. Nothing was sent.
    Shape {
        /// The differences.
        differences: Vec<Difference>,
    },
    /// The person that was asked said no. Advancing the run asks again.
    Rejected {
        /// Who said no.
        by: String,
        /// Why.
        reason: Phi<String>,
    },
    /// The time of a wait is over. Advancing the run again waits again, from the beginning.
    TimedOut {
        /// The event that did not happen, or the role that did not answer.
        event: String,
    },
    /// The shell refused a call.
    Refused {
        /// The call's target.
        target: String,
        /// The shell's text.
        text: Phi<String>,
    },
}

impl Parked {
    /// The word for this reason in tests, metrics and lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::UnknownKey { .. } => "unknown_key",
            Self::NotInSet { .. } => "not_in_set",
            Self::Shape { .. } => "shape",
            Self::TimedOut { .. } => "timed_out",
            Self::Rejected { .. } => "rejected",
            Self::Refused { .. } => "refused",
        }
    }

    /// The table and the key whose row the run waits for, when it waits for one. Runs with the same table and key can go
    /// on together once that row is saved.
    #[must_use]
    pub fn row(&self) -> Option<(&str, &str)> {
        match self {
            Self::UnknownKey { table, key } => Some((table, key)),
            Self::Missing { .. }
            | Self::NotInSet { .. }
            | Self::Shape { .. }
            | Self::TimedOut { .. }
            | Self::Rejected { .. }
            | Self::Refused { .. } => None,
        }
    }
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, without any value of the event.
    pub text: String,
    /// What jq says; it may quote the event.
    pub detail: Option<Phi<String>>,
}

/// How a call is retried, as its author wrote it. The shell may do less, never more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Which failures.
    pub class: RetryClass,
    /// How often the call may be sent at most, the first time included.
    pub attempts: u32,
    /// Milliseconds from the first attempt after which no other begins.
    pub within: Option<u64>,
}

/// Which failures of a call may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// Sending it twice is harmless: retry whatever failed.
    Retryable,
    /// Never: the first failure is told to a person.
    Not,
    /// After an unknown outcome look first whether it happened.
    UnknownLooksUp,
}

/// What the shell answers to a request. `Debug` prints which answer it is, not what it holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// The lookup found this.
    Found(Value),
    /// The lookup found nothing, for certain. A time-out is not `Missing`: ask again instead.
    Missing,
    /// The call or write-back was done; the value is its result.
    Done(Value),
    /// The call or write-back was refused for good and did not happen.
    Refused(String),
    /// The event of a wait happened; the value is the event.
    Happened(Value),
    /// The time of a wait or of a question is over and nothing happened.
    TimedOut,
    /// The person that was asked said yes.
    Approved {
        /// Who said yes.
        by: String,
    },
    /// The person that was asked said no.
    Rejected {
        /// Who said no.
        by: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Found(_) => "Found(***)",
            Self::Missing => "Missing",
            Self::Done(_) => "Done(***)",
            Self::Refused(_) => "Refused(***)",
            Self::Happened(_) => "Happened(***)",
            Self::TimedOut => "TimedOut",
            Self::Approved { .. } => "Approved",
            Self::Rejected { .. } => "Rejected(***)",
        })
    }
}
