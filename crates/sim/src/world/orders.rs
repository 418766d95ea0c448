//! A shop and its Epicor in a world: orders are placed, paid, shipped and told of.

use serde_json::{Value, json};
use suture_core::id::{OrderId, PaymentId};
use suture_core::money::Money;
use suture_core::order::{Line, Order};
use suture_core::payment::Payment;
use suture_core::redact::Phi;
use suture_engine::admin::NewConnection;
use suture_engine::orders::{Buyer, BuyerAddress, NewOrder};
use suture_engine::{Caller, TakePayment};
use suture_sandbox::epicor::{DEFAULT_API_KEY, DEFAULT_COMPANY, DEFAULT_PASSWORD, DEFAULT_USER};
use suture_store::effects::{Effect, State};

use super::build::{said, secrets};
use super::outside::EPICOR;
use super::stage::World;

/// The part that every world's product `brace` leads to.
const PART: &str = "KNEE-100";

impl World {
    /// The secret with which Epicor signs its calls.
    pub const HOOK_SECRET: &str = "bpm-secret";
    /// The parts that Epicor must have, with their descriptions: goods, tax and freight.
    pub const PARTS: [(&str, &str); 3] = [(PART, "Knee brace"), ("TAX", "Sales tax"), ("FREIGHT", "Freight")];

    /// A connection to the sandbox's Epicor at a base URL, as its company is set up. Nothing limits how fast it is called.
    #[must_use]
    pub fn epicor_connection(base_url: &str) -> NewConnection {
        let settings = json!({
            "epicor": {
                "base_url": base_url,
                "instance": "Kinetic",
                "company": DEFAULT_COMPANY,
                "bank_account": "MAIN",
                "references": { "receipt": "SutureRef_c", "invoice": "SutureRef_c", "customer": "SutureRef_c" },
                "webhook": { "header": "x-epicor-signature", "prefix": "" },
                "customers": { "territory": "WEST", "terms": "N30" },
                "orders": { "tax": { "part": "TAX" }, "shipping": { "part": "FREIGHT" } },
                "memos": { "sales_category": "SALE", "reason_field": null },
                "auto_post": false,
            },
            "sign_in": "basic",
            "poll_seconds": 3600,
        });
        NewConnection {
            kind: "epicor".to_owned(),
            name: "Epicor".to_owned(),
            settings,
            secrets: secrets(&[
                ("user", DEFAULT_USER),
                ("password", DEFAULT_PASSWORD),
                ("api_key", DEFAULT_API_KEY),
                ("webhook_secret", Self::HOOK_SECRET),
            ]),
        }
    }

    /// Connects Epicor, with a part for the product `brace`, and lets it call us.
    ///
    /// # Errors
    /// A sentence that says what could not be set up.
    pub async fn connect_epicor(&mut self) -> Result<String, String> {
        let new = Self::epicor_connection(&format!("http://{EPICOR}"));
        for (part, description) in Self::PARTS {
            let fields = json!({ "PartNum": part, "PartDescription": description });
            self.outside.at_epicor("create", &json!({ "table": "Part", "fields": fields }))?;
        }
        let caller = self.caller();
        let made = self.engine(0).put_connection(&caller, None, new).await.map_err(said)?;
        self.save_part("brace", PART).await?;
        let hook = json!({ "url": format!("http://suture.test/{}", made.id), "secret": Self::HOOK_SECRET, "short": true });
        self.outside.at_epicor("hook", &hook)?;
        let organization = self.organization.clone();
        self.engine(0).plan_timers(&[organization]).await.map_err(said)?;
        self.epicor = Some(made.id.clone());
        Ok(made.id)
    }

