//! The calendar: when a provider can be seen. Opening hours in local time, busy cells in UTC, and the one rule that
//! says which starts can be booked.
//!
//! Called by the store (pages as blobs), the engine (the booking transaction) and the API (lists of open times). What
//! must stay true: [`openings`] offers a start if and only if [`admits`] would let it be booked.

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
