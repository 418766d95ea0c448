//! Faults that a test or a simulator asks for: outage, lost answers, failures before and after the commit, delays.
//!
//! Set by `control`, asked by `world`.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::stripe::Random;

/// A failure that a number of coming calls get.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) left: u64,
    /// True when the call is executed although it is answered with the failure.
    pub(super) acts: bool,
    /// Part of the call's name, as `CashRecSvc` or `CashRecSvc/CashRecs`; all calls when empty.
    pub(super) endpoint: String,
    /// Only calls of this HTTP method; all when empty.
    pub(super) method: String,
    /// Seconds of `Retry-After`.
    pub(super) retry_after: Option<u64>,
}

/// Answers that get lost on their way back.
#[derive(Debug, Default)]
pub(super) struct Losses {
    pub(super) left: u64,
    pub(super) per_million: u64,
    pub(super) endpoint: String,
    pub(super) method: String,
}

/// All faults that are switched on, and the counts of calls.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) outage: bool,
    /// Reading entity sets of heavy services fails, as on some hosts (EPICOR.md §3).
    pub(super) heavy_reads_fail: bool,
    pub(super) latency_ms: u64,
    pub(super) losses: Losses,
    pub(super) failures: VecDeque<Failure>,
    calls: BTreeMap<String, u64>,
}

fn fits(endpoint: &str, method: &str, name: &str, sent: &str) -> bool {
    name.contains(endpoint) && (method.is_empty() || method == sent)
}

impl Faults {
    pub(super) fn count(&mut self, method: &str, name: &str) {
        *self.calls.entry(format!("{method} {name}")).or_default() += 1;
    }

    /// Takes one use of the first failure that fits.
    pub(super) fn take_failure(&mut self, method: &str, name: &str) -> Option<Failure> {
        let at = self
            .failures
            .iter()
            .position(|failure| fits(&failure.endpoint, &failure.method, name, method))?;
        let failure = self.failures.get_mut(at)?;
        failure.left = failure.left.saturating_sub(1);
        let taken = failure.clone();
        if taken.left == 0 {
            self.failures.remove(at);
        }
        Some(taken)
    }

    /// True when the answer of this call gets lost.
    pub(super) fn loses(&mut self, method: &str, name: &str, random: &mut Random) -> bool {
        if !fits(&self.losses.endpoint, &self.losses.method, name, method) {
            return false;
        }
        if self.losses.left > 0 {
            self.losses.left -= 1;
            return true;
        }
        random.chance(self.losses.per_million)
    }

    pub(super) fn calls(&self) -> Value {
        json!(self.calls)
    }

    pub(super) fn forget_calls(&mut self) {
        self.calls.clear();
    }

    pub(super) fn state(&self) -> Value {
        json!({
            "outage": self.outage,
            "answers_to_lose": self.losses.left,
            "failures_left": self.failures.iter().map(|failure| failure.left).sum::<u64>(),
            "latency_ms": self.latency_ms,
        })
    }
}
