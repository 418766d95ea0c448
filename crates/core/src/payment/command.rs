//! What may be done with a payment, and what follows. Refusals come in a fixed order: identity, shape, state, limits.

use crate::attempt::{Attempt, Step};
use crate::evidence::{Evidence, PaymentError};
use crate::explain::Care;
use crate::id::{AppointmentId, DebtId, PaymentId, RefundId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

use super::event::Event;
use super::known::Purpose;
use super::observe;
use super::state::Payment;
use super::status::Status;

/// How a payment begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Its id.
    pub payment: PaymentId,
    /// The debt it collects.
    pub debt: Option<DebtId>,
    /// The connection to the gateway.
    pub connection: String,
    /// The gateway's name.
    pub gateway: String,
    /// Our link token.
    pub link: Option<String>,
    /// What it is for.
    pub purpose: Option<Purpose>,
    /// The chain to the act of care.
    pub care: Care,
    /// The amount.
    pub amount: Money,
    /// Whether it is captured by a later call.
    pub manual_capture: bool,
    /// The gateway's customer, when the payer's methods are on file.
    pub customer: Option<String>,
    /// Who confirmed an amount that is far from the usual.
    pub confirmed_by: Option<String>,
}

/// How we learned something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The gateway's answer to the attempt of this number.
    Answer(u32),
    /// A webhook, whose payload may be old.
    Webhook,
    /// A fetch, a poll or a sweep: the gateway's present truth.
    Fetched,
}

/// What became of a call for an attempt, when it brought no evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Handed to a sender.
    Sent,
    /// Lost.
    Lost,
    /// Refused without an intent.
    Declined(Box<PaymentError>),
    /// Refused before processing, and it will not be sent again.
    GivenUp,
}

/// An order to a payment.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin.
    Open(Opening),
    /// Plan the next attempt. Nothing is planned without a method while there is an intent: the payer gives it in the
    /// browser to that one.
    PlanAttempt {
        /// The method; `None` when the payer gives it in the browser.
        method: Option<String>,
    },
    /// Record what became of an attempt's call.
    Answer {
        /// Which attempt.
        number: u32,
        /// What became of it.
        answer: Answer,
    },
    /// Take in evidence from the gateway.
    Observe {
        /// What was seen.
        evidence: Evidence,
        /// As of when.
        seen_at: Timestamp,
        /// How we learned it.
        source: Source,
    },
    /// Capture what is reserved.
    Capture {
        /// How much; `None`: all of it.
        amount: Option<Money>,
    },
    /// Record that the gateway refused a capture.
    CaptureRefused {
        /// Our code.
        code: String,
    },
    /// Cancel.
    Cancel,
    /// Set an amount aside for a refund.
    ReserveRefund {
        /// Our refund.
        refund_id: RefundId,
        /// How much.
        amount: Money,
    },
    /// Give the amount free again: the refund will not happen.
    ReleaseRefund {
        /// Our refund.
        refund_id: RefundId,
    },
    /// Record that what had come back from refunds was paid to the patient outside of a gateway.
    PayBackElsewhere {
        /// How much; no more than stands as a credit is taken.
        amount: Money,
    },
    /// Say whose money it is.
    ResolveLink {
        /// Our link token.
        link: String,
        /// What it is for.
        purpose: Purpose,
        /// The chain to the act of care.
        care: Care,
        /// The debt that it turned out to collect.
        debt: Option<DebtId>,
    },
    /// Let it pay for other care of the same patient.
    Relink {
        /// Our link token for that care.
        link: String,
        /// The chain to it.
        care: Care,
    },
    /// The care that it is a deposit for was given, and its money was applied.
    Consume,
    /// It arrived in a payout.
    Settle {
        /// The payout.
        payout: String,
    },
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Payment>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let payment = match (state, command) {
        (None, Command::Open(opening)) => return open(opening),
        (None, _) => {
            return Err(Refusal::state("payment_missing", "There is no such payment; nothing was changed."));
        }
        (Some(_), Command::Open(_)) => {
            return Err(Refusal::state(
                "payment_exists",
                "This payment exists already; nothing was changed.",
            ));
        }
        (Some(payment), _) => payment,
    };
    match command {
        Command::Open(_) => Ok(Vec::new()),
        Command::PlanAttempt { method } => plan(payment, method.as_deref(), now),
        Command::Answer { number, answer } => answered(payment, *number, answer, now),
        Command::Observe { evidence, seen_at, source } => {
            Ok(observe::observe(payment, evidence, *seen_at, *source, now))
        }
        Command::Capture { amount } => capture(payment, *amount, now),
        Command::CaptureRefused { code } => Ok(capture_refused(payment, code)),
        Command::Cancel => cancel(payment, now),
        Command::ReserveRefund { refund_id, amount } => reserve(payment, *refund_id, *amount),
        Command::ReleaseRefund { refund_id } => Ok(release(payment, *refund_id)),
        Command::PayBackElsewhere { amount } => Ok(pay_back_elsewhere(payment, *amount)),
        Command::ResolveLink { link, purpose, care, debt } => resolve(payment, link, (*purpose, *debt), care),
        Command::Relink { link, care } => relink(payment, link, care),
        Command::Consume => Ok(consume(payment)),
        Command::Settle { payout } => Ok(settle(payment, payout)),
    }
}

