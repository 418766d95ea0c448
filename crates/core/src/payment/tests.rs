//! Stories and properties of payments.

use std::collections::BTreeSet;

use super::{Answer, Command, Event, Opening, Payment, Purpose, Source, Status, decide, postings};
use crate::evidence::{
    ChargeSeen, ChargeStatus, DeclineAdvice, DisputeSeen, DisputeStatus, Evidence, FeeSeen, IntentSeen,
    IntentStatus, PaymentError, RefundSeen, RefundStatus,
};
use crate::explain::Care;
use crate::id::{Mint, PaymentId, Random, RefundId};
use crate::ledger::{Account, Balances};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

mod properties;
mod returns;

struct Fixed;

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [1; 10]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn refund_id() -> RefundId {
    RefundId::mint(Mint::new(at(0), &Fixed))
}

fn care() -> Care {
    Care { patient: Some("pat1".into()), account: Some("acc1".into()), ..Care::default() }
}

/// A payment driven by commands, with its journal and its ledger.
#[derive(Clone, Default)]
struct Story {
    payment: Option<Payment>,
    journal: Vec<Event>,
    keys: BTreeSet<String>,
    balances: Balances,
}

impl Story {
    fn asked(manual_capture: bool) -> Self {
        let mut story = Self::default();
        let opening = Opening {
            payment: PaymentId::mint(Mint::new(at(0), &Fixed)),
            debt: None,
            connection: "con1".into(),
            gateway: "stripe".into(),
            link: Some("lnk1".into()),
            purpose: Some(Purpose::Balance),
            care: care(),
            amount: Money::usd(12000),
            manual_capture,
            customer: None,
            confirmed_by: None,
        };
        story.run(&Command::Open(opening), 0).unwrap();
        story
    }

    fn attempted(manual_capture: bool) -> Self {
        let mut story = Self::asked(manual_capture);
        story.run(&Command::PlanAttempt { method: Some("pm_1".into()) }, 0).unwrap();
        story.run(&Command::Answer { number: 1, answer: Answer::Sent }, 0).unwrap();
        story
    }

    fn run(&mut self, command: &Command, second: i64) -> Result<Vec<Event>, Refusal> {
        let events = decide(self.payment.as_ref(), command, at(second))?;
        for event in &events {
            for posting in postings(self.payment.as_ref(), event).unwrap() {
                assert!(self.keys.insert(posting.key().to_owned()), "{} was posted twice", posting.key());
                self.balances.add(&posting).unwrap();
            }
            self.payment = Payment::evolve(self.payment.take(), event);
        }
        self.journal.extend(events.iter().cloned());
        Ok(events)
    }

    fn see(&mut self, evidence: Evidence, second: i64) -> Vec<Event> {
        self.run(&Command::Observe { evidence, seen_at: at(second), source: Source::Webhook }, second)
            .unwrap()
    }

    fn status(&self) -> Status {
        self.payment.as_ref().unwrap().status()
    }

    fn shown_balances(&self) -> Vec<String> {
        self.balances.iter().map(|(account, amount)| format!("{account} {amount}")).collect()
    }
}

fn charge(captured_minor: i64) -> Evidence {
    Evidence::Charge(ChargeSeen {
        charge: "ch_1".into(),
        intent: Some("pi_1".into()),
        status: ChargeStatus::Succeeded,
        amount: Money::usd(12000),
        captured_minor,
        refunded_minor: 0,
        disputed: false,
        capture_before: Some(at(7 * 86_400)),
        customer: None,
        method: None,
        card: None,
        link: Some("lnk1".into()),
        attempt: None,
        fee: Some(FeeSeen { transaction: "txn_1".into(), charge: "ch_1".into(), fee: Money::usd(378) }),
        error: None,
        receipt_url: None,
        created: at(2),
    })
}

fn declined_error(charge: &str) -> PaymentError {
    PaymentError {
        code: "card_declined".into(),
        decline_code: Some("insufficient_funds".into()),
        advice: DeclineAdvice::SoftDecline,
        message: "The bank declined the card.".into(),
        raw: serde_json::json!({ "charge": charge }),
    }
}

fn intent(status: IntentStatus) -> Evidence {
    intent_with(status, None)
}

