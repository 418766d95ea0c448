//! Authorizations, captures, refunds and disputes: FLOWS §4 and §9.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::money::Money;
use suture_core::payment::{Payment, Status};
use suture_engine::{Error, TakePayment};
use suture_sim::on_both_databases;
use suture_sim::world::{Fate, Fault, NewVisit, World, take_payment};
use suture_store::effects::State;

on_both_databases!(
    story_4_an_authorization_moves_nothing_until_it_is_captured,
    story_4a_a_declined_authorization_forwards_the_error_and_the_next_attempt_authorizes,
    story_4b_a_capture_after_expiry_is_refused_and_the_payment_expires,
    story_4c_a_lost_capture_answer_is_sent_again_and_captures_once,
    story_4e_a_cancellation_between_authorize_and_capture_moves_nothing,
    story_4g_a_failed_refund_becomes_a_credit,
    story_4h_a_partial_capture_releases_the_rest,
    refunds_never_exceed_what_was_captured,
    a_lost_refund_answer_is_sent_again_and_refunds_once,
    story_9_a_lost_dispute_is_written_off,
    story_9_a_won_dispute_comes_back,
    story_9d_dispute_events_out_of_order_are_one_dispute,
);

async fn authorized(world: &mut World, minor: i64) -> Payment {
    let link = world.link(&NewVisit::due(0, minor)).await.unwrap();
    let take = TakePayment { manual_capture: true, ..take_payment(&link.id, minor, "pm_card_visa") };
    let payment = world.take_with(take).await.unwrap();
    world.settle().await.unwrap();
    world.payment(payment.id).await.unwrap()
}

async fn captured(world: &mut World, minor: i64, card: &str) -> Payment {
    let link = world.link(&NewVisit::due(0, minor)).await.unwrap();
    let payment = world.take(&link.id, minor, card).await.unwrap();
    world.settle().await.unwrap();
    world.payment(payment.id).await.unwrap()
}

async fn capture(world: &World, payment: &Payment, minor: Option<i64>) -> Result<Payment, Error> {
    world.engine(0).capture_payment(&world.caller(), payment.id, minor.map(Money::usd)).await
}

async fn refund(world: &World, payment: &Payment, minor: i64) -> Result<(), Error> {
    let why = ("visit_cancelled", "key_manager");
    world
        .engine(0)
        .refund_payment(&world.caller(), payment.id, Some(Money::usd(minor)), why)
        .await
        .map(|_| ())
}

async fn now(world: &World, payment: &Payment) -> Payment {
    world.payment(payment.id).await.unwrap()
}

async fn story_4_an_authorization_moves_nothing_until_it_is_captured(mut world: World) {
    let payment = authorized(&mut world, 6_000).await;
    assert_eq!(payment.status(), Status::Authorized);
    assert_eq!(world.balance("gw:stripe").await.unwrap(), 0);
    assert!(world.postings().await.unwrap().is_empty());
    capture(&world, &payment, None).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Captured);
    assert_eq!(world.balance("ar:patient").await.unwrap(), 0);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_4a_a_declined_authorization_forwards_the_error_and_the_next_attempt_authorizes(
    mut world: World,
) {
    let link = world.link(&NewVisit::due(0, 6_000)).await.unwrap();
    let declined = take_payment(&link.id, 6_000, "pm_card_visa_chargeDeclined");
    let payment = world.take_with(TakePayment { manual_capture: true, ..declined }).await.unwrap();
    world.settle().await.unwrap();
    let payment = now(&world, &payment).await;
    assert_eq!(payment.status(), Status::RequiresMethod);
    let error = payment.intent_known.clone().unwrap().error.unwrap();
    assert_eq!(error.decline_code.as_deref(), Some("generic_decline"));
    world.clock.jump(1_000);
    let engine = world.engine(0).clone();
    engine.retry_payment(&world.caller(), payment.id, "pm_card_visa".to_owned()).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Authorized);
}

async fn story_4b_a_capture_after_expiry_is_refused_and_the_payment_expires(mut world: World) {
    let payment = authorized(&mut world, 6_000).await;
    let before = payment.capture_before.unwrap();
    world.clock.reach(before.millis() + 1);
    let refused = capture(&world, &payment, None).await;
    assert!(
        matches!(&refused, Err(Error::Refused(why)) if why.code == "authorization_expired"),
        "{refused:?}"
    );
    world.pass(60_000).await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Expired);
    assert!(world.moved("charge").is_empty());
}

