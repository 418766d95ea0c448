//! The requests that every part of the Epic connector is made of.
//!
//! Invariant: `Accept` is always sent (without it Epic answers in XML, EPIC.md §2), and the access token only ever
//! travels in a secret header.

use suture_core::redact::Secret;

use super::settings::Epic;
use crate::http::{HttpRequest, Method};
use crate::url;

/// The media type of FHIR in JSON.
pub(super) const FHIR_JSON: &str = "application/fhir+json";
/// The media type of form bodies.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// A read below the FHIR base URL; `path` is already encoded.
pub(super) fn fhir_get(epic: &Epic, token: &Secret<String>, path: &str) -> HttpRequest {
    authorized(HttpRequest::new(Method::Get, url::join(&epic.fhir_base_url, path)), token)
}

/// A read of an absolute URL that was proven to be of the FHIR base's origin.
pub(super) fn fhir_get_absolute(token: &Secret<String>, url: &str) -> HttpRequest {
    authorized(HttpRequest::new(Method::Get, url), token)
}

/// A search whose parameters are personal data, so they travel in the body and never in the URL.
/// Query and body are never mixed: since February 2026 Epic ignores the query of such a call (EPIC.md §5).
pub(super) fn fhir_search_in_body(
    epic: &Epic,
    token: &Secret<String>,
    resource: &str,
    parameters: &[(&str, &str)],
) -> HttpRequest {
    let path = format!("{resource}/_search");
    let request = HttpRequest::new(Method::Post, url::join(&epic.fhir_base_url, &path));
    authorized(request, token).body(FORM, url::form(parameters))
}

/// A creation below the FHIR base URL.
pub(super) fn fhir_create(epic: &Epic, token: &Secret<String>, resource: &str, body: Vec<u8>) -> HttpRequest {
    let request = HttpRequest::new(Method::Post, url::join(&epic.fhir_base_url, resource));
    authorized(request, token).body(FHIR_JSON, body)
}

/// Adds the bearer token of a backend service.
pub(super) fn bearer(request: HttpRequest, token: &Secret<String>) -> HttpRequest {
    request.secret_header("authorization", format!("Bearer {}", token.expose()))
}

fn authorized(request: HttpRequest, token: &Secret<String>) -> HttpRequest {
    bearer(request.header("accept", FHIR_JSON), token)
}
