//! How much of a service the plan pays for: visits, units or money, per year, benefit year or lifetime.
//!
//! Called by the estimate. Must stay true: a limit that is not stated is unknown, never unlimited.

use serde::Serialize;
use suture_core::money::Money;

use super::model::{Answer, Benefit, Delivery, Kind, Network, Period};
use super::rows;
use crate::x12::decimal::Decimal;

/// Whether there is a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Extent {
    /// The payer did not say.
    Unknown,
    /// The payer says that there is none: the only free text of the row is the word.
    Unlimited,
    /// There is one.
    Limit,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// `VS`.
    Visits,
    /// `UN`, or `P6`: units of the service.
    Units,
    /// `DY`.
    Days,
    /// `HS`.
    Hours,
    /// An amount of money.
    Money,
    /// Any other, as sent; empty when not told.
    Other(String),
}

/// For how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitPeriod {
    /// The calendar year.
    Annual,
    /// The plan's own year.
    BenefitYear,
    /// The lifetime.
    Lifetime,
    /// Each visit.
    Visit,
    /// Any other code of EB06 or HSD05, as sent.
    Other(String),
    /// Not told.
    Unknown,
}

/// One limit of the plan on a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// Whether there is one.
    pub extent: Extent,
    /// What is counted.
    pub unit: LimitUnit,
    /// How many, when something is counted.
    pub quantity: Option<Decimal>,
    /// How much, when it is money.
    pub amount: Option<Money>,
    /// For how long.
    pub period: LimitPeriod,
    /// Whether this is what is left, not the whole.
    pub remaining: bool,
    /// The limit in words.
    pub words: String,
    /// The number of EB in the file; `None` when nothing is stated.
    pub segment: Option<u64>,
}

/// The limits on a service, at least one: when none is stated, one that says so.
pub(super) fn limits(answer: &Answer, service_type: &str, network: &Network) -> Vec<Limit> {
    let rows = rows::about(answer, Kind::Limitation, service_type, network);
    let found: Vec<Limit> = rows.into_iter().flat_map(of_row).collect();
    if found.is_empty() { vec![unknown(None)] } else { found }
}

fn of_row(row: &Benefit) -> Vec<Limit> {
    let mut found: Vec<Limit> =
        row.deliveries.iter().filter_map(|delivery| of_delivery(row, delivery)).collect();
    if let Some(quantity) = row.quantity {
        let unit = unit(row.quantity_unit.as_deref().unwrap_or_default());
        found.push(limit(row, unit, Some(quantity), None, row.period.as_ref()));
    }
    if let Some(amount) = row.amount {
        found.push(limit(row, LimitUnit::Money, None, Some(amount), row.period.as_ref()));
    }
    if found.is_empty() {
        let says_unlimited = match row.messages.expose().as_slice() {
            [only] => only.eq_ignore_ascii_case("unlimited"),
            _ => false,
        };
        found.push(unknown(Some(row.segment)));
        if says_unlimited {
            found[0].extent = Extent::Unlimited;
            "the payer says that there is no limit".clone_into(&mut found[0].words);
        }
    }
    found
}

fn of_delivery(row: &Benefit, delivery: &Delivery) -> Option<Limit> {
    let quantity = delivery.quantity?;
    let period = delivery.period.as_ref().or(row.period.as_ref());
    let mut found = limit(row, unit(&delivery.unit), Some(quantity), None, period);
    if let Some(periods) = delivery.periods.filter(|periods| *periods != Decimal::whole(1)) {
        found.words = format!("{} (for {periods} such periods)", found.words);
    }
    Some(found)
}

fn limit(
    row: &Benefit,
    unit: LimitUnit,
    quantity: Option<Decimal>,
    amount: Option<Money>,
    period: Option<&Period>,
) -> Limit {
    let remaining = matches!(&row.period, Some(Period::Remaining | Period::LifetimeRemaining))
        || period == Some(&Period::Remaining);
    let period = period_of(period);
    let what = match (quantity, amount) {
        (Some(quantity), _) => format!("{quantity} {}", unit_words(&unit)),
        (None, Some(amount)) => amount.to_string(),
        (None, None) => String::new(),
    };
    let words = if remaining {
        format!("{what} left{}", period_words(&period))
    } else {
        format!("at most {what}{}", period_words(&period))
    };
    Limit {
        extent: Extent::Limit,
        unit,
        quantity,
        amount,
        period,
        remaining,
        words,
        segment: Some(row.segment),
    }
}

fn unknown(segment: Option<u64>) -> Limit {
    Limit {
        extent: Extent::Unknown,
        unit: LimitUnit::Other(String::new()),
        quantity: None,
        amount: None,
        period: LimitPeriod::Unknown,
        remaining: false,
        words: "the payer did not state a limit in a form that can be read".to_owned(),
        segment,
    }
}

fn unit(code: &str) -> LimitUnit {
    match code {
        "VS" => LimitUnit::Visits,
        "UN" | "P6" => LimitUnit::Units,
        "DY" => LimitUnit::Days,
        "HS" => LimitUnit::Hours,
        other => LimitUnit::Other(other.to_owned()),
    }
}

fn period_of(period: Option<&Period>) -> LimitPeriod {
    match period {
        None | Some(Period::Remaining) => LimitPeriod::Unknown,
        Some(Period::CalendarYear | Period::YearToDate) => LimitPeriod::Annual,
        Some(Period::ServiceYear | Period::Contract) => LimitPeriod::BenefitYear,
        Some(Period::Lifetime | Period::LifetimeRemaining) => LimitPeriod::Lifetime,
        Some(Period::Visit) => LimitPeriod::Visit,
        Some(Period::Other(code)) => LimitPeriod::Other(code.clone()),
    }
}

fn unit_words(unit: &LimitUnit) -> &str {
    match unit {
        LimitUnit::Visits => "visits",
        LimitUnit::Units => "units",
        LimitUnit::Days => "days",
        LimitUnit::Hours => "hours",
        LimitUnit::Money => "of money",
        LimitUnit::Other(code) if code.is_empty() => "of a unit that is not told",
        LimitUnit::Other(code) => code,
    }
}

const fn period_words(period: &LimitPeriod) -> &'static str {
    match period {
        LimitPeriod::Annual => " per calendar year",
        LimitPeriod::BenefitYear => " per benefit year",
        LimitPeriod::Lifetime => " per lifetime",
        LimitPeriod::Visit => " per visit",
        LimitPeriod::Other(_) | LimitPeriod::Unknown => "",
    }
}
