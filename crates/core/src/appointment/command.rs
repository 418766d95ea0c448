//! What may be done with an appointment, and what follows. Whether the slot is free is the store's word, not this machine's.

use crate::explain::Reason;
use crate::id::{AppointmentId, ClinicId, DebtId, EligibilityId, EncounterId, ServiceId, WaitingId};
use crate::money::Money;
use crate::payment::{self, Payment};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::visit::{Terms, Verdict};

use super::event::{Confirmation, Context, Event, Party};
use super::state::{Appointment, Paid, Role, Status};

/// A slot to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Its id.
    pub appointment: AppointmentId,
    /// Who, with whom, what and when.
    pub context: Context,
    /// The clinic.
    pub clinic: ClinicId,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The patient's zone.
    pub zone: String,
    /// The link token.
    pub link: String,
    /// The debt of the deposit.
    pub debt: Option<DebtId>,
    /// The terms.
    pub terms: Terms,
    /// The coverage that the deposit was computed from.
    pub eligibility: Option<EligibilityId>,
    /// The place in the waiting list that it is offered to.
    pub waiting: Option<WaitingId>,
}

/// An order to an appointment.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Hold a slot.
    Select(Box<Selection>),
    /// Hold it longer.
    Extend,
    /// Take in what a payment proves.
    Follow {
        /// The payment.
        payment: Box<Payment>,
        /// The service to make when it confirms the booking.
        service: ServiceId,
    },
    /// Confirm without money, when none is due.
    Confirm {
        /// The service to make.
        service: ServiceId,
    },
    /// End the hold.
    Lapse,
    /// Confirm by money that came late: the slot was still free, and is taken again.
    Rebook {
        /// The service to make.
        service: ServiceId,
    },
    /// Give late money back: the slot is taken.
    LoseSlot,
    /// Record the charge before the visit.
    RecordVisitDue {
        /// Its debt.
        debt: DebtId,
        /// How much.
        amount: Money,
    },
    /// The charge before the visit cannot be made or was declined.
    PutAtRisk {
        /// Why, as a code.
        reason: String,
    },
    /// See the patient anyway.
    Override {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Mark it as an emergency, or no longer.
    MarkEmergency {
        /// Whether it is.
        emergency: bool,
        /// Who says so.
        by: String,
    },
    /// Release the slot: the deadline passed.
    Release {
        /// What the policy says.
        verdict: Verdict,
    },
    /// Cancel it.
    Cancel {
        /// Who.
        by: Party,
        /// Why, as a code.
        reason: String,
        /// What the policy says.
        verdict: Verdict,
        /// Who waives the fee, and why.
        waived: Option<(String, String)>,
    },
    /// Move it.
    Move {
        /// When it begins.
        starts_at: Timestamp,
        /// When it ends.
        ends_at: Timestamp,
        /// Who moves it.
        by: Party,
        /// Why, as a code.
        reason: String,
    },
    /// The patient is here.
    Arrive,
    /// An encounter documents it.
    OpenEncounter {
        /// Which.
        encounter: EncounterId,
    },
    /// The visit took place.
    Complete,
    /// The patient did not come.
    Miss {
        /// What the policy says.
        verdict: Verdict,
        /// Who says so.
        by: Party,
    },
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Appointment>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let appointment = match (state, command) {
        (None, Command::Select(selection)) => return select(selection, now),
        (None, _) => {
            return Err(Refusal::state(
                "appointment_missing",
                "There is no such appointment; nothing was changed.",
            ));
        }
        (Some(_), Command::Select(_)) => {
            return Err(Refusal::state(
                "appointment_exists",
                "This appointment exists already; nothing was changed.",
            ));
        }
        (Some(appointment), _) => appointment,
    };
    match command {
        Command::Select(_) => Ok(Vec::new()),
        Command::Extend => extend(appointment),
        Command::Follow { payment, service } => Ok(follow(appointment, payment, *service, now)),
        Command::Confirm { service } => confirm(appointment, *service),
        Command::Lapse => match appointment.status {
            Status::PendingPayment => Ok(vec![Event::Lapsed]),
            _ => Ok(Vec::new()),
        },
        Command::Rebook { service } => Ok(match appointment.late_proof() {
            Some(payment) if appointment.status == Status::Lapsed => {
                vec![appointment.confirmed(Confirmation::LatePayment { payment }, *service)]
            }
            _ => Vec::new(),
        }),
        Command::LoseSlot => {
            Ok(appointment.late_proof().map(|payment| Event::SlotLost { payment }).into_iter().collect())
        }
        Command::RecordVisitDue { debt, amount } => record_visit_due(appointment, *debt, *amount),
        Command::PutAtRisk { reason } => Ok(put_at_risk(appointment, reason, now).into_iter().collect()),
        Command::Override { by, reason } => override_risk(appointment, by, reason),
        Command::MarkEmergency { emergency, by } => mark_emergency(appointment, *emergency, by),
        Command::Release { verdict } => Ok(release(appointment, verdict, now)),
        Command::Cancel { by, reason, verdict, waived } => {
            cancel(appointment, (*by, reason), verdict, waived.clone())
        }
        Command::Move { starts_at, ends_at, by, reason } => {
            move_to(appointment, (*starts_at, *ends_at), *by, reason)
        }
        visit => decide_visit(appointment, visit, now),
    }
}

