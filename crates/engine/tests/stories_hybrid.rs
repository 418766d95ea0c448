//! Deposit first, balance after insurance: FLOWS §2, case by case. A charge of 300.00, a deposit of 40.00 from a verified
//! copay, and an 835 that says something else.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use suture_core::consent::Purpose;
use suture_core::eligibility;
use suture_core::estimate;
use suture_core::id::{PatientId, RefundId, ServiceId};
use suture_core::invoice;
use suture_core::money::Money;
use suture_core::payment::{self, Payment, Purpose as Purposed};
use suture_core::service::{Command, CoverageStatus, NoteKind, Status};
use suture_core::time::Timestamp;
use suture_engine::billing::{Authorize, NewService};
use suture_engine::{Billing, Error};
use suture_sim::on_both_databases;
use suture_sim::world::{CLAIM, World};
use suture_store::effects::State;

on_both_databases!(
    story_2_steps_1_to_3_copay_deposit_visit_and_claim,
    story_2a_an_underpaid_deposit_is_charged_after_the_notice,
    story_2b_an_overpaid_deposit_is_refunded,
    story_2c_an_exact_deposit_completes_the_service,
    story_2d_a_denial_at_the_clinic_s_cost_bills_nobody,
    story_2d_a_denial_that_is_appealed_and_paid_goes_on,
    story_2e_a_denial_at_the_patient_s_cost_above_the_cap_asks,
    story_2f_what_was_paid_elsewhere_is_not_asked_for_again,
    story_2g_a_correction_asks_for_the_difference_only,
    story_2g_a_correction_after_a_refund_asks_for_the_difference_only,
    story_2g_a_correction_during_the_notice_begins_a_new_notice,
    story_2h_a_take_back_bills_no_patient,
    story_2_5_an_expired_card_asks_the_patient_and_the_updated_card_pays,
    story_2_5_a_removed_card_asks_the_patient,
    story_2_5_a_declined_card_is_never_a_silent_failure_and_another_card_pays,
    story_2_5_a_bank_s_check_off_session_waits_for_the_patient,
    story_2_5_a_notice_that_the_patient_pays_before_charges_nothing,
    story_2_6_a_refund_that_fails_stays_a_visible_credit,
    story_2_6_a_refund_that_waits_completes_nothing_before_it_succeeded,
    story_2_7_the_audit_row_names_the_whole_chain,
);

const DAY: i64 = 86_400_000;
const NOTICE: Duration = Duration::from_secs(5 * 86_400);

/// A visit whose claim the payer has.
struct Visit {
    patient: PatientId,
    service: ServiceId,
    card: String,
}

async fn visit(world: &mut World, case: &str) -> Visit {
    visit_with(world, case, Some(4_000)).await
}

async fn visit_with(world: &mut World, case: &str, deposit: Option<i64>) -> Visit {
    world.restart_with(Billing { collect_after: Some(NOTICE), ..Billing::default() }).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    let card = patient.methods.keys().next().unwrap().clone();
    world.consent(patient.id, Purpose::BalanceAfterInsurance, 15_000).await.unwrap();
    let check = world.eligible(patient.id, deposit.unwrap_or(4_000)).await.unwrap();
    if deposit.is_some() {
        world.captured_estimate(&check, &card).await.unwrap();
    }
    let service = world.service_for(&check).await.unwrap();
    world.bill_to_payer(&service, CLAIM, 30_000, case).await.unwrap();
    Visit { patient: patient.id, service: service.id, card }
}

async fn books(world: &World, expected: &[(&str, i64)]) {
    let books = world.books().await.unwrap();
    let expected: BTreeMap<String, i64> =
        expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect();
    assert_eq!(books, expected);
    assert_eq!(books.values().sum::<i64>(), 0, "I1");
    assert_eq!(world.outside.leak(), None, "I8");
}

async fn difference(world: &World, visit: &Visit) -> i64 {
    world.adds_up(visit.service).await.unwrap().difference.minor
}

async fn status(world: &World, visit: &Visit) -> Status {
    world.service(visit.service).await.unwrap().status
}

async fn invoice_status(world: &World, visit: &Visit) -> invoice::Status {
    let id = world.service(visit.service).await.unwrap().invoice.unwrap();
    world.engine(0).invoice(&world.organization, id).await.unwrap().status
}

