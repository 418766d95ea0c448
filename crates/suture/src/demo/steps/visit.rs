//! A visit that goes well: a token for the patient, a payment, its way into books and Epic.

use serde_json::json;

use super::desk::charge_fact;
use crate::demo::story::{Story, name, patient};
use crate::demo::words::{amount, short, text};
use crate::failure::Failure;

/// Step 1.
pub(in crate::demo) async fn link(story: &mut Story<'_>) -> Result<(), Failure> {
    let ada = patient(0);
    story.narrator.step("A patient gets an opaque token");
    story.narrator.did(format!("{} saw a doctor and owes {}.", name(ada), amount(12_000, "USD")));
    let link = story.make_link(ada, 12_000).await?;
    story.narrator.saw(format!("Token {link}: all that Stripe will ever learn about her."));
    let tells = [ada.id.as_str(), &ada.mrn, &ada.family].iter().any(|known| link.contains(known));
    story.narrator.expect("the token says nothing about the patient", link.starts_with("lnk_") && !tells);
    story.link = link;
    Ok(())
}

/// Step 2.
pub(in crate::demo) async fn pay(story: &mut Story<'_>) -> Result<(), Failure> {
    let ada = patient(0);
    story.narrator.step("She pays, and the payment explains itself everywhere");
    story.narrator.did(format!("The desk takes {} from her card.", amount(12_000, "USD")));
    let payment = story.pay("demo-first", &story.link, 12_000, "pm_card_visa").await?;
    let id = text(&payment, "id").to_owned();
    story.narrator.saw(format!("Stripe answered: {} ({}).", text(&payment, "status"), short(&id)));
    let payment = story.until_status(&id, "captured").await?;
    story.narrator.expect("the money moved", payment["captured"]["minor"] == 12_000);
    let charges = story.at_stripe(text(&payment, "intent"), "charge").await?;
    story.narrator.expect("Stripe made exactly one charge", charges.len() == 1);
    let intents =
        story.stage.control("stripe/state", &json!({ "only": ["payment_intents", "customers"] })).await?;
    let told = intents.to_string();
    let leaked = [ada.id.as_str(), &ada.mrn, &ada.family, &ada.given, "99214"]
        .iter()
        .any(|known| told.contains(known));
    story.narrator.expect(
        "Stripe knows the token, and neither patient nor service",
        told.contains(&story.link) && !leaked,
    );
    let fact = charge_fact(&payment);
    let posting = story.until_posted(&id, &fact).await?;
    story.narrator.saw(format!("Epic's receipt for it: {}.", text(&posting, "evidence")));
    let epic = story.at_epic(&fact).await?;
    story.narrator.expect(
        "Epic has it once, on her account, with the same amount",
        epic["count"] == 1 && epic["amount_minor"] == 12_000 && epic["account"] == ada.account_id.as_str(),
    );
    let (stripe, owed) = (story.balance("gw:stripe").await?, story.balance("ar:patient").await?);
    story.narrator.saw(format!(
        "Our books: {} lie at Stripe, which kept a small fee; patients owe {}.",
        amount(stripe, "USD"),
        amount(owed, "USD")
    ));
    story.narrator.expect("she owes nothing any more", owed == 0);
    story.first = payment;
    Ok(())
}
