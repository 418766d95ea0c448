//! What surrounds every request: its id, its time limit, the form of its problems, and hardened headers.
//!
//! One layer around the whole router. It is the only place that logs a failed request, so a cause is logged once.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::problem::Problem;

/// The id of a request, in the `X-Request-Id` of the answer and in our log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The header that carries it.
const REQUEST_ID: &str = "x-request-id";

pub(crate) async fn frame(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(&app, request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let answer = tokio::time::timeout(app.settings.request_limit, next.run(request)).await;
    let response = match answer {
        Ok(response) => response,
        Err(_) => Problem::timeout().into_response(),
    };
    let mut response = dressed(response, &id);
    harden(response.headers_mut(), &id);
    response
}

/// The caller's request id when it is harmless, or a fresh one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let harmless = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(harmless);
    given.map_or_else(
        || {
            let random = app.engine.random().ten_bytes();
            random.iter().fold("req_".to_owned(), |text, byte| format!("{text}{byte:02x}"))
        },
        ToOwned::to_owned,
    )
}

/// Gives a problem its body, and turns the framework's own refusals into problems.
fn dressed(mut response: Response, id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.log(id);
        return problem.answer(id);
    }
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if is_problem || !(response.status().is_client_error() || response.status().is_server_error()) {
        return response;
    }
    let problem = match response.status() {
        StatusCode::NOT_FOUND => Problem::not_found("path"),
        StatusCode::METHOD_NOT_ALLOWED => Problem::method_not_allowed(),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::body_too_large(),
        status if status.is_client_error() => Problem::not_understood(),
        _ => Problem::internal("the framework answered with a failure"),
    };
    problem.log(id);
    let mut answer = problem.answer(id);
    // Which methods there are is worth keeping (RFC 9110 §15.5.6 asks for it).
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    answer
}

fn harden(headers: &mut HeaderMap, id: &str) {
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}
