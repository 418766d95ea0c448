//! Methods of customers, orders, invoices and journals beyond reading and updating (EPICOR.md §6 and §7).

use serde_json::{Value, json};

use super::books::Books;
use super::customer;
use super::group;
use super::invoice;
use super::journal;
use super::methods_of_cash::pre_post;
use super::methods_of_rows::{amount, customer_fields, edit};
use super::part;
use super::post;
use super::refusal::Refusal;
use super::rpc::{Call, Known, Reply};
use super::schema::Id;
use super::tableset;

/// Carries out a method, if it is one of these.
pub(super) fn call(books: &mut Books, call: &Call<'_>) -> Known {
    let known = match (call.service, call.method) {
        ("Erp.BO.CustomerSvc", "CheckDupCustomer") => check_duplicate(books, call),
        ("Erp.BO.CustomerSvc", "GetByCustID") => by_id(books, call),
        ("Erp.BO.SalesOrderSvc", "ChangeSoldToID" | "ChangeCustomer") => {
            sold_to(books, call, Id::OrderHed, "CustomerCustID")
        }
        ("Erp.BO.SalesOrderSvc", "ChangePartNumMaster" | "ChangePartNum") => change_part(books, call),
        ("Erp.BO.SalesOrderSvc", "ChangeSellingQtyMaster" | "ChangeSellingQuantity") => {
            call.ds().map(|ds| Reply::tableset(&ds))
        }
        ("Erp.BO.ARInvoiceSvc", "GetNewInvcHeadType") => new_invoice(books, call),
        ("Erp.BO.ARInvoiceSvc", "OnChangeofSoldToCustID") => {
            sold_to(books, call, Id::InvcHead, "SoldToCustID")
        }
        ("Erp.BO.ARInvoiceSvc", "OnChangeofInvoiceRef") => reference(books, call),
        ("Erp.BO.ARInvoiceSvc", "GetCancellationInvoice") => cancel(books, call),
        ("Erp.BO.InvcGrpSvc", "PrePostInvoices") => pre_post(books, call, Id::InvcGrp),
        ("Erp.BO.InvcGrpSvc", "PostInvoices") => {
            call.text("groupID").and_then(|group| post::invoices(books, group)).map(|()| Reply::nothing())
        }
        ("Erp.BO.GLJournalEntrySvc", "GetNewGlJrnHedTran") => new_journal(books, call),
        ("Erp.BO.GLJrnGrpSvc", "IsNeedAsyncronousPosting") => {
            call.text("groupID").map(|_| Reply::of("false"))
        }
        ("Erp.BO.GLJrnGrpSvc", "CheckBeforePost") => check_journals(books, call),
        ("Erp.BO.GLJrnGrpSvc", "PostGroupJournals") => {
            call.text("groupID").and_then(|group| journal::post(books, group)).map(|()| Reply::nothing())
        }
        _ => return None,
    };
    Some(known)
}

fn check_duplicate(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    if customer::by_id(books, call.text("custID")?).is_some() {
        return Err(Refusal::duplicate("Customer ID already exists.").at("Customer", "CustID"));
    }
    Ok(Reply::nothing())
}

fn by_id(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let row = customer::by_id(books, call.text("custID")?);
    let row = row.ok_or_else(|| Refusal::missing("Record not found.").at("Customer", "CustID"))?;
    Ok(Reply::of(tableset::render(books, call.service, Id::Customer, &[row])))
}

/// Fills in the customer whose id stands in the edited row, or in an argument of the same meaning.
fn sold_to(books: &Books, call: &Call<'_>, id: Id, column: &str) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let named = call.arguments().get("custID").and_then(Value::as_str).map(str::to_owned);
    let in_row = tableset::edited(&mut ds, id).find_map(|row| row[column].as_str().map(str::to_owned));
    let wanted = named.or(in_row).unwrap_or_default();
    let found = customer::by_id(books, &wanted);
    let found = found
        .ok_or_else(|| Refusal::business("A valid Customer ID is required.").at(id.table().name, column))?;
    let mut fields = customer_fields(found, column);
    fields.push(("TermsCode".to_owned(), json!(found.text("TermsCode"))));
    let fields: Vec<(&str, Value)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    edit(&mut ds, id, &fields);
    Ok(Reply::tableset(&ds))
}

