//! The reaction to a payment: its estimate charge follows, its service follows, and settling goes on, all in the payment's
//! transaction.

use suture_core::debt::Debt;
use suture_core::estimate::{self, Estimate};
use suture_core::explain::Care;
use suture_core::id::{AppointmentId, OrderId, PaymentId, ServiceId};
use suture_core::money::Money;
use suture_core::patient::{self, Patient};
use suture_core::payment::{self, Payment, Status};
use suture_core::refusal::Refusal;
use suture_core::service::{self, Held, Kind, Service};
use suture_store::journal;

use crate::Error;
use crate::change::Change;
use crate::facts::{self, Origin};

use super::{asks, settling};

/// Lets the owner of a debt follow one of the debt's payments.
pub(crate) fn follow(
    change: &mut Change<'_, '_>,
    owner: &str,
    payment: &Payment,
    origin: &Origin,
) -> Result<(), Error> {
    if OrderId::parse(owner).is_ok() {
        // An order follows every payment of its link, with or without the debt.
        return Ok(());
    }
    if let Ok(appointment) = AppointmentId::parse(owner) {
        give_back_consent(change, payment)?;
        return crate::scheduling::follow(change, appointment, payment, origin);
    }
    let tried_again = match ServiceId::parse(owner) {
        Ok(service) => crate::scheduling::after_failure(change, service, payment)?,
        Err(_) => false,
    };
    if !tried_again {
        asks::collection_failed(change, payment)?;
    }
    give_back_consent(change, payment)?;
    if ServiceId::parse(owner).is_ok() {
        return see(change, owner, (payment, Kind::Balance), origin);
    }
    let (mut loaded, estimate) = change.existing::<Estimate>(owner)?;
    let command = estimate::Command::Follow { payment: Box::new(payment.clone()) };
    let events = estimate::decide(Some(&estimate), &command)?;
    change.record_all(&mut loaded, &events, &facts::care_of(payment))?;
    if !events.is_empty() {
        super::estimates::after_lapse(change, estimate.id)?;
    }
    match estimate.service {
        Some(service) => see(change, &service.to_string(), (payment, Kind::Estimate), origin),
        None => Ok(()),
    }
}

/// I2: no capture takes more than is owed. An estimate charge may have become smaller since its hold was made.
///
/// # Errors
/// [`Error::Refused`] when it would.
pub(crate) fn check_capture(
    change: &mut Change<'_, '_>,
    payment: &Payment,
    amount: Option<Money>,
) -> Result<(), Error> {
    let Some(debt) = payment.debt else { return Ok(()) };
    let (_, debt) = change.existing::<Debt>(&debt.to_string())?;
    let due = debt.due();
    match amount.map_or(payment.authorized_minor, |amount| amount.minor) > due.minor {
        false => Ok(()),
        true => Err(Error::Refused(Refusal::invalid(
            "capture_exceeds_debt",
            format!(
                "Nothing was captured. Only {due} is owed: capture that much, or cancel and authorize again."
            ),
        ))),
    }
}

/// What a payment holds, as its service sees it.
pub(super) fn held(payment: &Payment, kind: Kind) -> Held {
    use suture_core::evidence::RefundStatus;
    let of = |status: RefundStatus| {
        payment.refunds.values().filter(move |known| known.status == status).map(|known| known.amount.minor)
    };
    let returning = payment.reserved.values().map(|amount| amount.minor).sum::<i64>()
        + of(RefundStatus::Pending).sum::<i64>();
    Held {
        kind,
        net_minor: payment.captured_minor.saturating_sub(payment.refunded_minor()),
        returning_minor: returning,
        failed_refunds: u32::try_from(of(RefundStatus::Failed).count())
            .unwrap_or(u32::MAX)
            .saturating_add(payment.refunds_refused),
        came_back_minor: payment.came_back_minor(),
        charged_at: payment.charged_at.unwrap_or_default(),
        // An authorized estimate is no collection of the balance; it ends by capture or cancellation. What is captured by
        // itself collects until it is answered, whatever it was for.
        collecting: (kind == Kind::Balance || !payment.manual_capture) && payment.is_collecting(),
    }
}

