//! Stories about the whole Stripe world, told through its HTTP surface.

mod cards;
mod idempotency;
mod later;
mod payments;
mod stage;
mod webhooks;
