//! The checks and readings that several documents share.

use serde::{Deserialize, Deserializer};
use suture_core::currency::Currency;
use suture_core::money::Money;

/// Why a document cannot be filed. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct DocumentProblem {
    /// The path of the field, for example `lines[2].part`.
    pub field: String,
    /// What is wrong with it. Holds no personal data.
    pub problem: String,
}

pub(super) type Checked = Result<(), DocumentProblem>;

pub(super) fn problem(field: impl Into<String>, problem: impl Into<String>) -> DocumentProblem {
    DocumentProblem { field: field.into(), problem: problem.into() }
}

pub(super) fn check(holds: bool, field: &str, says: &str) -> Checked {
    if holds { Ok(()) } else { Err(problem(field, says)) }
}

/// References stand in filters and in the ERP's own columns, so a quote or a blank has no place in them.
pub(super) fn reference(field: &str, text: &str) -> Checked {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/#".contains(&byte);
    check(
        (1..=50).contains(&text.len()) && text.bytes().all(plain),
        field,
        "must be 1 to 50 characters of A-Z, a-z, 0-9 and - _ . : / #",
    )
}

pub(super) fn number(field: &str, number: i64) -> Checked {
    let fits = number > 0 && i32::try_from(number).is_ok();
    check(
        fits,
        field,
        "is missing or is not a number that the ERP gave out; look it up or create the record first",
    )
}

pub(super) fn optional_number(field: &str, given: Option<i64>) -> Checked {
    given.map_or(Ok(()), |given| number(field, given))
}

/// Text that a person reads: not empty, bounded, no control characters.
pub(super) fn text(field: &str, text: &str, characters_max: usize) -> Checked {
    let fits = !text.trim().is_empty() && text.chars().count() <= characters_max;
    check(
        fits && !text.chars().any(char::is_control),
        field,
        &format!("must be 1 to {characters_max} characters on one line"),
    )
}

pub(super) fn optional_text(field: &str, given: Option<&String>, characters_max: usize) -> Checked {
    given.map_or(Ok(()), |given| text(field, given, characters_max))
}

/// A code of the ERP's own tables: a part, a terms code, a bank account.
pub(super) fn code(field: &str, code: &str, characters_max: usize) -> Checked {
    let fits = !code.is_empty() && code.trim() == code && code.chars().count() <= characters_max;
    check(
        fits && !code.chars().any(char::is_control),
        field,
        &format!("must be a code of 1 to {characters_max} characters without blanks at its ends"),
    )
}

pub(super) fn optional_code(field: &str, given: Option<&String>, characters_max: usize) -> Checked {
    given.map_or(Ok(()), |given| code(field, given, characters_max))
}

/// The prefix of a group's name. The name is the prefix, six digits of the day and a letter: 9 characters at most
/// (EPICOR.md §6.1).
pub(super) fn group_prefix(field: &str, prefix: &str) -> Checked {
    let plain = prefix.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    check(
        (1..=2).contains(&prefix.len()) && plain,
        field,
        "must be 1 or 2 characters of A-Z and 0-9, so that the group's name has at most 9",
    )
}

/// The name of a group that exists.
pub(super) fn group(field: &str, name: &str) -> Checked {
    code(field, name, 9)
}

pub(super) fn positive(field: &str, amount: Money) -> Checked {
    check(
        amount.is_positive(),
        field,
        "must be greater than zero; the kind of the document says the direction",
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    minor: Option<i64>,
    decimal: Option<String>,
    currency: Currency,
}

/// Reads `{"minor":12000,"currency":"USD"}` or `{"decimal":"120.00","currency":"USD"}`.
pub(super) fn read_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let Amount { minor, decimal, currency } = Amount::deserialize(deserializer)?;
    match (minor, decimal) {
        (Some(minor), None) => Ok(Money::new(minor, currency)),
        (None, Some(text)) => Money::from_decimal(&text, currency).map_err(serde::de::Error::custom),
        (Some(_), Some(_)) | (None, None) => {
            Err(serde::de::Error::custom("an amount has either minor units or decimal text"))
        }
    }
}

/// Quantity times price in whole minor units; `None` when the quantity is not a positive decimal number of at most
/// eight decimals, or when the product is not whole or does not fit.
pub(super) fn extended(quantity: &str, unit_price_minor: i64) -> Option<i64> {
    let (whole, fraction) = quantity.split_once('.').unwrap_or((quantity, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 8 || whole.len() > 12 {
        return None;
    }
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let units = whole.parse::<i128>().ok()?.checked_mul(scale)?.checked_add(fraction.parse().ok()?)?;
    let product = units.checked_mul(i128::from(unit_price_minor))?;
    let whole_product = units > 0 && product % scale == 0;
    whole_product.then(|| i64::try_from(product / scale).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_times_a_price_is_exact_or_nothing() {
        assert_eq!(extended("2", 5000), Some(10_000));
        assert_eq!(extended("1.50", 5000), Some(7500));
        assert_eq!(extended("0.5", 5001), None, "half a cent");
        for wrong in ["0", "0.0", "-1", "", ".5", "5.", "1e3", " 1", "1.123456789", "9999999999999"] {
            assert_eq!(extended(wrong, 1), None, "{wrong}");
        }
        assert_eq!(extended("999999999999", i64::MAX), None);
    }
}
