//! The requests: one resource by id, or a search.
//!
//! Invariant: of personal data only Epic's own opaque ids stand in a URL; names, birth dates and record numbers travel
//! in the body of a `_search`.

use suture_core::redact::{Phi, Secret};

use super::resources::{NPI, Resource};
use crate::ehr::epic::call;
use crate::ehr::epic::settings::Epic;
use crate::http::HttpRequest;
use crate::url;

/// Builds the read of one resource by its FHIR id.
#[must_use]
pub fn by_id<T: Resource>(epic: &Epic, token: &Secret<String>, id: &str) -> HttpRequest {
    call::fhir_get(epic, token, &format!("{}/{}", T::TYPE, url::encode(id)))
}

/// A search that Epic offers for billing. Accounts and claims can be searched by id only: their ids come from
/// encounters, coverages and explanations of benefit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Patients with an identifier, for example a medical record number under the site's system.
    PatientByIdentifier {
        /// The identifier system, for example `urn:oid:1.2.840.114350.…`.
        system: String,
        /// The identifier.
        value: Phi<String>,
    },
    /// Patients of a name and birth date.
    PatientByName {
        /// Family name.
        family: Phi<String>,
        /// Given name.
        given: Phi<String>,
        /// Birth date, `1980-01-31`.
        birth_date: Phi<String>,
    },
    /// Accounts of these ids.
    AccountsById(Vec<String>),
    /// Claims of these ids.
    ClaimsById(Vec<String>),
    /// Coverages of a patient.
    CoveragesOfPatient(String),
    /// Encounters of a patient, from a day on.
    EncountersOfPatient {
        /// The patient's FHIR id.
        patient: String,
        /// First day, `2026-11-01`.
        since: Option<String>,
    },
    /// Encounters of an account.
    EncountersOfAccount(String),
    /// Explanations of benefit of a patient, from a day of creation on.
    ExplanationsOfPatient {
        /// The patient's FHIR id.
        patient: String,
        /// First day of creation.
        since: Option<String>,
    },
    /// Explanations of benefit of a claim.
    ExplanationsOfClaim(String),
    /// Practitioners with a national provider identifier.
    PractitionerByNpi(String),
}

impl Search {
    /// Builds the request of the first page.
    #[must_use]
    pub fn request(&self, epic: &Epic, token: &Secret<String>) -> HttpRequest {
        let get = |resource: &str, pairs: &[(&str, &str)]| {
            call::fhir_get(epic, token, &format!("{resource}?{}", url::form(pairs)))
        };
        match self {
            Self::PatientByIdentifier { system, value } => {
                let identifier = Secret::new(format!("{system}|{}", value.expose()));
                let pairs = [("identifier", identifier.expose().as_str())];
                call::fhir_search_in_body(epic, token, "Patient", &pairs)
            }
            Self::PatientByName { family, given, birth_date } => {
                let pairs = [
                    ("family", family.expose().as_str()),
                    ("given", given.expose().as_str()),
                    ("birthdate", birth_date.expose().as_str()),
                ];
                call::fhir_search_in_body(epic, token, "Patient", &pairs)
            }
            Self::AccountsById(ids) => get("Account", &[("_id", &ids.join(","))]),
            Self::ClaimsById(ids) => get("Claim", &[("_id", &ids.join(","))]),
            Self::CoveragesOfPatient(patient) => get("Coverage", &[("patient", patient)]),
            Self::EncountersOfPatient { patient, since } => get(
                "Encounter",
                &with_day(&[("patient", patient)], "date", at_least(since.as_ref()).as_ref()),
            ),
            Self::EncountersOfAccount(account) => get("Encounter", &[("account", account)]),
            Self::ExplanationsOfPatient { patient, since } => {
                let day = at_least(since.as_ref());
                get("ExplanationOfBenefit", &with_day(&[("patient", patient)], "created", day.as_ref()))
            }
            Self::ExplanationsOfClaim(claim) => get("ExplanationOfBenefit", &[("claim", claim)]),
            Self::PractitionerByNpi(npi) => get("Practitioner", &[("identifier", &format!("{NPI}|{npi}"))]),
        }
    }
}

/// FHIR's prefix for "on this day or later" (R4 search §3.1.1.5.7).
fn at_least(day: Option<&String>) -> Option<String> {
    day.map(|day| format!("ge{day}"))
}

fn with_day<'a>(
    pairs: &[(&'a str, &'a str)],
    name: &'a str,
    day: Option<&'a String>,
) -> Vec<(&'a str, &'a str)> {
    let mut pairs = pairs.to_vec();
    pairs.extend(day.map(|day| (name, day.as_str())));
    pairs
}
