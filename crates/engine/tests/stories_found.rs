//! What random schedules of patient billing found, each as a story of its own.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::adjudication::{Adjudication, Adjustment, Group, Outcome};
use suture_core::consent::Purpose;
use suture_core::eligibility::Eligibility;
use suture_core::estimate::{Estimate, Status};
use suture_core::id::EstimateId;
use suture_core::money::Money;
use suture_core::patient;
use suture_core::service::{self, Command};
use suture_engine::Error;
use suture_engine::billing::Authorize;
use suture_sim::on_both_databases;
use suture_sim::world::{Fault, World};
use suture_store::effects::State;

const DECLINED: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";

on_both_databases!(
    the_audit_trail_of_patient_billing_verifies,
    an_attempt_off_session_needs_a_consent_also_when_its_payment_waits_for_a_method,
    a_withdrawn_consent_allows_no_second_attempt_off_session,
    a_hold_that_comes_after_the_cancellation_is_released,
    a_cancelled_service_authorizes_nothing_any_more,
    an_amount_does_not_change_while_its_capture_is_on_its_way,
    a_hold_of_an_old_amount_captures_no_more_than_is_owed,
    what_no_payment_can_give_back_is_asked_of_a_person,
    cash_that_was_too_much_is_given_back_at_the_desk_once,
    a_refund_that_failed_is_made_good_by_a_cheque,
);

async fn checked(world: &mut World, minor: i64) -> Eligibility {
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    world.eligible(patient.id, minor).await.unwrap()
}

