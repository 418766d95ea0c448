//! The encounter: what happened at a visit, as the provider documents it. Signed once, added to, never changed.
//!
//! The texts are personal and kept sealed elsewhere; here are their hashes, the procedure codes, and what the codes cost.
//! Invariant: one version is charged once, whatever is signed or heard twice (FLOWS 3a).

use serde::{Deserialize, Serialize};

use crate::id::{AppointmentId, EncounterId, NoteId, PatientId, ProviderId};
use crate::money::Money;
use crate::refusal::Refusal;
use crate::service::Line;
use crate::time::Timestamp;

mod codes;

pub use codes::{Coded, check_codes};

/// Where an encounter stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is written yet.
    Open,
    /// A draft is written.
    Documented,
    /// It is signed.
    Finalized,
    /// Something was added after it was signed.
    Addended,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Documented => "documented",
            Self::Finalized => "finalized",
            Self::Addended => "addended",
        }
    }
}

/// A signature under a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The note's id.
    pub note: NoteId,
    /// Who signed.
    pub signer: String,
    /// SHA-256 of the text, 64 hexadecimal digits.
    pub hash: String,
    /// When.
    pub at: Timestamp,
}

/// One fact about one encounter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// Its id.
        encounter: EncounterId,
        /// The appointment that it documents.
        appointment: AppointmentId,
        /// The patient.
        patient: PatientId,
        /// The provider.
        provider: ProviderId,
        /// When.
        at: Timestamp,
    },
    /// A draft was written or changed.
    Documented {
        /// SHA-256 of the draft.
        hash: String,
        /// The procedure codes so far.
        codes: Vec<Coded>,
    },
    /// The note was signed with its codes. Version 1.
    Finalized {
        /// The signature.
        signed: Signed,
        /// The procedure codes.
        codes: Vec<Coded>,
    },
    /// A signed addition, which may correct the codes.
    Addended {
        /// The version that it makes.
        version: u32,
        /// The signature.
        signed: Signed,
        /// The procedure codes from now on; `None`: as before.
        codes: Option<Vec<Coded>>,
    },
    /// The codes of a version have prices.
    Priced {
        /// The version.
        version: u32,
        /// What each costs.
        lines: Vec<Line>,
    },
    /// Codes have no price on the day of the service: a person must give one; nothing is charged (FLOWS 3.2).
    PriceMissing {
        /// The version.
        version: u32,
        /// The codes.
        codes: Vec<String>,
    },
    /// How the care turned out, as a code.
    OutcomeRecorded {
        /// Which.
        outcome: String,
        /// Who says so.
        by: String,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "encounter.opened",
            Self::Documented { .. } => "encounter.documented",
            Self::Finalized { .. } => "encounter.finalized",
            Self::Addended { .. } => "encounter.addended",
            Self::Priced { .. } => "encounter.priced",
            Self::PriceMissing { .. } => "encounter.price_missing",
            Self::OutcomeRecorded { .. } => "encounter.outcome_recorded",
        }
    }
}

/// An encounter as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encounter {
    /// Its id.
    pub id: EncounterId,
    /// The appointment that it documents.
    pub appointment: AppointmentId,
    /// The patient.
    pub patient: PatientId,
    /// The provider.
    pub provider: ProviderId,
    /// Where it stands.
    pub status: Status,
    /// 0 before it is signed, then 1, and one more with each addition.
    pub version: u32,
    /// The procedure codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Coded>,
    /// The latest version whose codes have prices; 0: none.
    #[serde(default)]
    pub priced_version: u32,
    /// What they cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Codes without a price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Signatures, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed: Vec<Signed>,
    /// How the care turned out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// An order to an encounter.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open it.
    Open {
        /// Its id.
        encounter: EncounterId,
        /// The appointment.
        appointment: AppointmentId,
        /// The patient.
        patient: PatientId,
        /// The provider.
        provider: ProviderId,
    },
    /// Write a draft.
    Document {
        /// SHA-256 of it.
        hash: String,
        /// The codes so far.
        codes: Vec<Coded>,
    },
    /// Sign it.
    Finalize {
        /// The signature.
        signed: Signed,
        /// The codes.
        codes: Vec<Coded>,
    },
    /// Add to it.
    Addend {
        /// The signature.
        signed: Signed,
        /// The codes from now on; `None`: as before.
        codes: Option<Vec<Coded>>,
    },
    /// Give the codes of the present version prices, each by code: `None` where there is none.
    Price {
        /// The price of one unit, by code.
        prices: Vec<(String, Option<Money>)>,
    },
    /// Record how the care turned out.
    RecordOutcome {
        /// As a code.
        outcome: String,
        /// Who says so.
        by: String,
    },
}

