//! A month of UTC: the key of a page of busy cells.

use std::fmt;
use std::time::Duration;

use jiff::civil::date;
use jiff::tz::Offset;

use super::cell;
use crate::time::Timestamp;

/// January 1970 and December 2200, as numbers. The last year is never reached by a clamped moment, so `next` moves on.
const NUMBER_MIN: i64 = 1970 * 12;
const NUMBER_MAX: i64 = 2200 * 12 + 11;
/// The last millisecond of 2199.
const LATEST_MILLIS: i64 = 7_258_118_399_999;

/// A month of UTC, 1970 to 2200. Shown as `2026-03`, stored as [`Month::number`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i16);

impl Month {
    /// The month that a moment lies in; moments outside of 1970 to 2199 belong to the nearest month inside.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        let millis = moment.millis().clamp(0, LATEST_MILLIS);
        let day = jiff::Timestamp::from_millisecond(millis)
            .map_or(date(1970, 1, 1), |moment| Offset::UTC.to_datetime(moment).date());
        Self(day.year() * 12 + i16::from(day.month()) - 1)
    }

    /// The month of a number: `year * 12 + month - 1`, for example 24314 for March 2026.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        let known = (NUMBER_MIN..=NUMBER_MAX).contains(&number);
        known.then(|| i16::try_from(number).ok()).flatten().map(Self)
    }

    /// `year * 12 + month - 1`, for a database column; consecutive months have consecutive numbers.
    #[must_use]
    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        cell::begin(self.first_cell())
    }

    /// Its end: the first moment of the next month.
    #[must_use]
    pub fn end(self) -> Timestamp {
        cell::begin(self.end_cell())
    }

    /// The month after it; December 2200 stays.
    #[must_use]
    pub fn next(self) -> Self {
        if i64::from(self.0) < NUMBER_MAX { Self(self.0 + 1) } else { self }
    }

    /// The months that `[from, until)` touches, in order; none when it is empty.
    pub fn touched(from: Timestamp, until: Timestamp) -> impl Iterator<Item = Self> {
        let first = Self::of(from).0;
        let end = if from < until { Self::of(until - Duration::from_millis(1)).0 + 1 } else { first };
        (first..end).map(Self)
    }

    pub(super) fn first_cell(self) -> i64 {
        self.days_before() * cell::PER_DAY
    }

    pub(super) fn end_cell(self) -> i64 {
        Self(self.0 + 1).first_cell()
    }

    /// Days from 1970-01-01 to its first day.
    fn days_before(self) -> i64 {
        let (year, month) = (self.0 / 12, i8::try_from(self.0 % 12 + 1).unwrap_or(1));
        date(year, month, 1).duration_since(date(1970, 1, 1)).as_secs() / 86_400
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_month_begins_and_ends_at_midnight_in_utc() {
        let month = Month::of(utc("2028-02-29T23:59:59.999Z"));
        assert_eq!(month.to_string(), "2028-02");
        assert_eq!((month.start(), month.end()), (utc("2028-02-01T00:00:00Z"), utc("2028-03-01T00:00:00Z")));
        assert_eq!(Month::of(month.end()), month.next());
    }

    #[test]
    fn months_are_numbered_in_order_and_across_years() {
        let december = Month::of(utc("2026-12-31T00:00:00Z"));
        assert_eq!(december.number(), 2026 * 12 + 11);
        assert_eq!(december.next().to_string(), "2027-01");
        assert!(december < december.next());
        assert_eq!(Month::from_number(december.number()), Some(december));
        assert_eq!([-1, 0, 23_639, 26_412, i64::MAX].map(Month::from_number), [None; 5]);
    }

    #[test]
    fn a_range_touches_the_months_it_has_a_moment_in() {
        let touched = |from: &str, until: &str| {
            Month::touched(utc(from), utc(until)).map(|month| month.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(touched("2026-12-31T23:00:00Z", "2027-02-01T00:00:00Z"), ["2026-12", "2027-01"]);
        assert_eq!(touched("2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z"), [""; 0]);
        assert_eq!(touched("2027-01-02T00:00:00Z", "2026-12-31T23:00:00Z"), [""; 0]);
    }

    #[test]
    fn moments_far_outside_belong_to_the_nearest_month() {
        assert_eq!(Month::of(Timestamp::from_millis(i64::MIN)).to_string(), "1970-01");
        let last = Month::of(Timestamp::from_millis(i64::MAX));
        assert_eq!((last.to_string().as_str(), last.end().millis()), ("2199-12", LATEST_MILLIS + 1));
        assert!(Month::from_number(NUMBER_MAX).unwrap().end() > last.next().start());
    }
}
