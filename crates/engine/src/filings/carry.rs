//! Carrying a filing out: the connector's step machine, each state stored before its request leaves.

use std::sync::Arc;

use suture_connect::erp::document::Document;
use suture_connect::erp::epicor::filing::Filing as Machine;
use suture_connect::erp::filing::{FilingInput, FilingState, FilingStatus, FilingStep};
use suture_connect::outcome::{Failure, Retry};
use suture_core::filing::{self, Filing, Status, Told};
use suture_core::id::FilingId;
use suture_flow::run::{Answer, Next};
use suture_store::effects::{self, State};
use suture_store::{journal, runs};

use crate::Error;
use crate::apply::throttled;
use crate::calls::NoAnswer;
use crate::change::Change;
use crate::engine::Engine;
use crate::handoff::LEASE;
use crate::job::Job;
use crate::orders;
use crate::run_flow::StoredRun;
use crate::running::{self, Live, Runner};
use crate::worker::{After, Working};

use super::plan::{self, TARGET};

/// A filing on its way.
struct Carried {
    live: Live,
    step: String,
    filing: FilingId,
    document: Document,
    state: Option<FilingState>,
}

impl Carried {
    fn job(&self) -> Box<Job> {
        Box::new(Job::GoOn {
            run: self.live.id.clone(),
            filing: Some(self.filing),
            state: self.state.clone(),
        })
    }
}

impl Engine {
    /// What going on with runs of an organization needs.
    pub(crate) fn runner(&self, organization: &str) -> Runner {
        let connections = self.connections();
        let mut usable = connections
            .open
            .values()
            .filter(|open| open.organization == organization && open.epicor().is_ok());
        Runner { keyring: self.0.store.keyring().clone(), erp: usable.next().map(|open| open.id.clone()) }
    }

    /// A stored run with its flow. A flow that changed meanwhile begins anew from the run's event: what was filed is found by
    /// its reference.
    pub(crate) async fn live(&self, organization: &str, id: &str) -> Result<Result<Live, String>, Error> {
        let keyring = self.0.store.keyring().clone();
        let (of, run) = (organization.to_owned(), id.to_owned());
        let found =
            self.0.store.read(move |tx| runs::get(tx, &keyring, &of, &run).map_err(Error::from)).await?;
        let found = found.ok_or_else(|| Error::not_found("run", id))?;
        let name = found.flow.split('@').next().unwrap_or_default();
        let Some(compiled) = self.0.flows.get(name).cloned() else {
            return Ok(Err(format!("the flow {name} is not installed; install it, then retry")));
        };
        let stored: StoredRun = serde_json::from_slice(&found.content)
            .map_err(|_| suture_store::Error::Corrupt(format!("run {id}")))?;
        let same = stored.run.fingerprint() == compiled.fingerprint();
        let run = if same { Some(stored.run) } else { compiled.start(stored.run.event().expose()) };
        let Some(run) = run else {
            return Ok(Err(format!(
                "the flow {name} changed and does not want this event any more; skip it"
            )));
        };
        Ok(Ok(Live { compiled, run, id: id.to_owned(), fact: found.fact, stored: true }))
    }

    /// Goes on with a run: does what it stands at.
    pub(crate) async fn go_on(
        &self,
        working: &mut Working,
        run: &str,
        (filing, state): (Option<FilingId>, Option<FilingState>),
    ) -> Result<After, Error> {
        let mut live = match self.live(&working.effect.organization, run).await? {
            Ok(live) => live,
            Err(error) => return Ok(After::Dead { error }),
        };
        let compiled = live.compiled.clone();
        match (compiled.advance(&mut live.run, None), filing) {
            (Next::Call { step, target, document, .. }, Some(filing)) if target == TARGET => {
                // Another run filed it meanwhile: the transaction finds its keys.
                let known: Filing = self.state(&working.effect.organization, &filing.to_string()).await?;
                if known.status == Status::Filed {
                    return self.move_on(working, live, None).await;
                }
                let document = match plan::read(&document) {
                    Ok(document) => document,
                    Err(error) => return Ok(After::Dead { error }),
                };
                self.carry_filing(working, Carried { live, step, filing, document, state }).await
            }
            (Next::Lookup { step, source, key, .. }, _) if crate::run_flow::is_outside(&source) => {
                let link = self.link_of_run(&working.effect.organization, &live).await?;
                match self.look_up(working, link.as_ref(), &source, key.expose()).await? {
                    crate::run_flow::LookedUp::Answer(answer) => {
                        self.move_on(working, live, Some((step, answer))).await
                    }
                    crate::run_flow::LookedUp::After(after) => Ok(after),
                }
            }
            (Next::Wait { step, event, key, .. }, _) => {
                self.end_wait(working, live, (step, event, key.into_exposed())).await
            }
            (Next::Call { step, target, document, .. }, _) if target == "epic.post_payment" => {
                self.post_from_run(working, live, (step, document.into_exposed())).await
            }
            // Nobody decided in time.
            (Next::Approve { step, .. }, _) => {
                self.move_on(working, live, Some((step, Answer::TimedOut))).await
            }
            // Everything else is answered by the store, in the transaction.
            _ => self.move_on(working, live, None).await,
        }
    }

