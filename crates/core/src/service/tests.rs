//! Stories 2 and 5 of FLOWS as far as they are decided here: decisions of payers, deposits, and the books after each.

use std::collections::BTreeSet;

use super::*;
use crate::adjudication::{Adjudication, Adjustment, Group, Outcome};
use crate::currency::Currency;
use crate::id::{EstimateId, Mint, NoteId, PatientId, PaymentId, Random, ServiceId};
use crate::ledger::{Account, Balances, Posting};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

mod cash;
mod properties;

struct Seeded(u8);

impl Random for Seeded {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn payment(seed: u8) -> PaymentId {
    PaymentId::mint(Mint::new(at(0), &Seeded(seed)))
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

/// A service driven by commands, with the books. Deposits and refunds are booked as payments book them.
#[derive(Clone, Default)]
struct Story {
    service: Option<Service>,
    keys: BTreeSet<String>,
    books: Balances,
    held: std::collections::BTreeMap<u8, Held>,
    moved: u32,
}

impl Story {
    /// Billed 300.00, nothing paid.
    fn billed() -> Self {
        let mut story = Self::default();
        let seed = Seeded(1);
        let mint = Mint::new(at(0), &seed);
        story.must(&Command::Create {
            service: ServiceId::mint(mint),
            patient: PatientId::mint(mint),
            link: "lnk1".into(),
            eligibility: None,
            currency: usd(),
        });
        story.must(&Command::Schedule { at: at(100) });
        story.must(&Command::Deliver {
            lines: vec![Line { code: "99214".into(), charge: Money::usd(30_000) }],
        });
        story.must(&Command::Sign {
            note: NoteId::mint(mint),
            kind: NoteKind::Note,
            signer: "dr-a".into(),
            hash: "b".repeat(64),
        });
        story.must(&Command::Bill { claim: "CLM1".into() });
        story
    }

    fn run(&mut self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let events = decide(self.service.as_ref(), command, at(0))?;
        for event in &events {
            for posting in postings(self.service.as_ref(), event).unwrap() {
                self.book(&posting);
            }
            self.service = Service::evolve(self.service.take(), event);
        }
        Ok(events)
    }

