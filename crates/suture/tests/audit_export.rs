//! An export of the audit trail, verified by the binary from outside with nothing but the public key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use suture_core::audit::seal::SealingKey;
use suture_core::explain::Actor;
use suture_core::id::Random;
use suture_core::money::Money;
use suture_core::payment::Purpose;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;
use suture_engine::admin::{Mode, NewConnection};
use suture_engine::links::NewLink;
use suture_engine::{Caller, Clock, Egress, Engine, Parts, Settings, TakePayment};
use suture_store::{Keyring, Options, Store};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_253_400)
    }
}

#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU64);

impl Random for Counting {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        bytes[2..].copy_from_slice(&count.to_be_bytes());
        bytes
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

async fn engine(folder: &Path) -> Engine {
    let keyring = Keyring::new(&[("k1".to_owned(), vec![7; 32])]).expect("the key has 32 bytes");
    let url = format!("sqlite:{}", folder.join("suture.db").display());
    let parts = Parts {
        store: Store::open(&Options::new(url, keyring)).expect("the database opens"),
        clock: Arc::new(Still),
        random: Arc::new(Counting::default()),
        transport: Arc::new(Egress::try_new().expect("the machine has TLS")),
        flows: Vec::new(),
        sealing_key: SealingKey::from_seed(&[1; 32]).expect("the seed has 32 bytes"),
        node: "test".to_owned(),
        slots: 0,
        settings: Settings::default(),
    };
    Engine::open(parts).await.expect("the engine opens")
}

/// Exports the trail of a payment that was planned and, without a worker, never sent. Returns the file and the public key.
async fn export(folder: &Path) -> (PathBuf, String) {
    let engine = engine(folder).await;
    let organization = engine.make_organization("Clinic", Mode::Sandbox).await.expect("it is stored").id;
    let caller = Caller { organization: organization.clone(), actor: Actor::Operator("test".to_owned()) };
    let secrets = [("secret_key", "sk_test_x"), ("webhook_secret", "whsec_x")];
    let secrets = secrets.map(|(name, value)| (name.to_owned(), vec![Secret::new(value.to_owned())]));
    let stripe = NewConnection {
        kind: "stripe".to_owned(),
        name: "Stripe".to_owned(),
        settings: json!({ "options": { "base_url": "http://127.0.0.1:9" } }),
        secrets: BTreeMap::from(secrets),
    };
    engine.put_connection(&caller, None, stripe).await.expect("it opens");
    let link = NewLink {
        patient: "p1".to_owned(),
        account: None,
        claim: None,
        encounter: None,
        practitioner: None,
        appointment: None,
        coverage: None,
        purpose: Purpose::Balance,
        due: None,
        service_codes: Vec::new(),
    };
    let link = engine.make_link(&caller, link).await.expect("it is stored").id;
    let take = TakePayment {
        link,
        amount: Money::usd(12_000),
        debt: None,
        connection: None,
        method: Some("pm_card_visa".to_owned()),
        manual_capture: false,
        off_session: false,
        save_method: false,
        return_url: None,
        confirmed_by: None,
    };
    engine.take_payment(&caller, take).await.expect("it is planned");
    engine.seal(&organization).await.expect("it is sealed");
    let text = engine.export_audit(&organization, Vec::new()).await.expect("it is read");
    let file = folder.join("trail.ndjson");
    std::fs::write(&file, text).expect("the target folder can be written");
    (file, engine.public_key())
}

fn verify(file: &Path, public_key: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_suture"))
        .env_clear()
        .args(["audit", "verify", "--public-key", public_key, "--export"])
        .arg(file)
        .output()
        .expect("the binary starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn an_untouched_export_is_green_and_a_changed_amount_names_the_entry() {
    let (file, public_key) = export(&folder("export-changed")).await;
    let (good, told) = verify(&file, &public_key);
    assert!(good && told.starts_with("intact:") && told.contains("1 seals"), "{told}");
    let text = std::fs::read_to_string(&file).expect("it was written");
    std::fs::write(&file, text.replacen("12000", "12001", 1)).expect("the target folder can be written");
    let (good, told) = verify(&file, &public_key);
    assert!(!good && told.contains("entry 1 of stream deb_") && told.contains("was changed"), "{told}");
}

#[tokio::test]
async fn a_missing_line_and_a_foreign_key_are_named() {
    let (file, public_key) = export(&folder("export-cut")).await;
    let (good, told) = verify(&file, &"00".repeat(32));
    assert!(!good && told.contains("seal 1 is broken"), "{told}");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let cut: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, cut).expect("the target folder can be written");
    let (good, told) = verify(&file, &public_key);
    assert!(!good && told.contains("BROKEN"), "{told}");
}
