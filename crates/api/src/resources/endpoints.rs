//! Endpoints: where the organization's own systems hear of its events. Secrets are shown once and never again.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::redact::Secret;
use suture_engine::endpoints::{Changes, EndpointView, NewEndpoint, OVERLAP, Tested};
use suture_engine::{Caller, Engine};
use utoipa::ToSchema;

use super::objects::may_hear;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::time;
use crate::once::{Made, Posted};
use crate::page::Page;
use crate::problem::Problem;

/// An endpoint to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEndpoint)]
pub(super) struct EndpointToMake {
    /// Where to send: https, or any web address for a sandbox organization.
    url: String,
    /// What people call it, at most 200 characters.
    #[serde(default)]
    description: String,
    /// Event types: exact, `payment.*` or `*`; all when absent. See `GET /v1/event-types`.
    #[serde(default)]
    events: Vec<String>,
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointChanges {
    url: Option<String>,
    description: Option<String>,
    /// An empty list means all.
    events: Option<Vec<String>>,
}

/// Nothing but an empty object, or no body at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// How to rotate a secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SecretRotation {
    /// How long the secret before also signs: 0 to 604800; a day when absent.
    #[schema(minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u32>,
}

/// An endpoint as shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Endpoint)]
#[serde(rename_all = "camelCase")]
pub(super) struct EndpointBody {
    id: String,
    url: String,
    description: String,
    events: Vec<String>,
    /// `enabled` or `disabled`.
    status: String,
    /// Why it is disabled.
    note: Option<String>,
    /// Until when the secret before also signs.
    previous_secret_until: Option<String>,
    created_at: String,
    updated_at: String,
    /// `whsec_` and base64. Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// What came of a test message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndpointTest)]
pub(super) struct TestedBody {
    delivered: bool,
    /// The status that the receiver answered with.
    status: Option<u16>,
    /// Why it was not delivered.
    error: Option<String>,
}

impl EndpointBody {
    fn of(view: EndpointView, secret: Option<&Secret<String>>) -> Self {
        Self {
            id: view.id,
            url: view.url,
            description: view.description,
            events: view.events,
            status: view.status,
            note: view.note,
            previous_secret_until: view.previous_secret_until.map(time),
            created_at: time(view.created_at),
            updated_at: time(view.updated_at),
            secret: secret.map(|secret| secret.expose().clone()),
        }
    }
}

/// Writes down who lets events leave, and where to.
pub(super) async fn log(
    engine: &Engine,
    caller: &Caller,
    (what, endpoint): (&str, &str),
) -> Result<(), Problem> {
    Ok(engine.log_access(caller, "subscribe", "*", &format!("endpoint/{endpoint}"), what).await?)
}

/// Makes an endpoint. Its secret is in this answer only. Only types that the key may read itself can be named.
#[utoipa::path(post, path = "/v1/endpoints", tag = "endpoints", request_body = EndpointToMake, responses((status = 201, body = EndpointBody)))]
pub(super) async fn create_endpoint(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let (engine, listener) = (app.engine.clone(), session.clone());
    let work = async move |new: EndpointToMake| {
        may_hear(&listener, &new.events)?;
        let new = NewEndpoint { url: new.url, description: new.description, events: new.events };
        let (view, secret) = engine.make_endpoint(&caller, new).await?;
        log(&engine, &caller, ("endpoint_made", &view.id)).await?;
        Ok(Made::created(&EndpointBody::of(view, Some(&secret)))?.show_once(&["secret"]))
    };
    posted.once(&app, &session, work).await
}

/// All endpoints.
#[utoipa::path(get, path = "/v1/endpoints", tag = "endpoints", responses((status = 200, body = Page<EndpointBody>)))]
pub(super) async fn list_endpoints(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Page<EndpointBody>>, Problem> {
    let caller = session.may(Permission::ReadConnections)?;
    let found = app.engine.endpoints_of(&caller.organization).await?;
    Ok(Json(Page { items: found.into_iter().map(|view| EndpointBody::of(view, None)).collect(), next: None }))
}

/// One endpoint.
#[utoipa::path(get, path = "/v1/endpoints/{id}", tag = "endpoints", params(("id" = String, Path)), responses((status = 200, body = EndpointBody)))]
pub(super) async fn get_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<EndpointBody>, Problem> {
    let caller = session.may(Permission::ReadConnections)?;
    let found = app.engine.endpoint(&caller.organization, &id).await?;
    Ok(Json(EndpointBody::of(found, None)))
}

/// Changes what is given of an endpoint.
#[utoipa::path(post, path = "/v1/endpoints/{id}", tag = "endpoints", params(("id" = String, Path)), request_body = EndpointChanges, responses((status = 200, body = EndpointBody)))]
pub(super) async fn change_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let (engine, listener) = (app.engine.clone(), session.clone());
    let work = async move |new: EndpointChanges| {
        // Another address hears what the endpoint hears already.
        let heard = match &new.events {
            Some(events) => events.clone(),
            None => engine.endpoint(&caller.organization, &id).await?.events,
        };
        may_hear(&listener, &heard)?;
        log(&engine, &caller, ("endpoint_changed", &id)).await?;
        let changes = Changes { url: new.url, description: new.description, events: new.events };
        let view = engine.change_endpoint(&caller, &id, changes).await?;
        Made::ok(&EndpointBody::of(view, None))
    };
    posted.once(&app, &session, work).await
}

/// Sends to an endpoint again. What waited goes on; what happened meanwhile can be replayed.
#[utoipa::path(post, path = "/v1/endpoints/{id}/enable", tag = "endpoints", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = EndpointBody)))]
pub(super) async fn enable_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let (engine, listener) = (app.engine.clone(), session.clone());
    let work = async move |_: Nothing| {
        may_hear(&listener, &engine.endpoint(&caller.organization, &id).await?.events)?;
        log(&engine, &caller, ("endpoint_enabled", &id)).await?;
        let view = engine.enable_endpoint(&caller, &id).await?;
        Made::ok(&EndpointBody::of(view, None))
    };
    posted.once(&app, &session, work).await
}

