//! What a payer, or a person who asked one, says about a patient's share.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::refusal::Refusal;

/// What the patient will owe, by part. The parts add up to the total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responsibility {
    /// In all.
    pub total: Money,
    /// The fixed part per visit.
    pub copay: Money,
    /// The share of what is left.
    pub coinsurance: Money,
    /// What goes to the deductible.
    pub deductible: Money,
    /// What the plan does not pay at all.
    pub not_covered: Money,
    /// What is left of the out-of-pocket limit before this service, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_pocket_left: Option<Money>,
    /// The least it may come to, when the plan leaves it open.
    pub low: Money,
    /// The most it may come to.
    pub high: Money,
    /// Why low and high differ, and what else a person should read: codes and short sentences without personal data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Better or worse shares under conditions, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Limits on visits or units, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
}

/// A share that holds under a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What must hold, for example `in network`.
    pub when: String,
    /// The patient's total then.
    pub total: Money,
}

/// A limit of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The payer did not say.
    Unknown,
    /// There is none.
    Unlimited,
    /// There is one.
    Limit,
}

/// How often something is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Whether there is one.
    pub kind: LimitKind,
    /// `visits` or `units`.
    pub of: String,
    /// `annual`, `benefit_year`, `lifetime`, …
    pub period: String,
    /// How many, when there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<i64>,
    /// How many are left, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<i64>,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// An X12 271, by the SHA-256 of its text.
    X12 {
        /// The hash, 64 hexadecimal digits.
        hash: String,
    },
    /// A person who asked the payer.
    Manual {
        /// Who.
        author: String,
    },
}

/// An answer, from whichever adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Covered; this is the patient's share.
    Covered {
        /// The share.
        responsibility: Responsibility,
    },
    /// Not covered.
    NotCovered {
        /// Why, as a code.
        code: String,
    },
    /// The payer rejected the policy or its holder.
    PolicyRejected {
        /// The payer's code, lossless.
        code: String,
        /// What to do.
        hint: String,
        /// Whether the same question may be asked again.
        retryable: bool,
    },
    /// The payer could not answer.
    Failed {
        /// The payer's code, lossless.
        code: String,
        /// What to do.
        hint: String,
        /// Whether the same question may be asked again.
        retryable: bool,
    },
}

/// Why a check failed, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The payer's code, or ours.
    pub code: String,
    /// What to do.
    pub hint: String,
    /// Whether asking again may help.
    pub retryable: bool,
}

/// The parts must add up to the total, in one currency, and nothing is negative.
pub(super) fn check_parts(answer: &Answer) -> Result<(), Refusal> {
    let Answer::Covered { responsibility: parts } = answer else { return Ok(()) };
    let all = [parts.copay, parts.coinsurance, parts.deductible, parts.not_covered];
    let sum = all.iter().try_fold(0_i64, |sum, part| sum.checked_add(part.minor));
    let one_currency =
        all.iter().chain([&parts.low, &parts.high]).all(|part| part.currency == parts.total.currency);
    let none_negative = parts.total.minor >= 0 && all.iter().all(|part| part.minor >= 0);
    let ordered = parts.low.minor <= parts.total.minor && parts.total.minor <= parts.high.minor;
    if one_currency && none_negative && ordered && sum == Some(parts.total.minor) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "responsibility_does_not_add_up",
        "The answer was not recorded. Copay, coinsurance, deductible and what is not covered must add up to the total, in one currency; low ≤ total ≤ high.",
    ))
}
