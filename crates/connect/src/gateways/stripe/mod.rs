//! Stripe: payment intents, holds, refunds, stored methods, invoices, webhooks, history.

pub mod account;
mod amounts;
mod declines;
mod errors;
mod events;
mod form;
pub mod guide;
pub mod history;
pub mod holds;
pub mod invoices;
mod notices;
pub mod payments;
pub mod refunds;
mod refusals;
mod request;
pub mod settings;
mod settlements;
mod signature;
pub mod transfers;
mod translate;
mod translate_invoice;
mod translate_vault;
pub mod vault;
pub mod webhooks;
mod wire;
mod wire_invoice;
mod wire_vault;
