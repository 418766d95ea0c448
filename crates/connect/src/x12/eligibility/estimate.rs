//! What a patient will probably owe for one visit, from an eligibility answer.
//!
//! Called before a deposit is asked for. Must stay true: nothing that the payer did not say is guessed; where the plan
//! decides something that a 271 cannot say, there is a low and a high end and a reason, and the parts sum to the total.

use serde::Serialize;
use suture_core::currency::Currency;
use suture_core::money::Money;

use super::limits::{Limit, limits};
use super::model::{Answer, Benefit, Coverage, Kind, Network};
use super::reasons::Reason;
use super::rows;
use super::share::{Left, Parts, Span, Terms, coinsurance, copay, left, share};
use crate::x12::decimal::Decimal;

/// The most service types in one question.
const SERVICE_TYPES_MAX: usize = 50;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The service types (EB03) that the visit may be, for example `98`; each is estimated.
    pub service_types: Vec<String>,
    /// Whether the provider is in the plan's network; only `In` and `Out` make sense.
    pub network: Network,
    /// What the payer allows for the visit, in USD: from the fee schedule or past remittances, not the charge.
    pub allowed: Money,
    /// Which of several estimates, and which end of a range, counts.
    pub choose: Choose,
}

/// Which of several estimates counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choose {
    /// The highest, at its high end.
    Highest,
    /// The lowest, at its low end.
    Lowest,
}

/// Why a question cannot be answered at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EstimateError {
    /// No service type, or more than 50.
    #[error("ask for 1 to 50 service types")]
    ServiceTypes,
    /// The allowed amount is negative or not in USD.
    #[error("the allowed amount must be an amount in USD that is not negative")]
    Allowed,
    /// The network is neither in nor out.
    #[error("say whether the provider is in or out of the plan's network")]
    Network,
}

/// What the total rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The plan's terms.
    Insured,
    /// The service is not covered or the coverage is not active: the patient pays all of it. Use the clinic's self-pay
    /// price; the total here is the allowed amount that was asked with.
    SelfPay,
}

/// How far the total can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The payer stated all of it.
    Stated,
    /// It is between `low` and `high`.
    Range,
    /// A person must look before the total is used.
    NeedsPerson,
}

/// One service type's estimate beside the chosen one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The service type.
    pub service_type: String,
    /// Low end.
    pub low: Money,
    /// High end.
    pub high: Money,
}

/// A price that holds under a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conditional {
    /// The total if the condition holds, at the same end of the range as the estimate.
    pub total: Money,
    /// Whether that is less than the estimate.
    pub is_better: bool,
    /// Only for this procedure (EB13 as sent).
    pub procedure: Option<String>,
    /// Only for this many (EB10).
    pub quantity: Option<Decimal>,
    /// Of this unit (EB09).
    pub quantity_unit: Option<String>,
    /// Whether a place, kind of facility or schedule narrows it; see the row.
    pub narrowed: bool,
    /// The number of EB in the file.
    pub segment: u64,
}

/// What the patient will probably owe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// The chosen service type.
    pub service_type: String,
    /// What the total rests on.
    pub basis: Basis,
    /// `copay` + `deductible` + `coinsurance` + `not_covered`.
    pub total: Money,
    /// The copay in the total.
    pub copay: Money,
    /// The deductible in the total.
    pub deductible: Money,
    /// The coinsurance in the total.
    pub coinsurance: Money,
    /// What the plan does not pay at all.
    pub not_covered: Money,
    /// The least that it can be.
    pub low: Money,
    /// The most that it can be.
    pub high: Money,
    /// What is left of the deductible; the higher end when it is a range.
    pub deductible_left: Option<Money>,
    /// What was used of the deductible.
    pub deductible_met: Option<Money>,
    /// What is left until the out-of-pocket limit; the higher end when it is a range.
    pub out_of_pocket_left: Option<Money>,
    /// What was used of the out-of-pocket limit.
    pub out_of_pocket_met: Option<Money>,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Why not further.
    pub reasons: Vec<Reason>,
    /// Limits on the service, at least one (which may be "unknown").
    pub limits: Vec<Limit>,
    /// Prices under conditions.
    pub conditional: Vec<Conditional>,
    /// All service types that were asked, in the order of the question.
    pub compared: Vec<Compared>,
    /// Which of them counts.
    pub chosen: Choose,
}

