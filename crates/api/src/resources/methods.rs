//! Payment methods on file: begin to store one, list them, remove one, and say whether one is an HSA or FSA card.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::patient::Command;
use utoipa::ToSchema;

use super::patient_body::{HealthCard, MethodBody};
use super::patients::patient_id;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::PurposeQuery;
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Where a method is to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSetup {
    /// The connection; the patient must have a customer there.
    connection: String,
}

/// A setup that the payer's browser finishes. The method then shows on the patient by itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Setup)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetupBody {
    /// The gateway's setup.
    setup: String,
    /// The browser's secret; in the first answer only.
    client_secret: String,
}

/// Whether a method is an HSA or FSA card.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct HealthCardWord {
    health_card: HealthCard,
}

/// Begins to store a method. Refused with `customer_missing` while the patient has no customer there.
#[utoipa::path(post, path = "/v1/patients/{id}/setups", tag = "patients", params(("id" = String, Path)), request_body = NewSetup, responses((status = 201, body = SetupBody)))]
pub(super) async fn start_setup(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, patient_id(&id)?);
    let (engine, key) = (app.engine.clone(), posted.derived_key(&session));
    let work = async move |new: NewSetup| {
        let started = engine.start_setup(&caller, id, &new.connection, &key).await?;
        let client_secret = started.client_secret.expose().clone();
        Ok(Made::created(&SetupBody { setup: started.setup, client_secret })?.show_once(&["clientSecret"]))
    };
    posted.once(&app, &session, work).await
}

/// Every method that is or was on file.
#[utoipa::path(get, path = "/v1/patients/{id}/methods", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = Page<MethodBody>)))]
pub(super) async fn list_methods(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<Page<MethodBody>>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, patient_id(&id)?);
    let (why, now) = (query.code()?, app.engine.now());
    let patient = app.engine.patient(&caller.organization, id).await?;
    app.engine.log_access(&caller, "read", &id.to_string(), "methods", &why).await?;
    let items = patient.methods.values().map(|method| MethodBody::of(method, now)).collect();
    Ok(Json(Page { items, next: None }))
}

/// Takes a method off file, at the gateway first.
#[utoipa::path(delete, path = "/v1/patients/{id}/methods/{method}", tag = "patients", params(("id" = String, Path), ("method" = String, Path)), responses((status = 204)))]
pub(super) async fn remove_method(
    State(app): State<App>,
    session: Session,
    Path((id, method)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, patient_id(&id)?);
    app.engine.remove_method(&caller, id, &method).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says whether a method is an HSA or FSA card, where the gateway does not know. Refused with `method_missing`.
#[utoipa::path(put, path = "/v1/patients/{id}/methods/{method}/health-card", tag = "patients", params(("id" = String, Path), ("method" = String, Path)), request_body = HealthCardWord, responses((status = 200, body = MethodBody)))]
pub(super) async fn mark_health_card(
    State(app): State<App>,
    session: Session,
    Path((id, method)): Path<(String, String)>,
    posted: Posted,
) -> Result<Json<MethodBody>, Problem> {
    let (caller, id) = (session.may(Permission::ManagePatients)?, patient_id(&id)?);
    let word: HealthCardWord = posted.parse()?;
    let command = Command::MarkHealthCard { method: method.clone(), health_card: word.health_card.into() };
    let patient = app.engine.change_patient(&caller, id, command, "health_card_marked").await?;
    let marked = patient.methods.get(&method).ok_or_else(|| Problem::not_found("method"))?;
    Ok(Json(MethodBody::of(marked, app.engine.now())))
}
