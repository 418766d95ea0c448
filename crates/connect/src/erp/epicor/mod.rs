//! Epicor Kinetic through REST v2: filing of documents, reads, polls, and calls of its business process management.
//!
//! Facts, and what of them is confirmed: EPICOR.md. What is not confirmed is a setting.

mod call;
pub mod errors;
pub mod filing;
pub mod poll;
pub mod posting;
pub mod reads;
mod rows;
pub mod settings;
pub mod token;
pub mod webhook;
pub mod words;

pub use call::Identity;
