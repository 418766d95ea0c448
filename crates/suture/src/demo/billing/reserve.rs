//! FLOWS story 4: an estimate is reserved, lapses, is reserved again, taken, and given back because the clinic cancels.

use serde_json::{Value, json};
use suture_core::time::Timestamp;
use suture_sandbox::patients::Patient as Person;

use super::books::fee;
use super::payer::segment;
use super::tale::{DAY, Tale, Visit};
use crate::demo::steps::desk::charge_fact;
use crate::demo::story::{name, patient as person_at};
use crate::demo::words::{amount, items, short, text};
use crate::failure::Failure;

/// The patient of stories 4 and 5: his plan asks for a copay of 60.00.
pub(super) fn person() -> &'static Person {
    person_at(3)
}

/// A patient with a customer at Stripe, a card on file, and consents. Gives the ids of both.
pub(super) async fn patient(tale: &Tale<'_>) -> Result<(String, String), Failure> {
    let (narrator, person) = (&tale.story.narrator, person());
    narrator.step("A patient stores a card, and says what it may be charged for");
    let (patient, method) = tale.patient_with_card(person).await?;
    narrator.did(format!("{} types a card into Stripe's form in the browser.", name(person)));
    let (card, last4) = (text(&method, "id").to_owned(), text(&method, "last4"));
    narrator
        .saw(format!("We keep {}, a card that ends with {last4}; its number never came here.", short(&card)));
    narrator.expect("the card is on file", last4 == "4242");
    let told = tale.story.stage.control("stripe/state", &json!({ "only": ["customers"] })).await?.to_string();
    let known = [person.id.as_str(), &person.mrn, &person.family, &person.given];
    let leaked = known.iter().any(|known| told.contains(*known));
    narrator.expect("Stripe's customer is a token, not a name", told.contains(&patient) && !leaked);
    tale.consent(&patient, "estimate", 10_000).await?;
    tale.consent(&patient, "balance_after_insurance", 15_000).await?;
    narrator.did(
        "He allows estimates up to 100.00 USD and balances after insurance up to 150.00 USD, for a year.",
    );
    tale.books().await?;
    Ok((patient, card))
}

/// The payer's word about his share.
pub(super) async fn eligibility(tale: &Tale<'_>, patient: &str) -> Result<Value, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("What will the visit cost him? The payer's own answer (X12 271)");
    let policy = tale.policy(patient, person()).await?;
    let id = tale.begin_check(patient, Some(&policy), person()).await?;
    let answer = tale.ask_payer(&person().id).await?;
    narrator.did("We ask the payer with a 270 about an office visit.");
    let (count, shown) = (answer.matches('~').count(), segment(&answer, "EB*B"));
    narrator.saw(format!("In its 271, among {count} segments: {shown}"));
    let check = tale.answer_by_271(&id, &answer).await?;
    let share = &check["responsibility"];
    let part = |name: &str| share[name]["minor"].as_i64().unwrap_or(0);
    narrator.saw(format!(
        "The answer leaves open whether the deductible comes first, so his share is {} to {}.",
        amount(part("low"), "USD"),
        amount(part("high"), "USD")
    ));
    narrator.expect("the clinic asks for the lower end, the copay: 60.00 USD", part("total") == 6_000);
    let policy = tale.get(&format!("/v1/policies/{policy}")).await?;
    narrator.expect("the answer also confirms his policy", policy["status"] == "confirmed");
    tale.books().await?;
    Ok(check)
}

/// Twelve days before the service.
pub(super) async fn authorize(
    tale: &Tale<'_>,
    (patient, card): (String, String),
    check: &Value,
) -> Result<Visit, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Twelve days before the visit: the estimate is reserved on his card");
    let service_at = (tale.story.stage.engine.now() + 12 * DAY).to_rfc3339();
    let (estimate, service) = tale.estimate_and_service(check, Some(&service_at)).await?;
    narrator.expect(
        "the estimate charge inherits 60.00 USD from the check",
        estimate["amount"]["minor"] == 6_000,
    );
    narrator.expect("the service finds it by the same check", service["estimates"][0] == estimate["id"]);
    let estimate = tale.authorize(text(&estimate, "id"), &card).await?;
    narrator.did("He is there and agrees; Stripe reserves the amount.");
    let until = text(&estimate, "captureBefore");
    narrator.saw(format!("The hold lapses at {until}."));
    let ends = Timestamp::parse_rfc3339(until).unwrap_or_default();
    let days = ends.since(tale.story.stage.engine.now()).as_secs().div_ceil(86_400);
    narrator.expect("a hold lasts seven days, and we know when it ends", days == 7);
    let added = tale.books().await?;
    narrator.expect("a hold is no money: nothing is booked", added.is_empty());
    let id = |value: &Value| text(value, "id").to_owned();
    Ok(Visit { patient, card, estimate: id(&estimate), service: id(&service) })
}

