//! Stories and the table of the appointment (FLOWS 1).

use super::*;
use crate::currency::Currency;
use crate::evidence::{ChargeSeen, ChargeStatus, Evidence, IntentSeen, IntentStatus};
use crate::explain::Care;
use crate::id::{
    AppointmentId, ClinicId, DebtId, EncounterId, Mint, PatientId, PaymentId, ProviderId, Random, ServiceId,
    VisitTypeId,
};
use crate::money::Money;
use crate::payment::{self, Opening, Payment, Purpose, Source};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::visit::{Terms, Timing, Verdict};

struct Salt(u8);

impl Random for Salt {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

/// Minutes from the moment at which the slot is selected; the visit begins after 60.
fn at(minute: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + minute * 60)
}

fn mint(salt: &Salt) -> Mint<'_> {
    Mint::new(at(0), salt)
}

fn debt(number: u8) -> DebtId {
    DebtId::mint(mint(&Salt(number)))
}

fn service() -> ServiceId {
    ServiceId::mint(mint(&Salt(1)))
}

fn terms(timing: Timing) -> Terms {
    let deposit = if timing == Timing::PostVisit { 0 } else { 5_000 };
    Terms {
        timing,
        price: Money::usd(12_000),
        deposit: Money::usd(deposit),
        reserve_only: false,
        hold_minutes: 10,
        extend_minutes: 5,
        charge_before_minutes: Some(10),
        rescue_minutes: 10,
        offer_minutes: 20,
    }
}

fn select(timing: Timing) -> Command {
    let salt = Salt(1);
    Command::Select(Box::new(Selection {
        appointment: AppointmentId::mint(mint(&salt)),
        context: Context {
            patient: PatientId::mint(mint(&salt)),
            provider: ProviderId::mint(mint(&salt)),
            visit_type: VisitTypeId::mint(mint(&salt)),
            starts_at: at(60),
        },
        clinic: ClinicId::mint(mint(&salt)),
        ends_at: at(90),
        zone: "America/New_York".into(),
        link: "lnk1".into(),
        debt: timing.needs_deposit().then(|| debt(1)),
        terms: terms(timing),
        eligibility: None,
        waiting: None,
    }))
}

/// A payment of a debt after what the gateway showed.
fn payment(number: u8, minor: i64, shown: &[Evidence]) -> Box<Payment> {
    let opening = Opening {
        payment: PaymentId::mint(mint(&Salt(number))),
        debt: Some(debt(number)),
        connection: "con1".into(),
        gateway: "stripe".into(),
        link: Some("lnk1".into()),
        purpose: Some(Purpose::Deposit),
        care: Care { patient: Some("p".into()), appointment: Some("a".into()), ..Care::default() },
        amount: Money::usd(minor),
        manual_capture: false,
        customer: None,
        confirmed_by: None,
    };
    let mut commands = vec![payment::Command::Open(opening)];
    commands.push(payment::Command::PlanAttempt { method: Some("pm_1".into()) });
    commands.push(payment::Command::Answer { number: 1, answer: payment::Answer::Sent });
    commands.extend(shown.iter().map(|evidence| payment::Command::Observe {
        evidence: evidence.clone(),
        seen_at: at(1),
        source: Source::Webhook,
    }));
    let run = |state: Option<Payment>, command: &payment::Command| {
        let events = payment::decide(state.as_ref(), command, at(0)).unwrap();
        events.iter().fold(state, Payment::evolve)
    };
    Box::new(commands.iter().fold(None, run).unwrap())
}

fn captured(minor: i64) -> Evidence {
    Evidence::Charge(ChargeSeen {
        charge: "ch_1".into(),
        intent: Some("pi_1".into()),
        status: ChargeStatus::Succeeded,
        amount: Money::usd(minor),
        captured_minor: minor,
        refunded_minor: 0,
        disputed: false,
        capture_before: None,
        customer: None,
        method: None,
        card: None,
        link: Some("lnk1".into()),
        attempt: None,
        fee: None,
        error: None,
        receipt_url: None,
        created: at(1),
    })
}

