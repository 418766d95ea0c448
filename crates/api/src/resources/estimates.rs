//! Estimate charges: make one from an eligibility check, authorize, capture, cancel, refund, and change its amount.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::estimate::Estimate;
use suture_core::id::{EligibilityId, EstimateId, PatientId};
use suture_engine::Engine;
use suture_engine::billing::{Authorize, NewEstimate};
use utoipa::ToSchema;

use super::estimate_body::EstimateBody;
use super::payments::{NewCancellation, NewCapture};
use super::refunds::{NewRefund, RefundBody};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, PurposeQuery, in_field, in_path, moment_in, short};
use crate::once::{Made, Posted};
use crate::page::Asked;
use crate::problem::Problem;

/// An estimate charge to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewEstimate)]
pub(super) struct EstimateToMake {
    /// The check whose amount it inherits.
    eligibility: String,
    /// The patient; must be the check's.
    patient: String,
    /// Another amount than the check's. Needed when the check has none.
    instead: Option<AnotherAmount>,
    /// When the service is; the authorization is planned so that it still stands then.
    service_at: Option<String>,
}

/// Another amount, with who set it and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AnotherAmount {
    amount: Money,
    /// Who set it.
    by: String,
    /// Why, as a code. No personal data.
    reason: String,
}

/// How to authorize or charge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = Authorization)]
pub(super) struct HowToCharge {
    /// The connection; the only gateway when absent.
    connection: Option<String>,
    /// The gateway's method; without one the payer gives it in the browser, or the one on file is used off session.
    method: Option<String>,
    /// The payer is not present: needs a consent.
    #[serde(default)]
    off_session: bool,
    /// Where the payer's browser returns after an action.
    return_url: Option<String>,
}

impl EstimateToMake {
    fn understood(self) -> Result<NewEstimate, Problem> {
        let instead = self
            .instead
            .map(|other| Ok::<_, Problem>((other.amount.try_into()?, short("by", other.by)?, other.reason)));
        Ok(NewEstimate {
            eligibility: in_field(EligibilityId::parse, &self.eligibility, "eligibility")?,
            patient: in_field(PatientId::parse, &self.patient, "patient")?,
            instead: instead.transpose()?,
            service_at: self.service_at.as_deref().map(|at| moment_in("serviceAt", at)).transpose()?,
        })
    }
}

impl From<HowToCharge> for Authorize {
    fn from(how: HowToCharge) -> Self {
        Self {
            connection: how.connection,
            method: how.method,
            off_session: how.off_session,
            return_url: how.return_url,
        }
    }
}

/// The estimate charge that a path names.
fn estimate_id(text: &str) -> Result<EstimateId, Problem> {
    in_path(EstimateId::parse, text, "estimate")
}

/// An estimate charge with its payments.
async fn shown(engine: &Engine, organization: &str, estimate: &Estimate) -> Result<EstimateBody, Problem> {
    let mut payments = Vec::new();
    for payment in &estimate.payments {
        payments.push(engine.payment(organization, *payment).await?);
    }
    Ok(EstimateBody::of(estimate, &payments))
}

/// Makes an estimate charge with the amount of its check. Refused with `eligibility_not_answered` while the check has no
/// amount, and with `eligibility_of_another_patient`.
#[utoipa::path(post, path = "/v1/estimates", tag = "billing", request_body = EstimateToMake, responses((status = 201, body = EstimateBody)))]
pub(super) async fn create_estimate(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::TakePayments)?;
    let engine = app.engine.clone();
    let work = async move |new: EstimateToMake| {
        let estimate = engine.create_estimate(&caller, new.understood()?).await?;
        Made::created(&EstimateBody::of(&estimate, &[]))
    };
    posted.once(&app, &session, work).await
}