/// What persons are asked: destination and words.
async fn asked(world: &World) -> Vec<(String, String)> {
    let parked = world.effects(State::Parked).await.unwrap();
    let open = world.engine(0).effects(&world.organization, None, i64::MAX, 1000).await.unwrap();
    let mut asked: Vec<(String, String)> = parked
        .into_iter()
        // Asked about the intent of every open mirrored invoice, although it holds no money.
        .filter(|effect| effect.destination != "who-is-this")
        .chain(open.into_iter().filter(|effect| effect.kind == "ask_person"))
        .map(|effect| (effect.destination.clone(), effect.error.unwrap_or_default()))
        .collect();
    asked.sort();
    asked.dedup();
    asked
}

async fn balance_payment(world: &World) -> Payment {
    let payments = world.payments().await.unwrap();
    // The intent of a mirrored invoice has no attempt of ours.
    let ours = |payment: &Payment| payment.purpose == Some(Purposed::Balance) && !payment.attempts.is_empty();
    payments.into_iter().find(ours).unwrap()
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

async fn pays(world: &mut World, visit: &Visit, card: &str) -> Result<(), Error> {
    let how = Authorize { method: Some(card.to_owned()), ..Authorize::default() };
    world.engine(0).charge_balance(&world.caller(), visit.service, how).await?;
    world.settle().await.unwrap();
    Ok(())
}

async fn story_2_steps_1_to_3_copay_deposit_visit_and_claim(mut world: World) {
    // 1. Intake: the payer confirms the policy and says that the share is 43.00: copay 25.00, coinsurance 18.00.
    let patient = world.patient_with_card(1, "pm_card_visa").await.unwrap();
    let policy = world.policy_of(patient.id, 1).await.unwrap();
    let check = world.check_of(patient.id, policy, 1).await.unwrap();
    assert_eq!(check.status, eligibility::Status::WaitingForServiceEligibility);
    let answer = world.payer_says_of(1);
    let check = world.take_271(check.id, &answer).await.unwrap();
    assert_eq!(check.status, eligibility::Status::Eligible);
    assert_eq!(check.responsibility.as_ref().unwrap().total, Money::usd(4_300));
    let share = check.responsibility.as_ref().unwrap();
    assert_eq!((share.copay, share.coinsurance), (Money::usd(2_500), Money::usd(1_800)));
    let card = patient.methods.keys().next().unwrap();
    let deposit = world.captured_estimate(&check, card).await.unwrap();
    assert_eq!((deposit.standing.status, deposit.net_minor()), (estimate::Status::Captured, 4_300));
    books(&world, &[("gw:stripe", 4_300), ("deposit:patient", -4_300)]).await;

    // 2. The service is in ten days; 72 hours before, the coverage is checked again.
    let at = Timestamp::from_millis(world.clock.millis() + 10 * DAY);
    let new = NewService {
        patient: patient.id,
        eligibility: Some(check.id),
        at: Some(at),
        currency: Money::usd(0).currency,
        account: None,
    };
    let service = world.engine(0).create_service(&world.caller(), new).await.unwrap();
    assert_eq!(service.estimates, vec![deposit.id], "it belongs here");
    world.pass(7 * DAY - 1).await.unwrap();
    assert_eq!(world.service(service.id).await.unwrap().coverage, Some(CoverageStatus::Valid));
    world.pass(1).await.unwrap();
    assert_eq!(world.service(service.id).await.unwrap().coverage, Some(CoverageStatus::Revalidating));
    let answer = world.payer_says_of(1);
    world.take_271(check.id, &answer).await.unwrap();
    assert_eq!(world.service(service.id).await.unwrap().coverage, Some(CoverageStatus::Valid));

    // 3. The visit, the note, the claim: the payer owes the charge.
    world.pass(3 * DAY).await.unwrap();
    world.bill_to_payer(&service, CLAIM, 30_000, "2A").await.unwrap();
    let billed = world.service(service.id).await.unwrap();
    assert_eq!((billed.status, billed.notes[0].kind), (Status::Billed, NoteKind::Note));
    books(
        &world,
        &[("gw:stripe", 4_300), ("deposit:patient", -4_300), ("ar:payer", 30_000), ("rev:service", -30_000)],
    )
    .await;
    world.adds_up(service.id).await.unwrap();
}

async fn story_2a_an_underpaid_deposit_is_charged_after_the_notice(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, 1_000));
    books(
        &world,
        &[
            ("gw:stripe", 4_000),
            ("bank", 13_000),
            ("adj:contractual", 12_000),
            ("ar:patient", 1_000),
            ("rev:service", -30_000),
        ],
    )
    .await;
    assert_eq!(invoice_status(&world, &visit).await, invoice::Status::Finalized);

    // No day of the notice is missing, and then the card on file is charged once.
    world.pass(5 * DAY - 1).await.unwrap();
    assert_eq!(world.moved("charge").len(), 1);
    world.pass(1).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    books(
        &world,
        &[("gw:stripe", 5_000), ("bank", 13_000), ("adj:contractual", 12_000), ("rev:service", -30_000)],
    )
    .await;
    assert_eq!(invoice_status(&world, &visit).await, invoice::Status::Paid);
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (2, 0));
    let patient = world.engine(0).patient(&world.organization, visit.patient).await.unwrap();
    assert_eq!(patient.consents[0].left(), Money::usd(14_000), "the cap counts every charge");
    assert_eq!(asked(&world).await, Vec::new(), "nobody is asked anything");
}