    /// The event that a run waits for happened, or its time is over.
    async fn end_wait(
        &self,
        working: &Working,
        live: Live,
        (step, event, key): (String, String, serde_json::Value),
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let (runner, lease, lane) = (self.runner(&organization), working.lease.clone(), live.id.clone());
        let order = self.order(&organization, &live.flow(), "flow_waited");
        self.apply(&lane, order, move |change| {
            let answer = match running::happened(change, &runner, &event, &key)? {
                Some(value) => Answer::Happened(value),
                None => Answer::TimedOut,
            };
            effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
            running::go_on(change, &runner, live.clone(), Some((step.clone(), answer)))
        })
        .await?;
        Ok(After::Finished)
    }

    pub(crate) async fn move_on(
        &self,
        working: &Working,
        live: Live,
        answer: Option<(String, Answer)>,
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let (runner, lease, lane) = (self.runner(&organization), working.lease.clone(), live.id.clone());
        let order = self.order(&organization, &live.flow(), "flow_step");
        self.apply(&lane, order, move |change| {
            effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
            running::go_on(change, &runner, live.clone(), answer.clone())
        })
        .await?;
        Ok(After::Finished)
    }

    async fn carry_filing(&self, working: &mut Working, mut carried: Carried) -> Result<After, Error> {
        let open = self.connection(&working.effect.destination)?;
        let identity = match self.identity(&open).await? {
            Ok(identity) => identity,
            Err(after) => return Ok(after),
        };
        let fresh = working.fresh && carried.state.is_none();
        let begun = carried.state.clone().unwrap_or_else(FilingState::begin);
        let document = carried.document.clone();
        let machine =
            Machine { epicor: open.epicor()?.0, identity: &identity, document: &document, now: self.now() };
        let mut step = machine.step(&begun, FilingInput::Go);
        loop {
            let (state, request) = match step {
                FilingStep::Send { state, request } => (state, request),
                FilingStep::Wait { state, failure } => {
                    carried.state = Some(state.clone());
                    if state.is_uncertain() {
                        self.move_filing(working, &carried, Status::Unknown, failed(&failure, None)).await?;
                    }
                    return Ok(After::Failed { failure, job: Some(carried.job()) });
                }
                FilingStep::Done { state, status } => {
                    carried.state = Some(state);
                    return self.carried(working, carried, status, fresh).await;
                }
            };
            carried.state = Some(state.clone());
            // Always before the request: what was sent must be known after a crash.
            let (lease, payload, until) =
                (working.lease.clone(), carried.job().payload(), self.now() + LEASE);
            self.0
                .store
                .write(move |tx| effects::save(tx, &lease, &payload, until).map_err(Error::from))
                .await?;
            working.until = until;
            let answer = self.call_leased(working, &open, request).await;
            let input = match &answer {
                Ok(response) => FilingInput::Answer(response),
                Err(NoAnswer::Lost(_)) => FilingInput::Lost,
                Err(NoAnswer::NotSent(_) | NoAnswer::Wait(_) | NoAnswer::Stopped(_)) => FilingInput::NotSent,
            };
            if let Ok(response) = &answer
                && response.status == 401
            {
                open.epicor()?.1.forget();
            }
            step = machine.step(&state, input);
            if let (Err(NoAnswer::Wait(at)), FilingStep::Wait { state, .. }) = (&answer, &step) {
                carried.state = Some(state.clone());
                return Ok(with_job(throttled(*at), &carried));
            }
        }
    }

