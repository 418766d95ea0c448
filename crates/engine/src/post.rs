//! Posting to Epic: drives the connector's step machine, stores each state before its request leaves, and records how
//! sure we are (FEATURES M371).

use suture_connect::ehr::epic::posting::{
    Confirmation, PaymentPosting, Posting as Machine, PostingInput, PostingState, PostingStatus, PostingStep,
};
use suture_connect::ehr::epic::routes::{Proposal, Route};
use suture_connect::ehr::epic::{discovery, token};
use suture_connect::http::HttpRequest;
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::explain::Care;
use suture_core::id::PostingId;
use suture_core::posting::{self, Posting, Status};
use suture_core::redact::Secret;
use suture_flow::run::Answer;
use suture_store::effects::{self, State};
use suture_store::{links, runs};

use crate::Error;
use crate::apply::{after_no_answer, throttled};
use crate::calls::{self, NoAnswer};
use crate::change::Change;
use crate::connections::Open;
use crate::engine::Engine;
use crate::handoff::LEASE;
use crate::job::Job;
use crate::repairs;
use crate::running::{Live, Runner};
use crate::worker::{After, Working};

/// A posting to send, with what waits for it.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) posting: PostingId,
    pub(crate) document: PaymentPosting,
    pub(crate) state: Option<PostingState>,
    pub(crate) run: Option<String>,
    pub(crate) step: Option<String>,
    pub(crate) goes_on: bool,
}

impl Task {
    pub(crate) fn job(&self) -> Box<Job> {
        Box::new(Job::Post {
            posting: self.posting,
            document: Box::new(self.document.clone()),
            state: self.state.clone(),
            run: self.run.clone(),
            step: self.step.clone(),
            goes_on: self.goes_on,
        })
    }
}

impl Engine {
    /// The EHR connection of an organization.
    pub(crate) fn ehr(&self, organization: &str) -> Result<std::sync::Arc<Open>, Error> {
        // The setting names one site; another organization's payments must never reach it.
        let chosen = self.0.settings.ehr.as_ref().and_then(|id| self.connection(id).ok());
        if let Some(open) = chosen.filter(|open| open.organization == organization) {
            return Ok(open);
        }
        let connections = self.connections();
        let mut usable =
            connections.open.values().filter(|open| open.organization == organization && open.epic().is_ok());
        usable.next().cloned().ok_or_else(|| Error::Connection {
            connection: "epic".to_owned(),
            problem: "no Epic site is connected; create the connection, then retry".to_owned(),
        })
    }

    pub(crate) async fn post(&self, working: &mut Working, mut task: Task) -> Result<After, Error> {
        if self.waits_for_its_payment(working, &task).await? {
            return Ok(After::Finished);
        }
        if !working.fresh
            && let Some(what) = self.posting_differs(working, &task).await?
        {
            return Ok(After::Dead { error: repairs::contradicts(&what) });
        }
        let open = self.connection(&working.effect.destination)?;
        let (epic, _, proposal) = open.epic()?;
        let token = match self.token(&open).await? {
            Ok(token) => token,
            Err(after) => return Ok(with_job(after, &task)),
        };
        let Some(proposal) = proposal else {
            return Err(open.problem("it has not been probed; probe it to find a posting route"));
        };
        let begun = task.state.clone().unwrap_or_else(|| PostingState::begin(proposal));
        let document = task.document.clone();
        let machine = Machine { epic, token: &token, document: &document };
        // Fresh from the planning transaction: the stored state says sent, the request is the first one of a posting that
        // nobody has tried, so it is built again and need not be looked up first.
        let fresh = working.fresh && task.state.is_some();
        let mut step = match fresh {
            true => machine.step(&PostingState::begin(proposal), PostingInput::Go),
            false => machine.step(&begun, PostingInput::Go),
        };
        let mut unsaved = !fresh;
        loop {
            let (state, request) = match step {
                PostingStep::Send { state, request } => (state, request),
                PostingStep::Wait { state, failure } => {
                    task.state = Some(state.clone());
                    return self.wait(working, &open, &task, &state, failure).await;
                }
                PostingStep::Done { state, status } => {
                    task.state = Some(state);
                    return self.posted(working, &open, &task, status).await;
                }
            };
            task.state = Some(state.clone());
            if unsaved {
                self.save_progress(working, &task).await?;
                working.until = self.now() + LEASE;
            }
            unsaved = true;
            let answer = self.call_leased(working, &open, request).await;
            let input = match &answer {
                Ok(response) => PostingInput::Answer(response),
                Err(NoAnswer::Lost(_)) => PostingInput::Lost,
                Err(NoAnswer::NotSent(_) | NoAnswer::Wait(_) | NoAnswer::Stopped(_)) => PostingInput::NotSent,
            };
            if let Ok(response) = &answer
                && response.status == 401
            {
                open.epic()?.1.forget();
            }
            step = machine.step(&state, input);
            if let (Err(NoAnswer::Wait(at)), PostingStep::Wait { state, .. }) = (&answer, &step) {
                task.state = Some(state.clone());
                return Ok(with_job(throttled(*at), &task));
            }
        }
    }

