//! The clinical and billing records around the fifty patients: who owns what, merges, break-the-glass.
//!
//! Called by the FHIR handlers, the payment service and `control`. What must stay true: merges form no cycle,
//! and a record of a merged patient belongs to the surviving one.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Refusal;
use crate::patients::{Patient, patients};

/// The resource types that the world holds by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Held {
    Patient,
    Account,
    Claim,
    Coverage,
    Encounter,
    ExplanationOfBenefit,
    Practitioner,
    Organization,
}

impl Held {
    pub(super) const ALL: [Self; 8] = [
        Self::Patient,
        Self::Account,
        Self::Claim,
        Self::Coverage,
        Self::Encounter,
        Self::ExplanationOfBenefit,
        Self::Practitioner,
        Self::Organization,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Account => "Account",
            Self::Claim => "Claim",
            Self::Coverage => "Coverage",
            Self::Encounter => "Encounter",
            Self::ExplanationOfBenefit => "ExplanationOfBenefit",
            Self::Practitioner => "Practitioner",
            Self::Organization => "Organization",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|held| held.name() == name)
    }

    /// True when every record of the type is about one patient.
    pub(super) fn is_about_a_patient(self) -> bool {
        !matches!(self, Self::Practitioner | Self::Organization)
    }
}

/// The clinic, as an Organization.
pub(super) const CLINIC: &str = "eSbxOrganization01";
/// The insurer, as an Organization.
pub(super) const PAYER: &str = "eSbxOrganization02";

/// All records, found by id.
pub(super) struct Records {
    found: BTreeMap<String, (Held, usize)>,
    ids: BTreeMap<Held, Vec<String>>,
    merged: BTreeMap<usize, usize>,
    glass: BTreeMap<usize, u32>,
    closed_claims: BTreeSet<usize>,
}

impl Records {
    pub(super) fn new() -> Self {
        let mut ids: BTreeMap<Held, Vec<String>> = BTreeMap::new();
        for held in Held::ALL {
            ids.insert(held, own_ids(held));
        }
        let found = ids
            .iter()
            .flat_map(|(held, list)| list.iter().enumerate().map(|(at, id)| (id.clone(), (*held, at))))
            .collect();
        Self { found, ids, merged: BTreeMap::new(), glass: BTreeMap::new(), closed_claims: BTreeSet::new() }
    }

    /// Position of a record of this type.
    pub(super) fn find(&self, held: Held, id: &str) -> Option<usize> {
        self.found.get(id).filter(|(known, _)| *known == held).map(|(_, at)| *at)
    }

    pub(super) fn id(&self, held: Held, at: usize) -> &str {
        self.ids.get(&held).and_then(|list| list.get(at)).map_or("", String::as_str)
    }

    pub(super) fn count(&self, held: Held) -> usize {
        self.ids.get(&held).map_or(0, Vec::len)
    }

    /// The patient whom a record with this position belongs to now.
    pub(super) fn owner(&self, at: usize) -> usize {
        let mut owner = at;
        while let Some(into) = self.merged.get(&owner) {
            owner = *into;
        }
        owner
    }

    pub(super) fn is_merged(&self, patient: usize) -> bool {
        self.merged.contains_key(&patient)
    }

    pub(super) fn merge(&mut self, from: usize, into: usize) -> Result<(), String> {
        if self.owner(into) == from || self.is_merged(from) {
            return Err("the patients are merged already, or are the same; nothing was changed".into());
        }
        self.merged.insert(from, into);
        Ok(())
    }

    pub(super) fn break_the_glass(&mut self, patient: usize, code: Option<u32>) {
        match code {
            Some(code) => self.glass.insert(patient, code),
            None => self.glass.remove(&patient),
        };
    }

    pub(super) fn close_claim(&mut self, claim: usize, closed: bool) {
        if closed {
            self.closed_claims.insert(claim);
        } else {
            self.closed_claims.remove(&claim);
        }
    }

    pub(super) fn is_closed(&self, claim: usize) -> bool {
        self.closed_claims.contains(&claim)
    }

    /// Refuses with 4107 for a merged patient and with 4130 or 4131 behind break-the-glass.
    pub(super) fn check_patient(&self, patient: usize) -> Result<(), Refusal> {
        if self.is_merged(patient) {
            let survivor = format!("Patient/{}", self.id(Held::Patient, self.owner(patient)));
            let text = format!("The patient was merged into {survivor}.");
            return Err(Refusal::new(4107, text).with_header("location", survivor));
        }
        self.check_glass(patient)
    }

    /// Refuses records of a patient behind break-the-glass.
    pub(super) fn check_glass(&self, patient: usize) -> Result<(), Refusal> {
        match self.glass.get(&self.owner(patient)) {
            Some(code) => Err(Refusal::new(*code, "Access to this patient needs a person.")),
            None => Ok(()),
        }
    }
}

/// The patient at a position.
pub(super) fn patient(at: usize) -> &'static Patient {
    let all = patients();
    &all[at % all.len()]
}

fn own_ids(held: Held) -> Vec<String> {
    let of_each =
        |id: fn(&Patient) -> &String| patients().iter().map(|patient| id(patient).clone()).collect();
    match held {
        Held::Patient => of_each(|patient| &patient.id),
        Held::Account => of_each(|patient| &patient.account_id),
        Held::Claim => of_each(|patient| &patient.claim_id),
        Held::Coverage => of_each(|patient| &patient.coverage_id),
        Held::Encounter => of_each(|patient| &patient.encounter_id),
        Held::ExplanationOfBenefit => {
            patients().iter().map(|patient| format!("{}-eob", patient.claim_id)).collect()
        }
        Held::Practitioner => {
            let distinct: BTreeSet<&str> =
                patients().iter().map(|patient| patient.practitioner_id.as_str()).collect();
            distinct.into_iter().map(str::to_owned).collect()
        }
        Held::Organization => vec![CLINIC.to_owned(), PAYER.to_owned()],
    }
}
