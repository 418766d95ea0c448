//! What a review of the money found, each as a story of its own: refunds, the provider's share, and what a person is asked.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use suture_core::appointment::{Appointment, Party};
use suture_core::consent::Purpose;
use suture_core::id::{PaymentId, ProviderId, ProviderPayoutId, RefundId, ServiceId};
use suture_core::money::Money;
use suture_core::payment::{Payment, Status};
use suture_core::payout::{self, HoldReason, LossRule, ProviderPayout, Share, Terms};
use suture_core::redact::{Phi, Secret};
use suture_core::refund;
use suture_core::service::{self, Command, Line, NoteKind};
use suture_core::visit::{Occasion, Policy, Rule, Share as Fee, Timing, When};
use suture_engine::admin::NewConnection;
use suture_engine::billing::{Authorize, NewService, Note};
use suture_engine::payouts::NewPayout;
use suture_engine::scheduling::Ending;
use suture_engine::{Billing, Error};
use suture_sandbox::stripe::DEFAULT_KEY;
use suture_sandbox::wire::Request;
use suture_sim::on_both_databases;
use suture_sim::world::{NewVisit, World, person};
use suture_store::effects::{Effect, State};

on_both_databases!(
    a_refund_that_waited_a_day_before_it_left_is_sent,
    a_refund_whose_key_is_forgotten_is_found_at_the_gateway,
    a_refund_whose_key_is_forgotten_and_that_was_never_made_is_free_to_be_made_again,
    a_refund_made_again_after_a_failed_one_empties_the_credit,
    a_refused_refund_asks_a_person_whenever_the_process_dies,
    a_refused_transfer_asks_a_person_whenever_the_process_dies,
    with_two_gateways_the_share_goes_where_the_money_is_kept,
    without_a_usable_gateway_a_person_is_asked_for_the_share,
    an_edited_delivery_posts_no_money_that_was_not_paid,
    a_retry_as_it_stands_leaves_an_unusual_amount_held,
    every_repair_stays_in_the_history_with_its_actor,
    a_delivery_that_is_retried_late_has_three_days_again,
    a_write_off_that_is_taken_back_begins_another_notice,
    what_was_paid_back_in_the_dashboard_and_is_owed_again_is_asked_of_a_person,
    a_fee_is_collected_once_the_charge_before_the_visit_is_stopped,
    what_a_provider_owes_is_found_behind_any_number_of_payouts,
    a_hold_that_is_looked_at_too_early_is_looked_at_again,
);

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn captured(world: &mut World, number: usize, minor: i64) -> Payment {
    let link = world.link(&NewVisit::due(number, minor)).await.unwrap();
    let payment = world.take(&link.id, minor, "pm_card_visa").await.unwrap();
    world.settle().await.unwrap();
    world.payment(payment.id).await.unwrap()
}

async fn ask_refund(world: &World, payment: PaymentId, minor: i64) -> RefundId {
    let why = ("visit_cancelled", "key_manager");
    let asked = world.engine(0).refund_payment(&world.caller(), payment, Some(Money::usd(minor)), why).await;
    asked.unwrap().id
}

async fn refund(world: &World, id: RefundId) -> refund::Refund {
    world.engine(0).refund(&world.organization, id).await.unwrap()
}

async fn dead(world: &World, kind: &str) -> Vec<Effect> {
    let dead = world.effects(State::Dead).await.unwrap();
    dead.into_iter().filter(|effect| effect.kind == kind).collect()
}

async fn a_refund_that_waited_a_day_before_it_left_is_sent(mut world: World) {
    let payment = captured(&mut world, 0, 6_000).await;
    let id = ask_refund(&world, payment.id, 6_000).await;
    // Nobody works for two days: the key never left, so the gateway cannot have forgotten it.
    world.clock.jump(2 * DAY);
    world.settle().await.unwrap();
    assert_eq!(refund(&world, id).await.status, refund::Status::Succeeded);
    assert_eq!((world.moved("refund").len(), dead(&world, "refund").await.len()), (1, 0));
}

