//! The route-neutral document of one posting: the output of a mapping flow.
//!
//! Invariant: whatever passes [`PaymentPosting::check`] can be written for every route.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::ehr::epic::settings::SiteZone;
use crate::ehr::epic::wire::{id_in_reference, is_id};

/// One movement of money that Epic must know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentPosting {
    /// Our fact key: the same movement always has the same reference, and Epic finds the posting by it.
    pub reference: String,
    /// In or out.
    pub kind: PostingKind,
    /// How much; positive for both kinds. Read from `{"minor":12000,"currency":"USD"}` or
    /// `{"decimal":"120.00","currency":"USD"}`.
    #[serde(deserialize_with = "read_amount")]
    pub amount: Money,
    /// The patient's FHIR id, with or without `Patient/`.
    pub patient: String,
    /// The account's FHIR id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The claim's FHIR id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// The encounter's FHIR id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<String>,
    /// The practitioner's FHIR id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<String>,
    /// When the money moved. Read from milliseconds since 1970 or RFC 3339 text.
    #[serde(deserialize_with = "read_moment")]
    pub paid_at: Timestamp,
    /// The status in the site's words, from the status table of the mapping.
    pub status: String,
    /// The queue in which Epic's staff shall see it, for example `partial` or `credit balance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// For a reversal: the reference of the posting that it reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_reference: Option<String>,
}

/// The direction of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingKind {
    /// The patient paid.
    Payment,
    /// A payment, or part of one, went back.
    Reversal,
}

/// Why a document cannot be posted. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingProblem {
    /// The reference is empty, too long, or not plain text.
    #[error("the reference must be 1 to 100 visible ASCII characters without | and ,")]
    Reference,
    /// Nothing or less.
    #[error("the amount must be greater than zero; a reversal is said by its kind, not by its sign")]
    Amount,
    /// Not a FHIR id of that type.
    #[error("{0} is not a FHIR id")]
    Id(&'static str),
    /// A reversal of nothing, or a payment that reverses.
    #[error("a reversal names the reference that it reverses, and a payment names none")]
    Original,
    /// Outside the calendar.
    #[error("the moment of payment is not a date")]
    Moment,
}

impl PaymentPosting {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The first [`PostingProblem`].
    pub fn check(&self) -> Result<(), PostingProblem> {
        if !is_reference(&self.reference) {
            return Err(PostingProblem::Reference);
        }
        if !self.amount.is_positive() {
            return Err(PostingProblem::Amount);
        }
        self.patient_id().ok_or(PostingProblem::Id("Patient"))?;
        let linked = [
            (&self.account, "Account"),
            (&self.claim, "Claim"),
            (&self.encounter, "Encounter"),
            (&self.practitioner, "Practitioner"),
        ];
        for (id, resource) in linked {
            if id.as_ref().is_some_and(|id| plain_id(id, resource).is_none()) {
                return Err(PostingProblem::Id(resource));
            }
        }
        match (self.kind, &self.original_reference) {
            (PostingKind::Payment, None) => {}
            (PostingKind::Reversal, Some(original)) if is_reference(original) => {}
            (PostingKind::Payment, Some(_)) | (PostingKind::Reversal, _) => {
                return Err(PostingProblem::Original);
            }
        }
        SiteZone::utc().date(self.paid_at).map(|_| ()).ok_or(PostingProblem::Moment)
    }

    pub(super) fn patient_id(&self) -> Option<&str> {
        plain_id(&self.patient, "Patient")
    }

    pub(super) fn account_id(&self) -> Option<&str> {
        plain_id(self.account.as_deref()?, "Account")
    }

    pub(super) fn claim_id(&self) -> Option<&str> {
        plain_id(self.claim.as_deref()?, "Claim")
    }

    pub(super) fn encounter_id(&self) -> Option<&str> {
        plain_id(self.encounter.as_deref()?, "Encounter")
    }

    pub(super) fn practitioner_id(&self) -> Option<&str> {
        plain_id(self.practitioner.as_deref()?, "Practitioner")
    }
}

/// Prints nothing that leads to the patient.
impl fmt::Debug for PaymentPosting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentPosting")
            .field("reference", &self.reference)
            .field("kind", &self.kind)
            .field("amount", &self.amount)
            .field("paid_at", &self.paid_at)
            .finish_non_exhaustive()
    }
}

/// `|` and `,` mean something in a FHIR token search.
fn is_reference(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'|' && byte != b',')
}

fn plain_id<'a>(text: &'a str, resource: &str) -> Option<&'a str> {
    if text.contains('/') { id_in_reference(text, resource) } else { Some(text).filter(|id| is_id(id)) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    minor: Option<i64>,
    decimal: Option<String>,
    currency: Currency,
}

fn read_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let Amount { minor, decimal, currency } = Amount::deserialize(deserializer)?;
    match (minor, decimal) {
        (Some(minor), None) => Ok(Money::new(minor, currency)),
        (None, Some(text)) => Money::from_decimal(&text, currency).map_err(serde::de::Error::custom),
        (Some(_), Some(_)) | (None, None) => {
            Err(serde::de::Error::custom("an amount has either minor units or decimal text"))
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Millis(i64),
    Text(String),
}

fn read_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    match Moment::deserialize(deserializer)? {
        Moment::Millis(millis) => Ok(Timestamp::from_millis(millis)),
        Moment::Text(text) => Timestamp::parse_rfc3339(&text).map_err(serde::de::Error::custom),
    }
}
