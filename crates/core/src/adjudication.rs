//! What a payer decided about a claim, and what it means for the books: who pays what, and what stays open.
//!
//! Only amounts of group PR reach a patient; CO, OA and PI never do (FEATURES M374, R5). A refusal to pay is not a discount:
//! only agreed reductions are written off, everything else stays with the payer until a person has decided.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::refusal::Refusal;

/// Who bears an adjustment (X12 code list 1033).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// PR: the patient.
    Patient,
    /// CO: the contract between payer and provider.
    Contractual,
    /// OA: another reason, for example a prior payer's payment.
    Other,
    /// PI: the payer's own decision.
    PayerInitiated,
    /// A code that we do not know: kept, shown, never guessed.
    Unknown(String),
}

/// One adjustment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The service line's number, 1 for the first; `None`: the claim as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Who bears it.
    pub group: Group,
    /// The payer's reason (CARC), lossless.
    pub reason: String,
    /// How much is taken off the charge; negative in a reversal.
    pub amount: Money,
}

/// How the payer stands to the claim (X12 CLP02).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Processed, and nobody else will pay.
    Processed,
    /// Processed, and another payer is asked next: the patient's part is not final.
    Forwarded,
    /// Refused.
    Denied,
    /// Takes an earlier decision back: every amount has the other sign.
    Reversal,
}

/// What a payer decided about one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjudication {
    /// The decision's key: the same decision is never booked twice.
    pub key: String,
    /// Where it is written: the remittance and the claim's position in it, or `manual`.
    pub source: String,
    /// How the payer stands to the claim.
    pub outcome: Outcome,
    /// What was charged.
    pub charge: Money,
    /// What the payer pays.
    pub paid: Money,
    /// Everything between the two.
    pub adjustments: Vec<Adjustment>,
}

/// What an adjustment means: the parts of a [`Split`] beside what is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// An agreed reduction.
    Contractual,
    /// The patient's.
    Patient,
    /// Stays with the payer.
    Open,
}

/// What a decision means, in minor units of the claim's currency. The parts add up to the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Split {
    /// The payer pays this.
    pub paid: i64,
    /// Agreed reductions.
    pub contractual: i64,
    /// The patient's part, when it is final.
    pub patient: i64,
    /// Stays with the payer: refused, unexplained, or waiting for the next payer.
    pub open: i64,
}

/// Reductions that the contract agrees on: fee schedule, bundling, sequestration (X12 facts §3). Any other CO amount is a
/// refusal that a person appeals or writes off.
const AGREED: [&str; 3] = ["45", "97", "253"];

impl Adjudication {
    /// The patient's part as the payer states it: the sum of PR amounts.
    #[must_use]
    pub fn patient_responsibility(&self) -> Money {
        let stated = self.adjustments.iter().filter(|adjustment| adjustment.group == Group::Patient);
        Money::new(stated.map(|adjustment| adjustment.amount.minor).sum(), self.charge.currency)
    }

    /// Which part of the books an adjustment belongs to.
    #[must_use]
    pub fn part_of(&self, adjustment: &Adjustment) -> Part {
        let agreed = AGREED.contains(&adjustment.reason.as_str());
        match (&adjustment.group, self.outcome) {
            // The next payer may cover it.
            (Group::Patient, Outcome::Forwarded) => Part::Open,
            (Group::Patient, _) => Part::Patient,
            (Group::Contractual, Outcome::Denied) => Part::Open,
            (Group::Contractual, _) if agreed => Part::Contractual,
            (Group::Contractual | Group::Other | Group::PayerInitiated | Group::Unknown(_), _) => Part::Open,
        }
    }

    /// What the decision means for the books.
    #[must_use]
    pub fn split(&self) -> Split {
        let mut split = Split { paid: self.paid.minor, ..Split::default() };
        for adjustment in &self.adjustments {
            let amount = adjustment.amount.minor;
            match self.part_of(adjustment) {
                Part::Contractual => split.contractual += amount,
                Part::Patient => split.patient += amount,
                Part::Open => split.open += amount,
            }
        }
        split
    }

    /// Checks that the decision balances: charge less adjustments is what is paid.
    ///
    /// # Errors
    /// A refusal that names the difference; nothing is booked then.
    pub fn check(&self) -> Result<(), Refusal> {
        let currency = self.charge.currency;
        let same = self.paid.currency == currency
            && self.adjustments.iter().all(|adjustment| adjustment.amount.currency == currency);
        let adjusted = self
            .adjustments
            .iter()
            .try_fold(0_i64, |sum, adjustment| sum.checked_add(adjustment.amount.minor))
            .and_then(|sum| sum.checked_add(self.paid.minor))
            .and_then(|sum| self.charge.minor.checked_sub(sum));
        match adjusted {
            Some(0) if same => Ok(()),
            Some(difference) if same => Err(Refusal::invalid(
                "adjudication_unbalanced",
                format!(
                    "Nothing was booked. The charge less all adjustments differs from what is paid by {}. Ask the \
                     payer for a corrected remittance.",
                    Money::new(difference, currency)
                ),
            )),
            _ => Err(Refusal::invalid(
                "currency_mismatch",
                "Nothing was booked. All amounts of a claim must be in one currency and fit 64 bits.",
            )),
        }
    }

