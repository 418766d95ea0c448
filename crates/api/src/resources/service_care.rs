//! What a self-pay patient is told before the care, the review of a bill that is far above it, and estimate charges that
//! were made with the wrong eligibility check.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::EstimateId;
use suture_core::service::Command;
use utoipa::ToSchema;

use super::service_body::ServiceBody;
use super::services::{changed, code, service_id};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, in_path, short};
use crate::once::{Made, Posted};
use crate::problem::Problem;

/// A good-faith estimate that the patient got.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGoodFaithEstimate {
    /// What the whole service is expected to cost.
    amount: Money,
}

/// The review of a bill.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BillReview {
    /// Who reviewed it.
    by: String,
    /// Why it may go on, as a code. No personal data.
    reason: String,
}

/// Nothing more is said than which estimate charge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Attachment {}

/// Records the good-faith estimate that a self-pay patient got, before the care. A balance that is 400.00 or more above it
/// is refused with `above_good_faith_estimate` until somebody reviewed the bill.
#[utoipa::path(post, path = "/v1/services/{id}/good-faith-estimate", tag = "services", params(("id" = String, Path)), request_body = NewGoodFaithEstimate, responses((status = 200, body = ServiceBody)))]
pub(super) async fn give_good_faith_estimate(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManageServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: NewGoodFaithEstimate| {
        let command = Command::GiveGoodFaithEstimate { amount: new.amount.try_into()? };
        changed(&engine, (&caller, id), command, "good_faith_estimate_given").await
    };
    posted.once(&app, &session, work).await
}

/// Lets a bill go on that is far above the good-faith estimate.
#[utoipa::path(post, path = "/v1/services/{id}/bill-review", tag = "services", params(("id" = String, Path)), request_body = BillReview, responses((status = 200, body = ServiceBody)))]
pub(super) async fn review_bill(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |review: BillReview| {
        let (by, reason) = (short("by", review.by)?, code(&review.reason)?);
        let command = Command::ReviewBill { by, reason: reason.clone() };
        changed(&engine, (&caller, id), command, &reason).await
    };
    posted.once(&app, &session, work).await
}

/// Attaches a captured estimate charge that was made with another eligibility check of the same patient and amount; its
/// money moves to this service. Refused with `eligibility_mismatch`, `eligibility_of_another_patient` and `not_allowed_now`.
#[utoipa::path(post, path = "/v1/services/{id}/estimates/{estimate}", tag = "services", params(("id" = String, Path), ("estimate" = String, Path)), request_body = Attachment, responses((status = 200, body = ServiceBody)))]
pub(super) async fn reattach_estimate(
    State(app): State<App>,
    session: Session,
    Path((id, estimate)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, service_id(&id)?);
    let estimate = in_path(EstimateId::parse, &estimate, "estimate")?;
    let engine = app.engine.clone();
    let work = async move |_: Attachment| {
        let service = engine.reattach_estimate(&caller, id, estimate).await?;
        Made::ok(&ServiceBody::of(&service))
    };
    posted.once(&app, &session, work).await
}