/// Sends nothing to an endpoint any more, until it is enabled.
#[utoipa::path(post, path = "/v1/endpoints/{id}/disable", tag = "endpoints", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = EndpointBody)))]
pub(super) async fn disable_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let engine = app.engine.clone();
    let work = async move |_: Nothing| {
        let view = engine.disable_endpoint(&caller, &id).await?;
        Made::ok(&EndpointBody::of(view, None))
    };
    posted.once(&app, &session, work).await
}

/// Gives an endpoint a new secret, in this answer only. The one before also signs until the overlap is over.
#[utoipa::path(post, path = "/v1/endpoints/{id}/rotate", tag = "endpoints", params(("id" = String, Path)), request_body = SecretRotation, responses((status = 200, body = EndpointBody)))]
pub(super) async fn rotate_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let engine = app.engine.clone();
    let work = async move |rotation: SecretRotation| {
        let overlap = rotation.overlap_seconds.map_or(OVERLAP, |seconds| Duration::from_secs(seconds.into()));
        let (view, secret) = engine.rotate_endpoint(&caller, &id, overlap).await?;
        Ok(Made::ok(&EndpointBody::of(view, Some(&secret)))?.show_once(&["secret"]))
    };
    posted.once(&app, &session, work).await
}

/// Removes an endpoint. What waits for it is given up.
#[utoipa::path(delete, path = "/v1/endpoints/{id}", tag = "endpoints", params(("id" = String, Path)), responses((status = 204)))]
pub(super) async fn remove_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    app.engine.remove_endpoint(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a signed message of the type `endpoint.test` now, once, and says what came of it.
#[utoipa::path(post, path = "/v1/endpoints/{id}/test", tag = "endpoints", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = TestedBody)))]
pub(super) async fn test_endpoint(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let engine = app.engine.clone();
    let work = async move |_: Nothing| {
        let Tested { delivered, status, error } = engine.test_endpoint(&caller, &id).await?;
        Made::ok(&TestedBody { delivered, status, error })
    };
    posted.once(&app, &session, work).await
}
