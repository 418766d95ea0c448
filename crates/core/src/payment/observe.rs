//! Evidence in, facts out. Each function compares what was seen with what is known and returns only what is new.
//!
//! Invariant: for evidence about money the result does not depend on the order of arrival. Statuses of refunds and
//! disputes only move up their order of proof; a jump over a stage also yields the stages that it implies.

use crate::attempt::{State, Step};
use crate::evidence::{
    ChargeSeen, ChargeStatus, DisputeSeen, DisputeStatus, Evidence, FeeSeen, IntentSeen, IntentStatus,
    PaymentError, RefundSeen, RefundStatus,
};
use crate::id::RefundId;
use crate::money::Money;
use crate::time::Timestamp;

use super::command::{Source, moved};
use super::event::Event;
use super::known::IntentKnown;
use super::state::Payment;

/// What is new in a piece of evidence.
pub(super) fn observe(
    payment: &Payment,
    evidence: &Evidence,
    seen_at: Timestamp,
    source: Source,
    now: Timestamp,
) -> Vec<Event> {
    match evidence {
        Evidence::Intent(seen) => intent(payment, seen, seen_at, source, now),
        Evidence::Charge(seen) => charge(payment, seen, now),
        Evidence::Refund(seen) => refund(payment, seen),
        Evidence::Dispute(seen) => dispute(payment, seen),
        Evidence::Fee(seen) => fee(payment, seen),
    }
}

fn intent(
    payment: &Payment,
    seen: &IntentSeen,
    seen_at: Timestamp,
    source: Source,
    now: Timestamp,
) -> Vec<Event> {
    let mut events = Vec::new();
    let known = payment.intent_known.as_ref();
    if is_newer(known, seen, seen_at) || is_present_truth(known, seen, seen_at, source) {
        events.push(Event::IntentMoved {
            intent: seen.intent.clone(),
            status: seen.status,
            seen_at,
            cancel_reason: seen.cancel_reason.clone(),
            error: seen.error.clone().map(Box::new),
            next_action: seen.next_action.clone(),
            customer: seen.customer.clone(),
        });
        events.extend(attempt_after_intent(payment, seen, source, now));
    }
    events
}

/// Whether a fetch in the very moment of the last word says something else: what was fetched last is the truth.
fn is_present_truth(
    known: Option<&IntentKnown>,
    seen: &IntentSeen,
    seen_at: Timestamp,
    source: Source,
) -> bool {
    let ended = |status| matches!(status, IntentStatus::Succeeded | IntentStatus::Canceled);
    source != Source::Webhook
        && known.is_some_and(|known| {
            !ended(known.status) && known.seen_at == seen_at && known.status != seen.status
        })
}

/// Whether the status seen replaces the one known. A total order, so that the greatest wins in any order of arrival:
/// an ended intent beats a running one, then the later moment, then the further status.
fn is_newer(known: Option<&IntentKnown>, seen: &IntentSeen, seen_at: Timestamp) -> bool {
    let rank = |status: IntentStatus, at: Timestamp| {
        let ended = matches!(status, IntentStatus::Succeeded | IntentStatus::Canceled);
        let further = match status {
            IntentStatus::RequiresMethod => 0,
            IntentStatus::RequiresConfirmation => 1,
            IntentStatus::RequiresAction => 2,
            IntentStatus::Processing => 3,
            IntentStatus::RequiresCapture => 4,
            IntentStatus::Canceled => 5,
            IntentStatus::Succeeded => 6,
        };
        // Among ended statuses the moment says nothing: paid beats canceled, whichever was told last.
        if ended { (true, Timestamp::default(), further) } else { (false, at, further) }
    };
    match known {
        None => true,
        Some(known) => rank(seen.status, seen_at) > rank(known.status, known.seen_at),
    }
}

fn attempt_after_intent(
    payment: &Payment,
    seen: &IntentSeen,
    source: Source,
    now: Timestamp,
) -> Option<Event> {
    let last = payment.attempts.last()?;
    let step = match seen.status {
        IntentStatus::Succeeded | IntentStatus::RequiresCapture => Step::Approved,
        IntentStatus::Canceled => Step::Ended,
        IntentStatus::RequiresAction | IntentStatus::Processing => Step::Waits,
        IntentStatus::RequiresMethod => {
            match seen.error.as_ref().filter(|error| is_of_this_attempt(payment, error, source)) {
                Some(error) => Step::Declined { error: Box::new(error.clone()) },
                None => Step::Waits,
            }
        }
        IntentStatus::RequiresConfirmation => Step::Waits,
    };
    let after = crate::attempt::next(&last.state, &step, now).ok()?;
    // An older attempt's echo must not close a younger attempt whose answer is still out.
    let still_out =
        matches!(last.state, State::Planned | State::Sent) && !matches!(source, Source::Answer(_));
    if after == last.state || (still_out && step == Step::Waits) {
        return None;
    }
    Some(moved(last, step, now))
}

/// Whether an intent's error speaks of the latest attempt. Our own answer does; otherwise the error must name a charge
/// that no earlier attempt failed with.
fn is_of_this_attempt(payment: &Payment, error: &PaymentError, source: Source) -> bool {
    let last = payment.attempts.last().map_or(0, |attempt| attempt.number);
    if let Source::Answer(number) = source {
        return number == last;
    }
    let charge =
        |error: &PaymentError| error.raw.get("charge").and_then(|id| id.as_str()).map(ToOwned::to_owned);
    let failed = charge(error);
    let known = payment.attempts.iter().filter_map(|attempt| match &attempt.state {
        State::Declined { error } => charge(error),
        _ => None,
    });
    failed.is_some_and(|failed| known.into_iter().all(|known| known != failed))
}

