//! The words that an organization gave to its messages in place of ours. Checked before they come here; nothing personal.

use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put wording",
    "insert into wordings (organization, template, body, updated_at) values ($1, $2, $3, $4) \
     on conflict (organization, template) do update set body = $3, updated_at = $4",
);
const GET: Statement =
    Statement::new("get wording", "select body from wordings where organization = $1 and template = $2");
const LIST: Statement = Statement::new(
    "list wordings",
    "select template, body from wordings where organization = $1 order by template",
);
const REMOVE: Statement =
    Statement::new("remove wording", "delete from wordings where organization = $1 and template = $2");

/// Keeps the words of a template, as JSON.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(
    tx: &mut Tx<'_>,
    organization: &str,
    template: &str,
    body: &str,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute_one(&PUT, &[organization.into(), template.into(), body.into(), now.millis().into()])
}

/// The words of a template, as JSON; `None` when ours are used.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, template: &str) -> Result<Option<String>, Error> {
    tx.query_optional(&GET, &[organization.into(), template.into()])?.map(|row| row.text(0)).transpose()
}

/// All words of an organization: template and JSON.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, String)>, Error> {
    tx.query(&LIST, &[organization.into()])?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Goes back to our words. Says whether there were others.
///
/// # Errors
/// [`Error`] of the database.
pub fn remove(tx: &mut Tx<'_>, organization: &str, template: &str) -> Result<bool, Error> {
    Ok(tx.execute(&REMOVE, &[organization.into(), template.into()])? == 1)
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, GET, LIST, REMOVE];
