//! What a review found in visits and their money, each as a story of its own.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::appointment::{Appointment, Party, Status};
use suture_core::consent::Purpose;
use suture_core::eligibility::Eligibility;
use suture_core::explain::{Actor, Care, Reason};
use suture_core::id::{PatientId, PaymentId};
use suture_core::money::Money;
use suture_core::payment;
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::service::Command;
use suture_core::visit::{Occasion, Policy, Rule, Share, Timing, When};
use suture_engine::scheduling::{Ending, Move};
use suture_sim::on_both_databases;
use suture_sim::world::{Desk, Fault, World};
use suture_store::effects::State;
use suture_store::journal;

on_both_databases!(
    a_fee_above_a_reserved_deposit_charges_only_what_the_deposit_leaves,
    a_fee_whose_reserved_deposit_lapsed_is_asked_of_a_person,
    the_charge_before_the_visit_leaves_a_reserved_deposit_alone,
    a_visit_that_moves_to_an_earlier_day_is_charged_before_it,
    a_deposit_that_is_paid_again_late_brings_the_charge_before_the_visit_back,
    a_patient_arrives_while_the_deposit_is_being_captured,
    a_patient_arrives_after_the_reservation_lapsed,
    a_late_cancellation_while_the_deposit_is_being_captured_keeps_its_fee,
    a_visit_with_a_disputed_deposit_can_be_cancelled,
    a_deposit_of_which_a_part_went_back_is_made_whole,
    a_reservation_that_is_being_released_does_not_book_again,
    a_visit_that_was_booked_again_keeps_its_reservation,
    a_reservation_that_was_made_again_is_kept_and_asked_about_again,
    an_addendum_of_words_leaves_what_a_person_set,
    an_estimate_that_moved_to_another_check_stops_no_booking,
    money_whose_booking_is_refused_is_booked_and_a_person_is_asked,
);

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

struct Here {
    world: World,
    desk: Desk,
    patient: PatientId,
    booked: Appointment,
}

/// A visit that is booked by its deposit, so many minutes from now.
async fn booked(
    mut world: World,
    minutes: i64,
    change: impl FnOnce(&mut Clinic, &mut Provider, &mut VisitType),
) -> Here {
    let desk = world.practice(Timing::DepositToBook, change).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    for purpose in [Purpose::Visit, Purpose::MissedVisitFee] {
        world.consent(patient, purpose, 50_000).await.unwrap();
    }
    let starts_at = world.opening(desk, minutes).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    Here { world, desk, patient, booked }
}

/// 25.00 for a cancellation, and half of the price for a patient who does not come.
fn strict() -> Policy {
    let rule = |name: &str, occasion, fee| Rule {
        name: name.into(),
        when: When { occasions: vec![occasion], ..When::default() },
        fee,
        charge_the_rest: true,
    };
    let late = rule("late_cancel", Occasion::PatientCancels, Share::Amount(Money::usd(2_500)));
    let missed = rule("no_show", Occasion::NoShow, Share::OfPrice(5_000));
    let rest = Rule { name: "else".into(), when: When::default(), fee: Share::None, charge_the_rest: false };
    Policy { version: "strict-1".into(), rules: vec![late, missed, rest], examples: Vec::new() }
}

impl Here {
    async fn now(&self) -> Appointment {
        self.world.appointment(self.booked.id).await.unwrap()
    }

    /// Until so many minutes before the visit.
    async fn until_before(&mut self, minutes: i64) {
        let starts_at = self.now().await.context.starts_at.millis();
        let wait = starts_at - minutes * MINUTE - self.world.clock.millis();
        self.world.pass(wait).await.unwrap();
    }

    async fn deposit(&self) -> (PaymentId, String) {
        let payment = &self.world.payments().await.unwrap()[0];
        (payment.id, payment.intent.clone().unwrap())
    }

    fn moved(&self, motion: &str) -> Vec<i64> {
        self.world.moved(motion).iter().map(|moved| moved["amount"].as_i64().unwrap()).collect()
    }

    async fn is_asked(&self, queue: &str) -> usize {
        let asked = self.world.effects(State::Parked).await.unwrap();
        asked.iter().filter(|effect| effect.destination == queue).count()
    }

    async fn cancel(&mut self, by: Party) -> Appointment {
        let ending = Ending { by, reason: "ill".into(), waived_by: None };
        let (engine, caller) = (self.world.engine(0).clone(), self.world.caller());
        engine.cancel_appointment(&caller, self.booked.id, ending).await.unwrap();
        self.world.settle().await.unwrap();
        self.now().await
    }

    async fn arrive(&mut self) -> Appointment {
        let (engine, caller) = (self.world.engine(0).clone(), self.world.caller());
        engine.arrive(&caller, self.booked.id).await.unwrap();
        self.world.settle().await.unwrap();
        self.now().await
    }

