//! Webhooks of gateways: raw bytes in, stored, acknowledged.
//!
//! The hot path: no session, no JSON, no key; the signature over the raw bytes is the proof. Every answer but 2xx makes
//! the sender send again, so 2xx is given only after the commit.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use suture_engine::Delivery;
use utoipa::ToSchema;

use crate::app::App;
use crate::once;
use crate::problem::Problem;

/// The acknowledgement of a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipt {
    /// It is on disk.
    received: bool,
    /// It came before.
    duplicate: bool,
}

/// Takes a webhook in.
#[utoipa::path(
    post,
    path = "/webhooks/{connection}",
    tag = "webhooks",
    params(("connection" = String, Path, description = "The connection's id")),
    request_body(content = String, content_type = "application/json", description = "The event as sent, byte for byte"),
    responses((status = 200, body = Receipt))
)]
pub(super) async fn receive_webhook(
    State(app): State<App>,
    Path(connection): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Receipt>, Problem> {
    let bytes = once::read(&headers, body, app.settings.body_bytes_max).await?;
    let header = |name: &str| headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
    let duplicate = match app.engine.receive_webhook(&connection, header, &bytes).await? {
        Delivery::Accepted { .. } => false,
        Delivery::Duplicate { .. } => true,
        Delivery::Refused { code, detail } => {
            let detail = format!("The event was not taken in: {detail}.");
            return Err(Problem::new(code, StatusCode::BAD_REQUEST, detail));
        }
    };
    Ok(Json(Receipt { received: true, duplicate }))
}