    /// Whether a posting that lay in the database says something else than its own stream.
    async fn posting_differs(&self, working: &Working, task: &Task) -> Result<Option<String>, Error> {
        let (organization, task) = (working.effect.organization.clone(), task.clone());
        self.0.store.read(move |tx| repairs::contradiction(tx, &organization, &task.job())).await
    }

    async fn save_progress(&self, working: &Working, task: &Task) -> Result<(), Error> {
        let (lease, payload, until) = (working.lease.clone(), task.job().payload(), self.now() + LEASE);
        self.0.store.write(move |tx| effects::save(tx, &lease, &payload, until).map_err(Error::from)).await
    }

    async fn wait(
        &self,
        working: &Working,
        open: &Open,
        task: &Task,
        state: &PostingState,
        failure: Failure,
    ) -> Result<After, Error> {
        if state.is_uncertain() {
            self.move_posting(working, open, task, Status::Unknown, (None, Some(failure.code.clone())))
                .await?;
        }
        Ok(After::Failed { failure, job: Some(task.job()) })
    }

    /// Records what a posting came to, with the end of its run and of the effect, in one transaction.
    async fn posted(
        &self,
        working: &Working,
        open: &Open,
        task: &Task,
        status: PostingStatus,
    ) -> Result<After, Error> {
        let done = |to, evidence: Option<String>| (to, evidence);
        let (to, evidence) = match status {
            PostingStatus::Confirmed { evidence } => done(Status::Confirmed, Some(proof(&evidence))),
            PostingStatus::Accepted { reference } => done(Status::Accepted, reference),
            PostingStatus::Unknown { why } => {
                self.move_posting(working, open, task, Status::Unknown, (None, Some(why.code.clone())))
                    .await?;
                return Ok(After::Failed { failure: why, job: Some(task.job()) });
            }
            PostingStatus::WaitingForPerson { why } => {
                self.move_posting(
                    working,
                    open,
                    task,
                    Status::WaitingForPerson,
                    (None, Some(why.code.clone())),
                )
                .await?;
                return Ok(After::Dead { error: format!("{} ({})", why.message, why.code) });
            }
            PostingStatus::Rejected { failure, surviving_patient: Some(patient) } => {
                return self.follow_merge(working, open, task, &patient, failure).await;
            }
            PostingStatus::Rejected { failure, surviving_patient: None } => {
                return self.rejected(working, open, task, failure).await;
            }
        };
        self.0.metrics.count("postings", &format!("connection=\"{}\",status=\"{}\"", open.id, to.name()));
        let (order, care, lease) =
            (self.order_by_gateway(open), self.care_of_task(working, task), working.lease.clone());
        let order = crate::change::Order { organization: working.effect.organization.clone(), ..order };
        let (id, route, run) = (task.posting, route_of(task), task.run.clone());
        let (lane, ended) = (working.effect.lane.clone(), task.clone());
        let going = self.going_on(working, task).await?;
        let answer = serde_json::json!({ "status": to.name(), "evidence": evidence });
        self.apply(&task.document.reference, order, move |change| {
            let organization = change.order.organization.clone();
            move_posting(change, id, to, (route.as_deref(), evidence.as_deref(), None), &care)?;
            if let Some((runner, live, step)) = &going {
                let answer = (step.clone(), Answer::Done(answer.clone()));
                crate::running::go_on(change, runner, live.clone(), Some(answer))?;
            } else if let Some(run) = &run {
                let note = format!("posting {}", to.sentence());
                runs::conclude(
                    change.tx,
                    &organization,
                    run,
                    ("finished", Some(&note)),
                    Some(change.order.now),
                )?;
            }
            crate::reversals::go_on(change, lane.as_deref(), &ended)?;
            effects::finish(change.tx, &lease, State::Done, None, change.order.now).map_err(Error::from)
        })
        .await?;
        Ok(After::Finished)
    }

