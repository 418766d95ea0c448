//! What a platform and its provider agreed on: who gets what, what a payout waits for, and who bears a loss. Pure
//! arithmetic; no cent is ever lost, because the provider gets the rest.

use serde::{Deserialize, Serialize};

use crate::id::{ProviderId, ProviderPayoutId, ServiceId};
use crate::money::Money;

/// What the platform keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// So many hundredths of a percent of the charge: 1500 is 15 %. A part of a cent goes to the provider.
    BasisPoints(u16),
    /// A fixed fee in minor units, at most the charge.
    Fixed(i64),
}

impl Share {
    /// The platform's part of a charge, in minor units.
    #[must_use]
    pub fn platform_minor(self, gross_minor: i64) -> i64 {
        let gross = gross_minor.max(0);
        match self {
            Self::BasisPoints(points) => {
                let part = i128::from(gross) * i128::from(points.min(10_000)) / 10_000;
                // At most the charge itself, which fits.
                i64::try_from(part).unwrap_or(gross)
            }
            Self::Fixed(fee) => fee.clamp(0, gross),
        }
    }

    /// The provider's part: the rest.
    #[must_use]
    pub fn provider_minor(self, gross_minor: i64) -> i64 {
        gross_minor.max(0) - self.platform_minor(gross_minor)
    }
}

/// Who bears what a patient never pays (FLOWS 3d), or what a dispute takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossRule {
    /// The platform: the provider is paid in full.
    PlatformBears,
    /// The provider, up to the provider's whole part.
    ProviderBears,
    /// Both, each in proportion to its part.
    ProRata,
}

/// Why a payout does not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The patient has not paid, or something is on its way.
    PaymentNotCleared,
    /// The note of the visit is not signed.
    NoteIncomplete,
    /// The agreed days since the charge have not passed.
    HoldDays,
    /// The payer's bank asks for the money back.
    Disputed,
    /// Nobody said where to send it.
    NoAccount,
    /// The gateway refused the transfer.
    TransferDeclined,
    /// A person holds it.
    Person,
}

impl HoldReason {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::PaymentNotCleared,
        Self::NoteIncomplete,
        Self::HoldDays,
        Self::Disputed,
        Self::NoAccount,
        Self::TransferDeclined,
        Self::Person,
    ];

    /// The reason as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentNotCleared => "payment_not_cleared",
            Self::NoteIncomplete => "note_incomplete",
            Self::HoldDays => "hold_days",
            Self::Disputed => "disputed",
            Self::NoAccount => "no_account",
            Self::TransferDeclined => "transfer_declined",
            Self::Person => "person",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }

    /// Whether a person may lift it. The others end only when what they wait for is true.
    #[must_use]
    pub const fn is_waivable(self) -> bool {
        match self {
            Self::NoteIncomplete | Self::HoldDays | Self::TransferDeclined | Self::Person => true,
            Self::PaymentNotCleared | Self::Disputed | Self::NoAccount => false,
        }
    }
}

/// What was agreed, as of the accrual. A later agreement changes later payouts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What the platform keeps.
    pub share: Share,
    /// Whether the note must be signed first. False: the split follows the payment at once (FEATURES M190).
    pub wait_for_note: bool,
    /// Days from the latest charge to the transfer.
    pub hold_days: u16,
    /// Who bears a loss.
    pub loss: LossRule,
}

/// What a service earns, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accrual {
    /// The payout.
    pub payout: ProviderPayoutId,
    /// The service.
    pub service: ServiceId,
    /// Who gave the care.
    pub provider: ProviderId,
    /// The link token of the service, for the patient's side of the books.
    pub link: String,
    /// The connection whose money is transferred.
    pub connection: String,
    /// Its gateway's name.
    pub gateway: String,
    /// The provider's account at the gateway, when known.
    pub destination: Option<String>,
    /// The whole charge.
    pub gross: Money,
    /// What was agreed.
    pub terms: Terms,
}
