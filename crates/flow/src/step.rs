//! The steps of a checked flow.
//!
//! All steps of a document stand in one list, in the order of the text. The steps inside a `for_each` follow it, after two
//! slots for `$item` and `$index`; so every result has one place, and an expression finds it by its index.

use std::sync::Arc;

use crate::flow::Parts;
use crate::jq::{Program, without_indices};
use crate::problem::Place;
use crate::run::Retry;
use crate::shape::{Difference, Shape};

/// One step.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) place: Place,
    /// The `for_each` that this step is inside.
    pub(crate) parent: Option<usize>,
    /// The step is skipped unless this gives true.
    pub(crate) when: Option<Program>,
    pub(crate) kind: StepKind,
    /// Index of the step that follows; the number of steps means the end.
    pub(crate) next: usize,
}

/// What a step does. New kinds are new variants here, new answers in [`Answer`](crate::run::Answer) and new requests in
/// [`Next`](crate::run::Next).
pub(crate) enum StepKind {
    /// Ask the shell, or an inline table, for a value.
    Lookup { source: LookupSource, key: Program, on_missing: OnMissing, cache: Option<u64> },
    /// Make a document.
    Map { document: Program, shape: Option<Wanted> },
    /// Choose where to go.
    Condition { test: Program, text: String, then: usize, otherwise: usize },
    /// Ask the shell to do something.
    Call(Box<Call>),
    /// Ask the shell to note something at the source; never stops the run.
    WriteBack { target: String, document: Document, enabled: bool },
    /// Ask the shell to tell when an event happens.
    Wait { event: String, key: Program, limit: Option<Limit> },
    /// Ask the shell for a person's decision.
    Approve { question: Program, by: String, on_reject: Otherwise, limit: Option<Limit> },
    /// Do the steps up to `end` for every item.
    ForEach { items: Program, end: usize },
    /// A place for `$item` or `$index`; never done.
    Slot,
    /// Run another flow.
    Flow { flow: String, document: Document, callee: Option<Arc<Parts>> },
    /// Undo the calls that were done, newest first.
    Compensate,
}

/// What a document must look like, and where its fields are written.
pub(crate) struct Wanted {
    pub(crate) shape: Shape,
    /// The expression's place.
    pub(crate) place: Place,
    /// Places of fields, by path.
    pub(crate) fields: Vec<(String, Place)>,
}

impl Wanted {
    /// Where a document differs; empty when it fits.
    pub(crate) fn differences(&self, document: &serde_json::Value) -> Vec<Difference> {
        let mut differences = self.shape.differences(document);
        for difference in &mut differences {
            difference.place = Some(self.place_of(&without_indices(&difference.path)));
        }
        differences
    }

    /// The place of a field, or of the nearest field around it.
    fn place_of(&self, path: &str) -> Place {
        if let Some((_, place)) = self.fields.iter().find(|(known, _)| known == path) {
            return *place;
        }
        path.rfind(['.', '['])
            .and_then(|at| path.get(..at))
            .map_or(self.place, |around| self.place_of(around))
    }
}

/// A call.
pub(crate) struct Call {
    pub(crate) target: String,
    pub(crate) document: Document,
    pub(crate) retry: Option<Retry>,
    pub(crate) on_refused: Otherwise,
    /// Target and document of the call that undoes this one. A null document means that nothing is to be undone.
    pub(crate) undo: Option<(String, Program)>,
}

/// How long the run waits, and what follows when nothing happened.
pub(crate) struct Limit {
    /// Milliseconds from the moment the run begins to wait.
    pub(crate) within: u64,
    pub(crate) then: Otherwise,
}

/// What follows when the answer is not the one that was hoped for.
#[derive(Clone, Copy)]
pub(crate) enum Otherwise {
    Park,
    /// Go on as after the good answer, without a value.
    Continue,
    /// Go to the step of this index.
    Go(usize),
}

/// Where a lookup finds its answer.
pub(crate) enum LookupSource {
    /// An inline table, answered without leaving the flow.
    Table(String),
    /// A table that the shell keeps.
    ExternalTable(String),
    /// A source that the shell asks.
    Outside(String),
}

/// What happens when a lookup finds nothing.
pub(crate) enum OnMissing {
    Park,
    Continue,
    Default(jaq_json::Val),
}

/// What a call sends.
pub(crate) enum Document {
    /// The result of an earlier step.
    Step(usize),
    /// A jq expression.
    Expression(Program),
}

impl StepKind {
    /// The word of the document for this kind.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Lookup { .. } => "lookup",
            Self::Map { .. } => "map",
            Self::Condition { .. } => "condition",
            Self::Call(_) => "call",
            Self::WriteBack { .. } => "write_back",
            Self::Wait { .. } => "wait",
            Self::Approve { .. } => "approve",
            Self::ForEach { .. } => "for_each",
            Self::Slot => "slot",
            Self::Flow { .. } => "flow",
            Self::Compensate => "compensate",
        }
    }
}

impl LookupSource {
    /// The name by which the shell is asked.
    pub(crate) fn asked(&self) -> String {
        match self {
            Self::Table(name) | Self::Outside(name) => name.clone(),
            Self::ExternalTable(name) => format!("table:{name}"),
        }
    }
}
