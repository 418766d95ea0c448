//! Moves a run from one request to the next.
//!
//! A run stands at a step until the step is done. Lookups and calls are done by their answer; parking and failing do not
//! move it. So asking again is always safe, and a stored run plus an answer is all that is needed after a crash.

use jaq_json::Val;
use suture_core::redact::Phi;

use super::next::{Answer, Failure, Next, Parked, Summary};
use super::state::{Run, Visit};
use super::trace::Outcome;
use crate::compiled::Compiled;
use crate::flow::{Document, LookupSource, OnMissing, OnTimeout, Step, StepKind};
use crate::jq::{Held, Trouble, fits, key_text, to_jq, to_json};
use crate::problem::Place;
use crate::shape::Shape;

/// How a step without an answer ends.
enum Progress {
    /// It is done; the run goes to this index.
    Done { outcome: Outcome, value: Val, next: usize },
    /// The shell must act, or the run cannot go on.
    Stop(Box<Next>),
}

type Stopped = Box<Next>;

impl Compiled {
    /// Feeds the answer to the request that the run stands at, if there is one, and moves to the next request.
    ///
    /// Without an answer it repeats the request. Store the run after this returns and before acting on the request. An
    /// answer that does not fit the request fails the run without moving it. To feed an answer that may already have been
    /// fed, use [`answer`](Self::answer).
    pub fn advance(&self, run: &mut Run, answer: Option<Answer>) -> Next {
        if let Some(stop) = self.refuse_run(run) {
            return stop;
        }
        if let Some(answer) = answer
            && let Err(stop) = self.take_answer(run, answer)
        {
            return *stop;
        }
        loop {
            let Some(step) = self.parts.steps.get(run.position) else {
                return Next::Finished { summary: self.summary(run) };
            };
            match self.work(run, step) {
                Ok(Progress::Done { outcome, value, next }) => finish_step(run, outcome, value, None, next),
                Ok(Progress::Stop(stop)) | Err(stop) => return *stop,
            }
        }
    }

    /// Like [`advance`](Self::advance) for the answer to the request of a named step. An answer to a step that the run has
    /// already left changes nothing: the present request is given again.
    pub fn answer(&self, run: &mut Run, step: &str, answer: Answer) -> Next {
        let stands_there = self.parts.steps.get(run.position).is_some_and(|current| current.name == step);
        self.advance(run, stands_there.then_some(answer))
    }

