//! The FHIR route: `PaymentReconciliation` holds the money, `PaymentNotice` tells the organization.
//!
//! R4 has no refund: a reversal is a `PaymentReconciliation` of its own with a detail of type `adjustment` and negative
//! amounts, whose predecessor is the reversed posting (EPIC.md §8). Same document ⇒ same bytes.

use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use suture_core::money::Money;
use suture_core::redact::Secret;

use super::document::{PaymentPosting, PostingKind};
use super::look_up::{LookUp, not_one_living_record, other_amount};
use crate::ehr::epic::call;
use crate::ehr::epic::outcome_codes::{self, Asked};
use crate::ehr::epic::paging;
use crate::ehr::epic::settings::Epic;
use crate::ehr::epic::wire::{FhirMoney, Identifier, id_in_reference, is_id};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;
use crate::url;

pub(super) const RECONCILIATION: &str = "PaymentReconciliation";
pub(super) const NOTICE: &str = "PaymentNotice";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reconciliation<'a> {
    resource_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension: Vec<Extension<'a>>,
    identifier: [Identifier; 1],
    status: &'static str,
    created: String,
    outcome: &'static str,
    payment_date: String,
    payment_amount: FhirMoney,
    payment_identifier: Identifier,
    detail: [Detail; 1],
}

#[derive(Serialize)]
struct Detail {
    identifier: Identifier,
    #[serde(skip_serializing_if = "Option::is_none")]
    predecessor: Option<Identifier>,
    #[serde(rename = "type")]
    kind: Concept,
    request: Reference,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitter: Option<Reference>,
    date: String,
    amount: FhirMoney,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Notice {
    resource_type: &'static str,
    identifier: [Identifier; 1],
    status: &'static str,
    request: Reference,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Reference>,
    payment: Reference,
    payment_date: String,
    recipient: Reference,
    amount: FhirMoney,
    payment_status: Concept,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extension<'a> {
    url: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_reference: Option<Reference>,
}

#[derive(Serialize)]
struct Concept {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coding: Vec<Coding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Serialize)]
struct Coding {
    system: &'static str,
    code: String,
}

#[derive(Serialize)]
struct Reference {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<Identifier>,
}

impl Reference {
    fn to(resource: &str, id: &str) -> Self {
        Self::literal(format!("{resource}/{id}"))
    }

    fn literal(reference: String) -> Self {
        Self { reference: Some(reference), kind: None, identifier: None }
    }

    /// A reference by what we know of the record while its id is not known.
    fn logical(kind: &'static str, identifier: Identifier) -> Self {
        Self { reference: None, kind: Some(kind), identifier: Some(identifier) }
    }
}

/// Builds the search for a record with our reference. The reference is ours and says nothing about the patient.
pub(super) fn search(
    epic: &Epic,
    token: &Secret<String>,
    resource: &str,
    document: &PaymentPosting,
) -> HttpRequest {
    let identifier = format!("{}|{}", epic.identifier_system, document.reference);
    call::fhir_get(epic, token, &format!("{resource}?{}", url::form(&[("identifier", &identifier)])))
}

/// Builds the creation of the payment.
pub(super) fn create_reconciliation(
    epic: &Epic,
    token: &Secret<String>,
    document: &PaymentPosting,
) -> HttpRequest {
    let identifier = || Identifier::new(&epic.identifier_system, &document.reference);
    let original = document.original_reference.as_deref();
    let day = epic.zone.date(document.paid_at).unwrap_or_default();
    let detail = Detail {
        identifier: identifier(),
        predecessor: original.map(|original| Identifier::new(&epic.identifier_system, original)),
        kind: payment_type(document.kind),
        request: paid_for(document),
        submitter: document.practitioner_id().map(|id| Reference::to("Practitioner", id)),
        date: day.clone(),
        amount: FhirMoney::write(signed_amount(document)),
    };
    let reconciliation = Reconciliation {
        resource_type: RECONCILIATION,
        extension: extensions(document),
        identifier: [identifier()],
        status: "active",
        created: epic.zone.date_time(document.paid_at).unwrap_or_default(),
        outcome: "complete",
        payment_date: day,
        payment_amount: FhirMoney::write(signed_amount(document)),
        payment_identifier: identifier(),
        detail: [detail],
    };
    call::fhir_create(epic, token, RECONCILIATION, to_bytes(&reconciliation))
}

