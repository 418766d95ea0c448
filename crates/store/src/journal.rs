//! Streams and the journal: append events with the state they cause, load the state, export the trail.
//!
//! Invariant: a stream's row and its journal entries change together, at the expected version, or not at all.

use serde::Serialize;
use serde::de::DeserializeOwned;
use suture_core::audit::chain::{Entry, EntryRef, Hash};
use suture_core::explain::{Actor, Care, Reason};
use suture_core::time::Timestamp;

use crate::statement::{Ask, Row, Statement, Value};
use crate::{Error, Tx};

const LOAD: Statement = Statement::new(
    "load stream",
    "select version, head, state from streams where organization = $1 and stream = $2",
);
const CREATE: Statement = Statement::new(
    "create stream",
    "insert into streams (organization, stream, kind, version, head, state, updated_at) values ($1, $2, $3, $4, $5, $6, $7)",
);
const ADVANCE: Statement = Statement::new(
    "advance stream",
    "update streams set version = $1, head = $2, state = $3, updated_at = $4 \
     where organization = $5 and stream = $6 and version = $7",
);
const APPEND: Statement = Statement::new(
    "append to journal",
    "insert into journal (organization, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
);
const OF_STREAM: Statement = Statement::new(
    "journal of stream",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and stream = $2 order by version",
);
const SINCE: Statement = Statement::new(
    "journal since",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and position > $2 order by position limit $3",
);
const RECENT: Statement = Statement::new(
    "journal before",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and position < $2 order by position desc limit $3",
);
const STREAMS: Statement = Statement::new(
    "streams of kind",
    "select stream, version, head, state from streams where organization = $1 and kind = $2 and stream > $3 \
     order by stream limit $4",
);
const HEADS: Statement = Statement::new(
    "all streams",
    "select stream, kind, version, head, state from streams where organization = $1 and stream > $2 order by stream limit $3",
);
const REFER: Statement =
    Statement::new("refer", "insert into refs (organization, external, stream) values ($1, $2, $3)");
const REFER_ONCE: Statement = Statement::new(
    "refer once",
    "insert into refs (organization, external, stream) values ($1, $2, $3) on conflict (organization, external) do nothing",
);
const REFERRED: Statement =
    Statement::new("referred", "select stream from refs where organization = $1 and external = $2");
const REMEMBER_PARTY: Statement = Statement::new(
    "remember party",
    "insert into parties (organization, link, stream, amount_minor, currency) values ($1, $2, $3, $4, $5)",
);
const PARTY_HISTORY: Statement = Statement::new(
    "party history",
    "select stream, amount_minor, currency from parties where organization = $1 and link = $2 order by stream desc limit $3",
);

/// A stream as stored.
#[derive(Debug, Clone)]
pub struct Stream<S> {
    /// Its version: how many events it has.
    pub version: i64,
    /// The hash of its last event.
    pub head: Hash,
    /// Its present state.
    pub state: S,
}

/// An event on its way into the journal.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The event's type.
    pub kind: &'static str,
    /// Its content.
    pub body: serde_json::Value,
}

/// Who, why, for which act of care, and when: the same for all events of one command.
#[derive(Debug, Clone)]
pub struct Cause {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// For which act of care.
    pub care: Care,
    /// When.
    pub at: Timestamp,
}

/// An entry read from the journal.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its place in the order of commits.
    pub position: i64,
    /// The entry.
    pub entry: Entry,
    /// The hash stored beside it.
    pub hash: Hash,
}

/// The question that [`referred`] asks.
#[must_use]
pub fn ask_referred(organization: &str, external: &str) -> Ask {
    Ask { statement: REFERRED, values: vec![organization.to_owned().into(), external.to_owned().into()] }
}

/// The question that [`party_history`] asks.
#[must_use]
pub fn ask_party_history(organization: &str, link: &str, limit: i64) -> Ask {
    let values = vec![organization.to_owned().into(), link.to_owned().into(), limit.into()];
    Ask { statement: PARTY_HISTORY, values }
}

/// Loads a stream's state.
///
/// # Errors
/// [`Error::Corrupt`] when the state does not read back.
pub fn load<S: DeserializeOwned>(
    tx: &mut Tx<'_>,
    organization: &str,
    stream: &str,
) -> Result<Option<Stream<S>>, Error> {
    let Some(row) = tx.query_optional(&LOAD, &[organization.into(), stream.into()])? else { return Ok(None) };
    let state =
        serde_json::from_str(&row.text(2)?).map_err(|_| Error::Corrupt(format!("stream {stream}")))?;
    Ok(Some(Stream { version: row.int(0)?, head: hash(&row, 1)?, state }))
}

