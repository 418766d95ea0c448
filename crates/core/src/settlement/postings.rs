//! The ledger entries that an event means. Pure: `audit verify` derives them again and compares.

use crate::ledger::{Account, Error, Line, Posting};
use crate::money::Money;

use super::event::{Booking, Event, Resolution};
use super::state::Settlement;

/// The postings of an event, given the payout before it.
///
/// # Errors
/// [`Error`] when an amount is zero or does not fit; `decide` emits no such event.
pub fn postings(before: Option<&Settlement>, event: &Event) -> Result<Vec<Posting>, Error> {
    let Some(known) = before else { return Ok(Vec::new()) };
    let gateway = || Account::Gateway(known.heard.gateway.clone());
    let payout = &known.heard.payout;
    let amount = known.heard.amount;
    match event {
        Event::LineBooked { transaction, amount, booking, on, .. } => {
            let key = format!("settlement_line:{transaction}");
            Ok(vec![booked(key, gateway(), *amount, booking)?.dated(*on)])
        }
        Event::Departed { on } if amount.minor != 0 => {
            let key = format!("payout:{payout}");
            Ok(vec![Posting::transfer(key, Account::BankTransit, gateway(), amount, None)?.dated(*on)])
        }
        Event::Returned { on } if amount.minor != 0 => {
            let key = format!("payout_failed:{payout}");
            Ok(vec![Posting::transfer(key, gateway(), Account::BankTransit, amount, None)?.dated(*on)])
        }
        Event::BankMatched { line, amount, kept, on } => {
            let arrived = Money::new(amount.minor.saturating_add(kept.minor), amount.currency);
            let mut lines =
                vec![Line::debit(Account::Bank, *amount), Line::credit(Account::BankTransit, arrived)];
            if kept.minor != 0 {
                lines.push(Line::debit(Account::ExpBank, *kept));
            }
            Ok(vec![Posting::try_new(format!("bank:{line}:{payout}"), lines)?.dated(*on)])
        }
        Event::Resolved { transaction, resolution } => {
            let Some(open) = known.exceptions.get(transaction) else { return Ok(Vec::new()) };
            let to = match resolution {
                Resolution::Fact => gateway(),
                Resolution::Account { account } => account.clone(),
            };
            let key = format!("settlement_resolved:{transaction}");
            Posting::transfer(key, Account::SuspUnknown, to, open.amount, None).map(|posting| vec![posting])
        }
        Event::Heard(_)
        | Event::StandingSeen { .. }
        | Event::LinesMatched { .. }
        | Event::Departed { .. }
        | Event::Returned { .. }
        | Event::Assigned { .. }
        | Event::Closed => Ok(Vec::new()),
    }
}

/// A line that changes the gateway's balance by an amount, and what stands against it.
fn booked(key: String, gateway: Account, amount: Money, booking: &Booking) -> Result<Posting, Error> {
    match booking {
        Booking::Fee => Posting::transfer(key, gateway, Account::ExpFee, amount, None),
        Booking::Unexplained => Posting::transfer(key, gateway, Account::SuspUnknown, amount, None),
        Booking::Exchange { booked } => Posting::try_new(
            key,
            vec![
                Line::debit(gateway.clone(), amount),
                Line::credit(Account::FxExchange, amount),
                Line::credit(gateway, *booked),
                Line::debit(Account::FxExchange, *booked),
            ],
        ),
    }
}