fn intent_with(status: IntentStatus, error: Option<PaymentError>) -> Evidence {
    Evidence::Intent(IntentSeen {
        intent: "pi_1".into(),
        status,
        amount: Money::usd(12000),
        capturable_minor: 0,
        received_minor: 0,
        charge: None,
        customer: None,
        method: None,
        link: Some("lnk1".into()),
        attempt: None,
        cancel_reason: (status == IntentStatus::Canceled).then(|| "expired".into()),
        error,
        next_action: None,
        created: at(0),
    })
}

fn refund(id: &str, minor: i64, status: RefundStatus) -> Evidence {
    Evidence::Refund(RefundSeen {
        refund: id.into(),
        charge: "ch_1".into(),
        intent: Some("pi_1".into()),
        status,
        amount: Money::usd(minor),
        failure_reason: None,
        reason: None,
        refund_id: None,
        created: at(10),
    })
}

fn dispute(status: DisputeStatus, withdrawn: bool) -> Evidence {
    Evidence::Dispute(DisputeSeen {
        dispute: "dp_1".into(),
        charge: "ch_1".into(),
        intent: None,
        status,
        amount: Money::usd(7500),
        fee_minor: 1500,
        withdrawn,
        reinstated: false,
        reason: "fraudulent".into(),
        due_by: None,
        created: at(20),
    })
}

/// E1 to E8 of FLOWS §10, with the moment each was made.
fn events_of_one_payment() -> Vec<(Evidence, i64)> {
    vec![
        (intent(IntentStatus::Processing), 1),
        (charge(12000), 2),
        (intent(IntentStatus::Succeeded), 2),
        (charge(12000), 3),
        (refund("re_1", 12000, RefundStatus::Pending), 10),
        (refund("re_1", 12000, RefundStatus::Pending), 10),
        (refund("re_1", 12000, RefundStatus::Succeeded), 11),
        (refund("re_1", 12000, RefundStatus::Failed), 30),
    ]
}

#[test]
fn a_paid_charge_is_one_fact_however_often_it_is_told() {
    let mut story = Story::attempted(false);
    for _ in 0..3 {
        story.see(charge(12000), 3);
        story.see(intent(IntentStatus::Succeeded), 3);
    }
    assert_eq!(story.status(), Status::Captured);
    assert_eq!(
        story.shown_balances(),
        ["ar:patient -120.00 USD", "exp:fee 3.78 USD", "gw:stripe 116.22 USD"]
    );
}

#[test]
fn another_charge_is_never_counted_with_the_first() {
    let mut story = Story::attempted(false);
    story.see(charge(12000), 3);
    let Evidence::Charge(other) = charge(12000) else { unreachable!("a charge") };
    let other =
        ChargeSeen { charge: "ch_2".into(), amount: Money::usd(15000), captured_minor: 15000, ..other };
    assert_eq!(
        story.see(Evidence::Charge(other), 4),
        Vec::new(),
        "whoever takes it in opens a payment for it"
    );
    assert_eq!(story.payment.unwrap().captured_minor, 12000);
}

#[test]
fn without_a_method_the_payer_goes_on_with_the_intent_that_is_there() {
    let mut story = Story::asked(false);
    story.run(&Command::PlanAttempt { method: None }, 0).unwrap();
    story.see(intent(IntentStatus::RequiresMethod), 1);
    assert_eq!(story.run(&Command::PlanAttempt { method: None }, 2).unwrap(), Vec::new());
    assert_eq!(story.run(&Command::PlanAttempt { method: Some("pm_1".into()) }, 2).unwrap().len(), 2);
}

#[test]
fn a_second_charge_is_refused_while_the_first_is_unknown() {
    let mut story = Story::attempted(false);
    story.run(&Command::Answer { number: 1, answer: Answer::Lost }, 5).unwrap();
    assert_eq!(story.status(), Status::Unknown);
    let refused = story.run(&Command::PlanAttempt { method: Some("pm_2".into()) }, 6).unwrap_err();
    assert_eq!(refused.code, "attempt_open");
    let canceled = story.run(&Command::Cancel, 6).unwrap_err();
    assert_eq!(canceled.code, "not_allowed_now");
}

#[test]
fn a_lost_answer_is_settled_by_a_later_webhook() {
    let mut story = Story::attempted(false);
    story.run(&Command::Answer { number: 1, answer: Answer::Lost }, 5).unwrap();
    story.see(charge(12000), 9);
    assert_eq!(story.status(), Status::Captured);
    assert!(story.payment.unwrap().open_attempt().is_none());
}

