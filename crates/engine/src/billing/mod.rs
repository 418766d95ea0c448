//! Use cases of patient billing, from the first insurance check to a settled balance.

mod asks;
mod balances;
mod collecting;
mod eligibilities;
mod estimates;
mod follow;
mod invoice_corrections;
mod invoices;
mod notes;
mod patients;
mod payer_answer;
mod policies;
mod reading;
mod remittances;
mod services;
mod settling;

pub use balances::{CreditLine, Explained, Statement, StatementLine};
pub use eligibilities::NewEligibility;
pub use estimates::{Authorize, NewEstimate};
pub(crate) use follow::{check_capture, follow};
pub(crate) use notes::take_notes;
pub use patients::{NewConsent, NewPatient, SetupStarted};
pub use reading::{Adjusted, Choose, ClaimLine, ClaimSheet, Network, Path};
pub use remittances::{Imported, Remittance, RemittanceClaim};
pub use services::{NewService, Note};
