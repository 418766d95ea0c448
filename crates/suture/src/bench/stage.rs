//! What a benchmark plays on: a server on a fresh database, with connections to a pretend Stripe and an Epic sink.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use suture_connect::ehr::epic::routes::{Proposal, Route};
use suture_core::explain::Actor;
use suture_core::payment::Purpose;
use suture_core::redact::Secret;
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::links::NewLink;
use suture_engine::{Caller, Engine, Parts, Settings};
use suture_store::{Keyring, Options, Store};

use super::payload;
use super::wire::Sink;

/// How many links payments are spread over.
const LINKS: u64 = 1000;

/// A running server with everything around it.
pub(super) struct Stage {
    pub(super) engine: Engine,
    pub(super) address: SocketAddr,
    pub(super) sink: Arc<Sink>,
    pub(super) organization: String,
    path: String,
    links: Vec<String>,
}

impl Stage {
    /// Sets the stage on a database; `works` says whether what was accepted is also worked on.
    pub(super) async fn set(url: &str, works: bool) -> Result<Self, String> {
        let keyring =
            Keyring::new(&[("bench".to_owned(), vec![7; 32])]).map_err(|error| error.to_string())?;
        let store = Store::open(&Options::new(url, keyring)).map_err(|error| error.to_string())?;
        let flow = suture_flow::flow::Flow::parse(
            include_str!("../../../../flows/stripe-to-epic.yaml"),
            "stripe-to-epic.yaml",
        )
        .map_err(|problems| problems.to_string())?;
        let parts = Parts {
            store,
            clock: Arc::new(crate::system::SystemClock),
            random: Arc::new(crate::system::MachineRandom::new()),
            transport: Arc::new(suture_engine::Egress::try_new()?),
            flows: vec![flow.compile()],
            sealing_key: suture_core::audit::seal::SealingKey::from_seed(&[9; 32])
                .map_err(|error| error.to_string())?,
            node: format!("bench-{}", std::process::id()),
            slots: if works { 20_000 } else { 0 },
            settings: Settings::default(),
        };
        let engine = Engine::open(parts).await.map_err(|error| error.to_string())?;
        let sink = Arc::new(Sink::default());
        let sink_address = sink.start().await.map_err(|error| error.to_string())?;
        let organization =
            engine.make_organization("bench", Mode::Sandbox).await.map_err(|error| error.to_string())?.id;
        let caller =
            Caller { organization: organization.clone(), actor: Actor::Operator("bench".to_owned()) };
        let stripe = connect(&engine, &caller, sink_address).await?;
        let links = make_links(&engine, &caller).await?;
        if works {
            let worker = engine.clone();
            tokio::spawn(async move { worker.work(256, std::future::pending()).await });
        }
        engine.plan_timers(std::slice::from_ref(&organization)).await.map_err(|error| error.to_string())?;
        let address = serve(&engine).await?;
        Ok(Self { engine, address, sink, organization, path: format!("/webhooks/{stripe}"), links })
    }

    /// Signed requests for payments numbered from `first`.
    pub(super) fn requests(&self, first: u64, count: u64) -> Vec<Vec<u8>> {
        let t = self.engine.now().seconds();
        (first..first + count)
            .map(|number| {
                let link = &self.links[super::end_to_end::usize_of(number % LINKS)];
                payload::request(&self.path, &payload::charge_succeeded(number, link, t), t)
            })
            .collect()
    }

    /// Waits until that many payments arrived in Epic and nothing is left in the queue.
    pub(super) async fn wait_until_confirmed(&self, payments: u64) -> Result<(), String> {
        for _ in 0..12_000 {
            if self.sink.posts() >= payments {
                let depths =
                    self.engine.depths(&self.organization).await.map_err(|error| error.to_string())?;
                let waiting: i64 =
                    depths.iter().filter(|d| d.destination != "suture" || d.count > 3).map(|d| d.count).sum();
                // The daily sweep of the gateway connection always waits.
                if waiting <= 1 {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let depths = self.engine.depths(&self.organization).await.map_err(|error| error.to_string())?;
        Err(format!(
            "after a minute {} of {payments} payments had arrived; queues: {depths:?}",
            self.sink.posts()
        ))
    }
}

async fn connect(engine: &Engine, caller: &Caller, sink: SocketAddr) -> Result<String, String> {
    let secret = |text: &str| vec![Secret::new(text.to_owned())];
    let stripe = NewConnection {
        kind: "stripe".to_owned(),
        name: "bench".to_owned(),
        settings: serde_json::json!({ "options": { "livemode": "false" }, "fetch": "when_stale" }),
        secrets: [
            ("secret_key".to_owned(), secret("sk_test_bench")),
            ("webhook_secret".to_owned(), secret(payload::SECRET)),
        ]
        .into(),
    };
    let stripe = engine.put_connection(caller, None, stripe).await.map_err(|error| error.to_string())?.id;
    let key = suture_engine::new_signing_key("bench")?;
    let proposal = Proposal { route: Route::ExternalPayment, read_back: true, reasons: Vec::new() };
    let epic = NewConnection {
        kind: "epic".to_owned(),
        name: "sink".to_owned(),
        settings: serde_json::json!({
            "fhir_base_url": format!("http://{sink}/api/FHIR/R4"),
            "token_url": format!("http://{sink}/oauth2/token"),
            "interconnect_base_url": format!("http://{sink}"),
            "client_id": "bench",
            "proposal": proposal,
        }),
        secrets: [("signing_key".to_owned(), vec![key])].into(),
    };
    engine.put_connection(caller, None, epic).await.map_err(|error| error.to_string())?;
    Ok(stripe)
}

async fn make_links(engine: &Engine, caller: &Caller) -> Result<Vec<String>, String> {
    let mut links = Vec::new();
    for number in 0..LINKS {
        let some = |kind: &str| Some(format!("{kind}{number}"));
        let link = NewLink {
            patient: format!("patient{number}"),
            account: some("account"),
            claim: None,
            encounter: some("encounter"),
            practitioner: some("practitioner"),
            appointment: some("appointment"),
            coverage: None,
            purpose: Purpose::Balance,
            due: None,
            service_codes: vec!["99214".to_owned()],
        };
        links.push(engine.make_link(caller, link).await.map_err(|error| error.to_string())?.id);
    }
    Ok(links)
}

async fn serve(engine: &Engine) -> Result<SocketAddr, String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let app = suture_api::router(engine.clone(), suture_api::Settings::default());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
