//! The inbox: every accepted webhook once, its raw body sealed, its deliveries counted; refused ones counted too.

use suture_core::audit::chain::Hash;
use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Keyring, Tx};

const RECEIVE: Statement = Statement::new(
    "receive message",
    "insert into inbox (organization, connection, event_id, message, event_type, object_id, received_at, deliveries, \
     body_hash) values ($1, $2, $3, $4, $5, $6, $7, 1, $8) \
     on conflict (organization, connection, event_id) do update set deliveries = inbox.deliveries + 1 \
     returning message, deliveries",
);
const KEEP_BODY: Statement = Statement::new(
    "keep body",
    "insert into inbox_bodies (organization, message, key_id, sealed) values ($1, $2, $3, $4)",
);
const BODY: Statement = Statement::new(
    "get body",
    "select key_id, sealed from inbox_bodies where organization = $1 and message = $2",
);
const GET: Statement = Statement::new(
    "get message",
    "select connection, event_id, message, event_type, object_id, received_at, deliveries, body_hash, sequence from inbox \
     where organization = $1 and message = $2",
);
const BY_EVENT: Statement = Statement::new(
    "get message by event",
    "select connection, event_id, message, event_type, object_id, received_at, deliveries, body_hash, sequence from inbox \
     where organization = $1 and connection = $2 and event_id = $3",
);
const LIST: Statement = Statement::new(
    "list messages",
    "select connection, event_id, message, event_type, object_id, received_at, deliveries, body_hash, sequence from inbox \
     where organization = $1 and sequence < $2 order by sequence desc limit $3",
);
const LAST: Statement = Statement::new(
    "last message by type",
    "select event_type, max(received_at), count(*) from inbox where organization = $1 and connection = $2 \
     group by event_type order by event_type",
);
const REJECT: Statement = Statement::new(
    "count rejection",
    "insert into rejections (organization, connection, day, code, count, last_at) values ($1, $2, $3, $4, 1, $5) \
     on conflict (organization, connection, day, code) do update set count = rejections.count + 1, last_at = $5",
);
const REJECTED: Statement = Statement::new(
    "list rejections",
    "select connection, day, code, count, last_at from rejections where organization = $1 order by last_at desc limit $2",
);
const RESEAL: Statement = Statement::new(
    "reseal body",
    "update inbox_bodies set key_id = $1, sealed = $2 where organization = $3 and message = $4 and key_id = $5",
);
const OLD_BODIES: Statement = Statement::new(
    "bodies under other keys",
    "select organization, message, key_id, sealed from inbox_bodies where key_id <> $1 limit $2",
);

/// A message to receive.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The connection it came to.
    pub connection: String,
    /// The gateway's event id: the key of deduplication.
    pub event_id: String,
    /// Our id for it, used when it is new.
    pub message: String,
    /// The gateway's event type.
    pub event_type: String,
    /// The object it is about.
    pub object_id: Option<String>,
    /// The hash of the raw body.
    pub body_hash: Hash,
    /// The raw body, sealed for [`place`] with the keyring's current key.
    pub sealed: Vec<u8>,
}

/// A message as stored.
#[derive(Debug, Clone)]
pub struct Message {
    /// The connection.
    pub connection: String,
    /// The gateway's event id.
    pub event_id: String,
    /// Our id for it.
    pub message: String,
    /// The gateway's event type.
    pub event_type: String,
    /// The object it is about.
    pub object_id: Option<String>,
    /// When it came first.
    pub received_at: Timestamp,
    /// How often it came.
    pub deliveries: i64,
    /// The hash of the raw body.
    pub body_hash: Hash,
    /// Its place in the order of arrival.
    pub sequence: i64,
}

/// What became of a received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is new.
    New,
    /// It came before; how often by now.
    Duplicate {
        /// The message that is kept.
        message: String,
        /// How often it came by now.
        deliveries: i64,
    },
}

/// The place that a body is sealed for.
#[must_use]
pub fn place(organization: &str, message: &str) -> String {
    format!("inbox/{organization}/{message}")
}

/// Takes a message in, or counts it again.
///
/// # Errors
/// [`Error`] of the database.
pub fn receive(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    new: &NewMessage,
    now: Timestamp,
) -> Result<Received, Error> {
    let values = [
        organization.into(),
        (&new.connection).into(),
        (&new.event_id).into(),
        (&new.message).into(),
        (&new.event_type).into(),
        new.object_id.as_deref().into(),
        now.millis().into(),
        new.body_hash.0.as_slice().into(),
    ];
    let rows = tx.query(&RECEIVE, &values)?;
    let row = rows.first().ok_or_else(|| Error::Corrupt("inbox".to_owned()))?;
    let (message, deliveries) = (row.text(0)?, row.int(1)?);
    if message != new.message {
        return Ok(Received::Duplicate { message, deliveries });
    }
    let values = [
        organization.into(),
        (&new.message).into(),
        keyring.current().to_owned().into(),
        new.sealed.as_slice().into(),
    ];
    tx.execute_one(&KEEP_BODY, &values)?;
    Ok(Received::New)
}

