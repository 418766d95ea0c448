//! Rules as moments: the openings of a range of days, worked out once and looked at often.
//!
//! Depends on nothing but the rules and the months, so the caller may keep it until the rules change. The zone is
//! asked once per day; only on days when clocks change it is asked for every bound.

use std::sync::Arc;

use super::cell;
use super::local::{LocalDate, LocalTime};
use super::month::Month;
use super::rules::{Exception, ExceptionKind, Hours, Rules};
use super::zone::Resolved;
use crate::time::Timestamp;

/// The openings of a provider in some months, in order, none overlapping another.
///
/// A bound in a gap moves to the end of the gap, and a bound that occurs twice means the first time. So a night shift
/// over the change of clocks lasts an hour less or more, as it does for those who work it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    spans: Vec<Span>,
}

/// One opening in cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) until: i64,
    location: Option<Arc<str>>,
}

/// One opening: from one moment to another, at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The beginning, from which the grid of starts is counted.
    pub from: Timestamp,
    /// The end.
    pub until: Timestamp,
    /// Where, by the clinic's id.
    pub location: Option<&'a str>,
}

impl Expanded {
    /// The openings that touch the months from `first` to `last`, both included. Starts in other months are not known
    /// to it. The rules must have passed [`Rules::check`].
    #[must_use]
    pub fn of(rules: &Rules, first: Month, last: Month) -> Self {
        let (start, end) = (first.start(), last.end());
        let days = (rules.zone.local(start).date.yesterday(), rules.zone.local(end).date.tomorrow());
        let mut expanded = Self::of_days(rules, days.0, days.1);
        expanded.spans.retain(|span| span.until > cell::floor(start) && span.from < cell::floor(end));
        expanded
    }

    /// The openings of the day of a moment and of its neighbours.
    pub(super) fn around(rules: &Rules, moment: Timestamp) -> Self {
        let day = rules.zone.local(moment).date;
        Self::of_days(rules, day.yesterday(), day.tomorrow())
    }

    pub(super) fn of_days(rules: &Rules, first: LocalDate, last: LocalDate) -> Self {
        let mut days = Days::new(rules, first, last);
        let mut spans = Vec::new();
        let mut day = first;
        while day <= last {
            days.expand(day, &mut spans);
            if day == LocalDate::MAX {
                break;
            }
            day = day.tomorrow();
        }
        Self { spans }
    }

    /// The openings in order.
    pub fn openings(&self) -> impl Iterator<Item = Opening<'_>> {
        self.spans.iter().map(Span::opening)
    }

    /// The opening that a visit of `[from, until)` lies in.
    #[must_use]
    pub fn opening_of(&self, from: Timestamp, until: Timestamp) -> Option<Opening<'_>> {
        let after = self.spans.partition_point(|span| cell::begin(span.from) <= from);
        let span = self.spans[..after].last()?;
        (until <= cell::begin(span.until)).then(|| span.opening())
    }

    /// The openings that end after a cell.
    pub(super) fn after(&self, cell: i64) -> &[Span] {
        &self.spans[self.spans.partition_point(|span| span.until <= cell)..]
    }
}

impl Span {
    fn opening(&self) -> Opening<'_> {
        let (from, until) = (cell::begin(self.from), cell::begin(self.until));
        Opening { from, until, location: self.location.as_deref() }
    }
}

/// Local hours of one day, whoever said so.
#[derive(Clone)]
struct Wall {
    from: LocalTime,
    until: LocalTime,
    location: Option<Arc<str>>,
}

impl Wall {
    fn new(from: LocalTime, until: LocalTime, location: Option<&str>) -> Self {
        Self { from, until, location: location.map(Arc::from) }
    }
}

/// What holds on the days of an exception, ready to be looked at day by day.
struct Other<'a> {
    exception: &'a Exception,
    open: Option<Wall>,
}

struct Days<'a> {
    rules: &'a Rules,
    /// The hours of Monday to Sunday, in order.
    weekly: [Vec<Wall>; 7],
    others: Vec<Other<'a>>,
    /// The last midnight that was asked for, since the end of a day is the beginning of the next.
    midnight: Option<(LocalDate, Resolved)>,
}

