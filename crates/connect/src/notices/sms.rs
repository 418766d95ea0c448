//! A text to a phone as a request over HTTP: Twilio's, or one described by a JSON body.
//!
//! Default is `Unknown`, as everywhere. Twilio takes no idempotency key for messages, so a lost answer is never tried
//! again there: <https://www.twilio.com/docs/messaging/api/message-resource> (read 2026-11-21).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use suture_core::redact::{Phi, Secret};

use super::form;
use crate::http::{HttpRequest, HttpResponse, Method};

/// Whose words a provider of texts understands.
#[derive(Debug, Clone, PartialEq)]
pub enum Style {
    /// Twilio's.
    Twilio {
        /// The account, `AC…`.
        account: String,
    },
    /// A JSON body with `{to}`, `{from}`, `{text}`, `{key}` and `{callback}` in its strings.
    Json {
        /// The body.
        body: Value,
        /// The field of the answer that names the message, as a JSON pointer such as `/id`.
        reference: String,
        /// Whether the provider takes an `Idempotency-Key`: then a lost answer is asked for again with the same key.
        takes_key: bool,
    },
}

/// The way to a provider of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct SmsRoute {
    /// Whose words it understands.
    pub style: Style,
    /// Where requests go.
    pub url: String,
    /// Who sends: a number or a name that the provider knows.
    pub from: String,
    /// The credential: of requests to them, and of what they send to us.
    pub secret: Secret<String>,
}

/// One text.
#[derive(Debug, Clone)]
pub struct Text {
    /// The number, `+15551234567`.
    pub to: Phi<String>,
    /// The text.
    pub text: Phi<String>,
    /// The same for the same message, however often it is sent.
    pub key: String,
    /// Where the provider reports what became of it.
    pub callback: String,
}

/// What a provider's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took the text.
    Taken {
        /// Its name for it.
        reference: String,
    },
    /// It will never take this text.
    Refused {
        /// Its code, or the status.
        code: String,
    },
    /// It did not take it now; it may later.
    NotTaken {
        /// Its code, or the status.
        code: String,
    },
    /// It may have taken it.
    Unknown {
        /// The status.
        code: String,
    },
}

