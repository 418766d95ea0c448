//! The window before a visit (FLOWS T1 to T5): the rest of the price is charged ten minutes before the start and declined.

use suture_core::appointment::{Appointment, Status};
use suture_core::money::Money;

use super::clinic::{ASKS, DECLINED_LATER, MINUTE, Plan, VISA};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "window";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "paid_at_14_59",
        claim: "Declined at 14:50, paid at 14:59: the visit stands, and the deadline finds it paid",
        walk: |scene| Box::pin(paid_in_time(scene)),
    },
    Scenario {
        group: GROUP,
        name: "released_at_15_00",
        claim: "Declined at 14:50 and not paid: the slot is released at 15:00, not a moment before, and the deposit goes back",
        walk: |scene| Box::pin(released(scene)),
    },
    Scenario {
        group: GROUP,
        name: "seen_anyway",
        claim: "A provider sees the patient anyway: the visit stands, what is due stays owed, name and reason are on record",
        walk: |scene| Box::pin(seen_anyway(scene)),
    },
    Scenario {
        group: GROUP,
        name: "an_emergency_is_never_released",
        claim: "An emergency is not released for money, however late it is",
        walk: |scene| Box::pin(emergency(scene)),
    },
    Scenario {
        group: GROUP,
        name: "money_after_the_release_goes_back",
        claim: "Money that arrives a minute after the release goes back, with the deposit",
        walk: |scene| Box::pin(too_late(scene)),
    },
];

/// 14:50: the charge of 70.00 is declined, and both sides know.
async fn declined_at_ten(scene: &mut Scene) -> Told<(Plan, Appointment)> {
    let (plan, booked) = scene.charged_before(DECLINED_LATER).await?;
    let wait = plan.starts_at.millis() - 10 * MINUTE - scene.world.clock.millis();
    scene.world.pass(wait).await?;
    let happened =
        ["70.00 are charged to the card on file, and its bank says no. There are ten minutes left."];
    scene.step("14:50: the rest is declined", &happened).await?;
    let risky = scene.appointment(booked.id).await?;
    scene.expect("the visit is at risk", Status::AtRisk, risky.status);
    let deadline = risky.risk.as_ref().map(|(deadline, _)| *deadline);
    scene.expect("until it begins", Some(plan.starts_at), deadline);
    scene.expect_said(
        "reminder of the hour before; now both sides know at once",
        &["patient payment_declined", "patient visit_reminder_hour", "provider provider_payment_risk"],
    );
    scene.expect_booked("no money moved", &[]);
    Ok((plan, risky))
}

async fn paid_in_time(scene: &mut Scene) -> Told<()> {
    let (_, risky) = declined_at_ten(scene).await?;
    scene.world.pass(9 * MINUTE).await?;
    let paid = scene.world.pay(risky.id, VISA).await?;
    scene.step("14:59: she pays with another card, by the link", &[]).await?;
    scene.expect(
        "the visit stands, and nothing is open",
        (Status::Confirmed, None),
        (paid.status, paid.visit_open()),
    );
    scene.expect_booked("70.00 more are her deposit", &[("gw:stripe", 7_000), ("deposit:patient", -7_000)]);
    scene.expect_said("a receipt", &["patient receipt"]);
    scene.world.pass(5 * MINUTE).await?;
    scene.step("15:04: the deadline has passed", &[]).await?;
    scene.expect_status("and found it paid", risky.id, Status::Confirmed).await?;
    scene.expect_booked("nothing moved", &[]);
    scene.expect_moved("the deposit and the rest, once each", 2, 0);
    Ok(())
}

async fn released(scene: &mut Scene) -> Told<()> {
    let (plan, risky) = declined_at_ten(scene).await?;
    scene.world.pass(10 * MINUTE - 1).await?;
    scene.step("A moment before 15:00: nobody has paid", &[]).await?;
    scene.expect_status("the visit is still hers", risky.id, Status::AtRisk).await?;
    scene.world.pass(1).await?;
    let happened = ["The clinic's policy says what happens to the deposit; here it goes back whole."];
    scene.step("15:00: the slot is released", &happened).await?;
    let ended = scene.appointment(risky.id).await?;
    let reason = ended.ended.map(|(_, reason, _)| reason);
    scene.expect(
        "released, for money",
        (Status::Canceled, Some("payment_sla".to_owned())),
        (ended.status, reason),
    );
    scene.expect_booked(
        "the deposit is on its way back",
        &[("gw:stripe", -5_000), ("deposit:patient", 5_000)],
    );
    scene.expect_said(
        "both sides know, and she knows of her money",
        &["patient refund_started", "patient visit_released", "provider provider_visit_canceled"],
    );
    scene.expect_moved("one charge, one refund", 1, 1);
    let _ = plan;
    Ok(())
}

async fn seen_anyway(scene: &mut Scene) -> Told<()> {
    let (_, risky) = declined_at_ten(scene).await?;
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    let seen = engine.override_risk(&caller, risky.id, ("dr_grey", "continuity")).await?;
    scene
        .step("14:50: the doctor sees her anyway", &["Name and reason are kept in the audit trail."])
        .await?;
    scene.expect(
        "name and reason are on record",
        Some(("dr_grey".to_owned(), "continuity".to_owned())),
        seen.overridden,
    );
    scene.world.pass(10 * MINUTE).await?;
    scene.step("15:00: the deadline passes", &[]).await?;
    let stands = scene.appointment(risky.id).await?;
    scene.expect(
        "the visit stands, and 70.00 stay open",
        (Status::Confirmed, Some(Money::usd(7_000))),
        (stands.status, stands.visit_open()),
    );
    scene.expect_booked("nothing moved", &[]);
    Ok(())
}

async fn emergency(scene: &mut Scene) -> Told<()> {
    let (_, risky) = declined_at_ten(scene).await?;
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    engine.mark_emergency(&caller, risky.id, (true, "dr_grey", "chest_pain")).await?;
    scene.world.pass(30 * MINUTE).await?;
    scene.step("It is an emergency; half an hour later", &[]).await?;
    scene.expect_status("nobody released it", risky.id, Status::AtRisk).await?;
    scene.expect_booked("nothing moved", &[]);
    scene.expect_moved("the deposit only", 1, 0);
    Ok(())
}

async fn too_late(scene: &mut Scene) -> Told<()> {
    let (_, risky) = declined_at_ten(scene).await?;
    let trying = scene.world.pay(risky.id, ASKS).await?;
    scene.world.pass(9 * MINUTE).await?;
    scene.step("14:59: she tries another card; her bank wants her to confirm", &[]).await?;
    scene.expect("it is not paid yet", Status::AtRisk, trying.status);
    // Two minutes in which nobody here works; the release comes first.
    scene.world.clock.jump(2 * MINUTE);
    scene.answer_bank(&trying, "success").await?;
    scene.world.work().await?;
    scene
        .step(
            "15:01: released, and then her bank's yes arrives",
            &["The slot is gone, so all of it goes back."],
        )
        .await?;
    scene.expect_status("the visit is off", risky.id, Status::Canceled).await?;
    scene.expect_moved("two charges, two refunds", 2, 2);
    scene.expect_books("nothing of hers is left here", &[]);
    Ok(())
}
