//! The demo: a stage with everything on it, a story in steps, and a report at the end.

pub(crate) mod billing;
mod narrator;
pub(crate) mod orders;
mod reasons;
pub(crate) mod reconcile;
mod report;
pub(crate) mod stage;
mod steps;
pub(crate) mod story;
pub(crate) mod visits;
mod words;
