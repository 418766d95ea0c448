//! Deliveries: everything that waits to be done or was done towards other systems, and how deep the queues are.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use suture_engine::queries::Depth;
use suture_engine::{Effect, EffectState};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::time;
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

/// Something to do towards another system.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryBody {
    id: String,
    /// What to do.
    kind: String,
    /// The connection it is for, or `suture`.
    destination: String,
    /// `ready`, `done`, `parked`, `dead` or `skipped`.
    state: String,
    /// Deliveries of one lane go one after the other.
    lane: Option<String>,
    /// The object it belongs to.
    stream: Option<String>,
    due_at: String,
    attempts: i64,
    /// The last failure.
    error: Option<String>,
    /// What it needs. No personal data.
    #[schema(value_type = Object)]
    payload: Value,
    /// Failures and repairs before, oldest first.
    #[schema(value_type = Vec<Object>)]
    history: Vec<Value>,
    created_at: String,
    finished_at: Option<String>,
}

impl From<Effect> for DeliveryBody {
    fn from(effect: Effect) -> Self {
        let history = effect.history.unwrap_or_default();
        Self {
            id: effect.id,
            kind: effect.kind,
            destination: effect.destination,
            state: effect.state.name().to_owned(),
            lane: effect.lane,
            stream: effect.stream,
            due_at: time(effect.due_at),
            attempts: effect.attempts,
            error: effect.error,
            payload: serde_json::from_str(&effect.payload).unwrap_or_default(),
            history: history.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
            created_at: time(effect.created_at),
            finished_at: effect.finished_at.map(time),
        }
    }
}

/// How much waits for a destination.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
pub(super) struct QueueBody {
    /// The connection, or `suture`.
    destination: String,
    /// `ready`, `dead` or `parked`.
    state: String,
    count: i64,
    /// When the oldest was caused.
    oldest: String,
}

impl From<Depth> for QueueBody {
    fn from(depth: Depth) -> Self {
        let Depth { destination, state, count, oldest } = depth;
        Self { destination, state, count, oldest: time(oldest) }
    }
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryQuery {
    /// `ready`, `done`, `parked`, `dead` or `skipped`; all when absent.
    state: Option<String>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    limit: Option<u16>,
}

/// Deliveries, newest first.
#[utoipa::path(get, path = "/v1/deliveries", tag = "deliveries", params(DeliveryQuery), responses((status = 200, body = Page<DeliveryBody>)))]
pub(super) async fn list_deliveries(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<DeliveryQuery>,
) -> Result<Json<Page<DeliveryBody>>, Problem> {
    let (state, page) = query.understood()?;
    list(&app, &session, state, page).await
}

impl DeliveryQuery {
    /// The state and the page that are asked for.
    pub(super) fn understood(self) -> Result<(Option<EffectState>, PageQuery), Problem> {
        let state = self.state.as_deref().map(state).transpose()?;
        Ok((state, PageQuery { cursor: self.cursor, limit: self.limit }))
    }
}

fn state(name: &str) -> Result<EffectState, Problem> {
    EffectState::parse(name).ok_or_else(|| {
        let detail = "Nothing was read. `state` is one of ready, done, parked, dead and skipped.";
        Problem::invalid("query_invalid", detail)
    })
}

/// A page of deliveries in a state.
pub(super) async fn list(
    app: &App,
    session: &Session,
    state: Option<EffectState>,
    query: PageQuery,
) -> Result<Json<Page<DeliveryBody>>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let found = app.engine.effects(&caller.organization, state, query.number()?, query.ask()).await?;
    Ok(Json(query.page(found, |effect| effect.sequence.to_string(), DeliveryBody::from)))
}

/// One delivery. Its id may hold slashes; write them as `%2F`.
#[utoipa::path(get, path = "/v1/deliveries/{id}", tag = "deliveries", params(("id" = String, Path)), responses((status = 200, body = DeliveryBody)))]
pub(super) async fn get_delivery(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<DeliveryBody>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let effect = app.engine.effect(&caller.organization, &id).await?;
    Ok(Json(effect.into()))
}

/// How much waits, by destination and state.
#[utoipa::path(get, path = "/v1/queues", tag = "deliveries", responses((status = 200, body = Page<QueueBody>)))]
pub(super) async fn list_queues(
    State(app): State<App>,
    session: Session,
) -> Result<Json<Page<QueueBody>>, Problem> {
    let caller = session.may(Permission::ReadDeliveries)?;
    let found = app.engine.depths(&caller.organization).await?;
    Ok(Json(Page { items: found.into_iter().map(QueueBody::from).collect(), next: None }))
}
