//! The practice: its clinics, providers and types of visit. Each is one stream of whole definitions, so that the journal
//! shows who changed what, and when.

mod clinic;
mod define;
mod provider;
mod visit_type;

pub use clinic::{Clinic, Event as ClinicEvent};
pub use provider::{Event as ProviderEvent, Provider};
pub use visit_type::{Event as VisitTypeEvent, VisitType};
