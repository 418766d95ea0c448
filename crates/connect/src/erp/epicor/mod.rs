//! Epicor Kinetic through REST v2: filing of documents, reads, polls and calls of its business process management.
//!
//! Facts, and what of them is confirmed: EPICOR.md. What is not confirmed is a setting.

pub mod settings;
