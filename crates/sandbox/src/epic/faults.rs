//! Faults that a test or a simulator asks for: outage, lost answers, failures, the daily ceiling.
//!
//! Set by `control`, asked by `world`. Source: EPIC.md §5 and §6 (4135 until the next local day).

use std::collections::VecDeque;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::calls::Endpoint;
use super::chance::Chance;

/// A failure that a number of coming calls get.
#[derive(Clone)]
pub(super) struct Failure {
    /// One of Epic's numbers, or an HTTP status below 600.
    pub(super) code: u32,
    pub(super) left: u64,
    /// True when the call is executed although it is answered with the failure.
    pub(super) acts: bool,
    pub(super) endpoint: Option<String>,
}

/// Answers that get lost on their way back.
#[derive(Default)]
pub(super) struct Losses {
    pub(super) left: u64,
    pub(super) per_million: u64,
    pub(super) endpoint: Option<String>,
}

/// All faults that are switched on.
pub(super) struct Faults {
    pub(super) outage: bool,
    pub(super) losses: Losses,
    failures: VecDeque<Failure>,
    pub(super) calls_per_day: Option<u64>,
    time_zone: TimeZone,
    day_start_ms: i64,
    day_end_ms: i64,
    calls_today: u64,
}

impl Faults {
    pub(super) fn new() -> Self {
        Self {
            outage: false,
            losses: Losses::default(),
            failures: VecDeque::new(),
            calls_per_day: None,
            time_zone: TimeZone::get("America/Chicago").unwrap_or(TimeZone::UTC),
            day_start_ms: i64::MAX,
            day_end_ms: i64::MIN,
            calls_today: 0,
        }
    }

    pub(super) fn add_failure(&mut self, failure: Failure) {
        self.failures.push_back(failure);
    }

    pub(super) fn set_time_zone(&mut self, name: &str) -> Result<(), String> {
        self.time_zone =
            TimeZone::get(name).map_err(|_| "`time_zone` is no IANA name; nothing was changed".to_owned())?;
        self.day_end_ms = i64::MIN;
        Ok(())
    }

    /// Takes one use of the first failure that fits.
    pub(super) fn take_failure(&mut self, endpoint: Endpoint, reaches_records: bool) -> Option<Failure> {
        let at =
            self.failures.iter().position(|failure| fits(&failure.endpoint, endpoint, reaches_records))?;
        let failure = self.failures.get_mut(at)?;
        failure.left = failure.left.saturating_sub(1);
        let taken = failure.clone();
        if taken.left == 0 {
            self.failures.remove(at);
        }
        Some(taken)
    }

    /// True when the answer of this call gets lost.
    pub(super) fn loses(&mut self, endpoint: Endpoint, reaches_records: bool, chance: &mut Chance) -> bool {
        if !fits(&self.losses.endpoint, endpoint, reaches_records) {
            return false;
        }
        if self.losses.left > 0 {
            self.losses.left -= 1;
            return true;
        }
        self.losses.per_million > 0 && chance.hits(self.losses.per_million)
    }

    /// Counts one call against the ceiling of the local day; false when the ceiling is reached.
    pub(super) fn is_below_ceiling(&mut self, now_ms: i64) -> bool {
        let Some(ceiling) = self.calls_per_day else { return true };
        if now_ms < self.day_start_ms || now_ms >= self.day_end_ms {
            (self.day_start_ms, self.day_end_ms) = self.local_day(now_ms);
            self.calls_today = 0;
        }
        if self.calls_today >= ceiling {
            return false;
        }
        self.calls_today += 1;
        true
    }

    fn local_day(&self, now_ms: i64) -> (i64, i64) {
        let bounds = Timestamp::from_millisecond(now_ms).and_then(|now| {
            let start = now.to_zoned(self.time_zone.clone()).start_of_day()?;
            let end = start.tomorrow()?.start_of_day()?;
            Ok((start.timestamp().as_millisecond(), end.timestamp().as_millisecond()))
        });
        // A moment outside the calendar gets a day of its own.
        bounds.unwrap_or((now_ms, now_ms.saturating_add(86_400_000)))
    }

    /// Starts the count of the day again.
    pub(super) fn reset_day(&mut self) {
        self.day_end_ms = i64::MIN;
    }

    pub(super) fn state(&self) -> Value {
        json!({
            "outage": self.outage,
            "answers_to_lose": self.losses.left,
            "failures_left": self.failures.iter().map(|failure| failure.left).sum::<u64>(),
            "calls_per_day": self.calls_per_day,
            "calls_today": self.calls_today,
        })
    }
}

/// A fault without endpoint is meant for calls that reach records, not for tokens and discovery.
fn fits(wanted: &Option<String>, endpoint: Endpoint, reaches_records: bool) -> bool {
    match wanted {
        Some(name) => endpoint.is_named(name),
        None => reaches_records,
    }
}