    /// The run that does more once this posting is done.
    async fn going_on(
        &self,
        working: &Working,
        task: &Task,
    ) -> Result<Option<(Runner, Live, String)>, Error> {
        let (Some(run), Some(step), true) = (&task.run, &task.step, task.goes_on) else { return Ok(None) };
        let organization = &working.effect.organization;
        let live = self.live(organization, run).await?;
        Ok(live.ok().map(|live| (self.runner(organization), live, step.clone())))
    }

    async fn rejected(
        &self,
        working: &Working,
        open: &Open,
        task: &Task,
        failure: Failure,
    ) -> Result<After, Error> {
        if failure.retry == Retry::NextLocalDay {
            return Ok(After::Failed { failure, job: Some(fresh_start(task)) });
        }
        self.move_posting(working, open, task, Status::Rejected, (None, Some(failure.code.clone()))).await?;
        // Nothing was posted, so a later retry begins anew.
        let error = format!("{} ({})", failure.message, failure.code);
        self.save_progress(working, &Task { state: None, ..task.clone() }).await?;
        Ok(After::Dead { error })
    }

    /// Epic merged the patient: point the link to the survivor and post there (FEATURES M50).
    async fn follow_merge(
        &self,
        working: &Working,
        open: &Open,
        task: &Task,
        patient: &str,
        failure: Failure,
    ) -> Result<After, Error> {
        if task.document.patient == patient {
            return self.rejected(working, open, task, failure).await;
        }
        let organization = working.effect.organization.clone();
        let order =
            crate::change::Order { organization: organization.clone(), ..self.order_by_gateway(open) };
        let (former, survivor) = (task.document.patient.clone(), patient.to_owned());
        self.apply(&former.clone(), order, move |change| {
            for mut link in links::list_patient(change.tx, &organization, &former, 1000)? {
                link.patient.clone_from(&survivor);
                links::update(change.tx, &organization, &link)?;
            }
            Ok(())
        })
        .await?;
        let mut task = Task { state: None, ..task.clone() };
        task.document.patient = patient.to_owned();
        let error = "the patient was merged in Epic; posting to the surviving record".to_owned();
        Ok(After::Again { at: self.now(), error, job: Some(task.job()) })
    }

    async fn move_posting(
        &self,
        working: &Working,
        open: &Open,
        task: &Task,
        to: Status,
        (evidence, code): (Option<String>, Option<String>),
    ) -> Result<(), Error> {
        let order = crate::change::Order {
            organization: working.effect.organization.clone(),
            ..self.order_by_gateway(open)
        };
        let (id, route, care) = (task.posting, route_of(task), self.care_of_task(working, task));
        self.apply(&task.document.reference, order, move |change| {
            move_posting(change, id, to, (route.as_deref(), evidence.as_deref(), code.as_deref()), &care)
        })
        .await
    }

    fn care_of_task(&self, _working: &Working, task: &Task) -> Care {
        Care {
            patient: Some(task.document.patient.clone()),
            account: task.document.account.clone(),
            encounter: task.document.encounter.clone(),
            ..Care::default()
        }
    }

