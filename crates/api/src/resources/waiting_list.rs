//! The waiting list: join, look, leave.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::id::{PatientId, ProviderId, VisitTypeId, WaitingId};
use suture_core::waiting::{self, Waiting, Wish};
use suture_engine::scheduling::Places;
use utoipa::{IntoParams, ToSchema};

use super::practice_body;
use super::services::code;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{PurposeQuery, in_field, in_path, in_query, moment_in, purpose, time, words};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

words! {
    /// Where a place of the waiting list stands.
    WaitingStatus = waiting::Status { Waiting, Offered, Booked, Left }
}

/// What a patient waits for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewWaitingPlace)]
pub(super) struct PlaceToTake {
    patient: String,
    visit_type: String,
    /// With whom; anybody who offers it when absent.
    provider: Option<String>,
    /// Not before this; now when absent.
    from: Option<String>,
    /// Not after this.
    until: String,
    /// The patient's IANA zone.
    zone: String,
}

/// Why a patient does not wait any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWaitingEnd)]
pub(super) struct EndOfWaiting {
    /// As a code.
    reason: String,
}

/// Which places.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct WaitingQuery {
    /// Where they stand; all when absent.
    status: Option<WaitingStatus>,
    /// Only of this patient.
    patient: Option<String>,
    /// Only for this type of visit.
    visit_type: Option<String>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Why, as a code, for the access log; `api` when absent.
    purpose: Option<String>,
}

/// A place of the waiting list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingPlace)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlaceBody {
    id: String,
    patient: String,
    visit_type: String,
    provider: Option<String>,
    from: String,
    until: String,
    zone: String,
    /// The order of the list.
    since: String,
    status: WaitingStatus,
    /// What is offered, or was booked.
    appointment: Option<String>,
    /// How many offers ran out.
    passed: u32,
}

impl PlaceBody {
    fn of(place: &Waiting) -> Self {
        let wish = &place.wish;
        Self {
            id: place.id.to_string(),
            patient: wish.patient.to_string(),
            visit_type: wish.visit_type.to_string(),
            provider: wish.provider.map(|provider| provider.to_string()),
            from: time(wish.from),
            until: time(wish.until),
            zone: wish.zone.clone(),
            since: time(place.since),
            status: place.status.into(),
            appointment: place.appointment.map(|appointment| appointment.to_string()),
            passed: place.passed,
        }
    }
}

fn waiting_id(text: &str) -> Result<WaitingId, Problem> {
    in_path(WaitingId::parse, text, "place")
}

/// Puts a patient on the waiting list: released slots are offered in the order of joining. Refused with `time_invalid` and
/// `zone_unknown`.
#[utoipa::path(post, path = "/v1/waiting-list", tag = "visits", request_body = PlaceToTake, responses((status = 201, body = PlaceBody)))]
pub(super) async fn join_waiting_list(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::BookVisits)?;
    let engine = app.engine.clone();
    let work = async move |new: PlaceToTake| {
        let provider = new.provider.as_deref().map(|id| in_field(ProviderId::parse, id, "provider"));
        let provider = provider.transpose()?;
        let practice = engine.practice(&caller.organization).await?;
        if provider.is_some_and(|id| !practice.providers.contains_key(&id)) {
            return Err(Problem::not_found("provider"));
        }
        let from = new.from.as_deref().map(|text| moment_in("from", text)).transpose()?;
        let wish = Wish {
            patient: in_field(PatientId::parse, &new.patient, "patient")?,
            visit_type: in_field(VisitTypeId::parse, &new.visit_type, "visitType")?,
            provider,
            from: from.unwrap_or_else(|| engine.now()),
            until: moment_in("until", &new.until)?,
            zone: practice_body::zone(&new.zone)?.name().to_owned(),
        };
        Made::created(&PlaceBody::of(&engine.join_waiting_list(&caller, wish).await?))
    };
    posted.once(&app, &session, work).await
}

/// Places of the waiting list in order of their ids, which is that of joining. A page may hold fewer than asked for while
/// `next` is there.
#[utoipa::path(get, path = "/v1/waiting-list", tag = "visits", params(WaitingQuery), responses((status = 200, body = Page<PlaceBody>)))]
pub(super) async fn list_waiting(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<WaitingQuery>,
) -> Result<Json<Page<PlaceBody>>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let why = purpose(query.purpose.as_deref())?;
    let which = Places {
        status: query.status.map(Into::into),
        patient: in_query(PatientId::parse, query.patient.as_deref(), "patient")?,
        visit_type: in_query(VisitTypeId::parse, query.visit_type.as_deref(), "visitType")?,
    };
    let subject = which.patient.map_or_else(|| "*".to_owned(), |patient| patient.to_string());
    app.engine.log_access(&caller, "read", &subject, "waiting_list", &why).await?;
    let limit = usize::from(query.limit.unwrap_or(50).clamp(1, 200));
    let after = query.cursor.unwrap_or_default();
    let (found, next) = app.engine.waiting_list(&caller.organization, which, (&after, limit)).await?;
    Ok(Json(Page { items: found.iter().map(PlaceBody::of).collect(), next }))
}

/// One place of the waiting list.
#[utoipa::path(get, path = "/v1/waiting-list/{id}", tag = "visits", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = PlaceBody)))]
pub(super) async fn get_waiting(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<PlaceBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadSchedule)?, waiting_id(&id)?);
    let why = query.code()?;
    let place = app.engine.waiting(&caller.organization, id).await?;
    let patient = place.wish.patient.to_string();
    app.engine.log_access(&caller, "read", &patient, &format!("waiting/{id}"), &why).await?;
    Ok(Json(PlaceBody::of(&place)))
}

/// Takes a patient off the waiting list. Refused with `reason_required` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/waiting-list/{id}/leave", tag = "visits", params(("id" = String, Path)), request_body = EndOfWaiting, responses((status = 200, body = PlaceBody)))]
pub(super) async fn leave_waiting_list(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::BookVisits)?, waiting_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: EndOfWaiting| {
        let reason = code(&new.reason)?;
        Made::ok(&PlaceBody::of(&engine.leave_waiting_list(&caller, id, &reason).await?))
    };
    posted.once(&app, &session, work).await
}
