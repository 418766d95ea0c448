//! What is done with an appointment: paid, taken, cancelled, moved, seen anyway, begun, missed.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::appointment::Party;
use suture_core::id::AppointmentId;
use suture_core::visit::Occasion;
use suture_engine::scheduling::{Ending, Move, PayVisit};
use suture_engine::{Caller, Engine};
use utoipa::{IntoParams, ToSchema};

use super::appointment_body::{AppointmentBody, PreviewBody, VisitParty};
use super::appointments::appointment_id;
use super::encounter_body::EncounterBody;
use super::payment_body::PaymentBody;
use super::services::code;
use super::visit_time::{LocalBody, moment_of};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::short;
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// How an appointment is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewVisitPayment)]
pub(super) struct HowToPay {
    /// The connection; the only gateway when absent.
    connection: Option<String>,
    /// The gateway's method; without one the payer gives it in the browser, or the one on file is used off session.
    method: Option<String>,
    /// Keep the method for later.
    #[serde(default)]
    save_method: bool,
    /// The payer is not present: needs a consent.
    #[serde(default)]
    off_session: bool,
    /// Where the payer's browser returns after an action.
    return_url: Option<String>,
}

/// An appointment, and the payment for it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaidAppointment {
    appointment: AppointmentBody,
    payment: PaymentBody,
    /// For the payer's browser; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// Nothing but an empty object, or no body at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoDetails)]
pub(super) struct Nothing {}

/// How an appointment is to end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewVisitCancellation)]
pub(super) struct CancellationToMake {
    by: VisitParty,
    /// Why, as a code. No personal data.
    reason: String,
    /// Who waives the fee; needs the right to settle.
    waived_by: Option<String>,
}

/// What would be cancelled, by whom and why.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EndingQuery {
    /// Who cancels; the patient when absent.
    by: Option<VisitParty>,
    /// Why, as a code; `patient_request` when absent.
    reason: Option<String>,
}

/// Where an appointment is to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewVisitTime)]
pub(super) struct MoveToMake {
    /// When it begins; or `local`.
    starts_at: Option<String>,
    /// When it begins on a wall; or `startsAt`.
    local: Option<LocalBody>,
    by: VisitParty,
    /// Why, as a code. No personal data.
    reason: String,
}

/// Who sees the patient anyway.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewVisitOverride)]
pub(super) struct OverrideToMake {
    by: String,
    /// Why, as a code. No personal data.
    reason: String,
}

/// Whether it is an emergency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEmergencyMark)]
pub(super) struct EmergencyToMark {
    emergency: bool,
    by: String,
    /// Why, as a code. No personal data.
    reason: String,
}

fn may(session: &Session, permission: Permission, id: &str) -> Result<(Caller, AppointmentId), Problem> {
    Ok((session.may(permission)?, appointment_id(id)?))
}

async fn paid(
    engine: &Engine,
    (caller, id): (&Caller, AppointmentId),
    how: HowToPay,
) -> Result<Made, Problem> {
    let pay = PayVisit {
        connection: how.connection,
        method: how.method,
        save_method: how.save_method,
        off_session: how.off_session,
        return_url: how.return_url,
    };
    let (appointment, taken) = engine.pay_appointment(caller, id, pay).await?;
    let body = PaidAppointment {
        appointment: AppointmentBody::of(&appointment),
        payment: PaymentBody::of(&taken.payment),
        client_secret: taken.client_secret.as_ref().map(|secret| secret.expose().clone()),
    };
    Ok(Made::created(&body)?.show_once(&["clientSecret"]))
}

/// Takes what is due: the deposit while the slot is held, or what is due before the visit. After a decline, the next attempt
/// of the same payment. Refused with `nothing_due`, `hold_ended`, `debt_locked`, and off session with `method_missing`,
/// `consent_missing`, `consent_ended` and `consent_cap_exceeded`.
#[utoipa::path(post, path = "/v1/appointments/{id}/pay", tag = "visits", params(("id" = String, Path)), request_body = HowToPay, responses((status = 201, body = PaidAppointment)))]
pub(super) async fn pay_appointment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::TakePayments, &id)?;
    let engine = app.engine.clone();
    let work = async move |how: HowToPay| paid(&engine, (&caller, id), how).await;
    posted.once(&app, &session, work).await
}

/// Takes an offer of the waiting list that costs nothing now. Refused with `deposit_required` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/appointments/{id}/accept", tag = "visits", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn accept_offer(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let engine = app.engine.clone();
    let work =
        async move |_: Nothing| Made::ok(&AppointmentBody::of(&engine.accept_offer(&caller, id).await?));
    posted.once(&app, &session, work).await
}

/// What cancelling would cost now, and what goes back. Changes nothing.
#[utoipa::path(get, path = "/v1/appointments/{id}/cancel/preview", tag = "visits", params(("id" = String, Path), EndingQuery), responses((status = 200, body = PreviewBody)))]
pub(super) async fn preview_cancellation(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<EndingQuery>,
) -> Result<Json<PreviewBody>, Problem> {
    let (caller, id) = may(&session, Permission::ReadSchedule, &id)?;
    let by = query.by.map_or(Party::Patient, Into::into);
    let reason = query.reason.as_deref().unwrap_or("patient_request");
    let preview = app.engine.preview_cancellation(&caller.organization, id, (by, reason)).await?;
    Ok(Json(PreviewBody::of(&preview)))
}

