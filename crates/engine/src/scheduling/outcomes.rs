//! The day of the visit: the patient arrives, the visit ends.

use suture_core::appointment::{Appointment, Command};
use suture_core::explain::Reason;
use suture_core::id::{AppointmentId, PaymentId};
use suture_core::money::Money;
use suture_core::payment::{self, Payment};

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::facts::Origin;
use crate::payments::{Caller, plan_command};

use super::{holds, tell};

impl Engine {
    /// Records that the patient is here.
    ///
    /// # Errors
    /// [`Error::Refused`] unless the appointment stands.
    pub async fn arrive(&self, caller: &Caller, id: AppointmentId) -> Result<Appointment, Error> {
        let order = self.order_of(caller, Reason::of("patient_arrived"));
        let origin = self.any_origin(&caller.organization);
        self.apply(&id.to_string(), order, move |change| {
            let (after, events) = holds::decide(change, id, &Command::Arrive)?;
            if !events.is_empty() {
                tell::over(change, &after)?;
                capture_reserved(change, &after, &origin)?;
            }
            Ok(after)
        })
        .await
    }
}

/// A deposit that was only reserved is taken when the patient is here.
pub(super) fn capture_reserved(
    change: &mut Change<'_, '_>,
    appointment: &Appointment,
    origin: &Origin,
) -> Result<(), Error> {
    for (payment, paid) in &appointment.payments {
        let Ok(payment) = PaymentId::parse(payment) else { continue };
        if paid.reserved_minor > 0 {
            capture(change, payment, None, origin)?;
        }
    }
    Ok(())
}

/// Plans a capture, unless one is under way or nothing can be captured any more: that must not keep a patient from being
/// seen, or a visit from ending. Says whether the money is on its way.
pub(super) fn capture(
    change: &mut Change<'_, '_>,
    payment: PaymentId,
    amount: Option<Money>,
    origin: &Origin,
) -> Result<bool, Error> {
    let (_, state) = change.existing::<Payment>(&payment.to_string())?;
    if state.capturing.is_some() {
        return Ok(true);
    }
    let command = payment::Command::Capture { amount };
    let owed = match billing::check_capture(change, &state, amount) {
        Ok(()) => true,
        Err(Error::Refused(_)) => false,
        Err(other) => return Err(other),
    };
    if !owed || payment::decide(Some(&state), &command, change.order.now).is_err() {
        return Ok(false);
    }
    plan_command(change, payment, &command, origin).map(|_| true)
}
