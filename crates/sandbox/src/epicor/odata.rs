//! Entity sets: reading, adding, changing and deleting rows (EPICOR.md §3 and §4).
//!
//! Called by `world`. What must stay true: a POST with lines is one transaction; PATCH and DELETE answer 204.

use serde_json::{Map, Value};

use super::books::Books;
use super::cell::{Cell, push_text};
use super::filter::{kind_of, quoted};
use super::query::Query;
use super::refusal::Refusal;
use super::row::{Key, Row};
use super::schema::{Id, Table};
use super::sent::{self, Manner};
use crate::wire::{Request, Response};

/// An entity set, and perhaps a key, that a request is for.
pub(super) struct Target<'a> {
    pub(super) id: Id,
    pub(super) context: String,
    pub(super) key: Option<&'a str>,
}

/// Answers a request for an entity set.
pub(super) fn serve(books: &mut Books, request: &Request, target: &Target<'_>) -> Result<Response, Refusal> {
    match (request.method.as_str(), target.key) {
        ("GET", None) => list(books, request, target),
        ("GET", Some(key)) => show(books, request, target, key),
        ("POST", None) => add(books, request, target),
        ("PATCH", Some(key)) => {
            let key = parse_key(books, target.id, key)?;
            let object = object(&request.body)?;
            books.transact(|books| {
                sent::check_version(&object, books.find(target.id, &key)?.number("SysRevID"))?;
                let fields = sent::fields(books, target.id, &object, Manner::Strict)?;
                books.change(target.id, &key, &fields)
            })?;
            Ok(Response::empty(204))
        }
        ("DELETE", Some(key)) => {
            let key = parse_key(books, target.id, key)?;
            books.transact(|books| books.delete(target.id, &key))?;
            Ok(Response::empty(204))
        }
        _ => Err(Refusal::unknown(format!("The method {} is not allowed here.", request.method))),
    }
}

/// The JSON object of a body.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refusal::odata("The body is not a JSON object.")),
    }
}

/// An answer of JSON text.
pub(super) fn json(status: u16, body: String) -> Response {
    Response::empty(status)
        .with_header("content-type", "application/json; odata.metadata=minimal")
        .with_body(body)
}

fn list(books: &Books, request: &Request, target: &Target<'_>) -> Result<Response, Refusal> {
    let table = target.id.table();
    let query = Query::parse(request, table, &|name| Some(name.to_owned()))?;
    check_expand(table, &query.expand)?;
    let page = query.run(&books.store, target.id);
    let mut out = String::with_capacity(1_024 * (page.rows.len() + 1));
    out.push_str("{\"@odata.context\":");
    push_text(&mut out, &target.context);
    if query.count {
        out.push_str(&format!(",\"@odata.count\":{}", page.count));
    }
    out.push_str(",\"value\":[");
    for (at, row) in page.rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push('{');
        row.write_fields(&mut out, query.select.as_deref());
        write_children(books, target.id, row, &query.expand, &mut out);
        out.push('}');
    }
    out.push_str("]}");
    Ok(json(200, out))
}

fn show(books: &Books, request: &Request, target: &Target<'_>, key: &str) -> Result<Response, Refusal> {
    let query = Query::parse(request, target.id.table(), &|name| Some(name.to_owned()))?;
    check_expand(target.id.table(), &query.expand)?;
    let key = parse_key(books, target.id, key)?;
    let row = books.find(target.id, &key)?;
    Ok(json(200, single(books, target, row, &query)))
}

fn single(books: &Books, target: &Target<'_>, row: &Row, query: &Query) -> String {
    let mut out = String::with_capacity(2_048);
    out.push_str("{\"@odata.context\":");
    push_text(&mut out, &format!("{}/$entity", target.context));
    out.push(',');
    row.write_fields(&mut out, query.select.as_deref());
    write_children(books, target.id, row, &query.expand, &mut out);
    out.push('}');
    out
}

fn check_expand(table: &Table, expand: &[String]) -> Result<(), Refusal> {
    for path in expand {
        let mut at = table;
        for name in path.split('/') {
            let child = at.children.iter().find(|(set, _)| *set == name);
            let (_, id) = child.ok_or_else(|| {
                Refusal::odata(format!(
                    "Could not find a property named '{name}' on type 'Erp.Tablesets.{}'.",
                    at.name
                ))
            })?;
            at = id.table();
        }
    }
    Ok(())
}

