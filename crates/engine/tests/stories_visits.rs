//! Deposit-to-book and the decline before the visit: FLOWS §1, branch by branch.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use serde_json::json;
use suture_core::appointment::{Appointment, Party, Status};
use suture_core::consent::Purpose;
use suture_core::id::{AppointmentId, PatientId};
use suture_core::money::Money;
use suture_core::notice::Template;
use suture_core::payment;
use suture_core::service;
use suture_core::time::Timestamp;
use suture_core::visit::{Occasion, Policy, Rule, Share, Timing, When};
use suture_engine::Error;
use suture_engine::scheduling::{Ending, Move};
use suture_sim::on_both_databases;
use suture_sim::world::{Desk, Fault, World};
use suture_store::effects::State;

on_both_databases!(
    story_1_the_deposit_books_the_visit_and_pays_a_part_of_it,
    story_1a_a_declined_deposit_keeps_the_slot_and_another_card_books,
    story_1b_an_unpaid_hold_ends_and_the_next_of_the_waiting_list_is_asked,
    story_1c_an_open_bank_check_extends_the_hold_once,
    story_1c_a_bank_check_that_is_not_passed_gives_a_link,
    story_1d_late_money_books_again_while_the_slot_is_free,
    story_1d_late_money_goes_back_when_the_slot_is_taken,
    story_1e_a_lost_answer_is_found_by_a_poll,
    story_1f_a_webhook_before_our_own_answer_books_once,
    story_1g_of_two_at_once_one_holds_the_slot_and_the_other_pays_nothing,
    story_t1_t2_a_decline_before_the_visit_is_paid_in_time,
    story_t3a_a_decline_before_the_visit_releases_the_slot,
    story_t3b_a_provider_sees_the_patient_anyway,
    story_t3b_after_the_visit_only_its_service_collects,
    story_t3c_an_emergency_is_never_released,
    story_t4_money_after_the_release_goes_back,
    story_t5_a_provider_who_cancels_costs_the_patient_nothing,
    a_late_cancellation_keeps_its_fee_and_returns_the_rest,
    a_no_show_fee_above_the_deposit_needs_its_own_consent,
    a_moved_visit_keeps_its_deposit_and_is_not_charged_again,
    a_reserved_deposit_books_and_is_taken_when_the_patient_is_here,
);

const MINUTE: i64 = 60_000;

struct Here {
    world: World,
    desk: Desk,
    patient: PatientId,
    starts_at: Timestamp,
}

