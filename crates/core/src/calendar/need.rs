//! What a visit needs of a calendar: time for itself and around it, and how early and how late it may be booked.
//!
//! Made from a visit type and a clinic's policy. Whether a start fits is judged in `openings` only.

use std::time::Duration;

use super::cell;
use crate::refusal::Refusal;

const DURATION_MAX: u16 = 720;
const BUFFER_MAX: u16 = 240;
const INTERVAL_MAX: u16 = 240;
const DAY: Duration = Duration::from_secs(86_400);
const DAYS_MAX: u32 = 731;

/// What one visit needs. All lengths are multiples of five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Length of the visit, 5 to 720. It lies within one opening.
    pub duration_minutes: u16,
    /// Free time before it, 0 to 240; may lie outside of the opening hours.
    pub before_minutes: u16,
    /// Free time after it, 0 to 240; may lie outside of the opening hours.
    pub after_minutes: u16,
    /// Distance of starts, 5 to 240, counted from the beginning of each opening.
    pub interval_minutes: u16,
    /// How long before its start a visit must be booked, at most 731 days.
    pub minimum_notice: Duration,
    /// How far ahead a visit may be booked, at most 731 days.
    pub horizon: Duration,
}

impl Need {
    /// Whether it may be stored and used.
    ///
    /// # Errors
    /// `visit_times_invalid`, naming the length and its bounds.
    pub fn check(&self) -> Result<(), Refusal> {
        within("duration", self.duration_minutes, cell::MINUTES, DURATION_MAX)?;
        within("buffer before", self.before_minutes, 0, BUFFER_MAX)?;
        within("buffer after", self.after_minutes, 0, BUFFER_MAX)?;
        within("interval", self.interval_minutes, cell::MINUTES, INTERVAL_MAX)?;
        at_most("minimum notice", self.minimum_notice)?;
        at_most("booking window", self.horizon)
    }

    /// Length of the visit.
    #[must_use]
    pub fn duration(&self) -> Duration {
        minutes(self.duration_minutes)
    }

    /// Free time before it.
    #[must_use]
    pub fn before(&self) -> Duration {
        minutes(self.before_minutes)
    }

    /// Free time after it.
    #[must_use]
    pub fn after(&self) -> Duration {
        minutes(self.after_minutes)
    }
}

fn minutes(minutes: u16) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

fn within(what: &str, minutes: u16, min: u16, max: u16) -> Result<(), Refusal> {
    if (min..=max).contains(&minutes) && minutes.is_multiple_of(cell::MINUTES) {
        return Ok(());
    }
    let detail = format!(
        "Nothing was changed: the {what} is {minutes} minutes. Give a multiple of 5 from {min} to {max}."
    );
    Err(Refusal::invalid("visit_times_invalid", detail))
}

fn at_most(what: &str, length: Duration) -> Result<(), Refusal> {
    let step = Duration::from_secs(u64::from(cell::MINUTES) * 60);
    if length <= DAY * DAYS_MAX && length.as_nanos().is_multiple_of(step.as_nanos()) {
        return Ok(());
    }
    let detail = format!(
        "Nothing was changed: the {what} is {} s. Give whole steps of 5 minutes, at most {DAYS_MAX} days.",
        length.as_secs()
    );
    Err(Refusal::invalid("visit_times_invalid", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Need = Need {
        duration_minutes: 30,
        before_minutes: 0,
        after_minutes: 15,
        interval_minutes: 20,
        minimum_notice: Duration::from_secs(3600),
        horizon: Duration::from_secs(60 * 86_400),
    };

    #[test]
    fn lengths_out_of_bounds_or_between_steps_are_refused_by_name() {
        assert_eq!(GOOD.check(), Ok(()));
        for (need, name) in [
            (Need { duration_minutes: 0, ..GOOD }, "duration is 0"),
            (Need { duration_minutes: 725, ..GOOD }, "duration is 725"),
            (Need { duration_minutes: 32, ..GOOD }, "duration is 32"),
            (Need { before_minutes: 245, ..GOOD }, "buffer before is 245"),
            (Need { after_minutes: 1, ..GOOD }, "buffer after is 1"),
            (Need { interval_minutes: 0, ..GOOD }, "interval is 0"),
            (Need { interval_minutes: 245, ..GOOD }, "interval is 245"),
            (Need { minimum_notice: Duration::from_millis(1), ..GOOD }, "minimum notice is 0 s"),
            (Need { horizon: Duration::MAX, ..GOOD }, "booking window is"),
        ] {
            let refused = need.check().unwrap_err();
            assert!(refused.code == "visit_times_invalid" && refused.detail.contains(name), "{refused}");
        }
    }
}
