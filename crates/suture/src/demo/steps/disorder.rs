//! The network misbehaves: messages come many times and out of order, answers get lost, Epic is down.

use serde_json::{Value, json};

use super::desk::charge_fact;
use crate::demo::story::{Story, name, patient};
use crate::demo::words::{amount, items, text};
use crate::failure::Failure;

/// Step 5.
pub(in crate::demo) async fn duplicates(story: &Story<'_>) -> Result<(), Failure> {
    let dirk = patient(7);
    story.narrator.step("Every message comes 25 times, in the wrong order");
    story.narrator.did("Stripe's webhooks are told to misbehave: 24 copies of each, shuffled.");
    story.stage.control("stripe/webhooks", &json!({ "extra_copies": 24, "reorder_ms": 250 })).await?;
    let link = story.make_link(dirk, 6_000).await?;
    let payment = story.pay("demo-duplicates", &link, 6_000, "pm_card_visa").await?;
    story.narrator.did(format!("{} pays {}.", name(dirk), amount(6_000, "USD")));
    let id = text(&payment, "id").to_owned();
    let paid = story.until_status(&id, "captured").await?;
    let (charge, fact) = (text(&paid, "charge").to_owned(), charge_fact(&paid));
    let row = story
        .stage
        .until(async || {
            let page = story.stage.api.get("/v1/messages?limit=200").await?;
            let of_charge = |row: &&Value| {
                text(row, "objectId") == charge && text(row, "eventType") == "charge.succeeded"
            };
            Ok(items(&page).iter().find(of_charge).filter(|row| row["deliveries"] == 25).cloned())
        })
        .await?;
    story.stage.control("stripe/webhooks", &json!({})).await?;
    story.narrator.saw("One row in the inbox, with a count of its deliveries.");
    story.narrator.expect("the row shows 25 deliveries of one event", row.is_some());
    story.until_posted(&id, &fact).await?;
    let epic = story.at_epic(&fact).await?;
    story.narrator.expect("Epic has one posting, sent once", epic["count"] == 1 && epic["attempts"] == 1);
    let entries = story.stage.api.get("/v1/ledger/entries?limit=200").await?;
    let of_charge = items(&entries).iter().filter(|entry| text(entry, "key").contains(&charge)).count();
    story.narrator.expect("our books have one entry for the charge", of_charge == 1);
    Ok(())
}

/// Step 6.
pub(in crate::demo) async fn lost_answer(story: &Story<'_>) -> Result<(), Failure> {
    let elsa = patient(8);
    story.narrator.step("Stripe takes the money, but its answer gets lost");
    let link = story.make_link(elsa, 5_500).await?;
    story
        .narrator
        .did("The next answer of Stripe to a new payment is cut off on its way, and webhooks are late too.");
    story.stage.control("stripe/webhooks", &json!({ "delay_ms": 1500 })).await?;
    story
        .stage
        .control("stripe/lose_answers", &json!({ "next": 1, "only": "POST /v1/payment_intents" }))
        .await?;
    let payment = story.pay("demo-lost", &link, 5_500, "pm_card_visa").await?;
    let id = text(&payment, "id").to_owned();
    story.narrator.did(format!("{} pays {}.", name(elsa), amount(5_500, "USD")));
    story.narrator.saw(format!(
        "Our API answers: {}. \"{}\"",
        text(&payment, "status"),
        text(&payment, "message")
    ));
    story.narrator.expect("nobody guesses: the payment is unknown", text(&payment, "status") == "unknown");
    let paid = story.until_status(&id, "captured").await?;
    story.stage.control("stripe/webhooks", &json!({})).await?;
    story
        .narrator
        .saw("A moment later we asked again under the same key, and Stripe gave the answer that was lost.");
    let charges = story.at_stripe(text(&paid, "intent"), "charge").await?;
    story
        .narrator
        .expect("Stripe charged the card once", charges.len() == 1 && charges[0]["amount"] == 5_500);
    let all = story.stage.control("stripe/state", &json!({ "only": ["payment_intents"] })).await?;
    let ours =
        items(&all["payment_intents"]).iter().filter(|one| one["metadata"]["suture_link"] == link.as_str());
    story.narrator.expect("there is one payment at Stripe, not two", ours.count() == 1);
    story.narrator.expect("it is still the first attempt", items(&paid["attempts"]).len() == 1);
    story.until_posted(&id, &charge_fact(&paid)).await.map(|_| ())
}

/// Step 8.
pub(in crate::demo) async fn epic_outage(story: &Story<'_>) -> Result<(), Failure> {
    let finn = patient(11);
    story.narrator.step("Epic is down; the money waits in a queue, not in a person's head");
    story.narrator.did("Epic is switched off.");
    story.stage.control("epic/outage", &json!({ "on": true })).await?;
    let link = story.make_link(finn, 7_500).await?;
    let payment = story.pay("demo-outage", &link, 7_500, "pm_card_visa").await?;
    story.narrator.did(format!("{} pays {}.", name(finn), amount(7_500, "USD")));
    let id = text(&payment, "id").to_owned();
    let paid = story.until_status(&id, "captured").await?;
    let fact = charge_fact(&paid);
    let waiting = story
        .stage
        .until(async || {
            let page = story.stage.api.get("/v1/deliveries?limit=200").await?;
            let is_it =
                |row: &&Value| text(row, "kind") == "post" && text(row, "destination") == story.stage.epic;
            let failed = |row: &&Value| text(row, "state") == "ready" && row["error"].is_string();
            Ok(items(&page).iter().filter(is_it).find(failed).cloned())
        })
        .await;
    // Whatever was seen, Epic comes back, so that the next steps are not disturbed.
    story.stage.control("epic/outage", &json!({ "on": false })).await?;
    let waiting = waiting?;
    let error = waiting.as_ref().map_or("", |row| text(row, "error"));
    story.narrator.saw(format!("In the queue for Epic: 1 posting. Its last try: \"{error}\""));
    story.narrator.expect("the payment is taken and its posting waits", waiting.is_some());
    story.narrator.did("Epic comes back.");
    let posting = story.until_posted(&id, &fact).await?;
    story.narrator.saw(format!("Posted without anybody's help. Receipt: {}.", text(&posting, "evidence")));
    let epic = story.at_epic(&fact).await?;
    story.narrator.expect("Epic has it once", epic["count"] == 1 && epic["amount_minor"] == 7_500);
    Ok(())
}