fn write_children(books: &Books, id: Id, row: &Row, expand: &[String], out: &mut String) {
    for (set, child) in id.table().children {
        if !expand.iter().any(|path| path == set) {
            continue;
        }
        let prefix = format!("{set}/");
        let inner: Vec<String> =
            expand.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect();
        out.push(',');
        push_text(out, set);
        out.push_str(":[");
        for (at, line) in children(books, id, row, *child).into_iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push('{');
            line.write_fields(out, None);
            write_children(books, *child, line, &inner, out);
            out.push('}');
        }
        out.push(']');
    }
}

/// Child rows of a row: those that share its key. The index of the rarest part of the key finds them.
pub(super) fn children<'a>(books: &'a Books, id: Id, row: &Row, child: Id) -> Vec<&'a Row> {
    let keys = id.table().own_keys();
    let parts = keys.iter().filter_map(|name| Some((*name, row.cell(name)?)));
    let rarest = parts.min_by_key(|(name, value)| books.store.count_with(child, name, value));
    let Some((name, value)) = rarest else { return Vec::new() };
    let shared = |line: &&Row| keys.iter().all(|name| line.cell(name) == row.cell(name));
    books.store.with(child, name, value).filter(shared).collect()
}

fn add(books: &mut Books, request: &Request, target: &Target<'_>) -> Result<Response, Refusal> {
    let object = object(&request.body)?;
    let key = books.transact(|books| insert(books, target.id, &object, Manner::Strict))?;
    let row = books.find(target.id, &key)?;
    let mut query = Query::of(None, 0, 0);
    query.expand = target.id.table().children.iter().map(|(set, _)| (*set).to_owned()).collect();
    query.expand.retain(|set| object.contains_key(set));
    Ok(json(201, single(books, target, row, &query)))
}

/// Adds a row and the children that were sent inside it.
pub(super) fn insert(
    books: &mut Books,
    id: Id,
    object: &Map<String, Value>,
    manner: Manner,
) -> Result<Key, Refusal> {
    let fields = sent::fields(books, id, object, manner)?;
    let key = books.create(id, &fields)?;
    for (set, child) in id.table().children {
        let Some(lines) = object.get(*set).and_then(Value::as_array) else { continue };
        for line in lines {
            let line =
                line.as_object().ok_or_else(|| Refusal::odata(format!("'{set}' holds no objects.")))?;
            let mut line = line.clone();
            for (name, cell) in id.table().keys.iter().zip(&key) {
                line.insert((*name).to_owned(), value_of(cell));
            }
            insert(books, *child, &line, manner)?;
        }
    }
    Ok(key)
}

/// A cell as a JSON value, for keys: never a decimal.
pub(super) fn value_of(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) | Cell::Moment(text) => Value::from(text.as_str()),
        Cell::Whole(number) | Cell::Decimal(number) => Value::from(*number),
        Cell::Flag(flag) => Value::from(*flag),
    }
}

/// Reads `'EPIC06',5` or `Company='EPIC06',CustNum=5`. The company must be that of the call.
fn parse_key(books: &Books, id: Id, text: &str) -> Result<Key, Refusal> {
    let table = id.table();
    let unfit = || Refusal::odata(format!("The key of {} is {}.", table.name, table.keys.join(",")));
    let mut rest = text.trim();
    let mut key = Key::new();
    for name in table.keys {
        if !key.is_empty() {
            rest = rest.strip_prefix(',').ok_or_else(unfit)?.trim_start();
        }
        rest = rest.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(rest);
        let (value, taken) = if rest.starts_with('\'') {
            let (value, taken) = quoted(rest, '\'').ok_or_else(unfit)?;
            (Value::from(value), taken)
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let number: i64 = rest.get(..end).and_then(|text| text.trim().parse().ok()).ok_or_else(unfit)?;
            (Value::from(number), end)
        };
        let kind = kind_of(table, name).ok_or_else(unfit)?;
        key.push(Cell::parse(kind, &value).ok_or_else(unfit)?);
        rest = rest.get(taken..).unwrap_or_default();
    }
    if !rest.is_empty() {
        return Err(unfit());
    }
    if key.first() != Some(&Cell::from(books.company.as_str())) {
        return Err(Refusal::missing("Record not found.").at(table.name, "Company"));
    }
    Ok(key)
}
