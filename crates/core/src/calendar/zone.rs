//! Time zones: from what a wall shows to the one moment it means, and back.
//!
//! Zones come from the IANA database that is compiled in, never from the machine, so every node books alike. A wall
//! shows some times never (clocks go forward) and some twice (clocks go back); [`Resolved`] says which.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::local::{Local, LocalDate, LocalTime};
use crate::refusal::Refusal;
use crate::time::Timestamp;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Longest name that is looked up; the longest of the database has 32 letters.
const NAME_MAX: usize = 64;
/// 1970-01-02 and 2199-12-30 in UTC: every zone is within the days of [`LocalDate`] between them.
const EARLIEST_MILLIS: i64 = 86_400_000;
const LATEST_MILLIS: i64 = 7_257_945_600_000;

/// A time zone of the IANA database. In JSON its name, for example `America/New_York`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IANA time zone, for example America/New_York")]
pub struct NotAZone(pub String);

/// The moment, or moments, at which a wall shows a date and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// Once, as nearly always.
    One(Timestamp),
    /// Never: clocks go forward over it.
    Gap {
        /// The moment at which clocks go forward, the first that exists after it.
        next: Timestamp,
    },
    /// Twice: clocks go back over it.
    Overlap {
        /// Before clocks go back.
        first: Timestamp,
        /// After clocks went back.
        second: Timestamp,
    },
}

impl Resolved {
    /// The moment that opening hours mean: the first occurrence, or the first moment after a gap.
    #[must_use]
    pub const fn first(self) -> Timestamp {
        match self {
            Self::One(moment) | Self::Gap { next: moment } | Self::Overlap { first: moment, .. } => moment,
        }
    }
}

impl Zone {
    /// The zone of an IANA name; letters may be of either case.
    ///
    /// # Errors
    /// [`NotAZone`] with the refused text.
    pub fn parse(name: &str) -> Result<Self, NotAZone> {
        let found = (name.len() <= NAME_MAX).then(|| ZONES.get(name).ok()).flatten();
        let named = found.and_then(|zone| zone.iana_name().map(str::to_owned).map(|name| (name, zone)));
        named
            .filter(|(_, zone)| !zone.is_unknown())
            .map(|(name, zone)| Self { name, zone })
            .ok_or_else(|| NotAZone(name.chars().take(NAME_MAX).collect()))
    }

    /// The name, for example `America/New_York`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When the wall shows this date and time.
    #[must_use]
    pub fn resolve(&self, date: LocalDate, time: LocalTime) -> Resolved {
        let wall = date.wall_seconds(time);
        match self.offsets(date, time) {
            AmbiguousOffset::Unambiguous { offset } => Resolved::One(moment(wall, offset)),
            AmbiguousOffset::Gap { before, after } => {
                Resolved::Gap { next: self.change(wall, before, after) }
            }
            AmbiguousOffset::Fold { before, after } => {
                Resolved::Overlap { first: moment(wall, before), second: moment(wall, after) }
            }
        }
    }

    /// The moment that a person means by a date and a time: the first, if there are two.
    ///
    /// # Errors
    /// `time_does_not_exist` when clocks go forward over it.
    pub fn moment(&self, date: LocalDate, time: LocalTime) -> Result<Timestamp, Refusal> {
        let Resolved::Gap { next } = self.resolve(date, time) else {
            return Ok(self.resolve(date, time).first());
        };
        let shown = |local: Local| {
            if local.date == date { local.time.to_string() } else { local.to_string() }
        };
        let from = match self.offsets(date, time) {
            AmbiguousOffset::Gap { before, .. } => shown(shifted(next, before)),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => shown(self.local(next)),
        };
        let until = shown(self.local(next));
        let name = &self.name;
        let detail = format!(
            "Nothing was changed. {time} does not exist in {name} on {date}: clocks go from {from} to {until}; \
             choose {until} or later."
        );
        Err(Refusal::invalid("time_does_not_exist", detail))
    }

    /// What the wall shows at a moment. Moments outside of 1970 to 2199 are shown as the nearest day inside.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> Local {
        shifted(at, self.zone.to_offset(civil(at)))
    }

    fn offsets(&self, date: LocalDate, time: LocalTime) -> AmbiguousOffset {
        self.zone.to_ambiguous_timestamp(date.at(time)).offset()
    }

    /// The moment of the change that skips `wall`. It lies after `wall` read with the offset after the change.
    fn change(&self, wall: i64, before: Offset, after: Offset) -> Timestamp {
        self.zone
            .following(civil(moment(wall, after)))
            .take(3)
            .find(|change| change.offset() == after)
            .map_or_else(
                || moment(wall, before),
                |change| Timestamp::from_millis(change.timestamp().as_millisecond()),
            )
    }
}

fn moment(wall_seconds: i64, offset: Offset) -> Timestamp {
    Timestamp::from_seconds(wall_seconds - i64::from(offset.seconds()))
}

