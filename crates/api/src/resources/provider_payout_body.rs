//! How provider payouts are shown and asked for.

use serde::{Deserialize, Serialize};
use suture_core::id::{ProviderId, ServiceId};
use suture_core::payout::{self, ProviderPayout};
use suture_engine::payouts::NewPayout;
use utoipa::ToSchema;

use crate::bodies::{Money, in_field, time, words};
use crate::problem::Problem;

words! {
    /// Where a payout stands.
    ProviderPayoutStatus = payout::Status {
        Accrued, Held, Released, Sent, Unknown, Paid, PartClawedBack, ClawedBack, Voided,
    }
}

words! {
    /// Why a payout does not go out.
    PayoutHold = payout::HoldReason {
        PaymentNotCleared, NoteIncomplete, HoldDays, Disputed, NoAccount, TransferDeclined, Person,
    }
}

words! {
    /// Who bears what the patient never pays, or what a dispute takes back.
    LossRule = payout::LossRule { PlatformBears, ProviderBears, ProRata }
}

words! {
    /// How far a transfer or reversal got.
    TransferStatus = payout::Step { Planned, Sent, Unknown, Done, Declined, Withdrawn }
}

/// What the platform keeps of a charge: one of the two.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum PlatformShare {
    /// Hundredths of a percent: 1500 is 15 %. A part of a cent goes to the provider.
    BasisPoints(u16),
    /// A fixed fee in minor units, at most the charge.
    FixedMinor(i64),
}

/// What was agreed with the provider.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PayoutTerms {
    platform: PlatformShare,
    /// Whether the note must be signed first; `false`: the split follows the payment at once.
    wait_for_note: bool,
    /// Days from the latest charge to the transfer, at most 365.
    hold_days: u16,
    loss: LossRule,
}

/// A payout to accrue for a service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewProviderPayout {
    service: String,
    provider: String,
    /// The whole charge. It follows the service from then on.
    charge: Money,
    /// The provider's account at the gateway; without one the payout is held until it is named.
    destination: Option<String>,
    terms: PayoutTerms,
    /// The gateway; the only one when absent.
    pub(super) connection: Option<String>,
}

impl NewProviderPayout {
    pub(super) fn understood(self) -> Result<NewPayout, Problem> {
        let share = match self.terms.platform {
            PlatformShare::BasisPoints(points) => payout::Share::BasisPoints(points),
            PlatformShare::FixedMinor(minor) => payout::Share::Fixed(minor),
        };
        Ok(NewPayout {
            service: in_field(ServiceId::parse, &self.service, "service")?,
            provider: in_field(ProviderId::parse, &self.provider, "provider")?,
            gross: self.charge.try_into()?,
            destination: self.destination,
            terms: payout::Terms {
                share,
                wait_for_note: self.terms.wait_for_note,
                hold_days: self.terms.hold_days,
                loss: self.terms.loss.into(),
            },
        })
    }
}

/// One reason why a payout does not go out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderPayoutHold)]
pub(super) struct HoldBody {
    reason: PayoutHold,
    /// Until when, when that is known.
    until: Option<String>,
    /// Who, when a person holds it.
    by: Option<String>,
}

/// Money sent to the provider, or taken back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderTransfer)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferBody {
    amount: Money,
    status: TransferStatus,
    planned_at: String,
    /// The gateway's id, when known.
    gateway_id: Option<String>,
    /// Our code for a failure.
    code: Option<String>,
}

/// A provider's payout as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderPayout)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProviderPayoutBody {
    id: String,
    status: ProviderPayoutStatus,
    /// Why it does not go out, and until when.
    holds: Vec<HoldBody>,
    service: String,
    provider: String,
    connection: String,
    destination: Option<String>,
    /// The whole charge.
    charge: Money,
    /// The platform's part of it.
    platform_part: Money,
    /// The provider's part of it, before losses.
    provider_part: Money,
    /// What the provider is entitled to.
    entitled: Money,
    /// Transferred and not taken back.
    transferred: Money,
    /// Kept because the provider owed it from other payouts.
    deducted: Money,
    /// What the provider owes and the next payout keeps.
    owes: Money,
    terms: PayoutTerms,
    transfers: Vec<TransferBody>,
    reversals: Vec<TransferBody>,
}

impl ProviderPayoutBody {
    pub(super) fn of(payout: &ProviderPayout) -> Self {
        let money = |minor| Money::from(payout.money(minor));
        let terms = payout.accrual.terms;
        Self {
            id: payout.accrual.payout.to_string(),
            status: payout.status().into(),
            holds: holds(payout),
            service: payout.accrual.service.to_string(),
            provider: payout.accrual.provider.to_string(),
            connection: payout.accrual.connection.clone(),
            destination: payout.destination.clone(),
            charge: money(payout.gross_minor),
            platform_part: money(payout.platform_minor()),
            provider_part: money(payout.provider_minor()),
            entitled: money(payout.entitled_minor()),
            transferred: money(payout.transferred_minor()),
            deducted: money(payout.deducted_minor),
            owes: money(payout.owes_minor()),
            terms: PayoutTerms {
                platform: match terms.share {
                    payout::Share::BasisPoints(points) => PlatformShare::BasisPoints(points),
                    payout::Share::Fixed(minor) => PlatformShare::FixedMinor(minor),
                },
                wait_for_note: terms.wait_for_note,
                hold_days: terms.hold_days,
                loss: terms.loss.into(),
            },
            transfers: transfers(payout),
            reversals: reversals(payout),
        }
    }
}

fn holds(payout: &ProviderPayout) -> Vec<HoldBody> {
    let body = |(reason, hold): (&payout::HoldReason, &payout::Hold)| HoldBody {
        reason: (*reason).into(),
        until: hold.until.map(time),
        by: hold.by.clone(),
    };
    payout.holds.iter().map(body).collect()
}

fn transfers(payout: &ProviderPayout) -> Vec<TransferBody> {
    let body = |transfer: &payout::Transfer| TransferBody {
        amount: payout.money(transfer.amount_minor).into(),
        status: transfer.step.into(),
        planned_at: time(transfer.at),
        gateway_id: transfer.id.clone(),
        code: transfer.code.clone(),
    };
    payout.transfers.iter().map(body).collect()
}

fn reversals(payout: &ProviderPayout) -> Vec<TransferBody> {
    let body = |reversal: &payout::Reversal| TransferBody {
        amount: payout.money(reversal.amount_minor).into(),
        status: reversal.step.into(),
        planned_at: time(reversal.at),
        gateway_id: reversal.id.clone(),
        code: reversal.code.clone(),
    };
    payout.reversals.iter().map(body).collect()
}
