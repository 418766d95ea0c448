//! The parts of a patient's share, in cents: what rows state, and how copay, deductible, coinsurance and the
//! out-of-pocket limit combine.
//!
//! Called by the estimate. Must stay true: integers only, one rounding (half up) at the end, and the parts sum to the
//! total.

use super::model::{Answer, Benefit, Kind, Level, Network, Period};
use super::reasons::Reason;
use super::rows;
use crate::x12::decimal::Decimal;

/// The least and the most that something can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<T> {
    pub(super) low: T,
    pub(super) high: T,
}

/// What is left of a yearly amount, in cents, and how much of it is used if that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) left: Span<i64>,
    pub(super) met: Option<i64>,
}

/// One way to share an allowed amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) allowed: i64,
    pub(super) copay: i64,
    pub(super) deductible: i64,
    pub(super) coinsurance: Option<Decimal>,
    pub(super) limit: Option<i64>,
}

/// The patient's share in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) copay: i64,
    pub(super) deductible: i64,
    pub(super) coinsurance: i64,
}

impl Parts {
    pub(super) const fn total(self) -> i64 {
        self.copay + self.deductible + self.coinsurance
    }
}

/// Copay, then deductible, then coinsurance of what is left; never more than the allowed amount or the limit. What the
/// limit takes off is taken off the coinsurance first, then the deductible, then the copay.
pub(super) fn share(terms: Terms) -> Parts {
    let copay = terms.copay.clamp(0, terms.allowed);
    let deductible = terms.deductible.clamp(0, terms.allowed);
    let coinsurance = terms.coinsurance.map_or(0, |fraction| part(terms.allowed - deductible, fraction));
    let most = terms.limit.map_or(terms.allowed, |limit| limit.clamp(0, terms.allowed));
    let copay = copay.min(most);
    let deductible = deductible.min(most - copay);
    Parts { copay, deductible, coinsurance: coinsurance.min(most - copay - deductible) }
}

/// `amount` times `fraction`, rounded half up to the cent.
fn part(amount: i64, fraction: Decimal) -> i64 {
    let power = 10_i128.pow(fraction.scale());
    let twice = i128::from(amount) * i128::from(fraction.unscaled()) * 2 + power;
    i64::try_from(twice.div_euclid(power * 2)).unwrap_or(amount)
}

/// The copay in cents, if one is stated.
pub(super) fn copay(rows: &[&Benefit], reasons: &mut Vec<Reason>) -> Option<Span<i64>> {
    let priced = plain(rows, reasons);
    if priced.iter().any(|row| row.amount.is_none_or(|amount| amount.minor < 0)) {
        reasons.push(Reason::AmountMissing);
    }
    let amounts = priced.iter().filter_map(|row| row.amount).map(|amount| amount.minor.max(0));
    let span = Span { low: amounts.clone().min()?, high: amounts.max()? };
    tell_apart(&priced, span.low != span.high, reasons);
    Some(span)
}

/// The coinsurance, if one is stated. A number that is no fraction is not used: it could be a percentage or an error,
/// so the share is anything from nothing to all.
pub(super) fn coinsurance(rows: &[&Benefit], reasons: &mut Vec<Reason>) -> Option<Span<Decimal>> {
    let priced = plain(rows, reasons);
    let stated: Vec<Decimal> = priced.iter().filter_map(|row| row.fraction).collect();
    if stated.len() < priced.len() {
        reasons.push(Reason::AmountMissing);
    }
    if stated.iter().any(|fraction| !fraction.is_fraction()) {
        reasons.push(Reason::CoinsuranceIsNoFraction);
        return Some(Span { low: Decimal::whole(0), high: Decimal::whole(1) });
    }
    // Compared as the cents of a very large amount, which keeps all decimals that a fraction can have.
    let size = |fraction: &Decimal| part(10_000_000_000, *fraction);
    let span = Span {
        low: *stated.iter().min_by_key(|fraction| size(fraction))?,
        high: *stated.iter().max_by_key(|fraction| size(fraction))?,
    };
    tell_apart(&priced, span.low != span.high, reasons);
    Some(span)
}

/// The rows that stand for the plain case; when there is none, those with conditions, for a person to look at.
fn plain<'a>(rows: &[&'a Benefit], reasons: &mut Vec<Reason>) -> Vec<&'a Benefit> {
    let plain: Vec<_> = rows.iter().copied().filter(|row| !rows::is_conditional(row)).collect();
    if plain.is_empty() && !rows.is_empty() {
        reasons.push(Reason::OnlyConditional);
        return rows.to_vec();
    }
    plain
}

fn tell_apart(rows: &[&Benefit], differ: bool, reasons: &mut Vec<Reason>) {
    if differ {
        let by_message = rows
            .iter()
            .enumerate()
            .any(|(at, left)| rows[at + 1..].iter().any(|right| rows::differ_only_by_message(left, right)));
        reasons.push(if by_message { Reason::DifferOnlyByMessage } else { Reason::SeveralRows });
    }
    if rows.iter().any(|row| !row.messages.expose().is_empty()) {
        reasons.push(Reason::MessageQualifies);
    }
}