/// A refund whose answer was lost, and two days of silence.
async fn forgotten(world: &mut World, verb: &str, how: serde_json::Value) -> (Payment, RefundId) {
    let payment = captured(world, 0, 6_000).await;
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    world.outside.at_stripe(verb, &how).unwrap();
    let id = ask_refund(world, payment.id, 6_000).await;
    world.step(0).await.unwrap();
    assert_eq!(refund(world, id).await.status, refund::Status::Unknown);
    world.clock.jump(2 * DAY);
    world.outside.at_stripe("refuse", &json!({ "next": 0 })).unwrap();
    world.settle().await.unwrap();
    (payment, id)
}

async fn a_refund_whose_key_is_forgotten_is_found_at_the_gateway(mut world: World) {
    let lose = json!({ "next": 1, "only": "POST /v1/refunds", "mode": "cut" });
    let (payment, id) = forgotten(&mut world, "lose_answers", lose).await;
    assert_eq!(refund(&world, id).await.status, refund::Status::Succeeded);
    assert_eq!(world.payment(payment.id).await.unwrap().status(), Status::Refunded);
    assert_eq!((world.moved("refund").len(), dead(&world, "refund").await.len()), (1, 0), "sent once");
}

async fn a_refund_whose_key_is_forgotten_and_that_was_never_made_is_free_to_be_made_again(mut world: World) {
    let refuse = json!({ "next": 1, "only": "POST /v1/refunds", "status": 503 });
    let (payment, id) = forgotten(&mut world, "refuse", refuse).await;
    let failed = refund(&world, id).await;
    assert_eq!(
        (failed.status, failed.code.as_deref()),
        (refund::Status::Failed, Some("not_found_at_gateway"))
    );
    assert_eq!((world.moved("refund").len(), dead(&world, "refund").await.len()), (0, 1), "a person is told");
    assert!(world.payment(payment.id).await.unwrap().reserved.is_empty(), "nothing stays set aside");
    ask_refund(&world, payment.id, 6_000).await;
    world.settle().await.unwrap();
    assert_eq!(world.moved("refund").len(), 1);
}

async fn a_refund_made_again_after_a_failed_one_empties_the_credit(mut world: World) {
    let payment = captured(&mut world, 0, 6_000).await;
    let owed = world.balance("ar:patient").await.unwrap();
    world.outside.at_stripe("refunds", &json!({ "outcome": "fail_later", "seconds": 60 })).unwrap();
    ask_refund(&world, payment.id, 4_000).await;
    world.pass(120_000).await.unwrap();
    assert_eq!(world.balance("credit:patient").await.unwrap(), -4_000);
    // 40.00 that had come back, and 20.00 that had never left.
    ask_refund(&world, payment.id, 6_000).await;
    world.settle().await.unwrap();
    assert_eq!(world.balance("credit:patient").await.unwrap(), 0, "nobody is owed anything any more");
    assert_eq!(world.balance("ar:patient").await.unwrap(), owed + 6_000);
    assert_eq!(world.engine(0).credits(&world.organization, 10).await.unwrap(), Vec::new());
    let verdict = world.engine(0).verify_audit(&world.organization).await.unwrap();
    assert!(verdict.intact, "{verdict:?}");
}

async fn a_refused_refund_asks_a_person_whenever_the_process_dies(mut world: World) {
    for looks in 1..=9_u32 {
        let number = usize::try_from(looks).unwrap();
        let payment = captured(&mut world, number, 6_000).await;
        // Staff pay it back in the dashboard, so that ours is refused.
        let taken = json!({ "charge": payment.charge, "amount": 6_000 });
        world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
        world.outside.at_stripe("external_refund", &taken).unwrap();
        let id = ask_refund(&world, payment.id, 6_000).await;
        world.step_and_die(0, looks).await.unwrap();
        world.pass(10 * 60_000).await.unwrap();
        world.outside.at_stripe("webhooks", &json!({ "drop_all": false })).unwrap();
        assert_eq!(refund(&world, id).await.status, refund::Status::Failed, "look {looks}");
        assert_eq!(dead(&world, "refund").await.len(), number, "nobody was asked, look {looks}");
    }
}

