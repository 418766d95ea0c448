//! Local dates, times of the day and weekdays: what a clock and a calendar on the wall show, without a zone.

use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, Weekday as CivilWeekday, date};
use serde::{Deserialize, Serialize};

const YEAR_MIN: i16 = 1970;
const YEAR_MAX: i16 = 2199;
const DAY_SECONDS: i64 = 86_400;

/// A day of the calendar, 1970 to 2199. In JSON `2026-03-08`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LocalDate(Date);

/// Text that is no day such as `2026-03-08`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day such as 2026-03-08, from 1970 to 2199")]
pub struct NotADate(pub String);

impl LocalDate {
    /// The first day.
    pub(super) const MIN: Self = Self(date(YEAR_MIN, 1, 1));
    /// The last day.
    pub(super) const MAX: Self = Self(date(YEAR_MAX, 12, 31));

    /// The day of a year and a month, both counted from 1; `None` when there is no such day.
    #[must_use]
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        Date::new(year, month, day).ok().and_then(Self::of)
    }

    /// Parses `2026-03-08`.
    ///
    /// # Errors
    /// [`NotADate`] with the refused text.
    pub fn parse(text: &str) -> Result<Self, NotADate> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| digits_of(parts.next()?, digits);
        let parsed = (|| {
            let (year, month, day) = (number(4)?, number(2)?, number(2)?);
            Self::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
        })();
        parsed.filter(|_| parts.next().is_none()).ok_or_else(|| NotADate(text.chars().take(40).collect()))
    }

    /// The weekday.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        Weekday::of(self.0.weekday())
    }

    /// The next day; the last day stays.
    #[must_use]
    pub fn tomorrow(self) -> Self {
        self.0.tomorrow().ok().and_then(Self::of).unwrap_or(Self::MAX)
    }

    /// The day before; the first day stays.
    #[must_use]
    pub fn yesterday(self) -> Self {
        self.0.yesterday().ok().and_then(Self::of).unwrap_or(Self::MIN)
    }

    /// Days from `earlier` to this day; negative when it is before.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.0.duration_since(earlier.0).as_secs() / DAY_SECONDS
    }

    /// Days from 1970-01-01 to this day, for a database column.
    #[must_use]
    pub fn number(self) -> i64 {
        self.days_since(Self::MIN)
    }

    /// The day so many days after 1970-01-01; `None` outside of 1970 to 2199.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        let span = jiff::Span::new().try_days(number).ok()?;
        Self::MIN.0.checked_add(span).ok().and_then(Self::of)
    }

    pub(super) fn of(day: Date) -> Option<Self> {
        (YEAR_MIN..=YEAR_MAX).contains(&day.year()).then_some(Self(day))
    }

    /// The seconds from 1970-01-01 00:00 to a time of this day, both read from the same wall.
    pub(super) fn wall_seconds(self, time: LocalTime) -> i64 {
        self.days_since(Self::MIN) * DAY_SECONDS + i64::from(time.minutes()) * 60
    }

    /// A time of this day; `24:00` is the midnight that ends it.
    pub(super) fn at(self, time: LocalTime) -> DateTime {
        let day = if time == LocalTime::END { self.0.tomorrow().unwrap_or(self.0) } else { self.0 };
        let part = |value: u16| i8::try_from(value).unwrap_or(0);
        let (hour, minute) = (part(time.minutes() / 60 % 24), part(time.minutes() % 60));
        day.to_datetime(Time::new(hour, minute, 0, 0).unwrap_or(Time::midnight()))
    }
}

fn digits_of(text: &str, digits: usize) -> Option<i16> {
    let numeric = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    numeric.then(|| text.parse().ok()).flatten()
}

/// A time of the day in whole minutes, `00:00` to `24:00`. `24:00` only ends something. In JSON `09:30`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LocalTime(u16);

/// Text that is no time of the day such as `09:30`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time of the day such as 09:30, from 00:00 to 24:00")]
pub struct NotATime(pub String);

