//! Runs of flows: one per flow and fact. The run's state and trace are sealed: they hold what was looked up.

use suture_core::time::Timestamp;

use crate::statement::{Row, Statement};
use crate::{Error, Keyring, Tx};

const INSERT: Statement = Statement::new(
    "insert run",
    "insert into runs (organization, id, flow, fact, state, note, started_at, finished_at) \
     values ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const KEEP: Statement = Statement::new(
    "keep run content",
    "insert into run_contents (organization, run, key_id, sealed) values ($1, $2, $3, $4) \
     on conflict (organization, run) do update set key_id = $3, sealed = $4",
);
const UPDATE: Statement = Statement::new(
    "update run",
    "update runs set state = $1, note = $2, finished_at = $3 where organization = $4 and id = $5",
);
const GET: Statement = Statement::new(
    "get run",
    "select r.id, r.flow, r.fact, r.state, r.note, c.key_id, c.sealed, r.started_at, r.finished_at from runs r \
     join run_contents c on c.organization = r.organization and c.run = r.id where r.organization = $1 and r.id = $2",
);
const BY_FACT: Statement = Statement::new(
    "get run by fact",
    "select r.id, r.flow, r.fact, r.state, r.note, c.key_id, c.sealed, r.started_at, r.finished_at from runs r \
     join run_contents c on c.organization = r.organization and c.run = r.id \
     where r.organization = $1 and r.flow = $2 and r.fact = $3",
);
const LIST: Statement = Statement::new(
    "list runs",
    "select id, flow, fact, state, note, started_at, finished_at from runs where organization = $1 and id < $2 \
     order by id desc limit $3",
);
const OLD: Statement = Statement::new(
    "run contents under other keys",
    "select organization, run, key_id, sealed from run_contents where key_id <> $1 limit $2",
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
        run.started_at.millis().into(),
        run.finished_at.map(Timestamp::millis).into(),
    ];
    tx.execute_one(&INSERT, &values)?;
    keep(tx, keyring, organization, &run.id, &run.content)
}

/// Stores the progress of a run with its content.
///
/// # Errors
/// [`Error::Conflict`] when there is no such run.
pub fn update(tx: &mut Tx<'_>, keyring: &Keyring, organization: &str, run: &Run) -> Result<(), Error> {
    conclude(tx, organization, &run.id, (&run.state, run.note.as_deref()), run.finished_at)?;
    keep(tx, keyring, organization, &run.id, &run.content)
}

/// Stores how a run stands, leaving its content as it is.
///
/// # Errors
/// [`Error::Conflict`] when there is no such run.
pub fn conclude(
    tx: &mut Tx<'_>,
    organization: &str,
    id: &str,
    (state, note): (&str, Option<&str>),
    finished_at: Option<Timestamp>,
) -> Result<(), Error> {
    let values = [
        state.into(),
        note.into(),
        finished_at.map(Timestamp::millis).into(),
        organization.into(),
        id.into(),
    ];
    tx.execute_one(&UPDATE, &values)
}

fn keep(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    organization: &str,
    id: &str,
    content: &[u8],
) -> Result<(), Error> {
    let sealed = keyring.seal(&place(organization, id), content)?;
    tx.execute_one(
        &KEEP,
        &[organization.into(), id.into(), keyring.current().to_owned().into(), sealed.into()],
    )
}

/// Seals up to `limit` contents that are under other keys with the current one. Returns how many.
///
/// # Errors
/// [`Error::KeyMissing`] when an old key is gone.
pub fn reseal(tx: &mut Tx<'_>, keyring: &Keyring, limit: i64) -> Result<usize, Error> {
    let rows = tx.query(&OLD, &[keyring.current().to_owned().into(), limit.into()])?;
    for row in &rows {
        let (organization, id) = (row.text(0)?, row.text(1)?);
        let content = keyring.open(&row.text(2)?, &place(&organization, &id), row.blob(3)?)?;
        keep(tx, keyring, &organization, &id, &content)?;
    }
    Ok(rows.len())
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
pub const STATEMENTS: &[Statement] = &[INSERT, KEEP, UPDATE, GET, BY_FACT, LIST, OLD];
