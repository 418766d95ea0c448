//! Moving an appointment to another time. Its deposit stays with it; nothing is charged again (FEATURES M331).

use suture_core::appointment::{Appointment, Command, Party, Status};
use suture_core::explain::Reason;
use suture_core::id::AppointmentId;
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_core::visit::Occasion;
use suture_store::calendar::SlotState;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

use super::{booking, ending, holds, reservations, tell, waiting};

/// Where an appointment is to go.
#[derive(Debug, Clone)]
pub struct Move {
    /// When it begins.
    pub starts_at: Timestamp,
    /// Who moves it.
    pub by: Party,
    /// Why, as a code.
    pub reason: String,
}

impl Engine {
    /// Moves an appointment to another opening of its provider.
    ///
    /// # Errors
    /// [`Error::Refused`]: `slot_taken` with the next openings; `move_costs_fee` when the policy asks the patient for a fee,
    /// which only a cancellation charges.
    pub async fn move_appointment(
        &self,
        caller: &Caller,
        id: AppointmentId,
        to: Move,
    ) -> Result<Appointment, Error> {
        let order = self.order_of(caller, Reason::parse(&to.reason)?);
        let state = self.appointment(&caller.organization, id).await?;
        self.apply(&holds::calendar_of(state.context.provider), order, move |change| {
            let (_, before) = change.existing::<Appointment>(&id.to_string())?;
            if before.context.starts_at == to.starts_at {
                return Ok(before);
            }
            if before.status == Status::Confirmed && to.by == Party::Patient {
                refuse_fee(change, &before)?;
            }
            let parts = holds::Parts::load(change, before.context.provider, before.context.visit_type)?;
            let length = before.ends_at.since(before.context.starts_at);
            let command = Command::Move {
                starts_at: to.starts_at,
                ends_at: to.starts_at + length,
                by: to.by,
                reason: to.reason.clone(),
            };
            // Its own slot does not stand in its way.
            holds::release(change, &before)?;
            holds::free_at(change, &parts, to.starts_at)?;
            let (after, _) = holds::decide(change, id, &command)?;
            holds::occupy(change, &after, &parts.visit, SlotState::Booked)?;
            if let Some(service) = after.service {
                billing::schedule(change, service, to.starts_at)?;
            }
            booking::plan_charge(change, &after)?;
            reservations::keep(change, &after)?;
            tell::moved(change, &after)?;
            waiting::offer_next(change, &before)?;
            Ok(after)
        })
        .await
    }
}

fn refuse_fee(change: &mut Change<'_, '_>, state: &Appointment) -> Result<(), Error> {
    let reason = change.order.reason.as_str().to_owned();
    let verdict = ending::verdict_of(change, state, (Occasion::PatientMoves, &reason))?;
    match verdict.fee.minor > 0 {
        true => Err(Error::Refused(Refusal::held(
            "move_costs_fee",
            format!(
                "The appointment was not moved: by rule {} moving it now costs {}. Cancel it and book again, or let the \
                 clinic move it.",
                verdict.rule, verdict.fee
            ),
        ))),
        false => Ok(()),
    }
}
