//! The people of a world: the sandbox's synthetic patients, and links for their visits.

use suture_core::money::Money;
use suture_core::payment::Purpose;
use suture_engine::links::NewLink;
use suture_sandbox::patients::{Patient, patients};

/// The patient of an index; indexes wrap around.
#[must_use]
pub fn person(index: usize) -> &'static Patient {
    let all = patients();
    &all[index % all.len()]
}

/// A visit that money is asked for.
#[derive(Debug, Clone)]
pub struct NewVisit {
    /// Whose.
    pub patient: usize,
    /// What is due.
    pub due: Option<Money>,
    /// A balance or a deposit.
    pub purpose: Purpose,
    /// Procedure codes.
    pub codes: Vec<String>,
}

impl NewVisit {
    /// A visit of a patient with an amount due in USD, minor units.
    #[must_use]
    pub fn due(patient: usize, minor: i64) -> Self {
        Self {
            patient,
            due: Some(Money::usd(minor)),
            purpose: Purpose::Balance,
            codes: vec!["99214".to_owned()],
        }
    }

    /// The link to make for it.
    #[must_use]
    pub fn link(&self) -> NewLink {
        let patient = person(self.patient);
        NewLink {
            patient: patient.id.clone(),
            account: Some(patient.account_id.clone()),
            claim: Some(patient.claim_id.clone()),
            encounter: Some(patient.encounter_id.clone()),
            practitioner: Some(patient.practitioner_id.clone()),
            appointment: None,
            coverage: Some(patient.coverage_id.clone()),
            purpose: self.purpose,
            due: self.due,
            service_codes: self.codes.clone(),
        }
    }
}
