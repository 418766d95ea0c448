//! Reading the JSON of a row that a client sends.
//!
//! What must stay true: names are case-sensitive, columns kept by the server are passed over, and a card number is
//! refused wherever it stands.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::books::Books;
use super::cell::Cell;
use super::filter::unknown_name;
use super::refusal::Refusal;
use super::row::{Fields, Name};
use super::schema::{Id, Kind, Table};
use super::store;

/// Fields that every row of a tableset may carry beside its columns.
const TABLESET_FIELDS: [&str; 3] = ["RowMod", "RowIdent", "BitFlag"];

/// How unknown names are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// OData: refused.
    Strict,
    /// Tablesets: passed over.
    Loose,
}

/// The columns that were sent for a row. Children of the table (arrays) are not fields.
pub(super) fn fields(
    books: &Books,
    id: Id,
    object: &Map<String, Value>,
    manner: Manner,
) -> Result<Fields, Refusal> {
    let table = id.table();
    let mut fields = Fields::new();
    for (name, value) in object {
        let is_child = table.children.iter().any(|(set, _)| set == name);
        if is_child || TABLESET_FIELDS.contains(&name.as_str()) || name.starts_with('@') {
            continue;
        }
        let Some((column, kind, kept)) = column(books, table, name) else {
            if manner == Manner::Strict {
                return Err(unknown_name(table, name));
            }
            continue;
        };
        let cell = read(table, name, kind, value)?;
        if name == "Company" {
            check_company(books, table, &cell)?;
        } else if !kept {
            fields.insert(column, cell);
        }
    }
    Ok(fields)
}

fn column(books: &Books, table: &Table, name: &str) -> Option<(Name, Kind, bool)> {
    if let Some(column) = table.column(name) {
        return Some((Cow::Borrowed(column.name), column.kind, column.kept));
    }
    let known = store::is_user(name) && books.settings.user_columns.contains(&(table.id, name.to_owned()));
    known.then(|| (Cow::Owned(name.to_owned()), Kind::Text(1_000), false))
}

fn read(table: &Table, name: &str, kind: Kind, value: &Value) -> Result<Cell, Refusal> {
    let unfit = || {
        Refusal::odata(format!("Cannot convert the value of '{name}' to the type of the property."))
            .at(table.name, name)
    };
    let cell = Cell::parse(kind, value).ok_or_else(unfit)?;
    if let (Kind::Text(most), Cell::Text(text)) = (kind, &cell) {
        if text.chars().count() > most {
            return Err(
                Refusal::business(format!("{name} has more than {most} characters.")).at(table.name, name)
            );
        }
        if holds_card_number(text) {
            return Err(Refusal::business(format!("{name} may not hold a card number.")).at(table.name, name));
        }
    }
    if let (Kind::Money, Cell::Decimal(units)) = (kind, &cell)
        && units % super::cell::CENT != 0
    {
        return Err(Refusal::business(format!("{name} has more than two decimals.")).at(table.name, name));
    }
    Ok(cell)
}

fn check_company(books: &Books, table: &Table, cell: &Cell) -> Result<(), Refusal> {
    match cell {
        Cell::Text(company) if company.is_empty() || *company == books.company => Ok(()),
        _ => Err(Refusal::business(format!("Company must be {}.", books.company)).at(table.name, "Company")),
    }
}

/// Whether a text holds thirteen to nineteen digits, perhaps in groups, that end in the right check digit.
fn holds_card_number(text: &str) -> bool {
    let mut digits: Vec<u32> = Vec::new();
    let mut found = false;
    for letter in text.chars().chain(['.']) {
        match letter.to_digit(10) {
            Some(digit) => digits.push(digit),
            None if matches!(letter, ' ' | '-') && !digits.is_empty() => {}
            None => {
                found |= is_card_number(&digits);
                digits.clear();
            }
        }
    }
    found
}

fn is_card_number(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    // Issuers' numbers begin with 2 to 6; numbers of documents padded with zeros do not count.
    let issued = matches!(digits.first(), Some(2..=6));
    issued && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// The row version that was sent, when it is not the present one.
pub(super) fn check_version(object: &Map<String, Value>, present: i64) -> Result<(), Refusal> {
    let sent = object.get("SysRevID").and_then(Value::as_i64).filter(|sent| *sent != 0);
    if sent.is_none_or(|sent| sent == present) {
        return Ok(());
    }
    Err(Refusal::business("Row has been modified by another user and couldn't be updated."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_found_in_groups_and_in_sentences() {
        for text in ["4242424242424242", "card 4242 4242 4242 4242.", "5555-5555-5555-4444 exp 12/30"] {
            assert!(holds_card_number(text), "{text}");
        }
        for text in ["4242424242424241", "visa 4242", "pay_01j9zq", "0000000000000000", "2026-03-01 10:00"] {
            assert!(!holds_card_number(text), "{text}");
        }
    }
}
