//! What may be done with the money of a service: decisions of payers, the responsibility, write-offs, settling.

use crate::adjudication::{Adjudication, Outcome, Split};
use crate::money::Money;
use crate::refusal::Refusal;

use super::command::{Command, not_now, positive};
use super::event::Event;
use super::state::{Service, Status};

pub(super) fn decide(service: &Service, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Adjudicate(decision) => adjudicate(service, decision),
        Command::SetResponsibility { responsibility, author } => {
            set_responsibility(service, *responsibility, author)
        }
        Command::RecordElsewhere { reference, amount, author } => {
            positive(service, *amount)?;
            Ok(match service.elsewhere.contains_key(reference) {
                true => Vec::new(),
                false => vec![Event::PaidElsewhere {
                    reference: reference.clone(),
                    amount: *amount,
                    author: author.clone(),
                }],
            })
        }
        Command::GiveBack { reference, amount, approver, reason } => {
            give_back(service, reference, *amount, (approver, reason))
        }
        Command::See { payment, held } => Ok(match service.payments.get(&payment.to_string()) {
            Some(known) if known == held => Vec::new(),
            _ => vec![Event::PaymentSeen { payment: *payment, held: *held }],
        }),
        Command::Settle => settle(service),
        Command::WriteOff { amount, approver, reason } => write_off(service, *amount, approver, reason),
        Command::UndoWriteOff { number, approver } => match service.write_offs.get(number) {
            Some(minor) => Ok(vec![Event::WriteOffUndone {
                number: *number,
                amount: Money::new(*minor, service.currency),
                approver: approver.clone(),
            }]),
            None => Err(Refusal::invalid(
                "write_off_missing",
                format!("Nothing was changed: no write-off {number} stands on this service."),
            )),
        },
        Command::Invoice { invoice } => Ok(match service.invoice == Some(*invoice) {
            true => Vec::new(),
            false => vec![Event::Invoiced { invoice: *invoice }],
        }),
        Command::Complete => Ok(match service.status {
            Status::Settling if service.is_even() => vec![Event::Completed { version: service.version }],
            _ => Vec::new(),
        }),
        _ => Ok(Vec::new()),
    }
}

fn adjudicate(service: &Service, decision: &Adjudication) -> Result<Vec<Event>, Refusal> {
    if service.decisions.iter().any(|(known, _)| known.key == decision.key) {
        return Ok(Vec::new());
    }
    decision.check()?;
    if service.claim.is_none() {
        return Err(not_now("The payer's decision was not booked: no claim was sent.", service));
    }
    if decision.charge.currency != service.currency {
        return Err(Refusal::invalid(
            "currency_mismatch",
            format!("The payer's decision was not booked: the service is in {}.", service.currency),
        ));
    }
    let split = match decision.outcome {
        // What was booked is taken back as it was booked, whatever the reversal's own codes say.
        Outcome::Reversal => service.reversed_by(decision).map_or_else(
            || decision.split(),
            |booked| Split {
                paid: booked.paid.saturating_neg(),
                contractual: booked.contractual.saturating_neg(),
                patient: booked.patient.saturating_neg(),
                open: booked.open.saturating_neg(),
            },
        ),
        Outcome::Processed | Outcome::Forwarded | Outcome::Denied => decision.split(),
    };
    Ok(vec![Event::Adjudicated { decision: decision.clone(), split }])
}

fn set_responsibility(service: &Service, responsibility: Money, author: &str) -> Result<Vec<Event>, Refusal> {
    if responsibility.minor < 0 || responsibility.currency != service.currency {
        return Err(Refusal::invalid(
            "amount_not_positive",
            format!("Nothing was set. Give zero or more in {}.", service.currency),
        ));
    }
    match service.status {
        Status::Noted | Status::Billed | Status::Adjudicated | Status::Settling | Status::Completed => {}
        _ => return Err(not_now("The responsibility was not set: the note is not signed.", service)),
    }
    if service.set_by_person == Some(responsibility) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::ResponsibilitySet { responsibility, author: author.to_owned() }])
}

fn settle(service: &Service) -> Result<Vec<Event>, Refusal> {
    match service.status {
        Status::Settling | Status::Completed => Ok(Vec::new()),
        Status::Adjudicated if service.is_undecided() => Err(Refusal::state(
            "not_allowed_now",
            "Settling did not begin: the payer took its decision back and has not decided anew. Wait for the next \
             remittance, or set the responsibility by hand.",
        )),
        Status::Adjudicated => Ok(vec![Event::SettlingBegun { version: service.version.saturating_add(1) }]),
        _ => Err(not_now("Settling did not begin: the final responsibility is not known.", service)),
    }
}

fn write_off(service: &Service, amount: Money, approver: &str, reason: &str) -> Result<Vec<Event>, Refusal> {
    positive(service, amount)?;
    if approver.trim().is_empty() {
        return Err(Refusal::invalid("authorizer_required", "Nothing was written off. Say who approves it."));
    }
    let due = service.worksheet().difference;
    if amount.minor > due.minor {
        return Err(Refusal::invalid(
            "write_off_exceeds_due",
            format!("Nothing was written off: {amount} is more than the {due} that the patient still owes."),
        ));
    }
    Ok(vec![Event::WrittenOff {
        number: service.write_offs_made.saturating_add(1),
        amount,
        approver: approver.to_owned(),
        reason: reason.to_owned(),
    }])
}

/// Cash at the desk, or a cheque: never more than was paid elsewhere, or than is owed back once settling began.
fn give_back(
    service: &Service,
    reference: &str,
    amount: Money,
    (approver, reason): (&str, &str),
) -> Result<Vec<Event>, Refusal> {
    positive(service, amount)?;
    if approver.trim().is_empty() {
        return Err(Refusal::invalid("authorizer_required", "Nothing was recorded. Say who approved it."));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if reference.is_empty() || reference.len() > 128 || !reference.bytes().all(plain) {
        return Err(Refusal::invalid(
            "not_an_opaque_id",
            "Nothing was recorded. The reference is an opaque id: 1 to 128 letters, digits, '-', '.' or '_'. Names do not \
             belong there.",
        ));
    }
    if service.given_back.contains_key(reference) {
        return Ok(Vec::new());
    }
    let most = Money::new(service.to_give_back_minor(), service.currency);
    if amount.minor > most.minor {
        return Err(Refusal::invalid(
            "given_back_exceeds_owed",
            format!(
                "Nothing was recorded: {amount} is more than the {most} that can be given back outside of a gateway now."
            ),
        ));
    }
    Ok(vec![Event::GivenBack {
        reference: reference.to_owned(),
        from: service.given_back_from(amount.minor),
        amount,
        approver: approver.to_owned(),
        reason: reason.to_owned(),
    }])
}
