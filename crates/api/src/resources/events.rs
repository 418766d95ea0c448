//! The journal: every event with who, why and when. Shared with the chain of one payment.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use suture_engine::Stored;
use utoipa::ToSchema;

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
        let (kind, id) = stored.entry.actor.parts();
        Self {
            position: stored.position,
            actor: ActorBody { kind: kind.to_owned(), id: id.to_owned() },
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

/// The journal, newest first. Looking at it is logged: it names patients by their opaque ids.
#[utoipa::path(get, path = "/v1/events", tag = "audit", params(PageQuery), responses((status = 200, body = Page<EventBody>)))]
pub(super) async fn list_events(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<EventBody>>, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let before = query.number()?;
    app.engine.log_access(&caller, "read", "*", "events", "api").await?;
    let found = app.engine.events(&caller.organization, before, query.ask()).await?;
    Ok(Json(query.page(found, |stored| stored.position.to_string(), EventBody::from)))
}
