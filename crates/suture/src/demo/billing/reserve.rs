//! FLOWS story 4: an estimate is reserved, lapses, is reserved again, taken, and given back because the clinic cancels.

use serde_json::{Value, json};
use suture_core::consent::Purpose;
use suture_core::eligibility::Eligibility;
use suture_core::estimate::Status;
use suture_core::patient::Patient;
use suture_core::service::{Command, Status as Served};
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

/// A patient with a customer at Stripe, a card on file, and consents.
pub(super) async fn patient(tale: &Tale<'_>) -> Result<(Patient, String), Failure> {
    let (narrator, person) = (&tale.story.narrator, person());
    narrator.step("A patient stores a card, and says what it may be charged for");
    let (patient, card) = tale.patient_with_card(person).await?;
    narrator.did(format!("{} types a card into Stripe's form in the browser.", name(person)));
    let stored = patient.methods.get(&card);
    let last4 = stored.and_then(|method| method.last4.clone()).unwrap_or_default();
    narrator
        .saw(format!("We keep {}, a card that ends with {last4}; its number never came here.", short(&card)));
    narrator.expect("the card is on file", last4 == "4242");
    let told = tale.story.stage.control("stripe/state", &json!({ "only": ["customers"] })).await?.to_string();
    let leaked = [person.id.as_str(), &person.mrn, &person.family, &person.given]
        .iter()
        .any(|known| told.contains(*known));
    narrator.expect(
        "Stripe's customer is a token, not a name",
        told.contains(&patient.id.to_string()) && !leaked,
    );
    tale.consent(patient.id, Purpose::Estimate, 10_000).await?;
    tale.consent(patient.id, Purpose::BalanceAfterInsurance, 15_000).await?;
    narrator.did(
        "He allows estimates up to 100.00 USD and balances after insurance up to 150.00 USD, for a year.",
    );
    tale.books().await?;
    Ok((patient, card))
}

/// The payer's word about his share.
pub(super) async fn eligibility(tale: &Tale<'_>, patient: &Patient) -> Result<Eligibility, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("What will the visit cost him? The payer's own answer (X12 271)");
    let policy = tale.policy(patient.id, person()).await?;
    let id = tale.begin_check(patient.id, Some(policy), person()).await?;
    let answer = tale.ask_payer(&person().id).await?;
    narrator.did("We ask the payer with a 270 about an office visit.");
    let shown = segment(&answer, "EB*B");
    narrator.saw(format!("In its 271, among {} segments: {shown}", answer.matches('~').count()));
    let check = tale.answer_by_271(id, &answer).await?;
    let share = check.responsibility.as_ref();
    narrator.saw(format!(
        "The answer leaves open whether the deductible comes first, so his share is {} to {}.",
        share.map_or_else(String::new, |share| share.low.to_string()),
        share.map_or_else(String::new, |share| share.high.to_string())
    ));
    let share = share.map_or(0, |share| share.total.minor);
    narrator.expect("the clinic asks for the lower end, the copay: 60.00 USD", share == 6_000);
    let policy = tale.engine().policy(&tale.caller.organization, policy).await;
    let confirmed = policy.is_ok_and(|policy| policy.status == suture_core::policy::Status::Confirmed);
    narrator.expect("the answer also confirms his policy", confirmed);
    tale.books().await?;
    Ok(check)
}

/// Twelve days before the service.
pub(super) async fn authorize(
    tale: &Tale<'_>,
    patient: Patient,
    card: String,
    check: Eligibility,
) -> Result<Visit, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Twelve days before the visit: the estimate is reserved on his card");
    let service_at = tale.engine().now() + 12 * DAY;
    let (estimate, service) = tale.estimate_and_service(&check, Some(service_at)).await?;
    narrator.expect("the estimate charge inherits 60.00 USD from the check", estimate.amount.minor == 6_000);
    let attached = service.estimates.contains(&estimate.id);
    narrator.expect("the service finds it by the same check", attached);
    let estimate = tale.authorize(estimate.id, &card).await?;
    let until = estimate.standing.capture_before;
    narrator.did("He is there and agrees; Stripe reserves the amount.");
    narrator.saw(format!("The hold lapses at {}.", until.map_or_else(String::new, |at| at.to_rfc3339())));
    let days = until.map_or(0, |at| at.since(tale.engine().now()).as_secs().div_ceil(86_400));
    narrator.expect("a hold lasts seven days, and we know when it ends", days == 7);
    let added = tale.books().await?;
    narrator.expect("a hold is no money: nothing is booked", added.is_empty());
    Ok(Visit { patient, card, estimate, service })
}

