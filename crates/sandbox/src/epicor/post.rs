//! Posting of receipts and invoices, and what is done to them afterwards (EPICOR.md §6).
//!
//! What must stay true: a group is posted as a whole or not at all, and then it is gone; what a receipt leaves
//! unapplied stays a credit of the customer, as a credit memo or on account.

use super::books::Books;
use super::group;
use super::invoice;
use super::ledger::{self, Source};
use super::receipt;
use super::refusal::Refusal;
use super::row::Row;
use super::schema::Id;

fn refused(message: impl Into<String>, field: &str) -> Refusal {
    Refusal::business(message).at("CashHead", field)
}

/// Posts a cash group.
pub(super) fn cash(books: &mut Books, name: &str) -> Result<(), Refusal> {
    let group = open(books, Id::CashGrp, name)?;
    for head in group::members(books, Id::CashGrp, name) {
        if head.number("ReverseRef") == 0 {
            post_receipt(books, head)?;
        } else {
            post_reversal(books, head)?;
        }
    }
    books.store.remove(Id::CashGrp, &group.key(Id::CashGrp.table()));
    Ok(())
}

/// Posts a group that was submitted; why it could not be posted stands in its error log.
pub(super) fn submitted(books: &mut Books, id: Id, name: &str) {
    let Some(mut group) = books.one(id, name).cloned() else { return };
    group.set("PostInProcess", false);
    books.store.put(id, group.clone());
    books.store.commit();
    let outcome = books.transact(|books| match id {
        Id::CashGrp => cash(books, name),
        _ => invoices(books, name),
    });
    if let Err(refusal) = outcome {
        group.set("PostErrorLog", refusal.message);
        books.store.put(id, group);
        books.store.commit();
    }
}

/// The group, which must have entries and lie in an open period.
fn open(books: &Books, id: Id, name: &str) -> Result<Row, Refusal> {
    let group = group::open(books, id, name)?;
    books.period(group.text(group::day_column(id)))?;
    if group::members(books, id, name).is_empty() {
        return Err(
            Refusal::business(format!("Group '{name}' has no entries.")).at(id.table().name, "GroupID")
        );
    }
    Ok(group)
}

fn post_receipt(books: &mut Books, mut head: Row) -> Result<(), Refusal> {
    let (number, customer) = (head.number("HeadNum"), head.number("CustNum"));
    let mut written_off = 0;
    for mut line in receipt::allocations(books, number) {
        let gone = line.number("TranAmt") + line.number("WriteOffAmount");
        written_off += line.number("WriteOffAmount");
        invoice::settle(books, line.number("InvoiceNum"), -gone, 0)?;
        line.set("Posted", true);
        books.keep(Id::CashDtl, line)?;
    }
    let is_customers = head.text("TranType") != "MisPay";
    let rest = head.number("UnAppliedAmt");
    if is_customers && rest != 0 && !head.flag("OnAccount") {
        let memo = unapplied_memo(books, &head, rest)?;
        head.set("CreditMemoNum", memo);
    }
    if head.text("TranType") == "Deposit" {
        move_deposit(books, head.number("OrderNum"), head.number("TranAmt"))?;
    }
    let (bank, amount) = (ledger::bank(head.text("BankAcctID")), head.number("TranAmt"));
    let other = if is_customers { ledger::RECEIVABLES } else { ledger::MISCELLANEOUS };
    let day = head.text("TranDate").to_owned();
    let lines = [(bank.as_str(), amount), (ledger::WRITE_OFF, written_off), (other, -amount - written_off)];
    ledger::write(books, &Source { day: &day, kind: "CR", number, customer }, &lines)?;
    finish(books, head)
}

fn finish(books: &mut Books, mut head: Row) -> Result<(), Refusal> {
    head.set("Posted", true);
    let key = head.key(Id::CashHead.table());
    books.keep(Id::CashHead, head)?;
    books.tell("receipt.posted", Id::CashHead, &key);
    Ok(())
}

