//! A payment at Stripe becomes a posting in Epic: FLOWS §6 and its branches.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::payment::{Payment, Status};
use suture_core::posting;
use suture_engine::Delivery;
use suture_sim::on_both_databases;
use suture_sim::world::{Fate, Fault, NewVisit, Setup, World, person};
use suture_store::effects::State;

on_both_databases!(
    story_6_a_charge_is_posted_in_epic_once_and_explained,
    story_6a_a_bad_signature_is_refused_and_counted,
    story_6b_money_of_nobody_waits_in_suspense_until_it_is_identified,
    story_6c_a_lost_posting_is_looked_up_and_not_posted_again,
    story_6c_a_duplicate_is_looked_up_and_confirmed,
    story_6c_a_merged_patient_is_followed_and_relinked,
    story_6c_a_daily_ceiling_waits_for_the_next_local_day,
    story_6c_a_rule_of_epic_needs_a_person_and_goes_on_after_the_retry,
    story_6d_ended_tokens_are_fetched_again_and_nothing_is_lost,
    story_6d_rotated_keys_are_published_before_they_sign,
    story_6f_a_refund_before_its_charge_is_applied_after_it,
    story_6g_a_refund_after_posting_is_a_partial_reversal,
    an_epic_outage_delays_postings_and_loses_none,
    an_amount_a_hundred_times_the_usual_is_held_until_a_person_releases_it,
    a_refund_of_a_held_payment_reaches_epic_after_the_payment,
    a_refund_of_a_refused_payment_waits_for_it_however_often_it_is_retried,
    a_refund_waits_no_longer_once_a_person_gave_its_payments_posting_up,
);

/// Takes 120.00 of the first patient and comes to rest.
async fn paid(world: &mut World) -> Payment {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    world.payment(payment.id).await.unwrap()
}

/// The only posting's status.
async fn posted(world: &World) -> posting::Status {
    let postings = world.postings().await.unwrap();
    assert_eq!(postings.len(), 1, "{postings:?}");
    postings[0].status
}

fn reference(payment: &Payment) -> String {
    format!("charge:{}", payment.charge.clone().unwrap())
}

async fn story_6_a_charge_is_posted_in_epic_once_and_explained(mut world: World) {
    let payment = paid(&mut world).await;
    assert_eq!(payment.status(), Status::Captured);
    let in_epic = world.epic_posting(&reference(&payment));
    assert_eq!(in_epic["amount"], "120.00");
    assert_eq!(in_epic["account"], person(0).account_id);
    assert_eq!(in_epic["count"], 1);
    assert_eq!(posted(&world).await, posting::Status::Confirmed);
    assert_eq!(world.balance("gw:stripe").await.unwrap(), 12_000 - 378);
    assert_eq!(world.balance("exp:fee").await.unwrap(), 378);
    assert_eq!(world.outside.leak(), None);
    let chain = world.engine(0).chain_of(&world.organization, &payment.id.to_string()).await.unwrap();
    let confirmed = chain.iter().find(|stored| stored.entry.kind == "posting.confirmed").unwrap();
    assert_eq!(confirmed.entry.care.patient.as_deref(), Some(person(0).id.as_str()));
}

async fn story_6a_a_bad_signature_is_refused_and_counted(world: World) {
    for _ in 0..3 {
        let refused = world.forge(Some("whsec_guessed"), b"{}").await.unwrap();
        assert!(matches!(refused, Delivery::Refused { .. }), "{refused:?}");
    }
    let counted = world.engine(0).rejections(&world.organization).await.unwrap();
    assert_eq!(counted.iter().map(|rejection| rejection.count).sum::<i64>(), 3);
    assert!(world.engine(0).messages(&world.organization, i64::MAX, 10).await.unwrap().is_empty());
}

async fn story_6b_money_of_nobody_waits_in_suspense_until_it_is_identified(mut world: World) {
    let body = json!({ "amount": 5_000, "metadata": { "suture_link": "lnk_of_an_old_system" } });
    world.outside.at_stripe("external_payment", &body).unwrap();
    world.settle().await.unwrap();
    let payment = world.payments().await.unwrap().remove(0);
    assert_eq!(payment.purpose, None);
    assert_eq!(world.balance("susp:unapplied").await.unwrap(), -5_000);
    let waiting = world.effects(State::Parked).await.unwrap();
    assert_eq!(waiting[0].destination, "who-is-this");
    assert!(world.postings().await.unwrap().is_empty());

    let link = world.link(&NewVisit::due(2, 5_000)).await.unwrap();
    world.engine(0).identify_payer(&world.caller(), payment.id, &link.id).await.unwrap();
    world.settle().await.unwrap();

    assert_eq!(world.balance("susp:unapplied").await.unwrap(), 0);
    assert_eq!(world.balance("ar:patient").await.unwrap(), -5_000);
    assert_eq!(world.epic_posting(&reference(&payment))["account"], person(2).account_id);
    assert!(world.effects(State::Parked).await.unwrap().is_empty());
}

