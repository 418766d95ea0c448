//! The calendar as FHIR R4, to be read by other programs: Schedule, Slot, Appointment. Searches only; nothing is written.
//!
//! Search parameters: <https://hl7.org/fhir/R4/search.html#date>; a day without a zone is a day in UTC.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use suture_core::id::VisitTypeId;
use suture_core::time::Timestamp;
use suture_engine::scheduling::{ViewedAppointments, ViewedSlots, Whose, actor_of};

use crate::app::App;
use crate::auth::{Permission, Session};
use crate::page::Asked;
use crate::problem::Problem;

const DAY: Duration = Duration::from_secs(86_400);

type Parameters = Vec<(String, String)>;

/// The parameters of a search, each known or refused.
struct Search {
    parameters: Parameters,
}

impl Search {
    fn of(parameters: Parameters, known: &[&str]) -> Result<Self, Problem> {
        match parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some(_) => Err(wrong(&format!("The parameters of this search are {}.", known.join(", ")))),
            None => Ok(Self { parameters }),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn actor(&self, name: &str) -> Result<Option<Whose>, Problem> {
        let Some(reference) = self.get(name) else { return Ok(None) };
        let found = actor_of(reference);
        found.map(Some).ok_or_else(|| {
            wrong(&format!(
                "`{name}` is a reference such as Practitioner/prv-0190a1b2c3d4e5f60718293a4b5c6d7e."
            ))
        })
    }

    /// The span that all dates of a name leave.
    fn span(&self, name: &str, usual: (Timestamp, Timestamp)) -> Result<(Timestamp, Timestamp), Problem> {
        let mut span = usual;
        for (_, value) in self.parameters.iter().filter(|(known, _)| known == name) {
            let (from, until) = bounds(value).ok_or_else(|| {
                wrong(&format!("`{name}` is a day or a time, with eq, ge, gt, le or lt before it."))
            })?;
            // The first bound of a side replaces the usual one, further ones narrow it.
            span.0 = from.map_or(span.0, |from| if span.0 == usual.0 { from } else { from.max(span.0) });
            span.1 = until.map_or(span.1, |until| if span.1 == usual.1 { until } else { until.min(span.1) });
        }
        Ok(span)
    }
}

/// From when and until when a date of a search reaches.
fn bounds(value: &str) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let (prefix, text) = match value.get(..2) {
        Some(prefix @ ("eq" | "ge" | "gt" | "le" | "lt")) => (prefix, value.get(2..)?),
        _ => ("eq", value),
    };
    let day = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    let (begins, ends) = match (day, Timestamp::parse_rfc3339(text)) {
        (Ok(day), _) => (day, day + DAY),
        (Err(_), Ok(moment)) => (moment, moment + Duration::from_millis(1)),
        (Err(_), Err(_)) => return None,
    };
    Some(match prefix {
        "ge" => (Some(begins), None),
        "gt" => (Some(ends), None),
        "le" => (None, Some(ends)),
        "lt" => (None, Some(begins)),
        _ => (Some(begins), Some(ends)),
    })
}

fn wrong(detail: &str) -> Problem {
    Problem::invalid("query_invalid", format!("Nothing was read. {detail}"))
}

fn bundle(found: Vec<Value>) -> Response {
    let entries: Vec<Value> = found
        .into_iter()
        .map(|resource| json!({ "resource": resource, "search": { "mode": "match" } }))
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries });
    let kind = HeaderValue::from_static("application/fhir+json");
    ([(header::CONTENT_TYPE, kind)], bundle.to_string()).into_response()
}

/// Schedules: one for each provider.
#[utoipa::path(get, path = "/fhir/Schedule", tag = "fhir", params(("actor" = Option<String>, Query, description = "`Practitioner/prv-…`")), responses((status = 200, content_type = "application/fhir+json", body = Object)))]
pub(super) async fn search_schedules(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<Parameters>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let actor = match Search::of(query, &["actor"])?.actor("actor")? {
        Some(Whose::Provider(provider)) => Some(provider),
        None => None,
        Some(Whose::Patient(_) | Whose::All) => return Ok(bundle(Vec::new())),
    };
    Ok(bundle(app.engine.fhir_schedules(&caller.organization, actor).await?))
}

