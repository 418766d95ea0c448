//! What an 835 says, in our words.
//!
//! Made by the reader, read by whoever posts or shows remittances. Must stay true: names and ids of people are [`Phi`],
//! are left out when a claim is serialized, and everything else is as the payer sent it.

use serde::{Deserialize, Serialize};
use suture_core::money::{Error as MoneyError, Money};
use suture_core::redact::Phi;

use super::codes::{Group, Handling, Method, Status};
use crate::x12::day::Day;
use crate::x12::decimal::Decimal;
use crate::x12::envelope::Control;
use crate::x12::party::{Organization, Person};

/// What the reader yields, in the order of the file: per transaction set one header, its claims, its provider
/// adjustments, and one trailer.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A remittance begins.
    Header(Box<Header>),
    /// One claim, balanced.
    Claim(Box<Claim>),
    /// Money between payer and provider that belongs to no claim.
    Provider(ProviderAdjustment),
    /// The remittance is complete and balances.
    Trailer(Trailer),
}

/// The beginning of one remittance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Control numbers; `control.test` is true for a test file.
    pub control: Control,
    /// BPR01.
    pub handling: Handling,
    /// BPR02: what the payer pays in total. Its currency is that of the whole remittance (CUR02, else USD).
    pub total: Money,
    /// BPR03, `C` or `D` as sent. It names who initiates the transfer; it does not change the sign of the total.
    pub credit_debit: String,
    /// BPR04.
    pub method: Method,
    /// BPR16, or `None` when it is absent or no date.
    pub payment_date: Option<Day>,
    /// TRN02: the number of the transfer or check, which the bank shows as well.
    pub trace: String,
    /// TRN03: the payer's number; with the trace it names the payment.
    pub payer_number: String,
    /// N1*PR.
    pub payer: Organization,
    /// N1*PE.
    pub payee: Organization,
    /// DTM*405, or `None` when it is absent or no date.
    pub produced: Option<Day>,
    /// The number of BPR in the file.
    pub segment: u64,
    /// What a person may want to know.
    pub notes: Vec<Note>,
}

/// One adjustment: why an amount of the charge was not paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Who bears it.
    pub group: Group,
    /// The claim adjustment reason code, as sent.
    pub reason: String,
    /// How much; negative in reversals.
    pub amount: Money,
    /// How many units, if told.
    pub quantity: Option<Decimal>,
}

/// A service as billed: `HC:99213:25`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    /// The list of codes, for example `HC`; empty when the element could not be split.
    pub qualifier: String,
    /// The code, for example `99213`; empty when the element could not be split.
    pub code: String,
    /// Up to four modifiers.
    pub modifiers: Vec<String>,
    /// The element as sent.
    pub text: String,
}

/// One service of a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceLine {
    /// What was paid for (SVC01).
    pub procedure: Procedure,
    /// What was billed, when the payer changed it (SVC06).
    pub original: Option<Procedure>,
    /// SVC02.
    pub charge: Money,
    /// SVC03.
    pub paid: Money,
    /// SVC05; 1 when absent, as the guide says.
    pub units: Decimal,
    /// First day of the service (DTM*472 or 150).
    pub from: Option<Day>,
    /// Last day of the service (DTM*472 or 151).
    pub to: Option<Day>,
    /// REF*6R: our number of the line in the 837.
    pub control: Option<String>,
    /// AMT*B6: what the payer allows for it.
    pub allowed: Option<Money>,
    /// LQ*HE remark codes.
    pub remarks: Vec<String>,
    /// CAS of the line; they add to those of the claim.
    pub adjustments: Vec<Adjustment>,
    /// The number of SVC in the file.
    pub segment: u64,
}

/// The days a claim is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDates {
    /// DTM*232.
    pub from: Option<Day>,
    /// DTM*233.
    pub to: Option<Day>,
    /// DTM*050: when the payer received it.
    pub received: Option<Day>,
    /// DTM*036: when the coverage ended.
    pub coverage_ended: Option<Day>,
}

/// The people of a claim.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct People {
    /// NM1*QC.
    pub patient: Option<Person>,
    /// NM1*IL, or the corrected insured NM1*74.
    pub insured: Option<Person>,
    /// REF*EA: the medical record number.
    pub record_number: Option<Phi<String>>,
}

/// The patient responsibility that the payer states is not the sum of its `PR` adjustments. The sum is the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// CLP05; `None` when it is blank.
    pub stated: Option<Money>,
    /// The sum of the `PR` adjustments of the claim and its lines.
    pub computed: Money,
}

/// Something a person may want to know; none of it changes an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// SVC01 or SVC06 does not split at the declared component separator; see [`Procedure::text`].
    ProcedureNotSplit {
        /// The number of SVC in the file.
        segment: u64,
    },
    /// A date is no date and was left out.
    DateNotReadable {
        /// The number of the segment in the file.
        segment: u64,
    },
    /// A segment that this reader does not know was left out.
    UnknownSegment {
        /// The number of the segment in the file.
        segment: u64,
        /// Its name.
        name: String,
    },
}

