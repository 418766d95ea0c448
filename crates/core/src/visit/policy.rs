//! What a missed, moved or cancelled visit costs: rules as data, with examples that are run as tests before the rules hold
//! (FEATURES M329, M330, M378).
//!
//! The first rule that fits decides. Invariant: a policy that was accepted has an answer for every case, because its last
//! rule fits everything; and gives the answers of its own examples.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::refusal::Refusal;

/// What happened to the visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Cancelled by the patient.
    PatientCancels,
    /// Cancelled by the provider or the clinic.
    ClinicCancels,
    /// The patient did not come.
    NoShow,
    /// Released because the payment did not come in time.
    PaymentMissed,
    /// Moved to another time by the patient.
    PatientMoves,
}

impl Occasion {
    /// The occasion as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PatientCancels => "patient_cancels",
            Self::ClinicCancels => "clinic_cancels",
            Self::NoShow => "no_show",
            Self::PaymentMissed => "payment_missed",
            Self::PatientMoves => "patient_moves",
        }
    }
}

/// When a rule fits. What is absent fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Any of these happened; every occasion when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub occasions: Vec<Occasion>,
    /// At least this many hours before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_hours_at_least: Option<u32>,
    /// Fewer hours than this before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_hours_below: Option<u32>,
    /// For any of these reasons, as codes; for every reason when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Only when the patient missed at most this many visits before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_before_at_most: Option<u32>,
}

/// How much of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Nothing.
    None,
    /// A fixed amount.
    Amount(Money),
    /// Hundredths of a per cent of the deposit, rounded down in favour of the patient.
    OfDeposit(u32),
    /// Hundredths of a per cent of the price, rounded down in favour of the patient.
    OfPrice(u32),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, as patients and auditors read it: a code.
    pub name: String,
    /// When it fits.
    #[serde(default)]
    pub when: When,
    /// What the patient owes for it. A deposit pays it first; the rest of the deposit goes back.
    pub fee: Share,
    /// Whether a fee above the deposit is charged to the method on file, under the patient's consent for such fees.
    #[serde(default)]
    pub charge_the_rest: bool,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What happened.
    pub occasion: Occasion,
    /// Minutes until the start; 0 once it began.
    pub notice_minutes: u32,
    /// Why, as a code.
    pub reason: String,
    /// How many visits the patient missed before.
    #[serde(default)]
    pub missed_before: u32,
    /// The price of the visit.
    pub price: Money,
    /// What was paid before the visit.
    pub deposit: Money,
}

/// What a policy says to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule.
    pub rule: String,
    /// What the patient owes.
    pub fee: Money,
    /// What goes back of what was paid.
    pub refund: Money,
    /// What is charged to the method on file.
    pub charge: Money,
}

/// An example that a policy must give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Its name.
    pub name: String,
    /// The case.
    pub case: Case,
    /// The rule that decides it.
    pub rule: String,
    /// The fee.
    pub fee: Money,
    /// What goes back.
    pub refund: Money,
}

/// A policy: rules in order, with examples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its version, as people call it.
    pub version: String,
    /// The rules; the first that fits decides.
    pub rules: Vec<Rule>,
    /// What it must say.
    pub examples: Vec<Example>,
}

const RULES_MAX: usize = 50;
const EXAMPLES_MAX: usize = 200;
const WHOLE: u32 = 10_000;

impl Policy {
    /// Everything goes back: the policy of a clinic that has not made one.
    #[must_use]
    pub fn lenient() -> Self {
        let rule = Rule {
            name: "everything_goes_back".to_owned(),
            when: When::default(),
            fee: Share::None,
            charge_the_rest: false,
        };
        Self { version: "lenient-1".to_owned(), rules: vec![rule], examples: Vec::new() }
    }

    /// What the policy says to a case.
    #[must_use]
    pub fn decide(&self, case: &Case) -> Verdict {
        let fitting = self.rules.iter().find(|rule| rule.when.fits(case));
        let (name, fee, charges) = match fitting {
            Some(rule) => (rule.name.as_str(), rule.fee.of(case), rule.charge_the_rest),
            // Not reachable for a policy that was checked: its last rule fits everything.
            None => ("no_rule", Money::zero(case.deposit.currency), false),
        };
        // A clinic that cancels never earns by it, whatever the rules say (FLOWS T5).
        let fee = if case.occasion == Occasion::ClinicCancels { Money::zero(fee.currency) } else { fee };
        let kept = fee.minor.min(case.deposit.minor).max(0);
        let rest = fee.minor.saturating_sub(kept);
        let charge = if charges { rest } else { 0 };
        Verdict {
            rule: name.to_owned(),
            fee: Money::new(kept.saturating_add(charge), fee.currency),
            refund: Money::new(case.deposit.minor.saturating_sub(kept), fee.currency),
            charge: Money::new(charge, fee.currency),
        }
    }

