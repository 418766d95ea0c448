//! The Stripe connector, told as stories: what it sends, what it makes of answers, what it makes of webhooks.

#![expect(clippy::unwrap_used, reason = "a fixture that is missing must stop the story")]

#[path = "stripe/support.rs"]
mod support;

#[path = "stripe/conformance.rs"]
mod conformance;
#[path = "stripe/guide.rs"]
mod guide;
#[path = "stripe/history.rs"]
mod history;
#[path = "stripe/invoices.rs"]
mod invoices;
#[path = "stripe/outcomes.rs"]
mod outcomes;
#[path = "stripe/payments.rs"]
mod payments;
#[path = "stripe/properties.rs"]
mod properties;
#[path = "stripe/requests.rs"]
mod requests;
#[path = "stripe/settings.rs"]
mod settings;
#[path = "stripe/signatures.rs"]
mod signatures;
#[path = "stripe/transfers.rs"]
mod transfers;
#[path = "stripe/vault.rs"]
mod vault;
#[path = "stripe/webhooks.rs"]
mod webhooks;
