//! Stories of one provider's calendar.

use std::time::Duration;

use crate::calendar::{
    Exception, ExceptionKind, Expanded, Hours, LocalDate, LocalTime, Month, Need, Pages, Rules, Weekday,
    Zone, admits, conflicts, first_opening, openings,
};
use crate::explain::Reason;
use crate::time::Timestamp;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const NEED: Need = Need {
    duration_minutes: 60,
    before_minutes: 0,
    after_minutes: 0,
    interval_minutes: 60,
    minimum_notice: Duration::ZERO,
    horizon: Duration::from_secs(90 * 86_400),
};

fn utc(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
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
    let rules = Rules { zone: Zone::parse(zone).unwrap(), weekly: hours.collect(), exceptions: Vec::new() };
    assert_eq!(rules.check(), Ok(()));
    rules
}

/// Mondays 09:00 to 12:00 in New York; 1 June 2026 is one.
fn mondays() -> Rules {
    rules("America/New_York", &[(Weekday::Monday, "09:00", "12:00")])
}

/// A calendar, and a moment at which somebody looks.
struct Calendar {
    rules: Rules,
    pages: Pages,
    now: Timestamp,
}

impl Calendar {
    fn of(rules: Rules, now: &str) -> Self {
        Self { rules, pages: Pages::new(), now: utc(now) }
    }

    fn busy(mut self, from: &str, until: &str) -> Self {
        self.pages.occupy(utc(from), utc(until)).unwrap();
        self
    }

    /// Starts of one local day, as its wall shows them.
    fn offered(&self, need: &Need, day: &str) -> Vec<String> {
        let date = LocalDate::parse(day).unwrap();
        let zone = &self.rules.zone;
        let (from, until) =
            (zone.resolve(date, LocalTime::START).first(), zone.resolve(date, LocalTime::END).first());
        let expanded = Expanded::of(&self.rules, Month::of(from), Month::of(until));
        let found = openings(&expanded, &self.pages, need, self.now, from..until, 500);
        assert_eq!(
            first_opening(&expanded, &self.pages, need, self.now, from..until),
            found.first().copied(),
            "the first is the first of all"
        );
        for start in &found {
            assert_eq!(admits(&self.rules, &self.pages, need, self.now, *start), Ok(()));
        }
        found.iter().map(|start| zone.local(*start).time.to_string()).collect()
    }

    fn refusal(&self, need: &Need, start: &str) -> (&'static str, String) {
        let refusal = admits(&self.rules, &self.pages, need, self.now, utc(start)).unwrap_err();
        (refusal.code, refusal.detail)
    }
}

#[test]
fn starts_follow_the_interval_and_the_visit_ends_before_closing_time() {
    let calendar = Calendar::of(mondays(), "2026-05-30T00:00:00Z");
    assert_eq!(calendar.offered(&NEED, "2026-06-01"), ["09:00", "10:00", "11:00"]);
    let dense = Need { interval_minutes: 25, duration_minutes: 50, ..NEED };
    assert_eq!(
        calendar.offered(&dense, "2026-06-01"),
        ["09:00", "09:25", "09:50", "10:15", "10:40", "11:05"]
    );
    assert_eq!(calendar.offered(&NEED, "2026-06-02"), [""; 0]);
}

#[test]
fn a_buffer_hides_neighbours_and_may_lie_outside_of_the_hours() {
    let calendar =
        Calendar::of(mondays(), "2026-05-30T00:00:00Z").busy("2026-06-01T14:30:00Z", "2026-06-01T15:00:00Z");
    let short = Need { duration_minutes: 30, interval_minutes: 30, ..NEED };
    assert_eq!(calendar.offered(&short, "2026-06-01"), ["09:00", "09:30", "10:00", "11:00", "11:30"]);
    let buffered = Need { before_minutes: 15, after_minutes: 15, ..short };
    assert_eq!(calendar.offered(&buffered, "2026-06-01"), ["09:00", "09:30", "11:30"]);
    assert_eq!(calendar.refusal(&buffered, "2026-06-01T14:00:00Z").0, "slot_taken");
}

