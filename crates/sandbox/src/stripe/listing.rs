//! Listings: reads `limit`, cursors and `created`, and writes the page (FACTS §j).

use super::object::{Answer, Snapshot};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::{Page, Row, Table, Tag};
use serde_json::Value;

/// The page that a call asks for.
///
/// # Errors
/// 400 when `limit` is outside 1 to 100, or both cursors are given.
pub(crate) fn page(params: &Params) -> Result<Page, Box<Refusal>> {
    let limit = params.integer("limit").unwrap_or(10);
    let limit = match usize::try_from(limit) {
        Ok(limit) if (1..=100).contains(&limit) => limit,
        _ if limit < 1 => return Err(Refusal::too_low("limit", 1)),
        _ => {
            return Err(Refusal::invalid("This value must be less than or equal to 100.")
                .code("parameter_invalid_integer")
                .param("limit"));
        }
    };
    if params.text("starting_after").is_some() && params.text("ending_before").is_some() {
        return Err(Refusal::invalid(
            "You may only specify one of these parameters: ending_before, starting_after.",
        )
        .code("parameters_exclusive"));
    }
    let (from, until) = bounds(params.get("created"));
    Ok(Page {
        limit,
        starting_after: params.text("starting_after").map(str::to_owned),
        ending_before: params.text("ending_before").map(str::to_owned),
        from,
        until,
    })
}

/// Reads `created` or `arrival_date`: a time, or `gt`, `gte`, `lt`, `lte`. Both bounds are inclusive.
pub(crate) fn bounds(value: Option<&Value>) -> (Option<i64>, Option<i64>) {
    let Some(value) = value else { return (None, None) };
    if let Some(exact) = value.as_i64() {
        return (Some(exact), Some(exact));
    }
    let bound = |name: &str| value.get(name).and_then(Value::as_i64);
    let from = [bound("gte"), bound("gt").map(|time| time.saturating_add(1))].into_iter().flatten().max();
    let until = [bound("lte"), bound("lt").map(|time| time.saturating_sub(1))].into_iter().flatten().min();
    (from, until)
}

/// One page of a table. `show` renders a row, or leaves it out.
///
/// # Errors
/// 400 for a bad page, or a cursor that names an unknown object.
pub(crate) fn page_of<T: Row>(
    table: &Table<T>,
    url: &str,
    params: &Params,
    tags: &[Tag<'_>],
    show: impl Fn(&T) -> Option<Value>,
) -> Answer {
    let page = page(params)?;
    let Some((rows, more)) = table.page(&page, tags, |row| show(row).is_some()) else {
        let (name, id) = match (&page.starting_after, &page.ending_before) {
            (Some(id), _) => ("starting_after", id.as_str()),
            (None, id) => ("ending_before", id.as_deref().unwrap_or_default()),
        };
        return Err(Refusal::missing_reference("object", id, name));
    };
    let shown: Vec<Value> = rows.iter().filter_map(|row| show(row)).collect();
    Ok(Snapshot::page(url, &shown, more))
}
