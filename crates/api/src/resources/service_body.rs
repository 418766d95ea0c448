//! A service as JSON: where care, claim and money stand, and the worksheet that says what is left.

use serde::{Deserialize, Serialize};
use suture_core::adjudication::{self, Adjudication, Adjustment, Group, Split};
use suture_core::money;
use suture_core::service::{self, Held, Service, Worksheet};
use utoipa::ToSchema;

use super::service_allocation::AllocationBody;
use crate::bodies::{Money, time, words};

words! {
    /// Where a service stands.
    ServiceStatus = service::Status {
        Pending, Scheduled, Delivered, Noted, Billed, Adjudicated, Settling, Completed, Canceled,
    }
}

words! {
    /// Whether the plan covers the service.
    CoverageStatus = service::CoverageStatus { Valid, InvalidCoverage, InvalidProvider, Revalidating }
}

words! {
    /// A note, or an addition to a signed one.
    NoteKind = service::NoteKind { Note, Addendum }
}

words! {
    /// How the payer stands to a claim.
    ClaimOutcome = adjudication::Outcome { Processed, Forwarded, Denied, Reversal }
}

words! {
    /// What a payment of a service is: an estimate's, or of the balance.
    HeldKind = service::Kind { Estimate, Balance }
}

/// A service as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceBody {
    id: String,
    patient: String,
    link: String,
    /// The check that its estimate charges were made with; use it for more of them.
    eligibility: Option<String>,
    currency: String,
    status: ServiceStatus,
    coverage: Option<CoverageStatus>,
    at: Option<String>,
    estimates: Vec<String>,
    lines: Vec<LineBody>,
    notes: Vec<NoteBody>,
    claim: Option<ClaimBody>,
    decisions: Vec<DecisionBody>,
    /// The final responsibility that a person set.
    responsibility_set: Option<Money>,
    elsewhere: Vec<ElsewhereBody>,
    /// Given back to the patient outside of a gateway.
    given_back: Vec<ElsewhereBody>,
    payments: Vec<HeldBody>,
    write_offs: Vec<WriteOffBody>,
    invoice: Option<String>,
    /// Which settling this is; 0: none began.
    settling: u32,
    canceled: Option<CanceledBody>,
    worksheet: WorksheetBody,
    /// The same by line.
    allocation: AllocationBody,
    /// What the payer left unpaid for reasons that are not the patient's; nobody is billed for it.
    open_with_payer: Money,
    /// What is to be collected now; absent while something is on its way, or nothing is due.
    to_collect: Option<Money>,
}

/// What a service comes to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Worksheet)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorksheetBody {
    /// What the patient owes in all.
    responsibility: Money,
    /// Paid by estimates, net.
    estimates: Money,
    /// Paid on the balance, net.
    balance_payments: Money,
    /// Paid elsewhere, less what was given back outside of a gateway.
    elsewhere: Money,
    written_off: Money,
    /// On its way back to the patient, not proven.
    returning: Money,
    /// What is left: positive, the patient owes it; negative, it is owed to the patient.
    difference: Money,
}

/// A procedure that was done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ServiceLine)]
#[serde(deny_unknown_fields)]
pub(super) struct LineBody {
    /// The procedure code, for example a CPT code.
    pub(super) code: String,
    pub(super) charge: Money,
}

/// A signed note. Its text is sealed and never shown here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedNote)]
pub(super) struct NoteBody {
    id: String,
    kind: NoteKind,
    signer: String,
    /// SHA-256 of its text.
    hash: String,
    at: String,
}

/// The claim as sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Claim)]
pub(super) struct ClaimBody {
    /// Its control number.
    number: String,
    charge: Money,
}

/// What a payer decided, and what it means.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(super) struct DecisionBody {
    /// The remittance and the claim's position in it, or `manual`.
    source: String,
    outcome: ClaimOutcome,
    charge: Money,
    paid: Money,
    /// Agreed reductions.
    contractual: Money,
    /// The patient's part.
    patient: Money,
    /// Stays with the payer.
    open: Money,
    adjustments: Vec<AdjustmentBody>,
}

/// Why an amount of a charge is not paid.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Adjustment)]
#[serde(deny_unknown_fields)]
pub(super) struct AdjustmentBody {
    /// The service line, 1 for the first; the claim as a whole when absent.
    pub(super) line: Option<u32>,
    /// Who bears it: `PR` the patient, `CO` the contract, `OA` another reason, `PI` the payer's own decision.
    pub(super) group: String,
    /// The payer's reason code.
    pub(super) reason: String,
    pub(super) amount: Money,
}

/// Money that went from the patient, or back, outside of a gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaidElsewhere)]
pub(super) struct ElsewhereBody {
    reference: String,
    amount: Money,
}

