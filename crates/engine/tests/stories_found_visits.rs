//! What random schedules of visits found, each as a story of its own.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use suture_core::appointment::{Party, Status};
use suture_core::visit::Timing;
use suture_engine::Error;
use suture_engine::scheduling::Ending;
use suture_sim::on_both_databases;
use suture_sim::world::World;
use suture_store::effects::State;

on_both_databases!(
    a_check_holds_one_slot_at_a_time_and_books_one_visit,
    money_for_a_check_that_another_service_took_meanwhile_books_and_a_person_is_asked,
);

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
}