/// The credit memo that stands for what a receipt leaves unapplied.
fn unapplied_memo(books: &mut Books, head: &Row, rest: i64) -> Result<i64, Refusal> {
    let number = books.next_number(Id::InvcHead, 10_001);
    let mut memo = books.fresh(Id::InvcHead);
    memo.set("InvoiceNum", number);
    memo.set("InvoiceSuffix", "UR");
    memo.set("InvoiceType", if head.text("TranType") == "Deposit" { "Dep" } else { "Mis" });
    memo.set("CreditMemo", true);
    memo.set("Description", "Unapplied receipt");
    for name in ["CustNum", "OrderNum", "FiscalYear", "FiscalPeriod"] {
        memo.set(name, head.number(name));
    }
    memo.set("SoldToCustID", head.text("CustID"));
    memo.set("CashHeadNum", head.number("HeadNum"));
    for name in ["InvoiceDate", "ApplyDate", "DueDate"] {
        memo.set_moment(name, head.text("TranDate"));
    }
    memo.set("OpenInvoice", true);
    memo.set("Posted", true);
    for (plain, document) in
        [("InvoiceAmt", "DocInvoiceAmt"), ("InvoiceBal", "DocInvoiceBal"), ("UnpostedBal", "DocUnpostedBal")]
    {
        memo.set_amount(plain, document, -rest);
    }
    books.enter(Id::InvcHead, memo)?;
    Ok(number)
}

fn move_deposit(books: &mut Books, order: i64, amount: i64) -> Result<(), Refusal> {
    let Some(mut order) = books.one(Id::OrderHed, order).cloned() else { return Ok(()) };
    let balance = order.number("DepositBal") + amount;
    order.set_amount("DepositBal", "DocDepositBal", balance);
    books.keep(Id::OrderHed, order)
}

/// Undoes a posted receipt: its invoices are open again, its credit memo is gone.
fn post_reversal(books: &mut Books, head: Row) -> Result<(), Refusal> {
    let mut original = receipt::by_number(books, head.number("ReverseRef")).ok_or_else(Refusal::internal)?;
    check_reversible(books, &original)?;
    let (number, customer) = (head.number("HeadNum"), head.number("CustNum"));
    let mut written_off = 0;
    for mut line in receipt::allocations(books, number) {
        let gone = line.number("TranAmt") + line.number("WriteOffAmount");
        written_off += line.number("WriteOffAmount");
        invoice::settle(books, line.number("InvoiceNum"), -gone, -gone)?;
        line.set("Posted", true);
        books.keep(Id::CashDtl, line)?;
    }
    let memo = original.number("CreditMemoNum");
    if memo != 0 {
        let rest = original.number("UnAppliedAmt");
        invoice::settle(books, memo, rest, rest)?;
    }
    if head.text("TranType") == "Deposit" {
        move_deposit(books, head.number("OrderNum"), head.number("TranAmt"))?;
    }
    let (bank, amount) = (ledger::bank(head.text("BankAcctID")), head.number("TranAmt"));
    let is_customers = head.text("TranType") != "MisPay";
    let other = if is_customers { ledger::RECEIVABLES } else { ledger::MISCELLANEOUS };
    let day = head.text("TranDate").to_owned();
    let lines = [(bank.as_str(), amount), (ledger::WRITE_OFF, written_off), (other, -amount - written_off)];
    ledger::write(books, &Source { day: &day, kind: "CR", number, customer }, &lines)?;
    original.set("Reversed", true);
    original.set_moment("ReverseDate", &day);
    books.keep(Id::CashHead, original)?;
    finish(books, head)
}

fn check_reversible(books: &Books, original: &Row) -> Result<(), Refusal> {
    if !original.flag("Posted") || original.number("ReverseRef") != 0 {
        return Err(refused("Only posted receipts can be reversed.", "HeadNum"));
    }
    if original.flag("Reversed") {
        return Err(refused("The receipt was reversed before.", "HeadNum"));
    }
    let memo = original.number("CreditMemoNum");
    if memo != 0 {
        let memo = books.one(Id::InvcHead, memo).ok_or_else(Refusal::internal)?;
        if memo.number("UnpostedBal") != -original.number("UnAppliedAmt") {
            let text =
                format!("Credit memo {} of the receipt was applied to invoices.", memo.number("InvoiceNum"));
            return Err(refused(text, "CreditMemoNum"));
        }
    }
    Ok(())
}

