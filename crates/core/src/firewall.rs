//! The firewall on fields that go to a payment processor: no personal data leaves (invariant I8, FEATURES M18, M376).
//!
//! `engine` runs it over every outgoing gateway field. It knows shapes (card numbers, birth dates, e-mail addresses) and
//! the patient's own values when the caller has them. Opaque tokens of ours pass.

/// Why a field was stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field {field} was stopped by rule {rule}; nothing was sent")]
pub struct Stopped {
    /// The field's name.
    pub field: String,
    /// The rule: `card_number`, `birth_date`, `email`, `patient_value`, `procedure_code`.
    pub rule: &'static str,
}

/// Checks one outgoing field against the shapes and the patient's own values.
///
/// # Errors
/// [`Stopped`] with field and rule; never the value.
pub fn check(field: &str, value: &str, patient_values: &[String]) -> Result<(), Stopped> {
    let stopped = |rule| Err(Stopped { field: field.to_owned(), rule });
    if holds_card_number(value) {
        return stopped("card_number");
    }
    let lower = value.to_lowercase();
    let own = |known: &String| known.chars().count() >= 3 && lower.contains(&known.to_lowercase());
    if patient_values.iter().any(own) {
        return stopped("patient_value");
    }
    if value.split_whitespace().any(looks_like_email) {
        return stopped("email");
    }
    if words(value).any(looks_like_date) {
        return stopped("birth_date");
    }
    if words(value).any(looks_like_procedure) {
        return stopped("procedure_code");
    }
    Ok(())
}

/// Whether text holds a card number: 13 to 19 digits, with single spaces or hyphens between, that pass Luhn's test.
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        if !bytes[start].is_ascii_digit() || (start > 0 && bytes[start - 1].is_ascii_alphanumeric()) {
            start += 1;
            continue;
        }
        let run = digit_run(&bytes[start..]);
        if run.ends_word && (13..=19).contains(&run.digits.len()) && luhn(&run.digits) {
            return true;
        }
        start += run.length.max(1);
    }
    false
}

struct DigitRun {
    digits: Vec<u8>,
    length: usize,
    ends_word: bool,
}

fn digit_run(bytes: &[u8]) -> DigitRun {
    let mut digits = Vec::new();
    let mut length = 0;
    while length < bytes.len() {
        match bytes[length] {
            digit if digit.is_ascii_digit() => digits.push(digit - b'0'),
            b' ' | b'-' if bytes.get(length + 1).is_some_and(u8::is_ascii_digit) => {}
            _ => break,
        }
        length += 1;
    }
    let ends_word = !bytes.get(length).is_some_and(u8::is_ascii_alphanumeric);
    DigitRun { digits, length, ends_word }
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(u32::from(*digit)) } else { u32::from(*digit) })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')'))
        .filter(|word| !word.is_empty())
}

fn looks_like_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'))
}

/// `1980-01-31` or `01/31/1980`.
fn looks_like_date(word: &str) -> bool {
    let parts = |separator| -> Vec<usize> {
        let split: Vec<&str> = word.split(separator).collect();
        let numeric = split.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if numeric { split.iter().map(|part| part.len()).collect() } else { Vec::new() }
    };
    matches!(parts('-')[..], [4, 2, 2]) || matches!(parts('/')[..], [1 | 2, 1 | 2, 4])
}

/// A CPT code (five digits, or four digits and a letter F or T) or an ICD-10 code (letter, two digits, point, more).
fn looks_like_procedure(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match bytes.len() {
        5 if digits(bytes) => true,
        5 if digits(&bytes[..4]) => matches!(bytes[4], b'F' | b'T'),
        5..=8 => bytes[0].is_ascii_uppercase() && digits(&bytes[1..3]) && bytes[3] == b'.',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(value: &str) -> Option<&'static str> {
        check("description", value, &["O'Hara".to_owned(), "MRN00417".to_owned()])
            .err()
            .map(|stopped| stopped.rule)
    }

    #[test]
    fn personal_data_is_stopped_by_its_shape_or_value() {
        assert_eq!(rule("Visit of Ann o'hara"), Some("patient_value"));
        assert_eq!(rule("mrn00417"), Some("patient_value"));
        assert_eq!(rule("born 1980-01-31"), Some("birth_date"));
        assert_eq!(rule("1/31/1980"), Some("birth_date"));
        assert_eq!(rule("mail ann@example.org"), Some("email"));
        assert_eq!(rule("CPT 99214"), Some("procedure_code"));
        assert_eq!(rule("F32.1 depression"), Some("procedure_code"));
        assert_eq!(rule("card 4242 4242 4242 4242"), Some("card_number"));
        assert_eq!(rule("5555-5555-5555-4444."), Some("card_number"));
    }

    #[test]
    fn our_own_tokens_pass() {
        for value in [
            "lnk_018f3c1e5b7a7d3e8f9a0b1c2d3e4f50",
            "pay_0190a1b2c3d4e5f60718293a4b5c6d7e:attempt:1",
            "usd",
            "true",
        ] {
            assert_eq!(rule(value), None, "{value}");
        }
        assert!(!holds_card_number("4242424242424241"), "fails Luhn's test");
        assert!(!holds_card_number("0000000000000000"));
    }
}
