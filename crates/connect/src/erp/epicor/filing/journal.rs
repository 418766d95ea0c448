//! Journals, in the open group of their day (EPICOR.md §7).

use serde_json::json;

use super::Filing;
use super::looked_up::{self, LookedUp};
use crate::erp::document::{Journal, JournalLine};
use crate::erp::epicor::rows::{Record, Row};
use crate::erp::filing::FilingState;

impl Filing<'_> {
    pub(super) fn journal_row(&self, journal: &Journal, state: &FilingState) -> Row {
        let row = match self.place_of(state) {
            Some(place) => Row::new()
                .with("Company", &self.epicor.company)
                .with("GroupID", &place.group)
                .date("JEDate", place.date),
            None => Row::new(),
        };
        let lines: Vec<Row> = (1_i64..)
            .zip(&journal.lines)
            .map(|(number, line)| self.journal_line(number, line, journal))
            .collect();
        row.with("BookID", &self.epicor.journals.book)
            .with("JournalCode", &self.epicor.journals.journal_code)
            .with("CurrencyCode", &journal.currency.code())
            .with("Description", &journal.description)
            .with(&self.epicor.references.journal, &journal.reference)
            .with("GLJrnDtlMnls", &lines)
    }

    fn journal_line(&self, number: i64, line: &JournalLine, journal: &Journal) -> Row {
        let row = Row::new()
            .with("Company", &self.epicor.company)
            .with("JournalLine", &number)
            .with("GLAccount", &line.account)
            .with("Description", &journal.description);
        row.amount("DebitAmount", line.debit_minor.unwrap_or_default(), journal.currency).amount(
            "CreditAmount",
            line.credit_minor.unwrap_or_default(),
            journal.currency,
        )
    }

    pub(super) fn journal_there(&self, journal: &Journal, row: &Record) -> Option<LookedUp> {
        let number = row.key("JournalNum")?;
        let told = row.amount("TotDebit", journal.currency).filter(|theirs| theirs.minor != 0);
        if let (Some(theirs), Some(ours)) = (told, journal.sum())
            && theirs != ours
        {
            return Some(looked_up::other_amount(ours, theirs));
        }
        let mut result = self.in_group(journal.date, row, "JEDate")?;
        result.as_object_mut()?.insert("journal_number".to_owned(), json!(number));
        Some(LookedUp::There(result))
    }
}
