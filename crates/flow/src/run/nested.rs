//! Steps that hold other steps: a `for_each`, a called flow, and the compensation of calls.

use std::sync::Arc;

use jaq_json::Val;
use suture_core::redact::Phi;

use super::level::{Level, fit, keep};
use super::next::Next;
use super::place::{At, Stopped};
use super::state::{Frame, Repeat, Undo, Visit};
use super::trace::Outcome;
use crate::flow::Parts;
use crate::jq::{Held, Program};
use crate::step::{Document, StepKind};

/// Most items of one `for_each`.
const ITEMS_MAX: usize = 1_000;

/// Where the steps of a `for_each` begin, counted from it: after `$item` and `$index`.
pub(crate) const BODY: usize = 3;

impl Level<'_> {
    /// Starts a `for_each`; one without items is done at once.
    pub(super) fn begin_items(&self, frame: &mut Frame, at: At<'_>, items: &Program) -> Result<(), Stopped> {
        let Val::Arr(items) = self.evaluate(frame, at, items)? else {
            return Err(at.failed("`for_each` gave no list", None));
        };
        if items.len() > ITEMS_MAX {
            let text =
                format!("`for_each` gave {} items, at most {ITEMS_MAX}; nothing was done", items.len());
            return Err(at.failed(text, None));
        }
        let items: Vec<Held> = items.iter().map(|item| Held(item.clone())).collect();
        let Some(first) = items.first().cloned() else {
            frame.finish(Outcome::Repeated, Val::Arr(Arc::default()), Some(Held::default()), at.step.next);
            return Ok(());
        };
        let step = frame.position;
        let (index, results, latest) = (0, Vec::with_capacity(items.len()), Held::default());
        frame.repeat = Some(Repeat { step, items, index, results, latest });
        Self::enter_item(frame, step, (first, 0));
        Ok(())
    }

    fn enter_item(frame: &mut Frame, step: usize, (item, index): (Held, usize)) {
        let number = isize::try_from(index).unwrap_or(isize::MAX);
        for (offset, value) in [(1, item), (2, Held(Val::from(number)))] {
            if let Some(slot) = frame.values.get_mut(step + offset) {
                *slot = value;
            }
        }
        frame.position = step + BODY;
    }

    /// Whether the steps for the present item are done.
    pub(super) fn is_item_done(&self, frame: &Frame) -> bool {
        let of = |repeat: &Repeat| self.parts.steps.get(repeat.step).map(|step| &step.kind);
        let kind = frame.repeat.as_ref().and_then(of);
        matches!(kind, Some(StepKind::ForEach { end, .. }) if *end == frame.position)
    }

    /// Keeps the result of an item and goes to the next one, or to the step after the `for_each`.
    pub(super) fn finish_item(&self, frame: &mut Frame) -> Result<(), Stopped> {
        let Some(repeat) = &frame.repeat else { return Ok(()) };
        let Some(step) = self.parts.steps.get(repeat.step) else { return Ok(()) };
        let (of, end) = (repeat.step, frame.position);
        let next = repeat.items.get(repeat.index + 1).cloned();
        let whole = match next {
            Some(_) => None,
            None => {
                let results = repeat.results.iter().chain([&repeat.latest]).map(|held| held.0.clone());
                let at = At { step, prefix: &self.prefix, item: None };
                Some(keep(at, results.collect())?)
            }
        };
        for slot in frame.values.get_mut(of + 1..end).unwrap_or_default() {
            *slot = Held::default();
        }
        if let (Some(item), Some(repeat)) = (next, &mut frame.repeat) {
            repeat.results.push(std::mem::take(&mut repeat.latest));
            repeat.index += 1;
            let index = repeat.index;
            Self::enter_item(frame, of, (item, index));
        } else if let Some(repeat) = frame.repeat.take() {
            frame.position = of;
            let items: Val = repeat.items.into_iter().map(|held| held.0).collect();
            frame.finish(Outcome::Repeated, whole.unwrap_or_default().0, Some(Held(items)), step.next);
        }
        Ok(())
    }

    /// The called flow of a step, one level below.
    pub(super) fn below<'b>(&'b self, at: At<'_>, callee: &'b Parts) -> Level<'b> {
        let prefix = format!("{}.", at.name());
        Level { parts: callee, prefix, switched: &[], over: self.over, spent: self.spent }
    }

    /// Runs a called flow until it asks for something or is done.
    pub(super) fn run_flow(
        &self,
        frame: &mut Frame,
        at: At<'_>,
        (document, callee): (&Document, Option<&Parts>),
    ) -> Result<(), Stopped> {
        let Some(callee) = callee else { return Err(at.failed("the called flow is not there", None)) };
        if frame.inner.is_none() {
            let inputs = self.document(frame, at, document)?;
            if let Some(shape) = &callee.inputs {
                let mut differences = shape.differences(&at.json(&inputs)?);
                differences.iter_mut().for_each(|difference| difference.place = Some(at.step.place));
                fit(at, differences)?;
            }
            frame.inner = Some(Box::new(Frame::begin(Held(inputs), callee.steps.len())));
        }
        let Some(inner) = frame.inner.as_deref_mut() else { return Ok(()) };
        let below = self.below(at, callee);
        below.go(inner)?;
        let value = below.result(inner, at)?;
        let undo = std::mem::take(&mut inner.undo);
        let of = at.local_name();
        frame.undo.extend(undo.into_iter().map(|undo| Undo { name: format!("{of}.{}", undo.name), ..undo }));
        let input = Some(inner.event.clone());
        frame.finish(Outcome::Returned, value, input, at.step.next);
        Ok(())
    }

    /// What a flow that is done gives to its caller; nothing when it ended by undoing what it did.
    pub(super) fn result(&self, frame: &Frame, at: At<'_>) -> Result<Val, Stopped> {
        let ended_undone = frame.visits.last().is_some_and(|visit| visit.outcome == Outcome::Compensated);
        match &self.parts.result {
            Some(result) if !ended_undone => self.evaluate(frame, at, result),
            _ => Ok(Val::Null),
        }
    }

    /// Remembers how to undo a call that was just done. What cannot be made now is told when it is needed: the call was
    /// done, and its answer must not be lost.
    pub(super) fn remember_undo(&self, frame: &mut Frame, at: At<'_>, undo: &(String, Program)) {
        let (target, program) = undo;
        let document = program.run(&frame.event.0, &frame.values, self.setting());
        if matches!(document, Ok(Val::Null)) {
            return;
        }
        let document = document.ok().map(Held);
        frame.undo.push(Undo { name: at.local_name(), target: target.clone(), document });
    }

    /// Asks for the newest call to be undone, or goes on when none is left.
    pub(super) fn undo(&self, frame: &mut Frame, at: At<'_>) -> Result<(), Stopped> {
        let Some(undo) = frame.undo.last() else {
            frame.finish(Outcome::Compensated, Val::Null, None, at.step.next);
            return Ok(());
        };
        let Some(document) = &undo.document else {
            let text = format!(
                "the call {} was done, but the document that undoes it could not be made; it was not undone; a person must do it",
                undo.name
            );
            return Err(at.failed(text, None));
        };
        let name = format!("{}{}", self.prefix, undo.name);
        Err(Box::new(Next::Call {
            step: format!("{name}.undo"),
            target: undo.target.clone(),
            document: Phi::new(at.json(&document.0)?),
            retry: None,
            undoes: Some(name),
        }))
    }

    /// Notes that the newest call was undone.
    pub(super) fn undone(frame: &mut Frame, result: Held) {
        let Some(undo) = frame.undo.pop() else { return };
        frame.visits.push(Visit {
            step: frame.position,
            outcome: Outcome::Undone,
            input: undo.document,
            item: None,
            output: Some(result),
            inner: None,
            undone: Some((undo.name, undo.target)),
        });
    }
}
