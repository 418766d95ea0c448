//! Cards that do not simply work: declined, or with a question for the holder.

use serde_json::json;

use super::desk::charge_fact;
use crate::demo::story::{Story, name, patient};
use crate::demo::words::{amount, items, text};
use crate::failure::Failure;

/// Step 3.
pub(in crate::demo) async fn decline_and_retry(story: &Story<'_>) -> Result<(), Failure> {
    let bram = patient(3);
    story.narrator.step("A card is declined, another one works");
    let link = story.make_link(bram, 8_000).await?;
    story.narrator.did(format!(
        "{} pays {} with a card that has no money left.",
        name(bram),
        amount(8_000, "USD")
    ));
    let payment =
        story.pay("demo-declined", &link, 8_000, "pm_card_visa_chargeDeclinedInsufficientFunds").await?;
    let id = text(&payment, "id").to_owned();
    let declined = story.until_status(&id, "requires_method").await?;
    story.narrator.saw(format!("Declined. The desk reads: \"{}\"", text(&declined, "message")));
    story.narrator.did("He takes another card out. The desk tries again, for the same debt.");
    let path = format!("/v1/payments/{id}/attempts");
    story.stage.api.post(&path, "demo-second-card", &json!({ "method": "pm_card_mastercard" })).await?;
    let paid = story.until_status(&id, "captured").await?;
    let attempts: Vec<&str> = items(&paid["attempts"]).iter().map(|attempt| text(attempt, "state")).collect();
    story.narrator.saw(format!("Attempts: {}.", attempts.join(", then ")));
    story.narrator.expect("two attempts, the second one approved", attempts == ["declined", "approved"]);
    story
        .narrator
        .expect("both are for one debt", paid["debt"].is_string() && paid["debt"] == declined["debt"]);
    let charges = story.at_stripe(text(&paid, "intent"), "charge").await?;
    story.narrator.expect("Stripe took the money once", charges.len() == 1 && charges[0]["amount"] == 8_000);
    story.until_posted(&id, &charge_fact(&paid)).await.map(|_| ())
}

/// Step 4.
pub(in crate::demo) async fn challenge(story: &Story<'_>) -> Result<(), Failure> {
    let cora = patient(4);
    story.narrator.step("A bank asks the cardholder to confirm (3-D Secure)");
    let link = story.make_link(cora, 4_500).await?;
    story.narrator.did(format!(
        "{} pays {}; her bank wants to be sure that it is her.",
        name(cora),
        amount(4_500, "USD")
    ));
    let payment = story.pay("demo-challenge", &link, 4_500, "pm_card_threeDSecure2Required").await?;
    let id = text(&payment, "id").to_owned();
    let waiting = story.until_status(&id, "requires_action").await?;
    story.narrator.saw(format!("The payment waits: \"{}\"", text(&waiting, "message")));
    story.narrator.expect("no money has moved while it waits", waiting["captured"]["minor"] == 0);
    story.narrator.did("She confirms on her bank's page.");
    let intent = text(&waiting, "intent");
    story.stage.control("stripe/complete_3ds", &json!({ "payment_intent": intent })).await?;
    let paid = story.until_status(&id, "captured").await?;
    story.narrator.saw("Stripe told us by webhook; nobody had to ask.");
    story.narrator.expect("the payment went on by itself", paid["captured"]["minor"] == 4_500);
    story.until_posted(&id, &charge_fact(&paid)).await.map(|_| ())
}
