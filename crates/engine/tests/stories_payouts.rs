//! The marketplace split of a visit: FLOWS §3, branch by branch. 99214 for 165.00 and 90833 for 75.00 are 240.00; the
//! platform keeps 15 %, which is 36.00, and the provider gets 204.00.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use suture_core::id::{ProviderId, ProviderPayoutId, ServiceId};
use suture_core::money::Money;
use suture_core::payout::{HoldReason, LossRule, ProviderPayout, Share, Status, Step, Terms};
use suture_core::redact::Phi;
use suture_core::service::{Command, Line, NoteKind};
use suture_engine::Error;
use suture_engine::billing::{Authorize, NewService, Note};
use suture_engine::payouts::NewPayout;
use suture_sandbox::stripe::DEFAULT_KEY;
use suture_sandbox::wire::Request;
use suture_sim::on_both_databases;
use suture_sim::world::{Pause, Stepped, World};
use suture_store::effects::State;

on_both_databases!(
    story_3_the_split_is_held_released_and_transferred,
    story_3_the_payout_waits_for_the_note,
    story_3_the_agreed_days_count_from_the_charge,
    story_3_a_payout_without_an_account_waits_until_one_is_named,
    story_3b_a_failed_payment_holds_the_payout_until_it_is_paid,
    story_3d_a_write_off_that_the_platform_bears_pays_the_provider,
    story_3d_a_write_off_that_the_provider_bears_pays_nobody,
    story_3e_an_addendum_before_the_transfer_sends_the_lower_part,
    story_3e_an_addendum_while_the_transfer_stands_planned_withdraws_it,
    story_3e_an_addendum_after_the_transfer_takes_the_part_back,
    story_3e_a_provider_without_balance_is_netted_with_the_next_payout,
    story_3e_a_lost_answer_to_a_reversal_takes_back_once,
    story_3f_an_addendum_that_raises_the_charge_sends_the_difference,
    story_3g_a_lost_answer_to_a_transfer_is_looked_up_and_not_sent_twice,
    story_3g_a_lost_request_is_looked_up_and_then_sent_with_its_key,
    story_3g_a_crash_between_the_call_and_its_answer_sends_once,
    story_3g_a_transfer_that_waited_a_day_before_it_left_is_no_forgotten_one,
    story_3g_an_unknown_transfer_that_is_never_found_asks_a_person,
    story_3h_a_dispute_after_the_payout_claws_it_back,
    story_3h_a_dispute_before_the_transfer_holds_it_until_it_is_won,
    a_person_holds_and_releases_a_payout,
    the_same_accrual_twice_is_one_payout,
);

const DAY: i64 = 86_400_000;

const TERMS: Terms =
    Terms { share: Share::BasisPoints(1_500), wait_for_note: true, hold_days: 0, loss: LossRule::ProRata };

/// A visit whose care was given, with the payout that it accrued.
struct Visit {
    service: ServiceId,
    payout: ProviderPayoutId,
    account: String,
}

fn provider() -> ProviderId {
    ProviderId::parse(&format!("prv_{}", "7".repeat(32))).unwrap()
}

/// What the platform does at Stripe without us.
fn at_stripe(world: &World, path: &str, form: &str) -> Value {
    let request = Request::new("POST", path)
        .with_header("host", "stripe.test")
        .with_header("authorization", &format!("Bearer {DEFAULT_KEY}"))
        .with_body(form);
    let answer = world.outside.stripe().handle(world.clock.millis(), &request);
    assert_eq!(answer.status, 200, "{}", answer.body_json());
    answer.body_json()
}

fn account(world: &World) -> String {
    let made = at_stripe(world, "/v1/accounts", "type=express&capabilities[transfers][requested]=true");
    made["id"].as_str().unwrap().to_owned()
}

/// The care was given; the note is not signed and nothing is paid.
async fn visit(world: &mut World, terms: Terms) -> Visit {
    let account = account(world);
    let new = new_visit(world, terms, Some(account.clone())).await;
    let payout = world.engine(0).accrue_payout(&world.caller(), new.clone(), None).await.unwrap();
    world.settle().await.unwrap();
    Visit { service: new.service, payout: payout.accrual.payout, account }
}

