//! What may be done with an estimate charge, and what follows.

use crate::id::{DebtId, EligibilityId, EstimateId, PatientId, PaymentId, ServiceId};
use crate::money::Money;
use crate::payment::Payment;
use crate::refusal::Refusal;
use crate::time::Timestamp;

use super::standing::{Status, standing_of};
use super::{Estimate, Event, Override};

/// An order to an estimate charge.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make it.
    Create {
        /// Its id.
        estimate: EstimateId,
        /// Whose share it is for.
        eligibility: EligibilityId,
        /// The patient.
        patient: PatientId,
        /// The link token.
        link: String,
        /// The debt.
        debt: DebtId,
        /// The eligibility's amount.
        expected: Money,
        /// Another amount, with who set it and why.
        instead: Option<(Money, Override)>,
        /// When the service is.
        service_at: Option<Timestamp>,
    },
    /// Change the amount.
    Change {
        /// The new amount.
        amount: Money,
        /// Who set it; `None`: the eligibility changed.
        overridden: Option<Override>,
    },
    /// Move it with its service.
    Reschedule {
        /// When the service is now.
        service_at: Timestamp,
    },
    /// Begin an attempt.
    Attempt {
        /// Its payment.
        payment: PaymentId,
    },
    /// Take in what a payment proves.
    Follow {
        /// The payment as known now.
        payment: Box<Payment>,
    },
    /// Plan another authorization.
    PlanAuthorization {
        /// When.
        at: Timestamp,
    },
    /// Give up what no payment reserves.
    Abandon,
    /// Let it pay for the care of another eligibility check.
    Relink {
        /// That check.
        eligibility: EligibilityId,
        /// That care's link token.
        link: String,
        /// What that care is expected to cost the patient.
        expected: Money,
        /// Who says so.
        by: String,
    },
    /// Attach it to a service.
    Attach {
        /// The service.
        service: ServiceId,
    },
    /// Take it off its service.
    Detach,
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Estimate>, command: &Command) -> Result<Vec<Event>, Refusal> {
    let estimate = match (state, command) {
        (None, Command::Create { .. }) => return create(command),
        (None, _) => {
            return Err(Refusal::state(
                "estimate_missing",
                "There is no such estimate charge; nothing was changed.",
            ));
        }
        (Some(_), Command::Create { .. }) => {
            return Err(Refusal::state(
                "estimate_exists",
                "This estimate charge exists already; nothing was changed.",
            ));
        }
        (Some(estimate), _) => estimate,
    };
    match command {
        Command::Create { .. } => Ok(Vec::new()),
        Command::Change { amount, overridden } => change(estimate, *amount, overridden.as_ref()),
        Command::Reschedule { service_at } => Ok(match estimate.service_at == Some(*service_at) {
            true => Vec::new(),
            false => vec![Event::Rescheduled { service_at: *service_at }],
        }),
        Command::Attempt { payment } => attempt(estimate, *payment),
        Command::Follow { payment } => Ok(follow(estimate, payment)),
        Command::PlanAuthorization { at } => Ok(match estimate.authorize_at == Some(*at) {
            true => Vec::new(),
            false => vec![Event::AuthorizationPlanned { at: *at }],
        }),
        Command::Abandon => abandon(estimate),
        Command::Relink { eligibility, link, expected, by } => {
            relink(estimate, (*eligibility, link), *expected, by)
        }
        Command::Attach { service } => match estimate.service {
            Some(known) if known == *service => Ok(Vec::new()),
            Some(known) => Err(Refusal::state(
                "estimate_attached",
                format!(
                    "Nothing was attached: the estimate charge belongs to service {known}. Detach it first."
                ),
            )),
            None => Ok(vec![Event::Attached { service: *service }]),
        },
        Command::Detach => {
            Ok(estimate.service.map(|service| Event::Detached { service }).into_iter().collect())
        }
    }
}

fn create(command: &Command) -> Result<Vec<Event>, Refusal> {
    let Command::Create { estimate, eligibility, patient, link, debt, expected, instead, service_at } =
        command
    else {
        return Ok(Vec::new());
    };
    let (amount, overridden) = match instead {
        Some((amount, by)) if amount != expected => (*amount, Some(by.clone())),
        _ => (*expected, None),
    };
    positive(amount, *expected)?;
    Ok(vec![Event::Created {
        estimate: *estimate,
        eligibility: *eligibility,
        patient: *patient,
        link: link.clone(),
        debt: *debt,
        amount,
        overridden,
        service_at: *service_at,
    }])
}

