//! Rows of look-up tables that people keep: product → part, refund reason → reason code. Codes only, no personal data.

use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put lookup row",
    "insert into lookup_rows (organization, name, key, value, updated_by, updated_at) values ($1, $2, $3, $4, $5, $6) \
     on conflict (organization, name, key) do update set value = excluded.value, updated_by = excluded.updated_by, \
     updated_at = excluded.updated_at",
);
const GET: Statement = Statement::new(
    "get lookup row",
    "select value from lookup_rows where organization = $1 and name = $2 and key = $3",
);
const LIST: Statement = Statement::new(
    "list lookup rows",
    "select key, value, updated_by, updated_at from lookup_rows where organization = $1 and name = $2 and key > $3 \
     order by key limit $4",
);
const REMOVE: Statement = Statement::new(
    "remove lookup row",
    "delete from lookup_rows where organization = $1 and name = $2 and key = $3",
);

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupRow {
    /// What is looked up.
    pub key: String,
    /// What is found: JSON.
    pub value: String,
    /// Who wrote it.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

/// Writes a row.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(tx: &mut Tx<'_>, organization: &str, table: &str, row: &LookupRow) -> Result<(), Error> {
    let values = [
        organization.into(),
        table.into(),
        (&row.key).into(),
        (&row.value).into(),
        (&row.updated_by).into(),
        row.updated_at.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// The value of a key, JSON.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, table: &str, key: &str) -> Result<Option<String>, Error> {
    let row = tx.query_optional(&GET, &[organization.into(), table.into(), key.into()])?;
    row.map(|row| row.text(0)).transpose()
}

/// Rows of a table in the order of their keys, after a key.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    table: &str,
    (after, limit): (&str, i64),
) -> Result<Vec<LookupRow>, Error> {
    let rows = tx.query(&LIST, &[organization.into(), table.into(), after.into(), limit.into()])?;
    let read = |row: &crate::statement::Row| {
        Ok(LookupRow {
            key: row.text(0)?,
            value: row.text(1)?,
            updated_by: row.text(2)?,
            updated_at: Timestamp::from_millis(row.int(3)?),
        })
    };
    rows.iter().map(read).collect()
}

/// Removes a row. Says whether there was one.
///
/// # Errors
/// [`Error`] of the database.
pub fn remove(tx: &mut Tx<'_>, organization: &str, table: &str, key: &str) -> Result<bool, Error> {
    Ok(tx.execute(&REMOVE, &[organization.into(), table.into(), key.into()])? > 0)
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, GET, LIST, REMOVE];
