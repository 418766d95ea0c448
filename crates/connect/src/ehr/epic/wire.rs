//! FHIR data types as they travel, shared by reads and postings. Names are FHIR's (R4 data types).
//!
//! Invariant: an amount is written from and read into minor units by its decimal text; no float is ever made.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use suture_core::currency::Currency;
use suture_core::money::Money;

/// `Money`: `{"value":120.00,"currency":"USD"}`.
#[derive(Serialize, Deserialize)]
pub(super) struct FhirMoney {
    value: Option<Box<RawValue>>,
    currency: Option<String>,
}

impl FhirMoney {
    pub(super) fn write(amount: Money) -> Self {
        Self { value: decimal_number(amount), currency: Some(amount.currency.code().to_owned()) }
    }

    /// The amount, when value and currency are there and exact. `25`, `25.0` and `25.00` are the same (EPIC.md §8).
    pub(super) fn read(&self) -> Option<Money> {
        let currency = Currency::parse(self.currency.as_deref()?).ok()?;
        Money::from_decimal(self.value.as_ref()?.get(), currency).ok()
    }
}

/// The amount as a JSON number with all decimals of the currency.
pub(super) fn decimal_number(amount: Money) -> Option<Box<RawValue>> {
    // Decimal text of `Money` is always a JSON number, so this is never `None`.
    RawValue::from_string(amount.to_decimal()).ok()
}

/// `Identifier`, as far as we use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identifier {
    pub(super) system: Option<String>,
    pub(super) value: Option<String>,
}

impl Identifier {
    pub(super) fn new(system: &str, value: &str) -> Self {
        Self { system: Some(system.to_owned()), value: Some(value.to_owned()) }
    }
}

/// The id in a reference such as `Patient/abc`, `https://host/R4/Patient/abc` or `Patient/abc/_history/1`.
/// Epic's references are relative (EPIC.md §5), others' may be absolute.
pub(super) fn id_in_reference<'a>(reference: &'a str, resource: &str) -> Option<&'a str> {
    let mut segments = reference.split('/');
    segments.find(|segment| *segment == resource)?;
    segments.next().filter(|id| is_id(id))
}

/// Whether text can be a FHIR id. R4 allows 64 characters; ids of bulk exports may be longer (EPIC.md §5).
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !text.is_empty() && text.len() <= 256 && text.bytes().all(allowed) && text != "." && text != ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_every_decimal_of_the_currency() {
        let written = |amount| serde_json::to_string(&FhirMoney::write(amount)).unwrap();
        assert_eq!(written(Money::usd(12000)), r#"{"value":120.00,"currency":"USD"}"#);
        assert_eq!(written(Money::usd(-5)), r#"{"value":-0.05,"currency":"USD"}"#);
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(written(Money::new(500, yen)), r#"{"value":500,"currency":"JPY"}"#);
    }

    #[test]
    fn amounts_are_compared_as_numbers_and_never_rounded() {
        let read = |text: &str| serde_json::from_str::<FhirMoney>(text).unwrap().read();
        assert_eq!(read(r#"{"value":25,"currency":"USD"}"#), Some(Money::usd(2500)));
        assert_eq!(read(r#"{"value":25.000,"currency":"USD"}"#), Some(Money::usd(2500)));
        assert_eq!(read(r#"{"value":25.005,"currency":"USD"}"#), None);
        assert_eq!(read(r#"{"value":"25","currency":"USD"}"#), None);
        assert_eq!(read(r#"{"value":25}"#), None);
    }

    #[test]
    fn an_id_is_found_in_relative_absolute_and_versioned_references() {
        assert_eq!(id_in_reference("Patient/eX-1.b", "Patient"), Some("eX-1.b"));
        assert_eq!(id_in_reference("https://h/R4/Patient/e1/_history/2", "Patient"), Some("e1"));
        assert_eq!(id_in_reference("Group/e1", "Patient"), None);
        assert_eq!(id_in_reference("Patient/../x", "Patient"), None);
    }
}
