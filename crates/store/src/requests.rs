//! Idempotency of our own API: the first answer to a key is kept, sealed, and given again to the same request.

use suture_core::audit::chain::Hash;
use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Keyring, Tx};

const BEGIN: Statement = Statement::new(
    "begin request",
    "insert into idempotency (organization, api_key, key, request_hash, created_at) values ($1, $2, $3, $4, $5) \
     on conflict (organization, api_key, key) do nothing",
);
const GET: Statement = Statement::new(
    "get request",
    "select request_hash, status, key_id, sealed, created_at from idempotency \
     where organization = $1 and api_key = $2 and key = $3",
);
const ANSWER: Statement = Statement::new(
    "answer request",
    "update idempotency set status = $1, key_id = $2, sealed = $3 where organization = $4 and api_key = $5 and key = $6",
);
const FORGET: Statement = Statement::new(
    "forget request",
    "delete from idempotency where organization = $1 and api_key = $2 and key = $3 and status is null",
);
const OLD: Statement = Statement::new(
    "answers under other keys",
    "select organization, api_key, key, status, key_id, sealed from idempotency where key_id <> $1 limit $2",
);
const PURGE: Statement = Statement::new("purge requests", "delete from idempotency where created_at < $1");

/// The owner of a key: tenant, API key, and the caller's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The tenant.
    pub organization: String,
    /// The API key.
    pub api_key: String,
    /// The caller's `Idempotency-Key`.
    pub key: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is new: go on, and answer it.
    New,
    /// The same request is being worked on, or its work was cut off.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// The key was used for another request.
    OtherRequest,
    /// The answer that was given.
    Answered {
        /// The HTTP status.
        status: i64,
        /// The body.
        body: Vec<u8>,
    },
}

fn place(key: &Key) -> String {
    format!("request/{}/{}/{}", key.organization, key.api_key, key.key)
}

/// Begins a request under a key, or says what is known of the key.
///
/// # Errors
/// [`Error`] of the database.
pub fn begin(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    key: &Key,
    request: Hash,
    now: Timestamp,
) -> Result<Known, Error> {
    let (organization, api_key, name) = (&key.organization, &key.api_key, &key.key);
    let values =
        [organization.into(), api_key.into(), name.into(), request.0.as_slice().into(), now.millis().into()];
    if tx.execute(&BEGIN, &values)? == 1 {
        return Ok(Known::New);
    }
    let row = tx.query_optional(&GET, &[organization.into(), api_key.into(), name.into()])?;
    let row = row.ok_or_else(|| Error::Conflict("idempotency key".to_owned()))?;
    if row.blob(0)? != request.0 {
        return Ok(Known::OtherRequest);
    }
    match (row.optional_int(1)?, row.optional_text(2)?) {
        (Some(status), Some(key_id)) => {
            Ok(Known::Answered { status, body: keyring.open(&key_id, &place(key), row.blob(3)?)? })
        }
        _ => Ok(Known::Running { since: Timestamp::from_millis(row.int(4)?) }),
    }
}

/// Keeps the answer.
///
/// # Errors
/// [`Error`] of the database.
pub fn answer(tx: &mut Tx<'_>, keyring: &Keyring, key: &Key, status: i64, body: &[u8]) -> Result<(), Error> {
    let sealed = keyring.seal(&place(key), body)?;
    let values = [
        status.into(),
        keyring.current().to_owned().into(),
        sealed.into(),
        (&key.organization).into(),
        (&key.api_key).into(),
        (&key.key).into(),
    ];
    tx.execute_one(&ANSWER, &values)
}

/// Seals up to `limit` answers that are under other keys with the current one. Returns how many.
///
/// # Errors
/// [`Error::KeyMissing`] when an old key is gone.
pub fn reseal(tx: &mut Tx<'_>, keyring: &Keyring, limit: i64) -> Result<usize, Error> {
    let rows = tx.query(&OLD, &[keyring.current().to_owned().into(), limit.into()])?;
    for row in &rows {
        let key = Key { organization: row.text(0)?, api_key: row.text(1)?, key: row.text(2)? };
        let body = keyring.open(&row.text(4)?, &place(&key), row.blob(5)?)?;
        answer(tx, keyring, &key, row.int(3)?, &body)?;
    }
    Ok(rows.len())
}

/// Forgets a request that ended without effect, so that it may be tried again under the same key.
///
/// # Errors
/// [`Error`] of the database.
pub fn forget(tx: &mut Tx<'_>, key: &Key) -> Result<(), Error> {
    let values = [(&key.organization).into(), (&key.api_key).into(), (&key.key).into()];
    tx.execute(&FORGET, &values).map(|_| ())
}

/// Removes requests begun before a moment.
///
/// # Errors
/// [`Error`] of the database.
pub fn purge(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Error> {
    tx.execute(&PURGE, &[before.millis().into()])
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[BEGIN, GET, ANSWER, OLD, FORGET, PURGE];