/// Builds the creation of the notice for a payment whose id Epic told, or did not tell.
pub(super) fn create_notice(
    epic: &Epic,
    token: &Secret<String>,
    document: &PaymentPosting,
    reconciliation: Option<&str>,
) -> HttpRequest {
    let identifier = || Identifier::new(&epic.identifier_system, &document.reference);
    let payment = match reconciliation {
        Some(id) => Reference::to(RECONCILIATION, id),
        None => Reference::logical(RECONCILIATION, identifier()),
    };
    let notice = Notice {
        resource_type: NOTICE,
        identifier: [identifier()],
        status: "active",
        request: paid_for(document),
        created: epic.zone.date_time(document.paid_at).unwrap_or_default(),
        provider: document.practitioner_id().map(|id| Reference::to("Practitioner", id)),
        payment,
        payment_date: epic.zone.date(document.paid_at).unwrap_or_default(),
        recipient: Reference::literal(epic.organization.clone().unwrap_or_default()),
        amount: FhirMoney::write(signed_amount(document)),
        payment_status: payment_status(&document.status),
    };
    call::fhir_create(epic, token, NOTICE, to_bytes(&notice))
}

/// What the money is for: the most exact thing that is known.
fn paid_for(document: &PaymentPosting) -> Reference {
    let known = [
        ("Claim", document.claim_id()),
        ("Account", document.account_id()),
        ("Encounter", document.encounter_id()),
        ("Patient", document.patient_id()),
    ];
    let first = known.into_iter().find_map(|(resource, id)| Some(Reference::to(resource, id?)));
    // The patient is there: the machine checks the document before it builds anything.
    first.unwrap_or_else(|| Reference::literal(String::new()))
}

/// What R4's payment resources have no element for. Extensions of an unknown URL are ignored by a server that does
/// not know them (R4 §2.4), so they never make a posting fail.
fn extensions(document: &PaymentPosting) -> Vec<Extension<'_>> {
    let linked = [
        ("urn:suture:posting:patient", "Patient", document.patient_id()),
        ("urn:suture:posting:account", "Account", document.account_id()),
        ("urn:suture:posting:claim", "Claim", document.claim_id()),
        ("urn:suture:posting:encounter", "Encounter", document.encounter_id()),
    ];
    let references = linked.into_iter().filter_map(|(url, resource, id)| {
        let value_reference = Some(Reference::to(resource, id?));
        Some(Extension { url, value_string: None, value_reference })
    });
    let queue = document.queue.as_deref().filter(|queue| !queue.is_empty());
    let queue = queue.map(|queue| Extension {
        url: "urn:suture:posting:queue",
        value_string: Some(queue),
        value_reference: None,
    });
    references.chain(queue).collect()
}

fn payment_type(kind: PostingKind) -> Concept {
    let code = match kind {
        PostingKind::Payment => "payment",
        PostingKind::Reversal => "adjustment",
    };
    let system = "http://terminology.hl7.org/CodeSystem/payment-type";
    Concept { coding: vec![Coding { system, code: code.to_owned() }], text: None }
}

/// `paid` and `cleared` are FHIR's; other words of the status table travel as text.
fn payment_status(status: &str) -> Concept {
    if matches!(status, "paid" | "cleared") {
        let system = "http://terminology.hl7.org/CodeSystem/paymentstatus";
        return Concept { coding: vec![Coding { system, code: status.to_owned() }], text: None };
    }
    Concept { coding: Vec::new(), text: Some(status.to_owned()) }
}