fn change_part(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    for row in tableset::edited(&mut ds, Id::OrderDtl) {
        let part = part::of_line(books, Id::OrderDtl, row["PartNum"].as_str().unwrap_or_default())?;
        row["LineDesc"] = json!(part.text("PartDescription"));
        row["TaxCatID"] = json!(part.text("TaxCatID"));
        row["ProdCode"] = json!(part.text("ProdCode"));
        row["UnitPrice"] = amount(part.number("UnitPrice"));
        row["DocUnitPrice"] = amount(part.number("UnitPrice"));
    }
    Ok(Reply::tableset(&ds))
}

/// `GetNewInvcHeadType(GroupID, <type>, ds)`: EPICOR.md gives the values of the type, not the argument's name.
fn new_invoice(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let group = group::open(books, Id::InvcGrp, call.text("GroupID")?)?;
    let mut kinds = call.arguments().values().filter_map(Value::as_str);
    let kind = kinds.find(|text| matches!(*text, "MISC-BILL" | "CREDIT-MEMO" | "ADV-BILL" | "ADV-MEMO"));
    let is_memo = match kind {
        Some("MISC-BILL") => false,
        Some("CREDIT-MEMO") => true,
        _ => {
            return Err(
                Refusal::business("Invoice type must be MISC-BILL or CREDIT-MEMO.").at("InvcHead", "")
            );
        }
    };
    let mut row = books.fresh(Id::InvcHead);
    row.set("GroupID", group.text("GroupID"));
    row.set("CreditMemo", is_memo);
    for name in ["InvoiceDate", "ApplyDate"] {
        row.set_moment(name, group.text(name));
    }
    tableset::push(&mut ds, Id::InvcHead, tableset::value(&row, "A"));
    Ok(Reply::tableset(&ds))
}

fn reference(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let wanted = call.number("NewInvoiceRef")?;
    let found = books.one(Id::InvcHead, wanted);
    let found = found
        .ok_or_else(|| Refusal::business("Reference Invoice is not valid.").at("InvcHead", "InvoiceRef"))?;
    edit(
        &mut ds,
        Id::InvcHead,
        &[("InvoiceRef", json!(wanted)), ("OrderNum", json!(found.number("OrderNum")))],
    );
    Ok(Reply::tableset(&ds))
}

/// A credit memo over the whole of a posted invoice, in an open group.
fn cancel(books: &mut Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let (group, source) = (call.text("groupID")?, call.number("sourceInvoiceNum")?);
    let head = books.one(Id::InvcHead, source).filter(|head| head.flag("Posted") && !head.flag("CreditMemo"));
    let head =
        head.ok_or_else(|| Refusal::business("Invoice is not posted.").at("InvcHead", "InvoiceNum"))?.clone();
    let mut row = books.fresh(Id::InvcHead);
    row.set("GroupID", group);
    row.set("CreditMemo", true);
    row.set("InvoiceRef", source);
    row.set("CustNum", head.number("CustNum"));
    row.set("OrderNum", head.number("OrderNum"));
    row.set("Description", "Cancellation");
    let key = invoice::create(books, row)?;
    let number = books.find(Id::InvcHead, &key)?.number("InvoiceNum");
    for mut line in invoice::lines(books, source) {
        line.set("InvoiceNum", number);
        line.set("SellingShipQty", super::cell::Cell::Decimal(-line.number("SellingShipQty")));
        let (price, tax) = (-line.number("ExtPrice"), -line.number("TaxAmt"));
        line.set_amount("ExtPrice", "DocExtPrice", price);
        line.set("TaxAmt", super::cell::Cell::Decimal(tax));
        books.enter(Id::InvcDtl, line)?;
    }
    invoice::total(books, number)?;
    let row = books.find(Id::InvcHead, &key)?;
    Ok(Reply::of(tableset::render(books, call.service, Id::InvcHead, &[row])))
}

fn new_journal(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ds = call.ds()?;
    let group = group::open(books, Id::GlJrnGrp, call.text("groupID")?)?;
    let mut row = books.fresh(Id::GlJrnHed);
    row.set("GroupID", group.text("GroupID"));
    row.set("BookID", group.text("BookID"));
    row.set_moment("JEDate", group.text("JEDate"));
    tableset::push(&mut ds, Id::GlJrnHed, tableset::value(&row, "A"));
    Ok(Reply::tableset(&ds))
}

fn check_journals(books: &Books, call: &Call<'_>) -> Result<Reply, Refusal> {
    let name = call.text("groupID")?;
    group::open(books, Id::GlJrnGrp, name)?;
    match journal::objection(books, name) {
        Some(objection) => Err(Refusal::business(objection).at("GLJrnHed", "")),
        None => Ok(Reply::nothing().with("ds", "{}")),
    }
}
