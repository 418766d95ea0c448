//! Sales orders and their holds (EPICOR.md §7).

use serde_json::{Value, json};
use suture_core::currency::Currency;
use suture_core::money::Money;

use super::Filing;
use super::looked_up::{self, LookedUp};
use crate::erp::document::{OrderHold, SalesOrder};
use crate::erp::epicor::call::ORDERS;
use crate::erp::epicor::rows::{Record, Row};
use crate::erp::epicor::settings::Charge;
use crate::erp::filing::Change;
use crate::http::HttpRequest;
use crate::outcome::{Failure, Retry};

impl Filing<'_> {
    pub(super) fn order_row(&self, order: &SalesOrder) -> Row {
        let settings = &self.epicor.orders;
        let mut row = Row::new()
            .with("Company", &self.epicor.company)
            .with("CustNum", &order.customer_number)
            .date("OrderDate", order.order_date)
            .with("CurrencyCode", &order.currency.code())
            .with(&self.epicor.references.order, &order.reference)
            .maybe("PONum", order.po.as_ref().filter(|_| self.epicor.references.order != "PONum"))
            .maybe("ShipViaCode", order.ship_via.as_ref());
        if order.hold {
            row = row.with(&settings.held_field, &true);
            row = reason(row, settings.hold_reason_field.as_ref(), order.hold_reason.as_ref());
        }
        if settings.ready_to_calculate {
            row = row.with("ReadyToCalc", &true);
        }
        let mut lines: Vec<Row> =
            order.lines.iter().map(|line| self.order_line(line, order.currency)).collect();
        let mut charges = Vec::new();
        let extra =
            [("Tax", &settings.tax, order.tax_minor), ("Shipping", &settings.shipping, order.shipping_minor)];
        for (name, charge, minor) in extra.into_iter().filter(|(_, _, minor)| *minor > 0) {
            match charge {
                Charge::Calculated => {}
                Charge::Miscellaneous(code) => {
                    charges.push(self.charge(name, code, minor, order.currency));
                }
                Charge::Part(part) => {
                    lines.push(self.part_line(part, Some(name), "1", minor, order.currency));
                }
                Charge::Field(field) => row = row.amount(field, minor, order.currency),
            }
        }
        for (name, value) in &order.custom {
            if !row.has(name) {
                row = row.with(name, value);
            }
        }
        let row = row.with("OrderDtls", &lines);
        if charges.is_empty() { row } else { row.with("OHOrderMscs", &charges) }
    }

    fn order_line(&self, line: &crate::erp::document::OrderLine, currency: Currency) -> Row {
        self.part_line(
            &line.part,
            line.description.as_deref(),
            &line.quantity,
            line.unit_price_minor,
            currency,
        )
    }

    /// The price is ours: without the two flags Epicor would take its price list's.
    fn part_line(
        &self,
        part: &str,
        text: Option<&str>,
        quantity: &str,
        minor: i64,
        currency: Currency,
    ) -> Row {
        Row::new()
            .with("Company", &self.epicor.company)
            .with("PartNum", &part)
            .maybe("LineDesc", text.as_ref())
            .number("SellingQuantity", quantity)
            .amount("DocUnitPrice", minor, currency)
            .with("LockPrice", &true)
            .with("OverridePriceList", &true)
    }

    fn charge(&self, name: &str, code: &str, minor: i64, currency: Currency) -> Row {
        Row::new()
            .with("Company", &self.epicor.company)
            .with("MiscCode", &code)
            .with("Description", &name)
            .amount("DocMiscAmt", minor, currency)
    }

    /// The order that a row tells of; `None` when the row cannot be read.
    pub(super) fn order_there(&self, order: &SalesOrder, row: &Record) -> Option<LookedUp> {
        let number = row.key("OrderNum")?;
        if row.key("CustNum").is_some_and(|theirs| theirs != order.customer_number) {
            return Some(looked_up::other_customer());
        }
        let lines = row.rows("OrderDtls").map(|lines| lines.len());
        if lines.is_some_and(|lines| lines > 0 && lines < order.lines.len()) {
            return Some(LookedUp::Different(lines_missing(number)));
        }
        let total =
            self.epicor.orders.total_field.as_ref().and_then(|field| row.amount(field, order.currency));
        // Zero: Epicor has not calculated it yet.
        let told = total.filter(|total| total.minor != 0);
        if let Some(theirs) = told.filter(|theirs| !is_total(order, theirs.minor)) {
            return Some(LookedUp::Different(other_total(number, order, theirs)));
        }
        Some(LookedUp::There(json!({"order_number": number, "held": order.hold})))
    }

    pub(super) fn hold_found(&self, hold: &OrderHold, row: Option<&Record>) -> LookedUp {
        match row {
            None => {
                let message = "Epicor does not have an order with this number, and nothing was changed. Correct the \
                               link, then send again.";
                looked_up::refused("erp_not_found", message, "OrderNum", hold.order_number.to_string())
            }
            Some(row) if row.flag(&self.epicor.orders.held_field) == Some(hold.hold) => self.hold_there(hold),
            Some(_) => LookedUp::Change(Change::Set),
        }
    }

    pub(super) fn hold_write(&self, hold: &OrderHold) -> HttpRequest {
        let settings = &self.epicor.orders;
        let row = Row::new().with(&settings.held_field, &hold.hold);
        let row = reason(row, settings.hold_reason_field.as_ref(), Some(&hold.reason));
        self.caller().patch(ORDERS, &hold.order_number.to_string(), &row)
    }

    pub(super) fn hold_there(&self, hold: &OrderHold) -> LookedUp {
        LookedUp::There(hold_result(hold))
    }
}

fn hold_result(hold: &OrderHold) -> Value {
    json!({"order_number": hold.order_number, "held": hold.hold})
}

fn reason(row: Row, field: Option<&String>, reason: Option<&String>) -> Row {
    match field {
        Some(field) => row.maybe(field, reason),
        None => row,
    }
}

/// Sites differ in whether the order's total holds tax and charges, so each of these is ours; anything else is not.
fn is_total(order: &SalesOrder, theirs: i64) -> bool {
    let (tax, shipping) = (order.tax_minor, order.shipping_minor);
    [0, tax, shipping, tax.saturating_add(shipping)]
        .into_iter()
        .any(|left_out| order.total_minor.saturating_sub(left_out) == theirs)
}

fn other_total(number: i64, order: &SalesOrder, theirs: Money) -> Failure {
    let ours = Money::new(order.total_minor, order.currency);
    let message = format!(
        "Epicor has made order {number}, but with a total of {theirs} instead of {ours}. A person must correct it in \
         Epicor; nothing more is sent for it."
    );
    Failure::new("erp_other_total", message, Retry::Never)
}

fn lines_missing(number: i64) -> Failure {
    let message = format!(
        "Epicor has order {number} with our reference, but lines are missing. A person must complete or delete it in \
         Epicor; nothing more is sent for it."
    );
    Failure::new("erp_lines_missing", message, Retry::Never)
}