/// The amount as FHIR wants it: negative for a reversal. Documents have positive amounts, so this cannot overflow.
fn signed_amount(document: &PaymentPosting) -> Money {
    match document.kind {
        PostingKind::Payment => document.amount,
        PostingKind::Reversal => Money::new(document.amount.minor.saturating_neg(), document.amount.currency),
    }
}

fn to_bytes(resource: &impl Serialize) -> Vec<u8> {
    // Text, and numbers that are text already, always serialize.
    serde_json::to_vec(resource).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    id: Option<String>,
    status: Option<String>,
    #[serde(default)]
    identifier: Vec<Identifier>,
    payment_amount: Option<FhirMoney>,
    amount: Option<FhirMoney>,
}

/// Reads the answer of [`search`]. The identifier is compared again, because servers ignore parameters that they do not
/// know (EPIC.md §5); absence needs a complete answer.
pub(super) fn found(
    epic: &Epic,
    resource: &str,
    document: &PaymentPosting,
    response: &HttpResponse,
) -> LookUp {
    let bundle = match paging::read_bundle(response, resource) {
        Ok(bundle) => bundle,
        Err(failed) => return LookUp::Failed(failed),
    };
    let ours = Identifier::new(&epic.identifier_system, &document.reference);
    let mut matching = Vec::new();
    for text in &bundle.resources {
        let Ok(seen) = serde_json::from_str::<Seen>(text.get()) else {
            return LookUp::Failed(outcome_codes::unreadable(Asked::Read));
        };
        if seen.identifier.contains(&ours) {
            matching.push(seen);
        }
    }
    match matching.as_slice() {
        [] if bundle.is_complete() => LookUp::Absent,
        [] => LookUp::Failed(outcome_codes::unreadable(Asked::Read)),
        [one] => compare(one, signed_amount(document)),
        _ => LookUp::Different(not_one_living_record("several records")),
    }
}

fn compare(seen: &Seen, ours: Money) -> LookUp {
    if seen.status.as_deref() != Some("active") {
        return LookUp::Different(not_one_living_record(
            "a record that is not active (cancelled or in error)",
        ));
    }
    let Some(id) = seen.id.clone().filter(|id| is_id(id)) else {
        return LookUp::Failed(outcome_codes::unreadable(Asked::Read));
    };
    let theirs = seen.payment_amount.as_ref().or(seen.amount.as_ref()).and_then(FhirMoney::read);
    if theirs == Some(ours) {
        return LookUp::Found { reference: id, amount_seen: true };
    }
    LookUp::Different(other_amount(ours, theirs))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    resource_type: String,
    id: Option<String>,
}

/// Reads the answer of a creation: the id, when Epic told it. Epic answers 201 with `Location` and usually no body
/// (EPIC.md §6).
pub(super) fn created(
    resource: &str,
    response: &HttpResponse,
) -> Result<Option<String>, Outcome<Infallible>> {
    if !matches!(response.status, 200 | 201) {
        return Err(outcome_codes::failed(response, Asked::Write));
    }
    let located = response.get("location").and_then(|location| id_in_reference(location, resource));
    let located = located.map(str::to_owned);
    if response.body.iter().all(u8::is_ascii_whitespace) {
        // RFC 9110 §15.3.2: 201 says that it was created; 200 without any words says nothing.
        let told = response.status == 201 || located.is_some();
        return if told { Ok(located) } else { Err(outcome_codes::unreadable(Asked::Write)) };
    }
    let unreadable = || outcome_codes::unreadable(Asked::Write);
    let body: serde_json::Value = serde_json::from_slice(&response.body).map_err(|_| unreadable())?;
    if let Some(issues) = outcome_codes::issues(&body) {
        return match outcome_codes::failed_by_issues(&issues, body, Asked::Write) {
            Some(failed) => Err(failed),
            None => Ok(located),
        };
    }
    let created: Created = serde_json::from_value(body).map_err(|_| unreadable())?;
    if created.resource_type != resource {
        return Err(unreadable());
    }
    Ok(located.or(created.id.filter(|id| is_id(id))))
}