async fn story_2b_an_overpaid_deposit_is_refunded(mut world: World) {
    let visit = visit(&mut world, "2B").await;
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    books(
        &world,
        &[("gw:stripe", 2_500), ("bank", 15_500), ("adj:contractual", 12_000), ("rev:service", -30_000)],
    )
    .await;
    let refunds = world.at_stripe("refunds");
    assert_eq!((refunds.len(), refunds[0]["amount"].as_i64()), (1, Some(1_500)));
    let ours = refunds[0]["metadata"].as_object().unwrap().values().filter_map(|value| value.as_str());
    let asked_for = ours.filter_map(|value| RefundId::parse(value).ok()).next().unwrap();
    let refund = world.engine(0).refund(&world.organization, asked_for).await.unwrap();
    assert_eq!(refund.authorizer, "rule_paid_more_than_owed");
    assert_eq!(world.engine(0).credits(&world.organization, 10).await.unwrap(), Vec::new());
    assert_eq!(invoice_status(&world, &visit).await, invoice::Status::Paid);
}

async fn story_2c_an_exact_deposit_completes_the_service(mut world: World) {
    let visit = visit(&mut world, "2C").await;
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    books(
        &world,
        &[("gw:stripe", 4_000), ("bank", 14_000), ("adj:contractual", 12_000), ("rev:service", -30_000)],
    )
    .await;
    world.pass(10 * DAY).await.unwrap();
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (1, 0), "no money moves any more");
}

/// What the books say as long as the payer owes everything and the deposit is a deposit.
const UNDECIDED: [(&str, i64); 4] =
    [("gw:stripe", 4_000), ("deposit:patient", -4_000), ("ar:payer", 30_000), ("rev:service", -30_000)];

async fn story_2d_a_denial_at_the_clinic_s_cost_bills_nobody(mut world: World) {
    let visit = visit(&mut world, "2D").await;
    world.payer_pays().await.unwrap();
    let service = world.service(visit.service).await.unwrap();
    assert_eq!((service.status, service.open_with_payer_minor()), (Status::Adjudicated, 30_000));
    books(&world, &UNDECIDED).await;
    assert_eq!(service.invoice, None, "nothing is billed");
    let asked = asked(&world).await;
    assert!(asked.iter().any(|(queue, _)| queue == "denials"), "{asked:?}");
    world.pass(10 * DAY).await.unwrap();
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (1, 0), "the deposit is held");
    assert_eq!(difference(&world, &visit).await, -4_000, "and it is the patient's");
    // A charge is refused with the rule.
    assert_eq!(code(pays(&mut world, &visit, &visit.card).await), "nothing_due");

    // A person decides that the patient owes nothing: the deposit goes back.
    let nothing = Command::SetResponsibility { responsibility: Money::usd(0), author: "biller".into() };
    world.on_service(visit.service, nothing).await.unwrap();
    world.engine(0).settle_service(&world.caller(), visit.service).await.unwrap();
    world.settle().await.unwrap();
    books(&world, &[("ar:payer", 30_000), ("rev:service", -30_000)]).await;
    assert_eq!(status(&world, &visit).await, Status::Completed);
}

async fn story_2d_a_denial_that_is_appealed_and_paid_goes_on(mut world: World) {
    let visit = visit(&mut world, "2D").await;
    world.payer_pays().await.unwrap();
    // The appeal succeeds: the payer takes the denial back and pays all but the copay.
    world.payer_corrects(CLAIM, 4_000);
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    books(
        &world,
        &[("gw:stripe", 4_000), ("bank", 14_000), ("adj:contractual", 12_000), ("rev:service", -30_000)],
    )
    .await;
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (1, 0));
}