    /// The desk captures the reserved deposit; the answer is not known yet.
    async fn begin_capture(&self) {
        let (payment, _) = self.deposit().await;
        self.world.engine(0).capture_payment(&self.world.caller(), payment, None).await.unwrap();
    }

    async fn cents(&self, account: &str) -> i64 {
        self.world.balance(account).await.unwrap()
    }
}

/// The whole fee was charged while the deposit was being captured, and the surplus went back.
async fn a_fee_above_a_reserved_deposit_charges_only_what_the_deposit_leaves(world: World) {
    let mut here = booked(world, 120, |clinic, _, visit| {
        (clinic.policy, visit.reserve_only) = (strict(), true);
    })
    .await;
    here.world.pass(130 * MINUTE).await.unwrap();
    let (engine, caller) = (here.world.engine(0).clone(), here.world.caller());
    here.world.outside.plan([Fault::AnswerLost]);
    engine.miss_appointment(&caller, here.booked.id).await.unwrap();
    here.world.pass(5 * MINUTE).await.unwrap();
    assert_eq!((here.moved("charge"), here.moved("refund")), (vec![5_000, 1_000], vec![]));
    assert_eq!(here.cents("rev:service").await, -6_000);
    assert_eq!((here.cents("deposit:patient").await, here.cents("ar:patient").await), (0, 0));
}

/// The policy said that 10.00 are charged beside the deposit: never the 60.00 that are left without it.
async fn a_fee_whose_reserved_deposit_lapsed_is_asked_of_a_person(world: World) {
    let mut here = booked(world, 120, reserved).await;
    here.world.clock.jump(8 * DAY);
    let (engine, caller) = (here.world.engine(0).clone(), here.world.caller());
    engine.miss_appointment(&caller, here.booked.id).await.unwrap();
    here.world.pass(5 * MINUTE).await.unwrap();
    assert_eq!((here.now().await.status, here.moved("charge")), (Status::NoShow, vec![]));
    assert_eq!(here.is_asked("collections").await, 1);
}

async fn the_charge_before_the_visit_leaves_a_reserved_deposit_alone(world: World) {
    let mut here = booked(world, 120, |_, _, visit| {
        (visit.reserve_only, visit.charge_before_minutes) = (true, Some(10));
    })
    .await;
    here.until_before(5).await;
    assert_eq!(here.moved("charge"), vec![7_000], "120.00 less the 50.00 that are reserved");
    here.arrive().await;
    assert_eq!(here.cents("deposit:patient").await, -12_000);
}

/// The timer of the later day was in front of it in its lane.
async fn a_visit_that_moves_to_an_earlier_day_is_charged_before_it(world: World) {
    let change =
        |_: &mut Clinic, _: &mut Provider, visit: &mut VisitType| visit.charge_before_minutes = Some(10);
    let mut here = booked(world, 7 * 1_440, change).await;
    let starts_at = here.world.opening(here.desk, 1_440).await.unwrap();
    let to = Move { starts_at, by: Party::Clinic, reason: "earlier".into() };
    here.world.engine(0).move_appointment(&here.world.caller(), here.booked.id, to).await.unwrap();
    here.until_before(5).await;
    assert_eq!(here.moved("charge"), vec![5_000, 7_000]);
    here.world.pass(8 * DAY).await.unwrap();
    assert_eq!(here.moved("charge"), vec![5_000, 7_000], "and once");
}

/// The timer found the visit at risk and did nothing, and nobody charged the rest after it was safe again.
async fn a_deposit_that_is_paid_again_late_brings_the_charge_before_the_visit_back(world: World) {
    let change =
        |_: &mut Clinic, _: &mut Provider, visit: &mut VisitType| visit.charge_before_minutes = Some(60);
    let mut here = booked(world, 180, change).await;
    let (_, intent) = here.deposit().await;
    here.world.outside.at_stripe("external_refund", &json!({ "payment_intent": intent })).unwrap();
    here.world.settle().await.unwrap();
    here.until_before(40).await;
    assert_eq!((here.now().await.status, here.moved("charge")), (Status::AtRisk, vec![5_000]));
    here.world.pay(here.booked.id, "pm_card_visa").await.unwrap();
    here.world.settle().await.unwrap();
    let after = here.now().await;
    assert_eq!((after.status, after.visit_open()), (Status::Confirmed, None));
    assert_eq!(here.moved("charge"), vec![5_000, 5_000, 7_000]);
}

fn reserved(clinic: &mut Clinic, _: &mut Provider, visit: &mut VisitType) {
    (clinic.policy, visit.reserve_only) = (strict(), true);
}

async fn a_patient_arrives_while_the_deposit_is_being_captured(world: World) {
    let mut here = booked(world, 120, reserved).await;
    here.begin_capture().await;
    assert_eq!(here.arrive().await.status, Status::InVisit);
    assert_eq!((here.moved("charge"), here.cents("deposit:patient").await), (vec![5_000], -5_000));
}

