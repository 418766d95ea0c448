//! Lanes of effects as a whole. One effect of a lane runs at a time; see `effects` for what a lane does to claims.
//!
//! Called by the engine when something happened that parked effects of a lane wait for.

use suture_core::time::Timestamp;

use crate::statement::Statement;
use crate::{Error, Tx};

const RESUME: Statement = Statement::new(
    "resume lane of effects",
    "update effects set state = 'ready', due_at = $1, created_at = $1, attempts = 0, finished_at = null \
     where organization = $2 and lane = $3 and state = 'parked'",
);

const RESUME_QUEUE: Statement = Statement::new(
    "resume queue of effects",
    "update effects set state = 'ready', due_at = $1, created_at = $1, attempts = 0, finished_at = null \
     where organization = $2 and destination = $3 and state = 'parked'",
);

const HASTEN: Statement = Statement::new(
    "hasten lane of effects",
    "update effects set due_at = $1 where organization = $2 and lane = $3 and state = 'ready' and lease_owner is null \
     and due_at > $1",
);

const STOP: Statement = Statement::new(
    "stop effect that nobody holds",
    "update effects set state = 'parked', error = $1, finished_at = $2 where organization = $3 and id = $4 \
     and state = 'ready' and lease_owner is null",
);

const CLOSE: Statement = Statement::new(
    "close lane of effects",
    "update effects set state = 'done', finished_at = $1 where organization = $2 and lane = $3 and state = 'ready' \
     and lease_owner is null",
);

/// Ends effects of a lane that nobody holds: what they were to end is decided. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn close(tx: &mut Tx<'_>, organization: &str, lane: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(&CLOSE, &[now.millis().into(), organization.into(), lane.into()])
}

/// Makes effects of a lane due that wait for a moment to come: what they wait for happened. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn hasten(tx: &mut Tx<'_>, organization: &str, lane: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(&HASTEN, &[now.millis().into(), organization.into(), lane.into()])
}

/// Parks an effect that this transaction inserted and nobody holds: it waits for something that [`resume`] tells of.
///
/// # Errors
/// [`Error::Conflict`] when somebody holds it.
pub fn park(
    tx: &mut Tx<'_>,
    organization: &str,
    id: &str,
    (error, now): (&str, Timestamp),
) -> Result<(), Error> {
    tx.execute_one(&STOP, &[error.into(), now.millis().into(), organization.into(), id.into()])
}

/// Makes the parked effects of a destination ready again: what they waited for may be there. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn resume_queue(
    tx: &mut Tx<'_>,
    organization: &str,
    destination: &str,
    now: Timestamp,
) -> Result<u64, Error> {
    tx.execute(&RESUME_QUEUE, &[now.millis().into(), organization.into(), destination.into()])
}

/// Makes the parked effects of a lane ready again: what they waited for is there. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn resume(tx: &mut Tx<'_>, organization: &str, lane: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(&RESUME, &[now.millis().into(), organization.into(), lane.into()])
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[RESUME, RESUME_QUEUE, HASTEN, STOP, CLOSE];
