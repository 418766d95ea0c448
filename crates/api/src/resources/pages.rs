//! What the API says about itself: the OpenAPI document, and the page of each problem.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::problem::{self, Problem};

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(super) async fn get_openapi() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(crate::openapi).as_str();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], document).into_response()
}

/// What a problem code means and what to do about it, as Markdown.
#[utoipa::path(get, path = "/problems/{code}", tag = "operation", params(("code" = String, Path)), responses((status = 200, content_type = "text/markdown", body = String)))]
pub(super) async fn get_problem_page(Path(code): Path<String>) -> Result<Response, Problem> {
    let page = problem::page(&code).ok_or_else(|| Problem::not_found("problem page"))?;
    let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], page).into_response())
}
