//! The one clock of the sandbox: real time plus an offset that the control API can jump.
//!
//! Read by the shell only; the worlds get the time as a value. What must stay true: nothing else in this crate
//! reads the system clock, and the clock never goes back.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Real time plus an offset.
#[derive(Debug, Default)]
pub struct SandboxClock {
    offset_ms: AtomicI64,
    /// The latest time given out.
    latest_ms: AtomicI64,
}

impl SandboxClock {
    /// A clock that shows real time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let now = real_ms().saturating_add(self.offset_ms.load(Ordering::SeqCst));
        self.latest_ms.fetch_max(now, Ordering::SeqCst).max(now)
    }

    /// Moves the clock forward and returns the new time.
    ///
    /// # Errors
    /// A sentence when the jump goes back.
    pub fn jump(&self, milliseconds: i64) -> Result<i64, String> {
        if milliseconds < 0 {
            return Err("The clock was not moved: it only goes forward.".to_owned());
        }
        self.offset_ms.fetch_add(milliseconds, Ordering::SeqCst);
        Ok(self.now_ms())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else gets its time from")]
fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::SandboxClock;

    #[test]
    fn a_jump_moves_the_clock_forward_only() {
        let clock = SandboxClock::new();
        let before = clock.now_ms();
        let after = clock.jump(3_600_000).unwrap();
        assert!(after >= before + 3_600_000);
        assert!(clock.jump(-1).is_err());
    }
}
