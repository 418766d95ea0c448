//! Bodies that several resources share, and how values of the core become JSON.

use serde::{Deserialize, Serialize};
use suture_core::currency::Currency;
use suture_core::money;
use suture_core::time::Timestamp;
use utoipa::ToSchema;

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
