//! Claims that were filed, what waits for the next remittance, and the remittances that were made.
//!
//! Called by `world` and `control`. What must stay true: a claim is paid in exactly one file unless it is reversed
//! first, and money that a file is short of is withheld by the next ones.

use super::adjudicate::{Case, Result835, Terms, adjudicate, corrected_shares};
use super::claim::Filed;
use super::member::members;
use super::remittance::{Break, Entry, ProviderAdjustment, Statement};
use serde_json::{Value, json};

/// Claims and remittances that one world keeps.
const KEPT_MAX: usize = 100_000;

/// A claim and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) filed: Filed,
    pub(super) control: String,
    pub(super) case: Option<Case>,
    pub(super) terms: Terms,
    /// The latest result that was sent, with the file it was in.
    pub(super) answered: Option<(Result835, usize)>,
    corrections: u32,
}

/// A file that was made.
#[derive(Debug, Clone)]
struct Remittance {
    trace: String,
    paid_minor: i64,
    claims: Vec<String>,
    text: String,
    broken: Option<Break>,
}

/// Everything that waits or was sent.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    claims: Vec<Claim>,
    /// Positions of claims that were never answered.
    waiting: Vec<usize>,
    /// Reversals and corrections for the next file.
    later: Vec<Entry>,
    adjustments: Vec<ProviderAdjustment>,
    files: Vec<Remittance>,
}

impl Ledger {
    /// Takes a claim.
    ///
    /// # Errors
    /// A sentence when its number is known or nothing more fits.
    pub(super) fn file(&mut self, filed: Filed) -> Result<&Claim, String> {
        if self.claims.len() >= KEPT_MAX {
            return Err("The sandbox keeps no more claims: reset it. The claim was not taken.".to_owned());
        }
        let control =
            filed.claim_control.clone().unwrap_or_else(|| format!("ICN{:07}", self.claims.len() + 1));
        if self.position(&filed.patient_control).is_some() || self.position(&control).is_some() {
            return Err(format!(
                "The claim {} was taken before: nothing was changed.",
                filed.patient_control
            ));
        }
        self.waiting.push(self.claims.len());
        let case = filed.rule;
        let claim = Claim { filed, control, case, terms: Terms::default(), answered: None, corrections: 0 };
        self.claims.push(claim);
        self.claims.last().ok_or_else(|| "The claim was not taken.".to_owned())
    }

    fn position(&self, number: &str) -> Option<usize> {
        self.claims.iter().position(|claim| claim.control == number || claim.filed.patient_control == number)
    }

    /// The claim of our number or the payer's.
    pub(super) fn claim(&self, number: &str) -> Option<&Claim> {
        self.position(number).and_then(|at| self.claims.get(at))
    }

    /// Chooses how a claim that was not answered yet is adjudicated.
    ///
    /// # Errors
    /// A sentence when the claim is unknown or answered.
    pub(super) fn decide(&mut self, number: &str, case: Option<Case>, terms: Terms) -> Result<(), String> {
        let at = self.position(number).ok_or_else(|| unknown(number))?;
        let claim = self.claims.get_mut(at).ok_or_else(|| unknown(number))?;
        if claim.answered.is_some() {
            return Err(format!(
                "Claim {number} was answered already: correct it instead. Nothing was changed."
            ));
        }
        claim.case = case.or(claim.case);
        claim.terms = terms;
        Ok(())
    }

    /// Puts the reversal of a claim and its new result into the next file.
    ///
    /// # Errors
    /// A sentence when the claim is unknown or was never answered.
    pub(super) fn correct(&mut self, number: &str, case: Case, terms: &Terms) -> Result<(), String> {
        let at = self.position(number).ok_or_else(|| unknown(number))?;
        let claim = self.claims.get_mut(at).ok_or_else(|| unknown(number))?;
        let Some((old, file)) = claim.answered.take() else {
            return Err(format!("Claim {number} has no result to reverse: nothing was changed."));
        };
        let reversal = entry(claim, &claim.control, old.reversed());
        claim.corrections += 1;
        let mut result = adjudicate(&claim.filed, case, terms);
        result.frequency = "7";
        let control = format!("{}C{}", claim.control, claim.corrections);
        let correction = entry(claim, &control, result.clone());
        claim.answered = Some((result, file));
        self.later.extend([reversal, correction]);
        Ok(())
    }

    /// Withholds money from the next file.
    ///
    /// # Errors
    /// A sentence for an amount of zero, which an 835 must not carry.
    pub(super) fn take_back(&mut self, code: &str, reference: &str, amount_minor: i64) -> Result<(), String> {
        if amount_minor == 0 {
            return Err("An adjustment of zero is not allowed in an 835: nothing was changed.".to_owned());
        }
        let (code, reference) = (code.to_owned(), reference.to_owned());
        self.adjustments.push(ProviderAdjustment { code, reference, amount_minor });
        Ok(())
    }

