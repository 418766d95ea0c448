//! How the columns of one bank's CSV are read. Data, kept with the account.

use serde::{Deserialize, Serialize};

/// The order of a date's parts. The separator is whatever stands between the digits; years have four digits or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2026-01-31`, `20260131`.
    YearMonthDay,
    /// `01/31/2026`, `1/31/26`.
    MonthDayYear,
    /// `31.01.2026`.
    DayMonthYear,
}

/// Where the amount stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountColumns {
    /// One column with a sign: money in is positive.
    Signed(String),
    /// One column with a sign: money out is positive.
    Inverted(String),
    /// Two columns, both without a sign.
    Split {
        /// Money in.
        credit: String,
        /// Money out.
        debit: String,
    },
}

/// How a bank's CSV is read: names of columns as they stand in its header line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// The account's number: a CSV rarely names it.
    pub account: String,
    /// ISO code of the account's currency.
    pub currency: String,
    /// Between fields: `,` `;` or a tab.
    pub delimiter: char,
    /// Lines before the header.
    #[serde(default)]
    pub skip_lines: u32,
    /// The decimal sign, `.` or `,`. The other one groups digits.
    pub decimal: char,
    /// The order of dates.
    pub dates: DateOrder,
    /// When it was booked.
    pub booked_on: String,
    /// When it counts.
    #[serde(default)]
    pub value_on: Option<String>,
    /// How much.
    pub amount: AmountColumns,
    /// The account's balance after the line: proves that no line is missing.
    #[serde(default)]
    pub balance: Option<String>,
    /// The balance column is of the newest line first.
    #[serde(default)]
    pub newest_first: bool,
    /// What the bank wrote: these columns, joined.
    pub descriptor: Vec<String>,
    /// A reference.
    #[serde(default)]
    pub reference: Option<String>,
    /// The bank's own id of the line.
    #[serde(default)]
    pub id: Option<String>,
}
