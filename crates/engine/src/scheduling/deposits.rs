//! Paying for an appointment: the deposit that books it, and what is due before the visit.

use suture_core::appointment::{Appointment, Role, Status};
use suture_core::consent;
use suture_core::id::{AppointmentId, DebtId, PatientId, PaymentId};
use suture_core::money::Money;
use suture_core::patient::{self, Patient};
use suture_core::payment::{self, Opening, Payment, Purpose, Source};
use suture_core::refusal::Refusal;

use crate::Error;
use crate::billing;
use crate::change::Change;
use crate::engine::Engine;
use crate::facts::Origin;
use crate::payments::{AttemptOptions, Caller, Taken, plan_attempt, start_payment};

use super::holds;

/// How an appointment is paid.
#[derive(Debug, Clone, Default)]
pub struct PayVisit {
    /// The gateway; the only one when absent.
    pub connection: Option<String>,
    /// The gateway's method; `None`: the payer gives it in the browser, or, off session, the one on file.
    pub method: Option<String>,
    /// Keep the method for later.
    pub save_method: bool,
    /// The payer is not present: a consent must allow it.
    pub off_session: bool,
    /// Where the payer's browser returns.
    pub return_url: Option<String>,
}

impl Engine {
    /// Takes what is due for an appointment now: its deposit while the slot is held, or what is due before the visit. The
    /// next attempt of a declined payment is the same payment (FLOWS 1a, T2).
    ///
    /// # Errors
    /// [`Error::Refused`] when nothing is due, the hold ended, or no consent allows it.
    pub async fn pay_appointment(
        &self,
        caller: &Caller,
        id: AppointmentId,
        how: PayVisit,
    ) -> Result<(Appointment, Taken), Error> {
        let connection = self.gateway_for(&caller.organization, how.connection.as_deref())?;
        let open = self.connection(&connection)?;
        let origin = self.origin(&open, Source::Fetched, self.now());
        let order = self.order_of(caller, suture_core::explain::Reason::of("visit_paid"));
        let work = move |change: &mut Change<'_, '_>| {
            let (_, state) = change.existing::<Appointment>(&id.to_string())?;
            let due = due_now(&state)?;
            take(change, &state, due, &how, &origin)
        };
        let ((payment, effect), held) =
            self.apply_in(&id.to_string(), order, self.0.slots.slot(), work).await?;
        let waiting = self.wait_for(&effect);
        self.hand_over(held);
        self.patience(waiting).await;
        let taken = self.taken(&caller.organization, payment).await?;
        Ok((self.appointment(&caller.organization, id).await?, taken))
    }
}

/// Something due.
#[derive(Clone, Copy)]
pub(super) struct Due {
    role: Role,
    debt: DebtId,
    amount: Money,
}

impl Due {
    /// What is due before the visit.
    pub(super) const fn visit(debt: DebtId, amount: Money) -> Self {
        Self { role: Role::Visit, debt, amount }
    }

    /// How much.
    pub(super) const fn amount(&self) -> Money {
        self.amount
    }
}

/// What is due now, or why nothing is.
pub(super) fn due_now(state: &Appointment) -> Result<Due, Error> {
    match (state.status, state.deposit_debt) {
        (Status::PendingPayment, Some(debt)) => {
            Ok(Due { role: Role::Deposit, debt, amount: state.deposit_open() })
        }
        (Status::AtRisk, Some(debt)) if state.lacks_deposit() => {
            Ok(Due { role: Role::Deposit, debt, amount: state.deposit_open() })
        }
        (Status::Lapsed, _) => Err(Error::Refused(Refusal::state(
            "hold_ended",
            "Nothing was charged: the hold of the slot has ended. Select a slot again.",
        ))),
        _ => match (state.visit_due, state.visit_open()) {
            // Once the visit is over its service collects what is left.
            (Some((debt, _)), Some(amount))
                if state.status.occupies() && state.status != Status::Completed =>
            {
                Ok(Due::visit(debt, amount))
            }
            _ => Err(Error::Refused(Refusal::state(
                "nothing_due",
                format!(
                    "Nothing was charged: nothing is due for this appointment now; it is {}.",
                    state.status.name()
                ),
            ))),
        },
    }
}

/// Begins an attempt for something due: the next one of the payment that waits for a method, or a new payment's first.
pub(super) fn take(
    change: &mut Change<'_, '_>,
    state: &Appointment,
    due: Due,
    how: &PayVisit,
    origin: &Origin,
) -> Result<(PaymentId, String), Error> {
    let (_, patient) = change.existing::<Patient>(&state.context.patient.to_string())?;
    let on_file = || billing::method_on_file(&patient, &origin.connection, change.order.now);
    let method = how.method.clone().or_else(|| if how.off_session { on_file() } else { None });
    let waiting = waiting_payment(change, state, &due)?;
    let payment = waiting.unwrap_or_else(|| PaymentId::mint(change.mint()));
    if how.off_session {
        let purpose = match due.role {
            Role::Deposit => consent::Purpose::Deposit,
            Role::Visit => consent::Purpose::Visit,
        };
        under_consent(change, patient.id, payment, (method.clone(), purpose, due.amount))?;
    }
    let options = AttemptOptions {
        method,
        save_method: how.save_method,
        off_session: how.off_session,
        return_url: how.return_url.clone(),
    };
    if let Some(waiting) = waiting {
        let (mut loaded, _) = change.existing::<Payment>(&waiting.to_string())?;
        return plan_attempt(change, &mut loaded, options, origin).map(|effect| (waiting, effect));
    }
    let care = holds::care_of(change, state)?;
    let opening = Opening {
        payment,
        debt: Some(due.debt),
        connection: origin.connection.clone(),
        gateway: origin.gateway.clone(),
        link: Some(state.link.clone()),
        purpose: Some(Purpose::Deposit),
        care,
        amount: due.amount,
        manual_capture: state.terms.reserve_only && due.role == Role::Deposit,
        customer: patient.customers.get(&origin.connection).cloned(),
        confirmed_by: None,
    };
    start_payment(change, opening, options, origin)
}

/// The payment of a debt that only waits for another method.
fn waiting_payment(
    change: &mut Change<'_, '_>,
    state: &Appointment,
    due: &Due,
) -> Result<Option<PaymentId>, Error> {
    for id in state.payments.keys() {
        let (_, payment) = change.existing::<Payment>(id)?;
        let same = payment.debt == Some(due.debt) && payment.amount == due.amount;
        if same && payment.status() == payment::Status::RequiresMethod {
            return Ok(Some(payment.id));
        }
    }
    Ok(None)
}

/// Every attempt without the payer needs a method on file and a consent of its own: what was allowed before may be used up
/// or withdrawn.
fn under_consent(
    change: &mut Change<'_, '_>,
    patient: PatientId,
    payment: PaymentId,
    (method, purpose, amount): (Option<String>, consent::Purpose, Money),
) -> Result<(), Error> {
    let method = method.ok_or_else(|| {
        Refusal::state(
            "method_missing",
            "Nothing was charged: the patient has no working method on file at this gateway.",
        )
    })?;
    billing::decide_patient(change, patient, &patient::Command::Return { payment })?;
    let charge = consent::Intended { method, purpose, amount };
    billing::decide_patient(change, patient, &patient::Command::Charge { payment, charge }).map(|_| ())
}
