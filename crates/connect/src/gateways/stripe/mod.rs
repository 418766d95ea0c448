//! Stripe: payment intents, refunds, stored methods, webhooks, history.

pub mod account;
mod amounts;
mod declines;
mod errors;
mod form;
pub mod history;
pub mod payments;
pub mod refunds;
mod request;
pub mod settings;
mod signature;
mod translate;
pub mod vault;
pub mod webhooks;
mod wire;
