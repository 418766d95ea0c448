//! The list and the check agree, and both agree with a plain reading of the rules, over random calendars.

use std::ops::Range;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;
use proptest::test_runner::Config;

use crate::calendar::{
    Exception, ExceptionKind, Expanded, Hours, LocalDate, LocalTime, Month, Need, Pages, Resolved, Rules,
    Weekday, Zone, admits, first_opening, openings,
};
use crate::explain::Reason;
use crate::time::Timestamp;

const CELL: Duration = Duration::from_secs(300);
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// Zones that are odd, and a day in each near which clocks change or a month ends.
const PLACES: [(&str, &str); 10] = [
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("America/New_York", "2026-01-31"),
    ("Asia/Kathmandu", "2026-06-30"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-30"),
    ("America/Havana", "2026-11-01"),
    ("Pacific/Apia", "2011-12-30"),
];
const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

#[derive(Debug, Clone)]
struct Case {
    rules: Rules,
    pages: Pages,
    need: Need,
    now: Timestamp,
    between: Range<Timestamp>,
}

fn steps(minutes: u16) -> LocalTime {
    LocalTime::from_minutes(minutes * 5).unwrap()
}

/// Spans of one day that may touch and do not overlap: every second gap between sorted borders.
fn spans() -> impl Strategy<Value = Vec<(LocalTime, LocalTime)>> {
    vec(0u16..=288, 0..5).prop_map(|mut borders| {
        borders.sort_unstable();
        let pairs = borders.chunks_exact(2).filter(|pair| pair[0] < pair[1]);
        pairs.map(|pair| (steps(pair[0]), steps(pair[1]))).collect()
    })
}

fn rules_near(zone: &'static str, day: LocalDate) -> impl Strategy<Value = Rules> {
    let exception = (0u8..4, prop_oneof![Just(None), (0u16..144, 1u16..=144).prop_map(Some)]);
    (vec(spans(), 7), vec(exception, 0..3)).prop_map(move |(week, others)| {
        let weekly = WEEK.into_iter().zip(week).flat_map(|(weekday, spans)| {
            spans.into_iter().map(move |(from, until)| Hours { weekday, from, until, location: None })
        });
        let mut rules =
            Rules { zone: Zone::parse(zone).unwrap(), weekly: weekly.collect(), exceptions: Vec::new() };
        for (days, open) in others {
            let from = (0..days).fold(day.yesterday(), |day, _| day.tomorrow());
            let kind = open.map_or(ExceptionKind::Off, |(from, length)| ExceptionKind::Open {
                from: steps(from),
                until: steps(from + length),
                location: None,
            });
            rules.exceptions.push(Exception { from, until: from, kind, reason: Reason::of("vacation") });
            if rules.check().is_err() {
                rules.exceptions.pop();
            }
        }
        rules
    })
}

fn needs() -> impl Strategy<Value = Need> {
    let sizes = (select(vec![1u16, 3, 6, 12, 30, 144]), 0u16..=48, 0u16..=48, 1u16..=48, any::<bool>());
    (sizes, 0u64..48, 0u64..72).prop_map(
        |((duration, before, after, interval, buffered), notice, horizon)| Need {
            duration_minutes: duration * 5,
            before_minutes: if buffered { before * 5 } else { 0 },
            after_minutes: if buffered { after * 5 } else { 0 },
            interval_minutes: interval * 5,
            minimum_notice: Duration::from_secs(notice * 60 * MINUTE),
            horizon: Duration::from_secs(horizon * 60 * MINUTE),
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let place = select(PLACES.to_vec()).prop_flat_map(|(zone, day)| {
        let day = LocalDate::parse(day).unwrap();
        (rules_near(zone, day), Just(day))
    });
    let busy = vec((0u64..5 * 288, 1u64..40), 0..12);
    // Bounds that lie on the borders of cells are met exactly by starts; others never are.
    let now = prop_oneof![0u64..2 * DAY * 1000, (0u64..48).prop_map(|hour| hour * 3_600_000)];
    (place, busy, needs(), now, 0u64..3 * DAY, 0u64..3 * DAY).prop_map(
        |((rules, day), busy, need, now, from, length)| {
            let base = rules.zone.resolve(day, LocalTime::START).first() - Duration::from_secs(2 * DAY);
            let mut pages = Pages::new();
            for (cell, cells) in busy {
                let from = base + Duration::from_secs(cell * 300);
                pages.block(from, from + Duration::from_secs(cells * 300));
            }
            let from = base + Duration::from_secs(from);
            let between = from..from + Duration::from_secs(length);
            Case { rules, pages, need, now: base + Duration::from_millis(now), between }
        },
    )
}

fn offered(case: &Case) -> Vec<Timestamp> {
    let months = (Month::of(case.between.start), Month::of(case.between.end));
    let expanded = Expanded::of(&case.rules, months.0, months.1);
    openings(&expanded, &case.pages, &case.need, case.now, case.between.clone(), usize::MAX)
}

fn admitted(case: &Case, start: Timestamp) -> bool {
    admits(&case.rules, &case.pages, &case.need, case.now, start).is_ok()
}

/// All starts of the range that could be asked for, and a moment inside each cell, which never can.
fn candidates(case: &Case) -> impl Iterator<Item = Timestamp> {
    let first = case.between.start.millis().div_euclid(300_000) * 300_000;
    let end = case.between.end.millis();
    let cells = (first..end).step_by(300_000).flat_map(|cell| [cell, cell + 1000]);
    let from = case.between.start.millis();
    cells.filter(move |moment| (from..end).contains(moment)).map(Timestamp::from_millis)
}

proptest! {
    #![proptest_config(Config { cases: 128, ..Config::default() })]

    #[test]
    fn a_start_is_offered_if_and_only_if_it_is_admitted(case in cases()) {
        prop_assert_eq!(case.rules.check(), Ok(()));
        let wanted: Vec<Timestamp> = candidates(&case).filter(|start| admitted(&case, *start)).collect();
        prop_assert_eq!(offered(&case), wanted);
    }

    #[test]
    fn a_limit_cuts_the_end_and_the_first_is_the_first(case in cases(), limit in 0usize..20) {
        let all = offered(&case);
        let expanded = Expanded::of(&case.rules, Month::of(case.between.start), Month::of(case.between.end));
        let some = openings(&expanded, &case.pages, &case.need, case.now, case.between.clone(), limit);
        prop_assert_eq!(&some[..], &all[..limit.min(all.len())]);
        let first = first_opening(&expanded, &case.pages, &case.need, case.now, case.between.clone());
        prop_assert_eq!(first, all.first().copied());
    }

    #[test]
    fn bookings_that_were_admitted_never_overlap(case in cases(), picks in vec(any::<proptest::sample::Index>(), 1..12)) {
        let mut case = case;
        let mut booked: Vec<(Timestamp, Timestamp)> = Vec::new();
        for pick in picks {
            let open = offered(&case);
            if open.is_empty() {
                break;
            }
            let start = *pick.get(&open);
            let visit = (start - case.need.before(), start + case.need.duration() + case.need.after());
            prop_assert!(booked.iter().all(|other| visit.1 <= other.0 || other.1 <= visit.0));
            prop_assert_eq!(case.pages.occupy(visit.0, visit.1), Ok(()));
            prop_assert!(!admitted(&case, start));
            booked.push(visit);
        }
    }

    #[test]
    fn what_is_offered_lies_within_the_hours_that_the_wall_shows(case in cases()) {
        let zone = &case.rules.zone;
        for start in offered(&case) {
            let (from, until) = (zone.local(start), zone.local(start + case.need.duration() - CELL));
            if is_twice(zone, from.date) {
                continue;
            }
            let shown = from.time..=until.time;
            let covered = hours_of(&case.rules, from.date).into_iter().any(|(open, close)| {
                open <= *shown.start() && shown.end().minutes() + 5 <= close.minutes()
            });
            prop_assert!(covered && from.date == until.date, "{} is outside", from);
            prop_assert_eq!(zone.resolve(from.date, from.time), Resolved::One(start));
        }
    }

    #[test]
    fn what_the_wall_shows_leads_back_to_the_moment(place in select(PLACES.to_vec()), minute in 0u64..4 * 1440) {
        let zone = Zone::parse(place.0).unwrap();
        let day = LocalDate::parse(place.1).unwrap().yesterday().yesterday();
        let moment = zone.resolve(day, LocalTime::START).first() + Duration::from_secs(minute * MINUTE);
        let local = zone.local(moment);
        let back = match zone.resolve(local.date, local.time) {
            Resolved::One(back) => back == moment,
            Resolved::Overlap { first, second } => first < second && (first == moment || second == moment),
            Resolved::Gap { .. } => false,
        };
        prop_assert!(back, "{} in {}", local, zone);
    }
}

/// The hours of a day as a person reads the rules.
fn hours_of(rules: &Rules, day: LocalDate) -> Vec<(LocalTime, LocalTime)> {
    let others: Vec<&Exception> =
        rules.exceptions.iter().filter(|other| other.from <= day && day <= other.until).collect();
    if others.is_empty() {
        let today = rules.weekly.iter().filter(|hours| hours.weekday == day.weekday());
        return today.map(|hours| (hours.from, hours.until)).collect();
    }
    let open = others.iter().filter_map(|other| match &other.kind {
        ExceptionKind::Open { from, until, .. } => Some((*from, *until)),
        ExceptionKind::Off => None,
    });
    open.collect()
}

/// Whether the wall shows a part of the day twice.
fn is_twice(zone: &Zone, day: LocalDate) -> bool {
    (0..288).any(|step| matches!(zone.resolve(day, steps(step)), Resolved::Overlap { .. }))
}
