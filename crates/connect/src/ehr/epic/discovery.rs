//! What a site's Epic offers: `smart-configuration` for sign-in and `/metadata` for resources.
//!
//! Called by the connect wizard and by the daily probe. Sites differ (EPIC.md §4), so nothing is assumed to be there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::call::FHIR_JSON;
use super::outcome_codes::{self, Asked};
use super::settings::{Epic, is_as_safe_as};
use crate::http::{HttpRequest, HttpResponse, Method};
use crate::outcome::{Failure, Outcome, Retry};
use crate::url;

/// Builds the read of the sign-in configuration. Needs no token.
#[must_use]
pub fn smart_configuration(epic: &Epic) -> HttpRequest {
    open_read(epic, ".well-known/smart-configuration", "application/json")
}

/// Builds the read of the CapabilityStatement. Needs no token; some sites want the client id (EPIC.md §2).
#[must_use]
pub fn metadata(epic: &Epic) -> HttpRequest {
    open_read(epic, "metadata", FHIR_JSON)
}

fn open_read(epic: &Epic, path: &str, accept: &str) -> HttpRequest {
    HttpRequest::new(Method::Get, url::join(&epic.fhir_base_url, path))
        .header("accept", accept)
        .header("epic-client-id", epic.client_id.clone())
}

/// How to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartConfiguration {
    /// Where tokens are given.
    pub token_endpoint: String,
    /// The grants on offer; empty when the site does not say.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// The ways of proving who we are; empty when the site does not say.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// SMART's capabilities, for example `permission-v2`.
    #[serde(default)]
    pub capabilities: Vec<String>,
}

impl SmartConfiguration {
    /// Whether a backend service can sign in with a signed assertion. A site that does not say is taken as able to.
    #[must_use]
    pub fn offers_backend_services(&self) -> bool {
        let has = |list: &[String], word: &str| list.is_empty() || list.iter().any(|entry| entry == word);
        has(&self.grant_types_supported, "client_credentials")
            && has(&self.token_endpoint_auth_methods_supported, "private_key_jwt")
    }
}

/// Reads the sign-in configuration. A token endpoint that is less safe than the FHIR base is declined: our assertion
/// would go there.
#[must_use]
pub fn read_smart_configuration(epic: &Epic, response: &HttpResponse) -> Outcome<SmartConfiguration> {
    if response.status != 200 {
        return outcome_codes::failed(response, Asked::Read).map(|never| match never {});
    }
    let Ok(configuration) = serde_json::from_slice::<SmartConfiguration>(&response.body) else {
        return outcome_codes::unreadable(Asked::Read).map(|never| match never {});
    };
    if !is_as_safe_as(url::origin(&epic.fhir_base_url).as_ref(), &configuration.token_endpoint) {
        let message = "The token endpoint that Epic names is not an absolute https URL. No credential was sent \
                       there. Ask the site's Epic team to correct the smart-configuration.";
        return Outcome::Declined(Failure::new("epic_unsafe_token_endpoint", message, Retry::Never));
    }
    Outcome::Done(configuration)
}

/// What one site offers, measured. Stored with the connection and shown on the probe page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capabilities {
    /// The FHIR version, for example `4.0.1`.
    #[serde(default)]
    pub fhir_version: Option<String>,
    /// The software and its release, as the site names them.
    #[serde(default)]
    pub software: Option<String>,
    /// By resource type.
    pub resources: BTreeMap<String, Offered>,
}

/// What is offered for one resource type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Offered {
    /// Read by id.
    pub read: bool,
    /// Search.
    pub search: bool,
    /// Create.
    pub create: bool,
    /// Update.
    pub update: bool,
    /// The search parameters. Epic silently ignores others (EPIC.md §5).
    pub search_parameters: BTreeSet<String>,
}

