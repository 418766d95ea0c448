//! Search answers page by page.
//!
//! Called by the reads and by the look-ups of postings. Invariants: the next page is fetched verbatim and only from the
//! origin of the FHIR base URL (the request carries the access token); a search ends only when there is no `next`
//! link, because pages may hold fewer entries than asked for (EPIC.md §5).

use std::convert::Infallible;

use serde::Deserialize;
use serde_json::value::RawValue;
use suture_core::redact::Secret;

use super::call;
use super::outcome_codes::{self, Asked, Issue};
use super::settings::Epic;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Outcome, Retry};
use crate::url;

/// The URL of a following page, proven to be of the same origin as the FHIR base URL. Opaque and short-lived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage(String);

impl NextPage {
    /// Accepts a `next` link.
    ///
    /// # Errors
    /// `epic_foreign_next_page` when the link leads elsewhere; nothing was sent there.
    pub fn parse(epic: &Epic, link: &str) -> Result<Self, Failure> {
        match (url::origin(&epic.fhir_base_url), url::origin(link)) {
            (Some(base), Some(target)) if base == target => Ok(Self(link.to_owned())),
            (base, target) => {
                let shown = |origin: Option<url::Origin>| {
                    origin.map_or_else(
                        || "an address that cannot be read".to_owned(),
                        |origin| origin.to_string(),
                    )
                };
                let message = format!(
                    "The next page of the search leads to {} instead of {}. It was not fetched, because the access \
                     token would go there. Set the FHIR base URL to the address that Epic uses in its links.",
                    shown(target),
                    shown(base)
                );
                Err(Failure::new("epic_foreign_next_page", message, Retry::Never))
            }
        }
    }

    /// The URL, to store it between two pages.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Builds the fetch of the page. Error 4113 in its answer means: start the search again.
    #[must_use]
    pub fn fetch(&self, token: &Secret<String>) -> HttpRequest {
        call::fhir_get_absolute(token, &self.0)
    }
}

/// A search answer, taken apart but not yet understood.
pub(super) struct Bundle {
    /// The resources that matched, as exact text.
    pub(super) resources: Vec<Box<RawValue>>,
    /// What Epic remarked.
    pub(super) remarks: Vec<Issue>,
    /// The link to the next page.
    pub(super) next: Option<String>,
}

impl Bundle {
    /// Whether everything that matches is in this answer, so that absence is proven.
    pub(super) fn is_complete(&self) -> bool {
        // 4119: more may exist; 59204: parts were left out (EPIC.md §6).
        let partial = |issue: &Issue| matches!(issue.epic_code, Some(4119 | 59204));
        self.next.is_none() && !self.remarks.iter().any(partial)
    }
}

#[derive(Deserialize)]
struct WireBundle {
    #[serde(rename = "resourceType")]
    resource_type: String,
    link: Option<Vec<WireLink>>,
    entry: Option<Vec<WireEntry>>,
}

#[derive(Deserialize)]
struct WireLink {
    relation: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct WireEntry {
    resource: Option<Box<RawValue>>,
}

/// Which resource a piece of JSON is.
#[derive(Deserialize)]
pub(super) struct ResourceType {
    #[serde(rename = "resourceType")]
    pub(super) resource_type: String,
}

/// Takes a search answer apart. Entries of other types (included resources) are left out; `OperationOutcome` entries
/// become remarks, or the failure when they say so.
pub(super) fn read_bundle(response: &HttpResponse, wanted: &str) -> Result<Bundle, Outcome<Infallible>> {
    if response.status != 200 {
        return Err(outcome_codes::failed(response, Asked::Read));
    }
    let unreadable = || outcome_codes::unreadable(Asked::Read);
    let Ok(wire) = serde_json::from_slice::<WireBundle>(&response.body) else { return Err(unreadable()) };
    if wire.resource_type == "OperationOutcome" {
        return Err(failed_with_success_status(&response.body));
    }
    if wire.resource_type != "Bundle" {
        return Err(unreadable());
    }
    let mut bundle = Bundle { resources: Vec::new(), remarks: Vec::new(), next: None };
    for resource in wire.entry.into_iter().flatten().filter_map(|entry| entry.resource) {
        let Ok(kind) = serde_json::from_str::<ResourceType>(resource.get()) else { return Err(unreadable()) };
        if kind.resource_type == wanted {
            bundle.resources.push(resource);
        } else if kind.resource_type == "OperationOutcome" {
            let Ok(outcome) = serde_json::from_str::<serde_json::Value>(resource.get()) else {
                return Err(unreadable());
            };
            let issues = outcome_codes::issues(&outcome).unwrap_or_default();
            if let Some(failed) = outcome_codes::failed_by_issues(&issues, outcome, Asked::Read) {
                return Err(failed);
            }
            bundle.remarks.extend(issues);
        }
    }
    let is_next = |link: &WireLink| link.relation.as_deref() == Some("next");
    // A next link without a URL is not the end: the end is the absence of the link.
    if let Some(link) = wire.link.into_iter().flatten().find(is_next) {
        bundle.next = Some(link.url.ok_or_else(unreadable)?);
    }
    Ok(bundle)
}

/// An `OperationOutcome` where a resource was expected, with a success status.
pub(super) fn failed_with_success_status(body: &[u8]) -> Outcome<Infallible> {
    let outcome = serde_json::from_slice::<serde_json::Value>(body).ok();
    outcome
        .and_then(|outcome| {
            let issues = outcome_codes::issues(&outcome)?;
            outcome_codes::failed_by_issues(&issues, outcome, Asked::Read)
        })
        .unwrap_or_else(|| outcome_codes::unreadable(Asked::Read))
}