    fn must(&mut self, command: &Command) -> &mut Self {
        self.run(command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
        self
    }

    fn book(&mut self, posting: &Posting) {
        assert!(self.keys.insert(posting.key().to_owned()), "{} was posted twice", posting.key());
        self.books.add(posting).unwrap();
    }

    /// A payment of an estimate or the balance captured this much, in minor units.
    fn captured(&mut self, seed: u8, kind: Kind, minor: i64) -> &mut Self {
        let target = match kind {
            Kind::Estimate => Account::DepositPatient,
            Kind::Balance => Account::ArPatient,
        };
        self.move_money(Account::Gateway("stripe".into()), target, minor);
        let held = Held {
            kind,
            net_minor: minor,
            returning_minor: 0,
            failed_refunds: 0,
            came_back_minor: 0,
            charged_at: at(i64::from(seed)),
            collecting: false,
        };
        self.see(seed, held)
    }

    fn see(&mut self, seed: u8, held: Held) -> &mut Self {
        self.held.insert(seed, held);
        self.must(&Command::See { payment: payment(seed), held })
    }

    /// A refund of a payment arrived, asked for by us or made by somebody at the gateway.
    fn refunded(&mut self, seed: u8, minor: i64) -> &mut Self {
        let mut held = self.held[&seed];
        let consumed = self.state().consumed.contains(&payment(seed).to_string());
        let source = match held.kind {
            Kind::Balance => Account::ArPatient,
            Kind::Estimate if consumed => Account::CreditPatient,
            Kind::Estimate => Account::DepositPatient,
        };
        self.move_money(source, Account::Gateway("stripe".into()), minor);
        held.net_minor -= minor;
        held.returning_minor = 0;
        self.see(seed, held)
    }

    fn move_money(&mut self, debit: Account, credit: Account, minor: i64) {
        self.moved += 1;
        let posting = Posting::transfer(format!("m{}", self.moved), debit, credit, Money::usd(minor), None);
        self.book(&posting.unwrap());
    }

    fn decided(&mut self, key: &str, outcome: Outcome, paid: i64, parts: &[(Group, &str, i64)]) -> &mut Self {
        self.must(&Command::Adjudicate(decision(key, outcome, paid, parts)))
    }

    fn state(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    fn balance(&self, account: &Account) -> i64 {
        self.books.get(account, usd())
    }

    fn difference(&self) -> i64 {
        self.state().worksheet().difference.minor
    }

    fn refunds(&self) -> Vec<(PaymentId, i64)> {
        self.state().to_refund().into_iter().map(|(payment, money)| (payment, money.minor)).collect()
    }
}

fn decision(key: &str, outcome: Outcome, paid: i64, parts: &[(Group, &str, i64)]) -> Adjudication {
    let sign = if outcome == Outcome::Reversal { -1 } else { 1 };
    Adjudication {
        key: key.into(),
        source: "rem1/1".into(),
        outcome,
        charge: Money::usd(sign * 30_000),
        paid: Money::usd(paid),
        adjustments: parts
            .iter()
            .map(|(group, reason, minor)| Adjustment {
                line: Some(1),
                group: group.clone(),
                reason: (*reason).into(),
                amount: Money::usd(*minor),
            })
            .collect(),
    }
}

const CO: Group = Group::Contractual;
const PR: Group = Group::Patient;

fn with_deposit() -> Story {
    let mut story = Story::billed();
    story.captured(2, Kind::Estimate, 4_000);
    story
}

#[test]
fn case_2a_an_underpaid_deposit_leaves_the_rest_with_the_patient() {
    let mut story = with_deposit();
    story.decided("d1", Outcome::Processed, 13_000, &[(CO, "45", 12_000), (PR, "2", 5_000)]);
    story.must(&Command::Settle);
    assert_eq!(story.difference(), 1_000);
    assert_eq!(story.state().to_collect(), Some(Money::usd(1_000)));
    assert_eq!(story.balance(&Account::AdjContractual), 12_000);
    assert_eq!(story.balance(&Account::Bank), 13_000);
    assert_eq!(story.balance(&Account::ArPayer), 0);
    assert_eq!(story.balance(&Account::DepositPatient), 0);
    assert_eq!(story.balance(&Account::ArPatient), 1_000);
    story.captured(3, Kind::Balance, 1_000).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!(story.balance(&Account::ArPatient), 0);
}

#[test]
fn case_2b_an_overpaid_deposit_is_a_credit_until_the_refund_is_proven() {
    let mut story = with_deposit();
    story.decided("d1", Outcome::Processed, 15_500, &[(CO, "45", 12_000), (PR, "2", 2_500)]);
    story.must(&Command::Settle);
    assert_eq!(story.refunds(), vec![(payment(2), 1_500)]);
    assert_eq!(story.balance(&Account::CreditPatient), -1_500);
    assert_eq!(story.balance(&Account::ArPatient), 0);
    story.must(&Command::Complete);
    assert_eq!(story.state().status, Status::Settling, "not before the refund is proven");
    let held = Held { returning_minor: 1_500, ..story.held[&2] };
    story.see(2, held).must(&Command::Complete);
    assert_eq!(story.refunds(), vec![], "one refund, not two");
    assert_eq!(story.state().status, Status::Settling);
    story.refunded(2, 1_500).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!(story.balance(&Account::CreditPatient), 0);
}

#[test]
fn case_2c_an_exact_deposit_is_consumed_and_completes_at_once() {
    let mut story = with_deposit();
    story.decided("d1", Outcome::Processed, 14_000, &[(CO, "45", 12_000), (PR, "3", 4_000)]);
    story.must(&Command::Settle).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!(story.balance(&Account::DepositPatient), 0);
}

#[test]
fn case_2d_a_co_denial_bills_nobody_and_stays_with_the_payer() {
    let mut story = Story::billed();
    story.decided("d1", Outcome::Denied, 0, &[(CO, "16", 30_000)]).must(&Command::Settle);
    assert_eq!(story.state().to_collect(), None);
    assert_eq!(story.state().open_with_payer_minor(), 30_000);
    assert_eq!(story.balance(&Account::ArPayer), 30_000);
    assert_eq!(story.balance(&Account::ArPatient), 0);
}

#[test]
fn case_2e_a_pr_denial_makes_the_patient_owe_the_charge_less_the_deposit() {
    let mut story = with_deposit();
    story.decided("d1", Outcome::Denied, 0, &[(PR, "96", 30_000)]).must(&Command::Settle);
    assert_eq!(story.difference(), 26_000);
    assert_eq!(story.balance(&Account::ArPatient), 26_000);
    assert_eq!(story.balance(&Account::ArPayer), 0);
}

#[test]
fn case_2f_what_was_paid_elsewhere_is_not_asked_for_again() {
    let mut story = Story::billed();
    let elsewhere = Command::RecordElsewhere {
        reference: "desk-77".into(),
        amount: Money::usd(5_000),
        author: "desk".into(),
    };
    story.must(&elsewhere).must(&elsewhere);
    story.decided("d1", Outcome::Processed, 13_000, &[(CO, "45", 12_000), (PR, "2", 5_000)]);
    story.must(&Command::Settle).must(&Command::Complete);
    assert_eq!(story.difference(), 0);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!(story.balance(&Account::ArPatient), 0);
}

#[test]
fn case_2g_a_reversal_and_a_correction_leave_the_difference_due() {
    let mut story = Story::billed();
    story.captured(2, Kind::Estimate, 5_000);
    let first = [(CO, "45", 12_000), (PR, "2", 5_000)];
    story.decided("d1", Outcome::Processed, 13_000, &first);
    story.must(&Command::Settle).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    story.decided("d2", Outcome::Reversal, -13_000, &[(CO, "45", -12_000), (PR, "2", -5_000)]);
    assert_eq!(story.refunds(), Vec::new(), "a reversal alone pays nothing back");
    story.must(&Command::Complete);
    assert_eq!(story.state().status, Status::Settling, "and completes nothing");
    story.decided("d3", Outcome::Processed, 11_000, &[(CO, "45", 12_000), (PR, "2", 7_000)]);
    assert_eq!((story.state().status, story.state().version >= 2), (Status::Settling, true));
    assert_eq!(story.difference(), 2_000);
    assert_eq!(story.balance(&Account::ArPatient), 2_000);
    assert_eq!(story.balance(&Account::CreditPatient), 0);
    assert_eq!(story.balance(&Account::Bank), 11_000);
}

#[test]
fn case_2g_a_reversal_takes_back_what_was_booked_even_if_it_was_forwarded() {
    let mut story = Story::billed();
    story.decided("d1", Outcome::Forwarded, 25_000, &[(PR, "1", 5_000)]);
    story.decided("d2", Outcome::Reversal, -25_000, &[(PR, "1", -5_000)]);
    assert_eq!(story.state().responsibility_minor(), 0);
    assert_eq!(story.balance(&Account::ArPayer), 30_000, "as before the first decision");
}

#[test]
fn story_5_an_estimate_above_the_responsibility_is_paid_back_before_completion() {
    let mut story = Story::billed();
    story.captured(2, Kind::Estimate, 6_000);
    story.decided("d1", Outcome::Processed, 26_500, &[(PR, "3", 3_500)]).must(&Command::Settle);
    assert_eq!(story.difference(), -2_500);
    assert_eq!(story.refunds(), vec![(payment(2), 2_500)]);
    story.refunded(2, 2_500).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    assert_eq!(story.balance(&Account::Gateway("stripe".into())), 3_500);
}

#[test]
fn story_5c_the_newest_charge_is_refunded_first_and_none_beyond_what_it_holds() {
    let mut story = Story::billed();
    story.captured(2, Kind::Estimate, 4_000).captured(3, Kind::Estimate, 2_000);
    story.decided("d1", Outcome::Processed, 26_500, &[(PR, "3", 3_500)]).must(&Command::Settle);
    assert_eq!(story.refunds(), vec![(payment(3), 2_000), (payment(2), 500)]);
}

#[test]
fn story_5d_what_staff_refunded_at_the_gateway_is_counted_before_and_after_settling() {
    let mut before = Story::billed();
    before.captured(2, Kind::Estimate, 6_000).refunded(2, 1_000);
    before.decided("d1", Outcome::Processed, 26_500, &[(PR, "3", 3_500)]).must(&Command::Settle);
    assert_eq!(before.difference(), -1_500);

    let mut after = Story::billed();
    after.captured(2, Kind::Estimate, 6_000);
    after.decided("d1", Outcome::Processed, 26_500, &[(PR, "3", 3_500)]).must(&Command::Settle);
    after.refunded(2, 4_000);
    assert_eq!(after.difference(), 1_500, "too much went back: the patient owes again");
    assert_eq!(after.balance(&Account::ArPatient), 1_500);
    assert_eq!(after.balance(&Account::CreditPatient), 0);
}

#[test]
fn story_5e_a_failed_refund_waits_for_a_person_and_counts_when_it_succeeds_later() {
    let mut story = Story::billed();
    story.captured(2, Kind::Estimate, 6_000);
    story.decided("d1", Outcome::Processed, 26_500, &[(PR, "3", 3_500)]).must(&Command::Settle);
    let failed = Held { failed_refunds: 1, ..story.held[&2] };
    story.see(2, failed).must(&Command::Complete);
    assert!(story.state().has_failed_refund());
    assert_eq!((story.refunds(), story.state().status), (vec![], Status::Settling));
    story.refunded(2, 2_500).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
}

#[test]
fn story_5g_a_late_change_settles_the_difference_only() {
    let mut story = Story::billed();
    story.captured(2, Kind::Estimate, 6_000);
    story.decided("d1", Outcome::Processed, 24_000, &[(PR, "3", 6_000)]);
    story.must(&Command::Settle).must(&Command::Complete);
    let set = Command::SetResponsibility { responsibility: Money::usd(4_500), author: "billing".into() };
    story.must(&set);
    assert_eq!(story.state().status, Status::Settling);
    assert_eq!(story.refunds(), vec![(payment(2), 1_500)]);
    assert_eq!(story.balance(&Account::CreditPatient), -1_500);
}

#[test]
fn a_write_off_needs_an_approver_stays_within_what_is_due_and_can_be_undone() {
    let mut story = Story::billed();
    story.decided("d1", Outcome::Processed, 25_000, &[(PR, "2", 5_000)]).must(&Command::Settle);
    let write_off = |minor, approver: &str| Command::WriteOff {
        amount: Money::usd(minor),
        approver: approver.into(),
        reason: "small_balance".into(),
    };
    assert_eq!(story.run(&write_off(5_001, "cfo")).unwrap_err().code, "write_off_exceeds_due");
    assert_eq!(story.run(&write_off(5_000, " ")).unwrap_err().code, "authorizer_required");
    story.must(&write_off(5_000, "cfo")).must(&Command::Complete);
    assert_eq!(story.state().status, Status::Completed);
    story.must(&Command::UndoWriteOff { number: 1, approver: "cfo".into() });
    assert_eq!((story.difference(), story.state().status), (5_000, Status::Settling));
    assert_eq!(story.balance(&Account::AdjWriteoff), 0);
    assert_eq!(
        story.run(&Command::UndoWriteOff { number: 1, approver: "cfo".into() }).unwrap_err().code,
        "write_off_missing"
    );
}

#[test]
fn a_self_pay_bill_far_above_its_good_faith_estimate_waits_for_a_review() {
    let mut story = Story::billed();
    story.service =
        story.service.map(|service| Service { status: Status::Scheduled, claim: None, ..service });
    story.must(&Command::GiveGoodFaithEstimate { amount: Money::usd(10_000) });
    story.service = story.service.map(|service| Service { status: Status::Noted, ..service });
    let set = |minor| Command::SetResponsibility { responsibility: Money::usd(minor), author: "desk".into() };
    story.must(&set(49_999));
    assert!(!story.state().is_far_above_estimate());
    story.must(&set(50_000));
    assert!(story.state().is_far_above_estimate());
    story.must(&Command::ReviewBill { by: "manager".into(), reason: "complication".into() });
    assert!(!story.state().is_far_above_estimate());
    let late = Command::GiveGoodFaithEstimate { amount: Money::usd(60_000) };
    assert_eq!(story.run(&late).unwrap_err().code, "not_allowed_now", "not after the care");
}

#[test]
fn nothing_is_billed_without_a_signed_note_and_a_note_is_signed_once() {
    let mut story = Story::default();
    let seed = Seeded(1);
    let mint = Mint::new(at(0), &seed);
    let sign =
        |kind| Command::Sign { note: NoteId::mint(mint), kind, signer: "dr-a".into(), hash: "b".repeat(64) };
    story.must(&Command::Create {
        service: ServiceId::mint(mint),
        patient: PatientId::mint(mint),
        link: "lnk1".into(),
        eligibility: None,
        currency: usd(),
    });
    assert_eq!(story.run(&sign(NoteKind::Note)).unwrap_err().code, "not_allowed_now");
    story.must(&Command::Deliver { lines: vec![Line { code: "99214".into(), charge: Money::usd(100) }] });
    assert_eq!(story.run(&Command::Bill { claim: "C1".into() }).unwrap_err().code, "note_missing");
    assert_eq!(story.run(&sign(NoteKind::Addendum)).unwrap_err().code, "note_missing");
    story.must(&sign(NoteKind::Note));
    assert_eq!(story.run(&sign(NoteKind::Note)).unwrap_err().code, "note_signed");
    story.must(&sign(NoteKind::Addendum)).must(&Command::Bill { claim: "C1".into() });
}

#[test]
fn an_estimate_of_another_eligibility_does_not_attach() {
    let mut story = Story::billed();
    let estimate = EstimateId::mint(Mint::new(at(0), &Seeded(4)));
    let attach = |link: &str| Command::Attach { estimate, link: link.into() };
    assert_eq!(story.run(&attach("lnk2")).unwrap_err().code, "eligibility_mismatch");
    story.must(&attach("lnk1"));
    assert_eq!(story.state().estimates, vec![estimate]);
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let created = {
        let mut story = Story::billed();
        story.service = story.service.map(|service| Service {
            status: Status::Pending,
            claim: None,
            notes: Vec::new(),
            lines: Vec::new(),
            ..service
        });
        story
    };
    let named = |status| {
        let mut story = Story::billed();
        story.decided("d0", Outcome::Processed, 26_500, &[(PR, "3", 3_500)]);
        story.service = story.service.map(|service| Service { status, ..service });
        (status.name(), story)
    };
    let mut states = vec![("pending", created)];
    states.extend(
        [
            Status::Scheduled,
            Status::Delivered,
            Status::Noted,
            Status::Billed,
            Status::Adjudicated,
            Status::Settling,
            Status::Completed,
            Status::Canceled,
        ]
        .map(named),
    );
    let lines = vec![Line { code: "99213".into(), charge: Money::usd(100) }];
    let set = Command::SetResponsibility { responsibility: Money::usd(100), author: "billing".into() };
    let commands = [
        ("schedule", Command::Schedule { at: at(900) }),
        ("deliver", Command::Deliver { lines }),
        ("bill", Command::Bill { claim: "C2".into() }),
        ("adjudicate", Command::Adjudicate(decision("d9", Outcome::Processed, 25_000, &[(PR, "2", 5_000)]))),
        ("set", set),
        ("settle", Command::Settle),
        ("cancel", Command::Cancel { by: "clinic".into(), reason: "closed".into() }),
        ("complete", Command::Complete),
    ];
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|(name, story)| {
            let cell = |(_, command): &(&str, Command)| match story.clone().run(command) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events
                    .iter()
                    .map(|event| event.kind().trim_start_matches("service."))
                    .collect::<Vec<_>>()
                    .join(" + "),
                Err(refusal) => format!("- {}", refusal.code),
            };
            ((*name).to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("service", &columns, &rows);
}
