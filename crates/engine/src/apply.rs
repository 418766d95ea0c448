//! Messages, fetches, polls: everything that turns a gateway's word into facts.

use std::collections::BTreeSet;
use std::sync::Arc;

use suture_connect::gateway::{Fetch, Gateway, Note, Notice, Seen};
use suture_connect::outcome::{Failure, Outcome};
use suture_core::evidence::Evidence;
use suture_core::id::PaymentId;
use suture_core::payment::{Payment, Source, Status};
use suture_core::time::Timestamp;
use suture_store::effects::{self, NewEffect, State};
use suture_store::{inbox, journal};

use crate::Error;
use crate::calls::{self, NoAnswer};
use crate::connections::{FetchPolicy, Open};
use crate::engine::Engine;
use crate::facts::{Origin, Taken, take_in};
use crate::inline::Planner;
use crate::job::Job;
use crate::worker::{After, Working};

/// How many parents are fetched for one piece of evidence at most.
const PARENTS_MAX: usize = 4;
/// How old a signed payload may be to stand alone, in milliseconds.
const FRESH_MILLIS: i64 = 60_000;
/// Polls after a payment was made: every 30 s up to 300 s (FEATURES M14).
const POLLS_MAX: u32 = 10;

/// What fetching came to.
pub(crate) enum Fetched {
    /// This is the truth.
    Found(Found),
    /// The object is gone at the gateway.
    Gone,
    /// Not now.
    Wait(Timestamp),
    /// No answer, or one that says no.
    Failed(Failure),
}

/// What a gateway told: evidence about money, and notes about the rest.
#[derive(Default)]
pub(crate) struct Found {
    /// Parents before children.
    pub(crate) evidence: Vec<Evidence>,
    /// Customers, methods, invoices and the like.
    pub(crate) notes: Vec<Note>,
}

impl From<Seen> for Found {
    fn from(seen: Seen) -> Self {
        Self { evidence: seen.evidence, notes: seen.notes }
    }
}

impl Engine {
    pub(crate) fn origin(&self, open: &Open, source: Source, seen_at: Timestamp) -> Origin {
        let gateway = open.kind().to_owned();
        let flows = self.flows_for(&gateway);
        let planner = self.ehr(&open.organization).ok().map(|ehr| {
            let keyring = self.0.store.keyring().clone();
            std::sync::Arc::new(Planner { flows: self.0.flows.clone(), ehr, keyring })
        });
        Origin { connection: open.id.clone(), gateway, seen_at, source, flows, planner }
    }

    pub(crate) async fn apply_message(
        &self,
        working: &Working,
        connection: &str,
        message: &str,
    ) -> Result<After, Error> {
        let open = self.connection(connection)?;
        if open.organization != working.effect.organization {
            // Only an edited payload can say so.
            return Ok(After::Dead { error: "the connection belongs to another organization".to_owned() });
        }
        let (gateway, policy) = open.gateway()?;
        let notice = match &working.read {
            Some(read) => read.notice.clone(),
            None => self.read_again(&open, message).await?,
        };
        let hints = notice.seen.notes.iter().any(stands_without_fetch);
        if notice.seen.evidence.is_empty() && notice.seen.fetch.is_empty() && !hints {
            let note =
                if notice.known { "nothing to do" } else { "unknown event type; recorded, nothing to do" };
            return self.finish(working, note).await;
        }
        let now = self.now();
        let stands_alone = policy == FetchPolicy::WhenStale && stands_alone(gateway, &notice, now);
        let (found, origin) = if stands_alone {
            (Found::from(notice.seen), self.origin(&open, Source::Webhook, notice.created))
        } else {
            match self.fetch_all(&open, gateway, &notice.seen).await {
                Fetched::Found(mut found) => {
                    // A hint about something that cannot be fetched is all there is.
                    found.notes.extend(notice.seen.notes.into_iter().filter(stands_without_fetch));
                    (found, self.origin(&open, Source::Fetched, now))
                }
                Fetched::Gone => {
                    return self.finish(working, "the object no longer exists at the gateway").await;
                }
                Fetched::Wait(at) => return Ok(throttled(at)),
                Fetched::Failed(failure) => return Ok(After::Failed { failure, job: None }),
            }
        };
        self.take_in_and_finish(working, &open, found, origin).await
    }

