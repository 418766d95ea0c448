//! A flow ready to run. One value serves all workers: it is `Send`, `Sync` and cheap to clone.
//!
//! The shell calls [`Compiled::start`] for every event and [`Compiled::advance`] until the run is finished, parked or
//! failed. Both are pure: the same run and answer give the same next step, after any crash, on any node.

use std::sync::Arc;

use serde_json::Value;

use crate::flow::{Parts, event_name};
use crate::jq::{Held, Setting, to_jq};
use crate::run::{Frame, Run};
use crate::step::{Step, StepKind};

/// A flow ready to run.
#[derive(Clone)]
pub struct Compiled {
    pub(crate) parts: Arc<Parts>,
    /// Write-back steps that the caller switched on or off, by index.
    pub(crate) switched: Vec<(usize, bool)>,
}

impl Compiled {
    pub(crate) const fn new(parts: Arc<Parts>) -> Self {
        Self { parts, switched: Vec::new() }
    }

    /// The same flow with a write-back step switched on or off, whatever its document says. Other steps are not changed.
    #[must_use]
    pub fn with_write_back(mut self, step: &str, on: bool) -> Self {
        let is_it = |known: &Step| known.name == step && matches!(known.kind, StepKind::WriteBack { .. });
        if let Some(index) = self.parts.steps.iter().position(is_it) {
            self.switched.retain(|(known, _)| *known != index);
            self.switched.push((index, on));
        }
        self
    }

    /// The name of the flow.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The version of the flow.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.parts.version
    }

    /// The fingerprint of the flow's text.
    #[must_use]
    pub fn fingerprint(&self) -> crate::flow::Fingerprint {
        self.parts.fingerprint
    }

    /// The source and the events that start the flow, for routing without running a filter.
    #[must_use]
    pub fn trigger(&self) -> (&str, &[String]) {
        (&self.parts.trigger.source, &self.parts.trigger.events)
    }

    /// Starts a run for an event; `None` when the event is not one of the trigger's, or its filter says no. A callable flow
    /// is started by no event.
    ///
    /// A filter that cannot tell (it fails, or gives neither true nor false) starts a run that fails on its first advance,
    /// so that the event is seen and not lost.
    #[must_use]
    pub fn start(&self, event: &Value) -> Option<Run> {
        let trigger = &self.parts.trigger;
        let name = event_name(event)?;
        if !trigger.events.iter().any(|known| known == name) {
            return None;
        }
        let event = Held(to_jq(event));
        let filter = trigger.filter.as_ref();
        let matched =
            filter.map_or(Ok(true), |filter| filter.test(&event.0, &[], Setting::of(&self.parts.tables)));
        if matches!(matched, Ok(false)) {
            return None;
        }
        Some(self.begin(event, matched.is_err()))
    }

    /// Starts a run of a callable flow with its inputs. Inputs of another shape than the flow's `inputs` park the run on
    /// its first advance. For a flow with another trigger, [`start`](Self::start) is the way; this one asks no filter.
    #[must_use]
    pub fn start_with(&self, inputs: &Value) -> Run {
        self.begin(Held(to_jq(inputs)), false)
    }

    fn begin(&self, event: Held, filter_failed: bool) -> Run {
        Run {
            flow: self.parts.name.clone(),
            version: self.parts.version,
            fingerprint: self.parts.fingerprint,
            filter_failed,
            spent: 0,
            frame: Frame::begin(event, self.parts.steps.len()),
        }
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compiled({} version {}, {})", self.parts.name, self.parts.version, self.parts.fingerprint)
    }
}
