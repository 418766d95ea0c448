//! What a provider of texts sends to us: reports about a message, and words of a phone's owner.
//!
//! The signature is the proof, over what only the provider and we know: Twilio signs address and fields with HMAC-SHA1
//! (<https://www.twilio.com/docs/usage/security>, read 2026-11-21), everybody else signs time, path and body with
//! HMAC-SHA256. Invariant: nothing is read before the signature is right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde::Deserialize;
use suture_core::redact::Phi;
use suture_core::time::Timestamp;

use super::form;
use super::sms::{SmsRoute, Style};

/// A message of a provider as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// Our address as the outside knows it, without a slash at the end.
    pub public_url: &'a str,
    /// The path, with its slash in front.
    pub path: &'a str,
    /// The signature's header.
    pub signature: Option<&'a str>,
    /// The time's header; Twilio sends none.
    pub timestamp: Option<&'a str>,
    /// The body's bytes.
    pub body: &'a [u8],
    /// When it arrived.
    pub now: Timestamp,
}

/// What a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A message arrived.
    Delivered,
    /// A message did not arrive.
    Failed {
        /// The provider's code.
        code: String,
    },
    /// A message is on its way: nothing that we do not know.
    OnItsWay,
    /// A phone's owner wrote to us.
    Said {
        /// The number.
        from: Phi<String>,
        /// The text.
        text: Phi<String>,
    },
}

/// Why a message was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no signature, or it is wrong.
    Signature,
    /// It was signed too long ago, or in the future.
    Time,
    /// It is signed, and cannot be understood.
    Content,
}

/// The header of Twilio's signature, in lower case.
pub const TWILIO_SIGNATURE: &str = "x-twilio-signature";
/// The header of everybody else's signature.
pub const SIGNATURE: &str = "suture-signature";
/// The header of the time that is signed with it, in seconds since 1970.
pub const TIMESTAMP: &str = "suture-timestamp";
/// How far the time may be off: a recorded message cannot be played for ever.
const TOLERANCE_SECONDS: u64 = 300;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told {
    Status { status: String, code: Option<String> },
    Inbound { from: String, text: String },
}

impl SmsRoute {
    /// The header that carries this provider's signature.
    #[must_use]
    pub const fn signature_header(&self) -> &'static str {
        match self.style {
            Style::Twilio { .. } => TWILIO_SIGNATURE,
            Style::Json { .. } => SIGNATURE,
        }
    }

    /// Checks and reads a message of the provider.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn hear(&self, arrived: Arrived<'_>) -> Result<Word, Refused> {
        match self.style {
            Style::Twilio { .. } => self.hear_twilio(arrived),
            Style::Json { .. } => self.hear_json(arrived),
        }
    }

    fn hear_twilio(&self, arrived: Arrived<'_>) -> Result<Word, Refused> {
        let mut fields = form::read(arrived.body).ok_or(Refused::Signature)?;
        fields.sort();
        let mut signed = format!("{}{}", arrived.public_url, arrived.path);
        for (name, value) in &fields {
            signed.push_str(name);
            signed.push_str(value);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.expose().as_bytes());
        let given =
            arrived.signature.and_then(|text| STANDARD.decode(text).ok()).ok_or(Refused::Signature)?;
        hmac::verify(&key, signed.as_bytes(), &given).map_err(|_| Refused::Signature)?;
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        if let Some(status) = field("MessageStatus").filter(|status| status != "received") {
            return Ok(word(&status, field("ErrorCode")));
        }
        let (from, text) = (field("From"), field("Body"));
        let (from, text) = from.zip(text).ok_or(Refused::Content)?;
        Ok(Word::Said { from: Phi::new(from), text: Phi::new(text) })
    }

    fn hear_json(&self, arrived: Arrived<'_>) -> Result<Word, Refused> {
        let (signature, timestamp) = arrived.signature.zip(arrived.timestamp).ok_or(Refused::Signature)?;
        let given = unhex(signature).ok_or(Refused::Signature)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose().as_bytes());
        let mut signed = format!("{timestamp}.{}.", arrived.path).into_bytes();
        signed.extend_from_slice(arrived.body);
        hmac::verify(&key, &signed, &given).map_err(|_| Refused::Signature)?;
        let seconds: i64 = timestamp.parse().map_err(|_| Refused::Time)?;
        if seconds.abs_diff(arrived.now.seconds()) > TOLERANCE_SECONDS {
            return Err(Refused::Time);
        }
        match serde_json::from_slice(arrived.body).map_err(|_| Refused::Content)? {
            Told::Status { status, code } => Ok(word(&status, code)),
            Told::Inbound { from, text } => Ok(Word::Said { from: Phi::new(from), text: Phi::new(text) }),
        }
    }
}

