//! What a review found in collecting, each as a story of its own: two windows that pay one debt, and charges of amounts that
//! are no longer due.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::appointment::{Appointment, Status};
use suture_core::consent::Purpose;
use suture_core::id::AppointmentId;
use suture_core::money::Money;
use suture_core::pass;
use suture_core::payment::{self, Payment};
use suture_core::service::{self, Service};
use suture_core::visit::Timing;
use suture_engine::billing::Authorize;
use suture_engine::notices::NewPass;
use suture_engine::scheduling::{Checkout, PayByLink, PayVisit};
use suture_sandbox::wire::Request;
use suture_sim::on_both_databases;
use suture_sim::world::{Desk, World};
use suture_store::effects::State;

on_both_databases!(
    a_second_checkout_in_the_browser_opens_the_same_intent,
    a_second_checkout_of_an_estimate_opens_the_same_intent,
    a_second_charge_for_one_payment_is_booked_and_a_person_is_asked,
    a_refund_of_a_second_charge_that_nobody_knew_is_booked_with_it,
    the_ladder_charges_what_cash_left_over,
    the_ladder_charges_nothing_after_all_was_given_up,
    money_that_went_back_is_not_charged_again_with_a_declined_rest,
    a_link_after_a_declined_collection_pays_it,
);

const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;

async fn held(world: &mut World) -> Appointment {
    let desk = world.practice(Timing::DepositToBook, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    world.select(desk, (patient, 0), starts_at, None).await.unwrap()
}

/// Opens the checkout without a card: the payer gives it in the browser. The browser's secret, when one is known.
async fn open_checkout(world: &mut World, id: AppointmentId) -> Option<String> {
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    world.clock.jump(1_000);
    let (_, taken) = engine.pay_appointment(&caller, id, PayVisit::default()).await.unwrap();
    world.settle().await.unwrap();
    taken.client_secret.map(|secret| secret.expose().clone())
}

fn pay_in_browser(world: &World, intent: &str) {
    let paid = json!({ "payment_intent": intent, "payment_method": "pm_card_visa" });
    let paid = world.outside.at_stripe("browser_confirm", &paid).unwrap();
    assert_eq!(paid["status"], "succeeded", "{paid}");
}

fn intents(world: &World) -> Vec<serde_json::Value> {
    world.at_stripe("payment_intents")
}

async fn only_payment(world: &World) -> Payment {
    let mut payments = world.payments().await.unwrap();
    assert_eq!(payments.len(), 1, "{payments:?}");
    payments.remove(0)
}

/// Each window had an intent of its own, and the patient could pay both.
async fn a_second_checkout_in_the_browser_opens_the_same_intent(mut world: World) {
    let held = held(&mut world).await;
    open_checkout(&mut world, held.id).await;
    let first = open_checkout(&mut world, held.id).await.unwrap();
    let again = open_checkout(&mut world, held.id).await;
    assert_eq!(again, Some(first), "the secret is asked for again");
    assert_eq!(intents(&world).len(), 1, "one debt, one intent");
    let payment = only_payment(&world).await;
    assert_eq!((payment.attempts.len(), payment.status()), (1, payment::Status::RequiresMethod));
    pay_in_browser(&world, &payment.intent.unwrap());
    world.settle().await.unwrap();
    assert_eq!(world.appointment(held.id).await.unwrap().status, Status::Confirmed);
    assert_eq!(world.moved("charge").len(), 1);
}

async fn a_second_checkout_of_an_estimate_opens_the_same_intent(mut world: World) {
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let check = world.eligible(patient, 4_000).await.unwrap();
    let estimate = world.estimate_for(&check, None).await.unwrap();
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    for _ in 0..3 {
        world.clock.jump(1_000);
        engine.authorize_estimate(&caller, estimate.id, Authorize::default()).await.unwrap();
        world.settle().await.unwrap();
    }
    assert_eq!((intents(&world).len(), only_payment(&world).await.attempts.len()), (1, 1));
}

/// A second intent with the marks of the first, as an older version made it, and both are paid.
async fn paid_twice(world: &mut World) -> (AppointmentId, String) {
    let held = held(world).await;
    open_checkout(world, held.id).await;
    let intent = intents(world).remove(0);
    let metadata = intent["metadata"].as_object().unwrap();
    let marks: Vec<String> =
        metadata.iter().map(|(key, value)| format!("metadata[{key}]={}", value.as_str().unwrap())).collect();
    let body = format!("amount=5000&currency=usd&{}", marks.join("&"));
    let request = Request::new("POST", "/v1/payment_intents")
        .with_header("host", "stripe.test")
        .with_header("authorization", &format!("Bearer {}", suture_sandbox::stripe::DEFAULT_KEY))
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_body(body);
    let made = world.outside.stripe().handle(world.clock.millis(), &request).body_json();
    let second = made["id"].as_str().unwrap().to_owned();
    pay_in_browser(world, intent["id"].as_str().unwrap());
    world.settle().await.unwrap();
    assert_eq!(world.appointment(held.id).await.unwrap().status, Status::Confirmed);
    (held.id, second)
}

/// The second charge was compared by its amount only, and never booked.
async fn a_second_charge_for_one_payment_is_booked_and_a_person_is_asked(mut world: World) {
    let (id, second) = paid_twice(&mut world).await;
    pay_in_browser(&world, &second);
    world.settle().await.unwrap();
    world.sweep(std::time::Duration::from_secs(86_400)).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.moved("charge").len(), 2);
    let at_gateway = world.balance("gw:stripe").await.unwrap() + world.balance("exp:fee").await.unwrap();
    assert_eq!(at_gateway, 10_000, "both charges are in the books");
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -5_000);
    assert_eq!(world.balance("credit:patient").await.unwrap(), -5_000, "the second is owed back");
    let asked = world.effects(State::Parked).await.unwrap();
    let asked: Vec<_> = asked.iter().filter(|effect| effect.destination == "second-charges").collect();
    assert_eq!(asked.len(), 1, "a person is asked once: {asked:?}");
    // The person pays it back, and the visit keeps its own deposit.
    let extra = world.payments().await.unwrap().into_iter().find(|known| known.debt.is_none()).unwrap();
    let caller = world.caller();
    let why = ("paid_twice", "front_desk");
    world.engine(0).clone().refund_payment(&caller, extra.id, None, why).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.balance("credit:patient").await.unwrap(), 0);
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -5_000);
    assert_eq!(world.appointment(id).await.unwrap().status, Status::Confirmed);
}

