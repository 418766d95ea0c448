//! What the benchmark of orders plays on: a server on a fresh database, a Stripe that only tells, and the sandbox's Epicor on
//! threads of its own, reached over HTTP like a real one.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use suture_core::explain::Actor;
use suture_core::money::Money;
use suture_core::redact::Secret;
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::orders::{Buyer, NewOrder};
use suture_engine::{Caller, EffectState, Engine, Error};
use suture_sandbox::{Options, Running};
use suture_sim::world::World;

use super::billing_stage::{open_with, serve};
use super::payload;
use crate::remote::Remote;

/// A running server with an ERP.
pub(super) struct OrdersStage {
    pub(super) engine: Engine,
    pub(super) caller: Caller,
    pub(super) address: SocketAddr,
    path: String,
    control: Remote,
    /// Ends the sandbox when it is dropped.
    _sandbox: Sandbox,
}

/// The sandbox, and the runtime that it runs on: what it does is not done by our workers' threads.
struct Sandbox {
    running: Option<Running>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl OrdersStage {
    /// Sets the stage on a database, with the flows that ship with the program.
    pub(super) async fn set(url: &str) -> Result<Self, String> {
        let said = |error: Error| error.to_string();
        let flows = crate::flows::load(None).map_err(|error| error.to_string())?;
        let engine = open_with(url, flows).await?;
        let organization = engine.make_organization("bench", Mode::Sandbox).await.map_err(said)?.id;
        let caller =
            Caller { organization: organization.clone(), actor: Actor::Operator("bench".to_owned()) };
        let stripe = engine.put_connection(&caller, None, stripe()).await.map_err(said)?.id;
        let address = serve(&engine).await?;
        let (sandbox, control, epicor_url) = sandbox().await?;
        let stage =
            Self { engine, caller, address, path: format!("/webhooks/{stripe}"), control, _sandbox: sandbox };
        stage.connect(&epicor_url).await?;
        let worker = stage.engine.clone();
        tokio::spawn(async move { worker.work(256, std::future::pending()).await });
        Ok(stage)
    }

    async fn connect(&self, epicor_url: &str) -> Result<(), String> {
        let said = |error: Error| error.to_string();
        for (part, description) in World::PARTS {
            let fields = json!({ "PartNum": part, "PartDescription": description });
            self.control("create", &json!({ "table": "Part", "fields": fields })).await?;
        }
        // The connection has no budget of calls: nothing but the work itself is measured.
        let new = World::epicor_connection(epicor_url);
        let made = self.engine.put_connection(&self.caller, None, new).await.map_err(said)?;
        self.engine.save_table_row(&self.caller, "part", ("brace", json!("KNEE-100"))).await.map_err(said)?;
        let hook = json!({
            "url": format!("http://{}/webhooks/{}", self.address, made.id),
            "secret": World::HOOK_SECRET,
            "short": true,
        });
        self.control("hook", &hook).await?;
        let organization = self.caller.organization.clone();
        self.engine.plan_timers(&[organization]).await.map_err(said)
    }

    /// Asks the sandbox's Epicor, or turns a knob of it.
    pub(super) async fn control(&self, verb: &str, body: &Value) -> Result<Value, String> {
        let told = self.control.post(&format!("/control/epicor/{verb}"), "none", body).await;
        told.map_err(|error| error.to_string())
    }

    /// Places an order of 120.00 by a buyer of its own; gives the link that its payment carries.
    pub(super) async fn place(&self, number: u32) -> Result<String, String> {
        let example = World::new_order(number, "brace");
        let mut lines = example.lines.clone();
        lines.iter_mut().for_each(|line| line.unit_price_minor = 5_600);
        let buyer = Buyer { id: format!("buyer-{number:08}"), ..example.buyer.clone() };
        let new = NewOrder { lines, buyer, total: Money::usd(PAID), ..example };
        let placed = self.engine.place_order(&self.caller, new).await;
        Ok(placed.map_err(|error| error.to_string())?.link)
    }

    /// Signed requests that tell of each link's payment.
    pub(super) fn requests(&self, links: &[String]) -> Vec<Vec<u8>> {
        let t = self.engine.now().seconds();
        let told = |(number, link): (u64, &String)| {
            payload::request(&self.path, &payload::charge_succeeded(number, link, t), t)
        };
        (0..).zip(links).map(told).collect()
    }

    /// How much work is ready, and how much stopped.
    pub(super) async fn depth(&self) -> Result<(i64, i64), String> {
        let depths =
            self.engine.depths(&self.caller.organization).await.map_err(|error| error.to_string())?;
        let sum = |ready: bool| {
            depths.iter().filter(|depth| (depth.state == "ready") == ready).map(|depth| depth.count).sum()
        };
        Ok((sum(true), sum(false)))
    }

    /// Waits until no more work is ready than this.
    pub(super) async fn rest(&self, timers: i64) -> Result<(), String> {
        let mut left = (0, 0);
        for _ in 0..60_000 {
            left = self.depth().await?;
            if left.1 > 0 {
                return Err(format!("{} effects stopped; the first: {}", left.1, self.stopped().await));
            }
            if left.0 <= timers {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(format!("{} effects were still on their way after ten minutes", left.0 - timers))
    }

    /// What the first effect that stopped says of itself.
    async fn stopped(&self) -> String {
        for state in [EffectState::Dead, EffectState::Parked] {
            let found = self.engine.effects(&self.caller.organization, Some(state), i64::MAX, 1).await;
            if let Some(effect) = found.unwrap_or_default().first() {
                return format!("{}: {}", effect.kind, effect.error.as_deref().unwrap_or("no reason"));
            }
        }
        "it is gone again".to_owned()
    }
}

/// What each order comes to, in minor units: what the benchmark's webhooks say.
pub(super) const PAID: i64 = 12_000;

fn stripe() -> NewConnection {
    let secret = |text: &str| vec![Secret::new(text.to_owned())];
    NewConnection {
        kind: "stripe".to_owned(),
        name: "bench".to_owned(),
        settings: json!({ "options": { "livemode": "false" }, "fetch": "when_stale" }),
        secrets: [
            ("secret_key".to_owned(), secret("sk_test_bench")),
            ("webhook_secret".to_owned(), secret(payload::SECRET)),
        ]
        .into(),
    }
}

/// Starts the sandbox on a runtime of its own; gives its control API, and where its Epicor is.
async fn sandbox() -> Result<(Sandbox, Remote, String), String> {
    let runtime = crate::system::runtime().map_err(|error| error.to_string())?;
    let started = runtime.spawn(suture_sandbox::start(Options::default())).await;
    let running = started.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let control = Remote::try_new(&running.control_url, None).map_err(|error| error.to_string())?;
    let url = running.epicor_url.clone();
    Ok((Sandbox { running: Some(running), runtime: Some(runtime) }, control, url))
}
