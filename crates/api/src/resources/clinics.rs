//! Clinics: make one, change it whole, list them; and what a change of holidays would break, before it is made.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use suture_core::id::{ClinicId, Mint};
use suture_core::practice::Clinic;
use suture_engine::{Caller, Engine};
use utoipa::ToSchema;

use super::appointment_body::VisitRow;
use super::practice_body::{ClinicBody, same_id};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::in_path;
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A clinic as it is now, with the appointments that its holidays leave outside.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefinedClinic {
    #[serde(flatten)]
    clinic: ClinicBody,
    /// Appointments to come that lie outside of the hours now: somebody moves or cancels them.
    outside_hours: Vec<VisitRow>,
}

/// Appointments that would lie outside of the hours.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BrokenVisits {
    pub(super) outside_hours: Vec<VisitRow>,
}

/// The clinic that a path names.
pub(super) fn clinic_id(text: &str) -> Result<ClinicId, Problem> {
    in_path(ClinicId::parse, text, "clinic")
}

/// A clinic as defined now.
pub(super) async fn known(engine: &Engine, organization: &str, id: ClinicId) -> Result<Clinic, Problem> {
    let practice = engine.practice(organization).await?;
    practice.clinics.get(&id).cloned().ok_or_else(|| Problem::not_found("clinic"))
}

async fn defined(engine: &Engine, caller: &Caller, clinic: Clinic) -> Result<DefinedClinic, Problem> {
    let clinic = engine.define_clinic(caller, clinic).await?;
    let outside = engine.outside_hours_of_clinic(&caller.organization, &clinic).await?;
    Ok(DefinedClinic {
        clinic: ClinicBody::of(&clinic),
        outside_hours: outside.iter().map(VisitRow::of).collect(),
    })
}

/// Makes a clinic. Refused with `definition_invalid`, `policy_invalid`, `policy_example_failed`, `exception_invalid` and
/// `zone_unknown`.
#[utoipa::path(post, path = "/v1/clinics", tag = "practice", request_body = ClinicBody, responses((status = 201, body = ClinicBody)))]
pub(super) async fn create_clinic(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePractice)?;
    let engine = app.engine.clone();
    let work = async move |new: ClinicBody| {
        let id = ClinicId::mint(Mint::new(engine.now(), engine.random()));
        same_id(new.id.as_deref(), "")?;
        let clinic = engine.define_clinic(&caller, new.understood(id)?).await?;
        Made::created(&ClinicBody::of(&clinic))
    };
    posted.once(&app, &session, work).await
}

/// Clinics in order of their ids.
#[utoipa::path(get, path = "/v1/clinics", tag = "practice", params(PageQuery), responses((status = 200, body = Page<ClinicBody>)))]
pub(super) async fn list_clinics(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<ClinicBody>>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let practice = app.engine.practice(&caller.organization).await?;
    let after = query.id_or("");
    let found = practice.clinics.values().filter(|clinic| clinic.id.to_string() > after);
    let found = found.take(query.room()).cloned().collect();
    Ok(Json(query.page(found, |clinic: &Clinic| clinic.id.to_string(), |clinic| ClinicBody::of(&clinic))))
}

/// One clinic.
#[utoipa::path(get, path = "/v1/clinics/{id}", tag = "practice", params(("id" = String, Path)), responses((status = 200, body = ClinicBody)))]
pub(super) async fn get_clinic(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<ClinicBody>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let clinic = known(&app.engine, &caller.organization, clinic_id(&id)?).await?;
    Ok(Json(ClinicBody::of(&clinic)))
}

/// Changes a clinic, whole. Bookings that stand keep their terms and times; those outside of the hours are answered.
#[utoipa::path(put, path = "/v1/clinics/{id}", tag = "practice", params(("id" = String, Path)), request_body = ClinicBody, responses((status = 200, body = DefinedClinic)))]
pub(super) async fn put_clinic(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<DefinedClinic>, Problem> {
    let caller = session.may(Permission::ManagePractice)?;
    let known = known(&app.engine, &caller.organization, clinic_id(&id)?).await?;
    let new: ClinicBody = posted.parse()?;
    same_id(new.id.as_deref(), &id)?;
    Ok(Json(defined(&app.engine, &caller, new.understood(known.id)?).await?))
}

/// What a change of a clinic would break. Changes nothing.
#[utoipa::path(post, path = "/v1/clinics/{id}/preview", tag = "practice", params(("id" = String, Path)), request_body = ClinicBody, responses((status = 200, body = BrokenVisits)))]
pub(super) async fn preview_clinic(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<BrokenVisits>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let known = known(&app.engine, &caller.organization, clinic_id(&id)?).await?;
    let new: ClinicBody = posted.parse()?;
    same_id(new.id.as_deref(), &id)?;
    let clinic = new.understood(known.id)?;
    let outside = app.engine.outside_hours_of_clinic(&caller.organization, &clinic).await?;
    Ok(Json(BrokenVisits { outside_hours: outside.iter().map(VisitRow::of).collect() }))
}
