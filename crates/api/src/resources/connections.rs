//! Connections to gateways and EHRs. Credentials go in and never come out.

use std::collections::BTreeMap;
use std::fmt;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::redact::Secret;
use suture_engine::Health;
use suture_engine::admin::{ConnectionView, NewConnection, Probe};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::once::{Made, Posted};
use crate::page::Page;
use crate::problem::Problem;

/// A connection to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewConnection)]
pub(super) struct ConnectionToMake {
    /// The kind of system: `stripe` or `epic`.
    kind: String,
    /// What people call it.
    name: String,
    /// Open settings of this kind.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: serde_json::Map<String, Value>,
    /// Credentials by name; several values of one name are valid at the same time.
    #[serde(default)]
    secrets: Secrets,
}

/// Credentials to replace by name; the others stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    secrets: Secrets,
}

/// Where the gateway reaches us.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    /// The public URL of `/webhooks/{connection}`.
    url: String,
}

/// Credentials on their way in. Never printed.
#[derive(Default, Deserialize, ToSchema)]
#[schema(value_type = BTreeMap<String, Vec<String>>)]
pub(super) struct Secrets(BTreeMap<String, Vec<String>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Secrets {
    fn wrapped(self) -> BTreeMap<String, Vec<Secret<String>>> {
        let wrap = |values: Vec<String>| values.into_iter().map(Secret::new).collect();
        self.0.into_iter().map(|(name, values)| (name, wrap(values))).collect()
    }
}

/// A connection as shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(super) struct ConnectionBody {
    id: String,
    kind: String,
    name: String,
    /// `active`, or why it cannot be used.
    status: String,
    #[schema(value_type = Object)]
    settings: Value,
    /// How it is doing; absent when it cannot be used.
    health: Option<HealthBody>,
}

/// How a connection is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionHealth)]
#[serde(rename_all = "camelCase")]
pub(super) struct HealthBody {
    calls_last_minute: u32,
    limit_per_minute: Option<u32>,
    /// Calls wait because of a limit, ours or theirs.
    throttled: bool,
    /// Failures in a row.
    failures: u32,
    /// Calls wait until one succeeds.
    circuit_open: bool,
}

/// What a probe found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Probe)]
pub(super) struct ProbeBody {
    /// Whether the connection can be used.
    usable: bool,
    /// What was found, what is missing, how to mend it.
    findings: Vec<String>,
    /// How postings go in, for an EHR.
    route: Option<String>,
}

impl From<ConnectionView> for ConnectionBody {
    fn from(view: ConnectionView) -> Self {
        let ConnectionView { id, kind, name, status, settings, health } = view;
        Self { id, kind, name, status, settings, health: health.map(HealthBody::from) }
    }
}

impl From<Health> for HealthBody {
    fn from(health: Health) -> Self {
        Self {
            calls_last_minute: health.calls_last_minute,
            limit_per_minute: health.limit_per_minute,
            throttled: health.throttled,
            failures: health.failures,
            circuit_open: health.circuit_open,
        }
    }
}

impl From<Probe> for ProbeBody {
    fn from(probe: Probe) -> Self {
        Self { usable: probe.usable, findings: probe.findings, route: probe.route }
    }
}

/// Makes a connection. It must open, and its credentials must be of the organization's mode.
#[utoipa::path(post, path = "/v1/connections", tag = "connections", request_body = ConnectionToMake, responses((status = 201, body = ConnectionBody)))]
pub(super) async fn create_connection(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let engine = app.engine.clone();
    let work = async move |new: ConnectionToMake| {
        let new = NewConnection {
            kind: new.kind,
            name: new.name,
            settings: Value::Object(new.settings),
            secrets: new.secrets.wrapped(),
        };
        let view = engine.put_connection(&caller, None, new).await?;
        Made::created(&ConnectionBody::from(view))
    };
    posted.once(&app, &session, work).await
}

/// All connections.
#[utoipa::path(get, path = "/v1/connections", tag = "connections", responses((status = 200, body = Page<ConnectionBody>)))]
pub(super) async fn list_connections(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Page<ConnectionBody>>, Problem> {
    let caller = session.may(Permission::ReadConnections)?;
    let found = app.engine.connections_of(&caller.organization);
    Ok(Json(Page { items: found.into_iter().map(ConnectionBody::from).collect(), next: None }))
}

/// One connection.
#[utoipa::path(get, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, Path)), responses((status = 200, body = ConnectionBody)))]
pub(super) async fn get_connection(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<ConnectionBody>, Problem> {
    let caller = session.may(Permission::ReadConnections)?;
    let found = app.engine.connections_of(&caller.organization).into_iter().find(|view| view.id == id);
    found.map(|view| Json(view.into())).ok_or_else(|| Problem::not_found("connection"))
}

/// Asks the other system what it offers.
#[utoipa::path(post, path = "/v1/connections/{id}/probe", tag = "connections", params(("id" = String, Path)), responses((status = 200, body = ProbeBody)))]
pub(super) async fn probe_connection(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<ProbeBody>, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let probe = app.engine.probe(&caller, &id).await?;
    Ok(Json(probe.into()))
}

/// Replaces credentials by name. Give the old and the new value to rotate without a gap.
#[utoipa::path(post, path = "/v1/connections/{id}/rotate", tag = "connections", params(("id" = String, Path)), request_body = Rotation, responses((status = 200, body = ConnectionBody)))]
pub(super) async fn rotate_secrets(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let engine = app.engine.clone();
    let work = async move |rotation: Rotation| {
        let view = engine.rotate_secrets(&caller, &id, rotation.secrets.wrapped()).await?;
        Made::ok(&ConnectionBody::from(view))
    };
    posted.once(&app, &session, work).await
}

/// Registers our webhook endpoint at the gateway and keeps its signing secret.
#[utoipa::path(post, path = "/v1/connections/{id}/webhook", tag = "connections", params(("id" = String, Path)), request_body = Endpoint, responses((status = 200, body = ConnectionBody)))]
pub(super) async fn register_webhook(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let engine = app.engine.clone();
    let work = async move |endpoint: Endpoint| {
        let view = engine.register_webhook(&caller, &id, &endpoint.url).await?;
        Made::ok(&ConnectionBody::from(view))
    };
    posted.once(&app, &session, work).await
}