fn declined(minor: i64) -> Evidence {
    Evidence::Intent(IntentSeen {
        intent: "pi_1".into(),
        status: IntentStatus::RequiresMethod,
        amount: Money::usd(minor),
        capturable_minor: 0,
        received_minor: 0,
        charge: None,
        customer: None,
        method: None,
        link: Some("lnk1".into()),
        attempt: None,
        cancel_reason: None,
        error: None,
        next_action: None,
        created: at(0),
    })
}

fn follow(payment: Box<Payment>) -> Command {
    Command::Follow { payment, service: service() }
}

fn paid() -> Command {
    follow(payment(1, 5_000, &[captured(5_000)]))
}

fn verdict() -> Verdict {
    Verdict { rule: "late".into(), fee: Money::usd(0), refund: Money::usd(5_000), charge: Money::usd(0) }
}

fn cancel(by: Party) -> Command {
    Command::Cancel { by, reason: "changed mind".into(), verdict: verdict(), waived: None }
}

fn run(state: Option<&Appointment>, command: &Command, minute: i64) -> Result<Option<Appointment>, Refusal> {
    decide(state, command, at(minute)).map(|events| events.iter().fold(state.cloned(), Appointment::evolve))
}

fn after(commands: &[(Command, i64)]) -> Option<Appointment> {
    commands.iter().fold(None, |state, (command, minute)| run(state.as_ref(), command, *minute).unwrap())
}

fn status(state: Option<&Appointment>) -> Status {
    state.unwrap().status
}

fn booked() -> Vec<(Command, i64)> {
    vec![(select(Timing::DepositToBook), 0), (paid(), 1)]
}

/// Confirmed, with 70.00 to be charged ten minutes before the visit.
fn with_visit_due() -> Vec<(Command, i64)> {
    let due = Command::RecordVisitDue { debt: debt(2), amount: Money::usd(7_000) };
    [booked(), vec![(due, 50)]].concat()
}

fn at_risk() -> Vec<(Command, i64)> {
    [with_visit_due(), vec![(follow(payment(2, 7_000, &[declined(7_000)])), 50)]].concat()
}

#[test]
fn story_1_the_deposit_confirms_the_booking_once() {
    let held = after(&booked()[..1]).unwrap();
    assert_eq!((held.status, held.held_until), (Status::PendingPayment, at(10)));
    let events = decide(Some(&held), &paid(), at(1)).unwrap();
    let kinds: Vec<&str> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, ["appointment.deposit_moved", "appointment.booking_confirmed"]);
    let stands = after(&booked()).unwrap();
    assert_eq!((stands.status, stands.service), (Status::Confirmed, Some(service())));
    assert_eq!(decide(Some(&stands), &paid(), at(2)), Ok(Vec::new()), "the same word again");
}

#[test]
fn branch_1a_a_declined_deposit_keeps_the_slot_held() {
    let declined = follow(payment(1, 5_000, &[declined(5_000)]));
    let state = after(&[(select(Timing::DepositToBook), 0), (declined, 1)]);
    assert_eq!(status(state.as_ref()), Status::PendingPayment);
}

#[test]
fn branch_1c_a_hold_is_extended_once() {
    let state = after(&[(select(Timing::DepositToBook), 0), (Command::Extend, 9), (Command::Extend, 14)]);
    assert_eq!(state.unwrap().held_until, at(15));
}

#[test]
fn branch_1d_late_money_books_again_or_goes_back_and_never_both() {
    let lapsed = after(&[(select(Timing::DepositToBook), 0), (Command::Lapse, 10), (paid(), 11)]).unwrap();
    assert_eq!((lapsed.status, lapsed.late_proof().is_some()), (Status::Lapsed, true));
    let rebook = Command::Rebook { service: service() };
    let again = run(Some(&lapsed), &rebook, 11).unwrap().unwrap();
    assert_eq!((again.status, again.late_proof()), (Status::Confirmed, None));
    assert_eq!(decide(Some(&again), &Command::LoseSlot, at(11)), Ok(Vec::new()));
    let lost = run(Some(&lapsed), &Command::LoseSlot, 11).unwrap().unwrap();
    assert_eq!((lost.status, lost.lost.len()), (Status::Lapsed, 1));
    assert_eq!(decide(Some(&lost), &rebook, at(12)), Ok(Vec::new()));
    assert_eq!(decide(Some(&lost), &Command::LoseSlot, at(12)), Ok(Vec::new()));
}

