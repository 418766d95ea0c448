//! Timers: the daily sweep of a gateway's lists, the sealing of the audit trail, and the removal of what is over.
//!
//! All of them are idempotent: two processes that do them at once are slow, not wrong.

use std::time::Duration;

use suture_connect::gateway::List;
use suture_connect::outcome::Outcome;
use suture_core::audit::seal::Seal;
use suture_core::payment::Source;
use suture_core::time::Timestamp;
use suture_store::effects::{self, NewEffect, State};
use suture_store::{notices, passes, remittances, requests, seals};

use crate::Error;
use crate::apply::throttled;
use crate::calls;
use crate::engine::Engine;
use crate::facts::{Taken, take_in};
use crate::job::Job;
use crate::worker::{After, Working};

/// A sweep looks this far back, so that three days without webhooks lose nothing.
const SWEEP_BACK: Duration = Duration::from_secs(4 * 86_400);
/// Sweeps are a day apart.
const SWEEP_EVERY: Duration = Duration::from_secs(86_400);
/// Effects that ended are kept this long.
const KEEP_ENDED: Duration = Duration::from_secs(30 * 86_400);
/// Keys of our own API are kept this long.
const KEEP_REQUESTS: Duration = Duration::from_secs(7 * 86_400);
/// An import that is not received by then has ended without it.
const KEEP_UNRECEIVED: Duration = Duration::from_secs(86_400);
/// Leaves of one seal at most; a busy period takes several.
const LEAVES_MAX: i64 = 20_000;

