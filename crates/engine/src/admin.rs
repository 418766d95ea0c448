//! Use cases of administration: organizations, API keys, connections. Credentials are write-only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::audit::chain::Hash;
use suture_core::id::{ApiKeyId, ConnectionId, Mint, OrganizationId};
use suture_core::redact::Secret;
use suture_core::refusal::Refusal;
use suture_store::connections::Connection;
use suture_store::organizations::{self, ApiKey, Organization};
use suture_store::{connections, inbox, notices, personal, requests, runs};

use crate::Error;
use crate::calls;
use crate::connections::{Open, System};
use crate::engine::Engine;
use crate::payments::Caller;
use crate::throttle::Health;

/// A connection to make or change.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// The kind of system: `stripe` or `epic`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// Open settings.
    pub settings: serde_json::Value,
    /// Credentials by name; several values of one name are valid at the same time.
    pub secrets: BTreeMap<String, Vec<Secret<String>>>,
}

/// A connection as shown. Never its credentials.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionView {
    /// Its id.
    pub id: String,
    /// The kind of system.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// `active`, or why it cannot be used.
    pub status: String,
    /// Open settings.
    pub settings: serde_json::Value,
    /// How it is doing; absent when it cannot be used.
    pub health: Option<Health>,
}

/// What a probe found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Probe {
    /// Whether it can be used.
    pub usable: bool,
    /// Sentences for people: what was found, what is missing, how to mend it.
    pub findings: Vec<String>,
    /// The posting route, for an EHR.
    pub route: Option<String>,
}