async fn new_visit(world: &mut World, terms: Terms, destination: Option<String>) -> NewPayout {
    let number = world.at_stripe("customers").len();
    let patient = world.patient_with_card(number, "pm_card_visa").await.unwrap();
    let new = NewService {
        patient: patient.id,
        eligibility: None,
        at: None,
        currency: Money::usd(0).currency,
        account: Some("acc-1".to_owned()),
    };
    let service = world.engine(0).create_service(&world.caller(), new).await.unwrap().id;
    let line = |code: &str, minor| Line { code: code.to_owned(), charge: Money::usd(minor) };
    let lines = vec![line("99214", 16_500), line("90833", 7_500)];
    world.on_service(service, Command::Deliver { lines }).await.unwrap();
    NewPayout { service, provider: provider(), gross: Money::usd(24_000), destination, terms }
}

async fn sign(world: &mut World, visit: &Visit, kind: NoteKind) {
    let text = Phi::new("S: well. O: well. A: well. P: none.".to_owned());
    let note = Note { kind, signer: "dr-a".to_owned(), text };
    world.engine(0).sign_note(&world.caller(), visit.service, note).await.unwrap();
    world.settle().await.unwrap();
}

/// What the patient owes for the visit in all.
async fn owes(world: &mut World, visit: &Visit, minor: i64) {
    let responsibility = Money::usd(minor);
    let command = Command::SetResponsibility { responsibility, author: "fee_table".to_owned() };
    world.on_service(visit.service, command).await.unwrap();
}

async fn charge(world: &mut World, visit: &Visit, card: &str) {
    charge_only(world, visit, card).await;
    world.settle().await.unwrap();
}

async fn charge_only(world: &World, visit: &Visit, card: &str) {
    let how = Authorize { method: Some(card.to_owned()), ..Authorize::default() };
    world.engine(0).charge_balance(&world.caller(), visit.service, how).await.unwrap();
}

/// Signed, charged and transferred.
async fn paid_visit(world: &mut World, terms: Terms) -> Visit {
    let visit = visit(world, terms).await;
    sign(world, &visit, NoteKind::Note).await;
    owes(world, &visit, 24_000).await;
    charge(world, &visit, "pm_card_visa").await;
    stands(world, &visit, Status::Paid, &[]).await;
    visit
}

async fn payout(world: &World, visit: &Visit) -> ProviderPayout {
    world.engine(0).provider_payout(&world.organization, visit.payout).await.unwrap()
}

#[track_caller]
fn is(payout: &ProviderPayout, status: Status, held: &[HoldReason]) {
    let holds: Vec<HoldReason> = payout.holds.keys().copied().collect();
    assert_eq!((payout.status(), holds.as_slice()), (status, held), "{payout:?}");
}

async fn stands(world: &World, visit: &Visit, status: Status, held: &[HoldReason]) {
    is(&payout(world, visit).await, status, held);
}

/// The whole books, and everything that must hold whatever happened.
async fn books(world: &World, expected: &[(&str, i64)]) {
    let books = world.books().await.unwrap();
    let expected: BTreeMap<String, i64> =
        expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect();
    assert_eq!(books, expected);
    assert_eq!(books.values().sum::<i64>(), 0, "I1");
    assert_eq!(world.outside.leak(), None, "I8");
    let verdict = world.engine(0).verify_audit(&world.organization).await.unwrap();
    assert!(verdict.intact, "I6: {verdict:?}");
}

/// Amounts that Stripe sent to providers and took back.
fn moved(world: &World) -> (Vec<i64>, Vec<i64>) {
    let amounts = |motion| -> Vec<i64> {
        world.moved(motion).iter().map(|movement| movement["amount"].as_i64().unwrap()).collect()
    };
    (amounts("transfer"), amounts("transfer_reversal"))
}

/// Calls about payouts that a person must look at.
async fn dead(world: &World) -> usize {
    let dead = world.effects(State::Dead).await.unwrap();
    dead.iter()
        .filter(|effect| effect.lane.as_deref().is_some_and(|lane| lane.starts_with("payout/")))
        .count()
}

