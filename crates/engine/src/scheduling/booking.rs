//! What follows when a booking is confirmed: its slot, its service, its reminders and timers, in the same transaction.

use suture_core::appointment::Appointment;
use suture_core::id::EligibilityId;
use suture_store::calendar::{self, SlotState};
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing::{self, NewService};
use crate::change::Change;
use crate::facts::Origin;
use crate::job::Job;

use super::{reservations, tell, timers, waiting};

/// Follows a confirmation. The slot is held by the appointment; a late payment has taken it again before.
pub(super) fn confirmed(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    origin: &Origin,
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    calendar::mark(change.tx, &organization, appointment.id, (SlotState::Booked, None))?;
    if let Some(service) = appointment.service {
        let new = NewService {
            patient: appointment.context.patient,
            eligibility: free_check(change, appointment)?,
            at: Some(appointment.context.starts_at),
            currency: appointment.terms.price.currency,
            account: None,
        };
        billing::book(change, (service, Some(&appointment.link)), &new, origin)?;
    }
    waiting::booked(change, appointment)?;
    plan_charge(change, appointment)?;
    reservations::keep(change, appointment)?;
    tell::confirmed(change, appointment)
}

/// The check of a booking, unless another service uses it: of two slots that were held with one check at once, both may be
/// paid. What was paid books all the same, and a person finds coverage for it.
fn free_check(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
) -> Result<Option<EligibilityId>, Error> {
    let Some(check) = appointment.eligibility else { return Ok(None) };
    if billing::service_of_check(change, check)?.is_none() {
        return Ok(Some(check));
    }
    change.effect_once(NewEffect {
        id: format!("{}/check-used", appointment.id),
        kind: "ask_person",
        lane: None,
        destination: "coverage".to_owned(),
        stream: Some(appointment.id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "appointment {} was paid and stands, but its eligibility check {check} belongs to another service; check the \
             coverage again and name the new check on its service before the visit",
            appointment.id
        )),
    })?;
    Ok(None)
}

/// Plans the charge before the visit. Each time that the visit has had has a timer of its own; the one that is over finds
/// that the visit moved.
pub(super) fn plan_charge(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let Some(minutes) = appointment.terms.charge_before_minutes else { return Ok(()) };
    let due_at = timers::before(appointment.context.starts_at, minutes).max(change.order.now);
    let job = Job::ChargeVisit { appointment: appointment.id, moves: appointment.moves };
    timers::plan(change, appointment, &format!("charge-visit/{}", appointment.moves), due_at, &job)
}

/// Charges before a visit that is safe again, when the timer of the charge found it at risk and is over.
pub(super) fn charge_again(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    let (now, begins) = (change.order.now, appointment.context.starts_at);
    let Some(minutes) = appointment.terms.charge_before_minutes else { return Ok(()) };
    if appointment.visit_due.is_some() || now >= begins || timers::before(begins, minutes) > now {
        return Ok(());
    }
    let job = Job::ChargeVisit { appointment: appointment.id, moves: appointment.moves };
    let name = format!("charge-visit/{}/{}", appointment.moves, now.millis());
    timers::plan(change, appointment, &name, now, &job)
}