    /// Says which part a product is. Returns how many runs waited for it.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn save_part(&self, product: &str, part: &str) -> Result<u64, String> {
        let caller = self.caller();
        self.engine(0).save_table_row(&caller, "part", (product, json!(part))).await.map_err(said)
    }

    /// An order of the example: two braces at 50.00 and tax of 8.00.
    #[must_use]
    pub fn new_order(number: u32, product: &str) -> NewOrder {
        NewOrder {
            reference: format!("SHOP-{number}"),
            buyer: Buyer {
                id: format!("buyer-{number}"),
                name: Phi::new(format!("Clinic Supply {number}")),
                email: Some(Phi::new(format!("buy{number}@supply.example"))),
                address: Some(Phi::new(BuyerAddress {
                    line1: Some("1 Main St".to_owned()),
                    city: Some("Springfield".to_owned()),
                    ..BuyerAddress::default()
                })),
            },
            lines: vec![Line { product: product.to_owned(), quantity: 2, unit_price_minor: 5_000 }],
            tax_minor: 800,
            shipping_minor: 0,
            total: Money::usd(10_800),
            ship_method: None,
        }
    }

    /// Places the order of the example.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn place_order(&self, number: u32) -> Result<Order, String> {
        let caller = self.caller();
        self.engine(0).place_order(&caller, Self::new_order(number, "brace")).await.map_err(said)
    }

    /// Pays an order with a card, until everything that follows at once is done.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn pay_order(&mut self, order: &Order, card: &str) -> Result<Payment, String> {
        let caller = self.caller();
        let payment = self.begin_paying(&caller, order, card).await?;
        self.settle().await?;
        self.engine(0).payment(&self.organization, payment).await.map_err(said)
    }

    /// Asks for the payment of an order; nothing has left yet.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn begin_paying(
        &self,
        caller: &Caller,
        order: &Order,
        card: &str,
    ) -> Result<PaymentId, String> {
        let take = TakePayment {
            link: order.link.clone(),
            amount: order.total,
            debt: Some(order.debt),
            connection: Some(self.stripe.clone()),
            method: Some(card.to_owned()),
            manual_capture: false,
            off_session: false,
            save_method: false,
            return_url: None,
            confirmed_by: None,
        };
        let taken = self.engine(0).take_payment(caller, take).await.map_err(said)?;
        Ok(taken.payment.id)
    }

    /// Gives a part of an order's money back, until everything that follows at once is done.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn refund_order(&mut self, order: &Order, minor: i64) -> Result<(), String> {
        let caller = self.caller();
        let payment = order.payments.keys().next().and_then(|id| PaymentId::parse(id).ok());
        let payment = payment.ok_or("the order has no payment")?;
        let amount = Some(Money::new(minor, order.total.currency));
        self.engine(0)
            .clone()
            .refund_payment(&caller, payment, amount, ("customer_returned", "ops"))
            .await
            .map_err(said)?;
        self.settle().await.map(|_| ())
    }

    /// What stopped: state and sentence of each dead or parked effect.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn stopped(&self) -> Result<Vec<String>, String> {
        let mut stopped = Vec::new();
        for state in [State::Dead, State::Parked, State::Ready] {
            let found = self.effects(state).await.map_err(said)?;
            let text = |effect: &Effect| {
                format!(
                    "{} {} {}: {}",
                    state.name(),
                    effect.kind,
                    effect.id,
                    effect.error.as_deref().unwrap_or("-")
                )
            };
            stopped.extend(
                found.iter().filter(|effect| effect.kind != "seal" && effect.kind != "tidy").map(text),
            );
        }
        if !stopped.is_empty() {
            let sent = self.outside.sent();
            stopped.extend(sent.iter().rev().filter(|line| line.contains(EPICOR)).take(3).cloned());
        }
        Ok(stopped)
    }

    /// An order as known now.
    ///
    /// # Errors
    /// The engine's sentence.
    pub async fn order(&self, id: OrderId) -> Result<Order, String> {
        self.engine(0).customer_order(&self.organization, id).await.map_err(said)
    }

    /// Ships an order in Epicor, which invoices it and posts the invoice; Epicor's calls are on their way.
    ///
    /// # Errors
    /// Epicor's sentence.
    pub fn ship(&self, number: i64) -> Result<Value, String> {
        self.outside.at_epicor("ship", &json!({ "order": number }))
    }

    /// Documents of a table of Epicor, as its screens show them.
    ///
    /// # Errors
    /// Epicor's sentence.
    pub fn erp_documents(&self, table: &str) -> Result<Vec<Value>, String> {
        let found = self.outside.at_epicor("documents", &json!({ "table": table }))?;
        Ok(found.as_array().or_else(|| found["rows"].as_array()).cloned().unwrap_or_default())
    }

    /// Lets Epicor's calls arrive at an engine. Says how many there were.
    pub(super) async fn deliver_erp(&mut self) -> usize {
        let now = self.clock.millis();
        let due = self.outside.epicor().due_deliveries(now);
        let count = due.len();
        for call in due {
            let connection = call.url.rsplit('/').next().unwrap_or_default().to_owned();
            let header = |name: &str| {
                call.headers
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.clone())
            };
            let outcome = self.engine(0).receive_webhook(&connection, header, &call.body).await;
            let outcome = outcome.map(|_| 200).map_err(|error| error.to_string());
            self.outside.epicor().delivered(call.id, &outcome);
        }
        count
    }
}
