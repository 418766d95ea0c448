//! Methods of cash groups and receipts: entering, applying, posting, reversing, adjusting (EPICOR.md §6).
//!
//! The arguments of `AdjustCashReceipt` and `ApplyCreditMemo` are inferred: EPICOR.md names the methods' services only.

use serde_json::{Value, json};

use super::books::Books;
use super::cell;
use super::customer;
use super::group;
use super::methods_of_rows::{amount, customer_fields, edit};
use super::odata::insert;
use super::post;
use super::receipt;
use super::refusal::Refusal;
use super::rpc::{Call, Known, Reply};
use super::schema::Id;
use super::sent::Manner;
use super::tableset;

/// Carries out a method, if it is one of these.
pub(super) fn call(books: &mut Books, call: &Call<'_>) -> Known {
    let known = match (call.service, call.method) {
        ("Erp.BO.CashGrpSvc", "ReceiptGroupExists") => group_exists(books, call),
        ("Erp.BO.CashGrpSvc", "GetGrpBankInfo") => bank_info(books, call),
        ("Erp.BO.CashGrpSvc", "GetGrpFiscal") => fiscal_info(books, call),
        ("Erp.BO.CashGrpSvc", "PrePostGroup") => pre_post(books, call, Id::CashGrp),
        ("Erp.BO.CashGrpSvc", "LeaveCashGrp" | "GroupUnlock") => unlock(books, call),
        ("Erp.BO.CashRecSvc", "GetNewCashHeadType") => new_receipt(books, call),
        ("Erp.BO.CashRecSvc", "GetCustomerInfo") => customer_info(books, call),
        ("Erp.BO.CashRecSvc", "GetHdrInvoiceInfo") => invoice_info(books, call),
        ("Erp.BO.CashRecSvc", "GetDtlInvoiceInfo") => line_info(books, call),
        ("Erp.BO.CashRecSvc", "GetDtlTranAmtInfo") => line_amount(call),
        ("Erp.BO.CashRecSvc", "GenerateCashDtl") => generate(books, call),
        ("Erp.PROC.CashRecPostSvc", _) => post_process(books, call, Id::CashGrp, "CashRecPostParam")?,
        ("Erp.PROC.ARInvoicePostSvc", _) => post_process(books, call, Id::InvcGrp, "ARInvoicePostParam")?,
        ("Erp.BO.ReverseCashReceiptSvc", "ReverseCashReceipt") => reverse(books, call),
        ("Erp.BO.CashReceiptAdjustmentSvc", "AdjustCashReceipt") => adjust(books, call),
        ("Erp.BO.ApplyCreditMemoSvc", "ApplyCreditMemo") => apply_memo(books, call),
        _ => return None,
    };
    Some(known)
}

fn group_exists(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let exists = books.one(Id::CashGrp, call.text("groupID")?).is_some();
    Ok(Reply::of(exists.to_string()))
}

fn bank_info(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    for row in tableset::edited(&mut ds, Id::CashGrp) {
        let bank = row["BankAcctID"].as_str().unwrap_or_default();
        if !books.settings.banks.contains(bank) {
            return Err(Refusal::business("Bank Account is not valid.").at("CashGrp", "BankAcctID"));
        }
    }
    Ok(Reply::tableset(&ds))
}

fn fiscal_info(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    for row in tableset::edited(&mut ds, Id::CashGrp) {
        let (year, period) = books.period(row["TranDate"].as_str().unwrap_or_default())?;
        row["FiscalYear"] = json!(year);
        row["FiscalPeriod"] = json!(period);
    }
    Ok(Reply::tableset(&ds))
}

/// Asks what would have to be decided before posting: nothing here, unless it cannot be posted at all.
pub(super) fn pre_post(books: &Books, call: &Call<'_>, id: Id) -> Result<Reply, Refusal> {
    let name = call.text("groupID")?;
    let row = group::open(books, id, name)?;
    books.period(row.text(group::day_column(id)))?;
    Ok(Reply::nothing().with("vQuestion", "\"\"").with("vTaxQuestion", "\"\"").with("lnMessage", "\"\""))
}

fn unlock(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let name = call.text("groupID")?;
    if let Some(mut row) = books.one(Id::CashGrp, name).cloned() {
        row.set("ActiveUserID", "");
        books.keep(Id::CashGrp, row)?;
    }
    Ok(Reply::nothing())
}

fn new_receipt(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let group = group::open(books, Id::CashGrp, call.text("groupID")?)?;
    let mut row = books.fresh(Id::CashHead);
    row.set("GroupID", group.text("GroupID"));
    row.set("TranType", call.text("tranType")?);
    row.set("BankAcctID", group.text("BankAcctID"));
    row.set_moment("TranDate", group.text("TranDate"));
    row.set("FiscalYear", group.number("FiscalYear"));
    row.set("FiscalPeriod", group.number("FiscalPeriod"));
    tableset::push(&mut ds, Id::CashHead, tableset::value(&row, "A"));
    Ok(Reply::tableset(&ds))
}

fn customer_info(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let found = customer::by_id(books, call.text("custID")?);
    let found = found
        .ok_or_else(|| Refusal::business("A valid Customer ID is required.").at("CashHead", "CustID"))?;
    if !found.flag("ValidPayer") {
        return Err(Refusal::business("Customer is not a valid payer.").at("CashHead", "CustNum"));
    }
    lay_customer(&mut ds, found);
    Ok(Reply::tableset(&ds))
}

