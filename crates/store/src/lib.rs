//! SQL on SQLite and PostgreSQL: one SQL text, two engines.
//!
//! [`Store::write`] is the only way to a writing transaction. Works that wait together share one commit; when one
//! refuses, all run again in savepoints of their own, so that a refusal does not touch its neighbours. Statements are named constants with `$1` parameters
//! and are prepared on both engines by a test.

pub mod access;
pub mod announcements;
pub mod bank;
pub mod books;
pub mod calendar;
pub mod connections;
pub mod contacts;
pub mod effects;
pub mod endpoints;
pub mod error;
pub mod events;
pub mod inbox;
pub mod journal;
pub mod keyring;
pub mod lanes;
pub mod ledger;
pub mod links;
pub mod lookup_rows;
pub mod migrate;
pub mod notices;
pub mod orders;
pub mod organizations;
pub mod passes;
pub mod personal;
mod postgres;
pub mod prices;
pub mod remittances;
pub mod requests;
pub mod runs;
pub mod seals;
pub mod settlements;
mod sqlite;
pub mod statement;
pub mod store;
pub mod testkit;
pub mod tx;
pub mod visits;
pub mod wordings;

pub use error::Error;
pub use keyring::Keyring;
pub use store::{Options, Store};
pub use tx::Tx;