async fn here(mut world: World) -> Here {
    let desk = world.practice(Timing::DepositToBook, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    Here { world, desk, patient, starts_at }
}

/// As [`here`], with the rest of the price charged ten minutes before the visit.
async fn with_charge_before(mut world: World, card: &str) -> (Here, Appointment) {
    let desk = world
        .practice(Timing::DepositToBook, |_, _, visit| visit.charge_before_minutes = Some(10))
        .await
        .unwrap();
    let patient = world.patient_with_card(0, card).await.unwrap().id;
    world.consent(patient, Purpose::Visit, 20_000).await.unwrap();
    let starts_at = world.opening(desk, 120).await.unwrap();
    let mut here = Here { world, desk, patient, starts_at };
    let held = here.select().await;
    let booked = here.world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    // Until the charge before the visit has been tried.
    let wait = here.starts_at.millis() - 10 * MINUTE - here.world.clock.millis() + 1_000;
    here.world.pass(wait).await.unwrap();
    (here, booked)
}

impl Here {
    async fn select(&mut self) -> Appointment {
        self.world.select(self.desk, (self.patient, 0), self.starts_at, None).await.unwrap()
    }

    async fn booked(&mut self) -> Appointment {
        let held = self.select().await;
        self.world.pay(held.id, "pm_card_visa").await.unwrap()
    }

    async fn now(&self, id: AppointmentId) -> Appointment {
        self.world.appointment(id).await.unwrap()
    }

    async fn cents(&self, account: &str) -> i64 {
        self.world.balance(account).await.unwrap()
    }

    /// Whether another patient could still have the slot.
    async fn is_open(&self) -> bool {
        self.world.opening(self.desk, minutes_until(self)).await.unwrap() == self.starts_at
    }

    async fn waiting_for_person(&self) -> usize {
        self.world.effects(State::Parked).await.unwrap().len()
    }
}

fn minutes_until(here: &Here) -> i64 {
    (here.starts_at.millis() - here.world.clock.millis()) / MINUTE
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

/// Stored without trouble, and declined when it is charged.
const DECLINED_LATER: &str = "pm_card_chargeCustomerFail";
const DECLINED: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";

async fn story_1_the_deposit_books_the_visit_and_pays_a_part_of_it(world: World) {
    let mut here = here(world).await;
    let held = here.select().await;
    assert_eq!(
        (held.status, held.held_until.since(here.world.now()).as_secs()),
        (Status::PendingPayment, 600)
    );
    assert!(!here.is_open().await, "others do not see it");
    let booked = here.world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    assert_eq!(here.cents("deposit:patient").await, -5_000);
    let payment = booked.payments.keys().next().unwrap().clone();
    let key = here.world.payment(suture_core::id::PaymentId::parse(&payment).unwrap()).await.unwrap();
    assert!(key.attempts[0].key.starts_with(&booked.id.to_string()), "the key names the appointment (M209)");
    // The visit: 120.00, of which the deposit pays 50.00, and the card on file is asked for 70.00 under its consent.
    here.world.consent(here.patient, Purpose::Visit, 20_000).await.unwrap();
    here.world.prices(here.desk, &[("99214", 12_000)]).await.unwrap();
    here.world.pass(130 * MINUTE).await.unwrap();
    let encounter = here.world.visit(booked.id, &["99214"]).await.unwrap();
    assert_eq!(encounter.total(), Some(Money::usd(12_000)));
    let service = here.world.service(booked.service.unwrap()).await.unwrap();
    assert_eq!(service.status, service::Status::Completed, "{service:?}");
    assert_eq!(here.cents("rev:service").await, -12_000);
    assert_eq!((here.cents("deposit:patient").await, here.cents("ar:patient").await), (0, 0));
    assert_eq!(here.world.moved("charge").len(), 2);
    assert_eq!(here.now(booked.id).await.status, Status::Completed);
}

async fn story_1a_a_declined_deposit_keeps_the_slot_and_another_card_books(world: World) {
    let mut here = here(world).await;
    let held = here.select().await;
    let declined = here.world.pay(held.id, DECLINED).await.unwrap();
    assert_eq!(declined.status, Status::PendingPayment);
    let paid = declined.payments.values().next().unwrap();
    assert_eq!(paid.status, payment::Status::RequiresMethod);
    assert!(!here.is_open().await, "the slot is still held");
    let booked = here.world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(
        (booked.status, booked.payments.len()),
        (Status::Confirmed, 1),
        "the same payment's next attempt"
    );
    assert_eq!(here.cents("deposit:patient").await, -5_000);
}

async fn story_1b_an_unpaid_hold_ends_and_the_next_of_the_waiting_list_is_asked(world: World) {
    let mut here = here(world).await;
    let other = here.world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    let wish = suture_core::waiting::Wish {
        patient: other,
        visit_type: here.desk.visit_type,
        provider: None,
        from: here.world.now(),
        until: here.starts_at,
        zone: "America/Chicago".into(),
    };
    let caller = here.world.caller();
    let place = here.world.engine(0).join_waiting_list(&caller, wish).await.unwrap();
    let held = here.select().await;
    here.world.pass(11 * MINUTE).await.unwrap();
    assert_eq!(here.now(held.id).await.status, Status::Lapsed);
    let organization = here.world.organization.clone();
    let offered = here.world.engine(0).waiting(&organization, place.id).await.unwrap();
    let offer = offered.appointment.unwrap();
    assert_eq!(here.now(offer).await.context.starts_at, here.starts_at);
    assert!(!here.is_open().await, "it is held for the one who waited");
    let booked = here.world.pay(offer, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    let taken = here.world.engine(0).waiting(&organization, place.id).await.unwrap();
    assert_eq!(taken.status, suture_core::waiting::Status::Booked);
    assert_eq!(here.world.moved("charge").len(), 1);
}

async fn story_1c_an_open_bank_check_extends_the_hold_once(world: World) {
    let mut here = here(world).await;
    let held = here.select().await;
    let waiting = here.world.pay(held.id, "pm_card_threeDSecure2Required").await.unwrap();
    assert_eq!(waiting.status, Status::PendingPayment);
    here.world.pass(11 * MINUTE).await.unwrap();
    let extended = here.now(held.id).await;
    assert_eq!((extended.status, extended.extended), (Status::PendingPayment, true));
    let id = suture_core::id::PaymentId::parse(extended.payments.keys().next().unwrap()).unwrap();
    let intent = here.world.payment(id).await.unwrap().intent.unwrap();
    let done = json!({ "payment_intent": intent, "outcome": "success" });
    here.world.outside.at_stripe("complete_3ds", &done).unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.now(held.id).await.status, Status::Confirmed);
}

async fn story_1c_a_bank_check_that_is_not_passed_gives_a_link(world: World) {
    let mut here = here(world).await;
    let held = here.select().await;
    let waiting = here.world.pay(held.id, "pm_card_threeDSecure2Required").await.unwrap();
    let links = async |here: &Here| {
        let (organization, about) = (here.world.organization.clone(), Some(held.id.to_string()));
        let told = here.world.engine(0).notices(&organization, about, "", 50).await.unwrap();
        told.iter().filter(|one| one.plan.template == Template::PaymentDeclined).count()
    };
    assert_eq!(links(&here).await, 0, "the question is open");
    pass_check(&here, &waiting, "fail").await;
    here.world.settle().await.unwrap();
    assert_eq!(links(&here).await, 1, "the patient can pay in another way");
    let booked = here.world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!((booked.status, links(&here).await), (Status::Confirmed, 1));
}

/// The patient passes the bank's check at the last moment; the hold ends before anybody hears of it.
async fn paid_too_late(here: &mut Here) -> AppointmentId {
    let held = here.select().await;
    let waiting = here.world.pay(held.id, "pm_card_threeDSecure2Required").await.unwrap();
    here.world.pass(14 * MINUTE).await.unwrap();
    here.world.clock.jump(2 * MINUTE);
    pass_check(here, &waiting, "success").await;
    assert!(here.world.step(0).await.unwrap());
    assert_eq!(here.now(held.id).await.status, Status::Lapsed);
    held.id
}

/// The patient finishes the bank's check of the latest payment, in the browser.
async fn pass_check(here: &Here, appointment: &Appointment, outcome: &str) {
    for id in appointment.payments.keys() {
        let payment = here.world.payment(suture_core::id::PaymentId::parse(id).unwrap()).await.unwrap();
        if payment.status() == payment::Status::RequiresAction {
            let done = json!({ "payment_intent": payment.intent.unwrap(), "outcome": outcome });
            here.world.outside.at_stripe("complete_3ds", &done).unwrap();
        }
    }
}

async fn story_1d_late_money_books_again_while_the_slot_is_free(world: World) {
    let mut here = here(world).await;
    let late = paid_too_late(&mut here).await;
    here.world.settle().await.unwrap();
    let booked = here.now(late).await;
    assert_eq!(booked.status, Status::Confirmed, "{booked:?}");
    assert_eq!((here.world.moved("charge").len(), here.world.moved("refund").len()), (1, 0));
    assert_eq!(here.cents("deposit:patient").await, -5_000);
    assert!(!here.is_open().await);
}

async fn story_1d_late_money_goes_back_when_the_slot_is_taken(world: World) {
    let mut here = here(world).await;
    let other = here.world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    let late = paid_too_late(&mut here).await;
    let second = here.world.select(here.desk, (other, 1), here.starts_at, None).await.unwrap();
    here.world.settle().await.unwrap();
    let lost = here.now(late).await;
    assert_eq!((lost.status, lost.lost.len()), (Status::Lapsed, 1), "{lost:?}");
    assert_eq!(here.world.moved("refund").len(), 1);
    assert_eq!(here.cents("deposit:patient").await, 0);
    let booked = here.world.pay(second.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed, "never both");
}

async fn story_1e_a_lost_answer_is_found_by_a_poll(world: World) {
    let mut here = here(world).await;
    let held = here.select().await;
    here.world.outside.plan([Fault::AnswerLost]);
    here.world.ask_to_pay(held.id, "pm_card_visa").await.unwrap();
    here.world.pass(MINUTE).await.unwrap();
    assert_eq!(here.now(held.id).await.status, Status::Confirmed);
    assert_eq!(here.world.moved("charge").len(), 1);
}

async fn story_1f_a_webhook_before_our_own_answer_books_once(world: World) {
    let mut here = here(world).await;
    let held = here.select().await;
    here.world.outside.plan([Fault::AnswerLost]);
    here.world.ask_to_pay(held.id, "pm_card_visa").await.unwrap();
    here.world.step(0).await.unwrap();
    here.world.deliver_all().await.unwrap();
    here.world.pass(MINUTE).await.unwrap();
    assert_eq!(here.now(held.id).await.status, Status::Confirmed);
    assert_eq!((here.world.moved("charge").len(), here.cents("deposit:patient").await), (1, -5_000));
}

async fn story_1g_of_two_at_once_one_holds_the_slot_and_the_other_pays_nothing(world: World) {
    let mut here = here(world).await;
    let other = here.world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    here.select().await;
    let refused = here.world.select(here.desk, (other, 1), here.starts_at, None).await;
    let Err(Error::Refused(refusal)) = refused else { panic!("two hold one slot") };
    assert_eq!(refusal.code, "slot_taken");
    assert!(refusal.detail.contains("next openings"), "{refusal}");
    assert!(here.world.payments().await.unwrap().is_empty(), "no intent was made for either");
}

async fn story_t1_t2_a_decline_before_the_visit_is_paid_in_time(world: World) {
    let (mut here, booked) = with_charge_before(world, DECLINED_LATER).await;
    let risky = here.now(booked.id).await;
    assert_eq!(risky.status, Status::AtRisk, "{risky:?}");
    assert_eq!(risky.risk.clone().unwrap().0, here.starts_at, "the deadline is the start");
    let paid = here.world.pay(booked.id, "pm_card_visa").await.unwrap();
    assert_eq!((paid.status, paid.visit_open()), (Status::Confirmed, None));
    assert_eq!(here.cents("deposit:patient").await, -12_000);
    here.world.pass(20 * MINUTE).await.unwrap();
    assert_eq!(here.now(booked.id).await.status, Status::Confirmed, "the deadline finds it paid");
}

async fn story_t3a_a_decline_before_the_visit_releases_the_slot(world: World) {
    let (mut here, booked) = with_charge_before(world, DECLINED_LATER).await;
    here.world.pass(10 * MINUTE).await.unwrap();
    let released = here.now(booked.id).await;
    assert_eq!(released.status, Status::Canceled);
    assert_eq!(released.ended.unwrap().1, "payment_sla");
    assert_eq!(here.cents("deposit:patient").await, 0, "the lenient policy gives the deposit back");
    assert_eq!(here.world.moved("refund").len(), 1);
}

async fn story_t3b_a_provider_sees_the_patient_anyway(world: World) {
    let (mut here, booked) = with_charge_before(world, DECLINED_LATER).await;
    let caller = here.world.caller();
    let engine = here.world.engine(0).clone();
    let seen = engine.override_risk(&caller, booked.id, ("dr_grey", "continuity")).await.unwrap();
    assert_eq!(seen.overridden, Some(("dr_grey".into(), "continuity".into())));
    here.world.pass(10 * MINUTE).await.unwrap();
    let stands = here.now(booked.id).await;
    assert_eq!((stands.status, stands.visit_open()), (Status::Confirmed, Some(Money::usd(7_000))));
}

async fn story_t3b_after_the_visit_only_its_service_collects(world: World) {
    let (mut here, booked) = with_charge_before(world, DECLINED_LATER).await;
    here.world.prices(here.desk, &[("99213", 12_000)]).await.unwrap();
    let engine = here.world.engine(0).clone();
    engine.override_risk(&here.world.caller(), booked.id, ("dr_grey", "continuity")).await.unwrap();
    here.world.pass(30 * MINUTE).await.unwrap();
    let declined =
        here.now(booked.id).await.payments.into_iter().find(|(_, paid)| paid.net_minor == 0).unwrap();
    assert!(declined.1.collecting, "the declined charge could still be paid by its link");
    here.world.visit(booked.id, &["99213"]).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.now(booked.id).await.payments[&declined.0].status, payment::Status::Canceled);
    let service = here.world.service(booked.service.unwrap()).await.unwrap();
    let collecting = service.payments.values().filter(|held| held.collecting).count();
    assert_eq!(
        (service.worksheet().difference.minor, collecting),
        (7_000, 1),
        "its service asks for the rest, once"
    );
    let refused = here.world.ask_to_pay(booked.id, "pm_card_visa").await;
    assert_eq!(code(refused), "nothing_due");
    assert_eq!(here.world.moved("charge").len(), 1, "only the deposit was taken");
}

async fn story_t3c_an_emergency_is_never_released(world: World) {
    let (mut here, booked) = with_charge_before(world, DECLINED_LATER).await;
    let caller = here.world.caller();
    let engine = here.world.engine(0).clone();
    engine.mark_emergency(&caller, booked.id, (true, "dr_grey", "chest_pain")).await.unwrap();
    here.world.pass(30 * MINUTE).await.unwrap();
    assert_eq!(here.now(booked.id).await.status, Status::AtRisk);
}

async fn story_t4_money_after_the_release_goes_back(world: World) {
    let (mut here, booked) = with_charge_before(world, DECLINED_LATER).await;
    let trying = here.world.pay(booked.id, "pm_card_threeDSecure2Required").await.unwrap();
    assert_eq!(trying.status, Status::AtRisk);
    here.world.pass(9 * MINUTE).await.unwrap();
    here.world.clock.jump(2 * MINUTE);
    pass_check(&here, &trying, "success").await;
    here.world.work().await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.now(booked.id).await.status, Status::Canceled);
    assert_eq!((here.world.moved("charge").len(), here.world.moved("refund").len()), (2, 2));
    assert_eq!((here.cents("deposit:patient").await, here.cents("credit:patient").await), (0, 0));
}