async fn story_4c_a_lost_capture_answer_is_sent_again_and_captures_once(mut world: World) {
    let payment = authorized(&mut world, 6_000).await;
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    capture(&world, &payment, None).await.unwrap();
    world.outside.plan([Fault::AnswerLost]);
    world.step(0).await.unwrap();
    world.pass(30_000).await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_4e_a_cancellation_between_authorize_and_capture_moves_nothing(mut world: World) {
    let payment = authorized(&mut world, 6_000).await;
    world.engine(0).cancel_payment(&world.caller(), payment.id).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Canceled);
    assert!(world.moved("charge").is_empty() && world.moved("refund").is_empty());
    let refused = capture(&world, &payment, None).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

async fn story_4g_a_failed_refund_becomes_a_credit(mut world: World) {
    let payment = captured(&mut world, 6_000, "pm_card_refundFail").await;
    refund(&world, &payment, 6_000).await.unwrap();
    world.pass(600_000).await.unwrap();
    assert_eq!(world.moved("refund_failure").len(), 1);
    assert_eq!(now(&world, &payment).await.status(), Status::Captured);
    assert_eq!(world.balance("credit:patient").await.unwrap(), -6_000);
}

async fn story_4h_a_partial_capture_releases_the_rest(mut world: World) {
    let payment = authorized(&mut world, 6_000).await;
    capture(&world, &payment, Some(4_500)).await.unwrap();
    world.settle().await.unwrap();
    let payment = now(&world, &payment).await;
    assert_eq!((payment.status(), payment.captured_minor), (Status::Captured, 4_500));
    assert_eq!(world.moved("release")[0]["amount"], 1_500);
    let charge = payment.charge.unwrap();
    assert_eq!(world.epic_posting(&format!("charge:{charge}"))["amount"], "45.00");
}

async fn refunds_never_exceed_what_was_captured(mut world: World) {
    let payment = captured(&mut world, 6_000, "pm_card_visa").await;
    refund(&world, &payment, 4_000).await.unwrap();
    let refused = refund(&world, &payment, 2_001).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.detail.contains("20.00 USD")), "{refused:?}");
    refund(&world, &payment, 2_000).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Refunded);
    assert_eq!(world.moved("refund").len(), 2);
}

async fn a_lost_refund_answer_is_sent_again_and_refunds_once(mut world: World) {
    let payment = captured(&mut world, 6_000, "pm_card_visa").await;
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    refund(&world, &payment, 6_000).await.unwrap();
    world.outside.plan([Fault::AnswerLost]);
    world.step(0).await.unwrap();
    world.pass(30_000).await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Refunded);
    assert_eq!(world.moved("refund").len(), 1);
}

async fn disputed(world: &mut World) -> (Payment, serde_json::Value) {
    let payment = captured(world, 7_500, "pm_card_visa").await;
    let dispute = world.outside.at_stripe("dispute", &json!({ "charge": payment.charge })).unwrap();
    (payment, dispute)
}

async fn story_9_a_lost_dispute_is_written_off(mut world: World) {
    let (payment, dispute) = disputed(&mut world).await;
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Disputed);
    assert_eq!(world.balance("hold:dispute").await.unwrap(), 7_500);
    let refused = refund(&world, &payment, 7_500).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.code == "payment_disputed"), "{refused:?}");
    world.outside.at_stripe("lose", &json!({ "dispute": dispute["id"] })).unwrap();
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Lost);
    assert_eq!(world.balance("hold:dispute").await.unwrap(), 0);
    assert_eq!(world.balance("adj:writeoff").await.unwrap(), 7_500);
}

async fn story_9_a_won_dispute_comes_back(mut world: World) {
    let (payment, dispute) = disputed(&mut world).await;
    world.settle().await.unwrap();
    world.outside.at_stripe("win", &json!({ "dispute": dispute["id"] })).unwrap();
    world.settle().await.unwrap();
    assert_eq!(now(&world, &payment).await.status(), Status::Captured);
    assert_eq!(world.balance("hold:dispute").await.unwrap(), 0);
    assert_eq!(world.balance("adj:writeoff").await.unwrap(), 0);
}

async fn story_9d_dispute_events_out_of_order_are_one_dispute(mut world: World) {
    let (payment, dispute) = disputed(&mut world).await;
    world.outside.at_stripe("win", &json!({ "dispute": dispute["id"] })).unwrap();
    world.deliver(Fate::Backwards, 0).await.unwrap();
    world.settle().await.unwrap();
    let payment = now(&world, &payment).await;
    assert_eq!((payment.status(), payment.disputes.len()), (Status::Captured, 1));
    assert_eq!(world.balance("hold:dispute").await.unwrap(), 0);
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
}
