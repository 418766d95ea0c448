//! Lines of a service: whatever happened, every column adds up to the worksheet.

use proptest::prelude::{Strategy, proptest};

use super::*;
use crate::adjudication::{Adjudication, Adjustment, Group, Outcome};
use crate::currency::Currency;
use crate::id::{Mint, NoteId, PatientId, PaymentId, Random, ServiceId};
use crate::money::Money;
use crate::time::Timestamp;

struct Seeded(u8);

impl Random for Seeded {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn total(lines: &[LineShare], of: impl Fn(&LineShare) -> Money) -> i64 {
    lines.iter().map(|line| of(line).minor).sum()
}

/// Every column over the lines is what the service says in all.
pub(super) fn adds_up(service: &Service) {
    let Allocation { lines, unapplied } = service.allocation();
    let sheet = service.worksheet();
    let decided = |part: fn(&crate::adjudication::Split) -> i64| -> i64 {
        service.decisions.iter().map(|(_, split)| part(split)).sum()
    };
    assert_eq!(total(&lines, |line| line.charge), service.charge_minor().unwrap());
    assert_eq!(total(&lines, |line| line.payer_paid), decided(|split| split.paid));
    assert_eq!(total(&lines, |line| line.contractual), decided(|split| split.contractual));
    assert_eq!(total(&lines, |line| line.open_with_payer), service.open_with_payer_minor());
    assert_eq!(total(&lines, |line| line.patient), sheet.responsibility.minor);
    let paid: i64 =
        lines.iter().flat_map(|line| &line.payments).map(|payment| payment.amount.minor).sum::<i64>();
    let given_up = total(&lines, |line| line.written_off);
    let all = sheet.estimates.minor
        + sheet.balance_payments.minor
        + sheet.elsewhere.minor
        + sheet.written_off.minor;
    assert_eq!(paid + given_up + unapplied.minor, all, "no payment is lost or counted twice");
    assert_eq!(total(&lines, |line| line.due) - unapplied.minor, sheet.difference.minor);
}

/// A billed service with these charges.
fn billed(charges: &[i64]) -> Service {
    let seed = Seeded(1);
    let mint = Mint::new(at(0), &seed);
    let line = |minor: &i64| Line { code: format!("C{minor}"), charge: Money::usd(*minor) };
    let commands = [
        Command::Create {
            service: ServiceId::mint(mint),
            patient: PatientId::mint(mint),
            link: "lnk1".into(),
            eligibility: None,
            currency: Currency::parse("USD").unwrap(),
        },
        Command::Schedule { at: at(100) },
        Command::Deliver { lines: charges.iter().map(line).collect() },
        Command::Sign {
            note: NoteId::mint(mint),
            kind: NoteKind::Note,
            signer: "dr-a".into(),
            hash: "b".repeat(64),
        },
        Command::Bill { claim: "CLM1".into() },
    ];
    commands.iter().fold(None, |service, command| Some(after(service, command))).unwrap()
}

fn after(service: Option<Service>, command: &Command) -> Service {
    let events = decide(service.as_ref(), command, at(0)).unwrap_or_default();
    events.iter().fold(service, Service::evolve).unwrap()
}

fn part(line: Option<u32>, group: Group, reason: &str, minor: i64) -> Adjustment {
    Adjustment { line, group, reason: reason.into(), amount: Money::usd(minor) }
}

fn decision(key: &str, charge: i64, adjustments: Vec<Adjustment>) -> Command {
    let taken: i64 = adjustments.iter().map(|adjustment| adjustment.amount.minor).sum();
    Command::Adjudicate(Adjudication {
        key: key.into(),
        source: "rem1/1".into(),
        outcome: Outcome::Processed,
        charge: Money::usd(charge),
        paid: Money::usd(charge - taken),
        adjustments,
    })
}

fn captured(seed: u8, kind: Kind, minor: i64) -> Command {
    let payment = PaymentId::mint(Mint::new(at(0), &Seeded(seed)));
    let held = Held {
        kind,
        net_minor: minor,
        returning_minor: 0,
        failed_refunds: 0,
        came_back_minor: 0,
        charged_at: at(i64::from(seed)),
        collecting: false,
    };
    Command::See { payment, held }
}

fn column(service: &Service, of: impl Fn(&LineShare) -> Money) -> Vec<i64> {
    service.allocation().lines.iter().map(|line| of(line).minor).collect()
}

#[test]
fn the_payers_word_about_a_line_counts_for_that_line_and_the_oldest_payment_pays_the_first() {
    let mut service = billed(&[20_000, 10_000]);
    let parts = vec![
        part(Some(1), Group::Contractual, "45", 8_000),
        part(Some(1), Group::Patient, "3", 2_000),
        part(Some(2), Group::Patient, "1", 4_000),
    ];
    service = after(Some(service), &decision("d1", 30_000, parts));
    service = after(Some(service), &captured(9, Kind::Balance, 1_500));
    service = after(Some(service), &captured(2, Kind::Estimate, 3_000));
    assert_eq!(column(&service, |line| line.payer_paid), [10_000, 6_000]);
    assert_eq!(column(&service, |line| line.contractual), [8_000, 0]);
    assert_eq!(column(&service, |line| line.patient), [2_000, 4_000]);
    assert_eq!(column(&service, |line| line.due), [0, 1_500]);
    let lines = service.allocation().lines;
    let paid =
        |line: usize| lines[line].payments.iter().map(|payment| payment.amount.minor).collect::<Vec<_>>();
    assert_eq!((paid(0), paid(1)), (vec![2_000], vec![1_000, 1_500]), "the estimate is older");
    adds_up(&service);
}

#[test]
fn what_is_said_about_the_claim_is_shared_by_the_charges_to_the_cent() {
    let service = billed(&[100, 100, 100]);
    let service = after(Some(service), &decision("d1", 300, vec![part(None, Group::Patient, "2", 100)]));
    assert_eq!(column(&service, |line| line.patient), [34, 33, 33]);
    assert_eq!(column(&service, |line| line.payer_paid), [66, 67, 67]);
    adds_up(&service);
}

#[test]
fn a_deposit_belongs_to_no_line_before_anything_is_decided() {
    let service = after(Some(billed(&[20_000])), &captured(2, Kind::Estimate, 3_000));
    assert_eq!(service.allocation().unapplied, Money::usd(3_000));
    assert_eq!(column(&service, |line| line.due), [0]);
    adds_up(&service);
}

/// A step: what happens, and to which line, payment or amount.
fn steps() -> impl Strategy<Value = Vec<(u8, u8, i64)>> {
    proptest::collection::vec((0_u8..8, 0_u8..5, 0_i64..9_000), 1..24)
}

fn step(service: &Service, number: usize, (what, which, minor): (u8, u8, i64)) -> Command {
    let charge = service.charge_minor().unwrap();
    let key = format!("k{number}");
    match what {
        0 => captured(10 + which, Kind::Estimate, minor),
        1 => captured(20 + which, Kind::Balance, minor - 2_000),
        2 | 3 => {
            let line = (which > 0).then(|| u32::from(which));
            let parts = vec![
                part(line, Group::Patient, "2", minor),
                part(None, Group::Contractual, "45", minor / 3),
                part(line, Group::Contractual, "50", minor / 7),
            ];
            decision(&key, charge, parts)
        }
        4 => match service.decisions.last() {
            Some((known, _)) if known.outcome != Outcome::Reversal => {
                Command::Adjudicate(Adjudication { key, ..known.reversed() })
            }
            _ => Command::Settle,
        },
        5 => Command::SetResponsibility { responsibility: Money::usd(minor), author: "biller".into() },
        6 => Command::RecordElsewhere { reference: key, amount: Money::usd(minor), author: "desk".into() },
        _ => {
            let (approver, reason) = ("cfo".to_owned(), "x".to_owned());
            Command::WriteOff { amount: Money::usd(minor), approver, reason }
        }
    }
}

proptest! {
    /// Whatever happens in whatever order, no column gains or loses a cent.
    #[test]
    fn every_column_adds_up_to_the_worksheet(
        charges in proptest::collection::vec(0_i64..20_000, 1..5),
        first in 1_i64..20_000,
        steps in steps(),
    ) {
        let mut service = billed(&[vec![first], charges].concat());
        for (number, taken) in steps.into_iter().enumerate() {
            let command = step(&service, number, taken);
            service = after(Some(service), &command);
            adds_up(&service);
        }
    }
}
