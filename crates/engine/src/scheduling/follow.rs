//! The reaction to a payment of an appointment, in the payment's transaction: it confirms, puts at risk, secures, or comes too
//! late.

use suture_core::appointment::{Appointment, Command, Event, Status};
use suture_core::evidence::RefundStatus;
use suture_core::id::{AppointmentId, PaymentId, ServiceId};
use suture_core::payment::Payment;
use suture_core::practice::VisitType;
use suture_core::service::Kind;
use suture_store::calendar::{self, SlotState};
use suture_store::effects::NewEffect;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::facts::Origin;
use crate::job::Job;
use crate::refunds::plan_refund;

use super::{booking, collection, holds, rescue, reservations, tell, timers};

/// Who authorizes a refund of money that came too late, as written on the refund.
const RULE: &str = "rule_slot_lost";

/// Lets an appointment follow one of its payments.
pub(crate) fn follow(
    change: &mut Change<'_, '_>,
    id: AppointmentId,
    payment: &Payment,
    origin: &Origin,
) -> Result<(), Error> {
    let service = ServiceId::mint(change.mint());
    let command = Command::Follow { payment: Box::new(payment.clone()), service };
    let (after, events) = holds::decide(change, id, &command)?;
    for event in &events {
        match event {
            Event::BookingConfirmed { .. } => booking::confirmed(change, &after, origin)?,
            Event::PutAtRisk { .. } => rescue::begun(change, &after)?,
            Event::Secured => tell::secured(change, &after)?,
            Event::PaymentMoved { paid, .. } => {
                tell::payment_moved(change, &after, payment, *paid)?;
                reservations::lost(change, &after, *paid)?;
            }
            _ => {}
        }
    }
    if let Some(service) = after.service {
        billing::see(change, &service.to_string(), (payment, Kind::Estimate), origin)?;
        if after.status == Status::Completed {
            timers::stop_charges_before(change, &after)?;
        }
        if after.status == Status::Completed || owes_a_fee(&after) {
            collection::begin(change, &service.to_string())?;
        }
    }
    if matches!(after.status, Status::Lapsed | Status::Canceled | Status::NoShow) {
        late(change, &after, payment, origin)?;
        refund_failed(change, &after, payment)?;
    }
    Ok(())
}

/// Whether an ending left a fee to charge. While a charge before the visit could still collect, it could not be begun.
fn owes_a_fee(after: &Appointment) -> bool {
    let has_ended = matches!(after.status, Status::NoShow | Status::Canceled);
    has_ended && after.ended.as_ref().is_some_and(|(.., verdict)| verdict.charge.minor > 0)
}

/// A refund of money that came too late failed: the patient is still owed it, and somebody must know.
fn refund_failed(change: &mut Change<'_, '_>, state: &Appointment, payment: &Payment) -> Result<(), Error> {
    let failed = payment.refunds.values().filter(|known| known.status == RefundStatus::Failed).count();
    let times = u32::try_from(failed).unwrap_or(u32::MAX).saturating_add(payment.refunds_refused);
    if state.service.is_some() || times == 0 {
        return Ok(());
    }
    change.effect_once(NewEffect {
        id: format!("{}/refund-failed/{times}", payment.id),
        kind: "ask_person",
        lane: None,
        destination: "failed-refunds".to_owned(),
        stream: Some(state.id.to_string()),
        due_at: change.order.now,
        payload: Job::ask(format!(
            "the refund of payment {} failed: its slot was lost, and the money is still owed to the patient; refund it \
             again, or pay by cheque or to another card",
            payment.id
        )),
    })
}

/// Money for an appointment that no longer stands: it books again while the slot is free, or goes back. Never both, and
/// never neither (FLOWS 1d).
fn late(
    change: &mut Change<'_, '_>,
    state: &Appointment,
    seen: &Payment,
    origin: &Origin,
) -> Result<(), Error> {
    let Some(payment) = state.late_proof() else {
        // What is being captured pays a fee; anything else that was answered only now is released.
        return match seen.capturing.is_some() {
            true => Ok(()),
            false => timers::stop_one(change, state, &seen.id.to_string()),
        };
    };
    let still_free = state.status == Status::Lapsed
        && state.context.starts_at > change.order.now
        && is_free(change, state)?;
    if still_free {
        let (_, visit) = change.existing::<VisitType>(&state.context.visit_type.to_string())?;
        holds::occupy(change, state, &visit, SlotState::Booked)?;
        let service = ServiceId::mint(change.mint());
        let (after, _) = holds::decide(change, state.id, &Command::Rebook { service })?;
        booking::confirmed(change, &after, origin)?;
        let (_, payment) = change.existing::<Payment>(&payment.to_string())?;
        return billing::see(change, &service.to_string(), (&payment, Kind::Estimate), origin);
    }
    let (after, _) = holds::decide(change, state.id, &Command::LoseSlot)?;
    give_back(change, payment, origin)?;
    timers::stop_collecting(change, &after)?;
    tell::slot_lost(change, &after)
}

fn is_free(change: &mut Change<'_, '_>, state: &Appointment) -> Result<bool, Error> {
    let organization = change.order.organization.clone();
    let (_, visit) = change.existing::<VisitType>(&state.context.visit_type.to_string())?;
    let number = calendar::number(change.tx, &organization, state.context.provider)?;
    let need = visit.need();
    let span = (state.context.starts_at - need.before(), state.ends_at + need.after());
    Ok(calendar::overlapping(change.tx, number, span, 1)?.is_empty())
}

/// Pays back what was captured; what is only reserved is released by `stop_collecting`.
fn give_back(change: &mut Change<'_, '_>, payment: PaymentId, origin: &Origin) -> Result<(), Error> {
    let (_, state) = change.existing::<Payment>(&payment.to_string())?;
    if state.refundable().minor <= 0 {
        return Ok(());
    }
    change.because("scheduling", "slot_lost", |change| {
        plan_refund(change, (payment, None), RULE, origin).map(|_| ())
    })
}
