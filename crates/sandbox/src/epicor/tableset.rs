//! Tablesets: the rows of a service as one JSON value, with RowMod saying what to do (EPICOR.md §4).
//!
//! What must stay true: only rows with a RowMod are written, in one transaction; an update of a row that somebody
//! else has changed since is refused.

use serde_json::{Map, Value, json};

use super::books::Books;
use super::cell::{Cell, push_text};
use super::filter::kind_of;
use super::odata::{children, value_of};
use super::refusal::Refusal;
use super::row::{Key, Row};
use super::schema::{Id, tables_of};
use super::sent::{self, Manner};

/// A row as JSON with its RowMod.
pub(super) fn value(row: &Row, modification: &str) -> Value {
    let mut value: Value = serde_json::from_str(&row.json()).unwrap_or(Value::Null);
    value["RowMod"] = Value::from(modification);
    value
}

/// Adds a row to a tableset.
pub(super) fn push(ds: &mut Value, id: Id, row: Value) {
    let name = id.table().name;
    match ds[name].as_array_mut() {
        Some(rows) => rows.push(row),
        None => ds[name] = json!([row]),
    }
}

/// The rows of a table that are being added or changed.
pub(super) fn edited(ds: &mut Value, id: Id) -> impl Iterator<Item = &mut Value> {
    let rows = ds[id.table().name].as_array_mut().into_iter().flatten();
    rows.filter(|row| matches!(row["RowMod"].as_str(), Some("A" | "U")))
}

/// The rows with everything below them, as the tableset of a service.
pub(super) fn render(books: &Books, service: &str, root: Id, rows: &[&Row]) -> String {
    let mut found: Vec<(Id, &Row)> = rows.iter().map(|row| (root, *row)).collect();
    let mut at = 0;
    while let Some((id, row)) = found.get(at).copied() {
        at += 1;
        for (_, child) in id.table().children {
            for line in children(books, id, row, *child) {
                if !found.iter().any(|(known, other)| known == child && std::ptr::eq(*other, line)) {
                    found.push((*child, line));
                }
            }
        }
    }
    let mut out = String::from("{");
    for (at, id) in tables_of(service).into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_text(&mut out, id.table().name);
        out.push_str(":[");
        for (at, (_, row)) in found.iter().filter(|(known, _)| *known == id).enumerate() {
            out.push_str(if at > 0 { ",{" } else { "{" });
            row.write_fields(&mut out, None);
            out.push_str(",\"RowMod\":\"\"}");
        }
        out.push(']');
    }
    out.push('}');
    out
}

/// A row that could not be written.
pub(super) struct Failed {
    pub(super) id: Id,
    pub(super) row_id: String,
    pub(super) refusal: Refusal,
}

/// What writing a tableset has done.
#[derive(Default)]
pub(super) struct Written {
    keys: Vec<(Id, Key)>,
    pub(super) failed: Vec<Failed>,
}

/// Writes the rows of a tableset, parents first. Either the first refusal ends it, or refusals are collected and each
/// row stands for itself.
pub(super) fn write(books: &mut Books, service: &str, ds: &Value, goes_on: bool) -> Result<Written, Refusal> {
    let mut written = Written::default();
    for id in tables_of(service) {
        for row in ds[id.table().name].as_array().into_iter().flatten() {
            let Some(object) = row.as_object() else { continue };
            let outcome = books.transact(|books| write_row(books, id, object, &written));
            match outcome {
                Ok(Some(key)) => written.keys.push((id, key)),
                Ok(None) => {}
                Err(refusal) if goes_on => {
                    let row_id = row["SysRowID"].as_str().unwrap_or_default().to_owned();
                    written.failed.push(Failed { id, row_id, refusal });
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }
    Ok(written)
}

fn write_row(
    books: &mut Books,
    id: Id,
    object: &Map<String, Value>,
    written: &Written,
) -> Result<Option<Key>, Refusal> {
    let modification = object.get("RowMod").and_then(Value::as_str).unwrap_or_default();
    match modification {
        "" => Ok(None),
        "A" => {
            let mut object = object.clone();
            take_parent(id, &mut object, written);
            let fields = sent::fields(books, id, &object, Manner::Loose)?;
            books.create(id, &fields).map(Some)
        }
        "U" | "D" => {
            let key = key_of(books, id, object)?;
            sent::check_version(object, books.find(id, &key)?.number("SysRevID"))?;
            if modification == "D" {
                books.delete(id, &key)?;
                return Ok(None);
            }
            let fields = changed(books, id, &key, object)?;
            books.change(id, &key, &fields)?;
            Ok(Some(key))
        }
        other => {
            Err(Refusal::business(format!("RowMod '{other}' is not valid.")).at(id.table().name, "RowMod"))
        }
    }
}

/// A tableset carries whole rows; only what differs from the stored row counts as sent.
fn changed(
    books: &Books,
    id: Id,
    key: &Key,
    object: &Map<String, Value>,
) -> Result<super::row::Fields, Refusal> {
    let mut fields = sent::fields(books, id, object, Manner::Loose)?;
    let row = books.find(id, key)?;
    fields.retain(|name, cell| row.cell(name) != Some(&*cell));
    Ok(fields)
}

/// A line whose parent was added in the same tableset has the number that the parent got.
fn take_parent(id: Id, object: &mut Map<String, Value>, written: &Written) {
    for (parent, key) in &written.keys {
        if !parent.table().children.iter().any(|(_, child)| *child == id) {
            continue;
        }
        for (name, cell) in parent.table().keys.iter().zip(key) {
            let is_open =
                object.get(*name).is_none_or(|value| value.is_null() || *value == 0 || *value == "");
            if is_open {
                object.insert((*name).to_owned(), value_of(cell));
            }
        }
    }
}

fn key_of(books: &Books, id: Id, object: &Map<String, Value>) -> Result<Key, Refusal> {
    let mut key = books.key([]);
    for name in id.table().own_keys() {
        let value = object.get(*name).unwrap_or(&Value::Null);
        let cell = kind_of(id.table(), name).and_then(|kind| Cell::parse(kind, value));
        key.push(
            cell.ok_or_else(|| Refusal::odata(format!("{name} is missing.")).at(id.table().name, name))?,
        );
    }
    Ok(key)
}

impl Written {
    /// Nothing was written, because of this.
    pub(super) fn of(failed: Failed) -> Self {
        Self { keys: Vec::new(), failed: vec![failed] }
    }

    /// The tableset as it is now: every row that was written, with everything below it, and what has to be sent again.
    pub(super) fn render(&self, books: &Books, service: &str) -> String {
        let Some((root, _)) = self.keys.first() else { return render(books, service, Id::Customer, &[]) };
        let of_root = self.keys.iter().filter(|(id, _)| id == root);
        let rows: Vec<&Row> = of_root.filter_map(|(id, key)| books.store.get(*id, key)).collect();
        render(books, service, *root, &rows)
    }

    /// The refusals as rows of `BOUpdError`.
    pub(super) fn errors(&self) -> String {
        let errors: Vec<Value> = self
            .failed
            .iter()
            .map(|failed| {
                json!({
                    "TableName": failed.id.table().name, "ErrorLevel": "Error", "ErrorType": failed.refusal.kind,
                    "ErrorText": failed.refusal.message, "ErrorSysRowID": failed.row_id,
                })
            })
            .collect();
        json!({ "BOUpdError": errors }).to_string()
    }
}