    /// An access token: cached, or fetched with a fresh assertion. `Err` in the value: what follows for the effect.
    pub(crate) async fn token(&self, open: &Open) -> Result<Result<Secret<String>, After>, Error> {
        let (epic, tokens, _) = open.epic()?;
        let now = self.now();
        if let Some(token) = tokens.cached(now) {
            return Ok(Ok(token));
        }
        let Some((kid, algorithm)) = tokens.current() else {
            return Err(open.problem("it has no signing key"));
        };
        let Some(audience) = epic.token_url.clone() else {
            return Err(open.problem("its token endpoint is not known; probe it"));
        };
        let jti = suture_core::id::AccessId::mint(suture_core::id::Mint::new(now, self.random())).to_string();
        let assertion = token::Assertion {
            kid,
            algorithm,
            client_id: &epic.client_id,
            audience: &audience,
            now,
            jti: &jti,
        };
        let input = token::signing_input(&assertion);
        let signature = tokens.sign(&input).map_err(|problem| open.problem(&problem))?;
        let request: HttpRequest = token::token_request(&audience, &input, &signature, &epic.scopes);
        let answer = match self.call(open, request).await {
            Ok(response) => response,
            Err(no) => return Ok(Err(after_no_answer(no))),
        };
        Ok(match token::read_token(&answer, &epic.scopes) {
            Outcome::Done(fresh) => {
                let life = std::time::Duration::from_secs(fresh.expires_in_seconds);
                tokens.keep(fresh.secret.clone(), now + life);
                Ok(fresh.secret)
            }
            Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure) => {
                self.0.metrics.count("tokens_refused", &format!("connection=\"{}\"", open.id));
                // The site may not have fetched our new key yet, or its clock is off: the queue waits, nothing is lost.
                let wait = Some(std::time::Duration::from_secs(30));
                Err(After::Failed {
                    failure: Failure { retry: Retry::Throttled(wait), ..failure },
                    job: None,
                })
            }
        })
    }

    /// Reads what a site offers and proposes a posting route.
    ///
    /// # Errors
    /// [`Error::Outside`] when the site does not answer as expected.
    pub(crate) async fn propose_route(
        &self,
        open: &Open,
    ) -> Result<(Option<String>, Proposal, Vec<String>), Error> {
        let (epic, ..) = open.epic()?;
        let fail = |failure: Failure| Error::Outside(failure);
        let answer = self.call(open, discovery::smart_configuration(epic)).await;
        let found = calls::outcome(answer, |response| discovery::read_smart_configuration(epic, response));
        let token_url = match found {
            Ok(Outcome::Done(configuration)) => Some(configuration.token_endpoint),
            // A site may hide its discovery document; then the configured endpoint counts.
            _ => epic.token_url.clone(),
        };
        let answer = self.call(open, discovery::metadata(epic)).await;
        match calls::outcome(answer, discovery::read_metadata) {
            Ok(Outcome::Done(capabilities)) => {
                let proposal = suture_connect::ehr::epic::routes::propose(epic, &capabilities);
                Ok((token_url, proposal, capabilities.sentences()))
            }
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Err(fail(failure))
            }
            Err(_) => Err(fail(Failure::new(
                "throttled",
                "the site's budget is used up; try again in a minute",
                Retry::Later,
            ))),
        }
    }
}

fn move_posting(
    change: &mut Change<'_, '_>,
    id: PostingId,
    to: Status,
    (route, evidence, code): (Option<&str>, Option<&str>, Option<&str>),
    care: &Care,
) -> Result<(), Error> {
    let mut loaded = change.load::<Posting>(&id.to_string())?;
    let Some(state) = loaded.state.clone() else { return Ok(()) };
    if let Some(event) = posting::move_to(&state, to, route, evidence, code) {
        loaded.record(&event)?;
    }
    change.save(&mut loaded, care)
}

fn route_of(task: &Task) -> Option<String> {
    task.state.as_ref().map(|state| {
        match state.route {
            Route::Fhir => "fhir",
            Route::ExternalPayment => "external_payment",
            Route::Lockbox => "lockbox",
            Route::Hl7 => "hl7",
            Route::Person => "person",
        }
        .to_owned()
    })
}

fn proof(evidence: &Confirmation) -> String {
    match evidence {
        Confirmation::Receipt { number } => format!("receipt {number}"),
        Confirmation::ReadBack { reference, existing: false } => format!("read back {reference}"),
        Confirmation::ReadBack { reference, existing: true } => format!("already there: {reference}"),
    }
}

/// The same posting from the beginning: nothing of it reached the other side.
fn fresh_start(task: &Task) -> Box<Job> {
    Task { state: None, ..task.clone() }.job()
}

fn with_job(after: After, task: &Task) -> After {
    match after {
        After::Again { at, error, job: None } => After::Again { at, error, job: Some(task.job()) },
        After::Failed { failure, job: None } => After::Failed { failure, job: Some(task.job()) },
        other => other,
    }
}