impl Engine {
    /// Makes an organization.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn make_organization(&self, name: &str, mode: Mode) -> Result<Organization, Error> {
        let now = self.now();
        let id = OrganizationId::mint(Mint::new(now, self.random())).to_string();
        let organization = Organization { id, name: name.to_owned(), mode: mode.name().to_owned() };
        let stored = organization.clone();
        self.0.store.write(move |tx| organizations::insert(tx, &stored, now).map_err(Error::from)).await?;
        Ok(organization)
    }

    /// All organizations.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn organizations(&self) -> Result<Vec<Organization>, Error> {
        self.0.store.read(|tx| organizations::list(tx).map_err(Error::from)).await
    }

    /// Makes an API key. Its secret is returned once and stored only as a hash.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn make_api_key(
        &self,
        organization: &str,
        name: &str,
        role: &str,
    ) -> Result<(ApiKey, Secret<String>), Error> {
        let now = self.now();
        let id = ApiKeyId::mint(Mint::new(now, self.random())).to_string();
        let random: String =
            (0..3).flat_map(|_| self.random().ten_bytes()).map(|byte| format!("{byte:02x}")).collect();
        let secret = Secret::new(format!("suture_{random}"));
        let key = ApiKey {
            organization: organization.to_owned(),
            id,
            name: name.to_owned(),
            role: role.to_owned(),
        };
        let (stored, hash) = (key.clone(), key_hash(&secret));
        self.0
            .store
            .write(move |tx| organizations::insert_key(tx, &stored, &hash.0, now).map_err(Error::from))
            .await?;
        Ok((key, secret))
    }

    /// The API key with this secret, unless revoked.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn find_api_key(&self, secret: &Secret<String>) -> Result<Option<ApiKey>, Error> {
        let hash = key_hash(secret);
        self.0.store.read(move |tx| organizations::find_key(tx, &hash.0).map_err(Error::from)).await
    }

    /// Keys of an organization.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn api_keys(&self, organization: &str) -> Result<Vec<ApiKey>, Error> {
        let organization = organization.to_owned();
        self.0.store.read(move |tx| organizations::list_keys(tx, &organization).map_err(Error::from)).await
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_api_key(&self, organization: &str, id: &str) -> Result<(), Error> {
        let (organization, key, now) = (organization.to_owned(), id.to_owned(), self.now());
        let revoked = self
            .0
            .store
            .write(move |tx| organizations::revoke_key(tx, &organization, &key, now).map_err(Error::from))
            .await;
        match revoked {
            Err(error) if error.is_conflict() => Err(Error::not_found("API key", id)),
            other => other,
        }
    }

    /// Makes a connection, or changes one when `id` is given. It must open, and its mode must be the organization's.
    ///
    /// # Errors
    /// [`Error::Refused`] when live credentials meet a sandbox organization or the reverse, [`Error::Connection`] when a
    /// setting is wrong. Nothing was stored then.
    pub async fn put_connection(
        &self,
        caller: &Caller,
        id: Option<&str>,
        new: NewConnection,
    ) -> Result<ConnectionView, Error> {
        let now = self.now();
        let organization = self.organization(&caller.organization).await?;
        refuse_crossed_modes(&organization, &new)?;
        let id = match id {
            Some(id) => {
                self.own_connection(&caller.organization, id)?;
                id.to_owned()
            }
            None => ConnectionId::mint(Mint::new(now, self.random())).to_string(),
        };
        let exposed: BTreeMap<&String, Vec<&String>> = new
            .secrets
            .iter()
            .map(|(name, values)| (name, values.iter().map(Secret::expose).collect()))
            .collect();
        let secrets = serde_json::to_string(&exposed)
            .map_err(|_| suture_store::Error::Corrupt("secrets".to_owned()))?;
        let stored = Connection {
            organization: caller.organization.clone(),
            id: id.clone(),
            kind: new.kind,
            name: new.name,
            settings: new.settings.to_string(),
            secrets: Secret::new(secrets),
            status: "active".to_owned(),
        };
        Open::try_new(&stored, None)?;
        self.store_connection(stored).await?;
        self.connection_view(&caller.organization, &id)
    }

    /// Replaces credentials by name, keeping the others: how a secret is rotated without a gap.
    ///
    /// # Errors
    /// [`Error::NotFound`], or as [`put_connection`](Self::put_connection).
    pub async fn rotate_secrets(
        &self,
        caller: &Caller,
        id: &str,
        secrets: BTreeMap<String, Vec<Secret<String>>>,
    ) -> Result<ConnectionView, Error> {
        self.own_connection(&caller.organization, id)?;
        let mut stored = self.stored_connection(id).await?;
        let organization = self.organization(&caller.organization).await?;
        let new = NewConnection {
            kind: stored.kind.clone(),
            name: stored.name.clone(),
            settings: serde_json::from_str(&stored.settings).unwrap_or_default(),
            secrets: secrets.clone(),
        };
        refuse_crossed_modes(&organization, &new)?;
        let mut all: BTreeMap<String, Vec<String>> =
            serde_json::from_str(stored.secrets.expose()).unwrap_or_default();
        for (name, values) in secrets {
            all.insert(name, values.iter().map(|value| value.expose().clone()).collect());
        }
        let text =
            serde_json::to_string(&all).map_err(|_| suture_store::Error::Corrupt("secrets".to_owned()))?;
        stored.secrets = Secret::new(text);
        Open::try_new(&stored, None)?;
        self.store_connection(stored).await?;
        self.connection_view(&caller.organization, id)
    }

    /// Connections of an organization.
    #[must_use]
    pub fn connections_of(&self, organization: &str) -> Vec<ConnectionView> {
        let all = self.connections();
        let now = self.now();
        let open =
            all.open.values().filter(|open| open.organization == organization).map(|open| view(open, now));
        let broken = all.broken.values().filter(|(stored, _)| stored.organization == organization);
        let broken = broken.map(|(stored, problem)| ConnectionView {
            id: stored.id.clone(),
            kind: stored.kind.clone(),
            name: stored.name.clone(),
            status: problem.clone(),
            settings: serde_json::from_str(&stored.settings).unwrap_or_default(),
            health: None,
        });
        open.chain(broken).collect()
    }

    /// Asks the other system what it offers, and keeps the posting route that works there.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Connection`].
    pub async fn probe(&self, caller: &Caller, id: &str) -> Result<Probe, Error> {
        self.own_connection(&caller.organization, id)?;
        let open = self.connection(id)?;
        match &open.system {
            System::Gateway { .. } => self.probe_gateway(&open).await,
            System::Epic { .. } => self.probe_epic(&open).await,
            System::Epicor { .. } => self.probe_epicor(&open).await,
        }
    }

    /// Registers our webhook endpoint at the gateway and keeps its signing secret.
    ///
    /// # Errors
    /// [`Error::Outside`] when the gateway refuses.
    pub async fn register_webhook(
        &self,
        caller: &Caller,
        id: &str,
        url: &str,
    ) -> Result<ConnectionView, Error> {
        self.own_connection(&caller.organization, id)?;
        let open = self.connection(id)?;
        let (gateway, _) = open.gateway()?;
        let webhooks = gateway.webhooks().ok_or_else(|| open.problem("it sends no webhooks"))?;
        let key = format!("{id}:webhook:{}", self.now().millis());
        let answer = self.call(&open, webhooks.create_endpoint(url, &key)).await;
        match calls::outcome(answer, |response| webhooks.read_endpoint(response)) {
            Ok(Outcome::Done((_, secret))) => {
                let secrets = BTreeMap::from([("webhook_secret".to_owned(), vec![secret])]);
                self.rotate_secrets(caller, id, secrets).await
            }
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Err(Error::Outside(failure))
            }
            Err(_) => Err(Error::Outside(Failure::new(
                "throttled",
                "the connection is throttled; try again",
                Retry::Later,
            ))),
        }
    }

    /// Public keys of all Epic connections of all organizations, as one JWK set.
    ///
    /// # Errors
    /// [`Error::Connection`] when a key cannot be published.
    pub fn jwks(&self) -> Result<String, Error> {
        let mut keys = Vec::new();
        for open in self.connections().open.values() {
            if let System::Epic { tokens, .. } = &open.system {
                let set = tokens.jwks().map_err(|problem| open.problem(&problem))?;
                let set: serde_json::Value = serde_json::from_str(&set).unwrap_or_default();
                keys.extend(set["keys"].as_array().cloned().unwrap_or_default());
            }
        }
        Ok(serde_json::json!({ "keys": keys }).to_string())
    }

    /// Seals everything that is under an older key with the current one, in small steps. Returns how many values.
    ///
    /// # Errors
    /// [`Error::Store`] when an older key is not in the keyring.
    pub async fn rotate_encryption(&self) -> Result<usize, Error> {
        let mut total = 0;
        loop {
            let keyring = self.0.store.keyring().clone();
            let step = self
                .0
                .store
                .write(move |tx| {
                    let bodies = inbox::reseal(tx, &keyring, 200)?
                        + personal::reseal(tx, &keyring, 200)?
                        + notices::reseal(tx, &keyring, 200)?;
                    Ok::<_, Error>(
                        bodies + runs::reseal(tx, &keyring, 200)? + requests::reseal(tx, &keyring, 200)?,
                    )
                })
                .await?;
            total += step;
            if step == 0 {
                break;
            }
        }
        total += self.reseal_endpoints().await?;
        let keyring = self.0.store.keyring().clone();
        let all = self.0.store.read(move |tx| connections::list(tx, &keyring).map_err(Error::from)).await?;
        for connection in all {
            self.store_connection(connection).await?;
            total += 1;
        }
        Ok(total)
    }

    pub(crate) async fn organization(&self, id: &str) -> Result<Organization, Error> {
        let all = self.organizations().await?;
        all.into_iter()
            .find(|organization| organization.id == id)
            .ok_or_else(|| Error::not_found("organization", id))
    }

    fn own_connection(&self, organization: &str, id: &str) -> Result<(), Error> {
        let all = self.connections();
        let own = all.open.get(id).is_some_and(|open| open.organization == organization)
            || all.broken.get(id).is_some_and(|(stored, _)| stored.organization == organization);
        if own { Ok(()) } else { Err(Error::not_found("connection", id)) }
    }

    pub(crate) async fn stored_connection(&self, id: &str) -> Result<Connection, Error> {
        let keyring = self.0.store.keyring().clone();
        let all = self.0.store.read(move |tx| connections::list(tx, &keyring).map_err(Error::from)).await?;
        all.into_iter()
            .find(|connection| connection.id == id)
            .ok_or_else(|| Error::not_found("connection", id))
    }

    pub(crate) async fn store_connection(&self, stored: Connection) -> Result<(), Error> {
        let (keyring, now) = (self.0.store.keyring().clone(), self.now());
        self.0
            .store
            .write(move |tx| connections::put(tx, &keyring, &stored, now).map_err(Error::from))
            .await?;
        self.reload_connections().await
    }

    fn connection_view(&self, organization: &str, id: &str) -> Result<ConnectionView, Error> {
        let found = self.connections_of(organization).into_iter().find(|view| view.id == id);
        found.ok_or_else(|| Error::not_found("connection", id))
    }
}