async fn story_t5_a_provider_who_cancels_costs_the_patient_nothing(world: World) {
    let mut here = strict(world).await;
    let booked = here.booked().await;
    let ending = Ending { by: Party::Provider, reason: "ill".into(), waived_by: None };
    let caller = here.world.caller();
    here.world.engine(0).clone().cancel_appointment(&caller, booked.id, ending).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.cents("deposit:patient").await, 0);
    assert_eq!(here.world.moved("refund").len(), 1);
    assert!(here.is_open().await, "the slot is free again");
}

/// A clinic that keeps 25.00 for late cancellations, and half of the price for no-shows.
async fn strict(mut world: World) -> Here {
    let rule = |name: &str, occasion, fee| Rule {
        name: name.into(),
        when: When { occasions: vec![occasion], ..When::default() },
        fee,
        charge_the_rest: true,
    };
    let policy = Policy {
        version: "strict-1".into(),
        rules: vec![
            rule("late_cancel", Occasion::PatientCancels, Share::Amount(Money::usd(2_500))),
            rule("no_show", Occasion::NoShow, Share::OfPrice(5_000)),
            Rule { name: "else".into(), when: When::default(), fee: Share::None, charge_the_rest: false },
        ],
        examples: Vec::new(),
    };
    let desk = world.practice(Timing::DepositToBook, |clinic, _, _| clinic.policy = policy).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    Here { world, desk, patient, starts_at }
}