/// What [`append`] needs to know of a stream.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The tenant.
    pub organization: &'a str,
    /// The stream's id.
    pub stream: &'a str,
    /// The kind of machine, for example `payment`.
    pub kind: &'a str,
    /// The version and head that were loaded; 0 and [`Hash::ZERO`] for a new stream.
    pub version: i64,
    /// See `version`.
    pub head: Hash,
}

/// Appends events and stores the state after them. Returns the new version and head.
///
/// # Errors
/// [`Error::Conflict`] when the stream is no longer at that version.
pub fn append<S: Serialize>(
    tx: &mut Tx<'_>,
    at: At<'_>,
    events: Vec<NewEvent>,
    cause: &Cause,
    state: &S,
) -> Result<(i64, Hash), Error> {
    let (mut version, mut head) = (at.version, at.head);
    let care = serde_json::to_string(&cause.care).map_err(|_| Error::Corrupt("care".to_owned()))?;
    let (actor_kind, actor_id) = cause.actor.parts();
    for event in events {
        version += 1;
        let entry = EntryRef {
            organization: at.organization,
            stream: at.stream,
            version,
            kind: event.kind,
            body: &event.body,
            actor: &cause.actor,
            reason: &cause.reason,
            care: &cause.care,
            at: cause.at,
        };
        head = entry.hash(head);
        let values = [
            at.organization.into(),
            at.stream.into(),
            version.into(),
            event.kind.into(),
            event.body.to_string().into(),
            actor_kind.into(),
            actor_id.into(),
            cause.reason.as_str().into(),
            (&care).into(),
            cause.at.millis().into(),
            head.0.as_slice().into(),
        ];
        tx.execute_one(&APPEND, &values)?;
    }
    let state = serde_json::to_string(state).map_err(|_| Error::Corrupt(format!("stream {}", at.stream)))?;
    let (head_value, now): (Value<'_>, Value<'_>) = (head.0.as_slice().into(), cause.at.millis().into());
    if at.version == 0 {
        let values = [
            at.organization.into(),
            at.stream.into(),
            at.kind.into(),
            version.into(),
            head_value,
            state.into(),
            now,
        ];
        tx.execute_one(&CREATE, &values)?;
    } else {
        let values = [
            version.into(),
            head_value,
            state.into(),
            now,
            at.organization.into(),
            at.stream.into(),
            at.version.into(),
        ];
        tx.execute_one(&ADVANCE, &values)?;
    }
    Ok((version, head))
}

/// The whole journal of a stream.
///
/// # Errors
/// [`Error::Corrupt`] when an entry does not read back.
pub fn list_stream(tx: &mut Tx<'_>, organization: &str, stream: &str) -> Result<Vec<Stored>, Error> {
    let rows = tx.query(&OF_STREAM, &[organization.into(), stream.into()])?;
    rows.iter().map(|row| stored(row, organization)).collect()
}

/// Entries after a position, in order of commit.
///
/// # Errors
/// [`Error::Corrupt`] when an entry does not read back.
pub fn list_since(
    tx: &mut Tx<'_>,
    organization: &str,
    position: i64,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let rows = tx.query(&SINCE, &[organization.into(), position.into(), limit.into()])?;
    rows.iter().map(|row| stored(row, organization)).collect()
}

/// The latest entries before a position, newest first.
///
/// # Errors
/// [`Error::Corrupt`] when an entry does not read back.
pub fn list_before(
    tx: &mut Tx<'_>,
    organization: &str,
    position: i64,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let rows = tx.query(&RECENT, &[organization.into(), position.into(), limit.into()])?;
    rows.iter().map(|row| stored(row, organization)).collect()
}

/// Streams of one kind in order of their ids, after one of them.
///
/// # Errors
/// [`Error::Corrupt`] when a state does not read back.
pub fn list_streams<S: DeserializeOwned>(
    tx: &mut Tx<'_>,
    organization: &str,
    kind: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, S)>, Error> {
    let rows = tx.query(&STREAMS, &[organization.into(), kind.into(), after.into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            let stream = row.text(0)?;
            let state = serde_json::from_str(&row.text(3)?)
                .map_err(|_| Error::Corrupt(format!("stream {stream}")))?;
            Ok((stream, state))
        })
        .collect()
}