fn open(opening: &Opening) -> Result<Vec<Event>, Refusal> {
    if opening.amount.minor <= 0 {
        return Err(Refusal::invalid(
            "amount_not_positive",
            "Nothing was charged. Give an amount above zero.",
        ));
    }
    if opening.purpose.is_some() && !opening.care.explains_money() {
        return Err(Refusal::invalid(
            "care_missing",
            "Nothing was charged. A payment needs a patient, and an appointment or account, that explain it.",
        ));
    }
    Ok(vec![Event::Opened {
        payment: opening.payment,
        debt: opening.debt,
        connection: opening.connection.clone(),
        gateway: opening.gateway.clone(),
        link: opening.link.clone(),
        purpose: opening.purpose,
        care: opening.care.clone(),
        amount: opening.amount,
        manual_capture: opening.manual_capture,
        customer: opening.customer.clone(),
        confirmed_by: opening.confirmed_by.clone(),
    }])
}

fn plan(payment: &Payment, method: Option<&str>, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    if let Some(open) = payment.open_attempt()
        // An intent that waits for a method may be confirmed with one: that is the next attempt on the same intent.
        && payment.status() != Status::RequiresMethod
    {
        return Err(Refusal::state(
            "attempt_open",
            format!(
                "No new attempt was made. Attempt {} is {}: money may still move by it. Wait until it is answered, \
                 or cancel the payment.",
                open.number,
                open.state.name()
            ),
        ));
    }
    match payment.status() {
        Status::Created | Status::RequiresMethod => {}
        status => return Err(not_now("No new attempt was made.", status)),
    }
    // The payer may give a method to the intent that is there already; a second intent could be paid as well.
    if method.is_none() && payment.intent.is_some() {
        return Ok(Vec::new());
    }
    let number = payment.attempts.last().map_or(1, |last| last.number.saturating_add(1));
    let mut events: Vec<Event> =
        payment.open_attempt().map(|open| moved(open, Step::Ended, now)).into_iter().collect();
    // The moment is the attempt's stored time: part of the key, never recomputed (FEATURES R4).
    // The appointment first, so that people find all attempts of a visit by one beginning (FEATURES M209).
    let visit = payment.care.appointment.as_deref().filter(|id| AppointmentId::parse(id).is_ok());
    let visit = visit.map(|id| format!("{id}:")).unwrap_or_default();
    let key = format!("{visit}{}:attempt:{number}:{}", payment.id, now.millis());
    events.push(Event::AttemptPlanned { number, key, at: now, method: method.map(ToOwned::to_owned) });
    Ok(events)
}

