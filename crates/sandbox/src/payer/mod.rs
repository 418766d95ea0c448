//! A pretend payer: eligibility (270/271), claims, and remittances (835) whose results are chosen.
//!
//! The HTTP shell, simulators and tests call `PayerWorld`. What must stay true: the world is synchronous, has no clock
//! and no chance of its own, and every remittance balances unless somebody asked for a broken one.

mod adjudicate;
mod claim;
mod claim_837;
mod control;
mod eligibility;
mod inquiry;
mod ledger;
mod member;
mod remittance;
mod world;
mod x12;

#[cfg(test)]
mod stories;

pub use adjudicate::Case;
pub use member::{Coverage, Member, Plan, members};
pub use world::PayerWorld;
