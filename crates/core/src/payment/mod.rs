//! The payment: the collection of one amount, through one gateway, for one debt.
//!
//! What is known about money (charges, refunds, disputes) only ever grows, by joins that do not depend on order; the
//! status is derived from it. That is why any permutation, subset and repetition of a gateway's events ends in the same
//! state and the same ledger (FEATURES R17, FLOWS §10).

mod command;
mod event;
mod known;
mod observe;
mod postings;
mod returns;
mod state;
mod status;

pub use command::{Answer, Command, Opening, Source, decide};
pub use event::Event;
pub use known::{DisputeKnown, IntentKnown, Purpose, RefundKnown};
pub use postings::postings;
pub use state::Payment;
pub use status::Status;

#[cfg(test)]
mod tests;
