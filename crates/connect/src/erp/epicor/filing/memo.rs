//! Credit and debit memos: invoices without a shipment, in the open group of their day (EPICOR.md §6.7, §7).

use serde_json::json;
use suture_core::currency::Currency;
use suture_core::money::Money;

use super::Filing;
use super::looked_up::{self, LookedUp};
use crate::erp::document::{CreditMemo, DebitMemo};
use crate::erp::epicor::rows::{Record, Row};
use crate::erp::epicor::settings::CreditBy;
use crate::erp::filing::FilingState;

/// One line before it is written.
struct Line<'a> {
    part: Option<&'a String>,
    text: String,
    quantity: &'a str,
    unit_minor: i64,
    extended_minor: i64,
    category: &'a str,
}

impl Filing<'_> {
    pub(super) fn credit_row(&self, memo: &CreditMemo, state: &FilingState) -> Row {
        let settings = &self.epicor.memos;
        let category = settings.sales_category.as_str();
        let line = |text: String, minor: i64, category| Line {
            part: None,
            text,
            quantity: "1",
            unit_minor: minor,
            extended_minor: minor,
            category,
        };
        let mut lines: Vec<Line<'_>> = memo
            .lines
            .iter()
            .map(|it| Line {
                part: it.part.as_ref(),
                text: it.description.clone(),
                quantity: &it.quantity,
                unit_minor: it.unit_price_minor,
                extended_minor: it.extended_minor().unwrap_or_default(),
                category,
            })
            .collect();
        if memo.lines.is_empty() && memo.amount.minor > memo.tax_minor {
            let text = format!("Credit {} for invoice {}", memo.reason_code, memo.invoice_number);
            lines.push(line(text, memo.amount.minor.saturating_sub(memo.tax_minor), category));
        }
        if memo.tax_minor > 0 {
            let category = settings.tax_category.as_deref().unwrap_or(category);
            lines.push(line("Tax".to_owned(), memo.tax_minor, category));
        }
        let sign = match settings.credit_by {
            CreditBy::Quantity => Sign::Quantity,
            CreditBy::Price => Sign::Price,
        };
        let rows: Vec<Row> =
            lines.iter().map(|line| self.memo_line(line, memo.amount.currency, sign)).collect();
        self.memo_head(state, memo.customer_number, memo.amount.currency, &memo.reference)
            .with("CreditMemo", &true)
            .with("InvoiceRef", &memo.invoice_number)
            .maybe(
                settings.reason_field.as_deref().unwrap_or_default(),
                reason(settings.reason_field.as_ref(), &memo.reason_code),
            )
            .amount("DocInvoiceAmt", memo.amount.minor.saturating_neg(), memo.amount.currency)
            .with("InvcDtls", &rows)
    }

    pub(super) fn debit_row(&self, memo: &DebitMemo, state: &FilingState) -> Row {
        let settings = &self.epicor.memos;
        let text = match memo.invoice_number {
            Some(invoice) => format!("Debit {} for invoice {invoice}", memo.reason_code),
            None => format!("Debit {}", memo.reason_code),
        };
        let line = Line {
            part: None,
            text,
            quantity: "1",
            unit_minor: memo.amount.minor,
            extended_minor: memo.amount.minor,
            category: &settings.sales_category,
        };
        let rows = [self.memo_line(&line, memo.amount.currency, Sign::None)];
        self.memo_head(state, memo.customer_number, memo.amount.currency, &memo.reference)
            .with("CreditMemo", &false)
            .maybe("InvoiceRef", memo.invoice_number.as_ref())
            .maybe(
                settings.reason_field.as_deref().unwrap_or_default(),
                reason(settings.reason_field.as_ref(), &memo.reason_code),
            )
            .amount("DocInvoiceAmt", memo.amount.minor, memo.amount.currency)
            .with("InvcDtls", &rows)
    }

    fn memo_head(&self, state: &FilingState, customer: i64, currency: Currency, reference: &str) -> Row {
        let row = match self.place_of(state) {
            Some(place) => Row::new()
                .with("Company", &self.epicor.company)
                .with("GroupID", &place.group)
                .date("InvoiceDate", place.date)
                .date("ApplyDate", place.date),
            None => Row::new(),
        };
        row.with("InvoiceType", &self.epicor.memos.invoice_type)
            .with("CustNum", &customer)
            .with("SoldToCustNum", &customer)
            .with("CurrencyCode", &currency.code())
            .with(&self.epicor.references.invoice, &reference)
    }

    fn memo_line(&self, line: &Line<'_>, currency: Currency, sign: Sign) -> Row {
        let negative = |minor: i64| minor.saturating_neg();
        let (quantity, unit, extended) = match sign {
            Sign::None => (line.quantity.to_owned(), line.unit_minor, line.extended_minor),
            Sign::Quantity => (format!("-{}", line.quantity), line.unit_minor, negative(line.extended_minor)),
            Sign::Price => {
                (line.quantity.to_owned(), negative(line.unit_minor), negative(line.extended_minor))
            }
        };
        Row::new()
            .with("Company", &self.epicor.company)
            .maybe("PartNum", line.part)
            .with("LineDesc", &line.text)
            .number("SellingShipQty", &quantity)
            .amount("DocUnitPrice", unit, currency)
            .amount("DocExtPrice", extended, currency)
            .with("SalesCatID", &line.category)
    }

    pub(super) fn credit_there(&self, memo: &CreditMemo, row: &Record) -> Option<LookedUp> {
        self.memo_there(memo.amount, memo.customer_number, memo.date, row)
    }

    pub(super) fn debit_there(&self, memo: &DebitMemo, row: &Record) -> Option<LookedUp> {
        self.memo_there(memo.amount, memo.customer_number, memo.date, row)
    }

    fn memo_there(
        &self,
        amount: Money,
        customer: i64,
        date: suture_core::calendar::LocalDate,
        row: &Record,
    ) -> Option<LookedUp> {
        let number = row.key("InvoiceNum")?;
        if row.key("CustNum").is_some_and(|theirs| theirs != customer) {
            return Some(looked_up::other_customer());
        }
        // Zero: Epicor has not added it up yet.
        let told = row.amount("DocInvoiceAmt", amount.currency).filter(|theirs| theirs.minor != 0);
        if let Some(theirs) = told.filter(|theirs| theirs.minor.checked_abs() != Some(amount.minor)) {
            return Some(looked_up::other_amount(amount, theirs));
        }
        let mut result = self.in_group(date, row, "ApplyDate")?;
        result.as_object_mut()?.insert("invoice_number".to_owned(), json!(number));
        Some(LookedUp::There(result))
    }
}

#[derive(Clone, Copy)]
enum Sign {
    None,
    Quantity,
    Price,
}

fn reason<'a>(field: Option<&String>, code: &'a String) -> Option<&'a String> {
    field.map(|_| code)
}
