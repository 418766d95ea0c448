//! Running a flow for a fact: looks up what the flow asks for, and turns its call into a posting, in one transaction with
//! the run's own state. A crash at any point runs it again; a run exists once per flow and fact.

use serde_json::{Value, json};
use suture_connect::ehr::epic::posting::PaymentPosting;
use suture_connect::ehr::epic::reads::{self, Search};
use suture_connect::outcome::Outcome;
use suture_core::explain::Care;
use suture_core::guard::{self, Usual};
use suture_core::id::RunId;
use suture_core::money::Money;
use suture_core::time::Timestamp;
use suture_flow::compiled::Compiled;
use suture_flow::run::{Answer, Next, Run};
use suture_store::effects::{self, State};
use suture_store::{journal, links, runs};

use crate::Error;
use crate::apply::throttled;
use crate::calls;
use crate::engine::Engine;
use crate::inline::{ToPlan, ends_with, first_state, record_posting};
use crate::repairs;
use crate::running::Live;
use crate::worker::{After, Working};

/// A run on its way, with what its posting needs from the fact.
struct Going {
    run: Run,
    id: String,
    stored: bool,
    fact: String,
    event: Value,
    link: Option<links::Link>,
}

/// What an answer to a lookup came to.
pub(crate) enum LookedUp {
    Answer(Answer),
    After(After),
}

impl Engine {
    pub(crate) async fn run_flow(
        &self,
        working: &Working,
        flow: &str,
        event: Value,
        released: bool,
    ) -> Result<After, Error> {
        let Some(compiled) = self.0.flows.get(flow).cloned() else {
            return Ok(After::Dead { error: format!("the flow {flow} is not installed") });
        };
        if !working.fresh
            && let Some(what) = self.fact_differs(&working.effect.organization, &event).await?
        {
            return Ok(After::Dead { error: repairs::contradicts(&what) });
        }
        let fact = event["fact"].as_str().unwrap_or_default().to_owned();
        let (link, history) = self.known_of(&working.effect.organization, &event).await?;
        if !released && let Some(error) = unusual(&event, link.as_ref(), &history) {
            return Ok(After::Parked { error });
        }
        let Some(mut going) = self.begin_run(working, &compiled, event, fact, link).await? else {
            return self.finish(working, "the flow's filter left this fact out").await;
        };
        let mut next = compiled.advance(&mut going.run, None);
        // Bounded by the flow's length: every answer moves the run on.
        loop {
            next = match next {
                Next::Lookup { step, source, key, .. } if source == "link" || is_outside(&source) => {
                    match self.look_up(working, going.link.as_ref(), &source, key.expose()).await? {
                        LookedUp::Answer(answer) => compiled.answer(&mut going.run, &step, answer),
                        LookedUp::After(after) => return Ok(after),
                    }
                }
                Next::Call { step, target, document, .. } if target == "epic.post_payment" => {
                    return self.plan_posting(working, &compiled, going, step, document.expose()).await;
                }
                Next::WriteBack { step, .. } => {
                    let text = "write-back is not available in this version".to_owned();
                    compiled.answer(&mut going.run, &step, Answer::Refused(text))
                }
                // What the store answers, files or waits for goes on in its transactions.
                Next::Lookup { .. } | Next::Call { .. } | Next::Wait { .. } | Next::Approve { .. } => {
                    let Going { run, id, stored, fact, .. } = going;
                    let live = Live { compiled, run, id, fact, stored };
                    return self.move_on(working, live, None).await;
                }
                Next::Finished { .. } => {
                    return self.end_run(working, &compiled, going, "finished", None).await;
                }
                Next::Parked { reason, step, place } => {
                    let error = format!("step {step} (line {}) waits: {}", place.line, reason.word());
                    return self.stop_run(working, &compiled, going, After::Parked { error }).await;
                }
                Next::Failed { error, step, place } => {
                    let error = format!("step {step} (line {}) failed: {}", place.line, error.text);
                    return self.stop_run(working, &compiled, going, After::Dead { error }).await;
                }
            };
        }
    }

