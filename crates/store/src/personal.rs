//! Personal data: names, record numbers, birth dates, free text. Sealed, outside the journal, and can be shredded.

use suture_core::redact::Phi;
use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Keyring, Tx};

const PUT: Statement = Statement::new(
    "put personal field",
    "insert into personal (organization, subject, field, key_id, sealed, updated_at) values ($1, $2, $3, $4, $5, $6) \
     on conflict (organization, subject, field) do update set key_id = $4, sealed = $5, updated_at = $6",
);
const GET: Statement = Statement::new(
    "get personal fields",
    "select field, key_id, sealed from personal where organization = $1 and subject = $2 order by field",
);
const SHRED: Statement =
    Statement::new("shred personal fields", "delete from personal where organization = $1 and subject = $2");
const OLD: Statement = Statement::new(
    "personal fields under other keys",
    "select organization, subject, field, key_id, sealed, updated_at from personal where key_id <> $1 limit $2",
);

fn place(organization: &str, subject: &str, field: &str) -> String {
    format!("personal/{organization}/{subject}/{field}")
}

/// Stores one field of a subject.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    (organization, subject, field): (&str, &str, &str),
    content: &Phi<String>,
    now: Timestamp,
) -> Result<(), Error> {
    let sealed = keyring.seal(&place(organization, subject, field), content.expose().as_bytes())?;
    let values = [
        organization.into(),
        subject.into(),
        field.into(),
        keyring.current().to_owned().into(),
        sealed.into(),
        now.millis().into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// All fields of a subject. The caller has logged the access.
///
/// # Errors
/// [`Error::KeyMissing`] or [`Error::Corrupt`] when a field cannot be opened.
pub fn load(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    subject: &str,
) -> Result<Vec<(String, Phi<String>)>, Error> {
    let rows = tx.query(&GET, &[organization.into(), subject.into()])?;
    rows.iter()
        .map(|row| {
            let field = row.text(0)?;
            let opened = keyring.open(&row.text(1)?, &place(organization, subject, &field), row.blob(2)?)?;
            let content = String::from_utf8(opened).map_err(|_| row.corrupt())?;
            Ok((field, Phi::new(content)))
        })
        .collect()
}

/// Destroys all fields of a subject. Returns how many there were.
///
/// # Errors
/// [`Error`] of the database.
pub fn shred(tx: &mut Tx<'_>, organization: &str, subject: &str) -> Result<u64, Error> {
    tx.execute(&SHRED, &[organization.into(), subject.into()])
}

/// Seals up to `limit` fields that are under other keys with the current one. Returns how many.
///
/// # Errors
/// [`Error::KeyMissing`] when an old key is gone.
pub fn reseal(tx: &mut Tx<'_>, keyring: &Keyring, limit: i64) -> Result<usize, Error> {
    let rows = tx.query(&OLD, &[keyring.current().to_owned().into(), limit.into()])?;
    for row in &rows {
        let (organization, subject, field) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let opened = keyring.open(&row.text(3)?, &place(&organization, &subject, &field), row.blob(4)?)?;
        let content = Phi::new(String::from_utf8(opened).map_err(|_| row.corrupt())?);
        put(tx, keyring, (&organization, &subject, &field), &content, Timestamp::from_millis(row.int(5)?))?;
    }
    Ok(rows.len())
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, GET, SHRED, OLD];
