//! One row of a table: names and cells.
//!
//! Used by the store and by the rules. Reading a field that the table does not have gives the empty value.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cell::{Cell, push_text};
use super::schema::Table;

/// The name of a column: fixed ones are static, user-defined ones are not.
pub(super) type Name = Cow<'static, str>;
/// What was sent for a row: only the columns that were named.
pub(super) type Fields = BTreeMap<Name, Cell>;
/// The cells of the key columns, in their order.
pub(super) type Key = Vec<Cell>;

/// A row with all columns of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    cells: BTreeMap<Name, Cell>,
}

impl Row {
    /// An empty row of this company.
    pub(super) fn new(table: &Table, company: &str) -> Self {
        let mut cells: BTreeMap<Name, Cell> = table
            .columns
            .iter()
            .map(|column| (Cow::Borrowed(column.name), Cell::empty(column.kind)))
            .collect();
        cells.insert(Cow::Borrowed("Company"), company.into());
        Self { cells }
    }

    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.get(name)
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = (&Name, &Cell)> {
        self.cells.iter()
    }

    pub(super) fn text(&self, name: &str) -> &str {
        match self.cells.get(name) {
            Some(Cell::Text(text) | Cell::Moment(text)) => text,
            _ => "",
        }
    }

    /// A whole number, or hundred-thousandths of a decimal.
    pub(super) fn number(&self, name: &str) -> i64 {
        match self.cells.get(name) {
            Some(Cell::Whole(number) | Cell::Decimal(number)) => *number,
            _ => 0,
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.cells.get(name), Some(Cell::Flag(true)))
    }

    pub(super) fn set(&mut self, name: &'static str, cell: impl Into<Cell>) {
        self.cells.insert(Cow::Borrowed(name), cell.into());
    }

    /// Sets an amount in the currency of the document and in that of the company; both are one here.
    pub(super) fn set_amount(&mut self, plain: &'static str, document: &'static str, units: i64) {
        self.set(plain, Cell::Decimal(units));
        self.set(document, Cell::Decimal(units));
    }

    pub(super) fn set_moment(&mut self, name: &'static str, moment: &str) {
        self.set(name, Cell::Moment(moment.to_owned()));
    }

    /// Forgets what user-defined columns hold.
    pub(super) fn clear_user_columns(&mut self) {
        self.cells.retain(|name, _| matches!(name, Cow::Borrowed(_)));
    }

    /// Lays sent fields over the row.
    pub(super) fn lay(&mut self, fields: &Fields) {
        for (name, cell) in fields {
            self.cells.insert(name.clone(), cell.clone());
        }
    }

    pub(super) fn key(&self, table: &Table) -> Key {
        table.keys.iter().filter_map(|name| self.cells.get(*name).cloned()).collect()
    }

    /// Appends the fields as JSON without braces; all of them, or those that were selected.
    pub(super) fn write_fields(&self, out: &mut String, selected: Option<&[String]>) {
        let mut first = true;
        for (name, cell) in &self.cells {
            if selected.is_some_and(|selected| !selected.iter().any(|wanted| wanted == name)) {
                continue;
            }
            if !first {
                out.push(',');
            }
            first = false;
            push_text(out, name);
            out.push(':');
            cell.write(out);
        }
    }

    /// The row as a JSON object.
    pub(super) fn json(&self) -> String {
        let mut out = String::with_capacity(1_024);
        out.push('{');
        self.write_fields(&mut out, None);
        out.push('}');
        out
    }
}