fn decide_visit(appointment: &Appointment, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match (command, appointment.status) {
        (Command::Arrive, Status::Confirmed | Status::AtRisk) => {
            // Whoever is here is seen: what is due stays owed (FLOWS T3b).
            let risk = appointment.risk.as_ref().map(|_| Event::Overridden {
                by: "front_desk".to_owned(),
                reason: "patient_is_here".to_owned(),
            });
            Ok(risk.into_iter().chain([Event::Arrived { at: now }]).collect())
        }
        (Command::Arrive, Status::InVisit) => Ok(Vec::new()),
        (Command::OpenEncounter { encounter }, Status::Confirmed | Status::AtRisk | Status::InVisit) => {
            match appointment.encounter {
                Some(known) if known == *encounter => Ok(Vec::new()),
                Some(_) => Err(Refusal::state(
                    "encounter_exists",
                    "No encounter was opened: this appointment has one already.",
                )),
                None => Ok(vec![Event::EncounterOpened { encounter: *encounter }]),
            }
        }
        (Command::Complete, Status::InVisit | Status::Confirmed | Status::AtRisk) => {
            Ok(vec![Event::VisitCompleted { at: now }])
        }
        (Command::Complete, Status::Completed) => Ok(Vec::new()),
        (Command::Miss { .. }, Status::Confirmed | Status::AtRisk) if now < appointment.context.starts_at => {
            Err(Refusal::state(
                "visit_not_begun",
                format!(
                    "Nobody was marked as missing: the visit begins at {}. Cancel it instead, or wait.",
                    appointment.context.starts_at
                ),
            ))
        }
        (Command::Miss { verdict, by }, Status::Confirmed | Status::AtRisk) => {
            Ok(vec![Event::PatientMissed { verdict: verdict.clone(), by: *by }])
        }
        (Command::Miss { .. }, Status::NoShow) => Ok(Vec::new()),
        _ => Err(not_now("Nothing was changed.", appointment)),
    }
}

fn select(selection: &Selection, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    selection.terms.check()?;
    if selection.ends_at <= selection.context.starts_at {
        return Err(Refusal::invalid("time_invalid", "Nothing was held: the visit ends before it begins."));
    }
    let minutes = match selection.waiting {
        Some(_) => selection.terms.offer_minutes,
        None => selection.terms.hold_minutes,
    };
    Ok(vec![Event::SlotSelected {
        appointment: selection.appointment,
        context: selection.context,
        clinic: selection.clinic,
        ends_at: selection.ends_at,
        zone: selection.zone.clone(),
        link: selection.link.clone(),
        debt: selection.debt,
        terms: selection.terms.clone(),
        held_until: after_minutes(now, minutes),
        eligibility: selection.eligibility,
        waiting: selection.waiting,
    }])
}

