//! `cargo xtask tidy`: the rules of the house that a compiler does not know, one file per topic.

pub(crate) mod allow;
pub(crate) mod duplicates;
pub(crate) mod edges;
pub(crate) mod finding;
pub(crate) mod functions;
pub(crate) mod imports;
pub(crate) mod layout;
pub(crate) mod lexer;
pub(crate) mod licences;
pub(crate) mod metadata;
pub(crate) mod problems;
pub(crate) mod purity;
pub(crate) mod run;
pub(crate) mod size;
pub(crate) mod spdx;
pub(crate) mod sql;
pub(crate) mod test_code;
pub(crate) mod texts;
pub(crate) mod tree;
pub(crate) mod words;
