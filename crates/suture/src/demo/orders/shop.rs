//! What a shop does: orders are placed and paid. The first step: an order that simply works.

use suture_core::id::PaymentId;
use suture_core::order::{Order, Status};
use suture_core::payment::Payment;
use suture_engine::TakePayment;
use suture_engine::orders::OrderPage;
use suture_sim::world::World;

use super::tale::Tale;
use crate::demo::words::amount;
use crate::failure::Failure;

/// A card that works.
pub(super) const VISA: &str = "pm_card_visa";
/// The documents of a paid order.
pub(super) const DOCUMENTS: [&str; 3] = ["customer", "sales_order", "cash_receipt"];

/// Step 1.
pub(super) async fn order(tale: &Tale<'_>) -> Result<Order, Failure> {
    let narrator = &tale.story.narrator;
    narrator.step("An order is placed and paid");
    let order = tale.place("brace").await?;
    narrator.did(format!(
        "{} is placed: 2 x {} and tax of {}, together {}.",
        order.reference,
        amount(5_000, "USD"),
        amount(800, "USD"),
        amount(order.total.minor, "USD")
    ));
    tale.pay(&order, VISA).await?;
    narrator.did("It is paid by card.");
    let order = tale.until_filed(&order).await?;
    for kind in DOCUMENTS {
        narrator.saw(format!("Filed in Epicor: {kind} {}", keys(&order, kind)));
    }
    narrator.expect("the order is paid", order.status() == Status::Paid);
    let heads = tale.sales_orders(&order).await?;
    narrator.expect("Epicor has its sales order once", heads.len() == 1);
    let gateway = tale.balance("gw:stripe").await? + tale.balance("exp:fee").await?;
    narrator.expect("108.00 lie at Stripe, before its fee", gateway == 10_800);
    let deposit = tale.balance("deposit:customer").await?;
    narrator.expect("they are the customer's deposit: nothing was shipped yet", deposit == -10_800);
    Ok(order)
}

/// The keys of an order's newest document of a kind, as Epicor gave them.
pub(super) fn keys(order: &Order, kind: &str) -> String {
    order.keys_of(kind).map_or_else(|| "-".to_owned(), ToString::to_string)
}

impl Tale<'_> {
    /// Places the next order of the example: two of a product at 50.00, and tax of 8.00.
    pub(super) async fn place(&self, product: &str) -> Result<Order, Failure> {
        self.placed.set(self.placed.get() + 1);
        let new = World::new_order(1_000 + self.placed.get(), product);
        let placed = self.story.stage.engine.place_order(&self.caller, new).await;
        placed.map_err(|error| Failure::of("the order was not placed", &error))
    }

    /// Pays an order with a card.
    pub(super) async fn pay(&self, order: &Order, card: &str) -> Result<Payment, Failure> {
        let take = TakePayment {
            link: order.link.clone(),
            amount: order.total,
            debt: Some(order.debt),
            connection: Some(self.story.stage.stripe.clone()),
            method: Some(card.to_owned()),
            manual_capture: false,
            off_session: false,
            save_method: false,
            return_url: None,
            confirmed_by: None,
        };
        let taken = Box::pin(self.story.stage.engine.take_payment(&self.caller, take)).await;
        Ok(taken.map_err(|error| Failure::of("the order was not paid", &error))?.payment)
    }

    /// The payment of an order.
    pub(super) fn payment_of(order: &Order) -> Result<PaymentId, Failure> {
        let known = order.payments.keys().next().and_then(|id| PaymentId::parse(id).ok());
        known.ok_or_else(|| Failure::new(format!("{} has no payment", order.reference)))
    }

    /// An order as known now.
    pub(super) async fn known(&self, order: &Order) -> Result<Order, Failure> {
        let stage = self.story.stage;
        let known = stage.engine.customer_order(&stage.organization, order.id).await;
        known.map_err(|error| Failure::of("the order cannot be read", &error))
    }

    /// The page of an order.
    pub(super) async fn page(&self, order: &Order) -> Result<OrderPage, Failure> {
        let stage = self.story.stage;
        let page = Box::pin(stage.engine.order_page(&stage.organization, order.id)).await;
        page.map_err(|error| Failure::of("the page of the order cannot be read", &error))
    }

    /// Waits until an order is as wanted.
    pub(super) async fn until(
        &self,
        order: &Order,
        what: &str,
        is_so: impl Fn(&Order) -> bool,
    ) -> Result<Order, Failure> {
        let seen = self
            .story
            .stage
            .until(async || {
                let known = self.known(order).await?;
                Ok(is_so(&known).then_some(known))
            })
            .await?;
        seen.ok_or_else(|| Failure::new(format!("{} was not {what} in time", order.reference)))
    }

    /// Waits until customer, sales order and receipt of an order are filed.
    pub(super) async fn until_filed(&self, order: &Order) -> Result<Order, Failure> {
        self.until(order, "filed", |known| DOCUMENTS.iter().all(|kind| known.keys_of(kind).is_some())).await
    }

    /// The balance of an account in our books, in minor units of US dollars.
    pub(super) async fn balance(&self, account: &str) -> Result<i64, Failure> {
        self.story.balance(account).await
    }
}
