//! Evidence in, facts out: finds or opens the payment that evidence speaks of, records what is new, and follows the
//! reactions in the same transaction.

use suture_connect::gateway::Fetch;
use suture_core::debt::{self, Debt};
use suture_core::dispute::{self, Dispute};
use suture_core::evidence::{DisputeSeen, Evidence, RefundSeen, RefundStatus};
use suture_core::explain::Care;
use suture_core::id::{DebtId, DisputeId, PatientId, PaymentId, RefundId};
use suture_core::money::Money;
use suture_core::payment::{self, Command, Event, Opening, Payment, Purpose, Source};
use suture_core::refund::{self, Refund};
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;
use suture_store::{journal, links};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::job::Job;
use crate::second_charges;
use crate::told::{Told, fact_event, facts_so_far};

/// Where evidence came from.
#[derive(Clone)]
pub(crate) struct Origin {
    /// The connection.
    pub(crate) connection: String,
    /// The gateway's name.
    pub(crate) gateway: String,
    /// As of when.
    pub(crate) seen_at: Timestamp,
    /// How we learned it.
    pub(crate) source: Source,
    /// The flows that run for facts of this gateway: name and event kinds.
    pub(crate) flows: std::sync::Arc<crate::engine::Wanted>,
    /// What the short way of a flow needs; `None` while no EHR is connected.
    pub(crate) planner: Option<std::sync::Arc<crate::inline::Planner>>,
}

/// What must be fetched before evidence can be taken in: the parent comes first (FLOWS §10.3).
pub(crate) enum Taken {
    /// Everything was taken in.
    All,
    /// This object must be fetched and put in front.
    Needs(Fetch),
}

/// Takes in evidence, parents before children.
pub(crate) fn take_in(
    change: &mut Change<'_, '_>,
    evidence: &[Evidence],
    origin: &Origin,
) -> Result<Taken, Error> {
    foresee(change, evidence, origin)?;
    for piece in evidence {
        let Some(mut payment) = find_or_open(change, piece, origin)? else {
            let (charge, intent) = parents(piece);
            let parent = charge.map(|id| Fetch::Charge(id.to_owned()));
            let parent = parent.or_else(|| intent.map(|id| Fetch::Intent(id.to_owned())));
            return parent.map_or_else(
                || Err(Error::Missing("the parent object".to_owned())),
                |what| Ok(Taken::Needs(what)),
            );
        };
        let command =
            Command::Observe { evidence: piece.clone(), seen_at: origin.seen_at, source: origin.source };
        let events = decide(change, &mut payment, &command)?;
        after_observation(change, piece, &payment, origin)?;
        settle(change, &mut payment, &events, origin)?;
        change.tx.forget();
    }
    Ok(Taken::All)
}

/// The questions that a charge of a known link leads to, asked together: for a database across a network they are most of
/// the time that a fact takes. Only the first piece is foreseen; what the others ask may have changed by then.
fn foresee(change: &mut Change<'_, '_>, evidence: &[Evidence], origin: &Origin) -> Result<(), Error> {
    let Some(Evidence::Charge(seen)) = evidence.first() else { return Ok(()) };
    let organization = change.order.organization.clone();
    let asks = || {
        let referred = |key: &str| journal::ask_referred(&organization, key);
        let mut asks = vec![referred(&reference(&origin.connection, &seen.charge))];
        asks.extend(seen.intent.as_deref().map(|intent| referred(&reference(&origin.connection, intent))));
        if let Some(link) = &seen.link {
            // Read once to open the payment, once to plan its posting.
            asks.extend([links::ask_get(&organization, link), links::ask_get(&organization, link)]);
        }
        if let (Some(planner), Some(link)) = (&origin.planner, &seen.link) {
            let posting = format!("{}/posting/charge:{}", planner.ehr.id, seen.charge);
            let lane = format!("{}/charge:{}", planner.ehr.id, seen.charge);
            asks.push(journal::ask_party_history(&organization, link, PARTY_LOOK_BACK));
            asks.push(referred(&posting));
            asks.push(suture_store::effects::ask_lane(&organization, &lane));
        }
        asks
    };
    Ok(change.tx.foresee(asks)?)
}

/// How many earlier payments of a link say what is usual for it.
pub(crate) const PARTY_LOOK_BACK: i64 = 20;

