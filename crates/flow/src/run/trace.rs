//! The trace of a run: what each step did, with inputs and outputs.
//!
//! Rendered on demand, because a run between two requests must stay small and fast. Values are wrapped: they may hold
//! personal data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::redact::Phi;

use super::Run;
use super::state::{Frame, Visit};
use super::summary::name;
use crate::compiled::Compiled;
use crate::flow::Parts;
use crate::jq::{Held, to_json};
use crate::problem::Place;
use crate::step::{Step, StepKind};

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
    /// The call or write-back was refused; the flow goes on.
    Refused,
    /// The event that the step waited for happened.
    Happened,
    /// The wait was over before its event happened.
    TimedOut,
    /// The person that was asked said yes.
    Approved,
    /// The person that was asked said no; the flow goes on.
    Rejected,
    /// The steps of a `for_each` were done for every item.
    Repeated,
    /// The called flow is done.
    Returned,
    /// An earlier call was undone.
    Undone,
    /// No call is left to undo.
    Compensated,
}

impl Outcome {
    /// Whether the step's value is a result, for a `for_each` that collects them.
    pub(crate) const fn gives_a_result(self) -> bool {
        !matches!(self, Self::Skipped | Self::Then | Self::Else)
    }
}

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLine {
    /// The step's name, unique in its run: `link`, `lines[3].part`, `ship.order`, `ship.order.undo`.
    pub step: String,
    /// The step's kind, as written in the document.
    pub kind: &'static str,
    /// The step's place in its document.
    pub place: Place,
    /// How it ended.
    pub outcome: Outcome,
    /// The condition's text, for conditions.
    pub condition: Option<String>,
    /// The step that the branch led to, for conditions.
    pub branch: Option<String>,
    /// The key of a lookup, the document of a call, the items of a `for_each`, the inputs of a called flow, or the earlier
    /// results that a condition or map read, by name (not inside a `for_each`, whose results are replaced by the next
    /// item's). `event` is the event itself and is left out; see [`Run::event`].
    pub input: Phi<Value>,
    /// The step's result.
    pub output: Phi<Value>,
}

impl Compiled {
    /// The trace of a run of this flow; empty when the run belongs to another text of the flow.
    #[must_use]
    pub fn trace(&self, run: &Run) -> Vec<TraceLine> {
        let mut lines = Vec::new();
        if run.fingerprint == self.parts.fingerprint {
            add_lines(&self.parts, &run.frame, "", &mut lines);
        }
        lines
    }
}

fn add_lines(parts: &Parts, frame: &Frame, prefix: &str, lines: &mut Vec<TraceLine>) {
    for visit in &frame.visits {
        let Some(step) = parts.steps.get(visit.step) else { continue };
        if let (StepKind::Flow { callee: Some(callee), .. }, Some(inner)) = (&step.kind, &visit.inner) {
            add_lines(callee, inner, &format!("{}.", name(parts, visit, step, prefix)), lines);
        }
        lines.push(line(parts, frame, (visit, step), prefix));
    }
    let standing = parts.steps.get(frame.position);
    if let (Some(step), Some(inner)) = (standing, &frame.inner)
        && let StepKind::Flow { callee: Some(callee), .. } = &step.kind
    {
        add_lines(callee, inner, &format!("{prefix}{}.", step.name), lines);
    }
}

fn line(parts: &Parts, frame: &Frame, (visit, step): (&Visit, &Step), prefix: &str) -> TraceLine {
    let json = |held: &Held| to_json(&held.0).unwrap_or_default();
    let (condition, branch, reads) = match &step.kind {
        StepKind::Condition { test, text, then, otherwise } => {
            let target = if visit.outcome == Outcome::Then { *then } else { *otherwise };
            (Some(text.clone()), Some(step_name(parts, target)), test.uses())
        }
        StepKind::Map { document, .. } => (None, None, document.uses()),
        _ => (None, None, &[][..]),
    };
    let reads = if step.parent.is_some() { &[] } else { reads };
    let read = |index: &usize| Some((step_name(parts, *index), json(frame.values.get(*index)?)));
    let input =
        visit.input.as_ref().map_or_else(|| Value::Object(reads.iter().filter_map(read).collect()), json);
    let output = visit.output.as_ref().or_else(|| frame.values.get(visit.step));
    let undone = visit.undone.as_ref().map(|(of, _)| format!("{prefix}{of}.undo"));
    TraceLine {
        step: undone.unwrap_or_else(|| name(parts, visit, step, prefix)),
        kind: step.kind.word(),
        place: step.place,
        outcome: visit.outcome,
        condition,
        branch,
        input: Phi::new(input),
        output: Phi::new(output.map(json).unwrap_or_default()),
    }
}

fn step_name(parts: &Parts, index: usize) -> String {
    parts.steps.get(index).map_or_else(|| "end".to_owned(), |step| step.name.clone())
}
