//! What the pretend Epic says it can do: resource types, CapabilityStatement and smart-configuration.
//!
//! Read by `route` too, so that a promise and its route cannot differ. Source: EPIC.md §1, §2 and §4. The
//! sheet gives the count of 59 types and names those around billing; the other names are not confirmed.

use serde_json::{Value, json};

use super::search;

/// Which Epic answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Stock Epic: no payment resources in FHIR, payments go through the external-payment service.
    #[default]
    Real,
    /// The Epic of product pages: PaymentReconciliation and PaymentNotice can be created as well.
    Permissive,
}

/// A resource type and its interactions: c create, r read, s search, u update.
type Offer = (&'static str, &'static str);

static OFFERS: [Offer; 59] = [
    ("Account", "rs"),
    ("AdverseEvent", "rs"),
    ("AllergyIntolerance", "crs"),
    ("Appointment", "rs"),
    ("Binary", "r"),
    ("BodyStructure", "crsu"),
    ("CarePlan", "rs"),
    ("CareTeam", "rs"),
    ("Claim", "rs"),
    ("Communication", "crs"),
    ("ConceptMap", "crs"),
    ("Condition", "crs"),
    ("Consent", "rs"),
    ("Contract", "rs"),
    ("Coverage", "rs"),
    ("Device", "rs"),
    ("DeviceRequest", "rs"),
    ("DeviceUseStatement", "rs"),
    ("DiagnosticReport", "rsu"),
    ("DocumentReference", "crsu"),
    ("Encounter", "rs"),
    ("Endpoint", "rs"),
    ("EpisodeOfCare", "rs"),
    ("ExplanationOfBenefit", "rs"),
    ("FamilyMemberHistory", "rs"),
    ("Flag", "rs"),
    ("Goal", "rs"),
    ("Group", "rs"),
    ("ImagingStudy", "rs"),
    ("Immunization", "rs"),
    ("ImmunizationRecommendation", "rs"),
    ("List", "rs"),
    ("Location", "rs"),
    ("Measure", "rs"),
    ("MeasureReport", "rs"),
    ("Media", "rs"),
    ("Medication", "rs"),
    ("MedicationAdministration", "rs"),
    ("MedicationDispense", "rs"),
    ("MedicationRequest", "rs"),
    ("NutritionOrder", "rs"),
    ("Observation", "crsu"),
    ("Organization", "rs"),
    ("Patient", "crs"),
    ("Practitioner", "rs"),
    ("PractitionerRole", "rs"),
    ("Procedure", "crsu"),
    ("Provenance", "rs"),
    ("Questionnaire", "rs"),
    ("QuestionnaireResponse", "crs"),
    ("RelatedPerson", "rs"),
    ("RequestGroup", "rs"),
    ("ResearchStudy", "rs"),
    ("ResearchSubject", "rs"),
    ("ServiceRequest", "crsu"),
    ("Specimen", "rs"),
    ("Substance", "rs"),
    ("Task", "rsu"),
    ("ValueSet", "rs"),
];

static IMAGINED: [Offer; 2] = [("PaymentNotice", "crs"), ("PaymentReconciliation", "crs")];

/// Every type that this mode serves.
pub(super) fn offers(mode: Mode) -> impl Iterator<Item = &'static Offer> {
    let imagined: &'static [Offer] = match mode {
        Mode::Real => &[],
        Mode::Permissive => &IMAGINED,
    };
    OFFERS.iter().chain(imagined)
}

/// The type with this name, when the mode serves it.
pub(super) fn offer(mode: Mode, name: &str) -> Option<&'static Offer> {
    offers(mode).find(|(kind, _)| *kind == name)
}

/// The scopes of a registration that names none: the billing set of EPIC.md §3, and the imagined types.
pub(super) fn default_scopes(mode: Mode) -> String {
    let readable = [
        "Patient",
        "Account",
        "Coverage",
        "Claim",
        "ExplanationOfBenefit",
        "Encounter",
        "Appointment",
        "Practitioner",
        "Organization",
        "Location",
        "RelatedPerson",
    ];
    let mut scopes: Vec<String> = readable.iter().map(|kind| format!("system/{kind}.rs")).collect();
    scopes.push("system/DocumentReference.crs system/Communication.crs".into());
    if mode == Mode::Permissive {
        scopes.push("system/PaymentNotice.crs system/PaymentReconciliation.crs".into());
    }
    scopes.join(" ")
}

/// The CapabilityStatement, short: interactions and search parameters only.
pub(super) fn statement(mode: Mode, base: &str) -> Value {
    let resources: Vec<Value> = offers(mode).map(|offer| resource(*offer)).collect();
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-05-01",
        "kind": "instance",
        "software": { "name": "Epic", "version": "May 2026", "releaseDate": "2026-05-01" },
        "implementation": {
            "description": "Sandbox Epic FHIR R4",
            "url": format!("{base}/interconnect/api/FHIR/R4"),
        },
        "fhirVersion": "4.0.1",
        "format": ["xml", "json"],
        "rest": [{
            "mode": "server",
            "security": {
                "cors": true,
                "service": [{ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "SMART-on-FHIR",
                }]}],
                "extension": [{
                    "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                    "extension": [
                        { "url": "token", "valueUri": format!("{base}/interconnect/oauth2/token") },
                        { "url": "authorize", "valueUri": format!("{base}/interconnect/oauth2/authorize") },
                    ],
                }],
            },
            "resource": resources,
        }],
    })
}

fn resource((kind, letters): Offer) -> Value {
    let names = [('c', "create"), ('r', "read"), ('s', "search-type"), ('u', "update")];
    let interaction: Vec<Value> = names
        .iter()
        .filter(|(letter, _)| letters.contains(*letter))
        .map(|(_, name)| json!({ "code": name }))
        .collect();
    let parameters: Vec<Value> = search::parameters(kind)
        .iter()
        .map(|name| json!({ "name": name, "type": parameter_type(name) }))
        .collect();
    let mut resource = json!({
        "type": kind,
        "interaction": interaction,
        "readHistory": false,
        "updateCreate": false,
        "conditionalCreate": false,
        "conditionalRead": "not-supported",
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
        "searchInclude": ["*"],
        "searchRevInclude": ["Provenance:target"],
        "searchParam": parameters,
    });
    if kind == "Patient" {
        resource["operation"] = json!([{ "name": "match" }, { "name": "summary" }]);
    }
    resource
}

fn parameter_type(name: &str) -> &'static str {
    match name {
        "patient" | "beneficiary" | "account" | "claim" | "coverage" | "encounter" => "reference",
        "birthdate" => "date",
        "family" | "given" | "name" => "string",
        _ => "token",
    }
}

/// The discovery document. No introspection, revocation or registration, as at Epic (EPIC.md §2).
pub(super) fn smart_configuration(base: &str) -> Value {
    json!({
        "issuer": format!("{base}/interconnect/oauth2"),
        "authorization_endpoint": format!("{base}/interconnect/oauth2/authorize"),
        "token_endpoint": format!("{base}/interconnect/oauth2/token"),
        "jwks_uri": format!("{base}/interconnect/api/epic/2019/Security/Open/PublicKeys/530005/OIDC"),
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "scopes_supported": ["system/*.read", "system/*.rs"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    })
}