/// Pays, but lets Epic answer the posting with this fault.
async fn paid_with_fault_at_posting(world: &mut World, fault: Fault) -> Payment {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    // The attempt, then the flow; the posting itself asks Epic for the reference first and posts then.
    while world.postings().await.unwrap().is_empty() {
        assert!(world.step(0).await.unwrap());
    }
    world.outside.plan([Fault::Slow(0), fault]);
    world.step(0).await.unwrap();
    world.outside.mend();
    world.payment(payment.id).await.unwrap()
}

async fn story_6c_a_lost_posting_is_looked_up_and_not_posted_again(mut world: World) {
    let payment = paid_with_fault_at_posting(&mut world, Fault::AnswerLost).await;
    assert_eq!(world.epic_posting(&reference(&payment))["count"], 1);
    assert_eq!(posted(&world).await, posting::Status::Unknown);
    world.pass(60_000).await.unwrap();
    assert_eq!(posted(&world).await, posting::Status::Confirmed);
    assert_eq!(world.epic_posting(&reference(&payment))["attempts"], 1);
}

async fn story_6c_a_duplicate_is_looked_up_and_confirmed(mut world: World) {
    let body = json!({ "code": 59_141, "acts": true, "endpoint": "PostTransactionResult" });
    world.outside.at_epic("fail", &body).unwrap();
    let payment = paid(&mut world).await;
    world.pass(60_000).await.unwrap();
    assert_eq!(posted(&world).await, posting::Status::Confirmed);
    assert_eq!(world.epic_posting(&reference(&payment))["count"], 1);
    let evidence = world.postings().await.unwrap()[0].evidence.clone().unwrap();
    assert!(evidence.contains("RCPT"), "Epic's own receipt is the proof: {evidence}");
}

async fn story_6c_a_merged_patient_is_followed_and_relinked(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    world.outside.at_epic("merge", &json!({ "from": person(0).id, "into": person(2).id })).unwrap();
    let payment = world.take(&link.id, 12_000, "pm_card_visa").await.unwrap();
    world.pass(60_000).await.unwrap();
    let payment = world.payment(payment.id).await.unwrap();
    assert_eq!(posted(&world).await, posting::Status::Confirmed);
    assert_eq!(world.epic_posting(&reference(&payment))["count"], 1);
    let link = world.engine(0).link(&world.caller(), &link.id, "test").await.unwrap();
    assert_eq!(link.patient, person(2).id);
}

async fn story_6c_a_daily_ceiling_waits_for_the_next_local_day(mut world: World) {
    let body = json!({ "calls_per_day": 0, "time_zone": "America/Chicago" });
    world.outside.at_epic("ceiling", &body).unwrap();
    let payment = paid(&mut world).await;
    world.pass(600_000).await.unwrap();
    assert_eq!(world.epic_posting(&reference(&payment)), json!(null));
    let waiting = world.effects(State::Ready).await.unwrap();
    let post = waiting.iter().find(|effect| effect.kind == "post").unwrap();
    assert!(post.due_at.since(world.now()).as_secs() > 3_600, "it waits for another day");
    world.outside.at_epic("ceiling", &json!({ "calls_per_day": 100 })).unwrap();
    world.pass(2 * 86_400_000).await.unwrap();
    assert_eq!(world.epic_posting(&reference(&payment))["count"], 1);
}

async fn story_6c_a_rule_of_epic_needs_a_person_and_goes_on_after_the_retry(mut world: World) {
    let claim = json!({ "claim": person(0).claim_id });
    world.outside.at_epic("close_claim", &claim).unwrap();
    let payment = paid(&mut world).await;
    assert_eq!(posted(&world).await, posting::Status::Rejected);
    let dead = world.effects(State::Dead).await.unwrap();
    assert!(dead[0].error.as_deref().unwrap().contains("59159"), "{:?}", dead[0].error);

    world.outside.at_epic("close_claim", &json!({ "claim": person(0).claim_id, "on": false })).unwrap();
    world.engine(0).retry_effect(&world.caller(), &dead[0].id, None).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(posted(&world).await, posting::Status::Confirmed);
    assert_eq!(world.epic_posting(&reference(&payment))["count"], 1);
}

