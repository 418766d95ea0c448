//! Building a world: database, sandbox organization, Stripe and Epic connections, engines.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use suture_core::audit::seal::SealingKey;
use suture_core::explain::Actor;
use suture_core::redact::Secret;
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::notices::Notices;
use suture_engine::{Billing, Caller, Engine, Parts, Settings, new_signing_key};
use suture_flow::compiled::Compiled;
use suture_flow::flow::Flow;
use suture_flow::vocabulary::Vocabulary;
use suture_sandbox::epic::{self, EpicWorld};
use suture_sandbox::stripe::{DEFAULT_KEY, Ladder, StripeOptions, StripeWorld};
use suture_store::Store;

use super::clock::{ManualClock, NodeClock};
use super::home::Home;
use super::outside::{NodeLine, Outside, STRIPE};
use super::stage::{Node, World};
use crate::chance::SeededRandom;

/// The host name of Epic in a world.
const EPIC: &str = "http://epic.test";
/// The client id of our app at Epic.
pub(super) const CLIENT: &str = "suture-sim";
/// Saturday, 21 November 2026, 09:00 UTC.
const BEGIN_MS: i64 = 1_795_251_600_000;
/// The flows that ship with the product.
const FLOWS: [(&str, &str); 5] = [
    ("stripe-to-epic.yaml", include_str!("../../../../flows/stripe-to-epic.yaml")),
    ("order-to-cash.yaml", include_str!("../../../../flows/order-to-cash.yaml")),
    ("order-declined.yaml", include_str!("../../../../flows/order-declined.yaml")),
    ("order-invoiced.yaml", include_str!("../../../../flows/order-invoiced.yaml")),
    ("order-refunded.yaml", include_str!("../../../../flows/order-refunded.yaml")),
];

/// The webhook secret of a world's Stripe connection.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_sim";

/// How a world begins.
pub struct Setup {
    /// The database.
    pub home: Home,
    /// Seed of ids, of Stripe and of Epic.
    pub seed: u64,
    /// How many engines share the store.
    pub nodes: usize,
    /// Which Epic answers.
    pub epic: epic::Mode,
    /// `always` or `when_stale`: when webhooks are checked by a fetch.
    pub fetch: &'static str,
    /// Calls to Epic per minute; no limit when absent.
    pub epic_calls_per_minute: Option<u32>,
    /// How balances are settled.
    pub billing: Billing,
    /// How messages reach people.
    pub notices: Notices,
}

impl Setup {
    /// One engine on a fresh database, on `sqlite` or `postgres`.
    #[must_use]
    pub fn on(engine: &str) -> Self {
        Self::at(Home::on(engine))
    }

    /// One engine on a database.
    #[must_use]
    pub fn at(home: Home) -> Self {
        Self {
            home,
            seed: 1,
            nodes: 1,
            epic: epic::Mode::Real,
            fetch: "always",
            epic_calls_per_minute: None,
            billing: Billing::default(),
            notices: Notices::default(),
        }
    }
}

impl World {
    /// Opens a world. A database that is furnished already keeps its organization and connections.
    ///
    /// # Errors
    /// A sentence that says what could not be set up.
    pub async fn open(setup: Setup) -> Result<Self, String> {
        let clock = Arc::new(ManualClock::at(BEGIN_MS));
        let mut stripe = StripeWorld::new(StripeOptions {
            seed: setup.seed,
            keys: Vec::new(),
            webhook: Some((format!("http://suture.test/{STRIPE}"), WEBHOOK_SECRET.to_owned())),
            ladder: Ladder::Live,
        });
        // Papers are at the same host as everything else.
        stripe.serve_at(&format!("http://{STRIPE}"));
        stripe.advance(BEGIN_MS);
        let epic = EpicWorld::new(setup.seed, setup.epic);
        let outside = Arc::new(Outside::new(clock.clone(), stripe, epic));
        let store = setup.home.open()?;
        let random = Arc::new(SeededRandom::new(setup.seed));
        let mut world = Self::empty(clock, outside, store, random, setup.home);
        (world.billing, world.notices) = (setup.billing, setup.notices);
        world.outside.at_epic("base_url", &json!({ "url": EPIC }))?;
        world.birth().await?;
        let known = world.engine(0).organizations().await.map_err(said)?;
        match known.first() {
            Some(organization) => world.organization.clone_from(&organization.id),
            None => world.furnish(setup.fetch, setup.epic_calls_per_minute).await?,
        }
        world.find_connections()?;
        world.register_client()?;
        if known.is_empty() {
            world.probe_epic().await?;
        }
        for _ in 1..setup.nodes {
            world.birth().await?;
        }
        Ok(world)
    }