async fn the_audit_trail_of_patient_billing_verifies(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    world.captured_estimate(&check, "pm_card_visa").await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    world.bill(service.id, "CLM1", 30_000).await.unwrap();
    let responsibility = Money::usd(3_500);
    let set = Command::SetResponsibility { responsibility, author: "biller".to_owned() };
    world.on_service(service.id, set).await.unwrap();
    let verdict = world.engine(0).verify_audit(&world.organization).await.unwrap();
    assert_eq!(verdict.broken, None);
    assert!(verdict.ledger_entries > 4, "{verdict:?}");
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

async fn off_session(world: &mut World, estimate: EstimateId) -> Result<Estimate, Error> {
    let how = Authorize { off_session: true, ..Authorize::default() };
    let authorized = world.engine(0).authorize_estimate(&world.caller(), estimate, how).await;
    world.settle().await.unwrap();
    authorized.map(|(estimate, _)| estimate)
}

fn cancel() -> Command {
    Command::Cancel { by: "clinic".to_owned(), reason: "doctor_ill".to_owned() }
}

/// What persons are asked about a service.
async fn asked(world: &World, service: &service::Service) -> Vec<String> {
    let parked = world.effects(State::Parked).await.unwrap();
    let of_service = parked.into_iter().filter(|effect| effect.stream == Some(service.id.to_string()));
    of_service.filter_map(|effect| effect.error).collect()
}

async fn an_attempt_off_session_needs_a_consent_also_when_its_payment_waits_for_a_method(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    world.authorize(estimate.id, DECLINED).await.unwrap();
    assert_eq!(code(off_session(&mut world, estimate.id).await), "consent_missing");
    assert_eq!(world.payment_of(estimate.id).await.unwrap().attempts.len(), 1, "nothing was sent");
    world.consent(check.patient, Purpose::Estimate, 6_000).await.unwrap();
    off_session(&mut world, estimate.id).await.unwrap();
    assert_eq!(world.estimate(estimate.id).await.unwrap().standing.status, Status::Authorized);
}

async fn a_withdrawn_consent_allows_no_second_attempt_off_session(mut world: World) {
    let patient = world.patient_with_card(0, "pm_card_chargeCustomerFail").await.unwrap();
    let check = world.eligible(patient.id, 6_000).await.unwrap();
    world.consent(patient.id, Purpose::Estimate, 6_000).await.unwrap();
    let estimate = world.estimate_for(&check, None).await.unwrap();
    off_session(&mut world, estimate.id).await.unwrap();
    let failed = world.estimate(estimate.id).await.unwrap();
    assert_eq!(failed.standing.status, Status::AuthorizationFailed);
    let known = world.engine(0).patient(&world.organization, patient.id).await.unwrap();
    let withdraw = patient::Command::Withdraw { consent: known.consents[0].id };
    world.engine(0).change_patient(&world.caller(), patient.id, withdraw, "withdrawn").await.unwrap();
    assert_eq!(code(off_session(&mut world, estimate.id).await), "consent_ended");
}

async fn a_hold_that_comes_after_the_cancellation_is_released(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    // The authorization is on its way when the clinic cancels.
    let how = Authorize { method: Some("pm_card_visa".to_owned()), ..Authorize::default() };
    world.outside.plan([Fault::AnswerLost]);
    world.engine(0).authorize_estimate(&world.caller(), estimate.id, how).await.unwrap();
    world.step(0).await.unwrap();
    world.engine(0).change_service(&world.caller(), service.id, cancel(), "story").await.unwrap();
    world.pass(600_000).await.unwrap();
    assert_eq!(world.estimate(estimate.id).await.unwrap().standing.status, Status::Canceled);
    assert!(world.moved("charge").is_empty(), "no money moved");
    assert_eq!(world.moved("release").len(), 1, "what was reserved is free again");
}

async fn a_cancelled_service_authorizes_nothing_any_more(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    world.authorize(estimate.id, "pm_card_visa").await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    world.pass(8 * 86_400_000).await.unwrap();
    assert_eq!(world.estimate(estimate.id).await.unwrap().standing.status, Status::Expired);
    world.on_service(service.id, cancel()).await.unwrap();
    let how = Authorize { method: Some("pm_card_visa".to_owned()), ..Authorize::default() };
    let again = world.engine(0).authorize_estimate(&world.caller(), estimate.id, how).await;
    assert_eq!(code(again), "service_canceled");
    assert_eq!(world.estimate(estimate.id).await.unwrap().standing.status, Status::Canceled);
}

async fn an_amount_does_not_change_while_its_capture_is_on_its_way(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    world.authorize(estimate.id, "pm_card_visa").await.unwrap();
    let engine = world.engine(0).clone();
    engine.capture_estimate(&world.caller(), estimate.id, None).await.unwrap();
    let change = (Money::usd(2_500), "desk", "plan_changed");
    let changed = engine.change_estimate(&world.caller(), estimate.id, change).await;
    assert_eq!(code(changed), "capture_in_progress");
    world.settle().await.unwrap();
    let captured = world.estimate(estimate.id).await.unwrap();
    assert_eq!((captured.amount, captured.net_minor()), (Money::usd(6_000), 6_000));
}

async fn a_hold_of_an_old_amount_captures_no_more_than_is_owed(mut world: World) {
    let check = checked(&mut world, 6_000).await;
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let waiting = world.authorize(estimate.id, "pm_card_threeDSecure2Required").await.unwrap();
    assert_eq!(waiting.standing.status, Status::AuthorizationFailed);
    let change = (Money::usd(2_500), "desk", "plan_changed");
    world.engine(0).change_estimate(&world.caller(), estimate.id, change).await.unwrap();
    // Now the patient passes the bank's check of the old amount.
    let intent = world.payment_of(estimate.id).await.unwrap().intent.unwrap();
    let passed = json!({ "payment_intent": intent, "outcome": "success" });
    world.outside.at_stripe("complete_3ds", &passed).unwrap();
    world.settle().await.unwrap();
    let whole = world.engine(0).capture_estimate(&world.caller(), estimate.id, None).await;
    assert_eq!(code(whole), "capture_exceeds_debt");
    world.capture(estimate.id, Some(2_500)).await.unwrap();
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -2_500);
}

/// A service that costs the patient 60.00 by a payer's ruling.
async fn ruled(world: &mut World) -> service::Service {
    let check = checked(world, 6_000).await;
    let service = world.service_for(&check).await.unwrap();
    world.bill(service.id, "CLM1", 30_000).await.unwrap();
    let part = |group: Group, reason: &str, minor: i64| Adjustment {
        line: None,
        group,
        reason: reason.to_owned(),
        amount: Money::usd(minor),
    };
    let ruling = Adjudication {
        key: "ruling".to_owned(),
        source: "manual".to_owned(),
        outcome: Outcome::Processed,
        charge: Money::usd(30_000),
        paid: Money::usd(12_000),
        adjustments: vec![part(Group::Patient, "3", 6_000), part(Group::Contractual, "45", 12_000)],
    };
    let settling = world.on_service(service.id, Command::Adjudicate(ruling)).await.unwrap();
    assert_eq!(settling.worksheet().difference, Money::usd(6_000));
    settling
}