#[test]
fn t1_and_t2_a_decline_before_the_visit_puts_it_at_risk_until_it_is_paid() {
    let risky = after(&at_risk()).unwrap();
    assert_eq!(risky.risk, Some((at(60), "payment_failed".into())));
    let paid = follow(payment(2, 7_000, &[declined(7_000), captured(7_000)]));
    let secured = run(Some(&risky), &paid, 55).unwrap().unwrap();
    assert_eq!((secured.status, secured.risk), (Status::Confirmed, None));
}

#[test]
fn t3_at_the_deadline_it_is_released_unless_somebody_overrides_or_it_is_an_emergency() {
    let risky = after(&at_risk()).unwrap();
    let release = Command::Release { verdict: verdict() };
    assert_eq!(decide(Some(&risky), &release, at(59)), Ok(Vec::new()), "not before the deadline");
    let released = run(Some(&risky), &release, 60).unwrap().unwrap();
    assert_eq!(released.ended.as_ref().unwrap().1, "payment_sla");
    assert_eq!(released.status, Status::Canceled);
    let anyway = Command::Override { by: "dr_grey".into(), reason: "continuity".into() };
    let seen = run(Some(&risky), &anyway, 55).unwrap().unwrap();
    assert_eq!((seen.status, seen.visit_open().unwrap().minor), (Status::Confirmed, 7_000));
    assert_eq!(decide(Some(&seen), &release, at(60)), Ok(Vec::new()));
    let emergency = Command::MarkEmergency { emergency: true, by: "dr_grey".into() };
    let kept = run(Some(&risky), &emergency, 55).unwrap().unwrap();
    assert_eq!(decide(Some(&kept), &release, at(70)), Ok(Vec::new()), "never released");
}

#[test]
fn a_deposit_that_goes_back_while_the_visit_stands_puts_it_at_risk() {
    let mut gone = payment(1, 5_000, &[captured(5_000)]);
    let seen = Evidence::Refund(crate::evidence::RefundSeen {
        refund: "re_1".into(),
        charge: "ch_1".into(),
        intent: Some("pi_1".into()),
        amount: Money::usd(5_000),
        status: crate::evidence::RefundStatus::Succeeded,
        refund_id: None,
        reason: None,
        failure_reason: None,
        created: at(2),
    });
    let observe = payment::Command::Observe { evidence: seen, seen_at: at(2), source: Source::Webhook };
    for event in payment::decide(Some(&gone), &observe, at(2)).unwrap() {
        gone = Box::new(Payment::evolve(Some(*gone), &event).unwrap());
    }
    let risky = run(after(&booked()).as_ref(), &follow(gone), 5).unwrap().unwrap();
    assert_eq!(
        (risky.status, risky.risk.clone().unwrap()),
        (Status::AtRisk, (at(50), "deposit_gone".into()))
    );
    let again = follow(payment(1, 5_000, &[captured(5_000)]));
    assert_eq!(run(Some(&risky), &again, 6).unwrap().unwrap().status, Status::Confirmed);
}

#[test]
fn a_deadline_is_never_after_the_start_of_the_visit() {
    let late = [with_visit_due(), vec![(follow(payment(2, 7_000, &[declined(7_000)])), 55)]].concat();
    assert_eq!(after(&late).unwrap().risk.unwrap().0, at(60));
    let early = [with_visit_due(), vec![(follow(payment(2, 7_000, &[declined(7_000)])), 20)]].concat();
    assert_eq!(after(&early).unwrap().risk.unwrap().0, at(30));
}

