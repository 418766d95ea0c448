//! Remittances: take a payer's X12 835 in whole or refuse it whole, see how it was booked, and book claims that waited.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::id::RemittanceId;
use suture_engine::billing::{ClaimSheet, Imported, Remittance, RemittanceClaim};
use utoipa::{IntoParams, ToSchema};

use super::payments::NewCancellation;
use super::remittance_body::{ClaimBody, RemittanceBody};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::in_path;
use crate::once::{Made, Posted, PostedFile};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A remittance file of a large payer has some ten megabytes.
const FILE_BYTES_MAX: usize = 64 << 20;

/// A file that was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedRemittances)]
pub(super) struct ImportedBody {
    /// One for each payment in the file.
    remittances: Vec<String>,
    /// How many claims; they are booked in the background.
    claims: u64,
}

/// Which claims.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitingQuery {
    /// `waiting`: those that a person must look at.
    state: String,
    /// How many items, 1 to 1000; 200 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

impl From<Imported> for ImportedBody {
    fn from(imported: Imported) -> Self {
        let remittances = imported.remittances.iter().map(ToString::to_string).collect();
        Self { remittances, claims: imported.claims }
    }
}

fn remittance_id(text: &str) -> Result<RemittanceId, Problem> {
    in_path(RemittanceId::parse, text, "remittance")
}

/// Takes an X12 835 in, at most 64 MiB. The whole file is checked before anything counts. Refused with `remittance_refused`,
/// which names loop and segment, and with `remittance_known` when the payment came before.
#[utoipa::path(post, path = "/v1/remittances", tag = "remittances", request_body(content = String, content_type = "application/edi-x12"), responses((status = 201, body = ImportedBody)))]
pub(super) async fn import_remittance(
    State(app): State<App>,
    session: Session,
    posted: PostedFile<FILE_BYTES_MAX>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |file: Vec<u8>| {
        let imported = engine.import_remittance(&caller, file).await?;
        Made::created(&ImportedBody::from(imported))
    };
    posted.once(&app, &session, work).await
}

/// Remittances in order of their ids.
#[utoipa::path(get, path = "/v1/remittances", tag = "remittances", params(PageQuery), responses((status = 200, body = Page<RemittanceBody>)))]
pub(super) async fn list_remittances(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<RemittanceBody>>, Problem> {
    let caller = session.may(Permission::ReadBilling)?;
    let found = app.engine.remittances(&caller.organization, &query.id_or(""), query.ask()).await?;
    Ok(Json(query.page(found, |one: &Remittance| one.id.to_string(), |one| RemittanceBody::of(&one))))
}

/// One remittance.
#[utoipa::path(get, path = "/v1/remittances/{id}", tag = "remittances", params(("id" = String, Path)), responses((status = 200, body = RemittanceBody)))]
pub(super) async fn get_remittance(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<RemittanceBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, remittance_id(&id)?);
    let found = app.engine.remittance(&caller.organization, id).await?;
    Ok(Json(RemittanceBody::of(&found)))
}

/// Claims of a remittance in the order of the file.
#[utoipa::path(get, path = "/v1/remittances/{id}/claims", tag = "remittances", params(("id" = String, Path), PageQuery), responses((status = 200, body = Page<ClaimBody>)))]
pub(super) async fn list_remittance_claims(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<ClaimBody>>, Problem> {
    let (caller, id) = (session.may(Permission::ReadBilling)?, remittance_id(&id)?);
    // The cursor is the last position of the page before.
    let after = if query.cursor.is_some() { query.number()? } else { 0 };
    app.engine.remittance(&caller.organization, id).await?;
    app.engine.log_access(&caller, "read", "*", &format!("remittance_claims/{id}"), "api").await?;
    let from = after.saturating_add(1);
    let found = app.engine.remittance_claims(&caller.organization, id, from, query.ask()).await?;
    let body = |claim: RemittanceClaim| shown(&id.to_string(), claim);
    Ok(Json(query.page(found, |claim| claim.position.to_string(), body)))
}

/// Claims of all remittances that wait for a person, at most 1000.
#[utoipa::path(get, path = "/v1/remittance-claims", tag = "remittances", params(WaitingQuery), responses((status = 200, body = Page<ClaimBody>)))]
pub(super) async fn list_waiting_claims(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<WaitingQuery>,
) -> Result<Json<Page<ClaimBody>>, Problem> {
    let caller = session.may(Permission::ReadBilling)?;
    if query.state != "waiting" {
        let detail = "Nothing was read. `state` is `waiting`; other claims are listed by remittance.";
        return Err(Problem::invalid("query_invalid", detail));
    }
    let limit = i64::from(query.limit.unwrap_or(200).clamp(1, 1000));
    app.engine.log_access(&caller, "read", "*", "remittance_claims", "api").await?;
    let found = app.engine.waiting_claims(&caller.organization, limit).await?;
    let items = found.into_iter().map(|(remittance, claim)| shown(&remittance, claim)).collect();
    Ok(Json(Page { items, next: None }))
}

/// Books a claim that waited, once its service is there or was corrected. Refused with `claim_not_booked`, which says why.
#[utoipa::path(post, path = "/v1/remittances/{id}/claims/{position}/book", tag = "remittances", params(("id" = String, Path), ("position" = i64, Path)), request_body = NewCancellation, responses((status = 200, body = ClaimBody)))]
pub(super) async fn book_claim(
    State(app): State<App>,
    session: Session,
    Path((id, position)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::SettleServices)?, remittance_id(&id)?);
    let position: i64 = position.parse().map_err(|_| Problem::not_found("claim"))?;
    let engine = app.engine.clone();
    let work = async move |_: NewCancellation| {
        let claim = engine.book_waiting_claim(&caller, id, position).await?;
        Made::ok(&shown(&id.to_string(), claim))
    };
    posted.once(&app, &session, work).await
}

fn shown(remittance: &str, claim: RemittanceClaim) -> ClaimBody {
    let sheet = ClaimSheet::read(&claim.body);
    ClaimBody::of(remittance, claim, sheet)
}
