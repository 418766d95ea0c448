//! Appointments: select a slot, read one, list a calendar.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use suture_core::appointment::Status;
use suture_core::calendar::Zone;
use suture_core::id::{AppointmentId, EligibilityId, PatientId, ProviderId, VisitTypeId};
use suture_core::time::Timestamp;
use suture_engine::scheduling::{Asked as Which, Practice, Select, Whose};
use utoipa::{IntoParams, ToSchema};

use super::appointment_body::{AppointmentBody, AppointmentStatus, VisitRow};
use super::practice_body;
use super::visit_time::{LocalBody, day_of, moment_of, moment_of_query};
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::bodies::{PurposeQuery, in_field, in_path, in_query, opaque, purpose};
use crate::once::{Made, Posted};
use crate::page::{Asked, Page};
use crate::problem::Problem;

/// A slot to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(as = NewAppointment)]
pub(super) struct SlotToSelect {
    patient: String,
    provider: String,
    visit_type: String,
    /// When it begins; or `local`.
    #[schema(example = "2026-11-21T15:30:00Z")]
    starts_at: Option<String>,
    /// When it begins on a wall; or `startsAt`.
    local: Option<LocalBody>,
    /// The patient's IANA zone; that of `local`, or the clinic's, when absent.
    zone: Option<String>,
    /// The answered coverage check that a hybrid visit's deposit comes from.
    eligibility: Option<String>,
    /// The guarantor account in the EHR, an opaque id.
    account: Option<String>,
    /// An emergency, or part of care that must go on: never released for money.
    #[serde(default)]
    emergency: bool,
}

/// Which appointments.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AppointmentQuery {
    /// Only of this provider.
    provider: Option<String>,
    /// Only of this patient.
    patient: Option<String>,
    /// Those that begin on this day of `zone`; instead of `from` and `until`.
    day: Option<String>,
    /// The zone of `day`; that of the provider's clinic, or of the only clinic, when absent.
    zone: Option<String>,
    /// Beginning at this or later; a day ago when absent.
    from: Option<String>,
    /// Beginning before this; two years ahead when absent.
    until: Option<String>,
    /// Only those that stand there.
    status: Option<AppointmentStatus>,
    /// `next` of the page before; absent for the first page.
    cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Why, as a code, for the access log; `api` when absent.
    purpose: Option<String>,
}

/// The appointment that a path names.
pub(super) fn appointment_id(text: &str) -> Result<AppointmentId, Problem> {
    in_path(AppointmentId::parse, text, "appointment")
}

impl SlotToSelect {
    fn understood(self) -> Result<Select, Problem> {
        let starts_at = moment_of(self.starts_at.as_deref(), self.local.as_ref())?;
        let eligibility =
            self.eligibility.as_deref().map(|id| in_field(EligibilityId::parse, id, "eligibility"));
        let zone = self.zone.or_else(|| self.local.map(|local| local.zone().to_owned()));
        Ok(Select {
            patient: in_field(PatientId::parse, &self.patient, "patient")?,
            provider: in_field(ProviderId::parse, &self.provider, "provider")?,
            visit_type: in_field(VisitTypeId::parse, &self.visit_type, "visitType")?,
            starts_at,
            zone,
            eligibility: eligibility.transpose()?,
            account: opaque("account", self.account)?,
            emergency: self.emergency,
        })
    }
}

impl AppointmentQuery {
    fn understood(&self, practice: &Practice, now: Timestamp) -> Result<Which, Problem> {
        let provider = in_query(ProviderId::parse, self.provider.as_deref(), "provider")?;
        let patient = in_query(PatientId::parse, self.patient.as_deref(), "patient")?;
        let whose = match (provider, patient) {
            (Some(_), Some(_)) => return Err(wrong("Give a provider or a patient, not both.")),
            (Some(provider), None) => Whose::Provider(provider),
            (None, Some(patient)) => Whose::Patient(patient),
            (None, None) => Whose::All,
        };
        let (from, until) = match &self.day {
            Some(day) if self.from.is_none() && self.until.is_none() => {
                day_of(day, &self.zone(practice, provider)?)?
            }
            Some(_) => return Err(wrong("Give `day`, or `from` and `until`.")),
            None => {
                const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
                let from = moment_of_query("from", self.from.as_deref())?.unwrap_or(now - DAY);
                let until = moment_of_query("until", self.until.as_deref())?.unwrap_or(now + DAY * 731);
                (from, until)
            }
        };
        let after = self.cursor.as_deref().map(after).transpose()?;
        Ok(Which { whose, from, until, status: self.status.map(Status::from), after })
    }

