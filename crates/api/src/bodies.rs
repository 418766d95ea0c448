//! Bodies that several resources share, and how values of the core become JSON.

use serde::{Deserialize, Deserializer, Serialize};
use suture_core::currency::Currency;
use suture_core::id::NotAnId;
use suture_core::money;
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// An amount in the smallest unit of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Money {
    /// The amount in minor units: cents for USD, yen for JPY.
    #[schema(example = 12000)]
    pub(crate) minor: i64,
    /// The ISO 4217 code.
    #[schema(example = "USD")]
    pub(crate) currency: String,
}

impl From<money::Money> for Money {
    fn from(amount: money::Money) -> Self {
        Self { minor: amount.minor, currency: amount.currency.code().to_owned() }
    }
}

impl TryFrom<Money> for money::Money {
    type Error = Problem;

    fn try_from(body: Money) -> Result<Self, Problem> {
        let currency = Currency::parse(&body.currency).map_err(|unknown| {
            Problem::invalid("currency_unknown", format!("Nothing was changed: {unknown}."))
        })?;
        Ok(Self::new(body.minor, currency))
    }
}

/// A moment as text.
pub(crate) fn time(at: Timestamp) -> String {
    at.to_rfc3339()
}

/// The JSON word of a plain enum of the core.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().map(ToOwned::to_owned).unwrap_or_default()
}

/// Personal data in a request. It prints as `***`, is never part of an answer, and a problem does not quote it.
#[derive(Debug, Clone)]
pub(crate) struct Personal(Phi<String>);

impl Personal {
    pub(crate) fn into_inner(self) -> Phi<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Personal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A reader of texts would quote a number that stands in the wrong place.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Ok(Self(Phi::new(text))),
            _ => Err(serde::de::Error::custom("a personal field is not a text")),
        }
    }
}

/// Names the words of an enum of the core for the document. A new word does not compile until it is listed.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $core:ty { $($word:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($word),* }
        impl From<$core> for $name {
            fn from(word: $core) -> Self { match word { $(<$core>::$word => Self::$word),* } }
        }
        impl From<$name> for $core {
            fn from(word: $name) -> Self { match word { $($name::$word => <$core>::$word),* } }
        }
    };
}
pub(crate) use words;

/// Why somebody looks, for the access log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PurposeQuery {
    /// Why, as a code such as `check_in`, for the access log; `api` when absent.
    purpose: Option<String>,
}

impl PurposeQuery {
    /// The purpose as a code.
    pub(crate) fn code(&self) -> Result<String, Problem> {
        purpose(self.purpose.as_deref())
    }
}

/// A purpose from a query, as a code.
pub(crate) fn purpose(given: Option<&str>) -> Result<String, Problem> {
    let Some(given) = given else { return Ok("api".to_owned()) };
    let code = suture_core::explain::Reason::parse(given).map_err(|_| {
        Problem::invalid(
            "query_invalid",
            "Nothing was read. `purpose` is a code of 1 to 64 letters, digits or underscores.",
        )
    })?;
    Ok(code.as_str().to_owned())
}

/// The thing that a path names. What is no id names nothing.
pub(crate) fn in_path<T>(
    parse: impl Fn(&str) -> Result<T, NotAnId>,
    text: &str,
    what: &str,
) -> Result<T, Problem> {
    parse(text).map_err(|_| Problem::not_found(what))
}

/// The id in a field of a body. The problem names the field and the form, not what was given.
pub(crate) fn in_field<T>(
    parse: impl Fn(&str) -> Result<T, NotAnId>,
    text: &str,
    field: &str,
) -> Result<T, Problem> {
    parse(text).map_err(|wrong| {
        let detail = format!(
            "Nothing was changed. `{field}` is not an id of the form {}_ followed by 32 hexadecimal digits.",
            wrong.prefix
        );
        Problem::invalid("id_invalid", detail)
    })
}

/// The id in a query, when there is one.
pub(crate) fn in_query<T>(
    parse: impl Fn(&str) -> Result<T, NotAnId>,
    text: Option<&str>,
    parameter: &str,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    parse(text).map(Some).map_err(|wrong| {
        let detail = format!(
            "Nothing was read. `{parameter}` is not an id of the form {}_ followed by 32 hexadecimal digits.",
            wrong.prefix
        );
        Problem::invalid("query_invalid", detail)
    })
}

/// A short text of one line. The problem names the field, not what was given.
pub(crate) fn short(field: &str, text: String) -> Result<String, Problem> {
    let right = (1..=100).contains(&text.chars().count())
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control);
    if right {
        return Ok(text);
    }
    Err(field_invalid(field, "is one line of 1 to 100 characters"))
}

/// An id of another system: opaque, so that no name can stand in its place.
pub(crate) fn opaque(field: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    match text {
        Some(text) if text.is_empty() || text.len() > 128 || !text.bytes().all(plain) => {
            let detail = format!(
                "Nothing was changed. `{field}` is an opaque id: 1 to 128 letters, digits, '-', '.' or '_'. Names do not \
                 belong there."
            );
            Err(Problem::invalid("not_an_opaque_id", detail))
        }
        other => Ok(other),
    }
}

/// A moment in a field of a body.
pub(crate) fn moment_in(field: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse_rfc3339(text).map_err(|_| field_invalid(field, "is a time such as 2026-11-21T09:30:00Z"))
}

/// A field with a value that is not allowed.
pub(crate) fn field_invalid(field: &str, rule: &str) -> Problem {
    Problem::invalid("field_invalid", format!("Nothing was changed. `{field}` {rule}."))
}