impl SmsRoute {
    /// Checks the settings.
    ///
    /// # Errors
    /// A sentence that says what is wrong, without the secret.
    pub fn check(&self) -> Result<(), String> {
        let secure = self.url.starts_with("https://") || self.url.starts_with("http://127.0.0.1");
        if !secure && !self.url.starts_with("http://localhost") && !self.url.contains(".test/") {
            return Err("the address for texts is not https".to_owned());
        }
        if self.from.trim().is_empty() || self.secret.expose().trim().is_empty() {
            return Err("the sender or the secret for texts is empty".to_owned());
        }
        match &self.style {
            Style::Twilio { account } if account.is_empty() || account.contains(':') => {
                Err("the account at Twilio is missing".to_owned())
            }
            Style::Json { body, .. } if !holds(body, "{to}") || !holds(body, "{text}") => {
                Err("the body for texts does not say where {to} and {text} go".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether the same key twice is one text.
    #[must_use]
    pub const fn takes_key(&self) -> bool {
        matches!(self.style, Style::Json { takes_key: true, .. })
    }

    /// The request that sends a text. The same text gives the same bytes.
    #[must_use]
    pub fn request(&self, text: &Text) -> HttpRequest {
        let request = HttpRequest::new(Method::Post, &self.url);
        match &self.style {
            Style::Twilio { account } => {
                let credential = STANDARD.encode(format!("{account}:{}", self.secret.expose()));
                let body = form::write(&[
                    ("To", text.to.expose()),
                    ("From", &self.from),
                    ("Body", text.text.expose()),
                    ("StatusCallback", &text.callback),
                ]);
                request
                    .secret_header("authorization", format!("Basic {credential}"))
                    .body("application/x-www-form-urlencoded", body)
            }
            Style::Json { body, takes_key, .. } => {
                let request =
                    request.secret_header("authorization", format!("Bearer {}", self.secret.expose()));
                let keyed =
                    if *takes_key { request.header("idempotency-key", text.key.as_str()) } else { request };
                keyed.body("application/json", self.filled(body, text).to_string())
            }
        }
    }

    fn filled(&self, body: &Value, text: &Text) -> Value {
        match body {
            // One pass over the pattern: what a value holds is never read as a placeholder.
            Value::String(pattern) => Value::String(fill(pattern, |name| match name {
                "to" => Some(text.to.expose().as_str()),
                "from" => Some(self.from.as_str()),
                "text" => Some(text.text.expose().as_str()),
                "key" => Some(text.key.as_str()),
                "callback" => Some(text.callback.as_str()),
                _ => None,
            })),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.filled(item, text)).collect()),
            Value::Object(members) => Value::Object(
                members.iter().map(|(name, item)| (name.clone(), self.filled(item, text))).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
        }
    }

    /// What an answer means.
    #[must_use]
    pub fn read(&self, response: &HttpResponse) -> Answer {
        let json: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let status = format!("http_{}", response.status);
        let code = || match &json["code"] {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => status.clone(),
        };
        match response.status {
            200..=299 => {
                let pointer = match &self.style {
                    Style::Twilio { .. } => "/sid",
                    Style::Json { reference, .. } => reference,
                };
                let named = match json.pointer(pointer) {
                    Some(Value::String(text)) => text.clone(),
                    Some(Value::Number(number)) => number.to_string(),
                    _ => "none".to_owned(),
                };
                Answer::Taken { reference: named }
            }
            // Refused before anything was done with it (RFC 9110 §15.5); 401 and 403 end when the operator mends the secret.
            401 | 403 | 404 | 405 | 429 => Answer::NotTaken { code: code() },
            400 | 402 | 406..=428 | 430..=499 => Answer::Refused { code: code() },
            _ => Answer::Unknown { code: status },
        }
    }
}

fn holds(body: &Value, placeholder: &str) -> bool {
    match body {
        Value::String(text) => text.contains(placeholder),
        Value::Array(items) => items.iter().any(|item| holds(item, placeholder)),
        Value::Object(members) => members.values().any(|item| holds(item, placeholder)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn fill<'a>(pattern: &str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut whole = String::new();
    let mut rest = pattern;
    while let Some((before, from)) = rest.split_once('{') {
        whole.push_str(before);
        match from.split_once('}').and_then(|(name, after)| Some((value(name)?, after))) {
            Some((known, after)) => {
                whole.push_str(known);
                rest = after;
            }
            None => {
                whole.push('{');
                rest = from;
            }
        }
    }
    whole + rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(style: Style) -> SmsRoute {
        SmsRoute {
            style,
            url: "https://sms.example/send".to_owned(),
            from: "+15550001111".to_owned(),
            secret: Secret::new("s3cret".to_owned()),
        }
    }

    fn twilio() -> SmsRoute {
        route(Style::Twilio { account: "AC1".to_owned() })
    }

    fn generic() -> SmsRoute {
        let body = json!({ "message": { "to": ["{to}"], "text": "{text}" }, "ref": "{key}", "hook": "{callback}", "n": 1 });
        route(Style::Json { body, reference: "/data/id".to_owned(), takes_key: true })
    }

    fn text() -> Text {
        Text {
            to: Phi::new("+15551234567".to_owned()),
            text: Phi::new("Tue & {to}".to_owned()),
            key: "ntc_1/sms".to_owned(),
            callback: "https://suture.example/hooks/sms/org_1/ntc_1".to_owned(),
        }
    }

    #[test]
    fn twilio_reads_a_form_and_a_basic_credential() {
        let request = twilio().request(&text());
        assert_eq!(
            String::from_utf8(request.body.clone()).unwrap(),
            "To=%2B15551234567&From=%2B15550001111&Body=Tue+%26+%7Bto%7D\
             &StatusCallback=https%3A%2F%2Fsuture.example%2Fhooks%2Fsms%2Forg_1%2Fntc_1"
        );
        assert_eq!(request, twilio().request(&text()), "the same text gives the same bytes");
        let printed = format!("{request:?} {:?} {:?}", twilio(), text());
        for secret in ["s3cret", "QUMx", "5551234567", "Tue"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[test]
    fn a_json_body_is_filled_once_and_carries_the_key() {
        let request = generic().request(&text());
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["message"], json!({ "to": ["+15551234567"], "text": "Tue & {to}" }));
        assert_eq!((body["ref"].as_str(), body["n"].as_i64()), (Some("ntc_1/sms"), Some(1)));
        assert!(request.headers.iter().any(|(name, _)| *name == "idempotency-key"));
        assert!(generic().takes_key() && !twilio().takes_key());
    }

    fn answer(status: u16, body: &Value) -> HttpResponse {
        HttpResponse { status, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    #[test]
    fn only_what_is_documented_is_proof() {
        let taken = twilio().read(&answer(201, &json!({ "sid": "SM1" })));
        assert_eq!(taken, Answer::Taken { reference: "SM1".to_owned() });
        let taken = generic().read(&answer(200, &json!({ "data": { "id": 7 } })));
        assert_eq!(taken, Answer::Taken { reference: "7".to_owned() });
        let refused = twilio().read(&answer(400, &json!({ "code": 21610 })));
        assert_eq!(refused, Answer::Refused { code: "21610".to_owned() });
        for status in [401, 429] {
            assert!(
                matches!(twilio().read(&answer(status, &json!({}))), Answer::NotTaken { .. }),
                "{status}"
            );
        }
        for status in [302, 500, 503, 599] {
            assert!(matches!(twilio().read(&answer(status, &json!({}))), Answer::Unknown { .. }), "{status}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_without_the_secret() {
        assert_eq!((twilio().check(), generic().check()), (Ok(()), Ok(())));
        let plain = SmsRoute { url: "http://sms.example/".to_owned(), ..twilio() };
        let nobody = SmsRoute { from: " ".to_owned(), ..twilio() };
        let style = Style::Json { body: json!({ "to": "{to}" }), reference: String::new(), takes_key: false };
        for wrong in [plain, nobody, route(style), route(Style::Twilio { account: String::new() })] {
            let why = wrong.check().unwrap_err();
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