    /// Records what a filing came to. The end of the filing, what its order learns, the run's next step and the end of the effect
    /// are one transaction.
    async fn carried(
        &self,
        working: &Working,
        carried: Carried,
        status: FilingStatus,
        _fresh: bool,
    ) -> Result<After, Error> {
        let (keys, existing) = match status {
            FilingStatus::Filed { result, existing } => (result, existing),
            FilingStatus::Unknown { why } => {
                self.move_filing(working, &carried, Status::Unknown, failed(&why, None)).await?;
                return Ok(After::Failed { failure: why, job: Some(carried.job()) });
            }
            FilingStatus::WaitingForPerson { why } => {
                self.move_filing(working, &carried, Status::WaitingForPerson, failed(&why, None)).await?;
                return self.stopped(working, &carried, &why, None).await;
            }
            FilingStatus::Rejected { failure, field, value } => {
                if failure.retry == Retry::NextLocalDay {
                    return Ok(After::Failed { failure, job: Some(carried.job()) });
                }
                self.move_filing(working, &carried, Status::Rejected, failed(&failure, field.clone()))
                    .await?;
                let at = field.map(|field| match value {
                    Some(value) => format!("{field} = {value}"),
                    None => field,
                });
                return self.stopped(working, &carried, &failure, at).await;
            }
        };
        self.0.metrics.count("filings", &format!("kind=\"{}\"", carried.document.kind()));
        let organization = working.effect.organization.clone();
        let (runner, lease) = (self.runner(&organization), working.lease.clone());
        let order = self.order(&organization, &carried.live.flow(), "document_filed");
        let (carried, connection) = (Arc::new(carried), working.effect.destination.clone());
        self.apply(&carried.live.id.clone(), order, move |change| {
            let told = Told { keys: Some(keys.clone()), existing, ..Told::default() };
            move_filing(change, carried.filing, Status::Filed, told)?;
            if let Some(about) = carried.live.about() {
                orders::filed(change, (&connection, &about), &carried.document, &keys)?;
            }
            effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
            let answer = (carried.step.clone(), Answer::Done(keys.clone()));
            running::go_on(change, &runner, carried.live.clone(), Some(answer))
        })
        .await?;
        Ok(After::Finished)
    }

    /// A document that was not filed: a person mends the cause and tries again, from the beginning of the filing.
    async fn stopped(
        &self,
        working: &Working,
        carried: &Carried,
        why: &Failure,
        at: Option<String>,
    ) -> Result<After, Error> {
        let again = Job::GoOn { run: carried.live.id.clone(), filing: Some(carried.filing), state: None };
        let (lease, payload, until) = (working.lease.clone(), again.payload(), self.now() + LEASE);
        self.0.store.write(move |tx| effects::save(tx, &lease, &payload, until).map_err(Error::from)).await?;
        let at = at.map(|at| format!(" [{at}]")).unwrap_or_default();
        Ok(After::Dead { error: format!("{}{at} ({})", why.message, why.code) })
    }

    async fn move_filing(
        &self,
        working: &Working,
        carried: &Carried,
        to: Status,
        told: Told,
    ) -> Result<(), Error> {
        let organization = working.effect.organization.clone();
        let order = self.order(&organization, &carried.live.flow(), "document_filed");
        let id = carried.filing;
        self.apply(&carried.live.id, order, move |change| move_filing(change, id, to, told.clone())).await
    }

    /// Filings of a thing that stopped: a person must mend what they say. Among the newest that stopped at all.
    pub(crate) async fn open_filings(&self, organization: &str, about: &str) -> Result<Vec<Filing>, Error> {
        let (organization, about) = (organization.to_owned(), about.to_owned());
        self.0
            .store
            .read(move |tx| {
                let mut open = Vec::new();
                for state in [State::Dead, State::Parked] {
                    for effect in effects::list(tx, &organization, Some(state), i64::MAX, 200)? {
                        let Some(Job::GoOn { filing: Some(filing), .. }) = Job::parse(&effect.payload) else {
                            continue;
                        };
                        if effect.stream.as_deref() == Some(about.as_str()) {
                            let found = journal::load::<Filing>(tx, &organization, &filing.to_string())?;
                            open.extend(found.map(|found| found.state));
                        }
                    }
                }
                Ok(open)
            })
            .await
    }
}

fn with_job(after: After, carried: &Carried) -> After {
    match after {
        After::Again { at, error, .. } => After::Again { at, error, job: Some(carried.job()) },
        other => other,
    }
}

fn failed(failure: &Failure, field: Option<String>) -> Told {
    Told { code: Some(failure.code.clone()), field, ..Told::default() }
}

fn move_filing(change: &mut Change<'_, '_>, id: FilingId, to: Status, told: Told) -> Result<(), Error> {
    let (mut loaded, state) = change.existing::<Filing>(&id.to_string())?;
    let Some(event) = filing::move_to(&state, to, told) else { return Ok(()) };
    change.record_all(&mut loaded, &[event], &plan::care(state.planned.about))
}
