//! The stage: a pretend Stripe, Epic, Epicor and payer, and a real server in one process, on free ports of this
//! machine only, all on one clock that can jump.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use suture_core::audit::seal::SealingKey;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::payments::Caller;
use suture_engine::{Billing, Clock, Egress, Engine, Parts, Settings};
use suture_sandbox::stripe::DEFAULT_KEY;
use suture_sandbox::{Options as SandboxOptions, Running, SandboxClock};
use suture_store::{Keyring, Options, Store};
use tokio::net::TcpListener;

use super::words::{items, text};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::serving::{self, Serving};
use crate::system::MachineRandom;
use crate::{flows, keys, opening};

const CLIENT: &str = "suture-demo";
const SCOPES: [&str; 6] = [
    "system/Patient.rs",
    "system/Account.rs",
    "system/Claim.rs",
    "system/Coverage.rs",
    "system/Encounter.rs",
    "system/Practitioner.rs",
];

/// Work that follows from something that happened; the rest are timers.
const WORK: [&str; 10] = [
    "apply_message",
    "attempt",
    "book_remittance",
    "cancel",
    "capture",
    "make_customer",
    "mirror_invoice",
    "post",
    "refund",
    "run_flow",
];

/// How long before a balance is charged the patient is told.
pub(super) const NOTICE: Duration = Duration::from_secs(3 * 86_400);

/// The sandbox's clock, which our engine reads too: a jump moves all worlds at once.
struct SharedClock(Arc<SandboxClock>);

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now_ms())
    }
}

/// Everything that the story plays with.
pub(crate) struct Stage {
    pub(super) engine: Engine,
    pub(super) organization: String,
    /// Our API, as the administrator.
    pub(super) api: Remote,
    pub(super) stripe: String,
    pub(super) epic: String,
    pub(super) base: String,
    key: Secret<String>,
    sandbox: Running,
    control: Remote,
    /// The pretend payer's own address.
    pub(super) payer: Remote,
    serving: Serving,
    folder: PathBuf,
}

