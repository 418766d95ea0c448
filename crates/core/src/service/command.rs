//! What may be done with a service, and what follows. Refusals come in a fixed order: identity, shape, state, limits.

use crate::adjudication::Adjudication;
use crate::currency::Currency;
use crate::id::{EligibilityId, EstimateId, InvoiceId, NoteId, PatientId, PaymentId, ServiceId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

use super::event::{CoverageStatus, Event, Line, NoteKind};
use super::money;
use super::state::{Held, Service, Status};

/// An order to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make it.
    Create {
        /// Its id.
        service: ServiceId,
        /// Whose.
        patient: PatientId,
        /// The link token.
        link: String,
        /// The eligibility check.
        eligibility: Option<EligibilityId>,
        /// The currency of all its amounts.
        currency: Currency,
    },
    /// Give it a time.
    Schedule {
        /// When.
        at: Timestamp,
    },
    /// Let another eligibility check stand for it.
    UseEligibility {
        /// Which.
        eligibility: EligibilityId,
    },
    /// Record the good-faith estimate that a self-pay patient got.
    GiveGoodFaithEstimate {
        /// How much the whole service is expected to cost.
        amount: Money,
    },
    /// Let a bill go on that is far above the good-faith estimate.
    ReviewBill {
        /// Who.
        by: String,
        /// Why, as a code.
        reason: String,
    },
    /// Record what a check of the coverage found.
    Cover {
        /// What.
        to: CoverageStatus,
    },
    /// Attach an estimate charge.
    Attach {
        /// Which.
        estimate: EstimateId,
        /// The link that it was made with.
        link: String,
    },
    /// Detach an estimate charge.
    Detach {
        /// Which.
        estimate: EstimateId,
    },
    /// Record that the care was given.
    Deliver {
        /// What was done.
        lines: Vec<Line>,
    },
    /// Sign a note.
    Sign {
        /// Its id.
        note: NoteId,
        /// A note, or an addition to one.
        kind: NoteKind,
        /// Who signs.
        signer: String,
        /// SHA-256 of its text.
        hash: String,
    },
    /// Record that the claim was sent.
    Bill {
        /// The claim's control number.
        claim: String,
    },
    /// Take a payer's decision in.
    Adjudicate(Adjudication),
    /// Set the final responsibility by hand.
    SetResponsibility {
        /// What the patient owes in all.
        responsibility: Money,
        /// Who says so.
        author: String,
    },
    /// Record a payment that was made elsewhere.
    RecordElsewhere {
        /// A reference that makes it unique.
        reference: String,
        /// How much.
        amount: Money,
        /// Who records it.
        author: String,
    },
    /// Record money that was given back to the patient outside of a gateway: cash at the desk, or a cheque.
    GiveBack {
        /// A reference that makes it unique.
        reference: String,
        /// How much.
        amount: Money,
        /// Who approves.
        approver: String,
        /// Why, as a code.
        reason: String,
    },
    /// Take in how a payment stands.
    See {
        /// The payment.
        payment: PaymentId,
        /// What it holds.
        held: Held,
    },
    /// Begin to settle.
    Settle,
    /// Give a part of what the patient owes up.
    WriteOff {
        /// How much.
        amount: Money,
        /// Who approves.
        approver: String,
        /// Why, as a code.
        reason: String,
    },
    /// Take a write-off back.
    UndoWriteOff {
        /// Which.
        number: u32,
        /// Who approves that.
        approver: String,
    },
    /// Record its invoice.
    Invoice {
        /// Which.
        invoice: InvoiceId,
    },
    /// Cancel it.
    Cancel {
        /// `patient`, `clinic` or `system`.
        by: String,
        /// Why, as a code.
        reason: String,
    },
    /// Record that it will not take place, and that the patient owes a fee for that.
    Miss {
        /// Who cancelled, or `patient` when nobody came.
        by: String,
        /// Why, as a code.
        reason: String,
        /// The fee.
        fee: Money,
    },
    /// End the settling, if all is paid and proven.
    Complete,
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Service>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let service = match (state, command) {
        (None, Command::Create { service, patient, link, eligibility, currency }) => {
            return Ok(vec![Event::Created {
                service: *service,
                patient: *patient,
                link: link.clone(),
                eligibility: *eligibility,
                currency: *currency,
            }]);
        }
        (None, _) => {
            return Err(Refusal::state("service_missing", "There is no such service; nothing was changed."));
        }
        (Some(_), Command::Create { .. }) => {
            return Err(Refusal::state(
                "service_exists",
                "This service exists already; nothing was changed.",
            ));
        }
        (Some(service), _) => service,
    };
    let mut events = match command {
        Command::Adjudicate(_)
        | Command::SetResponsibility { .. }
        | Command::RecordElsewhere { .. }
        | Command::GiveBack { .. }
        | Command::See { .. }
        | Command::Settle
        | Command::WriteOff { .. }
        | Command::UndoWriteOff { .. }
        | Command::Invoice { .. }
        | Command::Complete => money::decide(service, command)?,
        care => decide_care(service, care, now)?,
    };
    let Some(after) =
        events.iter().fold(Some(service.clone()), Service::evolve).filter(|_| !events.is_empty())
    else {
        return Ok(events);
    };
    // A settled service that no longer is even is settled again, the difference only (FLOWS 5g).
    if after.status == Status::Completed && after.worksheet().difference.minor != 0 {
        events.push(Event::SettlingBegun { version: after.version.saturating_add(1) });
    }
    // Whatever changes the worksheet changes at once what deposits pay.
    let after = events.iter().fold(Some(service.clone()), Service::evolve);
    if let Some(applied) = after.as_ref().and_then(Service::to_apply) {
        events.push(Event::Applied { applied, number: service.applications.saturating_add(1) });
    }
    Ok(events)
}

