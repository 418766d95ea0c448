//! A charge before the visit that fails: everybody is told at once, the patient can still pay, and at the deadline the slot is
//! released, unless somebody sees the patient anyway (FLOWS T1 to T5).

use suture_core::appointment::{Appointment, Command, Status};
use suture_core::explain::Reason;
use suture_core::id::{AppointmentId, PaymentId};
use suture_core::money::Money;
use suture_core::payment::Source;
use suture_core::refusal::Refusal;
use suture_core::visit::Occasion;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::facts::Origin;
use crate::payments::Caller;
use crate::worker::{After, Working};

use super::deposits::{Due, PayVisit, take};
use super::{ending, holds, tell};

impl Engine {
    /// Charges what is left of the price before the visit. Without card or consent the visit is at risk, as after a decline.
    pub(crate) async fn charge_visit(
        &self,
        working: &Working,
        id: AppointmentId,
        moves: u32,
    ) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let origin = self.charging_origin(&organization, id).await?;
        let order = self.order(&organization, "scheduling", "visit_charged");
        let lease = working.lease.clone();
        self.apply(&id.to_string(), order, move |change| {
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            if state.status == Status::Confirmed && state.moves == moves {
                charge(change, &state, origin.as_ref())?;
            }
            billing::finish(change, &lease, None)
        })
        .await?;
        Ok(After::Finished)
    }

    /// The gateway that took the deposit, or else the only one; `None` when nothing says which.
    async fn charging_origin(&self, organization: &str, id: AppointmentId) -> Result<Option<Origin>, Error> {
        let state = self.appointment(organization, id).await?;
        for payment in state.payments.keys().filter_map(|id| PaymentId::parse(id).ok()) {
            let used = self.payment(organization, payment).await?.connection;
            if let Ok(open) = self.connection(&used) {
                return Ok(Some(self.origin(&open, Source::Fetched, self.now())));
            }
        }
        let only = self.gateway_for(organization, None).and_then(|id| self.connection(&id));
        Ok(only.ok().map(|open| self.origin(&open, Source::Fetched, self.now())))
    }

    /// Releases an appointment whose deadline passed.
    pub(crate) async fn end_risk(&self, working: &Working, id: AppointmentId) -> Result<After, Error> {
        let organization = working.effect.organization.clone();
        let order = self.order(&organization, "scheduling", "payment_sla");
        let (origin, billing) = (self.any_origin(&organization), self.0.settings.billing.clone());
        let (lease, state) = (working.lease.clone(), self.appointment(&organization, id).await?);
        self.apply(&holds::calendar_of(state.context.provider), order, move |change| {
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            let due = state.risk.as_ref().is_some_and(|(deadline, _)| *deadline <= change.order.now);
            if state.status == Status::AtRisk && due && !state.emergency {
                let verdict = ending::verdict_of(change, &state, (Occasion::PaymentMissed, "payment_sla"))?;
                ending::end(change, id, &Command::Release { verdict }, (&billing, &origin))?;
            }
            billing::finish(change, &lease, None)
        })
        .await?;
        Ok(After::Finished)
    }

    /// Sees the patient anyway: what is due stays owed (FLOWS T3b).
    ///
    /// # Errors
    /// [`Error::Refused`] without a name or reason.
    pub async fn override_risk(
        &self,
        caller: &Caller,
        id: AppointmentId,
        (by, reason): (&str, &str),
    ) -> Result<Appointment, Error> {
        let command = Command::Override { by: by.to_owned(), reason: reason.to_owned() };
        let order = self.order_of(caller, Reason::parse(reason)?);
        self.apply(&id.to_string(), order, move |change| {
            let (after, events) = holds::decide(change, id, &command)?;
            if !events.is_empty() {
                tell::secured(change, &after)?;
            }
            Ok(after)
        })
        .await
    }

    /// Marks an appointment as an emergency, or part of care that must go on; or takes the mark back.
    ///
    /// # Errors
    /// [`Error::Refused`] once it ended.
    pub async fn mark_emergency(
        &self,
        caller: &Caller,
        id: AppointmentId,
        (emergency, by, reason): (bool, &str, &str),
    ) -> Result<Appointment, Error> {
        let command = Command::MarkEmergency { emergency, by: by.to_owned() };
        let order = self.order_of(caller, Reason::parse(reason)?);
        self.apply(&id.to_string(), order, move |change| {
            let (after, _) = holds::decide(change, id, &command)?;
            // One that is no emergency any more is released at its deadline, which may be over.
            if !after.emergency && after.status == Status::AtRisk {
                plan_again(change, &after)?;
            }
            Ok(after)
        })
        .await
    }
}

fn plan_again(change: &mut Change<'_, '_>, after: &Appointment) -> Result<(), Error> {
    let job = crate::job::Job::EndRisk { appointment: after.id };
    let due_at = after.risk.as_ref().map_or(change.order.now, |(deadline, _)| *deadline);
    let name = format!("end-risk/after-emergency/{}", change.order.now.millis());
    super::timers::plan(change, after, &name, due_at.max(change.order.now), &job)
}

fn charge(change: &mut Change<'_, '_>, state: &Appointment, origin: Option<&Origin>) -> Result<(), Error> {
    // What is reserved is taken when the patient is here.
    let paid = state.paid_before().minor.saturating_add(state.reserved_minor());
    let left = Money::new(state.terms.price.minor.saturating_sub(paid), state.terms.price.currency);
    if left.minor <= 0 || state.visit_due.is_some() {
        return Ok(());
    }
    let care = holds::care_of(change, state)?;
    let debt = holds::record_debt(change, state.id, &state.link, left, &care)?;
    let (due, _) = holds::decide(change, state.id, &Command::RecordVisitDue { debt, amount: left })?;
    let how = PayVisit { off_session: true, ..PayVisit::default() };
    let taken = match origin {
        Some(origin) => take(change, &due, Due::visit(debt, left), &how, origin),
        None => Err(Error::Refused(Refusal::state(
            "no_gateway",
            "Nothing was charged: no gateway is connected, or several are and none took the deposit.",
        ))),
    };
    match taken {
        Ok(_) => Ok(()),
        Err(Error::Refused(refusal)) => {
            let reason = refusal.code.to_owned();
            let (after, events) = holds::decide(change, state.id, &Command::PutAtRisk { reason })?;
            match events.is_empty() {
                true => Ok(()),
                false => begun(change, &after),
            }
        }
        Err(other) => Err(other),
    }
}

/// The appointment is at risk: the deadline runs, and both sides are told.
pub(super) fn begun(change: &mut Change<'_, '_>, appointment: &Appointment) -> Result<(), Error> {
    ending::plan_release(change, appointment)?;
    tell::at_risk(change, appointment)
}