    /// Makes the next file of everything that waits and returns its number, from 1.
    ///
    /// # Errors
    /// A sentence when nothing waits.
    pub(super) fn remit(&mut self, usual: Case, broken: Option<Break>, now_ms: i64) -> Result<usize, String> {
        if self.waiting.is_empty() && self.later.is_empty() && self.adjustments.is_empty() {
            return Err("Nothing waits to be paid: no remittance was made.".to_owned());
        }
        if self.files.len() >= KEPT_MAX {
            return Err("The sandbox keeps no more remittances: reset it. None was made.".to_owned());
        }
        let number = self.files.len() + 1;
        let mut entries = std::mem::take(&mut self.later);
        let mut adjustments = std::mem::take(&mut self.adjustments);
        let mut provider = "1234567893".to_owned();
        for at in std::mem::take(&mut self.waiting) {
            let Some(claim) = self.claims.get_mut(at) else { continue };
            let case = claim.case.unwrap_or(usual);
            let result = adjudicate(&claim.filed, case, &claim.terms);
            claim.case = Some(case);
            claim.answered = Some((result.clone(), number));
            claim.filed.provider.clone_into(&mut provider);
            let paid = result.paid_minor();
            entries.push(entry(claim, &claim.control, result));
            let (control, reference) = (claim.control.clone(), claim.filed.patient_control.clone());
            match case {
                Case::Corrected => {
                    let patient = Some(corrected_shares());
                    self.correct(&control, Case::Exact, &Terms { patient, ..Terms::default() })?;
                }
                Case::TakenBack if paid > 0 => self.take_back("WO", &reference, paid)?,
                Case::Underpaid
                | Case::Overpaid
                | Case::Exact
                | Case::DeniedToClinic
                | Case::DeniedToPatient
                | Case::TakenBack => {}
            }
        }
        let trace = format!("EFT{number:010}");
        let mut statement = Statement {
            trace: trace.clone(),
            provider,
            entries,
            adjustments: std::mem::take(&mut adjustments),
        };
        self.forward(&mut statement);
        let claims = statement.entries.iter().map(|entry| entry.patient_control.clone()).collect();
        let control = u64::try_from(number).unwrap_or(0) + 100;
        let text = statement.write(control, now_ms);
        self.files.push(Remittance { trace, paid_minor: statement.paid_minor(), claims, text, broken });
        Ok(number)
    }

    /// A file never asks for money: what it is short of is forwarded to the next one (PLB FB).
    fn forward(&mut self, statement: &mut Statement) {
        let short = statement.paid_minor();
        if short < 0 {
            let forwarded = |amount_minor| ProviderAdjustment {
                code: "FB".to_owned(),
                reference: statement.trace.clone(),
                amount_minor,
            };
            self.adjustments.push(forwarded(-short));
            let here = forwarded(short);
            statement.adjustments.push(here);
        }
    }

    /// The text of a file, broken if it was made so.
    pub(super) fn file_text(&self, number: usize) -> Option<String> {
        let file = self.files.get(number.checked_sub(1)?)?;
        Some(file.broken.map_or_else(|| file.text.clone(), |broken| broken.apply(&file.text)))
    }

    /// Makes a broken file whole again, as a payer does when it is told.
    pub(super) fn mend(&mut self, number: usize) -> Option<()> {
        self.files.get_mut(number.checked_sub(1)?).map(|file| file.broken = None)
    }

    /// The files as a listing, oldest first.
    pub(super) fn files(&self) -> Vec<Value> {
        self.files
            .iter()
            .enumerate()
            .map(|(at, file)| {
                json!({
                    "number": at + 1, "trace": file.trace, "paid_minor": file.paid_minor, "claims": file.claims,
                })
            })
            .collect()
    }

    /// The claims as a listing, oldest first.
    pub(super) fn claims(&self) -> Vec<Value> {
        self.claims.iter().map(Claim::render).collect()
    }
}

impl Claim {
    /// The claim as the payer shows it.
    pub(super) fn render(&self) -> Value {
        let answered = self.answered.as_ref();
        json!({
            "claim_control": self.control, "patient_control": self.filed.patient_control,
            "charge_minor": self.filed.charge_minor, "status": if answered.is_some() { "answered" } else { "accepted" },
            "rule": self.case.map(Case::word),
            "paid_minor": answered.map(|(result, _)| result.paid_minor()),
            "patient_minor": answered.map(|(result, _)| result.patient_minor()),
            "remittance": answered.map(|(_, number)| *number),
        })
    }
}

/// What a caller hears about a number that nobody filed.
pub(super) fn unknown(number: &str) -> String {
    format!("Claim {} is unknown: nothing was changed.", super::x12::plain(number))
}

fn entry(claim: &Claim, control: &str, result: Result835) -> Entry {
    let named = claim.filed.patient_id.as_deref();
    let member = members().iter().find(|member| {
        named.map_or(member.member_id == claim.filed.member_id, |patient| member.patient_id == patient)
    });
    let name = |pick: fn(&super::member::Member) -> &String| {
        member.map_or_else(|| "SANDBOX".to_owned(), |one| pick(one).clone())
    };
    Entry {
        patient_control: claim.filed.patient_control.clone(),
        claim_control: control.to_owned(),
        family: name(|one| &one.family),
        given: name(|one| &one.given),
        member_id: member.map_or_else(|| claim.filed.member_id.clone(), |one| one.member_id.clone()),
        result,
    }
}
