//! Calls that a site's business process management makes to us (EPICOR.md §8).
//!
//! Signed with HMAC-SHA256 over the raw bytes, as hex in a header. Invariants: nothing is parsed before the signature
//! holds; comparing takes the same time whatever is wrong; several secrets count at once, so that one can be rolled.
//! Delivery is at most once and may be repeated: [`ErpEvent::key`] makes it once, the poll finds what was missed.

use ring::hmac;
use serde::Deserialize;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use super::settings::Epicor;
use crate::erp::event::{ErpEvent, ErpEventKind};

/// The largest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 65_536;

/// Why a call was not taken. Nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallRefusal {
    /// The connection has no secret.
    #[error("the connection has no secret for calls of Epicor; add one, then send the call again")]
    NoSecret,
    /// No signature.
    #[error("the call has no signature in the header {0}")]
    MissingHeader(String),
    /// No secret makes this signature.
    #[error("the signature does not belong to these bytes and any of our secrets")]
    NoMatch,
    /// Too many bytes.
    #[error("the call has more than 65536 bytes; send ids and fields, not whole records")]
    TooLarge,
    /// Not the JSON that we understand.
    #[error("the call is signed, but cannot be read: {0}")]
    Unreadable(String),
    /// Of another company.
    #[error("the call is signed, but comes from another company than the connection's")]
    OtherCompany,
}

/// The body of a call, as the site's directive writes it.
#[derive(Deserialize)]
struct Call {
    event: ErpEventKind,
    company: String,
    number: i64,
    #[serde(default)]
    revision: i64,
    #[serde(default)]
    at: Option<String>,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    body: serde_json::Map<String, serde_json::Value>,
}

/// Checks and reads a call. `headers` have lower-case names; `now` is when it arrived.
///
/// # Errors
/// [`CallRefusal`]: the call is not taken.
pub fn read_call(
    epicor: &Epicor,
    secrets: &[Secret<String>],
    headers: &[(String, String)],
    body: &[u8],
    now: Timestamp,
) -> Result<ErpEvent, CallRefusal> {
    if body.len() > BODY_BYTES_MAX {
        return Err(CallRefusal::TooLarge);
    }
    let settings = &epicor.webhook;
    let header = headers.iter().find(|(name, _)| *name == settings.header).map(|(_, value)| value.trim());
    check_signature(secrets, &settings.header, &settings.prefix, header, body)?;
    let call: Call = serde_json::from_slice(body).map_err(|error| {
        // The place only: the text around it may be personal data.
        CallRefusal::Unreadable(format!("line {} column {}", error.line(), error.column()))
    })?;
    if !call.company.eq_ignore_ascii_case(&epicor.company) {
        return Err(CallRefusal::OtherCompany);
    }
    if call.number <= 0 || call.revision < 0 {
        return Err(CallRefusal::Unreadable(
            "number and revision must not be negative, nor the number zero".to_owned(),
        ));
    }
    let at = match &call.at {
        Some(text) => Timestamp::parse_rfc3339(text).map_err(|_| {
            CallRefusal::Unreadable("at is not a time such as 2026-11-21T09:30:00Z".to_owned())
        })?,
        None => now,
    };
    let reference = call.reference.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(ErpEvent {
        kind: call.event,
        number: call.number,
        revision: call.revision,
        at,
        reference,
        body: serde_json::Value::Object(call.body),
    })
}

fn check_signature(
    secrets: &[Secret<String>],
    name: &str,
    prefix: &str,
    header: Option<&str>,
    body: &[u8],
) -> Result<(), CallRefusal> {
    let mut usable = secrets.iter().filter(|secret| !secret.expose().trim().is_empty()).peekable();
    if usable.peek().is_none() {
        return Err(CallRefusal::NoSecret);
    }
    let header = header
        .filter(|header| !header.is_empty())
        .ok_or_else(|| CallRefusal::MissingHeader(name.to_owned()))?;
    let signature = hex_bytes(header.strip_prefix(prefix).unwrap_or(header)).ok_or(CallRefusal::NoMatch)?;
    // `ring` compares in constant time; every secret is tried, whichever matches.
    let matching = usable
        .filter(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            hmac::verify(&key, body, &signature).is_ok()
        })
        .count();
    if matching > 0 { Ok(()) } else { Err(CallRefusal::NoMatch) }
}

/// The bytes of hex text of either case.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
