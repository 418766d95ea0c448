//! Bytes to text, decimal text to money, and the limits that hold for every format.

use std::borrow::Cow;

use suture_core::currency::Currency;
use suture_core::money::Money;

use super::error::{Error, Kind, Place};

/// The largest file, in bytes.
pub const BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most lines in one file.
pub const LINES_MAX: usize = 200_000;
/// The longest text that is kept of a descriptor, in characters. Longer ones are cut, amounts never.
const TEXT_MAX: usize = 500;

/// The file as text. What is not UTF-8 is read as Latin-1, as older bank software writes; a byte order mark goes.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    if bytes.len() > BYTES_MAX {
        return Err(too_large());
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    };
    Ok(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        owned @ Cow::Owned(_) => owned,
    })
}

/// Refuses a file with one line too many.
pub(super) fn check_count(lines: usize) -> Result<(), Error> {
    if lines > LINES_MAX { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Error {
    Error::new(
        Kind::TooLarge,
        "The file is larger than 32 MiB or has more than 200,000 lines",
        Place::default(),
    )
}

/// Text with single spaces, cut to what is kept.
pub(super) fn tidy(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => joined[..end].to_owned(),
        None => joined,
    }
}

/// An optional text: nothing when it is empty.
pub(super) fn optional(text: &str) -> Option<String> {
    Some(tidy(text)).filter(|text| !text.is_empty())
}

/// Decimal text with `.`; a plus is allowed, as banks write it.
pub(super) fn decimal(text: &str, currency: Currency, at: Place) -> Result<Money, Error> {
    let plain = text.trim();
    let plain = plain.strip_prefix('+').unwrap_or(plain);
    // `-.50` and `.50` are common in OFX; the core wants a digit before the point.
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
    let zero = if digits.starts_with('.') { "0" } else { "" };
    Money::from_decimal(&format!("{sign}{zero}{}", digits.trim_end_matches('.')), currency)
        .map_err(|_| Error::bad("An amount is not a decimal number of its currency", at))
}

/// A currency code.
pub(super) fn currency(text: &str, at: Place) -> Result<Currency, Error> {
    Currency::parse(&text.trim().to_ascii_uppercase()).map_err(|_| Error::bad("A currency is not known", at))
}
