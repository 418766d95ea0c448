//! Provider payouts: the split of a charge, why a payout is held and until when, and what a person may do about it.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::ProviderPayoutId;
use utoipa::{IntoParams, ToSchema};

use super::provider_payout_body::{NewProviderPayout, PayoutHold, ProviderPayoutBody, ProviderPayoutStatus};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::in_path;
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Which payouts, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PayoutQuery {
    /// Only of this status, for example `held`.
    status: Option<ProviderPayoutStatus>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// Who decides something about a payout, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PayoutDecision {
    /// Who, by user name.
    by: String,
    /// Why, as a code such as `licence_expired`. No personal data.
    reason: String,
}

/// A hold to lift.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldLifting {
    /// `note_incomplete`, `hold_days`, `transfer_declined` or `person`: no person may lift the others.
    hold: PayoutHold,
    /// Who, by user name.
    by: String,
    /// Why, as a code. No personal data.
    reason: String,
}

/// The provider's account at the gateway.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PayoutDestination {
    /// Its id there.
    #[schema(example = "acct_1Provider")]
    account: String,
}

fn payout_id(text: &str) -> Result<ProviderPayoutId, Problem> {
    in_path(ProviderPayoutId::parse, text, "provider payout")
}

/// Accrues the payout of a service, held until the patient's payment clears. A service has one payout: the same provider
/// again gives the same. Refused with `payout_exists` and `payout_terms_invalid`.
#[utoipa::path(post, path = "/v1/payouts/providers", tag = "payouts", request_body = NewProviderPayout, responses((status = 201, body = ProviderPayoutBody)))]
pub(super) async fn accrue_provider_payout(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePayouts)?;
    let engine = app.engine.clone();
    let work = async move |new: NewProviderPayout| {
        let connection = new.connection.clone();
        let payout = engine.accrue_payout(&caller, new.understood()?, connection.as_deref()).await?;
        Made::created(&ProviderPayoutBody::of(&payout))
    };
    posted.once(&app, &session, work).await
}

/// Payouts with why and until when they are held. A page may hold fewer than asked for while `next` is there.
#[utoipa::path(get, path = "/v1/payouts/providers", tag = "payouts", params(PayoutQuery), responses((status = 200, body = Page<ProviderPayoutBody>)))]
pub(super) async fn list_provider_payouts(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PayoutQuery>,
) -> Result<Json<Page<ProviderPayoutBody>>, Problem> {
    let caller = session.may(Permission::ReadBilling)?;
    let limit = usize::from(query.limit.unwrap_or(50).clamp(1, 200));
    let (status, after) = (query.status.map(Into::into), query.cursor.unwrap_or_default());
    let (found, next) = app.engine.provider_payouts(&caller.organization, status, &after, limit).await?;
    Ok(Json(Page { items: found.iter().map(ProviderPayoutBody::of).collect(), next }))
}

/// One payout.
#[utoipa::path(get, path = "/v1/payouts/providers/{id}", tag = "payouts", params(("id" = String, Path)), responses((status = 200, body = ProviderPayoutBody)))]
pub(super) async fn get_provider_payout(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<ProviderPayoutBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, payout_id(&id)?);
    let payout = app.engine.provider_payout(&caller.organization, id).await?;
    Ok(Json(ProviderPayoutBody::of(&payout)))
}

/// Holds a payout. A transfer that has not left yet is withdrawn.
#[utoipa::path(post, path = "/v1/payouts/providers/{id}/hold", tag = "payouts", params(("id" = String, Path)), request_body = PayoutDecision, responses((status = 200, body = ProviderPayoutBody)))]
pub(super) async fn hold_provider_payout(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePayouts)?, payout_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: PayoutDecision| {
        let payout = engine.hold_payout(&caller, id, (&new.by, &new.reason)).await?;
        Made::ok(&ProviderPayoutBody::of(&payout))
    };
    posted.once(&app, &session, work).await
}

/// Lifts one hold. Refused with `payout_held` for a hold that no person may lift.
#[utoipa::path(post, path = "/v1/payouts/providers/{id}/unhold", tag = "payouts", params(("id" = String, Path)), request_body = HoldLifting, responses((status = 200, body = ProviderPayoutBody)))]
pub(super) async fn unhold_provider_payout(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePayouts)?, payout_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: HoldLifting| {
        let payout = engine.unhold_payout(&caller, id, new.hold.into(), (&new.by, &new.reason)).await?;
        Made::ok(&ProviderPayoutBody::of(&payout))
    };
    posted.once(&app, &session, work).await
}

/// Lifts every hold that a person may lift, and lets the payout go out. Refused with `payout_held` while another stands.
#[utoipa::path(post, path = "/v1/payouts/providers/{id}/release", tag = "payouts", params(("id" = String, Path)), request_body = PayoutDecision, responses((status = 200, body = ProviderPayoutBody)))]
pub(super) async fn release_provider_payout(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePayouts)?, payout_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: PayoutDecision| {
        let payout = engine.release_payout(&caller, id, (&new.by, &new.reason)).await?;
        Made::ok(&ProviderPayoutBody::of(&payout))
    };
    posted.once(&app, &session, work).await
}

/// Says which account at the gateway is the provider's; the gateway is asked first. Refused with `destination_invalid`.
#[utoipa::path(post, path = "/v1/payouts/providers/{id}/destination", tag = "payouts", params(("id" = String, Path)), request_body = PayoutDestination, responses((status = 200, body = ProviderPayoutBody)))]
pub(super) async fn set_payout_destination(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ManagePayouts)?, payout_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: PayoutDestination| {
        let payout = engine.set_payout_destination(&caller, id, &new.account).await?;
        Made::ok(&ProviderPayoutBody::of(&payout))
    };
    posted.once(&app, &session, work).await
}
