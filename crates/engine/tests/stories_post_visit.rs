//! Post-visit charges, the provider's share, and hybrid visits from the booking to the balance: FLOWS §3 and §2.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::BTreeMap;

use suture_core::appointment::{Appointment, Status};
use suture_core::consent::Purpose;
use suture_core::encounter::Encounter;
use suture_core::id::PatientId;
use suture_core::payout::ProviderPayout;
use suture_core::redact::Phi;
use suture_core::service::{self, Service};
use suture_core::visit::Timing;
use suture_engine::Error;
use suture_engine::billing::NewIntake;
use suture_sim::on_both_databases;
use suture_sim::world::{Desk, World};
use suture_store::effects::State;

on_both_databases!(
    story_3_the_signed_encounter_is_charged_once_and_shared,
    story_3_a_notice_for_balances_does_not_delay_a_signed_encounter,
    story_3a_signed_twice_is_charged_once,
    story_3b_a_soft_decline_is_tried_again_on_its_days,
    story_3b_a_hard_decline_is_never_tried_again,
    story_3c_without_a_method_the_patient_gets_a_link,
    story_3d_after_the_last_try_a_person_writes_off,
    story_3e_an_addendum_with_a_lower_code_pays_the_difference_back,
    story_3f_an_addendum_with_a_higher_code_charges_the_difference,
    a_code_without_a_price_is_asked_for_and_charged_when_it_has_one,
    story_2_a_hybrid_visit_from_coverage_to_the_claim,
    story_2_a_hybrid_visit_waits_for_its_coverage,
);

const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;
const DECLINED_LATER: &str = "pm_card_chargeCustomerFail";

struct Here {
    world: World,
    desk: Desk,
    patient: PatientId,
    booked: Appointment,
}

/// A clinic whose platform keeps 15 %, and a visit that is booked without money.
async fn here(mut world: World, card: Option<&str>) -> Here {
    let desk =
        world.practice(Timing::PostVisit, |clinic, _, _| clinic.platform_share = Some(1_500)).await.unwrap();
    world.prices(desk, &[("99214", 16_500), ("90833", 7_500), ("99213", 11_000)]).await.unwrap();
    let patient = match card {
        Some(card) => world.patient_with_card(0, card).await.unwrap().id,
        None => world.patient(0).await.unwrap().id,
    };
    world.consent(patient, Purpose::Visit, 50_000).await.unwrap();
    let starts_at = world.opening(desk, 60).await.unwrap();
    let booked = world.select(desk, (patient, 0), starts_at, None).await.unwrap();
    assert_eq!(booked.status, Status::Confirmed, "post-visit books without money");
    world.pass(100 * MINUTE).await.unwrap();
    Here { world, desk, patient, booked }
}

impl Here {
    async fn visit(&mut self, codes: &[&str]) -> Encounter {
        self.world.visit(self.booked.id, codes).await.unwrap()
    }

    async fn service(&self) -> Service {
        self.world.service(self.booked.service.unwrap()).await.unwrap()
    }

    async fn cents(&self, account: &str) -> i64 {
        self.world.balance(account).await.unwrap()
    }

    async fn payout(&self) -> ProviderPayout {
        let organization = &self.world.organization;
        self.world.engine(0).provider_payouts(organization, None, "", 10).await.unwrap().0.remove(0)
    }

    /// The payment that collects; the gateway's invoice has an intent of its own.
    async fn collection(&self) -> suture_core::payment::Payment {
        let payments = self.world.payments().await.unwrap();
        payments.into_iter().find(|payment| payment.debt.is_some()).unwrap()
    }

    fn charges(&self) -> usize {
        self.world.moved("charge").len()
    }
}

async fn story_3_the_signed_encounter_is_charged_once_and_shared(world: World) {
    let mut here = here(world, Some("pm_card_visa")).await;
    assert_eq!(here.charges(), 0);
    let encounter = here.visit(&["99214", "90833"]).await;
    assert_eq!(encounter.total().unwrap().minor, 24_000);
    assert_eq!(here.service().await.status, service::Status::Completed);
    assert_eq!((here.cents("ar:patient").await, here.charges()), (0, 1));
    assert_eq!((here.cents("rev:service").await, here.cents("rev:platform").await), (0, -3_600));
    let payout = here.payout().await;
    assert_eq!((payout.accrual.gross.minor, here.cents("owed:provider").await), (24_000, -20_400));
    // One row: appointment, encounter, codes, payment (FLOWS 3.5).
    let ended = here.world.appointment(here.booked.id).await.unwrap();
    assert_eq!((ended.status, ended.encounter), (Status::Completed, Some(encounter.id)));
}

