//! A claim is final and the invoice is settled: FLOWS §5, branch by branch, with the invoice that Stripe mirrors.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use suture_core::consent::Purpose;
use suture_core::eligibility::Eligibility;
use suture_core::id::{PaymentId, ServiceId};
use suture_core::invoice::{self, Invoice};
use suture_core::money::Money;
use suture_core::service::{Command, Status};
use suture_engine::Billing;
use suture_engine::billing::Authorize;
use suture_sim::on_both_databases;
use suture_sim::world::{CLAIM, Fault, World};
use suture_store::effects::State;

on_both_databases!(
    story_5_a_negative_balance_is_refunded_before_anything_is_completed,
    story_5a_no_difference_completes_both_at_once,
    story_5b_a_positive_balance_is_charged_and_a_failure_leaves_it_settling,
    story_5b_the_patient_pays_the_rest_on_the_gateway_s_page,
    story_5c_an_estimate_paid_by_two_charges_is_refunded_newest_first,
    story_5d_a_refund_in_the_dashboard_before_settling_is_counted,
    story_5d_a_refund_in_the_dashboard_after_settling_opens_the_difference_again,
    story_5d_a_refund_in_the_dashboard_while_ours_is_pending_never_exceeds_the_charge,
    story_5e_a_failed_refund_stays_settling_until_it_is_made_good,
    story_5e_a_refund_that_fails_after_success_opens_the_service_again,
    story_5f_an_invoice_voided_at_the_gateway_ends_here_too,
    story_5f_an_invoice_given_up_at_the_gateway_ends_here_too,
    story_5f_an_invoice_that_ended_is_never_opened_again_silently,
    story_5g_a_claim_reopened_after_completion_settles_the_difference_only,
    story_5g_the_gateways_invoice_follows_a_reopened_claim_also_when_answers_are_lost,
    story_5g_a_correction_before_anything_was_paid_lowers_the_open_invoice,
    story_5h_a_small_balance_is_given_up_by_rule,
    story_5i_two_settle_runs_at_once_refund_once,
    what_was_paid_elsewhere_is_marked_as_paid_outside_of_the_gateway,
    a_lost_answer_makes_no_second_invoice_and_no_second_refund,
);

const DAY: i64 = 86_400_000;

struct Claim {
    check: Eligibility,
    service: ServiceId,
    card: String,
}

/// Captured estimates, and a claim of 300.00 whose patient's part the payer will say.
async fn claim(world: &mut World, estimates: &[i64], patient_minor: i64) -> Claim {
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    let card = patient.methods.keys().next().unwrap().clone();
    world.consent(patient.id, Purpose::BalanceAfterInsurance, 15_000).await.unwrap();
    let check = world.eligible(patient.id, estimates.first().copied().unwrap_or(6_000)).await.unwrap();
    for minor in estimates {
        let made = world.estimate_for(&check, None).await.unwrap();
        if made.amount.minor != *minor {
            let change = (Money::usd(*minor), "desk", "agreed");
            world.engine(0).change_estimate(&world.caller(), made.id, change).await.unwrap();
        }
        world.authorize(made.id, &card).await.unwrap();
        world.capture(made.id, None).await.unwrap();
        world.pass(60_000).await.unwrap();
    }
    let service = world.service_for(&check).await.unwrap();
    world.bill_to_payer(&service, CLAIM, 30_000, "2C").await.unwrap();
    world.payer_decides(CLAIM, patient_minor);
    Claim { check, service: service.id, card }
}

async fn books(world: &World, expected: &[(&str, i64)]) {
    let books = world.books().await.unwrap();
    let expected: BTreeMap<String, i64> =
        expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect();
    assert_eq!(books, expected);
    assert_eq!(books.values().sum::<i64>(), 0, "I1");
    assert_eq!(world.outside.leak(), None, "I8");
}

