//! Openings: when a visit may begin, by provider or the first available, once or live.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use suture_core::calendar::Zone;
use suture_core::id::{ProviderId, VisitTypeId};
use suture_core::time::Timestamp;
use suture_engine::scheduling::{Found, LiveOpenings, Openings, Search};
use suture_engine::{Caller, Engine};
use utoipa::{IntoParams, ToSchema};

use super::objects::too_many;
use super::practice_body;
use super::visit_time::{LocalMoment, moment_of_query};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{in_query, time};
use crate::open_streams::Place;
use crate::page::Asked;
use crate::problem::Problem;

/// A search without an end looks so far ahead.
const AHEAD: Duration = Duration::from_secs(14 * 86_400);
/// A search spans so much at most.
const SPAN_MAX: Duration = Duration::from_secs(93 * 86_400);

/// What is searched.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct OpeningQuery {
    /// The type of visit: its length and rules decide what fits.
    visit_type: String,
    /// Only with this provider.
    provider: Option<String>,
    /// Only with this specialty.
    specialty: Option<String>,
    /// Only where this payer's insurance is accepted.
    payer: Option<String>,
    /// Only providers whose name holds this.
    name: Option<String>,
    /// Only who are ever at this location.
    location: Option<String>,
    /// Not before this; now when absent.
    from: Option<String>,
    /// Not after this, at most 93 days later; 14 days later when absent.
    until: Option<String>,
    /// The IANA zone that times are shown in; the clinic's when absent.
    zone: Option<String>,
    /// How many openings of each provider, or how many providers of the first available: 1 to 200; 20 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// A time at which a visit may begin.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opening {
    starts_at: String,
    local: LocalMoment,
}

/// The openings of one provider.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProviderOpenings {
    provider: String,
    name: String,
    starts: Vec<Opening>,
}

/// Openings by provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpeningList {
    visit_type: String,
    /// The zone of the local times.
    zone: String,
    from: String,
    until: String,
    providers: Vec<ProviderOpenings>,
}

/// The first opening of a provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstOpening {
    provider: String,
    name: String,
    starts_at: String,
    local: LocalMoment,
}

/// First openings, the earliest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FirstOpenings {
    /// The zone of the local times.
    zone: String,
    items: Vec<FirstOpening>,
}

fn refused(detail: &str) -> Problem {
    Problem::invalid("query_invalid", format!("Nothing was read. {detail}"))
}

impl OpeningQuery {
    /// The search, and the zone that its answer is shown in.
    async fn understood(self, engine: &Engine, caller: &Caller) -> Result<(Search, Zone), Problem> {
        let visit_type = in_query(VisitTypeId::parse, Some(&self.visit_type), "visitType")?;
        let visit_type = visit_type.ok_or_else(|| Problem::not_found("type of visit"))?;
        let from = moment_of_query("from", self.from.as_deref())?.unwrap_or_else(|| engine.now());
        let until = moment_of_query("until", self.until.as_deref())?.unwrap_or(from + AHEAD);
        if until < from || until.since(from) > SPAN_MAX {
            return Err(refused("`until` is after `from`, and at most 93 days after it."));
        }
        let practice = engine.practice(&caller.organization).await?;
        let visit = practice.visit_types.get(&visit_type);
        let clinic = visit.and_then(|visit| practice.clinics.get(&visit.clinic));
        let clinic = clinic.ok_or_else(|| Problem::not_found("type of visit"))?;
        let zone = self.zone.as_deref().map_or_else(|| Ok(clinic.zone.clone()), practice_body::zone)?;
        let search = Search {
            visit_type,
            provider: in_query(ProviderId::parse, self.provider.as_deref(), "provider")?,
            specialty: self.specialty,
            payer: self.payer,
            name: self.name,
            location: self.location,
            from,
            until,
            limit: usize::from(self.limit.unwrap_or(20).clamp(1, 200)),
        };
        Ok((search, zone))
    }
}