impl Stage {
    /// Starts everything, with fresh keys and an empty database.
    pub(crate) async fn set(postgres: Option<&str>) -> Result<Self, Failure> {
        println!("Suture keeps money (Stripe), care (Epic) and books (a ledger) in step.");
        println!(
            "Nothing here is real: Stripe and Epic are pretended on this machine, and nobody here exists."
        );
        let folder = fresh_folder()?;
        let sandbox = suture_sandbox::start(SandboxOptions::default())
            .await
            .map_err(|error| Failure::of("the sandbox cannot start", &error))?;
        let database = match postgres {
            Some(url) => url.to_owned(),
            None => format!("sqlite:{}", folder.join("suture.db").display()),
        };
        let engine = open_engine(&folder, &database, sandbox.clock.clone()).await?;
        let made = |error| Failure::of("the organization was not made", &error);
        let organization = engine.make_organization("Demo Clinic", Mode::Sandbox).await.map_err(made)?.id;
        let (_, key) = engine.make_api_key(&organization, "demo", "admin").await.map_err(made)?;
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|error| Failure::of("no free port was found", &error))?;
        let settings =
            suture_api::Settings { requests_per_second_per_key: 1000, ..suture_api::Settings::default() };
        let router = suture_api::router(engine.clone(), settings);
        let serving = serving::start(engine.clone(), listener, router, 32).await?;
        let base = format!("http://{}", serving.address);
        let api = Remote::try_new(&base, Some(Secret::new(key.expose().clone())))?;
        let control = Remote::try_new(&sandbox.control_url, None)?;
        let payer = Remote::try_new(&sandbox.payer_url, None)?;
        let mut stage = Self {
            engine,
            organization,
            api,
            stripe: String::new(),
            epic: String::new(),
            base,
            key,
            sandbox,
            control,
            payer,
            serving,
            folder,
        };
        stage.connect().await?;
        Ok(stage)
    }

    /// Connects the pretend Stripe and the pretend Epic, as a clinic would connect the real ones.
    async fn connect(&mut self) -> Result<(), Failure> {
        let caller = opening::operator(&self.organization);
        self.stripe = self.connect_stripe(&caller).await?;
        self.epic = self.connect_epic(&caller).await?;
        println!();
        for (what, id) in [("Stripe", &self.stripe), ("Epic", &self.epic)] {
            let probe = self
                .engine
                .probe(&caller, id)
                .await
                .map_err(|error| Failure::of(format!("{what} was not probed"), &error))?;
            println!("Connected: pretend {what} ({})", if probe.usable { "usable" } else { "NOT usable" });
            // The sentences about every resource and every event type are for a connection's page.
            let told = probe.findings.iter().filter(|finding| finding.len() < 100);
            let told: Vec<&String> = told.collect();
            told.iter().skip(told.len().saturating_sub(3)).for_each(|finding| println!("   {finding}"));
        }
        // Connections made now need their timers now.
        let planned = self.engine.plan_timers(std::slice::from_ref(&self.organization)).await;
        planned.map_err(|error| Failure::of("the timers cannot be planned", &error))
    }

    async fn connect_stripe(&self, caller: &Caller) -> Result<String, Failure> {
        let failed = |error| Failure::of("the pretend Stripe was not connected", &error);
        let secrets =
            [("secret_key", DEFAULT_KEY.to_owned()), ("webhook_secret", "whsec_demo_before".to_owned())];
        let new = NewConnection {
            kind: "stripe".to_owned(),
            name: "Pretend Stripe".to_owned(),
            settings: json!({ "options": { "base_url": self.sandbox.stripe_url } }),
            secrets: as_secrets(secrets),
        };
        let made = self.engine.put_connection(caller, None, new).await.map_err(failed)?;
        let hook = format!("{}/webhooks/{}", self.base, made.id);
        // Stripe answers with the endpoint's signing secret, which takes the place of the one above.
        self.engine.register_webhook(caller, &made.id, &hook).await.map_err(failed)?;
        Ok(made.id)
    }

    async fn connect_epic(&self, caller: &Caller) -> Result<String, Failure> {
        let failed = |error| Failure::of("the pretend Epic was not connected", &error);
        let signing_key = suture_engine::new_signing_key("demo-1").map_err(Failure::new)?;
        let site = &self.sandbox.epic_url;
        let new = NewConnection {
            kind: "epic".to_owned(),
            name: "Pretend Epic".to_owned(),
            settings: json!({
                "fhir_base_url": format!("{site}/interconnect/api/FHIR/R4"),
                "interconnect_base_url": format!("{site}/interconnect"),
                "client_id": CLIENT,
                "scopes": SCOPES,
                "zone": "America/Chicago",
            }),
            secrets: as_secrets([("signing_key", signing_key.expose().clone())]),
        };
        let made = self.engine.put_connection(caller, None, new).await.map_err(failed)?;
        // The app's registration at Epic carries our public keys, which our server publishes.
        let jwks = self.api.get("/.well-known/jwks.json").await?;
        self.control("epic/register_client", &json!({ "client_id": CLIENT, "jwks": jwks })).await?;
        Ok(made.id)
    }

    /// Where the pretend Epicor is, for the story that connects it.
    pub(super) fn epicor_url(&self) -> &str {
        &self.sandbox.epicor_url
    }

    /// Turns a knob of the pretended world, or asks it what it knows.
    pub(super) async fn control(&self, verb: &str, body: &Value) -> Result<Value, Failure> {
        self.control.post(&format!("/control/{verb}"), "none", body).await
    }

    /// Moves the one clock on, once nothing is on its way any more.
    pub(super) async fn pass(&self, time: Duration) -> Result<(), Failure> {
        self.rest().await?;
        self.control("clock", &json!({ "seconds": time.as_secs() })).await.map(|_| ())
    }

    /// Waits until no webhook is on its way and no work on it is left.
    pub(super) async fn rest(&self) -> Result<(), Failure> {
        let rested = self.until(async || {
            let stripe = self.control("stripe/state", &json!({ "only": ["deliveries_waiting"] })).await?;
            let page = self.api.get("/v1/deliveries?state=ready&limit=200").await?;
            let busy = items(&page).iter().any(|row| WORK.contains(&text(row, "kind")));
            Ok((stripe["deliveries_waiting"] == 0 && !busy).then_some(()))
        });
        rested.await?.ok_or_else(|| Failure::new("what was on its way did not come to rest in time"))
    }

    /// Looks again and again until there is something to see, at most for a while.
    pub(super) async fn until<T, F>(&self, mut look: F) -> Result<Option<T>, Failure>
    where
        F: AsyncFnMut() -> Result<Option<T>, Failure>,
    {
        let watching = async {
            loop {
                if let Some(seen) = look().await? {
                    return Ok(seen);
                }
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        };
        // 40 seconds are longer than an open circuit waits before it probes.
        tokio::time::timeout(Duration::from_secs(40), watching).await.ok().transpose()
    }

    /// Tells how to go on alone.
    pub(crate) fn invite(&self) {
        let (base, control) = (&self.base, &self.sandbox.control_url);
        println!();
        println!("Everything goes on running. To look around, in another terminal:");
        println!();
        println!("  export BASE={base} KEY={}", self.key.expose());
        println!("  export CONTROL={control} PAYER={} STRIPE={}", self.sandbox.payer_url, self.stripe);
        println!("  export EPICOR={}", self.sandbox.epicor_url);
        println!("  curl -s -H \"Authorization: Bearer $KEY\" {base}/v1/payments");
        println!("  curl -s -H \"Authorization: Bearer $KEY\" {base}/v1/ledger/balances");
        println!("  curl -s -H \"Authorization: Bearer $KEY\" {base}/v1/events");
        println!(
            "  curl -s -X POST {control}/control/epic/outage -d '{{\"on\": true}}'     # Epic goes down"
        );
        println!(
            "  curl -s -X POST {control}/control/stripe/lose_answers -d '{{\"next\": 1}}'  # an answer gets lost"
        );
        println!("  curl -s {base}/openapi.json");
        println!();
        println!("  our API        {base}");
        println!("  pretend Stripe {}", self.sandbox.stripe_url);
        println!("  pretend Epic   {}", self.sandbox.epic_url);
        println!("  pretend Epicor {}", self.sandbox.epicor_url);
        println!("  pretend payer  {}", self.sandbox.payer_url);
        println!("  pretend Epicor {}", self.sandbox.epicor_url);
        println!("  control        {control}");
        println!("  database       {}", self.folder.display());
        println!();
        println!("Stop with ctrl-c.");
    }

    /// Stops everything; the folder is removed when nobody will look at it.
    pub(crate) async fn clear(self, remove: bool) {
        self.sandbox.shutdown();
        self.serving.stop().await;
        drop(self.engine);
        if remove {
            // A folder that stays behind in the temporary folder does no harm.
            let _ = std::fs::remove_dir_all(&self.folder);
        } else {
            println!("The database is kept in {}", self.folder.display());
        }
    }
}

