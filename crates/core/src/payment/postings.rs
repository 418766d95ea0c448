//! The ledger entries that an event means. Pure: `audit verify` derives them again and compares.

use crate::ledger::{Account, Error, Line, Posting};
use crate::money::Money;

use super::event::Event;
use super::state::Payment;

/// The postings of an event, given the payment before it.
///
/// # Errors
/// [`Error`] when an amount is zero or does not fit; `decide` and `observe` never emit such an event.
pub fn postings(before: Option<&Payment>, event: &Event) -> Result<Vec<Posting>, Error> {
    let Some(payment) = before else { return Ok(Vec::new()) };
    let gateway = || Account::Gateway(payment.gateway.clone());
    let party = payment.link.as_deref();
    let one = |key: String, debit, credit, amount: Money| {
        Posting::transfer(key, debit, credit, amount, party).map(|posting| vec![posting])
    };
    match event {
        Event::Captured { charge, amount, .. } => {
            let key = match payment.captured_minor {
                0 => format!("capture:{charge}"),
                before => format!("capture:{charge}:{}", before.saturating_add(amount.minor)),
            };
            one(key, gateway(), payment.target(), *amount)
        }
        Event::FeeKnown { fee, .. } if fee.minor == 0 => Ok(Vec::new()),
        Event::FeeKnown { transaction, fee } => {
            one(format!("fee:{transaction}"), Account::ExpFee, gateway(), *fee)
        }
        Event::Refunded { refund, amount, from_credit_minor, .. } => {
            refunded(payment, refund, *amount, *from_credit_minor)
        }
        Event::RefundFailed { refund, amount, to_target_minor, .. } => {
            refund_failed(payment, refund, *amount, *to_target_minor)
        }
        Event::DisputeWithdrawn { dispute, amount, fee } => withdrawn(payment, dispute, *amount, *fee),
        Event::DisputeReinstated { dispute, amount } => {
            one(format!("dispute_won:{dispute}"), gateway(), Account::HoldDispute, *amount)
        }
        Event::DisputeLost { dispute, amount } => {
            one(format!("dispute_lost:{dispute}"), Account::AdjWriteoff, Account::HoldDispute, *amount)
        }
        Event::Relinked { link, .. } => relinked(payment, link),
        Event::LinkResolved { link, purpose, .. } => {
            // What stands in suspense: captured, less what went back from there.
            let gone = payment.taken_from_target_minor();
            let amount = Money::new(payment.captured_minor.saturating_sub(gone), payment.amount.currency);
            if amount.minor == 0 {
                return Ok(Vec::new());
            }
            let owner = Payment { purpose: Some(*purpose), ..payment.clone() };
            Posting::try_new(
                format!("apply:{}", payment.id),
                vec![
                    Line::debit(Account::SuspUnapplied, amount).of(party),
                    Line::credit(owner.target(), amount).of(Some(link)),
                ],
            )
            .map(|posting| vec![posting])
        }
        _ => Ok(Vec::new()),
    }
}

/// The accounts in which the patient's part of a refund lies: its credit, and where the payment put the rest.
fn shares(payment: &Payment, amount: Money, credit_minor: i64) -> Vec<(Account, Money)> {
    // What is a credit already has no other place.
    let is_credit = payment.target() == Account::CreditPatient;
    let credit_minor = if is_credit { amount.minor } else { credit_minor };
    let rest_minor = amount.minor.saturating_sub(credit_minor);
    let parts = [(payment.target(), rest_minor), (Account::CreditPatient, credit_minor)];
    let money = |(account, minor)| (account, Money::new(minor, amount.currency));
    parts.into_iter().filter(|(_, minor)| *minor != 0).map(money).collect()
}

fn refunded(
    payment: &Payment,
    refund: &str,
    amount: Money,
    from_credit_minor: i64,
) -> Result<Vec<Posting>, Error> {
    let party = payment.link.as_deref();
    let from = shares(payment, amount, from_credit_minor);
    let mut lines: Vec<Line> =
        from.into_iter().map(|(account, part)| Line::debit(account, part).of(party)).collect();
    lines.push(Line::credit(Account::Gateway(payment.gateway.clone()), amount).of(party));
    Posting::try_new(format!("refund:{refund}"), lines).map(|posting| vec![posting])
}

fn refund_failed(
    payment: &Payment,
    refund: &str,
    amount: Money,
    to_target_minor: i64,
) -> Result<Vec<Posting>, Error> {
    let party = payment.link.as_deref();
    let mut lines = vec![Line::debit(Account::Gateway(payment.gateway.clone()), amount).of(party)];
    let to = shares(payment, amount, amount.minor.saturating_sub(to_target_minor));
    lines.extend(to.into_iter().map(|(account, part)| Line::credit(account, part).of(party)));
    Posting::try_new(format!("refund_failed:{refund}"), lines).map(|posting| vec![posting])
}

/// What the payment holds moves from one act of care to another, within its account.
fn relinked(payment: &Payment, link: &str) -> Result<Vec<Posting>, Error> {
    let held = payment.captured_minor.saturating_sub(payment.refunded_minor());
    let amount = Money::new(held, payment.amount.currency);
    if amount.minor == 0 {
        return Ok(Vec::new());
    }
    let lines = vec![
        Line::debit(payment.target(), amount).of(payment.link.as_deref()),
        Line::credit(payment.target(), amount).of(Some(link)),
    ];
    Posting::try_new(format!("relink:{}:{link}", payment.id), lines).map(|posting| vec![posting])
}

fn withdrawn(payment: &Payment, dispute: &str, amount: Money, fee: Money) -> Result<Vec<Posting>, Error> {
    let gateway = || Account::Gateway(payment.gateway.clone());
    let party = payment.link.as_deref();
    let held =
        Posting::transfer(format!("dispute:{dispute}"), Account::HoldDispute, gateway(), amount, party)?;
    if fee.minor == 0 {
        return Ok(vec![held]);
    }
    let fee = Posting::transfer(format!("dispute_fee:{dispute}"), Account::ExpFee, gateway(), fee, party)?;
    Ok(vec![held, fee])
}
