//! The story of reconciliation: what the gateway paid out, what the bank shows, and what the books say, to the cent (FLOWS §8).
//! It runs on the real engine with the sandbox's Stripe, on a clock that jumps.

mod close;
mod exception;
mod office;
mod payout;
mod statement;
mod tale;

pub(crate) use tale::tell;
