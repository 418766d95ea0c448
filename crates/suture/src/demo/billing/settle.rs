//! FLOWS story 5: 60.00 are captured, 35.00 are owed, 25.00 go back; the service is completed only when they have arrived.

use std::time::Duration;

use serde_json::{Value, json};

use super::books::fee;
use super::payer::{Claim, segment};
use super::reserve::person;
use super::tale::{Tale, Visit};
use crate::demo::words::{amount, text};
use crate::failure::Failure;

/// A level-3 visit at 150.00.
const LINE: (&str, i64) = ("99213", 15_000);
const CLAIM: &str = "DEMO-5";

/// A new visit, with a check that a person answered, captured at once.
pub(super) async fn second_visit(tale: &Tale<'_>, visit: Visit) -> Result<Visit, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("A new visit: this time a person asks the payer by phone");
    let id = tale.begin_check(&visit.patient, None, person()).await?;
    let check = tale.answer_by_phone(&id, 6_000).await?;
    narrator.did("The front desk writes down what it heard: 60.00 USD. Who said it stays on the check.");
    let (estimate, service) = tale.estimate_and_service(&check, None).await?;
    let id = |value: &Value| text(value, "id").to_owned();
    let (estimate, service) = (id(&estimate), id(&service));
    tale.authorize(&estimate, &visit.card).await?;
    tale.capture(&estimate).await?;
    let added = tale.books().await?;
    let fee = fee(&added);
    tale.expect_added(
        "60.00 USD are captured as his deposit",
        &added,
        &[("gw:stripe", 6_000 - fee), ("exp:fee", fee), ("deposit:patient", -6_000)],
    );
    Ok(Visit { estimate, service, ..visit })
}

/// Care, note, claim.
pub(super) async fn claim(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Care is given, the note is signed, the claim is sent");
    tale.give_care(&visit.service, LINE).await?;
    let (path, bill) = (format!("/v1/services/{}/bill", visit.service), json!({ "claim": CLAIM }));
    let early = tale.try_post(&path, &bill).await?;
    narrator.expect("without a signed note nothing is billed", early.body["code"] == "note_missing");
    let signed = tale.sign(&visit.service).await?;
    narrator.did("The doctor signs the note; its text is sealed, its hash is in the journal.");
    let hash = text(&signed["notes"][0], "hash");
    narrator.expect("the note cannot change without being noticed", hash.len() == 64);
    tale.post(&path, &bill).await?;
    tale.file_claim(&Claim {
        number: CLAIM,
        patient: &person().id,
        line: LINE,
        decision: json!({ "patient": [{ "reason": "3", "amount_minor": 3_500 }] }),
    })
    .await?;
    let added = tale.books().await?;
    tale.expect_added(
        "the payer owes 150.00 USD; he owes nothing yet",
        &added,
        &[("ar:payer", 15_000), ("rev:service", -15_000)],
    );
    Ok(())
}

/// The payer decides: 35.00 are his, and 25.00 are on their way back.
pub(super) async fn remittance(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The payer's remittance (X12 835): 35.00 are his, and he has paid 60.00");
    let slow = json!({ "next": 1, "outcome": "pending", "seconds": 120 });
    tale.story.stage.control("stripe/refunds", &slow).await?;
    let file = tale.payer_remits().await?;
    let clp = segment(&file, "CLP");
    narrator.saw(format!("In the file: {clp}"));
    tale.post_x12("/v1/remittances", &file).await?.success()?;
    let service = tale.until_service(&visit.service, "settling").await?;
    narrator
        .did("The file balances, so it is taken in; the claim is booked and its service begins to settle.");
    let again = tale.post_x12("/v1/remittances", &file).await?;
    narrator.expect("the same file a second time is refused", again.body["code"] == "remittance_known");
    let part = |name: &str| service["worksheet"][name]["minor"].as_i64().unwrap_or(0);
    narrator.saw(format!(
        "Worksheet: owed {}, paid {}, difference {}.",
        amount(part("responsibility"), "USD"),
        amount(part("estimates"), "USD"),
        amount(part("difference"), "USD")
    ));
    narrator.expect("35.00 - 60.00 = -25.00 USD", part("difference") == -2_500);
    let added = tale.books().await?;
    tale.expect_added(
        "payer 55.00, discount 60.00, his 35.00 of 150.00; of his 60.00 we owe 25.00 back",
        &added,
        &[
            ("bank", 5_500),
            ("adj:contractual", 6_000),
            ("ar:payer", -15_000),
            ("deposit:patient", 6_000),
            ("credit:patient", -2_500),
        ],
    );
    let invoice = invoice(tale, visit).await?;
    narrator.expect(
        "the invoice is a credit of 25.00 USD, not paid",
        invoice["status"] == "credit_due" && invoice["balance"]["minor"] == -2_500,
    );
    Ok(())
}

/// The refund arrives: only now all is done.
pub(super) async fn refund(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The refund of 25.00 is pending at the bank, then arrives");
    let waiting = tale.service(&visit.service).await?;
    narrator.expect(
        "while it is on its way nothing is called completed",
        waiting["status"] == "settling" && waiting["worksheet"]["returning"]["minor"] == 2_500,
    );
    tale.story.stage.pass(Duration::from_secs(180)).await?;
    let service = tale.until_service(&visit.service, "completed").await?;
    let added = tale.books().await?;
    tale.expect_added(
        "what we owed him is paid: 25.00 USD left Stripe",
        &added,
        &[("gw:stripe", -2_500), ("credit:patient", 2_500)],
    );
    let invoice = invoice(tale, visit).await?;
    narrator.expect(
        "in the same moment the service is completed and the invoice paid",
        service["worksheet"]["difference"]["minor"] == 0 && invoice["status"] == "paid",
    );
    let (charged, returned) =
        (tale.moved(&visit.estimate, "charge").await?, tale.moved(&visit.estimate, "refund").await?);
    narrator.expect(
        "Stripe moved 60.00 USD once, and 25.00 USD back once",
        charged == [6_000] && returned == [2_500],
    );
    Ok(())
}

/// The invoice of a visit's service.
pub(super) async fn invoice(tale: &Tale<'_>, visit: &Visit) -> Result<Value, Failure> {
    let service = tale.service(&visit.service).await?;
    tale.get(&format!("/v1/invoices/{}", text(&service, "invoice"))).await
}