fn extend(appointment: &Appointment) -> Result<Vec<Event>, Refusal> {
    match appointment.status {
        Status::PendingPayment if !appointment.extended && appointment.terms.extend_minutes > 0 => {
            let until = after_minutes(appointment.held_until, appointment.terms.extend_minutes);
            Ok(vec![Event::HoldExtended { until }])
        }
        Status::PendingPayment => Ok(Vec::new()),
        _ => Err(not_now("The hold was not extended.", appointment)),
    }
}

fn confirm(appointment: &Appointment, service: ServiceId) -> Result<Vec<Event>, Refusal> {
    match appointment.status {
        Status::PendingPayment if appointment.terms.deposit.minor == 0 => {
            Ok(vec![appointment.confirmed(Confirmation::NothingDue, service)])
        }
        Status::PendingPayment => Err(Refusal::state(
            "deposit_required",
            format!(
                "The appointment was not confirmed: the deposit of {} is not paid. Take it first; the slot is held \
                 until {}.",
                appointment.terms.deposit, appointment.held_until
            ),
        )),
        Status::Confirmed => Ok(Vec::new()),
        _ => Err(not_now("The appointment was not confirmed.", appointment)),
    }
}

fn follow(appointment: &Appointment, payment: &Payment, service: ServiceId, now: Timestamp) -> Vec<Event> {
    let Some(role) = payment.debt.and_then(|debt| appointment.role_of(debt)) else { return Vec::new() };
    let paid = Paid::of(payment, role);
    if appointment.payments.get(&payment.id.to_string()) == Some(&paid) {
        return Vec::new();
    }
    let moved = Event::PaymentMoved { payment: payment.id, paid };
    let Some(after) = Appointment::evolve(Some(appointment.clone()), &moved) else { return Vec::new() };
    let mut events = vec![moved];
    match after.status {
        Status::PendingPayment => {
            let proof = after.deposit_proof();
            events.extend(proof.map(|payment| after.confirmed(Confirmation::Deposit { payment }, service)));
        }
        Status::AtRisk if after.visit_open().is_none() && !after.lacks_deposit() => {
            events.push(Event::Secured);
        }
        Status::Confirmed if after.lacks_deposit() => {
            events.extend(put_at_risk(&after, "deposit_gone", now));
        }
        Status::Confirmed if role == Role::Visit && is_refused(paid.status) => {
            events.extend(put_at_risk(&after, "payment_failed", now));
        }
        _ => {}
    }
    events
}

/// Whether a payment says that it cannot go on without the patient.
const fn is_refused(status: payment::Status) -> bool {
    matches!(
        status,
        payment::Status::RequiresMethod | payment::Status::RequiresAction | payment::Status::Failed
    )
}

fn put_at_risk(appointment: &Appointment, reason: &str, now: Timestamp) -> Option<Event> {
    // Once somebody decided to see the patient anyway, money no longer threatens the visit.
    let settled = appointment.overridden.is_some()
        || appointment.visit_open().is_none() && !appointment.lacks_deposit();
    if appointment.status != Status::Confirmed || settled {
        return None;
    }
    let rescue = std::time::Duration::from_secs(u64::from(appointment.terms.rescue_minutes) * 60);
    let begins = appointment.context.starts_at;
    // A deposit may go back days before; the patient can pay it again until shortly before the visit.
    let latest = match appointment.lacks_deposit() {
        true => (now + rescue).max(begins - rescue),
        false => now + rescue,
    };
    let deadline = if begins > now { latest.min(begins) } else { latest };
    Some(Event::PutAtRisk { deadline, reason: reason.to_owned() })
}

fn record_visit_due(appointment: &Appointment, debt: DebtId, amount: Money) -> Result<Vec<Event>, Refusal> {
    match (appointment.status, appointment.visit_due) {
        (_, Some(_)) => Ok(Vec::new()),
        (Status::Confirmed, None) if amount.minor > 0 => Ok(vec![Event::VisitDue { debt, amount }]),
        (Status::Confirmed, None) => {
            Err(Refusal::invalid("amount_not_positive", "Nothing is due before the visit."))
        }
        _ => Err(not_now("Nothing was charged.", appointment)),
    }
}

