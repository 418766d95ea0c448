//! Stories about the whole Stripe world, told through its HTTP surface.

mod card_life;
mod cards;
mod credit_notes;
mod idempotency;
mod invoices;
mod later;
mod payments;
mod stage;
mod transfers;
mod webhooks;
