//! Types of visit: make one, change it whole, list them.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::{ClinicId, Mint, VisitTypeId};
use suture_core::practice::VisitType;
use suture_engine::Engine;
use utoipa::IntoParams;

use super::practice_body::{VisitTypeBody, same_id};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{in_path, in_query};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// Which types of visit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VisitTypeQuery {
    /// Only of this clinic.
    clinic: Option<String>,
    /// Only those that need this specialty.
    specialty: Option<String>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

async fn known(engine: &Engine, organization: &str, id: &str) -> Result<VisitType, Problem> {
    let id = in_path(VisitTypeId::parse, id, "type of visit")?;
    let practice = engine.practice(organization).await?;
    practice.visit_types.get(&id).cloned().ok_or_else(|| Problem::not_found("type of visit"))
}

/// Makes a type of visit. Refused with `definition_invalid`, `terms_invalid` and `visit_times_invalid`.
#[utoipa::path(post, path = "/v1/visit-types", tag = "practice", request_body = VisitTypeBody, responses((status = 201, body = VisitTypeBody)))]
pub(super) async fn create_visit_type(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePractice)?;
    let engine = app.engine.clone();
    let work = async move |new: VisitTypeBody| {
        let id = VisitTypeId::mint(Mint::new(engine.now(), engine.random()));
        same_id(new.id.as_deref(), "")?;
        let visit = engine.define_visit_type(&caller, new.understood(id)?).await?;
        Made::created(&VisitTypeBody::of(&visit))
    };
    posted.once(&app, &session, work).await
}

/// Types of visit in order of their ids.
#[utoipa::path(get, path = "/v1/visit-types", tag = "practice", params(VisitTypeQuery), responses((status = 200, body = Page<VisitTypeBody>)))]
pub(super) async fn list_visit_types(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<VisitTypeQuery>,
) -> Result<Json<Page<VisitTypeBody>>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let clinic = in_query(ClinicId::parse, query.clinic.as_deref(), "clinic")?;
    let practice = app.engine.practice(&caller.organization).await?;
    let pages = PageQuery { cursor: query.cursor, limit: query.limit };
    let after = pages.id_or("");
    let fits = |visit: &&VisitType| {
        visit.id.to_string() > after
            && clinic.is_none_or(|clinic| clinic == visit.clinic)
            && query.specialty.as_ref().is_none_or(|wanted| visit.specialty.as_ref() == Some(wanted))
    };
    let found: Vec<VisitType> =
        practice.visit_types.values().filter(fits).take(pages.room()).cloned().collect();
    Ok(Json(pages.page(found, |one| one.id.to_string(), |one| VisitTypeBody::of(&one))))
}

/// One type of visit.
#[utoipa::path(get, path = "/v1/visit-types/{id}", tag = "practice", params(("id" = String, Path)), responses((status = 200, body = VisitTypeBody)))]
pub(super) async fn get_visit_type(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<VisitTypeBody>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    Ok(Json(VisitTypeBody::of(&known(&app.engine, &caller.organization, &id).await?)))
}

/// Changes a type of visit, whole. New bookings follow; those that stand keep their terms.
#[utoipa::path(put, path = "/v1/visit-types/{id}", tag = "practice", params(("id" = String, Path)), request_body = VisitTypeBody, responses((status = 200, body = VisitTypeBody)))]
pub(super) async fn put_visit_type(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<VisitTypeBody>, Problem> {
    let caller = session.may(Permission::ManagePractice)?;
    let before = known(&app.engine, &caller.organization, &id).await?;
    let new: VisitTypeBody = posted.parse()?;
    same_id(new.id.as_deref(), &id)?;
    let visit = app.engine.define_visit_type(&caller, new.understood(before.id)?).await?;
    Ok(Json(VisitTypeBody::of(&visit)))
}