/// What marking the patient as missing would cost now. Changes nothing.
#[utoipa::path(get, path = "/v1/appointments/{id}/no-show/preview", tag = "visits", params(("id" = String, Path)), responses((status = 200, body = PreviewBody)))]
pub(super) async fn preview_no_show(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<PreviewBody>, Problem> {
    let (caller, id) = may(&session, Permission::ReadSchedule, &id)?;
    let asked = (Occasion::NoShow, "no_show");
    Ok(Json(PreviewBody::of(&app.engine.preview_ending(&caller.organization, id, asked).await?)))
}

/// Cancels an appointment by the clinic's policy: its slot is free, its money moves as `cancel/preview` says. Refused with
/// `not_allowed_now` once the visit began, and `reason_required`.
#[utoipa::path(post, path = "/v1/appointments/{id}/cancel", tag = "visits", params(("id" = String, Path)), request_body = CancellationToMake, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn cancel_appointment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let (engine, may_waive) = (app.engine.clone(), session.has(Permission::SettleServices));
    let work = async move |new: CancellationToMake| {
        if new.waived_by.is_some() && !may_waive {
            return Err(Problem::forbidden());
        }
        let waived_by = new.waived_by.map(|by| short("waivedBy", by)).transpose()?;
        let ending = Ending { by: new.by.into(), reason: code(&new.reason)?, waived_by };
        Made::ok(&AppointmentBody::of(&engine.cancel_appointment(&caller, id, ending).await?))
    };
    posted.once(&app, &session, work).await
}

/// Moves an appointment to another opening of its provider; its deposit stays with it. Refused with `slot_taken`,
/// `move_costs_fee`, `appointment_at_risk` and `time_does_not_exist`.
#[utoipa::path(post, path = "/v1/appointments/{id}/move", tag = "visits", params(("id" = String, Path)), request_body = MoveToMake, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn move_appointment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let engine = app.engine.clone();
    let work = async move |new: MoveToMake| {
        let starts_at = moment_of(new.starts_at.as_deref(), new.local.as_ref())?;
        let to = Move { starts_at, by: new.by.into(), reason: code(&new.reason)? };
        Made::ok(&AppointmentBody::of(&engine.move_appointment(&caller, id, to).await?))
    };
    posted.once(&app, &session, work).await
}

/// Records that the patient did not come, by the clinic's policy. Refused with `visit_not_begun` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/appointments/{id}/no-show", tag = "visits", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn miss_appointment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let engine = app.engine.clone();
    let work =
        async move |_: Nothing| Made::ok(&AppointmentBody::of(&engine.miss_appointment(&caller, id).await?));
    posted.once(&app, &session, work).await
}

/// Records that the patient is here. A deposit that was only reserved is captured. Refused with `not_allowed_now`.
#[utoipa::path(post, path = "/v1/appointments/{id}/arrive", tag = "visits", params(("id" = String, Path)), request_body = Nothing, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn arrive(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let engine = app.engine.clone();
    let work = async move |_: Nothing| Made::ok(&AppointmentBody::of(&engine.arrive(&caller, id).await?));
    posted.once(&app, &session, work).await
}

/// Sees the patient although a charge before the visit failed: what is due stays owed. Refused with `not_allowed_now`.
#[utoipa::path(post, path = "/v1/appointments/{id}/override", tag = "visits", params(("id" = String, Path)), request_body = OverrideToMake, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn override_risk(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let engine = app.engine.clone();
    let work = async move |new: OverrideToMake| {
        let (by, reason) = (short("by", new.by)?, code(&new.reason)?);
        Made::ok(&AppointmentBody::of(&engine.override_risk(&caller, id, (&by, &reason)).await?))
    };
    posted.once(&app, &session, work).await
}

/// Marks an appointment as an emergency, which is never released for money, or takes the mark back.
#[utoipa::path(post, path = "/v1/appointments/{id}/emergency", tag = "visits", params(("id" = String, Path)), request_body = EmergencyToMark, responses((status = 200, body = AppointmentBody)))]
pub(super) async fn mark_emergency(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::BookVisits, &id)?;
    let engine = app.engine.clone();
    let work = async move |new: EmergencyToMark| {
        let (by, reason) = (short("by", new.by)?, code(&new.reason)?);
        let mark = (new.emergency, by.as_str(), reason.as_str());
        Made::ok(&AppointmentBody::of(&engine.mark_emergency(&caller, id, mark).await?))
    };
    posted.once(&app, &session, work).await
}

/// Opens the encounter of an appointment; the patient is here then. Refused with `encounter_exists` and
/// `not_allowed_now`.
#[utoipa::path(post, path = "/v1/appointments/{id}/encounter", tag = "visits", params(("id" = String, Path)), request_body = Nothing, responses((status = 201, body = EncounterBody)))]
pub(super) async fn open_encounter(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = may(&session, Permission::DocumentCare, &id)?;
    let engine = app.engine.clone();
    let work =
        async move |_: Nothing| Made::created(&EncounterBody::of(&engine.open_encounter(&caller, id).await?));
    posted.once(&app, &session, work).await
}
