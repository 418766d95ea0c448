//! What matching gives: matches, exceptions, and the remainder in words.

use std::collections::BTreeMap;

use crate::currency::Currency;
use crate::money::Money;

use super::item::{Item, Side};

/// Positions in a list as it was given; one is by far the most frequent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// One.
    One(u32),
    /// Several, ascending.
    Many(Box<[u32]>),
}

impl Members {
    /// The positions.
    #[must_use]
    pub fn positions(&self) -> &[u32] {
        match self {
            Self::One(position) => std::slice::from_ref(position),
            Self::Many(positions) => positions,
        }
    }
}

/// Items that explain each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The position of the rule.
    pub rule: usize,
    /// Positions on the left.
    pub left: Members,
    /// Positions on the right.
    pub right: Members,
    /// What the left has more, in minor units; never more than the rule tolerates.
    pub difference_minor: i64,
}

/// Why an item was not matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// The other side has nothing like it.
    NoCounterpart,
    /// The other side has its reference with another amount.
    AmountDiffers {
        /// What this item has more than that one, in minor units.
        by_minor: i64,
    },
    /// The other side has its reference and amount, too many days away.
    TooFarApart {
        /// How many.
        days: i64,
    },
    /// Another item of its list has the same id.
    Repeated,
}

/// An item that is not explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception {
    /// Of which list.
    pub side: Side,
    /// Its position.
    pub position: u32,
    /// Why.
    pub why: Why,
}

/// What is left of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remainder {
    /// The sum of the left.
    pub left: Money,
    /// The sum of the right.
    pub right: Money,
    /// The part of the difference that lies in matches within tolerance.
    pub tolerated: Money,
    /// The part that lies in exceptions: left less right.
    pub unexplained: Money,
    /// How many exceptions there are.
    pub exceptions: u32,
}

impl Remainder {
    /// The remainder in words: `explained 100 %`, or what is unexplained. Exceptions that cancel each other out are not
    /// an explanation.
    #[must_use]
    pub fn label(&self, names: &[String]) -> String {
        if self.exceptions == 0 {
            return "explained 100 %".to_owned();
        }
        let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(5);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("unexplained {}: {shown}{more}", self.unexplained.to_decimal())
    }
}

/// A sum does not fit 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amounts are too large to add")]
pub struct TooLarge;

/// Everything that matching gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// In the order of the left items' ids, rule by rule.
    pub matches: Vec<Match>,
    /// Left before right, in the order of their ids.
    pub exceptions: Vec<Exception>,
    /// By currency.
    pub remainders: BTreeMap<Currency, Remainder>,
}

impl Outcome {
    /// Computes the remainders from the lists themselves.
    pub(super) fn new(
        (left, right): (&[Item], &[Item]),
        matches: Vec<Match>,
        exceptions: Vec<Exception>,
    ) -> Result<Self, TooLarge> {
        let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
        for item in left {
            sums.entry(item.currency).or_default().left += i128::from(item.amount_minor);
        }
        for item in right {
            sums.entry(item.currency).or_default().right += i128::from(item.amount_minor);
        }
        let at = |items: &[Item], position: u32| {
            usize::try_from(position)
                .ok()
                .and_then(|index| items.get(index))
                .map(|item| (item.currency, item.amount_minor))
        };
        for found in &matches {
            let first = found.left.positions().first().and_then(|position| at(left, *position));
            if let Some((currency, _)) = first {
                sums.entry(currency).or_default().tolerated += i128::from(found.difference_minor);
            }
        }
        for exception in &exceptions {
            let (items, sign) = match exception.side {
                Side::Left => (left, 1),
                Side::Right => (right, -1),
            };
            if let Some((currency, minor)) = at(items, exception.position) {
                let sum = sums.entry(currency).or_default();
                sum.unexplained += i128::from(minor) * sign;
                sum.exceptions = sum.exceptions.saturating_add(1);
            }
        }
        let remainders = sums
            .into_iter()
            .map(|(currency, sums)| sums.remainder(currency).map(|remainder| (currency, remainder)))
            .collect::<Result<_, _>>()?;
        Ok(Self { matches, exceptions, remainders })
    }
}

#[derive(Default)]
struct Sums {
    left: i128,
    right: i128,
    tolerated: i128,
    unexplained: i128,
    exceptions: u32,
}

impl Sums {
    fn remainder(&self, currency: Currency) -> Result<Remainder, TooLarge> {
        let money =
            |minor: i128| i64::try_from(minor).map(|minor| Money::new(minor, currency)).map_err(|_| TooLarge);
        Ok(Remainder {
            left: money(self.left)?,
            right: money(self.right)?,
            tolerated: money(self.tolerated)?,
            unexplained: money(self.unexplained)?,
            exceptions: self.exceptions,
        })
    }
}
