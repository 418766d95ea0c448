//! Claims of remittance files, kept until each is booked on its service or a person has looked.
//!
//! Codes, amounts and claim numbers only: the names in a file are never kept.

use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const INSERT: Statement = Statement::new(
    "insert remittance claim",
    "insert into remittance_claims (organization, remittance, position, claim, state, note, body, received_at) \
     values ($1, $2, $3, $4, 'received', null, $5, $6)",
);
const NEXT: Statement = Statement::new(
    "next remittance claims",
    "select position, claim, state, note, body, received_at from remittance_claims \
     where organization = $1 and remittance = $2 and position >= $3 order by position limit $4",
);
const MOVE: Statement = Statement::new(
    "move remittance claim",
    "update remittance_claims set state = $1, note = $2 where organization = $3 and remittance = $4 and position = $5",
);
const COUNT: Statement = Statement::new(
    "count remittance claims",
    "select state, count(*) from remittance_claims where organization = $1 and remittance = $2 group by state",
);
const WAITING: Statement = Statement::new(
    "waiting remittance claims",
    "select remittance, position, claim, state, note, body, received_at from remittance_claims \
     where organization = $1 and state = 'waiting' order by remittance, position limit $2",
);

const PURGE: Statement = Statement::new(
    "purge claims of files that were never received",
    "delete from remittance_claims where state = 'received' and received_at < $1 and not exists (select 1 from streams \
     where streams.organization = remittance_claims.organization and streams.stream = remittance_claims.remittance)",
);

/// A claim of a remittance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its place in the file, 1 for the first.
    pub position: i64,
    /// The claim's control number (X12 CLP01).
    pub claim: String,
    /// `received`, `booked`, `waiting`.
    pub state: String,
    /// Why it waits, or where it was booked.
    pub note: Option<String>,
    /// The claim as read, JSON.
    pub body: String,
    /// When the file came.
    pub received_at: Timestamp,
}

/// Keeps a claim.
///
/// # Errors
/// [`Error::Conflict`] when it is kept already.
pub fn insert(tx: &mut Tx<'_>, organization: &str, remittance: &str, claim: &Claim) -> Result<(), Error> {
    let values = [
        organization.into(),
        remittance.into(),
        claim.position.into(),
        claim.claim.as_str().into(),
        claim.body.as_str().into(),
        claim.received_at.millis().into(),
    ];
    tx.execute_one(&INSERT, &values)
}

/// The claims of a remittance from a position on.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    remittance: &str,
    from: i64,
    limit: i64,
) -> Result<Vec<Claim>, Error> {
    let rows = tx.query(&NEXT, &[organization.into(), remittance.into(), from.into(), limit.into()])?;
    rows.iter().map(|row| claim(row, 0)).collect()
}

/// Moves a claim.
///
/// # Errors
/// [`Error::Conflict`] when there is no such claim.
pub fn move_to(
    tx: &mut Tx<'_>,
    organization: &str,
    (remittance, position): (&str, i64),
    state: &str,
    note: Option<&str>,
) -> Result<(), Error> {
    tx.execute_one(
        &MOVE,
        &[state.into(), note.into(), organization.into(), remittance.into(), position.into()],
    )
}

/// How many claims of a remittance are in each state.
///
/// # Errors
/// [`Error`] of the database.
pub fn count(tx: &mut Tx<'_>, organization: &str, remittance: &str) -> Result<Vec<(String, i64)>, Error> {
    let rows = tx.query(&COUNT, &[organization.into(), remittance.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}

/// Claims that wait for a person, with their remittance.
///
/// # Errors
/// [`Error`] of the database.
pub fn waiting(tx: &mut Tx<'_>, organization: &str, limit: i64) -> Result<Vec<(String, Claim)>, Error> {
    let rows = tx.query(&WAITING, &[organization.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, claim(row, 1)?))).collect()
}

/// Removes claims of imports that ended before their file was received: nobody can see them.
///
/// # Errors
/// [`Error`] of the database.
pub fn purge_unreceived(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Error> {
    tx.execute(&PURGE, &[before.millis().into()])
}

fn claim(row: &Row, first: usize) -> Result<Claim, Error> {
    Ok(Claim {
        position: row.int(first)?,
        claim: row.text(first + 1)?,
        state: row.text(first + 2)?,
        note: row.optional_text(first + 3)?,
        body: row.text(first + 4)?,
        received_at: Timestamp::from_millis(row.int(first + 5)?),
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT, NEXT, MOVE, COUNT, WAITING, PURGE];