/// Statuses of <https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks>; a new one says
/// nothing.
fn word(status: &str, code: Option<String>) -> Word {
    match status {
        "delivered" | "read" => Word::Delivered,
        "failed" | "undelivered" | "canceled" => {
            Word::Failed { code: code.filter(|code| !code.is_empty()).unwrap_or_else(|| status.to_owned()) }
        }
        _ => Word::OnItsWay,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs =
        text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use suture_core::redact::Secret;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_251_600);

    fn route(style: Style, secret: &str) -> SmsRoute {
        SmsRoute {
            style,
            url: "https://sms.example/".to_owned(),
            from: "x".to_owned(),
            secret: Secret::new(secret.to_owned()),
        }
    }

    /// The example of Twilio's page on security.
    #[test]
    fn the_example_of_twilios_documentation_is_right() {
        let twilio = route(Style::Twilio { account: "AC1".to_owned() }, "12345");
        let body = "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212";
        let arrived = Arrived {
            public_url: "https://example.com",
            path: "/myapp.php?foo=1&bar=2",
            signature: Some("L/OH5YylLD5NRKLltdqwSvS0BnU="),
            timestamp: None,
            body: body.as_bytes(),
            now: NOW,
        };
        assert_eq!(twilio.hear(arrived), Err(Refused::Content), "signed, though no message");
        let changed = Arrived { path: "/myapp.php?foo=1", ..arrived };
        assert_eq!(twilio.hear(changed), Err(Refused::Signature));
        assert_eq!(twilio.hear(Arrived { signature: None, ..arrived }), Err(Refused::Signature));
    }

    fn signed(secret: &str, seconds: i64, path: &str, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{seconds}.{path}.{body}").as_bytes());
        tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    fn hear(body: &str, secret: &str, seconds: i64) -> Result<Word, Refused> {
        let style = Style::Json { body: json!({}), reference: "/id".to_owned(), takes_key: false };
        let (path, time) = ("/hooks/sms/org_1/ntc_1", seconds.to_string());
        let signature = signed(secret, seconds, path, body);
        let arrived = Arrived {
            public_url: "https://suture.example",
            path,
            signature: Some(&signature),
            timestamp: Some(&time),
            body: body.as_bytes(),
            now: NOW,
        };
        route(style, "s3cret").hear(arrived)
    }

    #[test]
    fn a_signed_report_is_understood_and_a_new_status_says_nothing() {
        let report = |status: &str| {
            hear(&json!({ "type": "status", "status": status }).to_string(), "s3cret", NOW.seconds())
        };
        assert_eq!(report("delivered"), Ok(Word::Delivered));
        assert_eq!(report("undelivered"), Ok(Word::Failed { code: "undelivered".to_owned() }));
        assert_eq!(report("sent"), Ok(Word::OnItsWay));
        let inbound = json!({ "type": "inbound", "from": "+15551234567", "text": "STOP" }).to_string();
        let said = Word::Said { from: Phi::new("+15551234567".into()), text: Phi::new("STOP".into()) };
        assert_eq!(hear(&inbound, "s3cret", NOW.seconds()), Ok(said.clone()));
        assert!(!format!("{said:?}").contains("555"));
    }

    #[test]
    fn forged_old_and_meaningless_reports_are_refused() {
        let body = json!({ "type": "status", "status": "delivered" }).to_string();
        assert_eq!(hear(&body, "other", NOW.seconds()), Err(Refused::Signature));
        assert_eq!(hear(&body, "s3cret", NOW.seconds() - 301), Err(Refused::Time));
        assert_eq!(hear(&body, "s3cret", NOW.seconds() + 301), Err(Refused::Time));
        assert_eq!(hear("[]", "s3cret", NOW.seconds()), Err(Refused::Content));
    }
}
