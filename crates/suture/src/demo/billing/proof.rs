//! What proves a settled bill: the invoice at Stripe with its archived document, and a sentence for every cent.

use reqwest::Method;
use serde_json::{Value, json};
use suture_core::audit::chain::Hash;

use super::settle::invoice as invoice_of;
use super::tale::{Tale, Visit};
use crate::demo::words::{amount, items, short, text};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::table;

/// The invoice at Stripe, and its document.
pub(super) async fn invoice(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("The same bill at Stripe, and the document that is kept");
    tale.story.stage.rest().await?;
    let ours = invoice_of(tale, visit).await?;
    let mirrored = text(&ours, "gatewayInvoice").to_owned();
    let theirs = at_stripe(tale, &mirrored).await?;
    narrator.saw(format!(
        "Stripe's invoice {}: {} of {} paid.",
        short(&mirrored),
        amount(theirs["amount_paid"].as_i64().unwrap_or(0), "USD"),
        amount(theirs["amount_due"].as_i64().unwrap_or(0), "USD")
    ));
    narrator.expect("it says 35.00 USD, paid", theirs["status"] == "paid" && theirs["total"] == 3_500);
    let intent = intent_of(tale, visit).await?;
    let attached = attached(tale, &mirrored).await?;
    narrator
        .expect("paid by the payment that was captured before, attached to it", attached.contains(&intent));
    let customers = tale.story.stage.control("stripe/state", &json!({ "only": ["customers"] })).await?;
    let left = items(&customers["customers"])
        .iter()
        .filter_map(|customer| customer["balance"].as_i64())
        .sum::<i64>();
    narrator.expect("no balance is left behind in Stripe's customer", left == 0);
    let kept = text(&ours["documents"][0], "hash");
    let (theirs, ours) = (document(text(&theirs, "invoice_pdf")).await?, archived(tale, &ours).await?);
    narrator.saw(format!(
        "Its PDF ({} bytes) is kept sealed; its hash in the journal: {}.",
        ours.len(),
        short(kept)
    ));
    narrator.expect("what we keep is Stripe's document, byte for byte", ours == theirs && !ours.is_empty());
    narrator.expect("and the hash is that document's", kept == Hash::of(&ours).to_string());
    Ok(())
}

/// A document at Stripe.
async fn document(address: &str) -> Result<Vec<u8>, Failure> {
    let (_, bytes) = Remote::try_new(address, None)?.send_raw(Method::GET, "", &[], Vec::new()).await?;
    Ok(bytes)
}

/// The document that we keep of an invoice.
async fn archived(tale: &Tale<'_>, invoice: &Value) -> Result<Vec<u8>, Failure> {
    let path = format!("/v1/invoices/{}/document?purpose=patient_asked", text(invoice, "id"));
    let (_, bytes) = tale.story.stage.api.send_raw(Method::GET, &path, &[], Vec::new()).await?;
    Ok(bytes)
}

async fn at_stripe(tale: &Tale<'_>, id: &str) -> Result<Value, Failure> {
    let state = tale.story.stage.control("stripe/state", &json!({ "only": ["invoices"] })).await?;
    let found = items(&state["invoices"]).iter().find(|invoice| text(invoice, "id") == id);
    found.cloned().ok_or_else(|| Failure::new("Stripe does not know the invoice"))
}

/// The intents of the payments that are attached to an invoice at Stripe.
async fn attached(tale: &Tale<'_>, id: &str) -> Result<Vec<String>, Failure> {
    let state = tale.story.stage.control("stripe/state", &json!({ "only": ["invoice_payments"] })).await?;
    let of = items(&state["invoice_payments"]).iter().filter(|payment| text(payment, "invoice") == id);
    let paid = of.filter(|payment| payment["status"] == "paid");
    Ok(paid.map(|payment| text(&payment["payment"], "payment_intent").to_owned()).collect())
}

async fn intent_of(tale: &Tale<'_>, visit: &Visit) -> Result<String, Failure> {
    let estimate = tale.get(&format!("/v1/estimates/{}", visit.estimate)).await?;
    Ok(items(&estimate["attempts"])
        .last()
        .map(|payment| text(payment, "intent").to_owned())
        .unwrap_or_default())
}

/// Explain my bill, and the statement.
pub(super) async fn bill(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("He asks: why did I pay this? Every cent has a sentence and a proof");
    let path = format!("/v1/services/{}/explanation?purpose=patient_asked", visit.service);
    let told = tale.get(&path).await?;
    let minor = |sentence: &Value| sentence["amount"]["minor"].as_i64().unwrap_or(0);
    let row = |sentence: &Value| {
        let because = text(sentence, "because").to_owned();
        vec![amount(minor(sentence), "USD"), because, short(text(sentence, "proof"))]
    };
    let rows: Vec<Vec<String>> = items(&told["sentences"]).iter().map(row).collect();
    println!();
    print!("{}", table::render(&["amount", "because", "proof"], &rows, &[0]));
    println!();
    let sum: i64 = items(&told["sentences"]).iter().map(minor).sum();
    narrator.expect(
        "the sentences add up to what is left: 0.00 USD",
        sum == 0 && !rows.is_empty() && told["worksheet"]["difference"]["minor"] == 0,
    );
    let path = format!("/v1/patients/{}/statement?purpose=patient_asked", visit.patient);
    let statement = tale.get(&path).await?;
    narrator.saw(format!("His statement has {} lines since he came.", items(&statement["lines"]).len()));
    let none = |name: &str| items(&statement[name]).is_empty();
    narrator.expect(
        "he owes nothing, and we owe him nothing",
        none("owed") && none("deposits") && none("credits"),
    );
    let looks = tale.get(&format!("/v1/access?patient={}", visit.patient)).await?;
    let asked = items(&looks).iter().filter(|look| text(look, "purpose") == "patient_asked").count();
    narrator.expect("both looks are in the access log, with their purpose", asked >= 2);
    Ok(())
}