/// What a payment of a service holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServicePayment)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeldBody {
    payment: String,
    kind: HeldKind,
    /// Captured, less what went back.
    net: Money,
    /// On its way back.
    returning: Money,
    /// Refunds that came back to us.
    failed_refunds: u32,
    /// Whether it may still collect.
    collecting: bool,
}

/// A write-off that stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WriteOff)]
pub(super) struct WriteOffBody {
    number: u32,
    amount: Money,
}

/// Who cancelled a service, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cancellation)]
pub(super) struct CanceledBody {
    by: String,
    reason: String,
}

impl ServiceBody {
    pub(super) fn of(service: &Service) -> Self {
        let money = |minor| money::Money::new(minor, service.currency);
        let elsewhere = |(reference, minor): (&String, &i64)| ElsewhereBody {
            reference: reference.clone(),
            amount: money(*minor).into(),
        };
        let write_off =
            |(number, minor): (&u32, &i64)| WriteOffBody { number: *number, amount: money(*minor).into() };
        Self {
            id: service.id.to_string(),
            patient: service.patient.to_string(),
            link: service.link.clone(),
            eligibility: service.eligibility.map(|check| check.to_string()),
            currency: service.currency.code().to_owned(),
            status: service.status.into(),
            coverage: service.coverage.map(Into::into),
            at: service.at.map(time),
            estimates: service.estimates.iter().map(ToString::to_string).collect(),
            lines: service.lines.iter().map(LineBody::of).collect(),
            notes: service.notes.iter().map(NoteBody::of).collect(),
            claim: service
                .claim
                .as_ref()
                .map(|(number, charge)| ClaimBody { number: number.clone(), charge: (*charge).into() }),
            decisions: service.decisions.iter().map(DecisionBody::of).collect(),
            responsibility_set: service.set_by_person.map(Into::into),
            elsewhere: service.elsewhere.iter().map(elsewhere).collect(),
            given_back: service.given_back.iter().map(elsewhere).collect(),
            payments: service
                .payments
                .iter()
                .map(|(payment, held)| HeldBody::of(payment, held, service))
                .collect(),
            write_offs: service.write_offs.iter().map(write_off).collect(),
            invoice: service.invoice.map(|invoice| invoice.to_string()),
            settling: service.version,
            canceled: service
                .canceled
                .as_ref()
                .map(|(by, reason)| CanceledBody { by: by.clone(), reason: reason.clone() }),
            worksheet: service.worksheet().into(),
            allocation: service.allocation().into(),
            open_with_payer: money(service.open_with_payer_minor()).into(),
            to_collect: service.to_collect().map(Into::into),
        }
    }
}

impl From<Worksheet> for WorksheetBody {
    fn from(sheet: Worksheet) -> Self {
        Self {
            responsibility: sheet.responsibility.into(),
            estimates: sheet.estimates.into(),
            balance_payments: sheet.balance_payments.into(),
            elsewhere: sheet.elsewhere.into(),
            written_off: sheet.written_off.into(),
            returning: sheet.returning.into(),
            difference: sheet.difference.into(),
        }
    }
}

impl LineBody {
    pub(super) fn of(line: &service::Line) -> Self {
        Self { code: line.code.clone(), charge: line.charge.into() }
    }
}

impl NoteBody {
    fn of(note: &service::Note) -> Self {
        Self {
            id: note.id.to_string(),
            kind: note.kind.into(),
            signer: note.signer.clone(),
            hash: note.hash.clone(),
            at: time(note.at),
        }
    }
}

impl DecisionBody {
    fn of((decision, split): &(Adjudication, Split)) -> Self {
        let money = |minor| money::Money::new(minor, decision.charge.currency).into();
        Self {
            source: decision.source.clone(),
            outcome: decision.outcome.into(),
            charge: decision.charge.into(),
            paid: decision.paid.into(),
            contractual: money(split.contractual),
            patient: money(split.patient),
            open: money(split.open),
            adjustments: decision.adjustments.iter().map(AdjustmentBody::of).collect(),
        }
    }
}

impl AdjustmentBody {
    fn of(adjustment: &Adjustment) -> Self {
        let group = match &adjustment.group {
            Group::Patient => "PR",
            Group::Contractual => "CO",
            Group::Other => "OA",
            Group::PayerInitiated => "PI",
            Group::Unknown(code) => code,
        };
        Self {
            line: adjustment.line,
            group: group.to_owned(),
            reason: adjustment.reason.clone(),
            amount: adjustment.amount.into(),
        }
    }
}

impl HeldBody {
    fn of(payment: &str, held: &Held, service: &Service) -> Self {
        let money = |minor| money::Money::new(minor, service.currency).into();
        Self {
            payment: payment.to_owned(),
            kind: held.kind.into(),
            net: money(held.net_minor),
            returning: money(held.returning_minor),
            failed_refunds: held.failed_refunds,
            collecting: held.collecting,
        }
    }
}
