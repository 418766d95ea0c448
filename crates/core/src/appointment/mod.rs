//! The appointment: a slot selected, held while it is paid, confirmed, at risk, visited, missed or cancelled (FLOWS 1, 2, 3).
//!
//! The slot itself is a row that the store guards; the money is in payments of the appointment's own debts, and, once it is
//! confirmed, on its service. Invariant I4: under a timing that needs a deposit it is confirmed only by a payment that
//! proves the deposit.

mod command;
mod event;
mod state;

pub use command::{Command, Selection, decide};
pub use event::{Confirmation, Context, Event, Party};
pub use state::{Appointment, Paid, Role, Status};

#[cfg(test)]
mod tests;
