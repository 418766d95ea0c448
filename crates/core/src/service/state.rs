//! What is known about a service, and the status that follows from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::adjudication::{Adjudication, Outcome, Split};
use crate::currency::Currency;
use crate::id::{EligibilityId, EstimateId, InvoiceId, NoteId, PatientId, ServiceId};
use crate::money::Money;
use crate::time::Timestamp;

use super::event::{CoverageStatus, Event, Line, NoteKind};

/// Where a service stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has no time yet.
    Pending,
    /// It has a time.
    Scheduled,
    /// The care was given.
    Delivered,
    /// Its note is signed.
    Noted,
    /// The claim was sent.
    Billed,
    /// The payer decided.
    Adjudicated,
    /// What the patient owes is being collected or paid back.
    Settling,
    /// Everything is paid and proven.
    Completed,
    /// It will not take place.
    Canceled,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Scheduled => "scheduled",
            Self::Delivered => "delivered",
            Self::Noted => "noted",
            Self::Billed => "billed",
            Self::Adjudicated => "adjudicated",
            Self::Settling => "settling",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }
}

/// What a payment of a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An estimate's: its money is a deposit until it is applied.
    Estimate,
    /// Of the balance: it pays what is owed at once.
    Balance,
}

/// What a payment of a service holds, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What it is.
    pub kind: Kind,
    /// Captured, less what went back.
    pub net_minor: i64,
    /// On its way back: asked for or pending, not proven.
    pub returning_minor: i64,
    /// Refunds that came back to us so far.
    pub failed_refunds: u32,
    /// How much of it had left and came back: a credit in the books.
    #[serde(default)]
    pub came_back_minor: i64,
    /// When the charge was made: refunds go to the newest first.
    pub charged_at: Timestamp,
    /// Whether it may still collect.
    pub collecting: bool,
}

/// A signed note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// A note, or an addition to one.
    pub kind: NoteKind,
    /// Who signed.
    pub signer: String,
    /// SHA-256 of its text.
    pub hash: String,
    /// When.
    pub at: Timestamp,
}

/// A service as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Whose.
    pub patient: PatientId,
    /// The link token.
    pub link: String,
    /// The eligibility check that its estimate charges were made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<EligibilityId>,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// Where it stands.
    pub status: Status,
    /// Whether the plan covers it, when checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageStatus>,
    /// What a self-pay patient was told that it would cost, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_faith: Option<(Money, Timestamp)>,
    /// A person reviewed a bill that is far above it.
    #[serde(default)]
    pub reviewed: bool,
    /// When it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Its estimate charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<EstimateId>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Signed notes, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The claim's control number and charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<(String, Money)>,
    /// The payer's decisions with what each means, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<(Adjudication, Split)>,
    /// The final responsibility that a person set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by_person: Option<Money>,
    /// How often a person set it.
    #[serde(default)]
    pub times_set: u32,
    /// Paid elsewhere, by reference, in minor units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elsewhere: BTreeMap<String, i64>,
    /// Given back outside of a gateway, by reference, in minor units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub given_back: BTreeMap<String, i64>,
    /// How much of that had been paid elsewhere.
    #[serde(default)]
    pub given_back_elsewhere_minor: i64,
    /// How much of that was left over of estimates.
    #[serde(default)]
    pub given_back_estimates_minor: i64,
    /// How much of that had come back from a refund that failed.
    #[serde(default)]
    pub given_back_returned_minor: i64,
    /// Payments by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payments: BTreeMap<String, Held>,
    /// Payments whose deposit is used up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumed: Vec<String>,
    /// How much of all deposits pays what the patient owes, in minor units.
    pub applied_minor: i64,
    /// Applications so far.
    pub applications: u32,
    /// Write-offs that stand, by number, in minor units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub write_offs: BTreeMap<u32, i64>,
    /// Write-offs so far.
    pub write_offs_made: u32,
    /// Its invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceId>,
    /// Which settling this is; 0: none began.
    pub version: u32,
    /// Who cancelled it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled: Option<(String, String)>,
}

