//! The timers of appointments: effects that are due at a moment and look at the truth when they run.

use std::time::Duration;

use suture_core::appointment::{Appointment, Command, Role, Status};
use suture_core::id::AppointmentId;
use suture_core::payment::{self, Payment};
use suture_core::time::Timestamp;
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::job::Job;
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
    let (Some(paid), Ok(payment)) = (open, suture_core::id::PaymentId::parse(id)) else { return Ok(()) };
    let job = Job::CancelHold { payment };
    // Each standing is released once: what could not be released before its answer came is tried again after it.
    change.effect_once(NewEffect {
        id: format!("{}/release/{payment}/{}", appointment.id, paid.status.name()),
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
