//! Links that lead to money: an interrupted payment is finished, an offer is taken by its deposit, and each link serves
//! until what it leads to is paid, and then no more.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::time::Duration;

use suture_core::appointment::{Appointment, Status};
use suture_core::money::Money;
use suture_core::pass::Purpose;
use suture_core::visit::Timing;
use suture_engine::Error;
use suture_engine::notices::NewPass;
use suture_engine::scheduling::{Checkout, PayByLink};
use suture_sim::on_both_databases;
use suture_sim::world::World;

on_both_databases!(
    a_declined_deposit_is_finished_by_its_link_and_never_charged_twice,
    an_offer_with_a_deposit_is_taken_by_paying_it,
    a_free_offer_is_taken_by_two_clicks_once,
);

const MINUTE: i64 = 60_000;
const DECLINED: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";

async fn held(world: &mut World, timing: Timing) -> Appointment {
    let desk = world.practice(timing, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    world.select(desk, (patient, 0), starts_at, None).await.unwrap()
}

async fn token(world: &World, purpose: Purpose, subject: String) -> String {
    let expires_at = world.now() + Duration::from_secs(3_600);
    let new = NewPass { purpose, subject, expires_at };
    let url = world.engine(0).issue_link(&world.caller(), new).await.unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

/// Pays by a link. No worker of this process tells the answer, so it is known only after the world has settled.
async fn pay(world: &mut World, token: &str, purpose: Purpose, how: PayByLink) -> Result<(), Error> {
    world.engine(0).clone().pay_by_link(token, purpose, how).await?;
    world.settle().await.unwrap();
    Ok(())
}

fn with(method: &str) -> PayByLink {
    PayByLink { method: Some(method.to_owned()), ..PayByLink::default() }
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

async fn a_declined_deposit_is_finished_by_its_link_and_never_charged_twice(mut world: World) {
    let held = held(&mut world, Timing::DepositToBook).await;
    let link = token(&world, Purpose::ReturnToCheckout, held.id.to_string()).await;
    pay(&mut world, &link, Purpose::ReturnToCheckout, with(DECLINED)).await.unwrap();
    let Checkout::Visit(seen) = world.engine(0).checkout(&link).await.unwrap() else { panic!("a visit") };
    assert_eq!((seen.due, seen.appointment.status), (Some(Money::usd(5_000)), Status::PendingPayment));
    assert!(seen.saved.is_some(), "the card on file is offered");
    let how = PayByLink { use_saved: true, ..PayByLink::default() };
    pay(&mut world, &link, Purpose::ReturnToCheckout, how).await.unwrap();
    let booked = world.appointment(held.id).await.unwrap();
    assert_eq!(
        (booked.status, booked.payments.len()),
        (Status::Confirmed, 1),
        "the same payment's next attempt"
    );
    let Checkout::Visit(seen) = world.engine(0).checkout(&link).await.unwrap() else { panic!("a visit") };
    assert_eq!(seen.due, None);
    let again = pay(&mut world, &link, Purpose::ReturnToCheckout, with("pm_card_visa")).await;
    assert_eq!(code(again), "nothing_due");
    let other = token(&world, Purpose::ReturnToCheckout, held.id.to_string()).await;
    let again = pay(&mut world, &other, Purpose::ReturnToCheckout, with("pm_card_visa")).await;
    assert_eq!(code(again), "nothing_due", "whatever the link, nothing is charged twice");
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -5_000);
}

async fn an_offer_with_a_deposit_is_taken_by_paying_it(mut world: World) {
    let held = held(&mut world, Timing::DepositToBook).await;
    let link = token(&world, Purpose::WaitlistOffer, held.id.to_string()).await;
    assert_eq!(code(world.engine(0).accept_by_link(&link).await), "deposit_required");
    pay(&mut world, &link, Purpose::WaitlistOffer, with("pm_card_visa")).await.unwrap();
    assert_eq!(world.appointment(held.id).await.unwrap().status, Status::Confirmed);
    assert_eq!(code(world.engine(0).decline_by_link(&link).await), "not_allowed_now", "a booking stays");
}

async fn a_free_offer_is_taken_by_two_clicks_once(mut world: World) {
    let desk = world.practice(Timing::PostVisit, |_, _, _| {}).await.unwrap();
    let first = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let second = world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    let booked = world.select(desk, (first, 0), starts_at, None).await.unwrap();
    let wish = suture_core::waiting::Wish {
        patient: second,
        visit_type: desk.visit_type,
        provider: None,
        from: world.now(),
        until: starts_at,
        zone: "America/Chicago".into(),
    };
    let caller = world.caller();
    let place = world.engine(0).join_waiting_list(&caller, wish).await.unwrap();
    let manage = token(&world, Purpose::ManageBooking, booked.id.to_string()).await;
    world.engine(0).cancel_by_link(&manage, (None, None)).await.unwrap();
    let organization = world.organization.clone();
    let offer = world.engine(0).waiting(&organization, place.id).await.unwrap().appointment.unwrap();
    let link = token(&world, Purpose::WaitlistOffer, offer.to_string()).await;
    let (one, two) = (world.engine(0).clone(), world.engine(0).clone());
    let (one, two) = tokio::join!(one.accept_by_link(&link), two.accept_by_link(&link));
    let taken = [&one, &two].into_iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(taken, 1, "{one:?} {two:?}");
    assert_eq!(code(if one.is_ok() { two } else { one }), "link_used");
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.appointment(offer).await.unwrap().status, Status::Confirmed);
}
