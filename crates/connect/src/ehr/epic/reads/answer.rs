//! Answers of reads and searches, typed, with the exact text of each resource.

use suture_core::redact::Phi;

use super::request::Search;
use super::resources::Resource;
use crate::ehr::epic::outcome_codes::{self, Asked};
use crate::ehr::epic::paging::{self, NextPage};
use crate::ehr::epic::settings::Epic;
use crate::http::HttpResponse;
use crate::outcome::Outcome;

/// A resource, understood as far as billing needs it, and as Epic sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// The parts that we use.
    pub resource: T,
    /// The resource as exact JSON text, for mappings.
    pub json: Phi<String>,
}

/// One page of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What was found, after our own check of the search.
    pub found: Vec<Found<T>>,
    /// The next page; the search ends only when there is none.
    pub next: Option<NextPage>,
    /// How many results did not fit the search: Epic silently ignores parameters it does not know (EPIC.md §5).
    pub left_out: usize,
    /// Whether Epic said that it held something back or that more exists (59204, 4119).
    pub partial: bool,
}

/// Reads the answer of [`by_id`](super::by_id). A patient that was merged away is refused by Epic with
/// `epic_merged_patient`; see [`outcome_codes::surviving_patient`].
#[must_use]
pub fn read_found<T: Resource>(response: &HttpResponse) -> Outcome<Found<T>> {
    if response.status != 200 {
        return outcome_codes::failed(response, Asked::Read).map(|never| match never {});
    }
    let unreadable = || outcome_codes::unreadable(Asked::Read).map(|never| match never {});
    let Ok(text) = std::str::from_utf8(&response.body) else { return unreadable() };
    let Ok(kind) = serde_json::from_str::<paging::ResourceType>(text) else { return unreadable() };
    if kind.resource_type == "OperationOutcome" {
        return paging::failed_with_success_status(&response.body).map(|never| match never {});
    }
    match found(text) {
        Some(found) => Outcome::Done(found),
        None => unreadable(),
    }
}

/// Reads one page of a search.
#[must_use]
pub fn read_page<T: Resource>(epic: &Epic, search: &Search, response: &HttpResponse) -> Outcome<Page<T>> {
    let bundle = match paging::read_bundle(response, T::TYPE) {
        Ok(bundle) => bundle,
        Err(failed) => return failed.map(|never| match never {}),
    };
    let next = match bundle.next.as_deref().map(|link| NextPage::parse(epic, link)).transpose() {
        Ok(next) => next,
        Err(failure) => return Outcome::Declined(failure),
    };
    let all: Option<Vec<Found<T>>> = bundle.resources.iter().map(|resource| found(resource.get())).collect();
    let Some(mut all) = all else {
        return outcome_codes::unreadable(Asked::Read).map(|never| match never {});
    };
    let before = all.len();
    all.retain(|found| found.resource.fits(search));
    let partial = bundle.remarks.iter().any(|issue| matches!(issue.epic_code, Some(4119 | 59204)));
    Outcome::Done(Page { left_out: before - all.len(), found: all, next, partial })
}

fn found<T: Resource>(text: &str) -> Option<Found<T>> {
    let resource = T::parse(text)?;
    Some(Found { resource, json: Phi::new(text.to_owned()) })
}
