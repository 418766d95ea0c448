//! The Epicor connector, judged from outside: golden requests, answers, and stories of filings.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod compare;
mod documents;
mod errors;
mod faults;
mod filing;
mod groups;
mod kinetic;
mod posting;
mod reads;
mod support;
mod webhook;
