//! Providers: make one, change it whole, search; what a change of hours would break; and the feed of the calendar.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use suture_core::id::{ClinicId, Mint, ProviderId, VisitTypeId};
use suture_core::practice::Provider;
use suture_engine::{Caller, Engine};
use utoipa::{IntoParams, ToSchema};

use super::appointment_body::VisitRow;
use super::clinics::{self, BrokenVisits};
use super::practice_body::{ProviderBody, same_id};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{in_path, in_query, time};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page, PageQuery};
use crate::problem::Problem;

const DAY: Duration = Duration::from_secs(86_400);

/// A provider as it is now, with the appointments that the hours leave outside.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefinedProvider {
    #[serde(flatten)]
    provider: ProviderBody,
    /// Appointments to come that lie outside of the hours now: somebody moves or cancels them.
    outside_hours: Vec<VisitRow>,
}

/// Which providers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ProviderQuery {
    /// Only of this clinic.
    clinic: Option<String>,
    /// Only with this specialty.
    specialty: Option<String>,
    /// Only whose name holds this.
    name: Option<String>,
    /// Only who accept this payer's insurance.
    payer: Option<String>,
    /// Only who are ever at this location.
    location: Option<String>,
    /// Only who offer this type of visit.
    visit_type: Option<String>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// How long a feed's address works.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCalendarAddress)]
pub(super) struct AddressToMake {
    /// 1 to 366; 366 when absent.
    #[schema(minimum = 1, maximum = 366)]
    days: Option<u16>,
}

/// The address of a feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CalendarAddress)]
pub(super) struct AddressBody {
    /// For a calendar program. Whoever has it reads the feed; it holds no patient's name.
    url: String,
    expires_at: String,
}

/// The provider that a path names.
pub(super) fn provider_id(text: &str) -> Result<ProviderId, Problem> {
    in_path(ProviderId::parse, text, "provider")
}

async fn known(engine: &Engine, organization: &str, id: &str) -> Result<Provider, Problem> {
    let id = provider_id(id)?;
    let practice = engine.practice(organization).await?;
    practice.providers.get(&id).cloned().ok_or_else(|| Problem::not_found("provider"))
}

async fn understood(
    engine: &Engine,
    caller: &Caller,
    (new, id): (ProviderBody, ProviderId),
) -> Result<Provider, Problem> {
    let clinic = clinics::known(engine, &caller.organization, new.clinic()?).await?;
    new.understood(id, &clinic)
}

fn rows(found: &[suture_engine::scheduling::Visit]) -> Vec<VisitRow> {
    found.iter().map(VisitRow::of).collect()
}

/// Makes a provider. Refused with `definition_invalid`, `hours_invalid`, `hours_overlap`, `exception_invalid`,
/// `exceptions_overlap` and `zone_unknown`.
#[utoipa::path(post, path = "/v1/providers", tag = "practice", request_body = ProviderBody, responses((status = 201, body = ProviderBody)))]
pub(super) async fn create_provider(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ManagePractice)?;
    let engine = app.engine.clone();
    let work = async move |new: ProviderBody| {
        let id = ProviderId::mint(Mint::new(engine.now(), engine.random()));
        same_id(new.id.as_deref(), "")?;
        let provider = understood(&engine, &caller, (new, id)).await?;
        Made::created(&ProviderBody::of(&engine.define_provider(&caller, provider).await?))
    };
    posted.once(&app, &session, work).await
}

/// Providers in order of their ids.
#[utoipa::path(get, path = "/v1/providers", tag = "practice", params(ProviderQuery), responses((status = 200, body = Page<ProviderBody>)))]
pub(super) async fn list_providers(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<ProviderQuery>,
) -> Result<Json<Page<ProviderBody>>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let clinic = in_query(ClinicId::parse, query.clinic.as_deref(), "clinic")?;
    let visit_type = in_query(VisitTypeId::parse, query.visit_type.as_deref(), "visitType")?;
    let name = query.name.as_ref().map(|name| name.to_lowercase());
    let practice = app.engine.practice(&caller.organization).await?;
    let pages = PageQuery { cursor: query.cursor.clone(), limit: query.limit };
    let after = pages.id_or("");
    let fits = |provider: &&Provider| {
        provider.id.to_string() > after
            && clinic.is_none_or(|clinic| clinic == provider.clinic)
            && visit_type.is_none_or(|visit| provider.offers(visit))
            && query.specialty.as_ref().is_none_or(|wanted| provider.specialties.contains(wanted))
            && query.payer.as_ref().is_none_or(|payer| provider.accepts(payer))
            && query.location.as_ref().is_none_or(|location| provider.works_at(location))
            && name.as_ref().is_none_or(|name| provider.name.to_lowercase().contains(name))
    };
    let found: Vec<Provider> = practice.providers.values().filter(fits).take(pages.room()).cloned().collect();
    Ok(Json(pages.page(found, |one| one.id.to_string(), |one| ProviderBody::of(&one))))
}