/// Decides a command on a payment and records its events.
pub(crate) fn decide(
    change: &Change<'_, '_>,
    payment: &mut Loaded<Payment>,
    command: &Command,
) -> Result<Vec<Event>, Error> {
    let events = payment::decide(payment.state.as_ref(), command, change.order.now)?;
    for event in &events {
        payment.record(event)?;
    }
    Ok(events)
}

/// Saves a payment and follows what its events cause: debt, flows, effects.
pub(crate) fn settle(
    change: &mut Change<'_, '_>,
    payment: &mut Loaded<Payment>,
    events: &[Event],
    origin: &Origin,
) -> Result<(), Error> {
    let Some(state) = payment.state.clone() else { return Ok(()) };
    let base = payment.version() - i64::try_from(events.len()).unwrap_or(0);
    change.save(payment, &care_of(&state))?;
    if let Some(debt) = state.debt {
        settle_debt(change, debt, &state, origin)?;
    }
    if state.purpose == Some(Purpose::Order) {
        crate::orders::follow(change, &state, (payment.version(), origin))?;
    }
    let moved = events.iter().any(|event| matches!(event, Event::Captured { .. }));
    if moved && state.purpose.is_none() {
        ask_whose(change, state.id)?;
    }
    for (index, event) in events.iter().enumerate() {
        let version = base + 1 + i64::try_from(index).unwrap_or(0);
        if let Some(told) = fact_event(&state, event) {
            tell_flows(change, &state, &told, version, origin)?;
        }
        if let Event::LinkResolved { .. } = event {
            for told in facts_so_far(&state) {
                tell_flows(change, &state, &told, version, origin)?;
            }
        }
    }
    Ok(())
}

/// Asks a person whose money arrived. An intent that moved none asks nobody: gateways make such for their own pages.
fn ask_whose(change: &mut Change<'_, '_>, id: PaymentId) -> Result<(), Error> {
    change.effect_once(NewEffect {
        id: format!("{id}/identify"),
        kind: "identify_payer",
        lane: None,
        destination: IDENTIFY.to_owned(),
        stream: Some(id.to_string()),
        due_at: change.order.now,
        payload: Job::IdentifyPayer { payment: id }.payload(),
    })
}

/// The chain of a payment, with the payment itself.
pub(crate) fn care_of(payment: &Payment) -> Care {
    Care { payment: Some(payment.id.to_string()), ..payment.care.clone() }
}

/// The key under which an outside object's payment is remembered.
pub(crate) fn reference(connection: &str, object: &str) -> String {
    format!("{connection}/{object}")
}

fn parents(evidence: &Evidence) -> (Option<&str>, Option<&str>) {
    match evidence {
        Evidence::Intent(seen) => (None, Some(&seen.intent)),
        Evidence::Charge(seen) => (Some(&seen.charge), seen.intent.as_deref()),
        Evidence::Refund(seen) => (Some(&seen.charge), seen.intent.as_deref()),
        Evidence::Dispute(seen) => (Some(&seen.charge), seen.intent.as_deref()),
        Evidence::Fee(seen) => (Some(&seen.charge), None),
    }
}

/// The payment that evidence speaks of: by charge, by intent, by our own attempt, or a new one for a charge or intent
/// that was made outside of us.
fn find_or_open(
    change: &mut Change<'_, '_>,
    evidence: &Evidence,
    origin: &Origin,
) -> Result<Option<Loaded<Payment>>, Error> {
    let (charge, intent) = parents(evidence);
    let organization = change.order.organization.clone();
    for object in [charge, intent].into_iter().flatten() {
        let key = reference(&origin.connection, object);
        if let Some(stream) = journal::referred(change.tx, &organization, &key)? {
            let other = if Some(object) == charge { intent } else { charge };
            // A refund's charge may be known under its intent only; remember both.
            if let (Evidence::Charge(_) | Evidence::Intent(_), Some(other)) = (evidence, other) {
                journal::refer_once(
                    change.tx,
                    &organization,
                    &reference(&origin.connection, other),
                    &stream,
                )?;
            }
            let loaded = change.load(&stream)?;
            return second_charges::of_its_charge(change, evidence, loaded, origin);
        }
    }
    let (attempt, link, amount) = match evidence {
        Evidence::Intent(seen) => (seen.attempt.as_deref(), seen.link.as_deref(), seen.amount),
        Evidence::Charge(seen) => (seen.attempt.as_deref(), seen.link.as_deref(), seen.amount),
        Evidence::Refund(_) | Evidence::Dispute(_) | Evidence::Fee(_) => return Ok(None),
    };
    let own = attempt.and_then(|attempt| attempt.split('/').next()).and_then(|id| PaymentId::parse(id).ok());
    if let Some(id) = own {
        let loaded = change.load::<Payment>(&id.to_string())?;
        if loaded.state.is_some() {
            remember(change, evidence, &loaded.stream, origin)?;
            return second_charges::of_its_charge(change, evidence, loaded, origin);
        }
    }
    open_observed(change, evidence, link, amount, origin).map(Some)
}