    /// Takes evidence in, fetching parents as needed, and finishes the effect in the same transaction.
    pub(crate) async fn take_in_and_finish(
        &self,
        working: &Working,
        open: &Arc<Open>,
        found: Found,
        origin: Origin,
    ) -> Result<After, Error> {
        let (gateway, _) = open.gateway()?;
        let Found { mut evidence, notes } = found;
        let notes = Arc::new(notes);
        for _ in 0..PARENTS_MAX {
            let order = self.order_by_gateway(open);
            let (pieces, from, lease) = (evidence.clone(), origin.clone(), working.lease.clone());
            let (told, over) = (notes.clone(), open.clone());
            let needs = self
                .apply_evidence(&lane_of(&evidence), order, move |change| {
                    let taken = take_in(change, &pieces, &from)?;
                    match taken {
                        Taken::All => {
                            crate::billing::take_notes(change, &over, &told, &from)?;
                            effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
                            Ok(None)
                        }
                        // Nothing of this try may be kept: the parent comes first.
                        Taken::Needs(what) => {
                            Err(Error::Missing(serde_json::to_string(&what).unwrap_or_default()))
                        }
                    }
                })
                .await;
            let what: Fetch = match needs {
                Ok(None::<()>) | Ok(Some(())) => return Ok(After::Finished),
                Err(Error::Missing(what)) => serde_json::from_str(&what).map_err(|_| Error::Missing(what))?,
                Err(error) => return Err(error),
            };
            match self.fetch(open, gateway, &what).await {
                Fetched::Found(parents) => evidence.splice(0..0, parents.evidence),
                Fetched::Gone => {
                    let error = format!("its parent {what:?} does not exist at the gateway");
                    return Ok(After::Dead { error });
                }
                Fetched::Wait(at) => return Ok(throttled(at)),
                Fetched::Failed(failure) => return Ok(After::Failed { failure, job: None }),
            };
        }
        Ok(After::Dead { error: "its parents could not be brought in order".to_owned() })
    }

    pub(crate) fn order_by_gateway(&self, open: &Open) -> crate::change::Order {
        crate::change::Order {
            organization: open.organization.clone(),
            actor: suture_core::explain::Actor::Connection(open.id.clone()),
            reason: suture_core::explain::Reason::of("gateway_evidence"),
            now: self.now(),
        }
    }

    async fn read_again(&self, open: &Open, message: &str) -> Result<Notice, Error> {
        let keyring = self.0.store.keyring().clone();
        let (organization, message) = (open.organization.clone(), message.to_owned());
        let body = self
            .0
            .store
            .read(move |tx| inbox::load_body(tx, &keyring, &organization, &message).map_err(Error::from))
            .await?;
        let (gateway, _) = open.gateway()?;
        let webhooks = gateway.webhooks().ok_or_else(|| open.problem("it sends no webhooks"))?;
        webhooks.read(&body).map_err(|refusal| open.problem(&refusal.to_string()))
    }

    /// Fetches everything that a notice names, each object once.
    async fn fetch_all(&self, open: &Open, gateway: &dyn Gateway, seen: &Seen) -> Fetched {
        if seen.fetch.is_empty() {
            return Fetched::Found(Found::from(seen.clone()));
        }
        let mut all = Found::default();
        let mut done = BTreeSet::new();
        for what in &seen.fetch {
            if !done.insert(what.clone()) {
                continue;
            }
            match self.fetch(open, gateway, what).await {
                Fetched::Found(found) => {
                    all.evidence.extend(found.evidence);
                    all.notes.extend(found.notes);
                }
                other => return other,
            }
        }
        Fetched::Found(all)
    }

