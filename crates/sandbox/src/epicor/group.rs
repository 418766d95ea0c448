//! Groups of receipts, invoices and journals: what is posted together (EPICOR.md §6 and §7).
//!
//! What must stay true: a group id never changes and has at most nine characters; a cash group has one day and one
//! bank account from its first receipt on; a group's day lies in an open period.

use super::books::{Books, required};
use super::refusal::Refusal;
use super::row::{Key, Row};
use super::schema::Id;

const ID_MAX: usize = 9;

/// The column with the day of a group.
pub(super) fn day_column(id: Id) -> &'static str {
    match id {
        Id::CashGrp => "TranDate",
        Id::InvcGrp => "ApplyDate",
        _ => "JEDate",
    }
}

/// The table of what a group holds.
fn member(id: Id) -> Id {
    match id {
        Id::CashGrp => Id::CashHead,
        Id::InvcGrp => Id::InvcHead,
        _ => Id::GlJrnHed,
    }
}

/// What a group holds that is not posted.
pub(super) fn members(books: &Books, id: Id, group: &str) -> Vec<Row> {
    let all = books.store.with(member(id), "GroupID", &group.into());
    all.filter(|row| !row.flag("Posted")).cloned().collect()
}

/// Opens a group.
pub(super) fn create(books: &mut Books, id: Id, mut row: Row) -> Result<Key, Refusal> {
    let table = id.table().name;
    required(id, &row, "GroupID", "Group")?;
    let letters = row.text("GroupID").chars().count();
    if letters > ID_MAX {
        return Err(Refusal::business(format!(
            "Group ID has {letters} characters; at most {ID_MAX} are allowed."
        ))
        .at(table, "GroupID"));
    }
    check(books, id, &mut row)?;
    row.set("ActiveUserID", books.user.clone());
    books.enter(id, row)
}

/// Changes a group.
pub(super) fn change(books: &mut Books, id: Id, before: &Row, mut row: Row) -> Result<(), Refusal> {
    let day = day_column(id);
    let moved = row.text(day) != before.text(day) || row.text("BankAcctID") != before.text("BankAcctID");
    if moved && !members(books, id, before.text("GroupID")).is_empty() {
        return Err(Refusal::business("Date and bank account cannot be changed: the group has entries.")
            .at(id.table().name, day));
    }
    check(books, id, &mut row)?;
    books.keep(id, row)
}

/// Deletes an empty group.
pub(super) fn delete(books: &mut Books, id: Id, row: &Row) -> Result<(), Refusal> {
    if !members(books, id, row.text("GroupID")).is_empty() {
        return Err(
            Refusal::business("Group cannot be deleted: it has entries.").at(id.table().name, "GroupID")
        );
    }
    books.store.remove(id, &row.key(id.table()));
    Ok(())
}

fn check(books: &Books, id: Id, row: &mut Row) -> Result<(), Refusal> {
    let table = id.table().name;
    if id == Id::CashGrp {
        required(id, row, "BankAcctID", "Bank Account")?;
        if !books.settings.banks.contains(row.text("BankAcctID")) {
            return Err(Refusal::business("Bank Account is not valid.").at(table, "BankAcctID"));
        }
    }
    let day = day_column(id);
    if id == Id::InvcGrp && row.text(day).is_empty() {
        let invoice_day = row.text("InvoiceDate").to_owned();
        row.set_moment(day, &invoice_day);
    }
    let (year, period) = books.period(row.text(day)).map_err(|refusal| refusal.at(table, day))?;
    row.set("FiscalYear", year);
    row.set("FiscalPeriod", period);
    Ok(())
}

/// The open group of an entry; a posted one has vanished.
pub(super) fn open(books: &Books, id: Id, group: &str) -> Result<Row, Refusal> {
    let refused = |message: String| Refusal::business(message).at(member(id).table().name, "GroupID");
    if group.is_empty() {
        return Err(refused("Group is required.".to_owned()));
    }
    let row = books.one(id, group);
    let row = row.ok_or_else(|| refused(format!("Group '{group}' does not exist, or it was posted.")))?;
    if row.flag("PostInProcess") {
        return Err(refused(format!("Group '{group}' is being posted.")));
    }
    Ok(row.clone())
}
