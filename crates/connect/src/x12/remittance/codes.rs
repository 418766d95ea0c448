//! The codes of an 835 that decide what happens with money. Source: X12 005010X221A1.
//!
//! Must stay true: a code that is not known is kept as text in `Other`, shown, and never taken for a known one.

use serde::{Deserialize, Serialize};

/// Who bears an adjustment (CAS01).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Group {
    /// `PR`: the patient. The only group that may ever be billed to a patient.
    PatientResponsibility,
    /// `CO`: the provider, by contract. Never billed to the patient.
    ContractualObligation,
    /// `OA`: neither, for example what a prior payer paid.
    OtherAdjustment,
    /// `PI`: the payer decided so.
    PayerInitiated,
    /// Any other group, as sent. Never billed to the patient.
    Other(String),
}

/// How the payer processed a claim (CLP02).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Status {
    /// `1`: processed as primary.
    Primary,
    /// `2`: processed as secondary.
    Secondary,
    /// `3`: processed as tertiary.
    Tertiary,
    /// `4`: denied.
    Denied,
    /// `19`: processed as primary and forwarded to another payer.
    PrimaryForwarded,
    /// `20`: processed as secondary and forwarded to another payer.
    SecondaryForwarded,
    /// `21`: processed as tertiary and forwarded to another payer.
    TertiaryForwarded,
    /// `22`: takes back an earlier answer, with every sign flipped.
    Reversal,
    /// `23`: not this payer's claim, forwarded.
    NotOurClaim,
    /// `25`: a forecast; no payment.
    Predetermination,
    /// Any other status, as sent.
    Other(String),
}

/// What the payer does with the money (BPR01).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Handling {
    /// `I`: remittance and payment.
    RemittanceAndPayment,
    /// `C`: the payment comes with the remittance.
    PaymentAccompanies,
    /// `D`: payment only.
    PaymentOnly,
    /// `H`: notification only; no money moves.
    NotificationOnly,
    /// Any other (`P` prenotification, `U` split, `X` either), as sent.
    Other(String),
}

/// How the payer pays (BPR04).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Method {
    /// `ACH`: bank transfer; the trace number stands in its addenda.
    Ach,
    /// `CHK`: a check; the trace number is the check's number.
    Check,
    /// `NON`: no payment.
    None,
    /// `FWT`: wire transfer.
    Wire,
    /// `BOP`: the financial institution chooses.
    BankChooses,
    /// Any other, as sent.
    Other(String),
}

impl Group {
    /// Whether a patient may be billed for adjustments of this group: `PR` only.
    #[must_use]
    pub fn may_bill_patient(&self) -> bool {
        *self == Self::PatientResponsibility
    }

    /// The code as sent.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::PatientResponsibility => "PR",
            Self::ContractualObligation => "CO",
            Self::OtherAdjustment => "OA",
            Self::PayerInitiated => "PI",
            Self::Other(code) => code,
        }
    }
}

impl From<&str> for Group {
    fn from(code: &str) -> Self {
        match code {
            "PR" => Self::PatientResponsibility,
            "CO" => Self::ContractualObligation,
            "OA" => Self::OtherAdjustment,
            "PI" => Self::PayerInitiated,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Status {
    /// The code as sent.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Primary => "1",
            Self::Secondary => "2",
            Self::Tertiary => "3",
            Self::Denied => "4",
            Self::PrimaryForwarded => "19",
            Self::SecondaryForwarded => "20",
            Self::TertiaryForwarded => "21",
            Self::Reversal => "22",
            Self::NotOurClaim => "23",
            Self::Predetermination => "25",
            Self::Other(code) => code,
        }
    }

    /// Whether the payer sent the claim on, so that another answer follows: 19, 20, 21 and 23.
    #[must_use]
    pub const fn is_forwarded(&self) -> bool {
        match self {
            Self::PrimaryForwarded
            | Self::SecondaryForwarded
            | Self::TertiaryForwarded
            | Self::NotOurClaim => true,
            Self::Primary
            | Self::Secondary
            | Self::Tertiary
            | Self::Denied
            | Self::Reversal
            | Self::Predetermination
            | Self::Other(_) => false,
        }
    }
}

impl From<&str> for Status {
    fn from(code: &str) -> Self {
        match code {
            "1" => Self::Primary,
            "2" => Self::Secondary,
            "3" => Self::Tertiary,
            "4" => Self::Denied,
            "19" => Self::PrimaryForwarded,
            "20" => Self::SecondaryForwarded,
            "21" => Self::TertiaryForwarded,
            "22" => Self::Reversal,
            "23" => Self::NotOurClaim,
            "25" => Self::Predetermination,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Handling {
    /// The code as sent.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::RemittanceAndPayment => "I",
            Self::PaymentAccompanies => "C",
            Self::PaymentOnly => "D",
            Self::NotificationOnly => "H",
            Self::Other(code) => code,
        }
    }
}

impl From<&str> for Handling {
    fn from(code: &str) -> Self {
        match code {
            "I" => Self::RemittanceAndPayment,
            "C" => Self::PaymentAccompanies,
            "D" => Self::PaymentOnly,
            "H" => Self::NotificationOnly,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Method {
    /// The code as sent.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Ach => "ACH",
            Self::Check => "CHK",
            Self::None => "NON",
            Self::Wire => "FWT",
            Self::BankChooses => "BOP",
            Self::Other(code) => code,
        }
    }
}

impl From<&str> for Method {
    fn from(code: &str) -> Self {
        match code {
            "ACH" => Self::Ach,
            "CHK" => Self::Check,
            "NON" => Self::None,
            "FWT" => Self::Wire,
            "BOP" => Self::BankChooses,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Codes are stored as the text that was sent, so that a stored `Other` becomes known when we learn it.
macro_rules! stored_as_code {
    ($($name:ty),*) => {$(
        impl From<String> for $name {
            fn from(code: String) -> Self { Self::from(code.as_str()) }
        }
        impl From<$name> for String {
            fn from(value: $name) -> Self { value.code().to_owned() }
        }
    )*};
}
stored_as_code!(Group, Status, Handling, Method);
