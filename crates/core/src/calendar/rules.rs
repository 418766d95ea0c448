//! The rules of one provider: weekly hours, and exceptions such as a holiday. Local time in one zone, never moments, so
//! that 09:00 stays 09:00 when clocks change.
//!
//! Written by whoever runs the clinic, checked once with [`Rules::check`] before they are stored. Afterwards
//! [`Expanded`](super::Expanded) turns them into moments.

use serde::{Deserialize, Serialize};

use super::cell;
use super::local::{LocalDate, LocalTime, Weekday};
use super::zone::Zone;
use crate::explain::Reason;
use crate::refusal::Refusal;

const WEEKLY_MAX: usize = 100;
const EXCEPTIONS_MAX: usize = 400;
const DAYS_MAX: i64 = 366;
const LOCATION_MAX: usize = 64;

/// When a provider can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The zone of all times here.
    pub zone: Zone,
    /// The hours of every week.
    pub weekly: Vec<Hours>,
    /// Days on which other hours hold, or none.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// Opening hours on one weekday. Each stands alone: a visit lies within one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The weekday.
    pub weekday: Weekday,
    /// The beginning.
    pub from: LocalTime,
    /// The end, after the beginning, at most `24:00`.
    pub until: LocalTime,
    /// Where, by the clinic's id; at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// Days on which the weekly hours do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The first day.
    pub from: LocalDate,
    /// The last day, which belongs to it.
    pub until: LocalDate,
    /// What holds instead.
    pub kind: ExceptionKind,
    /// Why, as a code: `vacation`.
    pub reason: Reason,
}

/// What holds on the days of an exception. In JSON `"off"` or `{"open": {"from": "09:00", "until": "12:00"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionKind {
    /// Nothing: the provider is away.
    Off,
    /// These hours, together with those of other exceptions for the same day, replace the weekly ones.
    Open {
        /// The beginning.
        from: LocalTime,
        /// The end, after the beginning, at most `24:00`.
        until: LocalTime,
        /// Where, by the clinic's id; at most 64 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
}

impl Rules {
    /// Whether they may be stored.
    ///
    /// # Errors
    /// `hours_invalid`, `hours_overlap`, `exception_invalid` or `exceptions_overlap`, naming the hours or days.
    pub fn check(&self) -> Result<(), Refusal> {
        self.check_weekly()?;
        self.check_exceptions()
    }

    fn check_weekly(&self) -> Result<(), Refusal> {
        at_most("hours_invalid", "weekly hours", self.weekly.len(), WEEKLY_MAX)?;
        for hours in &self.weekly {
            span_of(hours.from, hours.until, hours.location.as_deref())
                .map_err(|why| refused("hours_invalid", &format!("the hours of {} {why}", shown(hours))))?;
        }
        for (index, one) in self.weekly.iter().enumerate() {
            let clash = self.weekly[..index].iter().find(|other| {
                other.weekday == one.weekday && meet(one.from, one.until, other.from, other.until)
            });
            if let Some(other) = clash {
                let why =
                    format!("the hours of {} and of {} overlap; make them one", shown(other), shown(one));
                return Err(refused("hours_overlap", &why));
            }
        }
        Ok(())
    }

    fn check_exceptions(&self) -> Result<(), Refusal> {
        at_most("exception_invalid", "exceptions", self.exceptions.len(), EXCEPTIONS_MAX)?;
        for exception in &self.exceptions {
            exception.check().map_err(|why| {
                refused("exception_invalid", &format!("the exception of {} {why}", exception.shown()))
            })?;
        }
        for (index, one) in self.exceptions.iter().enumerate() {
            if let Some(other) = self.exceptions[..index].iter().find(|other| one.contradicts(other)) {
                let why = format!(
                    "the exceptions of {} and of {} overlap; shorten or delete one",
                    other.shown(),
                    one.shown()
                );
                return Err(refused("exceptions_overlap", &why));
            }
        }
        Ok(())
    }
}

impl Exception {
    pub(super) fn covers(&self, day: LocalDate) -> bool {
        self.from <= day && day <= self.until
    }

    fn check(&self) -> Result<(), String> {
        if self.until < self.from {
            return Err("ends before it begins; its last day is the same or a later one".to_owned());
        }
        if self.until.days_since(self.from) >= DAYS_MAX {
            return Err(format!("is longer than {DAYS_MAX} days; make it several"));
        }
        if Reason::parse(self.reason.as_str()).as_ref() != Ok(&self.reason) {
            return Err("has no reason; give a code such as `vacation`".to_owned());
        }
        match &self.kind {
            ExceptionKind::Off => Ok(()),
            ExceptionKind::Open { from, until, location } => span_of(*from, *until, location.as_deref()),
        }
    }

