//! A sales order, and its hold.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;
use suture_core::currency::Currency;

use super::fields::{self, Checked, problem};

/// How many lines an order may have.
const LINES_MAX: usize = 200;
/// How many custom fields an order may have.
const CUSTOM_MAX: usize = 30;

/// An order whose total is the sum of its lines, tax and shipping.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalesOrder {
    /// Our reference.
    pub reference: String,
    /// The ERP's number of the customer.
    pub customer_number: i64,
    /// The currency of every amount here.
    pub currency: Currency,
    /// The day of the order.
    pub order_date: LocalDate,
    /// What was ordered.
    pub lines: Vec<OrderLine>,
    /// All tax, in minor units.
    #[serde(default)]
    pub tax_minor: i64,
    /// All shipping, in minor units.
    #[serde(default)]
    pub shipping_minor: i64,
    /// What was paid or is to be paid, in minor units.
    pub total_minor: i64,
    /// The ERP's code of the way of shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_via: Option<String>,
    /// The customer's purchase order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub po: Option<String>,
    /// Whether the order begins on hold.
    #[serde(default)]
    pub hold: bool,
    /// Why it is on hold. Needed with `hold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_reason: Option<String>,
    /// The ERP's user-defined fields by name: text, whole numbers, truth values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, serde_json::Value>,
}

/// One line of an order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// Our or the gateway's product, for messages and for the table that maps it to a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The ERP's part.
    pub part: String,
    /// What the line says, instead of the part's own text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many, as decimal text.
    pub quantity: String,
    /// The price of one, in minor units.
    pub unit_price_minor: i64,
}

impl OrderLine {
    /// Quantity times price in whole minor units; `None` when it is not whole.
    #[must_use]
    pub fn extended_minor(&self) -> Option<i64> {
        fields::extended(&self.quantity, self.unit_price_minor)
    }
}

impl SalesOrder {
    pub(super) fn check(&self) -> Checked {
        fields::number("customer_number", self.customer_number)?;
        fields::check(!self.lines.is_empty(), "lines", "are empty; an order has at least one line")?;
        fields::check(self.lines.len() <= LINES_MAX, "lines", "are more than 200; split the order")?;
        fields::check(self.tax_minor >= 0, "tax_minor", "must not be negative")?;
        fields::check(self.shipping_minor >= 0, "shipping_minor", "must not be negative")?;
        let mut sum = self.tax_minor.checked_add(self.shipping_minor);
        for (at, line) in self.lines.iter().enumerate() {
            let extended = check_line(at, line)?;
            sum = sum.and_then(|sum| sum.checked_add(extended));
        }
        let sum = sum.ok_or_else(|| problem("total_minor", "is too large"))?;
        if sum != self.total_minor {
            let says = format!(
                "is {}, but lines, tax and shipping add up to {sum}; correct the mapping of the order",
                self.total_minor
            );
            return Err(problem("total_minor", says));
        }
        fields::optional_code("ship_via", self.ship_via.as_ref(), 8)?;
        fields::optional_text("po", self.po.as_ref(), 50)?;
        fields::optional_text("hold_reason", self.hold_reason.as_ref(), 200)?;
        fields::check(
            self.hold == self.hold_reason.is_some(),
            "hold_reason",
            "is told with a hold, and only then",
        )?;
        self.check_custom()
    }

    fn check_custom(&self) -> Checked {
        fields::check(self.custom.len() <= CUSTOM_MAX, "custom", "has more than 30 fields")?;
        for (name, value) in &self.custom {
            let field = format!("custom.{name}");
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            fields::check(
                plain && name.ends_with("_c") && name.len() <= 50,
                &field,
                "is not a user-defined field: letters and digits, ending in _c",
            )?;
            let fits = match value {
                serde_json::Value::String(text) => text.chars().count() <= 1000,
                serde_json::Value::Number(number) => number.is_i64(),
                serde_json::Value::Bool(_) => true,
                serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => false,
            };
            fields::check(fits, &field, "must be text, a whole number, true or false")?;
        }
        Ok(())
    }
}

fn check_line(at: usize, line: &OrderLine) -> Result<i64, fields::DocumentProblem> {
    let field = |name: &str| format!("lines[{at}].{name}");
    fields::code(&field("part"), &line.part, 50)?;
    fields::optional_text(&field("description"), line.description.as_ref(), 1000)?;
    fields::check(line.unit_price_minor >= 0, &field("unit_price_minor"), "must not be negative")?;
    line.extended_minor().ok_or_else(|| {
        problem(
            field("quantity"),
            "must be a positive decimal number, and with the price make whole minor units; split the line otherwise",
        )
    })
}

/// Prints amounts and ids only.
impl fmt::Debug for SalesOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SalesOrder")
            .field("reference", &self.reference)
            .field("customer_number", &self.customer_number)
            .field("currency", &self.currency)
            .field("lines", &self.lines.len())
            .field("total_minor", &self.total_minor)
            .field("hold", &self.hold)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OrderLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderLine")
            .field("part", &self.part)
            .field("quantity", &self.quantity)
            .field("unit_price_minor", &self.unit_price_minor)
            .finish_non_exhaustive()
    }
}

/// Puts an order on hold or releases it. Filing it twice does nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderHold {
    /// Our reference.
    pub reference: String,
    /// The ERP's number of the order.
    pub order_number: i64,
    /// On hold, or released.
    pub hold: bool,
    /// Why, for example `payment declined`.
    pub reason: String,
}

impl OrderHold {
    pub(super) fn check(&self) -> Checked {
        fields::number("order_number", self.order_number)?;
        fields::text("reason", &self.reason, 200)
    }
}
