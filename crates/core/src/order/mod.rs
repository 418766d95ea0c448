//! A customer's order, from checkout to the invoice that the deposit pays (FLOWS §7).
//!
//! The order is the commerce side of the house: no care, and no personal data; the buyer is an opaque id. It collects what
//! other streams and systems prove: money by its payments, documents by their filings, shipments and invoices by the ERP.
//! Invariant: what is applied to invoices never exceeds what was collected, so `deposit:customer` is never overdrawn by it.

mod command;
mod event;
mod postings;
mod state;
#[cfg(test)]
mod tests;

pub use command::{Command, Placing, decide};
pub use event::Event;
pub use postings::postings;
pub use state::{Document, Invoice, Line, Order, Paid, Seen, Shipment, Status};