fn answered(payment: &Payment, number: u32, answer: &Answer, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let Some(attempt) = payment.attempts.iter().find(|attempt| attempt.number == number) else {
        return Err(Refusal::invalid(
            "attempt_missing",
            format!("There is no attempt {number}; nothing was changed."),
        ));
    };
    // An answer to an attempt that was proven meanwhile by a webhook adds nothing.
    if !attempt.state.is_open() {
        return Ok(Vec::new());
    }
    let step = match answer {
        Answer::Sent => Step::Sent,
        Answer::Lost => Step::AnswerLost,
        Answer::Declined(error) => Step::Declined { error: error.clone() },
        Answer::GivenUp => Step::Ended,
    };
    let event = moved(attempt, step, now);
    let mut after = payment.clone();
    after = Payment::evolve(Some(after), &event).unwrap_or_else(|| payment.clone());
    Ok(if after == *payment { Vec::new() } else { vec![event] })
}

/// The event that moves an attempt.
pub(super) fn moved(attempt: &Attempt, step: Step, at: Timestamp) -> Event {
    Event::AttemptMoved { number: attempt.number, step, at }
}

fn capture(payment: &Payment, amount: Option<Money>, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let reserved = Money::new(payment.authorized_minor, payment.amount.currency);
    let amount = amount.unwrap_or(reserved);
    if amount.minor <= 0 || amount.currency != reserved.currency {
        return Err(Refusal::invalid(
            "amount_not_positive",
            format!("Nothing was captured. Give an amount above zero in {}.", reserved.currency),
        ));
    }
    if payment.capturing.is_some() {
        return Err(Refusal::state(
            "capture_in_progress",
            "No second capture was sent: one is on its way. Its outcome will show on the payment.",
        ));
    }
    if payment.status() != Status::Authorized || payment.canceling {
        return Err(not_now("Nothing was captured.", payment.status()));
    }
    if let Some(deadline) = payment.capture_before.filter(|deadline| *deadline <= now) {
        return Err(Refusal::state(
            "authorization_expired",
            format!("Nothing was captured: the authorization lapsed at {deadline}. Authorize again."),
        ));
    }
    if amount.minor > reserved.minor {
        return Err(Refusal::invalid(
            "capture_exceeds_authorized",
            format!("The capture of {amount} was not sent. Only {reserved} is authorized."),
        ));
    }
    let number = payment.captures.saturating_add(1);
    Ok(vec![Event::CaptureRequested { number, key: format!("{}:capture:{number}", payment.id), amount }])
}

fn capture_refused(payment: &Payment, code: &str) -> Vec<Event> {
    match payment.capturing {
        Some(_) => vec![Event::CaptureFailed { number: payment.captures, code: code.to_owned() }],
        None => Vec::new(),
    }
}

fn cancel(payment: &Payment, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    if payment.canceling {
        return Ok(Vec::new());
    }
    match payment.status() {
        Status::Created | Status::RequiresMethod | Status::RequiresAction | Status::Authorized => {}
        status => return Err(not_now("Nothing was canceled.", status)),
    }
    if payment.capturing.is_some() {
        return Err(Refusal::state(
            "capture_in_progress",
            "Nothing was canceled: a capture is on its way. If it succeeds, refund the payment.",
        ));
    }
    if payment.intent.is_some() {
        return Ok(vec![Event::CancelRequested { key: format!("{}:cancel", payment.id) }]);
    }
    match payment.open_attempt() {
        // Nothing left the house yet, so nothing has to be canceled at the gateway.
        Some(attempt) if attempt.state == crate::attempt::State::Planned => {
            Ok(vec![moved(attempt, Step::Ended, now)])
        }
        Some(attempt) => Err(Refusal::state(
            "attempt_open",
            format!(
                "Nothing was canceled. Attempt {} is {}: it is being looked up first.",
                attempt.number,
                attempt.state.name()
            ),
        )),
        None => Ok(Vec::new()),
    }
}

