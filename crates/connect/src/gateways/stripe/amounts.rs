//! Amounts between ISO 4217 minor units (ours) and Stripe's integers (FACTS §i).
//!
//! They are the same number for almost all currencies. Invariant: nothing is ever rounded.

use suture_core::currency::Currency;
use suture_core::money::Money;

/// How many decimals Stripe's integer has. Differs from ISO 4217 for ISK and UGX (sent with two zeros) and for MGA.
/// Stripe's list has no three-decimal currencies beyond these five (enums.json).
fn exponent(currency: Currency) -> u32 {
    match currency.code() {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// The amount as Stripe's integer. An amount that Stripe cannot express is written with its decimals: Stripe refuses
/// it (`parameter_invalid_integer`), which is right, where rounding would charge something else.
pub(super) fn to_text(money: Money) -> String {
    let (ours, theirs) = (money.currency.exponent(), exponent(money.currency));
    let minor = i128::from(money.minor);
    if theirs >= ours {
        return (minor * 10_i128.pow(theirs - ours)).to_string();
    }
    let unit = 10_i128.pow(ours - theirs);
    let (whole, rest) = (minor / unit, (minor % unit).unsigned_abs());
    if rest == 0 {
        return whole.to_string();
    }
    let sign = if minor < 0 { "-" } else { "" };
    let digits = usize::try_from(ours - theirs).unwrap_or(0);
    format!("{sign}{}.{rest:0digits$}", whole.unsigned_abs())
}

/// Our minor units of Stripe's integer; `None` when they are not whole or do not fit.
pub(super) fn to_minor(amount: i64, currency: Currency) -> Option<i64> {
    let (ours, theirs) = (currency.exponent(), exponent(currency));
    if ours >= theirs {
        return amount.checked_mul(10_i64.pow(ours - theirs));
    }
    let unit = 10_i64.pow(theirs - ours);
    (amount % unit == 0).then_some(amount / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap())
    }

    #[test]
    fn most_amounts_are_the_same_integer_on_both_sides() {
        for (minor, code) in [(12_000, "USD"), (500, "JPY"), (1_230, "KWD"), (-5, "EUR")] {
            assert_eq!(to_text(money(minor, code)), minor.to_string(), "{code}");
            assert_eq!(to_minor(minor, Currency::parse(code).unwrap()), Some(minor), "{code}");
        }
    }

    #[test]
    fn stripes_own_exponents_are_respected_without_rounding() {
        assert_eq!(to_text(money(500, "ISK")), "50000");
        assert_eq!(to_minor(50_000, Currency::parse("ISK").unwrap()), Some(500));
        assert_eq!(to_minor(50_050, Currency::parse("ISK").unwrap()), None);
        assert_eq!(to_text(money(50_000, "MGA")), "500");
        assert_eq!(to_minor(500, Currency::parse("MGA").unwrap()), Some(50_000));
        assert_eq!(to_text(money(-50_005, "MGA")), "-500.05");
        assert_eq!(to_minor(i64::MAX, Currency::parse("MGA").unwrap()), None);
    }
}