/// Lets a service see a payment, and goes on with its settling.
pub(crate) fn see(
    change: &mut Change<'_, '_>,
    service: &str,
    (payment, kind): (&Payment, Kind),
    origin: &Origin,
) -> Result<(), Error> {
    let (_, state) = change.existing::<Service>(service)?;
    let (known, held) = (state.payments.get(&payment.id.to_string()), held(payment, kind));
    asks::refund_failed(change, &state, (payment.id, known, held))?;
    decide_service(change, service, &service::Command::See { payment: payment.id, held })?;
    if change.settling.as_deref() == Some(service) {
        return Ok(());
    }
    settling::go_on(change, service, origin)?;
    match kind {
        Kind::Balance => settling::see_to_the_rest(change, service),
        // A visit whose deposit this is sees to it itself.
        Kind::Estimate if is_visit(payment) => Ok(()),
        Kind::Estimate => settling::see_to_the_rest(change, service),
    }
}

fn is_visit(payment: &Payment) -> bool {
    payment.care.appointment.as_deref().is_some_and(|id| AppointmentId::parse(id).is_ok())
}

/// Decides a command on a service, saves it, and uses up the deposits that were applied. Says whether anything happened.
pub(crate) fn decide_service(
    change: &mut Change<'_, '_>,
    service: &str,
    command: &service::Command,
) -> Result<bool, Error> {
    let (mut loaded, state) = change.existing::<Service>(service)?;
    let events = service::decide(Some(&state), command, change.order.now)?;
    let care = care_of_service(change, &state)?;
    change.record_all(&mut loaded, &events, &care)?;
    for event in &events {
        match event {
            service::Event::Applied { applied, .. } => {
                for (payment, _) in &applied.consumed {
                    consume(change, *payment)?;
                }
            }
            service::Event::GivenBack { from, .. } => pay_back(change, &state, from.returned_minor)?,
            _ => {}
        }
    }
    // What the service sees of a payment may be unchanged while the payment is disputed.
    if !events.is_empty() || matches!(command, service::Command::See { .. }) {
        crate::payouts::follow_service(change, service)?;
    }
    Ok(!events.is_empty())
}

fn consume(change: &mut Change<'_, '_>, payment: PaymentId) -> Result<(), Error> {
    let (mut loaded, state) = change.existing::<Payment>(&payment.to_string())?;
    let events = payment::decide(Some(&state), &payment::Command::Consume, change.order.now)?;
    change.record_all(&mut loaded, &events, &facts::care_of(&state))
}

/// What refunds had brought back was given to the patient at the desk: the payments it came from no longer owe it.
fn pay_back(change: &mut Change<'_, '_>, service: &Service, returned_minor: i64) -> Result<(), Error> {
    let mut left = returned_minor;
    for payment in service.payments.keys() {
        let (mut loaded, state) = change.existing::<Payment>(payment)?;
        // A deposit that was applied is a credit as a whole; its returns are told apart from nothing.
        if left <= 0 || state.purpose == Some(payment::Purpose::Credit) {
            continue;
        }
        let command = payment::Command::PayBackElsewhere { amount: Money::new(left, service.currency) };
        let events = payment::decide(Some(&state), &command, change.order.now)?;
        change.record_all(&mut loaded, &events, &facts::care_of(&state))?;
        let after = loaded.state.as_ref().map_or(0, Payment::in_credit_minor);
        left -= state.in_credit_minor() - after;
    }
    Ok(())
}

/// The chain of a service.
pub(crate) fn care_of_service(change: &mut Change<'_, '_>, service: &Service) -> Result<Care, Error> {
    let organization = change.order.organization.clone();
    let link = suture_store::links::get(change.tx, &organization, &service.link)?;
    let outcome = service.notes.last().map(|note| note.id.to_string());
    let care = Care { outcome, ..link.as_ref().map(facts::care_of_link).unwrap_or_default() };
    crate::scheduling::documented(change, care)
}

/// A charge under consent that ended without money leaves the consent as it was.
fn give_back_consent(change: &mut Change<'_, '_>, payment: &Payment) -> Result<(), Error> {
    let over = matches!(payment.status(), Status::Failed | Status::Canceled | Status::Expired);
    let Some(patient) = payment.care.patient.clone().filter(|_| over && payment.captured_minor == 0) else {
        return Ok(());
    };
    let organization = change.order.organization.clone();
    let Some(stream) = journal::referred(change.tx, &organization, &patient_reference(&patient))? else {
        return Ok(());
    };
    let (mut loaded, state) = change.existing::<Patient>(&stream)?;
    let command = patient::Command::Return { payment: payment.id };
    let events = patient::decide(Some(&state), &command, change.order.now)?;
    change.record_all(&mut loaded, &events, &facts::care_of(payment))
}

/// The key under which a patient's stream is found by the id that links carry.
pub(crate) fn patient_reference(patient: &str) -> String {
    format!("patient/{patient}")
}
