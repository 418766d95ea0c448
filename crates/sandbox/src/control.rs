//! The control API: `POST /control/<world>/<verb>` for `stripe`, `epic`, `epicor` and `payer`, and `/control/clock`.
//!
//! Called by people, demos and end-to-end tests. A verb that fails answers 400 with a sentence.

use crate::server::{Shared, lock};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// The routes of the control API.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/control/clock", get(show_clock).post(move_clock))
        .route("/control/stripe/{verb}", post(turn_stripe))
        .route("/control/epic", get(show_epic))
        .route("/control/epic/{verb}", post(turn_epic))
        .route("/control/epicor", get(show_epicor))
        .route("/control/epicor/{verb}", post(turn_epicor))
        .route("/control/payer/{verb}", post(turn_payer))
        .with_state(shared)
}

async fn show_clock(State(shared): State<Shared>) -> Response {
    Json(json!({ "now_ms": shared.clock.now_ms() })).into_response()
}

/// `{seconds}` or `{milliseconds}`: what becomes due by the jump happens before the answer.
async fn move_clock(State(shared): State<Shared>, body: Bytes) -> Response {
    answer(parse(&body).and_then(|body| jump(&shared, &body)))
}

async fn turn_stripe(State(shared): State<Shared>, Path(verb): Path<String>, body: Bytes) -> Response {
    let result = parse(&body).and_then(|body| match verb.as_str() {
        "jump" => jump(&shared, &body),
        verb => lock(&shared.stripe).control(shared.clock.now_ms(), verb, &body),
    });
    shared.bell.notify_one();
    answer(result)
}

async fn turn_epic(State(shared): State<Shared>, Path(verb): Path<String>, body: Bytes) -> Response {
    answer(parse(&body).and_then(|body| lock(&shared.epic).control(shared.clock.now_ms(), &verb, &body)))
}

async fn turn_epicor(State(shared): State<Shared>, Path(verb): Path<String>, body: Bytes) -> Response {
    let result =
        parse(&body).and_then(|body| lock(&shared.epicor).control(shared.clock.now_ms(), &verb, &body));
    shared.bell.notify_one();
    answer(result)
}

async fn show_epicor(State(shared): State<Shared>) -> Response {
    Json(lock(&shared.epicor).snapshot()).into_response()
}

async fn turn_payer(State(shared): State<Shared>, Path(verb): Path<String>, body: Bytes) -> Response {
    answer(parse(&body).and_then(|body| lock(&shared.payer).control(shared.clock.now_ms(), &verb, &body)))
}

async fn show_epic(State(shared): State<Shared>) -> Response {
    Json(lock(&shared.epic).snapshot()).into_response()
}

fn jump(shared: &Shared, body: &Value) -> Result<Value, String> {
    let seconds = body["seconds"].as_i64().unwrap_or(0);
    let milliseconds = body["milliseconds"].as_i64().unwrap_or(0);
    let now_ms = shared.clock.jump(seconds.saturating_mul(1000).saturating_add(milliseconds))?;
    lock(&shared.stripe).advance(now_ms);
    shared.bell.notify_one();
    Ok(json!({ "now_ms": now_ms }))
}

/// An empty body is an empty object.
fn parse(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err("The body is not a JSON object: nothing was changed.".to_owned()),
    }
}

fn answer(result: Result<Value, String>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(sentence) => (StatusCode::BAD_REQUEST, Json(json!({ "error": sentence }))).into_response(),
    }
}
