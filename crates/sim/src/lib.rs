//! Seeded simulator of whole money flows: engines, a store, Stripe and Epic in one process on one clock that is moved by
//! hand.
//!
//! Stories drive a [`world::World`] step by step. [`run`](run::run) drives one through a schedule made from a seed, with
//! faults and crashes, and lets the judge check the invariants after every move.

pub mod chance;
pub mod judge;
pub mod plan;
pub mod run;
mod sabotage;
pub mod schedule;
pub mod world;

pub use run::{Options, Outcome, Sabotage, Violation, replay, simulate};
