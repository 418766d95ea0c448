//! Retry rules: which failures are tried again, when, and when to stop.

use std::time::Duration;

use suture_connect::outcome::{Failure, Retry};
use suture_core::id::Random;
use suture_core::time::Timestamp;
use suture_store::effects::Effect;

use crate::job::Job;
use crate::worker::After;

/// The first wait; it doubles each time.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(300);
/// Failures are tried again for this long.
const DEADLINE: Duration = Duration::from_secs(3 * 86_400);

/// What follows from a failure.
pub(crate) fn decide(effect: &Effect, failure: &Failure, now: Timestamp, random: &dyn Random) -> After {
    let error = format!("{} ({})", failure.message, failure.code);
    let late = now.since(effect.created_at) > DEADLINE;
    let again = |at| After::Again { at, error: error.clone(), job: None };
    match failure.retry {
        Retry::Never => After::Dead { error },
        _ if late => After::Dead { error: format!("{error}; given up after three days") },
        Retry::Throttled(wait) => again(now + wait.unwrap_or(Duration::from_secs(2)).max(backoff(1, random))),
        Retry::NextLocalDay => again(next_day(now)),
        Retry::RefreshToken => again(now + FIRST),
        Retry::Later | Retry::LookUpFirst => again(now + backoff(effect.attempts, random)),
    }
}

/// The wait before a try: doubles with each, never longer than the longest, with jitter from half to whole so that many
/// that failed together do not come back together.
fn backoff(attempts: i64, random: &dyn Random) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 12) - 1).unwrap_or(0);
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let share = u32::from(random.ten_bytes()[0]);
    whole / 2 + whole.saturating_mul(share) / 512
}

/// Epic's daily ceiling ends at the site's midnight; a day later at one minute past covers every zone's remainder.
fn next_day(now: Timestamp) -> Timestamp {
    let day = 86_400_000;
    Timestamp::from_millis((now.millis().div_euclid(day) + 1) * day + 60_000)
}

/// Failures that the history of an effect keeps.
const REMEMBERED: usize = 20;

/// Adds a failure to the effect's history; the oldest are dropped. What people did to it stays.
pub(crate) fn remember(effect: &mut Effect, error: &str, now: Timestamp) {
    let line =
        serde_json::json!({ "attempt": effect.attempts, "at": now.to_rfc3339(), "error": error }).to_string();
    let before = effect.history.take().unwrap_or_default();
    let mut lines: Vec<&str> = before.lines().collect();
    lines.push(&line);
    let is_failure = |line: &str| line.starts_with(r#"{"at":"#) && !line.contains(r#""did":"#);
    let mut too_many = lines.iter().filter(|line| is_failure(line)).count().saturating_sub(REMEMBERED);
    lines.retain(|line| {
        let drops = too_many > 0 && is_failure(line);
        too_many -= usize::from(drops);
        !drops
    });
    effect.history = Some(lines.join("\n"));
}

impl After {
    /// The same, with the job as it stands now.
    pub(crate) fn with(self, job: Option<Box<Job>>) -> Self {
        match self {
            Self::Again { at, error, job: None } => Self::Again { at, error, job },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    #[test]
    fn waits_double_with_jitter_up_to_a_limit() {
        assert_eq!(backoff(1, &Fixed(0)), Duration::from_millis(250));
        assert!(backoff(1, &Fixed(255)) < Duration::from_millis(500));
        assert_eq!(backoff(4, &Fixed(0)), Duration::from_secs(2));
        assert_eq!(backoff(99, &Fixed(0)), LONGEST / 2);
    }
}
