//! What people in the warehouse do: ship an order, which makes an invoice that is posted.
//!
//! Called by `control`. What must stay true: never more is shipped than was ordered, and the invoice bears the
//! prices of the order.

use super::books::Books;
use super::cell::{self, Cell};
use super::invoice;
use super::order;
use super::post;
use super::refusal::Refusal;
use super::row::Row;
use super::schema::Id;

/// A line and how much of it goes, in hundred-thousandths; `None` for all that is open.
pub(super) type Portion = (i64, Option<i64>);

/// Ships an order, wholly when no portions are named. The number of the invoice comes back.
pub(super) fn ship(
    books: &mut Books,
    number: i64,
    portions: &[Portion],
    posts: bool,
) -> Result<i64, Refusal> {
    let order = books.one(Id::OrderHed, number).ok_or_else(|| Refusal::missing("Order not found."))?.clone();
    if !order.flag("OpenOrder") {
        return Err(Refusal::business("Order is closed."));
    }
    if order.flag("OrderHeld") {
        return Err(Refusal::business("Order is on hold."));
    }
    let customer = books.one(Id::Customer, order.number("CustNum")).ok_or_else(Refusal::internal)?;
    if customer.flag("CreditHold") {
        return Err(Refusal::business("Customer is on credit hold."));
    }
    let invoice = open_invoice(books, &order)?;
    let pack = books.next_number(Id::OrderRel, 1);
    let mut shipped = 0;
    for line in order::lines(books, number) {
        let wanted = portions.iter().find(|(at, _)| *at == line.number("OrderLine"));
        if wanted.is_none() && !portions.is_empty() {
            continue;
        }
        shipped += ship_line(books, &line, wanted.and_then(|(_, quantity)| *quantity), (invoice, pack))?;
    }
    if shipped == 0 {
        return Err(Refusal::business("There is nothing to ship."));
    }
    invoice::total(books, invoice)?;
    close(books, number)?;
    if posts {
        post::invoices(books, &format!("SH{invoice}"))?;
    }
    let key = books.key([number.into()]);
    books.tell("order.shipped", Id::OrderHed, &key);
    Ok(invoice)
}

/// A shipment's invoice belongs to a group of its own, which is gone when it is posted.
fn open_invoice(books: &mut Books, order: &Row) -> Result<i64, Refusal> {
    let (year, period) = books.period(&books.today())?;
    let number = books.next_number(Id::InvcHead, 10_001);
    let mut head = books.fresh(Id::InvcHead);
    head.set("InvoiceNum", number);
    head.set("InvoiceType", "Shp");
    head.set("GroupID", format!("SH{number}"));
    head.set("CustNum", order.number("CustNum"));
    head.set("SoldToCustID", order.text("CustomerCustID"));
    head.set("OrderNum", order.number("OrderNum"));
    head.set("PONum", order.text("PONum"));
    head.set("TermsCode", order.text("TermsCode"));
    head.set("FiscalYear", year);
    head.set("FiscalPeriod", period);
    let today = books.today();
    for name in ["InvoiceDate", "ApplyDate", "DueDate"] {
        head.set_moment(name, &today);
    }
    books.enter(Id::InvcHead, head)?;
    let mut group = books.fresh(Id::InvcGrp);
    group.set("GroupID", format!("SH{number}"));
    group.set_moment("ApplyDate", &today);
    group.set("FiscalYear", year);
    group.set("FiscalPeriod", period);
    books.enter(Id::InvcGrp, group)?;
    Ok(number)
}

/// Ships of a line what is asked for; how much it was comes back.
fn ship_line(
    books: &mut Books,
    line: &Row,
    wanted: Option<i64>,
    (invoice, pack): (i64, i64),
) -> Result<i64, Refusal> {
    let releases = order::releases(books, line);
    let open = |release: &Row| release.number("OurReqQty") - release.number("OurStockShippedQty");
    let all: i64 = releases.iter().map(open).sum();
    let mut left = wanted.unwrap_or(all);
    if left < 0 || left > all {
        return Err(Refusal::business("More cannot be shipped than is open."));
    }
    let shipped = left;
    for mut release in releases {
        let taken = open(&release).min(left);
        if taken <= 0 {
            continue;
        }
        left -= taken;
        let now = release.number("OurStockShippedQty") + taken;
        release.set("OurStockShippedQty", Cell::Decimal(now));
        release.set("OpenRelease", open(&release) > 0);
        let number = release.number("OrderRelNum");
        books.keep(Id::OrderRel, release)?;
        bill(books, line, (number, taken), (invoice, pack))?;
    }
    let mut line = line.clone();
    line.set("TotalShipped", Cell::Decimal(order::shipped(books, &line)));
    books.keep(Id::OrderDtl, line)?;
    Ok(shipped)
}

fn bill(
    books: &mut Books,
    line: &Row,
    (release, quantity): (i64, i64),
    (invoice, pack): (i64, i64),
) -> Result<(), Refusal> {
    let mut row = books.fresh(Id::InvcDtl);
    let number = books.next_line(Id::InvcDtl, ("InvoiceNum", invoice), "InvoiceLine");
    row.set("InvoiceNum", invoice);
    row.set("InvoiceLine", number);
    row.set("PackNum", pack);
    for name in ["OrderNum", "OrderLine"] {
        row.set(name, line.number(name));
    }
    row.set("OrderRelNum", release);
    for name in ["PartNum", "LineDesc", "ProdCode", "TaxCatID"] {
        row.set(name, line.text(name));
    }
    row.set("SalesCatID", "SALE");
    row.set("SellingShipQty", Cell::Decimal(quantity));
    row.set_amount("UnitPrice", "DocUnitPrice", line.number("UnitPrice"));
    let amount = cell::product_in_cents(quantity, line.number("UnitPrice"));
    row.set_amount("ExtPrice", "DocExtPrice", amount);
    let tax = order::tax_of(books, line, amount)?;
    row.set("TaxAmt", Cell::Decimal(tax));
    books.enter(Id::InvcDtl, row).map(|_| ())
}

/// Closes lines that are shipped, and the order when all are.
fn close(books: &mut Books, number: i64) -> Result<(), Refusal> {
    let mut is_open = false;
    for mut line in order::lines(books, number) {
        let open = order::releases(books, &line).iter().any(|release| release.flag("OpenRelease"));
        is_open |= open;
        if line.flag("OpenLine") != open {
            line.set("OpenLine", open);
            books.keep(Id::OrderDtl, line)?;
        }
    }
    let Some(mut order) = books.one(Id::OrderHed, number).cloned() else { return Ok(()) };
    order.set("OpenOrder", is_open);
    books.keep(Id::OrderHed, order)
}
