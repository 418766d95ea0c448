//! Deposit first, balance after insurance (FLOWS §2), from the booking to the payer's decision: 300.00, a copay of 40.00.

use std::time::Duration;

use suture_core::appointment::{Appointment, Status};
use suture_core::consent::Purpose;
use suture_core::id::{AppointmentId, PatientId, ServiceId};
use suture_core::service;
use suture_core::visit::Timing;
use suture_engine::{Billing, Error};

use super::clinic::{DAY, MINUTE, UNTIL_THREE, VISA};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "hybrid";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "an_underpaid_deposit_is_charged_after_the_notice",
        claim: "The insurance leaves 10.00 more than the deposit: they are charged after five days of notice, not before",
        walk: |scene| Box::pin(underpaid(scene)),
    },
    Scenario {
        group: GROUP,
        name: "an_overpaid_deposit_is_refunded",
        claim: "The insurance leaves 15.00 less than the deposit: they go back by themselves, once",
        walk: |scene| Box::pin(overpaid(scene)),
    },
    Scenario {
        group: GROUP,
        name: "an_exact_deposit_completes",
        claim: "The insurance leaves exactly the deposit: no money moves any more",
        walk: |scene| Box::pin(exact(scene)),
    },
    Scenario {
        group: GROUP,
        name: "without_verified_coverage_nothing_is_held",
        claim: "A hybrid visit waits for its coverage: without it no slot is held and no money asked for",
        walk: |scene| Box::pin(unverified(scene)),
    },
];

/// A hybrid visit whose claim the payer has.
pub(super) struct Insured {
    pub(super) patient: PatientId,
    pub(super) booked: Appointment,
    pub(super) service: ServiceId,
}

impl Scene {
    /// The control number of a visit's claim.
    pub(super) async fn claim_of(&self, appointment: AppointmentId) -> Told<String> {
        let known = self.appointment(appointment).await?;
        let service = known.service.ok_or_else(|| "the visit has no bill".to_owned())?;
        let claim = self.world.service(service).await?.claim;
        claim.map(|(claim, _)| claim).ok_or_else(|| "no claim was sent".to_owned().into())
    }

    /// Where the bill stands.
    pub(super) async fn expect_bill(
        &mut self,
        name: &str,
        visit: &Insured,
        expected: service::Status,
    ) -> Told<()> {
        let seen = self.world.service(visit.service).await?.status;
        self.expect(name, expected, seen);
        Ok(())
    }
}

/// A visit from the verified copay to the claim, which the payer will decide as a case of FLOWS §2 says. Told in two steps.
pub(super) async fn insured(scene: &mut Scene, case: &str) -> Told<Insured> {
    let notice = Duration::from_secs(5 * 86_400);
    scene.world.restart_with(Billing { collect_after: Some(notice), ..Billing::default() }).await?;
    let desk = scene.clinic(Timing::Hybrid, |_, _, visit| visit.price.minor = 30_000).await?;
    scene.world.prices(desk, &[("99214", 30_000)]).await?;
    let plan = scene.plan_at(desk, Some(VISA), UNTIL_THREE).await?;
    scene.world.consent(plan.patient, Purpose::BalanceAfterInsurance, 15_000).await?;
    let check = scene.world.eligible(plan.patient, 4_000).await?;
    let held = scene.world.select(desk, (plan.patient, 0), plan.starts_at, Some(check.id)).await?;
    let booked = scene.world.pay(held.id, VISA).await?;
    let happened = [
        "The insurance says that a copay of 40.00 is due for a visit at 300.00. It is paid and makes the booking.",
        "She agrees that what the insurance leaves is charged to the card on file, up to 150.00.",
    ];
    scene.step("A visit is booked with the verified copay as its deposit", &happened).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    scene.expect_booked("it is still her money", &[("gw:stripe", 4_000), ("deposit:patient", -4_000)]);
    scene.expect_said("confirmation and receipt", &["patient booking_confirmed", "patient receipt"]);

    scene.until(plan.starts_at).await?;
    scene.world.pass(30 * MINUTE).await?;
    scene.world.visit(booked.id, &["99214"]).await?;
    let claim = scene.claim_of(booked.id).await?;
    scene.world.claim(&claim, 30_000, case)?;
    scene
        .step(
            "The visit, the signed note, and the claim",
            &["She is asked for nothing until the insurance has decided."],
        )
        .await?;
    scene.expect_booked("the insurance owes the charge", &[("ar:payer", 30_000), ("rev:service", -30_000)]);
    let known = scene.appointment(booked.id).await?;
    let service = known.service.ok_or_else(|| "the visit has no bill".to_owned())?;
    Ok(Insured { patient: plan.patient, booked: known, service })
}

