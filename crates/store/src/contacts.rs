//! What people said about being written to: by channel, for a topic or for everything.
//!
//! The subject is a person's opaque id, or the mark of an address: a phone that says STOP is left alone whoever has it.
//! Addresses themselves are personal fields.

use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Tx};

const PUT: Statement = Statement::new(
    "put contact choice",
    "insert into contact_choices (organization, subject, channel, topic, wants, since, chosen_by) \
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (organization, subject, channel, topic) \
     do update set wants = $5, since = $6, chosen_by = $7",
);
const REMOVE: Statement = Statement::new(
    "remove contact choice",
    "delete from contact_choices where organization = $1 and subject = $2 and channel = $3 and topic = $4",
);
const OF_SUBJECT: Statement = Statement::new(
    "contact choices of subject",
    "select channel, topic, wants, since, chosen_by from contact_choices where organization = $1 and subject = $2 \
     order by channel, topic",
);

/// What somebody said about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The channel: `email`, `sms`.
    pub channel: String,
    /// The topic; empty: everything.
    pub topic: String,
    /// Yes or no.
    pub wants: bool,
    /// Since when.
    pub since: Timestamp,
    /// Who wrote it down: `api_key:key_…`, `link`, `text`.
    pub by: String,
}

/// Keeps a choice, in place of the one before.
///
/// # Errors
/// [`Error`] of the database.
pub fn put(tx: &mut Tx<'_>, organization: &str, subject: &str, choice: &Choice) -> Result<(), Error> {
    let values = [
        organization.into(),
        subject.into(),
        (&choice.channel).into(),
        (&choice.topic).into(),
        i64::from(choice.wants).into(),
        choice.since.millis().into(),
        (&choice.by).into(),
    ];
    tx.execute_one(&PUT, &values)
}

/// Forgets a choice. Says whether there was one.
///
/// # Errors
/// [`Error`] of the database.
pub fn remove(
    tx: &mut Tx<'_>,
    (organization, subject): (&str, &str),
    channel: &str,
    topic: &str,
) -> Result<bool, Error> {
    let values = [organization.into(), subject.into(), channel.into(), topic.into()];
    Ok(tx.execute(&REMOVE, &values)? == 1)
}

/// Everything that a subject said.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str, subject: &str) -> Result<Vec<Choice>, Error> {
    tx.query(&OF_SUBJECT, &[organization.into(), subject.into()])?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Choice, Error> {
    Ok(Choice {
        channel: row.text(0)?,
        topic: row.text(1)?,
        wants: row.int(2)? != 0,
        since: Timestamp::from_millis(row.int(3)?),
        by: row.text(4)?,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[PUT, REMOVE, OF_SUBJECT];
