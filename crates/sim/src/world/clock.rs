//! The one clock, moved by hand, and the view that each engine has of it.
//!
//! An engine looks at the clock before every transaction and after every answer, so a look is also the place where a
//! process can be made to die: see `crash`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use suture_core::time::Timestamp;
use suture_engine::Clock;

use super::crash;

/// The time. Only goes forward.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at a moment, in milliseconds since 1970.
    #[must_use]
    pub const fn at(millis: i64) -> Self {
        Self(AtomicI64::new(millis))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis())
    }

    /// Moves forward; never back.
    pub fn jump(&self, millis: i64) {
        self.0.fetch_add(millis.max(0), Ordering::SeqCst);
    }

    /// Moves forward to a moment, if it lies ahead.
    pub fn reach(&self, millis: i64) {
        self.0.fetch_max(millis, Ordering::SeqCst);
    }
}

/// One engine's view of the clock, with a fuse.
#[derive(Debug)]
pub struct NodeClock {
    clock: Arc<ManualClock>,
    /// Looks until the process dies; 0: it lives.
    fuse: AtomicU32,
}

impl NodeClock {
    /// A view without a lit fuse.
    #[must_use]
    pub const fn new(clock: Arc<ManualClock>) -> Self {
        Self { clock, fuse: AtomicU32::new(0) }
    }

    /// Lets the process die at the look of this number, counted from now; 0 puts the fuse out.
    pub fn light(&self, looks: u32) {
        self.fuse.store(looks, Ordering::SeqCst);
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        let left = self.fuse.load(Ordering::SeqCst);
        if left > 0 {
            self.fuse.store(left - 1, Ordering::SeqCst);
            if left == 1 {
                crash::die();
            }
        }
        self.clock.now()
    }
}
