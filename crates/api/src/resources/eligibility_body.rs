//! An eligibility check as JSON, and what a person enters as its answer.

use serde::{Deserialize, Serialize};
use suture_core::eligibility::{self, Answer, Condition, Eligibility, Limit, Responsibility, Source};
use utoipa::ToSchema;

use crate::bodies::{Money, field_invalid, short, time, words};
use crate::problem::Problem;

/// Notes, conditions and limits of one answer.
const PARTS_MAX: usize = 20;

words! {
    /// Where a check stands.
    EligibilityStatus = eligibility::Status {
        Pending, WaitingForPolicy, WaitingForServiceEligibility, Eligible, Ineligible, PolicyError, Timeout, ServerError,
    }
}

words! {
    /// Whether the plan limits something: the payer did not say, there is no limit, or there is one.
    LimitKind = eligibility::LimitKind { Unknown, Unlimited, Limit }
}

/// A check as known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Eligibility)]
#[serde(rename_all = "camelCase")]
pub(super) struct EligibilityBody {
    id: String,
    patient: String,
    /// The policy; absent for self-pay.
    policy: Option<String>,
    /// The link that its charges and its service share.
    link: String,
    service_types: Vec<String>,
    status: EligibilityStatus,
    /// Whether it was answered before and is checked again.
    revalidating: bool,
    /// When the answer must be there.
    answer_by: String,
    /// The patient's share; kept while the check runs again.
    responsibility: Option<ResponsibilityBody>,
    answered_at: Option<String>,
    /// `x12` or `manual`.
    answered_from: Option<&'static str>,
    /// The SHA-256 of the X12 text, or who entered the answer.
    answered_by: Option<String>,
    trouble: Option<TroubleBody>,
    /// Estimate charges that inherited its amount.
    estimates: Vec<String>,
}

/// Why a check failed, and what helps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EligibilityTrouble)]
pub(super) struct TroubleBody {
    /// The payer's code, or ours.
    code: String,
    /// What to do.
    hint: String,
    /// Whether asking again may help.
    retryable: bool,
}

/// What the patient will owe, by part. The parts add up to the total.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Responsibility)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ResponsibilityBody {
    total: Money,
    /// The fixed part per visit.
    copay: Money,
    /// The share of what is left.
    coinsurance: Money,
    /// What goes to the deductible.
    deductible: Money,
    /// What the plan does not pay at all.
    not_covered: Money,
    /// What is left of the out-of-pocket limit before this service, when known.
    out_of_pocket_left: Option<Money>,
    /// The least that it may come to; the total when absent.
    low: Option<Money>,
    /// The most that it may come to; the total when absent.
    high: Option<Money>,
    /// What else a person should read. No personal data.
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    conditions: Vec<ConditionBody>,
    #[serde(default)]
    limits: Vec<LimitBody>,
}

/// A share that holds under a condition.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ShareCondition)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionBody {
    /// What must hold, for example `in network`.
    when: String,
    /// The patient's total then.
    total: Money,
}

/// How often something is covered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PlanLimit)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitBody {
    kind: LimitKind,
    /// `visits`, `units`, `days`, `hours` or `money`.
    of: String,
    /// `annual`, `benefit_year`, `lifetime`, `visit`, …
    period: String,
    allowed: Option<i64>,
    left: Option<i64>,
}

/// What the payer said: exactly one of four.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum AnswerToTake {
    /// Covered; this is the patient's share.
    Covered(Box<ResponsibilityBody>),
    /// Not covered: the self-pay price applies.
    NotCovered(NotCovered),
    /// The payer rejected the policy or its holder.
    PolicyRejected(Rejected),
    /// The payer could not answer.
    Failed(Rejected),
}

/// Why the plan does not cover it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotCovered {
    code: String,
}

/// Why there is no answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rejected {
    /// The payer's code.
    code: String,
    /// What to do.
    hint: String,
    /// Whether the same question may be asked again.
    retryable: bool,
}

