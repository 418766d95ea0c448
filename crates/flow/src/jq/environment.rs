//! What a running expression can see besides its input: the flow's tables and sets, and its remaining fuel.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use jaq_core::data::HasLut;
use jaq_core::{DataT, Lut};
use jaq_json::Val;

/// The inline tables and value sets of one flow.
#[derive(Default)]
pub(crate) struct Tables {
    /// Table name → key → value.
    pub(crate) tables: BTreeMap<String, BTreeMap<String, Val>>,
    /// Tables that the shell keeps.
    pub(crate) external: BTreeSet<String>,
    /// Sets by name.
    pub(crate) sets: BTreeMap<String, ValueSet>,
}

/// A set of codes.
#[derive(Default)]
pub(crate) struct ValueSet {
    /// The system that the codes are from, for example `http://loinc.org`.
    pub(crate) system: Option<String>,
    /// Code → what it means, when the document says so.
    pub(crate) codes: BTreeMap<String, Option<String>>,
}

/// What all expressions of one advance share.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) tables: &'a Tables,
    /// Says whether the time of the advance is over; asked while fuel burns.
    pub(crate) over: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Setting<'a> {
    /// Tables, and no limit of time.
    pub(crate) const fn of(tables: &'a Tables) -> Self {
        Self { tables, over: None }
    }
}

/// Ties jaq's interpreter to our value type and environment.
pub(crate) struct FlowTypes;

impl DataT for FlowTypes {
    type V<'a> = Val;
    type Data<'a> = Environment<'a>;
}

/// The environment of one run of one expression.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    pub(crate) lut: &'a Lut<FlowTypes>,
    pub(crate) tables: &'a Tables,
    pub(crate) fuel: &'a Cell<u32>,
    pub(crate) over: Option<&'a dyn Fn() -> bool>,
}

impl<'a> HasLut<'a, FlowTypes> for Environment<'a> {
    fn lut(&self) -> &'a Lut<FlowTypes> {
        self.lut
    }
}

/// How much fuel burns before the time is asked for again.
const UNITS_BETWEEN_QUESTIONS: u32 = 1_000;

impl Environment<'_> {
    /// Takes `units` of fuel; false when there is not enough left.
    pub(crate) fn burn(&self, units: usize) -> bool {
        let left = u32::try_from(units).ok().and_then(|units| self.fuel.get().checked_sub(units));
        let before = self.fuel.replace(left.unwrap_or(0));
        let Some(left) = left else { return false };
        // The time is asked rarely: asking may cost more than the work that it bounds.
        before / UNITS_BETWEEN_QUESTIONS == left / UNITS_BETWEEN_QUESTIONS
            || !self.over.is_some_and(|over| over())
    }
}