impl<'a> Days<'a> {
    fn new(rules: &'a Rules, first: LocalDate, last: LocalDate) -> Self {
        let mut weekly: [Vec<Wall>; 7] = Default::default();
        for Hours { weekday, from, until, location } in &rules.weekly {
            weekly[weekday.index()].push(Wall::new(*from, *until, location.as_deref()));
        }
        for hours in &mut weekly {
            hours.sort_unstable_by_key(|hours| hours.from);
        }
        let near = rules.exceptions.iter().filter(|other| other.from <= last && first <= other.until);
        let others = near.map(Other::new).collect();
        Self { rules, weekly, others, midnight: None }
    }

    fn expand(&mut self, day: LocalDate, spans: &mut Vec<Span>) {
        let mut others = self.others.iter().filter(|other| other.exception.covers(day)).peekable();
        let walls = if others.peek().is_some() {
            let mut open: Vec<Wall> = others.filter_map(|other| other.open.clone()).collect();
            open.sort_unstable_by_key(|hours| hours.from);
            open
        } else {
            self.weekly[day.weekday().index()].clone()
        };
        if walls.is_empty() {
            return;
        }
        let midnight = self.even_day(day);
        let moment = |time: LocalTime| match midnight {
            Some(midnight) => midnight + time.since_midnight(),
            None => self.rules.zone.resolve(day, time).first(),
        };
        for Wall { from, until, location } in walls {
            let (from, until) = (cell::ceil(moment(from)), cell::floor(moment(until)));
            if from < until {
                spans.push(Span { from, until, location });
            }
        }
    }

    /// The midnight that a day begins with, when its clocks do not change: then all else is counting.
    fn even_day(&mut self, day: LocalDate) -> Option<Timestamp> {
        let zone = &self.rules.zone;
        let known = self.midnight.filter(|(known, _)| *known == day);
        let begin = known.map_or_else(|| zone.resolve(day, LocalTime::START), |(_, moment)| moment);
        let end = zone.resolve(day, LocalTime::END);
        self.midnight = Some((day.tomorrow(), end));
        match (begin, end) {
            (Resolved::One(begin), Resolved::One(end))
                if end.since(begin) == LocalTime::END.since_midnight() =>
            {
                Some(begin)
            }
            _ => None,
        }
    }
}