/// What is left of the deductible or the out-of-pocket limit: the lesser of individual and family.
pub(super) fn left(
    answer: &Answer,
    kind: Kind,
    service_type: &str,
    network: &Network,
    reasons: &mut Vec<Reason>,
) -> Option<Left> {
    let all = rows::about(answer, kind, service_type, network);
    let plain = |row: &&Benefit| row.procedure.is_none() && row.quantity.is_none() && !row.narrowed;
    let rows: Vec<&Benefit> = all.iter().copied().filter(plain).collect();
    if rows.is_empty() && !all.is_empty() {
        reasons.push(Reason::OnlyConditional);
    }
    let of_level =
        |family: bool| rows.iter().copied().filter(move |row| (row.level == Level::Family) == family);
    let individual = left_of(&of_level(false).collect::<Vec<_>>(), reasons);
    let family = left_of(&of_level(true).collect::<Vec<_>>(), reasons);
    match (individual, family) {
        (Some(individual), Some(family)) => Some(Left {
            left: Span {
                low: individual.left.low.min(family.left.low),
                high: individual.left.high.min(family.left.high),
            },
            met: individual.met,
        }),
        (one, None) | (None, one) => one,
    }
}

fn left_of(rows: &[&Benefit], reasons: &mut Vec<Reason>) -> Option<Left> {
    let amounts = |wanted: fn(Option<&Period>) -> bool| -> Vec<i64> {
        let rows = rows.iter().filter(|row| wanted(row.period.as_ref()));
        rows.filter_map(|row| row.amount).map(|amount| amount.minor.max(0)).collect()
    };
    let remaining = amounts(|period| period == Some(&Period::Remaining));
    let used = amounts(|period| period == Some(&Period::YearToDate));
    let base = amounts(|period| {
        matches!(period, None | Some(Period::CalendarYear | Period::ServiceYear | Period::Contract))
    });
    let (whole, used) = (base.iter().copied().max(), used.iter().copied().max());
    if let (Some(low), Some(high)) = (remaining.iter().copied().min(), remaining.iter().copied().max()) {
        if low != high {
            reasons.push(Reason::SeveralRows);
        }
        let met = used.or_else(|| whole.filter(|_| low == high).map(|whole| (whole - high).max(0)));
        return Some(Left { left: Span { low, high }, met });
    }
    let Some(whole) = whole else {
        // For example per admission only: it must not look as if there were nothing to pay.
        if !rows.is_empty() {
            reasons.push(Reason::AmountMissing);
        }
        return None;
    };
    if let Some(used) = used {
        let left = (whole - used).max(0);
        return Some(Left { left: Span { low: left, high: left }, met: Some(used) });
    }
    reasons.push(Reason::UsedPartUnknown);
    Some(Left { left: Span { low: 0, high: whole }, met: None })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::*;

    fn terms(allowed: i64, copay: i64, deductible: i64, fraction: &str, limit: Option<i64>) -> Terms {
        Terms { allowed, copay, deductible, coinsurance: Decimal::parse(fraction).ok(), limit }
    }

    #[test]
    fn coinsurance_is_of_what_the_deductible_leaves_and_rounds_half_up_once() {
        let parts = share(terms(10_001, 0, 5_000, ".5", None));
        assert_eq!((parts.deductible, parts.coinsurance, parts.total()), (5_000, 2_501, 7_501));
        assert_eq!(share(terms(1_003, 0, 0, ".333", None)).coinsurance, 334);
        assert_eq!(share(terms(100, 0, 0, ".004", None)).coinsurance, 0);
    }

    #[test]
    fn the_limit_takes_off_coinsurance_then_deductible_then_copay() {
        let parts = share(terms(20_000, 2_500, 5_000, ".2", Some(6_000)));
        assert_eq!((parts.copay, parts.deductible, parts.coinsurance), (2_500, 3_500, 0));
        assert_eq!(share(terms(20_000, 2_500, 5_000, ".2", Some(0))).total(), 0);
    }

    #[test]
    fn nobody_owes_more_than_the_allowed_amount() {
        assert_eq!(share(terms(1_000, 2_500, 35_000, ".2", None)).total(), 1_000);
    }

    proptest! {
        #[test]
        fn a_share_is_never_negative_and_never_above_amount_or_limit(
            allowed in 0..100_000_000_i64,
            copay in any::<i32>(),
            deductible in any::<i32>(),
            percent in 0..=100_u8,
            limit in prop::option::of(any::<i32>()),
        ) {
            let fraction = if percent == 100 { "1".to_owned() } else { format!("0.{percent:02}") };
            let limit = limit.map(i64::from);
            let parts = share(terms(allowed, i64::from(copay), i64::from(deductible), &fraction, limit));
            prop_assert!(parts.copay >= 0 && parts.deductible >= 0 && parts.coinsurance >= 0);
            prop_assert!(parts.total() <= allowed && limit.is_none_or(|limit| parts.total() <= limit.max(0)));
        }
    }
}