/// The books when the patient owes so much of the claim in all, with what else is open.
async fn settled(world: &World, patient_minor: i64, open: &[(&str, i64)]) {
    let mut expected =
        vec![("bank", 18_000 - patient_minor), ("adj:contractual", 12_000), ("rev:service", -30_000)];
    let paid = patient_minor - open.iter().map(|(_, minor)| minor).sum::<i64>();
    expected.push(("gw:stripe", paid));
    expected.extend(open);
    expected.retain(|(_, minor)| *minor != 0);
    books(world, &expected).await;
}

async fn stands(world: &World, claim: &Claim) -> (Status, i64) {
    let difference = world.adds_up(claim.service).await.unwrap().difference.minor;
    (world.service(claim.service).await.unwrap().status, difference)
}

async fn invoice(world: &World, claim: &Claim) -> Invoice {
    let id = world.service(claim.service).await.unwrap().invoice.unwrap();
    world.engine(0).invoice(&world.organization, id).await.unwrap()
}

/// Stripe's only invoice: status, what it is over, and what is still to be paid.
fn mirror(world: &World) -> (String, i64, i64) {
    let invoices = world.at_stripe("invoices");
    assert_eq!(invoices.len(), 1, "one invoice per service");
    let of = |name: &str| invoices[0][name].as_i64().unwrap();
    (invoices[0]["status"].as_str().unwrap().to_owned(), of("total"), of("amount_remaining"))
}

fn nothing_kept_at_stripe(world: &World) {
    let balances: Vec<Value> =
        world.at_stripe("customers").iter().map(|customer| customer["balance"].clone()).collect();
    assert_eq!(balances, vec![json!(0)], "no balance is left in Stripe");
}

fn refunded(world: &World) -> Vec<i64> {
    world.at_stripe("refunds").iter().map(|refund| refund["amount"].as_i64().unwrap()).collect()
}

async fn queues(world: &World) -> Vec<String> {
    let all = world.engine(0).effects(&world.organization, None, i64::MAX, 1000).await.unwrap();
    let asked = all.into_iter().filter(|effect| effect.kind == "ask_person");
    asked.map(|effect| effect.destination).collect()
}

async fn story_5_a_negative_balance_is_refunded_before_anything_is_completed(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.outside.at_stripe("refunds", &json!({ "outcome": "pending", "seconds": 3_600 })).unwrap();
    world.payer_pays().await.unwrap();
    // 1. to 3. The worksheet says -25.00, the invoice's lines say why, and the credit is owed.
    assert_eq!(stands(&world, &claim).await, (Status::Settling, -2_500));
    let due = invoice(&world, &claim).await;
    let lines: Vec<(&str, i64)> = due.lines.iter().map(|line| (&*line.what, line.amount.minor)).collect();
    assert_eq!(lines, vec![("patient_responsibility", 3_500), ("estimate_paid", -6_000)]);
    assert_eq!((due.status, due.balance), (invoice::Status::CreditDue, Money::usd(-2_500)));
    settled(&world, 3_500, &[("credit:patient", -2_500)]).await;
    assert_eq!(refunded(&world), vec![2_500]);
    assert_eq!(
        mirror(&world),
        ("open".to_owned(), 3_500, 3_500),
        "nothing is paid before the refund is proven"
    );

    // 4. The refund succeeds: only now everything is completed, and the document kept.
    world.pass(2 * 3_600_000).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    settled(&world, 3_500, &[]).await;
    let paid = invoice(&world, &claim).await;
    assert_eq!((paid.status, paid.balance), (invoice::Status::Paid, Money::usd(0)));
    assert_eq!(mirror(&world), ("paid".to_owned(), 3_500, 0));
    nothing_kept_at_stripe(&world);
    let (what, hash) = paid.documents[0].clone();
    assert_eq!((what.as_str(), hash.len(), paid.documents.len()), ("invoice", 64, 1));
    assert!(world.effects(State::Dead).await.unwrap().is_empty());
}

