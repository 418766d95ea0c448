//! What a run asks of the shell, and what the shell answers.
//!
//! Keys, documents and details may hold personal data and are wrapped, so that `Debug` of these types is safe to log.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::redact::Phi;

use crate::problem::Place;
use crate::shape::Difference;

/// What must happen before a run can go on. Asking again without an answer gives the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Look something up; answer with `Found` or `Missing`.
    Lookup {
        /// The step that asks.
        step: String,
        /// Where to look, for example `link` or `epic.encounter`.
        source: String,
        /// What to look for.
        key: Phi<Value>,
    },
    /// Do something; answer with `Done` or `Refused`.
    Call {
        /// The step that asks.
        step: String,
        /// What to do, for example `epic.post_payment`.
        target: String,
        /// The document to send.
        document: Phi<Value>,
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
    /// An inline table has no such key. After the row is added, start the event again with the new version.
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
    /// The time of a wait is over. Advancing the run again waits again, from the beginning.
    TimedOut {
        /// The event that did not happen.
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
            Self::Refused { .. } => "refused",
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
    /// The time of a wait is over and the event did not happen.
    TimedOut,
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
        })
    }
}

/// What a finished run did. Holds no value of the event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Calls that were done, in order: step and target.
    pub calls: Vec<(String, String)>,
    /// Conditions, in order: step and whether it was true.
    pub branches: Vec<(String, bool)>,
    /// Steps that were skipped because their `when` was false or their write-back is off.
    pub skipped: Vec<String>,
    /// Lookups that found nothing, write-backs that were refused and waits that timed out, which the flow allows.
    pub warnings: Vec<String>,
}