fn decide_care(service: &Service, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Schedule { at } => match service.status {
            Status::Pending | Status::Scheduled if service.at == Some(*at) => Ok(Vec::new()),
            Status::Pending | Status::Scheduled => Ok(vec![Event::Scheduled { at: *at }]),
            _ => Err(not_now("The service was not moved.", service)),
        },
        Command::UseEligibility { eligibility } => use_eligibility(service, *eligibility),
        Command::GiveGoodFaithEstimate { amount } => {
            positive(service, *amount)?;
            match service.status {
                Status::Pending | Status::Scheduled => {
                    Ok(vec![Event::GoodFaithEstimateGiven { amount: *amount, at: now }])
                }
                _ => Err(not_now(
                    "The good-faith estimate was not recorded: it is given before the care.",
                    service,
                )),
            }
        }
        Command::ReviewBill { by, reason } => Ok(match service.is_far_above_estimate() {
            true => vec![Event::BillReviewed { by: by.clone(), reason: reason.clone() }],
            false => Vec::new(),
        }),
        Command::Cover { to } => Ok(match service.coverage == Some(*to) {
            true => Vec::new(),
            false => vec![Event::CoverageMoved { to: *to }],
        }),
        Command::Attach { estimate, link } => attach(service, *estimate, link),
        Command::Detach { estimate } => match service.estimates.contains(estimate) {
            true if service.version > 0 => Err(not_now("The estimate charge was not detached.", service)),
            true => Ok(vec![Event::EstimateDetached { estimate: *estimate }]),
            false => Ok(Vec::new()),
        },
        Command::Deliver { lines } => deliver(service, lines, now),
        Command::Sign { note, kind, signer, hash } => sign(service, (*note, *kind), signer, hash, now),
        Command::Bill { claim } => bill(service, claim),
        Command::Cancel { by, reason } => match service.status {
            Status::Canceled => Ok(Vec::new()),
            Status::Pending | Status::Scheduled => {
                Ok(vec![Event::Canceled { by: by.clone(), reason: reason.clone() }])
            }
            _ => Err(not_now("The service was not cancelled: the care was given.", service)),
        },
        Command::Miss { by, reason, fee } => {
            positive(service, *fee)?;
            match service.status {
                Status::Pending | Status::Scheduled => {
                    Ok(vec![Event::Missed { by: by.clone(), reason: reason.clone(), fee: *fee }])
                }
                _ if service.is_missed() => Ok(Vec::new()),
                _ => Err(not_now("No fee was recorded.", service)),
            }
        }
        _ => Ok(Vec::new()),
    }
}

fn use_eligibility(service: &Service, eligibility: EligibilityId) -> Result<Vec<Event>, Refusal> {
    if service.eligibility == Some(eligibility) {
        return Ok(Vec::new());
    }
    match service.status {
        Status::Pending | Status::Scheduled => Ok(vec![Event::EligibilityChanged { eligibility }]),
        _ => Err(not_now("The eligibility was not changed.", service)),
    }
}

