//! Duplicate, reordered, lost and spoofed webhooks: FLOWS §10 and its branches.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::time::Duration;

use serde_json::{Value, json};
use suture_core::payment::{Payment, Status};
use suture_engine::Delivery;
use suture_sim::on_both_databases;
use suture_sim::world::{Fate, NewVisit, World};
use suture_store::effects::State;

on_both_databases!(
    story_10_any_order_and_repetition_ends_in_one_capture_and_one_refund,
    story_10a_a_crash_before_the_acknowledgement_makes_the_redelivery_a_duplicate,
    story_10b_a_crash_before_the_commit_applies_nothing_and_the_redelivery_works,
    story_10c_a_permanent_problem_is_acknowledged_and_needs_a_person,
    story_10d_events_of_the_same_second_are_one_fact_each,
    story_10e_an_old_payload_version_is_fetched_anew,
    story_10f_a_spoofed_webhook_changes_nothing,
    story_10g_an_event_of_live_mode_is_refused,
    story_10h_an_object_that_is_gone_is_noted_and_changes_nothing,
    story_10i_three_days_without_webhooks_are_found_by_the_sweep,
    story_10j_a_refund_that_comes_back_becomes_a_credit_of_the_patient,
    story_10k_a_replay_of_everything_changes_nothing,
);

/// Somebody pays 120.00 at Stripe for a visit, and 120.00 goes back.
async fn paid_and_refunded_outside(world: &World) -> Value {
    let intent = paid_outside(world, 12_000).await;
    world.outside.at_stripe("external_refund", &json!({ "payment_intent": intent["id"] })).unwrap();
    intent
}

async fn paid_outside(world: &World, minor: i64) -> Value {
    let link = world.link(&NewVisit::due(0, minor)).await.unwrap();
    let body = json!({ "amount": minor, "metadata": { "suture_link": link.id } });
    world.outside.at_stripe("external_payment", &body).unwrap()
}

async fn only_payment(world: &World) -> Payment {
    let payments = world.payments().await.unwrap();
    assert_eq!(payments.len(), 1, "{payments:?}");
    payments.into_iter().next().unwrap()
}

/// The end state of a payment that was captured and refunded, wherever one looks.
async fn check_refunded_once(world: &World) {
    let payment = only_payment(world).await;
    assert_eq!(payment.status(), Status::Refunded);
    assert_eq!(world.balance("ar:patient").await.unwrap(), 0);
    assert_eq!(world.balance("gw:stripe").await.unwrap(), -378, "Stripe keeps its fee");
    assert_eq!(world.outside.epic().snapshot()["postings_total"], 2, "one posting and one reversal");
}

async fn story_10_any_order_and_repetition_ends_in_one_capture_and_one_refund(mut world: World) {
    paid_and_refunded_outside(&world).await;
    let mut mail = world.take_mail();
    assert!(mail.len() >= 4, "{mail:?}");
    mail.reverse();
    for delivery in mail.iter().chain(&mail) {
        world.hand_over(delivery).await.unwrap();
        world.step(0).await.unwrap();
    }
    world.settle().await.unwrap();
    check_refunded_once(&world).await;
    let messages = world.engine(0).messages(&world.organization, i64::MAX, 100).await.unwrap();
    assert!(messages.iter().all(|message| message.deliveries == 2), "{messages:?}");
}

async fn story_10a_a_crash_before_the_acknowledgement_makes_the_redelivery_a_duplicate(mut world: World) {
    paid_outside(&world, 12_000).await;
    let mail = world.take_mail();
    let first = world.hand_over(&mail[0]).await.unwrap();
    assert!(matches!(first, Delivery::Accepted { .. }));
    // The process dies; Stripe never saw the answer and sends it again.
    world.crash(0).await.unwrap();
    let again = world.hand_over(&mail[0]).await.unwrap();
    assert!(matches!(again, Delivery::Duplicate { deliveries: 2, .. }), "{again:?}");
    world.settle().await.unwrap();
    assert_eq!(only_payment(&world).await.status(), Status::Captured);
}

async fn story_10b_a_crash_before_the_commit_applies_nothing_and_the_redelivery_works(mut world: World) {
    paid_outside(&world, 12_000).await;
    world.deliver_and_die(0, 1).await.unwrap();
    assert!(world.engine(0).messages(&world.organization, i64::MAX, 10).await.unwrap().is_empty());
    world.take_mail();
    assert!(world.payments().await.unwrap().is_empty());
    world.pass(600_000).await.unwrap();
    assert_eq!(only_payment(&world).await.status(), Status::Captured, "Stripe tried again");
}

fn event(kind: &str, object: &Value, live: bool, version: &str, now: i64) -> Vec<u8> {
    json!({
        "id": "evt_by_hand", "object": "event", "type": kind, "created": now, "api_version": version,
        "livemode": live, "pending_webhooks": 1, "request": null, "data": { "object": object },
    })
    .to_string()
    .into_bytes()
}

async fn story_10c_a_permanent_problem_is_acknowledged_and_needs_a_person(world: World) {
    let object = json!({ "object": "charge", "id": "ch_x", "amount": "not a number" });
    let version = suture_sandbox::stripe::API_VERSION;
    let body = event("charge.succeeded", &object, false, version, world.now().seconds());
    let received = world.forge(None, &body).await.unwrap();
    assert!(!matches!(received, Delivery::Duplicate { .. }));
    assert!(world.payments().await.unwrap().is_empty());
}