async fn story_6d_ended_tokens_are_fetched_again_and_nothing_is_lost(mut world: World) {
    paid(&mut world).await;
    world.outside.at_epic("expire_tokens", &json!({})).unwrap();
    let link = world.link(&NewVisit::due(1, 7_000)).await.unwrap();
    let second = world.take(&link.id, 7_000, "pm_card_visa").await.unwrap();
    world.pass(60_000).await.unwrap();
    let second = world.payment(second.id).await.unwrap();
    assert_eq!(world.epic_posting(&reference(&second))["count"], 1);
}

async fn story_6d_rotated_keys_are_published_before_they_sign(mut world: World) {
    paid(&mut world).await;
    let key = suture_engine::new_signing_key("second").unwrap();
    let secrets = std::collections::BTreeMap::from([("signing_key".to_owned(), vec![key])]);
    world.engine(0).rotate_secrets(&world.caller(), &world.epic, secrets).await.unwrap();
    world.outside.at_epic("expire_tokens", &json!({})).unwrap();
    // Epic has not fetched the new key: the queue waits, nothing is lost.
    let link = world.link(&NewVisit::due(1, 7_000)).await.unwrap();
    let second = world.take(&link.id, 7_000, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    assert!(world.effects(State::Dead).await.unwrap().is_empty());

    world.publish_keys().unwrap();
    world.pass(600_000).await.unwrap();
    let second = world.payment(second.id).await.unwrap();
    assert_eq!(world.epic_posting(&reference(&second))["count"], 1);
}

async fn story_6f_a_refund_before_its_charge_is_applied_after_it(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let body = json!({ "amount": 12_000, "metadata": { "suture_link": link.id } });
    let intent = world.outside.at_stripe("external_payment", &body).unwrap();
    let refund = json!({ "payment_intent": intent["id"], "amount": 2_000 });
    world.outside.at_stripe("external_refund", &refund).unwrap();
    world.deliver(Fate::Backwards, 0).await.unwrap();
    world.settle().await.unwrap();

    let payment = world.payments().await.unwrap().remove(0);
    assert_eq!(payment.status(), Status::PartRefunded);
    assert_eq!(world.epic_posting(&reference(&payment))["refunded_minor"], 2_000);
    assert_eq!(world.balance("ar:patient").await.unwrap(), -10_000);
}

async fn story_6g_a_refund_after_posting_is_a_partial_reversal(mut world: World) {
    let payment = paid(&mut world).await;
    let part = suture_core::money::Money::usd(2_000);
    let why = ("overcharged", "key_manager");
    world.engine(0).refund_payment(&world.caller(), payment.id, Some(part), why).await.unwrap();
    world.settle().await.unwrap();

    let payment = world.payment(payment.id).await.unwrap();
    let refund = payment.refunds.keys().next().unwrap();
    let reversal = world.epic_posting(&format!("refund:{refund}"));
    assert_eq!((reversal["type"].as_str(), reversal["amount"].as_str()), (Some("Refund"), Some("20.00")));
    assert_eq!(reversal["original"], reference(&payment));
    assert_eq!(world.epic_posting(&reference(&payment))["amount"], "120.00", "the payment is not deleted");
}

async fn an_epic_outage_delays_postings_and_loses_none(mut world: World) {
    world.outside.at_epic("outage", &json!({ "on": true })).unwrap();
    let first = paid(&mut world).await;
    world.pass(2 * 3_600_000).await.unwrap();
    assert_eq!(world.epic_posting(&reference(&first)), json!(null));
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
    world.outside.at_epic("outage", &json!({ "on": false })).unwrap();
    world.pass(600_000).await.unwrap();
    assert_eq!(world.epic_posting(&reference(&first))["count"], 1);
    assert_eq!(posted(&world).await, posting::Status::Confirmed);
}

async fn an_amount_a_hundred_times_the_usual_is_held_until_a_person_releases_it(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let refused = world.take(&link.id, 1_200_000, "pm_card_visa").await.unwrap_err();
    assert!(refused.to_string().contains("usual range"), "{refused}");
    assert!(world.movements().is_empty());

    // Somebody charges it at Stripe all the same.
    let body = json!({ "amount": 1_200_000, "metadata": { "suture_link": link.id } });
    world.outside.at_stripe("external_payment", &body).unwrap();
    world.settle().await.unwrap();
    let held = world.effects(State::Parked).await.unwrap();
    assert_eq!(held[0].kind, "run_flow");
    assert!(world.postings().await.unwrap().is_empty());

    world.engine(0).retry_effect(&world.caller(), &held[0].id, None).await.unwrap();
    world.settle().await.unwrap();
    let payment = world.payments().await.unwrap().remove(0);
    assert_eq!(world.epic_posting(&reference(&payment))["amount"], "12000.00");
}

/// Gives 20.00 of a payment back and comes to rest. Returns the reference of the reversal.
async fn refunded(world: &mut World, payment: &Payment) -> String {
    let part = suture_core::money::Money::usd(2_000);
    let why = ("overcharged", "key_manager");
    world.engine(0).refund_payment(&world.caller(), payment.id, Some(part), why).await.unwrap();
    world.settle().await.unwrap();
    let payment = world.payment(payment.id).await.unwrap();
    format!("refund:{}", payment.refunds.keys().next().unwrap())
}

async fn a_refund_of_a_held_payment_reaches_epic_after_the_payment(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let body = json!({ "amount": 1_200_000, "metadata": { "suture_link": link.id } });
    world.outside.at_stripe("external_payment", &body).unwrap();
    world.settle().await.unwrap();
    let payment = world.payments().await.unwrap().remove(0);

    let reversal = refunded(&mut world, &payment).await;
    assert_eq!(world.epic_posting(&reversal), json!(null), "there is nothing to take back yet");
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
    let held = world.effects(State::Parked).await.unwrap();
    let run = held.iter().find(|effect| effect.kind == "run_flow").unwrap();
    world.engine(0).retry_effect(&world.caller(), &run.id, None).await.unwrap();
    world.settle().await.unwrap();

    assert_eq!(world.epic_posting(&reference(&payment))["refunded_minor"], 2_000);
    assert_eq!(world.epic_posting(&reversal)["attempts"], 1);
    assert!(world.effects(State::Parked).await.unwrap().is_empty());
}

/// A payment that Epic refuses because its claim is closed, and a refund of it.
async fn refunded_while_its_claim_is_closed(world: &mut World) -> (Payment, String) {
    let claim = json!({ "claim": person(0).claim_id });
    world.outside.at_epic("close_claim", &claim).unwrap();
    let payment = paid(world).await;
    let reversal = refunded(world, &payment).await;
    (payment, reversal)
}

async fn a_refund_of_a_refused_payment_waits_for_it_however_often_it_is_retried(mut world: World) {
    let (payment, reversal) = refunded_while_its_claim_is_closed(&mut world).await;
    let waits = world.effects(State::Parked).await.unwrap().remove(0);
    assert!(waits.error.as_deref().unwrap().contains("not posted yet"), "{:?}", waits.error);
    world.engine(0).retry_effect(&world.caller(), &waits.id, None).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.effects(State::Parked).await.unwrap().len(), 1, "it looked, and waits again");

    world.outside.at_epic("close_claim", &json!({ "claim": person(0).claim_id, "on": false })).unwrap();
    let dead = world.effects(State::Dead).await.unwrap();
    assert_eq!(dead.len(), 1, "only the payment was refused: {dead:?}");
    world.engine(0).retry_effect(&world.caller(), &dead[0].id, None).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.epic_posting(&reference(&payment))["refunded_minor"], 2_000);
    assert_eq!(world.epic_posting(&reversal)["count"], 1);
}

