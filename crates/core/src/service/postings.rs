//! The ledger entries that an event of a service means. Pure: `audit verify` derives them again and compares.

use crate::adjudication::Split;
use crate::ledger::{Account, Error, Line, Posting};
use crate::money::Money;

use super::event::{Applied, Event};
use super::state::{Service, Status};

/// The postings of an event, given the service before it.
///
/// # Errors
/// [`Error`] when an amount does not fit; `decide` never emits such an event.
pub fn postings(before: Option<&Service>, event: &Event) -> Result<Vec<Posting>, Error> {
    let Some(service) = before else { return Ok(Vec::new()) };
    let transfer = |key: String, debit, credit, amount: Money| {
        entry(service, key, &[(debit, amount.minor), (credit, -amount.minor)])
    };
    match event {
        Event::Billed { claim, charge } => {
            transfer(format!("billed:{}:{claim}", service.id), Account::ArPayer, Account::RevService, *charge)
        }
        Event::Adjudicated { decision, split } => {
            decided(service, format!("adjudicated:{}:{}", service.id, decision.key), *split)
        }
        Event::ResponsibilitySet { responsibility, .. } => set(service, *responsibility),
        Event::Missed { fee, .. } => {
            transfer(format!("missed:{}", service.id), Account::ArPatient, Account::RevService, *fee)
        }
        Event::PaidElsewhere { reference, amount, .. } => transfer(
            format!("elsewhere:{}:{reference}", service.id),
            Account::Bank,
            Account::ArPatient,
            *amount,
        ),
        Event::GivenBack { reference, from, amount, .. } => {
            let rest = match service.status {
                Status::Canceled => Account::DepositPatient,
                _ => Account::ArPatient,
            };
            let parts = [
                (Account::ArPatient, from.elsewhere_minor),
                (Account::CreditPatient, from.estimates_minor + from.returned_minor),
                (rest, from.unrefunded_minor),
                (Account::Bank, -amount.minor),
            ];
            entry(service, format!("given_back:{}:{reference}", service.id), &parts)
        }
        Event::Applied { applied, number } => apply(service, applied, *number),
        Event::WrittenOff { number, amount, .. } => transfer(
            format!("write_off:{}:{number}", service.id),
            Account::AdjWriteoff,
            Account::ArPatient,
            *amount,
        ),
        Event::WriteOffUndone { number, amount, .. } => transfer(
            format!("write_off_undone:{}:{number}", service.id),
            Account::ArPatient,
            Account::AdjWriteoff,
            *amount,
        ),
        _ => Ok(Vec::new()),
    }
}

/// One posting of the parts that are not zero; none when all are.
fn entry(service: &Service, key: String, parts: &[(Account, i64)]) -> Result<Vec<Posting>, Error> {
    let lines: Vec<Line> = parts
        .iter()
        .filter(|(_, minor)| *minor != 0)
        .map(|(account, minor)| {
            Line::debit(account.clone(), Money::new(*minor, service.currency)).of(Some(&service.link))
        })
        .collect();
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    Posting::try_new(key, lines).map(|posting| vec![posting])
}

/// What the payer pays comes by bank; the patient's part moves from the payer to the patient; what is refused stays.
fn decided(service: &Service, key: String, split: Split) -> Result<Vec<Posting>, Error> {
    let off_payer = split.paid.saturating_add(split.contractual).saturating_add(split.patient);
    let parts = [
        (Account::Bank, split.paid),
        (Account::AdjContractual, split.contractual),
        // A person's word about the patient's part stands until it is changed by a person.
        (Account::ArPatient, if service.set_by_person.is_some() { 0 } else { split.patient }),
        (
            Account::ArPayer,
            -(if service.set_by_person.is_some() { off_payer - split.patient } else { off_payer }),
        ),
    ];
    entry(service, key, &parts)
}

/// Without a claim the service's price is revenue from the patient; with one the part moves from the payer.
fn set(service: &Service, responsibility: Money) -> Result<Vec<Posting>, Error> {
    let change = responsibility.minor - service.responsibility_minor();
    let from = if service.claim.is_some() { Account::ArPayer } else { Account::RevService };
    let key = format!("responsibility:{}:{}", service.id, service.times_set.saturating_add(1));
    entry(service, key, &[(Account::ArPatient, change), (from, -change)])
}

/// Deposits that are used up pay what is owed; what is left over is owed back.
fn apply(service: &Service, applied: &Applied, number: u32) -> Result<Vec<Posting>, Error> {
    let consumed: i64 = applied.consumed.iter().map(|(_, minor)| minor).sum();
    let more = applied.applied_minor - service.applied_minor;
    let parts = [
        (Account::DepositPatient, consumed),
        (Account::ArPatient, -more),
        (Account::CreditPatient, more - consumed),
    ];
    entry(service, format!("applied:{}:{number}", service.id), &parts)
}
