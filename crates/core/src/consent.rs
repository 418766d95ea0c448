//! The consent ledger: what a patient allowed us to charge, with which words, up to how much, and until when. No charge
//! without the patient present happens outside of it (FEATURES M327).
//!
//! Consents are kept by [`crate::patient`]; this module holds their rules.

use serde::{Deserialize, Serialize};

use crate::id::ConsentId;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// What a charge is for, as the patient was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An estimate, authorized before and captured at the service.
    Estimate,
    /// A deposit for an appointment.
    Deposit,
    /// What a visit cost, once its encounter is signed.
    Visit,
    /// What is left after the insurance has paid.
    BalanceAfterInsurance,
    /// A fee for a missed or late cancelled visit. Not from HSA or FSA cards (FEATURES R20).
    MissedVisitFee,
    /// An instalment of a plan.
    Instalment,
}

impl Purpose {
    /// The purpose as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Estimate => "estimate",
            Self::Deposit => "deposit",
            Self::Visit => "visit",
            Self::BalanceAfterInsurance => "balance_after_insurance",
            Self::MissedVisitFee => "missed_visit_fee",
            Self::Instalment => "instalment",
        }
    }
}

/// A consent, as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// The gateway's method that it is for; `None`: any method on file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What may be charged.
    pub purpose: Purpose,
    /// How much in all, over every charge under this consent.
    pub cap: Money,
    /// The version of the text that was shown.
    pub text_version: String,
    /// SHA-256 of that text, 64 hexadecimal digits: the proof of the words.
    pub text_hash: String,
    /// How it was given, for example `web`, `desk`, `phone`.
    pub given_by: String,
    /// When.
    pub given_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
    /// What was charged under it so far, in minor units.
    #[serde(default)]
    pub used_minor: i64,
}

/// A charge that somebody wants to make while the patient is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intended {
    /// The gateway's method.
    pub method: String,
    /// What for.
    pub purpose: Purpose,
    /// How much.
    pub amount: Money,
}

impl Consent {
    /// What may still be charged under it.
    #[must_use]
    pub fn left(&self) -> Money {
        Money::new((self.cap.minor - self.used_minor).max(0), self.cap.currency)
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.withdrawn_at.is_none() && self.given_at <= now && now < self.expires_at
    }

    fn covers(&self, charge: &Intended) -> bool {
        self.purpose == charge.purpose
            && self.cap.currency == charge.amount.currency
            && self.method.as_ref().is_none_or(|method| *method == charge.method)
    }
}

/// The consent that allows a charge: of those that hold and cover it, the one that ends first and still has room.
///
/// # Errors
/// A refusal that says whether there was no consent, an old one, or one with too small a cap.
pub fn allowing<'a>(
    consents: impl Iterator<Item = &'a Consent>,
    charge: &Intended,
    now: Timestamp,
) -> Result<ConsentId, Refusal> {
    let mut covering: Vec<&Consent> = consents.filter(|consent| consent.covers(charge)).collect();
    covering.sort_by_key(|consent| (consent.expires_at, consent.id));
    let holding: Vec<&Consent> = covering.iter().copied().filter(|consent| consent.holds(now)).collect();
    if let Some(consent) = holding.iter().find(|consent| charge.amount.minor <= consent.left().minor) {
        return Ok(consent.id);
    }
    let purpose = charge.purpose.name();
    match holding.iter().map(|consent| consent.left()).max_by_key(|left| left.minor) {
        Some(left) => Err(Refusal::held(
            "consent_cap_exceeded",
            format!(
                "Nothing was charged. The charge of {} for {purpose} is above what the patient still allows, {left}. \
                 Ask the patient for a new consent, or for a payment while present.",
                charge.amount
            ),
        )),
        None if covering.is_empty() => Err(Refusal::held(
            "consent_missing",
            format!(
                "Nothing was charged. The patient has given no consent for {purpose} with this payment method. Ask \
                 for it, or let the patient pay while present."
            ),
        )),
        None => Err(Refusal::held(
            "consent_ended",
            format!(
                "Nothing was charged. The patient's consent for {purpose} has expired or was withdrawn. Ask for a \
                 new one."
            ),
        )),
    }
}
