//! Collecting what is left of a service: the debt, the consent, and the payment that charges it.

use suture_core::consent;
use suture_core::debt;
use suture_core::id::{DebtId, PaymentId, ServiceId};
use suture_core::money::Money;
use suture_core::patient::{self, Patient};
use suture_core::payment::{Opening, Payment, Purpose};
use suture_core::refusal::Refusal;
use suture_core::service::{Kind, Service, Status};

use crate::Error;
use crate::change::{Change, Loaded};
use crate::engine::Engine;
use crate::facts::Origin;
use crate::payments::{AttemptOptions, plan_attempt, start_payment};

use super::follow::care_of_service;
use super::patients;

/// Charges what is left of a service as a balance payment: the next attempt of the one that waits for another method, or a
/// new one.
pub(crate) fn charge(
    change: &mut Change<'_, '_>,
    id: ServiceId,
    how: &super::Authorize,
    origin: &Origin,
) -> Result<(PaymentId, String), Error> {
    let (_, state) = change.existing::<Service>(&id.to_string())?;
    let waiting = waiting_payment(change, &state, &origin.connection)?;
    let due =
        waiting.as_ref().map(|waiting| waiting.amount).or_else(|| state.to_collect()).ok_or_else(|| {
            Refusal::state(
                "nothing_due",
                "Nothing was charged: nothing is due on this service, or a payment or refund is on its way.",
            )
        })?;
    if state.is_far_above_estimate() {
        return Err(Error::Refused(Refusal::held(
            "above_good_faith_estimate",
            format!(
                "Nothing was charged: {due} is due, and the bill is 400.00 or more above the good-faith estimate that the \
                 patient got. A person must review it first."
            ),
        )));
    }
    let (_, patient) = change.existing::<Patient>(&state.patient.to_string())?;
    let on_file = || patients::method_on_file(&patient, &origin.connection, change.order.now);
    let method = how.method.clone().or_else(|| if how.off_session { on_file() } else { None });
    let payment = waiting.as_ref().map_or_else(|| PaymentId::mint(change.mint()), |waiting| waiting.id);
    if how.off_session {
        let method = method.clone().ok_or_else(|| {
            Refusal::state(
                "method_missing",
                "Nothing was charged: the patient has no working method on file at this gateway.",
            )
        })?;
        patients::decide_patient(change, state.patient, &patient::Command::Return { payment })?;
        charge_under_consent(change, &state, (payment, &method, due))?;
    }
    let options = AttemptOptions {
        method,
        save_method: false,
        off_session: how.off_session,
        return_url: how.return_url.clone(),
    };
    if waiting.is_some() {
        let (mut loaded, _) = change.existing::<Payment>(&payment.to_string())?;
        return plan_attempt(change, &mut loaded, options, origin).map(|effect| (payment, effect));
    }
    let care = care_of_service(change, &state)?;
    let debt = record_debt(change, &state, due)?;
    let opening = Opening {
        payment,
        debt: Some(debt),
        connection: origin.connection.clone(),
        gateway: origin.gateway.clone(),
        link: Some(state.link.clone()),
        purpose: Some(Purpose::Balance),
        care,
        amount: due,
        manual_capture: false,
        customer: patient.customers.get(&origin.connection).cloned(),
        confirmed_by: None,
    };
    start_payment(change, opening, options, origin)
}

/// The one payment that is collecting for a service, when it may only wait for another method.
fn may_wait(service: &Service) -> Option<PaymentId> {
    let mut collecting = service.payments.iter().filter(|(_, held)| held.collecting);
    let returning = service.payments.values().any(|held| held.returning_minor > 0);
    match (collecting.next(), collecting.next()) {
        (Some((id, held)), None)
            if service.status == Status::Settling && held.kind == Kind::Balance && !returning =>
        {
            PaymentId::parse(id).ok()
        }
        _ => None,
    }
}

fn waits(service: &Service, payment: &Payment) -> bool {
    payment.amount == service.worksheet().difference && payment.only_waits_for_method()
}

/// The declined payment of what is due that waits for another method: it goes on with its next attempt.
fn waiting_payment(
    change: &mut Change<'_, '_>,
    service: &Service,
    connection: &str,
) -> Result<Option<Payment>, Error> {
    let Some(id) = may_wait(service) else { return Ok(None) };
    let (_, payment) = change.existing::<Payment>(&id.to_string())?;
    Ok(Some(payment).filter(|payment| payment.connection == connection && waits(service, payment)))
}

impl Engine {
    /// What the patient can pay of a service now, also by the next attempt of a payment that was declined.
    pub(crate) async fn payable(
        &self,
        organization: &str,
        service: &Service,
    ) -> Result<Option<Money>, Error> {
        if let Some(due) = service.to_collect() {
            return Ok(Some(due));
        }
        let Some(id) = may_wait(service) else { return Ok(None) };
        let payment = self.payment(organization, id).await?;
        Ok(waits(service, &payment).then_some(payment.amount))
    }
}

/// Uses a consent for a charge of a service: for a missed visit one for such fees, after a claim one for the balance, else one
/// for the visit, or for the balance.
pub(crate) fn charge_under_consent(
    change: &mut Change<'_, '_>,
    service: &Service,
    (payment, method, amount): (PaymentId, &str, Money),
) -> Result<(), Error> {
    use consent::Purpose as For;
    let purposes: &[For] = match (service.is_missed(), service.claim.is_some()) {
        (true, _) => &[For::MissedVisitFee],
        (false, true) => &[For::BalanceAfterInsurance],
        (false, false) => &[For::BalanceAfterInsurance, For::Visit],
    };
    let mut refused = None;
    for purpose in purposes {
        let charge = consent::Intended { method: method.to_owned(), purpose: *purpose, amount };
        let command = patient::Command::Charge { payment, charge };
        match patients::decide_patient(change, service.patient, &command) {
            Ok(_) => return Ok(()),
            Err(refusal @ Error::Refused(_)) => refused = Some(refusal),
            Err(other) => return Err(other),
        }
    }
    refused.map_or(Ok(()), Err)
}

/// The debt of what is left; the books have it already, so it does not accrue.
pub(super) fn record_debt(
    change: &mut Change<'_, '_>,
    state: &Service,
    owed: Money,
) -> Result<DebtId, Error> {
    let debt = DebtId::mint(change.mint());
    let care = care_of_service(change, state)?;
    let record = debt::Command::Record {
        debt,
        care: care.clone(),
        link: state.link.clone(),
        purpose: Purpose::Balance,
        owed,
        owner: Some(state.id.to_string()),
    };
    let mut stream = Loaded::<debt::Debt>::fresh(debt.to_string());
    change.record_all(&mut stream, &debt::decide(None, &record)?, &care)?;
    Ok(debt)
}