async fn story_5a_no_difference_completes_both_at_once(mut world: World) {
    let claim = claim(&mut world, &[6_000], 6_000).await;
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(invoice(&world, &claim).await.status, invoice::Status::Paid);
    settled(&world, 6_000, &[]).await;
    assert_eq!(mirror(&world), ("paid".to_owned(), 6_000, 0));
    assert_eq!(
        (world.moved("charge").len(), world.moved("refund").len()),
        (1, 0),
        "only the estimate moved money"
    );
    let attached = world.at_stripe("invoice_payments");
    assert!(attached.iter().any(|payment| payment["status"] == "paid" && payment["amount_paid"] == 6_000));
    nothing_kept_at_stripe(&world);
}

async fn story_5b_a_positive_balance_is_charged_and_a_failure_leaves_it_settling(mut world: World) {
    let notice = Some(Duration::from_secs(5 * 86_400));
    world.restart_with(Billing { collect_after: notice, ..Billing::default() }).await.unwrap();
    let claim = claim(&mut world, &[6_000], 9_000).await;
    let poor = json!({ "payment_method": claim.card, "state": "insufficient_funds" });
    world.outside.at_stripe("card", &poor).unwrap();
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 3_000));
    settled(&world, 9_000, &[("ar:patient", 3_000)]).await;
    assert_eq!(mirror(&world), ("open".to_owned(), 9_000, 3_000), "the estimate is attached");
    world.pass(6 * DAY).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 3_000));
    settled(&world, 9_000, &[("ar:patient", 3_000)]).await;
    assert!(queues(&world).await.contains(&"collections".to_owned()));
    let failed = world.service(claim.service).await.unwrap();
    let failed = failed.payments.iter().find(|(_, held)| held.collecting).unwrap().0;
    let failed = PaymentId::parse(failed).unwrap();
    world.engine(0).retry_payment(&world.caller(), failed, "pm_card_mastercard".into()).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    settled(&world, 9_000, &[]).await;
    assert_eq!(mirror(&world), ("paid".to_owned(), 9_000, 0));
    nothing_kept_at_stripe(&world);
}

async fn story_5b_the_patient_pays_the_rest_on_the_gateway_s_page(mut world: World) {
    let claim = claim(&mut world, &[6_000], 9_000).await;
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 3_000));
    let page = json!({ "invoice": world.at_stripe("invoices")[0]["id"], "payment_method": "pm_card_visa" });
    world.outside.at_stripe("pay_hosted", &page).unwrap();
    world.pass(600_000).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    settled(&world, 9_000, &[]).await;
    assert_eq!(invoice(&world, &claim).await.status, invoice::Status::Paid);
    assert_eq!(mirror(&world), ("paid".to_owned(), 9_000, 0));
    assert_eq!(world.moved("charge").len(), 2, "the estimate and the rest");
    nothing_kept_at_stripe(&world);
}

async fn story_5c_an_estimate_paid_by_two_charges_is_refunded_newest_first(mut world: World) {
    let claim = claim(&mut world, &[4_000, 2_000], 3_500).await;
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    settled(&world, 3_500, &[]).await;
    assert_eq!(refunded(&world), vec![2_000, 500], "each at most what its charge holds");
    assert_eq!(mirror(&world), ("paid".to_owned(), 3_500, 0));
    nothing_kept_at_stripe(&world);
}

/// Staff refund in Stripe's dashboard.
fn in_dashboard(world: &World, minor: i64) {
    let charge = world.at_stripe("charges")[0]["id"].clone();
    world.outside.at_stripe("external_refund", &json!({ "charge": charge, "amount": minor })).unwrap();
}

async fn story_5d_a_refund_in_the_dashboard_before_settling_is_counted(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    in_dashboard(&world, 1_000);
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Billed, -5_000));
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(refunded(&world), vec![1_000, 1_500]);
    settled(&world, 3_500, &[]).await;
    nothing_kept_at_stripe(&world);
}

async fn story_5d_a_refund_in_the_dashboard_after_settling_opens_the_difference_again(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    in_dashboard(&world, 1_000);
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 1_000), "10.00 are owed again");
    settled(&world, 3_500, &[("ar:patient", 1_000)]).await;
    assert_ne!(invoice(&world, &claim).await.status, invoice::Status::Paid);
}

