//! The general ledger: what posting writes.
//!
//! What must stay true: debits equal credits in every posting; the sum of the receivables account is the trial balance.

use super::books::Books;
use super::cell::Cell;
use super::refusal::Refusal;
use super::schema::Id;

/// Account of receivables.
pub(super) const RECEIVABLES: &str = "1200";
/// Account of revenue.
pub(super) const REVENUE: &str = "4000";
/// Account of sales tax.
pub(super) const TAX: &str = "2200";
/// Account of receipts that belong to no customer.
pub(super) const MISCELLANEOUS: &str = "4900";
/// Account of what was written off.
pub(super) const WRITE_OFF: &str = "6900";

/// The account of a bank.
pub(super) fn bank(name: &str) -> String {
    format!("1010-{name}")
}

/// Where an entry comes from.
pub(super) struct Source<'a> {
    pub(super) day: &'a str,
    pub(super) kind: &'static str,
    pub(super) number: i64,
    pub(super) customer: i64,
}

/// Writes lines of account and amount; positive is debit, negative is credit. They must add up to nothing.
pub(super) fn write(books: &mut Books, source: &Source<'_>, lines: &[(&str, i64)]) -> Result<(), Refusal> {
    if lines.iter().map(|(_, amount)| amount).sum::<i64>() != 0 {
        return Err(Refusal::internal());
    }
    for (account, amount) in lines.iter().filter(|(_, amount)| *amount != 0) {
        let number = books.next_number(Id::GlJrnDtl, 1);
        let mut row = books.fresh(Id::GlJrnDtl);
        row.set("GLJrnDtlNum", number);
        row.set("GLAccount", *account);
        row.set_moment("JEDate", source.day);
        row.set("DebitAmount", Cell::Decimal((*amount).max(0)));
        row.set("CreditAmount", Cell::Decimal((-*amount).max(0)));
        row.set("Source", source.kind);
        row.set("SourceNum", source.number);
        row.set("CustNum", source.customer);
        books.enter(Id::GlJrnDtl, row)?;
    }
    Ok(())
}

/// Debits less credits of an account.
pub(super) fn balance(books: &Books, account: &str) -> i64 {
    let lines = books.store.with(Id::GlJrnDtl, "GLAccount", &account.into());
    lines.map(|line| line.number("DebitAmount") - line.number("CreditAmount")).sum()
}
