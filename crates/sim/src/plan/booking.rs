//! Deposit to book (FLOWS §1): the deposit that makes the booking, and the ways in which it can fail.

use suture_core::appointment::Status;
use suture_core::consent::Purpose;
use suture_core::payment;
use suture_core::service;
use suture_core::visit::Timing;
use suture_engine::Error;

use super::clinic::{ASKS, DAY, MINUTE, POOR, UNTIL_THREE, VISA};
use super::program::Scenario;
use super::scene::{Scene, Told};
use crate::world::Fault;

const GROUP: &str = "deposit_to_book";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "a_deposit_books_and_pays_a_part_of_the_visit",
        claim: "A deposit makes the booking, both reminders go out, and the visit costs what is left",
        walk: |scene| Box::pin(whole(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_soft_decline_keeps_the_slot",
        claim: "After a decline that may pass the slot is kept, and another card books it as the second attempt",
        walk: |scene| Box::pin(declined(scene, POOR, "insufficient_funds")),
    },
    Scenario {
        group: GROUP,
        name: "a_hard_decline_keeps_the_slot",
        claim: "After a decline for good the slot is kept, and another card books it",
        walk: |scene| Box::pin(declined(scene, "pm_card_visa_chargeDeclinedLostCard", "lost_card")),
    },
    Scenario {
        group: GROUP,
        name: "an_unpaid_hold_ends",
        claim: "A slot that nobody pays for is free again after ten minutes, and not a minute before",
        walk: |scene| Box::pin(unpaid(scene)),
    },
    Scenario {
        group: GROUP,
        name: "the_bank_asks_and_the_patient_confirms",
        claim: "An open question of the bank (3-D Secure) extends the hold once, and its answer books",
        walk: |scene| Box::pin(challenged(scene)),
    },
    Scenario {
        group: GROUP,
        name: "the_bank_asks_and_the_patient_fails",
        claim: "Who does not pass the bank's question has not paid; another card books in the same hold",
        walk: |scene| Box::pin(challenge_failed(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_lost_answer_is_found",
        claim: "When the answer to a charge is lost, it is found by asking again, and charged once",
        walk: |scene| Box::pin(answer_lost(scene)),
    },
    Scenario {
        group: GROUP,
        name: "two_at_once",
        claim: "Of two patients who want one slot, one holds it, and the other is asked for no money",
        walk: |scene| Box::pin(two_at_once(scene)),
    },
];

async fn whole(scene: &mut Scene) -> Told<()> {
    // The day after tomorrow, so that both reminders have their time.
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), 2 * 1_440 + UNTIL_THREE).await?;
    scene.world.prices(plan.desk, &[("99214", 12_000)]).await?;
    let held = scene.select(plan).await?;
    scene.step("She picks a time", &["The slot is held for ten minutes; nobody else sees it."]).await?;
    scene.expect("the slot is held and nothing is booked", Status::PendingPayment, held.status);
    let open = scene.is_open(plan).await?;
    scene.expect("others do not see it", false, open);
    scene.expect_books("no money moved", &[]);

    let booked = scene.world.pay(held.id, VISA).await?;
    scene
        .step("She pays the deposit of 50.00", &["Only with the money there does the booking stand."])
        .await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    scene.expect_booked("it is still her money", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    scene.expect_said("confirmation and receipt", &["patient booking_confirmed", "patient receipt"]);
    let key = scene.payments_of(&booked).await?.first().map(|paid| paid.attempts[0].key.clone());
    let names_visit = key.is_some_and(|key| key.starts_with(&booked.id.to_string()));
    scene.expect("the key of the charge names the appointment", true, names_visit);

    scene.until(plan.starts_at).await?;
    scene.step("Two days later: the day of the visit", &["Nothing was due in between."]).await?;
    scene.expect_said("both reminders", &["patient visit_reminder_day", "patient visit_reminder_hour"]);
    scene.expect_booked("reminders cost nothing", &[]);
    visit(scene, plan.patient, &booked).await
}

/// The care, its signed note, and the rest of the price.
async fn visit(
    scene: &mut Scene,
    patient: suture_core::id::PatientId,
    booked: &suture_core::appointment::Appointment,
) -> Told<()> {
    scene.world.consent(patient, Purpose::Visit, 20_000).await?;
    scene.world.pass(30 * MINUTE).await?;
    scene.world.visit(booked.id, &["99214"]).await?;
    let happened = [
        "The signed note says what was done: 99214, 120.00. The deposit pays 50.00, the card on file 70.00.",
    ];
    scene.step("The visit, and the signed note", &happened).await?;
    scene.expect_booked(
        "120.00 are earned; the deposit is used up and 70.00 more lie at Stripe",
        &[("gw:stripe", 7_000), ("deposit:patient", 5_000), ("rev:service", -12_000)],
    );
    scene.expect_status("the visit is over", booked.id, Status::Completed).await?;
    let service = match booked.service {
        Some(service) => Some(scene.world.service(service).await?.status),
        None => None,
    };
    scene.expect("and its bill is settled", Some(service::Status::Completed), service);
    scene.expect_moved("two charges, no refund", 2, 0);
    scene.world.pass(10 * DAY).await?;
    scene.step("Ten days later", &["Nothing is left to do."]).await?;
    scene.expect_booked("no money moves any more", &[]);
    Ok(())
}

async fn declined(scene: &mut Scene, card: &str, code: &str) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let held = scene.select(plan).await?;
    let asked = scene.world.pay(held.id, card).await?;
    scene
        .step("She pays with a card that is declined", &["The slot stays hers until the hold ends."])
        .await?;
    scene.expect("the slot is still held", Status::PendingPayment, asked.status);
    let first = scene.payments_of(&asked).await?.into_iter().next();
    let status = first.as_ref().map(payment::Payment::status);
    scene.expect("the payment wants another method", Some(payment::Status::RequiresMethod), status);
    let error = first.and_then(|paid| paid.intent_known).and_then(|known| known.error);
    scene.expect(
        "the bank's reason is kept",
        Some(code.to_owned()),
        error.and_then(|error| error.decline_code),
    );
    scene.expect_books("no money moved", &[]);
    scene.expect_said("she has a link to pay in another way", &["patient payment_declined"]);

    let booked = scene.world.pay(held.id, VISA).await?;
    scene.step("She follows the link and pays with another card", &[]).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    let attempts = scene.payments_of(&booked).await?.first().map(|paid| {
        let keys: std::collections::BTreeSet<&str> =
            paid.attempts.iter().map(|one| one.key.as_str()).collect();
        (paid.attempts.len(), keys.len())
    });
    scene.expect("the same payment, a second attempt, a key of its own", Some((2, 2)), attempts);
    scene.expect_booked("50.00 once", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    scene.expect_said("confirmation and receipt", &["patient booking_confirmed", "patient receipt"]);
    scene.expect_moved("one charge", 1, 0);
    Ok(())
}

async fn unpaid(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let held = scene.select(plan).await?;
    scene.world.pass(10 * MINUTE - 1).await?;
    scene.step("She picks a time and goes away; a moment before the ten minutes end", &[]).await?;
    scene.expect_status("the slot is still hers", held.id, Status::PendingPayment).await?;
    scene.world.pass(1).await?;
    scene.step("The ten minutes are over", &[]).await?;
    scene.expect_status("the hold has ended", held.id, Status::Lapsed).await?;
    let open = scene.is_open(plan).await?;
    scene.expect("the slot is free", true, open);
    scene.expect_books("no money moved", &[]);
    scene.expect_said("who only looked is not written to", &[]);
    scene.expect_moved("no charge", 0, 0);
    Ok(())
}

async fn challenged(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let held = scene.select(plan).await?;
    let waiting = scene.world.pay(held.id, ASKS).await?;
    scene.step("Her bank wants her to confirm", &["The slot is held; the question is open."]).await?;
    scene.expect("nothing is booked yet", Status::PendingPayment, waiting.status);
    scene.world.pass(11 * MINUTE).await?;
    scene.step("Eleven minutes later the question is still open", &[]).await?;
    let extended = scene.appointment(held.id).await?;
    scene.expect(
        "the hold was extended",
        (Status::PendingPayment, true),
        (extended.status, extended.extended),
    );
    scene.answer_bank(&extended, "success").await?;
    scene.step("She confirms in her bank's app", &[]).await?;
    scene.expect_status("the booking stands", held.id, Status::Confirmed).await?;
    scene.expect_booked("50.00 once", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    scene.expect_said("confirmation and receipt", &["patient booking_confirmed", "patient receipt"]);
    scene.expect_moved("one charge", 1, 0);
    Ok(())
}

async fn challenge_failed(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let held = scene.select(plan).await?;
    let waiting = scene.world.pay(held.id, ASKS).await?;
    scene.answer_bank(&waiting, "fail").await?;
    scene.step("Her bank asks, and she does not pass", &[]).await?;
    scene.expect_status("nothing is booked", held.id, Status::PendingPayment).await?;
    scene.expect_books("no money moved", &[]);
    scene.expect_said("she has a link to pay in another way", &["patient payment_declined"]);
    let booked = scene.world.pay(held.id, VISA).await?;
    scene.step("She pays with another card", &[]).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    scene.expect_moved("one charge", 1, 0);
    Ok(())
}

async fn answer_lost(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let held = scene.select(plan).await?;
    scene.world.outside.plan([Fault::AnswerLost]);
    scene.world.ask_to_pay(held.id, VISA).await?;
    scene.world.pass(MINUTE).await?;
    let happened =
        ["Stripe takes the money, but its answer never arrives. The payment is unknown, not failed."];
    scene.step("The answer to the charge is lost", &happened).await?;
    scene
        .expect_status("a minute later it is found and the booking stands", held.id, Status::Confirmed)
        .await?;
    scene.expect_moved("one charge", 1, 0);
    scene.expect_booked("50.00 once", &[("gw:stripe", 5_000), ("deposit:patient", -5_000)]);
    Ok(())
}

async fn two_at_once(scene: &mut Scene) -> Told<()> {
    let plan = scene.plan(Timing::DepositToBook, Some(VISA), UNTIL_THREE).await?;
    let other = scene.patient(1, Some(VISA)).await?;
    let held = scene.select(plan).await?;
    let refused = scene.world.select(plan.desk, (other, 1), plan.starts_at, None).await;
    scene.step("Two patients click on the same time", &[]).await?;
    scene.expect("one holds it", Status::PendingPayment, held.status);
    let (code, offers) = match refused {
        Err(Error::Refused(refusal)) => (refusal.code, refusal.detail.contains("next openings")),
        _ => ("", false),
    };
    scene.expect("the other is told so, with other times", ("slot_taken", true), (code, offers));
    let payments = scene.world.payments().await?.len();
    scene.expect("and is asked for no money", 0, payments);
    let booked = scene.world.pay(held.id, VISA).await?;
    scene.step("The one who holds it pays", &[]).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    Ok(())
}