async fn story_5d_a_refund_in_the_dashboard_while_ours_is_pending_never_exceeds_the_charge(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.outside.at_stripe("refunds", &json!({ "outcome": "pending", "seconds": 3_600 })).unwrap();
    world.payer_pays().await.unwrap();
    in_dashboard(&world, 1_000);
    world.pass(2 * 3_600_000).await.unwrap();
    assert_eq!(refunded(&world), vec![2_500, 1_000]);
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 1_000));
    settled(&world, 3_500, &[("ar:patient", 1_000)]).await;
}

async fn story_5e_a_failed_refund_stays_settling_until_it_is_made_good(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.outside.at_stripe("refunds", &json!({ "outcome": "fail" })).unwrap();
    world.payer_pays().await.unwrap();
    world.pass(3 * DAY).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, -2_500));
    settled(&world, 3_500, &[("credit:patient", -2_500)]).await;
    assert_eq!(queues(&world).await, vec!["failed-refunds".to_owned()]);
    let credits = world.engine(0).credits(&world.organization, 10).await.unwrap();
    assert_eq!((credits.len(), credits[0].amount), (1, Money::usd(2_500)));
    // A person tries again, and it succeeds.
    let payment = world.service(claim.service).await.unwrap().payments.keys().next().unwrap().clone();
    let why = ("refund_failed_before", "manager");
    let payment = PaymentId::parse(&payment).unwrap();
    let amount = Some(Money::usd(2_500));
    world.engine(0).refund_payment(&world.caller(), payment, amount, why).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    settled(&world, 3_500, &[]).await;
    assert_eq!(world.engine(0).credits(&world.organization, 10).await.unwrap(), Vec::new());
    nothing_kept_at_stripe(&world);
}

async fn story_5e_a_refund_that_fails_after_success_opens_the_service_again(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.outside.at_stripe("refunds", &json!({ "outcome": "fail_later", "seconds": 86_400 })).unwrap();
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    world.pass(2 * DAY).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, -2_500));
    settled(&world, 3_500, &[("credit:patient", -2_500)]).await;
    assert_eq!(queues(&world).await, vec!["failed-refunds".to_owned()]);
    assert_eq!(refunded(&world), vec![2_500], "a person decides what comes next");
}

async fn story_5f_an_invoice_voided_at_the_gateway_ends_here_too(mut world: World) {
    // Stripe voids no invoice to which a payment is attached.
    let claim = ended_at_the_gateway(&mut world, &[], "void").await;
    assert_eq!(
        (invoice(&world, &claim).await.status, mirror(&world).0.as_str()),
        (invoice::Status::Voided, "void")
    );
    written_off(&world, &claim, 0).await;
}

async fn story_5f_an_invoice_given_up_at_the_gateway_ends_here_too(mut world: World) {
    let claim = ended_at_the_gateway(&mut world, &[6_000], "mark_uncollectible").await;
    assert_eq!(invoice(&world, &claim).await.status, invoice::Status::Uncollectible);
    assert_eq!(mirror(&world).0, "uncollectible");
    written_off(&world, &claim, 6_000).await;
}

/// A claim of which the patient owes 90.00 in all, whose invoice staff end in the dashboard.
async fn ended_at_the_gateway(world: &mut World, estimates: &[i64], verb: &str) -> Claim {
    let claim = claim(world, estimates, 9_000).await;
    world.payer_pays().await.unwrap();
    let id = world.at_stripe("invoices")[0]["id"].as_str().unwrap().to_owned();
    world.in_dashboard(&format!("invoices/{id}/{verb}"));
    world.settle().await.unwrap();
    claim
}

/// What nobody will pay any more is written off; what was paid stays paid.
async fn written_off(world: &World, claim: &Claim, paid: i64) {
    assert_eq!(stands(world, claim).await, (Status::Completed, 0));
    let given_up = [("adj:writeoff", 9_000 - paid), ("gw:stripe", paid)];
    let mut expected = vec![("bank", 9_000), ("adj:contractual", 12_000), ("rev:service", -30_000)];
    expected.extend(given_up.into_iter().filter(|(_, minor)| *minor != 0));
    books(world, &expected).await;
}

