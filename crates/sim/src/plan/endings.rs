//! Visits that do not take place as booked (FLOWS T5, FEATURES M329 to M339): cancelled, missed, moved.

use suture_core::appointment::{Party, Status};
use suture_core::consent::Purpose;
use suture_core::visit::{Occasion, Timing};
use suture_engine::scheduling::{Ending, Move};

use super::clinic::{MINUTE, Plan, UNTIL_THREE, VISA, strict};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "endings";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "the_provider_cancels",
        claim: "A visit that the provider cancels costs the patient nothing, whatever the policy says",
        walk: |scene| Box::pin(provider_cancels(scene)),
    },
    Scenario {
        group: GROUP,
        name: "the_patient_cancels_late",
        claim: "A late cancellation costs what the preview said: the fee is kept of the deposit, the rest goes back",
        walk: |scene| Box::pin(patient_cancels(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_no_show_with_consent",
        claim: "A no-show fee above the deposit is charged to the card on file under a consent for such fees",
        walk: |scene| Box::pin(no_show(scene, true)),
    },
    Scenario {
        group: GROUP,
        name: "a_no_show_without_consent",
        claim: "Without such a consent only the deposit is kept, and a person is asked about the rest",
        walk: |scene| Box::pin(no_show(scene, false)),
    },
    Scenario {
        group: GROUP,
        name: "a_moved_visit_keeps_its_deposit",
        claim: "A moved visit keeps its deposit, its reminders move along, and the old slot is free",
        walk: |scene| Box::pin(moved(scene)),
    },
];

/// A clinic that keeps 25.00 of late cancellations and half of the price of no-shows; a visit at three with its deposit.
async fn booked(scene: &mut Scene) -> Told<(Plan, suture_core::appointment::Appointment)> {
    let desk = scene.clinic(Timing::DepositToBook, |clinic, _, _| clinic.policy = strict()).await?;
    let plan = scene.plan_at(desk, Some(VISA), UNTIL_THREE).await?;
    let booked = scene.book(plan).await?;
    let happened = ["The policy: 25.00 when the patient cancels late, 60.00 when nobody comes."];
    scene.step("A visit at 3 PM is booked with a deposit of 50.00", &happened).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    scene.expect_booked("the deposit is hers", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    Ok((plan, booked))
}

async fn provider_cancels(scene: &mut Scene) -> Told<()> {
    let (plan, booked) = booked(scene).await?;
    let ending = Ending { by: Party::Provider, reason: "ill".to_owned(), waived_by: None };
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    engine.cancel_appointment(&caller, booked.id, ending).await?;
    scene.step("The doctor is ill and cancels", &[]).await?;
    scene.expect_status("the visit is off", booked.id, Status::Canceled).await?;
    scene.expect_booked("all of it goes back", &[("gw:stripe", -5_000), ("deposit:patient", 5_000)]);
    scene.expect_said("she knows of both", &["patient refund_started", "patient visit_canceled"]);
    scene.expect_moved("one charge, one refund", 1, 1);
    let open = scene.is_open(plan).await?;
    scene.expect("the slot is free", true, open);
    Ok(())
}

async fn patient_cancels(scene: &mut Scene) -> Told<()> {
    let (_, booked) = booked(scene).await?;
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    let what = (Occasion::PatientCancels, "changed_mind");
    let preview = engine.preview_ending(&scene.world.organization, booked.id, what).await?;
    let said = (preview.verdict.fee.minor, preview.verdict.refund.minor);
    let ending = Ending { by: Party::Patient, reason: "changed_mind".to_owned(), waived_by: None };
    engine.cancel_appointment(&caller, booked.id, ending).await?;
    scene
        .step(
            "She cancels a few hours before",
            &["Before she did, she was shown: 25.00 are kept, 25.00 go back."],
        )
        .await?;
    scene.expect("the preview said so", (2_500, 2_500), said);
    scene.expect_status("the visit is off", booked.id, Status::Canceled).await?;
    scene.expect_booked(
        "25.00 are earned, 25.00 go back",
        &[("gw:stripe", -2_500), ("deposit:patient", 5_000), ("rev:service", -2_500)],
    );
    scene.expect_said(
        "both sides know",
        &["patient refund_started", "patient visit_canceled", "provider provider_visit_canceled"],
    );
    scene.expect_moved("one charge, one refund", 1, 1);
    Ok(())
}

async fn no_show(scene: &mut Scene, consents: bool) -> Told<()> {
    let (plan, booked) = booked(scene).await?;
    if consents {
        scene.world.consent(plan.patient, Purpose::MissedVisitFee, 10_000).await?;
    }
    scene.until(plan.starts_at).await?;
    scene.world.pass(30 * MINUTE).await?;
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    engine.miss_appointment(&caller, booked.id).await?;
    scene.step("She does not come: 60.00, of which the deposit pays 50.00", &[]).await?;
    scene.expect_status("a no-show", booked.id, Status::NoShow).await?;
    let (charges, left) = if consents { (2, 0) } else { (1, 1_000) };
    let mut expected = vec![("deposit:patient", 5_000), ("rev:service", -6_000)];
    expected.push(if consents { ("gw:stripe", 1_000) } else { ("ar:patient", 1_000) });
    scene.expect_booked("60.00 are earned", &expected);
    scene.expect_moved("the deposit, and with a consent the rest", charges, 0);
    let owed = scene.world.balance("ar:patient").await?;
    scene.expect("what is left is owed", left, owed);
    if !consents {
        scene.expect_question("a person is asked", "billing").await?;
    }
    Ok(())
}

async fn moved(scene: &mut Scene) -> Told<()> {
    let (plan, booked) = booked(scene).await?;
    let later = scene.world.opening(plan.desk, UNTIL_THREE + 2 * 1_440).await?;
    let to = Move { starts_at: later, by: Party::Patient, reason: "busy".to_owned() };
    let (engine, caller) = (scene.world.engine(0).clone(), scene.world.caller());
    let moved = engine.move_appointment(&caller, booked.id, to).await?;
    scene.step("She moves the visit to the day after tomorrow", &[]).await?;
    scene.expect(
        "it stands at the new time",
        (later, Status::Confirmed),
        (moved.context.starts_at, moved.status),
    );
    scene.expect_booked("no money moved", &[]);
    scene.expect_moved("and none will: one charge", 1, 0);
    scene.expect_said("she has the new time", &["patient visit_moved"]);
    let open = scene.is_open(plan).await?;
    scene.expect("the old slot is free", true, open);
    scene.until(later).await?;
    scene.step("The new day", &[]).await?;
    scene.expect_said(
        "both reminders, of the new time",
        &["patient visit_reminder_day", "patient visit_reminder_hour"],
    );
    Ok(())
}