/// A stream's head as stored, with the text of its state.
#[derive(Debug, Clone)]
pub struct Head {
    /// The stream.
    pub stream: String,
    /// The kind of machine.
    pub kind: String,
    /// Its version.
    pub version: i64,
    /// The hash of its last event.
    pub head: Hash,
    /// The stored state.
    pub state: String,
}

/// All streams in order of their ids, after one of them: for the verifier.
///
/// # Errors
/// [`Error::Corrupt`] when a row does not read back.
pub fn list_heads(tx: &mut Tx<'_>, organization: &str, after: &str, limit: i64) -> Result<Vec<Head>, Error> {
    let rows = tx.query(&HEADS, &[organization.into(), after.into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            let (stream, kind, version) = (row.text(0)?, row.text(1)?, row.int(2)?);
            Ok(Head { stream, kind, version, head: hash(row, 3)?, state: row.text(4)? })
        })
        .collect()
}

/// Remembers that an outside id belongs to a stream.
///
/// # Errors
/// [`Error::Conflict`] when it belongs to one already.
pub fn refer(tx: &mut Tx<'_>, organization: &str, external: &str, stream: &str) -> Result<(), Error> {
    tx.execute_one(&REFER, &[organization.into(), external.into(), stream.into()])
}

/// As [`refer`]; keeps the first when there is one.
///
/// # Errors
/// [`Error`] of the database.
pub fn refer_once(tx: &mut Tx<'_>, organization: &str, external: &str, stream: &str) -> Result<(), Error> {
    tx.execute(&REFER_ONCE, &[organization.into(), external.into(), stream.into()]).map(|_| ())
}

/// The stream that an outside id belongs to.
///
/// # Errors
/// [`Error`] of the database.
pub fn referred(tx: &mut Tx<'_>, organization: &str, external: &str) -> Result<Option<String>, Error> {
    tx.query_optional(&REFERRED, &[organization.into(), external.into()])?.map(|row| row.text(0)).transpose()
}

/// Remembers that a payment of an amount belongs to a link.
///
/// # Errors
/// [`Error::Conflict`] when it is remembered already.
pub fn remember_party(
    tx: &mut Tx<'_>,
    organization: &str,
    link: &str,
    stream: &str,
    amount: suture_core::money::Money,
) -> Result<(), Error> {
    let values = [
        organization.into(),
        link.into(),
        stream.into(),
        amount.minor.into(),
        amount.currency.code().to_owned().into(),
    ];
    tx.execute_one(&REMEMBER_PARTY, &values)
}

/// The latest payments of a link: stream, amount in minor units, currency code.
///
/// # Errors
/// [`Error`] of the database.
pub fn party_history(
    tx: &mut Tx<'_>,
    organization: &str,
    link: &str,
    limit: i64,
) -> Result<Vec<(String, i64, String)>, Error> {
    let rows = tx.query(&PARTY_HISTORY, &[organization.into(), link.into(), limit.into()])?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?, row.text(2)?))).collect()
}

/// A column of 32 bytes.
pub(crate) fn hash(row: &Row, column: usize) -> Result<Hash, Error> {
    row.blob(column)?.try_into().map(Hash).map_err(|_| row.corrupt())
}

pub(crate) fn stored(row: &Row, organization: &str) -> Result<Stored, Error> {
    let position = row.int(0)?;
    let corrupt = || Error::Corrupt(format!("journal entry at position {position}"));
    let actor = serde_json::json!({ "kind": row.text(5)?, "id": row.text(6)? });
    let entry = Entry {
        organization: organization.to_owned(),
        stream: row.text(1)?,
        version: row.int(2)?,
        kind: row.text(3)?,
        body: serde_json::from_str(&row.text(4)?).map_err(|_| corrupt())?,
        actor: serde_json::from_value(actor).map_err(|_| corrupt())?,
        reason: serde_json::from_value(row.text(7)?.into()).map_err(|_| corrupt())?,
        care: serde_json::from_str(&row.text(8)?).map_err(|_| corrupt())?,
        at: Timestamp::from_millis(row.int(9)?),
    };
    Ok(Stored { position, entry, hash: hash(row, 10)? })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    LOAD,
    CREATE,
    ADVANCE,
    APPEND,
    OF_STREAM,
    SINCE,
    RECENT,
    STREAMS,
    HEADS,
    REFER,
    REFER_ONCE,
    REFERRED,
    REMEMBER_PARTY,
    PARTY_HISTORY,
];