#[test]
fn a_moved_appointment_keeps_its_payments() {
    let moved =
        Command::Move { starts_at: at(600), ends_at: at(630), by: Party::Patient, reason: "busy".into() };
    let state = run(after(&booked()).as_ref(), &moved, 20).unwrap().unwrap();
    assert_eq!((state.status, state.context.starts_at, state.moves), (Status::Confirmed, at(600), 1));
    assert_eq!(state.paid_before().minor, 5_000);
    assert_eq!(decide(Some(&state), &moved, at(21)), Ok(Vec::new()));
}

#[test]
fn nobody_is_missing_before_the_visit_begins() {
    let state = after(&booked());
    let miss = Command::Miss { verdict: verdict(), by: Party::Clinic };
    assert_eq!(run(state.as_ref(), &miss, 59).unwrap_err().code, "visit_not_begun");
    assert_eq!(status(run(state.as_ref(), &miss, 60).unwrap().as_ref()), Status::NoShow);
}

#[test]
fn post_visit_needs_no_money_and_a_deposit_cannot_be_skipped() {
    let confirm = Command::Confirm { service: service() };
    let free = after(&[(select(Timing::PostVisit), 0), (confirm.clone(), 1)]);
    assert_eq!(free.unwrap().confirmation, Some(Confirmation::NothingDue));
    let held = after(&[(select(Timing::DepositToBook), 0)]);
    assert_eq!(run(held.as_ref(), &confirm, 1).unwrap_err().code, "deposit_required");
}

#[test]
fn a_currency_of_terms_is_one() {
    let mut wrong = terms(Timing::DepositToBook);
    wrong.deposit = Money::new(5_000, Currency::parse("EUR").unwrap());
    assert!(wrong.check().is_err());
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let arrive = (Command::Arrive, 58);
    let states = [
        None,
        after(&booked()[..1]),
        after(&booked()),
        after(&at_risk()),
        after(&[booked(), vec![arrive.clone()]].concat()),
        after(&[booked(), vec![arrive, (Command::Complete, 90)]].concat()),
        after(&[booked(), vec![(cancel(Party::Patient), 5)]].concat()),
        after(&[booked(), vec![(Command::Miss { verdict: verdict(), by: Party::Clinic }, 70)]].concat()),
        after(&[(select(Timing::DepositToBook), 0), (Command::Lapse, 10), (paid(), 11)]),
    ];
    let encounter = EncounterId::mint(mint(&Salt(1)));
    let commands = [
        ("select", select(Timing::DepositToBook)),
        ("extend", Command::Extend),
        ("paid", paid()),
        ("confirm", Command::Confirm { service: service() }),
        ("lapse", Command::Lapse),
        ("rebook", Command::Rebook { service: service() }),
        ("lose slot", Command::LoseSlot),
        ("visit due", Command::RecordVisitDue { debt: debt(2), amount: Money::usd(7_000) }),
        ("override", Command::Override { by: "dr_grey".into(), reason: "continuity".into() }),
        ("release", Command::Release { verdict: verdict() }),
        ("cancel", cancel(Party::Clinic)),
        (
            "move",
            Command::Move { starts_at: at(600), ends_at: at(630), by: Party::Patient, reason: "busy".into() },
        ),
        ("arrive", Command::Arrive),
        ("encounter", Command::OpenEncounter { encounter }),
        ("complete", Command::Complete),
        ("miss", Command::Miss { verdict: verdict(), by: Party::Clinic }),
    ];
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|state| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command, at(120)) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => events
                    .iter()
                    .fold(state.clone(), Appointment::evolve)
                    .map_or_else(String::new, |appointment| appointment.status.name().to_owned()),
                Err(refusal) => format!("- {}", refusal.code),
            };
            let name = state.as_ref().map_or("nothing", |appointment| appointment.status.name());
            (name.to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let names: std::collections::BTreeSet<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    assert!(Status::ALL.iter().all(|status| names.contains(status.name())), "every status is in the table");
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("appointment", &columns, &rows);
}
