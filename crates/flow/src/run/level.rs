//! What one step does, as far as it can be done without the shell.

use std::cell::Cell;

use jaq_json::Val;
use suture_core::redact::Phi;

use super::next::{Next, Parked};
use super::place::{At, Stopped};
use super::state::Frame;
use super::trace::Outcome;
use crate::flow::Parts;
use crate::jq::{Held, Program, Setting, key_text, text_of};
use crate::shape::Difference;
use crate::step::{Call, Document, Limit, LookupSource, OnMissing, Step, StepKind};

/// How a step without an answer ends.
pub(super) enum Progress {
    /// It is done; the run goes to this index.
    Done { outcome: Outcome, value: Val, next: usize },
    /// The shell must act, or the run cannot go on.
    Stop(Stopped),
}

/// One flow inside a run: the run's own, or one that it called.
pub(super) struct Level<'a> {
    pub(super) parts: &'a Parts,
    /// The names of the calling steps, with a dot after each.
    pub(super) prefix: String,
    /// Write-back steps that the caller switched on or off, by index.
    pub(super) switched: &'a [(usize, bool)],
    pub(super) over: Option<&'a dyn Fn() -> bool>,
    /// How much work the run did so far.
    pub(super) spent: &'a Cell<u32>,
}

impl<'a> Level<'a> {
    pub(super) fn at(&'a self, frame: &Frame, step: &'a Step) -> At<'a> {
        let item = frame.repeat.as_ref().filter(|repeat| step.parent == Some(repeat.step));
        let named = |index: usize| self.parts.steps.get(index).map_or("", |step| step.name.as_str());
        At { step, prefix: &self.prefix, item: item.map(|repeat| (named(repeat.step), repeat.index)) }
    }

    pub(super) fn setting(&self) -> Setting<'_> {
        Setting { tables: &self.parts.tables, over: self.over }
    }

    pub(super) fn evaluate(&self, frame: &Frame, at: At<'_>, program: &Program) -> Result<Val, Stopped> {
        program.run(&frame.event.0, &frame.values, self.setting()).map_err(|trouble| at.stopped(trouble))
    }

    pub(super) fn document(&self, frame: &Frame, at: At<'_>, document: &Document) -> Result<Val, Stopped> {
        match document {
            Document::Step(index) => Ok(frame.values.get(*index).map_or(Val::Null, |held| held.0.clone())),
            Document::Expression(program) => self.evaluate(frame, at, program),
        }
    }

    /// Whether the step is left out: its `when` is false, or its write-back is off.
    pub(super) fn is_skipped(&self, frame: &Frame, at: At<'_>) -> Result<bool, Stopped> {
        if let StepKind::WriteBack { enabled, .. } = &at.step.kind {
            let switched = self.switched.iter().find(|(known, _)| *known == frame.position);
            if !switched.map_or(*enabled, |(_, on)| *on) {
                return Ok(true);
            }
        }
        let Some(when) = &at.step.when else { return Ok(false) };
        let wanted = when.test(&frame.event.0, &frame.values, self.setting());
        Ok(!wanted.map_err(|trouble| at.stopped(trouble))?)
    }

    /// Does a step that is neither a `for_each`, a called flow nor a compensation.
    pub(super) fn work(&self, frame: &Frame, at: At<'_>) -> Result<Progress, Stopped> {
        let step = at.step;
        let value = |program: &Program| self.evaluate(frame, at, program);
        match &step.kind {
            StepKind::Lookup { source, key, on_missing, cache } => {
                self.look_up(at, source, &value(key)?, (on_missing, *cache))
            }
            StepKind::Map { document, shape } => {
                let value = value(document)?;
                if let Some(wanted) = shape {
                    fit(at, wanted.differences(&at.json(&value)?))?;
                }
                Ok(Progress::Done { outcome: Outcome::Mapped, value, next: step.next })
            }
            StepKind::Condition { test, then, otherwise, .. } => {
                let truth = test.test(&frame.event.0, &frame.values, self.setting());
                let truth = truth.map_err(|trouble| at.stopped(trouble))?;
                let (outcome, next) =
                    if truth { (Outcome::Then, *then) } else { (Outcome::Else, *otherwise) };
                Ok(Progress::Done { outcome, value: Val::Bool(truth), next })
            }
            StepKind::Call(call) => {
                let Call { target, document, retry, .. } = call.as_ref();
                let document = Phi::new(at.json(&self.document(frame, at, document)?)?);
                let target = target.clone();
                Ok(stop(Next::Call { step: at.name(), target, document, retry: *retry, undoes: None }))
            }
            StepKind::WriteBack { target, document, .. } => {
                let document = Phi::new(at.json(&self.document(frame, at, document)?)?);
                Ok(stop(Next::WriteBack { step: at.name(), target: target.clone(), document }))
            }
            StepKind::Wait { event, key, limit } => wait(at, event, &value(key)?, limit.as_ref()),
            StepKind::Approve { question, by, limit, .. } => ask(at, &value(question)?, by, limit.as_ref()),
            StepKind::ForEach { .. } | StepKind::Slot | StepKind::Flow { .. } | StepKind::Compensate => {
                Err(at.protocol("it asked for nothing"))
            }
        }
    }

    fn look_up(
        &self,
        at: At<'_>,
        source: &LookupSource,
        key: &Val,
        (on_missing, cache): (&OnMissing, Option<u64>),
    ) -> Result<Progress, Stopped> {
        if let LookupSource::Table(table) = source {
            let row = key_text(key).and_then(|key| self.parts.tables.tables.get(table)?.get(&key).cloned());
            return match row {
                Some(value) => Ok(Progress::Done { outcome: Outcome::Found, value, next: at.step.next }),
                None => missing(at, source, key, on_missing),
            };
        }
        if matches!(key, Val::Null) {
            // Nothing to look for is nothing found; the world need not be asked.
            return missing(at, source, key, on_missing);
        }
        let key = Phi::new(at.json(key)?);
        Ok(stop(Next::Lookup { step: at.name(), source: source.asked(), key, cache }))
    }
}