#[test]
fn after_a_decline_a_new_attempt_has_a_new_key_and_the_old_one_is_closed() {
    let mut story = Story::attempted(false);
    let declined = intent_with(IntentStatus::RequiresMethod, Some(declined_error("ch_f1")));
    let answer = Command::Observe { evidence: declined.clone(), seen_at: at(3), source: Source::Answer(1) };
    story.run(&answer, 3).unwrap();
    assert_eq!(story.status(), Status::RequiresMethod);
    story.run(&Command::PlanAttempt { method: Some("pm_2".into()) }, 4).unwrap();
    story.run(&Command::Answer { number: 2, answer: Answer::Sent }, 4).unwrap();
    // The webhook of the first decline arrives late: it says nothing about the second attempt.
    story.see(declined, 3);
    let payment = story.payment.unwrap();
    assert_eq!(payment.attempts[1].state.name(), "sent");
    assert_ne!(payment.attempts[0].key, payment.attempts[1].key);
}

#[test]
fn a_capture_after_the_authorization_lapsed_is_refused_here() {
    let mut story = Story::attempted(true);
    story.see(charge(0), 2);
    assert_eq!(story.status(), Status::Authorized);
    let late = story.run(&Command::Capture { amount: None }, 8 * 86_400).unwrap_err();
    assert_eq!(late.code, "authorization_expired");
    let too_much = story.run(&Command::Capture { amount: Some(Money::usd(12001)) }, 5).unwrap_err();
    assert_eq!(too_much.code, "capture_exceeds_authorized");
    story.run(&Command::Capture { amount: Some(Money::usd(4500)) }, 5).unwrap();
    assert_eq!(story.run(&Command::Capture { amount: None }, 5).unwrap_err().code, "capture_in_progress");
    story.see(charge(4500), 6);
    assert_eq!(story.payment.unwrap().captured_minor, 4500);
}

#[test]
fn more_than_was_captured_cannot_be_refunded() {
    let mut story = Story::attempted(false);
    story.see(charge(12000), 3);
    story.run(&Command::ReserveRefund { refund_id: refund_id(), amount: Money::usd(11800) }, 4).unwrap();
    let refused = story
        .run(&Command::ReserveRefund { refund_id: refund_id(), amount: Money::usd(201) }, 4)
        .unwrap_err();
    assert_eq!(
        refused.detail,
        "The refund of 2.01 USD was not sent. Only 2.00 USD of this payment can still be refunded."
    );
}

#[test]
fn a_refund_that_comes_back_leaves_the_payment_captured_and_a_credit_for_the_patient() {
    let mut story = Story::attempted(false);
    story.see(charge(12000), 3);
    story.see(refund("re_1", 12000, RefundStatus::Succeeded), 11);
    assert_eq!(story.status(), Status::Refunded);
    story.see(refund("re_1", 12000, RefundStatus::Failed), 30);
    assert_eq!(story.status(), Status::Captured);
    assert_eq!(story.balances.get(&Account::CreditPatient, Money::usd(0).currency), -12000);
}

#[test]
fn a_lost_dispute_ends_in_a_write_off() {
    let mut story = Story::attempted(false);
    story.see(charge(12000), 3);
    story.see(dispute(DisputeStatus::Opened, true), 20);
    assert_eq!(story.status(), Status::Disputed);
    let refused =
        story.run(&Command::ReserveRefund { refund_id: refund_id(), amount: Money::usd(1) }, 21).unwrap_err();
    assert_eq!(refused.code, "payment_disputed");
    story.see(dispute(DisputeStatus::Lost, true), 40);
    assert_eq!(story.balances.get(&Account::AdjWriteoff, Money::usd(0).currency), 7500);
    assert_eq!(story.balances.get(&Account::HoldDispute, Money::usd(0).currency), 0);
}

#[test]
fn money_of_an_unknown_owner_waits_in_suspense_until_it_is_resolved() {
    let mut story = Story::asked(false);
    let payment = story.payment.as_mut().unwrap();
    payment.purpose = None;
    payment.link = None;
    story.see(charge(12000), 3);
    assert_eq!(story.balances.get(&Account::SuspUnapplied, Money::usd(0).currency), -12000);
    let resolve =
        Command::ResolveLink { link: "lnk1".into(), purpose: Purpose::Balance, care: care(), debt: None };
    story.run(&resolve, 5).unwrap();
    assert_eq!(story.balances.get(&Account::SuspUnapplied, Money::usd(0).currency), 0);
    assert_eq!(story.balances.get(&Account::ArPatient, Money::usd(0).currency), -12000);
}

