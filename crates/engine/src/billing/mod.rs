//! Use cases of patient billing, from the first insurance check to a settled balance.

mod asks;
mod balances;
mod collecting;
mod eligibilities;
mod estimates;
mod follow;
mod intakes;
mod invoice_corrections;
mod invoices;
mod notes;
mod origins;
mod patients;
mod payer_answer;
mod policies;
mod reading;
mod remittances;
mod services;
mod settling;

pub(crate) use asks::{charge_above, not_followed};
pub use balances::{CreditLine, Explained, Statement, StatementLine};
pub(crate) use collecting::charge_under_consent;
pub use eligibilities::NewEligibility;
pub(crate) use eligibilities::care as care_of_link;
pub(crate) use estimates::finish;
pub use estimates::{Authorize, NewEstimate};
pub(crate) use follow::{care_of_service, check_capture, decide_service, follow, see};
pub use intakes::NewIntake;
pub(crate) use notes::take_notes;
pub(crate) use origins::gateway_of;
pub use patients::{NewConsent, NewPatient, SetupStarted};
pub(crate) use patients::{decide_patient, method_on_file};
pub use reading::{Adjusted, Choose, ClaimLine, ClaimSheet, Network, Path};
pub use remittances::{Imported, Remittance, RemittanceClaim};
pub use services::{NewService, Note};
pub(crate) use services::{after_command, book, schedule, service_of_check};
pub(crate) use settling::{go_on, settle};
