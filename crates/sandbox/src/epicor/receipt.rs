//! Cash receipts and their allocation to invoices, until they are posted (EPICOR.md §6).
//!
//! What must stay true: applied and unapplied add up to the receipt; an invoice's UnpostedBal is its balance less
//! what unposted receipts allocate to it; a posted receipt is not touched here.

use super::books::{Books, pair};
use super::cell::Cell;
use super::customer;
use super::group;
use super::refusal::Refusal;
use super::row::{Fields, Key, Row};
use super::schema::Id;

fn refused(message: &str, field: &str) -> Refusal {
    Refusal::business(message).at("CashHead", field)
}

fn refused_line(message: &str, field: &str) -> Refusal {
    Refusal::business(message).at("CashDtl", field)
}

/// What new groups and receipts begin with.
pub(super) fn defaults(books: &Books, row: &mut Row) {
    if row.cell("TranType").is_some() {
        row.set("TranType", "PayInv");
        row.set("CurrencyCode", books.settings.currency.clone());
    } else if row.cell("BankAcctID").is_some() {
        row.set_moment("TranDate", &books.today());
    }
}

/// Adds a receipt to an open group.
pub(super) fn create(books: &mut Books, mut row: Row, fields: &Fields) -> Result<Key, Refusal> {
    let group = group::open(books, Id::CashGrp, row.text("GroupID"))?;
    take_group(&mut row, &group)?;
    check_payer(books, &mut row)?;
    check_order(books, &row)?;
    pair(&mut row, fields, "TranAmt", "DocTranAmt")?;
    let amount = row.number("TranAmt");
    if amount <= 0 {
        return Err(refused("Receipt amount must be greater than zero.", "DocTranAmt"));
    }
    books.check_currency(Id::CashHead, &row)?;
    let number = books.next_number(Id::CashHead, 1);
    row.set("HeadNum", number);
    row.set_amount("UnAppliedAmt", "DocUnAppliedAmt", amount);
    let key = books.enter(Id::CashHead, row)?;
    move_total(books, group.text("GroupID"), amount)?;
    Ok(key)
}

/// Day, bank account and period are those of the group.
fn take_group(row: &mut Row, group: &Row) -> Result<(), Refusal> {
    if row.text("TranDate").is_empty() {
        row.set_moment("TranDate", group.text("TranDate"));
    } else if row.text("TranDate") != group.text("TranDate") {
        return Err(refused("Receipt date must be the date of the group.", "TranDate"));
    }
    if row.text("BankAcctID").is_empty() {
        row.set("BankAcctID", group.text("BankAcctID"));
    } else if row.text("BankAcctID") != group.text("BankAcctID") {
        return Err(refused("Bank Account must be that of the group.", "BankAcctID"));
    }
    row.set("FiscalYear", group.number("FiscalYear"));
    row.set("FiscalPeriod", group.number("FiscalPeriod"));
    Ok(())
}

fn check_payer(books: &Books, row: &mut Row) -> Result<(), Refusal> {
    match row.text("TranType") {
        "PayInv" | "Deposit" => {}
        "MisPay" => return Ok(()),
        _ => return Err(refused("Transaction Type must be PayInv, Deposit or MisPay.", "TranType")),
    }
    let payer = customer::of_document(books, Id::CashHead, row, "CustID")?;
    if !payer.flag("ValidPayer") {
        return Err(refused("Customer is not a valid payer.", "CustNum"));
    }
    row.set("CustNum", payer.number("CustNum"));
    row.set("CustID", payer.text("CustID"));
    Ok(())
}

fn check_order(books: &Books, row: &Row) -> Result<(), Refusal> {
    let number = row.number("OrderNum");
    if number == 0 {
        if row.text("TranType") == "Deposit" {
            return Err(refused("Order is required for a deposit.", "OrderNum"));
        }
        return Ok(());
    }
    let order = books.one(Id::OrderHed, number).ok_or_else(|| refused("Order is not valid.", "OrderNum"))?;
    if order.number("CustNum") != row.number("CustNum") {
        return Err(refused("Order belongs to another customer.", "OrderNum"));
    }
    Ok(())
}