fn positive(amount: Money, like: Money) -> Result<(), Refusal> {
    if amount.minor > 0 && amount.currency == like.currency {
        return Ok(());
    }
    Err(Refusal::invalid(
        "amount_not_positive",
        format!("Nothing was changed. Give an amount above zero in {}.", like.currency),
    ))
}

fn change(estimate: &Estimate, amount: Money, overridden: Option<&Override>) -> Result<Vec<Event>, Refusal> {
    positive(amount, estimate.amount)?;
    if amount == estimate.amount {
        return Ok(Vec::new());
    }
    match estimate.standing.status {
        Status::Pending if estimate.payments.is_empty() => {}
        Status::AuthorizationFailed | Status::Expired | Status::Authorized | Status::CaptureFailed => {}
        status => {
            return Err(Refusal::state(
                "not_allowed_now",
                format!(
                    "The amount was not changed. The estimate charge is {}; a difference is settled with the invoice.",
                    status.name()
                ),
            ));
        }
    }
    Ok(vec![Event::AmountChanged { amount, overridden: overridden.cloned() }])
}

fn attempt(estimate: &Estimate, payment: PaymentId) -> Result<Vec<Event>, Refusal> {
    if estimate.payment() == Some(payment) {
        return Ok(Vec::new());
    }
    if !estimate.may_attempt() {
        let next = match estimate.standing.status {
            Status::Pending => "An attempt is open; wait until it is answered.",
            Status::Authorized | Status::CaptureFailed => "It is authorized: capture or cancel it.",
            Status::Captured | Status::PartRefunded => "It is captured.",
            _ => "It has ended: make a new estimate charge.",
        };
        return Err(Refusal::state(
            "not_allowed_now",
            format!(
                "Nothing was authorized. The estimate charge is {}. {next}",
                estimate.standing.status.name()
            ),
        ));
    }
    let number = u32::try_from(estimate.payments.len()).unwrap_or(u32::MAX).saturating_add(1);
    Ok(vec![Event::AttemptStarted { number, payment }])
}

fn follow(estimate: &Estimate, payment: &Payment) -> Vec<Event> {
    // An older payment of the same charge has ended before the newer began; what still happens to it shows on the debt.
    if estimate.payment() != Some(payment.id) {
        return Vec::new();
    }
    let mut standing = standing_of(payment);
    if estimate.replacing && standing.status == Status::Canceled {
        standing.status = Status::Pending;
    }
    match standing == estimate.standing {
        true => Vec::new(),
        false => vec![Event::Moved { payment: payment.id, standing }],
    }
}

/// One click helps when the wrong check was used, if patient and amount are the same (FLOWS 4i).
fn relink(
    estimate: &Estimate,
    (eligibility, link): (EligibilityId, &str),
    expected: Money,
    by: &str,
) -> Result<Vec<Event>, Refusal> {
    if estimate.link == link {
        return Ok(Vec::new());
    }
    if estimate.service.is_some() || !estimate.standing.status.holds_money() {
        return Err(Refusal::state(
            "not_allowed_now",
            format!(
                "Nothing was moved. The estimate charge is {} or belongs to a service; only captured money of no service \
                 can move.",
                estimate.standing.status.name()
            ),
        ));
    }
    if expected != estimate.amount {
        return Err(Refusal::invalid(
            "eligibility_mismatch",
            format!(
                "Nothing was moved: the service's eligibility expects {expected}, the estimate charge is for {}. Refund it \
                 and charge the right amount.",
                estimate.amount
            ),
        ));
    }
    Ok(vec![Event::Relinked { eligibility, link: link.to_owned(), by: by.to_owned() }])
}

fn abandon(estimate: &Estimate) -> Result<Vec<Event>, Refusal> {
    match estimate.standing.status {
        Status::Canceled => Ok(Vec::new()),
        Status::Pending if estimate.payments.is_empty() => Ok(vec![Event::Abandoned]),
        Status::AuthorizationFailed | Status::Expired => Ok(vec![Event::Abandoned]),
        status => Err(Refusal::state(
            "not_allowed_now",
            format!("Nothing was canceled. The estimate charge is {}.", status.name()),
        )),
    }
}
