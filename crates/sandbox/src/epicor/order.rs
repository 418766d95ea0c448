//! Sales orders: heads, lines, releases and their totals (EPICOR.md §7).
//!
//! What must stay true: totals follow the lines; what was shipped is neither changed nor deleted; tax is in the
//! totals only after ReadyToCalc.

use super::books::{Books, pair};
use super::cell::{self, Cell};
use super::customer;
use super::part;
use super::refusal::Refusal;
use super::row::{Fields, Key, Row};
use super::schema::Id;

/// What new rows of an order begin with.
pub(super) fn defaults(books: &Books, row: &mut Row) {
    if row.cell("OpenOrder").is_some() {
        row.set("OpenOrder", true);
        row.set_moment("OrderDate", &books.today());
        row.set("CurrencyCode", books.settings.currency.clone());
        row.set("Plant", books.plant.clone());
    }
    if row.cell("OpenLine").is_some() {
        row.set("OpenLine", true);
        row.set("SalesUM", "EA");
    }
}

/// Adds an order without lines.
pub(super) fn create(books: &mut Books, mut row: Row) -> Result<Key, Refusal> {
    let customer = customer::of_document(books, Id::OrderHed, &row, "CustomerCustID")?;
    if !customer.flag("ValidSoldTo") {
        return Err(Refusal::business("Customer is not a valid Sold To customer.").at("OrderHed", "CustNum"));
    }
    row.set("CustNum", customer.number("CustNum"));
    for name in ["CustomerCustID", "BTCustID"] {
        row.set(name, customer.text("CustID"));
    }
    if row.text("TermsCode").is_empty() {
        row.set("TermsCode", customer.text("TermsCode"));
    }
    if row.text("ShipViaCode").is_empty() {
        row.set("ShipViaCode", customer.text("ShipViaCode"));
    }
    check(books, &row)?;
    let number = books.next_number(Id::OrderHed, 5_001);
    row.set("OrderNum", number);
    let key = books.enter(Id::OrderHed, row)?;
    books.tell("order.created", Id::OrderHed, &key);
    Ok(key)
}

fn check(books: &Books, row: &Row) -> Result<(), Refusal> {
    books.check_currency(Id::OrderHed, row)?;
    let address = row.text("ShipToNum");
    let known = books.key([row.number("CustNum").into(), address.into()]);
    if !address.is_empty() && books.store.get(Id::ShipTo, &known).is_none() {
        return Err(Refusal::business("Ship To is not valid.").at("OrderHed", "ShipToNum"));
    }
    Ok(())
}

/// Changes an order's head.
pub(super) fn change(books: &mut Books, before: &Row, row: Row) -> Result<(), Refusal> {
    if !before.flag("OpenOrder") {
        return Err(Refusal::business("Order is closed.").at("OrderHed", "OrderNum"));
    }
    if row.number("CustNum") != before.number("CustNum")
        || row.text("CustomerCustID") != before.text("CustomerCustID")
    {
        return Err(
            Refusal::business("The customer of an order cannot be changed.").at("OrderHed", "CustNum")
        );
    }
    check(books, &row)?;
    let key = row.key(Id::OrderHed.table());
    books.keep(Id::OrderHed, row)?;
    total(books, before.number("OrderNum"))?;
    books.tell("order.changed", Id::OrderHed, &key);
    Ok(())
}

/// Deletes an order that nothing was shipped of.
pub(super) fn delete(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    let number = row.number("OrderNum");
    if lines(books, number).iter().any(|line| shipped(books, line) > 0) {
        return Err(Refusal::business("Order cannot be deleted: shipments exist.").at("OrderHed", "OrderNum"));
    }
    for line in lines(books, number) {
        remove_line(books, &line);
    }
    books.store.remove(Id::OrderHed, &row.key(Id::OrderHed.table()));
    Ok(())
}

/// Adds a line with one release.
pub(super) fn create_line(books: &mut Books, mut row: Row, fields: &Fields) -> Result<Key, Refusal> {
    let order = head_of(books, &row)?;
    let part = part::of_line(books, Id::OrderDtl, row.text("PartNum"))?;
    for (name, from) in [("LineDesc", "PartDescription"), ("TaxCatID", "TaxCatID"), ("ProdCode", "ProdCode")]
    {
        if row.text(name).is_empty() {
            row.set(name, part.text(from));
        }
    }
    pair(&mut row, fields, "OrderQty", "SellingQuantity")?;
    pair(&mut row, fields, "UnitPrice", "DocUnitPrice")?;
    if !fields.contains_key("UnitPrice") && !fields.contains_key("DocUnitPrice") {
        row.set_amount("UnitPrice", "DocUnitPrice", part.number("UnitPrice"));
    }
    let number = order.number("OrderNum");
    let line = books.next_line(Id::OrderDtl, ("OrderNum", number), "OrderLine");
    row.set("OrderLine", line);
    price(books, &order, &mut row)?;
    let mut release = books.fresh(Id::OrderRel);
    release.set("OrderNum", number);
    release.set("OrderLine", line);
    release.set("OrderRelNum", 1);
    release.set("ShipToNum", order.text("ShipToNum"));
    release.set("Plant", order.text("Plant"));
    release.set_moment("ReqDate", order.text("NeedByDate"));
    release.set("OurReqQty", Cell::Decimal(row.number("SellingQuantity")));
    release.set("OpenRelease", true);
    let key = books.enter(Id::OrderDtl, row)?;
    books.enter(Id::OrderRel, release)?;
    total(books, number)?;
    Ok(key)
}

