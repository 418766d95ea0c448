//! The ledger entries that an event of a payout means. Pure: `audit verify` derives them again and compares.
//!
//! With the service's own `Dr ar:patient / Cr rev:service` the accrual nets to FLOWS 3.3:
//! `Dr ar:patient / Cr rev:platform, Cr owed:provider`. Lines of `owed:provider` belong to the provider, so that a balance
//! per provider says who owes whom; a netting between two payouts of one provider moves nothing there.

use crate::ledger::{Account, Error, Line, Posting};

use super::event::Event;
use super::state::ProviderPayout;
use super::transfer::Step;

/// The postings of an event, given the payout before it.
///
/// # Errors
/// [`Error`] when an amount does not fit; `decide` never emits such an event.
pub fn postings(before: Option<&ProviderPayout>, event: &Event) -> Result<Vec<Posting>, Error> {
    let after = ProviderPayout::evolve(before.cloned(), event);
    let (Some(after), before) = (after.as_ref(), before) else { return Ok(Vec::new()) };
    let id = after.accrual.payout;
    match event {
        Event::Accrued(_) if before.is_none() => split(None, after, format!("payout_accrued:{id}")),
        Event::Adjusted { number, .. } => split(before, after, format!("payout_adjusted:{id}:{number}")),
        Event::LossShared { cause, borne, number, .. } => {
            let known = before.and_then(|before| before.losses.get(cause)).map_or(0, |loss| loss.borne_minor);
            let change = borne.minor.saturating_sub(known);
            let parts = [(Account::OwedProvider, change), (Account::AdjWriteoff, change.saturating_neg())];
            entry(after, format!("payout_loss:{id}:{number}"), &parts)
        }
        Event::TransferMoved { number, to: Step::Done, transfer: Some(gateway_id), .. } => {
            let transfer = after.transfers.iter().find(|transfer| transfer.number == *number);
            let amount = transfer.map_or(0, |transfer| transfer.amount_minor);
            paid(after, format!("transfer:{gateway_id}"), amount)
        }
        Event::ReversalMoved { number, to: Step::Done, reversal: Some(gateway_id), .. } => {
            let reversal = after.reversals.iter().find(|reversal| reversal.number == *number);
            let amount = reversal.map_or(0, |reversal| reversal.amount_minor);
            paid(after, format!("transfer_reversed:{gateway_id}"), amount.saturating_neg())
        }
        _ => Ok(Vec::new()),
    }
}

/// The charge, or what changed of it, leaves the service's revenue and becomes the platform's and the provider's.
fn split(
    before: Option<&ProviderPayout>,
    after: &ProviderPayout,
    key: String,
) -> Result<Vec<Posting>, Error> {
    let change = |of: fn(&ProviderPayout) -> i64| of(after).saturating_sub(before.map_or(0, of));
    let parts = [
        (Account::RevService, change(|payout| payout.gross_minor)),
        (Account::RevPlatform, change(ProviderPayout::platform_minor).saturating_neg()),
        (Account::OwedProvider, change(ProviderPayout::provider_minor).saturating_neg()),
    ];
    entry(after, key, &parts)
}

/// What went to the provider is no longer owed; negative for what came back.
fn paid(after: &ProviderPayout, key: String, minor: i64) -> Result<Vec<Posting>, Error> {
    let gateway = Account::Gateway(after.accrual.gateway.clone());
    entry(after, key, &[(Account::OwedProvider, minor), (gateway, minor.saturating_neg())])
}

/// One posting of the parts that are not zero; none when all are.
fn entry(payout: &ProviderPayout, key: String, parts: &[(Account, i64)]) -> Result<Vec<Posting>, Error> {
    let provider = payout.accrual.provider.to_string();
    let lines: Vec<Line> = parts
        .iter()
        .filter(|(_, minor)| *minor != 0)
        .map(|(account, minor)| {
            let party = match account {
                Account::OwedProvider => &provider,
                _ => &payout.accrual.link,
            };
            Line::debit(account.clone(), payout.money(*minor)).of(Some(party))
        })
        .collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    Posting::try_new(key, lines).map(|posting| vec![posting])
}