/// The underpaid visit up to the notice: 10.00 are left. Told in one more step.
pub(super) async fn underpaid_until_notice(scene: &mut Scene) -> Told<Insured> {
    let visit = insured(scene, "2A").await?;
    decided_underpaid(scene, &visit).await?;
    Ok(visit)
}

/// The payer leaves 50.00 to the patient.
pub(super) async fn decided_underpaid(scene: &mut Scene, visit: &Insured) -> Told<()> {
    scene.world.pass(DAY).await?;
    scene.world.payer_pays().await?;
    let happened = [
        "130.00 are paid, 120.00 are a discount by contract, 50.00 are hers: 40.00 are there, 10.00 are left.",
    ];
    scene.step("The insurance has decided", &happened).await?;
    scene.expect_booked(
        "every cent of the claim has a place",
        &[
            ("bank", 13_000),
            ("adj:contractual", 12_000),
            ("ar:payer", -30_000),
            ("deposit:patient", 4_000),
            ("ar:patient", 1_000),
        ],
    );
    scene.expect_bill("the bill is being settled", visit, service::Status::Settling).await
}

async fn underpaid(scene: &mut Scene) -> Told<()> {
    let visit = underpaid_until_notice(scene).await?;
    scene.world.pass(5 * DAY - 1).await?;
    scene.step("A moment before the five days of notice end", &[]).await?;
    scene.expect_moved("nothing was charged yet", 1, 0);
    scene.world.pass(1).await?;
    scene.step("The notice is over: 10.00 are charged under her consent", &[]).await?;
    scene.expect_booked("10.00, once", &[("gw:stripe", 1_000), ("ar:patient", -1_000)]);
    scene.expect_bill("the bill is settled", &visit, service::Status::Completed).await?;
    scene.expect_status("the visit is over", visit.booked.id, Status::Completed).await?;
    scene.expect_moved("two charges", 2, 0);
    let known = scene.world.engine(0).patient(&scene.world.organization, visit.patient).await?;
    let left = known.consents.first().map(|consent| consent.left().minor);
    scene.expect("and she still allows 140.00", Some(14_000), left);
    Ok(())
}

async fn overpaid(scene: &mut Scene) -> Told<()> {
    let visit = insured(scene, "2B").await?;
    scene.world.pass(DAY).await?;
    scene.world.payer_pays().await?;
    let happened = [
        "155.00 are paid, 120.00 are a discount, 25.00 are hers. She paid 40.00: 15.00 go back to her card.",
    ];
    scene.step("The insurance has decided", &happened).await?;
    scene.expect_booked(
        "15.00 leave Stripe, and nothing is owed either way",
        &[
            ("gw:stripe", -1_500),
            ("bank", 15_500),
            ("adj:contractual", 12_000),
            ("ar:payer", -30_000),
            ("deposit:patient", 4_000),
        ],
    );
    scene.expect_moved("one charge, one refund", 1, 1);
    scene.expect_bill("the bill is settled", &visit, service::Status::Completed).await?;
    let credits = scene.world.engine(0).credits(&scene.world.organization, 10).await?.len();
    scene.expect("we owe nobody", 0, credits);
    Ok(())
}

async fn exact(scene: &mut Scene) -> Told<()> {
    let visit = insured(scene, "2C").await?;
    scene.world.pass(DAY).await?;
    scene.world.payer_pays().await?;
    scene
        .step("The insurance has decided: 140.00 are paid, 120.00 are a discount, 40.00 are hers", &[])
        .await?;
    scene.expect_booked(
        "the deposit is used up",
        &[("bank", 14_000), ("adj:contractual", 12_000), ("ar:payer", -30_000), ("deposit:patient", 4_000)],
    );
    scene.expect_bill("the bill is settled", &visit, service::Status::Completed).await?;
    scene.world.pass(10 * DAY).await?;
    scene.step("Ten days later", &[]).await?;
    scene.expect_booked("no money moves any more", &[]);
    scene.expect_moved("one charge", 1, 0);
    Ok(())
}

async fn unverified(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::Hybrid, Some(VISA), UNTIL_THREE).await?;
    let refused = scene.world.select(plan.desk, (plan.patient, 0), plan.starts_at, None).await;
    scene.step("A patient whose coverage nobody checked picks a time", &[]).await?;
    let code = match refused {
        Err(Error::Refused(refusal)) => refusal.code,
        _ => "",
    };
    scene.expect("refused, with the reason", "coverage_not_verified", code);
    let open = scene.is_open(plan).await?;
    scene.expect("the slot is free", true, open);
    scene.expect_moved("no money moved", 0, 0);
    Ok(())
}
