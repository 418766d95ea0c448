//! Files of banks: taken in whole or refused whole, each line once; and lines that are no payout of a gateway.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_engine::reconcile::{BYTES_MAX, Format, Mapping};
use utoipa::{IntoParams, ToSchema};

use super::reconciliation::LimitQuery;
use super::reconciliation_body::{BankLineBody, ImportedBody, StatementBody};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::purpose;
use crate::once::{FileKinds, Made, Posted, PostedFile};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Files of banks. CSV comes as JSON, because it needs a mapping of its columns.
pub(super) struct BankFiles;

impl FileKinds for BankFiles {
    const NAMES: &'static [&'static str] = &[
        CSV_KIND,
        "application/octet-stream",
        "application/x-ofx",
        "application/vnd.intu.qfx",
        "application/xml",
        "text/xml",
        "text/plain",
    ];
    const INSTEAD: &'static str = "Nothing was read. Send a BAI2, camt.053 or OFX file itself with `Content-Type: \
                                   application/octet-stream`, or a CSV file as JSON with `mapping` and `content`.";
}

/// How a CSV file comes.
const CSV_KIND: &str = "application/json";

/// Which format.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FormatQuery {
    /// `bai2`, `camt053` or `ofx`; guessed from the beginning of the file when absent. CSV comes as JSON.
    format: Option<String>,
}

/// A CSV file with the mapping of its columns.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankCsvFile)]
pub(super) struct CsvFile {
    /// Account, currency, delimiter, decimal, dates, and the names of the columns as they stand in the header.
    #[schema(value_type = Object)]
    mapping: Mapping,
    /// The file.
    content: String,
}

/// What was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedBankFile)]
pub(super) struct ImportedFile {
    /// One for each account and period in the file.
    statements: Vec<ImportedBody>,
}

/// Which lines of banks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LinesQuery {
    /// `open` (when absent), `matched` or `resolved`.
    state: Option<String>,
    /// How many items, 1 to 1000; 200 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
    /// Why, as a code, for the access log; `api` when absent.
    purpose: Option<String>,
}

/// Why a bank's line is no payout.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankLineResolution)]
pub(super) struct LineResolution {
    /// As a code, for example `rent`.
    reason: String,
}

/// Takes a bank's file in, at most 32 MiB: BAI2, camt.053 and OFX as they are, CSV as JSON with a mapping. The whole file is
/// checked before anything counts; a statement or a line that was taken in before counts once.
#[utoipa::path(post, path = "/v1/reconciliation/bank-files", tag = "reconciliation", params(FormatQuery), request_body(content((Vec<u8> = "application/octet-stream"), (CsvFile = "application/json"))), responses((status = 201, body = ImportedFile)))]
pub(super) async fn import_bank_file(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<FormatQuery>,
    posted: PostedFile<BYTES_MAX, BankFiles>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let is_csv = posted.kind() == CSV_KIND;
    let work = async move |file: Vec<u8>| {
        let (format, file) =
            if is_csv { csv(&file)? } else { (format(query.format.as_deref(), &file)?, file) };
        let imported = engine.import_bank_file(&caller, &format, &file).await?;
        Made::created(&ImportedFile { statements: imported.into_iter().map(ImportedBody::from).collect() })
    };
    posted.once(&app, &session, work).await
}

/// The problem names no value: an account's number is in the mapping.
fn csv(file: &[u8]) -> Result<(Format, Vec<u8>), Problem> {
    let file: CsvFile = serde_json::from_slice(file).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        refused(&format!("The body is not a mapping with a CSV file, as documented: {place}."))
    })?;
    Ok((Format::Csv(Box::new(file.mapping)), file.content.into_bytes()))
}

fn format(named: Option<&str>, file: &[u8]) -> Result<Format, Problem> {
    match named {
        Some("bai2") => Ok(Format::Bai2),
        Some("camt053") => Ok(Format::Camt053),
        Some("ofx") => Ok(Format::Ofx),
        Some(_) => Err(refused("`format` is `bai2`, `camt053` or `ofx`; a CSV file comes as JSON with a mapping.")),
        None => Format::guess(file).ok_or_else(|| {
            refused("The file begins like no BAI2, camt.053 or OFX file. A CSV file comes as JSON with a mapping.")
        }),
    }
}

fn refused(why: &str) -> Problem {
    Problem::invalid("bank_file_refused", format!("Nothing was imported. {why}"))
}

/// Statements of banks, latest import first, at most 1000.
#[utoipa::path(get, path = "/v1/reconciliation/bank-files", tag = "reconciliation", params(LimitQuery), responses((status = 200, body = Page<StatementBody>)))]
pub(super) async fn list_bank_files(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<LimitQuery>,
) -> Result<Json<Page<StatementBody>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let found = app.engine.bank_statements(&caller.organization, query.number()).await?;
    Ok(Json(Page { items: found.into_iter().map(StatementBody::from).collect(), next: None }))
}

/// Lines of banks in a state, oldest first, at most 1000. What the bank wrote is personal, so looking is logged.
#[utoipa::path(get, path = "/v1/reconciliation/bank-lines", tag = "reconciliation", params(LinesQuery), responses((status = 200, body = Page<BankLineBody>)))]
pub(super) async fn list_bank_lines(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<LinesQuery>,
) -> Result<Json<Page<BankLineBody>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let state = query.state.as_deref().unwrap_or("open");
    if !["open", "matched", "resolved"].contains(&state) {
        let detail = "Nothing was read. `state` is `open`, `matched` or `resolved`.";
        return Err(Problem::invalid("query_invalid", detail));
    }
    let limit = i64::from(query.limit.unwrap_or(200).clamp(1, 1000));
    let purpose = purpose(query.purpose.as_deref())?;
    app.engine.log_access(&caller, "read", "*", "bank_lines", &purpose).await?;
    let found = app.engine.bank_lines(&caller.organization, state, limit).await?;
    Ok(Json(Page { items: found.into_iter().map(BankLineBody::from).collect(), next: None }))
}

/// Says that an open line of a bank is no payout of a gateway, with a reason.
#[utoipa::path(post, path = "/v1/reconciliation/bank-lines/{account}/{id}/resolve", tag = "reconciliation", params(("account" = String, Path), ("id" = String, Path)), request_body = LineResolution, responses((status = 200, body = Object)))]
pub(super) async fn resolve_bank_line(
    State(app): State<App>,
    session: Session,
    Path((account, id)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::SettleServices)?;
    let engine = app.engine.clone();
    let work = async move |body: LineResolution| {
        engine.resolve_bank_line(&caller, (&account, &id), &body.reason).await?;
        Made::ok(&serde_json::json!({ "id": id, "state": "resolved" }))
    };
    posted.once(&app, &session, work).await
}
