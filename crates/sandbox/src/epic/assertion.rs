//! Verification of a client assertion, the signed JWT with which a backend service proves who it is.
//!
//! Called by `oauth`. Source: EPIC.md §3. What must stay true: every rule of the sheet is checked, with no
//! tolerance for clock skew, and the reason of a refusal is known to the world but never sent to the caller.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::oauth::Client;

/// Longest life of an assertion, counted from its receipt, its `nbf` and its `iat`.
const LIFE_MAX_S: i64 = 300;
const JTI_LENGTH_MAX: usize = 151;

/// An assertion split into its parts; nothing in it is trusted yet.
pub(super) struct Assertion<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

/// What a valid assertion says.
pub(super) struct Verified {
    pub(super) jti: String,
    pub(super) expires_ms: i64,
}

/// Why an assertion was refused, as the rule that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) rule: &'static str,
    /// True when fresh keys of the client could change the verdict.
    pub(super) fresh_keys_may_help: bool,
}

fn fault(rule: &'static str) -> Fault {
    Fault { rule, fresh_keys_may_help: false }
}

impl<'a> Assertion<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: part(header)?,
            claims: part(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Who the assertion claims to be from.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims["iss"].as_str()
    }

    /// Checks header, signature and claims, in this order.
    pub(super) fn verify(&self, client: &Client, audience: &str, now_ms: i64) -> Result<Verified, Fault> {
        self.check_header(client)?;
        self.check_signature(client)?;
        self.check_names(audience)?;
        let expires_ms = self.check_times(now_ms)?;
        let jti = self.claims["jti"].as_str().ok_or(fault("jti"))?;
        if jti.is_empty() || jti.chars().count() > JTI_LENGTH_MAX {
            return Err(fault("jti"));
        }
        Ok(Verified { jti: jti.to_owned(), expires_ms })
    }

    fn check_header(&self, client: &Client) -> Result<(), Fault> {
        if !matches!(self.header["alg"].as_str(), Some("RS256" | "RS384" | "RS512" | "ES384")) {
            return Err(fault("alg"));
        }
        if !self.header["typ"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("JWT")) {
            return Err(fault("typ"));
        }
        let address = &self.header["jku"];
        if !address.is_null() && (address.as_str().is_none() || address.as_str() != client.jwks_url()) {
            return Err(fault("jku"));
        }
        Ok(())
    }

    fn check_signature(&self, client: &Client) -> Result<(), Fault> {
        let kid = self.header["kid"].as_str().ok_or(fault("kid"))?;
        let algorithm = self.header["alg"].as_str().unwrap_or_default();
        let key = client.key(kid).ok_or(Fault { rule: "kid", fresh_keys_may_help: true })?;
        if !key.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(Fault { rule: "signature", fresh_keys_may_help: true });
        }
        Ok(())
    }

    fn check_names(&self, audience: &str) -> Result<(), Fault> {
        if self.claims["sub"].as_str() != self.issuer() {
            return Err(fault("sub"));
        }
        if self.claims["aud"].as_str() != Some(audience) {
            return Err(fault("aud"));
        }
        Ok(())
    }

    fn check_times(&self, now_ms: i64) -> Result<i64, Fault> {
        let expires_s = self.claims["exp"].as_i64().ok_or(fault("exp"))?;
        let expires_ms = expires_s.checked_mul(1_000).ok_or(fault("exp"))?;
        if expires_ms <= now_ms || expires_ms.saturating_sub(now_ms) > LIFE_MAX_S * 1_000 {
            return Err(fault("exp"));
        }
        for rule in ["nbf", "iat"] {
            let claim = &self.claims[rule];
            if claim.is_null() {
                continue;
            }
            let moment_s = claim.as_i64().ok_or(fault(rule))?;
            let in_future = moment_s.saturating_mul(1_000) > now_ms;
            if in_future || expires_s.saturating_sub(moment_s) > LIFE_MAX_S {
                return Err(fault(rule));
            }
        }
        Ok(expires_ms)
    }
}

fn part(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok().filter(Value::is_object)
}
