//! Signing in as a backend service: SMART Backend Services as Epic does it (EPIC.md §3).
//!
//! The private key is not here: the caller signs [`signing_input`] and hands the signature to [`token_request`].
//! Invariant: the assertion and the token are credentials; they are in a body or a `Secret`, never in a message.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

use super::call::FORM;
use crate::http::{HttpRequest, HttpResponse, Method};
use crate::outcome::{Failure, Outcome, Retry};
use crate::url;

/// How the assertion is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384; the default at Epic.
    #[serde(rename = "RS384")]
    Rs384,
    /// ECDSA with P-384 and SHA-384, signature as r‖s of 96 bytes; only with a JWK Set URL.
    #[serde(rename = "ES384")]
    Es384,
}

/// Who we are, for one request of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion<'a> {
    /// The id of the signing key in our JWK Set.
    pub kid: &'a str,
    /// The signature algorithm.
    pub algorithm: Algorithm,
    /// The app's client id: both `iss` and `sub`.
    pub client_id: &'a str,
    /// The token endpoint exactly as the site knows it.
    pub audience: &'a str,
    /// Now.
    pub now: Timestamp,
    /// An id that was never used before, at most 151 characters; Epic refuses a repetition.
    pub jti: &'a str,
}

/// How long an assertion counts. Epic's limit is 300 s from `iat` and from receipt.
const LIFETIME_SECONDS: i64 = 240;
/// How far back `iat` and `nbf` lie, because Epic refuses a moment in its future.
const BACK_SKEW_SECONDS: i64 = 15;

#[derive(Serialize)]
struct Header<'a> {
    alg: Algorithm,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// The text to sign: `base64url(header).base64url(claims)`.
#[must_use]
pub fn signing_input(assertion: &Assertion<'_>) -> String {
    let issued = assertion.now.seconds().saturating_sub(BACK_SKEW_SECONDS);
    let header = Header { alg: assertion.algorithm, typ: "JWT", kid: assertion.kid };
    let claims = Claims {
        iss: assertion.client_id,
        sub: assertion.client_id,
        aud: assertion.audience,
        jti: assertion.jti,
        iat: issued,
        nbf: issued,
        exp: issued.saturating_add(LIFETIME_SECONDS),
    };
    // Structs of text and integers always serialize.
    let part = |json: Result<Vec<u8>, serde_json::Error>| URL_SAFE_NO_PAD.encode(json.unwrap_or_default());
    format!("{}.{}", part(serde_json::to_vec(&header)), part(serde_json::to_vec(&claims)))
}

/// Builds the request of a token. `scopes` may be empty: at Epic they come from the app's registration.
#[must_use]
pub fn token_request(
    token_url: &str,
    signing_input: &str,
    signature: &[u8],
    scopes: &[String],
) -> HttpRequest {
    let assertion = Secret::new(format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature)));
    let scope = scopes.join(" ");
    let mut pairs = vec![
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.expose().as_str()),
    ];
    if !scope.is_empty() {
        pairs.push(("scope", &scope));
    }
    HttpRequest::new(Method::Post, token_url)
        .header("accept", "application/json")
        .body(FORM, url::form(&pairs))
}

/// A token and what it allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The bearer token; opaque.
    pub secret: Secret<String>,
    /// How long it counts from the answer on.
    pub expires_in_seconds: u64,
    /// The scopes that were granted. A server that does not say has granted what was asked (RFC 6749 §5.1).
    pub granted: Vec<String>,
    /// The asked scopes that were not granted: features to switch off, by name.
    pub missing: Vec<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// Assumed when the server does not say how long the token counts: short, so that it is fetched again soon.
const UNSAID_LIFETIME_SECONDS: u64 = 300;

/// Reads the answer to the request of a token.
#[must_use]
pub fn read_token(response: &HttpResponse, asked: &[String]) -> Outcome<AccessToken> {
    if response.status != 200 {
        return refused(response);
    }
    let Ok(answer) = serde_json::from_slice::<Granted>(&response.body) else {
        return unclear(response.status);
    };
    let secret = Secret::new(answer.access_token);
    // The token becomes a header, so only visible ASCII can be one.
    let sendable = !secret.expose().is_empty() && secret.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if !sendable || !answer.token_type.eq_ignore_ascii_case("bearer") {
        return unclear(response.status);
    }
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
    let granted: Vec<String> = answer.scope.map_or_else(|| asked.to_vec(), words);
    let missing = missing_scopes(asked, &granted);
    let expires_in_seconds = answer.expires_in.unwrap_or(UNSAID_LIFETIME_SECONDS);
    Outcome::Done(AccessToken { secret, expires_in_seconds, granted, missing })
}

