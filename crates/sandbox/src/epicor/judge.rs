//! What a judge asks: receivables by customer, the ledger, and every document.
//!
//! What must stay true: the trial balance is added up from the documents, not from the ledger, so that the two can
//! be compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::books::Books;
use super::cell::decimal_text;
use super::ledger;
use super::schema::{ALL, Id};
use super::world::EpicorWorld;

#[derive(Default)]
struct Owed {
    invoices: i64,
    credits: i64,
    on_account: i64,
    unposted: i64,
}

/// Receivables by customer: open invoices, open credits, what is on account, and receipts that are not posted.
pub(super) fn trial_balance(books: &Books) -> Value {
    let mut by_customer: BTreeMap<i64, Owed> = BTreeMap::new();
    for invoice in books.store.all(Id::InvcHead).filter(|invoice| invoice.flag("Posted")) {
        let owed = by_customer.entry(invoice.number("CustNum")).or_default();
        let balance = invoice.number("InvoiceBal");
        if balance < 0 { owed.credits += balance } else { owed.invoices += balance }
    }
    for receipt in books.store.all(Id::CashHead).filter(|receipt| receipt.text("TranType") != "MisPay") {
        let owed = by_customer.entry(receipt.number("CustNum")).or_default();
        if !receipt.flag("Posted") {
            owed.unposted += receipt.number("TranAmt");
        } else if receipt.flag("OnAccount") {
            owed.on_account -= receipt.number("UnAppliedAmt");
        }
    }
    let mut total = 0;
    let customers: Vec<Value> = by_customer
        .iter()
        .map(|(number, owed)| {
            let balance = owed.invoices + owed.credits + owed.on_account;
            total += balance;
            json!({
                "cust_num": number,
                "cust_id": books.one(Id::Customer, *number).map(|row| row.text("CustID")),
                "invoices": decimal_text(owed.invoices),
                "credits": decimal_text(owed.credits),
                "on_account": decimal_text(owed.on_account),
                "balance": decimal_text(balance),
                "unposted_receipts": decimal_text(owed.unposted),
            })
        })
        .collect();
    json!({
        "customers": customers,
        "total": decimal_text(total),
        "ledger": decimal_text(ledger::balance(books, ledger::RECEIVABLES)),
        "revenue": decimal_text(ledger::balance(books, ledger::REVENUE)),
        "tax": decimal_text(ledger::balance(books, ledger::TAX)),
        "banks": books.settings.banks.iter()
            .map(|name| (name.clone(), decimal_text(ledger::balance(books, &ledger::bank(name)))))
            .collect::<BTreeMap<_, _>>(),
    })
}

/// All rows of one table, in the order of their keys.
pub(super) fn rows(books: &Books, id: Id) -> Value {
    let rows = books.store.all(id).filter_map(|row| serde_json::from_str::<Value>(&row.json()).ok());
    json!({ "table": id.table().name, "rows": rows.collect::<Vec<_>>() })
}

/// All rows of all tables.
pub(super) fn documents(books: &Books) -> Value {
    let tables = ALL.into_iter().map(|id| (id.table().name.to_owned(), rows(books, id)["rows"].clone()));
    Value::Object(tables.collect())
}

/// The state of the world in short.
pub(super) fn snapshot(world: &EpicorWorld) -> Value {
    let companies: serde_json::Map<String, Value> = world
        .companies
        .iter()
        .map(|(name, books)| {
            let counts: BTreeMap<&str, usize> =
                ALL.into_iter().map(|id| (id.table().name, books.store.count(id))).collect();
            let state = json!({
                "receivables": trial_balance(books),
                "counts": counts,
                "revision": books.store.revision(),
            });
            (name.clone(), state)
        })
        .collect();
    json!({
        "companies": companies,
        "calls": world.faults.calls(),
        "faults": world.faults.state(),
        "callbacks": world.hooks.state(),
    })
}
