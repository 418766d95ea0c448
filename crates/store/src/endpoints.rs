//! Endpoints: where an organization wants to hear of its events, with secrets sealed, and who wants what.
//!
//! Invariant: a change is stored only on top of the version that was loaded, so two changes never lose one another.

use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement, Value};
use crate::{Error, Keyring, Tx};

const INSERT: Statement = Statement::new(
    "insert endpoint",
    "insert into endpoints (organization, id, url, description, events, key_id, secrets, previous_until, status, note, \
     replays, version, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 1, $11, $11)",
);
const UPDATE: Statement = Statement::new(
    "update endpoint",
    "update endpoints set url = $1, description = $2, events = $3, key_id = $4, secrets = $5, previous_until = $6, \
     status = $7, note = $8, updated_at = $9, version = version + 1 where organization = $10 and id = $11 and version = $12",
);
const REMOVE: Statement =
    Statement::new("remove endpoint", "delete from endpoints where organization = $1 and id = $2");
const GET: Statement = Statement::new(
    "get endpoint",
    "select organization, id, url, description, events, key_id, secrets, previous_until, status, note, version, created_at, \
     updated_at from endpoints where organization = $1 and id = $2",
);
const LIST: Statement = Statement::new(
    "list endpoints",
    "select organization, id, url, description, events, key_id, secrets, previous_until, status, note, version, created_at, \
     updated_at from endpoints where organization = $1 order by id",
);
const OLD: Statement = Statement::new(
    "endpoints under an older key",
    "select organization, id, url, description, events, key_id, secrets, previous_until, status, note, version, created_at, \
     updated_at from endpoints where key_id <> $1 order by organization, id limit $2",
);
const SUBSCRIPTIONS: Statement = Statement::new(
    "subscriptions",
    "select organization, id, events from endpoints where status = 'enabled' order by organization, id",
);
const NEXT_REPLAY: Statement = Statement::new(
    "next replay",
    "update endpoints set replays = replays + 1 where organization = $1 and id = $2 returning replays",
);

/// Whether an endpoint is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Events go there.
    Enabled,
    /// Nothing goes there; what waited is parked.
    Disabled,
}

impl Status {
    /// The status as stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// An endpoint, its secrets opened.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The tenant.
    pub organization: String,
    /// Its id, `whk_…`.
    pub id: String,
    /// Where to send.
    pub url: String,
    /// What people call it.
    pub description: String,
    /// Which event types it wants: see `core::catalogue::Filters`.
    pub events: Vec<String>,
    /// What its messages are signed with.
    pub secret: Secret<String>,
    /// What they were signed with before, and until when they still are.
    pub previous: Option<(Secret<String>, Timestamp)>,
    /// Whether it is sent to.
    pub status: Status,
    /// Why it is disabled.
    pub note: Option<String>,
    /// Counts changes: see [`update`].
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// What an enabled endpoint wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The tenant.
    pub organization: String,
    /// The endpoint.
    pub endpoint: String,
    /// Which event types.
    pub events: Vec<String>,
}

fn place(organization: &str, id: &str) -> String {
    format!("endpoint/{organization}/{id}")
}

fn sealed(keyring: &Keyring, endpoint: &Endpoint) -> Result<Vec<u8>, Error> {
    let previous = endpoint.previous.as_ref().map(|(secret, _)| secret.expose());
    let secrets: Vec<&String> = std::iter::once(endpoint.secret.expose()).chain(previous).collect();
    let text = serde_json::to_vec(&secrets).map_err(|_| Error::Corrupt("endpoint".to_owned()))?;
    keyring.seal(&place(&endpoint.organization, &endpoint.id), &text)
}

fn events(endpoint: &Endpoint) -> Value<'static> {
    // Writing a list of strings cannot fail.
    serde_json::to_string(&endpoint.events).unwrap_or_default().into()
}

fn until(endpoint: &Endpoint) -> Value<'static> {
    endpoint.previous.as_ref().map(|(_, until)| until.millis()).into()
}

/// Stores a new endpoint.
///
/// # Errors
/// [`Error::Conflict`] when it exists.
pub fn insert(tx: &mut Tx<'_>, keyring: &Keyring, endpoint: &Endpoint) -> Result<(), Error> {
    let values = [
        (&endpoint.organization).into(),
        (&endpoint.id).into(),
        (&endpoint.url).into(),
        (&endpoint.description).into(),
        events(endpoint),
        keyring.current().to_owned().into(),
        sealed(keyring, endpoint)?.into(),
        until(endpoint),
        endpoint.status.name().into(),
        endpoint.note.as_deref().into(),
        endpoint.created_at.millis().into(),
    ];
    tx.execute_one(&INSERT, &values)
}

