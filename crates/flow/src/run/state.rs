//! The state of a run between two requests.
//!
//! The shell stores it after each request and answer. All of it may hold personal data: store it encrypted. `Debug` prints
//! only what is safe to log. Invariant: values and visits belong to the flow whose fingerprint the run carries.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::redact::Phi;

use crate::flow::Fingerprint;
use crate::jq::{Held, to_json};

/// A run of a flow. Serialize it to store it; advance it with [`Compiled::advance`](crate::compiled::Compiled::advance).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub(crate) flow: String,
    pub(crate) version: u32,
    pub(crate) fingerprint: Fingerprint,
    /// The trigger's filter gave no result; the first advance reports it.
    pub(crate) filter_failed: bool,
    /// How much work was done, in units of about one step; see [`Level::go`](super::level::Level).
    #[serde(default)]
    pub(crate) spent: u32,
    #[serde(flatten)]
    pub(crate) frame: Frame,
}

/// How far one flow is: the run's own, or one that it called.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// Index of the step to do; the number of steps means finished.
    pub(crate) position: usize,
    /// The event, or the inputs of a called flow.
    pub(crate) event: Held,
    /// Results of the steps by index; null for steps that were not done.
    pub(crate) values: Vec<Held>,
    pub(crate) visits: Vec<Visit>,
    /// The `for_each` that the position is inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<Repeat>,
    /// The called flow that the step at the position runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inner: Option<Box<Frame>>,
    /// Calls that were done and can be undone, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) undo: Vec<Undo>,
}

/// How far a `for_each` is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Repeat {
    /// Index of the `for_each`.
    pub(crate) step: usize,
    pub(crate) items: Vec<Held>,
    /// Index of the present item.
    pub(crate) index: usize,
    /// Results of the items before it.
    pub(crate) results: Vec<Held>,
    /// The result of the latest step of the present item.
    pub(crate) latest: Held,
}

/// A call that was done and can be undone.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// The call's name inside this frame.
    pub(crate) name: String,
    pub(crate) target: String,
    /// What to send; nothing when it could not be made.
    pub(crate) document: Option<Held>,
}

/// One step that was done.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) step: usize,
    pub(crate) outcome: super::Outcome,
    /// The key of a lookup or the document of a call; other steps read the event and earlier results.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Held>,
    /// Index of the item, inside a `for_each`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<usize>,
    /// The result, where the values of the frame do not keep it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Held>,
    /// How the called flow went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inner: Option<Box<Frame>>,
    /// Name and target of the call that was undone here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undone: Option<(String, String)>,
}

/// A value that is there, null too.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Held>, D::Error> {
    Held::deserialize(deserializer).map(Some)
}

impl Frame {
    /// At the first step.
    pub(crate) fn begin(event: Held, steps: usize) -> Self {
        Self {
            position: 0,
            event,
            values: vec![Held::default(); steps],
            visits: Vec::with_capacity(steps),
            repeat: None,
            inner: None,
            undo: Vec::new(),
        }
    }

    /// Notes the end of the step at the position and goes on.
    pub(crate) fn finish(
        &mut self,
        outcome: super::Outcome,
        value: jaq_json::Val,
        input: Option<Held>,
        next: usize,
    ) {
        let value = Held(value);
        let mut visit = Visit {
            step: self.position,
            outcome,
            input,
            item: None,
            output: None,
            inner: self.inner.take(),
            undone: None,
        };
        if let Some(repeat) = &mut self.repeat {
            visit.item = Some(repeat.index);
            visit.output = Some(value.clone());
            if outcome.gives_a_result() {
                repeat.latest = value.clone();
            }
        }
        self.visits.push(visit);
        if let Some(held) = self.values.get_mut(self.position) {
            *held = value;
        }
        self.position = next;
    }
}

impl Run {
    /// The name of the flow.
    #[must_use]
    pub fn flow(&self) -> &str {
        &self.flow
    }

    /// The version of the flow.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The fingerprint of the flow's text, and of the texts of the flows that it calls.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Index of the step that the run stands at; the number of steps when it is finished.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.frame.position
    }

    /// The event that started the run, to start it again under a new version of the flow.
    #[must_use]
    pub fn event(&self) -> Phi<Value> {
        Phi::new(to_json(&self.frame.event.0).unwrap_or_default())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run({} version {}, at step {}, values ***)", self.flow, self.version, self.frame.position)
    }
}