    /// Whether an event that lay in the database says something else than its payment.
    async fn fact_differs(&self, organization: &str, event: &Value) -> Result<Option<String>, Error> {
        let (organization, event) = (organization.to_owned(), event.clone());
        self.0.store.read(move |tx| repairs::fact_differs(tx, &organization, &event)).await
    }

    /// The fact's link and the latest payments by it.
    async fn known_of(
        &self,
        organization: &str,
        event: &Value,
    ) -> Result<(Option<links::Link>, Vec<(String, i64, String)>), Error> {
        let Some(token) = event["link"].as_str().map(ToOwned::to_owned) else {
            return Ok((None, Vec::new()));
        };
        let organization = organization.to_owned();
        self.0
            .store
            .read(move |tx| {
                let link = links::get(tx, &organization, &token)?;
                Ok((link, journal::party_history(tx, &organization, &token, 20)?))
            })
            .await
    }

    async fn begin_run(
        &self,
        working: &Working,
        compiled: &Compiled,
        event: Value,
        fact: String,
        link: Option<links::Link>,
    ) -> Result<Option<Going>, Error> {
        if !working.fresh {
            let keyring = self.0.store.keyring().clone();
            let (organization, flow, of) =
                (working.effect.organization.clone(), label(compiled), fact.clone());
            let found = self
                .0
                .store
                .read(move |tx| runs::find(tx, &keyring, &organization, &flow, &of).map_err(Error::from))
                .await?;
            if let Some(found) = found {
                let stored: StoredRun = serde_json::from_slice(&found.content)
                    .map_err(|_| suture_store::Error::Corrupt(format!("run {}", found.id)))?;
                // A mended flow has another fingerprint: start over from the event. The posting's reference keeps it
                // from being posted twice.
                let same = stored.run.fingerprint() == compiled.fingerprint();
                let run = if same { Some(stored.run) } else { compiled.start(&event) };
                return Ok(run.map(|run| Going { run, id: found.id, stored: true, fact, event, link }));
            }
        }
        let id = RunId::mint(suture_core::id::Mint::new(self.now(), self.random())).to_string();
        Ok(compiled.start(&event).map(|run| Going { run, id, stored: false, fact, event, link }))
    }

    pub(crate) async fn look_up(
        &self,
        working: &Working,
        link: Option<&links::Link>,
        source: &str,
        key: &Value,
    ) -> Result<LookedUp, Error> {
        let missing = Ok(LookedUp::Answer(Answer::Missing));
        match source {
            "link" => Ok(LookedUp::Answer(link.map_or(Answer::Missing, |link| Answer::Found(shown(link))))),
            "epic.encounter" => {
                let Some(patient) = key["patient"].as_str() else { return missing };
                self.find_encounter(working, patient).await
            }
            "epic.practitioner" => {
                let Some(encounter) = key["encounter"].as_str() else { return missing };
                self.find_practitioner(working, encounter).await
            }
            other => {
                Ok(LookedUp::After(After::Dead { error: format!("this version cannot look up {other}") }))
            }
        }
    }

    /// A patient's encounter, when there is no doubt which: Epic's encounters name no appointment, so only a single
    /// one is taken. Not finding it never holds up money.
    async fn find_encounter(&self, working: &Working, patient: &str) -> Result<LookedUp, Error> {
        let open = self.ehr(&working.effect.organization)?;
        let (epic, ..) = open.epic()?;
        let token = match self.token(&open).await? {
            Ok(token) => token,
            Err(after) => return Ok(LookedUp::After(after)),
        };
        let search = Search::EncountersOfPatient { patient: patient.to_owned(), since: None };
        let answer = self.call(&open, search.request(epic, &token)).await;
        let outcome =
            calls::outcome(answer, |response| reads::read_page::<reads::Encounter>(epic, &search, response));
        Ok(match outcome {
            Err(at) => LookedUp::After(throttled(at)),
            Ok(Outcome::Done(page)) => LookedUp::Answer(match (&page.found[..], &page.next) {
                ([only], None) => Answer::Found(json!({
                    "encounter": only.resource.id,
                    "practitioner": only.resource.practitioners.first(),
                })),
                _ => Answer::Missing,
            }),
            Ok(Outcome::Declined(_)) => LookedUp::Answer(Answer::Missing),
            Ok(Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                LookedUp::After(After::Failed { failure, job: None })
            }
        })
    }

