//! Why a file is refused, and exactly where: loop, claim, segment, element.
//!
//! Made by every X12 reader. Must stay true: a text here never repeats what stands in the file, except the codes that
//! name a kind of file (`GS01`, `ST01`, `GS08`), and amounts. A shifted element can carry a name.

use std::fmt;

use serde::Serialize;

/// What is wrong with a file, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The file ends before its envelope does.
    Truncated,
    /// The delimiters of the ISA segment do not hold, or a piece between them is no segment.
    MisDelimited,
    /// Something is larger than this reader takes.
    TooLarge,
    /// Another kind of file, or another version.
    WrongSet,
    /// A control number at an end is not that of its beginning.
    ControlNumber,
    /// A count at an end is not what was found.
    Count,
    /// A segment where it cannot be.
    Structure,
    /// A required element or segment is not there.
    Missing,
    /// An element is not what its place demands, for example an amount.
    BadValue,
    /// The amounts do not add up.
    Unbalanced,
}

/// Where in the file. Segments and elements count from 1, as people count them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The loop of the implementation guide, for example `2110`; `envelope` outside any.
    #[serde(rename = "loop")]
    pub loop_id: &'static str,
    /// The claim's position in its transaction set.
    pub claim: Option<u64>,
    /// The segment's number in the file; `ISA` is 1. 0 when there is none.
    pub segment: u64,
    /// The segment's name, for example `SVC`; empty when there is none.
    pub name: String,
    /// The element's number in the segment.
    pub element: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(claim) = self.claim {
            write!(f, "claim {claim}, ")?;
        }
        write!(f, "loop {}, segment {}", self.loop_id, self.segment)?;
        if self.name.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.name)?;
        self.element.map_or(Ok(()), |element| write!(f, "{element:02}"))
    }
}

/// A refusal of a whole file. Nothing of the file may be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what} ({at}). Nothing of the file was applied. {fix}")]
pub struct Error {
    /// What is wrong, for programs.
    pub kind: Kind,
    /// What is wrong, as the beginning of a sentence; without patient data.
    pub what: String,
    /// Where. Boxed so that an error stays small beside what a reader gives.
    pub at: Box<Place>,
    /// What to do, one sentence.
    pub fix: &'static str,
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>, at: Place) -> Self {
        Self { kind, what: what.into(), at: Box::new(at), fix: fix(kind) }
    }
}

const fn fix(kind: Kind) -> &'static str {
    match kind {
        Kind::Truncated => "Fetch the file again from the payer or clearing house and upload it whole.",
        Kind::MisDelimited => {
            "Upload the file as it was sent, without conversion; if it is, send this place to the clearing house."
        }
        Kind::TooLarge => "Ask the clearing house to split the file, and send it this place.",
        Kind::WrongSet => "Upload the kind of file that this place expects, in version 5010.",
        Kind::ControlNumber | Kind::Count => {
            "The file was changed or cut on its way: fetch it again; if it is the same, send this place to the payer."
        }
        Kind::Structure | Kind::Missing | Kind::BadValue => {
            "Send this place to the payer or clearing house and ask for a corrected file."
        }
        Kind::Unbalanced => {
            "Do not post it by hand: send this place to the payer and ask for a corrected file."
        }
    }
}
