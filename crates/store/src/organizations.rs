//! Tenants, their API keys (hashed), and small named marks such as watermarks.

use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Tx};

const INSERT: Statement = Statement::new(
    "insert organization",
    "insert into organizations (id, name, mode, created_at) values ($1, $2, $3, $4)",
);
const LIST: Statement =
    Statement::new("list organizations", "select id, name, mode from organizations order by id");
const INSERT_KEY: Statement = Statement::new(
    "insert api key",
    "insert into api_keys (organization, id, hash, name, role, created_at) values ($1, $2, $3, $4, $5, $6)",
);
const KEY: Statement = Statement::new(
    "find api key",
    "select organization, id, name, role from api_keys where hash = $1 and revoked_at is null",
);
const KEYS: Statement = Statement::new(
    "list api keys",
    "select organization, id, name, role from api_keys where organization = $1 and revoked_at is null order by id",
);
const REVOKE: Statement = Statement::new(
    "revoke api key",
    "update api_keys set revoked_at = $1 where organization = $2 and id = $3 and revoked_at is null",
);
const MARK: Statement =
    Statement::new("get mark", "select value from marks where organization = $1 and name = $2");
const SET_MARK: Statement = Statement::new(
    "set mark",
    "insert into marks (organization, name, value) values ($1, $2, $3) \
     on conflict (organization, name) do update set value = $3",
);

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `sandbox` or `live`; live credentials never meet a sandbox tenant (FEATURES M2).
    pub mode: String,
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The tenant.
    pub organization: String,
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its role.
    pub role: String,
}

/// Stores a tenant.
///
/// # Errors
/// [`Error::Conflict`] when it exists.
pub fn insert(tx: &mut Tx<'_>, organization: &Organization, now: Timestamp) -> Result<(), Error> {
    let Organization { id, name, mode } = organization;
    tx.execute_one(&INSERT, &[id.into(), name.into(), mode.into(), now.millis().into()])
}

/// All tenants.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Organization>, Error> {
    let rows = tx.query(&LIST, &[])?;
    rows.iter()
        .map(|row| Ok(Organization { id: row.text(0)?, name: row.text(1)?, mode: row.text(2)? }))
        .collect()
}

/// Stores a key by the hash of its secret.
///
/// # Errors
/// [`Error::Conflict`] when it exists.
pub fn insert_key(tx: &mut Tx<'_>, key: &ApiKey, hash: &[u8], now: Timestamp) -> Result<(), Error> {
    let values = [
        (&key.organization).into(),
        (&key.id).into(),
        hash.into(),
        (&key.name).into(),
        (&key.role).into(),
        now.millis().into(),
    ];
    tx.execute_one(&INSERT_KEY, &values)
}

/// The key with this hash, unless revoked.
///
/// # Errors
/// [`Error`] of the database.
pub fn find_key(tx: &mut Tx<'_>, hash: &[u8]) -> Result<Option<ApiKey>, Error> {
    tx.query_optional(&KEY, &[hash.into()])?.as_ref().map(read_key).transpose()
}

/// Keys of a tenant that are not revoked.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_keys(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<ApiKey>, Error> {
    tx.query(&KEYS, &[organization.into()])?.iter().map(read_key).collect()
}

/// Revokes a key.
///
/// # Errors
/// [`Error::Conflict`] when there is no such valid key.
pub fn revoke_key(tx: &mut Tx<'_>, organization: &str, id: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(&REVOKE, &[now.millis().into(), organization.into(), id.into()])
}

/// A mark's value.
///
/// # Errors
/// [`Error`] of the database.
pub fn mark(tx: &mut Tx<'_>, organization: &str, name: &str) -> Result<Option<String>, Error> {
    tx.query_optional(&MARK, &[organization.into(), name.into()])?.map(|row| row.text(0)).transpose()
}

/// Sets a mark.
///
/// # Errors
/// [`Error`] of the database.
pub fn set_mark(tx: &mut Tx<'_>, organization: &str, name: &str, value: &str) -> Result<(), Error> {
    tx.execute_one(&SET_MARK, &[organization.into(), name.into(), value.into()])
}

fn read_key(row: &crate::statement::Row) -> Result<ApiKey, Error> {
    Ok(ApiKey { organization: row.text(0)?, id: row.text(1)?, name: row.text(2)?, role: row.text(3)? })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT, LIST, INSERT_KEY, KEY, KEYS, REVOKE, MARK, SET_MARK];