fn open_observed(
    change: &mut Change<'_, '_>,
    evidence: &Evidence,
    token: Option<&str>,
    amount: Money,
    origin: &Origin,
) -> Result<Loaded<Payment>, Error> {
    let organization = change.order.organization.clone();
    let link = match token {
        Some(token) => links::get(change.tx, &organization, token)?,
        None => None,
    };
    let id = PaymentId::mint(change.mint());
    let mut loaded = Loaded::fresh(id.to_string());
    let opening = Opening {
        payment: id,
        debt: None,
        connection: origin.connection.clone(),
        gateway: origin.gateway.clone(),
        link: link.as_ref().map(|link| link.id.clone()),
        purpose: link.as_ref().map(|link| link.purpose),
        care: link.as_ref().map(care_of_link).unwrap_or_default(),
        amount,
        manual_capture: false,
        customer: None,
        confirmed_by: None,
    };
    decide(change, &mut loaded, &Command::Open(opening))?;
    remember(change, evidence, &loaded.stream, origin)?;
    if let Some(link) = &link {
        journal::remember_party(change.tx, &organization, &link.id, &loaded.stream, amount)?;
    }
    Ok(loaded)
}

/// The destination of effects that ask a person whose money it is.
pub(crate) const IDENTIFY: &str = "who-is-this";

/// The chain that a link explains.
pub(crate) fn care_of_link(link: &links::Link) -> Care {
    Care {
        patient: Some(link.patient.clone()),
        appointment: link.appointment.clone(),
        // Without an account or appointment the link's own token stands for the account.
        account: link.account.clone().or_else(|| link.appointment.is_none().then(|| link.id.clone())),
        payment: None,
        encounter: link.encounter.clone(),
        outcome: None,
    }
}

fn remember(
    change: &mut Change<'_, '_>,
    evidence: &Evidence,
    stream: &str,
    origin: &Origin,
) -> Result<(), Error> {
    let (charge, intent) = parents(evidence);
    for object in [charge, intent].into_iter().flatten() {
        journal::refer(
            change.tx,
            &change.order.organization,
            &reference(&origin.connection, object),
            stream,
        )?;
    }
    Ok(())
}

fn settle_debt(
    change: &mut Change<'_, '_>,
    debt: DebtId,
    payment: &Payment,
    origin: &Origin,
) -> Result<(), Error> {
    let mut loaded = change.load::<Debt>(&debt.to_string())?;
    let net = Money::new(payment.captured_minor - payment.refunded_minor(), payment.amount.currency);
    let mut commands = vec![debt::Command::Collect { payment: payment.id, net }];
    if !payment.is_collecting() {
        commands.push(debt::Command::Unlock { payment: payment.id });
    }
    for command in &commands {
        for event in debt::decide(loaded.state.as_ref(), command)? {
            loaded.record(&event)?;
        }
    }
    change.save(&mut loaded, &care_of(payment))?;
    match (loaded.state.and_then(|debt| debt.owner), change.refused.clone()) {
        (None, _) => Ok(()),
        (Some(owner), None) => crate::billing::follow(change, &owner, payment, origin),
        (Some(owner), Some(refusal)) => crate::billing::not_followed(change, &owner, payment, &refusal),
    }
}

/// Refunds that we asked for, and disputes, have streams of their own that follow.
fn after_observation(
    change: &mut Change<'_, '_>,
    evidence: &Evidence,
    payment: &Loaded<Payment>,
    origin: &Origin,
) -> Result<(), Error> {
    let Some(state) = payment.state.clone() else { return Ok(()) };
    match evidence {
        Evidence::Refund(seen) => follow_refund(change, seen, &state),
        Evidence::Dispute(seen) => follow_dispute(change, seen, &state, origin),
        Evidence::Intent(_) | Evidence::Charge(_) | Evidence::Fee(_) => Ok(()),
    }
}

