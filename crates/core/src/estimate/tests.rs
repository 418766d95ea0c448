//! Stories of estimate charges, driven by real payments.

use std::collections::BTreeMap;

use super::*;
use crate::evidence::{
    ChargeSeen, ChargeStatus, Evidence, IntentSeen, IntentStatus, RefundSeen, RefundStatus,
};
use crate::explain::Care;
use crate::id::{Mint, Random, RefundId};
use crate::payment::{Answer, Opening, Payment, Purpose, Source};

struct Seeded(u8);

impl Random for Seeded {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(1_760_000_000 + second)
}

fn payment_id(seed: u8) -> PaymentId {
    PaymentId::mint(Mint::new(at(0), &Seeded(seed)))
}

fn create(expected: i64, instead: Option<i64>) -> Command {
    let seed = Seeded(1);
    let mint = Mint::new(at(0), &seed);
    let by = Override { by: "desk".into(), reason: "patient_asked".into() };
    Command::Create {
        estimate: EstimateId::mint(mint),
        eligibility: EligibilityId::mint(mint),
        patient: PatientId::mint(mint),
        link: "lnk1".into(),
        debt: DebtId::mint(mint),
        expected: Money::usd(expected),
        instead: instead.map(|minor| (Money::usd(minor), by)),
        service_at: Some(at(12 * 86_400)),
    }
}

fn run(state: Option<Estimate>, command: &Command) -> Option<Estimate> {
    decide(state.as_ref(), command).unwrap().iter().fold(state, Estimate::evolve)
}

fn after(commands: &[Command]) -> Option<Estimate> {
    commands.iter().fold(None, run)
}

/// A payment of 60.00 with manual capture, with one attempt on its way.
fn sent(seed: u8) -> Payment {
    let opening = Opening {
        payment: payment_id(seed),
        debt: None,
        connection: "con1".into(),
        gateway: "stripe".into(),
        link: Some("lnk1".into()),
        purpose: Some(Purpose::Deposit),
        care: Care { patient: Some("p".into()), account: Some("a".into()), ..Care::default() },
        amount: Money::usd(6_000),
        manual_capture: true,
        customer: None,
        confirmed_by: None,
    };
    let plan = payment::Command::PlanAttempt { method: Some("pm_1".into()) };
    let answer = payment::Command::Answer { number: 1, answer: Answer::Sent };
    told(None, &[payment::Command::Open(opening), plan, answer]).unwrap()
}

fn told(state: Option<Payment>, commands: &[payment::Command]) -> Option<Payment> {
    commands.iter().fold(state, |state, command| {
        payment::decide(state.as_ref(), command, at(5)).unwrap().iter().fold(state, Payment::evolve)
    })
}

fn seen(payment: Payment, evidence: Evidence) -> Payment {
    let command = payment::Command::Observe { evidence, seen_at: at(5), source: Source::Fetched };
    told(Some(payment), &[command]).unwrap()
}

fn intent(status: IntentStatus, reason: Option<&str>) -> Evidence {
    Evidence::Intent(IntentSeen {
        intent: "pi_1".into(),
        status,
        amount: Money::usd(6_000),
        capturable_minor: 0,
        received_minor: 0,
        charge: None,
        customer: None,
        method: None,
        link: None,
        attempt: None,
        cancel_reason: reason.map(Into::into),
        error: None,
        next_action: None,
        created: at(4),
    })
}

fn charge(captured: i64) -> Evidence {
    Evidence::Charge(ChargeSeen {
        charge: "ch_1".into(),
        intent: Some("pi_1".into()),
        status: ChargeStatus::Succeeded,
        amount: Money::usd(6_000),
        captured_minor: captured,
        refunded_minor: 0,
        disputed: false,
        capture_before: Some(at(7 * 86_400)),
        customer: None,
        method: None,
        card: None,
        link: None,
        attempt: None,
        fee: None,
        error: None,
        receipt_url: None,
        created: at(5),
    })
}

fn follow(payment: &Payment) -> Command {
    Command::Follow { payment: Box::new(payment.clone()) }
}

fn attempted(seed: u8) -> Option<Estimate> {
    after(&[create(6_000, None), Command::Attempt { payment: payment_id(seed) }])
}

#[test]
fn the_amount_is_the_eligibility_s_unless_somebody_says_why_not() {
    let inherited = after(&[create(6_000, None)]).unwrap();
    assert_eq!((inherited.amount, inherited.overridden), (Money::usd(6_000), None));
    let other = after(&[create(6_000, Some(4_000))]).unwrap();
    assert_eq!(other.amount, Money::usd(4_000));
    assert_eq!(other.overridden.unwrap().reason, "patient_asked");
    assert_eq!(decide(None, &create(6_000, Some(0))).unwrap_err().code, "amount_not_positive");
}

