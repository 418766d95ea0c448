//! Cancelling, missing and releasing visits: what the policy says, what is kept, what goes back, and who gets the slot.

use suture_core::appointment::{Appointment, Command, Event, Party, Status};
use suture_core::explain::Reason;
use suture_core::id::{AppointmentId, PaymentId};
use suture_core::money::Money;
use suture_core::payment::{self, Payment};
use suture_core::practice::Clinic;
use suture_core::refusal::Refusal;
use suture_core::service;
use suture_core::visit::{Case, Occasion, Verdict};
use suture_store::{Tx, journal, visits};

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::facts::Origin;
use crate::job::Job;
use crate::payments::{Caller, plan_command};

use super::{collection, holds, tell, timers, waiting};

/// How an appointment is to end.
#[derive(Debug, Clone)]
pub struct Ending {
    /// Who ends it.
    pub by: Party,
    /// Why, as a code.
    pub reason: String,
    /// Who waives the fee; the reason is the ending's.
    pub waived_by: Option<String>,
}

/// What an ending would cost now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The policy's version.
    pub policy: String,
    /// The case as the policy sees it.
    pub case: Case,
    /// What it says.
    pub verdict: Verdict,
}

impl Engine {
    /// What cancelling, or marking as missed, would cost now. Changes nothing (FEATURES M329, M330).
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn preview_ending(
        &self,
        organization: &str,
        id: AppointmentId,
        (occasion, reason): (Occasion, &str),
    ) -> Result<Preview, Error> {
        let (organization, now) = (organization.to_owned(), self.now());
        let reason = Reason::parse(reason)?.as_str().to_owned();
        self.0
            .store
            .read(move |tx| {
                let state = loaded::<Appointment>(tx, &organization, "appointment", &id.to_string())?;
                let clinic = loaded::<Clinic>(tx, &organization, "clinic", &state.clinic.to_string())?;
                let missed = visits::missed(tx, &organization, state.context.patient)?;
                let case = case_of(&state, (occasion, &reason), missed, now);
                let verdict = clinic.policy.decide(&case);
                Ok(Preview { policy: clinic.policy.version, case, verdict })
            })
            .await
    }

    /// Cancels an appointment, by the clinic's policy.
    ///
    /// # Errors
    /// [`Error::Refused`] once the visit began, or without a reason.
    pub async fn cancel_appointment(
        &self,
        caller: &Caller,
        id: AppointmentId,
        ending: Ending,
    ) -> Result<Appointment, Error> {
        if ending.waived_by.as_ref().is_some_and(|by| by.trim().is_empty() || by.len() > 100) {
            return Err(Error::Refused(Refusal::invalid(
                "authorizer_required",
                "Nothing was cancelled. Say who waives the fee.",
            )));
        }
        let order = self.order_of(caller, Reason::parse(&ending.reason)?);
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        let state = self.appointment(&caller.organization, id).await?;
        self.apply(&holds::calendar_of(state.context.provider), order, move |change| {
            let occasion = match ending.by {
                Party::Patient => Occasion::PatientCancels,
                Party::Provider | Party::Clinic | Party::System | Party::Ehr => Occasion::ClinicCancels,
            };
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            let reason = change.order.reason.as_str().to_owned();
            let verdict = verdict_of(change, &state, (occasion, &reason))?;
            let verdict = match state.status {
                // What never stood costs nothing.
                Status::PendingPayment => free(&state, verdict),
                _ => verdict,
            };
            let (verdict, waived) = match &ending.waived_by {
                Some(by) if verdict.fee.minor > 0 => {
                    (free(&state, verdict), Some((by.clone(), reason.clone())))
                }
                _ => (verdict, None),
            };
            let command = Command::Cancel { by: ending.by, reason, verdict, waived };
            end(change, id, &command, (&billing, &origin))
        })
        .await
    }

    /// Records that the patient did not come, by the clinic's policy.
    ///
    /// # Errors
    /// [`Error::Refused`] before the visit begins.
    pub async fn miss_appointment(&self, caller: &Caller, id: AppointmentId) -> Result<Appointment, Error> {
        let order = self.order_of(caller, Reason::of("no_show"));
        let (origin, billing) = (self.any_origin(&caller.organization), self.0.settings.billing.clone());
        let state = self.appointment(&caller.organization, id).await?;
        self.apply(&holds::calendar_of(state.context.provider), order, move |change| {
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            let verdict = verdict_of(change, &state, (Occasion::NoShow, "no_show"))?;
            let command = Command::Miss { verdict, by: Party::Clinic };
            end(change, id, &command, (&billing, &origin))
        })
        .await
    }
}

fn loaded<S: serde::de::DeserializeOwned>(
    tx: &mut Tx<'_>,
    organization: &str,
    what: &'static str,
    id: &str,
) -> Result<S, Error> {
    let found = journal::load::<S>(tx, organization, id)?;
    found.map(|found| found.state).ok_or_else(|| Error::not_found(what, id))
}

fn case_of(
    state: &Appointment,
    (occasion, reason): (Occasion, &str),
    missed: i64,
    now: suture_core::time::Timestamp,
) -> Case {
    let notice = state.context.starts_at.since(now).as_secs() / 60;
    let reserved: i64 = state.payments.values().map(|paid| paid.reserved_minor).sum();
    let paid = state.paid_before();
    Case {
        occasion,
        notice_minutes: u32::try_from(notice).unwrap_or(u32::MAX),
        reason: reason.to_owned(),
        missed_before: u32::try_from(missed).unwrap_or(u32::MAX),
        price: state.terms.price,
        deposit: Money::new(paid.minor.saturating_add(reserved), paid.currency),
    }
}

