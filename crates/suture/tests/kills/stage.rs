//! What a story plays on: a database in a fresh folder with an organization, its connections and links; the program that
//! serves it; and, at the end, an engine in this process whose clock is ahead, so that leases of the dead are over.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use suture_core::audit::seal::SealingKey;
use suture_core::explain::Actor;
use suture_core::payment::Purpose;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::links::NewLink;
use suture_engine::{Caller, Clock, Effect, EffectState, Egress, Engine, Parts, Settings};
use suture_store::{Keyring, Options, Store};
use tokio::task::JoinSet;

use crate::chance::Bits;
use crate::payload;
use crate::server::Program;

/// How many links payments are spread over.
const LINKS: usize = 20;
const ENCRYPTION_KEY: u8 = 7;
const SEALING_KEY: u8 = 9;
/// Longer than any lease of a process that was killed.
const AHEAD_MILLIS: i64 = 120_000;
/// Kinds of effects that wait for another day.
const TIMERS: [&str; 3] = ["seal", "tidy", "daily_sweep"];

/// The machine's clock, put forward by hand.
pub(crate) struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(machine_millis() + self.0.load(Ordering::SeqCst))
    }
}

/// Milliseconds since 1970 on this machine.
#[expect(clippy::disallowed_methods, reason = "a real server checks the age of signatures by the real time")]
pub(crate) fn machine_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A prepared database.
pub(crate) struct Stage {
    pub(crate) program: Program,
    pub(crate) organization: String,
    pub(crate) links: Vec<String>,
    /// Where webhooks go.
    pub(crate) path: String,
    /// A key of the API for everything.
    pub(crate) key: Secret<String>,
    folder: PathBuf,
}

impl Stage {
    /// Prepares a database and closes it.
    pub(crate) async fn set(name: &str, outside: SocketAddr) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        let engine = open(&folder, Arc::new(Ahead(AtomicI64::new(0))), 1).await;
        let organization = engine.make_organization("Clinic", Mode::Sandbox).await.expect("it is stored").id;
        let caller =
            Caller { organization: organization.clone(), actor: Actor::Operator("story".to_owned()) };
        let (_, key) = engine.make_api_key(&organization, "story", "admin").await.expect("it is stored");
        let stripe = connect(&engine, &caller, outside).await;
        let mut links = Vec::new();
        for number in 0..LINKS {
            links.push(engine.make_link(&caller, link(number)).await.expect("it is stored").id);
        }
        let program = Program::configure(&folder, &database(&folder), ENCRYPTION_KEY, SEALING_KEY);
        Self { program, organization, links, path: format!("/webhooks/{stripe}"), key, folder }
    }

    /// Opens the database in this process, two minutes later, and works until nothing but timers waits.
    pub(crate) async fn finish_work(&self) -> Engine {
        let clock = Arc::new(Ahead(AtomicI64::new(AHEAD_MILLIS)));
        let engine = open(&self.folder, clock.clone(), 2).await;
        for _ in 0..900 {
            let mut steppers = JoinSet::new();
            for _ in 0..16 {
                let engine = engine.clone();
                steppers
                    .spawn(async move { while engine.step(engine.now()).await.expect("the store works") {} });
            }
            steppers.join_all().await;
            if self.effects(&engine, EffectState::Ready).await.is_empty() {
                return engine;
            }
            clock.0.fetch_add(1_000, Ordering::SeqCst);
        }
        panic!("work is still to do after a quarter of an hour: {:?}", self.undone(&engine).await);
    }

    /// Every effect that waits, is parked, or needs a person, except timers; each with its last failure.
    pub(crate) async fn undone(&self, engine: &Engine) -> Vec<String> {
        let mut undone = Vec::new();
        for state in [EffectState::Ready, EffectState::Dead, EffectState::Parked] {
            let told = |effect: Effect| {
                let error = effect.error.unwrap_or_default();
                format!("{} {} is {}: {error}", effect.kind, effect.id, state.name())
            };
            undone.extend(self.effects(engine, state).await.into_iter().map(told));
        }
        undone
    }

    async fn effects(&self, engine: &Engine, state: EffectState) -> Vec<Effect> {
        let all = engine.effects(&self.organization, Some(state), i64::MAX, 100_000).await;
        let mut all = all.expect("the store works");
        all.retain(|effect| !TIMERS.contains(&effect.kind.as_str()));
        all
    }

    /// Removes the folder of a story that ended well.
    pub(crate) fn clear(self) {
        let _ = std::fs::remove_dir_all(self.folder);
    }
}

fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("suture.db").display())
}

async fn open(folder: &Path, clock: Arc<Ahead>, seed: u64) -> Engine {
    let keyring = Keyring::new(&[("k1".to_owned(), vec![ENCRYPTION_KEY; 32])]).expect("the key has 32 bytes");
    let flow = include_str!("../../../../flows/stripe-to-epic.yaml");
    let flow = suture_flow::flow::Flow::parse(flow, "stripe-to-epic.yaml").expect("the flow is sound");
    let parts = Parts {
        store: Store::open(&Options::new(database(folder), keyring)).expect("the database opens"),
        clock,
        random: Arc::new(Bits::of(seed)),
        transport: Arc::new(Egress::try_new().expect("the machine has TLS")),
        flows: vec![flow.compile()],
        sealing_key: SealingKey::from_seed(&[SEALING_KEY; 32]).expect("the seed has 32 bytes"),
        node: format!("story-{seed}"),
        slots: 0,
        settings: Settings::default(),
    };
    Engine::open(parts).await.expect("the engine opens")
}

/// Connects Stripe and Epic; gives the id of the Stripe connection.
async fn connect(engine: &Engine, caller: &Caller, outside: SocketAddr) -> String {
    let secret = |text: &str| vec![Secret::new(text.to_owned())];
    let options = json!({ "livemode": "false", "base_url": format!("http://{outside}") });
    let stripe = NewConnection {
        kind: "stripe".to_owned(),
        name: "Stripe".to_owned(),
        settings: json!({ "options": options, "fetch": "when_stale" }),
        secrets: [
            ("secret_key".to_owned(), secret("sk_test_kills")),
            ("webhook_secret".to_owned(), secret(payload::SECRET)),
        ]
        .into(),
    };
    let stripe = engine.put_connection(caller, None, stripe).await.expect("it opens").id;
    let key = suture_engine::new_signing_key("kills").expect("the machine gives random bytes");
    let epic = NewConnection {
        kind: "epic".to_owned(),
        name: "Epic".to_owned(),
        settings: json!({
            "fhir_base_url": format!("http://{outside}/api/FHIR/R4"),
            "token_url": format!("http://{outside}/oauth2/token"),
            "interconnect_base_url": format!("http://{outside}"),
            "client_id": "kills",
            "proposal": { "route": "external_payment", "read_back": true, "reasons": [] },
        }),
        secrets: [("signing_key".to_owned(), vec![key])].into(),
    };
    engine.put_connection(caller, None, epic).await.expect("it opens");
    stripe
}

fn link(number: usize) -> NewLink {
    let some = |kind: &str| Some(format!("{kind}{number}"));
    NewLink {
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
    }
}