/// Estimates one visit.
///
/// # Errors
/// [`EstimateError`] when the question itself cannot be answered.
pub fn estimate(answer: &Answer, question: &Question) -> Result<Estimate, EstimateError> {
    if question.service_types.is_empty() || question.service_types.len() > SERVICE_TYPES_MAX {
        return Err(EstimateError::ServiceTypes);
    }
    if question.allowed.currency != Currency::USD || question.allowed.minor < 0 {
        return Err(EstimateError::Allowed);
    }
    if !matches!(question.network, Network::In | Network::Out) {
        return Err(EstimateError::Network);
    }
    let all: Vec<Estimate> =
        question.service_types.iter().map(|service| of_service(answer, question, service)).collect();
    let compared = all
        .iter()
        .map(|one| Compared { service_type: one.service_type.clone(), low: one.low, high: one.high })
        .collect();
    // The first of equal ones counts, so that the same question always gives the same answer.
    let chosen = match question.choose {
        Choose::Highest => all.into_iter().rev().max_by_key(|one| one.total.minor),
        Choose::Lowest => all.into_iter().min_by_key(|one| one.total.minor),
    };
    chosen.map(|chosen| Estimate { compared, ..chosen }).ok_or(EstimateError::ServiceTypes)
}

/// What the rows state about a service, before it is put together.
struct Stated<'a> {
    copays: Vec<&'a Benefit>,
    coinsurances: Vec<&'a Benefit>,
    copay: Option<Span<i64>>,
    coinsurance: Option<Span<Decimal>>,
    deductible: Option<Left>,
    out_of_pocket: Option<Left>,
}

fn of_service(answer: &Answer, question: &Question, service: &str) -> Estimate {
    let mut reasons = Vec::new();
    let about = |kind| rows::about(answer, kind, service, &question.network);
    let (copays, coinsurances) = (about(Kind::Copay), about(Kind::Coinsurance));
    let stated = Stated {
        copay: copay(&copays, &mut reasons),
        coinsurance: coinsurance(&coinsurances, &mut reasons),
        deductible: left(answer, Kind::Deductible, service, &question.network, &mut reasons),
        out_of_pocket: left(answer, Kind::OutOfPocket, service, &question.network, &mut reasons),
        copays,
        coinsurances,
    };
    if let Some(why) = not_insured(answer, question, service) {
        return self_pay(answer, question, service, why);
    }
    remark(answer, &stated, service, &mut reasons);
    let (low, high) = (low_end(&stated, question), high_end(&stated, question));
    let parts = share(match question.choose {
        Choose::Highest => high,
        Choose::Lowest => low,
    });
    let (low, high) = (share(low).total(), share(high).total());
    let usd = Money::usd;
    Estimate {
        low: usd(low),
        high: usd(high),
        deductible_left: stated.deductible.map(|left| usd(left.left.high)),
        deductible_met: stated.deductible.and_then(|left| left.met).map(usd),
        out_of_pocket_left: stated.out_of_pocket.map(|left| usd(left.left.high)),
        out_of_pocket_met: stated.out_of_pocket.and_then(|left| left.met).map(usd),
        confidence: confidence(&reasons, low != high),
        conditional: conditionals(&stated, question, parts.total()),
        ..shell(answer, question, service, parts, reasons)
    }
}

/// An estimate without the ends of its range.
fn shell(
    answer: &Answer,
    question: &Question,
    service: &str,
    parts: Parts,
    mut reasons: Vec<Reason>,
) -> Estimate {
    reasons.sort_unstable();
    reasons.dedup();
    let (usd, total) = (Money::usd, Money::usd(parts.total()));
    Estimate {
        service_type: service.to_owned(),
        basis: Basis::Insured,
        total,
        copay: usd(parts.copay),
        deductible: usd(parts.deductible),
        coinsurance: usd(parts.coinsurance),
        not_covered: usd(0),
        low: total,
        high: total,
        deductible_left: None,
        deductible_met: None,
        out_of_pocket_left: None,
        out_of_pocket_met: None,
        confidence: Confidence::NeedsPerson,
        reasons,
        limits: limits(answer, service, &question.network),
        conditional: Vec::new(),
        compared: Vec::new(),
        chosen: question.choose,
    }
}

fn self_pay(answer: &Answer, question: &Question, service: &str, why: Vec<Reason>) -> Estimate {
    let all = question.allowed;
    Estimate {
        basis: Basis::SelfPay,
        total: all,
        not_covered: all,
        low: all,
        high: all,
        confidence: confidence(&why, false),
        ..shell(answer, question, service, Parts::default(), why)
    }
}

