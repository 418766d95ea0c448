//! The books: balances, entries, lines of an account, and the proof that they balance.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use suture_engine::queries::Proof;
use suture_engine::{AccountLine, LedgerEntry};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{Money, time};
use crate::page::{Asked, Page, PageQuery, moment};
use crate::problem::Problem;

/// As of when.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AtQuery {
    /// RFC 3339; now when absent.
    at: Option<String>,
}

/// The balance of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Balance {
    account: String,
    /// Debit positive.
    amount: Money,
}

/// All balances at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Balances {
    at: String,
    items: Vec<Balance>,
}

/// An entry of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub(super) struct EntryBody {
    /// The fact it records.
    key: String,
    /// The object whose event caused it, and that event's version.
    stream: String,
    version: i64,
    at: String,
    lines: Vec<LineBody>,
}

/// A line of an entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerLine)]
pub(super) struct LineBody {
    account: String,
    /// Debit positive.
    amount: Money,
    /// Whose money it is: a link token or opaque id.
    party: Option<String>,
}

/// A line of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountLine)]
pub(super) struct AccountLineBody {
    /// The entry.
    key: String,
    at: String,
    /// Debit positive.
    amount: Money,
    party: Option<String>,
}

/// The proof that the books balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerProof)]
pub(super) struct ProofBody {
    at: String,
    /// Whether every sum is zero.
    balanced: bool,
    /// The sum of all lines by currency.
    sums: Vec<Money>,
    entries: i64,
    lines: i64,
}

impl From<LedgerEntry> for EntryBody {
    fn from(entry: LedgerEntry) -> Self {
        let lines = entry.lines.into_iter().map(|line| LineBody {
            account: line.account.to_string(),
            amount: line.amount.into(),
            party: line.party,
        });
        Self {
            lines: lines.collect(),
            key: entry.key,
            stream: entry.stream,
            version: entry.version,
            at: time(entry.at),
        }
    }
}

impl From<AccountLine> for AccountLineBody {
    fn from(line: AccountLine) -> Self {
        Self { key: line.key, at: time(line.at), amount: line.amount.into(), party: line.party }
    }
}

impl From<Proof> for ProofBody {
    fn from(proof: Proof) -> Self {
        let sums = proof.sums.into_iter().map(|(currency, minor)| Money { minor, currency });
        Self {
            at: time(proof.at),
            balanced: proof.balanced,
            sums: sums.collect(),
            entries: proof.entries,
            lines: proof.lines,
        }
    }
}

/// Balances of all accounts.
#[utoipa::path(get, path = "/v1/ledger/balances", tag = "ledger", params(AtQuery), responses((status = 200, body = Balances)))]
pub(super) async fn list_balances(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<AtQuery>,
) -> Result<Json<Balances>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let at = moment(query.at.as_deref(), app.engine.now())?;
    let found = app.engine.balances(&caller.organization, at).await?;
    let items = found.into_iter().map(|(account, amount)| Balance { account, amount: amount.into() });
    Ok(Json(Balances { at: time(at), items: items.collect() }))
}

/// Entries in order of their keys.
#[utoipa::path(get, path = "/v1/ledger/entries", tag = "ledger", params(PageQuery), responses((status = 200, body = Page<EntryBody>)))]
pub(super) async fn list_entries(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<EntryBody>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let found = app.engine.ledger_entries(&caller.organization, &query.id_or(""), query.ask()).await?;
    Ok(Json(query.page(found, |entry| entry.key.clone(), EntryBody::from)))
}

/// The latest lines of an account, at most 200.
#[utoipa::path(get, path = "/v1/ledger/accounts/{account}/lines", tag = "ledger", params(("account" = String, Path, example = "ar:patient"), AtQuery), responses((status = 200, body = Page<AccountLineBody>)))]
pub(super) async fn list_account_lines(
    State(app): State<App>,
    session: Session,
    Path(account): Path<String>,
    Asked(query): Asked<AtQuery>,
) -> Result<Json<Page<AccountLineBody>>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let at = moment(query.at.as_deref(), app.engine.now())?;
    let found = app.engine.account_lines(&caller.organization, &account, at, 200).await?;
    Ok(Json(Page { items: found.into_iter().map(AccountLineBody::from).collect(), next: None }))
}

/// The proof that the books balance.
#[utoipa::path(get, path = "/v1/ledger/proof", tag = "ledger", params(AtQuery), responses((status = 200, body = ProofBody)))]
pub(super) async fn get_proof(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<AtQuery>,
) -> Result<Json<ProofBody>, Problem> {
    let caller = session.may(Permission::ReadBooks)?;
    let at = moment(query.at.as_deref(), app.engine.now())?;
    let proof = app.engine.proof(&caller.organization, at).await?;
    Ok(Json(proof.into()))
}
