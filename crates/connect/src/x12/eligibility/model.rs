//! What a 271 says, in our words. Source: X12 005010X279A1.
//!
//! Made by the reader, read by the estimate and by people. Must stay true: everything sent is kept, codes that are not
//! known as text, and whatever can carry personal data (names, ids, free text, raw segments) is [`Phi`].

use serde::Serialize;
use suture_core::money::Money;
use suture_core::redact::Phi;

use super::rejections::Rejection;
use crate::x12::decimal::Decimal;
use crate::x12::envelope::Control;
use crate::x12::party::{Organization, Person};

/// The answer about one patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Control numbers; `control.test` is true for a test file.
    pub control: Control,
    /// BHT03: the reference that we gave the question.
    pub reference: String,
    /// Loop 2100A.
    pub payer: Option<Organization>,
    /// Loop 2100B.
    pub provider: Option<Organization>,
    /// Who the benefits are for; `None` when the payer refused before it looked for a patient.
    pub subject: Option<Subject>,
    /// TRN: our trace number is among them.
    pub traces: Vec<Trace>,
    /// DTP of the patient, for example the plan's begin (346).
    pub dates: Vec<PlanDate>,
    /// EB with what follows it, in the order of the file.
    pub benefits: Vec<Benefit>,
    /// AAA of every level.
    pub rejections: Vec<Rejection>,
    /// Everything about the patient outside the benefits, as sent.
    pub raw: Phi<Vec<String>>,
}

/// Who the benefits are for.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Whether it is the subscriber.
    pub relation: Relation,
    /// The patient.
    pub person: Option<Person>,
    /// The subscriber, when the patient is a dependent.
    pub subscriber: Option<Person>,
}

/// The patient's place in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The policy is the patient's own (2000C).
    Subscriber,
    /// The patient is insured through somebody (2000D).
    Dependent,
}

/// TRN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// TRN01: 2 is the number of the question, 1 the payer's own.
    pub kind: String,
    /// TRN02.
    pub number: String,
    /// TRN03: who gave the number.
    pub origin: Option<String>,
}

/// DTP as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanDate {
    /// DTP01, for example 346 (plan begin) or 347 (plan end).
    pub qualifier: String,
    /// DTP03: `20260101`, or a range `20260101-20261231`.
    pub text: String,
}

/// Whether the patient is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// The payer says so.
    Active,
    /// The payer says not.
    Inactive,
    /// The payer did not say, or said both.
    Unknown,
}

/// What a benefit row is about (EB01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 1 to 5.
    Active,
    /// 6 to 8.
    Inactive,
    /// A: the patient's share as a fraction.
    Coinsurance,
    /// B.
    Copay,
    /// C.
    Deductible,
    /// F.
    Limitation,
    /// G: the most a patient pays out of pocket.
    OutOfPocket,
    /// I.
    NotCovered,
    /// J and Y.
    SpendDown,
    /// R: there is another payer.
    OtherPayer,
    /// U: contact somebody.
    Contact,
    /// V: cannot process.
    CannotProcess,
    /// Any other; see [`Benefit::code`].
    Other,
}

/// Whose amount it is (EB02).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// IND.
    Individual,
    /// FAM.
    Family,
    /// Not told.
    Unstated,
    /// Any other, as sent.
    Other(String),
}

/// Which time an amount is for (EB06).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// 22.
    ServiceYear,
    /// 23.
    CalendarYear,
    /// 24: used since the year began.
    YearToDate,
    /// 25.
    Contract,
    /// 27.
    Visit,
    /// 29: still left.
    Remaining,
    /// 32.
    Lifetime,
    /// 33: still left of the lifetime amount.
    LifetimeRemaining,
    /// Any other, as sent.
    Other(String),
}

/// Which providers a row is for (EB12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Y.
    In,
    /// N.
    Out,
    /// W, or not told: both.
    Either,
    /// U, or any other, as sent.
    Unknown(String),
}

/// Whether the payer must agree first (EB11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// Y.
    Required,
    /// N.
    NotRequired,
    /// U, any other, or not told.
    Unknown,
}

/// How often a service may be had (HSD).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// HSD01, for example `VS` visits.
    pub unit: String,
    /// HSD02.
    pub quantity: Option<Decimal>,
    /// HSD05.
    pub period: Option<Period>,
    /// HSD06: how many periods.
    pub periods: Option<Decimal>,
}

