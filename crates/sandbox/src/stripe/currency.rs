//! Currencies as Stripe takes them: which exist, the least amount, the amounts that are not allowed (FACTS §i).
//!
//! Called when a payment is created or its amount changes.

use super::refusal::Refusal;

/// A lower-case ISO code that Stripe supports.
pub(crate) type Currency = &'static str;

const SUPPORTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp \
    byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd \
    hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk \
    mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar \
    sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof \
    xpf yer zar zmw";

/// The currency of a parameter; upper case is taken too.
///
/// # Errors
/// 400 for a currency that Stripe does not support.
pub(crate) fn parse(text: &str) -> Result<Currency, Box<Refusal>> {
    let wanted = text.to_ascii_lowercase();
    SUPPORTED.split_whitespace().find(|known| *known == wanted).ok_or_else(|| {
        Refusal::invalid(format!(
            "Invalid currency: {wanted}. Stripe currently supports these currencies: {SUPPORTED}"
        ))
        .param("currency")
    })
}

/// Least charge in minor units of the API.
pub(crate) fn least(currency: Currency) -> i64 {
    match currency {
        "gbp" => 30,
        "aed" | "myr" | "pln" | "ron" => 200,
        "czk" => 1500,
        "dkk" => 250,
        "hkd" => 400,
        "huf" => 17_500,
        "mxn" | "thb" => 1000,
        "nok" | "sek" => 300,
        _ => 50,
    }
}

/// Digits after the point in messages.
fn digits(currency: Currency) -> u32 {
    const ZERO: [&str; 15] = [
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof",
        "xpf",
    ];
    if ZERO.contains(&currency) {
        0
    } else if ["bhd", "jod", "kwd", "omr", "tnd"].contains(&currency) {
        3
    } else {
        2
    }
}

/// Checks the amount of a payment.
///
/// # Errors
/// `parameter_invalid_integer`, `amount_too_small`, `amount_too_large`, or a rule of the currency.
pub(crate) fn check_amount(amount: i64, currency: Currency) -> Result<(), Box<Refusal>> {
    if amount < 1 {
        return Err(Refusal::too_low("amount", 1));
    }
    if amount < least(currency) {
        let least = spoken(least(currency), currency);
        return Err(Refusal::invalid(format!("Amount must be at least {least} {currency}"))
            .code("amount_too_small")
            .param("amount"));
    }
    if amount > 999_999_999_999 {
        return Err(Refusal::invalid(format!(
            "Amount must be no more than {}",
            spoken(999_999_999_999, currency)
        ))
        .code("amount_too_large")
        .param("amount"));
    }
    let step = match currency {
        "isk" | "ugx" => 100,
        _ if digits(currency) == 3 => 10,
        _ => 1,
    };
    if amount % step != 0 {
        return Err(
            Refusal::invalid(format!("Amounts in {currency} must be divisible by {step}.")).param("amount")
        );
    }
    Ok(())
}

/// An amount as Stripe's messages write it: `$10.00` for dollars, `10.00 eur` otherwise.
pub(crate) fn spoken(amount: i64, currency: Currency) -> String {
    let unit = 10_i64.pow(digits(currency));
    let number = match digits(currency) {
        0 => amount.to_string(),
        3 => format!("{}.{:03}", amount / unit, (amount % unit).abs()),
        _ => format!("{}.{:02}", amount / unit, (amount % unit).abs()),
    };
    if currency == "usd" { format!("${number}") } else { format!("{number} {currency}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_follow_the_rules_of_their_currency() {
        assert_eq!(parse("USD"), Ok("usd"));
        assert!(parse("xyz").is_err());
        assert_eq!(check_amount(49, "usd").unwrap_err().error()["code"], "amount_too_small");
        assert_eq!(
            check_amount(49, "usd").unwrap_err().error()["message"],
            "Amount must be at least $0.50 usd"
        );
        assert_eq!(check_amount(0, "usd").unwrap_err().error()["code"], "parameter_invalid_integer");
        assert!(check_amount(1001, "kwd").is_err());
        assert!(check_amount(1050, "isk").is_err());
        assert_eq!(check_amount(50, "jpy"), Ok(()));
    }
}