#[test]
fn it_is_authorized_captured_and_refunded_as_its_payment_proves() {
    let sent = sent(2);
    let authorized = seen(seen(sent, intent(IntentStatus::RequiresCapture, None)), charge(0));
    let state = run(attempted(2), &follow(&authorized)).unwrap();
    assert_eq!(state.standing.status, Status::Authorized);
    assert_eq!(state.standing.capture_before, Some(at(7 * 86_400)));
    let captured = seen(authorized, charge(6_000));
    let state = run(Some(state), &follow(&captured)).unwrap();
    assert_eq!((state.standing.status, state.net_minor()), (Status::Captured, 6_000));
    let refund = Evidence::Refund(RefundSeen {
        refund: "re_1".into(),
        charge: "ch_1".into(),
        intent: Some("pi_1".into()),
        status: RefundStatus::Succeeded,
        amount: Money::usd(2_500),
        failure_reason: None,
        reason: None,
        refund_id: Some(RefundId::mint(Mint::new(at(0), &Seeded(4))).to_string()),
        created: at(6),
    });
    let state = run(Some(state), &follow(&seen(captured, refund))).unwrap();
    assert_eq!((state.standing.status, state.net_minor()), (Status::PartRefunded, 3_500));
}

#[test]
fn a_lapsed_hold_is_expired_and_a_new_payment_is_attempt_two() {
    let lapsed = seen(sent(2), intent(IntentStatus::Canceled, Some("expired")));
    let state = run(attempted(2), &follow(&lapsed)).unwrap();
    assert_eq!(state.standing.status, Status::Expired);
    let again = run(Some(state), &Command::Attempt { payment: payment_id(3) }).unwrap();
    assert_eq!(again.payments.len(), 2);
    // The first payment has nothing more to say.
    assert_eq!(decide(Some(&again), &follow(&lapsed)), Ok(Vec::new()));
}

#[test]
fn no_second_attempt_begins_while_the_first_is_unknown() {
    let lost = payment::Command::Answer { number: 1, answer: Answer::Lost };
    let unknown = told(Some(sent(2)), &[lost]).unwrap();
    let state = run(attempted(2), &follow(&unknown)).unwrap();
    assert_eq!(state.standing.status, Status::Pending);
    assert!(state.in_flight().unwrap().contains("looked up"));
    let refusal = decide(Some(&state), &Command::Attempt { payment: payment_id(3) }).unwrap_err();
    assert_eq!(refusal.code, "not_allowed_now");
}

#[test]
fn it_belongs_to_one_service_at_a_time() {
    let service = |seed: u8| ServiceId::mint(Mint::new(at(0), &Seeded(seed)));
    let attached = after(&[create(6_000, None), Command::Attach { service: service(5) }]);
    assert_eq!(decide(attached.as_ref(), &Command::Attach { service: service(5) }), Ok(Vec::new()));
    let refusal = decide(attached.as_ref(), &Command::Attach { service: service(6) }).unwrap_err();
    assert_eq!(refusal.code, "estimate_attached");
    let free = run(attached, &Command::Detach);
    assert!(decide(free.as_ref(), &Command::Attach { service: service(6) }).is_ok());
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let sent = sent(2);
    let asks = seen(sent.clone(), intent(IntentStatus::RequiresAction, None));
    let authorized = seen(seen(sent.clone(), intent(IntentStatus::RequiresCapture, None)), charge(0));
    let capture = payment::Command::Capture { amount: None };
    let refused = payment::Command::CaptureRefused { code: "charge_expired".into() };
    let capture_failed = told(Some(authorized.clone()), &[capture, refused]).unwrap();
    let captured = seen(authorized.clone(), charge(6_000));
    let canceled = seen(sent.clone(), intent(IntentStatus::Canceled, Some("abandoned")));
    let expired = seen(sent.clone(), intent(IntentStatus::Canceled, Some("expired")));
    let follows: BTreeMap<&str, &Payment> = BTreeMap::from([
        ("1 sent", &sent),
        ("2 needs action", &asks),
        ("3 authorized", &authorized),
        ("4 capture refused", &capture_failed),
        ("5 captured", &captured),
        ("6 canceled", &canceled),
        ("7 expired", &expired),
    ]);
    let mut states = vec![None, after(&[create(6_000, None)])];
    states.extend(follows.values().map(|payment| run(attempted(2), &follow(payment))));
    let mut commands: Vec<(&str, Command)> =
        follows.iter().map(|(name, payment)| (*name, follow(payment))).collect();
    commands.push(("attempt", Command::Attempt { payment: payment_id(3) }));
    commands.push(("change", Command::Change { amount: Money::usd(8_500), overridden: None }));
    commands.push(("abandon", Command::Abandon));
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|state| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events.iter().map(Event::kind).collect::<Vec<_>>().join(" + "),
                Err(refusal) => format!("- {}", refusal.code),
            };
            let name = state.as_ref().map_or("nothing", |estimate| estimate.standing.status.name());
            (name.to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("estimate", &columns, &rows);
}
