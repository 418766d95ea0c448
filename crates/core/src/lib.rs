//! The business as values: money, ids, state machines, ledger, audit chain.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no async. Callers pass `now`, ids and settings as values.

pub mod adjudication;
pub mod appointment;
pub mod attempt;
pub mod audit;
pub mod calendar;
pub mod catalogue;
pub mod consent;
pub mod currency;
pub mod day;
pub mod debt;
pub mod dispute;
pub mod eligibility;
pub mod encounter;
pub mod estimate;
pub mod evidence;
pub mod explain;
pub mod filing;
pub mod firewall;
pub mod guard;
pub mod id;
pub mod intake;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod notice;
pub mod order;
pub mod pass;
pub mod patient;
pub mod payment;
pub mod payout;
pub mod period;
pub mod policy;
pub mod posting;
pub mod practice;
pub mod proof;
pub mod reconcile;
pub mod redact;
pub mod refund;
pub mod refusal;
pub mod remittance;
pub mod service;
pub mod settlement;
pub mod time;
pub mod visit;
pub mod waiting;

#[cfg(test)]
mod tables;