/// The second charge is only heard of by its refund: the refund must not count against the first charge.
async fn a_refund_of_a_second_charge_that_nobody_knew_is_booked_with_it(mut world: World) {
    let (id, second) = paid_twice(&mut world).await;
    world.outside.at_stripe("webhooks", &json!({ "drop_all": true })).unwrap();
    pay_in_browser(&world, &second);
    let _unheard = world.take_mail();
    world.outside.at_stripe("webhooks", &json!({ "drop_all": false })).unwrap();
    world
        .outside
        .at_stripe("external_refund", &json!({ "payment_intent": second, "amount": 5_000 }))
        .unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.balance("credit:patient").await.unwrap(), 0, "came and went");
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -5_000);
    assert_eq!(world.appointment(id).await.unwrap().status, Status::Confirmed);
}

struct Owed {
    world: World,
    booked: Appointment,
}

/// A visit of 165.00 that took place, and whose charge to the card on file was declined.
async fn declined(mut world: World) -> Owed {
    let desk = world.practice(Timing::PostVisit, |_, _, _| {}).await.unwrap();
    world.prices(desk, &[("99214", 16_500)]).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap();
    let card = patient.methods.keys().next().unwrap().clone();
    let patient = patient.id;
    world.consent(patient, Purpose::Visit, 50_000).await.unwrap();
    let starts_at = world.opening(desk, 60).await.unwrap();
    let booked = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    world.pass(100 * MINUTE).await.unwrap();
    let mut here = Owed { world, booked };
    here.bank_says(&card, "insufficient_funds");
    here.world.visit(here.booked.id, &["99214"]).await.unwrap();
    here.bank_says(&card, "good");
    here
}

impl Owed {
    fn bank_says(&self, card: &str, state: &str) {
        let said = json!({ "payment_method": card, "state": state });
        self.world.outside.at_stripe("card", &said).unwrap();
    }

    async fn service(&self) -> Service {
        self.world.service(self.booked.service.unwrap()).await.unwrap()
    }

    async fn on_service(&mut self, command: service::Command) {
        self.world.on_service(self.booked.service.unwrap(), command).await.unwrap();
    }