    /// A run of another text of the flow, or one that its trigger could not judge.
    fn refuse_run(&self, run: &Run) -> Option<Next> {
        let trigger = &self.parts.trigger;
        let place = trigger.place;
        let stopped = |text: String, detail| {
            Some(Next::Failed { error: Failure { text, detail }, step: "trigger".to_owned(), place })
        };
        if run.fingerprint != self.parts.fingerprint || run.values.len() != self.parts.steps.len() {
            let text = format!(
                "the run belongs to another text of the flow {} (version {}, {}); nothing was done; advance it with that text",
                run.flow, run.version, run.fingerprint
            );
            return stopped(text, None);
        }
        if !run.filter_failed {
            return None;
        }
        let filter = trigger.filter.as_ref()?;
        match filter.test(&run.event.0, &[], &self.parts.tables).err()? {
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

    /// Does one step as far as it can be done without the shell.
    fn work(&self, run: &Run, step: &Step) -> Result<Progress, Stopped> {
        let tables = &self.parts.tables;
        let skip = || Ok(Progress::Done { outcome: Outcome::Skipped, value: Val::Null, next: step.next });
        if !self.is_on(run.position, &step.kind) {
            return skip();
        }
        if let Some(when) = &step.when
            && !when.test(&run.event.0, &run.values, tables).map_err(|trouble| stopped(step, trouble))?
        {
            return skip();
        }
        let evaluate = |program: &crate::jq::Program| {
            program.run(&run.event.0, &run.values, tables).map_err(|trouble| stopped(step, trouble))
        };
        let document = |document: &Document| match document {
            Document::Step(index) => Ok(run.values.get(*index).map_or(Val::Null, |held| held.0.clone())),
            Document::Expression(program) => evaluate(program),
        };
        match &step.kind {
            StepKind::Lookup { source: LookupSource::Table(table), key, on_missing } => {
                let key = evaluate(key)?;
                let row = key_text(&key).and_then(|key| tables.tables.get(table)?.get(&key).cloned());
                found_in_table(step, (table, &key), row, on_missing)
            }
            StepKind::Lookup { source: LookupSource::Outside(source), key, on_missing } => {
                let key = evaluate(key)?;
                if matches!(key, Val::Null) {
                    // Nothing to look for is nothing found; the world need not be asked.
                    return missing(step, source, Phi::new(serde_json::Value::Null), on_missing);
                }
                let key = Phi::new(json(step, &key)?);
                Ok(stop(Next::Lookup { step: step.name.clone(), source: source.clone(), key }))
            }
            StepKind::Map { document, shape } => {
                let value = evaluate(document)?;
                fit(step, &value, shape.as_ref())?;
                Ok(Progress::Done { outcome: Outcome::Mapped, value, next: step.next })
            }
            StepKind::Condition { test, then, otherwise, .. } => {
                let truth =
                    test.test(&run.event.0, &run.values, tables).map_err(|trouble| stopped(step, trouble))?;
                let (outcome, next) =
                    if truth { (Outcome::Then, *then) } else { (Outcome::Else, *otherwise) };
                Ok(Progress::Done { outcome, value: Val::Bool(truth), next })
            }
            StepKind::Call { target, document: sent } => {
                let document = Phi::new(json(step, &document(sent)?)?);
                Ok(stop(Next::Call { step: step.name.clone(), target: target.clone(), document }))
            }
            StepKind::WriteBack { target, document: sent, .. } => {
                let document = Phi::new(json(step, &document(sent)?)?);
                Ok(stop(Next::WriteBack { step: step.name.clone(), target: target.clone(), document }))
            }
            StepKind::Wait { event, key, limit } => {
                let within = limit.as_ref().map(|limit| limit.within);
                wait(step, event.clone(), &evaluate(key)?, within)
            }
        }
    }

    fn is_on(&self, index: usize, kind: &StepKind) -> bool {
        match kind {
            StepKind::WriteBack { enabled, .. } => {
                self.switched.iter().find(|(known, _)| *known == index).map_or(*enabled, |(_, on)| *on)
            }
            _ => true,
        }
    }

    /// Finishes the step that the run stands at with its answer.
    fn take_answer(&self, run: &mut Run, answer: Answer) -> Result<(), Stopped> {
        let Some(step) = self.parts.steps.get(run.position) else { return Ok(()) };
        // The request is made again, so that an answer to a request that this run never makes is refused.
        let input = match self.work(run, step)? {
            Progress::Done { .. } => return Err(protocol(step, "it asked for nothing")),
            Progress::Stop(request) => match *request {
                Next::Lookup { key, .. } | Next::Wait { key, .. } => key,
                Next::Call { document, .. } | Next::WriteBack { document, .. } => document,
                other => return Err(Box::new(other)),
            },
        };
        let mut next = step.next;
        let (outcome, value) = match (&step.kind, answer) {
            (StepKind::Lookup { .. }, Answer::Found(value)) => (Outcome::Found, to_jq(&value)),
            (StepKind::Lookup { source, on_missing, .. }, Answer::Missing) => {
                let source = match source {
                    LookupSource::Table(name) | LookupSource::Outside(name) => name,
                };
                match missing(step, source, input.clone(), on_missing)? {
                    Progress::Done { outcome, value, .. } => (outcome, value),
                    Progress::Stop(stop) => return Err(stop),
                }
            }
            (StepKind::Call { .. } | StepKind::WriteBack { .. }, Answer::Done(value)) => {
                (Outcome::Done, to_jq(&value))
            }
            (StepKind::Call { target, .. }, Answer::Refused(text)) => {
                return Err(parked(step, Parked::Refused { target: target.clone(), text: Phi::new(text) }));
            }
            (StepKind::WriteBack { .. }, Answer::Refused(_)) => (Outcome::Refused, Val::Null),
            (StepKind::Wait { .. }, Answer::Happened(value)) => (Outcome::Happened, to_jq(&value)),
            (StepKind::Wait { event, limit: Some(limit), .. }, Answer::TimedOut) => match limit.then {
                OnTimeout::Park => return Err(parked(step, Parked::TimedOut { event: event.clone() })),
                OnTimeout::Continue => (Outcome::TimedOut, Val::Null),
                OnTimeout::Go(index) => {
                    next = index;
                    (Outcome::TimedOut, Val::Null)
                }
            },
            (StepKind::Wait { .. }, _) => return Err(protocol(step, "it waits for an event")),
            (StepKind::Lookup { .. }, _) => return Err(protocol(step, "it asked for a lookup")),
            _ => return Err(protocol(step, "it asked for a call")),
        };
        if !fits(&value) {
            return Err(failed(
                step,
                "the answer is larger than 256 kB or deeper than 100 levels".to_owned(),
                None,
            ));
        }
        finish_step(run, outcome, value, Some(Held(to_jq(input.expose()))), next);
        Ok(())
    }

    fn summary(&self, run: &Run) -> Summary {
        let mut summary = Summary::default();
        for visit in &run.visits {
            let Some(step) = self.parts.steps.get(visit.step) else { continue };
            let name = || step.name.clone();
            match (visit.outcome, &step.kind) {
                (Outcome::Done, StepKind::Call { target, .. }) => {
                    summary.calls.push((name(), target.clone()));
                }
                (Outcome::Then, _) => summary.branches.push((name(), true)),
                (Outcome::Else, _) => summary.branches.push((name(), false)),
                (Outcome::Skipped, _) => summary.skipped.push(name()),
                (Outcome::Missing, _) => summary.warnings.push(format!("{} found nothing", step.name)),
                (Outcome::Refused, _) => summary.warnings.push(format!("{} was refused", step.name)),
                (Outcome::TimedOut, _) => summary.warnings.push(format!("{} timed out", step.name)),
                (Outcome::Found | Outcome::Mapped | Outcome::Done | Outcome::Happened, _) => {}
            }
        }
        summary
    }
}

fn finish_step(run: &mut Run, outcome: Outcome, value: Val, input: Option<Held>, next: usize) {
    run.visits.push(Visit { step: run.position, outcome, input });
    if let Some(held) = run.values.get_mut(run.position) {
        *held = Held(value);
    }
    run.position = next;
}

fn found_in_table(
    step: &Step,
    (table, key): (&str, &Val),
    row: Option<Val>,
    on_missing: &OnMissing,
) -> Result<Progress, Stopped> {
    let (outcome, value) = match (row, on_missing) {
        (Some(row), _) => (Outcome::Found, row),
        (None, OnMissing::Continue) => (Outcome::Missing, Val::Null),
        (None, OnMissing::Default(value)) => (Outcome::Missing, value.clone()),
        (None, OnMissing::Park) => {
            let key = key_text(key).unwrap_or_else(|| "(neither text nor a whole number)".to_owned());
            return Err(parked(step, Parked::UnknownKey { table: table.to_owned(), key }));
        }
    };
    Ok(Progress::Done { outcome, value, next: step.next })
}

/// A wait for an event; a wait for nobody's event would never end.
fn wait(step: &Step, event: String, key: &Val, within: Option<u64>) -> Result<Progress, Stopped> {
    if matches!(key, Val::Null) {
        let text = "the wait has no key, so no event could end it; nothing waits".to_owned();
        return Err(failed(step, text, None));
    }
    Ok(stop(Next::Wait { step: step.name.clone(), event, key: Phi::new(json(step, key)?), within }))
}

/// A lookup that found nothing.
fn missing(
    step: &Step,
    source: &str,
    key: Phi<serde_json::Value>,
    on_missing: &OnMissing,
) -> Result<Progress, Stopped> {
    let value = match on_missing {
        OnMissing::Continue => Val::Null,
        OnMissing::Default(value) => value.clone(),
        OnMissing::Park => return Err(parked(step, Parked::Missing { source: source.to_owned(), key })),
    };
    Ok(Progress::Done { outcome: Outcome::Missing, value, next: step.next })
}

fn fit(step: &Step, value: &Val, shape: Option<&Shape>) -> Result<(), Stopped> {
    let Some(shape) = shape else { return Ok(()) };
    let differences = shape.differences(&json(step, value)?);
    if differences.is_empty() { Ok(()) } else { Err(parked(step, Parked::Shape { differences })) }
}

fn json(step: &Step, value: &Val) -> Result<serde_json::Value, Stopped> {
    to_json(value).map_err(|text| failed(step, text.to_owned(), None))
}

fn stop(next: Next) -> Progress {
    Progress::Stop(Box::new(next))
}

fn stopped(step: &Step, trouble: Trouble) -> Stopped {
    match trouble {
        Trouble::UnknownKey { table, key } => parked(step, Parked::UnknownKey { table, key }),
        Trouble::NotInSet { set, value } => parked(step, Parked::NotInSet { set, value }),
        Trouble::Failed { text, detail } => failed(step, text.to_owned(), detail),
    }
}

fn parked(step: &Step, reason: Parked) -> Stopped {
    Box::new(Next::Parked { reason, step: step.name.clone(), place: step.place })
}

fn failed(step: &Step, text: String, detail: Option<Phi<String>>) -> Stopped {
    let place: Place = step.place;
    Box::new(Next::Failed { error: Failure { text, detail }, step: step.name.clone(), place })
}

fn protocol(step: &Step, asked: &str) -> Stopped {
    failed(
        step,
        format!("the answer does not fit the step {}: {asked}; the run did not move", step.name),
        None,
    )
}