fn override_risk(appointment: &Appointment, by: &str, reason: &str) -> Result<Vec<Event>, Refusal> {
    let reason = Reason::parse(reason)?.as_str().to_owned();
    if by.trim().is_empty() || by.len() > 100 {
        return Err(Refusal::invalid(
            "authorizer_required",
            "Nothing was changed. Say who sees the patient anyway.",
        ));
    }
    match appointment.status {
        Status::AtRisk => Ok(vec![Event::Overridden { by: by.to_owned(), reason }]),
        Status::Confirmed | Status::InVisit => Ok(Vec::new()),
        _ => Err(not_now("Nothing was overridden.", appointment)),
    }
}

fn mark_emergency(appointment: &Appointment, emergency: bool, by: &str) -> Result<Vec<Event>, Refusal> {
    match appointment.status {
        Status::PendingPayment | Status::Confirmed | Status::AtRisk | Status::InVisit => {
            Ok(match appointment.emergency == emergency {
                true => Vec::new(),
                false => vec![Event::EmergencyMarked { emergency, by: by.to_owned() }],
            })
        }
        _ => Err(not_now("Nothing was marked.", appointment)),
    }
}

fn release(appointment: &Appointment, verdict: &Verdict, now: Timestamp) -> Vec<Event> {
    let due = appointment.risk.as_ref().is_some_and(|(deadline, _)| *deadline <= now);
    if appointment.status != Status::AtRisk || appointment.emergency || !due {
        return Vec::new();
    }
    vec![Event::BookingCanceled {
        context: appointment.context,
        by: Party::System,
        reason: "payment_sla".to_owned(),
        verdict: verdict.clone(),
        waived: None,
    }]
}

fn cancel(
    appointment: &Appointment,
    (by, reason): (Party, &str),
    verdict: &Verdict,
    waived: Option<(String, String)>,
) -> Result<Vec<Event>, Refusal> {
    let reason = Reason::parse(reason)?.as_str().to_owned();
    match appointment.status {
        Status::PendingPayment | Status::Confirmed | Status::AtRisk => Ok(vec![Event::BookingCanceled {
            context: appointment.context,
            by,
            reason,
            verdict: verdict.clone(),
            waived,
        }]),
        Status::Canceled => Ok(Vec::new()),
        Status::InVisit | Status::Completed | Status::NoShow | Status::Lapsed => {
            Err(not_now("The appointment was not cancelled.", appointment))
        }
    }
}

fn move_to(
    appointment: &Appointment,
    (starts_at, ends_at): (Timestamp, Timestamp),
    by: Party,
    reason: &str,
) -> Result<Vec<Event>, Refusal> {
    let reason = Reason::parse(reason)?.as_str().to_owned();
    if appointment.context.starts_at == starts_at && appointment.ends_at == ends_at {
        return Ok(Vec::new());
    }
    match appointment.status {
        Status::Confirmed => Ok(vec![Event::Moved {
            context: Context { starts_at, ..appointment.context },
            ends_at,
            from: appointment.context.starts_at,
            by,
            reason,
        }]),
        Status::AtRisk => Err(Refusal::state(
            "appointment_at_risk",
            "The appointment was not moved: a charge for it failed. Let it be paid, or override the risk, first.",
        )),
        _ => Err(not_now("The appointment was not moved.", appointment)),
    }
}

impl Appointment {
    fn confirmed(&self, confirmation: Confirmation, service: ServiceId) -> Event {
        Event::BookingConfirmed { context: self.context, confirmation, service }
    }
}

fn after_minutes(from: Timestamp, minutes: u32) -> Timestamp {
    from + std::time::Duration::from_secs(u64::from(minutes) * 60)
}

fn not_now(what: &str, appointment: &Appointment) -> Refusal {
    let next = match appointment.status {
        Status::PendingPayment => "Its deposit is awaited.",
        Status::Confirmed => "It stands.",
        Status::AtRisk => "A charge for it failed: let it be paid, override the risk, or cancel it.",
        Status::InVisit => "The patient is here.",
        Status::Completed => "The visit took place.",
        Status::Canceled => "It was cancelled; book another.",
        Status::NoShow => "The patient did not come; book another.",
        Status::Lapsed => "Its hold ended without payment; select a slot again.",
    };
    Refusal::state(
        "not_allowed_now",
        format!("{what} The appointment is {}. {next}", appointment.status.name()),
    )
}
