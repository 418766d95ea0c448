//! How many requests a key may make: one token bucket per key, in memory.
//!
//! Asked by [`crate::auth`] only, after the key was found, so the map is bounded by the keys that exist. Each process
//! counts for itself: several processes together allow as many times the limit.

use std::collections::BTreeMap;
use std::sync::Mutex;

use suture_core::time::Timestamp;

pub(crate) struct Limiter {
    per_second: u64,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

struct Bucket {
    filled_at: Timestamp,
    /// Thousandths of a request, so that a millisecond refills a whole number of them.
    thousandths: u64,
}

impl Limiter {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second: u64::from(per_second.max(1)), buckets: Mutex::default() }
    }

    /// Takes one request out of the key's bucket; false when it is empty.
    pub(crate) fn take(&self, key: &str, now: Timestamp) -> bool {
        let full = self.per_second * 2_000;
        let Ok(mut buckets) = self.buckets.lock() else { return true };
        let bucket = buckets.entry(key.to_owned()).or_insert(Bucket { filled_at: now, thousandths: full });
        let passed = u64::try_from(now.since(bucket.filled_at).as_millis()).unwrap_or(u64::MAX);
        bucket.thousandths =
            bucket.thousandths.saturating_add(passed.saturating_mul(self.per_second)).min(full);
        bucket.filled_at = bucket.filled_at.max(now);
        let enough = bucket.thousandths >= 1_000;
        if enough {
            bucket.thousandths -= 1_000;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_may_burst_to_twice_its_limit_and_then_waits_for_the_refill() {
        let (limiter, now) = (Limiter::new(2), Timestamp::from_seconds(1_000));
        let taken = (0..10).filter(|_| limiter.take("key", now)).count();
        assert_eq!(taken, 4);
        assert!(limiter.take("another key", now), "keys do not share a bucket");
        assert!(!limiter.take("key", now + Duration::from_millis(499)));
        assert!(limiter.take("key", now + Duration::from_millis(500)));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_requests_for_free() {
        let (limiter, now) = (Limiter::new(1), Timestamp::from_seconds(1_000));
        assert!(limiter.take("key", now) && limiter.take("key", now));
        assert!(!limiter.take("key", now - Duration::from_secs(60)));
        assert!(!limiter.take("key", now));
    }
}
