//! Why a statement is refused, and exactly where: line of the file, record, field.
//!
//! Must stay true: a text here never repeats what stands in the file, except amounts and counts: a descriptor can carry a
//! name, and a shifted field can carry a descriptor.

use std::fmt;

use serde::Serialize;

/// What is wrong with a file, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is not a file of this format.
    WrongFormat,
    /// The file ends before it says that it does.
    Truncated,
    /// Larger, or with more lines, than this reader takes.
    TooLarge,
    /// A required record, column or field is not there.
    Missing,
    /// A field is not what its place demands, for example a day.
    BadValue,
    /// A count in the file is not what was found.
    Count,
    /// The amounts do not add up.
    Unbalanced,
}

/// Where in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line of the file, 1 for the first; 0 for the file as a whole.
    pub line: u64,
    /// The record: `16`, `Ntry`, `STMTTRN`, `row`.
    pub record: &'static str,
    /// The field, by the name of the format, or of the mapping; empty for the record as a whole.
    pub field: &'static str,
}

impl Place {
    /// A place.
    #[must_use]
    pub const fn at(line: u64, record: &'static str, field: &'static str) -> Self {
        Self { line, record, field }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.record, self.field) {
            (0, "", _) => f.write_str("the file as a whole"),
            (0, record, "") => write!(f, "{record}"),
            (0, record, field) => write!(f, "{record}, {field}"),
            (line, record, "") => write!(f, "line {line}, {record}"),
            (line, record, field) => write!(f, "line {line}, {record}, {field}"),
        }
    }
}

/// A refusal of a whole file. Nothing of it may be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what} ({at}). Nothing of the file was applied. {fix}")]
pub struct Error {
    /// What is wrong, for programs.
    pub kind: Kind,
    /// What is wrong, as the beginning of a sentence.
    pub what: String,
    /// Where.
    pub at: Place,
    /// What to do, one sentence.
    pub fix: &'static str,
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>, at: Place) -> Self {
        Self { kind, what: what.into(), at, fix: fix(kind) }
    }

    pub(crate) fn missing(at: Place) -> Self {
        Self::new(Kind::Missing, "A required field is not there", at)
    }

    pub(crate) fn bad(what: &'static str, at: Place) -> Self {
        Self::new(Kind::BadValue, what, at)
    }
}

const fn fix(kind: Kind) -> &'static str {
    match kind {
        Kind::WrongFormat => "Name the format of the file, or export the statement again in that format.",
        Kind::Truncated => "Fetch the file again from the bank and import it whole.",
        Kind::TooLarge => "Export a shorter period, and import one file per period.",
        Kind::Missing => {
            "Compare the file with the mapping of the account, or ask the bank for a complete file."
        }
        Kind::BadValue => "Correct the mapping of the account, or send this place to the bank.",
        Kind::Count | Kind::Unbalanced => {
            "The file was changed or cut on its way: fetch it again; if it is the same, send this place to the bank."
        }
    }
}
