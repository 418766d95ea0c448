//! Money: an integer number of minor units and a currency. No floats anywhere near it.
//!
//! Everything that adds, compares or prints an amount goes through here. Arithmetic is checked; amounts of two
//! currencies never mix; decimal text is parsed exactly or refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::currency::{Currency, UnknownCurrency};

/// An amount in the smallest unit of its currency (cents for USD, yen for JPY, fils for KWD). May be negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units.
    pub minor: i64,
    /// The ISO 4217 currency.
    pub currency: Currency,
}

/// Why an amount could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Two currencies met in one sum.
    #[error("cannot combine {left} with {right}")]
    CurrencyMismatch {
        /// Currency of the left operand.
        left: Currency,
        /// Currency of the right operand.
        right: Currency,
    },
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not a plain decimal number.
    #[error("{0:?} is not a decimal amount such as 120.00")]
    NotDecimal(String),
    /// The text has more decimals than the currency.
    #[error("{text:?} has more decimals than {currency} has ({exponent})", exponent = .currency.exponent())]
    TooPrecise {
        /// The refused text.
        text: String,
        /// The currency.
        currency: Currency,
    },
    /// The currency code is unknown.
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
}

impl Money {
    /// An amount in minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// US cents; for tests and examples.
    #[must_use]
    pub const fn usd(minor: i64) -> Self {
        Self { minor, currency: Currency::USD }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Error::CurrencyMismatch`] or [`Error::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, Error> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(Error::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Error::CurrencyMismatch`] or [`Error::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, Error> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(Error::Overflow)?;
        Ok(Self { minor, currency: self.currency })
    }

    /// Whether the amount is greater than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Parses decimal text exactly: `120`, `120.5` and `120.50` are 12000, 12050 and 12050 cents.
    ///
    /// # Errors
    /// [`Error::TooPrecise`] when a non-zero digit would be lost, [`Error::NotDecimal`] for anything that is not
    /// an optional minus, digits, and an optional point with digits, [`Error::Overflow`] when it does not fit.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, Error> {
        let not_decimal = || Error::NotDecimal(text.chars().take(40).collect());
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || fraction.is_some_and(|part| !digits(part)) {
            return Err(not_decimal());
        }
        let exponent = currency.exponent() as usize;
        let fraction = fraction.unwrap_or("");
        let (kept, lost) = fraction.split_at(fraction.len().min(exponent));
        if lost.bytes().any(|byte| byte != b'0') {
            return Err(Error::TooPrecise { text: text.chars().take(40).collect(), currency });
        }
        let sign = if negative { -1 } else { 1 };
        let padding = std::iter::repeat_n(b'0', exponent - kept.len());
        let mut minor: i64 = 0;
        for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
            let step = i64::from(digit - b'0') * sign;
            minor = minor.checked_mul(10).and_then(|m| m.checked_add(step)).ok_or(Error::Overflow)?;
        }
        Ok(Self { minor, currency })
    }

    /// The exact decimal text with all decimals of the currency: `120.00`, `500`, `1.234`.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let exponent = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    fn same_currency(self, other: Self) -> Result<(), Error> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(Error::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.to_decimal(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn the_exponent_decides_what_an_integer_means() {
        assert_eq!(Money::usd(12000).to_decimal(), "120.00");
        assert_eq!(Money::new(500, currency("JPY")).to_decimal(), "500");
        assert_eq!(Money::new(1234, currency("KWD")).to_decimal(), "1.234");
        assert_eq!(Money::usd(-5).to_decimal(), "-0.05");
    }

    #[test]
    fn decimal_text_that_would_lose_a_digit_is_refused() {
        assert!(matches!(Money::from_decimal("1.005", Currency::USD), Err(Error::TooPrecise { .. })));
        assert!(matches!(Money::from_decimal("1.5", currency("JPY")), Err(Error::TooPrecise { .. })));
        assert_eq!(Money::from_decimal("1.500", Currency::USD), Ok(Money::usd(150)));
    }

    #[test]
    fn text_that_is_not_a_plain_decimal_is_refused() {
        for text in ["", "-", ".5", "5.", "1,000.00", "1e3", "+1", " 1", "0x10", "NaN", "--1"] {
            assert!(matches!(Money::from_decimal(text, Currency::USD), Err(Error::NotDecimal(_))), "{text}");
        }
        assert_eq!(Money::from_decimal("99999999999999999999", Currency::USD), Err(Error::Overflow));
    }

    #[test]
    fn two_currencies_never_mix() {
        assert!(matches!(
            Money::usd(1).plus(Money::zero(currency("EUR"))),
            Err(Error::CurrencyMismatch { .. })
        ));
    }

    fn any_currency() -> impl Strategy<Value = Currency> {
        prop_oneof![Just(Currency::USD), Just(currency("JPY")), Just(currency("KWD"))]
    }

    proptest! {
        #[test]
        fn decimal_text_and_minor_units_round_trip(minor in any::<i64>(), currency in any_currency()) {
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::from_decimal(&money.to_decimal(), currency), Ok(money));
        }
    }
}
