//! The calendar: when a provider can be seen. Opening hours in local time, busy cells in UTC, and the one rule that
//! says which starts can be booked.
//!
//! Called by the store (pages as blobs), the engine (the booking transaction) and the API (lists of open times). What
//! must stay true: [`openings`] offers a start if and only if [`admits`] would let it be booked.
//!
//! ```
//! use std::time::Duration;
//! use suture_core::calendar::{Expanded, Hours, LocalTime, Month, Need, Pages, Rules, Weekday, Zone, admits, openings};
//! use suture_core::time::Timestamp;
//!
//! let (from, until) = (LocalTime::parse("09:00")?, LocalTime::parse("10:00")?);
//! let mondays = Hours { weekday: Weekday::Monday, from, until, location: None };
//! let rules = Rules { zone: Zone::parse("America/New_York")?, weekly: vec![mondays], exceptions: vec![] };
//! let need = Need {
//!     duration_minutes: 30,
//!     before_minutes: 0,
//!     after_minutes: 10,
//!     interval_minutes: 15,
//!     minimum_notice: Duration::from_secs(3600),
//!     horizon: Duration::from_secs(60 * 86_400),
//! };
//! rules.check().and_then(|()| need.check())?;
//!
//! let now = Timestamp::parse_rfc3339("2026-06-01T12:00:00Z")?;
//! let week = now..now + Duration::from_secs(7 * 86_400);
//! let expanded = Expanded::of(&rules, Month::of(week.start), Month::of(week.end));
//! let mut pages = Pages::new();
//! let starts = openings(&expanded, &pages, &need, now, week.clone(), 100);
//! assert_eq!(starts.len(), 3, "09:00, 09:15 and 09:30 in New York");
//!
//! admits(&rules, &pages, &need, now, starts[1])?;
//! pages.occupy(starts[1] - need.before(), starts[1] + need.duration() + need.after())?;
//! assert_eq!(openings(&expanded, &pages, &need, now, week, 100), []);
//! assert_eq!(admits(&rules, &pages, &need, now, starts[1]).unwrap_err().code, "slot_taken");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cell;
mod conflicts;
mod expanded;
mod local;
mod month;
mod need;
mod openings;
mod page;
mod pages;
mod rules;
mod zone;

pub use conflicts::conflicts;
pub use expanded::{Expanded, Opening};
pub use local::{Local, LocalDate, LocalTime, NotADate, NotATime, Weekday};
pub use month::Month;
pub use need::Need;
pub use openings::{admits, first_opening, openings};
pub use page::{CorruptPage, Page};
pub use pages::Pages;
pub use rules::{Exception, ExceptionKind, Hours, Rules};
pub use zone::{NotAZone, Resolved, Zone};

#[cfg(test)]
mod tests;
