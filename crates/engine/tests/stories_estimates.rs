//! Estimate charges: FLOWS §4, branch by branch.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::consent::Purpose;
use suture_core::eligibility::Eligibility;
use suture_core::estimate::Status;
use suture_core::id::EstimateId;
use suture_core::money::Money;
use suture_core::service::{self, Command};
use suture_core::time::Timestamp;
use suture_engine::Error;
use suture_engine::billing::Authorize;
use suture_sim::on_both_databases;
use suture_sim::world::{Fault, World};
use suture_store::effects::State;

on_both_databases!(
    story_4_authorize_expire_reauthorize_capture_cancel_refund,
    story_4a_a_declined_authorization_forwards_the_error_and_another_card_authorizes,
    story_4a_a_bank_s_check_off_session_waits_for_the_patient,
    story_4b_a_capture_after_expiry_is_refused_here,
    story_4c_a_lost_capture_answer_captures_once,
    story_4d_a_changed_estimate_releases_the_old_hold_and_authorizes_again,
    story_4d_a_crash_while_the_amount_changes_leaves_no_hold_of_the_old_amount,
    the_same_amount_again_keeps_the_hold,
    story_4e_a_cancelled_authorization_needs_no_refund,
    story_4f_a_cancelled_service_whose_capture_was_faster_is_refunded,
    story_4g_a_refund_that_fails_later_leaves_a_credit_and_the_service_cancelled,
    story_4h_a_partial_capture_releases_the_rest,
    story_4i_an_estimate_of_another_eligibility_is_attached_by_one_click_only,
    nothing_is_authorized_off_session_without_a_consent,
    a_cancelled_service_with_two_captured_estimates_leaves_nothing,
    the_steps_are_refused_in_the_wrong_order,
);

const DAY: i64 = 86_400_000;

async fn checked(world: &mut World, minor: i64) -> Eligibility {
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    world.eligible(patient.id, minor).await.unwrap()
}

async fn card_of(world: &World, check: &Eligibility) -> String {
    let patient = world.engine(0).patient(&world.organization, check.patient).await.unwrap();
    patient.methods.keys().next().unwrap().clone()
}

async fn status(world: &World, id: EstimateId) -> Status {
    world.estimate(id).await.unwrap().standing.status
}

async fn cents(world: &World, account: &str) -> i64 {
    world.balance(account).await.unwrap()
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

async fn cancel_service(world: &mut World, check: &Eligibility) -> service::Service {
    let service = world.service_for(check).await.unwrap();
    let cancel = Command::Cancel { by: "clinic".into(), reason: "doctor_ill".into() };
    world.on_service(service.id, cancel).await.unwrap()
}

async fn story_4_authorize_expire_reauthorize_capture_cancel_refund(mut world: World) {
    // Day 0: the card is on file with a consent; the service is in twelve days.
    let check = checked(&mut world, 6_000).await;
    world.consent(check.patient, Purpose::Estimate, 10_000).await.unwrap();
    let service_at = Timestamp::from_millis(world.clock.millis() + 12 * DAY);
    let estimate = world.estimate_for(&check, Some(service_at)).await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    let card = card_of(&world, &check).await;
    let authorized = world.authorize(estimate.id, &card).await.unwrap();
    assert_eq!(authorized.standing.status, Status::Authorized);
    assert!(authorized.standing.capture_before.is_some());
    assert_eq!(cents(&world, "gw:stripe").await, 0, "a hold moves nothing");

    // Day 8: the hold has lapsed, and the next authorization is planned for the day before the service.
    world.pass(8 * DAY).await.unwrap();
    let expired = world.estimate(estimate.id).await.unwrap();
    assert_eq!(expired.standing.status, Status::Expired);
    assert_eq!(expired.authorize_at, Some(Timestamp::from_millis(service_at.millis() - DAY)));

    // Day 11: authorized again, off session, under the consent.
    world.pass(3 * DAY + 60_000).await.unwrap();
    let again = world.estimate(estimate.id).await.unwrap();
    assert_eq!((again.standing.status, again.payments.len()), (Status::Authorized, 2));

    // Day 12: captured.
    world.pass(DAY).await.unwrap();
    world.capture(estimate.id, None).await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Captured);
    assert_eq!((cents(&world, "deposit:patient").await, world.moved("charge").len()), (-6_000, 1));

    // The clinic cancels: what was captured goes back by itself.
    let cancel = Command::Cancel { by: "clinic".into(), reason: "doctor_ill".into() };
    world.on_service(service.id, cancel).await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Refunded);
    assert_eq!(cents(&world, "deposit:patient").await, 0);
    assert_eq!(world.moved("refund").len(), 1);
}

