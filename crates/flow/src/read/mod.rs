//! Reads a flow document into a checked flow, or reports everything that is wrong with it.

mod document;
mod durations;
mod fields;
mod layout;
mod names;
mod requests;
mod set;
mod shapes;
mod steps;
mod tests;
mod waits;

pub(crate) use document::flow;
pub(crate) use set::{Document, resolve};
pub(crate) use tests::Below;
