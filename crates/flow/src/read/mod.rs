//! Reads a flow document into a checked flow, or reports everything that is wrong with it.

mod document;
mod durations;
mod fields;
mod shapes;
mod steps;
mod tests;
mod waits;

pub(crate) use document::flow;
