//! Money goes back, with a reason and somebody who allowed it.

use serde_json::{Value, json};

use super::desk::charge_fact;
use crate::demo::story::{Story, name, patient};
use crate::demo::words::{amount, items, text};
use crate::failure::Failure;

/// Step 7.
pub(in crate::demo) async fn partly(story: &Story<'_>) -> Result<(), Failure> {
    story.narrator.step("A part of the first payment goes back");
    let id = text(&story.first, "id");
    let path = format!("/v1/payments/{id}/refunds");
    let thirty = json!({ "minor": 3_000, "currency": "USD" });
    let bare = story.stage.api.try_post(&path, "demo-refund-bare", &json!({ "amount": thirty })).await?;
    story.narrator.did("Somebody asks for a refund without a reason.");
    story.narrator.expect("it is refused: a refund needs a reason and an authorizer", bare.status >= 400);
    story.narrator.did(format!(
        "{} gets {} back: the visit was shorter than billed, allowed by the billing lead.",
        name(patient(0)),
        amount(3_000, "USD")
    ));
    let body =
        json!({ "amount": thirty, "reason": "visit shorter than billed", "authorizer": "billing-lead" });
    story.stage.api.post(&path, "demo-refund", &body).await?;
    let after = story.until_status(id, "part_refunded").await?;
    story.narrator.expect("90.00 USD stay, 30.00 USD went back", after["refunded"]["minor"] == 3_000);
    let refund =
        items(&after["refunds"]).first().map(|refund| text(refund, "id").to_owned()).unwrap_or_default();
    let fact = format!("refund:{refund}");
    let posting = story.until_posted(id, &fact).await?;
    story.narrator.saw(format!("Epic's receipt for the reversal: {}.", text(&posting, "evidence")));
    let epic = story.at_epic(&fact).await?;
    story.narrator.expect(
        "Epic has a reversal of 30.00 USD that names the first payment",
        epic["amount_minor"].as_i64().map(i64::abs) == Some(3_000)
            && epic["original"] == charge_fact(&story.first).as_str(),
    );
    let too_much = json!({ "amount": { "minor": 9_001, "currency": "USD" }, "reason": "mistake", "authorizer": "billing-lead" });
    let refused: Value = story.stage.api.try_post(&path, "demo-refund-much", &too_much).await?.body;
    story.narrator.saw(format!("One cent more than is left: \"{}\"", text(&refused, "detail")));
    let returned = story.at_stripe(text(&after, "intent"), "refund").await?;
    story.narrator.expect("Stripe gave money back once", returned.len() == 1);
    Ok(())
}
