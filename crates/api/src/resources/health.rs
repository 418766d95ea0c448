//! Whether the process lives and can work, its counters, and the public keys that others verify it with.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth;
use crate::problem::Problem;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The process answers. Says nothing about the database.
#[utoipa::path(get, path = "/health", tag = "operation", responses((status = 200, body = Object, example = json!({"status": "ok"}))))]
pub(super) async fn health() -> Response {
    json(r#"{"status":"ok"}"#.to_owned())
}

/// The database answers, so requests can be served.
#[utoipa::path(get, path = "/ready", tag = "operation", responses((status = 200, body = Object, example = json!({"status": "ready"}))))]
pub(super) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    app.engine.ready().await?;
    Ok(json(r#"{"status":"ready"}"#.to_owned()))
}

/// Counters and queue depths in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    if !auth::may_read_metrics(&headers, app.settings.metrics_token.as_ref()) {
        return Err(Problem::unauthenticated());
    }
    let mut text = app.engine.metrics().render();
    text.push_str("# TYPE suture_queue_depth gauge\n");
    for organization in app.engine.organizations().await? {
        for depth in app.engine.depths(&organization.id).await? {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "suture_queue_depth{{organization=\"{}\",destination=\"{}\",state=\"{}\"}} {}",
                organization.id, depth.destination, depth.state, depth.count
            );
        }
    }
    Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response())
}

/// The public keys of all EHR connections, as a JWK set.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "operation", responses((status = 200, body = Object)))]
pub(super) async fn jwks(State(app): State<App>) -> Result<Response, Problem> {
    let mut response = json(app.engine.jwks()?);
    // EHRs fetch the set again when they meet a new key; five minutes keep them from asking for each token.
    let cache = axum::http::HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    Ok(response)
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
