//! Credit and debit memos: what changes a customer's balance after the invoice.

use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;
use suture_core::money::Money;

use super::fields::{self, Checked, problem};

/// How many lines a memo may have.
const LINES_MAX: usize = 200;

/// Credits an invoice, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditMemo {
    /// Our reference.
    pub reference: String,
    /// The ERP's number of the invoice that is credited.
    pub invoice_number: i64,
    /// The ERP's number of the customer.
    pub customer_number: i64,
    /// How much in all, tax included. Positive.
    #[serde(deserialize_with = "fields::read_amount")]
    pub amount: Money,
    /// The part of it that is tax, in minor units.
    #[serde(default)]
    pub tax_minor: i64,
    /// The site's reason code, mapped from the refund's reason.
    pub reason_code: String,
    /// What is credited. Empty: one line of the amount without tax.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<MemoLine>,
    /// The day of the memo.
    pub date: LocalDate,
}

/// One line of a memo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoLine {
    /// The ERP's part, when the line is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What the line says.
    pub description: String,
    /// How many, as decimal text.
    pub quantity: String,
    /// The price of one, in minor units of the memo's currency. Positive.
    pub unit_price_minor: i64,
}

impl MemoLine {
    /// Quantity times price in whole minor units; `None` when it is not whole.
    #[must_use]
    pub fn extended_minor(&self) -> Option<i64> {
        fields::extended(&self.quantity, self.unit_price_minor)
    }
}

impl CreditMemo {
    pub(super) fn check(&self) -> Checked {
        fields::number("invoice_number", self.invoice_number)?;
        fields::number("customer_number", self.customer_number)?;
        fields::positive("amount", self.amount)?;
        fields::code("reason_code", &self.reason_code, 8)?;
        let tax_fits = (0..=self.amount.minor).contains(&self.tax_minor);
        fields::check(tax_fits, "tax_minor", "must be between zero and the amount")?;
        fields::check(self.lines.len() <= LINES_MAX, "lines", "are more than 200; split the memo")?;
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut sum = Some(self.tax_minor);
        for (at, line) in self.lines.iter().enumerate() {
            let field = |name: &str| format!("lines[{at}].{name}");
            fields::optional_code(&field("part"), line.part.as_ref(), 50)?;
            fields::text(&field("description"), &line.description, 1000)?;
            fields::check(line.unit_price_minor >= 0, &field("unit_price_minor"), "must not be negative")?;
            let extended = line.extended_minor().ok_or_else(|| {
                problem(field("quantity"), "must be a positive decimal number that makes whole minor units")
            })?;
            sum = sum.and_then(|sum| sum.checked_add(extended));
        }
        fields::check(sum == Some(self.amount.minor), "amount", "is not the sum of lines and tax")
    }
}

/// Charges a customer again, for example because a dispute was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebitMemo {
    /// Our reference.
    pub reference: String,
    /// The ERP's number of the customer.
    pub customer_number: i64,
    /// The invoice that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_number: Option<i64>,
    /// How much. Positive.
    #[serde(deserialize_with = "fields::read_amount")]
    pub amount: Money,
    /// The site's reason code.
    pub reason_code: String,
    /// The day of the memo.
    pub date: LocalDate,
}

impl DebitMemo {
    pub(super) fn check(&self) -> Checked {
        fields::number("customer_number", self.customer_number)?;
        fields::optional_number("invoice_number", self.invoice_number)?;
        fields::positive("amount", self.amount)?;
        fields::code("reason_code", &self.reason_code, 8)
    }
}