    /// Fetches one object, and what it names in turn.
    pub(crate) async fn fetch(&self, open: &Open, gateway: &dyn Gateway, what: &Fetch) -> Fetched {
        let Some(history) = gateway.history() else { return Fetched::Found(Found::default()) };
        let mut all = Found::default();
        let mut wanted = vec![what.clone()];
        let mut done = BTreeSet::new();
        while let Some(what) = wanted.pop() {
            if !done.insert(what.clone()) || done.len() > 12 {
                continue;
            }
            let answer = self.call(open, history.fetch(&what)).await;
            match calls::outcome(answer, |response| history.read_fetched(&what, response)) {
                Err(at) => return Fetched::Wait(at),
                Ok(Outcome::Done(seen)) => {
                    all.evidence.extend(seen.evidence);
                    all.notes.extend(seen.notes);
                    wanted.extend(seen.fetch);
                }
                Ok(Outcome::Declined(failure)) if failure.code == "resource_missing" => return Fetched::Gone,
                Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                    return Fetched::Failed(failure);
                }
            }
        }
        Fetched::Found(all)
    }

    pub(crate) async fn fetch_and_apply(&self, working: &Working, what: Fetch) -> Result<After, Error> {
        let open = self.connection(&working.effect.destination)?;
        let (gateway, _) = open.gateway()?;
        let now = self.now();
        match self.fetch(&open, gateway, &what).await {
            Fetched::Found(found) => {
                let origin = self.origin(&open, Source::Fetched, now);
                self.take_in_and_finish(working, &open, found, origin).await
            }
            Fetched::Gone => self.finish(working, "the object no longer exists at the gateway").await,
            Fetched::Wait(at) => Ok(throttled(at)),
            Fetched::Failed(failure) => Ok(After::Failed { failure, job: None }),
        }
    }

    /// Asks for a payment's intent, until it is decided or ten polls have passed; then webhooks and the sweep go on.
    pub(crate) async fn poll(
        &self,
        working: &Working,
        payment: PaymentId,
        number: u32,
    ) -> Result<After, Error> {
        let state = self.payment(&working.effect.organization, payment).await?;
        if is_decided(&state) {
            return self.finish(working, "decided before this poll").await;
        }
        let open = self.connection(&state.connection)?;
        let (gateway, _) = open.gateway()?;
        let mut found = Vec::new();
        if let Some(intent) = &state.intent {
            let fetched = self.fetch(&open, gateway, &Fetch::Intent(intent.clone())).await;
            if let Fetched::Found(told) = fetched {
                found = told.evidence;
            }
        }
        let (origin, order) = (self.origin(&open, Source::Fetched, self.now()), self.order_by_gateway(&open));
        let lease = working.lease.clone();
        let chain =
            working.effect.id.rsplit_once('/').map_or_else(String::new, |(chain, _)| chain.to_owned());
        self.apply_evidence(&payment.to_string(), order, move |change| {
            if let Taken::Needs(_) = take_in(change, &found, &origin)? {
                return Err(Error::Missing("the parent object".to_owned()));
            }
            let decided =
                journal::load::<Payment>(change.tx, &change.order.organization, &payment.to_string())?
                    .is_some_and(|stream| is_decided(&stream.state));
            if !decided && number < POLLS_MAX {
                plan_poll(change, payment, &origin.connection, (&chain, number + 1))?;
            }
            let note = if decided { format!("decided by poll {number}") } else { "still waiting".to_owned() };
            effects::finish(change.tx, &lease, State::Done, Some(&note), change.order.now)?;
            Ok(())
        })
        .await?;
        Ok(After::Finished)
    }

    /// Ends an effect with a note.
    pub(crate) async fn finish(&self, working: &Working, note: &str) -> Result<After, Error> {
        let (lease, note, now) = (working.lease.clone(), note.to_owned(), self.now());
        self.0
            .store
            .write(move |tx| effects::finish(tx, &lease, State::Done, Some(&note), now).map_err(Error::from))
            .await?;
        Ok(After::Finished)
    }

    /// A payment as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`] when this organization has no such payment.
    pub async fn payment(&self, organization: &str, payment: PaymentId) -> Result<Payment, Error> {
        let (organization, stream) = (organization.to_owned(), payment.to_string());
        let id = stream.clone();
        let found = self
            .0
            .store
            .read(move |tx| journal::load::<Payment>(tx, &organization, &stream).map_err(Error::from))
            .await?;
        found.map(|stream| stream.state).ok_or_else(|| Error::not_found("payment", &id))
    }
}

