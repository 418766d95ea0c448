//! What a review of the money found, each as a story of its own: refunds, the provider's share, and what a person is asked.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;

use serde_json::json;
use suture_core::appointment::Appointment;
use suture_core::consent::Purpose;
use suture_core::id::{PaymentId, ProviderId, ProviderPayoutId, RefundId, ServiceId};
use suture_core::money::Money;
use suture_core::payment::{Payment, Status};
use suture_core::payout::{HoldReason, LossRule, ProviderPayout, Share, Terms};
use suture_core::redact::{Phi, Secret};
use suture_core::refund;
use suture_core::service::{Command, Line, NoteKind};
use suture_core::visit::Timing;
use suture_engine::admin::NewConnection;
use suture_engine::billing::{Authorize, NewService, Note};
use suture_engine::payouts::NewPayout;
use suture_sandbox::stripe::DEFAULT_KEY;
use suture_sandbox::wire::Request;
use suture_sim::on_both_databases;
use suture_sim::world::{NewVisit, World};
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
    let number = world.at_stripe("customers").len();
    let patient = world.patient_with_card(number, "pm_card_visa").await.unwrap().id;
    let (currency, account_of) = (Money::usd(0).currency, Some(format!("acc-{number}")));
    let new = NewService { patient, eligibility: None, at: None, currency, account: account_of };
    let service = world.engine(0).create_service(&world.caller(), new).await.unwrap().id;
    let lines = vec![Line { code: "99214".to_owned(), charge: Money::usd(24_000) }];
    world.on_service(service, Command::Deliver { lines }).await.unwrap();
    let (share, loss) = (Share::BasisPoints(1_500), LossRule::PlatformBears);
    let terms = Terms { share, wait_for_note: true, hold_days: 0, loss };
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
    assert_eq!(service.status, suture_core::service::Status::Completed, "and the visit is collected there");
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
