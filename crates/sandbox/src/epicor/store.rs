//! The tables of one company: rows, indexes, row versions, and undoing.
//!
//! Changed by the rules only. What must stay true: every write gives the row a greater SysRevID, indexes follow
//! the rows, and rolling back restores rows and indexes exactly (row versions stay used up).

use std::collections::{BTreeMap, BTreeSet};

use super::cell::Cell;
use super::row::{Key, Name, Row};
use super::schema::{Id, Table};

#[derive(Default)]
struct Rows {
    rows: BTreeMap<Key, Row>,
    by_value: BTreeMap<Name, BTreeMap<Cell, BTreeSet<Key>>>,
    by_revision: BTreeMap<i64, Key>,
}

/// All rows of one company.
#[derive(Default)]
pub(super) struct Store {
    tables: BTreeMap<Id, Rows>,
    revision: i64,
    undo: Vec<(Id, Key, Option<Row>)>,
}

/// Whether values of this column are looked up.
fn is_indexed(table: &Table, name: &str) -> bool {
    table.indexed.contains(&name) || table.own_keys().contains(&name) || name == "SysRowID" || is_user(name)
}

/// The columns of a row that are looked up by value.
fn indexed<'a>(table: &'a Table, row: &'a Row) -> impl Iterator<Item = (Name, &'a Cell)> {
    let fixed = table.indexed.iter().chain(table.own_keys()).chain(&["SysRowID"]);
    let fixed = fixed.filter_map(|name| Some((Name::Borrowed(*name), row.cell(name)?)));
    let users = row.cells().filter(|(name, _)| matches!(name, Name::Owned(_)));
    fixed.chain(users.map(|(name, cell)| (name.clone(), cell)))
}

/// Whether a column is a user-defined one.
pub(super) fn is_user(name: &str) -> bool {
    name.ends_with("_c")
}

impl Rows {
    fn enter(&mut self, key: &Key, name: Name, cell: &Cell) {
        if !cell.is_empty() {
            let values = self.by_value.entry(name).or_default();
            values.entry(cell.clone()).or_default().insert(key.clone());
        }
    }

    fn leave(&mut self, key: &Key, name: &Name, cell: &Cell) {
        let Some(values) = self.by_value.get_mut(name) else { return };
        if let Some(keys) = values.get_mut(cell) {
            keys.remove(key);
            if keys.is_empty() {
                values.remove(cell);
            }
        }
    }

    /// Puts or removes a row; what was there before comes back. Only what differs is indexed anew.
    fn replace(&mut self, table: &Table, key: &Key, row: Option<Row>) -> Option<Row> {
        let before = self.rows.remove(key);
        if let Some(before) = &before {
            for (name, cell) in indexed(table, before) {
                if row.as_ref().and_then(|row| row.cell(&name)) != Some(cell) {
                    self.leave(key, &name, cell);
                }
            }
            self.by_revision.remove(&before.number("SysRevID"));
        }
        if let Some(row) = row {
            for (name, cell) in indexed(table, &row) {
                if before.as_ref().and_then(|before| before.cell(&name)) != Some(cell) {
                    self.enter(key, name, cell);
                }
            }
            self.by_revision.insert(row.number("SysRevID"), key.clone());
            self.rows.insert(key.clone(), row);
        }
        before
    }
}

impl Store {
    /// Puts a row under its key, with the next row version.
    pub(super) fn put(&mut self, id: Id, mut row: Row) {
        self.revision += 1;
        row.set("SysRevID", self.revision);
        let key = row.key(id.table());
        let before = self.tables.entry(id).or_default().replace(id.table(), &key, Some(row));
        self.undo.push((id, key, before));
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, id: Id, key: &Key) {
        let before = self.tables.entry(id).or_default().replace(id.table(), key, None);
        self.undo.push((id, key.clone(), before));
    }

    /// A point to roll back to.
    pub(super) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Undoes everything since the mark.
    pub(super) fn roll_back(&mut self, mark: usize) {
        while self.undo.len() > mark {
            let Some((id, key, before)) = self.undo.pop() else { return };
            self.tables.entry(id).or_default().replace(id.table(), &key, before);
        }
    }

    /// Forgets how to undo.
    pub(super) fn commit(&mut self) {
        self.undo.clear();
    }

    /// The newest row version given out.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    pub(super) fn get(&self, id: Id, key: &Key) -> Option<&Row> {
        self.tables.get(&id)?.rows.get(key)
    }

    pub(super) fn count(&self, id: Id) -> usize {
        self.tables.get(&id).map_or(0, |rows| rows.rows.len())
    }

    /// All rows in the order of their keys.
    pub(super) fn all(&self, id: Id) -> impl Iterator<Item = &Row> {
        self.tables.get(&id).into_iter().flat_map(|rows| rows.rows.values())
    }

    /// Rows with this value in an indexed column, in the order of their keys.
    pub(super) fn with(&self, id: Id, name: &str, value: &Cell) -> impl Iterator<Item = &Row> + use<'_> {
        let rows = self.tables.get(&id);
        let keys = rows.and_then(|rows| rows.by_value.get(name)).and_then(|values| values.get(value));
        keys.into_iter().flatten().filter_map(move |key| rows?.rows.get(key))
    }

    /// How many rows have this value in an indexed column.
    pub(super) fn count_with(&self, id: Id, name: &str, value: &Cell) -> usize {
        let values = self.tables.get(&id).and_then(|rows| rows.by_value.get(name));
        values.and_then(|values| values.get(value)).map_or(0, BTreeSet::len)
    }

    /// The rows that can have this value in this column; `None` when there is no index that knows.
    pub(super) fn candidates<'a>(&'a self, id: Id, name: &str, value: &Cell) -> Option<Vec<&'a Row>> {
        let known = is_indexed(id.table(), name) && !value.is_empty();
        known.then(|| self.with(id, name, value).collect())
    }

    /// Rows with a row version above this one, oldest change first.
    pub(super) fn changed_after(&self, id: Id, revision: i64) -> impl Iterator<Item = &Row> {
        let rows = self.tables.get(&id);
        let above = (std::ops::Bound::Excluded(revision), std::ops::Bound::Unbounded);
        rows.into_iter()
            .flat_map(move |rows| rows.by_revision.range(above).filter_map(|(_, key)| rows.rows.get(key)))
    }
}