fn lay_customer(ds: &mut Value, customer: &super::row::Row) {
    let fields = customer_fields(customer, "CustID");
    let fields: Vec<(&str, Value)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    edit(ds, Id::CashHead, &fields);
}

fn invoice_info(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let invoice =
        books.one(Id::InvcHead, call.number("invoiceNum")?).filter(|invoice| invoice.flag("Posted"));
    let customer = invoice.and_then(|invoice| books.one(Id::Customer, invoice.number("CustNum")));
    let customer =
        customer.ok_or_else(|| Refusal::business("Invoice is not valid.").at("CashHead", "InvoiceNum"))?;
    lay_customer(&mut ds, customer);
    Ok(Reply::tableset(&ds))
}

fn line_info(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    for row in tableset::edited(&mut ds, Id::CashDtl) {
        let head = receipt::by_number(books, row["HeadNum"].as_i64().unwrap_or(0));
        let head = head.ok_or_else(|| Refusal::business("Receipt is not valid.").at("CashDtl", "HeadNum"))?;
        let invoice =
            receipt::payable(books, row["InvoiceNum"].as_i64().unwrap_or(0), head.number("CustNum"))?;
        let due = amount(invoice.number("UnpostedBal").min(head.number("UnAppliedAmt")));
        row["TranAmt"] = due.clone();
        row["DocTranAmt"] = due;
    }
    Ok(Reply::tableset(&ds))
}

fn line_amount(call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let (paid, off) = (amount(call.amount("docTranAmt")?), amount(call.amount("docWriteOffAmount")?));
    let values = [
        ("TranAmt", paid.clone()),
        ("DocTranAmt", paid),
        ("WriteOffAmount", off.clone()),
        ("DocWriteOffAmount", off),
    ];
    edit(&mut ds, Id::CashDtl, &values);
    Ok(Reply::tableset(&ds))
}

/// Applies a receipt to an invoice in one step: as much as both allow.
fn generate(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let (group, number) = (call.text("groupID")?, call.number("headNum")?);
    let line = json!({ "GroupID": group, "HeadNum": number, "InvoiceNum": call.number("invoiceNum")? });
    if let Some(object) = line.as_object() {
        insert(books, Id::CashDtl, object, Manner::Strict)?;
    }
    show(books, number)
}

/// A receipt as a tableset.
fn show(books: &Books, number: i64) -> Result<Reply, Refusal> {
    let head = receipt::by_number(books, number);
    let head = head.ok_or_else(|| Refusal::missing("Record not found.").at("CashHead", "HeadNum"))?;
    let row = books.find(Id::CashHead, &head.key(Id::CashHead.table()))?;
    Ok(Reply::of(tableset::render(books, "Erp.BO.CashRecSvc", Id::CashHead, &[row])))
}

/// The posting processes: `RunDirect` posts at once, `SubmitToAgent` after a while.
fn post_process(
    books: &mut Books,
    call: &Call<'_>,
    id: Id,
    parameters: &'static str,
) -> Option<Result<Reply, Refusal>> {
    let reply = match call.method {
        "GetNewParameters" => {
            Ok(Reply::of(json!({ parameters: [{ "GroupID": "", "RowMod": "" }] }).to_string()))
        }
        "RunDirect" => group_of(call, parameters).and_then(|group| {
            let posted = match id {
                Id::CashGrp => post::cash(books, &group),
                _ => post::invoices(books, &group),
            };
            posted.map(|()| Reply::nothing())
        }),
        "SubmitToAgent" => group_of(call, parameters).and_then(|group| submit(books, id, &group)),
        _ => return None,
    };
    Some(reply)
}

fn group_of(call: &Call<'_>, parameters: &str) -> Result<String, Refusal> {
    let ds = call.ds()?;
    let group = ds[parameters][0]["GroupID"].as_str().filter(|group| !group.is_empty());
    group.map(str::to_owned).ok_or_else(|| Refusal::business("Group is required.").at(parameters, "GroupID"))
}

fn submit(books: &mut Books, id: Id, name: &str) -> Result<Reply, Refusal> {
    let mut row = group::open(books, id, name)?;
    row.set("PostInProcess", true);
    row.set("PostErrorLog", "");
    books.keep(id, row)?;
    let due = books.now_ms.saturating_add(books.settings.post_delay_ms.max(1));
    books.submitted.insert((due, id, name.to_owned()));
    Ok(Reply::nothing())
}

fn reverse(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    call.ds()?;
    let (name, number) = (call.text("groupID")?, call.number("headNum")?);
    let group = group::open(books, Id::CashGrp, name)?;
    let day = cell::moment(call.text("reverseDate")?);
    if day.as_deref() != Some(group.text("TranDate")) {
        return Err(
            Refusal::business("Reverse date must be the date of the group.").at("CashHead", "ReverseDate")
        );
    }
    let row = post::reverse(books, name, number, call.text("reversedReason")?)?;
    let row = books.find(Id::CashHead, &row.key(Id::CashHead.table()))?;
    Ok(Reply::nothing().with("ds", tableset::render(books, "Erp.BO.CashRecSvc", Id::CashHead, &[row])))
}

fn adjust(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let number = call.number("headNum")?;
    post::adjust(books, number, call.number("invoiceNum")?, call.amount("docTranAmt")?)?;
    show(books, number)
}

fn apply_memo(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let (memo, invoice) = (call.number("creditMemoNum")?, call.number("invoiceNum")?);
    post::apply_memo(books, memo, invoice, call.amount("docAmount")?)?;
    Ok(Reply::nothing())
}
