//! Effects: outbox, queue and timer in one table.
//!
//! An effect is inserted in the transaction that causes it, leased by one worker at a time, and completed only by the
//! attempt that leased it (fencing by owner and attempt number). A leased effect is one whose `due_at` lies at the end of
//! the lease: when the worker dies, it simply becomes due again.

use suture_core::time::Timestamp;

use crate::statement::{Ask, Row, Statement};
use crate::{Error, Tx};

const INSERT: Statement = Statement::new(
    "insert effect",
    "insert into effects (organization, id, kind, lane, destination, stream, state, due_at, attempts, lease_owner, payload, \
     created_at) values ($1, $2, $3, $4, $5, $6, 'ready', $7, $8, $9, $10, $11)",
);
const LANE_BUSY: Statement = Statement::new(
    "lane busy",
    "select 1 from effects where organization = $1 and lane = $2 and state = 'ready' limit 1",
);
// PostgreSQL has many claimants at once, who must skip each other's rows; SQLite has one writer.
const CLAIM: Statement = Statement::dialect(
    "claim effects",
    "update effects set lease_owner = $1, due_at = $2, attempts = attempts + 1 where sequence in ( \
       select e.sequence from effects e where e.state = 'ready' and e.due_at <= $3 and (e.lane is null or not exists ( \
         select 1 from effects o where o.organization = e.organization and o.lane = e.lane and o.state = 'ready' \
         and o.sequence < e.sequence)) order by e.due_at, e.sequence limit $4) \
     returning organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence",
    "update effects set lease_owner = $1, due_at = $2, attempts = attempts + 1 where (organization, sequence) in ( \
       select e.organization, e.sequence from effects e where e.state = 'ready' and e.due_at <= $3 and (e.lane is null or \
         not exists (select 1 from effects o where o.organization = e.organization and o.lane = e.lane \
         and o.state = 'ready' and o.sequence < e.sequence)) order by e.due_at, e.sequence limit $4 \
       for update skip locked) \
     returning organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence",
);
const FINISH: Statement = Statement::new(
    "finish effect",
    "update effects set state = $1, error = $2, finished_at = $3, lease_owner = null where organization = $4 and id = $5 \
     and state = 'ready' and lease_owner = $6 and attempts = $7",
);
const RETRY: Statement = Statement::new(
    "retry effect",
    "update effects set due_at = $1, error = $2, history = $3, payload = $4, lease_owner = null where organization = $5 \
     and id = $6 and state = 'ready' and lease_owner = $7 and attempts = $8",
);
const SAVE: Statement = Statement::new(
    "save effect",
    "update effects set payload = $1, due_at = $2 where organization = $3 and id = $4 and state = 'ready' \
     and lease_owner = $5 and attempts = $6",
);
const RELEASE: Statement = Statement::new(
    "release effects",
    "update effects set due_at = $1, lease_owner = null, attempts = attempts - 1 where state = 'ready' and lease_owner = $2",
);
const REVIVE: Statement = Statement::new(
    "revive effect",
    "update effects set state = 'ready', due_at = $1, created_at = $1, attempts = 0, payload = $2, history = $3, \
     lease_owner = null, finished_at = null where organization = $4 and id = $5 and state in ('dead', 'parked', 'skipped')",
);
const SKIP: Statement = Statement::new(
    "skip effect",
    "update effects set state = 'skipped', error = $1, finished_at = $2, history = $3 where organization = $4 and id = $5 \
     and state in ('dead', 'parked')",
);
const GET: Statement = Statement::new(
    "get effect",
    "select organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence from effects where organization = $1 and id = $2",
);
const LIST: Statement = Statement::new(
    "list effects",
    "select organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence from effects where organization = $1 and state = $2 and sequence < $3 \
     order by sequence desc limit $4",
);
const LIST_ALL: Statement = Statement::new(
    "list all effects",
    "select organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence from effects where organization = $1 and sequence < $2 \
     order by sequence desc limit $3",
);
const NEXT_DUE: Statement =
    Statement::new("next due effect", "select min(due_at) from effects where state = 'ready'");
