//! Fetching objects and walking lists, for polls, sweeps and notices.
//!
//! Used by `engine` wherever a payload is not trusted alone. Invariant: an object counts only when it was asked for.

use suture_core::time::Timestamp;

use crate::gateway::{Fetch, Seen};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// Which list to walk in a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Payment intents with their latest charges.
    Intents,
    /// Refunds.
    Refunds,
    /// Disputes.
    Disputes,
    /// Events, for gaps in the webhooks.
    Events,
    /// Balance transactions.
    BalanceTransactions,
    /// Payouts.
    Payouts,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Everything seen on the page.
    pub seen: Seen,
    /// The raw items, for lists that are not evidence (balance transactions, events).
    pub items: Vec<serde_json::Value>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// Fetch objects and lists for polls and sweeps.
pub trait History: Send + Sync {
    /// Builds the fetch of one object.
    fn fetch(&self, what: &Fetch) -> HttpRequest;
    /// Reads what was fetched. An object that no longer exists is `Declined` with code `resource_missing`.
    fn read_fetched(&self, what: &Fetch, response: &HttpResponse) -> Outcome<Seen>;
    /// Builds one page of a list of objects created since a moment, newest first, `limit` ≤ 100.
    fn list(&self, list: List, since: Timestamp, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Reads one page.
    fn read_list(&self, list: List, response: &HttpResponse) -> Outcome<Page>;
}
