//! The three timings side by side (FLOWS §1 to §3): three clinics that chose differently, one visit at 300.00 each, one clock.

use std::time::Duration;

use suture_core::appointment::{Appointment, Status};
use suture_core::consent::Purpose;
use suture_core::id::PatientId;
use suture_core::service;
use suture_core::visit::Timing;
use suture_engine::Billing;

use super::clinic::{DAY, MINUTE, Plan, UNTIL_THREE, VISA};
use super::program::Scenario;
use super::scene::{Scene, Told};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario {
    group: "three_timings",
    name: "three_timings_side_by_side",
    claim: "The same visit paid at three times: before it is booked, after it was signed, and after the insurance has paid",
    walk: |scene| Box::pin(side_by_side(scene)),
}];

const PRICE: i64 = 30_000;
const BEFORE: &str = "before";
const AFTER: &str = "after";
const INSURED: &str = "insured";

/// The three visits.
struct Three {
    before: Appointment,
    after: Appointment,
    insured: Appointment,
}

async fn side_by_side(scene: &mut Scene) -> Told<()> {
    let notice = Duration::from_secs(5 * 86_400);
    scene.world.restart_with(Billing { collect_after: Some(notice), ..Billing::default() }).await?;
    let three = Box::pin(select(scene)).await?;
    Box::pin(pay(scene, &three)).await?;
    Box::pin(visits(scene, &three)).await?;
    Box::pin(insurance(scene, &three)).await?;
    Box::pin(completed(scene, &three)).await
}

/// A clinic with its timing, a patient, and an opening the day after tomorrow at three.
async fn begin(scene: &mut Scene, timing: Timing, number: usize) -> Told<Plan> {
    let desk = scene.clinic(timing, |_, _, visit| visit.price.minor = PRICE).await?;
    scene.world.prices(desk, &[("99214", PRICE)]).await?;
    let patient = scene.patient(number, Some(VISA)).await?;
    let starts_at = scene.world.opening(desk, 2 * 1_440 + UNTIL_THREE).await?;
    Ok(Plan { desk, patient, starts_at })
}

async fn select(scene: &mut Scene) -> Told<Three> {
    let first = begin(scene, Timing::DepositToBook, 0).await?;
    let before = scene.world.select(first.desk, (first.patient, 0), first.starts_at, None).await?;
    scene.call(before.id, BEFORE);
    let second = begin(scene, Timing::PostVisit, 1).await?;
    let after = scene.world.select(second.desk, (second.patient, 1), second.starts_at, None).await?;
    scene.call(after.id, AFTER);
    let third = begin(scene, Timing::Hybrid, 2).await?;
    let check = scene.world.eligible(third.patient, 4_000).await?;
    let insured = scene.world.select(third.desk, (third.patient, 2), third.starts_at, Some(check.id)).await?;
    scene.call(insured.id, INSURED);
    consents(scene, [first.patient, second.patient, third.patient]).await?;
    let happened = [
        "before: the clinic wants a deposit of 50.00, or there is no booking. The slot is held for ten minutes.",
        "after: the clinic wants nothing before the visit. The booking stands at once.",
        "insured: the insurance said that a copay of 40.00 is due. That is the deposit; the slot is held.",
    ];
    scene.step("Three patients pick Wednesday, 3 PM, a visit at 300.00 each", &happened).await?;
    scene.expect(
        "held, booked, held",
        (Status::PendingPayment, Status::Confirmed, Status::PendingPayment),
        (before.status, after.status, insured.status),
    );
    scene.expect_books("no money moved", &[]);
    scene.expect_said("who is booked is told", &["after: patient booking_confirmed"]);
    Ok(Three { before, after, insured })
}

/// What each of them allowed us to charge to the card on file.
async fn consents(scene: &Scene, [before, after, insured]: [PatientId; 3]) -> Told<()> {
    scene.world.consent(before, Purpose::Visit, 50_000).await?;
    scene.world.consent(after, Purpose::Visit, 50_000).await?;
    Ok(scene.world.consent(insured, Purpose::BalanceAfterInsurance, 15_000).await?)
}

