//! Opens what a command works on: the store and the engine of a configuration.

use std::sync::Arc;

use suture_core::audit::seal::SealingKey;
use suture_core::explain::Actor;
use suture_engine::payments::Caller;
use suture_engine::{Egress, Engine, Parts, Settings};
use suture_store::{Keyring, Options, Store};

use crate::config::{Configuration, variable};
use crate::failure::Failure;
use crate::flows;
use crate::system::{MachineRandom, SystemClock};

/// Opens the store and the engine. Migrations run; nothing else is changed.
///
/// # Errors
/// A sentence about what cannot be opened.
pub(crate) async fn open(configuration: &Configuration) -> Result<Engine, Failure> {
    let random = MachineRandom::new();
    let suffix: [u8; 4] = random.bytes()?;
    let suffix: String = suffix.iter().map(|byte| format!("{byte:02x}")).collect();
    let sealing_key = SealingKey::from_seed(configuration.sealing_key.expose())
        .map_err(|error| Failure::of("sealing_key cannot be used", &error))?;
    let parts = Parts {
        store: open_store(configuration)?,
        clock: Arc::new(SystemClock),
        random: Arc::new(random),
        transport: Arc::new(Egress::try_new().map_err(Failure::new)?),
        flows: flows::load(configuration.flows.as_deref())?,
        sealing_key,
        node: format!("{}-{suffix}", configuration.node),
        slots: configuration.slots,
        settings: Settings {
            request_limit: configuration.request_limit,
            seal_every: configuration.seal_every,
            ehr: configuration.ehr.clone(),
            billing: configuration.billing.clone(),
            notices: configuration.notices.clone(),
        },
    };
    Engine::open(parts).await.map_err(|error| Failure::of("the engine cannot be opened", &error))
}

/// Opens the store alone.
///
/// # Errors
/// A sentence without the address, which may hold a password.
pub(crate) fn open_store(configuration: &Configuration) -> Result<Store, Failure> {
    let keys: Vec<(String, Vec<u8>)> =
        configuration.encryption_keys.iter().map(|(id, key)| (id.clone(), key.expose().clone())).collect();
    let keyring =
        Keyring::new(&keys).map_err(|error| Failure::of("encryption_keys cannot be used", &error))?;
    let mut options = Options::new(configuration.database.expose().clone(), keyring);
    options.writers = configuration.database_writers;
    options.readers = configuration.database_readers;
    Store::open(&options).map_err(|error| Failure::of("the database cannot be opened", &error))
}

/// The person at the terminal, acting for an organization.
pub(crate) fn operator(organization: &str) -> Caller {
    let name = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "operator".to_owned());
    Caller { organization: organization.to_owned(), actor: Actor::Operator(name) }
}

/// The organization that a command is about: the one named, or the only one.
///
/// # Errors
/// A sentence that lists what there is.
pub(crate) async fn organization(engine: &Engine, wanted: Option<&str>) -> Result<String, Failure> {
    let all = engine
        .organizations()
        .await
        .map_err(|error| Failure::of("the organizations cannot be read", &error))?;
    let listed = || all.iter().map(|one| format!("{} ({})", one.id, one.name)).collect::<Vec<_>>().join(", ");
    match (wanted, all.as_slice()) {
        (Some(wanted), all) => all
            .iter()
            .find(|one| one.id == wanted || one.name == wanted)
            .map(|one| one.id.clone())
            .ok_or_else(|| {
                Failure::new(format!("there is no organization {wanted}; there is: {}", listed()))
            }),
        (None, [only]) => Ok(only.id.clone()),
        (None, []) => Err(Failure::new(
            "there is no organization yet; make the first one with `suture init --name NAME`",
        )),
        (None, _) => Err(Failure::new(format!("name one with --organization: {}", listed()))),
    }
}
