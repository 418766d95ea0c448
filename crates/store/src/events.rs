//! Reading the journal by event: one, those of an object after a version, those of a type, and where a moment lies.

use suture_core::time::Timestamp;

use crate::journal::{Stored, stored};
use crate::statement::Statement;
use crate::{Error, Tx};

const GET: Statement = Statement::new(
    "get event",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and stream = $2 and version = $3",
);
const AFTER: Statement = Statement::new(
    "events of object after",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and stream = $2 and version > $3 order by version limit $4",
);
const LATEST: Statement = Statement::new(
    "latest event of object",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and stream = $2 order by version desc limit 1",
);
const OF_OBJECT: Statement = Statement::new(
    "events of object before",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and stream = $2 and position < $3 \
     and (kind = $4 or substr(kind, 1, length(cast($5 as text))) = $5) order by version desc limit $6",
);
const OF_TYPE: Statement = Statement::new(
    "events of type before",
    "select position, stream, version, kind, body, actor_kind, actor_id, reason, care, at, hash from journal \
     where organization = $1 and position < $2 and (kind = $3 or substr(kind, 1, length(cast($4 as text))) = $4) \
     order by position desc limit $5",
);
const HEAD: Statement = Statement::new(
    "last position",
    "select position from journal where organization = $1 order by position desc limit 1",
);
const BEFORE: Statement = Statement::new(
    "position before a moment",
    "select position from journal where organization = $1 and at < $2 order by position desc limit 1",
);

/// One event.
///
/// # Errors
/// [`Error::Corrupt`] when it does not read back.
pub fn get(tx: &mut Tx<'_>, organization: &str, stream: &str, version: i64) -> Result<Option<Stored>, Error> {
    let row = tx.query_optional(&GET, &[organization.into(), stream.into(), version.into()])?;
    row.map(|row| stored(&row, organization)).transpose()
}

/// Events of an object after a version, oldest first. Versions have no gaps, so nothing that commits late is missed.
///
/// # Errors
/// [`Error::Corrupt`] when an entry does not read back.
pub fn list_after(
    tx: &mut Tx<'_>,
    organization: &str,
    stream: &str,
    version: i64,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let rows = tx.query(&AFTER, &[organization.into(), stream.into(), version.into(), limit.into()])?;
    rows.iter().map(|row| stored(row, organization)).collect()
}

/// The latest event of an object.
///
/// # Errors
/// [`Error::Corrupt`] when it does not read back.
pub fn latest(tx: &mut Tx<'_>, organization: &str, stream: &str) -> Result<Option<Stored>, Error> {
    let row = tx.query_optional(&LATEST, &[organization.into(), stream.into()])?;
    row.map(|row| stored(&row, organization)).transpose()
}

/// Which events: of an object, of a type (`payment.captured`), of a machine (`payment.*`), or any combination.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// The object.
    pub object: Option<String>,
    /// The type, or the beginning of a type before a `*`.
    pub kind: Option<String>,
}

/// Events before a position, newest first.
///
/// # Errors
/// [`Error::Corrupt`] when an entry does not read back.
pub fn list_before(
    tx: &mut Tx<'_>,
    organization: &str,
    which: &Which,
    position: i64,
    limit: i64,
) -> Result<Vec<Stored>, Error> {
    let kind = which.kind.as_deref().unwrap_or("*");
    // No kind begins with a whole kind and a dot, so an exact type matches only itself.
    let beginning = kind.strip_suffix('*').map_or_else(|| format!("{kind}."), ToOwned::to_owned);
    let (kind, beginning) = (kind.into(), beginning.into());
    let (position, limit) = (position.into(), limit.into());
    let rows = match &which.object {
        Some(object) => {
            tx.query(&OF_OBJECT, &[organization.into(), object.into(), position, kind, beginning, limit])?
        }
        None => tx.query(&OF_TYPE, &[organization.into(), position, kind, beginning, limit])?,
    };
    rows.iter().map(|row| stored(row, organization)).collect()
}

/// The position of the last event; 0 when there is none.
///
/// # Errors
/// [`Error`] of the database.
pub fn head(tx: &mut Tx<'_>, organization: &str) -> Result<i64, Error> {
    tx.query_optional(&HEAD, &[organization.into()])?.map_or(Ok(0), |row| row.int(0))
}

/// The position of the last event before a moment; 0 when there is none. Walks back from the newest, so it costs as much
/// as lies after the moment.
///
/// # Errors
/// [`Error`] of the database.
pub fn position_before(tx: &mut Tx<'_>, organization: &str, at: Timestamp) -> Result<i64, Error> {
    let row = tx.query_optional(&BEFORE, &[organization.into(), at.millis().into()])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[GET, AFTER, LATEST, OF_OBJECT, OF_TYPE, HEAD, BEFORE];
