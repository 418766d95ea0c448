//! A gateway's payout to the clinic's bank: heard of, its lines matched with the books, on its way, seen at the bank, closed
//! (FLOWS §8). [`crate::payout`] is another thing: what a provider earns.
//!
//! The engine brings what the gateway and the bank say; this machine decides what it means for the books. What must stay
//! true: what leaves `gw:…` is the payout's amount; every line is matched, booked by itself, or an exception that stands in
//! `susp:unknown`; nothing is closed while an exception is open or money is in transit.

mod command;
mod event;
mod lines;
mod postings;
mod state;

pub use command::{Bank, Command, Heard, Matching, decide};
pub use event::{Booking, Event, Resolution};
pub use lines::{Class, Eliminated, Fact, Judged, Line, Verdict, eliminate, judge};
pub use postings::postings;
pub use state::{Open, Settlement, Standing, Status};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
