//! Debts: what is owed, what was collected, and who may collect now.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use suture_core::debt::Debt;
use suture_core::id::DebtId;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, word};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A debt as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Debt)]
#[serde(rename_all = "camelCase")]
pub(super) struct DebtBody {
    id: String,
    /// `open`, `locked`, `part_paid`, `paid` or `overpaid`.
    status: String,
    link: String,
    /// `balance` or `deposit`.
    purpose: String,
    owed: Money,
    collected: Money,
    due: Money,
    /// The payment that may collect now; nobody else may.
    locked_by: Option<String>,
    /// Payments that collected.
    payments: Vec<String>,
}

impl DebtBody {
    fn of(debt: &Debt) -> Self {
        Self {
            id: debt.id.to_string(),
            status: debt.status().name().to_owned(),
            link: debt.link.clone(),
            purpose: word(&debt.purpose),
            owed: debt.owed.into(),
            collected: suture_core::money::Money::new(debt.collected_minor(), debt.owed.currency).into(),
            due: debt.due().into(),
            locked_by: debt.lock.as_ref().map(|lock| lock.payment.to_string()),
            payments: debt.collected.keys().cloned().collect(),
        }
    }
}

/// Debts in order of their ids.
#[utoipa::path(get, path = "/v1/debts", tag = "debts", params(PageQuery), responses((status = 200, body = Page<DebtBody>)))]
pub(super) async fn list_debts(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<DebtBody>>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let found = app.engine.debts(&caller.organization, &query.id_or(""), query.ask()).await?;
    Ok(Json(query.page(found, |debt| debt.id.to_string(), |debt| DebtBody::of(&debt))))
}

/// One debt.
#[utoipa::path(get, path = "/v1/debts/{id}", tag = "debts", params(("id" = String, Path)), responses((status = 200, body = DebtBody)))]
pub(super) async fn get_debt(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<DebtBody>, Problem> {
    let caller = session.may(Permission::ReadPayments)?;
    let id = DebtId::parse(&id).map_err(|_| Problem::not_found("debt"))?;
    let debt = app.engine.debt(&caller.organization, id).await?;
    Ok(Json(DebtBody::of(&debt)))
}
