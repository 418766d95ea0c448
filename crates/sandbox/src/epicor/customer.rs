//! Customers and their ship-to addresses (EPICOR.md §7).
//!
//! What must stay true: CustNum is assigned once, CustID is unique, and a customer with documents stays.

use super::books::{Books, required};
use super::cell::Cell;
use super::refusal::Refusal;
use super::row::{Key, Row};
use super::schema::Id;

/// What a new customer or address begins with.
pub(super) fn defaults(books: &Books, row: &mut Row) {
    if row.cell("CustID").is_none() {
        return;
    }
    row.set("CustomerType", "CUS");
    row.set("TermsCode", "N30");
    row.set("CurrencyCode", books.settings.currency.clone());
    row.set("CountryNum", 1);
    row.set("ValidPayer", true);
    row.set("ValidSoldTo", true);
    row.set("ValidShipTo", true);
    row.set_moment("EstDate", &books.today());
}

/// Adds a customer.
pub(super) fn create(books: &mut Books, mut row: Row) -> Result<Key, Refusal> {
    check(books, &row)?;
    check_free(books, &row)?;
    let number = books.next_number(Id::Customer, 1);
    row.set("CustNum", number);
    let key = books.enter(Id::Customer, row)?;
    books.tell("customer.created", Id::Customer, &key);
    Ok(key)
}

/// Changes a customer.
pub(super) fn change(books: &mut Books, before: &Row, row: Row) -> Result<(), Refusal> {
    check(books, &row)?;
    if row.text("CustID") != before.text("CustID") {
        check_free(books, &row)?;
    }
    let key = row.key(Id::Customer.table());
    books.keep(Id::Customer, row)?;
    books.tell("customer.changed", Id::Customer, &key);
    Ok(())
}

/// Deletes a customer without documents.
pub(super) fn delete(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    let number = Cell::Whole(row.number("CustNum"));
    let used = [Id::OrderHed, Id::InvcHead, Id::CashHead];
    if used.into_iter().any(|id| books.store.with(id, "CustNum", &number).next().is_some()) {
        return Err(Refusal::business("Customer cannot be deleted: it has orders, invoices or receipts."));
    }
    books.store.remove(Id::Customer, &row.key(Id::Customer.table()));
    Ok(())
}

/// Adds an address.
pub(super) fn create_ship_to(books: &mut Books, row: Row) -> Result<Key, Refusal> {
    required(Id::ShipTo, &row, "ShipToNum", "Ship To")?;
    required(Id::ShipTo, &row, "Name", "Name")?;
    if books.one(Id::Customer, row.number("CustNum")).is_none() {
        return Err(unknown("ShipTo", "CustNum"));
    }
    books.enter(Id::ShipTo, row)
}

fn check(books: &Books, row: &Row) -> Result<(), Refusal> {
    required(Id::Customer, row, "CustID", "Customer ID")?;
    required(Id::Customer, row, "Name", "Name")?;
    if row.text("TerritorySelect").is_empty() {
        required(Id::Customer, row, "TerritoryID", "Territory")?;
    }
    required(Id::Customer, row, "CountryNum", "Country")?;
    required(Id::Customer, row, "TermsCode", "Terms")?;
    if !matches!(row.text("CustomerType"), "CUS" | "PRO" | "SUS") {
        return Err(Refusal::business("Customer Type is not valid.").at("Customer", "CustomerType"));
    }
    books.check_currency(Id::Customer, row)
}

fn check_free(books: &Books, row: &Row) -> Result<(), Refusal> {
    if by_id(books, row.text("CustID")).is_some() {
        return Err(Refusal::duplicate("Customer ID already exists.").at("Customer", "CustID"));
    }
    Ok(())
}

/// The customer of this user key.
pub(super) fn by_id<'a>(books: &'a Books, id: &str) -> Option<&'a Row> {
    books.store.with(Id::Customer, "CustID", &id.into()).next()
}

fn unknown(table: &str, field: &str) -> Refusal {
    Refusal::business("A valid Customer ID is required.").at(table, field)
}

/// The customer that a document names by number or by id. When it names both, both must mean the same.
pub(super) fn of_document(books: &Books, id: Id, row: &Row, id_column: &str) -> Result<Row, Refusal> {
    let (number, name) = (row.number("CustNum"), row.text(id_column));
    let found = if number == 0 { by_id(books, name) } else { books.one(Id::Customer, number) };
    let found = found.ok_or_else(|| unknown(id.table().name, "CustNum"))?;
    if !name.is_empty() && name != found.text("CustID") {
        return Err(
            Refusal::business("Customer ID and customer number do not match.").at(id.table().name, id_column)
        );
    }
    Ok(found.clone())
}
