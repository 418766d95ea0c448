//! Announcements: the effects that bring events to endpoints. They are plain effects of the kind `announce`, whose
//! destination is an endpoint; only what is particular to them is here.

use suture_core::time::Timestamp;

use crate::effects::{Effect, NewEffect, State, read};
use crate::statement::Statement;
use crate::{Error, Tx};

/// The kind of these effects.
pub const KIND: &str = "announce";

const INSERT_ONCE: Statement = Statement::new(
    "announce once",
    "insert into effects (organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, created_at) \
     values ($1, $2, $3, $4, $5, $6, 'ready', $7, 0, $8, $9) on conflict (organization, id) do nothing",
);
const OF_ENDPOINT: Statement = Statement::new(
    "announcements of endpoint",
    "select organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence from effects where kind = 'announce' and organization = $1 and destination = $2 \
     and sequence < $3 order by sequence desc limit $4",
);
const OF_ENDPOINT_IN: Statement = Statement::new(
    "announcements of endpoint in state",
    "select organization, id, kind, lane, destination, stream, state, due_at, attempts, payload, error, history, \
     created_at, finished_at, sequence from effects where kind = 'announce' and organization = $1 and destination = $2 \
     and sequence < $3 and state = $5 order by sequence desc limit $4",
);
const REVIVE: Statement = Statement::new(
    "revive announcements",
    "update effects set state = 'ready', due_at = $1, created_at = $1, attempts = 0, lease_owner = null, finished_at = null \
     where kind = 'announce' and organization = $2 and destination = $3 and state = 'parked'",
);
const ABANDON: Statement = Statement::new(
    "abandon announcements",
    "update effects set state = 'skipped', error = 'the endpoint was removed', finished_at = $1, lease_owner = null \
     where kind = 'announce' and organization = $2 and destination = $3 and state in ('ready', 'parked', 'dead')",
);

/// Inserts an announcement unless one of its id exists. Says whether it did.
///
/// # Errors
/// [`Error`] of the database.
pub fn insert_once(
    tx: &mut Tx<'_>,
    organization: &str,
    effect: &NewEffect,
    now: Timestamp,
) -> Result<bool, Error> {
    let values = [
        organization.into(),
        (&effect.id).into(),
        effect.kind.into(),
        effect.lane.as_deref().into(),
        (&effect.destination).into(),
        effect.stream.as_deref().into(),
        effect.due_at.millis().into(),
        (&effect.payload).into(),
        now.millis().into(),
    ];
    Ok(tx.execute(&INSERT_ONCE, &values)? == 1)
}

/// Announcements of an endpoint in a state (or all), newest first, before a sequence number.
///
/// # Errors
/// [`Error`] of the database.
pub fn list(
    tx: &mut Tx<'_>,
    (organization, endpoint): (&str, &str),
    state: Option<State>,
    before: i64,
    limit: i64,
) -> Result<Vec<Effect>, Error> {
    let place = [organization.into(), endpoint.into(), before.into(), limit.into()];
    let rows = match state {
        None => tx.query(&OF_ENDPOINT, &place)?,
        Some(state) => {
            let [organization, endpoint, before, limit] = place;
            tx.query(&OF_ENDPOINT_IN, &[organization, endpoint, before, limit, state.name().into()])?
        }
    };
    rows.iter().map(read).collect()
}

/// Makes everything ready again that was parked while an endpoint was disabled. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn revive(tx: &mut Tx<'_>, organization: &str, endpoint: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(&REVIVE, &[now.millis().into(), organization.into(), endpoint.into()])
}

/// Gives up everything that waits for an endpoint that is being removed. Returns how many.
///
/// # Errors
/// [`Error`] of the database.
pub fn abandon(tx: &mut Tx<'_>, organization: &str, endpoint: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(&ABANDON, &[now.millis().into(), organization.into(), endpoint.into()])
}

/// Every statement of this module, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[INSERT_ONCE, OF_ENDPOINT, OF_ENDPOINT_IN, REVIVE, ABANDON];
