//! Events: every change of state is told once, with the object as it was at that moment (FACTS §b, §e).

use super::listing::page_of;
use super::object::{Answer, Snapshot};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::{API_VERSION, StripeWorld};
use serde_json::{Value, json};
use std::sync::Arc;

/// Events can be read for 30 days.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// The request behind an event.
#[derive(Debug, Clone)]
pub(crate) struct AskedBy {
    pub(crate) request: Id,
    pub(crate) idempotency_key: Option<Arc<str>>,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) kind: &'static str,
    pub(crate) object: Snapshot,
    pub(crate) previous: Option<Arc<Value>>,
    pub(crate) asked_by: Option<AskedBy>,
    /// Endpoints that have not taken it yet.
    pub(crate) pending: usize,
}

impl Row for Event {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Event {
    /// The envelope in the version of an endpoint or of the account.
    pub(crate) fn render(&self, world: &StripeWorld, api_version: &str) -> Value {
        let mut content = json!({ "object": self.object.render(world) });
        if let Some(previous) = &self.previous {
            content["previous_attributes"] = (**previous).clone();
        }
        let request = match &self.asked_by {
            Some(asked) => {
                json!({ "id": *asked.request, "idempotency_key": asked.idempotency_key.as_deref() })
            }
            None => json!({ "id": null, "idempotency_key": null }),
        };
        json!({
            "id": *self.id, "object": "event", "api_version": api_version, "created": self.created, "data": content,
            "livemode": false, "pending_webhooks": self.pending, "request": request, "type": self.kind,
        })
    }
}

impl StripeWorld {
    /// Tells about a change: keeps the event and queues it for every endpoint that wants it.
    pub(crate) fn emit(&mut self, kind: &'static str, object: Snapshot, previous: Option<Value>) {
        let wanted_by: Vec<Id> = self
            .webhook_endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(kind))
            .map(|endpoint| Arc::clone(&endpoint.id))
            .collect();
        let event = Event {
            id: self.random.id("evt_"),
            created: self.now_seconds(),
            kind,
            object,
            previous: previous.map(Arc::new),
            asked_by: self.asked_by.clone(),
            pending: wanted_by.len(),
        };
        let event = self.events.insert(event, &[("type", kind)]);
        for endpoint in &wanted_by {
            self.queue_delivery(&event.id, endpoint);
        }
    }

    /// Tells about a charge in its present version.
    pub(crate) fn emit_charge(&mut self, kind: &'static str, id: &str) {
        if let Some(row) = self.charges.get(id).map(Arc::clone) {
            self.emit(kind, Snapshot::Charge(row), None);
        }
    }

    /// `GET /v1/events/{id}`
    pub(crate) fn show_event(&self, id: &str) -> Answer {
        let oldest = self.now_seconds() - KEPT_SECONDS;
        self.events
            .get(id)
            .filter(|event| event.created >= oldest)
            .map(|row| Snapshot::Event(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("event", id, "id"))
    }

    /// `GET /v1/events`: newest first, at most 30 days old.
    pub(crate) fn list_events(&self, params: &Params) -> Answer {
        let types = params.texts("types");
        if params.text("type").is_some() && !types.is_empty() {
            return Err(Refusal::invalid("You may only specify one of these parameters: type, types.")
                .code("parameters_exclusive"));
        }
        let oldest = self.now_seconds() - KEPT_SECONDS;
        let undelivered = params.get("delivery_success").and_then(Value::as_bool);
        let tag = match (params.text("type"), types.as_slice()) {
            (Some(kind), _) => Some(kind),
            (None, [only]) => Some(only.as_str()),
            _ => None,
        };
        let tags: Vec<_> =
            tag.filter(|kind| !kind.contains('*')).map(|kind| ("type", kind)).into_iter().collect();
        page_of(&self.events, "/v1/events", params, &tags, |row| {
            let fits = row.created >= oldest
                && params.text("type").is_none_or(|wanted| matches_type(wanted, row.kind))
                && (types.is_empty() || types.iter().any(|wanted| matches_type(wanted, row.kind)))
                && undelivered.is_none_or(|success| success == (row.pending == 0));
            fits.then(|| row.render(self, API_VERSION))
        })
    }
}

/// `charge.*` and `*` are wild.
pub(crate) fn matches_type(wanted: &str, kind: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => wanted == kind,
    }
}
