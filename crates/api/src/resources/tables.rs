//! Look-up tables that people keep: product to part, refund reason to reason code. Codes only, no personal data.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_engine::tables::LookupRow;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::time;
use crate::once::Posted;
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A row of a table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct RowBody {
    key: String,
    /// Any JSON; for the table `part` the part number as text.
    value: Value,
    /// The API key that wrote it.
    updated_by: String,
    updated_at: String,
}

impl From<LookupRow> for RowBody {
    fn from(row: LookupRow) -> Self {
        Self {
            key: row.key,
            // It was stored as JSON.
            value: serde_json::from_str(&row.value).unwrap_or_default(),
            updated_by: row.updated_by,
            updated_at: time(row.updated_at),
        }
    }
}

/// What a row is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTableRow {
    /// Any JSON but `null`, of at most 4096 bytes.
    #[schema(example = "KNEE-100")]
    value: Value,
}

/// What a saved row led to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SavedTableRow {
    /// How many runs had waited for the row and go on now.
    runs_resumed: u64,
}

/// The rows of a table in the order of their keys. A table without rows is empty, whatever its name.
#[utoipa::path(get, path = "/v1/tables/{table}", tag = "flows", params(("table" = String, Path), PageQuery), responses((status = 200, body = Page<RowBody>)))]
pub(super) async fn list_table(
    State(app): State<App>,
    session: Session,
    Path(table): Path<String>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<RowBody>>, Problem> {
    let caller = session.may(Permission::ReadConnections)?;
    let found = app.engine.table_rows(&caller.organization, &table, (&query.id_or(""), query.ask())).await?;
    Ok(Json(query.page(found, |row| row.key.clone(), RowBody::from)))
}

/// Writes a row, and lets the runs that wait for it go on. Refused with `row_invalid`.
#[utoipa::path(put, path = "/v1/tables/{table}/{key}", tag = "flows", params(("table" = String, Path), ("key" = String, Path)), request_body = NewTableRow, responses((status = 200, body = SavedTableRow)))]
pub(super) async fn put_table_row(
    State(app): State<App>,
    session: Session,
    Path((table, key)): Path<(String, String)>,
    posted: Posted,
) -> Result<Json<SavedTableRow>, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    let new: NewTableRow = posted.parse()?;
    let runs_resumed = app.engine.save_table_row(&caller, &table, (&key, new.value)).await?;
    Ok(Json(SavedTableRow { runs_resumed }))
}

/// Removes a row. What was filed with it stays.
#[utoipa::path(delete, path = "/v1/tables/{table}/{key}", tag = "flows", params(("table" = String, Path), ("key" = String, Path)), responses((status = 204)))]
pub(super) async fn remove_table_row(
    State(app): State<App>,
    session: Session,
    Path((table, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let caller = session.may(Permission::ManageConnections)?;
    match app.engine.remove_table_row(&caller, &table, &key).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("row")),
    }
}
