//! What a receiver reads: the public form of a journal entry. The same for messages and for live progress.
//!
//! Invariant: nothing of an entry leaves but what the catalogue shows.

use serde_json::{Value, json};
use suture_core::catalogue::{self, EventId};
use suture_store::journal::Stored;

/// The public form of an event; `None` when its kind is private.
#[must_use]
pub fn public_event(stored: &Stored) -> Option<Value> {
    let entry = &stored.entry;
    let machine = catalogue::machine_of(&entry.kind).filter(|_| catalogue::is_public(&entry.kind))?;
    let id = EventId { stream: entry.stream.clone(), version: entry.version };
    Some(json!({
        "id": id.to_string(),
        "type": entry.kind,
        "createdAt": entry.at.to_rfc3339(),
        "organization": entry.organization,
        "object": { "kind": machine.name, "id": entry.stream, "version": entry.version },
        "data": catalogue::shown(&entry.body),
        "care": entry.care,
    }))
}
