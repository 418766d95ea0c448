//! Control verbs about records: what people do in Epicor's screens, set-up of a company, and questions of a judge.
//!
//! Called by `control`. What must stay true: each verb is one transaction.
//!
//! | verb | body | effect |
//! | --- | --- | --- |
//! | `ship` | `order`, `lines`: `[{line, quantity}]`, `post` | ships all or the lines; the invoice is posted unless `post` is false |
//! | `create`, `change`, `delete` | `table`, `fields`; `key` | a row by hand, under the rules of the screens |
//! | `close_period`, `open_period` | `year`, `period` | a fiscal period, which is a calendar month |
//! | `post_cash`, `post_invoices`, `post_journals` | `group` | posts a group |
//! | `reverse_receipt` | `group`, `head`, `reason` | enters a reversal into a group |
//! | `unique` | `table`, `column`, `on` | 409 for a second row with the same value |
//! | `user_column` | `table`, `column` | a user-defined column; the name ends with `_c` |
//! | `bank`, `plant` | `name` | a bank account; a site |
//! | `tax` | `category`, `rate` | a tax category; `0.0725` is 7.25 % |
//! | `post_delay` | `milliseconds` | how long a submitted posting takes |
//! | `trial_balance` | – | receivables by customer, and the account in the ledger |
//! | `documents` | `table` | all rows of one table, or of all |

use serde_json::{Value, json};

use super::books::Books;
use super::cell;
use super::control::{done, flag, number, refusal, text};
use super::journal;
use super::judge;
use super::odata;
use super::post;
use super::refusal::Refusal;
use super::row::Key;
use super::schema::Id;
use super::sent::{self, Manner};
use super::ship;

/// Executes one verb in one company.
pub(super) fn turn(books: &mut Books, verb: &str, body: &Value) -> Result<Value, String> {
    match verb {
        "ship" => ship_order(books, body),
        "create" | "change" | "delete" => by_hand(books, verb, body),
        "close_period" | "open_period" => {
            let period = (number(body, "year")?, number(body, "period")?);
            if verb == "close_period" {
                books.settings.closed.insert(period);
            } else {
                books.settings.closed.remove(&period);
            }
            done()
        }
        "post_cash" | "post_invoices" | "post_journals" => {
            let group = text(body, "group")?;
            let posted = books.transact(|books| match verb {
                "post_cash" => post::cash(books, group),
                "post_invoices" => post::invoices(books, group),
                _ => journal::post(books, group),
            });
            said(posted.map(|()| json!({})))
        }
        "reverse_receipt" => {
            let (group, head) = (text(body, "group")?, number(body, "head")?);
            let reason = body["reason"].as_str().unwrap_or_default();
            let row = books.transact(|books| post::reverse(books, group, head, reason));
            said(row.map(|row| json!({ "head": row.number("HeadNum") })))
        }
        "trial_balance" => Ok(judge::trial_balance(books)),
        "documents" => match body["table"].as_str() {
            None => Ok(judge::documents(books)),
            Some(name) => {
                let id = Id::named(name).ok_or_else(|| refusal("table", "the name of a table"))?;
                Ok(judge::rows(books, id))
            }
        },
        _ => turn_settings(books, verb, body),
    }
}

fn said(outcome: Result<Value, Refusal>) -> Result<Value, String> {
    outcome.map_err(|refusal| refusal.message)
}

fn turn_settings(books: &mut Books, verb: &str, body: &Value) -> Result<Value, String> {
    let settings = &mut books.settings;
    match verb {
        "unique" => {
            let (id, column) = (table(body)?, text(body, "column")?.to_owned());
            if body["on"].as_bool().unwrap_or(true) {
                settings.unique.insert((id, column));
            } else {
                settings.unique.remove(&(id, column));
            }
        }
        "user_column" => {
            let column = text(body, "column")?;
            if !super::store::is_user(column) {
                return Err(refusal("column", "a name that ends with _c"));
            }
            settings.user_columns.insert((table(body)?, column.to_owned()));
        }
        "bank" => {
            settings.banks.insert(text(body, "name")?.to_owned());
        }
        "plant" => {
            settings.plants.insert(text(body, "name")?.to_owned());
        }
        "tax" => {
            let rate = cell::decimal(text(body, "rate")?).filter(|rate| *rate >= 0);
            let rate = rate.ok_or(refusal("rate", "a decimal text like 0.0725"))?;
            settings.tax_rates.insert(text(body, "category")?.to_owned(), rate);
        }
        "post_delay" => settings.post_delay_ms = number(body, "milliseconds")?.max(0),
        _ => return Err(format!("there is no verb `{verb}`; nothing was changed")),
    }
    done()
}

fn table(body: &Value) -> Result<Id, String> {
    Id::named(text(body, "table")?).ok_or_else(|| refusal("table", "the name of a table"))
}

fn ship_order(books: &mut Books, body: &Value) -> Result<Value, String> {
    let order = number(body, "order")?;
    let mut portions = Vec::new();
    for line in body["lines"].as_array().into_iter().flatten() {
        let quantity = match &line["quantity"] {
            Value::Null => None,
            Value::String(text) => Some(cell::decimal(text).ok_or(refusal("quantity", "a decimal"))?),
            other => Some(cell::decimal(&other.to_string()).ok_or(refusal("quantity", "a decimal"))?),
        };
        portions.push((number(line, "line")?, quantity));
    }
    let posts = if body["post"].is_null() { true } else { flag(body, "post")? };
    let invoice = books.transact(|books| ship::ship(books, order, &portions, posts));
    said(invoice.map(|invoice| json!({ "invoice": invoice })))
}

/// A row by hand; the key is a list of its own parts, without the company.
fn by_hand(books: &mut Books, verb: &str, body: &Value) -> Result<Value, String> {
    let id = table(body)?;
    let empty = serde_json::Map::new();
    let fields = body["fields"].as_object().unwrap_or(&empty);
    if verb == "create" {
        let key = books.transact(|books| odata::insert(books, id, fields, Manner::Strict));
        return said(key.map(|key| json!({ "key": key.iter().map(odata::value_of).collect::<Vec<_>>() })));
    }
    let mut key: Key = books.key([]);
    for (name, value) in id.table().own_keys().iter().zip(body["key"].as_array().into_iter().flatten()) {
        let cell = super::filter::kind_of(id.table(), name).and_then(|kind| cell::Cell::parse(kind, value));
        key.push(cell.ok_or_else(|| refusal("key", "the parts of the key"))?);
    }
    let outcome = books.transact(|books| {
        if verb == "delete" {
            return books.delete(id, &key);
        }
        let fields = sent::fields(books, id, fields, Manner::Strict)?;
        books.change(id, &key, &fields)
    });
    said(outcome.map(|()| json!({})))
}