#[test]
fn notice_and_window_are_counted_to_the_moment() {
    let calendar = Calendar::of(mondays(), "2026-06-01T13:00:00Z");
    let need = Need { minimum_notice: HOUR, horizon: 7 * DAY, ..NEED };
    assert_eq!(calendar.offered(&need, "2026-06-01"), ["10:00", "11:00"]);
    assert_eq!(calendar.offered(&need, "2026-06-08"), ["09:00"]);
    let later = Calendar { now: calendar.now + Duration::from_millis(1), ..calendar };
    assert_eq!(later.offered(&need, "2026-06-01"), ["11:00"]);
    assert_eq!(later.offered(&need, "2026-06-08"), ["09:00"]);
}

#[test]
fn each_refusal_says_why_and_what_to_do() {
    let need = Need { minimum_notice: HOUR, horizon: 10 * DAY, ..NEED };
    let calendar =
        Calendar::of(mondays(), "2026-06-01T14:00:00Z").busy("2026-06-08T13:00:00Z", "2026-06-08T14:00:00Z");
    for (start, code, detail) in [
        (
            "2026-06-01T13:00:00Z",
            "time_in_the_past",
            "2026-06-01 09:00 in America/New_York was not booked: it is in the past. Choose a later time.",
        ),
        (
            "2026-06-01T14:00:00Z",
            "too_soon",
            "2026-06-01 10:00 in America/New_York was not booked: it must be booked 1 hour before. Choose a later \
             time, or call the clinic.",
        ),
        (
            "2026-06-15T13:00:00Z",
            "too_far",
            "2026-06-15 09:00 in America/New_York was not booked: it can be booked at most 10 days ahead. Choose an \
             earlier time, or come back later.",
        ),
        (
            "2026-06-08T15:30:00Z",
            "outside_hours",
            "2026-06-08 11:30 in America/New_York was not booked: it is not within the opening hours. Choose one of \
             the open times.",
        ),
        (
            "2026-06-08T14:05:00Z",
            "not_on_grid",
            "2026-06-08 10:05 in America/New_York was not booked: visits of this type begin every 60 minutes from \
             09:00. Choose one of the open times.",
        ),
        (
            "2026-06-08T13:00:00Z",
            "slot_taken",
            "Nothing was booked: this time was just taken. Choose another of the open times.",
        ),
    ] {
        assert_eq!(calendar.refusal(&need, start), (code, detail.to_owned()));
    }
    assert_eq!(calendar.refusal(&need, "2026-06-08T14:00:00.001Z").0, "not_on_grid");
    let endless = Need { duration_minutes: 0, ..need };
    assert_eq!(calendar.refusal(&endless, "2026-06-08T14:00:00Z").0, "visit_times_invalid");
    assert_eq!(calendar.offered(&endless, "2026-06-08"), [""; 0]);
}

#[test]
fn the_sunday_without_two_o_clock_offers_none() {
    let night = rules("America/New_York", &[(Weekday::Sunday, "00:00", "05:00")]);
    let calendar = Calendar::of(night, "2026-03-01T00:00:00Z");
    assert_eq!(calendar.offered(&NEED, "2026-03-08"), ["00:00", "01:00", "03:00", "04:00"]);
    assert_eq!(calendar.offered(&NEED, "2026-03-15"), ["00:00", "01:00", "02:00", "03:00", "04:00"]);
}

#[test]
fn the_sunday_with_two_one_o_clocks_begins_with_the_first() {
    let night = rules("America/New_York", &[(Weekday::Sunday, "01:00", "02:30")]);
    let calendar = Calendar::of(night, "2026-10-30T00:00:00Z");
    let need = Need { duration_minutes: 30, interval_minutes: 30, ..NEED };
    assert_eq!(calendar.offered(&need, "2026-11-01"), ["01:00", "01:30", "01:00", "01:30", "02:00"]);
    let first = calendar.rules.zone.moment(LocalDate::parse("2026-11-01").unwrap(), time("01:30")).unwrap();
    assert_eq!(first, utc("2026-11-01T05:30:00Z"));
    assert_eq!(admits(&calendar.rules, &calendar.pages, &need, calendar.now, first), Ok(()));
}

