//! Times of visits as people and programs write them: a moment, or a date and a time on the wall of a zone.

use serde::{Deserialize, Serialize};
use suture_core::calendar::{LocalDate, LocalTime, Zone};
use suture_core::notice::local_time;
use suture_core::time::Timestamp;
use suture_engine::Error;
use utoipa::ToSchema;

use super::practice_body;
use crate::bodies::moment_in;
use crate::problem::Problem;

/// A time as the wall of a zone shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LocalMoment {
    #[schema(example = "2026-11-21")]
    date: String,
    #[schema(example = "09:30")]
    time: String,
    zone: String,
    /// For people.
    #[schema(example = "Sat 21 Nov 2026, 9:30 AM CST")]
    text: String,
}

/// A date and a time on the wall of a zone.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLocalTime)]
pub(super) struct LocalBody {
    #[schema(value_type = String, example = "2026-11-21")]
    date: LocalDate,
    /// A time that clocks skip is refused; of one that they show twice the first is meant.
    #[schema(value_type = String, example = "09:30")]
    time: LocalTime,
    /// The IANA zone.
    #[schema(example = "America/Chicago")]
    zone: String,
}

impl LocalMoment {
    pub(super) fn of(at: Timestamp, zone: &Zone) -> Self {
        let local = zone.local(at);
        Self {
            date: local.date.to_string(),
            time: local.time.to_string(),
            zone: zone.name().to_owned(),
            text: local_time(at, zone.name()),
        }
    }

    /// The same for a zone that was checked before it was stored.
    pub(super) fn in_zone(at: Timestamp, zone: &str) -> Option<Self> {
        Zone::parse(zone).ok().map(|zone| Self::of(at, &zone))
    }
}

impl LocalBody {
    pub(super) fn zone(&self) -> &str {
        &self.zone
    }
}

/// The moment that a body means, by `startsAt` or by `local`.
pub(super) fn moment_of(starts_at: Option<&str>, local: Option<&LocalBody>) -> Result<Timestamp, Problem> {
    match (starts_at, local) {
        (Some(text), None) => moment_in("startsAt", text),
        (None, Some(local)) => {
            let zone = practice_body::zone(&local.zone)?;
            Ok(zone.moment(local.date, local.time).map_err(Error::from)?)
        }
        _ => Err(Problem::invalid(
            "time_invalid",
            "Nothing was changed. Say when: either `startsAt` as 2026-11-21T09:30:00Z, or `local` with date, time and zone.",
        )),
    }
}

/// A moment in a query.
pub(super) fn moment_of_query(parameter: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    Timestamp::parse_rfc3339(text).map(Some).map_err(|_| {
        let detail = format!(
            "Nothing was read. `{parameter}` is not a time such as 2026-11-21T09:30:00Z (write `+` as `%2B` in a URL)."
        );
        Problem::invalid("time_invalid", detail)
    })
}

/// The moments between which a day lies in a zone. A midnight that clocks skip is the first moment after it.
pub(super) fn day_of(date: &str, zone: &Zone) -> Result<(Timestamp, Timestamp), Problem> {
    let day = LocalDate::parse(date).map_err(|_| {
        Problem::invalid("query_invalid", "Nothing was read. `day` is not a day such as 2026-11-21.")
    })?;
    let begins = |day: LocalDate| zone.resolve(day, LocalTime::START).first();
    Ok((begins(day), begins(day.tomorrow())))
}
