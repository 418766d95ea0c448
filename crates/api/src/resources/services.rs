//! Services: book, list by status, schedule, record the care, sign, send the claim, cancel. Completion is never by hand.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::explain::Reason;
use suture_core::id::{EligibilityId, PatientId, ServiceId};
use suture_core::service::{Command, Line, Service};
use suture_engine::billing::{NewService, Note};
use suture_engine::{Caller, Engine, Error};
use utoipa::{IntoParams, ToSchema};

use super::service_body::{LineBody, NoteKind, ServiceBody, ServiceStatus};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Personal, PurposeQuery, in_field, in_path, moment_in, opaque, purpose, short};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// A service to book.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewService)]
pub(super) struct ServiceToBook {
    patient: String,
    /// The check that its estimate charges were made with: they attach by themselves. Self-pay without a check when absent.
    eligibility: Option<String>,
    /// When it is, when known.
    at: Option<String>,
    /// The ISO 4217 code of all its amounts.
    #[schema(example = "USD")]
    currency: String,
    /// The guarantor account, an opaque id, when there is no check.
    account: Option<String>,
}

/// When a service is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Schedule {
    at: String,
}

/// What was done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivery {
    /// 1 to 100 lines.
    lines: Vec<LineBody>,
}

/// A note to sign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNote)]
pub(super) struct NoteToSign {
    kind: NoteKind,
    /// Who signs.
    signer: String,
    /// The text: sealed when stored, and never part of an answer. It can never change.
    #[schema(value_type = String, write_only)]
    text: Personal,
}

/// The claim that was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClaim)]
pub(super) struct ClaimToSend {
    /// Its control number: 1 to 20 letters, digits, '-', '.' or '_'.
    claim: String,
}

/// Who cancels a service.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CanceledBy {
    /// The patient.
    Patient,
    /// The clinic.
    Clinic,
    /// Another system.
    System,
}

/// Why a service will not take place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewServiceCancellation)]
pub(super) struct ServiceCancellation {
    by: CanceledBy,
    /// Why, as a code. No personal data.
    reason: String,
}

/// Which services.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ServiceQuery {
    /// Where they stand; all when absent.
    status: Option<ServiceStatus>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Why, as a code, for the access log; `api` when absent.
    purpose: Option<String>,
}

impl ServiceToBook {
    fn understood(self) -> Result<NewService, Problem> {
        let check = self.eligibility.as_deref().map(|id| in_field(EligibilityId::parse, id, "eligibility"));
        let currency = suture_core::currency::Currency::parse(&self.currency).map_err(|unknown| {
            Problem::invalid("currency_unknown", format!("Nothing was changed: {unknown}."))
        })?;
        Ok(NewService {
            patient: in_field(PatientId::parse, &self.patient, "patient")?,
            eligibility: check.transpose()?,
            at: self.at.as_deref().map(|at| moment_in("at", at)).transpose()?,
            currency,
            account: opaque("account", self.account)?,
        })
    }
}

/// The service that a path names.
pub(super) fn service_id(text: &str) -> Result<ServiceId, Problem> {
    in_path(ServiceId::parse, text, "service")
}

/// A reason as a code.
pub(super) fn code(reason: &str) -> Result<String, Problem> {
    let reason = Reason::parse(reason).map_err(Error::from)?;
    Ok(reason.as_str().to_owned())
}

/// Carries a command out and shows the service after it.
pub(super) async fn changed(
    engine: &Engine,
    (caller, id): (&Caller, ServiceId),
    command: Command,
    reason: &str,
) -> Result<Made, Problem> {
    let service: Service = engine.change_service(caller, id, command, reason).await?;
    Made::ok(&ServiceBody::of(&service))
}

/// Books a service. Refused with `eligibility_of_another_patient` and `eligibility_used`.
#[utoipa::path(post, path = "/v1/services", tag = "services", request_body = ServiceToBook, responses((status = 201, body = ServiceBody)))]
pub(super) async fn create_service(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManageServices)?;
    let engine = app.engine.clone();
    let work = async move |new: ServiceToBook| {
        let service = engine.create_service(&caller, new.understood()?).await?;
        Made::created(&ServiceBody::of(&service))
    };
    posted.once(&app, &session, work).await
}