    async fn furnish(&mut self, fetch: &str, per_minute: Option<u32>) -> Result<(), String> {
        let engine = self.engine(0).clone();
        let made = engine.make_organization("Sandbox Clinic", Mode::Sandbox).await.map_err(said)?;
        self.organization = made.id;
        let caller = self.caller();
        let stripe = NewConnection {
            kind: "stripe".to_owned(),
            name: "Stripe".to_owned(),
            settings: json!({
                "options": { "base_url": format!("http://{STRIPE}"), "livemode": "false" }, "fetch": fetch,
            }),
            secrets: secrets(&[("secret_key", DEFAULT_KEY), ("webhook_secret", WEBHOOK_SECRET)]),
        };
        engine.put_connection(&caller, None, stripe).await.map_err(said)?;
        let key = new_signing_key("first")?;
        let budget = json!({ "per_minute_peak": per_minute, "per_minute_off_peak": per_minute });
        let epic = NewConnection {
            kind: "epic".to_owned(),
            name: "Epic".to_owned(),
            settings: json!({
                "fhir_base_url": format!("{EPIC}/interconnect/api/FHIR/R4"),
                "client_id": CLIENT,
                "interconnect_base_url": format!("{EPIC}/interconnect"),
                "organization": "Organization/eSbxOrganization01",
                "zone": "America/Chicago",
                "budget": budget,
            }),
            secrets: secrets(&[("signing_key", key.expose())]),
        };
        engine.put_connection(&caller, None, epic).await.map_err(said)?;
        Ok(())
    }

    fn find_connections(&mut self) -> Result<(), String> {
        let connections = self.engine(0).connections_of(&self.organization);
        let of = |kind: &str| {
            let found = connections.iter().find(|connection| connection.kind == kind);
            found.map(|connection| connection.id.clone()).ok_or(format!("there is no {kind} connection"))
        };
        self.stripe = of("stripe")?;
        self.epic = of("epic")?;
        Ok(())
    }

    /// Registers our app at Epic, with the keys that the engine publishes.
    fn register_client(&self) -> Result<(), String> {
        self.publish_keys()?;
        let body = json!({ "client_id": CLIENT, "jwks_url": "https://suture.test/jwks" });
        self.outside.at_epic("register_client", &body)?;
        let jwks: Value =
            serde_json::from_str(&self.engine(0).jwks().map_err(said)?).map_err(|error| error.to_string())?;
        self.outside.at_epic("jwks_fetched", &json!({ "client_id": CLIENT, "jwks": jwks })).map(|_| ())
    }

    async fn probe_epic(&self) -> Result<(), String> {
        let probe = self.engine(0).probe(&self.caller(), &self.epic).await.map_err(said)?;
        if probe.usable { Ok(()) } else { Err(format!("Epic cannot be used: {}", probe.findings.join("; "))) }
    }

    /// Starts one more engine on the store, as a fresh process.
    pub(super) async fn birth(&mut self) -> Result<(), String> {
        let node = self.make_node().await?;
        self.nodes.push(node);
        Ok(())
    }

    pub(super) async fn make_node(&mut self) -> Result<Node, String> {
        self.births += 1;
        let line = Arc::new(NodeLine::new(self.outside.clone()));
        let clock = Arc::new(NodeClock::new(self.clock.clone()));
        let engine = Engine::open(Parts {
            store: self.store.clone(),
            clock: clock.clone(),
            random: self.random.clone(),
            transport: line.clone(),
            flows: shipped_flows()?,
            sealing_key: SealingKey::from_seed(&[9; 32]).map_err(|error| error.to_string())?,
            node: format!("node-{}", self.births),
            slots: 0,
            settings: Settings {
                billing: self.billing.clone(),
                notices: self.notices.clone(),
                ..Settings::default()
            },
        })
        .await
        .map_err(said)?;
        Ok(Node { engine, line, clock, standing: None })
    }

    /// Starts every engine again with other settings of billing.
    ///
    /// # Errors
    /// A sentence when an engine does not start.
    pub async fn restart_with(&mut self, billing: Billing) -> Result<(), String> {
        self.billing = billing;
        for number in 0..self.nodes() {
            self.crash(number).await?;
        }
        Ok(())
    }

    /// Starts every engine again with other ways to reach people.
    ///
    /// # Errors
    /// A sentence when an engine does not start.
    pub async fn restart_sending(&mut self, notices: Notices) -> Result<(), String> {
        self.notices = notices;
        for number in 0..self.nodes() {
            self.crash(number).await?;
        }
        Ok(())
    }

    /// Who acts in a world.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller { organization: self.organization.clone(), actor: Actor::ApiKey("key_front_desk".to_owned()) }
    }
}

fn shipped_flows() -> Result<Vec<Compiled>, String> {
    static COMPILED: std::sync::OnceLock<Result<Vec<Compiled>, String>> = std::sync::OnceLock::new();
    let compile = || match Flow::parse_set(&FLOWS, &Vocabulary::built_in()) {
        Ok(flows) => Ok(flows.iter().map(Flow::compile).collect()),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    };
    COMPILED.get_or_init(compile).clone()
}

pub(crate) fn secrets(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<Secret<String>>> {
    let entry = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![Secret::new((*value).to_owned())]);
    pairs.iter().map(entry).collect()
}

/// An engine's error as a sentence.
#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
pub(crate) fn said(error: suture_engine::Error) -> String {
    error.to_string()
}

impl World {
    fn empty(
        clock: Arc<ManualClock>,
        outside: Arc<Outside>,
        store: Store,
        random: Arc<SeededRandom>,
        home: Home,
    ) -> Self {
        Self {
            clock,
            outside,
            organization: String::new(),
            stripe: String::new(),
            epic: String::new(),
            epicor: None,
            nodes: Vec::new(),
            mail: Vec::new(),
            billing: Billing::default(),
            notices: Notices::default(),
            births: 0,
            random,
            store,
            home,
        }
    }
}