    /// The decision that takes this one back: every amount with the other sign.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let turn = |money: Money| Money::new(money.minor.saturating_neg(), money.currency);
        Self {
            key: format!("{}:reversed", self.key),
            source: self.source.clone(),
            outcome: Outcome::Reversal,
            charge: turn(self.charge),
            paid: turn(self.paid),
            adjustments: self
                .adjustments
                .iter()
                .map(|adjustment| Adjustment { amount: turn(adjustment.amount), ..adjustment.clone() })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn adjustment(group: Group, reason: &str, minor: i64) -> Adjustment {
        Adjustment { line: None, group, reason: reason.into(), amount: Money::usd(minor) }
    }

    fn decided(outcome: Outcome, paid: i64, adjustments: Vec<Adjustment>) -> Adjudication {
        let charge = Money::usd(30_000);
        Adjudication {
            key: "k".into(),
            source: "rem1/1".into(),
            outcome,
            charge,
            paid: Money::usd(paid),
            adjustments,
        }
    }

    #[test]
    fn case_2a_the_patient_owes_pr_and_the_contract_takes_co_45() {
        let parts =
            vec![adjustment(Group::Contractual, "45", 12_000), adjustment(Group::Patient, "2", 5_000)];
        let decided = decided(Outcome::Processed, 13_000, parts);
        decided.check().unwrap();
        assert_eq!(decided.split(), Split { paid: 13_000, contractual: 12_000, patient: 5_000, open: 0 });
    }

    #[test]
    fn case_2d_a_co_denial_leaves_everything_with_the_payer() {
        let denied = decided(Outcome::Denied, 0, vec![adjustment(Group::Contractual, "45", 30_000)]);
        assert_eq!(denied.split(), Split { open: 30_000, ..Split::default() });
        let refused = decided(Outcome::Processed, 0, vec![adjustment(Group::Contractual, "16", 30_000)]);
        assert_eq!(refused.split().patient, 0, "CO never reaches a patient, whatever the reason");
        assert_eq!(refused.split().open, 30_000, "lacking information is no discount");
    }

    #[test]
    fn case_2e_a_pr_denial_is_the_patient_s() {
        let denied = decided(Outcome::Denied, 0, vec![adjustment(Group::Patient, "96", 30_000)]);
        assert_eq!(denied.split(), Split { patient: 30_000, ..Split::default() });
    }

    #[test]
    fn a_patient_s_part_is_not_final_while_another_payer_is_asked() {
        let forwarded = decided(Outcome::Forwarded, 25_000, vec![adjustment(Group::Patient, "1", 5_000)]);
        assert_eq!(forwarded.split(), Split { paid: 25_000, open: 5_000, ..Split::default() });
    }

    #[test]
    fn an_unknown_group_is_kept_and_stays_with_the_payer() {
        let strange =
            decided(Outcome::Processed, 20_000, vec![adjustment(Group::Unknown("ZZ".into()), "1", 10_000)]);
        assert_eq!(strange.split(), Split { paid: 20_000, open: 10_000, ..Split::default() });
    }

    #[test]
    fn what_does_not_balance_is_refused_with_the_difference() {
        let off = decided(Outcome::Processed, 13_000, vec![adjustment(Group::Patient, "2", 5_000)]);
        let refusal = off.check().unwrap_err();
        assert_eq!(refusal.code, "adjudication_unbalanced");
        assert!(refusal.detail.contains("120.00"), "{}", refusal.detail);
    }

    proptest! {
        #[test]
        fn the_parts_always_add_up_and_a_reversal_takes_them_all_back(
            amounts in proptest::collection::vec((0u8..5, 0u8..5, -5_000i64..5_000), 0..8),
            outcome in 0u8..3,
        ) {
            let groups = [
                Group::Patient, Group::Contractual, Group::Other, Group::PayerInitiated, Group::Unknown("Z".into()),
            ];
            let reasons = ["45", "97", "253", "16", "1"];
            let outcome = [Outcome::Processed, Outcome::Forwarded, Outcome::Denied][usize::from(outcome)];
            let adjustments: Vec<Adjustment> = amounts
                .iter()
                .map(|(group, reason, minor)| {
                    adjustment(groups[usize::from(*group)].clone(), reasons[usize::from(*reason)], *minor)
                })
                .collect();
            let sum: i64 = adjustments.iter().map(|adjustment| adjustment.amount.minor).sum();
            let decided = decided(outcome, 30_000 - sum, adjustments);
            prop_assert!(decided.check().is_ok());
            let split = decided.split();
            prop_assert_eq!(split.paid + split.contractual + split.patient + split.open, 30_000);
            prop_assert!(decided.reversed().check().is_ok());
            prop_assert_eq!(decided.reversed().patient_responsibility().minor, -decided.patient_responsibility().minor);
        }
    }
}
