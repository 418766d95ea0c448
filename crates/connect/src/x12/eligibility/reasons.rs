//! Why an estimate is not certain, in words for the person who looks at it.
//!
//! Called by the estimate. Must stay true: every reason says whether a person must look before the total is used.

use serde::Serialize;

/// Why an estimate is not certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The coverage is not active.
    Inactive,
    /// The service is not covered.
    NotCovered,
    /// The payer did not say whether the coverage is active, or said both.
    CoverageUnknown,
    /// Neither copay nor coinsurance is stated for the service or the plan.
    NothingStated,
    /// Whether the deductible comes before the copay is the plan's decision and is not stated.
    DeductibleWithCopay,
    /// A copay and a coinsurance are stated, and not which applies.
    CopayWithCoinsurance,
    /// Only the whole yearly amount is stated, not what is used of it.
    UsedPartUnknown,
    /// Rows differ in their amount and only free text tells which applies.
    DifferOnlyByMessage,
    /// Rows state different amounts.
    SeveralRows,
    /// Free text stands at a row that was used.
    MessageQualifies,
    /// All rows hold only under a condition.
    OnlyConditional,
    /// A row states no amount that can be used.
    AmountMissing,
    /// A coinsurance is no fraction from 0 to 1.
    CoinsuranceIsNoFraction,
    /// Rows were left out because their network or circle of insured is not clear.
    RowsUnclear,
    /// The payer must agree to the service first.
    AuthorizationRequired,
    /// There is another payer.
    OtherPayer,
    /// Medicaid spend-down.
    SpendDown,
    /// The payer refused a part of the question.
    Rejected,
}

impl Reason {
    /// Whether a person must look before the total is used.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        match self {
            Self::Inactive
            | Self::CoverageUnknown
            | Self::NothingStated
            | Self::DifferOnlyByMessage
            | Self::SeveralRows
            | Self::OnlyConditional
            | Self::AmountMissing
            | Self::CoinsuranceIsNoFraction
            | Self::RowsUnclear
            | Self::OtherPayer
            | Self::SpendDown
            | Self::Rejected => true,
            Self::NotCovered
            | Self::DeductibleWithCopay
            | Self::CopayWithCoinsurance
            | Self::UsedPartUnknown
            | Self::MessageQualifies
            | Self::AuthorizationRequired => false,
        }
    }

    /// The reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Inactive => {
                "The payer says that the coverage is not active. Ask for the current card, or agree a price."
            }
            Self::NotCovered => {
                "The payer says that this service is not covered. The clinic's own price applies."
            }
            Self::CoverageUnknown => {
                "The payer did not clearly say that the coverage is active. Ask the payer."
            }
            Self::NothingStated => "The payer stated neither copay nor coinsurance. Ask the payer.",
            Self::DeductibleWithCopay => "The plan decides whether the deductible comes before the copay.",
            Self::CopayWithCoinsurance => {
                "The plan decides whether the coinsurance comes on top of the copay."
            }
            Self::UsedPartUnknown => "The payer stated the yearly amount, not what is used of it.",
            Self::DifferOnlyByMessage => {
                "Only free text tells which of several amounts applies. Read it and choose."
            }
            Self::SeveralRows => "The payer stated several amounts. Read the rows and choose.",
            Self::MessageQualifies => "Free text stands at the amount. Read it.",
            Self::OnlyConditional => "The stated amounts hold only under conditions. Read the rows.",
            Self::AmountMissing => "A row of the payer has no amount that can be used. Read it.",
            Self::CoinsuranceIsNoFraction => "A coinsurance is not a fraction from 0 to 1. Ask the payer.",
            Self::RowsUnclear => {
                "Some rows do not clearly say for which network or whom they are. Read them."
            }
            Self::AuthorizationRequired => "The payer must agree to the service first.",
            Self::OtherPayer => "The payer knows of another payer. Find out who pays first.",
            Self::SpendDown => "The patient has a spend-down with Medicaid. A person must look.",
            Self::Rejected => "The payer refused a part of the question. Look at its refusals.",
        }
    }
}