impl<'a> Other<'a> {
    fn new(exception: &'a Exception) -> Self {
        let open = match &exception.kind {
            ExceptionKind::Off => None,
            ExceptionKind::Open { from, until, location } => {
                Some(Wall::new(*from, *until, location.as_deref()))
            }
        };
        Self { exception, open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::local::Weekday;
    use crate::calendar::zone::Zone;
    use crate::explain::Reason;

    fn day(text: &str) -> LocalDate {
        LocalDate::parse(text).unwrap()
    }

    fn time(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    fn rules(zone: &str, hours: &[(Weekday, &str, &str)]) -> Rules {
        let hours = hours.iter().map(|(weekday, from, until)| Hours {
            weekday: *weekday,
            from: time(from),
            until: time(until),
            location: None,
        });
        Rules { zone: Zone::parse(zone).unwrap(), weekly: hours.collect(), exceptions: Vec::new() }
    }

    fn open(rules: &Rules, first: &str, last: &str) -> Vec<String> {
        let expanded = Expanded::of_days(rules, day(first), day(last));
        let shown = |moment: Timestamp| moment.to_rfc3339()[5..16].to_owned();
        expanded.openings().map(|open| format!("{} {}", shown(open.from), shown(open.until))).collect()
    }

    #[test]
    fn nine_o_clock_stays_nine_o_clock_when_clocks_change() {
        let daily = [Weekday::Saturday, Weekday::Sunday, Weekday::Monday].map(|day| (day, "09:00", "17:00"));
        let rules = rules("America/New_York", &daily);
        assert_eq!(
            open(&rules, "2026-03-07", "2026-03-09"),
            ["03-07T14:00 03-07T22:00", "03-08T13:00 03-08T21:00", "03-09T13:00 03-09T21:00"]
        );
        assert_eq!(
            open(&rules, "2026-10-31", "2026-11-02"),
            ["10-31T13:00 10-31T21:00", "11-01T14:00 11-01T22:00", "11-02T14:00 11-02T22:00"]
        );
    }

    #[test]
    fn hours_in_a_gap_are_skipped_and_a_bound_in_it_moves_to_its_end() {
        let rules = rules(
            "America/New_York",
            &[
                (Weekday::Sunday, "00:30", "02:30"),
                (Weekday::Sunday, "02:30", "02:45"),
                (Weekday::Sunday, "02:45", "04:00"),
            ],
        );
        assert_eq!(
            open(&rules, "2026-03-08", "2026-03-08"),
            ["03-08T05:30 03-08T07:00", "03-08T07:00 03-08T08:00"]
        );
    }

    #[test]
    fn a_bound_that_occurs_twice_means_the_first_time() {
        let rules = rules(
            "America/New_York",
            &[
                (Weekday::Sunday, "00:00", "01:30"),
                (Weekday::Sunday, "01:30", "03:00"),
                (Weekday::Saturday, "22:00", "24:00"),
            ],
        );
        assert_eq!(
            open(&rules, "2026-10-31", "2026-11-01"),
            ["11-01T02:00 11-01T04:00", "11-01T04:00 11-01T05:30", "11-01T05:30 11-01T08:00"]
        );
    }

    #[test]
    fn a_day_that_changes_at_midnight_has_one_hour_less_and_later_one_more() {
        let days = [Weekday::Thursday, Weekday::Friday].map(|day| (day, "00:00", "24:00"));
        let rules = rules("Africa/Cairo", &days);
        assert_eq!(
            open(&rules, "2026-04-23", "2026-04-24"),
            ["04-22T22:00 04-23T22:00", "04-23T22:00 04-24T21:00"]
        );
        assert_eq!(
            open(&rules, "2026-10-29", "2026-10-30"),
            ["10-28T21:00 10-29T22:00", "10-29T22:00 10-30T22:00"]
        );
    }

    #[test]
    fn an_exception_replaces_the_weekly_hours_of_its_days() {
        let weekly =
            [Weekday::Wednesday, Weekday::Thursday, Weekday::Friday].map(|day| (day, "09:00", "17:00"));
        let mut rules = rules("Asia/Kathmandu", &weekly);
        let exception = |from, until, kind| Exception {
            from: day(from),
            until: day(until),
            kind,
            reason: Reason::of("holiday"),
        };
        let open_at =
            |from, until| ExceptionKind::Open { from: time(from), until: time(until), location: None };
        rules.exceptions = vec![
            exception("2026-12-23", "2026-12-23", open_at("13:00", "14:00")),
            exception("2026-12-23", "2026-12-23", open_at("09:00", "10:00")),
            exception("2026-12-24", "2026-12-24", ExceptionKind::Off),
        ];
        assert_eq!(
            open(&rules, "2026-12-23", "2026-12-25"),
            ["12-23T03:15 12-23T04:15", "12-23T07:15 12-23T08:15", "12-25T03:15 12-25T11:15"]
        );
    }

    #[test]
    fn an_opening_over_the_end_of_a_month_belongs_to_both() {
        let rules = rules("America/New_York", &[(Weekday::Saturday, "15:00", "21:00")]);
        let month = |text: &str| Month::of(Timestamp::parse_rfc3339(text).unwrap());
        let (january, february) = (month("2026-01-15T00:00:00Z"), month("2026-02-15T00:00:00Z"));
        let spans = |first, last| Expanded::of(&rules, first, last).spans;
        assert_eq!(spans(january, january).last(), spans(february, february).first());
        assert_eq!(spans(january, february).len(), 5 + 4);
    }

    #[test]
    fn a_visit_lies_in_one_opening_or_in_none() {
        let mut rules =
            rules("UTC", &[(Weekday::Monday, "09:00", "12:00"), (Weekday::Monday, "12:00", "17:00")]);
        rules.weekly[1].location = Some("annex".to_owned());
        let expanded = Expanded::of_days(&rules, day("2026-06-01"), day("2026-06-01"));
        let found = |from: &str, until: &str| {
            let at = |text: &str| Timestamp::parse_rfc3339(&format!("2026-06-01T{text}:00Z")).unwrap();
            expanded.opening_of(at(from), at(until)).map(|opening| opening.location)
        };
        assert_eq!(found("11:00", "12:00"), Some(None));
        assert_eq!(found("12:00", "17:00"), Some(Some("annex")));
        assert_eq!(found("11:30", "12:30"), None);
        assert_eq!(found("08:55", "09:30"), None);
        assert_eq!(found("16:30", "17:05"), None);
    }
}
