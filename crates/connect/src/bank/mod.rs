//! Readers of bank statements: CSV with a mapping that is data, CAMT.053, BAI2, OFX 1.x and 2.x. Pure and bounded.
//!
//! The engine hands a whole file in and gets [`Statement`]s, or a refusal that names the place. What must stay true: a
//! statement whose totals do not hold is refused, never trimmed; the same file gives the same fingerprints and line ids;
//! what a bank wrote beside an amount is personal and is never printed.

mod bai2;
mod bai2_records;
mod camt;
mod camt_entry;
mod csv;
mod csv_mapping;
mod error;
mod format;
mod ofx;
mod ofx_tags;
mod statement;
mod text;

pub use csv_mapping::{AmountColumns, DateOrder, Mapping};
pub use error::{Error, Kind, Place};
pub use format::{Format, read};
pub use statement::{Line, Proof, Statement};
pub use text::{BYTES_MAX, LINES_MAX};
