//! Exact decimal numbers of X12 that are not money: units, visits, the fraction of a coinsurance.
//!
//! Called by the readers. Must stay true: no digit is lost and no float is involved. X12 leaves the zero before the
//! point away, so `.2` is a number here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most digits behind the point that are taken. X12 numbers of this kind have at most 10.
pub const SCALE_MAX: u32 = 10;

/// An exact decimal number: `unscaled` divided by ten to the power of `scale`. Equal numbers are equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Decimal {
    unscaled: i64,
    scale: u32,
}

/// Text that is no decimal number with at most [`SCALE_MAX`] decimals in 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotDecimal;

impl Decimal {
    /// A whole number.
    #[must_use]
    pub const fn whole(number: i64) -> Self {
        Self { unscaled: number, scale: 0 }
    }

    /// Parses `20`, `1.5`, `.2` or `-3`. Zeros at the end of the fraction are dropped.
    ///
    /// # Errors
    /// [`NotDecimal`].
    pub fn parse(text: &str) -> Result<Self, NotDecimal> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(NotDecimal),
            Some(parts) => parts,
            None if unsigned.is_empty() => return Err(NotDecimal),
            None => (unsigned, ""),
        };
        let fraction = fraction.trim_end_matches('0');
        let scale =
            u32::try_from(fraction.len()).ok().filter(|scale| *scale <= SCALE_MAX).ok_or(NotDecimal)?;
        let mut unscaled: i64 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = char::from(byte).to_digit(10).ok_or(NotDecimal)?;
            unscaled = unscaled
                .checked_mul(10)
                .and_then(|number| number.checked_add(i64::from(digit)))
                .ok_or(NotDecimal)?;
        }
        Ok(Self { unscaled: if negative { -unscaled } else { unscaled }, scale })
    }

    /// The digits without the point.
    #[must_use]
    pub const fn unscaled(self) -> i64 {
        self.unscaled
    }

    /// How many of the digits stand behind the point, at most [`SCALE_MAX`].
    #[must_use]
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// Whether the number is between 0 and 1, both included.
    #[must_use]
    pub fn is_fraction(self) -> bool {
        self.unscaled >= 0 && i128::from(self.unscaled) <= 10_i128.pow(self.scale)
    }
}

impl TryFrom<String> for Decimal {
    type Error = NotDecimal;

    fn try_from(text: String) -> Result<Self, NotDecimal> {
        Self::parse(&text)
    }
}

impl From<Decimal> for String {
    fn from(number: Decimal) -> Self {
        number.to_string()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let power = 10_u64.pow(self.scale);
        let (whole, fraction) = (self.unscaled.unsigned_abs() / power, self.unscaled.unsigned_abs() % power);
        if self.scale == 0 {
            return write!(f, "{sign}{whole}");
        }
        let width = usize::try_from(self.scale).unwrap_or(0);
        write!(f, "{sign}{whole}.{fraction:0>width$}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_without_a_leading_zero_is_a_number() {
        for (text, shown) in [(".2", "0.2"), ("0.20", "0.2"), ("20", "20"), ("-1.50", "-1.5"), ("0", "0")] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Decimal::parse(".2"), Decimal::parse("0.200"));
    }

    #[test]
    fn other_text_is_no_number() {
        for text in
            ["", "-", ".", "5.", "1,5", "1e3", "+1", " 1", "1.2.3", "0.12345678901", "99999999999999999999"]
        {
            assert_eq!(Decimal::parse(text), Err(NotDecimal), "{text}");
        }
    }

    #[test]
    fn twenty_is_no_fraction_but_one_is() {
        assert!(Decimal::parse("1").unwrap().is_fraction());
        assert!(Decimal::parse(".25").unwrap().is_fraction());
        assert!(!Decimal::parse("20").unwrap().is_fraction());
        assert!(!Decimal::parse("-.1").unwrap().is_fraction());
    }
}
