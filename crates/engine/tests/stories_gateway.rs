//! Attempts, unknown outcomes and retries at the gateway: FLOWS §12, and 3-D Secure (1c).

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use suture_core::payment::{Payment, Status};
use suture_core::redact::Secret;
use suture_engine::admin::NewConnection;
use suture_engine::{Error, TakePayment};
use suture_sim::on_both_databases;
use suture_sim::world::{Fault, NewVisit, Pause, Setup, Stepped, World, take_payment};

on_both_databases!(
    story_12_1_an_approved_attempt_captures_once,
    story_12_2_a_decline_ends_the_attempt_and_another_card_is_a_new_attempt,
    story_12_2_a_lost_answer_is_unknown_and_the_same_key_finds_the_charge,
    story_12_2_a_time_out_before_arrival_is_sent_again_with_the_same_key,
    story_12_2_a_refused_connection_is_sent_again_and_was_never_unknown,
    story_12_2_nobody_may_try_again_while_the_outcome_is_unknown,
    story_12h_a_second_click_meets_the_debt_lock,
    story_12h_the_same_request_said_twice_without_a_debt_is_one_payment,
    story_12j_a_crash_after_the_charge_is_resumed_by_another_process,
    story_1c_a_challenge_waits_for_the_holder_and_is_captured_when_passed,
    story_1c_a_failed_challenge_asks_for_another_card,
    story_1e_lost_webhooks_are_found_by_a_poll_and_the_audit_says_so,
    a_lost_intent_is_found_by_the_sweep_after_three_days,
);

async fn take(world: &World, card: &str) -> Payment {
    let link = world.link(&NewVisit::due(0, 8_000)).await.unwrap();
    world.take(&link.id, 8_000, card).await.unwrap()
}

async fn status(world: &World, payment: &Payment) -> Status {
    world.payment(payment.id).await.unwrap().status()
}

async fn story_12_1_an_approved_attempt_captures_once(mut world: World) {
    let payment = take(&world, "pm_card_visa").await;
    world.settle().await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_12_2_a_decline_ends_the_attempt_and_another_card_is_a_new_attempt(mut world: World) {
    let payment = take(&world, "pm_card_visa_chargeDeclinedInsufficientFunds").await;
    world.settle().await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::RequiresMethod);
    assert!(world.moved("charge").is_empty());

    world.clock.jump(1_000);
    let engine = world.engine(0).clone();
    engine.retry_payment(&world.caller(), payment.id, "pm_card_mastercard".to_owned()).await.unwrap();
    world.settle().await.unwrap();
    let payment = world.payment(payment.id).await.unwrap();
    assert_eq!((payment.status(), payment.attempts.len()), (Status::Captured, 2));
    assert_ne!(payment.attempts[0].key, payment.attempts[1].key);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_12_2_a_lost_answer_is_unknown_and_the_same_key_finds_the_charge(mut world: World) {
    let payment = take(&world, "pm_card_visa").await;
    world.outside.plan([Fault::AnswerLost]);
    world.step(0).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Unknown);
    assert_eq!(world.moved("charge").len(), 1, "the money moved, and we do not know it yet");
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    world.take_mail();
    world.pass(10_000).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_12_2_a_time_out_before_arrival_is_sent_again_with_the_same_key(mut world: World) {
    let payment = take(&world, "pm_card_visa").await;
    world.outside.plan([Fault::RequestLost, Fault::Refused(503)]);
    world.step(0).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Unknown);
    assert!(world.moved("charge").is_empty());
    world.pass(30_000).await.unwrap();
    let payment = world.payment(payment.id).await.unwrap();
    assert_eq!((payment.status(), payment.attempts.len()), (Status::Captured, 1));
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_12_2_a_refused_connection_is_sent_again_and_was_never_unknown(mut world: World) {
    let payment = take(&world, "pm_card_visa").await;
    world.outside.plan([Fault::NotSent]);
    world.step(0).await.unwrap();
    assert_ne!(status(&world, &payment).await, Status::Unknown);
    world.pass(10_000).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
}

async fn story_12_2_nobody_may_try_again_while_the_outcome_is_unknown(mut world: World) {
    let payment = take(&world, "pm_card_visa").await;
    world.outside.plan([Fault::AnswerLost]);
    world.step(0).await.unwrap();
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let retried = engine.retry_payment(&caller, payment.id, "pm_card_visa".to_owned()).await;
    assert!(matches!(retried, Err(Error::Refused(_))), "{retried:?}");
    let canceled = engine.cancel_payment(&caller, payment.id).await;
    assert!(matches!(canceled, Err(Error::Refused(_))), "{canceled:?}");
    world.pass(10_000).await.unwrap();
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_12h_a_second_click_meets_the_debt_lock(mut world: World) {
    let first = take(&world, "pm_card_visa").await;
    let again =
        TakePayment { debt: first.debt, ..take_payment(&first.link.clone().unwrap(), 8_000, "pm_card_visa") };
    let refused = world.take_with(again.clone()).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    world.settle().await.unwrap();
    let refused = world.take_with(again).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "nothing is owed any more: {refused:?}");
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_12h_the_same_request_said_twice_without_a_debt_is_one_payment(mut world: World) {
    let first = take(&world, "pm_card_visa").await;
    let again = take_payment(&first.link.clone().unwrap(), 8_000, "pm_card_visa");
    let refused = world.take_with(again.clone()).await;
    match refused {
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.code, "payment_in_progress");
            assert!(refusal.detail.contains(&first.id.to_string()), "{}", refusal.detail);
        }
        other => panic!("the second request must be refused: {other:?}"),
    }
    world.settle().await.unwrap();
    assert_eq!(world.moved("charge").len(), 1);
    // Once the first is decided, something new may be collected.
    assert!(world.take_with(again).await.is_ok());
}

