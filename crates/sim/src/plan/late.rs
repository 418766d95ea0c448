//! Late success (FLOWS 1d): money that arrives after the hold has ended. It books again or goes back; never both.

use suture_core::appointment::Status;
use suture_core::id::AppointmentId;
use suture_core::visit::Timing;

use super::clinic::{ASKS, MINUTE, Plan, UNTIL_THREE, VISA};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "late_success";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "late_money_books_again",
        claim: "Money that arrives after the hold has ended books again while the slot is free",
        walk: |scene| Box::pin(books_again(scene)),
    },
    Scenario {
        group: GROUP,
        name: "late_money_goes_back",
        claim: "Money that arrives after somebody else has the slot goes back whole, by itself",
        walk: |scene| Box::pin(goes_back(scene)),
    },
];

/// The patient passes the bank's question at the last moment; the hold ends before anybody hears of it.
async fn paid_too_late(scene: &mut Scene, plan: Plan) -> Told<AppointmentId> {
    let held = scene.select(plan).await?;
    let waiting = scene.world.pay(held.id, ASKS).await?;
    scene.world.pass(14 * MINUTE).await?;
    let happened = [
        "Her bank wants her to confirm. The hold of ten minutes was extended by five, and she still has not.",
    ];
    scene.step("Fourteen minutes after she picked a time", &happened).await?;
    scene.expect_status("the slot is still hers", held.id, Status::PendingPayment).await?;
    // Two minutes in which nobody here works: the hold's end and the bank's yes are found at the same time.
    scene.world.clock.jump(2 * MINUTE);
    scene.answer_bank(&waiting, "success").await?;
    scene.world.step(0).await?;
    let lapsed = scene.appointment(held.id).await?.status;
    scene.expect("two minutes on the hold has ended, before her bank's yes is heard", Status::Lapsed, lapsed);
    Ok(held.id)
}

async fn books_again(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let late = paid_too_late(scene, plan).await?;
    scene
        .step(
            "Now the money arrives, and the slot is still free",
            &["It is hers again, without a word from anybody."],
        )
        .await?;
    scene.expect_status("the booking stands", late, Status::Confirmed).await?;
    scene.expect_booked("50.00 are her deposit", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    scene.expect_moved("one charge, no refund", 1, 0);
    let open = scene.is_open(plan).await?;
    scene.expect("nobody else can have the slot", false, open);
    let told = scene
        .steps
        .last()
        .is_some_and(|step| step.said.iter().any(|said| said.template == "booking_confirmed"));
    scene.expect("she is told that it stands", true, told);
    Ok(())
}

async fn goes_back(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let other = scene.patient(1, Some(VISA)).await?;
    let late = paid_too_late(scene, plan).await?;
    let second = scene.world.select(plan.desk, (other, 1), plan.starts_at, None).await?;
    scene
        .step(
            "Somebody else picks the slot, and now the money arrives",
            &["Stripe has taken 50.00 for a slot that is gone. The whole of it is on its way back at once."],
        )
        .await?;
    let lost = scene.appointment(late).await?;
    scene.expect(
        "the first booking is gone, with its payment marked",
        (Status::Lapsed, 1),
        (lost.status, lost.lost.len()),
    );
    scene.expect_moved("one charge, one refund", 1, 1);
    let books = scene.world.books().await?;
    scene.expect(
        "nothing of hers is left here",
        None,
        books.get("deposit:patient").or(books.get("credit:patient")),
    );
    let told: Vec<String> =
        scene.steps.last().map_or(&[][..], |step| &step.said).iter().map(|said| said.name()).collect();
    let knows = |template: &str| told.iter().any(|name| name == template);
    scene.expect(
        "she is told that the slot is gone and the money comes back",
        (true, true),
        (knows("patient visit_released"), knows("patient refund_started")),
    );
    let booked = scene.world.pay(second.id, VISA).await?;
    scene.step("The other patient pays", &[]).await?;
    scene.expect("one booking stands: never both", Status::Confirmed, booked.status);
    scene.expect_booked("50.00 of the other patient", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    Ok(())
}
