//! What is wrong with a flow document, where, and how to repair it.
//!
//! Made by `read` for the author of a flow. A check reports every problem it can find, so that the author repairs a
//! document once. Texts quote the document, never an event: they may be shown and logged.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a flow document. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// The beginning of the document, for problems that have no better place.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One problem of a flow document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

/// All problems of one flow document, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// The name of the document, as the caller gave it.
    pub file: String,
    /// The problems; never empty when returned as an error.
    pub list: Vec<Problem>,
}

impl Problems {
    /// No problems yet.
    #[must_use]
    pub fn none(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn add(&mut self, place: Place, what: impl Into<String>, fix: impl Into<String>) {
        self.list.push(Problem { place, what: what.into(), fix: fix.into() });
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.list.sort_by_key(|problem| problem.place);
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let end_of_line = if index == 0 { "" } else { "\n" };
            write!(f, "{end_of_line}{}:{}: {}; {}", self.file, problem.place, problem.what, problem.fix)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
