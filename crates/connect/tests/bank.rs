//! The readers of bank statements, told as stories: what banks send, what we make of it, and what is refused.

#![expect(clippy::unwrap_used, reason = "a file that is not read must stop the story")]

#[path = "bank/support.rs"]
mod support;

#[path = "bank/formats.rs"]
mod formats;
#[path = "bank/properties.rs"]
mod properties;
#[path = "bank/refusals.rs"]
mod refusals;
