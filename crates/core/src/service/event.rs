//! What happened to a service: past-tense facts, as they stand in the journal.

use serde::{Deserialize, Serialize};

use crate::adjudication::{Adjudication, Split};
use crate::currency::Currency;
use crate::id::{EligibilityId, EstimateId, InvoiceId, NoteId, PatientId, PaymentId, ServiceId};
use crate::money::Money;
use crate::time::Timestamp;

use super::state::Held;

/// Whether the plan covers the service (FEATURES M304).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageStatus {
    /// It does.
    Valid,
    /// It no longer does. A person decides; nothing is cancelled by itself.
    InvalidCoverage,
    /// It does not with this provider.
    InvalidProvider,
    /// It is being checked.
    Revalidating,
}

/// A procedure that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The procedure code, for example a CPT code.
    pub code: String,
    /// What it costs.
    pub charge: Money,
}

/// A note, or an addition to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// The note of the visit.
    Note,
    /// An addendum to a signed note.
    Addendum,
}

/// How the money of estimates is applied to what the patient owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Deposits that are used up from now on, with what they held, in minor units.
    pub consumed: Vec<(PaymentId, i64)>,
    /// How much of all deposits pays what the patient owes now, in minor units.
    pub applied_minor: i64,
}

/// Which money was given back outside of a gateway. The parts add up to the amount; all in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBackFrom {
    /// Was paid elsewhere: the receivable.
    pub elsewhere_minor: i64,
    /// Is left over of estimates: a credit.
    pub estimates_minor: i64,
    /// Came back from a refund that failed later: a credit.
    pub returned_minor: i64,
    /// No refund ever left for it: still where its payment put it, the receivable, or the deposit of a cancelled service.
    pub unrefunded_minor: i64,
}

/// One fact about one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was made.
    Created {
        /// Its id.
        service: ServiceId,
        /// Whose.
        patient: PatientId,
        /// The link token that its charges share.
        link: String,
        /// The eligibility check that its estimate charges were made with.
        eligibility: Option<EligibilityId>,
        /// The currency of all its amounts.
        currency: Currency,
    },
    /// It has a time.
    Scheduled {
        /// When.
        at: Timestamp,
    },
    /// Another eligibility check stands for it.
    EligibilityChanged {
        /// Which.
        eligibility: EligibilityId,
    },
    /// A self-pay patient got a good-faith estimate of the whole service.
    GoodFaithEstimateGiven {
        /// How much.
        amount: Money,
        /// When.
        at: Timestamp,
    },
    /// A person reviewed a bill that is far above the good-faith estimate, and let it go on.
    BillReviewed {
        /// Who.
        by: String,
        /// Why, as a code.
        reason: String,
    },
    /// The coverage was checked.
    CoverageMoved {
        /// What came out.
        to: CoverageStatus,
    },
    /// An estimate charge belongs to it.
    EstimateAttached {
        /// Which.
        estimate: EstimateId,
    },
    /// An estimate charge no longer belongs to it.
    EstimateDetached {
        /// Which.
        estimate: EstimateId,
    },
    /// The care was given.
    Delivered {
        /// When.
        at: Timestamp,
        /// What was done.
        lines: Vec<Line>,
    },
    /// A note was signed. It cannot change any more.
    NoteSigned {
        /// Its id.
        note: NoteId,
        /// A note, or an addition to one.
        kind: NoteKind,
        /// Who signed.
        signer: String,
        /// SHA-256 of its text, 64 hexadecimal digits. The text itself is kept sealed.
        hash: String,
        /// When.
        at: Timestamp,
    },
    /// The claim was sent; the payer owes the charge.
    Billed {
        /// The claim's control number: comes back in the remittance (X12 CLP01).
        claim: String,
        /// The charge: the sum of the lines.
        charge: Money,
    },
    /// The payer decided.
    Adjudicated {
        /// The decision.
        decision: Adjudication,
        /// What it means for the books.
        split: Split,
    },
    /// A person set the final responsibility: there is no claim, or the payer's word came on paper.
    ResponsibilitySet {
        /// What the patient owes in all.
        responsibility: Money,
        /// Who says so.
        author: String,
    },
    /// The patient paid a part elsewhere, for example in cash at the desk.
    PaidElsewhere {
        /// A reference that makes it unique.
        reference: String,
        /// How much.
        amount: Money,
        /// Who recorded it.
        author: String,
    },
    /// Money was given back to the patient outside of a gateway.
    GivenBack {
        /// A reference that makes it unique.
        reference: String,
        /// Where it came from in the books.
        from: GivenBackFrom,
        /// How much.
        amount: Money,
        /// Who approved it.
        approver: String,
        /// Why, as a code.
        reason: String,
    },
    /// A payment of this service changed.
    PaymentSeen {
        /// The payment.
        payment: PaymentId,
        /// What it holds now.
        held: Held,
    },
    /// Settling began, or began again after the claim was reopened.
    SettlingBegun {
        /// 1 for the first time.
        version: u32,
    },
    /// Money of estimates was applied to what the patient owes.
    Applied {
        /// How.
        applied: Applied,
        /// Counts the applications of this service.
        number: u32,
    },
    /// A part of what the patient owes was given up.
    WrittenOff {
        /// Counts the write-offs of this service.
        number: u32,
        /// How much.
        amount: Money,
        /// Who approved it.
        approver: String,
        /// Why, as a code.
        reason: String,
    },
    /// A write-off was taken back.
    WriteOffUndone {
        /// Which.
        number: u32,
        /// How much.
        amount: Money,
        /// Who approved that.
        approver: String,
    },
    /// It has an invoice.
    Invoiced {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// It will not take place.
    Canceled {
        /// `patient`, `clinic` or `system`.
        by: String,
        /// Why, as a code.
        reason: String,
    },
    /// It will not take place, and the patient owes a fee for that.
    Missed {
        /// Who cancelled, or `patient` when nobody came.
        by: String,
        /// Why, as a code.
        reason: String,
        /// The fee. What was paid before pays it first.
        fee: Money,
    },
    /// Everything is paid and proven.
    Completed {
        /// Which settling it ends.
        version: u32,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "service.created",
            Self::Scheduled { .. } => "service.scheduled",
            Self::EligibilityChanged { .. } => "service.eligibility_changed",
            Self::GoodFaithEstimateGiven { .. } => "service.good_faith_estimate_given",
            Self::BillReviewed { .. } => "service.bill_reviewed",
            Self::CoverageMoved { .. } => "service.coverage_moved",
            Self::EstimateAttached { .. } => "service.estimate_attached",
            Self::EstimateDetached { .. } => "service.estimate_detached",
            Self::Delivered { .. } => "service.delivered",
            Self::NoteSigned { .. } => "service.note_signed",
            Self::Billed { .. } => "service.billed",
            Self::Adjudicated { .. } => "service.adjudicated",
            Self::ResponsibilitySet { .. } => "service.responsibility_set",
            Self::PaidElsewhere { .. } => "service.paid_elsewhere",
            Self::GivenBack { .. } => "service.given_back",
            Self::PaymentSeen { .. } => "service.payment_seen",
            Self::SettlingBegun { .. } => "service.settling_begun",
            Self::Applied { .. } => "service.applied",
            Self::WrittenOff { .. } => "service.written_off",
            Self::WriteOffUndone { .. } => "service.write_off_undone",
            Self::Invoiced { .. } => "service.invoiced",
            Self::Canceled { .. } => "service.canceled",
            Self::Missed { .. } => "service.missed",
            Self::Completed { .. } => "service.completed",
        }
    }
}