async fn story_4a_a_declined_authorization_forwards_the_error_and_another_card_authorizes(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let failed = world.authorize(estimate.id, "pm_card_visa_chargeDeclinedInsufficientFunds").await.unwrap();
    assert_eq!(failed.standing.status, Status::AuthorizationFailed);
    let payment = world.payment_of(estimate.id).await.unwrap();
    let error = payment.intent_known.unwrap().error.unwrap();
    assert_eq!(error.decline_code.as_deref(), Some("insufficient_funds"), "forwarded");
    let card = card_of(&world, &check).await;
    let authorized = world.authorize(estimate.id, &card).await.unwrap();
    assert_eq!(authorized.standing.status, Status::Authorized);
    assert_eq!(world.payment_of(estimate.id).await.unwrap().attempts.len(), 2, "both stay visible");
}

async fn story_4a_a_bank_s_check_off_session_waits_for_the_patient(mut world: World) {
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    let check = world.eligible(patient.id, 6_000).await.unwrap();
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let waiting = world.authorize(estimate.id, "pm_card_threeDSecure2Required").await.unwrap();
    assert_eq!(waiting.standing.status, Status::AuthorizationFailed);
    assert!(waiting.in_flight().unwrap().contains("waiting for patient"));
    let intent = world.payment_of(estimate.id).await.unwrap().intent.unwrap();
    world
        .outside
        .at_stripe("complete_3ds", &json!({ "payment_intent": intent, "outcome": "success" }))
        .unwrap();
    world.settle().await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Authorized);
}

async fn story_4b_a_capture_after_expiry_is_refused_here(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    world.clock.jump(8 * DAY);
    let refused = world.engine(0).capture_estimate(&world.caller(), estimate.id, None).await;
    assert_eq!(code(refused), "authorization_expired");
    world.settle().await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Expired);
    assert!(world.moved("charge").is_empty());
}

async fn story_4c_a_lost_capture_answer_captures_once(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    world.outside.plan([Fault::AnswerLost]);
    world.engine(0).capture_estimate(&world.caller(), estimate.id, None).await.unwrap();
    world.pass(60_000).await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Captured);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn story_4d_a_changed_estimate_releases_the_old_hold_and_authorizes_again(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    let change = (Money::usd(8_500), "desk", "plan_changed");
    world.engine(0).change_estimate(&world.caller(), estimate.id, change).await.unwrap();
    world.settle().await.unwrap();
    let released = world.estimate(estimate.id).await.unwrap();
    assert_eq!(released.amount, Money::usd(8_500));
    let again = world.authorize(estimate.id, &card).await.unwrap();
    assert_eq!((again.standing.status, again.standing.authorized_minor), (Status::Authorized, 8_500));
    world.capture(estimate.id, None).await.unwrap();
    assert_eq!(cents(&world, "deposit:patient").await, -8_500);
}

async fn story_4d_a_crash_while_the_amount_changes_leaves_no_hold_of_the_old_amount(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let card = card_of(&world, &check).await;
    for looks in 1.. {
        let estimate = world.estimate_for(&check, None).await.unwrap();
        world.authorize(estimate.id, &card).await.unwrap();
        let (engine, caller) = (world.engine(0).clone(), world.caller());
        let asked = async move {
            let change = (Money::usd(8_500), "desk", "plan_changed");
            engine.change_estimate(&caller, estimate.id, change).await
        };
        let died = world.ask_and_die(0, looks, asked).await.unwrap();
        world.settle().await.unwrap();
        let known = world.estimate(estimate.id).await.unwrap();
        let held = world.payment_of(estimate.id).await.unwrap().authorized_minor;
        let expected = if known.amount == Money::usd(6_000) { Status::Authorized } else { Status::Pending };
        assert_eq!(known.standing.status, expected, "died at look {looks}: {held} held, {}", known.amount);
        if !died {
            assert_eq!(known.amount, Money::usd(8_500));
            assert!(looks > 2, "it died between at least two looks");
            return;
        }
    }
}

async fn the_same_amount_again_keeps_the_hold(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    let change = (Money::usd(6_000), "desk", "plan_changed");
    world.engine(0).change_estimate(&world.caller(), estimate.id, change).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Authorized);
}

async fn story_4e_a_cancelled_authorization_needs_no_refund(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    world.engine(0).cancel_estimate(&world.caller(), estimate.id).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Canceled);
    assert!(world.moved("charge").is_empty() && world.moved("refund").is_empty(), "no money moved");
}

async fn story_4f_a_cancelled_service_whose_capture_was_faster_is_refunded(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    // The capture is asked for and its answer lost; then the service is cancelled.
    world.outside.plan([Fault::AnswerLost]);
    world.engine(0).capture_estimate(&world.caller(), estimate.id, None).await.unwrap();
    let cancel = Command::Cancel { by: "clinic".into(), reason: "doctor_ill".into() };
    world.engine(0).change_service(&world.caller(), service.id, cancel, "story").await.unwrap();
    world.pass(120_000).await.unwrap();
    assert_eq!(status(&world, estimate.id).await, Status::Refunded);
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (1, 1));
    assert_eq!(cents(&world, "deposit:patient").await, 0);
}

