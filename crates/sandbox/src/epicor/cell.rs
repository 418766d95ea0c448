//! Values of fields: texts, whole numbers, exact decimals, flags and moments, to and from JSON.
//!
//! Used by everything that touches a row. What must stay true: no floating point anywhere; a number that is not exact
//! in its field is refused, never rounded.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::schema::Kind;

/// Hundred-thousandths in one: decimals are kept with five places.
pub(super) const ONE: i64 = 100_000;
/// Hundred-thousandths in one cent.
pub(super) const CENT: i64 = 1_000;

/// One value of a row. Cells of one column are always of one kind, so their order is the order of the column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    /// A text, also for GUIDs (lower case).
    Text(String),
    Whole(i64),
    /// Hundred-thousandths.
    Decimal(i64),
    Flag(bool),
    /// `2025-01-31T00:00:00`; empty for none. The order of the texts is the order of time.
    Moment(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl Cell {
    /// The value of a field that nobody has set.
    pub(super) fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Text(_) | Kind::Guid => Self::Text(String::new()),
            Kind::Whole => Self::Whole(0),
            Kind::Money | Kind::Number => Self::Decimal(0),
            Kind::Flag => Self::Flag(false),
            Kind::Moment => Self::Moment(String::new()),
        }
    }

    /// Reads the JSON of a field; `None` when it does not fit the kind. A null is the empty value.
    pub(super) fn parse(kind: Kind, value: &Value) -> Option<Self> {
        if value.is_null() {
            return Some(Self::empty(kind));
        }
        match kind {
            Kind::Text(_) => value.as_str().map(Self::from),
            Kind::Guid => value.as_str().map(|text| Self::Text(text.to_ascii_lowercase())),
            Kind::Whole => value.as_i64().map(Self::Whole),
            Kind::Flag => value.as_bool().map(Self::Flag),
            Kind::Moment => value.as_str().and_then(moment).map(Self::Moment),
            // The number is read as text: serde_json prints the shortest digits that mean it.
            Kind::Money | Kind::Number => {
                value.as_number().and_then(|number| decimal(&number.to_string())).map(Self::Decimal)
            }
        }
    }

    /// True for the value of a field that nobody has set.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) | Self::Moment(text) => text.is_empty(),
            Self::Whole(number) | Self::Decimal(number) => *number == 0,
            Self::Flag(flag) => !flag,
        }
    }

    /// Appends the value as JSON.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => push_text(out, text),
            Self::Whole(number) => out.push_str(&number.to_string()),
            Self::Decimal(units) => out.push_str(&decimal_text(*units)),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Moment(text) if text.is_empty() => out.push_str("null"),
            Self::Moment(text) => push_text(out, text),
        }
    }
}

/// Appends a text as JSON, with quotes.
pub(super) fn push_text(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

/// Reads `-12.5` as hundred-thousandths; exponents and more than five places are refused.
pub(super) fn decimal(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let fraction = if fraction.len() > 5 { fraction.trim_end_matches('0') } else { fraction };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 5 {
        return None;
    }
    let units: i64 = format!("{whole}{fraction:0<5}").parse().ok()?;
    Some(if negative { -units } else { units })
}

/// Writes hundred-thousandths with at least two places: `120.00`, `0.12345`.
pub(super) fn decimal_text(units: i64) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let whole = units.unsigned_abs() / ONE.unsigned_abs();
    let fraction = format!("{:05}", units.unsigned_abs() % ONE.unsigned_abs());
    let (shown, rest) = fraction.split_at(2);
    format!("{sign}{whole}.{shown}{}", rest.trim_end_matches('0'))
}

/// A product of two decimals, rounded half away from zero to whole cents.
pub(super) fn product_in_cents(one: i64, other: i64) -> i64 {
    let exact = i128::from(one) * i128::from(other);
    let cent = i128::from(ONE) * i128::from(CENT);
    let half = if exact < 0 { -cent / 2 } else { cent / 2 };
    i64::try_from((exact + half) / cent).unwrap_or(i64::MAX / CENT).saturating_mul(CENT)
}

/// Reads `2025-01-31`, `2025-01-31T10:00:00`, with or without fractions and zone; `None` when it is no date.
pub(super) fn moment(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    let _real: Date = day.parse().ok()?;
    let Some(rest) = text.get(10..) else { return Some(format!("{day}T00:00:00")) };
    if rest.is_empty() {
        return Some(format!("{day}T00:00:00"));
    }
    let time = rest.strip_prefix(['T', ' '])?.get(..8)?;
    let _real: jiff::civil::Time = time.parse().ok()?;
    Some(format!("{day}T{time}"))
}

/// The moment of a clock, in UTC.
pub(super) fn moment_of(now_ms: i64) -> String {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    now.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The day of a clock, as a moment at midnight.
pub(super) fn day_of(now_ms: i64) -> String {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    now.strftime("%Y-%m-%dT00:00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_decimal_is_exact_in_both_directions() {
        for (text, units, shown) in [
            ("120", 12_000_000, "120.00"),
            ("-0.05", -5_000, "-0.05"),
            ("0.12345", 12_345, "0.12345"),
            ("7.100000", 710_000, "7.10"),
        ] {
            assert_eq!(decimal(text), Some(units), "{text}");
            assert_eq!(decimal_text(units), shown);
        }
        for text in ["", "1e5", "1.123456", ".5", "+1", "1,5"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn a_product_is_rounded_to_cents_half_away_from_zero() {
        assert_eq!(product_in_cents(decimal("3").unwrap(), decimal("0.335").unwrap()), 101_000);
        assert_eq!(product_in_cents(decimal("-1").unwrap(), decimal("0.005").unwrap()), -1_000);
        assert_eq!(product_in_cents(decimal("2").unwrap(), decimal("120").unwrap()), 24_000_000);
    }

    #[test]
    fn a_field_takes_json_of_its_kind_only() {
        assert_eq!(Cell::parse(Kind::Money, &json!(120.07)), Some(Cell::Decimal(12_007_000)));
        assert_eq!(Cell::parse(Kind::Money, &json!("120.07")), None);
        assert_eq!(Cell::parse(Kind::Whole, &json!(1.5)), None);
        assert_eq!(
            Cell::parse(Kind::Moment, &json!("2025-01-31")),
            Some(Cell::Moment("2025-01-31T00:00:00".into()))
        );
        assert_eq!(Cell::parse(Kind::Moment, &json!("2025-02-31")), None);
    }
}
