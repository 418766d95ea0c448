//! Lists in pages: `?cursor=` and `?limit=`, answered with `items` and `next`.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use suture_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::problem::Problem;

/// Where a list begins and how much of it is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next` of the page before; absent for the first page.
    pub(crate) cursor: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u16>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required = true)]
    pub(crate) next: Option<String>,
}

impl PageQuery {
    /// How many items are on a page.
    fn size(&self) -> u16 {
        self.limit.unwrap_or(50).clamp(1, 200)
    }

    /// How many to ask the engine for: one more than fits, which tells whether there is a next page.
    pub(crate) fn ask(&self) -> i64 {
        i64::from(self.size()) + 1
    }

    /// The same for a list in memory.
    pub(crate) fn room(&self) -> usize {
        usize::from(self.size()) + 1
    }

    /// The cursor as an id, or where such a list begins.
    pub(crate) fn id_or(&self, beginning: &str) -> String {
        self.cursor.clone().unwrap_or_else(|| beginning.to_owned())
    }

    /// The cursor as a number of a newest-first list.
    pub(crate) fn number(&self) -> Result<i64, Problem> {
        let Some(cursor) = &self.cursor else { return Ok(i64::MAX) };
        cursor.parse().map_err(|_| {
            Problem::invalid(
                "cursor_invalid",
                "Nothing was read. The cursor is not one that a page of this list gave.",
            )
        })
    }

    /// Makes the page out of what was found.
    pub(crate) fn page<T, U>(
        &self,
        mut found: Vec<T>,
        cursor: impl Fn(&T) -> String,
        body: impl Fn(T) -> U,
    ) -> Page<U> {
        let size = usize::from(self.size());
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(cursor);
        Page { items: found.into_iter().map(body).collect(), next }
    }
}

/// The query of a request, refused with a problem that names what is wrong.
pub(crate) struct Asked<Q>(pub(crate) Q);

impl<Q: DeserializeOwned> FromRequestParts<App> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Query::<Q>::try_from_uri(&parts.uri).map(|Query(query)| Self(query)).map_err(|rejection| {
            // The reason names the parameter and not its value.
            let reason = std::error::Error::source(&rejection).map(ToString::to_string).unwrap_or_default();
            Problem::invalid(
                "query_invalid",
                format!("Nothing was read. The query is not as documented: {reason}."),
            )
        })
    }
}

/// A moment from a query, or now.
pub(crate) fn moment(text: Option<&str>, now: Timestamp) -> Result<Timestamp, Problem> {
    let Some(text) = text else { return Ok(now) };
    Timestamp::parse_rfc3339(text).map_err(|_| {
        Problem::invalid(
            "time_invalid",
            "Nothing was read. `at` is not a time such as 2026-11-21T09:30:00Z (write `+` as `%2B` in a URL).",
        )
    })
}