/// Stores a changed endpoint.
///
/// # Errors
/// [`Error::Conflict`] when it was changed or removed since it was loaded.
pub fn update(tx: &mut Tx<'_>, keyring: &Keyring, endpoint: &Endpoint, now: Timestamp) -> Result<(), Error> {
    let values = [
        (&endpoint.url).into(),
        (&endpoint.description).into(),
        events(endpoint),
        keyring.current().to_owned().into(),
        sealed(keyring, endpoint)?.into(),
        until(endpoint),
        endpoint.status.name().into(),
        endpoint.note.as_deref().into(),
        now.millis().into(),
        (&endpoint.organization).into(),
        (&endpoint.id).into(),
        endpoint.version.into(),
    ];
    tx.execute_one(&UPDATE, &values)
}

/// Removes an endpoint.
///
/// # Errors
/// [`Error::Conflict`] when there is none.
pub fn remove(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<(), Error> {
    tx.execute_one(&REMOVE, &[organization.into(), id.into()])
}

/// One endpoint.
///
/// # Errors
/// [`Error::KeyMissing`] when its secrets cannot be opened.
pub fn get(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    id: &str,
) -> Result<Option<Endpoint>, Error> {
    let row = tx.query_optional(&GET, &[organization.into(), id.into()])?;
    row.map(|row| read(&row, keyring)).transpose()
}

/// Endpoints of a tenant in order of their ids.
///
/// # Errors
/// [`Error::KeyMissing`] when secrets cannot be opened.
pub fn list(tx: &mut Tx<'_>, keyring: &Keyring, organization: &str) -> Result<Vec<Endpoint>, Error> {
    tx.query(&LIST, &[organization.into()])?.iter().map(|row| read(row, keyring)).collect()
}

/// What all enabled endpoints of all tenants want. Opens no secret.
///
/// # Errors
/// [`Error::Corrupt`] when a row does not read back.
pub fn subscriptions(tx: &mut Tx<'_>) -> Result<Vec<Subscription>, Error> {
    let read = |row: &Row| {
        let events = serde_json::from_str(&row.text(2)?).map_err(|_| row.corrupt())?;
        Ok(Subscription { organization: row.text(0)?, endpoint: row.text(1)?, events })
    };
    tx.query(&SUBSCRIPTIONS, &[])?.iter().map(read).collect()
}

/// The number of an endpoint's next replay; `None` when there is no such endpoint.
///
/// # Errors
/// [`Error`] of the database.
pub fn next_replay(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<i64>, Error> {
    let row = tx.query_optional(&NEXT_REPLAY, &[organization.into(), id.into()])?;
    row.map(|row| row.int(0)).transpose()
}

/// Seals secrets that are under an older key with the current one. Returns how many.
///
/// # Errors
/// [`Error::KeyMissing`] when an older key is not in the keyring.
pub fn reseal(tx: &mut Tx<'_>, keyring: &Keyring, limit: i64, now: Timestamp) -> Result<usize, Error> {
    let old = tx.query(&OLD, &[keyring.current().to_owned().into(), limit.into()])?;
    for row in &old {
        update(tx, keyring, &read(row, keyring)?, now)?;
    }
    Ok(old.len())
}

fn read(row: &Row, keyring: &Keyring) -> Result<Endpoint, Error> {
    let (organization, id) = (row.text(0)?, row.text(1)?);
    let opened = keyring.open(&row.text(5)?, &place(&organization, &id), row.blob(6)?)?;
    let secrets: Vec<String> = serde_json::from_slice(&opened).map_err(|_| row.corrupt())?;
    let mut secrets = secrets.into_iter().map(Secret::new);
    let secret = secrets.next().ok_or_else(|| row.corrupt())?;
    let previous = secrets.next().zip(row.optional_int(7)?.map(Timestamp::from_millis));
    let status = match row.text(8)?.as_str() {
        "enabled" => Status::Enabled,
        "disabled" => Status::Disabled,
        _ => return Err(row.corrupt()),
    };
    Ok(Endpoint {
        organization,
        id,
        url: row.text(2)?,
        description: row.text(3)?,
        events: serde_json::from_str(&row.text(4)?).map_err(|_| row.corrupt())?,
        secret,
        previous,
        status,
        note: row.optional_text(9)?,
        version: row.int(10)?,
        created_at: Timestamp::from_millis(row.int(11)?),
        updated_at: Timestamp::from_millis(row.int(12)?),
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT, UPDATE, REMOVE, GET, LIST, OLD, SUBSCRIPTIONS, NEXT_REPLAY];
