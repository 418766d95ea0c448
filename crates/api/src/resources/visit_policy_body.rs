//! A policy of missed, moved and cancelled visits as JSON, both ways.

use serde::{Deserialize, Serialize};
use suture_core::visit::{self, Case, Example, Occasion, Policy, Rule, Share, Verdict, When};
use utoipa::ToSchema;

use crate::bodies::{Money, words};
use crate::problem::Problem;

words! {
    /// What happened to a visit.
    VisitOccasion = Occasion { PatientCancels, ClinicCancels, NoShow, PaymentMissed, PatientMoves }
}

/// Rules in order, with examples that are run before the rules hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitPolicy)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PolicyBody {
    /// What people call it: 1 to 40 characters.
    #[schema(example = "2026-11")]
    version: String,
    /// 1 to 50 rules; the first that fits decides, and the last fits everything.
    rules: Vec<RuleBody>,
    /// At most 200. A policy that gives other answers is refused.
    #[serde(default)]
    examples: Vec<ExampleBody>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitRule)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RuleBody {
    /// Its name, as a code.
    #[schema(example = "late_cancel")]
    name: String,
    /// When it fits; always when absent.
    #[serde(default)]
    when: WhenBody,
    /// What the patient owes: a deposit pays it first, the rest of the deposit goes back.
    fee: FeeBody,
    /// Whether a fee above the deposit is charged to the method on file, under the patient's consent for such fees.
    #[serde(default)]
    charge_the_rest: bool,
}

/// When a rule fits. What is absent fits everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitRuleCondition)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WhenBody {
    /// Any of these happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    occasions: Vec<VisitOccasion>,
    /// At least this many hours before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice_hours_at_least: Option<u32>,
    /// Fewer hours than this before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice_hours_below: Option<u32>,
    /// For any of these reasons, as codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    /// Only when the patient missed at most this many visits before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missed_before_at_most: Option<u32>,
}

/// How much a rule asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitFee)]
#[serde(rename_all = "camelCase")]
pub(super) enum FeeBody {
    /// Nothing.
    None,
    /// A fixed amount.
    Amount(Money),
    /// Hundredths of a per cent of the deposit, 1 to 10000.
    DepositBasisPoints(u32),
    /// Hundredths of a per cent of the price, 1 to 10000.
    PriceBasisPoints(u32),
}

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitCase)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CaseBody {
    occasion: VisitOccasion,
    /// Minutes until the start; 0 once it began.
    notice_minutes: u32,
    /// Why, as a code.
    reason: String,
    /// How many visits the patient missed before.
    #[serde(default)]
    missed_before: u32,
    /// The price of the visit.
    price: Money,
    /// What was paid before the visit.
    deposit: Money,
}

/// A case with the answer that the policy must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitExample)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExampleBody {
    name: String,
    case: CaseBody,
    /// The rule that decides it.
    rule: String,
    fee: Money,
    /// What goes back.
    refund: Money,
}

/// What a policy says to a case.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VisitVerdict)]
pub(super) struct VerdictBody {
    /// The rule that decides.
    rule: String,
    /// What the patient owes.
    fee: Money,
    /// What goes back of what was paid.
    refund: Money,
    /// The part of the fee that is charged to the method on file.
    charge: Money,
}

impl PolicyBody {
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            version: policy.version.clone(),
            rules: policy.rules.iter().map(RuleBody::of).collect(),
            examples: policy.examples.iter().map(ExampleBody::of).collect(),
        }
    }

    pub(super) fn understood(self) -> Result<Policy, Problem> {
        Ok(Policy {
            version: self.version,
            rules: self.rules.into_iter().map(RuleBody::understood).collect::<Result<_, _>>()?,
            examples: self.examples.into_iter().map(ExampleBody::understood).collect::<Result<_, _>>()?,
        })
    }
}

impl RuleBody {
    fn of(rule: &Rule) -> Self {
        let when = &rule.when;
        Self {
            name: rule.name.clone(),
            when: WhenBody {
                occasions: when.occasions.iter().map(|occasion| (*occasion).into()).collect(),
                notice_hours_at_least: when.notice_hours_at_least,
                notice_hours_below: when.notice_hours_below,
                reasons: when.reasons.clone(),
                missed_before_at_most: when.missed_before_at_most,
            },
            fee: match rule.fee {
                Share::None => FeeBody::None,
                Share::Amount(amount) => FeeBody::Amount(amount.into()),
                Share::OfDeposit(share) => FeeBody::DepositBasisPoints(share),
                Share::OfPrice(share) => FeeBody::PriceBasisPoints(share),
            },
            charge_the_rest: rule.charge_the_rest,
        }
    }

    fn understood(self) -> Result<Rule, Problem> {
        let when = self.when;
        Ok(Rule {
            name: self.name,
            when: When {
                occasions: when.occasions.into_iter().map(Into::into).collect(),
                notice_hours_at_least: when.notice_hours_at_least,
                notice_hours_below: when.notice_hours_below,
                reasons: when.reasons,
                missed_before_at_most: when.missed_before_at_most,
            },
            fee: match self.fee {
                FeeBody::None => Share::None,
                FeeBody::Amount(amount) => Share::Amount(amount.try_into()?),
                FeeBody::DepositBasisPoints(share) => Share::OfDeposit(share),
                FeeBody::PriceBasisPoints(share) => Share::OfPrice(share),
            },
            charge_the_rest: self.charge_the_rest,
        })
    }
}

impl CaseBody {
    pub(super) fn of(case: &Case) -> Self {
        Self {
            occasion: case.occasion.into(),
            notice_minutes: case.notice_minutes,
            reason: case.reason.clone(),
            missed_before: case.missed_before,
            price: case.price.into(),
            deposit: case.deposit.into(),
        }
    }

    pub(super) fn understood(self) -> Result<Case, Problem> {
        Ok(Case {
            occasion: self.occasion.into(),
            notice_minutes: self.notice_minutes,
            reason: self.reason,
            missed_before: self.missed_before,
            price: self.price.try_into()?,
            deposit: self.deposit.try_into()?,
        })
    }
}

impl ExampleBody {
    fn of(example: &Example) -> Self {
        Self {
            name: example.name.clone(),
            case: CaseBody::of(&example.case),
            rule: example.rule.clone(),
            fee: example.fee.into(),
            refund: example.refund.into(),
        }
    }

    fn understood(self) -> Result<visit::Example, Problem> {
        Ok(Example {
            name: self.name,
            case: self.case.understood()?,
            rule: self.rule,
            fee: self.fee.try_into()?,
            refund: self.refund.try_into()?,
        })
    }
}

impl From<&Verdict> for VerdictBody {
    fn from(verdict: &Verdict) -> Self {
        Self {
            rule: verdict.rule.clone(),
            fee: verdict.fee.into(),
            refund: verdict.refund.into(),
            charge: verdict.charge.into(),
        }
    }
}
