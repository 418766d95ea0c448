//! A calendar day, for what is dated and not timed: files of payers, statements of banks, days of the books.
//!
//! Stored and shown as `2026-01-31`. What must stay true: a day that does not exist is no day.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A day that exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(Date);

/// Text that is no day such as `2026-01-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day such as 2026-01-31")]
pub struct NotADay;

impl Day {
    /// The day of these numbers; `None` when there is none.
    #[must_use]
    pub fn of(year: i16, month: i8, day: i8) -> Option<Self> {
        Date::new(year, month, day).ok().map(Self)
    }

    /// Parses `20260131`; `None` for anything else, because payers do send `20002316`.
    #[must_use]
    pub fn parse_compact(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, month, day) = (text[0..4].parse(), text[4..6].parse(), text[6..8].parse());
        Self::of(year.ok()?, month.ok()?, day.ok()?)
    }

    /// The day of a moment in UTC.
    #[must_use]
    pub fn utc(moment: Timestamp) -> Self {
        Self::in_zone(moment, &jiff::tz::TimeZone::UTC)
    }

    /// The day of a moment in a zone.
    #[must_use]
    pub fn in_zone(moment: Timestamp, zone: &jiff::tz::TimeZone) -> Self {
        let found =
            jiff::Timestamp::from_millisecond(moment.millis()).map(|at| at.to_zoned(zone.clone()).date());
        Self(found.unwrap_or(Date::ZERO))
    }

    /// The first moment of the day in UTC.
    #[must_use]
    pub fn begins_utc(self) -> Timestamp {
        let zoned = self.0.to_zoned(jiff::tz::TimeZone::UTC);
        Timestamp::from_millis(zoned.map_or(0, |zoned| zoned.timestamp().as_millisecond()))
    }

    /// Days since 1970-01-01, negative before.
    #[must_use]
    pub fn number(self) -> i64 {
        self.begins_utc().millis().div_euclid(DAY_MILLIS)
    }

    /// The day that is so many days later, or earlier. Saturates at the ends of the calendar.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(days)))
    }

    /// The day as a date of the calendar.
    #[must_use]
    pub const fn date(self) -> Date {
        self.0
    }
}

const DAY_MILLIS: i64 = 86_400_000;

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        text.parse().ok().filter(|_| plain).map(Self).ok_or(NotADay)
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_does_not_exist_is_no_day() {
        assert_eq!(Day::parse_compact("20260228").unwrap().to_string(), "2026-02-28");
        for text in ["20002316", "20260229", "260228", "2026022x", "", "ééaabb"] {
            assert_eq!(Day::parse_compact(text), None, "{text}");
        }
        assert!("2026-02-29".parse::<Day>().is_err() && "20260228".parse::<Day>().is_err());
    }

    #[test]
    fn days_are_counted_and_begin_at_midnight() {
        let day: Day = "2026-03-01".parse().unwrap();
        assert_eq!(day.plus(-1).to_string(), "2026-02-28");
        assert_eq!(day.number() - day.plus(-31).number(), 31);
        assert_eq!(Day::utc(day.begins_utc()), day);
        assert_eq!(Day::utc(Timestamp::from_millis(day.begins_utc().millis() - 1)), day.plus(-1));
    }
}