impl Engine {
    /// Makes sure that every timer has its effect. Called at the start of a server.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn plan_timers(&self, organizations: &[String]) -> Result<(), Error> {
        // Another server may have changed them.
        self.reload_connections().await?;
        self.reload_endpoints().await?;
        let now = self.now();
        let mut timers = Vec::new();
        for organization in organizations {
            timers.push((
                organization.clone(),
                format!("timer/seal/{organization}"),
                Job::Seal,
                "suture".to_owned(),
            ));
            timers.push((
                organization.clone(),
                format!("timer/tidy/{organization}"),
                Job::Tidy,
                "suture".to_owned(),
            ));
        }
        for open in self.connections().open.values().filter(|open| open.gateway().is_ok()) {
            let id = format!("timer/sweep/{}", open.id);
            timers.push((open.organization.clone(), id, Job::DailySweep, open.id.clone()));
        }
        for open in self.connections().open.values().filter(|open| open.poll_seconds() > 0) {
            for source in crate::orders::SOURCES {
                let job = Job::PollErp { source, watermark: None };
                let id = format!("timer/poll/{}/{source:?}", open.id);
                timers.push((open.organization.clone(), id, job, open.id.clone()));
            }
        }
        for (organization, id, job, destination) in timers {
            let due_at = match job {
                Job::PollErp { .. } => now,
                Job::DailySweep => now + SWEEP_EVERY,
                Job::Tidy => now + Duration::from_secs(3600),
                _ => now + self.0.settings.seal_every,
            };
            let effect = NewEffect {
                id,
                kind: job.kind(),
                lane: None,
                destination,
                stream: None,
                due_at,
                payload: job.payload(),
            };
            let planned = self
                .0
                .store
                .write(move |tx| match effects::get(tx, &organization, &effect.id)? {
                    Some(_) => Ok(()),
                    None => effects::insert(tx, &organization, &effect, now).map_err(Error::from),
                })
                .await;
            match planned {
                // Another process planned it at the same moment.
                Err(error) if error.is_conflict() => {}
                other => other?,
            }
        }
        Ok(())
    }

    pub(crate) async fn daily_sweep(&self, working: &Working) -> Result<After, Error> {
        let open = self.connection(&working.effect.destination)?;
        self.begin_sweep(&open.organization, &open.id, SWEEP_BACK).await?;
        Ok(After::Again { at: self.now() + SWEEP_EVERY, error: "planned for tomorrow".to_owned(), job: None })
    }

    /// Begins a sweep of a gateway's lists now: finds facts that no webhook told.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn begin_sweep(
        &self,
        organization: &str,
        connection: &str,
        back: Duration,
    ) -> Result<(), Error> {
        let now = self.now();
        let (organization, connection) = (organization.to_owned(), connection.to_owned());
        let begun = self
            .0
            .store
            .write(move |tx| {
                // Charges before refunds and disputes, facts before payouts: parents first saves fetches.
                for (delay, list) in
                    [List::Intents, List::Refunds, List::Disputes, List::Payouts].into_iter().enumerate()
                {
                    let later = Duration::from_millis(u64::try_from(delay).unwrap_or(0));
                    let job = Job::Sweep { list, since: now - back, after: None };
                    effects::insert(tx, &organization, &page(&connection, &job, now, later), now)?;
                }
                Ok::<_, Error>(())
            })
            .await;
        self.0.wake.notify_one();
        match begun {
            // The same sweep was begun in the same millisecond.
            Err(error) if Error::is_conflict(&error) => Ok(()),
            other => other,
        }
    }

    pub(crate) async fn sweep_page(
        &self,
        working: &Working,
        list: List,
        since: Timestamp,
        after: Option<String>,
    ) -> Result<After, Error> {
        let open = self.connection(&working.effect.destination)?;
        let (gateway, _) = open.gateway()?;
        let Some(history) = gateway.history() else { return self.finish(working, "it has no lists").await };
        let now = self.now();
        let answer = self.call(&open, history.list(list, since, after.as_deref(), 100)).await;
        let page_seen = match calls::outcome(answer, |response| history.read_list(list, response)) {
            Err(at) => return Ok(throttled(at)),
            Ok(Outcome::Done(page)) => page,
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                return Ok(After::Failed { failure, job: None });
            }
        };
        let origin = self.origin(&open, Source::Fetched, now);
        for evidence in page_seen.seen.evidence {
            self.take_in_swept(&open, evidence, &origin).await?;
        }
        // Payouts of the gateway to the bank are notes, not evidence (FLOWS 8i).
        let payouts = matches!(list, List::Payouts).then_some(page_seen.seen.notes).unwrap_or_default();
        let (lease, over) = (working.lease.clone(), open.clone());
        let next = page_seen.next.map(|after| Job::Sweep { list, since, after: Some(after) });
        let connection = open.id.clone();
        let order = self.order(&open.organization, "sweep", "daily_sweep");
        self.apply(&open.id, order, move |change| {
            crate::billing::take_notes(change, &over, &payouts, &origin)?;
            if let Some(job) = &next {
                let effect = page(&connection, job, change.order.now, Duration::ZERO);
                change.effect(effect)?;
            }
            effects::finish(change.tx, &lease, State::Done, None, change.order.now).map_err(Error::from)
        })
        .await?;
        Ok(After::Finished)
    }

    /// Takes in one piece of evidence from a list; a missing parent becomes a fetch of its own.
    async fn take_in_swept(
        &self,
        open: &crate::connections::Open,
        evidence: suture_core::evidence::Evidence,
        origin: &crate::facts::Origin,
    ) -> Result<(), Error> {
        let (order, origin, connection) = (self.order_by_gateway(open), origin.clone(), open.id.clone());
        let pieces = vec![evidence];
        self.apply_evidence(&open.id, order, move |change| {
            if let Taken::Needs(what) = take_in(change, &pieces, &origin)? {
                let job = Job::Fetch { what: what.clone() };
                let id = format!("fetch/{connection}/{}/{}", change.order.now.millis(), job.payload());
                change.effect(NewEffect {
                    id,
                    kind: job.kind(),
                    lane: None,
                    destination: connection.clone(),
                    stream: None,
                    due_at: change.order.now,
                    payload: job.payload(),
                })?;
            }
            Ok(())
        })
        .await
    }

    pub(crate) async fn seal_and_plan(&self, working: &Working) -> Result<After, Error> {
        let more = self.seal(&working.effect.organization).await?;
        let wait = if more { Duration::from_millis(50) } else { self.0.settings.seal_every };
        let (lease, effect, at) = (working.lease.clone(), working.effect.clone(), self.now() + wait);
        self.0
            .store
            .write(move |tx| effects::retry(tx, &lease, at, "next period", &effect).map_err(Error::from))
            .await?;
        Ok(After::Finished)
    }

    /// Closes a period of the audit trail over every stream that changed. Says whether more is left.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn seal(&self, organization: &str) -> Result<bool, Error> {
        let (engine, organization, now) = (self.clone(), organization.to_owned(), self.now());
        let sealed = self
            .0
            .store
            .write(move |tx| {
                let last = seals::last(tx, &organization)?;
                let since = last.as_ref().map_or(0, |(_, position)| *position);
                let (leaves, reached) = seals::open_heads(tx, &organization, since, LEAVES_MAX)?;
                if leaves.is_empty() {
                    return Ok(0);
                }
                let before = last.as_ref().map(|(seal, _)| seal);
                let (seal, leaves) = Seal::close(&organization, before, leaves, now, &engine.0.sealing_key);
                seals::insert(tx, &seal, &leaves, reached)?;
                Ok(leaves.len())
            })
            .await;
        match sealed {
            Ok(count) => Ok(i64::try_from(count) == Ok(LEAVES_MAX)),
            // Another leader sealed this period.
            Err(error) if Error::is_conflict(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn tidy_and_plan(&self, working: &Working) -> Result<After, Error> {
        let now = self.now();
        let (lease, effect) = (working.lease.clone(), working.effect.clone());
        self.0
            .store
            .write(move |tx| {
                effects::purge(tx, now - KEEP_ENDED)?;
                requests::purge(tx, now - KEEP_REQUESTS)?;
                notices::purge(tx, now)?;
                passes::purge(tx, now - KEEP_ENDED)?;
                remittances::purge_unreceived(tx, now - KEEP_UNRECEIVED)?;
                let at = now + Duration::from_secs(3600);
                effects::retry(tx, &lease, at, "next hour", &effect).map_err(Error::from)
            })
            .await?;
        Ok(After::Finished)
    }
}

fn page(connection: &str, job: &Job, now: Timestamp, later: Duration) -> NewEffect {
    NewEffect {
        id: format!("sweep/{connection}/{}/{}", now.millis(), job.payload()),
        kind: job.kind(),
        lane: Some(format!("sweep/{connection}")),
        destination: connection.to_owned(),
        stream: None,
        due_at: now + later,
        payload: job.payload(),
    }
}