impl Service {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Created { service, patient, link, eligibility, currency }) => Some(Self {
                id: *service,
                patient: *patient,
                link: link.clone(),
                eligibility: *eligibility,
                currency: *currency,
                status: Status::Pending,
                coverage: None,
                good_faith: None,
                reviewed: false,
                at: None,
                estimates: Vec::new(),
                lines: Vec::new(),
                notes: Vec::new(),
                claim: None,
                decisions: Vec::new(),
                set_by_person: None,
                times_set: 0,
                elsewhere: BTreeMap::new(),
                given_back: BTreeMap::new(),
                given_back_elsewhere_minor: 0,
                given_back_estimates_minor: 0,
                given_back_returned_minor: 0,
                payments: BTreeMap::new(),
                consumed: Vec::new(),
                applied_minor: 0,
                applications: 0,
                write_offs: BTreeMap::new(),
                write_offs_made: 0,
                invoice: None,
                version: 0,
                canceled: None,
            }),
            (None, _) => None,
            (Some(mut service), event) => {
                service.apply_care(event);
                Some(service)
            }
        }
    }

    fn apply_care(&mut self, event: &Event) {
        match event {
            Event::Created { .. } => {}
            Event::Scheduled { at } => {
                self.at = Some(*at);
                self.status = Status::Scheduled;
            }
            Event::EligibilityChanged { eligibility } => self.eligibility = Some(*eligibility),
            Event::GoodFaithEstimateGiven { amount, at } => {
                self.good_faith = Some((*amount, *at));
                self.reviewed = false;
            }
            Event::BillReviewed { .. } => self.reviewed = true,
            Event::CoverageMoved { to } => self.coverage = Some(*to),
            Event::EstimateAttached { estimate } => self.estimates.push(*estimate),
            Event::EstimateDetached { estimate } => self.estimates.retain(|known| known != estimate),
            Event::Delivered { lines, .. } => {
                self.lines.clone_from(lines);
                self.status = Status::Delivered;
            }
            Event::NoteSigned { note, kind, signer, hash, at } => {
                let (signer, hash) = (signer.clone(), hash.clone());
                self.notes.push(Note { id: *note, kind: *kind, signer, hash, at: *at });
                if self.status == Status::Delivered {
                    self.status = Status::Noted;
                }
            }
            Event::Billed { claim, charge } => {
                self.claim = Some((claim.clone(), *charge));
                self.status = Status::Billed;
            }
            Event::Canceled { by, reason } => {
                self.canceled = Some((by.clone(), reason.clone()));
                self.status = Status::Canceled;
            }
            Event::Missed { by, reason, fee } => {
                self.canceled = Some((by.clone(), reason.clone()));
                self.set_by_person = Some(*fee);
                self.status = Status::Adjudicated;
            }
            other => self.apply_money(other),
        }
    }

    fn apply_money(&mut self, event: &Event) {
        match event {
            Event::Adjudicated { decision, split } => {
                self.decisions.push((decision.clone(), *split));
                if self.status == Status::Billed {
                    self.status = Status::Adjudicated;
                }
            }
            Event::ResponsibilitySet { responsibility, .. } => {
                self.set_by_person = Some(*responsibility);
                self.times_set = self.times_set.saturating_add(1);
                if matches!(self.status, Status::Noted | Status::Billed) {
                    self.status = Status::Adjudicated;
                }
            }
            Event::PaidElsewhere { reference, amount, .. } => {
                self.elsewhere.insert(reference.clone(), amount.minor);
            }
            Event::GivenBack { reference, from, amount, .. } => {
                self.given_back.insert(reference.clone(), amount.minor);
                self.given_back_elsewhere_minor += from.elsewhere_minor;
                self.given_back_estimates_minor += from.estimates_minor;
                self.given_back_returned_minor += from.returned_minor;
            }
            Event::PaymentSeen { payment, held } => {
                self.payments.insert(payment.to_string(), *held);
            }
            Event::SettlingBegun { version } => {
                self.version = *version;
                self.status = Status::Settling;
            }
            Event::Applied { applied, number } => {
                self.consumed.extend(applied.consumed.iter().map(|(payment, _)| payment.to_string()));
                self.applied_minor = applied.applied_minor;
                self.applications = *number;
            }
            Event::WrittenOff { number, amount, .. } => {
                self.write_offs.insert(*number, amount.minor);
                self.write_offs_made = *number;
            }
            Event::WriteOffUndone { number, .. } => {
                self.write_offs.remove(number);
            }
            Event::Invoiced { invoice } => self.invoice = Some(*invoice),
            Event::Completed { .. } => self.status = Status::Completed,
            _ => {}
        }
    }

    /// The charge of all lines, in minor units; `None` when it does not fit.
    #[must_use]
    pub fn charge_minor(&self) -> Option<i64> {
        self.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.charge.minor))
    }

    /// Whether it did not take place and the patient owes a fee for that.
    #[must_use]
    pub const fn is_missed(&self) -> bool {
        self.canceled.is_some() && self.set_by_person.is_some()
    }

    /// Whether a note is signed: nothing is billed before (FEATURES M308).
    #[must_use]
    pub fn is_noted(&self) -> bool {
        self.notes.iter().any(|note| note.kind == NoteKind::Note)
    }

    /// What the patient owes by the payer's decisions, or by a person's word, in minor units.
    #[must_use]
    pub fn responsibility_minor(&self) -> i64 {
        match self.set_by_person {
            Some(set) => set.minor,
            None => self.decisions.iter().map(|(_, split)| split.patient).sum(),
        }
    }

    /// What stays with the payer: refused, unexplained or waiting for the next payer, in minor units.
    #[must_use]
    pub fn open_with_payer_minor(&self) -> i64 {
        self.decisions.iter().map(|(_, split)| split.open).sum()
    }

    /// Whether the payer took back all that it had decided, and nobody has decided anew: what the patient owes is not known
    /// then, and is not zero.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        let parts = |split: &Split| [split.paid, split.contractual, split.patient, split.open];
        let standing: i64 = self.decisions.iter().flat_map(|(_, split)| parts(split)).sum();
        self.set_by_person.is_none() && !self.decisions.is_empty() && standing == 0
    }

    /// The decision that a reversal takes back: the latest that stands with the opposite amounts.
    #[must_use]
    pub(super) fn reversed_by(&self, reversal: &Adjudication) -> Option<Split> {
        let mut taken_back = 0_usize;
        for (decision, split) in self.decisions.iter().rev() {
            let same = decision.charge.minor.unsigned_abs() == reversal.charge.minor.unsigned_abs()
                && decision.paid.minor.unsigned_abs() == reversal.paid.minor.unsigned_abs();
            match decision.outcome {
                Outcome::Reversal if same => taken_back = taken_back.saturating_add(1),
                _ if same && taken_back > 0 => taken_back = taken_back.saturating_sub(1),
                _ if same => return Some(*split),
                _ => {}
            }
        }
        None
    }
}