#[test]
fn minimum_notice_that_ends_on_the_day_of_the_change_counts_true_hours() {
    let daily = [Weekday::Saturday, Weekday::Sunday].map(|day| (day, "08:00", "12:00"));
    let calendar = Calendar::of(rules("America/New_York", &daily), "2026-03-07T14:00:00Z");
    let need = Need { minimum_notice: 24 * HOUR, ..NEED };
    assert_eq!(calendar.offered(&need, "2026-03-08"), ["10:00", "11:00"]);
}

#[test]
fn zones_of_three_quarters_and_of_half_hour_changes_keep_their_wall_times() {
    let kathmandu = rules("Asia/Kathmandu", &[(Weekday::Friday, "09:00", "11:00")]);
    let calendar = Calendar::of(kathmandu, "2026-05-01T00:00:00Z");
    assert_eq!(calendar.offered(&NEED, "2026-05-08"), ["09:00", "10:00"]);
    let lord_howe = rules("Australia/Lord_Howe", &[(Weekday::Sunday, "01:00", "04:00")]);
    let calendar = Calendar::of(lord_howe, "2026-03-01T00:00:00Z");
    let need = Need { horizon: 366 * DAY, ..NEED };
    assert_eq!(calendar.offered(&need, "2026-04-05"), ["01:00", "01:30", "02:30"], "clocks go back at 02:00");
    assert_eq!(calendar.offered(&need, "2026-10-04"), ["01:00", "02:30"], "clocks go forward at 02:00");
}

#[test]
fn a_visit_over_the_end_of_a_month_is_booked_once() {
    let evenings = rules("America/New_York", &[(Weekday::Saturday, "15:00", "21:00")]);
    let mut calendar = Calendar::of(evenings, "2026-01-20T00:00:00Z");
    let need = Need { duration_minutes: 120, interval_minutes: 30, ..NEED };
    let start = utc("2026-01-31T23:00:00Z");
    assert_eq!(admits(&calendar.rules, &calendar.pages, &need, calendar.now, start), Ok(()));
    calendar.pages.occupy(start, start + need.duration()).unwrap();
    assert_eq!(calendar.refusal(&need, "2026-02-01T00:00:00Z").0, "slot_taken");
    assert_eq!(calendar.offered(&need, "2026-01-31"), ["15:00", "15:30", "16:00"]);
}

#[test]
fn a_new_holiday_names_the_visits_inside_it() {
    let mut rules = rules(
        "America/New_York",
        &[(Weekday::Monday, "09:00", "17:00"), (Weekday::Friday, "09:00", "17:00")],
    );
    let booked = [
        (utc("2026-07-03T13:00:00Z"), utc("2026-07-03T14:00:00Z"), "friday"),
        (utc("2026-07-06T20:30:00Z"), utc("2026-07-06T21:30:00Z"), "late"),
        (utc("2026-07-06T20:00:00Z"), utc("2026-07-06T21:00:00Z"), "monday"),
    ];
    assert_eq!(conflicts(&rules, &booked), ["late"]);
    let friday = LocalDate::parse("2026-07-03").unwrap();
    let exception = |kind| Exception { from: friday, until: friday, kind, reason: Reason::of("holiday") };
    rules.exceptions = vec![exception(ExceptionKind::Off)];
    assert_eq!(conflicts(&rules, &booked), ["friday", "late"]);
    let open = ExceptionKind::Open { from: time("09:00"), until: time("10:00"), location: None };
    rules.exceptions = vec![exception(open)];
    assert_eq!(conflicts(&rules, &booked), ["late"]);
    assert_eq!(conflicts::<&str>(&rules, &[]), [""; 0]);
}

#[test]
fn a_provider_who_is_booked_out_has_no_first_opening() {
    let rules = mondays();
    let mut pages = Pages::new();
    let (now, until) = (utc("2026-06-01T00:00:00Z"), utc("2026-07-01T00:00:00Z"));
    pages.occupy(now, until).unwrap();
    let expanded = Expanded::of(&rules, Month::of(now), Month::of(until));
    assert_eq!(first_opening(&expanded, &pages, &NEED, now, now..until), None);
    pages.release(utc("2026-06-29T14:00:00Z"), utc("2026-06-29T15:00:00Z"));
    let first = first_opening(&expanded, &pages, &NEED, now, now..until);
    assert_eq!(first, Some(utc("2026-06-29T14:00:00Z")));
}