/// Changes an unposted receipt.
pub(super) fn change(books: &mut Books, before: &Row, mut row: Row, fields: &Fields) -> Result<(), Refusal> {
    let group = open_group(books, before)?;
    if before.number("ReverseRef") != 0 {
        return Err(refused("A reversal cannot be changed.", "HeadNum"));
    }
    take_group(&mut row, &group)?;
    if row.number("CustNum") == before.number("CustNum") && row.text("CustID") != before.text("CustID") {
        row.set("CustNum", 0);
    }
    check_payer(books, &mut row)?;
    check_order(books, &row)?;
    pair(&mut row, fields, "TranAmt", "DocTranAmt")?;
    let (amount, applied) = (row.number("TranAmt"), row.number("AppliedAmt"));
    if amount <= 0 || amount < applied {
        return Err(refused("Receipt amount is less than what is applied.", "DocTranAmt"));
    }
    if applied != 0 && row.number("CustNum") != before.number("CustNum") {
        return Err(refused("Customer cannot be changed: the receipt is applied.", "CustNum"));
    }
    row.set_amount("UnAppliedAmt", "DocUnAppliedAmt", amount - applied);
    books.keep(Id::CashHead, row)?;
    move_total(books, group.text("GroupID"), amount - before.number("TranAmt"))
}

/// Deletes an unposted receipt; its allocations open their invoices again.
pub(super) fn delete(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    open_group(books, row)?;
    for line in allocations(books, row.number("HeadNum")) {
        give_back(books, &line, row.number("ReverseRef") == 0)?;
    }
    books.store.remove(Id::CashHead, &row.key(Id::CashHead.table()));
    move_total(books, row.text("GroupID"), -row.number("TranAmt"))
}

fn open_group(books: &Books, row: &Row) -> Result<Row, Refusal> {
    if row.flag("Posted") {
        return Err(refused("The receipt is posted and cannot be changed.", "HeadNum"));
    }
    group::open(books, Id::CashGrp, row.text("GroupID"))
}

/// The receipt of a number, whatever its group.
pub(super) fn by_number(books: &Books, number: i64) -> Option<Row> {
    books.store.with(Id::CashHead, "HeadNum", &number.into()).next().cloned()
}

/// The allocations of a receipt.
pub(super) fn allocations(books: &Books, number: i64) -> Vec<Row> {
    books.store.with(Id::CashDtl, "HeadNum", &number.into()).cloned().collect()
}

/// An invoice that cash can go to: posted, open, of this customer.
pub(super) fn payable(books: &Books, number: i64, customer: i64) -> Result<Row, Refusal> {
    let refused = |message: &str| Err(refused_line(message, "InvoiceNum"));
    let Some(invoice) = books.one(Id::InvcHead, number) else { return refused("Invoice is not valid.") };
    if !invoice.flag("Posted") {
        return refused("Invoice is not posted.");
    }
    if !invoice.flag("OpenInvoice") {
        return refused("Invoice is not open.");
    }
    if invoice.number("CustNum") != customer {
        return refused("Invoice belongs to another customer.");
    }
    Ok(invoice.clone())
}

/// Allocates a part of an unposted receipt to an invoice; without an amount, as much as both allow.
pub(super) fn allocate(books: &mut Books, mut row: Row, fields: &Fields) -> Result<Key, Refusal> {
    let head = head_of(books, &row)?;
    let invoice = payable(books, row.number("InvoiceNum"), head.number("CustNum"))?;
    pair(&mut row, fields, "TranAmt", "DocTranAmt")?;
    pair(&mut row, fields, "WriteOffAmount", "DocWriteOffAmount")?;
    let (open, unapplied) = (invoice.number("UnpostedBal"), head.number("UnAppliedAmt"));
    if row.number("TranAmt") == 0 && row.number("WriteOffAmount") == 0 {
        row.set_amount("TranAmt", "DocTranAmt", open.min(unapplied));
    }
    check_amount(row.number("TranAmt"), row.number("WriteOffAmount"), open, unapplied)?;
    row.set("CustNum", head.number("CustNum"));
    row.set_moment("TranDate", head.text("TranDate"));
    let (amount, gone) = (row.number("TranAmt"), row.number("TranAmt") + row.number("WriteOffAmount"));
    let key = books.enter(Id::CashDtl, row)?;
    move_unposted(books, invoice.number("InvoiceNum"), -gone)?;
    apply(books, head.number("HeadNum"), amount)?;
    Ok(key)
}

