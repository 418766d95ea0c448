//! How payments get into one site's Epic: the proposal, with its reasons.
//!
//! Called after discovery and before each posting. Stock Epic has no payment resource in FHIR (EPIC.md §1), so the
//! route is measured, never assumed.

use serde::{Deserialize, Serialize};

use super::discovery::Capabilities;
use super::settings::Epic;

/// A way of posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `PaymentReconciliation` and `PaymentNotice` by FHIR.
    Fhir,
    /// Epic's external-payment web service.
    ExternalPayment,
    /// An end-of-day lockbox file.
    Lockbox,
    /// HL7 v2 financial transactions.
    Hl7,
    /// A person retypes it.
    Person,
}

/// Which route to take, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// `Fhir`, `ExternalPayment` or `Person`.
    pub route: Route,
    /// Whether a posting can be looked up afterwards. Without it a posting is at best accepted, unless Epic answers
    /// with a receipt.
    pub read_back: bool,
    /// Sentences for the probe page, in order of thought.
    pub reasons: Vec<String>,
}

/// The resources of the FHIR route.
const PAYMENT_RESOURCES: [&str; 2] = ["PaymentReconciliation", "PaymentNotice"];

/// Proposes a route from what the site offers and what is set. FHIR first, then the external-payment service, then a
/// person; the setting wins where it can be carried out.
#[must_use]
pub fn propose(epic: &Epic, capabilities: &Capabilities) -> Proposal {
    let mut reasons = Vec::new();
    let fhir = fhir_is_possible(epic, capabilities, &mut reasons);
    let external = external_is_possible(epic, &mut reasons);
    let wanted = match epic.posting_route {
        Some(route) => {
            reasons.push(format!("The settings ask for the route {}.", name(route)));
            route
        }
        None if fhir => Route::Fhir,
        None if external => Route::ExternalPayment,
        None => Route::Person,
    };
    let route = match wanted {
        Route::Fhir if fhir => Route::Fhir,
        Route::ExternalPayment if external => Route::ExternalPayment,
        Route::Person => Route::Person,
        Route::Fhir | Route::ExternalPayment | Route::Lockbox | Route::Hl7 => {
            reasons
                .push(format!("The route {} cannot be carried out here, so a person posts.", name(wanted)));
            Route::Person
        }
    };
    let read_back = match route {
        Route::Fhir => PAYMENT_RESOURCES.iter().all(|resource| capabilities.finds_by(resource, "identifier")),
        Route::ExternalPayment => epic.external.look_up_path.is_some(),
        Route::Lockbox | Route::Hl7 | Route::Person => false,
    };
    reasons.push(conclusion(route, read_back));
    Proposal { route, read_back, reasons }
}

fn fhir_is_possible(epic: &Epic, capabilities: &Capabilities, reasons: &mut Vec<String>) -> bool {
    let mut possible = true;
    for resource in PAYMENT_RESOURCES {
        reasons.push(capabilities.sentence(resource));
        possible &= capabilities.offered(resource).is_some_and(|offered| offered.create);
    }
    if possible && epic.organization.is_none() {
        reasons.push("FHIR could post, but the receiving organization is not set.".to_owned());
        return false;
    }
    possible
}

fn external_is_possible(epic: &Epic, reasons: &mut Vec<String>) -> bool {
    let possible = epic.interconnect_base_url.is_some();
    reasons.push(if possible {
        "External payments: the address of the web services is set.".to_owned()
    } else {
        "External payments: the address of the web services is not set.".to_owned()
    });
    possible
}

fn conclusion(route: Route, read_back: bool) -> String {
    let route_name = name(route);
    match (route, read_back) {
        (Route::Person, _) => "Payments wait for a person, who posts them in Epic.".to_owned(),
        (_, true) => format!("Payments are posted by {route_name} and read back."),
        (_, false) => {
            format!(
                "Payments are posted by {route_name} and cannot be read back; only a receipt confirms them."
            )
        }
    }
}

const fn name(route: Route) -> &'static str {
    match route {
        Route::Fhir => "FHIR",
        Route::ExternalPayment => "external payment",
        Route::Lockbox => "lockbox file",
        Route::Hl7 => "HL7 v2",
        Route::Person => "person",
    }
}
