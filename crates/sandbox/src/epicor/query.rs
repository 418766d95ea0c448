//! Reading rows: `$filter`, `$select`, `$orderby`, `$top`, `$skip`, `$count` (EPICOR.md §3).
//!
//! Used by OData, BAQs and the methods that read. What must stay true: without `$top` at most a hundred rows come
//! back, and an indexed comparison is never answered by looking at all rows.

use std::cmp::Ordering;

use super::cell::Cell;
use super::filter::{Filter, Test, kind_of, unknown_name};
use super::refusal::Refusal;
use super::row::Row;
use super::schema::{Id, Table};
use super::store::Store;
use crate::wire::Request;

/// Rows of a page when nothing is said.
pub(super) const PAGE: usize = 100;

/// What is asked of a set of rows.
pub(super) struct Query {
    pub(super) filter: Option<Filter>,
    pub(super) select: Option<Vec<String>>,
    order: Vec<(String, bool)>,
    skip: usize,
    top: usize,
    pub(super) count: bool,
    pub(super) expand: Vec<String>,
}

/// A page of rows, and how many there are in all.
pub(super) struct Page<'a> {
    pub(super) rows: Vec<&'a Row>,
    pub(super) count: usize,
}

impl Query {
    /// Reads the options of a request; `name_of` turns names as they are written into names of columns.
    pub(super) fn parse(
        request: &Request,
        table: &Table,
        name_of: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Refusal> {
        let option = |name| request.query_value(name).filter(|text| !text.trim().is_empty());
        let named = |name: &str| {
            let name = name.trim();
            let known = name_of(name).filter(|known| kind_of(table, known).is_some());
            known.ok_or_else(|| unknown_name(table, name))
        };
        let filter = option("$filter").map(|text| Filter::parse(text, table, name_of)).transpose()?;
        let select = option("$select").filter(|text| text.trim() != "*");
        let select = select.map(|text| text.split(',').map(named).collect::<Result<_, _>>()).transpose()?;
        let mut order = Vec::new();
        for part in option("$orderby").into_iter().flat_map(|text| text.split(',')) {
            let (name, direction) = part.trim().split_once(' ').unwrap_or((part.trim(), "asc"));
            let falling = match direction.trim() {
                "asc" => false,
                "desc" => true,
                other => return Err(Refusal::odata(format!("'{other}' is no direction of $orderby."))),
            };
            order.push((named(name)?, falling));
        }
        let expand = option("$expand").map(split_expand).unwrap_or_default();
        Ok(Self {
            filter,
            select,
            order,
            skip: number(request, "$skip")?.unwrap_or(0),
            top: number(request, "$top")?.unwrap_or(PAGE),
            count: request.query_value("$count") == Some("true"),
            expand,
        })
    }

    /// A query with a condition only.
    pub(super) fn of(filter: Option<Filter>, skip: usize, top: usize) -> Self {
        Self { filter, select: None, order: Vec::new(), skip, top, count: false, expand: Vec::new() }
    }

    /// The page of rows that is asked for.
    pub(super) fn run<'a>(&self, store: &'a Store, id: Id) -> Page<'a> {
        let mut rows = self.matching(store, id);
        if !self.order.is_empty() {
            rows.sort_by(|one, other| self.compare(one, other));
        }
        let count = rows.len();
        Page { rows: rows.into_iter().skip(self.skip).take(self.top).collect(), count }
    }

    fn compare(&self, one: &Row, other: &Row) -> Ordering {
        for (name, falling) in &self.order {
            let order = one.cell(name).cmp(&other.cell(name));
            if order != Ordering::Equal {
                return if *falling { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }

    fn matching<'a>(&self, store: &'a Store, id: Id) -> Vec<&'a Row> {
        let Some(filter) = &self.filter else { return store.all(id).collect() };
        let mut fewest: Option<Vec<&Row>> = None;
        for (name, test, value) in filter.required() {
            let found = match (test, value) {
                (Test::Equal, value) => store.candidates(id, name, value),
                (Test::Greater, Cell::Whole(after)) if name == "SysRevID" => {
                    Some(store.changed_after(id, *after).collect())
                }
                (Test::GreaterOrEqual, Cell::Whole(from)) if name == "SysRevID" => {
                    Some(store.changed_after(id, from.saturating_sub(1)).collect())
                }
                _ => None,
            };
            if let Some(found) = found
                && fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len())
            {
                fewest = Some(found);
            }
        }
        match fewest {
            Some(rows) => rows.into_iter().filter(|row| filter.holds(row)).collect(),
            None => store.all(id).filter(|row| filter.holds(row)).collect(),
        }
    }
}

/// `A,B($expand=C)` as `A`, `B`, `B/C`; other options inside are refused later as unknown names.
fn split_expand(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut outer = String::new();
    for part in text.split(',') {
        let part = part.trim().trim_end_matches(')');
        match part.split_once("($expand=") {
            Some((parent, child)) => {
                parent.clone_into(&mut outer);
                names.push(parent.to_owned());
                names.push(format!("{outer}/{child}"));
            }
            None => names.push(part.to_owned()),
        }
    }
    names
}

fn number(request: &Request, name: &str) -> Result<Option<usize>, Refusal> {
    let Some(text) = request.query_value(name) else { return Ok(None) };
    let number = text.trim().parse().ok();
    number.map(Some).ok_or_else(|| Refusal::odata(format!("'{text}' is no value of {name}.")))
}