    /// Checks the shape and runs the examples.
    ///
    /// # Errors
    /// `policy_invalid` with the rule, or `policy_example_failed` with the first example that the rules do not give.
    pub fn check(&self) -> Result<(), Refusal> {
        let wrong = |what: String| {
            Err(Refusal::invalid("policy_invalid", format!("The policy does not hold yet: {what}.")))
        };
        if self.version.is_empty() || self.version.len() > 40 {
            return wrong("give it a version of 1 to 40 characters".to_owned());
        }
        if self.rules.is_empty() || self.rules.len() > RULES_MAX || self.examples.len() > EXAMPLES_MAX {
            return wrong(format!("it has 1 to {RULES_MAX} rules and at most {EXAMPLES_MAX} examples"));
        }
        for rule in &self.rules {
            if !is_name(&rule.name) {
                return wrong(format!("the rule name {:?} is not a code", short(&rule.name)));
            }
            if let Some(what) = rule.problem() {
                return wrong(format!("rule {}: {what}", rule.name));
            }
        }
        if self.rules.last().is_none_or(|last| last.when != When::default()) {
            return wrong("its last rule must fit every case; give it no `when`".to_owned());
        }
        for example in &self.examples {
            self.run(example)?;
        }
        Ok(())
    }

    fn run(&self, example: &Example) -> Result<(), Refusal> {
        let verdict = self.decide(&example.case);
        if (verdict.rule.as_str(), verdict.fee, verdict.refund)
            == (example.rule.as_str(), example.fee, example.refund)
        {
            return Ok(());
        }
        Err(Refusal::invalid(
            "policy_example_failed",
            format!(
                "The policy does not hold yet: its example {:?} expects rule {} with fee {} and {} back, but its rules \
                 give {} with fee {} and {} back. Correct the rules or the example.",
                short(&example.name),
                short(&example.rule),
                example.fee,
                example.refund,
                verdict.rule,
                verdict.fee,
                verdict.refund,
            ),
        ))
    }
}

impl Rule {
    fn problem(&self) -> Option<&'static str> {
        if let (Some(least), Some(below)) = (self.when.notice_hours_at_least, self.when.notice_hours_below)
            && least >= below
        {
            return Some("no notice is at least the one and below the other");
        }
        if self.when.reasons.len() > 50 || self.when.reasons.iter().any(|reason| !is_name(reason)) {
            return Some("reasons are at most 50 codes");
        }
        match self.fee {
            Share::Amount(amount) if amount.minor <= 0 => Some("a fixed fee is above zero"),
            Share::OfDeposit(share) | Share::OfPrice(share) if share == 0 || share > WHOLE => {
                Some("a share is 1 to 10000 hundredths of a per cent")
            }
            _ => None,
        }
    }
}

impl When {
    fn fits(&self, case: &Case) -> bool {
        let hours = |hours: u32| hours.saturating_mul(60);
        (self.occasions.is_empty() || self.occasions.contains(&case.occasion))
            && self.notice_hours_at_least.is_none_or(|least| case.notice_minutes >= hours(least))
            && self.notice_hours_below.is_none_or(|below| case.notice_minutes < hours(below))
            && (self.reasons.is_empty() || self.reasons.contains(&case.reason))
            && self.missed_before_at_most.is_none_or(|most| case.missed_before <= most)
    }
}