async fn what_no_payment_can_give_back_is_asked_of_a_person(mut world: World) {
    let service = ruled(&mut world).await;
    let at_desk = Command::RecordElsewhere {
        reference: "till-1".to_owned(),
        amount: Money::usd(1_500),
        author: "front desk".to_owned(),
    };
    world.on_service(service.id, at_desk).await.unwrap();
    assert!(asked(&world, &service).await.is_empty(), "the patient still owes");
    let nothing = Command::SetResponsibility { responsibility: Money::usd(0), author: "biller".to_owned() };
    let settling = world.on_service(service.id, nothing).await.unwrap();
    assert_eq!(settling.worksheet().difference, Money::usd(-1_500));
    let asked = asked(&world, &service).await;
    assert!(asked.len() == 1 && asked[0].contains("15.00") && asked[0].contains("elsewhere"), "{asked:?}");
}

fn given_back(reference: &str, minor: i64) -> Command {
    Command::GiveBack {
        reference: reference.to_owned(),
        amount: Money::usd(minor),
        approver: "manager".to_owned(),
        reason: "paid_too_much".to_owned(),
    }
}

async fn give_back(world: &mut World, service: &service::Service, minor: i64) -> Result<(), Error> {
    let command = given_back("till-9", minor);
    let done = world.engine(0).change_service(&world.caller(), service.id, command, "paid_too_much").await;
    done.map(|_| ())
}

async fn cash_that_was_too_much_is_given_back_at_the_desk_once(mut world: World) {
    let service = ruled(&mut world).await;
    let at_desk = Command::RecordElsewhere {
        reference: "till-1".to_owned(),
        amount: Money::usd(7_500),
        author: "front desk".to_owned(),
    };
    let settling = world.on_service(service.id, at_desk).await.unwrap();
    assert_eq!(settling.worksheet().difference, Money::usd(-1_500));
    let bank = world.balance("bank").await.unwrap();
    assert_eq!(code(give_back(&mut world, &service, 1_501).await), "given_back_exceeds_owed");
    give_back(&mut world, &service, 1_500).await.unwrap();
    give_back(&mut world, &service, 1_500).await.unwrap();

    let even = world.engine(0).service(&world.organization, service.id).await.unwrap();
    assert_eq!((even.status, even.worksheet().difference), (service::Status::Completed, Money::usd(0)));
    assert_eq!(world.balance("bank").await.unwrap(), bank - 1_500);
    assert_eq!(world.balance("ar:patient").await.unwrap(), 0);
    let (sheet, told, by_line) =
        world.engine(0).explain_bill(&world.caller(), service.id, "test").await.unwrap();
    assert_eq!(told.iter().map(|line| line.amount.minor).sum::<i64>(), sheet.difference.minor);
    assert!(told.iter().any(|line| line.amount == Money::usd(1_500)), "{told:?}");
    let paid =
        by_line.lines.iter().flat_map(|line| &line.payments).map(|part| part.amount.minor).sum::<i64>();
    assert_eq!((paid, by_line.unapplied), (6_000, Money::usd(0)), "what was given back pays no line");
}

async fn a_refund_that_failed_is_made_good_by_a_cheque(mut world: World) {
    world.outside.at_stripe("refunds", &json!({ "outcome": "fail_later", "seconds": 60 })).unwrap();
    let check = checked(&mut world, 6_000).await;
    world.captured_estimate(&check, "pm_card_visa").await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    world.bill(service.id, "CLM1", 30_000).await.unwrap();
    let nothing = Command::SetResponsibility { responsibility: Money::usd(0), author: "biller".to_owned() };
    world.engine(0).change_service(&world.caller(), service.id, nothing, "set").await.unwrap();
    world.settle().await.unwrap();
    world.pass(600_000).await.unwrap();
    let open = world.engine(0).service(&world.organization, service.id).await.unwrap();
    assert_eq!(open.worksheet().difference, Money::usd(-6_000), "the refund came back");
    assert_eq!(world.balance("credit:patient").await.unwrap(), -6_000);

    give_back(&mut world, &service, 6_000).await.unwrap();
    world.settle().await.unwrap();
    let even = world.engine(0).service(&world.organization, service.id).await.unwrap();
    assert_eq!(even.status, service::Status::Completed);
    for account in ["credit:patient", "ar:patient", "deposit:patient"] {
        assert_eq!(world.balance(account).await.unwrap(), 0, "{account}");
    }
}