async fn a_late_cancellation_keeps_its_fee_and_returns_the_rest(world: World) {
    let mut here = strict(world).await;
    let booked = here.booked().await;
    let organization = here.world.organization.clone();
    let what = (Occasion::PatientCancels, "changed_mind");
    let preview = here.world.engine(0).preview_ending(&organization, booked.id, what).await.unwrap();
    assert_eq!((preview.verdict.fee.minor, preview.verdict.refund.minor), (2_500, 2_500));
    let ending = Ending { by: Party::Patient, reason: "changed_mind".into(), waived_by: None };
    let caller = here.world.caller();
    here.world.engine(0).clone().cancel_appointment(&caller, booked.id, ending).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.cents("rev:service").await, -2_500);
    assert_eq!((here.cents("deposit:patient").await, here.cents("credit:patient").await), (0, 0));
    let service = here.world.service(booked.service.unwrap()).await.unwrap();
    assert_eq!(service.status, service::Status::Completed, "{service:?}");
    assert_eq!(here.waiting_for_person().await, 0);
}

async fn a_no_show_fee_above_the_deposit_needs_its_own_consent(world: World) {
    let mut here = strict(world).await;
    let booked = here.booked().await;
    here.world.pass(130 * MINUTE).await.unwrap();
    let caller = here.world.caller();
    here.world.engine(0).clone().miss_appointment(&caller, booked.id).await.unwrap();
    here.world.settle().await.unwrap();
    let service = here.world.service(booked.service.unwrap()).await.unwrap();
    assert_eq!(service.worksheet().difference.minor, 1_000, "60.00 less the deposit");
    let asked = here.world.effects(State::Parked).await.unwrap();
    assert!(asked.iter().any(|effect| effect.error.as_deref().unwrap_or("").contains("missed_visit_fee")));
    assert_eq!(here.world.moved("charge").len(), 1, "nothing was charged without a consent for such fees");
}

