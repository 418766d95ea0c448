//! The timers of appointments: effects that are due at a moment and look at the truth when they run.

use std::time::Duration;

use suture_core::appointment::{Appointment, Command, Role, Status};
use suture_core::id::{AppointmentId, PaymentId};
use suture_core::payment::{self, Payment, Source};
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::plan_command;
use crate::worker::{After, Working};

use super::{holds, tell, waiting};

/// Plans a timer of an appointment once. Timers wait for nobody: one that was planned before may be due later, after a move,
/// and each looks at the truth when it runs.
pub(super) fn plan(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    name: &str,
    due_at: Timestamp,
    job: &Job,
) -> Result<(), Error> {
    let id = appointment.id;
    change.effect_once(NewEffect {
        id: format!("{id}/{name}"),
        kind: job.kind(),
        lane: None,
        destination: "scheduling".to_owned(),
        stream: Some(id.to_string()),
        due_at,
        payload: job.payload(),
    })
}

impl Engine {
    /// Ends a hold that was not paid in time (FLOWS 1b, 1c, 1e).
    pub(crate) async fn end_hold(&self, working: &Working, id: AppointmentId) -> Result<After, Error> {
        let order = self.order(&working.effect.organization, "scheduling", "hold_ended");
        let (lease, state) =
            (working.lease.clone(), self.appointment(&working.effect.organization, id).await?);
        self.apply(&holds::calendar_of(state.context.provider), order, move |change| {
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            if state.status == Status::PendingPayment {
                match is_being_checked(change, &state)? && !state.extended && state.terms.extend_minutes > 0 {
                    true => extend(change, id)?,
                    false => {
                        lapse(change, &state)?;
                        waiting::offer_next(change, &state)?;
                    }
                }
            }
            billing::finish(change, &lease, None)
        })
        .await?;
        Ok(After::Finished)
    }

    /// Releases what a payment reserves, because its service was cancelled or its hold ended. A capture that is on its way
    /// wins; its money is refunded when it is seen (FLOWS 4f). So does a booking that the payment made meanwhile.
    pub(crate) async fn cancel_hold(&self, working: &Working, payment: PaymentId) -> Result<After, Error> {
        let state = self.payment(&working.effect.organization, payment).await?;
        let open = self.connection(&state.connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order(&working.effect.organization, "billing", "cancel_requested");
        let lease = working.lease.clone();
        let work = move |change: &mut Change<'_, '_>| {
            let note = match books(change, payment)? {
                true => "not released: its appointment stands by it",
                false => {
                    plan_command(change, payment, &payment::Command::Cancel, &origin)?;
                    "released"
                }
            };
            billing::finish(change, &lease, Some(note))
        };
        match self.apply(&payment.to_string(), order, work).await {
            Ok(()) => Ok(After::Finished),
            Err(Error::Refused(refusal)) => self.finish(working, &refusal.detail).await,
            Err(error) => Err(error),
        }
    }
}

/// Whether a payment is the deposit of an appointment that stands.
fn books(change: &mut Change<'_, '_>, payment: PaymentId) -> Result<bool, Error> {
    let (_, known) = change.existing::<Payment>(&payment.to_string())?;
    let id = known.care.appointment.as_deref().and_then(|id| AppointmentId::parse(id).ok());
    let Some(id) = id else { return Ok(false) };
    let Some(state) = change.load::<Appointment>(&id.to_string())?.state else { return Ok(false) };
    let is_deposit = state.payments.get(&payment.to_string()).is_some_and(|paid| paid.role == Role::Deposit);
    Ok(is_deposit && state.status.occupies() && state.status != Status::PendingPayment)
}

/// Whether the bank's check is open at the end of the hold.
fn is_being_checked(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<bool, Error> {
    for id in appointment.payments.keys() {
        let (_, payment) = change.existing::<Payment>(id)?;
        if matches!(payment.status(), payment::Status::RequiresAction | payment::Status::Processing) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn extend(change: &mut Change<'_, '_>, id: AppointmentId) -> Result<(), Error> {
    let (after, _) = holds::decide(change, id, &Command::Extend)?;
    let organization = change.order.organization.clone();
    let held = (suture_store::calendar::SlotState::Held, Some(after.held_until));
    suture_store::calendar::mark(change.tx, &organization, id, held)?;
    // The first effect is still open in this transaction, so the second has a name of its own.
    plan(change, &after, "end-hold-extended", after.held_until, &Job::EndHold { appointment: id })
}

fn lapse(change: &mut Change<'_, '_>, state: &Appointment) -> Result<(), Error> {
    holds::release(change, state)?;
    let (after, _) = holds::decide(change, state.id, &Command::Lapse)?;
    stop_collecting(change, &after)?;
    tell::lapsed(change, &after)
}

/// Stops what may still collect for an appointment that no longer stands. What was faster is refunded or books again when
/// it is seen (FLOWS 1d).
pub(super) fn stop_collecting(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    for id in appointment.payments.keys() {
        stop_one(change, appointment, id)?;
    }
    Ok(())
}

/// Stops the charges before a visit that is over: from now on its service collects, and one of the two must be enough.
pub(super) fn stop_charges_before(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
) -> Result<(), Error> {
    for (id, paid) in &appointment.payments {
        if paid.role == Role::Visit && paid.collecting && paid.reserved_minor == 0 {
            stop_one(change, appointment, id)?;
        }
    }
    Ok(())
}

/// The same for one payment.
pub(super) fn stop_one(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    id: &str,
) -> Result<(), Error> {
    let open = appointment.payments.get(id).filter(|paid| paid.collecting || paid.reserved_minor > 0);
    let (Some(paid), Ok(payment)) = (open, PaymentId::parse(id)) else { return Ok(()) };
    let job = Job::CancelHold { payment };
    // Once per standing of both: what could not be released before its answer came, or stood again meanwhile, is tried again.
    change.effect_once(NewEffect {
        id: format!(
            "{}/release/{payment}/{}/{}",
            appointment.id,
            paid.status.name(),
            appointment.status.name()
        ),
        kind: job.kind(),
        lane: None,
        destination: "billing".to_owned(),
        stream: Some(appointment.id.to_string()),
        due_at: change.order.now,
        payload: job.payload(),
    })
}

/// A span before a moment.
pub(super) fn before(at: Timestamp, minutes: u32) -> Timestamp {
    at - Duration::from_secs(u64::from(minutes) * 60)
}
