//! Counts of calls per endpoint and a short log of the last ones.
//!
//! Called once per request by `world`. What must stay true: the log is capped and holds no ids of patients.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

const LOG_MAX: usize = 1_000;

/// Name of an endpoint: `("Patient", "read")`, `("PostTransactionResult", "")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Endpoint {
    pub(super) what: &'static str,
    pub(super) action: &'static str,
}

impl Endpoint {
    pub(super) fn name(self) -> String {
        if self.action.is_empty() { self.what.to_owned() } else { format!("{}.{}", self.what, self.action) }
    }

    /// True when `text` names this endpoint, with or without the action.
    pub(super) fn is_named(self, text: &str) -> bool {
        text == self.what || text.split_once('.') == Some((self.what, self.action))
    }
}

/// Counts and log.
#[derive(Default)]
pub(super) struct Calls {
    counts: BTreeMap<Endpoint, u64>,
    log: VecDeque<(i64, Endpoint, u16)>,
}

impl Calls {
    pub(super) fn note(&mut self, now_ms: i64, endpoint: Endpoint, status: u16) {
        *self.counts.entry(endpoint).or_default() += 1;
        if self.log.len() == LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back((now_ms, endpoint, status));
    }

    pub(super) fn counts(&self) -> Value {
        self.counts
            .iter()
            .map(|(endpoint, count)| (endpoint.name(), json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The last calls, oldest first.
    pub(super) fn log(&self, last: usize) -> Value {
        let skipped = self.log.len().saturating_sub(last);
        self.log
            .iter()
            .skip(skipped)
            .map(|(at_ms, endpoint, status)| {
                json!({ "at_ms": at_ms, "endpoint": endpoint.name(), "status": status })
            })
            .collect()
    }
}
