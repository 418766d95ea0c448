//! The end of the day: everything is shipped, invoiced and paid by its deposit; the bookkeeper posts; one customer wants
//! half of the money back.

use serde_json::json;
use suture_core::money::Money;
use suture_core::order::{Order, Status};

use super::page;
use super::shop::keys;
use super::tale::Tale;
use crate::demo::words::amount;
use crate::failure::Failure;

/// What goes back, in minor units: one of two braces, and its part of the tax.
pub(super) const REFUNDED: i64 = 5_400;

/// Step 5.
pub(super) async fn ship(tale: &Tale<'_>, first: &Order) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Everything is shipped, invoiced, and paid by its deposit");
    let stage = tale.story.stage;
    let listed = stage.engine.customer_orders(&stage.organization, None, ("", 200)).await;
    let listed = listed.map_err(|error| Failure::of("the orders cannot be read", &error))?;
    let mut settled = 0;
    for summary in &listed {
        let id = suture_core::id::OrderId::parse(&summary.id)
            .map_err(|_| Failure::new(format!("{} is no order", summary.id)))?;
        let order = tale.known(&Order { id, ..first.clone() }).await?;
        let invoice = tale.ship_order(&order).await?;
        let order = tale.until(&order, "settled", |known| known.status() == Status::Settled).await?;
        narrator.saw(format!("{} shipped, invoice {invoice} posted, its deposit applied.", order.reference));
        settled += 1;
    }
    narrator.expect("every order is settled", settled == tale.placed.get());
    narrator.expect("no customer owes anything", tale.balance("ar:customer").await? == 0);
    narrator.expect("no deposit is left over", tale.balance("deposit:customer").await? == 0);
    let earned = (tale.balance("rev:service").await?, tale.balance("tax:payable").await?);
    let orders = i64::from(settled);
    narrator
        .expect("100.00 of each order are earned, 8.00 are tax", earned == (-10_000 * orders, -800 * orders));
    Ok(())
}

/// Step 6.
pub(super) async fn post(tale: &Tale<'_>) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Epicor's bookkeeper posts the receipts");
    let groups = tale.post_groups("CashGrp", "post_cash").await?;
    narrator.did(format!("Posted: {}.", groups.join(", ")));
    narrator.expect("there was a group to post", !groups.is_empty());
    page::compare(tale, 0).await
}

/// Step 7.
pub(super) async fn refund(tale: &Tale<'_>, first: &Order) -> Result<(), Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("Half of an order's money goes back, after its invoice");
    let order = tale.known(first).await?;
    let back = Some(Money::new(REFUNDED, order.total.currency));
    let engine = tale.story.stage.engine.clone();
    let payment = Tale::payment_of(&order)?;
    let refunded =
        Box::pin(engine.refund_payment(&tale.caller, payment, back, ("customer_returned", "ops"))).await;
    refunded.map_err(|error| Failure::of("the refund was not made", &error))?;
    narrator.did(format!("{} of {} are refunded at Stripe.", amount(REFUNDED, "USD"), order.reference));
    let order = tale.until(&order, "credited", |known| known.keys_of("credit_memo").is_some()).await?;
    narrator.saw(format!("Filed in Epicor: credit_memo {}", keys(&order, "credit_memo")));
    let memos = tale.at_epicor("InvcHead").await?;
    let memos = memos.iter().filter(|head| head["CreditMemo"] == true);
    narrator.expect("Epicor has one credit memo", memos.count() == 1);
    narrator.expect("nobody owes anybody: AR is 0", tale.balance("ar:customer").await? == 0);
    narrator.expect("and the deposit is 0", tale.balance("deposit:customer").await? == 0);
    let groups = tale.post_groups("InvcGrp", "post_invoices").await?;
    narrator.did(format!("The bookkeeper posts it: {}.", groups.join(", ")));
    Ok(())
}

impl Tale<'_> {
    /// Ships an order in Epicor, which invoices it and posts the invoice. Gives the invoice's number.
    pub(super) async fn ship_order(&self, order: &Order) -> Result<i64, Failure> {
        let number = order.keys_of("sales_order").and_then(|keys| keys["order_number"].as_i64());
        let number = number.ok_or_else(|| Failure::new(format!("{} is not in Epicor", order.reference)))?;
        let shipped = self.story.stage.control("epicor/ship", &json!({ "order": number })).await?;
        shipped["invoice"].as_i64().ok_or_else(|| Failure::new("Epicor gave no invoice's number"))
    }
}
