//! Use cases of endpoints: make, read, change, enable, disable, rotate, remove, test, and look at deliveries.
//!
//! A secret is shown once, when it is made. Every change plans a catch-up, see `replay`.

use std::time::Duration;

use serde_json::json;
use suture_core::catalogue::Filters;
use suture_core::explain::Reason;
use suture_core::id::EndpointId;
use suture_core::redact::Secret;
use suture_core::refusal::Refusal;
use suture_core::time::Timestamp;
use suture_store::effects::{Effect, State};
use suture_store::endpoints::{self, Endpoint, Status};
use suture_store::{Keyring, announcements};

use super::announce::Answer;
use super::replay::{disabled, plan_catch_up};
use super::{address, signature};
use crate::Error;
use crate::change::Change;
use crate::engine::Engine;
use crate::payments::Caller;

/// How long the secret before a rotation still signs, when the caller does not say.
pub const OVERLAP: Duration = Duration::from_secs(86_400);
/// The longest that it may.
pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Endpoints of one organization at most.
const ENDPOINTS_MAX: usize = 50;
/// Characters of a description at most.
const DESCRIPTION_MAX: usize = 200;

/// An endpoint to make.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Where to send.
    pub url: String,
    /// What people call it.
    pub description: String,
    /// Event types: exact, `machine.*` or `*`. All when empty.
    pub events: Vec<String>,
}

/// What to change of an endpoint; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Where to send.
    pub url: Option<String>,
    /// What people call it.
    pub description: Option<String>,
    /// Event types.
    pub events: Option<Vec<String>>,
}

/// An endpoint as shown. Never its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointView {
    /// Its id.
    pub id: String,
    /// Where to send.
    pub url: String,
    /// What people call it.
    pub description: String,
    /// Event types.
    pub events: Vec<String>,
    /// `enabled` or `disabled`.
    pub status: String,
    /// Why it is disabled.
    pub note: Option<String>,
    /// Until when the secret before also signs.
    pub previous_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// What came of a test message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Whether the receiver took it.
    pub delivered: bool,
    /// The status it answered with.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub error: Option<String>,
}

impl Engine {
    /// Makes an endpoint. Its secret is returned once and stored sealed.
    ///
    /// # Errors
    /// [`Error::Refused`] when the URL or a type is refused, or there are too many endpoints.
    pub async fn make_endpoint(
        &self,
        caller: &Caller,
        new: NewEndpoint,
    ) -> Result<(EndpointView, Secret<String>), Error> {
        let sandbox = self.is_sandbox(&caller.organization).await?;
        let (url, events) = (address::check(&new.url, sandbox)?, Filters::parse(&new.events)?);
        let description = described(new.description)?;
        let secret = signature::new_secret(self.random());
        let (keyring, signed) = (self.0.store.keyring().clone(), secret.clone());
        let order = self.order_of(caller, Reason::of("endpoint_made"));
        let made = self.apply("endpoints", order, move |change| {
            let (organization, now) = (change.order.organization.clone(), change.order.now);
            if endpoints::list(change.tx, &keyring, &organization)?.len() >= ENDPOINTS_MAX {
                return Err(too_many());
            }
            let endpoint = Endpoint {
                organization,
                id: EndpointId::mint(change.mint()).to_string(),
                url: url.clone(),
                description: description.clone(),
                events: events.texts().to_vec(),
                secret: signed.clone(),
                previous: None,
                status: Status::Enabled,
                note: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            endpoints::insert(change.tx, &keyring, &endpoint)?;
            plan_catch_up(change, &endpoint.id, 0)?;
            Ok(endpoint)
        });
        let made = made.await?;
        self.reload_endpoints().await?;
        Ok((view(made, self.now()), secret))
    }

    /// Endpoints of an organization.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn endpoints_of(&self, organization: &str) -> Result<Vec<EndpointView>, Error> {
        let (keyring, organization) = (self.0.store.keyring().clone(), organization.to_owned());
        let found =
            self.0.store.read(move |tx| endpoints::list(tx, &keyring, &organization).map_err(Error::from));
        let now = self.now();
        Ok(found.await?.into_iter().map(|endpoint| view(endpoint, now)).collect())
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn endpoint(&self, organization: &str, id: &str) -> Result<EndpointView, Error> {
        Ok(view(self.stored_endpoint(organization, id).await?, self.now()))
    }

    /// Changes what is given of an endpoint.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] when the URL or a type is refused.
    pub async fn change_endpoint(
        &self,
        caller: &Caller,
        id: &str,
        changes: Changes,
    ) -> Result<EndpointView, Error> {
        let sandbox = self.is_sandbox(&caller.organization).await?;
        let url = changes.url.map(|url| address::check(&url, sandbox)).transpose()?;
        let events = changes.events.map(|events| Filters::parse(&events)).transpose()?;
        let description = changes.description.map(described).transpose()?;
        self.edit_endpoint(caller, id, "endpoint_changed", move |endpoint, change| {
            if let Some(url) = &url {
                endpoint.url.clone_from(url);
            }
            if let Some(description) = &description {
                endpoint.description.clone_from(description);
            }
            if let Some(events) = &events {
                endpoint.events = events.texts().to_vec();
                plan_catch_up(change, &endpoint.id, endpoint.version)?;
            }
            Ok(())
        })
        .await
    }

    /// Sends again to an endpoint: what was parked goes on where it stopped. What happened meanwhile can be replayed.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn enable_endpoint(&self, caller: &Caller, id: &str) -> Result<EndpointView, Error> {
        self.edit_endpoint(caller, id, "endpoint_enabled", move |endpoint, change| {
            if endpoint.status == Status::Disabled {
                (endpoint.status, endpoint.note) = (Status::Enabled, None);
                plan_catch_up(change, &endpoint.id, endpoint.version)?;
                let now = change.order.now;
                announcements::revive(change.tx, &endpoint.organization, &endpoint.id, now)?;
                change.unheld = true;
            }
            Ok(())
        })
        .await
    }