impl LocalTime {
    /// `00:00`.
    pub const START: Self = Self(0);
    /// `24:00`, the end of a day.
    pub const END: Self = Self(1440);

    /// A time from minutes since `00:00`; `None` above 1440.
    #[must_use]
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        if minutes <= Self::END.0 { Some(Self(minutes)) } else { None }
    }

    /// Parses `09:30`.
    ///
    /// # Errors
    /// [`NotATime`] with the refused text.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        let parsed = text.split_once(':').and_then(|(hour, minute)| {
            let (hour, minute) = (digits_of(hour, 2)?, digits_of(minute, 2)?);
            let minutes = u16::try_from(hour * 60 + minute).ok()?;
            if minute < 60 { Self::from_minutes(minutes) } else { None }
        });
        parsed.ok_or_else(|| NotATime(text.chars().take(40).collect()))
    }

    /// Minutes since `00:00`, 0 to 1440.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// On a day without a change of clocks.
    pub(super) fn since_midnight(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 60)
    }
}

/// A day of the week. In JSON `monday`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// Monday is 0.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Monday => 0,
            Self::Tuesday => 1,
            Self::Wednesday => 2,
            Self::Thursday => 3,
            Self::Friday => 4,
            Self::Saturday => 5,
            Self::Sunday => 6,
        }
    }

    fn of(day: CivilWeekday) -> Self {
        match day {
            CivilWeekday::Monday => Self::Monday,
            CivilWeekday::Tuesday => Self::Tuesday,
            CivilWeekday::Wednesday => Self::Wednesday,
            CivilWeekday::Thursday => Self::Thursday,
            CivilWeekday::Friday => Self::Friday,
            CivilWeekday::Saturday => Self::Saturday,
            CivilWeekday::Sunday => Self::Sunday,
        }
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What the wall shows at a moment in some zone. Shown as `2026-03-08 09:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The day.
    pub date: LocalDate,
    /// The time, whole minutes, before `24:00`.
    pub time: LocalTime,
    /// The weekday of the day.
    pub weekday: Weekday,
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for LocalDate {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        Self::parse(&text)
    }
}

impl From<LocalDate> for String {
    fn from(day: LocalDate) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for LocalTime {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        Self::parse(&text)
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_does_not_exist_is_refused_by_its_text() {
        assert_eq!(LocalDate::parse("2028-02-29").unwrap().to_string(), "2028-02-29");
        for text in
            ["2026-02-29", "2026-3-08", "20260308", "2026-03-08T00:00", "1969-12-31", "2200-01-01", ""]
        {
            assert_eq!(LocalDate::parse(text), Err(NotADate(text.to_owned())));
        }
        let refused = serde_json::from_str::<LocalDate>("\"8 March\"").unwrap_err().to_string();
        assert!(refused.starts_with("\"8 March\" is not a day such as 2026-03-08"), "{refused}");
    }

    #[test]
    fn a_time_has_two_digits_twice_and_ends_at_midnight() {
        for text in ["00:00", "09:30", "23:59", "24:00"] {
            assert_eq!(LocalTime::parse(text).unwrap().to_string(), text);
        }
        for text in ["24:01", "09:60", "9:30", "+9:30", "09:30:00", "", "é9:30"] {
            assert_eq!(LocalTime::parse(text), Err(NotATime(text.to_owned())));
        }
    }

    #[test]
    fn days_know_their_neighbours_and_stop_at_the_ends() {
        let leap = LocalDate::parse("2028-02-29").unwrap();
        assert_eq!(leap.tomorrow().to_string(), "2028-03-01");
        assert_eq!(leap.tomorrow().days_since(leap.yesterday()), 2);
        assert_eq!(leap.weekday(), Weekday::Tuesday);
        assert_eq!((LocalDate::MAX.tomorrow(), LocalDate::MIN.yesterday()), (LocalDate::MAX, LocalDate::MIN));
    }
}