async fn a_patient_arrives_after_the_reservation_lapsed(world: World) {
    let mut here = booked(world, 120, reserved).await;
    here.world.clock.jump(8 * DAY);
    assert_eq!(here.arrive().await.status, Status::InVisit, "whoever is here is seen");
    assert_eq!(here.moved("charge"), Vec::<i64>::new());
    let (opened, patient) = (here.now().await, here.patient);
    assert_eq!(opened.context.patient, patient);
}

async fn a_late_cancellation_while_the_deposit_is_being_captured_keeps_its_fee(world: World) {
    let mut here = booked(world, 120, reserved).await;
    here.begin_capture().await;
    assert_eq!(here.cancel(Party::Patient).await.status, Status::Canceled);
    assert_eq!((here.moved("charge"), here.moved("refund")), (vec![5_000], vec![2_500]));
    assert_eq!(here.cents("rev:service").await, -2_500);
    assert_eq!((here.cents("deposit:patient").await, here.cents("credit:patient").await), (0, 0));
}

/// The refund of disputed money was refused, and took the cancellation back with it.
async fn a_visit_with_a_disputed_deposit_can_be_cancelled(world: World) {
    let mut here = booked(world, 120, |_, _, _| {}).await;
    let (_, intent) = here.deposit().await;
    let dispute = here.world.outside.at_stripe("dispute", &json!({ "payment_intent": intent })).unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.cancel(Party::Provider).await.status, Status::Canceled);
    assert_eq!((here.moved("refund"), here.is_asked("credits").await), (vec![], 1));
    // The clinic wins: the deposit goes back as the cancellation said.
    here.world.outside.at_stripe("win", &json!({ "dispute": dispute["id"] })).unwrap();
    here.world.settle().await.unwrap();
    assert_eq!((here.moved("refund"), here.cents("deposit:patient").await), (vec![5_000], 0));
}

/// All of the deposit was asked for again, more than was due, so that nobody could pay and the slot was released.
async fn a_deposit_of_which_a_part_went_back_is_made_whole(world: World) {
    let mut here = booked(world, 180, |_, _, _| {}).await;
    let (_, intent) = here.deposit().await;
    let part = json!({ "payment_intent": intent, "amount": 1_000 });
    here.world.outside.at_stripe("external_refund", &part).unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.now().await.status, Status::AtRisk);
    assert_eq!(suture_engine::scheduling::due(&here.now().await), Some(Money::usd(1_000)));
    assert_eq!(here.world.pay(here.booked.id, "pm_card_visa").await.unwrap().status, Status::Confirmed);
    assert_eq!((here.moved("charge"), here.cents("deposit:patient").await), (vec![5_000, 1_000], -5_000));
    here.until_before(0).await;
    assert_eq!(here.now().await.status, Status::Confirmed, "nothing releases it");
}

/// A hold of a reserved deposit that ended while the patient passed the bank's check.
async fn reserved_too_late(mut world: World) -> Here {
    let desk = world.practice(Timing::DepositToBook, reserved).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    world.pay(held.id, "pm_card_threeDSecure2Required").await.unwrap();
    world.pass(14 * MINUTE).await.unwrap();
    world.clock.jump(2 * MINUTE);
    let intent = world.payments().await.unwrap()[0].intent.clone();
    let passed = json!({ "payment_intent": intent, "outcome": "success" });
    world.outside.at_stripe("complete_3ds", &passed).unwrap();
    Here { world, desk, patient, booked: held }
}

impl Here {
    async fn deposit_status(&self) -> payment::Status {
        self.world.payments().await.unwrap()[0].status()
    }
}

async fn a_reservation_that_is_being_released_does_not_book_again(world: World) {
    let mut here = reserved_too_late(world).await;
    here.world.step(0).await.unwrap();
    assert_eq!(here.now().await.status, Status::Lapsed);
    here.world.step(0).await.unwrap();
    // The gateway hears of the cancellation only after we heard of the reservation.
    here.world.outside.plan([Fault::NotSent]);
    here.world.step(0).await.unwrap();
    here.world.settle().await.unwrap();
    here.world.pass(5 * MINUTE).await.unwrap();
    assert_eq!(
        (here.now().await.status, here.deposit_status().await),
        (Status::Lapsed, payment::Status::Canceled)
    );
}

async fn a_visit_that_was_booked_again_keeps_its_reservation(world: World) {
    let mut here = reserved_too_late(world).await;
    here.world.deliver_all().await.unwrap();
    here.world.pass(5 * MINUTE).await.unwrap();
    assert_eq!(
        (here.now().await.status, here.deposit_status().await),
        (Status::Confirmed, payment::Status::Authorized)
    );
}

