//! The access log: who looked at which patient's data, when, and why (FEATURES M227). Reading it is logged too.

use suture_core::explain::Actor;
use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Tx};

const INSERT: Statement = Statement::new(
    "log access",
    "insert into access_log (organization, id, at, actor_kind, actor_id, action, subject, resource, purpose) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
const OF_SUBJECT: Statement = Statement::new(
    "access to subject",
    "select at, actor_kind, actor_id, action, subject, resource, purpose from access_log \
     where organization = $1 and subject = $2 order by at desc, id desc limit $3",
);
const OF_ACTOR: Statement = Statement::new(
    "access by actor",
    "select at, actor_kind, actor_id, action, subject, resource, purpose from access_log \
     where organization = $1 and actor_id = $2 order by at desc, id desc limit $3",
);

/// One look at somebody's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// When.
    pub at: Timestamp,
    /// Who, by kind.
    pub actor_kind: String,
    /// Who.
    pub actor_id: String,
    /// What was done: `read`, `export`, `report`.
    pub action: String,
    /// The patient, by opaque id, or `*` for a list over many.
    pub subject: String,
    /// What was looked at, by id.
    pub resource: String,
    /// Why.
    pub purpose: String,
}

/// Logs an access. The caller does this before it shows anything.
///
/// # Errors
/// [`Error`] of the database: then nothing may be shown.
pub fn insert(tx: &mut Tx<'_>, organization: &str, id: &str, access: &Access) -> Result<(), Error> {
    let values = [
        organization.into(),
        id.into(),
        access.at.millis().into(),
        (&access.actor_kind).into(),
        (&access.actor_id).into(),
        (&access.action).into(),
        (&access.subject).into(),
        (&access.resource).into(),
        (&access.purpose).into(),
    ];
    tx.execute_one(&INSERT, &values)
}

/// An access by an actor.
#[must_use]
pub fn by(
    actor: &Actor,
    at: Timestamp,
    action: &str,
    subject: &str,
    resource: &str,
    purpose: &str,
) -> Access {
    let (kind, id) = actor.parts();
    Access {
        at,
        actor_kind: kind.to_owned(),
        actor_id: id.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        resource: resource.to_owned(),
        purpose: purpose.to_owned(),
    }
}

/// Who looked at a patient's data, latest first.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_subject(
    tx: &mut Tx<'_>,
    organization: &str,
    subject: &str,
    limit: i64,
) -> Result<Vec<Access>, Error> {
    tx.query(&OF_SUBJECT, &[organization.into(), subject.into(), limit.into()])?.iter().map(read).collect()
}

/// What an actor looked at, latest first.
///
/// # Errors
/// [`Error`] of the database.
pub fn list_actor(
    tx: &mut Tx<'_>,
    organization: &str,
    actor: &str,
    limit: i64,
) -> Result<Vec<Access>, Error> {
    tx.query(&OF_ACTOR, &[organization.into(), actor.into(), limit.into()])?.iter().map(read).collect()
}

fn read(row: &crate::statement::Row) -> Result<Access, Error> {
    Ok(Access {
        at: Timestamp::from_millis(row.int(0)?),
        actor_kind: row.text(1)?,
        actor_id: row.text(2)?,
        action: row.text(3)?,
        subject: row.text(4)?,
        resource: row.text(5)?,
        purpose: row.text(6)?,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT, OF_SUBJECT, OF_ACTOR];