const COUNTS: Statement = Statement::new(
    "count effects",
    "select destination, state, count(*), min(created_at) from effects where organization = $1 \
     and state in ('ready', 'dead', 'parked') group by destination, state order by destination, state",
);
const PURGE: Statement = Statement::new(
    "purge effects",
    "delete from effects where state in ('done', 'skipped') and finished_at < $1",
);

/// Where an effect stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits, or is leased.
    Ready,
    /// Done.
    Done,
    /// Cannot go on until something else is known, for example whose money it is.
    Parked,
    /// Needs a person.
    Dead,
    /// A person decided not to do it.
    Skipped,
}

impl State {
    /// The state as stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
        }
    }

    /// Parses the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Ready, Self::Done, Self::Parked, Self::Dead, Self::Skipped]
            .into_iter()
            .find(|s| s.name() == text)
    }
}

/// An effect to insert.
#[derive(Debug, Clone)]
pub struct NewEffect {
    /// `(stream, version, index)` of the event that causes it, as text: the same cause gives the same effect.
    pub id: String,
    /// What to do.
    pub kind: &'static str,
    /// Effects of one lane run one after the other.
    pub lane: Option<String>,
    /// The connection it is for, or `suture` for our own.
    pub destination: String,
    /// The stream it belongs to.
    pub stream: Option<String>,
    /// When it is due.
    pub due_at: Timestamp,
    /// What it needs. No personal data.
    pub payload: String,
}

/// A worker's hold on an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The tenant.
    pub organization: String,
    /// The effect.
    pub id: String,
    /// The worker.
    pub owner: String,
    /// The attempt number that was leased: the fencing token.
    pub attempt: i64,
}

/// An effect as stored.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The tenant.
    pub organization: String,
    /// Its id.
    pub id: String,
    /// What to do.
    pub kind: String,
    /// Its lane.
    pub lane: Option<String>,
    /// The connection it is for.
    pub destination: String,
    /// The stream it belongs to.
    pub stream: Option<String>,
    /// Where it stands.
    pub state: State,
    /// When it is due, or until when it is leased.
    pub due_at: Timestamp,
    /// How often it was leased.
    pub attempts: i64,
    /// What it needs.
    pub payload: String,
    /// The last failure.
    pub error: Option<String>,
    /// Failures before, one JSON object a line.
    pub history: Option<String>,
    /// When it was caused, or last set going again by a person or by what it waited for: the time to try counts from then.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its place in the queue.
    pub sequence: i64,
}

impl Effect {
    /// The lease that the claim by an owner gave.
    #[must_use]
    pub fn lease(&self, owner: &str) -> Lease {
        Lease {
            organization: self.organization.clone(),
            id: self.id.clone(),
            owner: owner.to_owned(),
            attempt: self.attempts,
        }
    }
}

/// Inserts an effect that anybody may claim when it is due.
///
/// # Errors
/// [`Error::Conflict`] when it exists already.
pub fn insert(tx: &mut Tx<'_>, organization: &str, effect: &NewEffect, now: Timestamp) -> Result<(), Error> {
    insert_row(tx, organization, effect, now, (effect.due_at, 0, None))
}

/// The question that [`insert_leased`] asks about its lane.
#[must_use]
pub fn ask_lane(organization: &str, lane: &str) -> Ask {
    Ask { statement: LANE_BUSY, values: vec![organization.to_owned().into(), lane.to_owned().into()] }
}