/// Why the plan does not pay, if the payer says so; with a second reason when it says the opposite as well.
fn not_insured(answer: &Answer, question: &Question, service: &str) -> Option<Vec<Reason>> {
    let plain = |kind| {
        let rows = rows::about(answer, kind, service, &question.network);
        rows.into_iter().filter(|row| !rows::is_conditional(row)).collect::<Vec<_>>()
    };
    let names_it = |kind| plain(kind).iter().any(|row| row.is_for(service));
    let priced = [Kind::Active, Kind::Copay, Kind::Coinsurance].into_iter().any(names_it);
    let reason = if answer.coverage() == Coverage::Inactive || (names_it(Kind::Inactive) && !priced) {
        Reason::Inactive
    } else if names_it(Kind::NotCovered) || (!priced && !plain(Kind::NotCovered).is_empty()) {
        Reason::NotCovered
    } else {
        return None;
    };
    let contradicted = priced.then_some(Reason::SeveralRows);
    Some(std::iter::once(reason).chain(contradicted).collect())
}

fn remark(answer: &Answer, stated: &Stated<'_>, service: &str, reasons: &mut Vec<Reason>) {
    let has_left = stated.deductible.is_some_and(|left| left.left.high > 0);
    let some = |kind| answer.benefits.iter().any(|row| row.kind == kind);
    let checks = [
        (answer.coverage() == Coverage::Unknown, Reason::CoverageUnknown),
        (stated.copay.is_none() && stated.coinsurance.is_none(), Reason::NothingStated),
        (stated.copay.is_some() && has_left, Reason::DeductibleWithCopay),
        (stated.copay.is_some() && stated.coinsurance.is_some(), Reason::CopayWithCoinsurance),
        (rows::has_unclear(answer, service), Reason::RowsUnclear),
        (
            rows::needs_authorization(&stated.copays) || rows::needs_authorization(&stated.coinsurances),
            Reason::AuthorizationRequired,
        ),
        (some(Kind::OtherPayer), Reason::OtherPayer),
        (some(Kind::SpendDown), Reason::SpendDown),
        (!answer.rejections.is_empty() || some(Kind::CannotProcess), Reason::Rejected),
    ];
    reasons.extend(checks.iter().filter(|(holds, _)| *holds).map(|(_, reason)| *reason));
}

/// The least: a copay stands alone; without one, the deductible comes before the coinsurance.
fn low_end(stated: &Stated<'_>, question: &Question) -> Terms {
    let has_copay = stated.copay.is_some();
    let deductible = stated.deductible.map_or(0, |left| left.left.low);
    Terms {
        allowed: question.allowed.minor,
        copay: stated.copay.map_or(0, |span| span.low),
        deductible: if has_copay { 0 } else { deductible },
        coinsurance: stated.coinsurance.filter(|_| !has_copay).map(|span| span.low),
        limit: stated.out_of_pocket.map(|left| left.left.low),
    }
}

/// The most: copay, deductible and coinsurance all apply; when neither copay nor coinsurance is stated, all of it.
fn high_end(stated: &Stated<'_>, question: &Question) -> Terms {
    let nothing = stated.copay.is_none() && stated.coinsurance.is_none();
    let all = nothing.then_some(Decimal::whole(1));
    Terms {
        allowed: question.allowed.minor,
        copay: stated.copay.map_or(0, |span| span.high),
        deductible: stated.deductible.map_or(0, |left| left.left.high),
        coinsurance: stated.coinsurance.map(|span| span.high).or(all),
        limit: stated.out_of_pocket.map(|left| left.left.high),
    }
}

/// What the price is when a row with a condition holds in place of the plain ones.
fn conditionals(stated: &Stated<'_>, question: &Question, total: i64) -> Vec<Conditional> {
    let rows = stated.copays.iter().chain(&stated.coinsurances).filter(|row| rows::is_conditional(row));
    let base = match question.choose {
        Choose::Highest => high_end(stated, question),
        Choose::Lowest => low_end(stated, question),
    };
    rows.filter_map(|row| {
        let terms = match row.kind {
            Kind::Copay => Terms { copay: row.amount?.minor, ..base },
            _ => Terms { coinsurance: Some(row.fraction.filter(|fraction| fraction.is_fraction())?), ..base },
        };
        let under_condition = share(terms).total();
        Some(Conditional {
            total: Money::usd(under_condition),
            is_better: under_condition < total,
            procedure: row.procedure.clone(),
            quantity: row.quantity,
            quantity_unit: row.quantity_unit.clone(),
            narrowed: row.narrowed || !row.deliveries.is_empty(),
            segment: row.segment,
        })
    })
    .collect()
}

fn confidence(reasons: &[Reason], is_range: bool) -> Confidence {
    if reasons.iter().any(|reason| reason.needs_person()) {
        Confidence::NeedsPerson
    } else if is_range {
        Confidence::Range
    } else {
        Confidence::Stated
    }
}