fn as_secrets<const N: usize>(secrets: [(&str, String); N]) -> BTreeMap<String, Vec<Secret<String>>> {
    secrets.into_iter().map(|(name, value)| (name.to_owned(), vec![Secret::new(value)])).collect()
}

fn fresh_folder() -> Result<PathBuf, Failure> {
    let suffix: [u8; 6] = MachineRandom::new().bytes()?;
    let suffix: String = suffix.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = std::env::temp_dir().join(format!("suture-demo-{suffix}"));
    std::fs::create_dir(&folder)
        .map_err(|error| Failure::of(format!("{} cannot be made", folder.display()), &error))?;
    Ok(folder)
}

async fn open_engine(
    folder: &std::path::Path,
    database: &str,
    clock: Arc<SandboxClock>,
) -> Result<Engine, Failure> {
    let (encryption, sealing) = (keys::new_key()?, keys::new_key()?);
    keys::write_secret(&folder.join("encryption.key"), &encryption)?;
    keys::write_secret(&folder.join("sealing.key"), &sealing)?;
    let encryption = keys::read_key("the encryption key", &encryption)?;
    let sealing = keys::read_key("the sealing key", &sealing)?;
    let keyring = Keyring::new(&[("k1".to_owned(), encryption.expose().clone())])
        .map_err(|error| Failure::of("the encryption key cannot be used", &error))?;
    let store = Store::open(&Options::new(database, keyring))
        .map_err(|error| Failure::of("the database cannot be opened", &error))?;
    let parts = Parts {
        store,
        clock: Arc::new(SharedClock(clock)),
        random: Arc::new(MachineRandom::new()),
        transport: Arc::new(Egress::try_new().map_err(Failure::new)?),
        flows: flows::load(None)?,
        sealing_key: SealingKey::from_seed(sealing.expose())
            .map_err(|error| Failure::of("the sealing key cannot be used", &error))?,
        node: "demo".to_owned(),
        slots: 128,
        settings: Settings {
            seal_every: Duration::from_secs(5),
            billing: Billing { collect_after: Some(NOTICE), ..Billing::default() },
            ..Settings::default()
        },
    };
    Engine::open(parts).await.map_err(|error| Failure::of("the engine cannot be opened", &error))
}
