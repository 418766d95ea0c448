//! A remittance and its claims as JSON: codes and amounts, never the names that stand in the file.

use serde::Serialize;
use suture_engine::billing::{Adjusted, ClaimLine, ClaimSheet, Remittance, RemittanceClaim};
use utoipa::ToSchema;

use crate::bodies::{Money, time};

/// One payment of a payer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Remittance)]
pub(super) struct RemittanceBody {
    id: String,
    /// The payer's id.
    payer: String,
    /// The trace number, by which the bank's line is found.
    trace: String,
    /// SHA-256 of the file.
    hash: String,
    /// What the payer pays in all.
    total: Money,
    /// How many claims it holds.
    claims: u64,
    /// `received` while claims are being booked, `booked` once every claim was looked at.
    status: &'static str,
    /// Claims that were booked, once every claim was looked at.
    booked: Option<u64>,
    /// Claims that waited for a person then.
    waiting: Option<u64>,
    /// Money for the provider as a whole; it bills no patient.
    adjustments: Vec<ProviderAdjustmentBody>,
}

/// Money that the payer withholds or adds for the provider as a whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderAdjustment)]
pub(super) struct ProviderAdjustmentBody {
    /// The payer's code, for example `WO`, `FB`, `L6`.
    code: String,
    /// Positive: withheld; negative: added.
    amount: Money,
}

/// One claim of a remittance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RemittanceClaim)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClaimBody {
    remittance: String,
    /// Its place in the file, 1 for the first.
    position: i64,
    /// The claim's control number.
    claim: String,
    /// `received`, `booked` or `waiting`.
    state: String,
    /// Why it waits, or the service that it was booked on.
    note: Option<String>,
    received_at: String,
    sheet: Option<SheetBody>,
}

/// What stands in a claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimSheet)]
#[serde(rename_all = "camelCase")]
pub(super) struct SheetBody {
    charge: Money,
    paid: Money,
    /// The sum of the `PR` adjustments: all that may reach the patient.
    patient_responsibility: Money,
    /// Whether it takes an earlier decision back.
    reversal: bool,
    /// Adjustments of the claim as a whole.
    adjustments: Vec<AdjustedBody>,
    lines: Vec<ClaimLineBody>,
}

/// One service of a claim.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimLine)]
pub(super) struct ClaimLineBody {
    /// The procedure code.
    code: String,
    charge: Money,
    paid: Money,
    adjustments: Vec<AdjustedBody>,
}

/// Why an amount is not paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimAdjustment)]
pub(super) struct AdjustedBody {
    /// `PR`, `CO`, `OA`, `PI`, or another as sent.
    group: String,
    /// The payer's reason code.
    reason: String,
    /// The reason in words.
    meaning: &'static str,
    amount: Money,
}

impl RemittanceBody {
    pub(super) fn of(remittance: &Remittance) -> Self {
        let adjustments = remittance
            .adjustments
            .iter()
            .map(|one| ProviderAdjustmentBody { code: one.code.clone(), amount: one.amount.into() });
        Self {
            id: remittance.id.to_string(),
            payer: remittance.payer.clone(),
            trace: remittance.trace.clone(),
            hash: remittance.hash.clone(),
            total: remittance.total.into(),
            claims: remittance.claims,
            status: if remittance.booked.is_some() { "booked" } else { "received" },
            booked: remittance.booked.map(|(booked, _)| booked),
            waiting: remittance.booked.map(|(_, waiting)| waiting),
            adjustments: adjustments.collect(),
        }
    }
}

impl ClaimBody {
    pub(super) fn of(remittance: &str, claim: RemittanceClaim, sheet: Option<ClaimSheet>) -> Self {
        Self {
            remittance: remittance.to_owned(),
            position: claim.position,
            claim: claim.claim,
            state: claim.state,
            note: claim.note,
            received_at: time(claim.received_at),
            sheet: sheet.map(SheetBody::from),
        }
    }
}

impl From<ClaimSheet> for SheetBody {
    fn from(sheet: ClaimSheet) -> Self {
        Self {
            charge: sheet.charge.into(),
            paid: sheet.paid.into(),
            patient_responsibility: sheet.patient_responsibility.into(),
            reversal: sheet.reversal,
            adjustments: sheet.adjustments.into_iter().map(AdjustedBody::from).collect(),
            lines: sheet.lines.into_iter().map(ClaimLineBody::from).collect(),
        }
    }
}

impl From<ClaimLine> for ClaimLineBody {
    fn from(line: ClaimLine) -> Self {
        let adjustments = line.adjustments.into_iter().map(AdjustedBody::from).collect();
        Self { code: line.code, charge: line.charge.into(), paid: line.paid.into(), adjustments }
    }
}

impl From<Adjusted> for AdjustedBody {
    fn from(one: Adjusted) -> Self {
        Self { group: one.group, reason: one.reason, meaning: one.meaning, amount: one.amount.into() }
    }
}