/// One claim as the payer answered it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Its position in the remittance, from 1.
    pub position: u64,
    /// The number of CLP in the file.
    pub segment: u64,
    /// LX01 of the header number it stands under; empty when there is none.
    pub lx: String,
    /// CLP01: our id of the claim.
    pub control: String,
    /// CLP02.
    pub status: Status,
    /// CLP03.
    pub charge: Money,
    /// CLP04.
    pub paid: Money,
    /// CLP05, which may be blank; never the truth, see [`Claim::patient_responsibility`].
    pub stated_responsibility: Option<Money>,
    /// CLP06.
    pub filing: Option<String>,
    /// CLP07: the payer's number of the claim.
    pub payer_control: Option<String>,
    /// CLP08.
    pub facility: Option<String>,
    /// CLP09: 1 original, 7 replacement, 8 void.
    pub frequency: Option<String>,
    /// REF*F8: the payer's number of the claim that this one follows.
    pub original_payer_control: Option<String>,
    /// The id of the rendering provider (NM1*82).
    pub rendering_id: Option<String>,
    /// The next payer, when the claim was sent on (NM1*TT).
    pub crossover: Option<Organization>,
    /// CAS of the claim; they add to those of the lines.
    pub adjustments: Vec<Adjustment>,
    /// The services.
    pub lines: Vec<ServiceLine>,
    /// Days.
    pub dates: ClaimDates,
    /// AMT*AU: what the coverage is about.
    pub coverage_amount: Option<Money>,
    /// AMT*F5: what the patient had paid.
    pub patient_paid: Option<Money>,
    /// Remark codes of the claim (MIA, MOA).
    pub remarks: Vec<String>,
    /// Set when CLP05 and the `PR` adjustments differ.
    pub difference: Option<Difference>,
    /// What a person may want to know.
    pub notes: Vec<Note>,
    /// Patient and insured; not serialized.
    #[serde(skip)]
    pub people: People,
}

/// Money between payer and provider that belongs to no claim (one pair of a PLB segment). It moves no patient balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderAdjustment {
    /// PLB01.
    pub provider: String,
    /// PLB02: the end of the provider's fiscal year.
    pub fiscal_end: Option<Day>,
    /// The code, as sent.
    pub code: String,
    /// The payer's reference.
    pub reference: Option<String>,
    /// **Positive is withheld from the provider, negative is paid in addition.**
    pub amount: Money,
    /// The number of PLB in the file.
    pub segment: u64,
}

/// The end of one remittance, which balances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Control numbers.
    pub control: Control,
    /// How many claims.
    pub claims: u64,
    /// How many service lines.
    pub lines: u64,
    /// The sum of what claims were paid.
    pub paid: Money,
    /// The sum of the provider adjustments; positive is withheld.
    pub provider_adjustments: Money,
    /// What the payer pays: `paid` less `provider_adjustments`, and BPR02.
    pub total: Money,
}

impl Header {
    /// Whether the payer says that money moves: not for a notification, not for method `NON`. Whether the file is a
    /// test is another question, see [`Control::test`].
    #[must_use]
    pub fn moves_money(&self) -> bool {
        self.handling != Handling::NotificationOnly && self.method != Method::None
    }
}

impl Claim {
    /// All adjustments, of the claim and of its lines.
    pub fn all_adjustments(&self) -> impl Iterator<Item = &Adjustment> {
        self.adjustments.iter().chain(self.lines.iter().flat_map(|line| &line.adjustments))
    }

    /// The sum of all adjustments of one group.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`], and [`MoneyError::CurrencyMismatch`] in a claim that no reader made.
    pub fn total_of(&self, group: &Group) -> Result<Money, MoneyError> {
        let zero = Money::zero(self.charge.currency);
        let of_group = self.all_adjustments().filter(|adjustment| adjustment.group == *group);
        of_group.map(|adjustment| adjustment.amount).try_fold(zero, Money::plus)
    }

    /// What the patient owes by this answer: the sum of the `PR` adjustments of claim and lines. Negative in a
    /// reversal. Billed only when no other payer is still to answer.
    ///
    /// # Errors
    /// As [`total_of`](Self::total_of).
    pub fn patient_responsibility(&self) -> Result<Money, MoneyError> {
        self.total_of(&Group::PatientResponsibility)
    }

    /// Whether this takes back an earlier answer; the signs are flipped already.
    #[must_use]
    pub fn is_reversal(&self) -> bool {
        self.status == Status::Reversal
    }

    /// Whether the claim was denied. A denial can still leave `PR` amounts.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        self.status == Status::Denied
    }

    /// Whether another payer answers next, so that the patient must not be billed yet.
    #[must_use]
    pub const fn awaits_next_payer(&self) -> bool {
        self.status.is_forwarded() || self.crossover.is_some()
    }
}
