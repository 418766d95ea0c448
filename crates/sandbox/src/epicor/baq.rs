//! Queries (BAQs): flat rows of a table with the customer beside it, and all changes in the order of their making.
//!
//! Columns are named `Table_Column`, as the designer of queries names them. What must stay true: polling with
//! `SysRevID gt` the last one seen misses nothing and costs what changed.

use std::collections::BTreeMap;

use super::books::Books;
use super::cell::{Cell, push_text};
use super::odata::json;
use super::query::{PAGE, Query};
use super::refusal::Refusal;
use super::row::Row;
use super::schema::{ALL, Id};
use crate::wire::{Request, Response};

/// The query of changes over all tables.
const CHANGES: &str = "SutureChanges";

/// The queries that exist from the beginning.
pub(super) fn standard() -> BTreeMap<String, Id> {
    [
        ("SutureCustomers", Id::Customer),
        ("SutureParts", Id::Part),
        ("SutureOrders", Id::OrderHed),
        ("SutureOrderLines", Id::OrderDtl),
        ("SutureInvoices", Id::InvcHead),
        ("SutureReceipts", Id::CashHead),
        ("SutureAllocations", Id::CashDtl),
    ]
    .map(|(name, id)| (name.to_owned(), id))
    .into()
}

/// Answers `BaqSvc/{id}/Data`.
pub(super) fn serve(
    books: &Books,
    baqs: &BTreeMap<String, Id>,
    request: &Request,
    name: &str,
) -> Result<Response, Refusal> {
    if request.method != "GET" {
        return Err(Refusal::unknown("Only GET is allowed here."));
    }
    if name == CHANGES {
        return changes(books, request);
    }
    let id = *baqs.get(name).ok_or_else(|| Refusal::unknown(format!("Query '{name}' does not exist.")))?;
    let table = id.table();
    let prefix = format!("{}_", table.name);
    let query = Query::parse(request, table, &|name| name.strip_prefix(&prefix).map(str::to_owned))?;
    let page = query.run(&books.store, id);
    let mut out = String::from("{\"@odata.context\":\"BaqSvc\",\"value\":[");
    for (at, row) in page.rows.iter().enumerate() {
        out.push_str(if at > 0 { ",{" } else { "{" });
        write(books, row, &prefix, query.select.as_deref(), &mut out);
        out.push('}');
    }
    out.push_str("]}");
    Ok(json(200, out))
}

fn write(books: &Books, row: &Row, prefix: &str, select: Option<&[String]>, out: &mut String) {
    push_text(out, "RowIdent");
    out.push(':');
    push_text(out, row.text("SysRowID"));
    for (name, cell) in row.cells() {
        if select.is_some_and(|select| !select.iter().any(|wanted| wanted == name)) {
            continue;
        }
        out.push(',');
        push_text(out, &format!("{prefix}{name}"));
        out.push(':');
        cell.write(out);
    }
    if select.is_some() || prefix == "Customer_" {
        return;
    }
    let customer = books.one(Id::Customer, row.number("CustNum"));
    for name in ["CustID", "Name"] {
        out.push(',');
        push_text(out, &format!("Customer_{name}"));
        out.push(':');
        push_text(out, customer.map_or("", |customer| customer.text(name)));
    }
}

/// Changes of all tables after `$filter=Calculated_SysRevID gt n`, oldest first.
fn changes(books: &Books, request: &Request) -> Result<Response, Refusal> {
    let after = match request.query_value("$filter") {
        None => 0,
        Some(text) => {
            let number = text.trim().strip_prefix("Calculated_SysRevID gt ");
            let number = number.and_then(|number| number.trim().parse().ok());
            number
                .ok_or_else(|| Refusal::odata("Changes are filtered by 'Calculated_SysRevID gt <number>'."))?
        }
    };
    let top = request.query_value("$top").map_or(Some(PAGE), |text| text.parse().ok());
    let top = top.ok_or_else(|| Refusal::odata("$top is no number."))?;
    let mut found: Vec<(i64, Id, &Row)> = Vec::new();
    for id in ALL {
        let rows = books.store.changed_after(id, after).take(top);
        found.extend(rows.map(|row| (row.number("SysRevID"), id, row)));
    }
    found.sort_by_key(|(revision, id, _)| (*revision, *id));
    let mut out = String::from("{\"@odata.context\":\"BaqSvc\",\"value\":[");
    for (at, (revision, id, row)) in found.into_iter().take(top).enumerate() {
        let key: Vec<String> = row.key(id.table()).iter().skip(1).map(key_text).collect();
        out.push_str(if at > 0 { ",{" } else { "{" });
        out.push_str(&format!(
            "\"Calculated_SysRevID\":{revision},\"Calculated_Table\":\"{}\"",
            id.table().name
        ));
        for (name, text) in [("Key", key.join("~").as_str()), ("SysRowID", row.text("SysRowID"))] {
            out.push_str(&format!(",\"Calculated_{name}\":"));
            push_text(&mut out, text);
        }
        out.push('}');
    }
    out.push_str("]}");
    Ok(json(200, out))
}

fn key_text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Moment(text) => text.clone(),
        Cell::Whole(number) | Cell::Decimal(number) => number.to_string(),
        Cell::Flag(flag) => flag.to_string(),
    }
}
