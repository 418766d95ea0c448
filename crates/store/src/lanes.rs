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
pub const STATEMENTS: &[Statement] = &[RESUME, RESUME_QUEUE];