async fn a_refund_waits_no_longer_once_a_person_gave_its_payments_posting_up(mut world: World) {
    refunded_while_its_claim_is_closed(&mut world).await;
    world.outside.at_epic("close_claim", &json!({ "claim": person(0).claim_id, "on": false })).unwrap();
    let dead = world.effects(State::Dead).await.unwrap().remove(0);
    world.engine(0).skip_effect(&world.caller(), &dead.id, "posted_by_hand").await.unwrap();
    world.settle().await.unwrap();
    assert!(world.effects(State::Parked).await.unwrap().is_empty());
    // Epic does not know our reference, and says so to a person.
    let dead = world.effects(State::Dead).await.unwrap();
    assert!(dead[0].error.as_deref().unwrap().contains("59144"), "{:?}", dead[0].error);
}

#[tokio::test]
async fn story_6h_calls_over_the_budget_wait_and_show_as_throttling() {
    let setup = Setup { epic_calls_per_minute: Some(4), ..Setup::on("sqlite") };
    let mut world = World::open(setup).await.unwrap();
    for patient in 0..4 {
        let link = world.link(&NewVisit::due(patient, 7_000)).await.unwrap();
        world.take(&link.id, 7_000, "pm_card_visa").await.unwrap();
    }
    world.settle().await.unwrap();
    let epic = world.epic.clone();
    let views = world.engine(0).connections_of(&world.organization);
    let health = views.iter().find(|view| view.id == epic).unwrap().health.unwrap();
    assert!(health.throttled && !health.circuit_open, "{health:?}");
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
    world.pass(600_000).await.unwrap();
    assert_eq!(world.outside.epic().snapshot()["postings_total"], 4);
}