fn civil(at: Timestamp) -> jiff::Timestamp {
    let millis = at.millis().clamp(EARLIEST_MILLIS, LATEST_MILLIS);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// What a wall with this offset shows.
fn shifted(at: Timestamp, offset: Offset) -> Local {
    let wall = offset.to_datetime(civil(at));
    let date = LocalDate::of(wall.date()).unwrap_or(LocalDate::MIN);
    let part = |value: i8| u16::try_from(value).unwrap_or(0);
    let minutes = part(wall.hour()) * 60 + part(wall.minute());
    let time = LocalTime::from_minutes(minutes).unwrap_or(LocalTime::START);
    Local { date, time, weekday: date.weekday() }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl TryFrom<String> for Zone {
    type Error = NotAZone;

    fn try_from(text: String) -> Result<Self, NotAZone> {
        Self::parse(&text)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::local::Weekday;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn day(text: &str) -> LocalDate {
        LocalDate::parse(text).unwrap()
    }

    fn time(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn resolved(name: &str, date: &str, at: &str) -> Resolved {
        zone(name).resolve(day(date), time(at))
    }

    #[test]
    fn an_unknown_zone_is_refused_by_its_text_and_with_an_example() {
        let refused = serde_json::from_str::<Zone>("\"Mars/Olympus\"").unwrap_err().to_string();
        assert!(
            refused.starts_with("\"Mars/Olympus\" is not an IANA time zone, for example America/New_York"),
            "{refused}"
        );
        for name in ["", "Etc/Unknown", "EST5EDT,M3.2.0,M11.1.0", &"x".repeat(1000)] {
            assert!(Zone::parse(name).is_err(), "{name}");
        }
        assert_eq!(zone("america/new_york").name(), "America/New_York");
    }

    #[test]
    fn new_york_skips_an_hour_in_march() {
        let change = utc("2026-03-08T07:00:00Z");
        for at in ["02:00", "02:30", "02:59"] {
            assert_eq!(
                resolved("America/New_York", "2026-03-08", at),
                Resolved::Gap { next: change },
                "{at}"
            );
        }
        assert_eq!(resolved("America/New_York", "2026-03-08", "03:00"), Resolved::One(change));
        let refused = zone("America/New_York").moment(day("2026-03-08"), time("02:30")).unwrap_err();
        assert_eq!(refused.code, "time_does_not_exist");
        assert_eq!(
            refused.detail,
            "Nothing was changed. 02:30 does not exist in America/New_York on 2026-03-08: clocks go from 02:00 \
             to 03:00; choose 03:00 or later."
        );
    }

    #[test]
    fn new_york_shows_an_hour_twice_in_november_and_the_first_is_meant() {
        let (first, second) = (utc("2026-11-01T05:30:00Z"), utc("2026-11-01T06:30:00Z"));
        assert_eq!(resolved("America/New_York", "2026-11-01", "01:30"), Resolved::Overlap { first, second });
        let new_york = zone("America/New_York");
        assert_eq!(new_york.moment(day("2026-11-01"), time("01:30")), Ok(first));
        assert_eq!(new_york.local(first), new_york.local(second));
        assert_eq!(
            resolved("America/New_York", "2026-11-01", "02:00"),
            Resolved::One(utc("2026-11-01T07:00:00Z"))
        );
    }

    #[test]
    fn kathmandu_is_five_hours_and_three_quarters_ahead() {
        let moment = utc("2026-05-05T03:45:00Z");
        assert_eq!(resolved("Asia/Kathmandu", "2026-05-05", "09:30"), Resolved::One(moment));
        let local = zone("Asia/Kathmandu").local(moment);
        assert_eq!((local.to_string().as_str(), local.weekday), ("2026-05-05 09:30", Weekday::Tuesday));
    }

    #[test]
    fn lord_howe_moves_by_half_an_hour() {
        let name = "Australia/Lord_Howe";
        let change = utc("2026-10-03T15:30:00Z");
        assert_eq!(resolved(name, "2026-10-04", "02:15"), Resolved::Gap { next: change });
        assert_eq!(resolved(name, "2026-10-04", "02:30"), Resolved::One(change));
        let (first, second) = (utc("2026-04-04T14:45:00Z"), utc("2026-04-04T15:15:00Z"));
        assert_eq!(resolved(name, "2026-04-05", "01:45"), Resolved::Overlap { first, second });
        assert_eq!(resolved(name, "2026-04-05", "02:00"), Resolved::One(utc("2026-04-04T15:30:00Z")));
    }

    #[test]
    fn cairo_changes_at_midnight_so_a_day_may_begin_at_one() {
        let change = utc("2026-04-23T22:00:00Z");
        assert_eq!(resolved("Africa/Cairo", "2026-04-23", "24:00"), Resolved::Gap { next: change });
        assert_eq!(resolved("Africa/Cairo", "2026-04-24", "00:00"), Resolved::Gap { next: change });
        let refused = zone("Africa/Cairo").moment(day("2026-04-24"), time("00:30")).unwrap_err();
        assert!(refused.detail.contains("clocks go from 00:00 to 01:00; choose 01:00"), "{refused}");
        let back = resolved("Africa/Cairo", "2026-10-29", "23:30");
        let (first, second) = (utc("2026-10-29T20:30:00Z"), utc("2026-10-29T21:30:00Z"));
        assert_eq!(back, Resolved::Overlap { first, second });
        assert_eq!(
            resolved("Africa/Cairo", "2026-10-29", "24:00"),
            Resolved::One(utc("2026-10-29T22:00:00Z"))
        );
    }

    #[test]
    fn a_whole_day_that_was_skipped_names_the_day_after() {
        let refused = zone("Pacific/Apia").moment(day("2011-12-30"), time("12:00")).unwrap_err();
        assert!(
            refused
                .detail
                .contains("clocks go from 00:00 to 2011-12-31 00:00; choose 2011-12-31 00:00 or later"),
            "{refused}"
        );
    }

    #[test]
    fn moments_far_outside_are_shown_as_the_nearest_day() {
        let apia = zone("Pacific/Apia");
        assert_eq!(apia.local(Timestamp::from_millis(i64::MIN)).date, day("1970-01-01"));
        assert_eq!(apia.local(Timestamp::from_millis(i64::MAX)).date, day("2199-12-30"));
        assert_eq!(utc("2199-12-30T00:00:00Z").millis(), LATEST_MILLIS);
        let end = zone("Pacific/Kiritimati").resolve(LocalDate::MAX, LocalTime::END).first();
        assert_eq!(end, utc("2199-12-31T10:00:00Z"));
    }
}
