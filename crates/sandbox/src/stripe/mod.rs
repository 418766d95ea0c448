//! Stripe, as far as payments need it.

mod attempt;
mod balance;
mod capture;
mod card;
mod card_face;
mod charge;
mod connected_account;
mod control;
mod control_balance;
mod control_cards;
mod credit_note;
mod credit_note_issue;
mod currency;
mod customer;
mod customer_balance;
mod delivery;
mod dispute;
mod event;
mod expand;
mod form;
mod idempotency;
mod increment;
mod invoice;
mod invoice_draft;
mod invoice_item;
mod invoice_moves;
mod invoice_pay;
mod invoice_payment;
mod knob;
mod listing;
mod movement;
mod object;
mod page;
mod payment_intent;
mod payment_method;
mod payout;
mod pdf;
mod random;
mod refund;
mod refusal;
mod route;
mod schema;
mod search;
mod setup_intent;
mod table;
mod timer;
mod transfer;
mod webhook_endpoint;
mod world;

#[cfg(test)]
mod stories;

pub use delivery::{Delivery, Ladder, sign};
pub use movement::{Motion, Movement};
pub use world::{API_VERSION, DEFAULT_KEY, StripeOptions, StripeWorld};
