//! ISO 4217 currencies and how many decimals each has.
//!
//! Used by [`crate::money`] and by every connector that speaks minor units. The exponent decides what an integer amount
//! means, so an unknown code is refused, never guessed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 alphabetic code that this system knows the exponent of, for example `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// A currency code that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a currency code that this system knows (three ISO 4217 letters, for example USD)")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// United States dollar, the default of examples and tests.
    pub const USD: Self = Self(*b"USD");

    /// Parses a code in upper or lower case.
    ///
    /// # Errors
    /// [`UnknownCurrency`] when the code is not one of those listed in [`exponent`](Self::exponent).
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency(code.chars().take(16).collect());
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        let upper = bytes.map(|byte| byte.to_ascii_uppercase());
        if exponent_of(upper).is_some() { Ok(Self(upper)) } else { Err(unknown()) }
    }

    /// The upper-case code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// The lower-case code, as Stripe writes it.
    #[must_use]
    pub fn code_lowercase(&self) -> String {
        self.code().to_ascii_lowercase()
    }

    /// How many decimals the currency has: 0, 2 or 3 (ISO 4217).
    #[must_use]
    pub fn exponent(&self) -> u32 {
        exponent_of(self.0).unwrap_or(2)
    }
}

/// The exponent table of ISO 4217. Codes that are not listed are refused rather than assumed to have two decimals.
fn exponent_of(code: [u8; 3]) -> Option<u32> {
    const ZERO: &[&[u8; 3]] = &[
        b"BIF", b"CLP", b"DJF", b"GNF", b"ISK", b"JPY", b"KMF", b"KRW", b"PYG", b"RWF", b"UGX", b"VND",
        b"VUV", b"XAF", b"XOF", b"XPF",
    ];
    const TWO: &[&[u8; 3]] = &[
        b"AED", b"AFN", b"ALL", b"AMD", b"ANG", b"AOA", b"ARS", b"AUD", b"AWG", b"AZN", b"BAM", b"BBD",
        b"BDT", b"BGN", b"BMD", b"BND", b"BOB", b"BRL", b"BSD", b"BWP", b"BYN", b"BZD", b"CAD", b"CDF",
        b"CHF", b"CNY", b"COP", b"CRC", b"CVE", b"CZK", b"DKK", b"DOP", b"DZD", b"EGP", b"ETB", b"EUR",
        b"FJD", b"FKP", b"GBP", b"GEL", b"GIP", b"GMD", b"GTQ", b"GYD", b"HKD", b"HNL", b"HTG", b"HUF",
        b"IDR", b"ILS", b"INR", b"JMD", b"KES", b"KGS", b"KHR", b"KYD", b"KZT", b"LAK", b"LBP", b"LKR",
        b"LRD", b"LSL", b"MAD", b"MDL", b"MGA", b"MKD", b"MMK", b"MNT", b"MOP", b"MUR", b"MVR", b"MWK",
        b"MXN", b"MYR", b"MZN", b"NAD", b"NGN", b"NIO", b"NOK", b"NPR", b"NZD", b"PAB", b"PEN", b"PGK",
        b"PHP", b"PKR", b"PLN", b"QAR", b"RON", b"RSD", b"SAR", b"SBD", b"SCR", b"SEK", b"SGD", b"SHP",
        b"SLE", b"SOS", b"SRD", b"STN", b"SZL", b"THB", b"TJS", b"TOP", b"TRY", b"TTD", b"TWD", b"TZS",
        b"UAH", b"USD", b"UYU", b"UZS", b"WST", b"XCD", b"YER", b"ZAR", b"ZMW",
    ];
    const THREE: &[&[u8; 3]] = &[b"BHD", b"IQD", b"JOD", b"KWD", b"LYD", b"OMR", b"TND"];
    let listed = |list: &[&[u8; 3]]| list.iter().any(|known| **known == code);
    match code {
        _ if listed(TWO) => Some(2),
        _ if listed(ZERO) => Some(0),
        _ if listed(THREE) => Some(3),
        _ => None,
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&code).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("usd", 2), ("JPY", 0), ("KWD", 3), ("isk", 0), ("MGA", 2)] {
            assert_eq!(Currency::parse(code).unwrap().exponent(), exponent, "{code}");
        }
    }

    #[test]
    fn an_unknown_code_is_refused_not_guessed() {
        for code in ["", "US", "USDT", "XXX", "€", "12$"] {
            assert!(Currency::parse(code).is_err(), "{code}");
        }
    }
}