async fn story_12j_a_crash_after_the_charge_is_resumed_by_another_process(mut world: World) {
    let payment = take(&world, "pm_card_visa").await;
    let stepped = world.step_until(0, Pause::After).await.unwrap();
    assert_eq!(stepped, Stepped::Standing);
    assert_eq!(world.moved("charge").len(), 1);
    world.crash(0).await.unwrap();
    // The lease of the dead process ends.
    world.pass(120_000).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_1c_a_challenge_waits_for_the_holder_and_is_captured_when_passed(mut world: World) {
    let payment = take(&world, "pm_card_authenticationRequired").await;
    world.settle().await.unwrap();
    let waiting = world.payment(payment.id).await.unwrap();
    assert_eq!(waiting.status(), Status::RequiresAction);
    assert!(waiting.intent_known.unwrap().next_action.is_some());
    let body = json!({ "payment_intent": waiting.intent, "outcome": "success" });
    world.outside.at_stripe("complete_3ds", &body).unwrap();
    world.settle().await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
}

async fn story_1c_a_failed_challenge_asks_for_another_card(mut world: World) {
    let payment = take(&world, "pm_card_authenticationRequired").await;
    world.settle().await.unwrap();
    let intent = world.payment(payment.id).await.unwrap().intent;
    world.clock.jump(1_000);
    let body = json!({ "payment_intent": intent, "outcome": "fail" });
    world.outside.at_stripe("complete_3ds", &body).unwrap();
    world.settle().await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::RequiresMethod);
    let engine = world.engine(0).clone();
    engine.retry_payment(&world.caller(), payment.id, "pm_card_visa".to_owned()).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_1e_lost_webhooks_are_found_by_a_poll_and_the_audit_says_so(mut world: World) {
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    let payment = take(&world, "pm_card_authenticationRequired").await;
    world.settle().await.unwrap();
    let intent = world.payment(payment.id).await.unwrap().intent;
    world.outside.at_stripe("complete_3ds", &json!({ "payment_intent": intent })).unwrap();
    world.pass(60_000).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
    let done = world.effects(suture_store::effects::State::Done).await.unwrap();
    let by_poll = |effect: &suture_store::effects::Effect| {
        effect.kind == "poll"
            && effect.error.as_deref().is_some_and(|note| note.starts_with("decided by poll"))
    };
    assert!(done.iter().any(by_poll), "the effect says which poll found it");
    let chain = world.engine(0).chain_of(&world.organization, &payment.id.to_string()).await.unwrap();
    let captured = chain.iter().find(|stored| stored.entry.kind == "payment.captured").unwrap();
    assert_eq!(captured.entry.reason.as_str(), "gateway_evidence");
}

async fn a_lost_intent_is_found_by_the_sweep_after_three_days(mut world: World) {
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    let payment = take(&world, "pm_card_visa").await;
    world.outside.plan([Fault::AnswerLost]);
    world.step(0).await.unwrap();
    // Everything of ours stands still for three days; the key is too old to be sent again.
    world.clock.jump(3 * 86_400_000);
    world.settle().await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Unknown);
    world.sweep(Duration::from_secs(4 * 86_400)).await.unwrap();
    world.pass(1_000).await.unwrap();
    assert_eq!(status(&world, &payment).await, Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

#[tokio::test]
async fn another_server_learns_of_a_changed_connection_with_its_next_timers() {
    let mut world = World::open(Setup { nodes: 2, ..Setup::on("sqlite") }).await.unwrap();
    let link = world.link(&NewVisit::due(0, 8_000)).await.unwrap();
    // The first server is given a key that Stripe does not know.
    let new = NewConnection {
        kind: "stripe".to_owned(),
        name: "Stripe".to_owned(),
        settings: json!({ "options": { "base_url": "http://stripe.test", "livemode": "false" } }),
        secrets: BTreeMap::from([("secret_key".to_owned(), vec![Secret::new("sk_test_revoked".to_owned())])]),
    };
    world.engine(0).put_connection(&world.caller(), Some(&world.stripe), new).await.unwrap();
    let organizations = [world.organization.clone()];
    world.engine(1).plan_timers(&organizations).await.unwrap();
    let taken =
        world.engine(1).take_payment(&world.caller(), take_payment(&link.id, 8_000, "pm_card_visa")).await;
    let payment = taken.unwrap().payment;
    world.step(1).await.unwrap();
    assert_ne!(status(&world, &payment).await, Status::Captured, "the old key is not used any more");
    assert!(world.moved("charge").is_empty());
}
