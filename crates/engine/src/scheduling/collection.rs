//! Collecting what a visit cost from the method on file: at once, then by a ladder of days, then a person (FLOWS 3b to 3d).

use suture_core::attempt::Attempt;
use suture_core::evidence::DeclineAdvice;
use suture_core::id::{AppointmentId, PaymentId, ServiceId};
use suture_core::patient::{self, Patient};
use suture_core::payment::{self, Payment, Source, Status};
use suture_core::service::{Held, Kind, Service};
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::{Billing, Engine};
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::{AttemptOptions, plan_attempt, plan_command};
use crate::worker::{After, Working};

use super::tell;

/// Days after the first attempt on which a soft decline is tried again.
const LADDER: [u64; 3] = [1, 3, 7];

/// How a visit's own charges are settled: at once. The notice before a collection is for what an insurance leaves, and would
/// otherwise take the place of this one.
pub(super) fn at_once(billing: &Billing) -> Billing {
    Billing { collect_after: None, ..billing.clone() }
}

/// Begins to collect what is due on a service of a visit, once for each amount of a settling.
pub(super) fn begin(change: &mut Change<'_, '_>, service: &str) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let Some(due) = state.to_collect() else { return Ok(()) };
    let job = Job::CollectBalance { service: state.id, version: state.version, told_minor: due.minor };
    change.effect_once(NewEffect {
        id: format!("{service}/collect/{}/{}", state.version, due.minor),
        kind: job.kind(),
        lane: Some(format!("billing/{service}")),
        destination: "billing".to_owned(),
        stream: Some(service.to_owned()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

/// Begins to collect what a payment that ended left over, unless money went back to the patient: then a person decides.
pub(super) fn go_on(change: &mut Change<'_, '_>, service: &str) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let Some(due) = state.to_collect() else { return Ok(()) };
    match billing::charge_above(change, &state, (due, None))? {
        true => Ok(()),
        false => begin(change, service),
    }
}

/// Keeps the declined charges of a visit's service in step with what is due. One that waits for another method asks for what
/// was due when it was made; once cash, a write-off or an addendum has changed that, it is cancelled, and what is due now is
/// collected after it.
pub(crate) fn in_step(change: &mut Change<'_, '_>, service: &str, origin: &Origin) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let due = state.worksheet().difference;
    let collecting = |held: &Held| held.kind == Kind::Balance && held.collecting;
    for id in state.payments.iter().filter(|(_, held)| collecting(held)).map(|(id, _)| id) {
        let (_, payment) = change.existing::<Payment>(id)?;
        if payment.amount == due || !is_of_visit(&payment) || !payment.only_waits_for_method() {
            continue;
        }
        plan_command(change, payment.id, &payment::Command::Cancel, origin)?;
        if due.minor <= 0 || billing::charge_above(change, &state, (due, None))? {
            continue;
        }
        let job = Job::CollectBalance { service: state.id, version: state.version, told_minor: due.minor };
        change.effect_once(NewEffect {
            id: format!("{id}/instead"),
            kind: job.kind(),
            // After the cancellation, which is in this lane: the two must not collect together.
            lane: Some(format!("gateway/{id}")),
            destination: "billing".to_owned(),
            stream: Some(service.to_owned()),
            due_at: change.order.now,
            payload: job.payload(),
        })?;
    }
    Ok(())
}

fn is_of_visit(payment: &Payment) -> bool {
    payment.care.appointment.as_deref().is_some_and(|id| AppointmentId::parse(id).is_ok())
}

/// What follows when a charge to the method on file fails for a visit's service: a soft decline is tried again, a hard one
/// never; the patient gets a link each time. Says whether nobody needs to be asked: the ladder goes on, or an attempt is under
/// way.
pub(crate) fn after_failure(
    change: &mut Change<'_, '_>,
    service: ServiceId,
    payment: &Payment,
) -> Result<bool, Error> {
    if !is_of_visit(payment) || payment.status() != Status::RequiresMethod || payment.captured_minor != 0 {
        return Ok(false);
    }
    // The intent still tells of the attempt before, until this one is answered: nobody is told of a failure that is none.
    let under_way = |last: &Attempt| last.state.is_open() && !tell::is_unanswered(payment);
    if payment.attempts.last().is_some_and(under_way) {
        return Ok(true);
    }
    let tried = payment.attempts.len();
    let error = payment.intent_known.as_ref().and_then(|known| known.error.as_ref());
    let soft = error.is_none_or(|error| error.advice == DeclineAdvice::SoftDecline);
    tell::collection_failed(change, service, payment)?;
    let Some(days) = LADDER.get(tried.wrapping_sub(1)).filter(|_| soft) else { return Ok(false) };
    let first = payment.attempts.first().map_or(change.order.now, |attempt| attempt.planned_at);
    let number = u32::try_from(tried).unwrap_or(u32::MAX).saturating_add(1);
    let job = Job::RetryCollection { service, payment: payment.id, number };
    change.effect_once(NewEffect {
        id: format!("{}/ladder/{number}", payment.id),
        kind: job.kind(),
        lane: Some(format!("billing/{service}")),
        destination: "billing".to_owned(),
        stream: Some(service.to_string()),
        due_at: (first + std::time::Duration::from_secs(days * 86_400)).max(change.order.now),
        payload: job.payload(),
    })?;
    Ok(true)
}

/// A service whose balance could not be charged to a method on file: the patient of a visit gets a link.
pub(crate) fn nothing_on_file(change: &mut Change<'_, '_>, service: ServiceId) -> Result<(), Error> {
    tell::nothing_on_file(change, service)
}

impl Engine {
    /// Tries a declined collection again, unless the patient paid, or a card or consent is gone, meanwhile.
    pub(crate) async fn retry_collection(
        &self,
        working: &Working,
        service: ServiceId,
        (payment, number): (PaymentId, u32),
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let state = self.payment(&organization, payment).await?;
        let next = u32::try_from(state.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        if state.status() != Status::RequiresMethod || next != number {
            return self.finish(working, "not needed any more").await;
        }
        let open = self.connection(&state.connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order(&organization, "billing", "collection_retried");
        let lease = working.lease.clone();
        let work = move |change: &mut Change<'_, '_>| {
            retry(change, service, (payment, number), &origin)?;
            billing::finish(change, &lease, Some("tried again"))
        };
        match self.apply(&service.to_string(), order, work).await {
            Ok(()) => Ok(After::Finished),
            // No card, no consent: the patient must act, and a person knows (FLOWS 3c).
            Err(Error::Refused(refusal)) => Ok(After::Parked { error: refusal.detail }),
            Err(error) => Err(error),
        }
    }
}

fn retry(
    change: &mut Change<'_, '_>,
    service: ServiceId,
    (payment, number): (PaymentId, u32),
    origin: &Origin,
) -> Result<(), Error> {
    let (mut loaded, state) = change.existing::<Payment>(&payment.to_string())?;
    let tried = u32::try_from(state.attempts.len()).unwrap_or(u32::MAX);
    if state.status() != Status::RequiresMethod || tried.saturating_add(1) != number {
        return Ok(());
    }
    let (_, service) = change.existing::<Service>(&service.to_string())?;
    if state.amount != service.worksheet().difference {
        return in_step(change, &service.id.to_string(), origin);
    }
    let (_, patient) = change.existing::<Patient>(&service.patient.to_string())?;
    let method =
        billing::method_on_file(&patient, &origin.connection, change.order.now).ok_or_else(|| {
            suture_core::refusal::Refusal::state(
                "method_missing",
                "Nothing was charged: the patient has no working method on file at this gateway.",
            )
        })?;
    billing::decide_patient(change, patient.id, &patient::Command::Return { payment })?;
    billing::charge_under_consent(change, &service, (payment, &method, state.amount))?;
    let options =
        AttemptOptions { method: Some(method), save_method: false, off_session: true, return_url: None };
    plan_attempt(change, &mut loaded, options, origin).map(|_| ())
}