    /// Whether both say something about the same day that cannot both be true.
    fn contradicts(&self, other: &Self) -> bool {
        let share_a_day = self.from <= other.until && other.from <= self.until;
        share_a_day
            && match (&self.kind, &other.kind) {
                (ExceptionKind::Off, ExceptionKind::Off) => false,
                (ExceptionKind::Open { from, until, .. }, ExceptionKind::Open { from: f, until: u, .. }) => {
                    meet(*from, *until, *f, *u)
                }
                (ExceptionKind::Off, ExceptionKind::Open { .. })
                | (ExceptionKind::Open { .. }, ExceptionKind::Off) => true,
            }
    }

    fn shown(&self) -> String {
        let days = if self.from == self.until {
            self.from.to_string()
        } else {
            format!("{} to {}", self.from, self.until)
        };
        match &self.kind {
            ExceptionKind::Off => days,
            ExceptionKind::Open { from, until, .. } => format!("{days} {from}-{until}"),
        }
    }
}

fn meet(from: LocalTime, until: LocalTime, other_from: LocalTime, other_until: LocalTime) -> bool {
    from < other_until && other_from < until
}

fn span_of(from: LocalTime, until: LocalTime, location: Option<&str>) -> Result<(), String> {
    if until <= from {
        return Err("end before they begin; hours after midnight belong to the next day".to_owned());
    }
    if !from.minutes().is_multiple_of(cell::MINUTES) || !until.minutes().is_multiple_of(cell::MINUTES) {
        return Err("are not on a step of 5 minutes, such as 09:05".to_owned());
    }
    let named = location.is_none_or(|id| {
        (1..=LOCATION_MAX).contains(&id.chars().count()) && !id.chars().any(char::is_control)
    });
    if named { Ok(()) } else { Err(format!("have a location that is not 1 to {LOCATION_MAX} characters")) }
}

fn shown(hours: &Hours) -> String {
    format!("{} {}-{}", hours.weekday, hours.from, hours.until)
}

fn at_most(code: &'static str, what: &str, count: usize, limit: usize) -> Result<(), Refusal> {
    if count <= limit {
        return Ok(());
    }
    Err(refused(code, &format!("there are {count} {what}, and at most {limit} are kept; delete some")))
}