/// One estimate charge.
#[utoipa::path(get, path = "/v1/estimates/{id}", tag = "billing", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = EstimateBody)))]
pub(super) async fn get_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<EstimateBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, estimate_id(&id)?);
    let why = query.code()?;
    let estimate = app.engine.estimate(&caller.organization, id).await?;
    let subject = estimate.patient.to_string();
    app.engine.log_access(&caller, "read", &subject, &format!("estimate/{id}"), &why).await?;
    Ok(Json(shown(&app.engine, &caller.organization, &estimate).await?))
}

/// Reserves the amount and waits for the gateway for a while; after a failure this is the next attempt. Refused with
/// `not_allowed_now` and `attempt_open`, and off session with `method_missing`, `method_expired`, `consent_missing`,
/// `consent_ended` and `consent_cap_exceeded`.
#[utoipa::path(post, path = "/v1/estimates/{id}/authorize", tag = "billing", params(("id" = String, Path)), request_body = HowToCharge, responses((status = 200, body = EstimateBody)))]
pub(super) async fn authorize_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::TakePayments)?, estimate_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |how: HowToCharge| {
        let (estimate, taken) = engine.authorize_estimate(&caller, id, how.into()).await?;
        let secret = taken.client_secret.as_ref().map(|secret| secret.expose().clone());
        let body = shown(&engine, &caller.organization, &estimate).await?.with_client_secret(secret);
        Ok(Made::ok(&body)?.show_once(&["clientSecret"]))
    };
    posted.once(&app, &session, work).await
}

/// Captures what is authorized; less releases the rest. Refused with `not_allowed_now` before it is authorized, with
/// `authorization_expired` after it lapsed, and with `capture_exceeds_authorized`.
#[utoipa::path(post, path = "/v1/estimates/{id}/capture", tag = "billing", params(("id" = String, Path)), request_body = NewCapture, responses((status = 200, body = EstimateBody)))]
pub(super) async fn capture_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::TakePayments)?, estimate_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewCapture| {
        let estimate = engine.capture_estimate(&caller, id, new.amount()?).await?;
        Made::ok(&shown(&engine, &caller.organization, &estimate).await?)
    };
    posted.once(&app, &session, work).await
}

/// Releases what is reserved. Refused with `not_allowed_now` once the money is taken: refund it.
#[utoipa::path(post, path = "/v1/estimates/{id}/cancel", tag = "billing", params(("id" = String, Path)), request_body = NewCancellation, responses((status = 200, body = EstimateBody)))]
pub(super) async fn cancel_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::TakePayments)?, estimate_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        let estimate = engine.cancel_estimate(&caller, id).await?;
        Made::ok(&shown(&engine, &caller.organization, &estimate).await?)
    };
    posted.once(&app, &session, work).await
}

/// Refunds what was captured. Refused with `refund_exceeds_captured`, `reason_required` and `authorizer_required`.
#[utoipa::path(post, path = "/v1/estimates/{id}/refund", tag = "billing", params(("id" = String, Path)), request_body = NewRefund, responses((status = 201, body = RefundBody)))]
pub(super) async fn refund_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::RefundPayments)?, estimate_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewRefund| {
        let (amount, reason, authorizer) = new.understood()?;
        let refund = engine.refund_estimate(&caller, id, amount, (&reason, &authorizer)).await?;
        Made::created(&RefundBody::of(&refund))
    };
    posted.once(&app, &session, work).await
}

/// Changes the amount. What is reserved for the old one is released; authorize again. Refused with `not_allowed_now` once
/// the money is taken.
#[utoipa::path(post, path = "/v1/estimates/{id}/change", tag = "billing", params(("id" = String, Path)), request_body = AnotherAmount, responses((status = 200, body = EstimateBody)))]
pub(super) async fn change_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::TakePayments)?, estimate_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: AnotherAmount| {
        let (amount, by) = (new.amount.try_into()?, short("by", new.by)?);
        let estimate = engine.change_estimate(&caller, id, (amount, &by, &new.reason)).await?;
        Made::ok(&shown(&engine, &caller.organization, &estimate).await?)
    };
    posted.once(&app, &session, work).await
}
