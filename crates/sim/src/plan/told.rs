//! What a scenario tells: steps with the books after each, what people were told, and findings.
//!
//! These are values: the demo prints them, the check of going live signs them. Texts of messages are not written into a
//! report, since they name people.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;

/// Something that was expected, and what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was expected, as a sentence.
    pub name: String,
    /// The expected value.
    pub expected: String,
    /// The value that was there.
    pub seen: String,
    /// Whether they are the same.
    pub held: bool,
}

impl Finding {
    /// Compares what was expected with what is there.
    pub fn compare<T: Debug + PartialEq>(name: &str, expected: &T, seen: &T) -> Self {
        Self {
            name: name.to_owned(),
            expected: format!("{expected:?}"),
            seen: format!("{seen:?}"),
            held: expected == seen,
        }
    }
}

/// One line of a ledger entry that a step brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Booked {
    /// The key of the entry: kind of fact, and whose id.
    pub entry: String,
    /// The account.
    pub account: String,
    /// Debit positive, credit negative; minor units of US dollars, the currency of every scenario.
    pub minor: i64,
    /// Whose visit it belongs to, where a scenario has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
}

/// A message that reached somebody in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// `patient` or `provider`.
    pub to: String,
    /// The template.
    pub template: String,
    /// Whose visit it is about, where a scenario has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whose: Option<String>,
    /// What it said. Personal, so it is shown and never written.
    #[serde(skip)]
    pub text: String,
}

impl Said {
    /// Recipient and template, as scenarios expect them.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.whose {
            Some(whose) => format!("{whose}: {} {}", self.to, self.template),
            None => format!("{} {}", self.to, self.template),
        }
    }
}

/// The audit trail after a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Trail {
    /// How many entries it has.
    pub entries: u64,
    /// Whether every hash, state and ledger entry follows from it.
    pub intact: bool,
}

/// A step of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, at the clinic.
    pub at: String,
    /// What happened, in a line.
    pub title: String,
    /// More about it.
    pub happened: Vec<String>,
    /// The ledger lines that it brought.
    pub booked: Vec<Booked>,
    /// The balances after it by account, in minor units; those of zero are left out.
    pub books: BTreeMap<String, i64>,
    /// Whom it told.
    pub said: Vec<Said>,
    /// The audit trail after it.
    pub trail: Trail,
    /// What was expected of it.
    pub findings: Vec<Finding>,
}

/// How a scenario went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Its name, as a code.
    pub name: String,
    /// Its group, as a code.
    pub group: String,
    /// What it shows, as a sentence.
    pub claim: String,
    /// Whether it was told to its end and every finding held.
    pub held: bool,
    /// Why it could not be told to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Outcome {
    /// Every finding, in order.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.steps.iter().flat_map(|step| &step.findings)
    }

    /// What did not hold, one sentence each.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let wrong = |step: &Step| {
            let title = step.title.clone();
            let failed = step.findings.iter().filter(|finding| !finding.held);
            let tell = move |finding: &Finding| {
                format!("{title}: {}: expected {}, saw {}", finding.name, finding.expected, finding.seen)
            };
            failed.map(tell).collect::<Vec<_>>()
        };
        let stopped = self.stopped.iter().map(|why| format!("it could not be told to its end: {why}"));
        self.steps.iter().flat_map(wrong).chain(stopped).collect()
    }
}