/// Five days before: the hold has lapsed.
pub(super) async fn lapse(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Seven days go by: the hold lapses");
    tale.story.stage.pass(7 * DAY + DAY / 24).await?;
    let estimate = tale.until_estimate(visit.estimate.id, Status::Expired).await?;
    narrator.saw("Stripe cancelled the intent by itself; its webhook told us.");
    let planned = visit.estimate.service_at.map(|at| at.millis() - 86_400_000);
    narrator.expect(
        "the next authorization is planned for the day before the visit",
        estimate.authorize_at.map(suture_core::time::Timestamp::millis) == planned,
    );
    let refused = tale.engine().capture_estimate(&tale.caller, estimate.id, None).await;
    narrator.expect("capturing the lapsed hold is refused here, before Stripe is asked", refused.is_err());
    let added = tale.books().await?;
    narrator.expect("nothing was ever taken, so nothing is booked", added.is_empty());
    Ok(())
}

/// The day before: reserved again, while he is absent.
pub(super) async fn again(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The day before: reserved again, by plan, under his consent");
    tale.story.stage.pass(4 * DAY).await?;
    let estimate = tale.until_estimate(visit.estimate.id, Status::Authorized).await?;
    narrator.saw("Nobody pressed a button: the card on file was asked, off session.");
    narrator.expect(
        "a second payment reserves the same 60.00 USD",
        estimate.payments.len() == 2 && estimate.standing.authorized_minor == 6_000,
    );
    let patient = tale.engine().patient(&tale.caller.organization, visit.patient.id).await;
    let used = patient.is_ok_and(|patient| {
        patient
            .consents
            .iter()
            .any(|consent| consent.purpose == Purpose::Estimate && consent.used_minor == 6_000)
    });
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
    let estimate = tale.capture(visit.estimate.id).await?;
    let payment = estimate.payment().map(|id| id.to_string()).unwrap_or_default();
    let payment = tale.story.until_status(&payment, "captured").await?;
    let posting = tale.story.until_posted(text(&payment, "id"), &charge_fact(&payment)).await?;
    narrator.saw(format!("Epic has it on his account. Receipt: {}.", text(&posting, "evidence")));
    let added = tale.books().await?;
    let fee = fee(&added);
    tale.expect_added(
        "60.00 USD lie at Stripe less its fee, and all 60.00 are his deposit",
        &added,
        &[("gw:stripe", 6_000 - fee), ("exp:fee", fee), ("deposit:patient", -6_000)],
    );
    narrator.expect("Stripe took the money once", tale.moved(&estimate, "charge").await? == [6_000]);
    Ok(payment)
}

/// The clinic cancels.
pub(super) async fn cancel(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The doctor is ill: the clinic cancels, and the money goes back by itself");
    let cancel = Command::Cancel { by: "clinic".to_owned(), reason: "doctor_ill".to_owned() };
    let canceled = tale.serve(visit.service.id, cancel, "service_canceled").await;
    canceled.map_err(|error| Failure::of("the service was not cancelled", &error))?;
    let estimate = tale.until_estimate(visit.estimate.id, Status::Refunded).await?;
    let payment = estimate.payment().map(|id| id.to_string()).unwrap_or_default();
    let payment = tale.story.until_status(&payment, "refunded").await?;
    let refund =
        items(&payment["refunds"]).first().map(|refund| text(refund, "id").to_owned()).unwrap_or_default();
    let posting = tale.story.until_posted(text(&payment, "id"), &format!("refund:{refund}")).await?;
    narrator.saw(format!("Epic has the reversal. Receipt: {}.", text(&posting, "evidence")));
    let service = tale.service(visit.service.id).await?;
    narrator.expect("the service is cancelled and the charge refunded", service.status == Served::Canceled);
    let added = tale.books().await?;
    tale.expect_added(
        "his deposit of 60.00 USD is given back in full",
        &added,
        &[("gw:stripe", -6_000), ("deposit:patient", 6_000)],
    );
    narrator.expect("Stripe gave it back once", tale.moved(&estimate, "refund").await? == [6_000]);
    let fee = tale.story.balance("exp:fee").await?;
    narrator.saw(format!("Stripe does not return its fee: {} stay our cost.", amount(fee, "USD")));
    Ok(())
}