/// Whether a note says something that no fetch can confirm.
fn stands_without_fetch(note: &Note) -> bool {
    matches!(note, Note::MethodGone { .. } | Note::EarlyFraudWarning(_) | Note::InvoiceGone { .. })
}

/// Plans a poll of a payment. `chain` names the attempt's series of polls, so that each poll has an id of its own.
pub(crate) fn plan_poll(
    change: &mut crate::change::Change<'_, '_>,
    payment: PaymentId,
    connection: &str,
    (chain, number): (&str, u32),
) -> Result<(), Error> {
    let job = Job::Poll { payment, number };
    change.effect(NewEffect {
        id: format!("{chain}/{number}"),
        kind: job.kind(),
        lane: None,
        destination: connection.to_owned(),
        stream: Some(payment.to_string()),
        due_at: change.order.now + std::time::Duration::from_secs(30),
        payload: job.payload(),
    })
}

/// Whether nothing more is to be expected of the gateway for now.
fn is_decided(payment: &Payment) -> bool {
    match payment.status() {
        Status::Created
        | Status::RequiresAction
        | Status::Processing
        | Status::Unknown
        | Status::RequiresMethod => false,
        Status::Authorized
        | Status::Captured
        | Status::Settled
        | Status::Failed
        | Status::Canceled
        | Status::Expired
        | Status::PartRefunded
        | Status::Refunded
        | Status::Disputed
        | Status::Lost => true,
    }
}

/// Whether a signed payload can be taken at its word: the pinned version, fresh, and every object it names is in it.
fn stands_alone(gateway: &dyn Gateway, notice: &Notice, now: Timestamp) -> bool {
    let told: BTreeSet<Fetch> = notice
        .seen
        .evidence
        .iter()
        .map(|evidence| match evidence {
            Evidence::Intent(seen) => Fetch::Intent(seen.intent.clone()),
            Evidence::Charge(seen) => Fetch::Charge(seen.charge.clone()),
            Evidence::Refund(seen) => Fetch::Refund(seen.refund.clone()),
            Evidence::Dispute(seen) => Fetch::Dispute(seen.dispute.clone()),
            Evidence::Fee(seen) => Fetch::Charge(seen.charge.clone()),
        })
        .collect();
    let pinned = gateway.webhooks().and_then(suture_connect::gateway::Webhooks::pinned_version);
    let version_fits = notice.api_version.as_deref() == pinned;
    let fresh = now.millis() - notice.created.millis() <= FRESH_MILLIS;
    version_fits && fresh && !told.is_empty() && notice.seen.fetch.iter().all(|what| told.contains(what))
}

fn lane_of(evidence: &[Evidence]) -> String {
    evidence
        .first()
        .map(|evidence| match evidence {
            Evidence::Intent(seen) => seen.intent.clone(),
            Evidence::Charge(seen) => seen.intent.clone().unwrap_or_else(|| seen.charge.clone()),
            Evidence::Refund(seen) => seen.intent.clone().unwrap_or_else(|| seen.charge.clone()),
            Evidence::Dispute(seen) => seen.intent.clone().unwrap_or_else(|| seen.charge.clone()),
            Evidence::Fee(seen) => seen.charge.clone(),
        })
        .unwrap_or_default()
}

/// Not now, because of a limit. Shown as throttling.
pub(crate) fn throttled(at: Timestamp) -> After {
    After::Again { at, error: "throttled: waiting for the connection's budget".to_owned(), job: None }
}

/// A call without an answer, as what follows for its effect.
pub(crate) fn after_no_answer(no: NoAnswer) -> After {
    match no {
        NoAnswer::Wait(at) => throttled(at),
        NoAnswer::Stopped(failure) | NoAnswer::NotSent(failure) | NoAnswer::Lost(failure) => {
            After::Failed { failure, job: None }
        }
    }
}
