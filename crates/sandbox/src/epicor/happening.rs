//! Things that BPM directives are told about.
//!
//! Collected by the rules during a transaction, sent by `bpm` after it. What must stay true: what was rolled back
//! has not happened.

use super::row::Key;
use super::schema::Id;

/// One thing that happened to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happening {
    /// `order.created`, `order.changed`, `order.shipped`, `invoice.posted`, `receipt.posted`, `customer.created`,
    /// `customer.changed`.
    pub(super) event: &'static str,
    pub(super) id: Id,
    pub(super) key: Key,
}
