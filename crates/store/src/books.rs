//! What the books keep beside their entries: the lock, exceptions with owner and age, proofs of balance.

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const LOCK: Statement = Statement::new(
    "lock period",
    "insert into period_locks (organization, through, next_open) values ($1, $2, $3) \
     on conflict (organization) do update set through = $2, next_open = $3",
);
const LOCKED: Statement =
    Statement::new("locked period", "select through from period_locks where organization = $1");
const OPEN: Statement = Statement::new(
    "open exception",
    "insert into exceptions (organization, id, settlement, label, amount_minor, currency, opened_at) \
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (organization, id) do nothing",
);
const ASSIGN: Statement = Statement::new(
    "assign exception",
    "update exceptions set owner = $3 where organization = $1 and id = $2 and closed_at is null",
);
const CLOSE: Statement = Statement::new(
    "close exception",
    "update exceptions set closed_at = $3, resolution = $4 where organization = $1 and id = $2 and closed_at is null",
);
const EXCEPTIONS: Statement = Statement::new(
    "open exceptions",
    "select id, settlement, label, amount_minor, currency, opened_at, owner from exceptions \
     where organization = $1 and closed_at is null order by opened_at, id limit $2",
);
const PROVE: Statement = Statement::new(
    "keep proof",
    "insert into proofs (organization, day, number, body) values ($1, $2, \
       (select coalesce(max(number), 0) + 1 from proofs where organization = $1 and day = $2), $3)",
);
const PROOFS: Statement = Statement::new(
    "list proofs",
    "select day, number, body from proofs where organization = $1 order by day desc, number desc limit $2",
);
const PROOF: Statement = Statement::new(
    "proof of day",
    "select body from proofs where organization = $1 and day = $2 order by number desc limit 1",
);

/// An exception as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The gateway's line.
    pub id: String,
    /// The gateway payout.
    pub settlement: String,
    /// In words.
    pub label: String,
    /// How much.
    pub amount: Money,
    /// Since when.
    pub opened_at: Timestamp,
    /// Who looks after it.
    pub owner: Option<String>,
}

/// Locks days up to one; what is posted for them goes to the day after.
///
/// # Errors
/// [`Error`] of the database.
pub fn lock(tx: &mut Tx<'_>, organization: &str, through: Day) -> Result<(), Error> {
    let next = through.plus(1).to_string();
    tx.execute_one(&LOCK, &[organization.into(), through.to_string().into(), next.into()])
}

/// Up to which day the books are locked.
///
/// # Errors
/// [`Error`] of the database.
pub fn locked(tx: &mut Tx<'_>, organization: &str) -> Result<Option<Day>, Error> {
    let Some(row) = tx.query_optional(&LOCKED, &[organization.into()])? else { return Ok(None) };
    row.text(0)?.parse().map(Some).map_err(|_| row.corrupt())
}

/// Keeps an exception, unless it is kept already.
///
/// # Errors
/// [`Error`] of the database.
pub fn open_exception(tx: &mut Tx<'_>, organization: &str, exception: &Exception) -> Result<(), Error> {
    let values = [
        organization.into(),
        exception.id.as_str().into(),
        exception.settlement.as_str().into(),
        exception.label.as_str().into(),
        exception.amount.minor.into(),
        exception.amount.currency.code().into(),
        exception.opened_at.millis().into(),
    ];
    tx.execute(&OPEN, &values).map(|_| ())
}

/// Gives an open exception to somebody.
///
/// # Errors
/// [`Error`] of the database.
pub fn assign_exception(tx: &mut Tx<'_>, organization: &str, id: &str, owner: &str) -> Result<(), Error> {
    tx.execute(&ASSIGN, &[organization.into(), id.into(), owner.into()]).map(|_| ())
}

/// Closes an open exception.
///
/// # Errors
/// [`Error`] of the database.
pub fn close_exception(
    tx: &mut Tx<'_>,
    organization: &str,
    id: &str,
    resolution: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let values = [organization.into(), id.into(), now.millis().into(), resolution.into()];
    tx.execute(&CLOSE, &values).map(|_| ())
}

/// Open exceptions, oldest first.
///
/// # Errors
/// [`Error`] of the database.
pub fn exceptions(tx: &mut Tx<'_>, organization: &str, limit: i64) -> Result<Vec<Exception>, Error> {
    tx.query(&EXCEPTIONS, &[organization.into(), limit.into()])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Exception, Error> {
    let currency = Currency::parse(&row.text(4)?).map_err(|_| row.corrupt())?;
    Ok(Exception {
        id: row.text(0)?,
        settlement: row.text(1)?,
        label: row.text(2)?,
        amount: Money::new(row.int(3)?, currency),
        opened_at: Timestamp::from_millis(row.int(5)?),
        owner: row.optional_text(6)?,
    })
}

/// Keeps a proof of a day, as JSON. A day may be proven again: every proof is kept.
///
/// # Errors
/// [`Error`] of the database.
pub fn put_proof(tx: &mut Tx<'_>, organization: &str, day: Day, body: &str) -> Result<(), Error> {
    tx.execute_one(&PROVE, &[organization.into(), day.to_string().into(), body.into()])
}

/// Proofs as JSON, latest day first: day, number, body.
///
/// # Errors
/// [`Error`] of the database.
pub fn proofs(tx: &mut Tx<'_>, organization: &str, limit: i64) -> Result<Vec<(String, i64, String)>, Error> {
    let rows = tx.query(&PROOFS, &[organization.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?, row.text(2)?))).collect()
}

/// The latest proof of a day, as JSON.
///
/// # Errors
/// [`Error`] of the database.
pub fn proof(tx: &mut Tx<'_>, organization: &str, day: Day) -> Result<Option<String>, Error> {
    tx.query_optional(&PROOF, &[organization.into(), day.to_string().into()])?
        .map(|row| row.text(0))
        .transpose()
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[LOCK, LOCKED, OPEN, ASSIGN, CLOSE, EXCEPTIONS, PROVE, PROOFS, PROOF];