async fn story_10d_events_of_the_same_second_are_one_fact_each(mut world: World) {
    paid_and_refunded_outside(&world).await;
    world.deliver(Fate::Twice, 0).await.unwrap();
    world.settle().await.unwrap();
    check_refunded_once(&world).await;
}

async fn story_10e_an_old_payload_version_is_fetched_anew(mut world: World) {
    let intent = paid_outside(&world, 12_000).await;
    world.take_mail();
    let object = json!({ "object": "payment_intent", "id": intent["id"], "status": "succeeded", "amount": 1,
        "currency": "usd" });
    let body = event("payment_intent.succeeded", &object, false, "2019-01-01", world.now().seconds());
    world.forge(None, &body).await.unwrap();
    world.settle().await.unwrap();
    let payment = only_payment(&world).await;
    assert_eq!(payment.captured_minor, 12_000, "the fetched truth counts, not the payload");
}

async fn story_10f_a_spoofed_webhook_changes_nothing(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let object = json!({ "object": "charge", "id": "ch_spoofed", "amount": 12_000, "amount_captured": 12_000,
        "captured": true, "paid": true, "status": "succeeded", "currency": "usd", "livemode": false,
        "created": world.now().seconds(), "metadata": { "suture_link": link.id } });
    let version = suture_sandbox::stripe::API_VERSION;
    let body = event("charge.succeeded", &object, false, version, world.now().seconds());
    let refused = world.forge(Some("whsec_guessed"), &body).await.unwrap();
    assert!(matches!(refused, Delivery::Refused { .. }), "{refused:?}");
    // Even a thief of the secret moves nothing: what Stripe does not know did not happen.
    world.forge(None, &body).await.unwrap();
    world.settle().await.unwrap();
    assert!(world.payments().await.unwrap().is_empty());
    assert_eq!(world.balance("gw:stripe").await.unwrap(), 0);
}

async fn story_10g_an_event_of_live_mode_is_refused(world: World) {
    let object = json!({ "object": "charge", "id": "ch_live" });
    let version = suture_sandbox::stripe::API_VERSION;
    let body = event("charge.succeeded", &object, true, version, world.now().seconds());
    let refused = world.forge(None, &body).await.unwrap();
    assert!(matches!(refused, Delivery::Refused { code: "other_account_or_mode", .. }), "{refused:?}");
}

async fn story_10h_an_object_that_is_gone_is_noted_and_changes_nothing(mut world: World) {
    let object = json!({ "object": "payment_intent", "id": "pi_gone", "status": "succeeded", "amount": 100,
        "currency": "usd", "livemode": false });
    let version = suture_sandbox::stripe::API_VERSION;
    let body = event("payment_intent.succeeded", &object, false, version, world.now().seconds());
    world.forge(None, &body).await.unwrap();
    world.settle().await.unwrap();
    assert!(world.payments().await.unwrap().is_empty());
    let done = world.effects(State::Done).await.unwrap();
    assert!(done[0].error.as_deref().unwrap().contains("no longer exists"), "{:?}", done[0].error);
}

async fn story_10i_three_days_without_webhooks_are_found_by_the_sweep(mut world: World) {
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    paid_and_refunded_outside(&world).await;
    world.pass(3 * 86_400_000).await.unwrap();
    assert!(world.payments().await.unwrap().is_empty());
    world.sweep(Duration::from_secs(4 * 86_400)).await.unwrap();
    world.pass(1_000).await.unwrap();
    check_refunded_once(&world).await;
}

async fn story_10j_a_refund_that_comes_back_becomes_a_credit_of_the_patient(mut world: World) {
    let link = world.link(&NewVisit::due(0, 6_000)).await.unwrap();
    let payment = world.take(&link.id, 6_000, "pm_card_refundFail").await.unwrap();
    world.settle().await.unwrap();
    let why = ("visit_cancelled", "key_manager");
    world.engine(0).refund_payment(&world.caller(), payment.id, None, why).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.payment(payment.id).await.unwrap().status(), Status::Refunded);
    world.pass(600_000).await.unwrap();
    assert_eq!(world.payment(payment.id).await.unwrap().status(), Status::Captured);
    assert_eq!(world.balance("credit:patient").await.unwrap(), -6_000, "we owe the patient");
}

async fn story_10k_a_replay_of_everything_changes_nothing(mut world: World) {
    paid_and_refunded_outside(&world).await;
    let mail = world.take_mail();
    for delivery in &mail {
        world.hand_over(delivery).await.unwrap();
    }
    world.settle().await.unwrap();
    let before = world.engine(0).events(&world.organization, i64::MAX, 1_000).await.unwrap().len();
    for delivery in &mail {
        let again = world.forge(None, &delivery.body).await.unwrap();
        assert!(matches!(again, Delivery::Duplicate { .. }), "{again:?}");
    }
    world.sweep(Duration::from_secs(86_400)).await.unwrap();
    world.pass(1_000).await.unwrap();
    let after = world.engine(0).events(&world.organization, i64::MAX, 1_000).await.unwrap().len();
    assert_eq!(before, after);
    check_refunded_once(&world).await;
}