fn calls(world: &World, call: &str) -> i64 {
    let state = world.outside.at_stripe("state", &json!({ "only": ["calls"] })).unwrap();
    state["calls"][call].as_i64().unwrap_or(0)
}

async fn story_3_the_split_is_held_released_and_transferred(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    stands(&world, &visit, Status::Held, &[HoldReason::PaymentNotCleared, HoldReason::NoteIncomplete]).await;
    // 2. The note is signed and the fee table gives 240.00: the accrual is FLOWS' entry.
    sign(&mut world, &visit, NoteKind::Note).await;
    stands(&world, &visit, Status::Held, &[HoldReason::PaymentNotCleared]).await;
    owes(&mut world, &visit, 24_000).await;
    books(&world, &[("ar:patient", 24_000), ("rev:platform", -3_600), ("owed:provider", -20_400)]).await;
    assert_eq!(moved(&world), (vec![], vec![]));

    // 3. and 4. Charged, released by itself, transferred from that charge.
    charge(&mut world, &visit, "pm_card_visa").await;
    stands(&world, &visit, Status::Paid, &[]).await;
    books(&world, &[("gw:stripe", 3_600), ("rev:platform", -3_600)]).await;
    let transfers = world.at_stripe("transfers");
    let charge = &world.at_stripe("charges")[0]["id"];
    assert_eq!((transfers.len(), &transfers[0]["source_transaction"]), (1, charge));
    assert_eq!(transfers[0]["destination"], visit.account.as_str());
    assert_eq!(transfers[0]["transfer_group"], visit.payout.to_string());
    assert_eq!(transfers[0]["metadata"], json!({ "suture_payout": format!("{}/1", visit.payout) }));
    assert_eq!(dead(&world).await, 0);
}

async fn story_3_the_payout_waits_for_the_note(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa").await;
    stands(&world, &visit, Status::Paid, &[]).await;

    // A second visit without its note: nothing goes out, whatever a rule says.
    let second = self::visit(&mut world, TERMS).await;
    let held = [HoldReason::PaymentNotCleared, HoldReason::NoteIncomplete];
    stands(&world, &second, Status::Held, &held).await;
    let refused = world.engine(0).release_payout(&world.caller(), second.payout, ("ops_ann", "asked")).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.code == "payout_held"), "{refused:?}");
    assert_eq!(moved(&world).0, vec![20_400]);
}