/// Slots of a schedule: what is held and booked, and with `service-type` what is free for that type of visit. Two weeks
/// from now unless `start` says otherwise.
#[utoipa::path(get, path = "/fhir/Slot", tag = "fhir", params(("schedule" = String, Query, description = "`Schedule/prv-…`"), ("service-type" = Option<String>, Query, description = "A type of visit, `vty_…`"), ("start" = Option<String>, Query, description = "`ge2026-11-21`, `lt2026-11-22`; may be given twice")), responses((status = 200, content_type = "application/fhir+json", body = Object)))]
pub(super) async fn search_slots(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<Parameters>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let search = Search::of(query, &["schedule", "service-type", "start"])?;
    let Some(Whose::Provider(provider)) = search.actor("schedule")? else {
        return Err(wrong("Say whose `schedule`, such as Schedule/prv-0190a1b2c3d4e5f60718293a4b5c6d7e."));
    };
    let visit_type = search.get("service-type").map(|id| VisitTypeId::parse(&id.replacen('-', "_", 1)));
    let visit_type =
        visit_type.transpose().map_err(|_| wrong("`service-type` is a type of visit, vty_…."))?;
    let now = app.engine.now();
    let (from, until) = search.span("start", (now, now + DAY * 14))?;
    if until.since(from) > DAY * 93 {
        return Err(wrong("`start` spans at most 93 days."));
    }
    let viewed = ViewedSlots { provider, visit_type, from, until };
    Ok(bundle(app.engine.fhir_slots(&caller.organization, viewed).await?))
}

/// Appointments of a patient or a provider, at most 500 in order of their beginnings, from today unless `date` says
/// otherwise.
#[utoipa::path(get, path = "/fhir/Appointment", tag = "fhir", params(("actor" = Option<String>, Query, description = "`Practitioner/prv-…` or `Patient/pat-…`"), ("patient" = Option<String>, Query, description = "`Patient/pat-…`"), ("date" = Option<String>, Query, description = "`ge2026-11-21`, `lt2026-11-22`; may be given twice")), responses((status = 200, content_type = "application/fhir+json", body = Object)))]
pub(super) async fn search_appointments(
    State(app): State<App>,
    session: Session,
    Asked(query): Asked<Parameters>,
) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadSchedule)?;
    let search = Search::of(query, &["actor", "patient", "date"])?;
    let whose = match (search.actor("actor")?, search.actor("patient")?) {
        (None, None) => Whose::All,
        (Some(whose), None) | (None, Some(whose)) => whose,
        (Some(_), Some(_)) => return Err(wrong("Give `actor` or `patient`, not both.")),
    };
    let now = app.engine.now();
    let (from, until) = search.span("date", (now - DAY, now + DAY * 731))?;
    let subject = match whose {
        Whose::Patient(patient) => patient.to_string(),
        Whose::Provider(_) | Whose::All => "*".to_owned(),
    };
    app.engine.log_access(&caller, "read", &subject, "appointments", "fhir").await?;
    let viewed = ViewedAppointments { whose, from, until };
    Ok(bundle(app.engine.fhir_appointments(&caller.organization, viewed).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reaches_as_far_as_its_prefix_says() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let (day, next) = (at("2026-11-21T00:00:00Z"), at("2026-11-22T00:00:00Z"));
        assert_eq!(bounds("2026-11-21"), Some((Some(day), Some(next))));
        assert_eq!(bounds("ge2026-11-21"), Some((Some(day), None)));
        assert_eq!(bounds("gt2026-11-21"), Some((Some(next), None)));
        assert_eq!(bounds("lt2026-11-21"), Some((None, Some(day))));
        assert_eq!(bounds("le2026-11-21"), Some((None, Some(next))));
        assert_eq!(bounds("ge2026-11-21T09:30:00Z"), Some((Some(at("2026-11-21T09:30:00Z")), None)));
        for wrong in ["", "ge", "soon", "ne2026-11-21", "2026-11"] {
            assert_eq!(bounds(wrong), None, "{wrong}");
        }
    }
}