async fn story_2e_a_denial_at_the_patient_s_cost_above_the_cap_asks(mut world: World) {
    let visit = visit(&mut world, "2E").await;
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, 26_000));
    let owed = [("gw:stripe", 4_000), ("ar:patient", 26_000), ("rev:service", -30_000)];
    books(&world, &owed).await;
    world.pass(6 * DAY).await.unwrap();
    assert_eq!(world.moved("charge").len(), 1, "above the cap nothing is charged");
    books(&world, &owed).await;
    let asked = asked(&world).await;
    assert!(asked.iter().any(|(_, words)| words.contains("new consent")), "{asked:?}");
    // The patient is there and pays.
    pays(&mut world, &visit, &visit.card).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    books(&world, &[("gw:stripe", 30_000), ("rev:service", -30_000)]).await;
}

async fn story_2f_what_was_paid_elsewhere_is_not_asked_for_again(mut world: World) {
    let visit = visit_with(&mut world, "2A", None).await;
    let cash = Command::RecordElsewhere {
        reference: "cash-17".into(),
        amount: Money::usd(5_000),
        author: "front desk".into(),
    };
    world.on_service(visit.service, cash.clone()).await.unwrap();
    assert_eq!(difference(&world, &visit).await, -5_000);
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    world.on_service(visit.service, cash).await.unwrap();
    books(&world, &[("bank", 18_000), ("adj:contractual", 12_000), ("rev:service", -30_000)]).await;
    world.pass(10 * DAY).await.unwrap();
    assert!(world.movements().is_empty(), "the 835's PR is not unpaid");
}

async fn story_2g_a_correction_asks_for_the_difference_only(mut world: World) {
    let visit = visit(&mut world, "2G").await;
    world.payer_pays().await.unwrap();
    world.pass(5 * DAY).await.unwrap();
    assert_eq!(status(&world, &visit).await, Status::Completed, "50.00 are paid");
    // The next file reverses the claim and says 70.00.
    world.payer_pays().await.unwrap();
    let service = world.service(visit.service).await.unwrap();
    assert_eq!((service.status, service.version), (Status::Settling, 2));
    assert_eq!(difference(&world, &visit).await, 2_000);
    assert_eq!(world.moved("refund").len(), 0, "a reversal alone pays nothing back");
    // The file is 20.00 short, which the payer withholds from a later one (PLB FB).
    books(
        &world,
        &[
            ("gw:stripe", 5_000),
            ("bank", 13_000),
            ("ar:payer", -2_000),
            ("adj:contractual", 12_000),
            ("ar:patient", 2_000),
            ("rev:service", -30_000),
        ],
    )
    .await;
    // A new notice, then the difference.
    world.pass(5 * DAY - 1).await.unwrap();
    assert_eq!(world.moved("charge").len(), 2);
    world.pass(1).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    assert_eq!(world.moved("charge").len(), 3);
}

async fn story_2g_a_correction_after_a_refund_asks_for_the_difference_only(mut world: World) {
    let visit = visit(&mut world, "2B").await;
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, world.moved("refund").len()), (Status::Completed, 1));
    world.payer_corrects(CLAIM, 5_000);
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, 2_500));
    assert_eq!(world.moved("refund").len(), 1);
    let asked = asked(&world).await;
    assert!(asked.iter().any(|(queue, _)| queue == "corrections"), "{asked:?}");
    books(
        &world,
        &[
            ("gw:stripe", 2_500),
            ("bank", 15_500),
            ("ar:payer", -2_500),
            ("adj:contractual", 12_000),
            ("ar:patient", 2_500),
            ("rev:service", -30_000),
        ],
    )
    .await;
}

async fn story_2g_a_correction_during_the_notice_begins_a_new_notice(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    world.payer_pays().await.unwrap();
    world.pass(3 * DAY).await.unwrap();
    world.payer_corrects(CLAIM, 7_000);
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, 3_000));
    world.pass(3 * DAY).await.unwrap();
    assert_eq!(world.moved("charge").len(), 1, "nobody was told of 30.00 five days ago");
    world.pass(2 * DAY).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    assert_eq!(world.moved("charge").len(), 2, "once");
    assert_eq!(world.moved("refund").len(), 0);
}