pub(super) fn opening(start: Timestamp, zone: &Zone) -> Opening {
    Opening { starts_at: time(start), local: LocalMoment::of(start, zone) }
}

fn list(search: &Search, zone: &Zone, found: &[Found]) -> OpeningList {
    let shown = |one: &Found| ProviderOpenings {
        provider: one.provider.to_string(),
        name: one.name.clone(),
        starts: one.starts.iter().map(|start| opening(*start, zone)).collect(),
    };
    OpeningList {
        visit_type: search.visit_type.to_string(),
        zone: zone.name().to_owned(),
        from: time(search.from),
        until: time(search.until),
        providers: found.iter().map(shown).collect(),
    }
}

/// Openings by provider, in order of the providers' ids. A provider without one is left out.
#[utoipa::path(get, path = "/v1/openings", tag = "visits", params(OpeningQuery), responses((status = 200, body = OpeningList)))]
pub(super) async fn list_openings(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<OpeningQuery>,
) -> Result<Json<OpeningList>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let (search, zone) = query.understood(&app.engine, &caller).await?;
    let found = app.engine.find_openings(&caller.organization, &search).await?;
    Ok(Json(list(&search, &zone, &found)))
}

/// The first opening of each provider that fits, the earliest first.
#[utoipa::path(get, path = "/v1/openings/first", tag = "visits", params(OpeningQuery), responses((status = 200, body = FirstOpenings)))]
pub(super) async fn first_openings(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<OpeningQuery>,
) -> Result<Json<FirstOpenings>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let (search, zone) = query.understood(&app.engine, &caller).await?;
    let found = app.engine.first_available(&caller.organization, &search).await?;
    let shown = |one: Found| {
        let start = one.starts.first().copied()?;
        let (provider, name) = (one.provider.to_string(), one.name);
        Some(FirstOpening { provider, name, starts_at: time(start), local: LocalMoment::of(start, &zone) })
    };
    Ok(Json(FirstOpenings {
        zone: zone.name().to_owned(),
        items: found.into_iter().filter_map(shown).collect(),
    }))
}

/// What a stream holds: the watch, and the place that it takes.
struct Stream {
    live: LiveOpenings,
    search: Search,
    zone: Zone,
    _place: Place,
}

/// Openings live (`text/event-stream`): an event `openings` with the whole list at once, and again each time that it
/// changes, by whomever. Its `id` stands for the list, so a client that begins again with `Last-Event-ID` is sent it only
/// if it is another. Ends after five minutes; begin again then.
#[utoipa::path(get, path = "/v1/openings/stream", tag = "visits", params(OpeningQuery, ("Last-Event-ID" = Option<String>, Header, description = "The last list that was seen.")), responses((status = 200, content_type = "text/event-stream", body = OpeningList)))]
pub(super) async fn watch_openings(
    State(app): State<App>,
    session: Session,
    headers: HeaderMap,
    Asked(query): Asked<OpeningQuery>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let (search, zone) = query.understood(&app.engine, &caller).await?;
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = seen.map(|id| id.trim().chars().take(64).collect());
    let place = app.open_streams.enter(session.key()).ok_or_else(too_many)?;
    let live = app.engine.watch_openings(&caller.organization, search.clone(), seen).await?;
    let held = Stream { live, search, zone, _place: place };
    let events = stream::unfold(Some(held), next);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

async fn next(held: Option<Stream>) -> Option<(Result<Event, Infallible>, Option<Stream>)> {
    let mut stream = held?;
    match stream.live.next().await {
        Ok(Some(Openings { version, found })) => {
            let list = list(&stream.search, &stream.zone, &found);
            let event = Event::default().id(version).event("openings");
            let data = serde_json::to_string(&list).unwrap_or_default();
            Some((Ok(event.data(data)), Some(stream)))
        }
        Ok(None) => None,
        Err(error) => {
            // The client begins again where it stopped.
            tracing::warn!(%error, "a watch of openings ended early");
            None
        }
    }
}