fn refused(code: &'static str, why: &str) -> Refusal {
    Refusal::invalid(code, format!("Nothing was changed: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> LocalTime {
        LocalTime::parse(text).unwrap()
    }

    fn hours(weekday: Weekday, from: &str, until: &str) -> Hours {
        Hours { weekday, from: time(from), until: time(until), location: None }
    }

    fn exception(from: &str, until: &str, kind: ExceptionKind) -> Exception {
        let day = |text| LocalDate::parse(text).unwrap();
        Exception { from: day(from), until: day(until), kind, reason: Reason::of("holiday") }
    }

    fn open(from: &str, until: &str) -> ExceptionKind {
        ExceptionKind::Open { from: time(from), until: time(until), location: None }
    }

    fn checked(weekly: Vec<Hours>, exceptions: Vec<Exception>) -> Result<(), (&'static str, String)> {
        let rules = Rules { zone: Zone::parse("America/New_York").unwrap(), weekly, exceptions };
        rules.check().map_err(|refusal| (refusal.code, refusal.detail))
    }

    #[test]
    fn two_spans_of_one_day_may_touch_and_not_overlap() {
        let morning = hours(Weekday::Monday, "09:00", "12:00");
        let late = hours(Weekday::Monday, "22:00", "24:00");
        assert_eq!(
            checked(vec![morning.clone(), hours(Weekday::Monday, "12:00", "17:00"), late], vec![]),
            Ok(())
        );
        assert_eq!(checked(vec![morning.clone(), hours(Weekday::Tuesday, "09:00", "12:00")], vec![]), Ok(()));
        let (code, detail) =
            checked(vec![morning, hours(Weekday::Monday, "11:55", "17:00")], vec![]).unwrap_err();
        assert_eq!(code, "hours_overlap");
        assert_eq!(
            detail,
            "Nothing was changed: the hours of Monday 09:00-12:00 and of Monday 11:55-17:00 overlap; make them one."
        );
    }

    #[test]
    fn hours_that_cannot_be_kept_are_refused() {
        for (from, until, why) in [
            ("09:00", "09:00", "end before they begin"),
            ("22:00", "02:00", "belong to the next day"),
            ("09:01", "10:00", "step of 5 minutes"),
            ("09:00", "09:59", "step of 5 minutes"),
        ] {
            let (code, detail) = checked(vec![hours(Weekday::Friday, from, until)], vec![]).unwrap_err();
            assert!(code == "hours_invalid" && detail.contains(why), "{detail}");
        }
        let nowhere = Hours { location: Some(String::new()), ..hours(Weekday::Friday, "09:00", "10:00") };
        assert!(checked(vec![nowhere], vec![]).unwrap_err().1.contains("location"));
        let many = vec![hours(Weekday::Friday, "09:00", "10:00"); 101];
        assert!(checked(many, vec![]).unwrap_err().1.contains("101 weekly hours, and at most 100"));
    }

    #[test]
    fn only_days_off_may_overlap() {
        let week = exception("2026-12-24", "2026-12-31", ExceptionKind::Off);
        let day = exception("2026-12-25", "2026-12-25", ExceptionKind::Off);
        assert_eq!(checked(vec![], vec![week.clone(), day]), Ok(()));
        let (code, detail) =
            checked(vec![], vec![week, exception("2026-12-31", "2027-01-02", open("09:00", "12:00"))])
                .unwrap_err();
        assert_eq!(code, "exceptions_overlap");
        assert!(
            detail
                .contains("of 2026-12-24 to 2026-12-31 and of 2026-12-31 to 2027-01-02 09:00-12:00 overlap"),
            "{detail}"
        );
    }

    #[test]
    fn a_day_may_have_two_other_spans_that_do_not_overlap() {
        let at = |from, until| exception("2026-12-24", "2026-12-24", open(from, until));
        assert_eq!(checked(vec![], vec![at("08:00", "10:00"), at("10:00", "12:00")]), Ok(()));
        let clash = checked(vec![], vec![at("08:00", "10:00"), at("09:00", "12:00")]);
        assert_eq!(clash.unwrap_err().0, "exceptions_overlap");
    }

    #[test]
    fn exceptions_that_cannot_be_kept_are_refused() {
        let reasonless: Exception = serde_json::from_str(
            r#"{"from":"2026-12-24","until":"2026-12-24","kind":"off","reason":"Mr Smith is ill"}"#,
        )
        .unwrap();
        for (exception, why) in [
            (exception("2026-12-24", "2026-12-23", ExceptionKind::Off), "ends before it begins"),
            (exception("2026-01-01", "2027-01-02", ExceptionKind::Off), "longer than 366 days"),
            (exception("2026-01-01", "2026-01-01", open("12:00", "12:00")), "end before they begin"),
            (reasonless, "has no reason"),
        ] {
            let (code, detail) = checked(vec![], vec![exception]).unwrap_err();
            assert!(code == "exception_invalid" && detail.contains(why), "{detail}");
        }
        assert_eq!(checked(vec![], vec![exception("2026-01-01", "2027-01-01", ExceptionKind::Off)]), Ok(()));
        let many = vec![exception("2026-01-01", "2026-01-01", ExceptionKind::Off); 401];
        assert_eq!(checked(vec![], many).unwrap_err().0, "exception_invalid");
    }

    #[test]
    fn rules_are_json_that_a_person_can_read() {
        let rules = Rules {
            zone: Zone::parse("Asia/Kathmandu").unwrap(),
            weekly: vec![Hours {
                location: Some("loc_1".to_owned()),
                ..hours(Weekday::Sunday, "09:30", "24:00")
            }],
            exceptions: vec![
                exception("2026-12-24", "2026-12-26", ExceptionKind::Off),
                exception("2026-12-27", "2026-12-27", open("09:00", "12:00")),
            ],
        };
        let json = serde_json::json!({
            "zone": "Asia/Kathmandu",
            "weekly": [{ "weekday": "sunday", "from": "09:30", "until": "24:00", "location": "loc_1" }],
            "exceptions": [
                { "from": "2026-12-24", "until": "2026-12-26", "kind": "off", "reason": "holiday" },
                {
                    "from": "2026-12-27",
                    "until": "2026-12-27",
                    "kind": { "open": { "from": "09:00", "until": "12:00" } },
                    "reason": "holiday"
                },
            ],
        });
        assert_eq!(serde_json::to_value(&rules).unwrap(), json);
        assert_eq!(serde_json::from_value::<Rules>(json).unwrap(), rules);
    }
}
