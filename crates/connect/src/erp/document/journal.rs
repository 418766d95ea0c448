//! A balanced entry of the general ledger.

use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;
use suture_core::currency::Currency;
use suture_core::money::Money;

use super::fields::{self, Checked};

/// How many lines a journal may have.
const LINES_MAX: usize = 500;

/// A journal. Its debits are its credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// Our reference.
    pub reference: String,
    /// The day on which it is booked.
    pub date: LocalDate,
    /// What it is about, for example `payout po_1`.
    pub description: String,
    /// The currency of every line.
    pub currency: Currency,
    /// The lines.
    pub lines: Vec<JournalLine>,
}

/// One line: a debit or a credit, never both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalLine {
    /// The ERP's account, with its segments as the ERP writes them.
    pub account: String,
    /// The debit in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debit_minor: Option<i64>,
    /// The credit in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_minor: Option<i64>,
}

impl Journal {
    pub(super) fn check(&self) -> Checked {
        fields::text("description", &self.description, 30)?;
        fields::check(
            (2..=LINES_MAX).contains(&self.lines.len()),
            "lines",
            "must be 2 to 500: a debit needs a credit",
        )?;
        for (at, line) in self.lines.iter().enumerate() {
            let field = |name: &str| format!("lines[{at}].{name}");
            fields::code(&field("account"), &line.account, 200)?;
            let one_side = match (line.debit_minor, line.credit_minor) {
                (Some(amount), None) | (None, Some(amount)) => amount > 0,
                (Some(_), Some(_)) | (None, None) => false,
            };
            fields::check(
                one_side,
                &field("debit_minor"),
                "or credit_minor must be given, one of them, above zero",
            )?;
        }
        let (debits, credits) = (self.total(|line| line.debit_minor), self.total(|line| line.credit_minor));
        fields::check(
            debits.is_some() && debits == credits,
            "lines",
            "do not balance: the debits are not the credits",
        )
    }

    /// The sum of the debits; `None` when it does not fit.
    #[must_use]
    pub fn sum(&self) -> Option<Money> {
        self.total(|line| line.debit_minor).map(|minor| Money::new(minor, self.currency))
    }

    fn total(&self, side: impl Fn(&JournalLine) -> Option<i64>) -> Option<i64> {
        self.lines.iter().filter_map(side).try_fold(0_i64, i64::checked_add)
    }
}