fn head_of(books: &Books, line: &Row) -> Result<Row, Refusal> {
    let key = books.key([line.text("GroupID").into(), line.number("HeadNum").into()]);
    let head = books.store.get(Id::CashHead, &key);
    let head = head.ok_or_else(|| refused_line("Receipt is not valid.", "HeadNum"))?.clone();
    open_group(books, &head)?;
    if head.text("TranType") == "MisPay" || head.number("ReverseRef") != 0 {
        return Err(refused_line("This receipt cannot be applied to invoices.", "HeadNum"));
    }
    Ok(head)
}

/// Cash for an invoice lies between nothing and both balances; a credit memo goes the other way.
fn check_amount(amount: i64, write_off: i64, open: i64, unapplied: i64) -> Result<(), Refusal> {
    let gone = amount.saturating_add(write_off);
    if open < 0 {
        if gone >= 0 || gone < open || write_off != 0 {
            return Err(refused_line("Amount is more than the open credit.", "DocTranAmt"));
        }
        return Ok(());
    }
    if amount < 0 || write_off < 0 || gone <= 0 {
        return Err(refused_line("Amount must be greater than zero.", "DocTranAmt"));
    }
    if gone > open {
        return Err(refused_line("Amount is more than the invoice balance.", "DocTranAmt"));
    }
    if amount > unapplied {
        return Err(refused_line("Amount is more than the unapplied amount of the receipt.", "DocTranAmt"));
    }
    Ok(())
}

/// Changes the amount of an allocation.
pub(super) fn reallocate(
    books: &mut Books,
    before: &Row,
    mut row: Row,
    fields: &Fields,
) -> Result<(), Refusal> {
    let head = head_of(books, before)?;
    let invoice = payable(books, row.number("InvoiceNum"), head.number("CustNum"))?;
    pair(&mut row, fields, "TranAmt", "DocTranAmt")?;
    pair(&mut row, fields, "WriteOffAmount", "DocWriteOffAmount")?;
    let was = before.number("TranAmt");
    let was_gone = was + before.number("WriteOffAmount");
    let (open, unapplied) = (invoice.number("UnpostedBal") + was_gone, head.number("UnAppliedAmt") + was);
    check_amount(row.number("TranAmt"), row.number("WriteOffAmount"), open, unapplied)?;
    let (amount, gone) = (row.number("TranAmt"), row.number("TranAmt") + row.number("WriteOffAmount"));
    books.keep(Id::CashDtl, row)?;
    move_unposted(books, invoice.number("InvoiceNum"), was_gone - gone)?;
    apply(books, head.number("HeadNum"), amount - was)
}

/// Takes an allocation back.
pub(super) fn release(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    head_of(books, row)?;
    give_back(books, row, true)?;
    apply(books, row.number("HeadNum"), -row.number("TranAmt"))
}

fn give_back(books: &mut Books, line: &Row, counted: bool) -> Result<(), Refusal> {
    books.store.remove(Id::CashDtl, &line.key(Id::CashDtl.table()));
    if !counted {
        return Ok(());
    }
    let gone = line.number("TranAmt") + line.number("WriteOffAmount");
    move_unposted(books, line.number("InvoiceNum"), gone)
}

fn move_unposted(books: &mut Books, invoice: i64, amount: i64) -> Result<(), Refusal> {
    let Some(mut invoice) = books.one(Id::InvcHead, invoice).cloned() else { return Ok(()) };
    let open = invoice.number("UnpostedBal") + amount;
    invoice.set_amount("UnpostedBal", "DocUnpostedBal", open);
    books.keep(Id::InvcHead, invoice)
}

/// Moves an amount of a receipt from unapplied to applied.
pub(super) fn apply(books: &mut Books, number: i64, amount: i64) -> Result<(), Refusal> {
    let Some(mut head) = by_number(books, number) else { return Ok(()) };
    let applied = head.number("AppliedAmt") + amount;
    head.set_amount("AppliedAmt", "DocAppliedAmt", applied);
    let unapplied = head.number("TranAmt") - applied;
    head.set_amount("UnAppliedAmt", "DocUnAppliedAmt", unapplied);
    books.keep(Id::CashHead, head)
}

/// Moves the total of a group.
pub(super) fn move_total(books: &mut Books, group: &str, amount: i64) -> Result<(), Refusal> {
    let Some(mut row) = books.one(Id::CashGrp, group).filter(|_| amount != 0).cloned() else { return Ok(()) };
    row.set("TotalCashReceived", Cell::Decimal(row.number("TotalCashReceived") + amount));
    books.keep(Id::CashGrp, row)
}
