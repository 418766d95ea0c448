//! FHIR R4 resources of the records, built when they are asked for.
//!
//! Called by `fhir` and `search`. Source: FHIR_R4_FIELDS.md (required elements), EPIC.md §5: references are
//! relative, `meta.lastUpdated` is absent, an Account has no balance.

use serde_json::{Value, json};

use super::records::{CLINIC, Held, PAYER, Records, patient};

/// System of the medical record numbers.
pub(super) const MRN_SYSTEM: &str = "urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.14";
/// System of the national provider identifiers.
pub(super) const NPI_SYSTEM: &str = "http://hl7.org/fhir/sid/us-npi";

/// Builds one resource.
pub(super) fn build(records: &Records, held: Held, at: usize) -> Value {
    match held {
        Held::Patient => person(at),
        Held::Account => account(records, at),
        Held::Claim => claim(records, at),
        Held::Coverage => coverage(records, at),
        Held::Encounter => encounter(records, at),
        Held::ExplanationOfBenefit => explanation_of_benefit(records, at),
        Held::Practitioner => practitioner(records, at),
        Held::Organization => organization(records, at),
    }
}

/// Ten digits that look like a national provider identifier.
pub(super) fn npi(at: usize) -> String {
    format!("199900{:04}", at + 1)
}

fn reference(kind: &str, id: &str) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}

fn subject(records: &Records, at: usize) -> Value {
    reference("Patient", records.id(Held::Patient, records.owner(at)))
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }], "text": code })
}

fn person(at: usize) -> Value {
    let who = patient(at);
    json!({
        "resourceType": "Patient",
        "id": who.id,
        "identifier": [{ "use": "usual", "type": { "text": "MRN" }, "system": MRN_SYSTEM, "value": who.mrn }],
        "active": true,
        "name": [{
            "use": "official",
            "text": format!("{} {}", who.given, who.family),
            "family": who.family,
            "given": [who.given],
        }],
        "gender": who.gender,
        "birthDate": who.birth_date,
        "generalPractitioner": [reference("Practitioner", &who.practitioner_id)],
        "managingOrganization": reference("Organization", CLINIC),
    })
}

fn account(records: &Records, at: usize) -> Value {
    let who = patient(at);
    let guarantor = records.find(Held::Patient, &who.guarantor).unwrap_or(at);
    json!({
        "resourceType": "Account",
        "id": who.account_id,
        "status": "active",
        "name": "Guarantor account",
        "subject": [subject(records, at)],
        "coverage": [{ "coverage": reference("Coverage", &who.coverage_id), "priority": 1 }],
        "owner": reference("Organization", CLINIC),
        "guarantor": [{ "party": subject(records, guarantor) }],
    })
}

fn claim(records: &Records, at: usize) -> Value {
    let who = patient(at);
    let status = if records.is_closed(at) { "cancelled" } else { "active" };
    json!({
        "resourceType": "Claim",
        "id": who.claim_id,
        "status": status,
        "type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "claim",
        "patient": subject(records, at),
        "created": "2026-04-02",
        "insurer": reference("Organization", PAYER),
        "provider": reference("Practitioner", &who.practitioner_id),
        "priority": concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "insurance": [{ "sequence": 1, "focal": true, "coverage": reference("Coverage", &who.coverage_id) }],
        "item": [{
            "sequence": 1,
            "productOrService": concept("http://www.ama-assn.org/go/cpt", "99213"),
            "encounter": [reference("Encounter", &who.encounter_id)],
        }],
    })
}

fn coverage(records: &Records, at: usize) -> Value {
    let who = patient(at);
    json!({
        "resourceType": "Coverage",
        "id": who.coverage_id,
        "status": "active",
        "subscriberId": format!("SUB{:06}", at + 1),
        "beneficiary": subject(records, at),
        "relationship": concept("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self"),
        "payor": [reference("Organization", PAYER)],
        "order": 1,
    })
}

fn encounter(records: &Records, at: usize) -> Value {
    let who = patient(at);
    json!({
        "resourceType": "Encounter",
        "id": who.encounter_id,
        "status": "finished",
        "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
        "subject": subject(records, at),
        "participant": [{ "individual": reference("Practitioner", &who.practitioner_id) }],
        "period": { "start": "2026-04-01T14:00:00Z", "end": "2026-04-01T14:30:00Z" },
        "account": [reference("Account", &who.account_id)],
        "serviceProvider": reference("Organization", CLINIC),
    })
}

fn explanation_of_benefit(records: &Records, at: usize) -> Value {
    let who = patient(at);
    json!({
        "resourceType": "ExplanationOfBenefit",
        "id": records.id(Held::ExplanationOfBenefit, at),
        "status": "active",
        "type": concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "claim",
        "patient": subject(records, at),
        "created": "2026-04-10",
        "insurer": reference("Organization", PAYER),
        "provider": reference("Practitioner", &who.practitioner_id),
        "claim": reference("Claim", &who.claim_id),
        "outcome": "complete",
        "insurance": [{ "focal": true, "coverage": reference("Coverage", &who.coverage_id) }],
    })
}

fn practitioner(records: &Records, at: usize) -> Value {
    json!({
        "resourceType": "Practitioner",
        "id": records.id(Held::Practitioner, at),
        "identifier": [{ "system": NPI_SYSTEM, "value": npi(at) }],
        "active": true,
        "name": [{ "use": "usual", "family": format!("Doctor{:02}-Sandbox", at + 1), "given": ["Sam"] }],
    })
}

fn organization(records: &Records, at: usize) -> Value {
    let id = records.id(Held::Organization, at);
    let name = if id == PAYER { "Sandbox Health Plan" } else { "Sandbox Clinic" };
    json!({ "resourceType": "Organization", "id": id, "active": true, "name": name })
}