fn reserve(payment: &Payment, refund_id: RefundId, amount: Money) -> Result<Vec<Event>, Refusal> {
    if amount.minor <= 0 || amount.currency != payment.amount.currency {
        return Err(Refusal::invalid(
            "amount_not_positive",
            format!("Nothing was refunded. Give an amount above zero in {}.", payment.amount.currency),
        ));
    }
    match payment.status() {
        Status::Captured | Status::Settled | Status::PartRefunded | Status::Refunded => {}
        Status::Disputed | Status::Lost => {
            return Err(Refusal::state(
                "payment_disputed",
                "The refund was not sent: the payment is disputed, and the money would be lost twice. Answer or \
                 accept the dispute instead.",
            ));
        }
        status => return Err(not_now("Nothing was refunded.", status)),
    }
    let left = payment.refundable();
    if amount.minor > left.minor {
        return Err(Refusal::invalid(
            "refund_exceeds_captured",
            format!(
                "The refund of {amount} was not sent. Only {left} of this payment can still be refunded."
            ),
        ));
    }
    Ok(vec![Event::RefundReserved { refund_id, amount }])
}

fn release(payment: &Payment, refund_id: RefundId) -> Vec<Event> {
    match payment.reserved.contains_key(&refund_id.to_string()) {
        true => vec![Event::RefundReleased { refund_id }],
        false => Vec::new(),
    }
}

fn pay_back_elsewhere(payment: &Payment, amount: Money) -> Vec<Event> {
    let part = Money::new(amount.minor.min(payment.in_credit_minor()), payment.amount.currency);
    match part.minor > 0 && amount.currency == part.currency {
        true => vec![Event::PaidBackElsewhere { amount: part }],
        false => Vec::new(),
    }
}

fn resolve(
    payment: &Payment,
    link: &str,
    (purpose, debt): (Purpose, Option<DebtId>),
    care: &Care,
) -> Result<Vec<Event>, Refusal> {
    if !care.explains_money() {
        return Err(Refusal::invalid(
            "care_missing",
            "The money was left in susp:unapplied. A link needs a patient, and an appointment or account.",
        ));
    }
    match payment.purpose {
        Some(_) if payment.link.as_deref() == Some(link) => Ok(Vec::new()),
        Some(_) => {
            Err(Refusal::state("link_resolved", "Nothing was changed: this payment already has an owner."))
        }
        None => Ok(vec![Event::LinkResolved { link: link.to_owned(), purpose, care: care.clone(), debt }]),
    }
}

fn relink(payment: &Payment, link: &str, care: &Care) -> Result<Vec<Event>, Refusal> {
    if payment.link.as_deref() == Some(link) {
        return Ok(Vec::new());
    }
    if payment.purpose != Some(Purpose::Deposit)
        || payment.care.patient != care.patient
        || !care.explains_money()
    {
        return Err(Refusal::invalid(
            "relink_refused",
            "The payment was not moved. Only a deposit that is not used up can pay for other care, and only for the \
             same patient.",
        ));
    }
    Ok(vec![Event::Relinked { link: link.to_owned(), care: care.clone() }])
}

fn consume(payment: &Payment) -> Vec<Event> {
    match payment.purpose {
        Some(Purpose::Deposit) => vec![Event::Consumed],
        Some(Purpose::Balance | Purpose::Credit | Purpose::Order) | None => Vec::new(),
    }
}

fn settle(payment: &Payment, payout: &str) -> Vec<Event> {
    match &payment.payout {
        Some(_) => Vec::new(),
        None => vec![Event::Settled { payout: payout.to_owned() }],
    }
}

fn not_now(what: &str, status: Status) -> Refusal {
    let next = match status {
        Status::Unknown => {
            "Its last answer was lost; it is being looked up, and nobody may try again before that."
        }
        Status::Processing => "Wait until the gateway has decided.",
        Status::RequiresAction => "The payer must act first.",
        Status::Created | Status::RequiresMethod => "It has not been paid.",
        Status::Authorized => "It is authorized: capture or cancel it.",
        Status::Captured | Status::Settled | Status::PartRefunded => "It is paid: refund it instead.",
        Status::Refunded | Status::Failed | Status::Canceled | Status::Expired => {
            "It has ended: make a new payment."
        }
        Status::Disputed | Status::Lost => "It is disputed.",
    };
    Refusal::state("not_allowed_now", format!("{what} The payment is {}. {next}", status.name()))
}