fn follow_refund(change: &mut Change<'_, '_>, seen: &RefundSeen, payment: &Payment) -> Result<(), Error> {
    let Some(id) = seen.refund_id.as_deref().and_then(|id| RefundId::parse(id).ok()) else { return Ok(()) };
    let mut loaded = change.load::<Refund>(&id.to_string())?;
    let Some(refund) = loaded.state.clone() else { return Ok(()) };
    let to = match seen.status {
        RefundStatus::Pending => refund::Status::Pending,
        RefundStatus::Succeeded => refund::Status::Succeeded,
        RefundStatus::Failed | RefundStatus::Canceled => refund::Status::Failed,
    };
    if let Some(event) = refund::move_to(&refund, to, Some(&seen.refund), seen.failure_reason.as_deref()) {
        loaded.record(&event)?;
    }
    change.save(&mut loaded, &care_of(payment))
}

fn follow_dispute(
    change: &mut Change<'_, '_>,
    seen: &DisputeSeen,
    payment: &Payment,
    origin: &Origin,
) -> Result<(), Error> {
    let key = reference(&origin.connection, &seen.dispute);
    let stage = dispute::stage(seen.status);
    let mut loaded = match journal::referred(change.tx, &change.order.organization, &key)? {
        Some(stream) => change.load::<Dispute>(&stream)?,
        None => {
            let id = DisputeId::mint(change.mint());
            journal::refer(change.tx, &change.order.organization, &key, &id.to_string())?;
            let mut loaded = Loaded::<Dispute>::fresh(id.to_string());
            loaded.record(&dispute::Event::Opened {
                dispute: id,
                payment: payment.id,
                gateway_dispute: seen.dispute.clone(),
                amount: seen.amount,
                due_by: seen.due_by,
                status: stage,
            })?;
            loaded
        }
    };
    if let Some(event) = loaded.state.as_ref().and_then(|dispute| dispute::see(dispute, stage)) {
        loaded.record(&event)?;
    }
    change.save(&mut loaded, &care_of(payment))
}

pub(crate) fn tell_flows(
    change: &mut Change<'_, '_>,
    payment: &Payment,
    told: &Told,
    version: i64,
    origin: &Origin,
) -> Result<(), Error> {
    // Money without an owner waits in suspense; its flows run when the owner is known.
    if payment.purpose.is_none() {
        return Ok(());
    }
    // A patient whom only we know has nothing in the EHR to post to.
    if payment.care.patient.as_deref().is_some_and(|patient| PatientId::parse(patient).is_ok()) {
        return Ok(());
    }
    let order = payment.care.account.as_deref().filter(|_| payment.purpose == Some(Purpose::Order));
    let kind = if order.is_some() { crate::orders::tell(told.kind) } else { told.kind };
    for (flow, kinds) in origin.flows.iter() {
        if !kinds.contains(kind) {
            continue;
        }
        let event = serde_json::json!({
            "event": kind,
            "order": order,
            "fact": told.fact,
            "payment": payment.id,
            "amount": told.amount,
            "occurred_at": told.occurred_at.unwrap_or(change.order.now).to_rfc3339(),
            "link": payment.link,
            "status": told.status,
            "original_fact": told.original,
            "gateway": {
                "connection": payment.connection,
                "kind": payment.gateway,
                "charge": payment.charge,
                "intent": payment.intent,
                "customer": payment.customer,
            },
        });
        if let Some(planner) = &origin.planner
            && crate::inline::try_plan(change, planner, (flow, &event), &care_of(payment))?
        {
            continue;
        }
        change.effect(NewEffect {
            id: format!("{}/{version}/{flow}/{}", payment.id, told.fact),
            kind: "run_flow",
            // A reversal waits for its payment's run, so that both reach the other side in order.
            lane: Some(format!("{flow}/{}", payment.id)),
            destination: "suture".to_owned(),
            stream: Some(payment.id.to_string()),
            due_at: change.order.now,
            payload: Job::RunFlow { flow: flow.clone(), event, released: false }.payload(),
        })?;
    }
    Ok(())
}
