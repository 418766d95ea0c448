//! Webhooks that were taken in, and those that were refused.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use suture_engine::{Message, Rejection};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::time;
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// A webhook that was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageBody {
    id: String,
    connection: String,
    /// The gateway's event id.
    event_id: String,
    event_type: String,
    /// The object it is about.
    object_id: Option<String>,
    received_at: String,
    /// How often it came; counted once.
    deliveries: i64,
    /// The SHA-256 of the raw body.
    body_hash: String,
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.message,
            connection: message.connection,
            event_id: message.event_id,
            event_type: message.event_type,
            object_id: message.object_id,
            received_at: time(message.received_at),
            deliveries: message.deliveries,
            body_hash: message.body_hash.to_string(),
        }
    }
}

/// Refused webhooks of a day, by code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RejectedDeliveries)]
#[serde(rename_all = "camelCase")]
pub(super) struct RejectionBody {
    connection: String,
    /// The day, UTC.
    day: String,
    /// Why; see `/problems/{code}`.
    code: String,
    count: i64,
    last_at: String,
}

impl From<Rejection> for RejectionBody {
    fn from(rejection: Rejection) -> Self {
        Self {
            connection: rejection.connection,
            day: rejection.day,
            code: rejection.code,
            count: rejection.count,
            last_at: time(rejection.last_at),
        }
    }
}

/// Webhooks that were taken in, newest first.
#[utoipa::path(get, path = "/v1/messages", tag = "webhooks", params(PageQuery), responses((status = 200, body = Page<MessageBody>)))]
pub(super) async fn list_messages(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<Page<MessageBody>>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let found = app.engine.messages(&caller.organization, query.number()?, query.ask()).await?;
    Ok(Json(query.page(found, |message| message.sequence.to_string(), MessageBody::from)))
}

/// Refused webhooks by day and code, latest first, at most 200.
#[utoipa::path(get, path = "/v1/rejected-deliveries", tag = "webhooks", responses((status = 200, body = Page<RejectionBody>)))]
pub(super) async fn list_rejected_deliveries(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Page<RejectionBody>>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let found = app.engine.rejections(&caller.organization).await?;
    Ok(Json(Page { items: found.into_iter().map(RejectionBody::from).collect(), next: None }))
}
