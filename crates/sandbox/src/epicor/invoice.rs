//! Invoices and credit memos of receivables, until they are posted (EPICOR.md §7).
//!
//! What must stay true: totals follow the lines; a credit memo is negative; a posted invoice is not touched here.

use super::books::{Books, is_given, pair};
use super::cell::{self, Cell};
use super::customer;
use super::group;
use super::order;
use super::part;
use super::refusal::Refusal;
use super::row::{Fields, Key, Row};
use super::schema::Id;

fn refused(message: &str, field: &str) -> Refusal {
    Refusal::business(message).at("InvcHead", field)
}

fn refused_line(message: &str, field: &str) -> Refusal {
    Refusal::business(message).at("InvcDtl", field)
}

/// What new groups and invoices begin with.
pub(super) fn defaults(books: &Books, row: &mut Row) {
    if row.cell("InvoiceType").is_some() {
        row.set("InvoiceType", "Mis");
        row.set("CurrencyCode", books.settings.currency.clone());
    } else if row.cell("InvoiceDate").is_some() {
        row.set_moment("InvoiceDate", &books.today());
    }
}

/// Adds an invoice without lines to an open group.
pub(super) fn create(books: &mut Books, mut row: Row) -> Result<Key, Refusal> {
    let group = group::open(books, Id::InvcGrp, row.text("GroupID"))?;
    let customer = customer::of_document(books, Id::InvcHead, &row, "SoldToCustID")?;
    row.set("CustNum", customer.number("CustNum"));
    row.set("SoldToCustID", customer.text("CustID"));
    if row.text("TermsCode").is_empty() {
        row.set("TermsCode", customer.text("TermsCode"));
    }
    for name in ["InvoiceDate", "ApplyDate"] {
        if row.text(name).is_empty() {
            row.set_moment(name, group.text(name));
        }
    }
    if row.text("DueDate").is_empty() {
        let day = row.text("InvoiceDate").to_owned();
        row.set_moment("DueDate", &day);
    }
    if row.text("InvoiceType") != "Mis" {
        return Err(refused("Only miscellaneous invoices can be entered.", "InvoiceType"));
    }
    check(books, &mut row)?;
    let number = books.next_number(Id::InvcHead, 10_001);
    row.set("InvoiceNum", number);
    books.enter(Id::InvcHead, row)
}

fn check(books: &Books, row: &mut Row) -> Result<(), Refusal> {
    books.check_currency(Id::InvcHead, row)?;
    let (year, period) =
        books.period(row.text("ApplyDate")).map_err(|refusal| refusal.at("InvcHead", "ApplyDate"))?;
    row.set("FiscalYear", year);
    row.set("FiscalPeriod", period);
    let reference = row.number("InvoiceRef");
    if reference != 0 {
        let other = books.one(Id::InvcHead, reference);
        let other = other.ok_or_else(|| refused("Reference Invoice is not valid.", "InvoiceRef"))?;
        if other.number("CustNum") != row.number("CustNum") {
            return Err(refused("Reference Invoice belongs to another customer.", "InvoiceRef"));
        }
    }
    Ok(())
}

/// Changes an unposted invoice.
pub(super) fn change(books: &mut Books, before: &Row, mut row: Row) -> Result<(), Refusal> {
    unposted(before)?;
    group::open(books, Id::InvcGrp, row.text("GroupID"))?;
    if row.number("CustNum") != before.number("CustNum")
        || row.flag("CreditMemo") != before.flag("CreditMemo")
    {
        return Err(refused("The customer and the kind of an invoice cannot be changed.", "CustNum"));
    }
    check(books, &mut row)?;
    books.keep(Id::InvcHead, row)
}

/// Deletes an unposted invoice.
pub(super) fn delete(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    unposted(row)?;
    for line in lines(books, row.number("InvoiceNum")) {
        books.store.remove(Id::InvcDtl, &line.key(Id::InvcDtl.table()));
    }
    books.store.remove(Id::InvcHead, &row.key(Id::InvcHead.table()));
    Ok(())
}

fn unposted(row: &Row) -> Result<(), Refusal> {
    if row.flag("Posted") {
        return Err(refused("The invoice is posted and cannot be changed.", "InvoiceNum"));
    }
    Ok(())
}

/// Adds a line to an unposted invoice.
pub(super) fn create_line(books: &mut Books, mut row: Row, fields: &Fields) -> Result<Key, Refusal> {
    let number = row.number("InvoiceNum");
    let head = head_of(books, number)?;
    let line = books.next_line(Id::InvcDtl, ("InvoiceNum", number), "InvoiceLine");
    row.set("InvoiceLine", line);
    price(books, &head, &mut row, fields)?;
    let key = books.enter(Id::InvcDtl, row)?;
    total(books, number)?;
    Ok(key)
}

