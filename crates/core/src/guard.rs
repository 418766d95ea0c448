//! The amount guard: a decimal slip, a wrong currency exponent or a mistyped amount is stopped before money moves
//! (FEATURES M377). A real patient was charged 12,338 dollars instead of 120.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::refusal::Refusal;

/// What is usual, in minor units of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// The smallest amount seen, or set.
    pub low_minor: i64,
    /// The largest amount seen, or set.
    pub high_minor: i64,
}

impl Usual {
    /// The range of a history, if it has any amounts.
    #[must_use]
    pub fn of(history: &[i64]) -> Option<Self> {
        Some(Self { low_minor: *history.iter().min()?, high_minor: *history.iter().max()? })
    }
}

/// How far above the usual an amount must be to be held: a slip of two decimals is a factor of 100; ten times already
/// deserves a look.
pub const FACTOR: i64 = 10;

/// Whether an amount is far outside what is usual.
///
/// # Errors
/// A [`Refusal`] of kind `Held` that shows the usual range.
pub fn check(amount: Money, usual: Option<Usual>) -> Result<(), Refusal> {
    let Some(usual) = usual else { return Ok(()) };
    if amount.minor <= usual.high_minor.saturating_mul(FACTOR) {
        return Ok(());
    }
    let show = |minor| Money::new(minor, amount.currency).to_decimal();
    Err(Refusal::held(
        "amount_unusual",
        format!(
            "{amount} was held: the usual range is {} to {} {}. Correct the amount, or have an authorized person \
             confirm it.",
            show(usual.low_minor),
            show(usual.high_minor),
            amount.currency
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_times_the_usual_is_held_with_the_usual_range() {
        let usual = Usual::of(&[2000, 30000, 12000]);
        let held = check(Money::usd(1_233_800), usual).unwrap_err();
        assert!(held.detail.contains("20.00 to 300.00 USD"), "{held}");
        assert!(check(Money::usd(30000), usual).is_ok());
        assert!(check(Money::usd(1_233_800), None).is_ok(), "nothing is usual yet");
    }
}