    async fn find_practitioner(&self, working: &Working, encounter: &str) -> Result<LookedUp, Error> {
        let open = self.ehr(&working.effect.organization)?;
        let (epic, ..) = open.epic()?;
        let token = match self.token(&open).await? {
            Ok(token) => token,
            Err(after) => return Ok(LookedUp::After(after)),
        };
        let answer = self.call(&open, reads::by_id::<reads::Encounter>(epic, &token, encounter)).await;
        Ok(match calls::outcome(answer, reads::read_found::<reads::Encounter>) {
            Err(at) => LookedUp::After(throttled(at)),
            Ok(Outcome::Done(found)) => LookedUp::Answer(
                found
                    .resource
                    .practitioners
                    .first()
                    .map_or(Answer::Missing, |id| Answer::Found(json!({ "practitioner": id }))),
            ),
            Ok(Outcome::Declined(_)) => LookedUp::Answer(Answer::Missing),
            Ok(Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                LookedUp::After(After::Failed { failure, job: None })
            }
        })
    }

    /// Plans the posting that a flow's call asks for, in one transaction with the run and the end of this effect.
    async fn plan_posting(
        &self,
        working: &Working,
        compiled: &Compiled,
        going: Going,
        step: String,
        document: &Value,
    ) -> Result<After, Error> {
        let Ok(document) = serde_json::from_value::<PaymentPosting>(document.clone()) else {
            let error = format!("step {step} gives a document that is not a posting");
            return self.stop_run(working, compiled, going, After::Dead { error }).await;
        };
        let goes_on = !ends_with(compiled, &going.run, &step);
        let open = self.ehr(&working.effect.organization)?;
        let flow = label(compiled);
        let plan = ToPlan {
            state: first_state(&open, &document, self.now()),
            run: stored_run(&going.run, (&going.id, &going.fact), &flow, ("waiting", None), self.now()),
            connection: open.id.clone(),
            care: care_of(&going),
            stored: going.stored,
            flow: flow.clone(),
            document,
            step,
            goes_on,
        };
        let keyring = self.0.store.keyring().clone();
        let (order, lease) =
            (self.order(&working.effect.organization, &flow, "flow_call"), working.lease.clone());
        let lane = going.fact;
        self.apply(&lane, order, move |change| {
            effects::finish(change.tx, &lease, State::Done, None, change.order.now)?;
            record_posting(change, &keyring, plan.clone())
        })
        .await?;
        Ok(After::Finished)
    }

    /// Plans the posting that a call of a run asks for which is on its way already.
    pub(crate) async fn post_from_run(
        &self,
        working: &Working,
        live: Live,
        (step, document): (String, Value),
    ) -> Result<After, Error> {
        let link = self.link_of_run(&working.effect.organization, &live).await?;
        let event = live.run.event().into_exposed();
        let Live { compiled, run, id, fact, stored } = live;
        let going = Going { run, id, stored, fact, event, link };
        self.plan_posting(working, &compiled, going, step, &document).await
    }

    /// The link of the event that began a run.
    pub(crate) async fn link_of_run(
        &self,
        organization: &str,
        live: &Live,
    ) -> Result<Option<links::Link>, Error> {
        Ok(self.known_of(organization, live.run.event().expose()).await?.0)
    }

    async fn end_run(
        &self,
        working: &Working,
        compiled: &Compiled,
        going: Going,
        state: &str,
        note: Option<String>,
    ) -> Result<After, Error> {
        let run =
            stored_run(&going.run, (&going.id, &going.fact), &label(compiled), (state, note), self.now());
        self.save_run(working, &going, run, true).await?;
        Ok(After::Finished)
    }