/// Changes a line of an unposted invoice.
pub(super) fn change_line(
    books: &mut Books,
    before: &Row,
    mut row: Row,
    fields: &Fields,
) -> Result<(), Refusal> {
    let number = before.number("InvoiceNum");
    let head = head_of(books, number)?;
    price(books, &head, &mut row, fields)?;
    books.keep(Id::InvcDtl, row)?;
    total(books, number)
}

/// Deletes a line of an unposted invoice.
pub(super) fn delete_line(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    head_of(books, row.number("InvoiceNum"))?;
    books.store.remove(Id::InvcDtl, &row.key(Id::InvcDtl.table()));
    total(books, row.number("InvoiceNum"))
}

fn head_of(books: &Books, number: i64) -> Result<Row, Refusal> {
    let head = books.one(Id::InvcHead, number);
    let head = head.ok_or_else(|| refused_line("Invoice is not valid.", "InvoiceNum"))?;
    unposted(head)?;
    Ok(head.clone())
}

fn price(books: &Books, head: &Row, row: &mut Row, fields: &Fields) -> Result<(), Refusal> {
    if row.text("SalesCatID").is_empty() {
        return Err(refused_line("Sales Category is required.", "SalesCatID"));
    }
    if row.text("LineDesc").is_empty() && row.text("PartNum").is_empty() {
        return Err(refused_line("Description is required.", "LineDesc"));
    }
    if !row.text("PartNum").is_empty() {
        part::of_line(books, Id::InvcDtl, row.text("PartNum"))?;
    }
    pair(row, fields, "UnitPrice", "DocUnitPrice")?;
    pair(row, fields, "ExtPrice", "DocExtPrice")?;
    if row.number("SellingShipQty") == 0 {
        row.set("SellingShipQty", Cell::Decimal(cell::ONE));
    }
    if !is_given(fields, &["ExtPrice", "DocExtPrice"]) {
        let amount = cell::product_in_cents(row.number("SellingShipQty"), row.number("UnitPrice"));
        row.set_amount("ExtPrice", "DocExtPrice", amount);
    }
    if head.flag("CreditMemo") && row.number("ExtPrice") > 0 {
        return Err(refused_line("Amounts of a credit memo must be negative.", "DocExtPrice"));
    }
    let tax = order::tax_of(books, row, row.number("ExtPrice"))?;
    row.set("TaxAmt", Cell::Decimal(tax));
    Ok(())
}

/// Lines of an invoice.
pub(super) fn lines(books: &Books, number: i64) -> Vec<Row> {
    books.store.with(Id::InvcDtl, "InvoiceNum", &number.into()).cloned().collect()
}

/// Adds up an unposted invoice.
pub(super) fn total(books: &mut Books, number: i64) -> Result<(), Refusal> {
    let Some(mut head) = books.one(Id::InvcHead, number).cloned() else { return Ok(()) };
    let lines = lines(books, number);
    let tax = lines.iter().map(|line| line.number("TaxAmt")).sum::<i64>();
    let amount = lines.iter().map(|line| line.number("ExtPrice")).sum::<i64>() + tax;
    head.set_amount("TaxAmt", "DocTaxAmt", tax);
    head.set_amount("InvoiceAmt", "DocInvoiceAmt", amount);
    head.set_amount("InvoiceBal", "DocInvoiceBal", amount);
    head.set_amount("UnpostedBal", "DocUnpostedBal", amount);
    books.keep(Id::InvcHead, head)
}

/// Moves the balance of a posted invoice; at nothing it is closed, else it is open.
pub(super) fn settle(books: &mut Books, number: i64, amount: i64, unposted: i64) -> Result<(), Refusal> {
    let mut head = books.one(Id::InvcHead, number).ok_or_else(Refusal::internal)?.clone();
    let balance = head.number("InvoiceBal") + amount;
    head.set_amount("InvoiceBal", "DocInvoiceBal", balance);
    let open = head.number("UnpostedBal") + unposted;
    head.set_amount("UnpostedBal", "DocUnpostedBal", open);
    head.set("OpenInvoice", balance != 0);
    let closed = if balance == 0 { books.today() } else { String::new() };
    head.set_moment("ClosedDate", &closed);
    books.keep(Id::InvcHead, head)
}
