//! A card that ends or disappears between the booking and the visit, and cards that may not pay everything.

use serde_json::json;
use suture_core::appointment::Status;
use suture_core::consent::Purpose;
use suture_core::patient::{Command, HealthCard};
use suture_core::visit::Timing;

use super::clinic::{MINUTE, UNTIL_THREE, VISA, strict};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "method";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "a_card_that_expired_before_the_visit",
        claim: "A card that expired after the booking is no silent failure: the visit is at risk, and another card saves it",
        walk: |scene| Box::pin(gone(scene, Gone::Expired)),
    },
    Scenario {
        group: GROUP,
        name: "a_card_that_was_removed_before_the_visit",
        claim: "A card that was removed after the booking: the same, without a charge that could only fail",
        walk: |scene| Box::pin(gone(scene, Gone::Removed)),
    },
    Scenario {
        group: GROUP,
        name: "a_health_card_pays_no_missed_visit",
        claim: "A health savings card (HSA) may pay for care, not for a missed visit: nothing is charged, a person asks",
        walk: |scene| Box::pin(health_card(scene)),
    },
];

#[derive(Clone, Copy)]
enum Gone {
    Expired,
    Removed,
}

async fn gone(scene: &mut Scene, how: Gone) -> Told<()> {
    let (plan, booked) = scene.charged_before(VISA).await?;
    let card = scene.card_of(plan.patient).await?;
    let what = match how {
        Gone::Expired => {
            let body = json!({ "payment_method": card, "exp_month": 10, "exp_year": 2026 });
            scene.world.outside.at_stripe("card", &body)?;
            "The bank lets the card on file expire."
        }
        Gone::Removed => {
            scene.world.outside.at_stripe("remove_card", &json!({ "payment_method": card }))?;
            "She takes her card off the file."
        }
    };
    scene.world.pass(plan.starts_at.millis() - 10 * MINUTE - scene.world.clock.millis()).await?;
    scene.step("14:50: the rest cannot be charged to the card on file", &[what]).await?;
    scene.expect_status("the visit is at risk", booked.id, Status::AtRisk).await?;
    scene.expect_booked("no money moved", &[]);
    scene.expect_said(
        "both sides know at once",
        &["patient payment_declined", "patient visit_reminder_hour", "provider provider_payment_risk"],
    );
    let paid = scene.world.pay(booked.id, "pm_card_mastercard").await?;
    scene.step("She pays with another card, by the link", &[]).await?;
    scene.expect("the visit stands", Status::Confirmed, paid.status);
    scene.expect_booked("70.00 more are her deposit", &[("gw:stripe", 7_000), ("deposit:patient", -7_000)]);
    scene.expect_moved("two charges", 2, 0);
    Ok(())
}

async fn health_card(scene: &mut Scene) -> Told<()> {
    let desk = scene.clinic(Timing::DepositToBook, |clinic, _, _| clinic.policy = strict()).await?;
    let plan = scene.plan_at(desk, Some("pm_card_debit_visaHsaProductCode"), UNTIL_THREE).await?;
    scene.world.consent(plan.patient, Purpose::MissedVisitFee, 10_000).await?;
    // Stripe does not say what kind of card it is; the front desk does.
    let (caller, method) = (scene.world.caller(), scene.card_of(plan.patient).await?);
    let mark = Command::MarkHealthCard { method, health_card: HealthCard::Yes };
    scene.world.engine(0).change_patient(&caller, plan.patient, mark, "health_card_marked").await?;
    let booked = scene.book(plan).await?;
    let happened = [
        "A missed visit costs 60.00 here, and she agreed to it. The front desk sees that her card on file is an HSA card.",
    ];
    scene.step("A visit is booked with a deposit of 50.00", &happened).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    scene.until(plan.starts_at).await?;
    scene.world.pass(30 * MINUTE).await?;
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    engine.miss_appointment(&caller, booked.id).await?;
    scene
        .step(
            "She does not come",
            &["The deposit pays 50.00 of the fee. The other 10.00 may not come from this card."],
        )
        .await?;
    scene.expect_status("a no-show", booked.id, Status::NoShow).await?;
    scene.expect_booked(
        "60.00 are earned, 50.00 of them paid",
        &[("deposit:patient", 5_000), ("ar:patient", 1_000), ("rev:service", -6_000)],
    );
    scene.expect_moved("nothing was charged to the health card for it", 1, 0);
    scene.expect_question("a person asks for another method", "billing").await?;
    let words = scene.world.effects(suture_store::effects::State::Parked).await?;
    let says = words.iter().any(|effect| effect.error.as_deref().unwrap_or_default().contains("HSA and FSA"));
    scene.expect("and knows why", true, says);
    Ok(())
}
