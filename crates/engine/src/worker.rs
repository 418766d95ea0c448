//! Workers: take effects, by hand-over or by claim, run their jobs, and record how they ended.
//!
//! Invariant: an effect is completed by the attempt that leased it or not at all.

use std::sync::Arc;
use std::time::Duration;

use suture_core::time::Timestamp;
use suture_store::effects::{self, Effect, Lease, State};
use tokio::sync::{Semaphore, mpsc};

use crate::Error;
use crate::change::Change;
use crate::engine::{Engine, InHand};
use crate::handoff::LEASE;
use crate::intake::Read;
use crate::job::Job;
use crate::retry;

/// An effect that is being worked on.
pub(crate) struct Working {
    pub(crate) effect: Effect,
    pub(crate) lease: Lease,
    /// Somebody else may take it after this moment.
    pub(crate) until: Timestamp,
    /// Whether it came in memory from the transaction that inserted it: nobody has tried it before.
    pub(crate) fresh: bool,
    pub(crate) read: Option<Box<Read>>,
}

/// How a job ended, unless its own transaction finished the effect.
pub(crate) enum After {
    /// The effect is finished already.
    Finished,
    /// Try again at a moment, with the job as it stands then.
    Again { at: Timestamp, error: String, job: Option<Box<Job>> },
    /// Try again by the retry rules.
    Failed { failure: suture_connect::outcome::Failure, job: Option<Box<Job>> },
    /// It cannot go on until something else is known.
    Parked { error: String },
    /// A person must act.
    Dead { error: String },
}

/// How long the claimer sleeps when nothing wakes it.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How many effects one claim takes.
const CLAIM_MAX: i64 = 64;

impl Engine {
    /// Works until `stop` resolves, then lets running jobs end and gives leases back. Call it once per engine.
    ///
    /// # Errors
    /// [`Error::Store`] when leases cannot be given back; they end by themselves.
    pub async fn work(&self, jobs_max: usize, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let Some(mut inbound) = self.0.inbound.lock().ok().and_then(|mut inbound| inbound.take()) else {
            return Ok(());
        };
        let room = Arc::new(Semaphore::new(jobs_max));
        tokio::select! {
            () = stop => {}
            () = drain(self, &mut inbound, &room) => {}
            () = self.claim_and_start(&room) => {}
        }
        let all = u32::try_from(jobs_max).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(Duration::from_secs(10), room.acquire_many(all)).await;
        let (owner, now) = (self.0.slots.owner().to_owned(), self.now());
        self.0.store.write(move |tx| effects::release(tx, &owner, now).map_err(Error::from)).await.map(|_| ())
    }

    /// Does at most one unit of work that is due at `now`. Says whether there was one.
    ///
    /// # Errors
    /// [`Error::Store`] when the store failed.
    pub async fn step(&self, now: Timestamp) -> Result<bool, Error> {
        let Some(effect) = self.claim(now, 1).await?.pop() else { return Ok(false) };
        self.run_claimed(effect).await;
        Ok(true)
    }

    /// Claims what is due, again and again. It looks when it is woken, and twice a second in any case.
    async fn claim_and_start(&self, room: &Arc<Semaphore>) {
        loop {
            let idle = tokio::time::timeout(POLL_EVERY, self.0.wake.notified());
            if !self.claim_once(room).await {
                // Woken or not, the next round looks again.
                let _ = idle.await;
            }
        }
    }

