//! Runs of flows: one per flow and fact. The run's state and trace are sealed: they hold what was looked up.

use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Keyring, Tx};

const INSERT: Statement = Statement::new(
    "insert run",
    "insert into runs (organization, id, flow, fact, state, note, key_id, sealed, started_at, finished_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
const UPDATE: Statement = Statement::new(
    "update run",
    "update runs set state = $1, note = $2, key_id = $3, sealed = $4, finished_at = $5 where organization = $6 and id = $7",
);
const GET: Statement = Statement::new(
    "get run",
    "select id, flow, fact, state, note, key_id, sealed, started_at, finished_at from runs where organization = $1 and id = $2",
);
const BY_FACT: Statement = Statement::new(
    "get run by fact",
    "select id, flow, fact, state, note, key_id, sealed, started_at, finished_at from runs \
     where organization = $1 and flow = $2 and fact = $3",
);
const LIST: Statement = Statement::new(
    "list runs",
    "select id, flow, fact, state, note, started_at, finished_at from runs where organization = $1 and id < $2 \
     order by id desc limit $3",
);

/// A run to store.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The flow and version, for example `stripe-to-epic@1`.
    pub flow: String,
    /// The fact that started it.
    pub fact: String,
    /// `running`, `finished`, `parked`, `failed`.
    pub state: String,
    /// A sentence about where it stands; no personal data.
    pub note: Option<String>,
    /// The run's state and trace, JSON. Sealed at rest.
    pub content: Vec<u8>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A run in a list.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The flow and version.
    pub flow: String,
    /// The fact.
    pub fact: String,
    /// Where it stands.
    pub state: String,
    /// A sentence.
    pub note: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

fn place(organization: &str, id: &str) -> String {
    format!("run/{organization}/{id}")
}

/// Stores a new run.
///
/// # Errors
/// [`Error::Conflict`] when the flow has a run for this fact.
pub fn insert(tx: &mut Tx<'_>, keyring: &Keyring, organization: &str, run: &Run) -> Result<(), Error> {
    let values = [
        organization.into(),
        (&run.id).into(),
        (&run.flow).into(),
        (&run.fact).into(),
        (&run.state).into(),
        run.note.as_deref().into(),
        keyring.current().to_owned().into(),
        keyring.seal(&place(organization, &run.id), &run.content)?.into(),
        run.started_at.millis().into(),
        run.finished_at.map(Timestamp::millis).into(),
    ];
    tx.execute_one(&INSERT, &values)
}

/// Stores the progress of a run.
///
/// # Errors
/// [`Error::Conflict`] when there is no such run.
pub fn update(tx: &mut Tx<'_>, keyring: &Keyring, organization: &str, run: &Run) -> Result<(), Error> {
    let values = [
        (&run.state).into(),
        run.note.as_deref().into(),
        keyring.current().to_owned().into(),
        keyring.seal(&place(organization, &run.id), &run.content)?.into(),
        run.finished_at.map(Timestamp::millis).into(),
        organization.into(),
        (&run.id).into(),
    ];
    tx.execute_one(&UPDATE, &values)
}

/// One run.
///
/// # Errors
/// [`Error::KeyMissing`] or [`Error::Corrupt`] when its content cannot be opened.
pub fn get(tx: &mut Tx<'_>, keyring: &Keyring, organization: &str, id: &str) -> Result<Option<Run>, Error> {
    let row = tx.query_optional(&GET, &[organization.into(), id.into()])?;
    row.map(|row| read(&row, keyring, organization)).transpose()
}

/// The run of a flow for a fact.
///
/// # Errors
/// As [`get`].
pub fn find(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    flow: &str,
    fact: &str,
) -> Result<Option<Run>, Error> {
    let row = tx.query_optional(&BY_FACT, &[organization.into(), flow.into(), fact.into()])?;
    row.map(|row| read(&row, keyring, organization)).transpose()
}

/// Runs, newest first, before an id.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(tx: &mut Tx<'_>, organization: &str, before: &str, limit: i64) -> Result<Vec<Summary>, Error> {
    let rows = tx.query(&LIST, &[organization.into(), before.into(), limit.into()])?;
    rows.iter()
        .map(|row| {
            Ok(Summary {
                id: row.text(0)?,
                flow: row.text(1)?,
                fact: row.text(2)?,
                state: row.text(3)?,
                note: row.optional_text(4)?,
                started_at: Timestamp::from_millis(row.int(5)?),
                finished_at: row.optional_int(6)?.map(Timestamp::from_millis),
            })
        })
        .collect()
}

fn read(row: &Row, keyring: &Keyring, organization: &str) -> Result<Run, Error> {
    let id = row.text(0)?;
    Ok(Run {
        flow: row.text(1)?,
        fact: row.text(2)?,
        state: row.text(3)?,
        note: row.optional_text(4)?,
        content: keyring.open(&row.text(5)?, &place(organization, &id), row.blob(6)?)?,
        started_at: Timestamp::from_millis(row.int(7)?),
        finished_at: row.optional_int(8)?.map(Timestamp::from_millis),
        id,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT, UPDATE, GET, BY_FACT, LIST];
