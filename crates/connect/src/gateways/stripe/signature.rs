//! The signature of a webhook (FACTS §e): `t=<unix>,v1=<hex>[,v1=<hex>]…`, HMAC-SHA256 over `t.body`.
//!
//! Called by `webhooks` only. Agrees with Stripe's own SDKs on every recorded case; refusing signatures from the
//! future is our addition and a setting. Invariant: only `v1` counts, whatever other schemes say.

use ring::hmac;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use crate::gateway::WebhookRefusal;
use crate::gateways::stripe::settings::Settings;

/// Checks header, signature and time, in the order of Stripe's SDKs: time is only told to those who know the secret.
pub(super) fn verify(
    settings: &Settings,
    header: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), WebhookRefusal> {
    let usable = |secret: &&Secret<String>| !secret.expose().trim().is_empty();
    let mut secrets = settings.webhook_secrets.iter().filter(usable).peekable();
    if secrets.peek().is_none() {
        return Err(WebhookRefusal::NoSecret);
    }
    let header = header.filter(|header| !header.is_empty()).ok_or(WebhookRefusal::MissingHeader)?;
    let signed_at = time_of(header)?;
    if !values(header, "v1").any(|_| true) {
        return Err(WebhookRefusal::NoSignature);
    }
    let matches = |secret: &Secret<String>| {
        let expected = signature(secret, signed_at, body);
        values(header, "v1").any(|given| same(given.unwrap_or_default().as_bytes(), expected.as_bytes()))
    };
    if !secrets.any(matches) {
        return Err(WebhookRefusal::NoMatch);
    }
    check_time(settings, now.seconds().saturating_sub(signed_at))
}

/// The items of one name. They are not trimmed, and one without `=` has no value.
fn values<'a>(header: &'a str, name: &str) -> impl Iterator<Item = Option<&'a str>> {
    header.split(',').filter_map(move |item| match item.split_once('=') {
        Some((key, value)) => (key == name).then_some(Some(value)),
        None => (item == name).then_some(None),
    })
}

fn time_of(header: &str) -> Result<i64, WebhookRefusal> {
    let text = values(header, "t").next().flatten().ok_or(WebhookRefusal::UnreadableHeader)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WebhookRefusal::UnreadableHeader);
    }
    text.parse().map_err(|_| WebhookRefusal::UnreadableHeader)
}

/// The expected signature as lower-case hex. The key is the whole secret, with its `whsec_`.
fn signature(secret: &Secret<String>, signed_at: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()));
    context.update(signed_at.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    let mut hex = String::with_capacity(64);
    for byte in context.sign().as_ref() {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    hex
}

/// Compares without leaving early, so that the time taken does not tell how much of a guess was right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    let difference = given
        .iter()
        .zip(expected)
        .fold(0_u8, |difference, (left, right)| std::hint::black_box(difference | (left ^ right)));
    given.len() == expected.len() && difference == 0
}

fn check_time(settings: &Settings, seconds_off: i64) -> Result<(), WebhookRefusal> {
    let tolerance_seconds = settings.tolerance_seconds;
    if tolerance_seconds > 0 && seconds_off > tolerance_seconds {
        return Err(WebhookRefusal::OutsideTolerance { seconds_off, tolerance_seconds });
    }
    match settings.future_tolerance_seconds {
        Some(tolerance_seconds) if seconds_off < tolerance_seconds.saturating_neg() => {
            Err(WebhookRefusal::OutsideTolerance { seconds_off, tolerance_seconds })
        }
        _ => Ok(()),
    }
}