/// Whether an organization's money is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Test keys only.
    Sandbox,
    /// Live keys only.
    Live,
}

impl Mode {
    /// The mode as stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }
}

fn key_hash(secret: &Secret<String>) -> Hash {
    Hash::of(secret.expose().as_bytes())
}

/// Live keys in a sandbox organization, or test keys in a live one, would mix play money with real money (FEATURES M2).
fn refuse_crossed_modes(organization: &Organization, new: &NewConnection) -> Result<(), Refusal> {
    for secret in new.secrets.values().flatten() {
        let live = secret.expose().contains("_live_");
        let test = secret.expose().contains("_test_");
        if live && organization.mode == "sandbox" {
            return Err(Refusal::invalid(
                "live_key_in_sandbox",
                "The connection was not stored: a live key was given to a sandbox organization, where it could move real \
                 money in a test. Use a test key, or a live organization.",
            ));
        }
        if test && organization.mode == "live" && !secret.expose().starts_with("whsec_") {
            return Err(Refusal::invalid(
                "test_key_in_live",
                "The connection was not stored: a test key was given to a live organization, whose payments would look \
                 paid and never arrive. Use a live key, or a sandbox organization.",
            ));
        }
    }
    Ok(())
}

fn view(open: &Open, now: suture_core::time::Timestamp) -> ConnectionView {
    ConnectionView {
        id: open.id.clone(),
        kind: open.kind().to_owned(),
        name: open.name.clone(),
        status: open.status.clone(),
        settings: serde_json::from_str(&open.settings).unwrap_or_default(),
        health: Some(open.throttle.health(now)),
    }
}
