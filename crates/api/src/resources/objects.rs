//! Live progress of one object, as server-sent events.
//!
//! Invariant: who watches an object may read it, and a key holds a bounded number of watches.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use suture_core::catalogue::MACHINES;
use suture_engine::watch::{Seen, Watch};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::open_streams::Place;
use crate::problem::Problem;

/// What it takes to read an object, by the prefix of its id and by its machine, the first part of its event types. Others only
/// auditors and admins see.
const READERS: [(&str, &str, Permission); 18] = [
    ("pay_", "payment", Permission::ReadPayments),
    ("deb_", "debt", Permission::ReadPayments),
    ("ref_", "refund", Permission::ReadPayments),
    ("dis_", "dispute", Permission::ReadPayments),
    ("pos_", "posting", Permission::ReadPayments),
    ("pat_", "patient", Permission::ReadPatients),
    ("pol_", "policy", Permission::ReadPatients),
    ("elg_", "eligibility", Permission::ReadBilling),
    ("est_", "estimate", Permission::ReadBilling),
    ("svc_", "service", Permission::ReadBilling),
    ("inv_", "invoice", Permission::ReadBilling),
    ("rem_", "remittance", Permission::ReadBilling),
    ("cli_", "clinic", Permission::ReadSchedule),
    ("prv_", "provider", Permission::ReadSchedule),
    ("vty_", "visit_type", Permission::ReadSchedule),
    ("apt_", "appointment", Permission::ReadSchedule),
    ("wai_", "waiting", Permission::ReadSchedule),
    ("enc_", "encounter", Permission::ReadSchedule),
];

fn permission(object: &str) -> Permission {
    let found = READERS.into_iter().find(|(prefix, ..)| object.starts_with(prefix));
    found.map_or(Permission::ReadAudit, |(.., permission)| permission)
}

/// Refuses whoever lets events be sent that the key itself may not read. `types` as an endpoint names them: exact,
/// `payment.*`, or `*`; none means all.
pub(super) fn may_hear(session: &Session, types: &[String]) -> Result<(), Problem> {
    let all = types.is_empty() || types.iter().any(|wanted| wanted == "*");
    let named = |machine: &str| {
        types.iter().any(|wanted| wanted.split_once('.').is_some_and(|(first, _)| first == machine))
    };
    let heard = MACHINES.iter().map(|machine| machine.name).filter(|machine| all || named(machine));
    let reader = |machine: &str| {
        let found = READERS.into_iter().find(|(_, known, _)| *known == machine);
        found.map_or(Permission::ReadAudit, |(.., permission)| permission)
    };
    let hidden: Vec<&str> = heard.filter(|machine| !session.has(reader(machine))).collect();
    match hidden.is_empty() {
        true => Ok(()),
        false => Err(hidden_events(&hidden)),
    }
}

fn hidden_events(machines: &[&str]) -> Problem {
    let detail = format!(
        "Nothing was done. The role of this key may not read events of {}, so it cannot let them be sent; name only types \
         that it may read, or let an admin do it.",
        machines.join(", ")
    );
    Problem::new("forbidden", StatusCode::FORBIDDEN, detail)
}

/// The events of one object as they happen (`text/event-stream`). Each has its version as `id`, so a client that begins
/// again with `Last-Event-ID` misses nothing. Ends after five minutes; begin again then.
#[utoipa::path(get, path = "/v1/objects/{id}/stream", tag = "events", params(("id" = String, Path), ("Last-Event-ID" = Option<String>, Header, description = "The last version that was seen; everything when absent.")), responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn watch_object(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = session.may(permission(&id))?;
    let after = last_seen(&headers)?;
    let place = app.open_streams.enter(session.key()).ok_or_else(too_many)?;
    let watch = app.engine.watch(&caller, &id, after).await?;
    let events = stream::unfold(Some((watch, place)), next);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// The next event of a watch. The place is held as long as the stream lives.
async fn next(held: Option<(Watch, Place)>) -> Option<(Result<Event, axum::Error>, Option<(Watch, Place)>)> {
    let (mut watch, place) = held?;
    match watch.next().await {
        Ok(Some(seen)) => Some((written(&seen), Some((watch, place)))),
        Ok(None) => None,
        Err(error) => {
            // The client begins again where it stopped.
            tracing::warn!(%error, "a watch ended early");
            None
        }
    }
}

fn written(seen: &Seen) -> Result<Event, axum::Error> {
    Event::default().id(seen.version.to_string()).event(&seen.kind).json_data(&seen.event)
}

fn last_seen(headers: &HeaderMap) -> Result<i64, Problem> {
    let Some(given) = headers.get("last-event-id") else { return Ok(0) };
    let parsed =
        given.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|version| *version >= 0);
    parsed.ok_or_else(|| {
        let detail = "Nothing was read. `Last-Event-ID` is not a version that this stream gave.";
        Problem::invalid("last_event_id_invalid", detail)
    })
}

pub(super) fn too_many() -> Problem {
    let detail = "Nothing was opened. This key holds 16 live streams; close one, or wait until one ends.";
    Problem::new("too_many_streams", StatusCode::TOO_MANY_REQUESTS, detail).retry_after(5)
}
