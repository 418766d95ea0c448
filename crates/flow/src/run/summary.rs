//! What a finished run did, in names only.

use serde::{Deserialize, Serialize};

use super::Run;
use super::state::{Frame, Visit};
use super::trace::Outcome;
use crate::compiled::Compiled;
use crate::flow::Parts;
use crate::step::{Step, StepKind};

/// What a finished run did. Holds no value of the event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Calls that were done, in order: step and target.
    pub calls: Vec<(String, String)>,
    /// Calls that were undone, in order: the step that was undone, and the target that undid it.
    #[serde(default)]
    pub undone: Vec<(String, String)>,
    /// Conditions, in order: step and whether it was true.
    pub branches: Vec<(String, bool)>,
    /// Steps that were skipped because their `when` was false or their write-back is off.
    pub skipped: Vec<String>,
    /// Lookups that found nothing, calls and write-backs that were refused, questions that were answered with no, and
    /// waits that timed out, which the flow allows.
    pub warnings: Vec<String>,
}

impl Compiled {
    pub(super) fn summary(&self, run: &Run) -> Summary {
        let mut summary = Summary::default();
        summary.add(&self.parts, &run.frame, "");
        summary
    }
}

impl Summary {
    fn add(&mut self, parts: &Parts, frame: &Frame, prefix: &str) {
        for visit in &frame.visits {
            let Some(step) = parts.steps.get(visit.step) else { continue };
            let name = name(parts, visit, step, prefix);
            if let (StepKind::Flow { callee: Some(callee), .. }, Some(inner)) = (&step.kind, &visit.inner) {
                self.add(callee, inner, &format!("{name}."));
            }
            self.add_visit(visit, step, name, prefix);
        }
    }

    fn add_visit(&mut self, visit: &Visit, step: &Step, name: String, prefix: &str) {
        match (visit.outcome, &step.kind) {
            (Outcome::Done, StepKind::Call(call)) => self.calls.push((name, call.target.clone())),
            (Outcome::Then, _) => self.branches.push((name, true)),
            (Outcome::Else, _) => self.branches.push((name, false)),
            (Outcome::Skipped, _) => self.skipped.push(name),
            (Outcome::Missing, _) => self.warnings.push(format!("{name} found nothing")),
            (Outcome::Refused, _) => self.warnings.push(format!("{name} was refused")),
            (Outcome::Rejected, _) => self.warnings.push(format!("{name} was answered with no")),
            (Outcome::TimedOut, _) => self.warnings.push(format!("{name} timed out")),
            (Outcome::Undone, _) => {
                let undone = visit.undone.iter();
                self.undone.extend(undone.map(|(of, target)| (format!("{prefix}{of}"), target.clone())));
            }
            (
                Outcome::Found
                | Outcome::Mapped
                | Outcome::Done
                | Outcome::Happened
                | Outcome::Approved
                | Outcome::Repeated
                | Outcome::Returned
                | Outcome::Compensated,
                _,
            ) => {}
        }
    }
}

/// The name of a visited step, unique in its run.
pub(super) fn name(parts: &Parts, visit: &Visit, step: &Step, prefix: &str) -> String {
    let of = step.parent.and_then(|parent| parts.steps.get(parent));
    match (of, visit.item) {
        (Some(of), Some(index)) => format!("{prefix}{}[{index}].{}", of.name, step.name),
        _ => format!("{prefix}{}", step.name),
    }
}
