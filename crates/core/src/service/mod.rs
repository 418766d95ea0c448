//! The service: care given to a patient, from booking over notes, claim and adjudication to a settled balance.
//!
//! It is the place where money meets care: estimate charges, the payer's decisions and later payments come together in one
//! worksheet, and nothing is `completed` before the worksheet is zero and proven (FEATURES M139–M145, R7).

mod allocation;
mod command;
mod event;
mod money;
mod postings;
mod state;
mod worksheet;

pub use allocation::{Allocation, LinePayment, LineShare};
pub use command::{Command, decide};
pub use event::{Applied, CoverageStatus, Event, GivenBackFrom, Line, NoteKind};
pub use postings::postings;
pub use state::{Held, Kind, Note, Service, Status};
pub use worksheet::Worksheet;

#[cfg(test)]
mod allocation_tests;
#[cfg(test)]
mod tests;
