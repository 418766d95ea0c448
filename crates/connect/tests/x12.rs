//! The X12 readers, told as stories: what payers send, what we make of it, and what is refused.

#![expect(clippy::unwrap_used, reason = "a fixture that is missing must stop the story")]

#[path = "x12/support.rs"]
mod support;
#[path = "x12/writer.rs"]
mod writer;

#[path = "x12/eligibility.rs"]
mod eligibility;
#[path = "x12/estimates.rs"]
mod estimates;
#[path = "x12/properties.rs"]
mod properties;
#[path = "x12/refusals.rs"]
mod refusals;
#[path = "x12/remittances.rs"]
mod remittances;
#[path = "x12/samples.rs"]
mod samples;
