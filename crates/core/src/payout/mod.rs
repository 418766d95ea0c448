//! The provider's payout: what a provider earns by one service, from accrual over holds to the transfer, and back again
//! (FLOWS §0, §3; FEATURES M189–M195).

mod amounts;
mod command;
mod event;
mod postings;
mod state;
mod terms;
mod transfer;

pub use command::{Answer, Command, decide};
pub use event::Event;
pub use postings::postings;
pub use state::{Hold, Loss, ProviderPayout, Status};
pub use terms::{Accrual, HoldReason, LossRule, Share, Terms};
pub use transfer::{Reversal, Step, Transfer};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