/// Inserts an effect that is already leased to `owner` until a moment, so that the inserting process can go on with it
/// after the commit without claiming it. Returns `None`, and inserts it unleased, when its lane is busy.
///
/// # Errors
/// [`Error::Conflict`] when it exists already.
pub fn insert_leased(
    tx: &mut Tx<'_>,
    organization: &str,
    effect: &NewEffect,
    now: Timestamp,
    (owner, until): (&str, Timestamp),
) -> Result<Option<Lease>, Error> {
    if let Some(lane) = &effect.lane
        && tx.query_optional(&LANE_BUSY, &[organization.into(), lane.into()])?.is_some()
    {
        insert(tx, organization, effect, now)?;
        return Ok(None);
    }
    insert_row(tx, organization, effect, now, (until, 1, Some(owner)))?;
    let lease = Lease {
        organization: organization.to_owned(),
        id: effect.id.clone(),
        owner: owner.to_owned(),
        attempt: 1,
    };
    Ok(Some(lease))
}

fn insert_row(
    tx: &mut Tx<'_>,
    organization: &str,
    effect: &NewEffect,
    now: Timestamp,
    (due_at, attempts, owner): (Timestamp, i64, Option<&str>),
) -> Result<(), Error> {
    let values = [
        organization.into(),
        (&effect.id).into(),
        effect.kind.into(),
        effect.lane.as_deref().into(),
        (&effect.destination).into(),
        effect.stream.as_deref().into(),
        due_at.millis().into(),
        attempts.into(),
        owner.into(),
        (&effect.payload).into(),
        now.millis().into(),
    ];
    tx.execute_one(&INSERT, &values)
}

/// Leases up to `limit` due effects until a moment, oldest first, at most one per lane.
///
/// # Errors
/// [`Error`] of the database.
pub fn claim(
    tx: &mut Tx<'_>,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Effect>, Error> {
    let rows = tx.query(&CLAIM, &[owner.into(), until.millis().into(), now.millis().into(), limit.into()])?;
    let mut effects = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    effects.sort_by_key(|effect| effect.sequence);
    Ok(effects)
}

/// Ends an effect.
///
/// # Errors
/// [`Error::Conflict`] when the lease was lost: somebody else has it now, and this result must not be kept.
pub fn finish(
    tx: &mut Tx<'_>,
    lease: &Lease,
    state: State,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let values = [
        state.name().into(),
        error.into(),
        now.millis().into(),
        (&lease.organization).into(),
        (&lease.id).into(),
        (&lease.owner).into(),
        lease.attempt.into(),
    ];
    tx.execute_one(&FINISH, &values)
}

/// Puts an effect back for a later moment, with what was learned.
///
/// # Errors
/// [`Error::Conflict`] when the lease was lost.
pub fn retry(
    tx: &mut Tx<'_>,
    lease: &Lease,
    due_at: Timestamp,
    error: &str,
    effect: &Effect,
) -> Result<(), Error> {
    let values = [
        due_at.millis().into(),
        error.into(),
        effect.history.as_deref().into(),
        (&effect.payload).into(),
        (&lease.organization).into(),
        (&lease.id).into(),
        (&lease.owner).into(),
        lease.attempt.into(),
    ];
    tx.execute_one(&RETRY, &values)
}

/// Stores progress of a leased effect and extends the lease.
///
/// # Errors
/// [`Error::Conflict`] when the lease was lost.
pub fn save(tx: &mut Tx<'_>, lease: &Lease, payload: &str, until: Timestamp) -> Result<(), Error> {
    let values = [
        payload.into(),
        until.millis().into(),
        (&lease.organization).into(),
        (&lease.id).into(),
        (&lease.owner).into(),
        lease.attempt.into(),
    ];
    tx.execute_one(&SAVE, &values)
}

/// Gives back all leases of a process that shuts down in order.
///
/// # Errors
/// [`Error`] of the database.
pub fn release(tx: &mut Tx<'_>, owner: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(&RELEASE, &[now.millis().into(), owner.into()])
}

