//! Takes the answer to the request that a run stands at.

use jaq_json::Val;
use serde_json::json;
use suture_core::redact::Phi;

use super::level::{Level, Progress, keep, missing};
use super::next::{Answer, Next, Parked};
use super::place::{At, Stopped};
use super::state::Frame;
use super::trace::Outcome;
use crate::jq::{Held, to_jq};
use crate::step::{Otherwise, StepKind};

/// How an answer ends its step: the outcome, the result, and where the run goes.
type Ended = (Outcome, Val, usize);

impl Level<'_> {
    /// Finishes the step that the run stands at with its answer.
    pub(super) fn take(&self, frame: &mut Frame, answer: Answer) -> Result<(), Stopped> {
        let Some(step) = self.parts.steps.get(frame.position) else { return Ok(()) };
        let at = self.at(frame, step);
        match (&step.kind, frame.inner.as_deref_mut()) {
            (StepKind::Flow { callee: Some(callee), .. }, Some(inner)) => {
                return self.below(at, callee).take(inner, answer);
            }
            (StepKind::Compensate, _) => return self.take_undone(frame, at, answer),
            _ => {}
        }
        // The request is made again, so that an answer to a request that this run never makes is refused.
        if self.is_skipped(frame, at)? {
            return Err(at.protocol("it asked for nothing"));
        }
        let input = match self.work(frame, at)? {
            Progress::Done { .. } => return Err(at.protocol("it asked for nothing")),
            Progress::Stop(request) => match *request {
                Next::Lookup { key, .. } | Next::Wait { key, .. } => key,
                Next::Call { document, .. } | Next::WriteBack { document, .. } => document,
                Next::Approve { question, .. } => Phi::new(json!(question.expose())),
                other => return Err(Box::new(other)),
            },
        };
        let input = Held(to_jq(input.expose()));
        let (outcome, value, next) = ended(at, answer, &input)?;
        let value = keep(at, value)?;
        frame.finish(outcome, value.0, Some(input), next);
        self.spend(frame);
        if let (Outcome::Done, StepKind::Call(call)) = (outcome, &step.kind)
            && let Some(undo) = &call.undo
        {
            self.remember_undo(frame, at, undo);
        }
        Ok(())
    }

    fn take_undone(&self, frame: &mut Frame, at: At<'_>, answer: Answer) -> Result<(), Stopped> {
        let Some(undo) = frame.undo.last() else { return Err(at.protocol("it asked for nothing")) };
        match answer {
            Answer::Done(value) => {
                let value = keep(at, to_jq(&value))?;
                Self::undone(frame, value);
                Ok(())
            }
            Answer::Refused(text) => {
                Err(at.parked(Parked::Refused { target: undo.target.clone(), text: Phi::new(text) }))
            }
            _ => Err(at.protocol("it asked for a call")),
        }
    }

    /// The name of the step whose answer the run waits for.
    pub(super) fn standing(&self, frame: &Frame) -> Option<String> {
        let step = self.parts.steps.get(frame.position)?;
        let at = self.at(frame, step);
        Some(match (&step.kind, &frame.inner) {
            (StepKind::Flow { callee: Some(callee), .. }, Some(inner)) => {
                self.below(at, callee).standing(inner)?
            }
            (StepKind::Compensate, _) => match frame.undo.last() {
                Some(undo) => format!("{}{}.undo", self.prefix, undo.name),
                None => at.name(),
            },
            _ => at.name(),
        })
    }
}

/// What an answer means for its step.
fn ended(at: At<'_>, answer: Answer, input: &Held) -> Result<Ended, Stopped> {
    let next = at.step.next;
    Ok(match (&at.step.kind, answer) {
        (StepKind::Lookup { .. }, Answer::Found(value)) => (Outcome::Found, to_jq(&value), next),
        (StepKind::Lookup { source, on_missing, .. }, Answer::Missing) => {
            match missing(at, source, &input.0, on_missing)? {
                Progress::Done { outcome, value, .. } => (outcome, value, next),
                Progress::Stop(stop) => return Err(stop),
            }
        }
        (StepKind::Call(_) | StepKind::WriteBack { .. }, Answer::Done(value)) => {
            (Outcome::Done, to_jq(&value), next)
        }
        (StepKind::Call(call), Answer::Refused(text)) => {
            let value = to_jq(&json!({ "refused": text }));
            let park = Parked::Refused { target: call.target.clone(), text: Phi::new(text) };
            otherwise(at, call.on_refused, park, (Outcome::Refused, value))?
        }
        (StepKind::WriteBack { .. }, Answer::Refused(_)) => (Outcome::Refused, Val::Null, next),
        (StepKind::Wait { .. }, Answer::Happened(value)) => (Outcome::Happened, to_jq(&value), next),
        (StepKind::Wait { event, limit: Some(limit), .. }, Answer::TimedOut) => {
            let park = Parked::TimedOut { event: event.clone() };
            otherwise(at, limit.then, park, (Outcome::TimedOut, Val::Null))?
        }
        (StepKind::Approve { by, limit: Some(limit), .. }, Answer::TimedOut) => {
            let park = Parked::TimedOut { event: by.clone() };
            otherwise(at, limit.then, park, (Outcome::TimedOut, Val::Null))?
        }
        (StepKind::Approve { .. }, Answer::Approved { by }) => {
            (Outcome::Approved, to_jq(&json!({ "approved": true, "by": by })), next)
        }
        (StepKind::Approve { on_reject, .. }, Answer::Rejected { by, reason }) => {
            let value = to_jq(&json!({ "approved": false, "by": by, "reason": reason }));
            let park = Parked::Rejected { by, reason: Phi::new(reason) };
            otherwise(at, *on_reject, park, (Outcome::Rejected, value))?
        }
        (StepKind::Lookup { .. }, _) => return Err(at.protocol("it asked for a lookup")),
        (StepKind::Wait { .. }, _) => return Err(at.protocol("it waits for an event")),
        (StepKind::Approve { .. }, _) => return Err(at.protocol("it asked a person")),
        _ => return Err(at.protocol("it asked for a call")),
    })
}

/// What follows an answer that was not hoped for.
fn otherwise(
    at: At<'_>,
    way: Otherwise,
    park: Parked,
    (outcome, value): (Outcome, Val),
) -> Result<Ended, Stopped> {
    match way {
        Otherwise::Park => Err(at.parked(park)),
        Otherwise::Continue => Ok((outcome, value, at.step.next)),
        Otherwise::Go(index) => Ok((outcome, value, index)),
    }
}