/// One EB row with everything that follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Benefit {
    /// EB01, as sent.
    pub code: String,
    /// EB01, in our words.
    pub kind: Kind,
    /// EB02.
    pub level: Level,
    /// EB03, which repeats; empty when not told.
    pub service_types: Vec<String>,
    /// EB04.
    pub insurance_type: Option<String>,
    /// EB05: the name of the plan.
    pub plan: Option<String>,
    /// EB06.
    pub period: Option<Period>,
    /// EB07, in USD.
    pub amount: Option<Money>,
    /// EB08: a fraction, 0.2 is 20 %. Other numbers are kept and never used.
    pub fraction: Option<Decimal>,
    /// EB09.
    pub quantity_unit: Option<String>,
    /// EB10.
    pub quantity: Option<Decimal>,
    /// EB11.
    pub authorization: Authorization,
    /// EB12.
    pub network: Network,
    /// EB13 as sent: the row is for one procedure only.
    pub procedure: Option<String>,
    /// EB14 as sent.
    pub diagnoses: Option<String>,
    /// HSD.
    pub deliveries: Vec<Delivery>,
    /// Whether III, for example a place of service, narrows the row; see `raw`.
    pub narrowed: bool,
    /// MSG: free text that can change what the row means.
    pub messages: Phi<Vec<String>>,
    /// Loop 2120: related organizations and people, as sent.
    pub related: Phi<Vec<String>>,
    /// The row and everything that follows it, as sent.
    pub raw: Phi<Vec<String>>,
    /// `2110C` of a subscriber, `2110D` of a dependent.
    pub loop_id: &'static str,
    /// The number of EB in the file.
    pub segment: u64,
}

impl Answer {
    /// Whether the patient is covered, by the rows for the plan as a whole (service type 30 or none), else by any row.
    /// Rows that contradict each other make it [`Coverage::Unknown`].
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let of = |whole_plan: bool| {
            let rows = || self.benefits.iter().filter(move |row| !whole_plan || row.is_whole_plan());
            let active = rows().any(|row| row.kind == Kind::Active);
            let inactive = rows().any(|row| row.kind == Kind::Inactive);
            match (active, inactive) {
                (true, false) => Some(Coverage::Active),
                (false, true) => Some(Coverage::Inactive),
                (true, true) => Some(Coverage::Unknown),
                (false, false) => None,
            }
        };
        of(true).or_else(|| of(false)).unwrap_or(Coverage::Unknown)
    }
}

impl Benefit {
    /// Whether the row is for the plan as a whole: service type 30, or none.
    #[must_use]
    pub fn is_whole_plan(&self) -> bool {
        self.service_types.is_empty() || self.is_for("30")
    }

    /// Whether the row names the service type.
    #[must_use]
    pub fn is_for(&self, service_type: &str) -> bool {
        self.service_types.iter().any(|code| code == service_type)
    }
}

impl From<&str> for Kind {
    fn from(code: &str) -> Self {
        match code {
            "1" | "2" | "3" | "4" | "5" => Self::Active,
            "6" | "7" | "8" => Self::Inactive,
            "A" => Self::Coinsurance,
            "B" => Self::Copay,
            "C" => Self::Deductible,
            "F" => Self::Limitation,
            "G" => Self::OutOfPocket,
            "I" => Self::NotCovered,
            "J" | "Y" => Self::SpendDown,
            "R" => Self::OtherPayer,
            "U" => Self::Contact,
            "V" => Self::CannotProcess,
            _ => Self::Other,
        }
    }
}

impl From<&str> for Level {
    fn from(code: &str) -> Self {
        match code {
            "IND" => Self::Individual,
            "FAM" => Self::Family,
            "" => Self::Unstated,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<&str> for Period {
    fn from(code: &str) -> Self {
        match code {
            "22" => Self::ServiceYear,
            "23" => Self::CalendarYear,
            "24" => Self::YearToDate,
            "25" => Self::Contract,
            "27" => Self::Visit,
            "29" => Self::Remaining,
            "32" => Self::Lifetime,
            "33" => Self::LifetimeRemaining,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<&str> for Network {
    fn from(code: &str) -> Self {
        match code {
            "Y" => Self::In,
            "N" => Self::Out,
            "W" | "" => Self::Either,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl From<&str> for Authorization {
    fn from(code: &str) -> Self {
        match code {
            "Y" => Self::Required,
            "N" => Self::NotRequired,
            _ => Self::Unknown,
        }
    }
}