    /// The token of a link as the patient gets it after the decline.
    async fn link(&self) -> String {
        let expires_at = self.world.now() + std::time::Duration::from_secs(3_600);
        let subject = self.booked.service.unwrap().to_string();
        let new = NewPass { purpose: pass::Purpose::ReturnToCheckout, subject, expires_at };
        let url = self.world.engine(0).issue_link(&self.world.caller(), new).await.unwrap();
        url.rsplit('/').next().unwrap().to_owned()
    }

    fn charged(&self) -> Vec<i64> {
        self.world.moved("charge").iter().map(|charge| charge["amount"].as_i64().unwrap()).collect()
    }
}

/// The next try charged the whole amount again, and the difference went back as a refund.
async fn the_ladder_charges_what_cash_left_over(world: World) {
    let mut here = declined(world).await;
    assert_eq!((here.charged(), here.service().await.status), (vec![], service::Status::Settling));
    let (reference, amount) = ("cash-1".to_owned(), Money::usd(5_000));
    let cash = service::Command::RecordElsewhere { reference, amount, author: "front desk".to_owned() };
    here.on_service(cash).await;
    here.world.pass(8 * DAY).await.unwrap();
    assert_eq!((here.charged(), here.service().await.status), (vec![11_500], service::Status::Completed));
    assert_eq!(here.world.moved("refund").len(), 0);
}

async fn the_ladder_charges_nothing_after_all_was_given_up(world: World) {
    let mut here = declined(world).await;
    let (amount, approver) = (Money::usd(16_500), "finance_head".to_owned());
    let off = service::Command::WriteOff { amount, approver, reason: "hardship".to_owned() };
    here.on_service(off).await;
    assert_eq!(here.service().await.status, service::Status::Completed, "nothing is collecting any more");
    here.world.pass(8 * DAY).await.unwrap();
    assert_eq!(here.charged(), Vec::<i64>::new());
}

/// A deposit of 50.00 goes back while the rest waits for another card: nobody takes it again without a person's word.
async fn money_that_went_back_is_not_charged_again_with_a_declined_rest(mut world: World) {
    let held = held(&mut world).await;
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    let patient = world.engine(0).patient(&world.organization, booked.context.patient).await.unwrap();
    world.consent(patient.id, Purpose::Visit, 50_000).await.unwrap();
    let (provider, visit_type) = (booked.context.provider, booked.context.visit_type);
    let desk = Desk { clinic: booked.clinic, provider, visit_type };
    world.prices(desk, &[("99214", 16_500)]).await.unwrap();
    world.pass(130 * MINUTE).await.unwrap();
    let card = patient.methods.keys().next().unwrap().clone();
    let mut here = Owed { world, booked };
    here.bank_says(&card, "insufficient_funds");
    here.world.visit(here.booked.id, &["99214"]).await.unwrap();
    here.bank_says(&card, "good");
    let deposit = here.world.payments().await.unwrap()[0].id;
    let caller = here.world.caller();
    let why = ("goodwill", "front_desk");
    here.world.engine(0).clone().refund_payment(&caller, deposit, None, why).await.unwrap();
    here.world.pass(8 * DAY).await.unwrap();
    assert_eq!((here.charged(), here.service().await.status), (vec![5_000], service::Status::Settling));
    let asked = here.world.effects(State::Parked).await.unwrap();
    assert!(asked.iter().any(|effect| effect.id.contains("/charge-above/")), "{asked:?}");
}

/// The link said that nothing was due, and was used up by looking.
async fn a_link_after_a_declined_collection_pays_it(world: World) {
    let mut here = declined(world).await;
    let engine = here.world.engine(0).clone();
    let token = here.link().await;
    let Checkout::Balance(balance) = engine.checkout(&token).await.unwrap() else { panic!("a balance") };
    assert_eq!(balance.due, Some(Money::usd(16_500)));
    here.world.clock.jump(1_000);
    let how = PayByLink { method: Some("pm_card_visa".to_owned()), ..PayByLink::default() };
    engine.pay_by_link(&token, pass::Purpose::ReturnToCheckout, how).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!((here.charged(), here.service().await.status), (vec![16_500], service::Status::Completed));
    here.world.pass(8 * DAY).await.unwrap();
    assert_eq!(here.charged(), vec![16_500], "and the ladder has ended");
}