impl Encounter {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Opened { encounter, appointment, patient, provider, .. }) => Some(Self {
                id: *encounter,
                appointment: *appointment,
                patient: *patient,
                provider: *provider,
                status: Status::Open,
                version: 0,
                codes: Vec::new(),
                priced_version: 0,
                lines: Vec::new(),
                missing: Vec::new(),
                signed: Vec::new(),
                outcome: None,
            }),
            (None, _) => None,
            (Some(mut encounter), event) => {
                encounter.apply(event);
                Some(encounter)
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Opened { .. } => {}
            Event::Documented { codes, .. } => {
                self.status = Status::Documented;
                self.codes.clone_from(codes);
            }
            Event::Finalized { signed, codes } => {
                self.status = Status::Finalized;
                self.version = 1;
                self.codes.clone_from(codes);
                self.signed.push(signed.clone());
            }
            Event::Addended { version, signed, codes } => {
                self.status = Status::Addended;
                self.version = *version;
                self.signed.push(signed.clone());
                if let Some(codes) = codes {
                    self.codes.clone_from(codes);
                }
            }
            Event::Priced { version, lines } => {
                self.priced_version = *version;
                self.lines.clone_from(lines);
                self.missing.clear();
            }
            Event::PriceMissing { codes, .. } => self.missing.clone_from(codes),
            Event::OutcomeRecorded { outcome, .. } => self.outcome = Some(outcome.clone()),
        }
    }

    /// Whether it is signed.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.version > 0
    }

    /// Whether its present version waits for prices.
    #[must_use]
    pub const fn needs_price(&self) -> bool {
        self.version > self.priced_version
    }

    /// What the visit costs, once every code has a price.
    #[must_use]
    pub fn total(&self) -> Option<Money> {
        let currency = self.lines.first()?.charge.currency;
        let minor = self.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.charge.minor))?;
        (!self.needs_price()).then(|| Money::new(minor, currency))
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Encounter>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Open { encounter, appointment, patient, provider }) => Ok(vec![Event::Opened {
            encounter: *encounter,
            appointment: *appointment,
            patient: *patient,
            provider: *provider,
            at: now,
        }]),
        (None, _) => {
            Err(Refusal::state("encounter_missing", "There is no such encounter; nothing was changed."))
        }
        (Some(_), Command::Open { .. }) => Err(Refusal::state(
            "encounter_exists",
            "No encounter was opened: this appointment has one already.",
        )),
        (Some(encounter), Command::Document { hash, codes }) => {
            check_codes(codes, 0)?;
            match encounter.is_signed() {
                true => Err(signed_already()),
                false => Ok(vec![Event::Documented { hash: hash.clone(), codes: codes.clone() }]),
            }
        }
        (Some(encounter), Command::Finalize { signed, codes }) => finalize(encounter, signed, codes),
        (Some(encounter), Command::Addend { signed, codes }) => addend(encounter, signed, codes.as_deref()),
        (Some(encounter), Command::Price { prices }) => price(encounter, prices),
        (Some(encounter), Command::RecordOutcome { outcome, by }) => {
            let outcome = crate::explain::Reason::parse(outcome)?.as_str().to_owned();
            Ok(match encounter.outcome.as_ref() == Some(&outcome) {
                true => Vec::new(),
                false => vec![Event::OutcomeRecorded { outcome, by: by.clone() }],
            })
        }
    }
}

fn signed_already() -> Refusal {
    Refusal::state(
        "note_signed",
        "Nothing was changed: the encounter is signed and cannot change. Sign an addendum instead.",
    )
}

fn finalize(encounter: &Encounter, signed: &Signed, codes: &[Coded]) -> Result<Vec<Event>, Refusal> {
    check_codes(codes, 1)?;
    if let Some(first) = encounter.signed.first() {
        // The same words signed again are the same signature: nothing is charged a second time (FLOWS 3a).
        return match first.hash == signed.hash && encounter.codes == codes {
            true => Ok(Vec::new()),
            false => Err(signed_already()),
        };
    }
    Ok(vec![Event::Finalized { signed: signed.clone(), codes: codes.to_vec() }])
}

fn addend(encounter: &Encounter, signed: &Signed, codes: Option<&[Coded]>) -> Result<Vec<Event>, Refusal> {
    if let Some(codes) = codes {
        check_codes(codes, 1)?;
    }
    if !encounter.is_signed() {
        return Err(Refusal::state(
            "note_missing",
            "Nothing was added: an addendum adds to a signed encounter, and this one is not signed yet.",
        ));
    }
    let same = |last: &Signed| last.hash == signed.hash && codes.is_none_or(|codes| codes == encounter.codes);
    if encounter.signed.len() > 1 && encounter.signed.last().is_some_and(same) {
        return Ok(Vec::new());
    }
    let mut events = vec![Event::Addended {
        version: encounter.version.saturating_add(1),
        signed: signed.clone(),
        codes: codes.map(<[Coded]>::to_vec),
    }];
    // Words alone change no price.
    if codes.is_none_or(|codes| codes == encounter.codes) && !encounter.needs_price() {
        events.push(Event::Priced {
            version: encounter.version.saturating_add(1),
            lines: encounter.lines.clone(),
        });
    }
    Ok(events)
}

fn price(encounter: &Encounter, prices: &[(String, Option<Money>)]) -> Result<Vec<Event>, Refusal> {
    if !encounter.is_signed() || !encounter.needs_price() {
        return Ok(Vec::new());
    }
    let of = |code: &str| prices.iter().find(|(known, _)| known == code).and_then(|(_, price)| *price);
    let mut missing: Vec<String> = encounter
        .codes
        .iter()
        .filter(|coded| of(&coded.code).is_none())
        .map(|coded| coded.code.clone())
        .collect();
    missing.sort();
    missing.dedup();
    if !missing.is_empty() {
        return Ok(match missing == encounter.missing {
            true => Vec::new(),
            false => vec![Event::PriceMissing { version: encounter.version, codes: missing }],
        });
    }
    let mut lines = Vec::with_capacity(encounter.codes.len());
    for coded in &encounter.codes {
        let Some(unit) = of(&coded.code) else { continue };
        let minor = unit.minor.checked_mul(i64::from(coded.units)).ok_or_else(|| {
            Refusal::invalid("amount_too_large", format!("Nothing was priced: {} is too much.", coded.code))
        })?;
        lines.push(Line { code: coded.code.clone(), charge: Money::new(minor, unit.currency) });
    }
    Ok(vec![Event::Priced { version: encounter.version, lines }])
}

#[cfg(test)]
mod tests;
