//! How fast a connection may be called, and whether it is worth calling now.
//!
//! A budget by the site's local hour (Epic publishes no limits and asks for restraint from 07 to 19 h, FEATURES M51), a
//! pause that the other side asked for (429), and a circuit that opens after failures in a row and lets one call probe.

use std::sync::Mutex;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use suture_core::time::Timestamp;

/// Calls per minute; `None`: no limit of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// From 07:00 to 19:00 local time.
    pub per_minute_peak: Option<u32>,
    /// At other hours.
    pub per_minute_off_peak: Option<u32>,
}

/// Failures in a row that open the circuit.
const FAILURES_MAX: u32 = 8;
/// How long an open circuit waits before it lets one call probe.
const PROBE_AFTER: Duration = Duration::from_secs(15);

/// The throttle of one connection.
pub(crate) struct Throttle {
    budget: Budget,
    zone: TimeZone,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    minute: i64,
    calls: u32,
    calls_before: u32,
    paused_until: Option<Timestamp>,
    failures: u32,
    probe_at: Option<Timestamp>,
}

/// What a connection looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Calls in the minute before.
    pub calls_last_minute: u32,
    /// The limit that counts at this hour.
    pub limit_per_minute: Option<u32>,
    /// Whether calls wait because of a limit, ours or theirs. Shown as throttling, never as an error.
    pub throttled: bool,
    /// Failures in a row.
    pub failures: u32,
    /// Whether the circuit is open: calls wait until a probe succeeds.
    pub circuit_open: bool,
}

impl Throttle {
    pub(crate) fn try_new(budget: Budget, zone: Option<&str>) -> Result<Self, String> {
        let zone = match zone {
            Some(name) => TimeZone::get(name)
                .map_err(|_| format!("{name:?} is not a time zone such as America/Chicago"))?,
            None => TimeZone::UTC,
        };
        Ok(Self { budget, zone, state: Mutex::default() })
    }

    /// Counts a call that is about to leave, or says when to come back.
    pub(crate) fn enter(&self, now: Timestamp) -> Result<(), Timestamp> {
        let limit = self.limit(now);
        let Ok(mut state) = self.state.lock() else { return Ok(()) };
        state.turn(now);
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            return Err(until);
        }
        if state.failures >= FAILURES_MAX {
            if let Some(probe_at) = state.probe_at.filter(|at| *at > now) {
                return Err(probe_at);
            }
            // One call probes; the next waits for its outcome.
            state.probe_at = Some(now + PROBE_AFTER);
        }
        if limit.is_some_and(|limit| state.calls >= limit) {
            return Err(Timestamp::from_millis((state.minute + 1) * 60_000));
        }
        state.calls += 1;
        Ok(())
    }

    /// A call was answered, whatever the answer.
    pub(crate) fn answered(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.failures = 0;
            state.probe_at = None;
        }
    }

    /// A call was not answered, or the other side is out of order.
    pub(crate) fn failed(&self, now: Timestamp) {
        if let Ok(mut state) = self.state.lock() {
            state.failures = state.failures.saturating_add(1);
            if state.failures >= FAILURES_MAX {
                state.probe_at = Some(now + PROBE_AFTER);
            }
        }
    }

    /// The other side asked us to slow down.
    pub(crate) fn pause(&self, now: Timestamp, wait: Duration) {
        if let Ok(mut state) = self.state.lock() {
            let until = now + wait;
            state.paused_until = Some(state.paused_until.map_or(until, |before| before.max(until)));
        }
    }

    pub(crate) fn health(&self, now: Timestamp) -> Health {
        let limit = self.limit(now);
        let Ok(mut state) = self.state.lock() else {
            return Health {
                calls_last_minute: 0,
                limit_per_minute: limit,
                throttled: false,
                failures: 0,
                circuit_open: false,
            };
        };
        state.turn(now);
        let paused = state.paused_until.is_some_and(|until| until > now);
        Health {
            calls_last_minute: state.calls_before.max(state.calls),
            limit_per_minute: limit,
            throttled: paused || limit.is_some_and(|limit| state.calls >= limit),
            failures: state.failures,
            circuit_open: state.failures >= FAILURES_MAX,
        }
    }

    fn limit(&self, now: Timestamp) -> Option<u32> {
        let local = jiff::Timestamp::from_millisecond(now.millis()).ok()?.to_zoned(self.zone.clone());
        let peak = (7..19).contains(&local.hour());
        if peak { self.budget.per_minute_peak } else { self.budget.per_minute_off_peak }
    }
}

impl State {
    fn turn(&mut self, now: Timestamp) {
        let minute = now.millis().div_euclid(60_000);
        if minute != self.minute {
            self.calls_before = if minute == self.minute + 1 { self.calls } else { 0 };
            self.minute = minute;
            self.calls = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn the_budget_is_smaller_during_the_site_s_day() {
        let budget = Budget { per_minute_peak: Some(1), per_minute_off_peak: Some(3) };
        let throttle = Throttle::try_new(budget, Some("America/Chicago")).unwrap();
        let day = at("2026-11-20T18:00:05Z");
        assert_eq!(throttle.enter(day), Ok(()));
        assert_eq!(throttle.enter(day), Err(at("2026-11-20T18:01:00Z")));
        let night = at("2026-11-21T04:00:05Z");
        assert!((0..3).all(|_| throttle.enter(night).is_ok()));
        assert!(throttle.enter(night).is_err());
        assert!(throttle.health(night).throttled);
    }

    #[test]
    fn after_failures_in_a_row_one_call_probes_and_an_answer_closes_the_circuit() {
        let throttle = Throttle::try_new(Budget::default(), None).unwrap();
        let now = at("2026-11-20T18:00:00Z");
        (0..FAILURES_MAX).for_each(|_| throttle.failed(now));
        assert!(throttle.enter(now).is_err());
        let later = now + PROBE_AFTER;
        assert_eq!(throttle.enter(later), Ok(()));
        assert!(throttle.enter(later).is_err(), "only one probes");
        throttle.answered();
        assert_eq!(throttle.enter(later), Ok(()));
    }

    #[test]
    fn a_pause_that_was_asked_for_is_kept() {
        let throttle = Throttle::try_new(Budget::default(), None).unwrap();
        let now = at("2026-11-20T18:00:00Z");
        throttle.pause(now, Duration::from_secs(7));
        assert_eq!(throttle.enter(now), Err(now + Duration::from_secs(7)));
    }
}
