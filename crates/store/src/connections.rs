//! Connections to other systems: open settings as JSON, credentials sealed.

use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Keyring, Tx};

const PUT: Statement = Statement::new(
    "put connection",
    "insert into connections (organization, id, kind, name, settings, key_id, secrets, status, created_at, updated_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) on conflict (organization, id) do update set name = $4, settings = $5, \
     key_id = $6, secrets = $7, status = $8, updated_at = $9",
);
const LIST: Statement = Statement::new(
    "list connections",
    "select organization, id, kind, name, settings, key_id, secrets, status from connections order by organization, id",
);

/// A connection, its credentials opened.
#[derive(Clone)]
pub struct Connection {
    /// The tenant.
    pub organization: String,
    /// Its id.
    pub id: String,
    /// The kind of system: `stripe`, `epic`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Open settings, JSON.
    pub settings: String,
    /// Credentials, JSON. Never printed.
    pub secrets: suture_core::redact::Secret<String>,
    /// `active` or why not.
    pub status: String,
}

fn place(organization: &str, id: &str) -> String {
    format!("connection/{organization}/{id}")
}

/// Stores a connection, new or changed.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(tx: &mut Tx<'_>, keyring: &Keyring, connection: &Connection, now: Timestamp) -> Result<(), Error> {
    let sealed = keyring
        .seal(&place(&connection.organization, &connection.id), connection.secrets.expose().as_bytes())?;
    let values = [
        (&connection.organization).into(),
        (&connection.id).into(),
        (&connection.kind).into(),
        (&connection.name).into(),
        (&connection.settings).into(),
        keyring.current().to_owned().into(),
        sealed.into(),
        (&connection.status).into(),
        now.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// All connections of all tenants.
///
/// # Errors
/// [`Error::KeyMissing`] when credentials cannot be opened.
pub fn list(tx: &mut Tx<'_>, keyring: &Keyring) -> Result<Vec<Connection>, Error> {
    tx.query(&LIST, &[])?.iter().map(|row| read(row, keyring)).collect()
}

fn read(row: &Row, keyring: &Keyring) -> Result<Connection, Error> {
    let (organization, id) = (row.text(0)?, row.text(1)?);
    let opened = keyring.open(&row.text(5)?, &place(&organization, &id), row.blob(6)?)?;
    let secrets = String::from_utf8(opened).map_err(|_| row.corrupt())?;
    Ok(Connection {
        kind: row.text(2)?,
        name: row.text(3)?,
        settings: row.text(4)?,
        secrets: suture_core::redact::Secret::new(secrets),
        status: row.text(7)?,
        organization,
        id,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, LIST];
