//! The world itself, and the words in which stories speak of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use suture_core::id::{DebtId, PaymentId};
use suture_core::money::Money;
use suture_core::payment::Payment;
use suture_core::posting::Posting;
use suture_engine::notices::Notices;
use suture_engine::{Billing, Engine, TakePayment};
use suture_sandbox::stripe::DEFAULT_KEY;
use suture_sandbox::wire::Request;
use suture_store::Store;
use suture_store::effects::{Effect, State};
use suture_store::links::Link;

use super::build::said;
use super::clock::{ManualClock, NodeClock};
use super::home::Home;
use super::outside::{NodeLine, Outside, STRIPE};
use super::patients::NewVisit;
use super::steps::Standing;
use crate::chance::SeededRandom;

/// One engine: what a process has in memory.
pub(super) struct Node {
    pub(super) engine: Engine,
    pub(super) line: Arc<NodeLine>,
    pub(super) clock: Arc<NodeClock>,
    /// A step whose request stands still.
    pub(super) standing: Option<Standing>,
}

/// Engines on one store, Stripe, Epic, and the clock.
pub struct World {
    /// The clock of everything.
    pub clock: Arc<ManualClock>,
    /// Stripe, Epic and the line to them.
    pub outside: Arc<Outside>,
    /// The organization.
    pub organization: String,
    /// Its Stripe connection.
    pub stripe: String,
    /// Its Epic connection.
    pub epic: String,
    /// Its Epicor connection, once there is one.
    pub epicor: Option<String>,
    pub(super) nodes: Vec<Node>,
    /// Webhooks that left Stripe and have not arrived.
    pub(super) mail: Vec<suture_sandbox::stripe::Delivery>,
    pub(super) births: u32,
    /// How new engines settle balances.
    pub(super) billing: Billing,
    /// How messages of new engines reach people.
    pub(super) notices: Notices,
    pub(super) random: Arc<SeededRandom>,
    pub(super) store: Store,
    /// Dropped last: it removes the database.
    pub(super) home: Home,
}

impl World {
    /// An engine; numbers wrap around.
    #[must_use]
    pub fn engine(&self, node: usize) -> &Engine {
        &self.nodes[node % self.nodes.len()].engine
    }

    /// How many engines there are.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The store, for looking behind the engines' backs.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Where the database lives.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// Publishes the keys that the engine has now, at the address that Epic fetches from.
    ///
    /// # Errors
    /// A sentence when a key does not open.
    pub fn publish_keys(&self) -> Result<(), String> {
        self.outside.publish_keys(&self.engine(0).jwks().map_err(said)?);
        Ok(())
    }

