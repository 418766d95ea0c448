//! FLOWS story 2: a deposit that was too small (2A), and a denial (2D).

use serde_json::{Value, json};
use suture_sandbox::patients::Patient as Person;

use super::books::fee;
use super::payer::{Claim, segment};
use super::tale::{Tale, Visit};
use crate::demo::stage::NOTICE;
use crate::demo::story::{name, patient as person_at};
use crate::demo::words::{items, text};
use crate::failure::Failure;

/// An office visit at 300.00.
const LINE: (&str, i64) = ("99215", 30_000);

/// A patient whose copay of 40.00 by the 271 is taken as a deposit.
async fn deposit(tale: &Tale<'_>, person: &Person) -> Result<Visit, Failure> {
    let narrator = &tale.story.narrator;
    let (patient, method) = tale.patient_with_card(person).await?;
    tale.consent(&patient, "balance_after_insurance", 15_000).await?;
    let policy = tale.policy(&patient, person).await?;
    let id = tale.begin_check(&patient, Some(&policy), person).await?;
    let answer = tale.ask_payer(&person.id).await?;
    let check = tale.answer_by_271(&id, &answer).await?;
    let (estimate, service) = tale.estimate_and_service(&check, None).await?;
    let id = |value: &Value| text(value, "id").to_owned();
    let (card, estimate, service) = (id(&method), id(&estimate), id(&service));
    tale.authorize(&estimate, &card).await?;
    tale.capture(&estimate).await?;
    narrator.did(format!("{} pays the copay of the payer's 271 before the visit.", name(person)));
    let added = tale.books().await?;
    let fee = fee(&added);
    tale.expect_added(
        "40.00 USD are a deposit",
        &added,
        &[("gw:stripe", 4_000 - fee), ("exp:fee", fee), ("deposit:patient", -4_000)],
    );
    Ok(Visit { patient, card, estimate, service })
}

/// The visit, its note, its claim and the payer's decision on it, imported.
async fn decide(
    tale: &Tale<'_>,
    visit: &Visit,
    person: &Person,
    (number, case): (&str, &str),
) -> Result<(), Failure> {
    tale.give_care(&visit.service, LINE).await?;
    tale.sign(&visit.service).await?;
    tale.post(&format!("/v1/services/{}/bill", visit.service), &json!({ "claim": number })).await?;
    let claim = Claim { number, patient: &person.id, line: LINE, decision: json!({ "case": case }) };
    tale.file_claim(&claim).await?;
    let added = tale.books().await?;
    tale.expect_added("the payer owes 300.00 USD", &added, &[("ar:payer", 30_000), ("rev:service", -30_000)]);
    let file = tale.payer_remits().await?;
    let clp = segment(&file, "CLP");
    tale.story.narrator.saw(format!("The payer's 835 says: {clp}"));
    tale.post_x12("/v1/remittances", &file).await?.success()?;
    Ok(())
}

/// 2A: the patient owes 50.00, 40.00 are there.
pub(super) async fn underpaid(tale: &Tale<'_>) -> Result<(), Failure> {
    let (narrator, person) = (&tale.story.narrator, person_at(0));
    narrator.step("Another patient pays a deposit of 40.00");
    let visit = deposit(tale, person).await?;
    narrator.step("The payer says 50.00: the deposit was too small by 10.00 (2A)");
    decide(tale, &visit, person, ("DEMO-2A", "2A")).await?;
    let service = tale.until_service(&visit.service, "settling").await?;
    let added = tale.books().await?;
    tale.expect_added(
        "payer 130.00, discount 120.00, the patient 50.00 of 300.00; 40.00 paid before, 10.00 are owed",
        &added,
        &[
            ("bank", 13_000),
            ("adj:contractual", 12_000),
            ("ar:payer", -30_000),
            ("deposit:patient", 4_000),
            ("ar:patient", 1_000),
        ],
    );
    narrator.expect("the worksheet says 10.00 USD", service["worksheet"]["difference"]["minor"] == 1_000);
    narrator.step("After three days' notice the 10.00 are charged under the consent");
    tale.story.stage.pass(NOTICE + super::tale::DAY / 24).await?;
    let service = tale.until_service(&visit.service, "completed").await?;
    let added = tale.books().await?;
    let fee = fee(&added);
    tale.expect_added(
        "10.00 USD more lie at Stripe, and nothing is owed",
        &added,
        &[("gw:stripe", 1_000 - fee), ("exp:fee", fee), ("ar:patient", -1_000)],
    );
    let used = tale.used(&visit.patient, "balance_after_insurance").await?;
    narrator.expect("10.00 of the 150.00 USD that were allowed are used", used == 1_000);
    narrator.expect(
        "the service is completed: 50.00 - 40.00 - 10.00 = 0.00",
        service["worksheet"]["difference"]["minor"] == 0,
    );
    Ok(())
}

/// 2D: the payer refuses, at the clinic's cost.
pub(super) async fn denied(tale: &Tale<'_>) -> Result<(), Failure> {
    let (narrator, person) = (&tale.story.narrator, person_at(5));
    narrator.step("A third patient pays a deposit of 40.00");
    let visit = deposit(tale, person).await?;
    narrator.step("The payer refuses the claim (2D): the patient is not billed");
    decide(tale, &visit, person, ("DEMO-2D", "2D")).await?;
    let tasks = tale.story.stage.until(async || {
        let page = tale.story.stage.api.get("/v1/deliveries?state=parked&limit=200").await?;
        Ok(items(&page).iter().find(|row| text(row, "destination") == "denials").cloned())
    });
    let task = tasks.await?;
    narrator.saw(format!("A task for a person: \"{}\"", task.as_ref().map_or("", |row| text(row, "error"))));
    narrator.expect("a person must appeal or write off", task.is_some());
    let added = tale.books().await?;
    narrator.expect("a refusal books nothing: the payer still owes 300.00 USD", added.is_empty());
    let service = tale.service(&visit.service).await?;
    narrator.expect(
        "the patient owes nothing",
        service["worksheet"]["responsibility"]["minor"] == 0 && service["openWithPayer"]["minor"] == 30_000,
    );
    let (charged, returned) =
        (tale.moved(&visit.estimate, "charge").await?, tale.moved(&visit.estimate, "refund").await?);
    narrator.expect(
        "the deposit of 40.00 USD is still the patient's, and nothing else was charged",
        charged == [4_000] && returned.is_empty() && tale.story.balance("deposit:patient").await? == -4_000,
    );
    Ok(())
}
