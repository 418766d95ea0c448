//! Moves a run from one request to the next.
//!
//! A run stands at a step until the step is done. Requests are done by their answer; parking and failing do not move the
//! run. So asking again is always safe, and a stored run plus an answer is all that is needed after a crash.

use std::cell::Cell;

use super::level::{Level, Progress};
use super::next::{Answer, Failure, Next};
use super::place::Stopped;
use super::state::{Frame, Run};
use super::trace::Outcome;
use crate::compiled::Compiled;
use crate::jq::{Setting, Trouble, kilobytes, to_json};
use crate::run::Parked;
use crate::step::StepKind;

/// Most work of one run: steps, and kilobytes of results inside lists and called flows. It bounds the size of a stored run.
const WORK_MAX: u32 = 50_000;

impl Compiled {
    /// Feeds the answer to the request that the run stands at, if there is one, and moves to the next request.
    ///
    /// Without an answer it repeats the request. Store the run after this returns and before acting on the request. An
    /// answer that does not fit the request fails the run without moving it. To feed an answer that may already have been
    /// fed, use [`answer`](Self::answer).
    pub fn advance(&self, run: &mut Run, answer: Option<Answer>) -> Next {
        self.advance_while(run, answer, None)
    }

    /// Like [`advance`](Self::advance), with a limit of time: `over` is asked now and then while expressions work, and an
    /// expression that is at work when it says true fails. What was not moved yet is not moved; advancing again tries again.
    pub fn advance_within(&self, run: &mut Run, answer: Option<Answer>, over: &dyn Fn() -> bool) -> Next {
        self.advance_while(run, answer, Some(over))
    }

    /// Like [`advance`](Self::advance) for the answer to the request of a named step. An answer to a step that the run has
    /// already left changes nothing: the present request is given again.
    pub fn answer(&self, run: &mut Run, step: &str, answer: Answer) -> Next {
        let spent = Cell::new(run.spent);
        let standing = self.root(None, &spent).standing(&run.frame);
        let stands_there = standing.is_some_and(|standing| standing == step);
        self.advance(run, stands_there.then_some(answer))
    }

    fn advance_while(&self, run: &mut Run, answer: Option<Answer>, over: Option<&dyn Fn() -> bool>) -> Next {
        if let Some(stop) = self.refuse_run(run) {
            return stop;
        }
        let spent = Cell::new(run.spent);
        let level = self.root(over, &spent);
        if let Some(answer) = answer
            && let Err(stop) = level.take(&mut run.frame, answer)
        {
            return *stop;
        }
        let gone = level.go(&mut run.frame);
        run.spent = spent.get();
        match gone {
            Ok(()) => Next::Finished { summary: self.summary(run) },
            Err(stop) => *stop,
        }
    }

    fn root<'a>(&'a self, over: Option<&'a dyn Fn() -> bool>, spent: &'a Cell<u32>) -> Level<'a> {
        Level { parts: &self.parts, prefix: String::new(), switched: &self.switched, over, spent }
    }

    /// What a finished run of a callable flow gives back; null for other flows.
    #[must_use]
    pub fn result(&self, run: &Run) -> suture_core::redact::Phi<serde_json::Value> {
        let spent = Cell::new(run.spent);
        let level = self.root(None, &spent);
        let value = self.parts.steps.last().and_then(|step| {
            let value = level.result(&run.frame, level.at(&run.frame, step)).ok()?;
            to_json(&value).ok()
        });
        suture_core::redact::Phi::new(value.unwrap_or_default())
    }

    /// A run of another text of the flow, one that its trigger could not judge, or one with the wrong inputs.
    fn refuse_run(&self, run: &Run) -> Option<Next> {
        let trigger = &self.parts.trigger;
        let place = trigger.place;
        let stopped = |text: String, detail| {
            Some(Next::Failed { error: Failure { text, detail }, step: "trigger".to_owned(), place })
        };
        if run.fingerprint != self.parts.fingerprint || run.frame.values.len() != self.parts.steps.len() {
            let text = format!(
                "the run belongs to another text of the flow {} (version {}, {}); nothing was done; advance it with that text",
                run.flow, run.version, run.fingerprint
            );
            return stopped(text, None);
        }
        if run.frame.visits.is_empty()
            && let Some(inputs) = &self.parts.inputs
        {
            let differences = inputs.differences(&to_json(&run.frame.event.0).unwrap_or_default());
            if !differences.is_empty() {
                let step = "trigger".to_owned();
                return Some(Next::Parked { reason: Parked::Shape { differences }, step, place });
            }
        }
        if !run.filter_failed {
            return None;
        }
        let filter = trigger.filter.as_ref()?;
        match filter.test(&run.frame.event.0, &[], Setting::of(&self.parts.tables)).err()? {
            Trouble::Failed { text, detail } => {
                stopped(format!("the filter could not judge the event: {text}"), detail)
            }
            Trouble::UnknownKey { table, key } => {
                stopped(format!("the filter found no row {key:?} in table {table:?}"), None)
            }
            Trouble::NotInSet { set, value } => {
                stopped(format!("the filter found {value:?} outside the set {set:?}"), None)
            }
        }
    }
}

impl Level<'_> {
    /// Pays for the latest step: one unit, and what its result adds to a run whose size the number of its steps does not
    /// bound.
    pub(super) fn spend(&self, frame: &Frame) {
        let Some(visit) = frame.visits.last() else { return };
        let value = visit.output.as_ref().or_else(|| frame.values.get(visit.step));
        let grows = visit.item.is_some() || !self.prefix.is_empty();
        let size = value.filter(|_| grows).map_or(0, |held| kilobytes(&held.0));
        self.spent.set(self.spent.get().saturating_add(1 + size));
    }

    /// Does steps until one asks for something or the flow is at its end.
    pub(super) fn go(&self, frame: &mut Frame) -> Result<(), Stopped> {
        loop {
            if self.is_item_done(frame) {
                self.finish_item(frame)?;
                continue;
            }
            let Some(step) = self.parts.steps.get(frame.position) else { return Ok(()) };
            let at = self.at(frame, step);
            if self.spent.get() > WORK_MAX && frame.inner.is_none() {
                return Err(
                    at.failed("the run did more work than one run may do; it stopped before this step", None)
                );
            }
            match &step.kind {
                _ if self.is_skipped(frame, at)? => {
                    frame.finish(Outcome::Skipped, jaq_json::Val::Null, None, step.next);
                }
                StepKind::ForEach { items, .. } => self.begin_items(frame, at, items)?,
                StepKind::Flow { document, callee, .. } => {
                    self.run_flow(frame, at, (document, callee.as_deref()))?;
                }
                StepKind::Compensate => self.undo(frame, at)?,
                _ => match self.work(frame, at)? {
                    Progress::Done { outcome, value, next } => frame.finish(outcome, value, None, next),
                    Progress::Stop(stop) => return Err(stop),
                },
            }
            self.spend(frame);
        }
    }
}
