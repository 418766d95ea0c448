//! Webhook endpoints: create (the secret is shown once), list, delete, roll the secret (FACTS §e).

use super::event::matches_type;
use super::listing::page_of;
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::{API_VERSION, StripeWorld};
use serde_json::{Value, json};
use std::sync::Arc;

const ENDPOINTS_MAX: usize = 16;

/// A secret, and until when an old one is still used.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) text: Arc<str>,
    pub(crate) until_ms: Option<i64>,
}

/// Secrets are not printed.
impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Secret").field("until_ms", &self.until_ms).finish_non_exhaustive()
    }
}

/// An endpoint.
#[derive(Debug, Clone)]
pub(crate) struct WebhookEndpoint {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) url: Arc<str>,
    pub(crate) enabled_events: Vec<String>,
    pub(crate) api_version: Arc<str>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) deleted: bool,
    pub(crate) metadata: Metadata,
    pub(crate) echo: Echo,
}

impl Row for WebhookEndpoint {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl WebhookEndpoint {
    /// Whether the endpoint is to be told about this type.
    pub(crate) fn wants(&self, kind: &str) -> bool {
        !self.deleted && self.enabled_events.iter().any(|wanted| matches_type(wanted, kind))
    }

    /// The object as the API shows it; `secret` only in the answer of its making.
    pub(crate) fn render(&self, secret: Option<&str>) -> Value {
        let mut shown = json!({
            "id": *self.id, "object": "webhook_endpoint", "api_version": *self.api_version, "application": null,
            "created": self.created, "description": null, "enabled_events": self.enabled_events, "livemode": false,
            "metadata": *self.metadata, "status": "enabled", "url": *self.url,
        });
        self.echo.lay_over(&mut shown);
        if let Some(secret) = secret {
            shown["secret"] = json!(secret);
        }
        shown
    }
}

impl StripeWorld {
    /// `POST /v1/webhook_endpoints`
    pub(crate) fn create_webhook_endpoint(&mut self, params: &Params) -> Answer {
        let url = params.text("url").unwrap_or_default();
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Refusal::invalid(
                "Invalid URL: An explicit scheme (such as https) must be provided.",
            )
            .code("url_invalid")
            .param("url"));
        }
        let live = self.webhook_endpoints.iter().filter(|endpoint| !endpoint.deleted).count();
        if live >= ENDPOINTS_MAX {
            return Err(Refusal::invalid(format!(
                "You have reached the maximum of {ENDPOINTS_MAX} webhook endpoints."
            )));
        }
        let events = params.texts("enabled_events");
        let version = params.text("api_version").unwrap_or(API_VERSION);
        let id = self.add_webhook_endpoint(url, None, events, version);
        let row = self.webhook_endpoints.change(&id, |endpoint| {
            endpoint.metadata = merge_metadata(&endpoint.metadata, params.get("metadata"));
            endpoint.echo = endpoint.echo.clone().with(params, &["description"]);
        });
        let Some(row) = row else { return Err(Refusal::missing("webhook endpoint", &id, "id")) };
        let secret = row.secrets.first().map(|secret| Arc::clone(&secret.text));
        Ok(Snapshot::WebhookEndpoint(row, secret))
    }

    /// Adds an endpoint; a secret is made up when none is given.
    pub(crate) fn add_webhook_endpoint(
        &mut self,
        url: &str,
        secret: Option<&str>,
        enabled_events: Vec<String>,
        api_version: &str,
    ) -> Id {
        let id = self.random.id("we_");
        let made = format!("whsec_{}", derived(&id, 32));
        let endpoint = WebhookEndpoint {
            id: Arc::clone(&id),
            created: self.now_seconds(),
            url: url.into(),
            enabled_events,
            api_version: api_version.into(),
            secrets: vec![Secret { text: secret.unwrap_or(&made).into(), until_ms: None }],
            deleted: false,
            metadata: Metadata::default(),
            echo: Echo::default(),
        };
        self.webhook_endpoints.insert(endpoint, &[]);
        id
    }

    /// Gives every endpoint a new secret; the old one stays valid for a while. Returns the new secret.
    pub(crate) fn roll_secret(&mut self, new: Option<&str>, old_valid_seconds: i64) -> String {
        let made = format!("whsec_{}", derived(&self.random.id("roll_"), 32));
        let new = new.unwrap_or(&made).to_owned();
        let until_ms = self.now_ms.saturating_add(old_valid_seconds.saturating_mul(1000));
        let ids: Vec<Id> = self.webhook_endpoints.iter().map(|endpoint| Arc::clone(&endpoint.id)).collect();
        for id in ids {
            self.webhook_endpoints.change(&id, |endpoint| {
                for secret in &mut endpoint.secrets {
                    secret.until_ms = Some(secret.until_ms.map_or(until_ms, |known| known.min(until_ms)));
                }
                endpoint.secrets.insert(0, Secret { text: new.as_str().into(), until_ms: None });
            });
        }
        new
    }

    /// `GET /v1/webhook_endpoints/{id}`
    pub(crate) fn show_webhook_endpoint(&self, id: &str) -> Answer {
        self.webhook_endpoints
            .get(id)
            .filter(|endpoint| !endpoint.deleted)
            .map(|row| Snapshot::WebhookEndpoint(Arc::clone(row), None))
            .ok_or_else(|| Refusal::missing("webhook endpoint", id, "id"))
    }

    /// `GET /v1/webhook_endpoints`
    pub(crate) fn list_webhook_endpoints(&self, params: &Params) -> Answer {
        page_of(&self.webhook_endpoints, "/v1/webhook_endpoints", params, &[], |row| {
            (!row.deleted).then(|| row.render(None))
        })
    }

    /// `DELETE /v1/webhook_endpoints/{id}`
    pub(crate) fn delete_webhook_endpoint(&mut self, id: &str) -> Answer {
        self.show_webhook_endpoint(id)?;
        self.webhook_endpoints.change(id, |endpoint| endpoint.deleted = true);
        Ok(Snapshot::listing(json!({ "id": id, "object": "webhook_endpoint", "deleted": true })))
    }
}
