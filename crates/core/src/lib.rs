//! The business as values: money, ids, state machines, ledger, audit chain.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async. Callers pass `now`, ids and settings as values.

pub mod currency;
pub mod evidence;
pub mod money;
pub mod redact;
pub mod time;
