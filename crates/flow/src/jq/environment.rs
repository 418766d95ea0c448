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
    /// Set name → members.
    pub(crate) sets: BTreeMap<String, BTreeSet<String>>,
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
}

impl<'a> HasLut<'a, FlowTypes> for Environment<'a> {
    fn lut(&self) -> &'a Lut<FlowTypes> {
        self.lut
    }
}

impl Environment<'_> {
    /// Takes `units` of fuel; false when there is not enough left.
    pub(crate) fn burn(&self, units: usize) -> bool {
        let left = u32::try_from(units).ok().and_then(|units| self.fuel.get().checked_sub(units));
        self.fuel.set(left.unwrap_or(0));
        left.is_some()
    }
}