    async fn stop_run(
        &self,
        working: &Working,
        compiled: &Compiled,
        going: Going,
        after: After,
    ) -> Result<After, Error> {
        let (state, note) = match &after {
            After::Parked { error } => ("parked", error.clone()),
            After::Dead { error } => ("failed", error.clone()),
            After::Finished | After::Again { .. } | After::Failed { .. } => ("running", String::new()),
        };
        let run = stored_run(
            &going.run,
            (&going.id, &going.fact),
            &label(compiled),
            (state, Some(note)),
            self.now(),
        );
        self.save_run(working, &going, run, false).await?;
        Ok(after)
    }

    async fn save_run(
        &self,
        working: &Working,
        going: &Going,
        run: runs::Run,
        finish: bool,
    ) -> Result<(), Error> {
        let keyring = self.0.store.keyring().clone();
        let (organization, lease, stored, now) =
            (working.effect.organization.clone(), working.lease.clone(), going.stored, self.now());
        self.0
            .store
            .write(move |tx| {
                match stored {
                    true => runs::update(tx, &keyring, &organization, &run)?,
                    false => runs::insert(tx, &keyring, &organization, &run)?,
                }
                if finish {
                    effects::finish(tx, &lease, State::Done, None, now)?;
                }
                Ok(())
            })
            .await
    }
}

/// Whether a look-up asks another system.
pub(crate) fn is_outside(source: &str) -> bool {
    source.starts_with("epic.")
}

/// What is stored of a run: the flow's own state, sealed.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct StoredRun {
    pub(crate) run: Run,
}

/// Why an amount is held: it is far above what this link's payments, or its due amount, usually are.
pub(crate) fn unusual(
    event: &Value,
    link: Option<&links::Link>,
    history: &[(String, i64, String)],
) -> Option<String> {
    let link = link.filter(|_| event["event"] == "payment.captured")?;
    let amount = serde_json::from_value::<Money>(event["amount"].clone()).ok()?;
    let own = event["payment"].as_str().unwrap_or_default();
    let usual = |(stream, minor, code): &(String, i64, String)| {
        (stream != own && code == amount.currency.code()).then_some(*minor)
    };
    let mut amounts: Vec<i64> = history.iter().filter_map(usual).collect();
    amounts.extend(link.due.filter(|due| due.currency == amount.currency).map(|due| due.minor));
    guard::check(amount, Usual::of(&amounts)).err().map(|held| held.detail)
}

/// A flow's name and version.
pub(crate) fn label(compiled: &Compiled) -> String {
    format!("{}@{}", compiled.name(), compiled.version())
}

pub(crate) fn stored_run(
    live: &Run,
    (id, fact): (&str, &str),
    flow: &str,
    (state, note): (&str, Option<String>),
    now: Timestamp,
) -> runs::Run {
    runs::Run {
        id: id.to_owned(),
        flow: flow.to_owned(),
        fact: fact.to_owned(),
        state: state.to_owned(),
        note,
        // Serializing a run to bytes cannot fail: its values are JSON.
        content: serde_json::to_vec(&StoredRun { run: live.clone() }).unwrap_or_default(),
        started_at: now,
        finished_at: (state == "finished").then_some(now),
    }
}

fn care_of(going: &Going) -> Care {
    let care = going.link.as_ref().map(crate::facts::care_of_link).unwrap_or_default();
    Care { payment: going.event["payment"].as_str().map(ToOwned::to_owned), ..care }
}

pub(crate) fn shown(link: &links::Link) -> Value {
    json!({
        "link": link.id,
        "patient": link.patient,
        "account": link.account,
        "claim": link.claim,
        "encounter": link.encounter,
        "practitioner": link.practitioner,
        "appointment": link.appointment,
        "due": link.due,
        "service_codes": link.service_codes,
    })
}
