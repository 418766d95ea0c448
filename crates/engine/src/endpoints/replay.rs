//! Sending again: one event, a range of the journal, and what another server stored before it knew of an endpoint.
//!
//! A replay has a number, and brings each event at most once: its effects are named after the event, the endpoint and the
//! number. Number 0 is the first announcement itself, so a catch-up fills gaps and repeats nothing. Pages follow each
//! other slowly, so that a long replay does not stand before other work.

use std::time::Duration;

use suture_core::catalogue::{EventId, Filters, is_public};
use suture_core::explain::Reason;
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_store::effects::{self, Effect, NewEffect, State};
use suture_store::endpoints::Status;
use suture_store::{announcements, endpoints, events, journal};

use super::subscriptions::announcement;
use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::Caller;
use crate::worker::{After, Working};

/// Entries of one page.
const PAGE: i64 = 200;
/// Pages are this far apart.
const PAGE_EVERY: Duration = Duration::from_secs(2);
/// Announcements of one replay at most.
pub(super) const PLANNED_MAX: u32 = 100_000;
/// Longer than another server takes to learn of a changed endpoint.
const CATCH_UP_AFTER: Duration = Duration::from_secs(120);

/// Where a replay begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayFrom {
    /// With the first event at or after a moment.
    Moment(Timestamp),
    /// After a position of the journal.
    Position(i64),
}

/// A replay that was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// 1 for the first replay of the endpoint.
    pub number: i64,
    /// It covers events after this position,
    pub after: i64,
    /// up to this one.
    pub until: i64,
}

impl Engine {
    /// Plans to send again what happened since, up to now: the types given, or those that the endpoint wants.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] when a type is none, or the endpoint is disabled.
    pub async fn replay_events(
        &self,
        caller: &Caller,
        id: &str,
        from: ReplayFrom,
        types: &[String],
    ) -> Result<Replay, Error> {
        Filters::parse(types)?;
        self.enabled_endpoint(&caller.organization, id).await?;
        let (endpoint, types) = (id.to_owned(), types.to_vec());
        let order = self.order_of(caller, Reason::of("events_replayed"));
        self.apply(id, order, move |change| {
            let organization = change.order.organization.clone();
            let after = match from {
                ReplayFrom::Position(position) => position.max(0),
                ReplayFrom::Moment(at) => events::position_before(change.tx, &organization, at)?,
            };
            let until = events::head(change.tx, &organization)?;
            let number = endpoints::next_replay(change.tx, &organization, &endpoint)?
                .ok_or_else(|| Error::not_found("endpoint", &endpoint))?;
            let job = Job::Replay {
                endpoint: endpoint.clone(),
                number,
                after,
                until,
                types: types.clone(),
                planned: 0,
            };
            let effect = planned(&job, &endpoint, format!("{endpoint}/replay/{number}"), change.order.now);
            change.effect(effect)?;
            Ok(Replay { number, after, until })
        })
        .await
    }

    /// Sends one event again, as a replay of its own. It is sent whether the endpoint wants its type or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such public event or endpoint; [`Error::Refused`] when it is disabled.
    pub async fn redeliver_event(&self, caller: &Caller, id: &str, event: &str) -> Result<Effect, Error> {
        let found = EventId::parse(event).ok_or_else(|| Error::not_found("event", event))?;
        let stored = self.event(&caller.organization, &found).await?;
        if !is_public(&stored.entry.kind) {
            return Err(Error::not_found("event", event));
        }
        self.enabled_endpoint(&caller.organization, id).await?;
        let endpoint = id.to_owned();
        let order = self.order_of(caller, Reason::of("event_redelivered"));
        let effect = self
            .apply(id, order, move |change| {
                let organization = change.order.organization.clone();
                let number = endpoints::next_replay(change.tx, &organization, &endpoint)?
                    .ok_or_else(|| Error::not_found("endpoint", &endpoint))?;
                let place = (found.stream.as_str(), found.version);
                let effect = announcement(&endpoint, place, number, change.order.now);
                effects::insert(change.tx, &organization, &effect, change.order.now)?;
                change.unheld = true;
                Ok(effect.id)
            })
            .await?;
        self.effect(&caller.organization, &effect).await
    }

