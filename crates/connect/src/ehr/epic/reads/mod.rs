//! The billing reads that Epic allows: by id, and by the searches it offers (EPIC.md §4).

mod answer;
mod request;
mod resources;

pub use answer::{Found, Page, read_found, read_page};
pub use request::{Search, by_id};
pub use resources::{
    Account, Claim, Coverage, Encounter, ExplanationOfBenefit, ExternalIdentifier, NPI, Patient,
    Practitioner, Resource,
};
