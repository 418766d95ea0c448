//! A checked flow: what its author wrote, with every name resolved and every expression compiled.
//!
//! Made by [`Flow::parse`] only, so a `Flow` that exists has no problems. The parts are shared: cloning is cheap and
//! one compiled flow serves all workers.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::compiled::Compiled;
use crate::jq::{Program, Tables};
use crate::problem::{Place, Problems};
use crate::shape::Shape;
use crate::step::Step;
use crate::vocabulary::Vocabulary;
use crate::{read, rehearsal};

/// A flow that passed its check.
#[derive(Clone)]
pub struct Flow {
    pub(crate) parts: Arc<Parts>,
}

/// Everything in a flow document.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) description: String,
    pub(crate) fingerprint: Fingerprint,
    /// The whole document as JSON, to compare it with another version.
    pub(crate) document: Value,
    pub(crate) trigger: Trigger,
    pub(crate) tables: Tables,
    /// What a callable flow wants of its caller.
    pub(crate) inputs: Option<Shape>,
    /// What a callable flow gives back.
    pub(crate) result: Option<Program>,
    pub(crate) steps: Vec<Step>,
    pub(crate) tests: Vec<rehearsal::Test>,
    /// Names of called flows' steps in the tests, to be checked when those flows are known.
    pub(crate) below: Vec<read::Below>,
}

/// What starts a flow.
pub(crate) struct Trigger {
    pub(crate) source: String,
    pub(crate) events: Vec<String>,
    pub(crate) filter: Option<Program>,
    pub(crate) place: Place,
}

impl Flow {
    /// Parses and checks a document with the words of this version.
    ///
    /// # Errors
    /// All problems of the document, each with its place and its repair.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Problems> {
        Self::parse_with(text, file_name, &Vocabulary::built_in())
    }

    /// Parses and checks a document with the words that the caller can really do.
    ///
    /// # Errors
    /// All problems of the document, each with its place and its repair.
    pub fn parse_with(text: &str, file_name: &str, vocabulary: &Vocabulary) -> Result<Self, Problems> {
        let mut flows = Self::parse_set(&[(file_name, text)], vocabulary)
            .map_err(|mut problems| problems.pop().unwrap_or_else(|| Problems::none(file_name)))?;
        flows.pop().ok_or_else(|| Problems::none(file_name))
    }

    /// Parses and checks documents that may call each other (`flow:` steps), given as file name and text. The flows come
    /// back in the order of the documents. Parse all flows of an organization as one set, again whenever one changes: a
    /// flow holds the flows that it calls.
    ///
    /// # Errors
    /// The problems of every document that has some, each with its place and its repair.
    pub fn parse_set(
        documents: &[(&str, &str)],
        vocabulary: &Vocabulary,
    ) -> Result<Vec<Self>, Vec<Problems>> {
        let read = |(file, text): &(&str, &str)| {
            let mut problems = Problems::none(file);
            let parts = read::flow(text, vocabulary, &mut problems);
            read::Document { parts, problems }
        };
        let parts = read::resolve(documents.iter().map(read).collect())?;
        Ok(parts.into_iter().map(|parts| Self { parts }).collect())
    }

    /// All problems of a document; empty when it may be used.
    #[must_use]
    pub fn check(text: &str, file_name: &str) -> Problems {
        Self::parse(text, file_name).err().unwrap_or_else(|| Problems::none(file_name))
    }

    /// The flow, ready to run. Cheap: the expressions were compiled when the flow was parsed.
    #[must_use]
    pub fn compile(&self) -> Compiled {
        Compiled::new(Arc::clone(&self.parts))
    }

    /// The flow's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.parts.name
    }

    /// The flow's version, as its author counts.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.parts.version
    }

    /// What the flow is for.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.parts.description
    }

    /// The fingerprint of the document's text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.parts.fingerprint
    }

    /// Runs the document's own tests, with canned answers and without the world.
    #[must_use]
    pub fn rehearse(&self) -> Vec<rehearsal::Outcome> {
        rehearsal::rehearse(self)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({} version {}, {})", self.parts.name, self.parts.version, self.parts.fingerprint)
    }
}

/// A fingerprint of a document's text, and of the texts of the flows that it calls: it tells two texts apart by accident, not against a forger (FNV-1a, 128 bits).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    pub(crate) fn of(text: &str) -> Self {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(PRIME);
        Self(text.bytes().fold(OFFSET, step))
    }

    /// The fingerprint of this text together with another one.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::of(&format!("{self}{other}"))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// An event's name, from the event given to a flow.
pub(crate) fn event_name(event: &Value) -> Option<&str> {
    event.get("event").and_then(Value::as_str)
}
