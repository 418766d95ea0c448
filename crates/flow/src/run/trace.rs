//! The trace of a run: what each step did, with inputs and outputs.
//!
//! Rendered on demand, because a run between two requests must stay small and fast. Values are wrapped: they may hold
//! personal data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::redact::Phi;

use super::Run;
use crate::compiled::Compiled;
use crate::flow::StepKind;
use crate::jq::{Held, to_json};
use crate::problem::Place;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its `when` was false, or its write-back is off.
    Skipped,
    /// The lookup found its value.
    Found,
    /// The lookup found nothing; the flow goes on.
    Missing,
    /// The document was made.
    Mapped,
    /// The condition was true.
    Then,
    /// The condition was false.
    Else,
    /// The call or write-back was done.
    Done,
    /// The write-back was refused; the flow goes on.
    Refused,
    /// The event that the step waited for happened.
    Happened,
    /// The wait was over before its event happened.
    TimedOut,
}

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLine {
    /// The step's name.
    pub step: String,
    /// The step's kind, as written in the document.
    pub kind: &'static str,
    /// The step's place in the document.
    pub place: Place,
    /// How it ended.
    pub outcome: Outcome,
    /// The condition's text, for conditions.
    pub condition: Option<String>,
    /// The step that the branch led to, for conditions.
    pub branch: Option<String>,
    /// The key of a lookup, the document of a call, or the earlier results that a condition or map read, by name. `event`
    /// is the event itself and is left out; see [`Run::event`].
    pub input: Phi<Value>,
    /// The step's result.
    pub output: Phi<Value>,
}

impl Compiled {
    /// The trace of a run of this flow; empty when the run belongs to another text of the flow.
    #[must_use]
    pub fn trace(&self, run: &Run) -> Vec<TraceLine> {
        if run.fingerprint != self.parts.fingerprint {
            return Vec::new();
        }
        run.visits.iter().filter_map(|visit| self.trace_line(run, visit)).collect()
    }

    fn trace_line(&self, run: &Run, visit: &super::state::Visit) -> Option<TraceLine> {
        let step = self.parts.steps.get(visit.step)?;
        let json = |held: &Held| to_json(&held.0).unwrap_or_default();
        let (condition, branch, reads) = match &step.kind {
            StepKind::Condition { test, text, then, otherwise } => {
                let target = if visit.outcome == Outcome::Then { *then } else { *otherwise };
                (Some(text.clone()), Some(self.step_name(target)), test.uses())
            }
            StepKind::Map { document, .. } => (None, None, document.uses()),
            _ => (None, None, &[][..]),
        };
        let read = |index: &usize| Some((self.step_name(*index), json(run.values.get(*index)?)));
        let input =
            visit.input.as_ref().map_or_else(|| Value::Object(reads.iter().filter_map(read).collect()), json);
        Some(TraceLine {
            step: step.name.clone(),
            kind: step.kind.word(),
            place: step.place,
            outcome: visit.outcome,
            condition,
            branch,
            input: Phi::new(input),
            output: Phi::new(run.values.get(visit.step).map(json).unwrap_or_default()),
        })
    }

    fn step_name(&self, index: usize) -> String {
        self.parts.steps.get(index).map_or_else(|| "end".to_owned(), |step| step.name.clone())
    }
}
