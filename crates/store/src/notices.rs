//! Notices beside their streams: what each is about, for finding them, and their texts, sealed and not for ever.

use suture_core::redact::Phi;
use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Keyring, Tx};

const RELATE: Statement = Statement::new(
    "relate notice",
    "insert into notice_subjects (organization, subject, notice) values ($1, $2, $3) \
     on conflict (organization, subject, notice) do nothing",
);
const ABOUT: Statement = Statement::new(
    "notices about",
    "select notice from notice_subjects where organization = $1 and subject = $2 and notice > $3 order by notice limit $4",
);
const PUT: Statement = Statement::new(
    "put notice text",
    "insert into notice_texts (organization, notice, part, key_id, sealed, keep_until) values ($1, $2, $3, $4, $5, $6) \
     on conflict (organization, notice, part) do update set key_id = $4, sealed = $5, keep_until = $6",
);
const GET: Statement = Statement::new(
    "get notice text",
    "select key_id, sealed from notice_texts where organization = $1 and notice = $2 and part = $3",
);
const OLD: Statement = Statement::new(
    "notice texts under other keys",
    "select organization, notice, part, key_id, sealed, keep_until from notice_texts where key_id <> $1 limit $2",
);
const PURGE: Statement =
    Statement::new("purge notice texts", "delete from notice_texts where keep_until < $1");

fn place(organization: &str, notice: &str, part: &str) -> String {
    format!("notice/{organization}/{notice}/{part}")
}

/// Remembers that a notice is about something, or for somebody.
///
/// # Errors
/// [`Error`] of the database.
pub fn relate(tx: &mut Tx<'_>, organization: &str, subject: &str, notice: &str) -> Result<(), Error> {
    tx.execute(&RELATE, &[organization.into(), subject.into(), notice.into()]).map(|_| ())
}

/// Notices about something or for somebody, oldest first, after one.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_about(
    tx: &mut Tx<'_>,
    organization: &str,
    subject: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Error> {
    let values = [organization.into(), subject.into(), after.into(), limit.into()];
    tx.query(&ABOUT, &values)?.iter().map(|row| row.text(0)).collect()
}

/// Seals one text of a notice: `values`, or what left by a channel.
///
/// # Errors
/// [`Error`] of the database.
pub fn put_text(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    (organization, notice, part): (&str, &str, &str),
    content: &Phi<String>,
    keep_until: Timestamp,
) -> Result<(), Error> {
    let sealed = keyring.seal(&place(organization, notice, part), content.expose().as_bytes())?;
    let values = [
        organization.into(),
        notice.into(),
        part.into(),
        keyring.current().to_owned().into(),
        sealed.into(),
        keep_until.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// Opens one text of a notice; `None` when there is none, or none any more.
///
/// # Errors
/// [`Error::KeyMissing`] or [`Error::Corrupt`] when it cannot be opened.
pub fn text(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    (organization, notice, part): (&str, &str, &str),
) -> Result<Option<Phi<String>>, Error> {
    let row = tx.query_optional(&GET, &[organization.into(), notice.into(), part.into()])?;
    let Some(row) = row else { return Ok(None) };
    let opened = keyring.open(&row.text(0)?, &place(organization, notice, part), row.blob(1)?)?;
    String::from_utf8(opened).map(|text| Some(Phi::new(text))).map_err(|_| row.corrupt())
}

/// Seals up to `limit` texts that are under other keys with the current one. Returns how many.
///
/// # Errors
/// [`Error::KeyMissing`] when an old key is gone.
pub fn reseal(tx: &mut Tx<'_>, keyring: &Keyring, limit: i64) -> Result<usize, Error> {
    let rows = tx.query(&OLD, &[keyring.current().to_owned().into(), limit.into()])?;
    for row in &rows {
        let (organization, notice, part) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let opened = keyring.open(&row.text(3)?, &place(&organization, &notice, &part), row.blob(4)?)?;
        let content = Phi::new(String::from_utf8(opened).map_err(|_| row.corrupt())?);
        let until = Timestamp::from_millis(row.int(5)?);
        put_text(tx, keyring, (&organization, &notice, &part), &content, until)?;
    }
    Ok(rows.len())
}

/// Destroys texts that were kept until a moment. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn purge(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Error> {
    tx.execute(&PURGE, &[before.millis().into()])
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[RELATE, ABOUT, PUT, GET, OLD, PURGE];
