//! How the tables write down their columns.
//!
//! What must stay true: `kept` columns are never taken from a client.

use crate::epicor::schema::{Column, Kind};

pub(super) const fn text(name: &'static str, most: usize) -> Column {
    Column { name, kind: Kind::Text(most), kept: false }
}

pub(super) const fn whole(name: &'static str) -> Column {
    Column { name, kind: Kind::Whole, kept: false }
}

pub(super) const fn money(name: &'static str) -> Column {
    Column { name, kind: Kind::Money, kept: false }
}

pub(super) const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number, kept: false }
}

pub(super) const fn flag(name: &'static str) -> Column {
    Column { name, kind: Kind::Flag, kept: false }
}

pub(super) const fn moment(name: &'static str) -> Column {
    Column { name, kind: Kind::Moment, kept: false }
}

/// The same column, set by the server only.
pub(super) const fn kept(column: Column) -> Column {
    Column { kept: true, ..column }
}

pub(super) const COMPANY: Column = text("Company", 8);
pub(super) const CHANGED: Column = kept(moment("ChangeDate"));
pub(super) const REVISION: Column = kept(whole("SysRevID"));
pub(super) const ROW_ID: Column = Column { name: "SysRowID", kind: Kind::Guid, kept: true };