/// The resource types that the probe page speaks about, in its order. `Payment` is not a FHIR resource; people look
/// for it nevertheless.
pub const PROBED: &[&str] = &[
    "Patient",
    "Account",
    "Claim",
    "Coverage",
    "Encounter",
    "ExplanationOfBenefit",
    "Practitioner",
    "ServiceRequest",
    "Payment",
    "PaymentReconciliation",
    "PaymentNotice",
];

impl Capabilities {
    /// What is offered for a type; `None` when the type is not served.
    #[must_use]
    pub fn offered(&self, resource: &str) -> Option<&Offered> {
        self.resources.get(resource)
    }

    /// Whether records of a type can be found by one search parameter.
    #[must_use]
    pub fn finds_by(&self, resource: &str, parameter: &str) -> bool {
        self.offered(resource)
            .is_some_and(|offered| offered.search && offered.search_parameters.contains(parameter))
    }

    /// One sentence for people, for example `Account: read/search only`.
    #[must_use]
    pub fn sentence(&self, resource: &str) -> String {
        let Some(offered) = self.offered(resource) else { return format!("{resource}: not offered") };
        let words = [
            (offered.read, "read"),
            (offered.search, "search"),
            (offered.create, "create"),
            (offered.update, "update"),
        ];
        let words: Vec<&str> = words.into_iter().filter_map(|(on, word)| on.then_some(word)).collect();
        let only = if offered.create || offered.update { "" } else { " only" };
        if words.is_empty() {
            return format!("{resource}: listed, but nothing can be done with it");
        }
        format!("{resource}: {}{only}", words.join("/"))
    }

    /// The sentences of the probe page.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        PROBED.iter().map(|resource| self.sentence(resource)).collect()
    }
}

/// Reads the CapabilityStatement.
#[must_use]
pub fn read_metadata(response: &HttpResponse) -> Outcome<Capabilities> {
    if response.status != 200 {
        return outcome_codes::failed(response, Asked::Read).map(|never| match never {});
    }
    let statement = serde_json::from_slice::<wire::Statement>(&response.body).ok();
    match statement.filter(|statement| statement.resource_type == "CapabilityStatement") {
        Some(statement) => Outcome::Done(capabilities(statement)),
        None => outcome_codes::unreadable(Asked::Read).map(|never| match never {}),
    }
}

fn capabilities(statement: wire::Statement) -> Capabilities {
    let software = statement.software.map(|software| {
        let words = [software.name, software.version];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let server = statement.rest.into_iter().filter(|rest| rest.mode.as_deref() != Some("client"));
    let resources = server.flat_map(|rest| rest.resource).map(|resource| {
        let has = |code: &str| resource.interaction.iter().any(|entry| entry.code.as_deref() == Some(code));
        let offered = Offered {
            read: has("read"),
            search: has("search-type"),
            create: has("create"),
            update: has("update"),
            search_parameters: resource.search_param.into_iter().filter_map(|entry| entry.name).collect(),
        };
        (resource.kind, offered)
    });
    Capabilities { fhir_version: statement.fhir_version, software, resources: resources.collect() }
}

/// FHIR R4 `CapabilityStatement`, as far as we use it.
mod wire {
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Statement {
        pub(super) resource_type: String,
        pub(super) fhir_version: Option<String>,
        pub(super) software: Option<Software>,
        #[serde(default)]
        pub(super) rest: Vec<Rest>,
    }

    #[derive(Deserialize)]
    pub(super) struct Software {
        pub(super) name: Option<String>,
        pub(super) version: Option<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Rest {
        pub(super) mode: Option<String>,
        #[serde(default)]
        pub(super) resource: Vec<Resource>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Resource {
        #[serde(rename = "type")]
        pub(super) kind: String,
        #[serde(default)]
        pub(super) interaction: Vec<Interaction>,
        #[serde(default)]
        pub(super) search_param: Vec<SearchParam>,
    }

    #[derive(Deserialize)]
    pub(super) struct Interaction {
        pub(super) code: Option<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct SearchParam {
        pub(super) name: Option<String>,
    }
}
