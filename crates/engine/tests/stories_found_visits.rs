//! What random schedules of visits found, each as a story of its own.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_core::appointment::{Appointment, Party, Status};
use suture_core::consent::Purpose;
use suture_core::money::Money;
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::time::Timestamp;
use suture_core::visit::Timing;
use suture_core::waiting::Wish;
use suture_engine::Error;
use suture_engine::scheduling::{Ending, Move};
use suture_sim::on_both_databases;
use suture_sim::world::{Desk, World};
use suture_store::effects::{Effect, State};

on_both_databases!(
    a_check_holds_one_slot_at_a_time_and_books_one_visit,
    money_for_a_check_that_another_service_took_meanwhile_books_and_a_person_is_asked,
    a_reservation_that_would_lapse_before_the_visit_is_captured,
    a_visit_that_moves_beyond_its_reservation_is_captured,
    a_reservation_that_is_released_without_us_is_asked_of_a_person,
    a_place_that_could_not_take_a_slot_is_asked_when_it_is_free_again,
);

const DAY: i64 = 86_400_000;
const FAR_MINUTES: i64 = 9 * 1_440;

/// A booking by a deposit that is only reserved.
async fn reserved(world: &mut World, minutes: i64) -> (Desk, Appointment) {
    let desk = world.practice(Timing::DepositToBook, |_, _, visit| visit.reserve_only = true).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, minutes).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!((booked.status, world.moved("charge").len()), (Status::Confirmed, 0));
    (desk, booked)
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

/// The second deposit was taken at Stripe, and the fact of it could never be stored: its booking was refused each time.
async fn a_check_holds_one_slot_at_a_time_and_books_one_visit(mut world: World) {
    let desk = world.practice(Timing::Hybrid, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let check = world.eligible(patient, 4_000).await.unwrap();
    let (first, second) = (world.opening(desk, 120).await.unwrap(), world.opening(desk, 180).await.unwrap());
    let held = world.select(desk, (patient, 0), first, Some(check.id)).await.unwrap();
    let refused = world.select(desk, (patient, 0), second, Some(check.id)).await;
    assert_eq!(code(refused), "eligibility_used");
    // A hold that ends gives its check back.
    let ending = Ending { by: Party::Patient, reason: "other_time".into(), waived_by: None };
    world.engine(0).cancel_appointment(&world.caller(), held.id, ending).await.unwrap();
    let held = world.select(desk, (patient, 0), second, Some(check.id)).await.unwrap();
    assert_eq!(world.pay(held.id, "pm_card_visa").await.unwrap().status, Status::Confirmed);
    let refused = world.select(desk, (patient, 0), first, Some(check.id)).await;
    assert_eq!(code(refused), "eligibility_used");
    assert_eq!(world.moved("charge").len(), 1);
}

/// Somebody books a service with the check while the deposit is being paid.
async fn money_for_a_check_that_another_service_took_meanwhile_books_and_a_person_is_asked(mut world: World) {
    let desk = world.practice(Timing::Hybrid, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let check = world.eligible(patient, 4_000).await.unwrap();
    let starts_at = world.opening(desk, 120).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, Some(check.id)).await.unwrap();
    world.service_for(&check).await.unwrap();
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -4_000);
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
    let asked = world.effects(State::Parked).await.unwrap();
    assert!(asked.iter().any(|effect| effect.destination == "coverage"), "{asked:?}");
    // The payer was never asked about this visit, so nothing of it is charged to the patient.
    world.prices(desk, &[("99214", 12_000)]).await.unwrap();
    world.consent(patient, Purpose::Visit, 20_000).await.unwrap();
    world.pass(DAY / 8).await.unwrap();
    let encounter = world.visit(booked.id, &["99214"]).await.unwrap();
    assert_eq!((encounter.total(), world.moved("charge").len()), (Some(Money::usd(12_000)), 1));
    let about = |effect: &Effect| effect.stream == Some(encounter.id.to_string());
    assert!(world.effects(State::Parked).await.unwrap().iter().any(about), "a person is asked");
}

/// A bank keeps a reservation for a week at most; the visit stood without any money afterwards.
async fn a_reservation_that_would_lapse_before_the_visit_is_captured(mut world: World) {
    let (_, booked) = reserved(&mut world, FAR_MINUTES).await;
    world.pass(8 * DAY).await.unwrap();
    let still = world.appointment(booked.id).await.unwrap();
    assert_eq!((still.status, still.paid_before().minor), (Status::Confirmed, 5_000));
    assert_eq!((world.moved("charge").len(), world.balance("deposit:patient").await.unwrap()), (1, -5_000));
}

async fn a_visit_that_moves_beyond_its_reservation_is_captured(mut world: World) {
    let (desk, booked) = reserved(&mut world, 2 * 1_440).await;
    let starts_at = world.opening(desk, FAR_MINUTES).await.unwrap();
    let to = Move { starts_at, by: Party::Clinic, reason: "other_time".into() };
    world.engine(0).move_appointment(&world.caller(), booked.id, to).await.unwrap();
    world.pass(8 * DAY).await.unwrap();
    assert_eq!(world.appointment(booked.id).await.unwrap().paid_before().minor, 5_000);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn a_reservation_that_is_released_without_us_is_asked_of_a_person(mut world: World) {
    let (_, booked) = reserved(&mut world, 2 * 1_440).await;
    let intent = world.payments().await.unwrap()[0].intent.clone().unwrap();
    world.in_dashboard(&format!("payment_intents/{intent}/cancel"));
    world.pass(DAY / 24).await.unwrap();
    let risky = world.appointment(booked.id).await.unwrap();
    assert_eq!(risky.status, Status::AtRisk, "the patient can pay it again until shortly before the visit");
    let asked = world.effects(State::Parked).await.unwrap();
    assert!(asked.iter().any(|effect| effect.destination == "deposits"), "{asked:?}");
}

/// A visit that moves by half of its length frees a time that no other visit fits into yet. The place that wanted it counted
/// as asked for good.
async fn a_place_that_could_not_take_a_slot_is_asked_when_it_is_free_again(mut world: World) {
    let hour = |_: &mut Clinic, _: &mut Provider, visit: &mut VisitType| visit.duration_minutes = 60;
    let desk = world.practice(Timing::DepositToBook, hour).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let other = world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let wish = Wish {
        patient: other,
        visit_type: desk.visit_type,
        provider: None,
        from: world.now(),
        until: starts_at,
        zone: "America/Chicago".into(),
    };
    let place = engine.join_waiting_list(&caller, wish).await.unwrap();
    let half_an_hour_later = Timestamp::from_millis(starts_at.millis() + 1_800_000);
    let to = Move { starts_at: half_an_hour_later, by: Party::Clinic, reason: "other_time".into() };
    engine.move_appointment(&caller, booked.id, to).await.unwrap();
    let asked = || engine.waiting(&world.organization, place.id);
    assert_eq!(asked().await.unwrap().appointment, None, "the old time is not free");
    let to = Move { starts_at, by: Party::Clinic, reason: "other_time".into() };
    engine.move_appointment(&caller, booked.id, to).await.unwrap();
    let ending = Ending { by: Party::Provider, reason: "ill".into(), waived_by: None };
    engine.cancel_appointment(&caller, booked.id, ending).await.unwrap();
    assert!(asked().await.unwrap().appointment.is_some(), "now it is");
}
