//! Refusals as HTTP answers (EPICOR.md §5).

use super::refusal::Refusal;
use crate::wire::{Request, Response};
use serde_json::json;

/// The body that the web server sends for a path that nobody serves.
pub(super) fn nowhere() -> Response {
    let body = "<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head></html>";
    Response::empty(404).with_header("content-type", "text/html").with_body(body)
}

/// Puts a refusal on the wire, as XML when only that is accepted.
pub(super) fn refused(refusal: &Refusal, request: &Request, method: &str, correlation: &str) -> Response {
    let accept = request.header("accept").unwrap_or_default();
    let mut response = if accept.contains("xml") && !accept.contains("json") {
        let body = format!(
            "<Error><HttpStatus>{}</HttpStatus><ReasonPhrase>{}</ReasonPhrase><ErrorMessage>{}</ErrorMessage>\
             <ErrorType>{}</ErrorType><CorrelationId>{correlation}</CorrelationId></Error>",
            refusal.status,
            refusal.reason(),
            refusal.message.replace('&', "&amp;").replace('<', "&lt;"),
            refusal.kind,
        );
        Response::empty(refusal.status).with_header("content-type", "application/xml").with_body(body)
    } else {
        let (program, act) = method.split_once('/').unwrap_or((method, ""));
        let detail = json!({
            "Message": refusal.message, "Type": "Error", "Program": program, "Method": act,
            "Table": refusal.table, "Field": refusal.field,
        });
        let body = json!({
            "HttpStatus": refusal.status, "ReasonPhrase": refusal.reason(), "ErrorMessage": refusal.message,
            "ErrorType": refusal.kind, "ErrorDetails": [detail], "CorrelationId": correlation,
        });
        Response::json(refusal.status, &body)
    };
    if refusal.status == 401 {
        response = response.with_header("www-authenticate", "Bearer");
    }
    response
}