async fn a_reservation_that_was_made_again_is_kept_and_asked_about_again(world: World) {
    let mut here = booked(world, 9 * 1_440, reserved).await;
    for times in 1..=2 {
        let intent = here.world.payments().await.unwrap().last().unwrap().intent.clone().unwrap();
        here.world.in_dashboard(&format!("payment_intents/{intent}/cancel"));
        here.world.settle().await.unwrap();
        assert_eq!((here.now().await.status, here.is_asked("deposits").await), (Status::AtRisk, times));
        let again = here.world.pay(here.booked.id, "pm_card_visa").await.unwrap();
        assert_eq!(again.status, Status::Confirmed);
    }
    here.world.pass(8 * DAY).await.unwrap();
    let still = here.now().await;
    assert_eq!((still.status, still.paid_before().minor), (Status::Confirmed, 5_000));
}

/// The price of the codes took the place of the amount that a person had set.
async fn an_addendum_of_words_leaves_what_a_person_set(mut world: World) {
    let desk = world.practice(Timing::PostVisit, |_, _, _| {}).await.unwrap();
    world.prices(desk, &[("99214", 16_500), ("99213", 11_000)]).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    world.consent(patient, Purpose::Visit, 50_000).await.unwrap();
    let starts_at = world.opening(desk, 60).await.unwrap();
    let booked = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    world.pass(100 * MINUTE).await.unwrap();
    let encounter = world.visit(booked.id, &["99214"]).await.unwrap();
    let service = booked.service.unwrap();
    let set = Command::SetResponsibility { responsibility: Money::usd(10_000), author: "finance".into() };
    world.on_service(service, set).await.unwrap();
    world.addend(encounter.id, &["99214"]).await.unwrap();
    let sheet = world.service(service).await.unwrap().worksheet();
    assert_eq!((sheet.responsibility.minor, sheet.difference.minor), (10_000, 0));
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (1, 1));
    world.addend(encounter.id, &["99213"]).await.unwrap();
    let sheet = world.service(service).await.unwrap().worksheet();
    assert_eq!(sheet.responsibility.minor, 11_000, "other codes are another price");
}

async fn an_estimate_that_moved_to_another_check_stops_no_booking(mut world: World) {
    let desk = world.practice(Timing::Hybrid, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let check = world.eligible(patient, 4_000).await.unwrap();
    let estimate = world.captured_estimate(&check, "pm_card_visa").await.unwrap();
    let other = world.eligible(patient, 4_000).await.unwrap();
    let service = world.service_for(&other).await.unwrap();
    let caller = world.caller();
    world.engine(0).clone().reattach_estimate(&caller, service.id, estimate.id).await.unwrap();
    let starts_at = world.opening(desk, 120).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, Some(check.id)).await.unwrap();
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    let booked = world.service(booked.service.unwrap()).await.unwrap();
    assert!(booked.estimates.is_empty(), "its money is another service's");
}

/// The evidence was refused with what followed from it, each time, and with it the page of the sweep that it was on.
async fn money_whose_booking_is_refused_is_booked_and_a_person_is_asked(mut world: World) {
    let desk = world.practice(Timing::Hybrid, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let other = world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    let check = world.eligible(patient, 4_000).await.unwrap();
    let starts_at = world.opening(desk, 120).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, Some(check.id)).await.unwrap();
    belongs_to(&world, check.id.to_string(), other).await;
    let waits = world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(waits.status, Status::PendingPayment);
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -4_000, "the money is in the books");
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
    let asked = world.effects(State::Parked).await.unwrap();
    assert_eq!(asked.iter().filter(|effect| effect.destination == "not-followed").count(), 1, "{asked:?}");
    // Once what refused is mended, the next look at the gateway goes on.
    belongs_to(&world, check.id.to_string(), patient).await;
    world.sweep(std::time::Duration::from_secs(86_400)).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.appointment(held.id).await.unwrap().status, Status::Confirmed);
}

/// Behind the engine's back a check becomes another patient's: something that no booking is made for.
async fn belongs_to(world: &World, check: String, patient: PatientId) {
    let organization = world.organization.clone();
    let now = world.now();
    let write = move |tx: &mut suture_store::Tx<'_>| {
        let found = journal::load::<Eligibility>(tx, &organization, &check)?.unwrap();
        let state = Eligibility { patient, ..found.state };
        let (stream, version, head) = (check.as_str(), found.version, found.head);
        let at = journal::At { organization: &organization, stream, kind: "eligibility", version, head };
        let cause = journal::Cause {
            actor: Actor::System("story".to_owned()),
            reason: Reason::of("story"),
            care: Care::default(),
            at: now,
        };
        let event = journal::NewEvent { kind: "eligibility.changed", body: json!({}) };
        journal::append(tx, at, vec![event], &cause, &state).map(|_| ())
    };
    world.store().write(write).await.unwrap();
}