async fn story_3_a_notice_for_balances_does_not_delay_a_signed_encounter(mut world: World) {
    let notice = std::time::Duration::from_secs(5 * 86_400);
    let billing = suture_engine::Billing { collect_after: Some(notice), ..suture_engine::Billing::default() };
    world.restart_with(billing).await.unwrap();
    let mut here = here(world, Some("pm_card_visa")).await;
    here.visit(&["99214"]).await;
    assert_eq!((here.charges(), here.service().await.status), (1, service::Status::Completed));
    here.world.pass(10 * DAY).await.unwrap();
    assert_eq!(here.charges(), 1, "and once");
}

async fn story_3a_signed_twice_is_charged_once(world: World) {
    let mut here = here(world, Some("pm_card_visa")).await;
    let encounter = here.visit(&["99214"]).await;
    let text = "S: better. O: fine. A: well. P: again in a year.";
    let again = here.world.sign_encounter(encounter.id, text, &["99214"]).await.unwrap();
    assert_eq!((again.version, here.charges()), (1, 1));
    let other = here.world.sign_encounter(encounter.id, "other words", &["99214"]).await;
    assert!(matches!(other, Err(Error::Refused(refusal)) if refusal.code == "note_signed"));
}

async fn story_3b_a_soft_decline_is_tried_again_on_its_days(world: World) {
    let mut here = here(world, Some(DECLINED_LATER)).await;
    here.visit(&["99214"]).await;
    assert_eq!(here.service().await.status, service::Status::Settling);
    assert_eq!(here.collection().await.attempts.len(), 1);

    here.world.pass(DAY + MINUTE).await.unwrap();
    let second = here.collection().await;
    assert_eq!(second.attempts.len(), 2, "the next day");
    assert_ne!(second.attempts[0].key, second.attempts[1].key, "another attempt, another key");
    here.world.pass(2 * DAY).await.unwrap();
    assert_eq!(here.collection().await.attempts.len(), 3, "after three days");
    here.world.pass(5 * DAY).await.unwrap();
    assert_eq!(here.collection().await.attempts.len(), 4, "after seven days, the last");
    here.world.pass(30 * DAY).await.unwrap();
    assert_eq!(here.collection().await.attempts.len(), 4);
    let asked = here.world.effects(State::Parked).await.unwrap();
    assert!(asked.iter().any(|effect| effect.destination == "collections"), "a person knows");
}

async fn story_3b_a_hard_decline_is_never_tried_again(world: World) {
    let mut here = here(world, Some("pm_card_visa")).await;
    let body = serde_json::json!({ "payment_method": here.card().await, "state": "stolen" });
    here.world.outside.at_stripe("card", &body).unwrap();
    here.visit(&["99214"]).await;
    assert_eq!(here.service().await.status, service::Status::Settling);
    here.world.pass(30 * DAY).await.unwrap();
    assert_eq!(here.collection().await.attempts.len(), 1);
    let asked = here.world.effects(State::Parked).await.unwrap();
    assert!(asked.iter().any(|effect| effect.destination == "collections"));
}

impl Here {
    async fn card(&self) -> String {
        let organization = &self.world.organization;
        let patient = self.world.engine(0).patient(organization, self.patient).await.unwrap();
        patient.methods.keys().next().unwrap().clone()
    }
}

async fn story_3c_without_a_method_the_patient_gets_a_link(world: World) {
    let mut here = here(world, None).await;
    here.visit(&["99214"]).await;
    assert_eq!((here.charges(), here.service().await.status), (0, service::Status::Settling));
    let organization = here.world.organization.clone();
    let about = Some(here.booked.id.to_string());
    let told = here.world.engine(0).notices(&organization, about, "", 50).await.unwrap();
    assert!(
        told.iter().any(|notice| notice.plan.template == suture_core::notice::Template::PaymentDeclined),
        "the patient has a link"
    );
    assert_eq!(here.cents("ar:patient").await, 16_500, "still owed");
}

async fn story_3d_after_the_last_try_a_person_writes_off(world: World) {
    let mut here = here(world, Some(DECLINED_LATER)).await;
    here.visit(&["99214"]).await;
    here.world.pass(10 * DAY).await.unwrap();
    let payment = here.collection().await;
    let caller = here.world.caller();
    here.world.engine(0).clone().cancel_payment(&caller, payment.id).await.unwrap();
    here.world.settle().await.unwrap();
    let off = service::Command::WriteOff {
        amount: suture_core::money::Money::usd(16_500),
        approver: "finance_head".into(),
        reason: "uncollectible".into(),
    };
    let service = here.world.on_service(here.booked.service.unwrap(), off).await.unwrap();
    assert_eq!(service.status, service::Status::Completed);
    assert_eq!((here.cents("adj:writeoff").await, here.cents("ar:patient").await), (16_500, 0));
}

