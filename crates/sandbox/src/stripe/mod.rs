//! Stripe, as far as payments need it.

mod attempt;
mod balance;
mod capture;
mod card;
mod charge;
mod control;
mod currency;
mod customer;
mod delivery;
mod dispute;
mod event;
mod expand;
mod form;
mod idempotency;
mod knob;
mod listing;
mod movement;
mod object;
mod payment_intent;
mod payment_method;
mod payout;
mod random;
mod refund;
mod refusal;
mod route;
mod schema;
mod search;
mod setup_intent;
mod table;
mod timer;
mod webhook_endpoint;
mod world;

#[cfg(test)]
mod stories;

pub use delivery::{Delivery, Ladder, sign};
pub use movement::{Motion, Movement};
pub use world::{API_VERSION, DEFAULT_KEY, StripeOptions, StripeWorld};