async fn pay(scene: &mut Scene, three: &Three) -> Told<()> {
    scene.world.pass(2 * MINUTE).await?;
    let before = scene.world.pay(three.before.id, VISA).await?;
    let insured = scene.world.pay(three.insured.id, VISA).await?;
    let happened = [
        "before: pays 50.00; with the money there the booking stands.",
        "after: pays nothing yet.",
        "insured: pays the copay of 40.00; the booking stands.",
    ];
    scene.step("Two minutes later the deposits are paid", &happened).await?;
    scene.expect(
        "both bookings stand",
        (Status::Confirmed, Status::Confirmed),
        (before.status, insured.status),
    );
    scene.expect_booked(
        "90.00 lie at Stripe, and they are still the patients'",
        &[("gw:stripe", 9_000), ("deposit:patient", -9_000)],
    );
    scene.expect_said(
        "each is told",
        &[
            "before: patient booking_confirmed",
            "before: patient receipt",
            "insured: patient booking_confirmed",
            "insured: patient receipt",
        ],
    );
    Ok(())
}

async fn visits(scene: &mut Scene, three: &Three) -> Told<()> {
    scene.until(three.before.context.starts_at).await?;
    scene
        .step("The clock jumps to Wednesday, 3 PM", &["Everybody was reminded, a day and an hour before."])
        .await?;
    let reminders: Vec<String> = [AFTER, BEFORE, INSURED]
        .iter()
        .flat_map(|who| ["day", "hour"].map(|ahead| format!("{who}: patient visit_reminder_{ahead}")))
        .collect();
    let reminders: Vec<&str> = reminders.iter().map(String::as_str).collect();
    scene.expect_said("six reminders", &reminders);
    scene.expect_booked("no money moved", &[]);

    scene.world.pass(30 * MINUTE).await?;
    for visit in [&three.before, &three.after, &three.insured] {
        scene.world.visit(visit.id, &["99214"]).await?;
    }
    let happened = [
        "before: the deposit of 50.00 is used up, and the card on file pays the other 250.00.",
        "after: the signed note is charged: 300.00 to the card on file, once.",
        "insured: the claim of 300.00 goes to the insurance. The copay stays a deposit until it has decided.",
    ];
    scene.step("The visits, and their signed notes: 99214, 300.00 each", &happened).await?;
    scene.expect_booked(
        "900.00 are earned; 550.00 were charged, 50.00 were a deposit, 300.00 are with the insurance",
        &[("gw:stripe", 55_000), ("deposit:patient", 5_000), ("ar:payer", 30_000), ("rev:service", -90_000)],
    );
    scene.expect_moved("four charges, no refund", 4, 0);
    expect_bills(
        scene,
        three,
        [service::Status::Completed, service::Status::Completed, service::Status::Billed],
    )
    .await
}

async fn expect_bills(scene: &mut Scene, three: &Three, expected: [service::Status; 3]) -> Told<()> {
    let mut seen = Vec::new();
    for visit in [&three.before, &three.after, &three.insured] {
        let known = scene.appointment(visit.id).await?;
        if let Some(service) = known.service {
            seen.push(scene.world.service(service).await?.status);
        }
    }
    scene.expect("where the three bills stand", expected.to_vec(), seen);
    Ok(())
}

async fn insurance(scene: &mut Scene, three: &Three) -> Told<()> {
    scene.world.pass(14 * DAY).await?;
    let claim = scene.claim_of(three.insured.id).await?;
    scene.world.claim(&claim, PRICE, "2A")?;
    scene.world.payer_pays().await?;
    let happened = [
        "insured: of 300.00, the insurance pays 130.00, takes 120.00 off by contract, and leaves 50.00 to the patient.",
        "40.00 of these are paid already. 10.00 are left, and will be charged after a notice of five days.",
        "before and after: nothing happens; their bills are settled.",
    ];
    scene.step("The clock jumps two weeks: the insurance has decided", &happened).await?;
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
    scene.expect_moved("nobody was charged for it yet", 4, 0);
    expect_bills(
        scene,
        three,
        [service::Status::Completed, service::Status::Completed, service::Status::Settling],
    )
    .await
}

async fn completed(scene: &mut Scene, three: &Three) -> Told<()> {
    scene.world.pass(5 * DAY).await?;
    let happened =
        ["insured: the last 10.00 are charged to the card on file, within what the patient agreed to."];
    scene.step("The clock jumps five days: the notice is over", &happened).await?;
    scene.expect_booked("10.00, once", &[("gw:stripe", 1_000), ("ar:patient", -1_000)]);
    scene.expect_moved("five charges, no refund", 5, 0);
    expect_bills(scene, three, [service::Status::Completed; 3]).await?;
    scene.expect_books(
        "900.00 were earned: 650.00 by cards, 130.00 by the insurance, 120.00 were given up by contract",
        &[("gw:stripe", 65_000), ("bank", 13_000), ("adj:contractual", 12_000), ("rev:service", -90_000)],
    );
    Ok(())
}