async fn story_5f_an_invoice_that_ended_is_never_opened_again_silently(mut world: World) {
    let claim = ended_at_the_gateway(&mut world, &[6_000], "mark_uncollectible").await;
    world.payer_corrects(CLAIM, 9_500);
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 500), "the difference is open here");
    assert_eq!(invoice(&world, &claim).await.status, invoice::Status::Uncollectible);
    assert_eq!(mirror(&world).0, "uncollectible");
}

async fn story_5g_a_claim_reopened_after_completion_settles_the_difference_only(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.payer_pays().await.unwrap();
    assert_eq!(refunded(&world), vec![2_500]);
    world.payer_corrects(CLAIM, 2_000);
    world.payer_pays().await.unwrap();
    let service = world.service(claim.service).await.unwrap();
    assert_eq!((service.status, service.version), (Status::Completed, 2));
    assert_eq!(refunded(&world), vec![2_500, 1_500], "the difference only");
    settled(&world, 2_000, &[]).await;
    // And upwards.
    world.payer_corrects(CLAIM, 5_000);
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Settling, 3_000));
    let how = Authorize { method: Some(claim.card.clone()), ..Authorize::default() };
    world.engine(0).charge_balance(&world.caller(), claim.service, how).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(world.service(claim.service).await.unwrap().version, 3);
    assert_eq!(invoice(&world, &claim).await.status, invoice::Status::Paid);
}

/// What Stripe's invoices are over in all, less their credit notes; each must be paid.
fn billed_at_stripe(world: &World) -> i64 {
    let of = |invoice: &Value, name: &str| invoice[name].as_i64().unwrap();
    let invoices = world.at_stripe("invoices");
    assert!(invoices.iter().all(|invoice| invoice["status"] == "paid"), "{invoices:?}");
    let credited = ["pre_payment_credit_notes_amount", "post_payment_credit_notes_amount"];
    invoices
        .iter()
        .map(|invoice| of(invoice, "total") - credited.map(|name| of(invoice, name)).iter().sum::<i64>())
        .sum()
}

async fn story_5g_the_gateways_invoice_follows_a_reopened_claim_also_when_answers_are_lost(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    world.payer_pays().await.unwrap();
    assert_eq!(billed_at_stripe(&world), 3_500);
    // Downwards: a credit note names the refund.
    for (step, owed) in [2_000, 1_200].into_iter().enumerate() {
        world.payer_corrects(CLAIM, owed);
        let file = world.next_file(&json!({}));
        world.engine(0).import_remittance(&world.caller(), file.into_bytes()).await.unwrap();
        world.outside.plan([Fault::AnswerLost; 12]);
        world.pass(3_600_000).await.unwrap();
        assert_eq!(billed_at_stripe(&world), owed);
        let notes = world.at_stripe("credit_notes");
        assert_eq!(notes.len(), step + 1, "one note for one correction");
        assert!(notes.iter().all(|note| note["refunds"].as_array().unwrap().len() == 1), "{notes:?}");
    }
    // Upwards: a further invoice over the difference, paid by the payment of the balance.
    world.payer_corrects(CLAIM, 5_000);
    world.payer_pays().await.unwrap();
    let how = Authorize { method: Some(claim.card.clone()), ..Authorize::default() };
    world.engine(0).charge_balance(&world.caller(), claim.service, how).await.unwrap();
    world.outside.plan([Fault::AnswerLost; 12]);
    world.pass(3_600_000).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!((billed_at_stripe(&world), world.at_stripe("invoices").len()), (5_000, 2));
    let kept = invoice(&world, &claim).await;
    assert_eq!((kept.further.len(), kept.credit_notes.len()), (1, 2));
    assert!(kept.planned_credit().is_none());
    let paid = world
        .at_stripe("invoices")
        .iter()
        .map(|invoice| invoice["amount_paid"].as_i64().unwrap())
        .sum::<i64>();
    assert_eq!(paid, 3_500 + 3_800, "nothing was marked as paid outside");
    nothing_kept_at_stripe(&world);
    world.adds_up(claim.service).await.unwrap();
}