async fn a_moved_visit_keeps_its_deposit_and_is_not_charged_again(world: World) {
    let mut here = here(world).await;
    let booked = here.booked().await;
    let later = here.world.opening(here.desk, 600).await.unwrap();
    let to = Move { starts_at: later, by: Party::Patient, reason: "busy".into() };
    let caller = here.world.caller();
    let engine = here.world.engine(0).clone();
    let moved = engine.move_appointment(&caller, booked.id, to).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!((moved.context.starts_at, moved.status), (later, Status::Confirmed));
    assert!(here.is_open().await, "the old slot is free");
    assert_eq!((here.world.moved("charge").len(), here.cents("deposit:patient").await), (1, -5_000));
    let back = Move { starts_at: here.starts_at, by: Party::Patient, reason: "busy".into() };
    engine.move_appointment(&caller, booked.id, back).await.unwrap();
    let other = here.world.patient_with_card(1, "pm_card_visa").await.unwrap().id;
    let taken = here.world.select(here.desk, (other, 1), here.starts_at, None).await;
    assert_eq!(code(taken), "slot_taken");
}

async fn a_reserved_deposit_books_and_is_taken_when_the_patient_is_here(mut world: World) {
    let desk = world.practice(Timing::DepositToBook, |_, _, visit| visit.reserve_only = true).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    let mut here = Here { world, desk, patient, starts_at };
    let booked = here.booked().await;
    assert_eq!((booked.status, here.cents("gw:stripe").await), (Status::Confirmed, 0));
    let caller = here.world.caller();
    here.world.engine(0).clone().arrive(&caller, booked.id).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!(here.cents("deposit:patient").await, -5_000);
    assert_eq!(here.now(booked.id).await.status, Status::InVisit);
}
