//! The day of the visit: the patient arrives, the visit ends.

use suture_core::appointment::{Appointment, Command};
use suture_core::explain::Reason;
use suture_core::id::{AppointmentId, PaymentId};
use suture_core::payment;

use crate::Error;
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
            plan_command(change, payment, &payment::Command::Capture { amount: None }, origin)?;
        }
    }
    Ok(())
}