/// Changes a line; not below what was shipped.
pub(super) fn change_line(
    books: &mut Books,
    before: &Row,
    mut row: Row,
    fields: &Fields,
) -> Result<(), Refusal> {
    let order = head_of(books, &row)?;
    part::of_line(books, Id::OrderDtl, row.text("PartNum"))?;
    pair(&mut row, fields, "OrderQty", "SellingQuantity")?;
    pair(&mut row, fields, "UnitPrice", "DocUnitPrice")?;
    if !before.flag("OpenLine") {
        return Err(Refusal::business("Line is closed.").at("OrderDtl", "OrderLine"));
    }
    if row.number("SellingQuantity") < shipped(books, before) {
        return Err(
            Refusal::business("Quantity is less than what was shipped.").at("OrderDtl", "SellingQuantity")
        );
    }
    price(books, &order, &mut row)?;
    if let Some(mut release) = releases(books, before).into_iter().next_back() {
        let change = row.number("SellingQuantity") - before.number("SellingQuantity");
        release.set("OurReqQty", Cell::Decimal(release.number("OurReqQty") + change));
        books.keep(Id::OrderRel, release)?;
    }
    books.keep(Id::OrderDtl, row)?;
    total(books, order.number("OrderNum"))
}

/// Deletes a line that nothing was shipped of.
pub(super) fn delete_line(books: &mut Books, row: &Row) -> Result<(), Refusal> {
    if shipped(books, row) > 0 {
        return Err(Refusal::business("Line cannot be deleted: shipments exist.").at("OrderDtl", "OrderLine"));
    }
    remove_line(books, row);
    total(books, row.number("OrderNum"))
}

/// Changes a release: its date and where it goes.
pub(super) fn change_release(books: &mut Books, row: Row) -> Result<(), Refusal> {
    if !row.flag("OpenRelease") {
        return Err(Refusal::business("Release is closed.").at("OrderRel", "OrderRelNum"));
    }
    books.keep(Id::OrderRel, row)
}

fn remove_line(books: &mut Books, line: &Row) {
    for release in releases(books, line) {
        books.store.remove(Id::OrderRel, &release.key(Id::OrderRel.table()));
    }
    books.store.remove(Id::OrderDtl, &line.key(Id::OrderDtl.table()));
}

fn head_of(books: &Books, row: &Row) -> Result<Row, Refusal> {
    let order = books.one(Id::OrderHed, row.number("OrderNum"));
    let order = order.ok_or_else(|| Refusal::business("Order is not valid.").at("OrderDtl", "OrderNum"))?;
    if order.flag("OpenOrder") {
        return Ok(order.clone());
    }
    Err(Refusal::business("Order is closed.").at("OrderDtl", "OrderNum"))
}

fn price(books: &Books, order: &Row, row: &mut Row) -> Result<(), Refusal> {
    if row.number("SellingQuantity") <= 0 {
        return Err(
            Refusal::business("Quantity must be greater than zero.").at("OrderDtl", "SellingQuantity")
        );
    }
    if row.number("UnitPrice") < 0 {
        return Err(Refusal::business("Unit Price may not be negative.").at("OrderDtl", "DocUnitPrice"));
    }
    let amount = cell::product_in_cents(row.number("SellingQuantity"), row.number("UnitPrice"));
    row.set_amount("ExtPriceDtl", "DocExtPriceDtl", amount);
    let tax = if order.flag("ReadyToCalc") { tax_of(books, row, amount)? } else { 0 };
    row.set("TaxAmt", Cell::Decimal(tax));
    Ok(())
}

/// The tax on an amount of a line, in whole cents.
pub(super) fn tax_of(books: &Books, row: &Row, amount: i64) -> Result<i64, Refusal> {
    let category = row.text("TaxCatID");
    if category.is_empty() {
        return Ok(0);
    }
    let rate = books.settings.tax_rates.get(category);
    let rate = rate.ok_or_else(|| Refusal::business("Tax Category is not valid.").at("", "TaxCatID"))?;
    Ok(cell::product_in_cents(amount, *rate))
}

/// Lines of an order.
pub(super) fn lines(books: &Books, number: i64) -> Vec<Row> {
    books.store.with(Id::OrderDtl, "OrderNum", &number.into()).cloned().collect()
}

/// Releases of a line.
pub(super) fn releases(books: &Books, line: &Row) -> Vec<Row> {
    let number = Cell::Whole(line.number("OrderNum"));
    let of_order = books.store.with(Id::OrderRel, "OrderNum", &number);
    of_order.filter(|release| release.number("OrderLine") == line.number("OrderLine")).cloned().collect()
}

/// What was shipped of a line, in hundred-thousandths.
pub(super) fn shipped(books: &Books, line: &Row) -> i64 {
    releases(books, line).iter().map(|release| release.number("OurStockShippedQty")).sum()
}

/// Adds up an order.
pub(super) fn total(books: &mut Books, number: i64) -> Result<(), Refusal> {
    let Some(mut order) = books.one(Id::OrderHed, number).cloned() else { return Ok(()) };
    let mut lines = lines(books, number);
    for line in &mut lines {
        let before = line.number("TaxAmt");
        if line.flag("OpenLine") {
            price(books, &order, line)?;
        }
        if line.number("TaxAmt") != before {
            books.keep(Id::OrderDtl, line.clone())?;
        }
    }
    let charges = lines.iter().map(|line| line.number("ExtPriceDtl")).sum::<i64>();
    let tax = lines.iter().map(|line| line.number("TaxAmt")).sum::<i64>();
    order.set("TotalLines", i64::try_from(lines.len()).unwrap_or(i64::MAX));
    order.set_amount("TotalCharges", "DocTotalCharges", charges);
    order.set_amount("TotalTax", "DocTotalTax", tax);
    order.set_amount("OrderAmt", "DocOrderAmt", charges.saturating_add(tax));
    books.keep(Id::OrderHed, order)
}