impl EligibilityBody {
    pub(super) fn of(check: &Eligibility) -> Self {
        let (answered_from, answered_by) = match &check.answered {
            Some((_, Source::X12 { hash })) => (Some("x12"), Some(hash.clone())),
            Some((_, Source::Manual { author })) => (Some("manual"), Some(author.clone())),
            None => (None, None),
        };
        let trouble = check.trouble.as_ref().map(|trouble| TroubleBody {
            code: trouble.code.clone(),
            hint: trouble.hint.clone(),
            retryable: trouble.retryable,
        });
        Self {
            id: check.id.to_string(),
            patient: check.patient.to_string(),
            policy: check.policy.map(|policy| policy.to_string()),
            link: check.link.clone(),
            service_types: check.service_types.clone(),
            status: check.status.into(),
            revalidating: check.revalidating,
            answer_by: time(check.answer_by),
            responsibility: check.responsibility.as_ref().map(ResponsibilityBody::of),
            answered_at: check.answered.as_ref().map(|(at, _)| time(*at)),
            answered_from,
            answered_by,
            trouble,
            estimates: check.estimates.iter().map(ToString::to_string).collect(),
        }
    }
}

impl ResponsibilityBody {
    fn of(share: &Responsibility) -> Self {
        let condition = |one: &Condition| ConditionBody { when: one.when.clone(), total: one.total.into() };
        let limit = |one: &Limit| LimitBody {
            kind: one.kind.into(),
            of: one.of.clone(),
            period: one.period.clone(),
            allowed: one.allowed,
            left: one.left,
        };
        Self {
            total: share.total.into(),
            copay: share.copay.into(),
            coinsurance: share.coinsurance.into(),
            deductible: share.deductible.into(),
            not_covered: share.not_covered.into(),
            out_of_pocket_left: share.out_of_pocket_left.map(Into::into),
            low: Some(share.low.into()),
            high: Some(share.high.into()),
            notes: share.notes.clone(),
            conditions: share.conditions.iter().map(condition).collect(),
            limits: share.limits.iter().map(limit).collect(),
        }
    }

    fn understood(self) -> Result<Responsibility, Problem> {
        if [self.notes.len(), self.conditions.len(), self.limits.len()].iter().any(|count| *count > PARTS_MAX)
        {
            return Err(field_invalid("notes`, `conditions` and `limits", "have at most 20 entries each"));
        }
        let total: suture_core::money::Money = self.total.try_into()?;
        let or_total = |amount: Option<Money>| amount.map_or(Ok(total), TryInto::try_into);
        Ok(Responsibility {
            total,
            copay: self.copay.try_into()?,
            coinsurance: self.coinsurance.try_into()?,
            deductible: self.deductible.try_into()?,
            not_covered: self.not_covered.try_into()?,
            out_of_pocket_left: self.out_of_pocket_left.map(TryInto::try_into).transpose()?,
            low: or_total(self.low)?,
            high: or_total(self.high)?,
            notes: self.notes.into_iter().map(|note| short("notes", note)).collect::<Result<_, _>>()?,
            conditions: self
                .conditions
                .into_iter()
                .map(ConditionBody::understood)
                .collect::<Result<_, _>>()?,
            limits: self.limits.into_iter().map(LimitBody::understood).collect::<Result<_, _>>()?,
        })
    }
}

impl ConditionBody {
    fn understood(self) -> Result<Condition, Problem> {
        Ok(Condition { when: short("when", self.when)?, total: self.total.try_into()? })
    }
}

impl LimitBody {
    fn understood(self) -> Result<Limit, Problem> {
        Ok(Limit {
            kind: self.kind.into(),
            of: short("of", self.of)?,
            period: short("period", self.period)?,
            allowed: self.allowed,
            left: self.left,
        })
    }
}

impl AnswerToTake {
    pub(super) fn understood(self) -> Result<Answer, Problem> {
        Ok(match self {
            Self::Covered(share) => Answer::Covered { responsibility: share.understood()? },
            Self::NotCovered(why) => Answer::NotCovered { code: short("code", why.code)? },
            Self::PolicyRejected(why) => Answer::PolicyRejected {
                code: short("code", why.code)?,
                hint: short("hint", why.hint)?,
                retryable: why.retryable,
            },
            Self::Failed(why) => Answer::Failed {
                code: short("code", why.code)?,
                hint: short("hint", why.hint)?,
                retryable: why.retryable,
            },
        })
    }
}
