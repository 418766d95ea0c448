//! Methods that every business object has: new rows, reading, updating, deleting (EPICOR.md §3 and §4).

use serde_json::{Value, json};

use super::books::Books;
use super::cell::Cell;
use super::filter::{Filter, kind_of};
use super::query::{PAGE, Query};
use super::refusal::Refusal;
use super::row::{Key, Row};
use super::rpc::{Call, Known, Reply};
use super::schema::{Id, tables_of};
use super::tableset;

/// Carries out a method, if it is one of these.
pub(super) fn call(books: &mut Books, call: &Call<'_>) -> Known {
    let root = *tables_of(call.service).first()?;
    let method = call.method.strip_suffix("NoLock").unwrap_or(call.method);
    let known = match method {
        "GetByID" => get_by_id(books, call, root),
        "GetBySysRowID" => get_by_row_id(books, call, root),
        "GetRows" | "GetList" => get_rows(books, call, root),
        "Update" | "UpdateMaster" | "MasterUpdate" => update(books, call),
        "UpdateExt" => update_ext(books, call),
        "DeleteByID" | "DeleteMaster" => {
            key(books, call, root).and_then(|key| books.delete(root, &key)).map(|()| Reply::nothing())
        }
        _ => {
            let name = method.strip_prefix("GetNew")?;
            let mut tables = tables_of(call.service).into_iter();
            get_new(books, call, tables.find(|id| id.table().name == name)?)
        }
    };
    Some(known)
}

/// The argument for a key column: `OrderNum` is `orderNum`.
pub(super) fn argument(column: &str) -> String {
    let mut letters = column.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn cell(call: &Call<'_>, id: Id, column: &str) -> Result<Cell, Refusal> {
    let name = argument(column);
    match kind_of(id.table(), column) {
        Some(super::schema::Kind::Whole) => call.number(&name).map(Cell::Whole),
        _ => call.text(&name).map(Cell::from),
    }
}

fn key(books: &Books, call: &Call<'_>, id: Id) -> Result<Key, Refusal> {
    let mut key = books.key([]);
    for column in id.table().own_keys() {
        key.push(cell(call, id, column)?);
    }
    Ok(key)
}

fn get_by_id(books: &Books, call: &Call<'_>, root: Id) -> Result<Reply, Refusal> {
    let row = books.find(root, &key(books, call, root)?)?;
    Ok(Reply::of(tableset::render(books, call.service, root, &[row])))
}

fn get_by_row_id(books: &Books, call: &Call<'_>, root: Id) -> Result<Reply, Refusal> {
    let id = Cell::from(call.text("id")?.to_ascii_lowercase());
    let row = books.store.with(root, "SysRowID", &id).next();
    let row = row.ok_or_else(|| Refusal::missing("Record not found.").at(root.table().name, "SysRowID"))?;
    Ok(Reply::of(tableset::render(books, call.service, root, &[row])))
}

/// `GetRows` reads whole tablesets by `whereClause<Table>`, `GetList` reads heads by `whereClause`. Pages count from 1.
fn get_rows(books: &Books, call: &Call<'_>, root: Id) -> Result<Reply, Refusal> {
    let table = root.table();
    let is_list = call.method == "GetList";
    let name = if is_list { "whereClause".to_owned() } else { format!("whereClause{}", table.name) };
    let clause = call.text(&name)?.trim();
    let filter = match clause {
        "" => None,
        clause => Some(Filter::parse(clause, table, &|name| {
            let name = name.strip_prefix(table.name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
            Some(name.to_owned())
        })?),
    };
    let whole = |name: &str| call.number(name).map(|number| usize::try_from(number).unwrap_or(0));
    let (size, at) = (whole("pageSize")?, whole("absolutePage")?);
    let size = if size == 0 { PAGE } else { size };
    let page = Query::of(filter, at.saturating_sub(1).saturating_mul(size), size).run(&books.store, root);
    let more = page.count > at.max(1).saturating_mul(size);
    let object = if is_list {
        let rows: Vec<String> = page.rows.iter().map(|row| row.json()).collect();
        format!("{{\"{}List\":[{}]}}", table.name, rows.join(","))
    } else {
        tableset::render(books, call.service, root, &page.rows)
    };
    Ok(Reply::of(object).with("morePages", more.to_string()))
}

/// Adds a new row with its defaults to the tableset; nothing is stored.
fn get_new(books: &Books, call: &Call<'_>, id: Id) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let mut row = books.fresh(id);
    let columns = id.table().columns;
    // Keys that point to a parent are arguments; the row's own key is chosen or assigned later.
    let parents: &[&'static str] = match id {
        Id::ShipTo => &["CustNum"],
        Id::OrderDtl => &["OrderNum"],
        Id::InvcDtl => &["InvoiceNum"],
        Id::InvcHead | Id::CashHead | Id::GlJrnHed => &["GroupID"],
        Id::CashDtl => &["GroupID", "HeadNum", "InvoiceNum"],
        Id::GlJrnDtlMnl => &["JournalNum"],
        _ => &[],
    };
    for column in columns.iter().filter(|column| parents.contains(&column.name)) {
        row.set(column.name, cell(call, id, column.name)?);
    }
    tableset::push(&mut ds, id, tableset::value(&row, "A"));
    Ok(Reply::tableset(&ds))
}

/// Writes the tableset, all of it or nothing.
pub(super) fn update(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let written = tableset::write(books, call.service, &call.ds()?, false)?;
    Ok(Reply::nothing().with("ds", written.render(books, call.service)))
}

/// Writes the tableset without the steps of the screens. What went wrong is in the answer, which is 200 all the same.
fn update_ext(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let ds = call.ds()?;
    let goes_on = call.flag("continueProcessingOnError");
    let written = books.transact(|books| tableset::write(books, call.service, &ds, goes_on));
    let written = match written {
        Ok(written) => written,
        Err(refusal) => {
            let failed = tableset::Failed {
                id: *tables_of(call.service).first().unwrap_or(&Id::Customer),
                row_id: String::new(),
                refusal,
            };
            let failed = tableset::Written::of(failed);
            return Ok(Reply::of(failed.errors()).with("ds", ds.to_string()).with("errorsOccurred", "true"));
        }
    };
    let occurred = !written.failed.is_empty();
    Ok(Reply::of(written.errors())
        .with("ds", written.render(books, call.service))
        .with("errorsOccurred", occurred.to_string()))
}

/// Lays values over the edited rows of a table.
pub(super) fn edit(ds: &mut Value, id: Id, values: &[(&str, Value)]) {
    for row in tableset::edited(ds, id) {
        for (name, value) in values {
            row[*name] = value.clone();
        }
    }
}

/// An amount as JSON.
pub(super) fn amount(units: i64) -> Value {
    serde_json::from_str(&super::cell::decimal_text(units)).unwrap_or(Value::Null)
}

/// What a customer puts into a document.
pub(super) fn customer_fields(customer: &Row, id_column: &str) -> Vec<(String, Value)> {
    vec![
        ("CustNum".to_owned(), json!(customer.number("CustNum"))),
        (id_column.to_owned(), json!(customer.text("CustID"))),
    ]
}