/// A service of an appointment that stands is not cancelled by itself: the booking would stand without its money (I4).
pub(crate) fn refuse_standing(change: &mut Change<'_, '_>, link: &str) -> Result<(), Error> {
    let care = billing::care_of_link(change, link)?;
    let Some(id) = care.appointment.and_then(|id| AppointmentId::parse(&id).ok()) else { return Ok(()) };
    let standing = change.load::<Appointment>(&id.to_string())?.state.filter(|known| known.status.occupies());
    match standing {
        None => Ok(()),
        Some(_) => Err(Error::Refused(Refusal::state(
            "appointment_stands",
            format!(
                "The service was not cancelled: its appointment {id} stands. Cancel the appointment instead."
            ),
        ))),
    }
}

/// What the clinic's policy says.
pub(super) fn verdict_of(
    change: &mut Change<'_, '_>,
    state: &Appointment,
    what: (Occasion, &str),
) -> Result<Verdict, Error> {
    let organization = change.order.organization.clone();
    let (_, clinic) = change.existing::<Clinic>(&state.clinic.to_string())?;
    let missed = visits::missed(change.tx, &organization, state.context.patient)?;
    Ok(clinic.policy.decide(&case_of(state, what, missed, change.order.now)))
}

/// The same verdict without its fee.
pub(super) fn free(state: &Appointment, verdict: Verdict) -> Verdict {
    let zero = Money::zero(state.terms.price.currency);
    let refund = Money::new(verdict.refund.minor + verdict.fee.minor - verdict.charge.minor, zero.currency);
    Verdict { fee: zero, charge: zero, refund, ..verdict }
}

/// Ends an appointment: frees the slot, moves its money as the verdict says, tells everybody.
pub(super) fn end(
    change: &mut Change<'_, '_>,
    id: AppointmentId,
    command: &Command,
    (billing, origin): (&crate::engine::Billing, &Origin),
) -> Result<Appointment, Error> {
    let (_, before) = change.existing::<Appointment>(&id.to_string())?;
    let (after, events) = holds::decide(change, id, command)?;
    let ended = events
        .iter()
        .any(|event| matches!(event, Event::BookingCanceled { .. } | Event::PatientMissed { .. }));
    if !ended {
        return Ok(after);
    }
    holds::release(change, &after)?;
    settle_money(change, &after, (billing, origin))?;
    if before.status != Status::PendingPayment || before.waiting.is_some() {
        tell::ended(change, &before, &after)?;
    }
    waiting::offer_next(change, &after)?;
    change.existing::<Appointment>(&id.to_string()).map(|(_, state)| state)
}

fn settle_money(
    change: &mut Change<'_, '_>,
    after: &Appointment,
    (billing, origin): (&crate::engine::Billing, &Origin),
) -> Result<(), Error> {
    let Some((by, reason, verdict)) = after.ended.clone() else { return Ok(()) };
    let Some(service) = after.service.map(|service| service.to_string()) else {
        // It never stood: nothing is owed, and what may still come goes back when it is seen.
        return timers::stop_collecting(change, after);
    };
    if verdict.fee.minor == 0 {
        let (by, reason) = (by.name().to_owned(), reason.clone());
        billing::decide_service(change, &service, &service::Command::Cancel { by, reason })?;
        billing::go_on(change, &service, origin)?;
        return timers::stop_collecting(change, after);
    }
    let kept = capture_fee(change, after, &verdict, origin)?;
    let (by, reason) = (by.name().to_owned(), reason.clone());
    billing::decide_service(change, &service, &service::Command::Miss { by, reason, fee: verdict.fee })?;
    billing::settle(change, &service, &collection::at_once(billing), origin)?;
    if verdict.charge.minor > 0 {
        collection::begin(change, &service)?;
    }
    match kept {
        // What is being captured pays the fee; a charge before the visit is stopped all the same.
        true => timers::stop_charges_before(change, after),
        false => timers::stop_collecting(change, after),
    }
}

/// A deposit that is only reserved pays the fee by a capture of that much; the rest is released with it.
fn capture_fee(
    change: &mut Change<'_, '_>,
    after: &Appointment,
    verdict: &Verdict,
    origin: &Origin,
) -> Result<bool, Error> {
    let reserved = after.payments.iter().find(|(_, paid)| paid.reserved_minor > 0);
    let Some((payment, paid)) = reserved else { return Ok(false) };
    let Ok(payment) = PaymentId::parse(payment) else { return Ok(false) };
    let part = verdict.fee.minor.saturating_sub(verdict.charge.minor).min(paid.reserved_minor);
    if part <= 0 {
        return Ok(false);
    }
    let (_, state) = change.existing::<Payment>(&payment.to_string())?;
    let amount = Some(Money::new(part, state.amount.currency));
    plan_command(change, payment, &payment::Command::Capture { amount }, origin)?;
    Ok(true)
}

/// Plans the end of an appointment at risk.
pub(super) fn plan_release(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let Some((deadline, _)) = appointment.risk.clone() else { return Ok(()) };
    let job = Job::EndRisk { appointment: appointment.id };
    timers::plan(change, appointment, &format!("end-risk/{}", deadline.millis()), deadline, &job)
}