/// What the platform does at Stripe without us.
fn account(world: &World) -> String {
    let request = Request::new("POST", "/v1/accounts")
        .with_header("host", "stripe.test")
        .with_header("authorization", &format!("Bearer {DEFAULT_KEY}"))
        .with_body("type=express&capabilities[transfers][requested]=true");
    let answer = world.outside.stripe().handle(world.clock.millis(), &request);
    answer.body_json()["id"].as_str().unwrap().to_owned()
}

/// A visit of 240.00 whose care was given and whose note is signed, with its payout.
async fn given(world: &mut World, account: &str) -> (ServiceId, ProviderPayoutId) {
    held_for(world, account, 0).await
}

/// The same, held for some days after the charge.
async fn held_for(world: &mut World, account: &str, hold_days: u16) -> (ServiceId, ProviderPayoutId) {
    let number = world.at_stripe("customers").len();
    let patient = world.patient_with_card(number, "pm_card_visa").await.unwrap().id;
    let (currency, account_of) = (Money::usd(0).currency, Some(format!("acc-{number}")));
    let new = NewService { patient, eligibility: None, at: None, currency, account: account_of };
    let service = world.engine(0).create_service(&world.caller(), new).await.unwrap().id;
    let lines = vec![Line { code: "99214".to_owned(), charge: Money::usd(24_000) }];
    world.on_service(service, Command::Deliver { lines }).await.unwrap();
    let (share, loss) = (Share::BasisPoints(1_500), LossRule::PlatformBears);
    let terms = Terms { share, wait_for_note: true, hold_days, loss };
    let provider = ProviderId::parse(&format!("prv_{}", "7".repeat(32))).unwrap();
    let destination = Some(account.to_owned());
    let new = NewPayout { service, provider, gross: Money::usd(24_000), destination, terms };
    let payout = world.engine(0).accrue_payout(&world.caller(), new, None).await.unwrap();
    let text = Phi::new("S: well. O: well. A: well. P: none.".to_owned());
    let note = Note { kind: NoteKind::Note, signer: "dr-a".to_owned(), text };
    world.engine(0).sign_note(&world.caller(), service, note).await.unwrap();
    let set = Command::SetResponsibility { responsibility: Money::usd(24_000), author: "fee_table".into() };
    world.on_service(service, set).await.unwrap();
    world.settle().await.unwrap();
    (service, payout.accrual.payout)
}

async fn charge(world: &World, service: ServiceId) {
    let how = Authorize { method: Some("pm_card_visa".to_owned()), ..Authorize::default() };
    world.engine(0).charge_balance(&world.caller(), service, how).await.unwrap();
}

async fn payout(world: &World, id: ProviderPayoutId) -> ProviderPayout {
    world.engine(0).provider_payout(&world.organization, id).await.unwrap()
}

async fn a_refused_transfer_asks_a_person_whenever_the_process_dies(mut world: World) {
    let account = account(&world);
    let inactive = json!({ "account": account, "transfers": "inactive" });
    world.outside.at_stripe("connected_account", &inactive).unwrap();
    for looks in 1..=9_u32 {
        let (service, id) = given(&mut world, &account).await;
        charge(&world, service).await;
        while payout(&world, id).await.transfers.is_empty() {
            assert!(world.step(0).await.unwrap(), "the charge plans the transfer");
        }
        for _ in 0..8 {
            world.step_and_die(0, looks).await.unwrap();
        }
        world.pass(10 * 60_000).await.unwrap();
        let held = payout(&world, id).await;
        assert!(held.holds.contains_key(&HoldReason::TransferDeclined), "look {looks}: {held:?}");
        let asked = dead(&world, "transfer_payout").await.len();
        assert_eq!(asked, usize::try_from(looks).unwrap(), "nobody was asked, look {looks}");
    }
}

/// Another account at the same gateway.
async fn connect_another_gateway(world: &World) -> String {
    let secret = |name: &str, value: &str| (name.to_owned(), vec![Secret::new(value.to_owned())]);
    let new = NewConnection {
        kind: "stripe".to_owned(),
        name: "Stripe, second account".to_owned(),
        settings: json!({ "options": { "base_url": "http://stripe.test", "livemode": "false" } }),
        secrets: BTreeMap::from([secret("secret_key", DEFAULT_KEY), secret("webhook_secret", "whsec_other")]),
    };
    world.engine(0).put_connection(&world.caller(), None, new).await.unwrap().id
}