    /// Sends nothing to an endpoint any more. What waits for it is parked when its turn comes.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn disable_endpoint(&self, caller: &Caller, id: &str) -> Result<EndpointView, Error> {
        self.edit_endpoint(caller, id, "endpoint_disabled", |endpoint, change| {
            if endpoint.status == Status::Enabled {
                let (_, actor) = change.order.actor.parts();
                let at = change.order.now.to_rfc3339();
                (endpoint.status, endpoint.note) =
                    (Status::Disabled, Some(format!("disabled by {actor} at {at}")));
            }
            Ok(())
        })
        .await
    }

    /// Gives an endpoint a new secret, returned once. The one before also signs until the overlap is over.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] when the overlap is longer than [`OVERLAP_MAX`].
    pub async fn rotate_endpoint(
        &self,
        caller: &Caller,
        id: &str,
        overlap: Duration,
    ) -> Result<(EndpointView, Secret<String>), Error> {
        if overlap > OVERLAP_MAX {
            let detail = "Nothing was changed. The secret before may sign for at most 7 days more.";
            return Err(Refusal::invalid("overlap_too_long", detail).into());
        }
        let secret = signature::new_secret(self.random());
        let fresh = secret.clone();
        let rotated = self.edit_endpoint(caller, id, "endpoint_secret_rotated", move |endpoint, change| {
            let before = std::mem::replace(&mut endpoint.secret, fresh.clone());
            endpoint.previous =
                if overlap.is_zero() { None } else { Some((before, change.order.now + overlap)) };
            Ok(())
        });
        Ok((rotated.await?, secret))
    }

    /// Removes an endpoint. What waits for it is given up.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_endpoint(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        self.stored_endpoint(&caller.organization, id).await?;
        let endpoint = id.to_owned();
        let order = self.order_of(caller, Reason::of("endpoint_removed"));
        let removed = self.apply(id, order, move |change| {
            let (organization, now) = (change.order.organization.clone(), change.order.now);
            endpoints::remove(change.tx, &organization, &endpoint)?;
            announcements::abandon(change.tx, &organization, &endpoint, now)?;
            Ok(())
        });
        match removed.await {
            Err(error) if error.is_conflict() => Err(Error::not_found("endpoint", id)),
            Err(error) => Err(error),
            Ok(()) => self.reload_endpoints().await,
        }
    }

    /// Sends a signed message of the type `endpoint.test` now, once, and says what came of it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn test_endpoint(&self, caller: &Caller, id: &str) -> Result<Tested, Error> {
        let endpoint = self.stored_endpoint(&caller.organization, id).await?;
        let sandbox = self.is_sandbox(&caller.organization).await?;
        let random = self.random().ten_bytes();
        let message = random.iter().fold("evt_test_".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let body = json!({
            "id": message, "type": "endpoint.test", "createdAt": self.now().to_rfc3339(),
            "organization": caller.organization, "object": { "kind": "endpoint", "id": id, "version": 0 },
            "data": {}, "care": {},
        });
        let body = body.to_string().into_bytes();
        Ok(match self.send_message(&endpoint, (&message, body), sandbox).await {
            Answer::Delivered(status) => Tested { delivered: true, status: Some(status), error: None },
            Answer::Gone => {
                let error =
                    Some("the receiver answered 410; for an event this disables the endpoint".to_owned());
                Tested { delivered: false, status: Some(410), error }
            }
            Answer::Failed(status, error) => Tested { delivered: false, status, error: Some(error) },
        })
    }

    /// Deliveries to an endpoint in a state (or all), newest first, before a sequence number. Those that ended are kept
    /// for thirty days.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn endpoint_deliveries(
        &self,
        (organization, id): (&str, &str),
        state: Option<State>,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Effect>, Error> {
        self.stored_endpoint(organization, id).await?;
        let (organization, id) = (organization.to_owned(), id.to_owned());
        self.0
            .store
            .read_long(move |tx| {
                announcements::list(tx, (&organization, &id), state, before, limit).map_err(Error::from)
            })
            .await
    }

    /// Seals the secrets of all endpoints with the current key. Returns how many.
    pub(crate) async fn reseal_endpoints(&self) -> Result<usize, Error> {
        let mut total = 0;
        loop {
            let (keyring, now) = (self.0.store.keyring().clone(), self.now());
            let step = self
                .0
                .store
                .write(move |tx| endpoints::reseal(tx, &keyring, 200, now).map_err(Error::from))
                .await?;
            total += step;
            if step == 0 {
                return Ok(total);
            }
        }
    }

    pub(super) async fn enabled_endpoint(&self, organization: &str, id: &str) -> Result<(), Error> {
        match self.stored_endpoint(organization, id).await?.status {
            Status::Enabled => Ok(()),
            Status::Disabled => Err(disabled().into()),
        }
    }

    async fn stored_endpoint(&self, organization: &str, id: &str) -> Result<Endpoint, Error> {
        let keyring = self.0.store.keyring().clone();
        let (organization, wanted) = (organization.to_owned(), id.to_owned());
        let found = self
            .0
            .store
            .read(move |tx| endpoints::get(tx, &keyring, &organization, &wanted).map_err(Error::from))
            .await?;
        found.ok_or_else(|| Error::not_found("endpoint", id))
    }

    async fn is_sandbox(&self, organization: &str) -> Result<bool, Error> {
        Ok(self.organization(organization).await?.mode == "sandbox")
    }

    async fn edit_endpoint<F>(
        &self,
        caller: &Caller,
        id: &str,
        reason: &'static str,
        edit: F,
    ) -> Result<EndpointView, Error>
    where
        F: Fn(&mut Endpoint, &mut Change<'_, '_>) -> Result<(), Error> + Send + Sync + 'static,
    {
        let (keyring, endpoint): (Keyring, String) = (self.0.store.keyring().clone(), id.to_owned());
        let order = self.order_of(caller, Reason::of(reason));
        let edited = self.apply(id, order, move |change| {
            let (organization, now) = (change.order.organization.clone(), change.order.now);
            let mut found = endpoints::get(change.tx, &keyring, &organization, &endpoint)?
                .ok_or_else(|| Error::not_found("endpoint", &endpoint))?;
            edit(&mut found, change)?;
            endpoints::update(change.tx, &keyring, &found, now)?;
            Ok(Endpoint { updated_at: now, ..found })
        });
        let edited = edited.await?;
        self.reload_endpoints().await?;
        Ok(view(edited, self.now()))
    }
}

fn described(text: String) -> Result<String, Refusal> {
    if text.chars().count() <= DESCRIPTION_MAX && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    let detail = "Nothing was changed. A description is one line of at most 200 characters.";
    Err(Refusal::invalid("description_invalid", detail))
}

fn too_many() -> Error {
    let detail = "Nothing was made. The organization has 50 endpoints; remove one that is not used.";
    Refusal::state("endpoints_exhausted", detail).into()
}

fn view(endpoint: Endpoint, now: Timestamp) -> EndpointView {
    EndpointView {
        id: endpoint.id,
        url: endpoint.url,
        description: endpoint.description,
        events: endpoint.events,
        status: endpoint.status.name().to_owned(),
        note: endpoint.note,
        previous_secret_until: endpoint.previous.map(|(_, until)| until).filter(|until| *until > now),
        created_at: endpoint.created_at,
        updated_at: endpoint.updated_at,
    }
}
