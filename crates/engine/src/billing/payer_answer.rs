//! A payer's 271 in the words of an eligibility check. Amounts, codes and our own sentences go in; the payer's free text and
//! everything about the person stay out.

use suture_connect::x12::eligibility as x12;
use suture_core::eligibility::{Answer, Condition, Limit, LimitKind, Responsibility};

use crate::Error;

use super::eligibilities::x12_refused;

/// Says what a 271 means for a check.
///
/// # Errors
/// [`Error::Refused`] when the question cannot be answered at all.
pub(super) fn from_x12(answer: &x12::Answer, question: &x12::Question) -> Result<Answer, Error> {
    if let Some(rejection) = answer.rejections.first() {
        return Ok(rejected(rejection));
    }
    if answer.coverage() == x12::Coverage::Inactive {
        let hint = "The coverage has ended; ask the patient for the current insurance card.".to_owned();
        return Ok(Answer::PolicyRejected { code: "inactive".to_owned(), hint, retryable: false });
    }
    let estimate = x12::estimate(answer, question).map_err(|error| x12_refused(&error.to_string()))?;
    if estimate.basis == x12::Basis::SelfPay {
        return Ok(Answer::NotCovered { code: "not_covered".to_owned() });
    }
    Ok(Answer::Covered { responsibility: responsibility(&estimate) })
}

fn rejected(rejection: &x12::Rejection) -> Answer {
    let (code, hint) = (rejection.code.clone(), rejection.hint.to_owned());
    let retryable = !matches!(rejection.retry, x12::RetryHelps::No);
    // What the payer says of the subscriber or the dependent is about the policy; the rest is about the question.
    match rejection.loop_id {
        "2100C" | "2100D" => Answer::PolicyRejected { code, hint, retryable },
        _ => Answer::Failed { code, hint, retryable },
    }
}

fn responsibility(estimate: &x12::Estimate) -> Responsibility {
    let mut notes: Vec<String> = estimate.reasons.iter().map(|reason| reason.words().to_owned()).collect();
    notes.push(format!("estimated for service type {}", estimate.service_type));
    let others = estimate.compared.iter().filter(|other| other.service_type != estimate.service_type);
    notes.extend(
        others.map(|other| format!("service type {}: {} to {}", other.service_type, other.low, other.high)),
    );
    Responsibility {
        total: estimate.total,
        copay: estimate.copay,
        coinsurance: estimate.coinsurance,
        deductible: estimate.deductible,
        not_covered: estimate.not_covered,
        out_of_pocket_left: estimate.out_of_pocket_left,
        low: estimate.low,
        high: estimate.high,
        notes,
        conditions: estimate.conditional.iter().map(condition).collect(),
        limits: estimate.limits.iter().map(limit).collect(),
    }
}

fn condition(conditional: &x12::Conditional) -> Condition {
    let mut when = Vec::new();
    when.extend(conditional.procedure.as_ref().map(|code| format!("procedure {code}")));
    when.extend(conditional.quantity.map(|_| "a stated quantity".to_owned()));
    if conditional.narrowed {
        when.push("a stated place, facility or schedule".to_owned());
    }
    if when.is_empty() {
        when.push(format!("the terms in segment {} of the answer", conditional.segment));
    }
    Condition { when: when.join(" and "), total: conditional.total }
}

fn limit(limit: &x12::Limit) -> Limit {
    let kind = match limit.extent {
        x12::Extent::Unknown => LimitKind::Unknown,
        x12::Extent::Unlimited => LimitKind::Unlimited,
        x12::Extent::Limit => LimitKind::Limit,
    };
    let of = match &limit.unit {
        x12::LimitUnit::Visits => "visits".to_owned(),
        x12::LimitUnit::Units => "units".to_owned(),
        x12::LimitUnit::Days => "days".to_owned(),
        x12::LimitUnit::Hours => "hours".to_owned(),
        x12::LimitUnit::Money => "money".to_owned(),
        x12::LimitUnit::Other(code) => code.clone(),
    };
    let period = match &limit.period {
        x12::LimitPeriod::Annual => "annual".to_owned(),
        x12::LimitPeriod::BenefitYear => "benefit_year".to_owned(),
        x12::LimitPeriod::Lifetime => "lifetime".to_owned(),
        x12::LimitPeriod::Visit => "visit".to_owned(),
        x12::LimitPeriod::Other(code) => code.clone(),
        x12::LimitPeriod::Unknown => "unknown".to_owned(),
    };
    let whole = limit
        .quantity
        .filter(|quantity| quantity.scale() == 0)
        .map(suture_connect::x12::decimal::Decimal::unscaled);
    let count = whole.or_else(|| limit.amount.map(|amount| amount.minor));
    let (allowed, left) = if limit.remaining { (None, count) } else { (count, None) };
    Limit { kind, of, period, allowed, left }
}
