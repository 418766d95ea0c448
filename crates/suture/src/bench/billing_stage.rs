//! What the benchmarks of billing play on: a server on a fresh database with a pretend Stripe that measures itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use suture_core::eligibility::{Answer, Responsibility};
use suture_core::explain::Actor;
use suture_core::id::{EligibilityId, PatientId};
use suture_core::money::Money;
use suture_core::redact::{Phi, Secret};
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::billing::{NewEligibility, NewPatient};
use suture_engine::{Caller, Engine, Error, Parts, Settings};
use suture_flow::compiled::Compiled;
use suture_sandbox::stripe::DEFAULT_KEY;
use suture_store::{Keyring, Options, Store};

use super::gateway::Gateway;

/// A running server with a gateway.
pub(super) struct BillingStage {
    pub(super) engine: Engine,
    pub(super) gateway: Arc<Gateway>,
    pub(super) caller: Caller,
    pub(super) address: SocketAddr,
    /// An administrator's key of the API.
    pub(super) key: Secret<String>,
}

impl BillingStage {
    /// Sets the stage on a database. No flows run: what follows from a payment elsewhere is another benchmark's.
    pub(super) async fn set(url: &str) -> Result<Self, String> {
        let engine = open(url).await?;
        let said = |error: Error| error.to_string();
        let organization = engine.make_organization("bench", Mode::Sandbox).await.map_err(said)?.id;
        let (_, key) = engine.make_api_key(&organization, "bench", "admin").await.map_err(said)?;
        let caller =
            Caller { organization: organization.clone(), actor: Actor::Operator("bench".to_owned()) };
        let (gateway, gateway_address) = Gateway::start().await.map_err(|error| error.to_string())?;
        let secret = |text: &str| vec![Secret::new(text.to_owned())];
        let stripe = NewConnection {
            kind: "stripe".to_owned(),
            name: "bench".to_owned(),
            settings: serde_json::json!({ "options": { "base_url": format!("http://{gateway_address}") } }),
            secrets: [
                ("secret_key".to_owned(), secret(DEFAULT_KEY)),
                ("webhook_secret".to_owned(), secret("whsec_bench")),
            ]
            .into(),
        };
        engine.put_connection(&caller, None, stripe).await.map_err(said)?;
        let worker = engine.clone();
        tokio::spawn(async move { worker.work(64, std::future::pending()).await });
        engine.plan_timers(std::slice::from_ref(&organization)).await.map_err(said)?;
        let address = serve(&engine).await?;
        Ok(Self { engine, gateway, caller, address, key })
    }

    /// Records a patient without a customer anywhere.
    pub(super) async fn patient(&self) -> Result<PatientId, Error> {
        let new = NewPatient { external: BTreeMap::new(), personal: Vec::new(), customer_at: Vec::new() };
        Ok(self.engine.create_patient(&self.caller, new).await?.id)
    }

    /// A check that says that the patient owes an amount.
    pub(super) async fn check(&self, patient: PatientId, minor: i64) -> Result<EligibilityId, Error> {
        let new = NewEligibility {
            patient,
            policy: None,
            service_types: vec!["98".to_owned()],
            account: None,
            appointment: None,
        };
        let id = self.engine.create_eligibility(&self.caller, new).await?.id;
        let (share, none) = (Money::usd(minor), Money::usd(0));
        let responsibility = Responsibility {
            total: share,
            copay: share,
            coinsurance: none,
            deductible: none,
            not_covered: none,
            out_of_pocket_left: None,
            low: share,
            high: share,
            notes: Vec::new(),
            conditions: Vec::new(),
            limits: Vec::new(),
        };
        let answer = Answer::Covered { responsibility };
        self.engine.answer_eligibility(&self.caller, id, answer, "bench").await?;
        Ok(id)
    }
}

/// An engine on a database, as the benchmarks of billing use it.
pub(super) async fn open(url: &str) -> Result<Engine, String> {
    open_with(url, Vec::new()).await
}

/// An engine on a database, with flows.
pub(super) async fn open_with(url: &str, flows: Vec<Compiled>) -> Result<Engine, String> {
    let keyring = Keyring::new(&[("bench".to_owned(), vec![7; 32])]).map_err(|error| error.to_string())?;
    let parts = Parts {
        store: Store::open(&Options::new(url, keyring)).map_err(|error| error.to_string())?,
        clock: Arc::new(crate::system::SystemClock),
        random: Arc::new(crate::system::MachineRandom::new()),
        transport: Arc::new(suture_engine::Egress::try_new()?),
        flows,
        sealing_key: suture_core::audit::seal::SealingKey::from_seed(&[9; 32])
            .map_err(|error| error.to_string())?,
        node: format!("bench-{}", std::process::id()),
        slots: 20_000,
        settings: Settings::default(),
    };
    Engine::open(parts).await.map_err(|error| error.to_string())
}

/// Names of patients are not needed here; a note's text is.
pub(super) fn note() -> Phi<String> {
    Phi::new("S: cough. O: clear. A: viral. P: rest.".to_owned())
}

/// Serves the API of an engine on a free port of this machine.
pub(super) async fn serve(engine: &Engine) -> Result<SocketAddr, String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let settings =
        suture_api::Settings { requests_per_second_per_key: 100_000, ..suture_api::Settings::default() };
    let app = suture_api::router(engine.clone(), settings);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