async fn story_2h_a_take_back_bills_no_patient(mut world: World) {
    let visit = visit(&mut world, "2H").await;
    world.payer_pays().await.unwrap();
    world.pass(5 * DAY).await.unwrap();
    let moved = world.movements().len();
    // Another claim's file is 130.00 short.
    world.claim("CLM-2", 50_000, "2C").unwrap();
    world.payer_pays().await.unwrap();
    world.pass(10 * DAY).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    assert_eq!(world.movements().len(), moved, "no automatic patient bill");
    books(
        &world,
        &[("gw:stripe", 5_000), ("ar:payer", 13_000), ("adj:contractual", 12_000), ("rev:service", -30_000)],
    )
    .await;
}

async fn story_2_5_an_expired_card_asks_the_patient_and_the_updated_card_pays(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    let expired = json!({ "payment_method": visit.card, "exp_month": 10, "exp_year": 2026 });
    world.outside.at_stripe("card", &expired).unwrap();
    world.payer_pays().await.unwrap();
    world.pass(6 * DAY).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, 1_000));
    assert_eq!(world.moved("charge").len(), 1);
    let asked = asked(&world).await;
    assert!(
        asked.iter().any(|(queue, words)| queue == "collections" && words.contains("expired_card")),
        "{asked:?}"
    );
    // The bank's updater brings a new date; the patient's link, or staff, tries again.
    let renewed = json!({ "payment_method": visit.card, "exp_month": 10, "exp_year": 2030 });
    world.outside.at_stripe("replace_card", &renewed).unwrap();
    world.settle().await.unwrap();
    again(&mut world, &visit, &visit.card).await;
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    assert_eq!(world.moved("charge").len(), 2);
}

/// The next attempt with a card: of the payment that waits for one, or of a new payment.
async fn again(world: &mut World, visit: &Visit, card: &str) {
    let waiting = balance_payment(world).await;
    if waiting.status() == payment::Status::RequiresMethod {
        world.engine(0).retry_payment(&world.caller(), waiting.id, card.to_owned()).await.unwrap();
        world.settle().await.unwrap();
    } else {
        pays(world, visit, card).await.unwrap();
    }
}

async fn story_2_5_a_removed_card_asks_the_patient(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    world.outside.at_stripe("remove_card", &json!({ "payment_method": visit.card })).unwrap();
    world.payer_pays().await.unwrap();
    world.pass(6 * DAY).await.unwrap();
    assert_eq!((status(&world, &visit).await, world.moved("charge").len()), (Status::Settling, 1));
    let asked = asked(&world).await;
    assert!(asked.iter().any(|(_, words)| words.contains("no working method")), "{asked:?}");
    // The patient stores another card and pays with it.
    let patient = world.store_card(visit.patient, "pm_card_mastercard").await.unwrap();
    let now = world.now();
    let card = patient.usable_methods(now).next().unwrap().id.clone();
    pays(&mut world, &visit, &card).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
}

async fn story_2_5_a_declined_card_is_never_a_silent_failure_and_another_card_pays(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    let poor = json!({ "payment_method": visit.card, "state": "insufficient_funds" });
    world.outside.at_stripe("card", &poor).unwrap();
    world.payer_pays().await.unwrap();
    world.pass(6 * DAY).await.unwrap();
    let failed = balance_payment(&world).await;
    assert_eq!(
        failed.intent_known.as_ref().unwrap().error.as_ref().unwrap().decline_code.as_deref(),
        Some("insufficient_funds")
    );
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, 1_000));
    let asked = asked(&world).await;
    assert!(
        asked.iter().any(|(queue, words)| queue == "collections" && words.contains("insufficient_funds")),
        "{asked:?}"
    );
    again(&mut world, &visit, "pm_card_mastercard").await;
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    assert_eq!(world.moved("charge").len(), 2);
}

