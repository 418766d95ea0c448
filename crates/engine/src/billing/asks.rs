//! What a person is asked about a patient's money: each question once, with what happened and what may be done. No question
//! moves money.
//!
//! Called in the transaction of what raises the question, so that nothing fails silently (FLOWS 2.5, 2.6).

use suture_core::id::PaymentId;
use suture_core::money::Money;
use suture_core::patient::Patient;
use suture_core::payment::{Payment, Status};
use suture_core::refusal::Refusal;
use suture_core::service::{Held, Service};
use suture_store::effects::{self, NewEffect, State};
use suture_store::journal;

use crate::Error;
use crate::change::Change;
use crate::job::Job;

use super::follow::patient_reference;

/// The payer left money unpaid for reasons that are not the patient's (R5).
pub(super) fn denied(change: &mut Change<'_, '_>, service: &Service) -> Result<(), Error> {
    let open = Money::new(service.open_with_payer_minor(), service.currency);
    ask(
        change,
        ("denials", &format!("{}/denied/{}", service.id, service.decisions.len())),
        &service.id.to_string(),
        format!(
            "the payer left {open} of this claim unpaid for reasons that are not the patient's; appeal, correct and send \
             again, or write off; nothing was billed to the patient"
        ),
    )
}

/// A charge under consent did not work while the payer was not there: somebody must send a link (FLOWS 2.5).
pub(super) fn collection_failed(change: &mut Change<'_, '_>, payment: &Payment) -> Result<(), Error> {
    let failed = matches!(payment.status(), Status::RequiresMethod | Status::RequiresAction | Status::Failed);
    if !failed
        || payment.captured_minor != 0
        || payment.attempts.is_empty()
        || !is_under_consent(change, payment)?
    {
        return Ok(());
    }
    let error = payment.intent_known.as_ref().and_then(|known| known.error.as_ref());
    let code = error.map_or("action_required", |error| error.decline_code.as_deref().unwrap_or(&error.code));
    ask(
        change,
        ("collections", &format!("{}/collection-failed", payment.id)),
        &payment.id.to_string(),
        format!(
            "the charge of {} to the card on file did not go through ({code}); ask the patient to pay another way or to \
             pass the bank's check; nothing else is charged by itself",
            payment.amount
        ),
    )
}

/// A refund came back to us: the money is still owed to the patient (FLOWS 2.6).
pub(super) fn refund_failed(
    change: &mut Change<'_, '_>,
    service: &Service,
    (payment, known, held): (PaymentId, Option<&Held>, Held),
) -> Result<(), Error> {
    if held.failed_refunds <= known.map_or(0, |known| known.failed_refunds) {
        return Ok(());
    }
    ask(
        change,
        ("failed-refunds", &format!("{payment}/refund-failed/{}", held.failed_refunds)),
        &service.id.to_string(),
        format!(
            "a refund of payment {payment} failed and the money is still owed to the patient; refund it again, or pay by \
             cheque or to another card; the credit stays open until then"
        ),
    )
}

/// Whether a person is being asked about a refund of this service that failed.
pub(super) fn is_asked_about_refund(change: &mut Change<'_, '_>, service: &Service) -> Result<bool, Error> {
    let organization = change.order.organization.clone();
    for (payment, held) in service.payments.iter().filter(|(_, held)| held.failed_refunds > 0) {
        let id = format!("{payment}/refund-failed/{}", held.failed_refunds);
        let asked = effects::get(change.tx, &organization, &id)?;
        if asked.is_some_and(|effect| matches!(effect.state, State::Ready | State::Parked)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The payer corrected itself after we had paid money back: charging it again is a person's decision (FLOWS 2G). Says
/// whether somebody is asked.
pub(super) fn collect_again(
    change: &mut Change<'_, '_>,
    service: &Service,
    due: Money,
) -> Result<bool, Error> {
    let asks = service.version > 1 && was_paid_back(change, service)?;
    if asks {
        owed_again(change, service, due)?;
    }
    Ok(asks)
}

/// Money went back to a patient who owes again: nobody knows by rule whether it is to be charged.
pub(super) fn owed_again(change: &mut Change<'_, '_>, service: &Service, due: Money) -> Result<(), Error> {
    ask(
        change,
        ("corrections", &format!("{}/correction/{}/{}", service.id, service.version, due.minor)),
        &service.id.to_string(),
        format!(
            "money was paid back to the patient, and {due} of this service is owed now, after a correction of the payer or a \
             refund at the gateway; tell the patient and charge it, or write it off; nothing is charged by itself"
        ),
    )
}

/// Whether a payment of a service gave money back.
pub(super) fn was_paid_back(change: &mut Change<'_, '_>, service: &Service) -> Result<bool, Error> {
    for payment in service.payments.keys() {
        let (_, state) = change.existing::<Payment>(payment)?;
        if state.refunded_minor() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What follows from a payment was refused, and its evidence was stored alone: somebody must act for its owner.
pub(crate) fn not_followed(
    change: &mut Change<'_, '_>,
    owner: &str,
    payment: &Payment,
    refusal: &Refusal,
) -> Result<(), Error> {
    ask(
        change,
        ("not-followed", &format!("{}/not-followed/{}", payment.id, refusal.code)),
        owner,
        format!(
            "payment {} is in the books as the gateway tells it, but {owner} could not follow it: {} ({}); mend what refuses, \
             and the next sweep of the gateway goes on; or give the money back",
            payment.id, refusal.detail, refusal.code
        ),
    )
}

/// More is due of a service than a rule may charge, since money went back or was never captured: a person decides. Says
/// whether somebody is asked; nobody is for at most `allowed`, or while nothing went back and no rule sets a limit.
pub(crate) fn charge_above(
    change: &mut Change<'_, '_>,
    service: &Service,
    (due, allowed): (Money, Option<Money>),
) -> Result<bool, Error> {
    let within = match allowed {
        Some(allowed) => due.minor <= allowed.minor,
        None => !was_paid_back(change, service)?,
    };
    if !within {
        ask(
            change,
            ("collections", &format!("{}/charge-above/{}/{}", service.id, service.version, due.minor)),
            &service.id.to_string(),
            format!(
                "{due} is due of this service, more than what may be charged by itself, because money went back to the patient \
                 or a deposit could not be captured; charge it with the patient's word, or write it off"
            ),
        )?;
    }
    Ok(!within)
}

fn is_under_consent(change: &mut Change<'_, '_>, payment: &Payment) -> Result<bool, Error> {
    let Some(patient) = &payment.care.patient else { return Ok(false) };
    let organization = change.order.organization.clone();
    let Some(stream) = journal::referred(change.tx, &organization, &patient_reference(patient))? else {
        return Ok(false);
    };
    let (_, state) = change.existing::<Patient>(&stream)?;
    Ok(state.uses.contains_key(&payment.id.to_string()))
}

fn ask(
    change: &mut Change<'_, '_>,
    (queue, id): (&str, &str),
    stream: &str,
    what: String,
) -> Result<(), Error> {
    change.effect_once(NewEffect {
        id: id.to_owned(),
        kind: "ask_person",
        lane: None,
        destination: queue.to_owned(),
        stream: Some(stream.to_owned()),
        due_at: change.order.now,
        payload: Job::ask(what),
    })
}