/// Five days before: the hold has lapsed.
pub(super) async fn lapse(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Seven days go by: the hold lapses");
    tale.story.stage.pass(7 * DAY + DAY / 24).await?;
    let estimate = tale.until_estimate(&visit.estimate, "expired").await?;
    narrator.saw("Stripe cancelled the intent by itself; its webhook told us.");
    let at = |name: &str| Timestamp::parse_rfc3339(text(&estimate, name)).unwrap_or_default();
    narrator.expect(
        "the next authorization is planned for the day before the visit",
        at("authorizeAt") + DAY == at("serviceAt"),
    );
    let path = format!("/v1/estimates/{}/capture", visit.estimate);
    let refused = tale.try_post(&path, &json!({})).await?;
    narrator.saw(format!("Capturing it now: \"{}\"", text(&refused.body, "detail")));
    narrator.expect("that is refused here, before Stripe is asked", refused.status == 409);
    let added = tale.books().await?;
    narrator.expect("nothing was ever taken, so nothing is booked", added.is_empty());
    Ok(())
}

/// The day before: reserved again, while he is absent.
pub(super) async fn again(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The day before: reserved again, by plan, under his consent");
    tale.story.stage.pass(4 * DAY).await?;
    let estimate = tale.until_estimate(&visit.estimate, "authorized").await?;
    narrator.saw("Nobody pressed a button: the card on file was asked, off session.");
    narrator.expect(
        "a second payment reserves the same 60.00 USD",
        items(&estimate["attempts"]).len() == 2 && estimate["authorized"]["minor"] == 6_000,
    );
    let used = tale.used(&visit.patient, "estimate").await? == 6_000;
    narrator.expect("60.00 of the 100.00 USD that he allowed are used", used);
    let added = tale.books().await?;
    narrator.expect("again nothing is booked", added.is_empty());
    Ok(())
}

/// The day of the service. Gives the payment as the API tells it.
pub(super) async fn capture(tale: &Tale<'_>, visit: &Visit) -> Result<Value, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The day of the visit: the estimate is captured");
    tale.story.stage.pass(DAY).await?;
    let estimate = tale.capture(&visit.estimate).await?;
    let payment = tale.story.until_status(&last_payment(&estimate), "captured").await?;
    let posting = tale.story.until_posted(text(&payment, "id"), &charge_fact(&payment)).await?;
    narrator.saw(format!("Epic has it on his account. Receipt: {}.", text(&posting, "evidence")));
    let added = tale.books().await?;
    let fee = fee(&added);
    tale.expect_added(
        "60.00 USD lie at Stripe less its fee, and all 60.00 are his deposit",
        &added,
        &[("gw:stripe", 6_000 - fee), ("exp:fee", fee), ("deposit:patient", -6_000)],
    );
    narrator.expect("Stripe took the money once", tale.moved(&visit.estimate, "charge").await? == [6_000]);
    Ok(payment)
}

/// The clinic cancels.
pub(super) async fn cancel(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The doctor is ill: the clinic cancels, and the money goes back by itself");
    let why = json!({ "by": "clinic", "reason": "doctor_ill" });
    tale.post(&format!("/v1/services/{}/cancel", visit.service), &why).await?;
    let estimate = tale.until_estimate(&visit.estimate, "refunded").await?;
    let payment = tale.story.until_status(&last_payment(&estimate), "refunded").await?;
    let refund =
        items(&payment["refunds"]).first().map(|refund| text(refund, "id").to_owned()).unwrap_or_default();
    let posting = tale.story.until_posted(text(&payment, "id"), &format!("refund:{refund}")).await?;
    narrator.saw(format!("Epic has the reversal. Receipt: {}.", text(&posting, "evidence")));
    let service = tale.service(&visit.service).await?;
    narrator.expect("the service is cancelled and the charge refunded", service["status"] == "canceled");
    let added = tale.books().await?;
    tale.expect_added(
        "his deposit of 60.00 USD is given back in full",
        &added,
        &[("gw:stripe", -6_000), ("deposit:patient", 6_000)],
    );
    narrator.expect("Stripe gave it back once", tale.moved(&visit.estimate, "refund").await? == [6_000]);
    let fee = tale.story.balance("exp:fee").await?;
    narrator.saw(format!("Stripe does not return its fee: {} stay our cost.", amount(fee, "USD")));
    Ok(())
}

/// The payment of an estimate charge's latest attempt.
fn last_payment(estimate: &Value) -> String {
    items(&estimate["attempts"]).last().map(|payment| text(payment, "id").to_owned()).unwrap_or_default()
}