impl Share {
    fn of(self, case: &Case) -> Money {
        let part = |whole: Money, share: u32| {
            let minor = i128::from(whole.minor) * i128::from(share) / i128::from(WHOLE);
            Money::new(i64::try_from(minor).unwrap_or(whole.minor), whole.currency)
        };
        match self {
            Self::None => Money::zero(case.deposit.currency),
            // A fee in another currency than the visit's is none: nobody converts a patient's money by guessing.
            Self::Amount(amount) if amount.currency == case.deposit.currency => amount,
            Self::Amount(_) => Money::zero(case.deposit.currency),
            Self::OfDeposit(share) => part(case.deposit, share),
            Self::OfPrice(share) => part(case.price, share),
        }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::currency::Currency;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn rule(name: &str, when: When, fee: Share) -> Rule {
        Rule { name: name.to_owned(), when, fee, charge_the_rest: true }
    }

    fn of(occasion: Occasion) -> When {
        When { occasions: vec![occasion], ..When::default() }
    }

    /// Free until a day before, then 25.00; no-shows lose the deposit, the first one is waived.
    fn policy() -> Policy {
        let late = When { notice_hours_below: Some(24), ..of(Occasion::PatientCancels) };
        let first = When { missed_before_at_most: Some(0), ..of(Occasion::NoShow) };
        let ill = When { reasons: vec!["hospital".into()], ..late.clone() };
        Policy {
            version: "2026-11".into(),
            rules: vec![
                rule("illness_is_free", ill, Share::None),
                rule("late_cancel", late, Share::Amount(usd(2_500))),
                rule("first_no_show_is_free", first, Share::None),
                rule("no_show", of(Occasion::NoShow), Share::OfPrice(5_000)),
                rule("all_else_is_free", When::default(), Share::None),
            ],
            examples: vec![Example {
                name: "an hour before".into(),
                case: case(Occasion::PatientCancels, 60),
                rule: "late_cancel".into(),
                fee: usd(2_500),
                refund: usd(2_500),
            }],
        }
    }

    fn case(occasion: Occasion, notice_minutes: u32) -> Case {
        Case {
            occasion,
            notice_minutes,
            reason: "changed_mind".into(),
            missed_before: 0,
            price: usd(12_000),
            deposit: usd(5_000),
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let policy = policy();
        assert_eq!(policy.check(), Ok(()));
        let verdict = |case: Case| {
            let verdict = policy.decide(&case);
            (verdict.rule, verdict.fee.minor, verdict.refund.minor, verdict.charge.minor)
        };
        let cancels = Occasion::PatientCancels;
        assert_eq!(verdict(case(cancels, 1_440)), ("all_else_is_free".into(), 0, 5_000, 0));
        assert_eq!(verdict(case(cancels, 1_439)), ("late_cancel".into(), 2_500, 2_500, 0));
        let ill = Case { reason: "hospital".into(), ..case(cancels, 10) };
        assert_eq!(verdict(ill), ("illness_is_free".into(), 0, 5_000, 0));
        assert_eq!(verdict(case(Occasion::NoShow, 0)).0, "first_no_show_is_free");
        let second = Case { missed_before: 1, ..case(Occasion::NoShow, 0) };
        assert_eq!(
            verdict(second),
            ("no_show".into(), 6_000, 0, 1_000),
            "above the deposit: the rest is charged"
        );
    }

    #[test]
    fn a_clinic_that_cancels_never_earns_by_it() {
        let greedy = Policy {
            rules: vec![rule("always", When::default(), Share::OfPrice(10_000))],
            examples: Vec::new(),
            ..policy()
        };
        let verdict = greedy.decide(&case(Occasion::ClinicCancels, 5));
        assert_eq!((verdict.fee.minor, verdict.refund.minor), (0, 5_000));
    }

    #[test]
    fn a_policy_whose_example_fails_does_not_hold() {
        let mut wrong = policy();
        wrong.examples[0].fee = usd(2_000);
        let refusal = wrong.check().unwrap_err();
        assert_eq!(refusal.code, "policy_example_failed");
        assert!(refusal.detail.contains("an hour before") && refusal.detail.contains("25.00"), "{refusal}");
    }

    #[test]
    fn a_policy_with_holes_does_not_hold() {
        let with = |change: fn(&mut Policy)| {
            let mut policy = policy();
            change(&mut policy);
            policy.check().unwrap_err().code
        };
        assert_eq!(with(|policy| drop(policy.rules.pop())), "policy_invalid");
        assert_eq!(with(|policy| policy.rules.clear()), "policy_invalid");
        assert_eq!(with(|policy| policy.version.clear()), "policy_invalid");
        assert_eq!(with(|policy| policy.rules[0].name = "Not a code".into()), "policy_invalid");
        assert_eq!(with(|policy| policy.rules[3].fee = Share::OfPrice(10_001)), "policy_invalid");
        assert_eq!(with(|policy| policy.rules[1].fee = Share::Amount(usd(0))), "policy_invalid");
        assert_eq!(with(|policy| policy.rules[1].when.notice_hours_at_least = Some(24)), "policy_invalid");
        assert_eq!(Policy::lenient().check(), Ok(()));
    }

    proptest! {
        #[test]
        fn what_goes_back_and_what_is_kept_is_what_was_paid(
            deposit in 0_i64..100_000,
            price in 0_i64..100_000,
            notice_minutes in 0_u32..10_000,
            missed_before in 0_u32..3,
            occasion in prop_oneof![
                Just(Occasion::PatientCancels), Just(Occasion::ClinicCancels), Just(Occasion::NoShow),
                Just(Occasion::PaymentMissed), Just(Occasion::PatientMoves),
            ],
        ) {
            let case = Case {
                occasion, notice_minutes, reason: "r".into(), missed_before, price: usd(price), deposit: usd(deposit),
            };
            let verdict = policy().decide(&case);
            prop_assert!(verdict.refund.minor >= 0 && verdict.charge.minor >= 0 && verdict.fee.minor >= 0);
            prop_assert_eq!(deposit + verdict.charge.minor, verdict.fee.minor + verdict.refund.minor);
        }
    }
}
