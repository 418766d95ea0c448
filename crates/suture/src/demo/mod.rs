//! The demo: a stage with everything on it, a story in steps, and a report at the end.

mod narrator;
mod report;
pub(crate) mod stage;
mod steps;
pub(crate) mod story;
mod words;
