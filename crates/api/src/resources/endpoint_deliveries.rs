//! Deliveries to one endpoint: look at them, send one event again, replay a range.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use suture_core::catalogue::EventId;
use suture_core::time::Timestamp;
use suture_engine::endpoints::{Replay, ReplayFrom};
use utoipa::ToSchema;

use super::deliveries::{DeliveryBody, DeliveryQuery};
use super::endpoints::log;
use super::objects::may_hear;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// Which event to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Redelivery {
    /// Its id, `evt_…`.
    event: String,
}

/// Which events to send again: since a time or after a position, up to now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReplay {
    /// RFC 3339, for example 2026-11-21T09:30:00Z.
    since: Option<String>,
    /// A position of the journal, as `GET /v1/events` shows it.
    position: Option<i64>,
    /// Only these types; those that the endpoint wants when absent.
    #[serde(default)]
    events: Vec<String>,
}

/// A replay that was planned. It goes through the range in the background, 100 000 events at most.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replay)]
pub(super) struct ReplayBody {
    /// 1 for the first replay of the endpoint.
    number: i64,
    /// Events after this position
    after: i64,
    /// up to this one are looked at.
    until: i64,
}

impl NewReplay {
    fn from(&self) -> Result<ReplayFrom, Problem> {
        match (&self.since, self.position) {
            (Some(since), None) => {
                Timestamp::parse_rfc3339(since).map(ReplayFrom::Moment).map_err(|_| unknown_beginning())
            }
            (None, Some(position)) if position >= 0 => Ok(ReplayFrom::Position(position)),
            _ => Err(unknown_beginning()),
        }
    }
}

fn unknown_beginning() -> Problem {
    let detail = "Nothing was sent. Give `since`, a time such as 2026-11-21T09:30:00Z, or `position`, a number from 0.";
    Problem::invalid("replay_range_invalid", detail)
}

/// Deliveries to an endpoint, newest first. Those that ended are kept for thirty days.
#[utoipa::path(get, path = "/v1/endpoints/{id}/deliveries", tag = "endpoints", params(("id" = String, Path), DeliveryQuery), responses((status = 200, body = Page<DeliveryBody>)))]
pub(super) async fn list_endpoint_deliveries(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<DeliveryQuery>,
) -> Result<Json<Page<DeliveryBody>>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let (state, page) = query.understood()?;
    let place = (caller.organization.as_str(), id.as_str());
    let found = app.engine.endpoint_deliveries(place, state, page.number()?, page.ask()).await?;
    Ok(Json(page.page(found, |effect| effect.sequence.to_string(), DeliveryBody::from)))
}

/// Sends one event again, with the same `webhook-id`.
#[utoipa::path(post, path = "/v1/endpoints/{id}/redeliver", tag = "endpoints", params(("id" = String, Path)), request_body = Redelivery, responses((status = 201, body = DeliveryBody)))]
pub(super) async fn redeliver_event(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::RepairDeliveries)?;
    let (engine, listener) = (app.engine.clone(), session.clone());
    let work = async move |wanted: Redelivery| {
        if let Some(event) = EventId::parse(&wanted.event) {
            let kind = engine.event(&caller.organization, &event).await?.entry.kind;
            may_hear(&listener, &[kind])?;
        }
        log(&engine, &caller, ("event_redelivered", &id)).await?;
        let effect = engine.redeliver_event(&caller, &id, &wanted.event).await?;
        Made::created(&DeliveryBody::from(effect))
    };
    posted.once(&app, &session, work).await
}

/// Sends again what happened since, each event at most once.
#[utoipa::path(post, path = "/v1/endpoints/{id}/replay", tag = "endpoints", params(("id" = String, Path)), request_body = NewReplay, responses((status = 201, body = ReplayBody)))]
pub(super) async fn replay_events(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::RepairDeliveries)?;
    let (engine, listener) = (app.engine.clone(), session.clone());
    let work = async move |new: NewReplay| {
        let from = new.from()?;
        let heard = match new.events.is_empty() {
            true => engine.endpoint(&caller.organization, &id).await?.events,
            false => new.events.clone(),
        };
        may_hear(&listener, &heard)?;
        log(&engine, &caller, ("events_replayed", &id)).await?;
        let Replay { number, after, until } = engine.replay_events(&caller, &id, from, &new.events).await?;
        Made::created(&ReplayBody { number, after, until })
    };
    posted.once(&app, &session, work).await
}
