//! Passes that served already. A pass that serves once is written down in the transaction of what it does.

use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Tx};

const USED: Statement =
    Statement::new("pass used", "select used_at from used_passes where organization = $1 and pass = $2");
const USE: Statement = Statement::new(
    "use pass",
    "insert into used_passes (organization, pass, used_at, expires_at) values ($1, $2, $3, $4)",
);
const PURGE: Statement = Statement::new("purge used passes", "delete from used_passes where expires_at < $1");

/// Whether a pass served already.
///
/// # Errors
/// [`Error`] of the database.
pub fn is_used(tx: &mut Tx<'_>, organization: &str, pass: &str) -> Result<bool, Error> {
    Ok(tx.query_optional(&USED, &[organization.into(), pass.into()])?.is_some())
}

/// Writes down that a pass served. Of two at once one commits.
///
/// # Errors
/// [`Error::Conflict`] when it served already.
pub fn mark_used(
    tx: &mut Tx<'_>,
    organization: &str,
    pass: &str,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let values = [organization.into(), pass.into(), now.millis().into(), expires_at.millis().into()];
    tx.execute_one(&USE, &values)
}

/// Forgets passes that ended before a moment: what has ended is refused without looking here.
///
/// # Errors
/// [`Error`] of the database.
pub fn purge(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Error> {
    tx.execute(&PURGE, &[before.millis().into()])
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[USED, USE, PURGE];
