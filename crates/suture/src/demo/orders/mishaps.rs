//! What goes wrong around an order: an unknown product, a lost answer, a declined card.

use serde_json::{Value, json};
use suture_core::order::{Order, Status};

use super::shop::VISA;
use super::tale::Tale;
use crate::demo::words::{items, text};
use crate::failure::Failure;

/// Step 2.
pub(super) async fn unknown_product(tale: &Tale<'_>) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("A product that Epicor's parts do not know");
    let strange = tale.place("walker").await?;
    tale.pay(&strange, VISA).await?;
    narrator.did(format!("{} is placed and paid; nobody said which part a walker is.", strange.reference));
    let parked = parked(tale, "walker").await?;
    let error = parked.as_ref().map_or("", |row| text(row, "error"));
    narrator.saw(format!("The order waits: \"{error}\""));
    narrator.expect("it says which row is missing", error.contains("has no row walker"));
    let good = tale.place("brace").await?;
    tale.pay(&good, VISA).await?;
    tale.until_filed(&good).await?;
    narrator.did(format!("{} comes after it, and is filed at once.", good.reference));
    let waiting = tale.known(&strange).await?;
    narrator.expect("only the strange order waits, and nothing of it was sent", waiting.documents.is_empty());
    narrator.expect("its money is safe meanwhile", waiting.status() == Status::Paid);
    let woken = tale.save_part("walker", "KNEE-100").await?;
    narrator.did("Somebody saves the row: a walker is part KNEE-100.");
    narrator.expect("one order went on by itself", woken == 1);
    tale.until_filed(&strange).await?;
    narrator.expect("it is in Epicor once", tale.sales_orders(&strange).await?.len() == 1);
    Ok(())
}

/// Work that waits for a person, and names this.
async fn parked(tale: &Tale<'_>, name: &str) -> Result<Option<Value>, Failure> {
    let names = |row: &&Value| text(row, "error").contains(name);
    let look = async || {
        let page = tale.story.stage.api.get("/v1/deliveries?state=parked&limit=200").await?;
        Ok(items(&page).iter().find(names).cloned())
    };
    tale.story.stage.until(look).await
}

/// Step 3.
pub(super) async fn lost_answer(tale: &Tale<'_>) -> Result<(), Failure> {
    let (narrator, stage) = (&tale.story.narrator, tale.story.stage);
    narrator.step("Epicor makes the sales order, but its answer gets lost");
    narrator.did("The next answer of Epicor about a sales order is cut off on its way.");
    let lose = json!({ "count": 1, "method": "POST", "endpoint": "SalesOrderSvc/SalesOrders" });
    stage.control("epicor/lose_answers", &lose).await?;
    let order = tale.place("brace").await?;
    tale.pay(&order, VISA).await?;
    narrator.did(format!("{} is placed and paid.", order.reference));
    let order = tale.until_filed(&order).await?;
    let faults = stage.control("epicor/state", &json!({})).await?;
    narrator.saw("Nobody guessed: Epicor was asked for our reference, and what it had was taken.");
    narrator.expect("the answer was lost", faults["faults"]["answers_to_lose"] == 0);
    let heads = tale.sales_orders(&order).await?;
    narrator.expect("Epicor has the sales order once", heads.len() == 1);
    narrator.expect("with its 108.00", heads.iter().all(of_108));
    Ok(())
}

fn of_108(head: &Value) -> bool {
    let told = ["OrderAmt", "TotalCharges", "DocOrderAmt"].iter().map(|name| head[*name].to_string());
    told.into_iter().any(|amount| amount.trim_matches('"').trim_end_matches(['0', '.']) == "108")
}

/// Step 4.
pub(super) async fn declined_card(tale: &Tale<'_>) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("A card is declined after the order was placed");
    let order = tale.place("brace").await?;
    let declined = tale.pay(&order, "pm_card_chargeDeclined").await?;
    narrator.did(format!("{} is placed; its card is declined.", order.reference));
    let held = tale.until(&order, "filed on hold", |known| known.keys_of("sales_order").is_some()).await?;
    narrator.expect("the order is held", held.status() == Status::Held);
    narrator.expect("Epicor has it on hold, so nobody ships it", is_on_hold(tale, &order, true).await?);
    let shipped = tale.ship_order(&held).await;
    narrator.saw(format!("Epicor refuses to ship: {}", said(&shipped)));
    narrator.expect("it cannot be shipped", shipped.is_err());
    let engine = tale.story.stage.engine.clone();
    let retried = Box::pin(engine.retry_payment(&tale.caller, declined.id, VISA.to_owned())).await;
    retried.map_err(|error| Failure::of("the payment was not tried again", &error))?;
    narrator.did("The customer takes another card.");
    let paid = tale.until_filed(&order).await?;
    narrator.expect("the order is paid, and held no more", is_free(&paid));
    narrator.expect("it is the same sales order, released", is_on_hold(tale, &order, false).await?);
    Ok(())
}

fn is_free(order: &Order) -> bool {
    order.status() == Status::Paid && order.held.is_none()
}

fn said(shipped: &Result<i64, Failure>) -> String {
    shipped.as_ref().map_or_else(ToString::to_string, |invoice| format!("it did, invoice {invoice}"))
}

/// Whether Epicor has an order exactly once, and held or not.
async fn is_on_hold(tale: &Tale<'_>, order: &Order, held: bool) -> Result<bool, Failure> {
    let heads = tale.sales_orders(order).await?;
    Ok(heads.len() == 1 && heads.iter().all(|head| head["OrderHeld"] == held))
}
