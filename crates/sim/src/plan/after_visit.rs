//! Post-visit charges (FLOWS §3): nothing before the visit, the signed encounter is charged, and what follows a decline.

use serde_json::json;
use suture_core::appointment::{Appointment, Status};
use suture_core::consent::Purpose;
use suture_core::id::PatientId;
use suture_core::payment::Payment;
use suture_core::service;
use suture_core::visit::Timing;
use suture_engine::Error;

use super::clinic::{DAY, DECLINED_LATER, MINUTE, VISA};
use super::program::Scenario;
use super::scene::{Scene, Told};

const GROUP: &str = "post_visit";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: GROUP,
        name: "the_signed_note_is_charged_once",
        claim: "The visit is booked without money; the signed note is charged once, also when it is signed twice",
        walk: |scene| Box::pin(charged_once(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_soft_decline_is_tried_again_on_its_days",
        claim: "A decline that may pass is tried again after one, three and seven days, and then a person decides",
        walk: |scene| Box::pin(ladder(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_hard_decline_is_never_tried_again",
        claim: "A stolen card is not tried again; the patient has a link, and a person knows",
        walk: |scene| Box::pin(broken_card(scene, "stolen")),
    },
    Scenario {
        group: GROUP,
        name: "a_removed_card_gives_a_link",
        claim: "A card that was removed before the note was signed: no charge, a link for the patient, the visit stays owed",
        walk: |scene| Box::pin(removed(scene)),
    },
    Scenario {
        group: GROUP,
        name: "a_code_without_a_price_is_asked_for",
        claim: "A code that has no price charges nothing until somebody gives it one",
        walk: |scene| Box::pin(unpriced(scene)),
    },
];

/// A visit that was booked without money, and has just taken place.
pub(super) struct Visited {
    pub(super) desk: crate::world::Desk,
    pub(super) patient: PatientId,
    pub(super) booked: Appointment,
}

/// Books a visit at a clinic whose platform keeps 15 %, and lets its time come. Told as the first step.
pub(super) async fn visited(scene: &mut Scene, card: &str) -> Told<Visited> {
    let desk = scene.clinic(Timing::PostVisit, |clinic, _, _| clinic.platform_share = Some(1_500)).await?;
    scene.world.prices(desk, &[("99214", 16_500), ("90833", 7_500), ("99213", 11_000)]).await?;
    let plan = scene.plan_at(desk, Some(card), 60).await?;
    scene.world.consent(plan.patient, Purpose::Visit, 50_000).await?;
    let booked = scene.select(plan).await?;
    let happened = [
        "The clinic wants nothing before the visit. A card is on file, and she agreed to charges up to 500.00.",
    ];
    scene.step("A visit is booked without money", &happened).await?;
    scene.expect("the booking stands", Status::Confirmed, booked.status);
    scene.expect_books("no money moved", &[]);
    scene.expect_said("she has a confirmation", &["patient booking_confirmed"]);
    scene.world.pass(100 * MINUTE).await?;
    Ok(Visited { desk, patient: plan.patient, booked })
}

/// Where the bill of a visit stands.
pub(super) async fn bill(scene: &Scene, booked: &Appointment) -> Told<Option<service::Status>> {
    match booked.service {
        Some(service) => Ok(Some(scene.world.service(service).await?.status)),
        None => Ok(None),
    }
}

/// The payment that collects; the gateway's invoice has an intent of its own.
async fn collection(scene: &Scene) -> Told<Payment> {
    let payments = scene.world.payments().await?;
    let found = payments.into_iter().find(|payment| payment.debt.is_some());
    found.ok_or_else(|| "nothing was collected".to_owned().into())
}

async fn charged_once(scene: &mut Scene) -> Told<()> {
    let visited = visited(scene, VISA).await?;
    let encounter = scene.world.visit(visited.booked.id, &["99214"]).await?;
    scene
        .step(
            "The visit, and the signed note: 165.00",
            &["The platform keeps 15 %; the rest is the provider's."],
        )
        .await?;
    scene.expect(
        "the bill is settled",
        Some(service::Status::Completed),
        bill(scene, &visited.booked).await?,
    );
    scene.expect_booked(
        "165.00 lie at Stripe: 24.75 are the platform's, 140.25 the provider's",
        &[("gw:stripe", 16_500), ("rev:platform", -2_475), ("owed:provider", -14_025)],
    );
    scene.expect_moved("one charge", 1, 0);
    let text = "S: better. O: fine. A: well. P: again in a year.";
    let again = scene.world.sign_encounter(encounter.id, text, &["99214"]).await?;
    let other = scene.world.sign_encounter(encounter.id, "other words", &["99214"]).await;
    scene.step("The note is signed a second time, and then with other words", &[]).await?;
    scene.expect("the same words change nothing", 1, again.version);
    let refused = matches!(other, Err(Error::Refused(refusal)) if refusal.code == "note_signed");
    scene.expect("other words are refused: they need an addendum", true, refused);
    scene.expect_booked("nothing moved", &[]);
    scene.expect_moved("still one charge", 1, 0);
    Ok(())
}

async fn ladder(scene: &mut Scene) -> Told<()> {
    let visited = visited(scene, DECLINED_LATER).await?;
    scene.world.visit(visited.booked.id, &["99214"]).await?;
    scene
        .step(
            "The signed note is charged, and declined",
            &["165.00 are owed, and earned: the care was given."],
        )
        .await?;
    scene.expect_said("she has a link", &["patient payment_declined"]);
    let mut tries = vec![collection(scene).await?.attempts.len()];
    for days in [1, 2, 4] {
        scene.world.pass(days * DAY + MINUTE).await?;
        tries.push(collection(scene).await?.attempts.len());
    }
    scene
        .step("The next day, three days and seven days after", &["Each try is told to her, with a link."])
        .await?;
    scene.expect("one try each", vec![1, 2, 3, 4], tries);
    scene.expect_said("three links", &["patient payment_declined"; 3]);
    let keys: std::collections::BTreeSet<String> =
        collection(scene).await?.attempts.into_iter().map(|attempt| attempt.key).collect();
    scene.expect("each with a key of its own", 4, keys.len());
    scene.world.pass(30 * DAY).await?;
    scene.step("A month later", &[]).await?;
    let tries = collection(scene).await?.attempts.len();
    scene.expect("it was not tried again", 4, tries);
    scene.expect_question("a person decides", "collections").await?;
    let owed = scene.world.balance("ar:patient").await?;
    scene.expect("165.00 are still owed", 16_500, owed);
    scene.expect_moved("no money moved", 0, 0);
    Ok(())
}

async fn broken_card(scene: &mut Scene, state: &str) -> Told<()> {
    let visited = visited(scene, VISA).await?;
    let card = scene.card_of(visited.patient).await?;
    scene.world.outside.at_stripe("card", &json!({ "payment_method": card, "state": state }))?;
    scene.world.visit(visited.booked.id, &["99214"]).await?;
    scene.step("Her card was stolen meanwhile; the signed note is charged and declined", &[]).await?;
    scene.expect("the bill is open", Some(service::Status::Settling), bill(scene, &visited.booked).await?);
    scene.expect_said("she has a link", &["patient payment_declined"]);
    scene.world.pass(30 * DAY).await?;
    scene.step("A month later", &[]).await?;
    let tries = collection(scene).await?.attempts.len();
    scene.expect("it was tried once", 1, tries);
    scene.expect_question("a person decides", "collections").await?;
    scene.expect_moved("no money moved", 0, 0);
    Ok(())
}

async fn removed(scene: &mut Scene) -> Told<()> {
    let visited = visited(scene, VISA).await?;
    let card = scene.card_of(visited.patient).await?;
    scene.world.outside.at_stripe("remove_card", &json!({ "payment_method": card }))?;
    scene.world.settle().await?;
    scene.world.visit(visited.booked.id, &["99214"]).await?;
    scene
        .step("She removed her card; the note is signed", &["There is nothing that could be charged."])
        .await?;
    scene.expect("the bill is open", Some(service::Status::Settling), bill(scene, &visited.booked).await?);
    scene.expect_said("she has a link", &["patient payment_declined"]);
    scene.expect_moved("no charge was tried", 0, 0);
    let owed = scene.world.balance("ar:patient").await?;
    scene.expect("165.00 are owed", 16_500, owed);
    scene.expect_question("a person knows", "billing").await
}

async fn unpriced(scene: &mut Scene) -> Told<()> {
    let visited = visited(scene, VISA).await?;
    let encounter = scene.world.visit(visited.booked.id, &["99214", "99999"]).await?;
    scene.step("The note has a code that is not in the fee schedule", &[]).await?;
    scene.expect("it is known which", vec!["99999".to_owned()], encounter.missing);
    let asked = scene.asked().await?;
    scene.expect("a person is asked", true, asked.contains("fees"));
    scene.expect_booked("nothing is charged, not even the rest", &[]);
    scene.world.prices(visited.desk, &[("99999", 1_000)]).await?;
    scene.step("The fee schedule is mended: 10.00", &["The visit goes on by itself."]).await?;
    scene.expect(
        "the bill is settled",
        Some(service::Status::Completed),
        bill(scene, &visited.booked).await?,
    );
    scene.expect_moved("one charge of the whole", 1, 0);
    let paid = scene.world.books().await?.get("gw:stripe").copied();
    scene.expect("175.00", Some(17_500), paid);
    Ok(())
}
