//! Money as exact minor units: reading and writing the decimal text that Epic's payment services exchange.
//!
//! Called by the payment services and by the FHIR payment resources. What must stay true: no floating
//! point anywhere, and a text that is not exact in its currency is refused, never rounded.

use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

const NO_DECIMALS: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
const THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// An ISO 4217 code of three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Currency([u8; 3]);

impl Currency {
    /// The currency of the seeded balances.
    pub(super) const USD: Self = Self(*b"USD");

    pub(super) fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    pub(super) fn as_str(&self) -> &str {
        // Only capital ASCII letters get in, so the fallback is never seen.
        std::str::from_utf8(&self.0).unwrap_or("USD")
    }

    /// Number of decimals of the minor unit.
    pub(super) fn decimals(&self) -> usize {
        let text = self.as_str();
        if NO_DECIMALS.contains(&text) {
            0
        } else if THREE_DECIMALS.contains(&text) {
            3
        } else {
            2
        }
    }
}

/// Reads `120.00` as 12000 minor units. The text must show at least `shown` decimals; decimals
/// beyond the minor unit must be zero. Signs, spaces, exponents and separators are refused.
pub(super) fn parse(text: &str, currency: Currency, shown: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let ends_in_dot = text.ends_with('.');
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || ends_in_dot
        || !all_digits(whole)
        || !all_digits(fraction)
        || fraction.len() < shown
    {
        return None;
    }
    let decimals = currency.decimals();
    let kept = fraction.get(..decimals.min(fraction.len()))?;
    let beyond = fraction.get(kept.len()..)?;
    if beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let missing = decimals - kept.len();
    let mut minor: i64 = 0;
    for byte in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', missing)) {
        minor = minor.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    Some(minor)
}

/// Writes 12000 minor units of USD as `120.00`.
pub(super) fn render(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let decimals = currency.decimals();
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// An amount that serializes as a JSON number with every decimal of its currency: `120.00`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exact {
    pub(super) minor: i64,
    pub(super) currency: Currency,
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A tree of JSON values would turn the number into a float and lose its last zeros.
        RawValue::from_string(render(self.minor, self.currency))
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(text: &str) -> Currency {
        Currency::parse(text).expect("a currency code")
    }

    #[test]
    fn an_amount_is_read_by_the_decimals_of_its_currency() {
        assert_eq!(parse("120.00", currency("USD"), 2), Some(12_000));
        assert_eq!(parse("120.0000", currency("USD"), 2), Some(12_000));
        assert_eq!(parse("500", currency("JPY"), 0), Some(500));
        assert_eq!(parse("1.250", currency("KWD"), 3), Some(1_250));
    }

    #[test]
    fn an_amount_that_is_not_exact_is_refused() {
        for text in ["120", "120.5", "120.005", "1e2", "-1.00", "+1.00", "1,000.00", ".50", "1.", "", " 1.00"]
        {
            assert_eq!(parse(text, Currency::USD, 2), None, "{text}");
        }
        assert_eq!(parse("99999999999999999999.00", Currency::USD, 2), None);
    }

    #[test]
    fn an_amount_is_written_back_as_it_was_read() {
        assert_eq!(render(12_000, Currency::USD), "120.00");
        assert_eq!(render(-5, Currency::USD), "-0.05");
        assert_eq!(render(7, currency("JPY")), "7");
        assert_eq!(render(5, currency("KWD")), "0.005");
    }

    #[test]
    fn an_exact_amount_is_a_json_number_with_all_its_decimals() {
        let written =
            |minor, code| serde_json::to_string(&Exact { minor, currency: currency(code) }).unwrap();
        assert_eq!(written(12_000, "USD"), "120.00");
        assert_eq!(written(-5, "KWD"), "-0.005");
        assert_eq!(written(12_000, "JPY"), "12000");
        assert_eq!(written(i64::MAX, "USD"), "92233720368547758.07");
    }
}
