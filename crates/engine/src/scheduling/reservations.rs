//! Deposits that are only reserved: a bank keeps a reservation for days, and a visit may lie further ahead. Such a deposit is
//! captured before it lapses, so that what stands stays paid (I4).

use std::time::Duration;

use suture_core::appointment::{Appointment, Paid, Role, Status};
use suture_core::id::{AppointmentId, PaymentId};
use suture_core::payment::{self, Payment};
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::plan_command;
use crate::worker::{After, Working};

use super::timers;

/// A reservation is captured this long before it lapses: an outage of the gateway may last hours.
const MARGIN: Duration = Duration::from_secs(12 * 3_600);

/// Plans the capture of what is reserved for an appointment and lapses before its visit ends. Later visits find it planned.
pub(super) fn keep(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    for (id, _) in appointment.payments.iter().filter(|(_, paid)| paid.reserved_minor > 0) {
        let (_, payment) = change.existing::<Payment>(id)?;
        let Some(lapses) = payment.capture_before.filter(|at| *at <= appointment.ends_at) else { continue };
        let job = Job::CaptureDeposit { appointment: appointment.id, payment: payment.id };
        let due_at = (lapses - MARGIN).max(change.order.now);
        timers::plan(change, appointment, &format!("keep-deposit/{}", payment.id), due_at, &job)?;
    }
    Ok(())
}

/// A reserved deposit of a visit that stands is gone, without anybody here having asked for it: a person must know.
pub(super) fn lost(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    (payment, paid): (PaymentId, Paid),
) -> Result<(), Error> {
    let released =
        matches!(paid.status, payment::Status::Canceled | payment::Status::Expired | payment::Status::Failed);
    let stands = matches!(appointment.status, Status::Confirmed | Status::AtRisk);
    let is_deposit = paid.role == Role::Deposit && appointment.terms.deposit.minor > 0;
    if !released || !stands || !is_deposit || appointment.deposit_proof().is_some() {
        return Ok(());
    }
    change.effect_once(NewEffect {
        id: format!("{}/deposit-lost/{payment}", appointment.id),
        kind: "ask_person",
        lane: None,
        destination: "deposits".to_owned(),
        stream: Some(appointment.id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "the reserved deposit of appointment {} was released or lapsed at the gateway, and the visit still stands; let \
             the patient pay it again, see the patient without it, or cancel the visit",
            appointment.id
        )),
    })
}

impl Engine {
    /// Captures a reserved deposit before it lapses, while its visit stands.
    pub(crate) async fn capture_deposit(
        &self,
        working: &Working,
        (id, payment): (AppointmentId, PaymentId),
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let order = self.order(&organization, "scheduling", "reservation_ends");
        let (origin, lease) = (self.any_origin(&organization), working.lease.clone());
        let work = move |change: &mut Change<'_, '_>| {
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            let reserved =
                state.payments.get(&payment.to_string()).is_some_and(|paid| paid.reserved_minor > 0);
            if reserved && matches!(state.status, Status::Confirmed | Status::AtRisk) {
                plan_command(change, payment, &payment::Command::Capture { amount: None }, &origin)?;
            }
            billing::finish(change, &lease, None)
        };
        match self.apply(&id.to_string(), order, work).await {
            Ok(()) => Ok(After::Finished),
            // It lapsed, or a person was faster: what became of it shows in the payment.
            Err(Error::Refused(refusal)) => self.finish(working, &refusal.detail).await,
            Err(error) => Err(error),
        }
    }
}