async fn story_3_the_agreed_days_count_from_the_charge(mut world: World) {
    let visit = visit(&mut world, Terms { hold_days: 2, ..TERMS }).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa").await;
    let held = payout(&world, &visit).await;
    is(&held, Status::Held, &[HoldReason::HoldDays]);
    let until = held.holds[&HoldReason::HoldDays].until.unwrap();
    assert!((until.millis() - world.clock.millis() - 2 * DAY).abs() < 60_000, "{until:?}");
    world.pass(DAY).await.unwrap();
    stands(&world, &visit, Status::Held, &[HoldReason::HoldDays]).await;
    world.pass(DAY + 60_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    books(&world, &[("gw:stripe", 3_600), ("rev:platform", -3_600)]).await;
}

async fn story_3_a_payout_without_an_account_waits_until_one_is_named(mut world: World) {
    let account = account(&world);
    let new = new_visit(&mut world, TERMS, None).await;
    let made = world.engine(0).accrue_payout(&world.caller(), new.clone(), None).await.unwrap();
    let visit = Visit { service: new.service, payout: made.accrual.payout, account: account.clone() };
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa").await;
    stands(&world, &visit, Status::Held, &[HoldReason::NoAccount]).await;

    let inactive = json!({ "account": account, "transfers": "inactive" });
    world.outside.at_stripe("connected_account", &inactive).unwrap();
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    for wrong in [account.as_str(), "acct_unknown"] {
        let refused = engine.set_payout_destination(&caller, visit.payout, wrong).await;
        assert!(
            matches!(&refused, Err(Error::Refused(why)) if why.code == "destination_invalid"),
            "{refused:?}"
        );
    }
    let active = json!({ "account": account, "transfers": "active" });
    world.outside.at_stripe("connected_account", &active).unwrap();
    engine.set_payout_destination(&caller, visit.payout, &account).await.unwrap();
    world.settle().await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!(moved(&world).0, vec![20_400]);
}

async fn story_3b_a_failed_payment_holds_the_payout_until_it_is_paid(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa_chargeDeclinedInsufficientFunds").await;
    stands(&world, &visit, Status::Held, &[HoldReason::PaymentNotCleared]).await;
    world.pass(3 * DAY).await.unwrap();
    stands(&world, &visit, Status::Held, &[HoldReason::PaymentNotCleared]).await;
    assert_eq!(moved(&world), (vec![], vec![]));

    let failed = world.payments().await.unwrap()[0].id;
    let engine = world.engine(0).clone();
    engine.retry_payment(&world.caller(), failed, "pm_card_mastercard".to_owned()).await.unwrap();
    world.settle().await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    books(&world, &[("gw:stripe", 3_600), ("rev:platform", -3_600)]).await;
}

async fn write_off(world: &mut World, visit: &Visit) {
    sign(world, visit, NoteKind::Note).await;
    owes(world, visit, 24_000).await;
    let command = Command::WriteOff {
        amount: Money::usd(24_000),
        approver: "ops_ann".to_owned(),
        reason: "exhausted".to_owned(),
    };
    world.on_service(visit.service, command).await.unwrap();
}

async fn story_3d_a_write_off_that_the_platform_bears_pays_the_provider(mut world: World) {
    let visit = visit(&mut world, Terms { loss: LossRule::PlatformBears, ..TERMS }).await;
    write_off(&mut world, &visit).await;
    // No charge holds the money, and the platform's balance is empty: tried again a day later.
    stands(&world, &visit, Status::Held, &[HoldReason::TransferDeclined]).await;
    assert_eq!(dead(&world).await, 0, "a short balance needs no person");
    let lines = [("adj:writeoff", 24_000), ("rev:platform", -3_600), ("owed:provider", -20_400)];
    books(&world, &lines).await;

    let other = json!({ "amount": 50_000, "payment_method": "pm_card_bypassPending" });
    world.outside.at_stripe("external_payment", &other).unwrap();
    world.pass(DAY + 60_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    let transfers = payout(&world, &visit).await.transfers;
    assert_eq!((transfers[0].step, transfers[1].step), (Step::Declined, Step::Done));
    assert_ne!(transfers[0].key, transfers[1].key);
    assert_eq!(world.balance("owed:provider").await.unwrap(), 0);
    assert_eq!(moved(&world).0, vec![20_400]);
}

async fn story_3d_a_write_off_that_the_provider_bears_pays_nobody(mut world: World) {
    let visit = visit(&mut world, Terms { loss: LossRule::ProviderBears, ..TERMS }).await;
    write_off(&mut world, &visit).await;
    stands(&world, &visit, Status::Voided, &[]).await;
    // The platform's own 36.00 are lost as well; 204.00 were never owed.
    books(&world, &[("adj:writeoff", 3_600), ("rev:platform", -3_600)]).await;
    assert_eq!(moved(&world), (vec![], vec![]));
    // Taken back: the provider is owed again, and waits for the payment.
    world
        .on_service(visit.service, Command::UndoWriteOff { number: 1, approver: "ops_ann".into() })
        .await
        .unwrap();
    stands(&world, &visit, Status::Held, &[HoldReason::PaymentNotCleared]).await;
    assert_eq!(world.balance("owed:provider").await.unwrap(), -20_400);
}

async fn story_3e_an_addendum_before_the_transfer_sends_the_lower_part(mut world: World) {
    let visit = visit(&mut world, Terms { hold_days: 2, ..TERMS }).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa").await;
    sign(&mut world, &visit, NoteKind::Addendum).await;
    owes(&mut world, &visit, 18_500).await;
    assert_eq!(world.moved("refund")[0]["amount"], 5_500, "the patient gets 55.00 back");
    world.pass(2 * DAY + 60_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!(moved(&world), (vec![15_725], vec![]));
    books(&world, &[("gw:stripe", 2_775), ("rev:platform", -2_775)]).await;
}

async fn story_3e_an_addendum_while_the_transfer_stands_planned_withdraws_it(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge_only(&world, &visit, "pm_card_visa").await;
    while payout(&world, &visit).await.transfers.is_empty() {
        assert!(world.step(0).await.unwrap(), "the charge plans the transfer");
    }
    // The words of the service, without letting anything else happen first.
    let responsibility = Money::usd(18_500);
    let command = Command::SetResponsibility { responsibility, author: "fee_table".to_owned() };
    world.engine(0).change_service(&world.caller(), visit.service, command, "addendum").await.unwrap();
    world.settle().await.unwrap();
    let state = payout(&world, &visit).await;
    assert_eq!(state.transfers[0].step, Step::Withdrawn, "{state:?}");
    is(&state, Status::Paid, &[]);
    assert_eq!(moved(&world), (vec![15_725], vec![]));
    books(&world, &[("gw:stripe", 2_775), ("rev:platform", -2_775)]).await;
}

async fn story_3e_an_addendum_after_the_transfer_takes_the_part_back(mut world: World) {
    let visit = paid_visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Addendum).await;
    owes(&mut world, &visit, 18_500).await;
    assert_eq!(world.moved("refund")[0]["amount"], 5_500);
    assert_eq!(moved(&world), (vec![20_400], vec![4_675]), "46.75 of the provider, 8.25 of the platform");
    stands(&world, &visit, Status::Paid, &[]).await;
    books(&world, &[("gw:stripe", 2_775), ("rev:platform", -2_775)]).await;
}

async fn story_3e_a_provider_without_balance_is_netted_with_the_next_payout(mut world: World) {
    let first = paid_visit(&mut world, TERMS).await;
    // The provider's bank has the money.
    let gone = json!({ "account": first.account, "withdraw": 20_400 });
    world.outside.at_stripe("connected_account", &gone).unwrap();
    owes(&mut world, &first, 18_500).await;
    let state = payout(&world, &first).await;
    assert_eq!((state.owes_minor(), state.reversals[0].step), (4_675, Step::Declined));
    let owing = [("gw:stripe", -1_900), ("rev:platform", -2_775), ("owed:provider", 4_675)];
    books(&world, &owing).await;
    world.pass(3 * DAY).await.unwrap();
    assert_eq!(calls(&world, "POST /v1/transfers/{id}/reversals"), 1, "what was refused is not asked again");

    // Another patient's visit to the same provider.
    let second = paid_visit(&mut world, TERMS).await;
    assert_eq!(moved(&world), (vec![20_400, 20_400 - 4_675], vec![]));
    assert_eq!(payout(&world, &first).await.owes_minor(), 0);
    assert_eq!(payout(&world, &second).await.deducted_minor, 4_675);
    books(&world, &[("gw:stripe", 6_375), ("rev:platform", -6_375)]).await;
}

async fn story_3e_a_lost_answer_to_a_reversal_takes_back_once(mut world: World) {
    let visit = paid_visit(&mut world, TERMS).await;
    let lose = json!({ "next": 1, "only": "POST /v1/transfers/{id}/reversals", "mode": "cut" });
    world.outside.at_stripe("lose_answers", &lose).unwrap();
    owes(&mut world, &visit, 18_500).await;
    world.pass(600_000).await.unwrap();
    assert_eq!(moved(&world), (vec![20_400], vec![4_675]));
    assert_eq!(calls(&world, "POST /v1/transfers/{id}/reversals"), 1, "looked up, not sent again");
    assert_eq!(payout(&world, &visit).await.reversals[0].step, Step::Done);
    books(&world, &[("gw:stripe", 2_775), ("rev:platform", -2_775)]).await;
}

async fn story_3f_an_addendum_that_raises_the_charge_sends_the_difference(mut world: World) {
    let visit = paid_visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Addendum).await;
    owes(&mut world, &visit, 29_500).await;
    stands(&world, &visit, Status::Held, &[HoldReason::PaymentNotCleared]).await;
    assert_eq!(moved(&world).0, vec![20_400], "nothing goes out before the second charge");
    charge(&mut world, &visit, "pm_card_visa").await;
    assert_eq!(world.moved("charge").last().unwrap()["amount"], 5_500, "the difference only");
    assert_eq!(moved(&world), (vec![20_400, 4_675], vec![]));
    stands(&world, &visit, Status::Paid, &[]).await;
    books(&world, &[("gw:stripe", 4_425), ("rev:platform", -4_425)]).await;
}

/// Signed and charged; the answer to the transfer will be lost in some way.
async fn charged_with(world: &mut World, verb: &str, how: Value) -> Visit {
    let visit = visit(world, TERMS).await;
    sign(world, &visit, NoteKind::Note).await;
    owes(world, &visit, 24_000).await;
    world.outside.at_stripe(verb, &how).unwrap();
    charge(world, &visit, "pm_card_visa").await;
    visit
}

async fn story_3g_a_lost_answer_to_a_transfer_is_looked_up_and_not_sent_twice(mut world: World) {
    let lose = json!({ "next": 1, "only": "POST /v1/transfers", "mode": "cut" });
    let visit = charged_with(&mut world, "lose_answers", lose).await;
    let state = payout(&world, &visit).await;
    assert_eq!(moved(&world).0, vec![20_400], "it happened, and we do not know it yet");
    assert!(matches!(state.status(), Status::Unknown | Status::Paid), "{state:?}");
    world.pass(600_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!((moved(&world).0, calls(&world, "POST /v1/transfers")), (vec![20_400], 1));
    books(&world, &[("gw:stripe", 3_600), ("rev:platform", -3_600)]).await;
}

async fn story_3g_a_lost_request_is_looked_up_and_then_sent_with_its_key(mut world: World) {
    let refuse = json!({ "next": 1, "only": "POST /v1/transfers", "status": 503 });
    let visit = charged_with(&mut world, "refuse", refuse).await;
    world.pass(600_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    let state = payout(&world, &visit).await;
    assert_eq!((state.transfers.len(), calls(&world, "GET /v1/transfers")), (1, 1), "one key, one look-up");
    assert_eq!(moved(&world).0, vec![20_400]);
}

async fn story_3g_a_crash_between_the_call_and_its_answer_sends_once(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge_only(&world, &visit, "pm_card_visa").await;
    while payout(&world, &visit).await.transfers.is_empty() {
        assert!(world.step(0).await.unwrap(), "the charge plans the transfer");
    }
    while moved(&world).0.is_empty() {
        assert!(!matches!(world.step_until(0, Pause::After).await.unwrap(), Stepped::Idle));
    }
    world.crash(0).await.unwrap();
    world.pass(600_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!((moved(&world).0, calls(&world, "POST /v1/transfers")), (vec![20_400], 1));
}

async fn story_3g_a_transfer_that_waited_a_day_before_it_left_is_no_forgotten_one(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge_only(&world, &visit, "pm_card_visa").await;
    while payout(&world, &visit).await.transfers.is_empty() {
        assert!(world.step(0).await.unwrap(), "the charge plans the transfer");
    }
    world.clock.jump(2 * DAY);
    let refuse = json!({ "next": 2, "only": "POST /v1/transfers", "status": 503 });
    world.outside.at_stripe("refuse", &refuse).unwrap();
    world.pass(600_000).await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!((moved(&world).0, dead(&world).await), (vec![20_400], 0));
}

async fn story_3g_an_unknown_transfer_that_is_never_found_asks_a_person(mut world: World) {
    let refuse = json!({ "next": 1_000, "only": "POST /v1/transfers", "status": 503 });
    let visit = charged_with(&mut world, "refuse", refuse).await;
    stands(&world, &visit, Status::Unknown, &[]).await;
    // Nobody works for a day; then the gateway has forgotten the key.
    world.clock.jump(DAY);
    world.settle().await.unwrap();
    stands(&world, &visit, Status::Held, &[HoldReason::TransferDeclined]).await;
    assert_eq!(dead(&world).await, 1);
    world.outside.at_stripe("refuse", &json!({ "next": 0 })).unwrap();
    world.pass(2 * DAY).await.unwrap();
    assert_eq!(moved(&world).0, Vec::<i64>::new(), "no rule sends it anew");
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    engine.release_payout(&caller, visit.payout, ("ops_ann", "looked_up")).await.unwrap();
    world.settle().await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!(moved(&world).0, vec![20_400]);
}

async fn dispute(world: &mut World) -> Value {
    let charge = world.at_stripe("charges")[0]["id"].clone();
    let dispute = world.outside.at_stripe("dispute", &json!({ "charge": charge })).unwrap();
    world.settle().await.unwrap();
    dispute["id"].clone()
}

async fn story_3h_a_dispute_after_the_payout_claws_it_back(mut world: World) {
    let visit = paid_visit(&mut world, TERMS).await;
    let dispute = dispute(&mut world).await;
    stands(&world, &visit, Status::Paid, &[HoldReason::Disputed]).await;
    assert_eq!(moved(&world).1, Vec::<i64>::new(), "nothing is lost yet");
    world.outside.at_stripe("lose", &json!({ "dispute": dispute })).unwrap();
    world.settle().await.unwrap();
    stands(&world, &visit, Status::ClawedBack, &[]).await;
    assert_eq!(moved(&world), (vec![20_400], vec![20_400]));
    // Of the 240.00 that are gone, 36.00 are the platform's loss.
    books(&world, &[("adj:writeoff", 3_600), ("rev:platform", -3_600)]).await;
}

async fn story_3h_a_dispute_before_the_transfer_holds_it_until_it_is_won(mut world: World) {
    let visit = visit(&mut world, Terms { hold_days: 1, ..TERMS }).await;
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa").await;
    let dispute = dispute(&mut world).await;
    world.pass(2 * DAY).await.unwrap();
    stands(&world, &visit, Status::Held, &[HoldReason::Disputed]).await;
    let refused = world.engine(0).release_payout(&world.caller(), visit.payout, ("ops_ann", "asked")).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.code == "payout_held"), "{refused:?}");
    world.outside.at_stripe("win", &json!({ "dispute": dispute })).unwrap();
    world.settle().await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    assert_eq!(moved(&world).0, vec![20_400]);
}

async fn a_person_holds_and_releases_a_payout(mut world: World) {
    let visit = visit(&mut world, TERMS).await;
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let refused = engine.hold_payout(&caller, visit.payout, ("ops_ann", "")).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.code == "reason_required"), "{refused:?}");
    engine.hold_payout(&caller, visit.payout, ("ops_ann", "licence_expired")).await.unwrap();
    sign(&mut world, &visit, NoteKind::Note).await;
    owes(&mut world, &visit, 24_000).await;
    charge(&mut world, &visit, "pm_card_visa").await;
    stands(&world, &visit, Status::Held, &[HoldReason::Person]).await;
    let wrong = engine
        .unhold_payout(&caller, visit.payout, HoldReason::PaymentNotCleared, ("ops_ann", "asked"))
        .await;
    assert!(matches!(&wrong, Err(Error::Refused(why)) if why.code == "payout_held"), "{wrong:?}");
    engine.release_payout(&caller, visit.payout, ("ops_ann", "licence_renewed")).await.unwrap();
    world.settle().await.unwrap();
    stands(&world, &visit, Status::Paid, &[]).await;
    for (wanted, found) in [(None, 1), (Some(Status::Paid), 1), (Some(Status::Held), 0)] {
        let (listed, next) = engine.provider_payouts(&world.organization, wanted, "", 10).await.unwrap();
        assert_eq!((listed.len(), next), (found, None), "{wanted:?}");
    }
}

async fn the_same_accrual_twice_is_one_payout(mut world: World) {
    let account = account(&world);
    let new = new_visit(&mut world, TERMS, Some(account)).await;
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let one = engine.accrue_payout(&caller, new.clone(), None).await.unwrap();
    let two = engine.accrue_payout(&caller, new.clone(), None).await.unwrap();
    assert_eq!(one.accrual.payout, two.accrual.payout);
    let other = ProviderId::parse(&format!("prv_{}", "8".repeat(32))).unwrap();
    let refused = engine.accrue_payout(&caller, NewPayout { provider: other, ..new }, None).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.code == "payout_exists"), "{refused:?}");
    assert_eq!(world.balance("owed:provider").await.unwrap(), -20_400);
}
