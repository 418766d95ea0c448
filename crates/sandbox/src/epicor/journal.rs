//! Journals of the general ledger, entered by hand and posted as a group (EPICOR.md §7).
//!
//! What must stay true: a journal is posted only when its debits equal its credits.

use super::books::{Books, is_given};
use super::cell::Cell;
use super::group;
use super::ledger;
use super::refusal::Refusal;
use super::row::{Fields, Key, Row};
use super::schema::Id;

fn refused(message: &str, field: &str) -> Refusal {
    Refusal::business(message).at("GLJrnDtlMnl", field)
}

/// What new groups and journals begin with.
pub(super) fn defaults(books: &Books, row: &mut Row) {
    if row.cell("BookID").is_some() {
        row.set("BookID", "MAIN");
    }
    if row.cell("JournalCode").is_some() {
        row.set("JournalCode", "GJ");
        row.set("CurrencyCode", books.settings.currency.clone());
    } else if row.cell("BookID").is_some() {
        row.set_moment("JEDate", &books.today());
    }
}

/// Adds a journal without lines to an open group.
pub(super) fn create(books: &mut Books, mut row: Row) -> Result<Key, Refusal> {
    let group = group::open(books, Id::GlJrnGrp, row.text("GroupID"))?;
    if row.text("JEDate").is_empty() {
        row.set_moment("JEDate", group.text("JEDate"));
    }
    books.check_currency(Id::GlJrnHed, &row)?;
    let (year, period) = books.period(row.text("JEDate"))?;
    row.set("FiscalYear", year);
    row.set("FiscalPeriod", period);
    let number = books.next_number(Id::GlJrnHed, 1);
    row.set("JournalNum", number);
    books.enter(Id::GlJrnHed, row)
}

/// Adds a line to an unposted journal.
pub(super) fn create_line(books: &mut Books, mut row: Row, fields: &Fields) -> Result<Key, Refusal> {
    let number = row.number("JournalNum");
    unposted(books, number)?;
    check_line(&mut row, fields)?;
    let line = books.next_line(Id::GlJrnDtlMnl, ("JournalNum", number), "JournalLine");
    row.set("JournalLine", line);
    let key = books.enter(Id::GlJrnDtlMnl, row)?;
    total(books, number)?;
    Ok(key)
}

fn check_line(row: &mut Row, fields: &Fields) -> Result<(), Refusal> {
    if row.text("GLAccount").is_empty() {
        if row.text("SegValue1").is_empty() {
            return Err(refused("GL Account is required.", "GLAccount"));
        }
        let segments = [row.text("SegValue1"), row.text("SegValue2")].join("-");
        row.set("GLAccount", segments.trim_end_matches('-'));
    }
    if is_given(fields, &["DebitAmount", "CreditAmount"]) {
        row.set("TransAmt", Cell::Decimal(row.number("DebitAmount") - row.number("CreditAmount")));
    } else {
        let amount = row.number("TransAmt");
        row.set("DebitAmount", Cell::Decimal(amount.max(0)));
        row.set("CreditAmount", Cell::Decimal((-amount).max(0)));
    }
    let (debit, credit) = (row.number("DebitAmount"), row.number("CreditAmount"));
    if debit < 0 || credit < 0 || (debit == 0) == (credit == 0) {
        return Err(refused("Either a debit or a credit amount is required.", "TransAmt"));
    }
    Ok(())
}

/// Changes an unposted journal or a line of it.
pub(super) fn change(
    books: &mut Books,
    id: Id,
    before: &Row,
    mut row: Row,
    fields: &Fields,
) -> Result<(), Refusal> {
    let number = before.number("JournalNum");
    unposted(books, number)?;
    if id == Id::GlJrnDtlMnl {
        check_line(&mut row, fields)?;
    }
    books.keep(id, row)?;
    total(books, number)
}

/// Deletes an unposted journal or a line of it.
pub(super) fn delete(books: &mut Books, id: Id, row: &Row) -> Result<(), Refusal> {
    let number = row.number("JournalNum");
    unposted(books, number)?;
    if id == Id::GlJrnHed {
        for line in lines(books, number) {
            books.store.remove(Id::GlJrnDtlMnl, &line.key(Id::GlJrnDtlMnl.table()));
        }
    }
    books.store.remove(id, &row.key(id.table()));
    total(books, number)
}

fn unposted(books: &Books, number: i64) -> Result<(), Refusal> {
    let head =
        books.one(Id::GlJrnHed, number).ok_or_else(|| refused("Journal is not valid.", "JournalNum"))?;
    if head.flag("Posted") {
        return Err(refused("The journal is posted and cannot be changed.", "JournalNum"));
    }
    group::open(books, Id::GlJrnGrp, head.text("GroupID")).map(|_| ())
}

fn lines(books: &Books, number: i64) -> Vec<Row> {
    books.store.with(Id::GlJrnDtlMnl, "JournalNum", &number.into()).cloned().collect()
}

fn total(books: &mut Books, number: i64) -> Result<(), Refusal> {
    let Some(mut head) = books.one(Id::GlJrnHed, number).cloned() else { return Ok(()) };
    let lines = lines(books, number);
    head.set("TotDebit", Cell::Decimal(lines.iter().map(|line| line.number("DebitAmount")).sum()));
    head.set("TotCredit", Cell::Decimal(lines.iter().map(|line| line.number("CreditAmount")).sum()));
    books.keep(Id::GlJrnHed, head)
}

/// Why a group cannot be posted; nothing when it can.
pub(super) fn objection(books: &Books, group: &str) -> Option<String> {
    let journals = group::members(books, Id::GlJrnGrp, group);
    if journals.is_empty() {
        return Some(format!("Group '{group}' has no journals."));
    }
    let unbalanced = journals
        .iter()
        .find(|head| head.number("TotDebit") != head.number("TotCredit") || head.number("TotDebit") == 0);
    unbalanced.map(|head| format!("Journal {} is out of balance.", head.number("JournalNum")))
}

/// Posts all journals of a group; the group vanishes.
pub(super) fn post(books: &mut Books, group: &str) -> Result<(), Refusal> {
    let row = group::open(books, Id::GlJrnGrp, group)?;
    if let Some(objection) = objection(books, group) {
        return Err(Refusal::business(objection).at("GLJrnHed", ""));
    }
    for mut head in group::members(books, Id::GlJrnGrp, group) {
        let (number, day) = (head.number("JournalNum"), head.text("JEDate").to_owned());
        books.period(&day)?;
        let lines = lines(books, number);
        let amounts: Vec<(&str, i64)> =
            lines.iter().map(|line| (line.text("GLAccount"), line.number("TransAmt"))).collect();
        ledger::write(books, &ledger::Source { day: &day, kind: "GJ", number, customer: 0 }, &amounts)?;
        head.set("Posted", true);
        books.keep(Id::GlJrnHed, head)?;
    }
    books.store.remove(Id::GlJrnGrp, &row.key(Id::GlJrnGrp.table()));
    Ok(())
}
