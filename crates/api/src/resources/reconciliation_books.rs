//! Closing of days: locked periods, journals for the general ledger, and signed proofs of balance.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use suture_core::day::Day;
use suture_core::proof::Proof;
use suture_engine::reconcile::Document;
use utoipa::ToSchema;

use super::reconciliation::{LimitQuery, settlement_id};
use super::reconciliation_body::JournalBody;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::field_invalid;
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// What is locked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LockedPeriods)]
pub(super) struct PeriodsBody {
    /// The last locked day; absent when none ever was.
    locked_through: Option<String>,
}

/// Days to lock.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodLock)]
pub(super) struct Lock {
    /// The last day, `2026-11-30`; it must have ended (UTC).
    through: String,
    /// Why, as a code.
    reason: String,
}

/// Days to open again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodReopening)]
pub(super) struct Reopening {
    /// The first day that is open again, `2026-11-01`.
    from: String,
    /// Why, as a code.
    reason: String,
}

/// A day to prove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProof)]
pub(super) struct NewProof {
    /// The day, `2026-11-30`.
    day: String,
}

/// A day that was proven.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProvenDay)]
pub(super) struct ProvenDay {
    day: String,
    /// How often; the latest proof is given.
    times: i64,
}

/// A proof of balance: the document that `suture proof verify` takes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BalanceProof)]
pub(super) struct ProofBody {
    /// What is proven.
    #[schema(value_type = Object)]
    document: serde_json::Value,
    /// The Ed25519 public key, 64 hexadecimal digits.
    public_key: String,
    /// Over the digest of the document, 128 hexadecimal digits.
    signature: String,
}

impl From<Proof> for ProofBody {
    fn from(proof: Proof) -> Self {
        Self { document: proof.document, public_key: proof.public_key, signature: proof.signature }
    }
}

fn day_in(field: &str, text: &str) -> Result<Day, Problem> {
    text.parse().map_err(|_| field_invalid(field, "is a day such as 2026-11-30"))
}

fn day_of(text: &str) -> Result<Day, Problem> {
    text.parse().map_err(|_| Problem::not_found("day"))
}

/// Through which day the books are locked.
#[utoipa::path(get, path = "/v1/reconciliation/periods", tag = "reconciliation", responses((status = 200, body = PeriodsBody)))]
pub(super) async fn get_periods(
    State(app): State<App>,
    session: Session,
) -> Result<Json<PeriodsBody>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let through = app.engine.locked_through(&caller.organization).await?;
    Ok(Json(PeriodsBody { locked_through: through.map(|day| day.to_string()) }))
}

/// Locks the books through a day that has ended. What comes later for these days is booked on the next open day, with a
/// reference to its own.
#[utoipa::path(post, path = "/v1/reconciliation/periods/lock", tag = "reconciliation", request_body = Lock, responses((status = 200, body = PeriodsBody)))]
pub(super) async fn lock_period(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |body: Lock| {
        let through = engine.lock_period(&caller, day_in("through", &body.through)?, &body.reason).await?;
        Made::ok(&PeriodsBody { locked_through: Some(through.to_string()) })
    };
    posted.once(&app, &session, work).await
}

/// Opens the days from one on again, with a reason.
#[utoipa::path(post, path = "/v1/reconciliation/periods/reopen", tag = "reconciliation", request_body = Reopening, responses((status = 200, body = PeriodsBody)))]
pub(super) async fn reopen_period(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |body: Reopening| {
        let through = engine.reopen_period(&caller, day_in("from", &body.from)?, &body.reason).await?;
        Made::ok(&PeriodsBody { locked_through: Some(through.to_string()) })
    };
    posted.once(&app, &session, work).await
}

/// The journal of a day by department and account; as CSV with `Accept: text/csv`.
#[utoipa::path(get, path = "/v1/reconciliation/journals/{day}", tag = "reconciliation", params(("day" = String, Path)), responses((status = 200, body = JournalBody)))]
pub(super) async fn get_day_journal(
    State(app): State<App>,
    session: Session,
    Path(day): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let journal = day_journal(&app, &session, &day).await?;
    Ok(if wants_csv(&headers) { csv(&journal) } else { Json(JournalBody::from(journal)).into_response() })
}

/// The journal of a day as CSV, to import into a general ledger.
#[utoipa::path(get, path = "/v1/reconciliation/journals/{day}/csv", tag = "reconciliation", params(("day" = String, Path)), responses((status = 200, content_type = "text/csv", body = String)))]
pub(super) async fn get_day_journal_csv(
    State(app): State<App>,
    session: Session,
    Path(day): Path<String>,
) -> Result<Response, Problem> {
    Ok(csv(&day_journal(&app, &session, &day).await?))
}

/// The journal of one payout: what it consists of, against the bank; as CSV with `Accept: text/csv`.
#[utoipa::path(get, path = "/v1/reconciliation/payouts/{id}/journal", tag = "reconciliation", params(("id" = String, Path)), responses((status = 200, body = JournalBody)))]
pub(super) async fn get_settlement_journal(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::ReadBooks)?, settlement_id(&id)?);
    let journal = app.engine.payout_journal(&caller.organization, id).await?;
    Ok(if wants_csv(&headers) { csv(&journal) } else { Json(JournalBody::from(journal)).into_response() })
}

async fn day_journal(app: &App, session: &Session, day: &str) -> Result<Document, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    Ok(app.engine.day_journal(&caller.organization, day_of(day)?).await?)
}

fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.trim_start().starts_with("text/csv"))
}

fn csv(journal: &Document) -> Response {
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], journal.csv()).into_response()
}

/// Makes and signs the proof of a day. Gateways are asked for their balance now; a day may be proven again.
#[utoipa::path(post, path = "/v1/reconciliation/proofs", tag = "reconciliation", request_body = NewProof, responses((status = 201, body = ProofBody)))]
pub(super) async fn make_proof(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |body: NewProof| {
        let proof = engine.prove_day(&caller, day_in("day", &body.day)?).await?;
        Made::created(&ProofBody::from(proof))
    };
    posted.once(&app, &session, work).await
}

/// Days that were proven, latest first, at most 1000.
#[utoipa::path(get, path = "/v1/reconciliation/proofs", tag = "reconciliation", params(LimitQuery), responses((status = 200, body = Page<ProvenDay>)))]
pub(super) async fn list_proofs(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<LimitQuery>,
) -> Result<Json<Page<ProvenDay>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let found = app.engine.proven_days(&caller.organization, query.number()).await?;
    let items = found.into_iter().map(|(day, times)| ProvenDay { day, times }).collect();
    Ok(Json(Page { items, next: None }))
}

/// The latest proof of a day, as `suture proof verify` takes it.
#[utoipa::path(get, path = "/v1/reconciliation/proofs/{day}", tag = "reconciliation", params(("day" = String, Path)), responses((status = 200, body = ProofBody)))]
pub(super) async fn get_proof_of_day(
    State(app): State<App>,
    session: Session,
    Path(day): Path<String>,
) -> Result<Json<ProofBody>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let proof = app.engine.proof_of_day(&caller.organization, day_of(&day)?).await?;
    Ok(Json(ProofBody::from(proof)))
}
