//! The short way of a flow: a captured payment whose flow needs nothing but the link is planned for posting in the
//! transaction that records the fact.
//!
//! Whatever the short way does not cover (another look-up, an unusual amount, a parked or failed step) is left to the
//! `run_flow` effect, which does the same in a transaction of its own. Both end in [`record_posting`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use suture_connect::ehr::epic::posting::{
    PaymentPosting, Posting as Machine, PostingInput, PostingState, PostingStep,
};
use suture_core::explain::Care;
use suture_core::id::{PostingId, RunId};
use suture_core::posting::{self, Posting};
use suture_core::time::Timestamp;
use suture_flow::compiled::Compiled;
use suture_flow::run::{Answer, Next, Run};
use suture_store::effects::NewEffect;
use suture_store::{Keyring, journal, links, runs};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::connections::Open;
use crate::facts::PARTY_LOOK_BACK;
use crate::job::Job;
use crate::run_flow::{label, shown, stored_run, unusual};

/// What planning inside a transaction needs.
pub(crate) struct Planner {
    pub(crate) flows: Arc<BTreeMap<String, Arc<Compiled>>>,
    pub(crate) ehr: Arc<Open>,
    pub(crate) keyring: Keyring,
}

/// A posting to plan, with the run that waits for it.
#[derive(Clone)]
pub(crate) struct ToPlan {
    pub(crate) document: PaymentPosting,
    pub(crate) state: Option<PostingState>,
    pub(crate) run: runs::Run,
    pub(crate) step: String,
    pub(crate) flow: String,
    pub(crate) connection: String,
    pub(crate) care: Care,
    /// Whether the run is in the database already.
    pub(crate) stored: bool,
    /// Whether the run does more when the posting is done.
    pub(crate) goes_on: bool,
}

/// Tries the short way. Says whether the posting was planned.
pub(crate) fn try_plan(
    change: &mut Change<'_, '_>,
    planner: &Planner,
    (flow, event): (&str, &Value),
    care: &Care,
) -> Result<bool, Error> {
    let (Some(compiled), Some(token)) = (planner.flows.get(flow), event["link"].as_str()) else {
        return Ok(false);
    };
    if event["event"] != "payment.captured" {
        return Ok(false);
    }
    let organization = change.order.organization.clone();
    let Some(link) = links::get(change.tx, &organization, token)? else { return Ok(false) };
    let history = journal::party_history(change.tx, &organization, token, PARTY_LOOK_BACK)?;
    if unusual(event, Some(&link), &history).is_some() {
        return Ok(false);
    }
    let Some(mut live) = compiled.start(event) else { return Ok(false) };
    let mut next = compiled.advance(&mut live, None);
    if let Next::Lookup { step, source, .. } = &next
        && source == "link"
    {
        next = compiled.answer(&mut live, step, Answer::Found(shown(&link)));
    }
    let Next::Call { step, target, document, .. } = next else { return Ok(false) };
    let Ok(document) = serde_json::from_value::<PaymentPosting>(document.into_exposed()) else {
        return Ok(false);
    };
    if target != "epic.post_payment" {
        return Ok(false);
    }
    if !ends_with(compiled, &live, &step) {
        return Ok(false);
    }
    let now = change.order.now;
    let id = RunId::mint(change.mint()).to_string();
    let flow = label(compiled);
    let fact = event["fact"].as_str().unwrap_or_default();
    let run = stored_run(&live, (&id, fact), &flow, ("waiting", None), now);
    let state = first_state(&planner.ehr, &document, now);
    let connection = planner.ehr.id.clone();
    let plan = ToPlan {
        document,
        state,
        run,
        step,
        flow,
        connection,
        care: care.clone(),
        stored: false,
        goes_on: false,
    };
    record_posting(change, &planner.keyring, plan)?;
    Ok(true)
}

/// Whether a run is over once its call is done: then its posting ends it, and nobody has to load it again.
pub(crate) fn ends_with(compiled: &Compiled, live: &Run, step: &str) -> bool {
    let mut rehearsed = live.clone();
    let done = Answer::Done(serde_json::json!({ "status": "confirmed", "evidence": null }));
    let mut next = compiled.answer(&mut rehearsed, step, done);
    // Write-backs are optional; this version refuses them, which a flow takes as a warning.
    while let Next::WriteBack { step, .. } = next {
        let refused = Answer::Refused("write-back is not available in this version".to_owned());
        next = compiled.answer(&mut rehearsed, &step, refused);
    }
    matches!(next, Next::Finished { .. })
}

/// Plans a posting: its stream, its run and the effect that sends it. A fact that is planned already is left alone.
pub(crate) fn record_posting(
    change: &mut Change<'_, '_>,
    keyring: &Keyring,
    plan: ToPlan,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let ToPlan { document, state, run, step, flow, connection, care, stored, goes_on } = plan;
    let reference = format!("{connection}/posting/{}", document.reference);
    if journal::referred(change.tx, &organization, &reference)?.is_some() {
        return Ok(());
    }
    let id = PostingId::mint(change.mint());
    let mut loaded = Loaded::<Posting>::fresh(id.to_string());
    loaded.record(&posting::Event::Planned {
        posting: id,
        connection: connection.clone(),
        reference: document.reference.clone(),
        reverses: document.original_reference.clone(),
        amount: document.amount,
        flow,
    })?;
    change.save(&mut loaded, &care)?;
    journal::refer(change.tx, &organization, &reference, &id.to_string())?;
    match stored {
        true => runs::update(change.tx, keyring, &organization, &run)?,
        false => runs::insert(change.tx, keyring, &organization, &run)?,
    }
    // A reversal follows its payment; postings of one fact never overtake each other.
    let fact = document.original_reference.as_deref().unwrap_or(&document.reference);
    let lane = Some(format!("{connection}/{fact}"));
    let job = Job::Post {
        posting: id,
        document: Box::new(document),
        state,
        run: Some(run.id.clone()),
        step: Some(step),
        goes_on,
    };
    let effect = NewEffect {
        id: first_effect(&id.to_string()),
        kind: job.kind(),
        lane,
        destination: connection,
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    };
    change.effect(effect)
}

/// The id of the effect that sends a posting.
pub(crate) fn first_effect(posting: &str) -> String {
    format!("{posting}/1/0")
}

/// The state with the first request counted as sent, when token and route are known already: then no commit stands between
/// the plan and the request.
pub(crate) fn first_state(open: &Open, document: &PaymentPosting, now: Timestamp) -> Option<PostingState> {
    // A reversal looks first whether there is something to take back.
    if document.original_reference.is_some() {
        return None;
    }
    let (epic, tokens, proposal) = open.epic().ok()?;
    let token = tokens.cached(now)?;
    let machine = Machine { epic, token: &token, document };
    match machine.step(&PostingState::begin(proposal?), PostingInput::Go) {
        PostingStep::Send { state, .. } => Some(state),
        PostingStep::Wait { .. } | PostingStep::Done { .. } => None,
    }
}
