//! Where a run is: a step, under its name in the run, and how the run stops there.

use jaq_json::Val;
use suture_core::redact::Phi;

use super::next::{Failure, Next, Parked};
use crate::jq::{Trouble, to_json};
use crate::step::Step;

/// The run stops here.
pub(super) type Stopped = Box<Next>;

/// A step of a run.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) step: &'a Step,
    /// The names of the calling steps, with a dot after each.
    pub(super) prefix: &'a str,
    /// The name of the `for_each` around the step, and the index of its item.
    pub(super) item: Option<(&'a str, usize)>,
}

impl At<'_> {
    /// The step's name inside its flow: `post`, or `lines[3].post`.
    pub(super) fn local_name(self) -> String {
        let name = &self.step.name;
        self.item.map_or_else(|| name.clone(), |(of, index)| format!("{of}[{index}].{name}"))
    }

    /// The step's name, unique in its run.
    pub(super) fn name(self) -> String {
        format!("{}{}", self.prefix, self.local_name())
    }

    pub(super) fn parked(self, reason: Parked) -> Stopped {
        Box::new(Next::Parked { reason, step: self.name(), place: self.step.place })
    }

    pub(super) fn failed(self, text: impl Into<String>, detail: Option<Phi<String>>) -> Stopped {
        let error = Failure { text: text.into(), detail };
        Box::new(Next::Failed { error, step: self.name(), place: self.step.place })
    }

    /// An expression gave no result.
    pub(super) fn stopped(self, trouble: Trouble) -> Stopped {
        match trouble {
            Trouble::UnknownKey { table, key } => self.parked(Parked::UnknownKey { table, key }),
            Trouble::NotInSet { set, value } => self.parked(Parked::NotInSet { set, value }),
            Trouble::Failed { text, detail } => self.failed(text, detail),
        }
    }

    /// The caller answered something that this step did not ask.
    pub(super) fn protocol(self, asked: &str) -> Stopped {
        let text = format!("the answer does not fit the step {}: {asked}; the run did not move", self.name());
        self.failed(text, None)
    }

    pub(super) fn json(self, value: &Val) -> Result<serde_json::Value, Stopped> {
        to_json(value).map_err(|text| self.failed(text, None))
    }
}
