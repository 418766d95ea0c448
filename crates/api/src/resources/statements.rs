//! What a patient owes and is owed: the statement, and every credit of the organization.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use suture_core::time::Timestamp;
use suture_engine::billing::{CreditLine, Statement, StatementLine};
use utoipa::{IntoParams, ToSchema};

use super::patients::patient_id;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, PurposeQuery, purpose, time};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;

/// What a patient owes and is owed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statement)]
pub(super) struct StatementBody {
    patient: String,
    at: String,
    /// Owed by the patient, by currency.
    owed: Vec<Money>,
    /// Deposits for care to come, by currency.
    deposits: Vec<Money>,
    /// Owed to the patient, by currency.
    credits: Vec<Money>,
    /// Every line, oldest first.
    lines: Vec<StatementLineBody>,
}

/// A line of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementLine)]
pub(super) struct StatementLineBody {
    at: String,
    /// What was booked: the fact's key, for example `capture:ch_…`.
    what: String,
    /// The account in the books.
    account: String,
    /// Positive: the patient owes more.
    amount: Money,
}

/// Money that we owe to a patient.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Credit)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreditBody {
    /// The link that it stands under.
    link: String,
    /// The patient, by the id that the link carries.
    patient: Option<String>,
    amount: Money,
    /// When it last changed.
    since: String,
    /// Whole days since then.
    age_days: i64,
}

/// How many credits.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CreditQuery {
    /// How many items, 1 to 1000; 200 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// Why, as a code, for the access log; `api` when absent.
    purpose: Option<String>,
}

impl From<Statement> for StatementBody {
    fn from(statement: Statement) -> Self {
        let money = |amounts: Vec<suture_core::money::Money>| amounts.into_iter().map(Into::into).collect();
        Self {
            patient: statement.patient.to_string(),
            at: time(statement.at),
            owed: money(statement.owed),
            deposits: money(statement.deposits),
            credits: money(statement.credits),
            lines: statement.lines.into_iter().map(StatementLineBody::from).collect(),
        }
    }
}

impl From<StatementLine> for StatementLineBody {
    fn from(line: StatementLine) -> Self {
        Self { at: time(line.at), what: line.what, account: line.account, amount: line.amount.into() }
    }
}

impl CreditBody {
    fn of(credit: CreditLine, now: Timestamp) -> Self {
        Self {
            link: credit.link,
            patient: credit.patient,
            amount: credit.amount.into(),
            since: time(credit.since),
            age_days: (now.millis() - credit.since.millis()) / DAY_MILLIS,
        }
    }
}

/// A patient's statement.
#[utoipa::path(get, path = "/v1/patients/{id}/statement", tag = "patients", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = StatementBody)))]
pub(super) async fn get_statement(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<StatementBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadPatients)?, patient_id(&id)?);
    let statement = app.engine.statement(&caller, id, &query.code()?).await?;
    Ok(Json(statement.into()))
}

/// What we owe to patients, oldest first.
#[utoipa::path(get, path = "/v1/credits", tag = "billing", params(CreditQuery), responses((status = 200, body = Page<CreditBody>)))]
pub(super) async fn list_credits(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<CreditQuery>,
) -> Result<Json<Page<CreditBody>>, Problem> {
    let caller = session.may(Permission::ReadBilling)?;
    let why = purpose(query.purpose.as_deref())?;
    let limit = i64::from(query.limit.unwrap_or(200).clamp(1, 1000));
    app.engine.log_access(&caller, "read", "*", "credits", &why).await?;
    let (found, now) = (app.engine.credits(&caller.organization, limit).await?, app.engine.now());
    let items = found.into_iter().map(|credit| CreditBody::of(credit, now)).collect();
    Ok(Json(Page { items, next: None }))
}