fn refused(response: &HttpResponse) -> Outcome<AccessToken> {
    let error = serde_json::from_slice::<Refused>(&response.body).ok().map(|refused| refused.error);
    let raw = serde_json::from_slice(&response.body).ok();
    // RFC 6749 §5.2: these errors come with 400 or 401, and no token was given.
    let (code, message) = match (response.status, error.as_deref()) {
        (400 | 401, Some("invalid_client")) => ("epic_invalid_client", INVALID_CLIENT),
        (400 | 401, Some("invalid_scope")) => (
            "epic_invalid_scope",
            "Epic gave no token because it does not know a scope that was asked for. Compare the scopes with the \
             app's registration.",
        ),
        (400 | 401, Some("unauthorized_client" | "unsupported_grant_type" | "invalid_grant")) => (
            "epic_unauthorized_client",
            "Epic gave no token because this app may not sign in as a backend service. Check the app's registration \
             and that the site has mapped the client id to a background user.",
        ),
        (400 | 401, Some(_)) => (
            "epic_token_refused",
            "Epic gave no token. Its own error says why; check the app's registration and the token endpoint.",
        ),
        (status, _) => return unclear(status),
    };
    let failure = Failure::new(code, message, Retry::Never);
    Outcome::Declined(match raw {
        Some(raw) => failure.with_raw(raw),
        None => failure,
    })
}

/// Epic gives no reason with `invalid_client`; these are the known causes (EPIC.md §3).
const INVALID_CLIENT: &str = "Epic did not accept who we are and gave no token. Epic does not say why; check, in this order: \
     the client id is the one for this environment (production and non-production differ); \
     the JWK Set URL is reachable from the site and holds the key id used (a new key takes minutes to two days); \
     the token endpoint is the exact address that Epic knows, not a proxy's; \
     our clock is right to the second; the assertion was not sent twice; \
     the site has mapped the client id to a background user.";

fn unclear(status: u16) -> Outcome<AccessToken> {
    let message = format!(
        "The token endpoint did not answer as expected (HTTP {status}). No token was given; a new one is asked for \
         later with a new assertion."
    );
    Outcome::Unknown(Failure::new("epic_token_unclear", message, Retry::Later))
}

/// The asked scopes that the granted ones do not cover. Understands both grammars: `system/Patient.read` is
/// `system/Patient.rs`, `.write` is `.cud`, `.*` is `.cruds`, `system/*.…` covers every resource.
#[must_use]
pub fn missing_scopes(asked: &[String], granted: &[String]) -> Vec<String> {
    asked.iter().filter(|asked| !is_covered(asked, granted)).cloned().collect()
}

fn is_covered(asked: &str, granted: &[String]) -> bool {
    if granted.iter().any(|scope| scope == asked) {
        return true;
    }
    let Some(wanted) = Scope::parse(asked) else { return false };
    let mut letters = BTreeSet::new();
    for scope in granted.iter().filter_map(|scope| Scope::parse(scope)) {
        let same =
            scope.context == wanted.context && (scope.resource == "*" || scope.resource == wanted.resource);
        // A filtered grant covers only the same filter.
        if same && (scope.filter.is_none() || scope.filter == wanted.filter) {
            letters.extend(scope.letters);
        }
    }
    wanted.letters.is_subset(&letters)
}

struct Scope<'a> {
    context: &'a str,
    resource: &'a str,
    letters: BTreeSet<char>,
    filter: Option<&'a str>,
}

impl<'a> Scope<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (text, filter) = text.split_once('?').map_or((text, None), |(text, filter)| (text, Some(filter)));
        let (context, rest) = text.split_once('/')?;
        let (resource, permission) = rest.rsplit_once('.')?;
        let letters = match permission {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters if !letters.is_empty() && letters.chars().all(|letter| "cruds".contains(letter)) => {
                letters
            }
            _ => return None,
        };
        Some(Self { context, resource, letters: letters.chars().collect(), filter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(asked: &[&str], granted: &[&str]) -> Vec<String> {
        let owned = |scopes: &[&str]| scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
        missing_scopes(&owned(asked), &owned(granted))
    }

    #[test]
    fn both_scope_grammars_say_the_same() {
        assert!(missing(&["system/Patient.rs"], &["system/Patient.read"]).is_empty());
        assert!(missing(&["system/Patient.read"], &["system/Patient.s", "system/Patient.r"]).is_empty());
        assert!(missing(&["system/Claim.rs"], &["system/*.read"]).is_empty());
    }

    #[test]
    fn a_scope_that_was_not_granted_is_named() {
        assert_eq!(missing(&["system/Account.rs"], &["system/Patient.rs"]), ["system/Account.rs"]);
        assert_eq!(missing(&["system/Account.cr"], &["system/Account.rs"]), ["system/Account.cr"]);
        assert_eq!(missing(&["system/Patient.rs"], &["user/Patient.rs"]), ["system/Patient.rs"]);
        assert_eq!(
            missing(&["system/Patient.rs"], &["system/Patient.rs?active=true"]),
            ["system/Patient.rs"]
        );
        assert_eq!(missing(&["fhirUser"], &["openid"]), ["fhirUser"]);
    }
}