pub(super) fn stop(next: Next) -> Progress {
    Progress::Stop(Box::new(next))
}

/// A lookup that found nothing.
pub(super) fn missing(
    at: At<'_>,
    source: &LookupSource,
    key: &Val,
    on_missing: &OnMissing,
) -> Result<Progress, Stopped> {
    let value = match (on_missing, source) {
        (OnMissing::Continue, _) => Val::Null,
        (OnMissing::Default(value), _) => value.clone(),
        (OnMissing::Park, LookupSource::Table(table) | LookupSource::ExternalTable(table)) => {
            let key = key_text(key).unwrap_or_else(|| "(neither text nor a whole number)".to_owned());
            return Err(at.parked(Parked::UnknownKey { table: table.clone(), key }));
        }
        (OnMissing::Park, LookupSource::Outside(source)) => {
            let key = Phi::new(at.json(key)?);
            return Err(at.parked(Parked::Missing { source: source.clone(), key }));
        }
    };
    Ok(Progress::Done { outcome: Outcome::Missing, value, next: at.step.next })
}

/// A wait for an event; a wait for nobody's event would never end.
fn wait(at: At<'_>, event: &str, key: &Val, limit: Option<&Limit>) -> Result<Progress, Stopped> {
    if matches!(key, Val::Null) {
        return Err(at.failed("the wait has no key, so no event could end it; nothing waits", None));
    }
    let key = Phi::new(at.json(key)?);
    let within = limit.map(|limit| limit.within);
    Ok(stop(Next::Wait { step: at.name(), event: event.to_owned(), key, within }))
}

/// A question to a person.
fn ask(at: At<'_>, question: &Val, by: &str, limit: Option<&Limit>) -> Result<Progress, Stopped> {
    let Some(question) = text_of(question).filter(|text| !text.trim().is_empty()) else {
        return Err(
            at.failed("the question is not text, so no person could answer it; nobody was asked", None)
        );
    };
    let question = Phi::new(question.to_owned());
    let within = limit.map(|limit| limit.within);
    Ok(stop(Next::Approve { step: at.name(), question, by: by.to_owned(), within }))
}

/// Parks a document that differs from what is wanted.
pub(super) fn fit(at: At<'_>, differences: Vec<Difference>) -> Result<(), Stopped> {
    if differences.is_empty() { Ok(()) } else { Err(at.parked(Parked::Shape { differences })) }
}

/// A value that the run keeps must stay small enough to be stored after every step.
pub(super) fn keep(at: At<'_>, value: Val) -> Result<Held, Stopped> {
    if crate::jq::fits(&value) {
        return Ok(Held(value));
    }
    Err(at.failed("the answer is larger than 256 kB or deeper than 100 levels", None))
}