/// A visit of a clinic that keeps 15 %, given and signed while two gateways are connected.
async fn shared_visit(world: &mut World, card: Option<&str>) -> Appointment {
    let desk =
        world.practice(Timing::PostVisit, |clinic, _, _| clinic.platform_share = Some(1_500)).await.unwrap();
    world.prices(desk, &[("99214", 24_000)]).await.unwrap();
    let patient = match card {
        Some(card) => world.patient_with_card(0, card).await.unwrap().id,
        None => world.patient(0).await.unwrap().id,
    };
    world.consent(patient, Purpose::Visit, 50_000).await.unwrap();
    let starts_at = world.opening(desk, 60).await.unwrap();
    let booked = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    world.pass(100 * 60_000).await.unwrap();
    connect_another_gateway(world).await;
    world.visit(booked.id, &["99214"]).await.unwrap();
    booked
}

async fn with_two_gateways_the_share_goes_where_the_money_is_kept(mut world: World) {
    let booked = shared_visit(&mut world, Some("pm_card_visa")).await;
    let (payouts, _) = world.engine(0).provider_payouts(&world.organization, None, "", 10).await.unwrap();
    assert_eq!(payouts.len(), 1, "the provider's share is accrued");
    assert_eq!(
        (&payouts[0].accrual.connection, payouts[0].accrual.gross),
        (&world.stripe, Money::usd(24_000))
    );
    let service = world.service(booked.service.unwrap()).await.unwrap();
    assert_eq!(service.status, service::Status::Completed, "and the visit is collected there");
    assert_eq!(world.balance("owed:provider").await.unwrap(), -20_400);
}

async fn without_a_usable_gateway_a_person_is_asked_for_the_share(mut world: World) {
    let booked = shared_visit(&mut world, None).await;
    let service = booked.service.unwrap();
    let parked = world.effects(State::Parked).await.unwrap();
    let asked = parked.iter().filter(|effect| effect.destination == "payouts").collect::<Vec<_>>();
    assert_eq!(asked.len(), 1, "{parked:?}");
    assert_eq!(asked[0].stream, Some(service.to_string()));
    assert!(asked[0].error.as_ref().unwrap().contains("was not accrued"), "{asked:?}");
}

/// A payment whose posting Epic refuses, and the posting's effect.
async fn refused_posting(world: &mut World) -> (Payment, Effect) {
    world.outside.at_epic("close_claim", &json!({ "claim": person(0).claim_id })).unwrap();
    let payment = captured(world, 0, 12_000).await;
    let dead = dead(world, "post").await.remove(0);
    world.outside.at_epic("close_claim", &json!({ "claim": person(0).claim_id, "on": false })).unwrap();
    (payment, dead)
}

fn payload(effect: &Effect) -> Value {
    serde_json::from_str(&effect.payload).unwrap()
}

async fn an_edited_delivery_posts_no_money_that_was_not_paid(mut world: World) {
    let (payment, dead) = refused_posting(&mut world).await;
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let edits: [(&str, Value); 6] = [
        ("/document/amount", json!({ "minor": 99_900, "currency": "USD" })),
        ("/document/reference", json!("charge:ch_invented")),
        ("/document/patient", json!(person(2).id)),
        ("/document/kind", json!("reversal")),
        ("/document/original_reference", json!("charge:ch_other")),
        ("/run", json!("run_other")),
    ];
    for (place, value) in edits {
        let mut edited = payload(&dead);
        if edited.pointer(place).is_none() {
            edited["document"]["original_reference"] = Value::Null;
        }
        *edited.pointer_mut(place).unwrap() = value;
        let refused = engine.retry_effect(&caller, &dead.id, Some(edited)).await;
        let is_refused =
            matches!(&refused, Err(Error::Refused(why)) if why.code == "payload_contradicts_facts");
        assert!(is_refused, "{place}: {refused:?}");
    }
    // Neither is one sent that was changed behind the engine's back.
    let mut tampered = payload(&dead);
    tampered["document"]["amount"]["minor"] = json!(99_900);
    let (effect, now) = (dead.clone(), world.now());
    let revive = move |tx: &mut suture_store::Tx<'_>| {
        suture_store::effects::revive(tx, &effect, &tampered.to_string(), now)
    };
    world.store().write(revive).await.unwrap();
    world.settle().await.unwrap();
    let stopped = world.effects(State::Dead).await.unwrap().remove(0);
    assert!(stopped.error.unwrap().contains("is not what happened"));
    // What belongs to Epic may be mended.
    let mut edited = payload(&dead);
    edited["document"]["claim"] = Value::Null;
    engine.retry_effect(&caller, &dead.id, Some(edited)).await.unwrap();
    world.settle().await.unwrap();
    let charge = payment.charge.unwrap();
    assert_eq!(world.epic_posting(&format!("charge:{charge}"))["amount"], "120.00");
}

