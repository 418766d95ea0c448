//! A calendar day, as files write it: `CCYYMMDD`. Stored and shown as `2026-01-31`.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A day that exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(Date);

/// Text that is no day such as `2026-01-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day such as 2026-01-31")]
pub struct NotADay;

impl Day {
    /// Parses `20260131`; `None` for anything else, because payers do send `20002316`.
    #[must_use]
    pub fn parse_compact(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, month, day) = (text[0..4].parse(), text[4..6].parse(), text[6..8].parse());
        Date::new(year.ok()?, month.ok()?, day.ok()?).ok().map(Self)
    }

    /// The day as a date of the calendar.
    #[must_use]
    pub const fn date(self) -> Date {
        self.0
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        text.parse().map(Self).map_err(|_| NotADay)
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
    }
}
