//! Fifty synthetic patients, the same on every start, shared by the Epic world and by simulators.
//!
//! Nobody here exists: family names carry a `Sandbox` suffix and record numbers start with `SBX`.
//! What must stay true: ids are unique across the list and never change, tests elsewhere name them.

use std::sync::OnceLock;

/// How many patients there are.
pub const COUNT: usize = 50;

const FEMALE: [&str; 10] = ["Ada", "Bea", "Cora", "Dina", "Elsa", "Faye", "Greta", "Hope", "Ines", "June"];
const MALE: [&str; 10] = ["Abel", "Bram", "Carl", "Dirk", "Emil", "Finn", "Gus", "Hugo", "Ivan", "Jack"];
const FAMILY: [&str; 10] =
    ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ironwood", "Juniper"];

/// One synthetic patient with the ids of the records around the visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// FHIR id of the Patient.
    pub id: String,
    /// Medical record number, `SBX` and six digits.
    pub mrn: String,
    /// Given name.
    pub given: String,
    /// Family name, always with the suffix `Sandbox`.
    pub family: String,
    /// Birth date, `YYYY-MM-DD`.
    pub birth_date: String,
    /// FHIR administrative gender: `female` or `male`.
    pub gender: String,
    /// FHIR id of the guarantor Account.
    pub account_id: String,
    /// FHIR id of the Claim of the visit.
    pub claim_id: String,
    /// FHIR id of the Coverage.
    pub coverage_id: String,
    /// FHIR id of the Encounter.
    pub encounter_id: String,
    /// FHIR id of the Practitioner; ten practitioners serve all patients.
    pub practitioner_id: String,
    /// Who pays: the patient's own id for adults, the id of a parent in this list for children.
    pub guarantor: String,
}

/// All patients, made on first use.
#[must_use]
pub fn patients() -> &'static [Patient] {
    static PATIENTS: OnceLock<Vec<Patient>> = OnceLock::new();
    PATIENTS.get_or_init(|| (0..COUNT).map(patient).collect())
}

/// Looks a patient up by FHIR id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Patient> {
    patients().iter().find(|patient| patient.id == id)
}

fn patient(index: usize) -> Patient {
    let female = index.is_multiple_of(2);
    let given = if female { FEMALE[(index / 2) % 10] } else { MALE[(index / 2) % 10] };
    let family = FAMILY[(index * 7 + index / 10) % 10];
    let child = index % 10 == 9;
    let year = if child { 2012 + index / 10 } else { 1940 + (index * 13) % 60 };
    let number = index + 1;
    let guarantor = if child { number - 1 } else { number };
    Patient {
        id: format!("eSbxPatient{number:03}"),
        mrn: format!("SBX{:06}", 100_000 + number * 37),
        given: given.to_owned(),
        family: format!("{family}-Sandbox"),
        birth_date: format!("{year}-{:02}-{:02}", 1 + (index * 5) % 12, 1 + (index * 11) % 28),
        gender: if female { "female" } else { "male" }.to_owned(),
        account_id: format!("eSbxAccount{number:03}"),
        claim_id: format!("eSbxClaim{number:03}"),
        coverage_id: format!("eSbxCoverage{number:03}"),
        encounter_id: format!("eSbxEncounter{number:03}"),
        practitioner_id: format!("eSbxPractitioner{:02}", 1 + index % 10),
        guarantor: format!("eSbxPatient{guarantor:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_patient_has_ids_of_its_own_and_is_obviously_synthetic() {
        let all = patients();
        assert_eq!(all.len(), COUNT);
        let ids: BTreeSet<&str> =
            all.iter().flat_map(|one| [one.id.as_str(), &one.mrn, &one.account_id]).collect();
        assert_eq!(ids.len(), COUNT * 3);
        assert!(all.iter().all(|one| one.family.ends_with("-Sandbox") && one.mrn.starts_with("SBX")));
    }

    #[test]
    fn a_guarantor_is_an_adult_of_the_list() {
        for one in patients() {
            let payer = by_id(&one.guarantor).expect("guarantor is in the list");
            assert!(payer.birth_date.as_str() < "2003", "{} pays for {}", payer.id, one.id);
        }
    }
}