async fn story_4g_a_refund_that_fails_later_leaves_a_credit_and_the_service_cancelled(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let card = card_of(&world, &check).await;
    let estimate = world.captured_estimate(&check, &card).await.unwrap();
    world.outside.at_stripe("refunds", &json!({ "outcome": "fail_later", "seconds": 60 })).unwrap();
    let service = cancel_service(&mut world, &check).await;
    world.pass(120_000).await.unwrap();
    assert_eq!(world.service(service.id).await.unwrap().status, service::Status::Canceled);
    assert_eq!(cents(&world, "credit:patient").await, -6_000, "we owe it");
    let credits = world.engine(0).credits(&world.organization, 10).await.unwrap();
    assert_eq!(credits[0].amount, Money::usd(6_000));
    // A person tries again, and then it arrives.
    let why = ("refund_failed_before", "manager");
    world.engine(0).refund_estimate(&world.caller(), estimate.id, None, why).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(cents(&world, "gw:stripe").await, -fees(&world).await);
    assert_eq!((cents(&world, "credit:patient").await, cents(&world, "deposit:patient").await), (0, 0));
}

async fn fees(world: &World) -> i64 {
    cents(world, "exp:fee").await
}

async fn story_4h_a_partial_capture_releases_the_rest(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let card = card_of(&world, &check).await;
    world.authorize(estimate.id, &card).await.unwrap();
    let captured = world.capture(estimate.id, Some(4_500)).await.unwrap();
    assert_eq!((captured.standing.status, captured.net_minor()), (Status::Captured, 4_500));
    assert_eq!(cents(&world, "deposit:patient").await, -4_500);
}

async fn story_4i_an_estimate_of_another_eligibility_is_attached_by_one_click_only(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let card = card_of(&world, &check).await;
    let charged = world.captured_estimate(&check, &card).await.unwrap();
    let other = world.eligible(check.patient, 6_000).await.unwrap();
    let service = world.service_for(&other).await.unwrap();
    assert!(world.service(service.id).await.unwrap().estimates.is_empty());
    // One click: same patient, same amount.
    let engine = world.engine(0).clone();
    let moved = engine.reattach_estimate(&world.caller(), service.id, charged.id).await.unwrap();
    assert_eq!((moved.estimates.clone(), moved.worksheet().estimates), (vec![charged.id], Money::usd(6_000)));
    assert_eq!(cents(&world, "deposit:patient").await, -6_000, "moved within the account");
    // From now on the money follows this service.
    let cancel = Command::Cancel { by: "clinic".into(), reason: "doctor_ill".into() };
    world.on_service(service.id, cancel).await.unwrap();
    assert_eq!(
        (status(&world, charged.id).await, cents(&world, "deposit:patient").await),
        (Status::Refunded, 0)
    );

    // Another amount does not move.
    let wrong = world.captured_estimate(&check, &card).await.unwrap();
    let dearer = world.eligible(check.patient, 7_000).await.unwrap();
    let service = world.service_for(&dearer).await.unwrap();
    let refused = engine.reattach_estimate(&world.caller(), service.id, wrong.id).await;
    assert_eq!(code(refused), "eligibility_mismatch");
}

async fn nothing_is_authorized_off_session_without_a_consent(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let how = || Authorize { off_session: true, ..Authorize::default() };
    let refused = world.engine(0).authorize_estimate(&world.caller(), estimate.id, how()).await;
    assert_eq!(code(refused), "consent_missing");
    world.consent(check.patient, Purpose::Estimate, 5_999).await.unwrap();
    let refused = world.engine(0).authorize_estimate(&world.caller(), estimate.id, how()).await;
    assert_eq!(code(refused), "consent_cap_exceeded");
    world.settle().await.unwrap();
    assert!(world.movements().is_empty());
    assert_eq!(status(&world, estimate.id).await, Status::Pending, "nothing half done");
}

async fn a_cancelled_service_with_two_captured_estimates_leaves_nothing(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let card = card_of(&world, &check).await;
    let one = world.captured_estimate(&check, &card).await.unwrap();
    let two = world.captured_estimate(&check, &card).await.unwrap();
    cancel_service(&mut world, &check).await;
    assert_eq!(world.moved("refund").len(), 2);
    assert_eq!(
        (status(&world, one.id).await, status(&world, two.id).await),
        (Status::Refunded, Status::Refunded)
    );
    assert_eq!(cents(&world, "deposit:patient").await, 0);
}

async fn the_steps_are_refused_in_the_wrong_order(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let caller = world.caller();
    let engine = world.engine(0).clone();
    assert_eq!(code(engine.capture_estimate(&caller, estimate.id, None).await), "not_allowed_now");
    let why = ("visit_cancelled", "manager");
    assert_eq!(code(engine.refund_estimate(&caller, estimate.id, None, why).await), "not_allowed_now");
    let service = world.service_for(&check).await.unwrap();
    let bill = Command::Bill { claim: "CLM1".into() };
    assert_eq!(code(engine.change_service(&caller, service.id, bill, "story").await), "note_missing");
    assert_eq!(code(engine.settle_service(&caller, service.id).await), "not_allowed_now");
    assert!(world.movements().is_empty());
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
}