async fn a_retry_as_it_stands_leaves_an_unusual_amount_held(mut world: World) {
    let link = world.link(&NewVisit::due(0, 12_000)).await.unwrap();
    let body = json!({ "amount": 1_200_000, "metadata": { "suture_link": link.id } });
    world.outside.at_stripe("external_payment", &body).unwrap();
    world.settle().await.unwrap();
    let held = world.effects(State::Parked).await.unwrap().remove(0);
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    engine.retry_as_it_stands(&caller, &held.id).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.effects(State::Parked).await.unwrap()[0].id, held.id, "it is held again");
    let mut edited = payload(&held);
    edited["event"]["amount"]["minor"] = json!(12_000);
    let refused = engine.retry_effect(&caller, &held.id, Some(edited)).await;
    assert!(matches!(&refused, Err(Error::Refused(why)) if why.code == "payload_contradicts_facts"));
    assert!(world.postings().await.unwrap().is_empty());
}

async fn every_repair_stays_in_the_history_with_its_actor(mut world: World) {
    let (_, dead) = refused_posting(&mut world).await;
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    world.outside.at_epic("close_claim", &json!({ "claim": person(0).claim_id })).unwrap();
    let mut edited = payload(&dead);
    edited["document"]["queue"] = json!("partial");
    engine.retry_effect(&caller, &dead.id, Some(edited)).await.unwrap();
    // Failures come and go; the edit stays.
    world.outside.at_epic("outage", &json!({ "on": true })).unwrap();
    world.pass(6 * HOUR).await.unwrap();
    world.outside.at_epic("outage", &json!({ "on": false })).unwrap();
    world.pass(HOUR).await.unwrap();
    let skipped = engine.skip_effect(&caller, &dead.id, "posted_by_hand").await.unwrap();
    let lines: Vec<Value> =
        skipped.history.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() < 30, "failures are not kept for ever");
    let repairs: Vec<&Value> = lines.iter().filter(|line| line["did"].is_string()).collect();
    assert_eq!((&repairs[0]["did"], &repairs[0]["changed"]), (&json!("edit"), &json!(["document.queue"])));
    assert_ne!(repairs[0]["before"], repairs[0]["after"], "digests of both payloads");
    assert_eq!((&repairs[1]["did"], &repairs[1]["reason"]), (&json!("skip"), &json!("posted_by_hand")));
    let (_, actor) = caller.actor.parts();
    assert!(repairs.iter().all(|repair| repair["by"] == actor));
    let looks = engine.access_by(&caller, actor).await.unwrap();
    let logged = looks.iter().filter(|look| look.action == "repair").count();
    assert_eq!(logged, 2, "{looks:?}");
}

async fn a_delivery_that_is_retried_late_has_three_days_again(mut world: World) {
    let (payment, dead) = refused_posting(&mut world).await;
    world.pass(5 * DAY).await.unwrap();
    world.outside.at_epic("outage", &json!({ "on": true })).unwrap();
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    engine.retry_effect(&caller, &dead.id, None).await.unwrap();
    world.pass(6 * HOUR).await.unwrap();
    let tried = engine.effect(&world.organization, &dead.id).await.unwrap();
    assert_eq!(tried.state, State::Ready, "it is not given up at its first failure: {:?}", tried.error);
    world.outside.at_epic("outage", &json!({ "on": false })).unwrap();
    world.pass(HOUR).await.unwrap();
    let charge = payment.charge.unwrap();
    assert_eq!(world.epic_posting(&format!("charge:{charge}"))["amount"], "120.00");
}

