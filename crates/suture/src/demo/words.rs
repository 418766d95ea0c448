//! Amounts and ids as people read them.

use serde_json::Value;

/// `120.00 USD` for minor units of a currency with two decimals, which is all that the demo uses.
pub(super) fn amount(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02} {}", minor / 100, minor % 100, currency.to_ascii_uppercase())
}

/// The beginning of a long id.
pub(super) fn short(id: &str) -> String {
    if id.chars().count() <= 20 {
        id.to_owned()
    } else {
        format!("{}...", id.chars().take(16).collect::<String>())
    }
}

/// A text member, or nothing.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The items of a page, or of a plain list.
pub(super) fn items(page: &Value) -> &[Value] {
    page["items"].as_array().or_else(|| page.as_array()).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimals_and_their_sign() {
        assert_eq!(amount(-305, "usd"), "-3.05 USD");
        assert_eq!(amount(12_000, "USD"), "120.00 USD");
    }
}
