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
    let mirrored = ours.gateway_invoice.clone().unwrap_or_default();
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
    let kept = ours.documents.first().map(|(_, hash)| hash.clone()).unwrap_or_default();
    let address = text(&theirs, "invoice_pdf");
    let (_, bytes) = Remote::try_new(address, None)?.send_raw(Method::GET, "", &[], Vec::new()).await?;
    narrator.saw(format!(
        "Its PDF ({} bytes) is kept sealed; its hash in the journal: {}.",
        bytes.len(),
        short(&kept)
    ));
    narrator.expect(
        "the hash is that of Stripe's document",
        kept == Hash::of(&bytes).to_string() && !bytes.is_empty(),
    );
    Ok(())
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
    let payment = visit.estimate.payments.last().map(ToString::to_string).unwrap_or_default();
    Ok(text(&tale.story.payment(&payment).await?, "intent").to_owned())
}

/// Explain my bill, and the statement.
pub(super) async fn bill(tale: &Tale<'_>, visit: &Visit) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("He asks: why did I pay this? Every cent has a sentence and a proof");
    let told = tale.engine().explain_bill(&tale.caller, visit.service.id, "patient_asked").await;
    let (sheet, told) = told.map_err(|error| Failure::of("the bill cannot be explained", &error))?;
    let rows: Vec<Vec<String>> =
        told.iter().map(|one| vec![one.amount.to_string(), one.because.clone(), short(&one.proof)]).collect();
    println!();
    print!("{}", table::render(&["amount", "because", "proof"], &rows, &[0]));
    println!();
    let sum: i64 = told.iter().map(|one| one.amount.minor).sum();
    narrator
        .expect("the sentences add up to what is left: 0.00 USD", sum == 0 && sheet.difference.minor == 0);
    let statement = tale.engine().statement(&tale.caller, visit.patient.id, "patient_asked").await;
    let statement = statement.map_err(|error| Failure::of("there is no statement", &error))?;
    narrator.saw(format!("His statement has {} lines since he came.", statement.lines.len()));
    narrator.expect(
        "he owes nothing, and we owe him nothing",
        statement.owed.is_empty() && statement.deposits.is_empty() && statement.credits.is_empty(),
    );
    let looks = tale.story.stage.engine.access_report(&tale.caller, &visit.patient.id.to_string()).await;
    let looks = looks.map_err(|error| Failure::of("the access log cannot be read", &error))?;
    narrator.expect("both looks are in the access log, with their purpose", looks.len() >= 2);
    Ok(())
}