/// The raw body of a message.
///
/// # Errors
/// [`Error::KeyMissing`] or [`Error::Corrupt`] when it cannot be opened.
pub fn load_body(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    message: &str,
) -> Result<Vec<u8>, Error> {
    let row = tx.query_optional(&BODY, &[organization.into(), message.into()])?;
    let row = row.ok_or_else(|| Error::Corrupt(format!("body of message {message}")))?;
    keyring.open(&row.text(0)?, &place(organization, message), row.blob(1)?)
}

/// One message by our id.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, message: &str) -> Result<Option<Message>, Error> {
    tx.query_optional(&GET, &[organization.into(), message.into()])?.as_ref().map(read).transpose()
}

/// One message by the gateway's event id.
///
/// # Errors
/// [`Error`] of the database.
pub fn find(
    tx: &mut Tx<'_>,
    organization: &str,
    connection: &str,
    event_id: &str,
) -> Result<Option<Message>, Error> {
    let row = tx.query_optional(&BY_EVENT, &[organization.into(), connection.into(), event_id.into()])?;
    row.as_ref().map(read).transpose()
}

/// Messages, newest first, before a sequence number.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str, before: i64, limit: i64) -> Result<Vec<Message>, Error> {
    let rows = tx.query(&LIST, &[organization.into(), before.into(), limit.into()])?;
    rows.iter().map(read).collect()
}

/// Event types received on a connection: type, last time, count.
///
/// # Errors
/// [`Error`] of the database.
pub fn last_by_type(
    tx: &mut Tx<'_>,
    organization: &str,
    connection: &str,
) -> Result<Vec<(String, Timestamp, i64)>, Error> {
    let rows = tx.query(&LAST, &[organization.into(), connection.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, Timestamp::from_millis(row.int(1)?), row.int(2)?))).collect()
}

/// Counts a refused delivery by day and code. Bounded: an attacker adds to a number, not rows.
///
/// # Errors
/// [`Error`] of the database.
pub fn reject(
    tx: &mut Tx<'_>,
    organization: &str,
    connection: &str,
    code: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let day = now.to_rfc3339().chars().take(10).collect::<String>();
    let values = [organization.into(), connection.into(), day.into(), code.into(), now.millis().into()];
    tx.execute_one(&REJECT, &values)
}

/// A count of refused deliveries.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// The connection.
    pub connection: String,
    /// The day, UTC.
    pub day: String,
    /// Why.
    pub code: String,
    /// How often.
    pub count: i64,
    /// The last time.
    pub last_at: Timestamp,
}

/// Refused deliveries, latest first.
///
/// # Errors
/// [`Error`] of the database.
pub fn rejections(tx: &mut Tx<'_>, organization: &str, limit: i64) -> Result<Vec<Rejection>, Error> {
    let rows = tx.query(&REJECTED, &[organization.into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            let (connection, day, code) = (row.text(0)?, row.text(1)?, row.text(2)?);
            Ok(Rejection {
                connection,
                day,
                code,
                count: row.int(3)?,
                last_at: Timestamp::from_millis(row.int(4)?),
            })
        })
        .collect()
}

/// Seals up to `limit` bodies that are under other keys with the current one. Returns how many.
///
/// # Errors
/// [`Error::KeyMissing`] when an old key is gone.
pub fn reseal(tx: &mut Tx<'_>, keyring: &Keyring, limit: i64) -> Result<usize, Error> {
    let rows = tx.query(&OLD_BODIES, &[keyring.current().to_owned().into(), limit.into()])?;
    for row in &rows {
        let (organization, message, key_id) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let place = place(&organization, &message);
        let sealed = keyring.seal(&place, &keyring.open(&key_id, &place, row.blob(3)?)?)?;
        let values = [
            keyring.current().to_owned().into(),
            sealed.into(),
            organization.into(),
            message.into(),
            key_id.into(),
        ];
        tx.execute_one(&RESEAL, &values)?;
    }
    Ok(rows.len())
}

fn read(row: &Row) -> Result<Message, Error> {
    Ok(Message {
        connection: row.text(0)?,
        event_id: row.text(1)?,
        message: row.text(2)?,
        event_type: row.text(3)?,
        object_id: row.optional_text(4)?,
        received_at: Timestamp::from_millis(row.int(5)?),
        deliveries: row.int(6)?,
        body_hash: crate::journal::hash(row, 7)?,
        sequence: row.int(8)?,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] =
    &[RECEIVE, KEEP_BODY, BODY, GET, BY_EVENT, LIST, LAST, REJECT, REJECTED, RESEAL, OLD_BODIES];
