//! The Epic connector, judged from outside: golden requests, answers, and stories of postings.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod discovery;
mod outcomes;
mod posting;
mod reads;
mod resume;
mod support;
mod token;
