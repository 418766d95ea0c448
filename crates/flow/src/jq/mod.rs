//! jq, restricted to what a flow may do: no I/O, no clock, no unbounded work, exact integers.

mod addresses;
mod direct;
mod environment;
mod fuel;
mod functions;
mod keys;
mod library;
mod limits;
mod program;
mod terms;
mod times;
mod value;

pub(crate) use environment::{Setting, Tables, ValueSet};
pub(crate) use keys::{keys, without_indices};
pub(crate) use limits::{fits, kilobytes};
pub(crate) use program::{Fault, Program, Scope, Trouble, listed};
pub(crate) use value::{Held, key_text, text_of, to_jq, to_json};