/// Enters the reversal of a posted receipt into an open cash group; it takes effect when that is posted.
pub(super) fn reverse(books: &mut Books, name: &str, number: i64, reason: &str) -> Result<Row, Refusal> {
    let group = group::open(books, Id::CashGrp, name)?;
    let original = receipt::by_number(books, number);
    let original = original.ok_or_else(|| Refusal::missing("Record not found.").at("CashHead", "HeadNum"))?;
    check_reversible(books, &original)?;
    let waiting = books.store.with(Id::CashHead, "ReverseRef", &number.into()).next();
    if waiting.is_some() {
        return Err(refused("The receipt is already being reversed.", "HeadNum"));
    }
    let reversal = books.next_number(Id::CashHead, 1);
    let mut head = original.clone();
    // References belong to the original; the reversal is found by ReverseRef.
    head.clear_user_columns();
    for name in ["Reference", "ExternalID", "CCTranID"] {
        head.set(name, "");
    }
    head.set("GroupID", name);
    head.set("HeadNum", reversal);
    head.set("Posted", false);
    head.set("CreditMemoNum", 0);
    head.set("ReverseRef", number);
    head.set("ReversedReason", reason);
    head.set("CheckRef", format!("REV-{}", original.text("CheckRef")).chars().take(50).collect::<String>());
    head.set("BankAcctID", group.text("BankAcctID"));
    head.set("FiscalYear", group.number("FiscalYear"));
    head.set("FiscalPeriod", group.number("FiscalPeriod"));
    for name in ["TranDate", "ReverseDate"] {
        head.set_moment(name, group.text("TranDate"));
    }
    for (plain, document) in
        [("TranAmt", "DocTranAmt"), ("AppliedAmt", "DocAppliedAmt"), ("UnAppliedAmt", "DocUnAppliedAmt")]
    {
        head.set_amount(plain, document, -original.number(plain));
    }
    let key = books.enter(Id::CashHead, head)?;
    for mut line in receipt::allocations(books, number) {
        line.set("GroupID", name);
        line.set("HeadNum", reversal);
        line.set("Posted", false);
        line.set_moment("TranDate", group.text("TranDate"));
        for (plain, document) in [("TranAmt", "DocTranAmt"), ("WriteOffAmount", "DocWriteOffAmount")] {
            line.set_amount(plain, document, -line.number(plain));
        }
        books.enter(Id::CashDtl, line)?;
    }
    receipt::move_total(books, name, -original.number("TranAmt"))?;
    books.find(Id::CashHead, &key).cloned()
}

/// Applies more of a posted receipt to an invoice: its credit memo shrinks, the invoice too.
pub(super) fn adjust(books: &mut Books, number: i64, invoice: i64, amount: i64) -> Result<(), Refusal> {
    let head = receipt::by_number(books, number);
    let head = head.ok_or_else(|| Refusal::missing("Record not found.").at("CashHead", "HeadNum"))?;
    if !head.flag("Posted") || head.flag("Reversed") || head.number("ReverseRef") != 0 {
        return Err(refused("Only posted receipts that stand can be adjusted.", "HeadNum"));
    }
    books.period(&books.today())?;
    let owed = receipt::payable(books, invoice, head.number("CustNum"))?;
    let memo = head.number("CreditMemoNum");
    let credit =
        books.one(Id::InvcHead, memo).map_or(head.number("UnAppliedAmt"), |memo| -memo.number("UnpostedBal"));
    let (open, free) = (owed.number("UnpostedBal"), credit.min(head.number("UnAppliedAmt")));
    let amount = if amount == 0 { open.min(free) } else { amount };
    if amount <= 0 || amount > open {
        return Err(refused("Amount is more than the invoice balance.", "DocTranAmt"));
    }
    if amount > free {
        return Err(refused("Amount is more than the unapplied amount of the receipt.", "DocTranAmt"));
    }
    invoice::settle(books, invoice, -amount, -amount)?;
    if memo != 0 {
        invoice::settle(books, memo, amount, amount)?;
    }
    if head.text("TranType") == "Deposit" {
        move_deposit(books, head.number("OrderNum"), -amount)?;
    }
    receipt::apply(books, number, amount)?;
    add_allocation(books, &head, invoice, amount)
}