fn attach(service: &Service, estimate: EstimateId, link: &str) -> Result<Vec<Event>, Refusal> {
    if service.estimates.contains(&estimate) {
        return Ok(Vec::new());
    }
    if service.link != link {
        return Err(Refusal::invalid(
            "eligibility_mismatch",
            "The estimate charge was not attached: it was made with another eligibility than the service. Use the \
             service's eligibility, or attach it by hand if patient and amount are the same.",
        ));
    }
    match service.status {
        Status::Canceled | Status::Completed => {
            Err(not_now("The estimate charge was not attached.", service))
        }
        _ => Ok(vec![Event::EstimateAttached { estimate }]),
    }
}

fn deliver(service: &Service, lines: &[Line], now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match service.status {
        Status::Pending | Status::Scheduled => {}
        Status::Delivered | Status::Noted if service.lines == lines => return Ok(Vec::new()),
        _ => return Err(not_now("The service was not recorded as given.", service)),
    }
    let right = |line: &Line| {
        (1..=20).contains(&line.code.len())
            && line.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && line.charge.minor >= 0
            && line.charge.currency == service.currency
    };
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.charge.minor));
    if lines.is_empty() || lines.len() > 100 || !lines.iter().all(right) || sum.is_none() {
        return Err(Refusal::invalid(
            "lines_invalid",
            format!(
                "The service was not recorded as given. Give 1 to 100 lines, each with a procedure code and a charge \
                 in {}.",
                service.currency
            ),
        ));
    }
    Ok(vec![Event::Delivered { at: now, lines: lines.to_vec() }])
}

fn sign(
    service: &Service,
    (note, kind): (NoteId, NoteKind),
    signer: &str,
    hash: &str,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    match (service.status, kind) {
        (Status::Pending | Status::Scheduled | Status::Canceled, _) => {
            return Err(not_now("Nothing was signed: the care was not given.", service));
        }
        (_, NoteKind::Note) if service.is_noted() => {
            return Err(Refusal::state(
                "note_signed",
                "Nothing was signed: the note of this service is signed and cannot change. Sign an addendum instead.",
            ));
        }
        (_, NoteKind::Addendum) if !service.is_noted() => {
            return Err(Refusal::state(
                "note_missing",
                "Nothing was signed: an addendum adds to a signed note, and there is none yet.",
            ));
        }
        _ => {}
    }
    let (signer, hash) = (signer.to_owned(), hash.to_owned());
    Ok(vec![Event::NoteSigned { note, kind, signer, hash, at: now }])
}

fn bill(service: &Service, claim: &str) -> Result<Vec<Event>, Refusal> {
    if let Some((known, _)) = &service.claim
        && known == claim
    {
        return Ok(Vec::new());
    }
    if !service.is_noted() {
        return Err(Refusal::state(
            "note_missing",
            "Nothing was billed: the note is not signed. Sign it first.",
        ));
    }
    if service.status != Status::Noted {
        return Err(not_now("Nothing was billed.", service));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if claim.is_empty() || claim.len() > 20 || !claim.bytes().all(plain) {
        return Err(Refusal::invalid(
            "claim_invalid",
            "Nothing was billed. A claim's control number has 1 to 20 letters, digits, '-', '.' or '_': payers cut \
             longer ones.",
        ));
    }
    let charge = service.charge_minor().filter(|minor| *minor > 0).ok_or_else(|| {
        Refusal::invalid("amount_not_positive", "Nothing was billed: the charge of the lines is zero.")
    })?;
    Ok(vec![Event::Billed { claim: claim.to_owned(), charge: Money::new(charge, service.currency) }])
}

pub(super) fn positive(service: &Service, amount: Money) -> Result<(), Refusal> {
    if amount.minor > 0 && amount.currency == service.currency {
        return Ok(());
    }
    Err(Refusal::invalid(
        "amount_not_positive",
        format!("Nothing was changed. Give an amount above zero in {}.", service.currency),
    ))
}

pub(super) fn not_now(what: &str, service: &Service) -> Refusal {
    let next = match service.status {
        Status::Pending | Status::Scheduled => "Record the care first.",
        Status::Delivered => "Sign the note first.",
        Status::Noted => "Send the claim, or set the responsibility by hand.",
        Status::Billed => "Wait for the payer's decision, or set the responsibility by hand.",
        Status::Adjudicated => "Begin to settle.",
        Status::Settling => "It is being settled.",
        Status::Completed => "It is settled.",
        Status::Canceled => "It was cancelled.",
    };
    Refusal::state("not_allowed_now", format!("{what} The service is {}. {next}", service.status.name()))
}