async fn story_5g_a_correction_before_anything_was_paid_lowers_the_open_invoice(mut world: World) {
    let claim = claim(&mut world, &[6_000], 9_000).await;
    world.payer_pays().await.unwrap();
    assert_eq!(mirror(&world), ("open".to_owned(), 9_000, 3_000));
    world.payer_corrects(CLAIM, 6_000);
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(billed_at_stripe(&world), 6_000);
    assert_eq!(world.at_stripe("invoices")[0]["amount_paid"], 6_000, "nothing was marked as paid outside");
    nothing_kept_at_stripe(&world);
}

async fn story_5h_a_small_balance_is_given_up_by_rule(mut world: World) {
    let claim = claim(&mut world, &[6_000], 6_030).await;
    world.payer_pays().await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    books(
        &world,
        &[
            ("bank", 18_000 - 6_030),
            ("adj:contractual", 12_000),
            ("adj:writeoff", 30),
            ("gw:stripe", 6_000),
            ("rev:service", -30_000),
        ],
    )
    .await;
    assert_eq!((world.moved("charge").len(), world.moved("refund").len()), (1, 0));
    assert_eq!(mirror(&world), ("paid".to_owned(), 6_030, 0));
    nothing_kept_at_stripe(&world);
}

async fn story_5i_two_settle_runs_at_once_refund_once(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    let (one, two, caller) = (world.engine(0).clone(), world.engine(0).clone(), world.caller());
    let word = || Command::SetResponsibility { responsibility: Money::usd(3_500), author: "biller".into() };
    let set = tokio::join!(
        one.change_service(&caller, claim.service, word(), "final"),
        two.change_service(&caller, claim.service, word(), "final"),
    );
    assert!(set.0.is_ok() || set.1.is_ok(), "{set:?}");
    let runs = tokio::join!(
        one.settle_service(&caller, claim.service),
        two.settle_service(&caller, claim.service),
        one.settle_service(&caller, claim.service),
    );
    assert!(runs.0.is_ok() || runs.1.is_ok() || runs.2.is_ok(), "{runs:?}");
    world.settle().await.unwrap();
    assert_eq!(refunded(&world), vec![2_500]);
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(world.service(claim.service).await.unwrap().version, 1);
    assert_eq!(world.at_stripe("invoices").len(), 1);
    assert_eq!(claim.check.patient, world.service(claim.service).await.unwrap().patient);
}

async fn what_was_paid_elsewhere_is_marked_as_paid_outside_of_the_gateway(mut world: World) {
    let claim = claim(&mut world, &[6_000], 9_000).await;
    world.payer_pays().await.unwrap();
    let cash = Command::RecordElsewhere {
        reference: "cash-1".into(),
        amount: Money::usd(3_000),
        author: "front desk".into(),
    };
    world.on_service(claim.service, cash).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(mirror(&world), ("paid".to_owned(), 9_000, 0));
    assert_eq!(world.at_stripe("invoices")[0]["amount_paid"], 9_000);
    assert_eq!(world.moved("charge").len(), 1);
    nothing_kept_at_stripe(&world);
}

async fn a_lost_answer_makes_no_second_invoice_and_no_second_refund(mut world: World) {
    let claim = claim(&mut world, &[6_000], 3_500).await;
    let file = world.next_file(&json!({}));
    world.engine(0).import_remittance(&world.caller(), file.into_bytes()).await.unwrap();
    world.outside.plan([Fault::AnswerLost; 12]);
    world.pass(3_600_000).await.unwrap();
    assert_eq!(stands(&world, &claim).await, (Status::Completed, 0));
    assert_eq!(refunded(&world), vec![2_500]);
    assert_eq!(mirror(&world), ("paid".to_owned(), 3_500, 0));
    settled(&world, 3_500, &[]).await;
    nothing_kept_at_stripe(&world);
}
