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
    /// Index of the step to do; the number of steps means finished.
    pub(crate) position: usize,
    /// The trigger's filter gave no result; the first advance reports it.
    pub(crate) filter_failed: bool,
    pub(crate) event: Held,
    /// Results of the steps by index; null for steps that were not done.
    pub(crate) values: Vec<Held>,
    pub(crate) visits: Vec<Visit>,
}

/// One step that was done.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) step: usize,
    pub(crate) outcome: super::Outcome,
    /// The key of a lookup or the document of a call; other steps read the event and earlier results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Held>,
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

    /// The fingerprint of the flow's text.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Index of the step that the run stands at; the number of steps when it is finished.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The event that started the run, to start it again under a new version of the flow.
    #[must_use]
    pub fn event(&self) -> Phi<Value> {
        Phi::new(to_json(&self.event.0).unwrap_or_default())
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run({} version {}, at step {}, values ***)", self.flow, self.version, self.position)
    }
}