    fn zone(&self, practice: &Practice, provider: Option<ProviderId>) -> Result<Zone, Problem> {
        if let Some(zone) = &self.zone {
            return practice_body::zone(zone);
        }
        let provider = provider.and_then(|id| practice.providers.get(&id));
        let mut clinics = practice.clinics.values();
        let clinic = match (provider, clinics.next(), clinics.next()) {
            (Some(provider), ..) => practice.clinics.get(&provider.clinic),
            (None, only, None) => only,
            (None, ..) => None,
        };
        let zone = clinic.map(|clinic| clinic.zone.clone());
        zone.ok_or_else(|| wrong("Say in which `zone` the day is: there is more than one clinic, or none."))
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::invalid("query_invalid", format!("Nothing was read. {detail}"))
}

/// The last appointment of the page before.
fn after(cursor: &str) -> Result<(Timestamp, AppointmentId), Problem> {
    let parts = cursor.split_once('.').and_then(|(at, id)| {
        Some((Timestamp::from_millis(at.parse().ok()?), AppointmentId::parse(id).ok()?))
    });
    parts.ok_or_else(|| {
        Problem::invalid(
            "cursor_invalid",
            "Nothing was read. The cursor is not one that a page of this list gave.",
        )
    })
}

/// Holds a slot for a patient; a visit without a deposit is confirmed at once. Refused with `slot_taken` (the detail names
/// the next openings), `outside_hours`, `not_on_grid`, `too_soon`, `too_far`, `time_in_the_past`, `time_does_not_exist`,
/// `visit_type_not_offered`, `coverage_not_verified` and `method_missing`.
#[utoipa::path(post, path = "/v1/appointments", tag = "visits", request_body = SlotToSelect, responses((status = 201, body = AppointmentBody)))]
pub(super) async fn select_slot(
    State(app): State<App>,
    session: Session,
    posted: Posted,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::BookVisits)?;
    let engine = app.engine.clone();
    let work = async move |new: SlotToSelect| {
        let held = engine.select_slot(&caller, new.understood()?).await?;
        Made::created(&AppointmentBody::of(&held))
    };
    posted.once(&app, &session, work).await
}

/// Appointments in order of their beginnings: of a provider, of a patient, or all. A page may hold fewer than asked for
/// while `next` is there.
#[utoipa::path(get, path = "/v1/appointments", tag = "visits", params(AppointmentQuery), responses((status = 200, body = Page<VisitRow>)))]
pub(super) async fn list_appointments(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<AppointmentQuery>,
) -> Result<Json<Page<VisitRow>>, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let why = purpose(query.purpose.as_deref())?;
    let practice = app.engine.practice(&caller.organization).await?;
    let which = query.understood(&practice, app.engine.now())?;
    let limit = usize::from(query.limit.unwrap_or(50).clamp(1, 200));
    let subject = match which.whose {
        Whose::Patient(patient) => patient.to_string(),
        Whose::Provider(_) | Whose::All => "*".to_owned(),
    };
    app.engine.log_access(&caller, "read", &subject, "appointments", &why).await?;
    let (found, next) = app.engine.appointments(&caller.organization, which, limit).await?;
    let next = next.map(|(at, id)| format!("{}.{id}", at.millis()));
    Ok(Json(Page { items: found.iter().map(VisitRow::of).collect(), next }))
}

/// One appointment.
#[utoipa::path(get, path = "/v1/appointments/{id}", tag = "visits", params(("id" = String, Path), PurposeQuery), responses((status = 200, body = AppointmentBody)))]
pub(super) async fn get_appointment(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
    Asked(query): Asked<PurposeQuery>,
) -> Result<Json<AppointmentBody>, Problem> {
    let (caller, id) = (session.may(Permission::ReadSchedule)?, appointment_id(&id)?);
    let why = query.code()?;
    let state = app.engine.appointment(&caller.organization, id).await?;
    let patient = state.context.patient.to_string();
    app.engine.log_access(&caller, "read", &patient, &format!("appointment/{id}"), &why).await?;
    Ok(Json(AppointmentBody::of(&state)))
}