/// One provider.
#[utoipa::path(get, path = "/v1/providers/{id}", tag = "practice", params(("id" = String, Path)), responses((status = 200, body = ProviderBody)))]
pub(super) async fn get_provider(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<ProviderBody>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    Ok(Json(ProviderBody::of(&known(&app.engine, &caller.organization, &id).await?)))
}

/// Changes a provider, whole: the openings follow at once. Bookings that stand keep their times; those outside of the
/// hours are answered.
#[utoipa::path(put, path = "/v1/providers/{id}", tag = "practice", params(("id" = String, Path)), request_body = ProviderBody, responses((status = 200, body = DefinedProvider)))]
pub(super) async fn put_provider(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<DefinedProvider>, Problem> {
    let caller = session.may(Permission::ManagePractice)?;
    let before = known(&app.engine, &caller.organization, &id).await?;
    let new: ProviderBody = posted.parse()?;
    same_id(new.id.as_deref(), &id)?;
    let provider = understood(&app.engine, &caller, (new, before.id)).await?;
    let provider = app.engine.define_provider(&caller, provider).await?;
    let outside = app.engine.outside_hours_of_provider(&caller.organization, &provider).await?;
    Ok(Json(DefinedProvider { provider: ProviderBody::of(&provider), outside_hours: rows(&outside) }))
}

/// What a change of a provider's hours would break. Changes nothing.
#[utoipa::path(post, path = "/v1/providers/{id}/preview", tag = "practice", params(("id" = String, Path)), request_body = ProviderBody, responses((status = 200, body = BrokenVisits)))]
pub(super) async fn preview_provider(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Json<BrokenVisits>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let before = known(&app.engine, &caller.organization, &id).await?;
    let new: ProviderBody = posted.parse()?;
    same_id(new.id.as_deref(), &id)?;
    let provider = understood(&app.engine, &caller, (new, before.id)).await?;
    let outside = app.engine.outside_hours_of_provider(&caller.organization, &provider).await?;
    Ok(Json(BrokenVisits { outside_hours: rows(&outside) }))
}

fn calendar(text: String) -> Response {
    let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The bookings of a provider as an iCalendar feed: types of visit and times, no patients.
#[utoipa::path(get, path = "/v1/providers/{id}/calendar.ics", tag = "practice", params(("id" = String, Path)), responses((status = 200, content_type = "text/calendar", body = String)))]
pub(super) async fn get_calendar(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    Ok(calendar(app.engine.calendar_feed(&caller.organization, provider_id(&id)?).await?))
}

/// Makes an address of the feed for a calendar program, which sends no headers.
#[utoipa::path(post, path = "/v1/providers/{id}/calendar-address", tag = "practice", params(("id" = String, Path)), request_body = AddressToMake, responses((status = 201, body = AddressBody)))]
pub(super) async fn make_calendar_address(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Problem> {
    let (caller, id) = (session.may(Permission::BookVisits)?, provider_id(&id)?);
    let engine = app.engine.clone();
    let work = async move |new: AddressToMake| {
        let days = new.days.unwrap_or(366).clamp(1, 366);
        let expires_at = engine.now() + DAY * u32::from(days);
        let url = engine.calendar_address(&caller, id, expires_at).await?;
        Ok(Made::created(&AddressBody { url, expires_at: time(expires_at) })?.show_once(&["url"]))
    };
    posted.once(&app, &session, work).await
}

/// The feed at an address that was made for a calendar program. Refused with `link_forged` and `link_expired`.
#[utoipa::path(get, path = "/calendar/{token}", tag = "links", params(("token" = String, Path)), responses((status = 200, content_type = "text/calendar", body = String)))]
pub(super) async fn get_feed(State(app): State<App>, Path(token): Path<String>) -> Result<Response, Problem> {
    let (organization, provider) = app.engine.feed_of(&token)?;
    app.link_may_ask(&provider.to_string())?;
    Ok(calendar(app.engine.calendar_feed(&organization, provider).await?))
}
