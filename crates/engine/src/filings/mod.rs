//! Filing documents in the ERP: planned with the run that asks for it, carried out by the connector's step machine, and told to
//! the order that it is about.

mod carry;
mod plan;

pub(crate) use plan::{TARGET, known, plan};