    pub(crate) async fn replay_page(&self, working: &Working, job: &Job) -> Result<After, Error> {
        let Job::Replay { .. } = job else {
            return Ok(After::Dead { error: "this is no replay".to_owned() });
        };
        let (lease, effect, now) = (working.lease.clone(), working.effect.clone(), self.now());
        let (keyring, job) = (self.0.store.keyring().clone(), job.clone());
        self.0
            .store
            .write(move |tx| {
                let next = match replay_some(tx, &keyring, &effect, &job, now)? {
                    Ok(note) => return Ok(effects::finish(tx, &lease, State::Done, Some(&note), now)?),
                    Err(next) => next,
                };
                let later = Effect { payload: next.payload(), ..effect.clone() };
                Ok::<_, Error>(effects::retry(
                    tx,
                    &lease,
                    now + PAGE_EVERY,
                    "goes on with the next page",
                    &later,
                )?)
            })
            .await?;
        // What was inserted is due now.
        self.0.wake.notify_one();
        Ok(After::Finished)
    }
}

/// Inserts the announcements of one page: `Ok` with a note when it was the last, `Err` with the job that goes on.
fn replay_some(
    tx: &mut suture_store::Tx<'_>,
    keyring: &suture_store::Keyring,
    effect: &Effect,
    job: &Job,
    now: Timestamp,
) -> Result<Result<String, Job>, Error> {
    let Job::Replay { endpoint, number, after, until, types, planned } = job else {
        return Ok(Ok("this is no replay".to_owned()));
    };
    let organization = effect.organization.as_str();
    let Some(found) = endpoints::get(tx, keyring, organization, endpoint)? else {
        return Ok(Ok("the endpoint was removed".to_owned()));
    };
    if found.status == Status::Disabled {
        return Ok(Ok("the endpoint is disabled".to_owned()));
    }
    // A catch-up ends where the journal ended when it began.
    let until = if *until == i64::MAX { events::head(tx, organization)? } else { *until };
    let wants = Filters::stored(if types.is_empty() { found.events } else { types.clone() });
    let page = journal::list_since(tx, organization, *after, PAGE)?;
    let mut planned = *planned;
    let inside = page.iter().filter(|stored| stored.position <= until);
    for stored in inside.filter(|stored| wants.want(&stored.entry.kind)) {
        let place = (stored.entry.stream.as_str(), stored.entry.version);
        let new = announcement(endpoint, place, *number, now);
        planned += u32::from(announcements::insert_once(tx, organization, &new, now)?);
    }
    let last = page.last().map_or(until, |stored| stored.position);
    if last >= until || planned >= PLANNED_MAX {
        return Ok(Ok(format!("{planned} events announced, up to position {}", last.min(until))));
    }
    Ok(Err(Job::Replay {
        endpoint: endpoint.clone(),
        number: *number,
        after: last,
        until,
        types: types.clone(),
        planned,
    }))
}

/// Plans to announce what other servers store before they know of this endpoint as it is now.
pub(super) fn plan_catch_up(change: &mut Change<'_, '_>, endpoint: &str, version: i64) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let after = events::head(change.tx, &organization)?;
    let job = Job::Replay {
        endpoint: endpoint.to_owned(),
        number: 0,
        after,
        until: i64::MAX,
        types: Vec::new(),
        planned: 0,
    };
    let due = change.order.now + CATCH_UP_AFTER;
    change.effect(planned(&job, endpoint, format!("{endpoint}/catch-up/{version}"), due))
}

fn planned(job: &Job, endpoint: &str, id: String, due_at: Timestamp) -> NewEffect {
    NewEffect {
        id,
        kind: job.kind(),
        lane: None,
        destination: endpoint.to_owned(),
        stream: None,
        due_at,
        payload: job.payload(),
    }
}

/// Nothing is sent to a disabled endpoint, so nothing is planned for it either.
pub(super) fn disabled() -> Refusal {
    Refusal::state(
        "endpoint_disabled",
        "Nothing was sent. The endpoint is disabled; its `note` says why. Enable it first.",
    )
}