/// A claim of 300.00 with an estimate of 60.00 paid, whose patient's part is as given.
async fn settled_claim(world: &mut World, patient_minor: i64) -> ServiceId {
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    let card = patient.methods.keys().next().unwrap().clone();
    world.consent(patient.id, Purpose::BalanceAfterInsurance, 15_000).await.unwrap();
    let check = world.eligible(patient.id, 6_000).await.unwrap();
    world.captured_estimate(&check, &card).await.unwrap();
    let service = world.service_for(&check).await.unwrap();
    world.bill(service.id, "CLM1", 30_000).await.unwrap();
    let set =
        Command::SetResponsibility { responsibility: Money::usd(patient_minor), author: "biller".into() };
    world.on_service(service.id, set).await.unwrap();
    world.settle().await.unwrap();
    service.id
}

fn taken(world: &World) -> Vec<i64> {
    world.moved("charge").iter().map(|movement| movement["amount"].as_i64().unwrap()).collect()
}

async fn a_write_off_that_is_taken_back_begins_another_notice(mut world: World) {
    let notice = std::time::Duration::from_secs(5 * 86_400);
    world.restart_with(Billing { collect_after: Some(notice), ..Billing::default() }).await.unwrap();
    let service = settled_claim(&mut world, 9_000).await;
    let (amount, approver, reason) = (Money::usd(3_000), "manager".to_owned(), "goodwill".to_owned());
    world.on_service(service, Command::WriteOff { amount, approver, reason }).await.unwrap();
    assert_eq!(world.service(service).await.unwrap().status, service::Status::Completed);
    world.pass(6 * DAY).await.unwrap();
    let undo = Command::UndoWriteOff { number: 1, approver: "manager".into() };
    world.on_service(service, undo).await.unwrap();
    world.pass(4 * DAY).await.unwrap();
    assert_eq!(taken(&world), vec![6_000], "nothing is charged before the notice is over");
    world.pass(2 * DAY).await.unwrap();
    assert_eq!(taken(&world), vec![6_000, 3_000]);
    assert_eq!(world.service(service).await.unwrap().status, service::Status::Completed);
}

async fn what_was_paid_back_in_the_dashboard_and_is_owed_again_is_asked_of_a_person(mut world: World) {
    let service = settled_claim(&mut world, 6_000).await;
    assert_eq!(world.service(service).await.unwrap().status, service::Status::Completed);
    let charge = world.at_stripe("charges")[0]["id"].clone();
    world.outside.at_stripe("external_refund", &json!({ "charge": charge, "amount": 1_000 })).unwrap();
    world.pass(10 * DAY).await.unwrap();
    let after = world.service(service).await.unwrap();
    assert_eq!((after.status, after.worksheet().difference.minor), (service::Status::Settling, 1_000));
    let parked = world.effects(State::Parked).await.unwrap();
    let asked: Vec<&Effect> = parked.iter().filter(|effect| effect.destination == "corrections").collect();
    assert_eq!((asked.len(), taken(&world)), (1, vec![6_000]), "{parked:?}");
    assert!(asked[0].error.as_ref().unwrap().contains("10.00 USD"), "{asked:?}");
}