#[test]
fn a_payment_for_no_act_of_care_is_refused() {
    let mut story = Story::default();
    let opening = Opening {
        payment: PaymentId::mint(Mint::new(at(0), &Fixed)),
        debt: None,
        connection: "con1".into(),
        gateway: "stripe".into(),
        link: None,
        purpose: Some(Purpose::Balance),
        care: Care::default(),
        amount: Money::usd(1),
        manual_capture: false,
        customer: None,
        confirmed_by: None,
    };
    assert_eq!(story.run(&Command::Open(opening), 0).unwrap_err().code, "care_missing");
}

/// One payment in every status.
fn in_every_status() -> Vec<(String, Story)> {
    let mut out: Vec<Story> = vec![Story::asked(false), Story::attempted(false)];
    let mut seen = |manual: bool, evidence: &[(Evidence, i64)]| {
        let mut story = Story::attempted(manual);
        for (evidence, second) in evidence {
            story.see(evidence.clone(), *second);
        }
        out.push(story);
    };
    let paid = (charge(12000), 3);
    seen(false, &[(intent_with(IntentStatus::RequiresMethod, Some(declined_error("ch_f"))), 1)]);
    seen(false, &[(intent(IntentStatus::RequiresAction), 1)]);
    seen(false, &[(intent(IntentStatus::Processing), 1)]);
    seen(true, &[(charge(0), 1), (intent(IntentStatus::RequiresCapture), 1)]);
    seen(
        true,
        &[(charge(0), 1), (intent(IntentStatus::RequiresCapture), 1), (intent(IntentStatus::Canceled), 9)],
    );
    seen(false, std::slice::from_ref(&paid));
    seen(false, &[paid.clone(), (refund("re_1", 500, RefundStatus::Succeeded), 5)]);
    seen(false, &[paid.clone(), (refund("re_1", 12000, RefundStatus::Succeeded), 5)]);
    seen(false, &[paid.clone(), (dispute(DisputeStatus::Opened, true), 5)]);
    seen(false, &[paid, (dispute(DisputeStatus::Lost, true), 5)]);
    let mut unknown = Story::attempted(false);
    unknown.run(&Command::Answer { number: 1, answer: Answer::Lost }, 1).unwrap();
    out.push(unknown);
    let name = |story: &Story| {
        let attempt =
            story.payment.as_ref().unwrap().attempts.last().map_or("none", |last| last.state.name());
        format!("{} (attempt {attempt})", story.status().name())
    };
    out.into_iter().map(|story| (name(&story), story)).collect()
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let observe = |evidence| Command::Observe { evidence, seen_at: at(50), source: Source::Fetched };
    let commands = [
        ("plan attempt", Command::PlanAttempt { method: Some("pm_9".into()) }),
        ("answer lost", Command::Answer { number: 1, answer: Answer::Lost }),
        ("see action", observe(intent(IntentStatus::RequiresAction))),
        ("see canceled", observe(intent(IntentStatus::Canceled))),
        ("see captured", observe(charge(12000))),
        ("see refunded", observe(refund("re_9", 12000, RefundStatus::Succeeded))),
        ("see dispute", observe(dispute(DisputeStatus::Opened, true))),
        ("see won", observe(dispute(DisputeStatus::Won, true))),
        ("capture", Command::Capture { amount: None }),
        ("cancel", Command::Cancel),
        ("refund", Command::ReserveRefund { refund_id: refund_id(), amount: Money::usd(100) }),
    ];
    let cell = |story: &Story, command: &Command| {
        let mut after = story.clone();
        match after.run(command, 50) {
            Ok(_) => after.status().name().to_owned(),
            Err(refusal) => format!("- {}", refusal.code),
        }
    };
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    let rows: Vec<(String, Vec<String>)> = in_every_status()
        .iter()
        .map(|(name, story)| {
            (name.clone(), commands.iter().map(|(_, command)| cell(story, command)).collect())
        })
        .collect();
    crate::tables::check("payment", &columns, &rows);
}
