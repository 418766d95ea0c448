//! The journal: every event with who, why and when. Shared with the chain of one payment.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_core::catalogue::EventId;
use suture_engine::Stored;
use suture_engine::events::Which;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::time;
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// One entry of the journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventBody {
    /// Its public id, `evt_…`: the same in messages to endpoints.
    id: String,
    /// Its place in the order of commits.
    position: i64,
    /// The id of the object it happened to.
    stream: String,
    /// 1 for the first event of the stream, then without gaps.
    version: i64,
    /// For example `payment.captured`.
    kind: String,
    at: String,
    actor: ActorBody,
    /// Why, as a code.
    reason: String,
    /// The chain to an act of care: opaque ids.
    #[schema(value_type = Object)]
    care: Value,
    /// The event: ids, codes, amounts and times.
    #[schema(value_type = Object)]
    body: Value,
    /// The hash of this entry on top of the one before it in the stream.
    hash: String,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
pub(super) struct ActorBody {
    /// `system`, `api_key`, `connection` or `operator`.
    kind: String,
    id: String,
}

impl From<Stored> for EventBody {
    fn from(stored: Stored) -> Self {
        let (kind, actor) = stored.entry.actor.parts();
        let id = EventId { stream: stored.entry.stream.clone(), version: stored.entry.version };
        Self {
            id: id.to_string(),
            position: stored.position,
            actor: ActorBody { kind: kind.to_owned(), id: actor.to_owned() },
            reason: stored.entry.reason.as_str().to_owned(),
            care: serde_json::to_value(&stored.entry.care).unwrap_or_default(),
            at: time(stored.entry.at),
            stream: stored.entry.stream,
            version: stored.entry.version,
            kind: stored.entry.kind,
            body: stored.entry.body,
            hash: stored.hash.to_string(),
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// A type such as `payment.captured`, or `payment.*`; all when absent.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The id of an object; all when absent.
    object: Option<String>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u16>,
}

/// The journal, newest first. Looking at it is logged: it names patients by their opaque ids.
#[utoipa::path(get, path = "/v1/events", tag = "audit", params(EventQuery), responses((status = 200, body = Page<EventBody>)))]
pub(super) async fn list_events(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<EventQuery>,
) -> Result<Json<Page<EventBody>>, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let before = page.number()?;
    app.engine.log_access(&caller, "read", "*", "events", "api").await?;
    let which = Which { object: query.object, kind: query.kind };
    let found = app.engine.find_events(&caller.organization, which, before, page.ask()).await?;
    Ok(Json(page.page(found, |stored| stored.position.to_string(), EventBody::from)))
}

/// One event. Looking at it is logged.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "audit", params(("id" = String, Path)), responses((status = 200, body = EventBody)))]
pub(super) async fn get_event(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<EventBody>, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let wanted = EventId::parse(&id).ok_or_else(|| Problem::not_found("event"))?;
    let stored = app.engine.event(&caller.organization, &wanted).await?;
    let subject = stored.entry.care.patient.as_deref().unwrap_or("*");
    app.engine.log_access(&caller, "read", subject, &format!("event/{wanted}"), "api").await?;
    Ok(Json(stored.into()))
}