async fn a_fee_is_collected_once_the_charge_before_the_visit_is_stopped(mut world: World) {
    let late = Rule {
        name: "late_cancel".into(),
        when: When { occasions: vec![Occasion::PatientCancels], ..When::default() },
        fee: Fee::Amount(Money::usd(6_000)),
        charge_the_rest: true,
    };
    let rest = Rule { name: "else".into(), when: When::default(), fee: Fee::None, charge_the_rest: false };
    let policy = Policy { version: "strict-1".into(), rules: vec![late, rest], examples: Vec::new() };
    let desk = world
        .practice(Timing::DepositToBook, |clinic, _, visit| {
            clinic.policy = policy;
            visit.charge_before_minutes = Some(60);
        })
        .await
        .unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    let card = patient.methods.keys().next().unwrap().clone();
    for purpose in [Purpose::Visit, Purpose::MissedVisitFee] {
        world.consent(patient.id, purpose, 20_000).await.unwrap();
    }
    let starts_at = world.opening(desk, 300).await.unwrap();
    let held = world.select(desk, (patient.id, 0), starts_at, None).await.unwrap();
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    // The charge before the visit does not go through, and may still be paid.
    let state = |state: &str| json!({ "payment_method": card, "state": state });
    world.outside.at_stripe("card", &state("insufficient_funds")).unwrap();
    let wait = starts_at.millis() - 60 * 60_000 - world.clock.millis() + 1_000;
    world.pass(wait).await.unwrap();
    world.outside.at_stripe("card", &state("good")).unwrap();
    let ending = Ending { by: Party::Patient, reason: "changed_mind".into(), waived_by: None };
    world.engine(0).cancel_appointment(&world.caller(), booked.id, ending).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(taken(&world), vec![5_000, 1_000], "the deposit, and what the fee is above it");
    let service = world.service(booked.service.unwrap()).await.unwrap();
    assert_eq!(service.status, service::Status::Completed, "{service:?}");
}

async fn what_a_provider_owes_is_found_behind_any_number_of_payouts(mut world: World) {
    let account = account(&world);
    let (service, first) = given(&mut world, &account).await;
    charge(&world, service).await;
    world.settle().await.unwrap();
    // The provider's bank has the money, and the charge becomes lower.
    let gone = json!({ "account": account, "withdraw": 20_400 });
    world.outside.at_stripe("connected_account", &gone).unwrap();
    let set = Command::SetResponsibility { responsibility: Money::usd(18_500), author: "fee_table".into() };
    world.on_service(service, set).await.unwrap();
    assert_eq!(payout(&world, first).await.owes_minor(), 4_675);
    let parked = world.effects(State::Parked).await.unwrap();
    let asked = parked.iter().filter(|effect| effect.destination == "payouts").count();
    assert_eq!(asked, 1, "the gateway refused to take it back: {parked:?}");
    // Many payouts later.
    let state = world.service(service).await.unwrap();
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let known = payout(&world, first).await.accrual;
    for _ in 0..201 {
        let account = Some("acc-many".to_owned());
        let new = NewService {
            patient: state.patient,
            eligibility: None,
            at: None,
            currency: state.currency,
            account,
        };
        let service = engine.create_service(&caller, new).await.unwrap().id;
        let (provider, terms) = (known.provider, known.terms);
        let new = NewPayout { service, provider, gross: Money::usd(100), destination: None, terms };
        engine.accrue_payout(&caller, new, None).await.unwrap();
    }
    let (service, last) = given(&mut world, &account).await;
    charge(&world, service).await;
    world.settle().await.unwrap();
    assert_eq!(payout(&world, first).await.owes_minor(), 0);
    assert_eq!(payout(&world, last).await.deducted_minor, 4_675);
}

async fn a_hold_that_is_looked_at_too_early_is_looked_at_again(mut world: World) {
    let account = account(&world);
    let (service, id) = held_for(&mut world, &account, 2).await;
    charge(&world, service).await;
    world.settle().await.unwrap();
    let held = payout(&world, id).await;
    let until = held.holds[&HoldReason::HoldDays].until.unwrap();
    // A server whose clock is ahead takes the timer; this one's clock is not there yet.
    let ahead = until + std::time::Duration::from_secs(1);
    let follow = format!("{id}/follow/{}", until.millis());
    for _ in 0..50 {
        let effect = world.engine(0).effect(&world.organization, &follow).await.unwrap();
        if effect.attempts > 0 {
            break;
        }
        world.engine(0).step(ahead).await.unwrap();
    }
    assert!(payout(&world, id).await.transfers.is_empty(), "the hold stands");
    world.pass(3 * DAY).await.unwrap();
    assert_eq!(payout(&world, id).await.status(), payout::Status::Paid, "{held:?}");
}
