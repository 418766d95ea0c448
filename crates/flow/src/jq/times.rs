//! Dates inside expressions. No clock: every moment comes from the event or a lookup.
//!
//! A moment is RFC 3339 text or an integer of whole seconds since 1970 (as gateways send). Time zones come from the IANA
//! database that is compiled in, never from the machine, so every node formats a date alike.

use std::sync::LazyLock;

use jaq_json::{Num, Val};
use jiff::tz::TimeZoneDatabase;
use suture_core::time::Timestamp;

use super::value::text_of;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Longest format text of [`date_format`].
const FORMAT_MAX: usize = 100;

/// A value as a moment.
pub(crate) fn moment(value: &Val) -> Result<Timestamp, String> {
    let not_a_moment = || "expected RFC 3339 text or whole seconds since 1970".to_owned();
    match value {
        Val::Num(Num::Int(seconds)) => {
            let seconds = i64::try_from(*seconds).map_err(|_| not_a_moment())?;
            let moment = Timestamp::from_seconds(seconds);
            jiff::Timestamp::from_millisecond(moment.millis()).map_err(|_| not_a_moment())?;
            Ok(moment)
        }
        Val::TStr(_) => {
            let text = text_of(value).ok_or_else(not_a_moment)?;
            Timestamp::parse_rfc3339(text).map_err(|_| not_a_moment())
        }
        _ => Err(not_a_moment()),
    }
}

/// A moment in a time zone, in a `strftime` format: `%Y-%m-%d %H:%M`.
pub(crate) fn date_format(value: &Val, zone: &str, format: &str) -> Result<String, String> {
    let moment = moment(value)?;
    let zone = ZONES
        .get(zone)
        .map_err(|_| format!("{zone:?} is not an IANA time zone, for example America/Chicago"))?;
    if format.len() > FORMAT_MAX {
        return Err(format!("the date format is longer than {FORMAT_MAX} bytes"));
    }
    let moment = jiff::Timestamp::from_millisecond(moment.millis())
        .map_err(|_| "the date is out of range".to_owned())?;
    jiff::fmt::strtime::format(format, &moment.to_zoned(zone))
        .map_err(|_| format!("{format:?} is not a date format, for example %Y-%m-%d %H:%M"))
}
