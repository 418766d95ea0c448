//! Matching of two lists of money: a gateway's balance with the ledger's facts, a bank's lines with gateway payouts.
//!
//! The engine prepares [`Item`]s and [`Rule`]s; [`reconcile`] gives matches, exceptions and the remainder of every currency.
//! Pure and deterministic: the order in which items are given changes nothing. What must stay true: no item is matched
//! twice, every item is in one match or one exception, and the remainder is computed, never assumed to be zero.

mod item;
mod joins;
mod outcome;
mod pool;
mod rule;

pub use item::{Item, Side};
pub use joins::reconcile;
pub use outcome::{Exception, Match, Members, Outcome, Remainder, TooLarge, Why};
pub use rule::{By, Rule, Shape};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
