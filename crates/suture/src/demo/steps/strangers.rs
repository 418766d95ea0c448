//! What nobody announced: money of an unknown payer, and a message that only pretends to be from Stripe.

use serde_json::{Value, json};

use super::desk::charge_fact;
use crate::demo::story::{Story, name, patient};
use crate::demo::words::{amount, items, text};
use crate::failure::Failure;

/// Step 9.
pub(in crate::demo) async fn unknown_payer(story: &Story<'_>) -> Result<(), Failure> {
    let greta = patient(12);
    story.narrator.step("Money arrives and nobody knows whose it is");
    story.narrator.did(format!("{} arrive at Stripe with a token that we never made.", amount(3_300, "USD")));
    let stranger =
        json!({ "amount": 3_300, "currency": "usd", "metadata": { "suture_link": "lnk_of_somebody_else" } });
    let intent = story.stage.control("stripe/external_payment", &stranger).await?;
    let intent = text(&intent, "id").to_owned();
    let found = story
        .stage
        .until(async || {
            let page = story.stage.api.get("/v1/payments?limit=200").await?;
            let is_it =
                |payment: &&Value| text(payment, "intent") == intent && text(payment, "status") == "captured";
            Ok(items(&page).iter().find(is_it).cloned())
        })
        .await?
        .ok_or_else(|| Failure::new("the payment was not seen in time"))?;
    let id = text(&found, "id");
    let suspense = story.balance("susp:unapplied").await?;
    story
        .narrator
        .saw("The money is in our books at once, as money without an owner, and a task asks who it is.");
    story.narrator.expect("the books hold it in suspense", suspense == -3_300);
    let parked = story.stage.api.get("/v1/deliveries?state=parked&limit=200").await?;
    let asks = items(&parked).iter().any(|row| text(row, "kind") == "identify_payer");
    story.narrator.expect("a task for a person asks whose it is", asks);
    story
        .narrator
        .expect("Epic has not been told anything yet", story.at_epic(&charge_fact(&found)).await?.is_null());
    story.narrator.did(format!("The desk finds out: it is from {}.", name(greta)));
    let link = story.make_link(greta, 3_300).await?;
    let path = format!("/v1/payments/{id}/identify");
    story.stage.api.post(&path, "demo-identify", &json!({ "link": link })).await?;
    let posting = story.until_posted(id, &charge_fact(&found)).await?;
    story.narrator.saw(format!("Posted in Epic on her account. Receipt: {}.", text(&posting, "evidence")));
    let epic = story.at_epic(&charge_fact(&found)).await?;
    story.narrator.expect("Epic has it on the right account", epic["account"] == greta.account_id.as_str());
    story.narrator.expect("nothing is left in suspense", story.balance("susp:unapplied").await? == 0);
    Ok(())
}

/// Step 10.
pub(in crate::demo) async fn forged_webhook(story: &Story<'_>) -> Result<(), Failure> {
    story.narrator.step("Somebody pretends to be Stripe");
    let before = story.stage.api.get("/v1/ledger/proof").await?;
    story.narrator.did("A forged webhook claims that 1,000,000.00 USD were paid.");
    let event = json!({
        "id": "evt_forged", "object": "event", "type": "charge.succeeded", "api_version": "2026-10-28.endive",
        "created": 1, "livemode": false,
        "data": { "object": { "id": "ch_forged", "object": "charge", "amount": 100_000_000, "currency": "usd" } },
    });
    let headers = [(
        "stripe-signature",
        "t=1795253400,v1=0000000000000000000000000000000000000000000000000000000000000000",
    )];
    let path = format!("/webhooks/{}", story.stage.stripe);
    let outsider = story.stage.api.with_key(None);
    let answer =
        outsider.send(reqwest::Method::POST, &path, &headers, event.to_string().into_bytes()).await?;
    story.narrator.saw(format!("Answer {}: \"{}\"", answer.status, text(&answer.body, "detail")));
    story.narrator.expect("it is refused", answer.status == 400);
    let messages = story.stage.api.get("/v1/messages?limit=200").await?;
    let stored = items(&messages).iter().any(|row| text(row, "eventId") == "evt_forged");
    story.narrator.expect("nothing of it was stored but a count", !stored);
    let after = story.stage.api.get("/v1/ledger/proof").await?;
    story.narrator.expect("the books did not change", before["lines"] == after["lines"]);
    Ok(())
}