    /// Claims and starts what is due now. Says whether there was anything.
    async fn claim_once(&self, room: &Arc<Semaphore>) -> bool {
        let now = self.now();
        let due = self.0.store.read(|tx| effects::next_due(tx).map_err(Error::from)).await;
        if !matches!(due, Ok(Some(at)) if at <= now) {
            return false;
        }
        // Claim only when somebody is free to work.
        let Ok(permit) = room.clone().acquire_owned().await else { return false };
        drop(permit);
        let claimed = match self.claim(now, CLAIM_MAX).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(%error, "cannot claim effects");
                return false;
            }
        };
        let any = !claimed.is_empty();
        for effect in claimed {
            let Ok(permit) = room.clone().acquire_owned().await else { return false };
            let engine = self.clone();
            tokio::spawn(async move {
                engine.run_claimed(effect).await;
                drop(permit);
            });
        }
        any
    }

    async fn claim(&self, now: Timestamp, limit: i64) -> Result<Vec<Effect>, Error> {
        let owner = self.0.slots.owner().to_owned();
        self.0
            .store
            .write(move |tx| effects::claim(tx, &owner, now, now + LEASE, limit).map_err(Error::from))
            .await
    }

    async fn run_claimed(&self, effect: Effect) {
        let lease = effect.lease(self.0.slots.owner());
        let until = effect.due_at;
        self.run(Working { effect, lease, until, fresh: false, read: None }).await;
    }

    async fn run_in_hand(&self, in_hand: InHand) {
        let held = in_hand.held;
        let effect = Effect {
            organization: held.lease.organization.clone(),
            id: held.effect.id,
            kind: held.effect.kind.to_owned(),
            lane: held.effect.lane,
            destination: held.effect.destination,
            stream: held.effect.stream,
            state: State::Ready,
            due_at: held.until,
            attempts: 1,
            payload: held.effect.payload,
            error: None,
            history: None,
            created_at: held.effect.due_at,
            finished_at: None,
            sequence: 0,
        };
        self.run(Working { effect, lease: held.lease, until: held.until, fresh: true, read: in_hand.read })
            .await;
        self.0.slots.returned();
    }

    async fn run(&self, mut working: Working) {
        // A lease that ended while it waited here belongs to somebody else.
        if working.until <= self.now() {
            return;
        }
        let Some(job) = Job::parse(&working.effect.payload) else {
            let error = "the effect's content cannot be read by this version".to_owned();
            self.conclude(&working, After::Dead { error }).await;
            return;
        };
        let after = match self.run_job(&mut working, job).await {
            Ok(after) => after,
            Err(error) => self.after_error(&error),
        };
        self.conclude(&working, after).await;
        self.tell_waiting(&working.effect.id);
        if working.effect.lane.is_some() {
            // The next in its lane may go on.
            self.0.wake.notify_one();
        }
    }

    async fn run_job(&self, working: &mut Working, job: Job) -> Result<After, Error> {
        match job {
            Job::ApplyMessage { connection, message } => {
                self.apply_message(working, &connection, &message).await
            }
            Job::Attempt { .. } => Box::pin(self.send_attempt(working, &job)).await,
            Job::Capture { payment, key } => Box::pin(self.send_capture(working, payment, &key)).await,
            Job::Cancel { payment, key } => Box::pin(self.send_cancel(working, payment, &key)).await,
            Job::ShowIntent { payment } => Box::pin(self.show_intent(working, payment)).await,
            Job::Refund { refund } => Box::pin(self.send_refund(working, refund)).await,
            Job::Fetch { what } => Box::pin(self.fetch_and_apply(working, what)).await,
            Job::Poll { payment, number } => Box::pin(self.poll(working, payment, number)).await,
            Job::Sweep { list, since, after } => Box::pin(self.sweep_page(working, list, since, after)).await,
            Job::DailySweep => Box::pin(self.daily_sweep(working)).await,
            Job::RunFlow { flow, event, released } => {
                Box::pin(self.run_flow(working, &flow, event, released)).await
            }
            Job::Post { posting, document, state, run, step, goes_on } => {
                let task = crate::post::Task { posting, document: *document, state, run, step, goes_on };
                Box::pin(self.post(working, task)).await
            }
            Job::GoOn { .. } | Job::SyncOrder { .. } | Job::PollErp { .. } => {
                Box::pin(self.run_erp_job(working, job)).await
            }
            Job::IdentifyPayer { .. } => Ok(After::Parked {
                error: "nobody knows yet whose money this is; link it to a patient".to_owned(),
            }),
            Job::AskPerson { what } => Ok(After::Parked { error: what }),
            Job::MakeCustomer { patient, key } => Box::pin(self.make_customer(working, patient, &key)).await,
            Job::AdvanceEligibility { eligibility } => {
                Box::pin(self.advance_eligibility(working, eligibility)).await
            }
            Job::Revalidate { service } => Box::pin(self.revalidate(working, service)).await,
            Job::AuthorizeEstimate { estimate, number } => {
                Box::pin(self.authorize_planned(working, estimate, number)).await
            }
            Job::CaptureEstimate { estimate } => Box::pin(self.capture_planned(working, estimate)).await,
            Job::CancelHold { payment } => Box::pin(self.cancel_hold(working, payment)).await,
            Job::EndHold { appointment } => Box::pin(self.end_hold(working, appointment)).await,
            Job::ChargeVisit { appointment, moves } => {
                Box::pin(self.charge_visit(working, appointment, moves)).await
            }
            Job::EndRisk { appointment } => Box::pin(self.end_risk(working, appointment)).await,
            Job::CaptureDeposit { appointment, payment } => {
                Box::pin(self.capture_deposit(working, (appointment, payment))).await
            }
            Job::PriceEncounter { encounter } => Box::pin(self.price_encounter(working, encounter)).await,
            Job::RetryCollection { service, payment, number } => {
                Box::pin(self.retry_collection(working, service, (payment, number))).await
            }
            Job::CollectBalance { service, version, told_minor } => {
                Box::pin(self.collect_balance(working, service, (version, told_minor))).await
            }
            Job::TransferPayout { .. } | Job::ReverseTransfer { .. } | Job::FollowPayout { .. } => {
                Box::pin(self.run_payout_job(working, job)).await
            }
            Job::ListSettlement { .. } => Box::pin(self.list_settlement(working, &job)).await,
            Job::MirrorInvoice { invoice } => Box::pin(self.mirror_invoice(working, invoice)).await,
            Job::BookRemittance { remittance, from } => {
                Box::pin(self.book_remittance(working, remittance, from)).await
            }
            Job::SendNotice { notice, turn, urgent } => {
                Box::pin(self.send_notice(working, (notice, turn), urgent)).await
            }
            Job::Announce { .. } => Box::pin(self.announce(working, &job)).await,
            Job::Replay { .. } => Box::pin(self.replay_page(working, &job)).await,
            Job::Seal => Box::pin(self.seal_and_plan(working)).await,
            Job::Tidy => Box::pin(self.tidy_and_plan(working)).await,
        }
    }

    async fn run_payout_job(&self, working: &mut Working, job: Job) -> Result<After, Error> {
        match job {
            Job::TransferPayout { payout, number } => self.transfer_payout(working, payout, number).await,
            Job::ReverseTransfer { payout, number } => self.reverse_payout(working, payout, number).await,
            Job::FollowPayout { payout } => self.follow_payout(working, payout).await,
            other => Ok(After::Dead { error: format!("{} is no job of a provider's payout", other.kind()) }),
        }
    }

    async fn run_erp_job(&self, working: &mut Working, job: Job) -> Result<After, Error> {
        match job {
            Job::GoOn { run, filing, state } => self.go_on(working, &run, (filing, state)).await,
            Job::SyncOrder { order } => self.sync_order(working, order).await,
            Job::PollErp { source, watermark } => self.poll_erp(working, source, watermark).await,
            other => Ok(After::Dead { error: format!("{} is no job of the ERP", other.kind()) }),
        }
    }

    fn after_error(&self, error: &Error) -> After {
        let now = self.now();
        let again = |seconds| now + Duration::from_secs(seconds);
        match error {
            Error::Store(store) if store.is_conflict() => {
                After::Again { at: again(1), error: chain(error), job: None }
            }
            Error::Store(_) => After::Again { at: again(5), error: chain(error), job: None },
            Error::Outside(failure) => After::Failed { failure: failure.clone(), job: None },
            Error::Connection { .. } => After::Again { at: again(60), error: error.to_string(), job: None },
            Error::Refused(_) | Error::NotFound { .. } | Error::Missing(_) => {
                After::Dead { error: error.to_string() }
            }
        }
    }

    async fn conclude(&self, working: &Working, after: After) {
        if matches!(after, After::Finished) {
            return;
        }
        let now = self.now();
        let (lease, mut effect) = (working.lease.clone(), working.effect.clone());
        let after = match after {
            After::Failed { failure, job } => retry::decide(&effect, &failure, now, self.random()).with(job),
            other => other,
        };
        let kind = effect.kind.clone();
        let concluded = match after {
            After::Finished | After::Failed { .. } => return,
            After::Again { at, error, job } => {
                if let Some(job) = job {
                    effect.payload = job.payload();
                }
                retry::remember(&mut effect, &error, now);
                self.0.metrics.count("effects_retried", &format!("kind=\"{kind}\""));
                self.0
                    .store
                    .write(move |tx| effects::retry(tx, &lease, at, &error, &effect).map_err(Error::from))
                    .await
            }
            After::Parked { error } => self.stop(lease, State::Parked, error, now).await,
            After::Dead { error } => {
                self.tell_dead(working, &error);
                self.stop(lease, State::Dead, error, now).await
            }
        };
        if let Err(error) = concluded {
            // The lease was lost or the store failed: the effect becomes due again by itself.
            tracing::warn!(effect = %working.effect.id, %error, "the end of an effect was not recorded");
        }
    }

    /// Counts and logs a dead letter.
    pub(crate) fn tell_dead(&self, working: &Working, error: &str) {
        let kind = &working.effect.kind;
        self.0.metrics.count("dead_letters", &format!("kind=\"{kind}\""));
        tracing::error!(effect = %working.effect.id, kind, %error, "a person must act: {error}");
    }

    async fn stop(&self, lease: Lease, state: State, error: String, now: Timestamp) -> Result<(), Error> {
        self.0
            .store
            .write(move |tx| effects::finish(tx, &lease, state, Some(&error), now).map_err(Error::from))
            .await
    }

    /// Wakes callers that wait for an effect.
    fn tell_waiting(&self, id: &str) {
        let waiting = self.0.waiting.lock().ok().and_then(|mut waiting| waiting.remove(id));
        for caller in waiting.into_iter().flatten() {
            // A caller that gave up is no problem.
            let _ = caller.send(());
        }
    }
}

/// Starts what was handed over. Hand-overs are bounded by the slots, not by the room of the claimer: what waits here is
/// leased to this process, and waiting would only let the leases run out.
async fn drain(engine: &Engine, inbound: &mut mpsc::UnboundedReceiver<InHand>, room: &Arc<Semaphore>) {
    while let Some(in_hand) = inbound.recv().await {
        let permit = room.clone().try_acquire_owned().ok();
        let engine = engine.clone();
        tokio::spawn(async move {
            engine.run_in_hand(in_hand).await;
            drop(permit);
        });
    }
}

/// Ends an effect that a person must look at, in the transaction that takes in why: after a crash the question still stands.
pub(crate) fn finish_dead(change: &mut Change<'_, '_>, lease: &Lease, error: &str) -> Result<(), Error> {
    effects::finish(change.tx, lease, State::Dead, Some(error), change.order.now).map_err(Error::from)
}

/// An error with its causes, for operators.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