async fn story_2_5_a_bank_s_check_off_session_waits_for_the_patient(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    world.outside.at_stripe("remove_card", &json!({ "payment_method": visit.card })).unwrap();
    world.clock.jump(1_000);
    world.store_card(visit.patient, "pm_card_authenticationRequired").await.unwrap();
    let setup = world.at_stripe("setup_intents").last().unwrap()["id"].clone();
    world.outside.at_stripe("complete_3ds", &json!({ "setup_intent": setup })).unwrap();
    world.settle().await.unwrap();
    let patient = world.engine(0).patient(&world.organization, visit.patient).await.unwrap();
    let card = patient.usable_methods(world.now()).next().unwrap().id.clone();
    world.payer_pays().await.unwrap();
    world.pass(6 * DAY).await.unwrap();
    let failed = balance_payment(&world).await;
    assert_eq!(failed.status(), payment::Status::RequiresMethod);
    assert_eq!((status(&world, &visit).await, world.moved("charge").len()), (Status::Settling, 1));
    let asked = asked(&world).await;
    assert!(
        asked
            .iter()
            .any(|(queue, words)| queue == "collections" && words.contains("authentication_required")),
        "{asked:?}"
    );
    // The patient follows the link, and passes the bank's check.
    world.engine(0).retry_payment(&world.caller(), failed.id, card).await.unwrap();
    world.settle().await.unwrap();
    let waiting = balance_payment(&world).await;
    assert_eq!(waiting.status(), payment::Status::RequiresAction);
    let passed = json!({ "payment_intent": waiting.intent.unwrap(), "outcome": "success" });
    world.outside.at_stripe("complete_3ds", &passed).unwrap();
    world.settle().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
}

async fn story_2_5_a_notice_that_the_patient_pays_before_charges_nothing(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    world.payer_pays().await.unwrap();
    world.pass(2 * DAY).await.unwrap();
    pays(&mut world, &visit, &visit.card).await.unwrap();
    assert_eq!(status(&world, &visit).await, Status::Completed);
    world.pass(5 * DAY).await.unwrap();
    assert_eq!(world.moved("charge").len(), 2, "once");
}

async fn story_2_6_a_refund_that_fails_stays_a_visible_credit(mut world: World) {
    let visit = visit(&mut world, "2B").await;
    world.outside.at_stripe("refunds", &json!({ "outcome": "fail", "next": 1 })).unwrap();
    let since = world.now();
    world.payer_pays().await.unwrap();
    world.pass(40 * DAY).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, -1_500));
    assert_eq!(invoice_status(&world, &visit).await, invoice::Status::CreditDue);
    let credits = world.engine(0).credits(&world.organization, 10).await.unwrap();
    assert_eq!((credits.len(), credits[0].amount, credits[0].since), (1, Money::usd(1_500), since));
    assert!(!asked(&world).await.is_empty(), "cheque or other card: a person decides");
    assert_eq!(world.at_stripe("refunds").len(), 1, "nothing is tried again by itself");
    books(
        &world,
        &[
            ("gw:stripe", 4_000),
            ("bank", 15_500),
            ("adj:contractual", 12_000),
            ("credit:patient", -1_500),
            ("rev:service", -30_000),
        ],
    )
    .await;
}

async fn story_2_6_a_refund_that_waits_completes_nothing_before_it_succeeded(mut world: World) {
    let visit = visit(&mut world, "2B").await;
    world.outside.at_stripe("refunds", &json!({ "outcome": "pending", "seconds": 3_600 })).unwrap();
    world.payer_pays().await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Settling, -1_500));
    assert_eq!(world.adds_up(visit.service).await.unwrap().returning, Money::usd(1_500));
    assert_eq!(invoice_status(&world, &visit).await, invoice::Status::CreditDue);
    world.pass(2 * 3_600_000).await.unwrap();
    assert_eq!((status(&world, &visit).await, difference(&world, &visit).await), (Status::Completed, 0));
    assert_eq!(world.at_stripe("refunds").len(), 1);
}

async fn story_2_7_the_audit_row_names_the_whole_chain(mut world: World) {
    let visit = visit(&mut world, "2A").await;
    world.payer_pays().await.unwrap();
    world.pass(5 * DAY).await.unwrap();
    let service = world.service(visit.service).await.unwrap();
    let charge = balance_payment(&world).await;
    assert!(charge.care.explains_money(), "patient and account: {:?}", charge.care);
    assert_eq!(charge.care.outcome, Some(service.notes[0].id.to_string()), "the signed note");
    assert_eq!(service.claim.as_ref().unwrap().0, CLAIM);
    assert!(service.decisions[0].0.source.starts_with("rem"), "{}", service.decisions[0].0.source);
    let told = world.engine(0).explain_bill(&world.caller(), visit.service, "story").await.unwrap().1;
    assert!(told[0].proof.contains(&service.decisions[0].0.source), "{told:?}");
    assert!(told.iter().any(|line| line.proof.contains(&charge.id.to_string())), "{told:?}");
}