async fn story_3e_an_addendum_with_a_lower_code_pays_the_difference_back(world: World) {
    let mut here = here(world, Some("pm_card_visa")).await;
    let encounter = here.visit(&["99214"]).await;
    here.world.addend(encounter.id, &["99213"]).await.unwrap();
    assert_eq!(here.service().await.worksheet().difference.minor, 0);
    assert_eq!((here.charges(), here.world.moved("refund").len()), (1, 1));
    assert_eq!(here.cents("owed:provider").await, -9_350, "85 % of 110.00");
    assert_eq!(here.cents("rev:platform").await, -1_650);
}

async fn story_3f_an_addendum_with_a_higher_code_charges_the_difference(world: World) {
    let mut here = here(world, Some("pm_card_visa")).await;
    let encounter = here.visit(&["99213"]).await;
    here.world.addend(encounter.id, &["99214"]).await.unwrap();
    assert_eq!((here.charges(), here.service().await.status), (2, service::Status::Completed));
    assert_eq!(here.cents("gw:stripe").await + here.cents("exp:fee").await, 16_500);
    // And down again, and up again: each difference once.
    here.world.addend(encounter.id, &["99213"]).await.unwrap();
    here.world.addend(encounter.id, &["99214"]).await.unwrap();
    assert_eq!(here.service().await.worksheet().difference.minor, 0);
    assert_eq!((here.charges(), here.world.moved("refund").len()), (3, 1));
}

async fn a_code_without_a_price_is_asked_for_and_charged_when_it_has_one(world: World) {
    let mut here = here(world, Some("pm_card_visa")).await;
    let encounter = here.visit(&["99214", "99999"]).await;
    assert_eq!((encounter.missing.clone(), here.charges()), (vec!["99999".to_owned()], 0));
    let parked = here.world.effects(State::Parked).await.unwrap();
    assert!(parked.iter().any(|effect| effect.destination == "fees"), "a person is asked");
    here.world.prices(here.desk, &[("99999", 1_000)]).await.unwrap();
    here.world.settle().await.unwrap();
    assert_eq!((here.charges(), here.service().await.status), (1, service::Status::Completed));
    assert!(here.world.effects(State::Parked).await.unwrap().is_empty());
}

async fn story_2_a_hybrid_visit_from_coverage_to_the_claim(mut world: World) {
    let desk = world.practice(Timing::Hybrid, |_, _, visit| visit.price.minor = 30_000).await.unwrap();
    world.prices(desk, &[("99214", 30_000)]).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    // The intake form makes the policy and begins the check; the payer says a copay of 40.00.
    let form = NewIntake {
        patient,
        form: "new-patient-3".into(),
        answers: Phi::new(BTreeMap::from([("allergies".to_owned(), "none".to_owned())])),
        insurance: Some(("PAYER1".into(), Phi::new("W123".to_owned()))),
        service_types: vec!["98".into()],
    };
    let caller = world.caller();
    let intake = world.engine(0).submit_intake(&caller, form).await.unwrap();
    let policy = intake.policy.unwrap();
    let valid = suture_core::policy::Command::Confirm { evidence: "phone".into() };
    world.engine(0).move_policy(&caller, policy, valid).await.unwrap();
    let organization = world.organization.clone();
    let answers = world.engine(0).intake_answers(&organization, intake.id).await.unwrap();
    assert_eq!(answers.expose()["allergies"], "none");
    let check = world.answer(intake.eligibility.unwrap(), 4_000).await.unwrap();
    let starts_at = world.opening(desk, 120).await.unwrap();
    let held = world.select(desk, (patient, 0), starts_at, Some(check.id)).await.unwrap();
    assert_eq!(
        (held.terms.deposit.minor, held.status),
        (4_000, Status::PendingPayment),
        "the verified copay"
    );
    let booked = world.pay(held.id, "pm_card_visa").await.unwrap();
    assert_eq!(booked.status, Status::Confirmed);
    world.pass(150 * MINUTE).await.unwrap();
    world.visit(booked.id, &["99214"]).await.unwrap();
    let service = world.service(booked.service.unwrap()).await.unwrap();
    assert_eq!((service.status, service.eligibility), (service::Status::Billed, Some(check.id)));
    assert_eq!(world.balance("ar:payer").await.unwrap(), 30_000);
    assert_eq!(world.balance("deposit:patient").await.unwrap(), -4_000, "until the payer decides");
}

async fn story_2_a_hybrid_visit_waits_for_its_coverage(mut world: World) {
    let desk = world.practice(Timing::Hybrid, |_, _, _| {}).await.unwrap();
    let patient = world.patient_with_card(0, "pm_card_visa").await.unwrap().id;
    let starts_at = world.opening(desk, 120).await.unwrap();
    let refused = world.select(desk, (patient, 0), starts_at, None).await;
    assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.code == "coverage_not_verified"));
    assert_eq!(world.opening(desk, 120).await.unwrap(), starts_at, "nothing is held");
}