fn add_allocation(books: &mut Books, head: &Row, invoice: i64, amount: i64) -> Result<(), Refusal> {
    let key = books.key([head.text("GroupID").into(), head.number("HeadNum").into(), invoice.into()]);
    if let Some(mut line) = books.store.get(Id::CashDtl, &key).cloned() {
        let more = line.number("TranAmt") + amount;
        line.set_amount("TranAmt", "DocTranAmt", more);
        return books.keep(Id::CashDtl, line);
    }
    let mut line = books.fresh(Id::CashDtl);
    line.set("GroupID", head.text("GroupID"));
    line.set("HeadNum", head.number("HeadNum"));
    line.set("InvoiceNum", invoice);
    line.set("CustNum", head.number("CustNum"));
    line.set_moment("TranDate", &books.today());
    line.set_amount("TranAmt", "DocTranAmt", amount);
    line.set("Posted", true);
    books.enter(Id::CashDtl, line).map(|_| ())
}

/// Applies a posted credit memo to an invoice of the same customer.
pub(super) fn apply_memo(books: &mut Books, memo: i64, invoice: i64, amount: i64) -> Result<(), Refusal> {
    let refused = |message: &str, field: &str| Refusal::business(message).at("InvcHead", field);
    let credit = books.one(Id::InvcHead, memo).filter(|row| row.flag("CreditMemo"));
    let credit = credit.ok_or_else(|| refused("Credit memo is not valid.", "InvoiceNum"))?.clone();
    if !credit.flag("Posted") || !credit.flag("OpenInvoice") {
        return Err(refused("Credit memo is not posted, or not open.", "InvoiceNum"));
    }
    books.period(&books.today())?;
    let owed = receipt::payable(books, invoice, credit.number("CustNum"))?;
    let (open, free) = (owed.number("UnpostedBal"), -credit.number("UnpostedBal"));
    let amount = if amount == 0 { open.min(free) } else { amount };
    if amount <= 0 || amount > open || amount > free {
        return Err(refused("Amount is more than the open balance.", "DocInvoiceBal"));
    }
    invoice::settle(books, invoice, -amount, -amount)?;
    invoice::settle(books, memo, amount, amount)
}

/// Posts an invoice group.
pub(super) fn invoices(books: &mut Books, name: &str) -> Result<(), Refusal> {
    let group = open(books, Id::InvcGrp, name)?;
    for head in group::members(books, Id::InvcGrp, name) {
        post_invoice(books, head)?;
    }
    books.store.remove(Id::InvcGrp, &group.key(Id::InvcGrp.table()));
    Ok(())
}

fn post_invoice(books: &mut Books, mut head: Row) -> Result<(), Refusal> {
    let (number, customer) = (head.number("InvoiceNum"), head.number("CustNum"));
    let refused = |message: String| Refusal::business(message).at("InvcHead", "InvoiceNum");
    if invoice::lines(books, number).is_empty() {
        return Err(refused(format!("Invoice {number} has no lines.")));
    }
    let (amount, tax) = (head.number("InvoiceAmt"), head.number("TaxAmt"));
    if head.flag("CreditMemo") != (amount < 0) {
        return Err(refused(format!("The total of invoice {number} does not fit its kind.")));
    }
    let day = head.text("ApplyDate").to_owned();
    books.period(&day)?;
    let lines = [(ledger::RECEIVABLES, amount), (ledger::TAX, -tax), (ledger::REVENUE, tax - amount)];
    ledger::write(books, &Source { day: &day, kind: "SJ", number, customer }, &lines)?;
    head.set("Posted", true);
    head.set("OpenInvoice", amount != 0);
    let key = head.key(Id::InvcHead.table());
    books.keep(Id::InvcHead, head)?;
    books.tell("invoice.posted", Id::InvcHead, &key);
    Ok(())
}
