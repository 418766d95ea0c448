//! Addresses as channels take them. What cannot be one is none: a message to it would go nowhere, or to a stranger.

/// A phone number with its country, `+15551234567`, from text with spaces, dots, dashes or brackets. A number without a
/// country code is none: guessing the country could wake a stranger.
#[must_use]
pub fn phone(text: &str) -> Option<String> {
    let kept: String =
        text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}')).collect();
    let digits = kept.strip_prefix('+').or_else(|| kept.strip_prefix("00"))?;
    let right = (8..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    right.then(|| format!("+{digits}"))
}

/// A mailbox such as `ann@example.org`, with the domain in lower case. Nothing that could be a second recipient or a header.
#[must_use]
pub fn mailbox(text: &str) -> Option<String> {
    let (name, domain) = text.trim().rsplit_once('@')?;
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let whole = |text: &str| !text.starts_with('.') && !text.ends_with('.') && !text.contains("..");
    let right = (1..=64).contains(&name.len())
        && name.bytes().all(in_name)
        && whole(name)
        && (4..=190).contains(&domain.len())
        && domain.bytes().all(in_domain)
        && domain.contains('.')
        && whole(domain);
    right.then(|| format!("{name}@{}", domain.to_ascii_lowercase()))
}
