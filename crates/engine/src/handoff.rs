//! Effects that go from one transaction to the next without a claim in between.
//!
//! An effect that this process just inserted may be leased to it in the same transaction and handed over in memory. It
//! is only a short cut: when the process dies, the lease ends and anybody claims the row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use suture_core::time::Timestamp;

/// How long a lease lasts. Longer than any request may take, with all its retries inside.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// Room for effects in this process's memory.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    owner: Arc<str>,
    free: Arc<AtomicUsize>,
}

impl Slots {
    /// Room for `count` effects, leased to `owner`.
    #[must_use]
    pub(crate) fn new(owner: &str, count: usize) -> Self {
        Self { owner: owner.into(), free: Arc::new(AtomicUsize::new(count)) }
    }

    /// The name that leases of this process carry.
    #[must_use]
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Whether there is room for one change's effects now. A hint, not a reservation: the queue behind is unbounded, and
    /// a few effects more than planned do no harm.
    #[must_use]
    pub(crate) fn slot(&self) -> Slot {
        match self.free.load(Ordering::Relaxed) {
            0 => Slot(None),
            _ => Slot(Some(self.owner.clone())),
        }
    }

    /// Counts effects that were taken into memory.
    pub(crate) fn taken(&self, count: usize) {
        // Saturating at zero: see `slot`.
        let _ = self
            .free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| Some(free.saturating_sub(count)));
    }

    /// Counts an effect that left memory.
    pub(crate) fn returned(&self) {
        self.free.fetch_add(1, Ordering::Relaxed);
    }
}

/// Whether effects of one change may be leased at once, and to whom.
#[derive(Debug, Clone)]
pub(crate) struct Slot(Option<Arc<str>>);

impl Slot {
    /// Owner and end of a lease that begins now.
    pub(crate) fn lease(&self, now: Timestamp) -> Option<(String, Timestamp)> {
        self.0.as_ref().map(|owner| (owner.to_string(), now + LEASE))
    }
}
