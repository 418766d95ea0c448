//! What gateways paid out, line by line against the books, and the lines that nothing explains.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::id::SettlementId;
use suture_core::settlement::Settlement;
use suture_engine::reconcile::Resolve;
use utoipa::{IntoParams, ToSchema};

use super::reconciliation_body::{ExceptionBody, LineBody, SettlementBody, SettlementPage};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{in_field, in_path, short};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LimitQuery {
    /// How many items, 1 to 1000; 200 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// Who is to look after an exception.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExceptionAssignment)]
pub(super) struct Assignment {
    /// Our id of the payout, as the list of exceptions names it.
    payout: String,
    /// Whose it is: a name or a role of the office.
    owner: String,
}

/// What an exception is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExceptionResolution)]
pub(super) struct Resolution {
    /// Our id of the payout, as the list of exceptions names it.
    payout: String,
    /// The account of the books that bears it, for example `exp:fee`. Absent: a fact that came later explains it.
    account: Option<String>,
    /// Why, as a code.
    reason: String,
}

impl LimitQuery {
    pub(super) fn number(&self) -> i64 {
        i64::from(self.limit.unwrap_or(200).clamp(1, 1000))
    }
}

/// Payouts of gateways, in the order in which they were heard of.
#[utoipa::path(get, path = "/v1/reconciliation/payouts", tag = "reconciliation", params(PageQuery), responses((status = 200, body = Page<SettlementBody>)))]
pub(super) async fn list_settlements(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<SettlementBody>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let id = |state: &Settlement| state.heard.settlement.to_string();
    let after = query.id_or("");
    let all = app.engine.settlements(&caller.organization).await?;
    let found: Vec<Settlement> =
        all.into_iter().filter(|state| id(state) > after).take(query.room()).collect();
    Ok(Json(query.page(found, id, |state| SettlementBody::from(&state))))
}

/// One payout with a page of its lines: what explains each, and the remainder in words.
#[utoipa::path(get, path = "/v1/reconciliation/payouts/{id}", tag = "reconciliation", params(("id" = String, Path), PageQuery), responses((status = 200, body = SettlementPage)))]
pub(super) async fn get_settlement(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<SettlementPage>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBooks)?, settlement_id(&id)?);
    let after = query.id_or("");
    let found = app.engine.settlement(&caller.organization, id, (&after, query.ask())).await?;
    let lines = query.page(found.lines, |stored| stored.line.transaction.clone(), LineBody::from);
    let payout = SettlementBody::from(&found.settlement);
    Ok(Json(SettlementPage { payout, items: lines.items, next: lines.next }))
}

/// Lines of payouts that nothing explains, oldest first, at most 1000.
#[utoipa::path(get, path = "/v1/reconciliation/exceptions", tag = "reconciliation", params(LimitQuery), responses((status = 200, body = Page<ExceptionBody>)))]
pub(super) async fn list_exceptions(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<LimitQuery>,
) -> Result<Json<Page<ExceptionBody>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let found = app.engine.exceptions(&caller.organization, query.number()).await?;
    Ok(Json(Page { items: found.into_iter().map(ExceptionBody::from).collect(), next: None }))
}

/// Gives an exception to somebody.
#[utoipa::path(post, path = "/v1/reconciliation/exceptions/{id}/assign", tag = "reconciliation", params(("id" = String, Path)), request_body = Assignment, responses((status = 200, body = SettlementBody)))]
pub(super) async fn assign_exception(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |body: Assignment| {
        let payout = in_field(SettlementId::parse, &body.payout, "payout")?;
        let owner = short("owner", body.owner)?;
        let state = engine.assign_exception(&caller, (payout, &id), &owner).await?;
        Made::ok(&SettlementBody::from(&state))
    };
    posted.once(&app, &session, work).await
}

/// Says what an exception is, with a reason. Its amount leaves suspense.
#[utoipa::path(post, path = "/v1/reconciliation/exceptions/{id}/resolve", tag = "reconciliation", params(("id" = String, Path)), request_body = Resolution, responses((status = 200, body = SettlementBody)))]
pub(super) async fn resolve_exception(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |body: Resolution| {
        let payout = in_field(SettlementId::parse, &body.payout, "payout")?;
        let how = body.account.map_or(Resolve::Fact, Resolve::Account);
        let state = engine.resolve_exception(&caller, (payout, &id), &how, &body.reason).await?;
        Made::ok(&SettlementBody::from(&state))
    };
    posted.once(&app, &session, work).await
}

/// The payout that a path names.
pub(super) fn settlement_id(text: &str) -> Result<SettlementId, Problem> {
    in_path(SettlementId::parse, text, "payout")
}
