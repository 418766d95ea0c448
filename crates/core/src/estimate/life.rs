//! How long a card network keeps an authorization, and when to ask for one so that it still stands at the service
//! (FEATURES M375).

use std::time::Duration;

use crate::time::Timestamp;

const DAY: u64 = 86_400;

/// How long an authorization lives when the gateway does not say: Stripe's table for card networks (Stripe facts §c6). The
/// gateway's own `capture_before` always wins.
#[must_use]
pub fn life_of(network: Option<&str>, off_session: bool) -> Duration {
    match network {
        // Visa's rule for transactions that the merchant initiates: 4 days and 18 hours.
        Some("visa") if off_session => Duration::from_secs(4 * DAY + 18 * 3600),
        // An unknown network off session: the shortest life that is known.
        None if off_session => Duration::from_secs(4 * DAY + 18 * 3600),
        _ => Duration::from_secs(7 * DAY),
    }
}

/// When to authorize for a service: now if the authorization lives until a day after it, else one day before it.
#[must_use]
pub fn authorize_at(service_at: Timestamp, life: Duration, now: Timestamp) -> Timestamp {
    let day = Duration::from_secs(DAY);
    if now + life >= service_at + day {
        return now;
    }
    let before = Timestamp::from_millis(service_at.millis() - 86_400_000);
    before.max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_seconds(1_760_000_000 + number * 86_400)
    }

    #[test]
    fn a_service_in_twelve_days_is_authorized_the_day_before() {
        assert_eq!(authorize_at(day(12), life_of(Some("mastercard"), false), day(0)), day(11));
    }

    #[test]
    fn a_service_within_the_life_is_authorized_at_once() {
        assert_eq!(authorize_at(day(6), life_of(Some("visa"), false), day(0)), day(0));
        assert_eq!(
            authorize_at(day(6), life_of(Some("visa"), true), day(0)),
            day(5),
            "Visa off session lives shorter"
        );
    }

    #[test]
    fn a_service_that_is_near_or_past_is_never_planned_into_the_past() {
        assert_eq!(authorize_at(day(-3), Duration::from_secs(1), day(0)), day(0));
    }
}