/// Makes a dead, parked or skipped effect ready again, with an edited payload.
///
/// # Errors
/// [`Error::Conflict`] when it is not stopped.
pub fn revive(tx: &mut Tx<'_>, effect: &Effect, payload: &str, now: Timestamp) -> Result<(), Error> {
    let values = [
        now.millis().into(),
        payload.into(),
        effect.history.as_deref().into(),
        (&effect.organization).into(),
        (&effect.id).into(),
    ];
    tx.execute_one(&REVIVE, &values)
}

/// Gives a dead or parked effect up, with the reason, and the history as given.
///
/// # Errors
/// [`Error::Conflict`] when it is not stopped.
pub fn skip(tx: &mut Tx<'_>, effect: &Effect, reason: &str, now: Timestamp) -> Result<(), Error> {
    let values = [
        reason.into(),
        now.millis().into(),
        effect.history.as_deref().into(),
        (&effect.organization).into(),
        (&effect.id).into(),
    ];
    tx.execute_one(&SKIP, &values)
}

/// One effect.
///
/// # Errors
/// [`Error`] of the database.
pub fn get(tx: &mut Tx<'_>, organization: &str, id: &str) -> Result<Option<Effect>, Error> {
    tx.query_optional(&GET, &[organization.into(), id.into()])?.as_ref().map(read).transpose()
}

/// Effects in a state (or all), newest first, before a sequence number.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    organization: &str,
    state: Option<State>,
    before: i64,
    limit: i64,
) -> Result<Vec<Effect>, Error> {
    let rows = match state {
        Some(state) => {
            tx.query(&LIST, &[organization.into(), state.name().into(), before.into(), limit.into()])?
        }
        None => tx.query(&LIST_ALL, &[organization.into(), before.into(), limit.into()])?,
    };
    rows.iter().map(read).collect()
}

/// When the next effect is due (or its lease ends).
///
/// # Errors
/// [`Error`] of the database.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Timestamp>, Error> {
    let row = tx.query_optional(&NEXT_DUE, &[])?;
    Ok(row.map(|row| row.optional_int(0)).transpose()?.flatten().map(Timestamp::from_millis))
}

/// Queue depth: destination, state, count, and creation time of the oldest.
///
/// # Errors
/// [`Error`] of the database.
pub fn counts(tx: &mut Tx<'_>, organization: &str) -> Result<Vec<(String, State, i64, Timestamp)>, Error> {
    let rows = tx.query(&COUNTS, &[organization.into()])?;
    rows.iter()
        .map(|row| {
            let state = State::parse(&row.text(1)?).ok_or_else(|| row.corrupt())?;
            Ok((row.text(0)?, state, row.int(2)?, Timestamp::from_millis(row.int(3)?)))
        })
        .collect()
}

/// Removes effects that ended before a moment. The journal keeps what they did.
///
/// # Errors
/// [`Error`] of the database.
pub fn purge(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, Error> {
    tx.execute(&PURGE, &[before.millis().into()])
}

pub(crate) fn read(row: &Row) -> Result<Effect, Error> {
    Ok(Effect {
        organization: row.text(0)?,
        id: row.text(1)?,
        kind: row.text(2)?,
        lane: row.optional_text(3)?,
        destination: row.text(4)?,
        stream: row.optional_text(5)?,
        state: State::parse(&row.text(6)?).ok_or_else(|| row.corrupt())?,
        due_at: Timestamp::from_millis(row.int(7)?),
        attempts: row.int(8)?,
        payload: row.text(9)?,
        error: row.optional_text(10)?,
        history: row.optional_text(11)?,
        created_at: Timestamp::from_millis(row.int(12)?),
        finished_at: row.optional_int(13)?.map(Timestamp::from_millis),
        sequence: row.int(14)?,
    })
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    INSERT, LANE_BUSY, CLAIM, FINISH, RETRY, SAVE, RELEASE, REVIVE, SKIP, GET, LIST, LIST_ALL, NEXT_DUE,
    COUNTS, PURGE,
];