    /// Makes a link for a visit.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn link(&self, visit: &NewVisit) -> Result<Link, suture_engine::Error> {
        self.engine(0).make_link(&self.caller(), visit.link()).await
    }

    /// Plans a payment in USD by card, without taking a step.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn take(&self, link: &str, minor: i64, card: &str) -> Result<Payment, suture_engine::Error> {
        self.take_with(take_payment(link, minor, card)).await
    }

    /// As [`take`](Self::take), with every choice.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn take_with(&self, take: TakePayment) -> Result<Payment, suture_engine::Error> {
        self.engine(0).take_payment(&self.caller(), take).await.map(|taken| taken.payment)
    }

    /// A payment as known now.
    ///
    /// # Errors
    /// When there is no such payment.
    pub async fn payment(&self, id: PaymentId) -> Result<Payment, suture_engine::Error> {
        self.engine(0).payment(&self.organization, id).await
    }

    /// All payments, at most 1000.
    ///
    /// # Errors
    /// The store's.
    pub async fn payments(&self) -> Result<Vec<Payment>, suture_engine::Error> {
        self.engine(0).payments(&self.organization, "", 1000).await
    }

    /// All postings, at most 1000.
    ///
    /// # Errors
    /// The store's.
    pub async fn postings(&self) -> Result<Vec<Posting>, suture_engine::Error> {
        self.engine(0).postings(&self.organization, "", 1000).await
    }

    /// Effects in a state, newest first, at most 1000.
    ///
    /// # Errors
    /// The store's.
    pub async fn effects(&self, state: State) -> Result<Vec<Effect>, suture_engine::Error> {
        self.engine(0).effects(&self.organization, Some(state), i64::MAX, 1000).await
    }

    /// The balance of an account of the ledger in minor units, all currencies added: worlds use one.
    ///
    /// # Errors
    /// The store's.
    pub async fn balance(&self, account: &str) -> Result<i64, suture_engine::Error> {
        let balances = self.engine(0).balances(&self.organization, self.clock.now()).await?;
        Ok(balances.iter().filter(|(code, _)| code == account).map(|(_, amount)| amount.minor).sum())
    }

    /// Every balance of the ledger that is not zero, in minor units. Fees are counted with the gateway's money, so that
    /// `gw:stripe` is what patients paid and did not get back.
    ///
    /// # Errors
    /// The store's.
    pub async fn books(&self) -> Result<BTreeMap<String, i64>, suture_engine::Error> {
        let mut books = BTreeMap::new();
        for (code, amount) in self.engine(0).balances(&self.organization, self.clock.now()).await? {
            let code = if code == "exp:fee" { "gw:stripe".to_owned() } else { code };
            *books.entry(code).or_insert(0) += amount.minor;
        }
        books.retain(|_, minor| *minor != 0);
        Ok(books)
    }

    /// The objects that Stripe holds of a kind, such as `invoices`, oldest first.
    #[must_use]
    pub fn at_stripe(&self, kind: &str) -> Vec<Value> {
        let state = self.outside.at_stripe("state", &json!({ "only": [kind] })).unwrap_or_default();
        state[kind].as_array().cloned().unwrap_or_default()
    }

    /// What staff do in Stripe's dashboard without us: a POST such as `invoices/in_1/void`.
    ///
    /// # Panics
    /// When Stripe says no: such a story is broken.
    pub fn in_dashboard(&self, what: &str) {
        let request = Request::new("POST", &format!("/v1/{what}"))
            .with_header("host", STRIPE)
            .with_header("authorization", &format!("Bearer {DEFAULT_KEY}"));
        let answer = self.outside.stripe().handle(self.clock.millis(), &request);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// What Epic has under a reference; null when nothing.
    #[must_use]
    pub fn epic_posting(&self, reference: &str) -> Value {
        let body = json!({ "reference": reference });
        self.outside.at_epic("state", &body).map_or(Value::Null, |state| state["posting"].clone())
    }

    /// What really happened to money at Stripe, with the metadata of each payment.
    #[must_use]
    pub fn movements(&self) -> Vec<Value> {
        let said = self.outside.at_stripe("movements", &json!({})).unwrap_or_default();
        said["movements"].as_array().cloned().unwrap_or_default()
    }

    /// Movements of a kind, such as `charge`.
    #[must_use]
    pub fn moved(&self, motion: &str) -> Vec<Value> {
        self.movements().into_iter().filter(|movement| movement["motion"] == motion).collect()
    }

    /// Begins a sweep of Stripe's lists that looks this far back.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self, back: Duration) -> Result<(), suture_engine::Error> {
        self.engine(0).begin_sweep(&self.organization, &self.stripe, back).await
    }
}

/// A payment in USD by card, with nothing special.
#[must_use]
pub fn take_payment(link: &str, minor: i64, card: &str) -> TakePayment {
    TakePayment {
        link: link.to_owned(),
        amount: Money::usd(minor),
        debt: None::<DebtId>,
        connection: None,
        method: Some(card.to_owned()),
        manual_capture: false,
        off_session: false,
        save_method: false,
        return_url: None,
        confirmed_by: None,
    }
}