fn charge(payment: &Payment, seen: &ChargeSeen, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    if payment.is_of_another_charge(seen) {
        return events;
    }
    let amount = |minor| Money::new(minor, seen.amount.currency);
    match seen.status {
        ChargeStatus::Pending => {}
        ChargeStatus::Failed => {
            if !payment.failed_charges.contains(&seen.charge) {
                let error = seen.error.clone().map(Box::new);
                events.push(Event::ChargeFailed { charge: seen.charge.clone(), error });
            }
        }
        ChargeStatus::Succeeded if seen.captured_minor == 0 => {
            if payment.authorized_minor == 0 && payment.captured_minor == 0 {
                let capture_before = seen.capture_before;
                let charge = seen.charge.clone();
                events.push(Event::Authorized { charge, amount: seen.amount, capture_before });
            }
        }
        ChargeStatus::Succeeded => {
            if payment.authorized_minor == 0 && payment.manual_capture {
                let capture_before = seen.capture_before;
                let charge = seen.charge.clone();
                events.push(Event::Authorized { charge, amount: seen.amount, capture_before });
            }
            if seen.captured_minor > payment.captured_minor {
                events.push(Event::Captured {
                    charge: seen.charge.clone(),
                    amount: amount(seen.captured_minor - payment.captured_minor),
                    charged_at: seen.created,
                    card: seen.card.clone(),
                });
            }
        }
    }
    if seen.status == ChargeStatus::Succeeded
        && let Some(last) = payment.attempts.last().filter(|last| last.state != State::Approved)
    {
        events.push(moved(last, Step::Approved, now));
    }
    if let Some(fee_seen) = &seen.fee {
        events.extend(fee(payment, fee_seen));
    }
    events
}

fn fee(payment: &Payment, seen: &FeeSeen) -> Vec<Event> {
    if payment.fees.contains_key(&seen.transaction) {
        return Vec::new();
    }
    vec![Event::FeeKnown { transaction: seen.transaction.clone(), fee: seen.fee }]
}

fn refund(payment: &Payment, seen: &RefundSeen) -> Vec<Event> {
    let known = payment.refunds.get(&seen.refund).map(|known| known.status);
    if known.is_some_and(|known| known >= seen.status) {
        return Vec::new();
    }
    match seen.status {
        RefundStatus::Pending => {
            let refund_id = refund_id(seen);
            vec![Event::RefundPending { refund: seen.refund.clone(), refund_id, amount: seen.amount }]
        }
        RefundStatus::Succeeded => vec![went(payment, seen)],
        // The gateway's books show the money going out and coming back; so do ours, in whatever order we hear it.
        RefundStatus::Failed | RefundStatus::Canceled => match known {
            Some(RefundStatus::Failed) => Vec::new(),
            Some(RefundStatus::Succeeded) => vec![came_back(payment, seen)],
            _ => {
                let went = went(payment, seen);
                let after = Payment::evolve(Some(payment.clone()), &went);
                let back = came_back(after.as_ref().unwrap_or(payment), seen);
                vec![went, back]
            }
        },
    }
}

fn refund_id(seen: &RefundSeen) -> Option<RefundId> {
    seen.refund_id.as_deref().and_then(|id| RefundId::parse(id).ok())
}

/// A refund went out: what earlier ones brought back goes first.
fn went(payment: &Payment, seen: &RefundSeen) -> Event {
    let from_credit_minor = payment.in_credit_minor().clamp(0, seen.amount.minor.max(0));
    let (refund, refund_id) = (seen.refund.clone(), refund_id(seen));
    Event::Refunded { refund, refund_id, amount: seen.amount, from_credit_minor }
}

/// A refund that went out came back: a credit, unless another refund took the same money once more before we heard of it.
fn came_back(payment: &Payment, seen: &RefundSeen) -> Event {
    // Before the charge itself is known everything looks overdrawn.
    let overdrawn = match payment.captured_minor {
        0 => 0,
        captured => payment.taken_from_target_minor().saturating_sub(captured),
    };
    Event::RefundFailed {
        refund: seen.refund.clone(),
        refund_id: refund_id(seen),
        amount: seen.amount,
        to_target_minor: overdrawn.clamp(0, seen.amount.minor.max(0)),
        failure_reason: seen.failure_reason.clone(),
    }
}

fn dispute(payment: &Payment, seen: &DisputeSeen) -> Vec<Event> {
    let known = payment.disputes.get(&seen.dispute);
    let dispute = || seen.dispute.clone();
    let amount = seen.amount;
    let ended = matches!(seen.status, DisputeStatus::Won | DisputeStatus::Lost);
    let mut events = Vec::new();
    if known.is_none_or(|known| known.status < seen.status) {
        let (reason, due_by) = (seen.reason.clone(), seen.due_by);
        events.push(Event::DisputeMoved { dispute: dispute(), status: seen.status, amount, reason, due_by });
    }
    // A dispute that ended had its funds withdrawn, even if that notice has not arrived.
    let withdrawn = seen.withdrawn || seen.reinstated || ended;
    if withdrawn && !known.is_some_and(|known| known.withdrawn) {
        let fee = Money::new(seen.fee_minor, amount.currency);
        events.push(Event::DisputeWithdrawn { dispute: dispute(), amount, fee });
    }
    let reinstated = seen.reinstated || seen.status == DisputeStatus::Won;
    if reinstated && !known.is_some_and(|known| known.reinstated) {
        events.push(Event::DisputeReinstated { dispute: dispute(), amount });
    }
    if seen.status == DisputeStatus::Lost && !known.is_some_and(|known| known.lost) {
        events.push(Event::DisputeLost { dispute: dispute(), amount });
    }
    events
}