/// Services with their worksheets, in order of their ids. A page may hold fewer than asked for while `next` is there.
#[utoipa::path(get, path = "/v1/services", tag = "services", params(ServiceQuery), responses((status = 200, body = Page<ServiceBody>)))]
pub(super) async fn list_services(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<ServiceQuery>,
) -> Result<Json<Page<ServiceBody>>, Problem> {
    let caller = session.may(Permission::ReadBilling)?;
    let why = purpose(query.purpose.as_deref())?;
    let limit = usize::from(query.limit.unwrap_or(50).clamp(1, 200));
    let after = query.cursor.unwrap_or_default();
    app.engine.log_access(&caller, "read", "*", "services", &why).await?;
    let status = query.status.map(Into::into);
    let (found, next) = app.engine.services(&caller.organization, status, &after, limit).await?;
    Ok(Json(Page { items: found.iter().map(ServiceBody::of).collect(), next }))
}

/// One service.
#[utoipa::path(get, path = "/v1/services/{id}", tag = "services", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = ServiceBody)))]
pub(super) async fn get_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<ServiceBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, service_id(&id)?);
    let why = query.code()?;
    let service = app.engine.service(&caller.organization, id).await?;
    let subject = service.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("service/{id}"), &why).await?;
    Ok(Json(ServiceBody::of(&service)))
}

/// Gives a service a time, or another one. Its coverage is checked again before. Refused with `not_allowed_now`.
#[utoipa::path(post, path = "/v1/services/{id}/schedule", tag = "services", params(("id" = String, Path)), request_body = Schedule, responses((status = 200, body = ServiceBody)))]
pub(super) async fn schedule_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManageServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: Schedule| {
        let command = Command::Schedule { at: moment_in("at", &new.at)? };
        changed(&engine, (&caller, id), command, "service_scheduled").await
    };
    posted.once(&app, &session, work).await
}

/// Records that the care was given. Refused with `lines_invalid` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/services/{id}/deliver", tag = "services", params(("id" = String, Path)), request_body = Delivery, responses((status = 200, body = ServiceBody)))]
pub(super) async fn deliver_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManageServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: Delivery| {
        let line = |line: LineBody| Ok(Line { code: line.code, charge: line.charge.try_into()? });
        let lines = new.lines.into_iter().map(line).collect::<Result<_, Problem>>()?;
        changed(&engine, (&caller, id), Command::Deliver { lines }, "service_delivered").await
    };
    posted.once(&app, &session, work).await
}

/// Signs a note, or an addendum. Refused with `note_signed`, `note_missing`, `note_invalid` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/services/{id}/notes", tag = "services", params(("id" = String, Path)), request_body = NoteToSign, responses((status = 201, body = ServiceBody)))]
pub(super) async fn sign_note(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManageServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NoteToSign| {
        let signer = short("signer", new.signer)?;
        let note = Note { kind: new.kind.into(), signer, text: new.text.into_inner() };
        Made::created(&ServiceBody::of(&engine.sign_note(&caller, id, note).await?))
    };
    posted.once(&app, &session, work).await
}

/// Records that the claim was sent. Refused with `note_missing`, `claim_invalid`, `claim_used` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/services/{id}/bill", tag = "services", params(("id" = String, Path)), request_body = ClaimToSend, responses((status = 200, body = ServiceBody)))]
pub(super) async fn bill_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManageServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: ClaimToSend| {
        changed(&engine, (&caller, id), Command::Bill { claim: new.claim }, "service_billed").await
    };
    posted.once(&app, &session, work).await
}

/// Cancels a service: what is reserved is released, what was captured goes back. Refused with `not_allowed_now` once the
/// care was given.
#[utoipa::path(post, path = "/v1/services/{id}/cancel", tag = "services", params(("id" = String, Path)), request_body = ServiceCancellation, responses((status = 200, body = ServiceBody)))]
pub(super) async fn cancel_service(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManageServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: ServiceCancellation| {
        let by = match new.by {
            CanceledBy::Patient => "patient",
            CanceledBy::Clinic => "clinic",
            CanceledBy::System => "system",
        };
        let reason = code(&new.reason)?;
        let command = Command::Cancel { by: by.to_owned(), reason: reason.clone() };
        changed(&engine, (&caller, id), command, &reason).await
    };
    posted.once(&app, &session, work).await
}
