//! The token endpoint and the bearer tokens: SMART Backend Services as Epic does it (EPIC.md §3).
//!
//! Called by `world` and `control`. What must stay true: a refusal never tells its reason on the wire,
//! a `jti` is good once, and a token is good until its time and for its scopes only.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::assertion::Assertion;
use super::chance::Chance;
use super::keys::{self, Key};
use super::scope::Scopes;
use crate::wire::{Request, Response};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Epic caches a key set up to 29 hours (EPIC.md §3).
const KEYS_FRESH_MS: i64 = 29 * 3_600_000;
/// Expired tokens and `jti` values are swept when so many are kept.
const SWEEP_AT: usize = 4_096;

/// A registered backend service.
pub(super) struct Client {
    keys: Vec<Key>,
    keys_read_ms: i64,
    jwks_url: Option<String>,
    keys_wanted: bool,
    scopes: Scopes,
    used: BTreeMap<String, i64>,
}

impl Client {
    pub(super) fn key(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    pub(super) fn jwks_url(&self) -> Option<&str> {
        self.jwks_url.as_deref()
    }
}

struct Token {
    client_id: String,
    scopes: Scopes,
    expires_ms: i64,
}

/// Clients, tokens and the last refusal.
pub(super) struct Authority {
    clients: BTreeMap<String, Client>,
    users: BTreeMap<String, String>,
    tokens: BTreeMap<String, Token>,
    pub(super) lifetime_s: i64,
    pub(super) last_refusal: Option<&'static str>,
}

/// Why a request with this Authorization header is not let in.
pub(super) enum Stranger {
    /// No credentials at all.
    Missing,
    /// A token or a password that is not good, or not any more.
    Invalid,
    /// Known, but the scopes do not hold what is asked.
    Insufficient,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self {
            clients: BTreeMap::new(),
            users: BTreeMap::new(),
            tokens: BTreeMap::new(),
            lifetime_s: 3_600,
            last_refusal: None,
        }
    }

    /// Registers or replaces a client, still without keys.
    pub(super) fn register(&mut self, client_id: &str, scopes: &str, now_ms: i64) -> Result<(), String> {
        let scopes = Scopes::parse(scopes);
        if scopes.is_empty() {
            return Err("`scope` holds no system scope; the client was not registered".into());
        }
        let client = Client {
            keys: Vec::new(),
            keys_read_ms: now_ms,
            jwks_url: None,
            keys_wanted: false,
            scopes,
            // A `jti` stays used when the client is registered again.
            used: self.clients.remove(client_id).map(|former| former.used).unwrap_or_default(),
        };
        self.clients.insert(client_id.to_owned(), client);
        Ok(())
    }

    /// Registers a background user with the password that Basic authentication uses.
    pub(super) fn register_user(&mut self, user: &str, password: &str) {
        self.users.insert(user.to_owned(), password.to_owned());
    }

    /// Notes where a client publishes its keys; they are wanted at once.
    pub(super) fn publish_at(&mut self, client_id: &str, url: &str) {
        if let Some(client) = self.clients.get_mut(client_id) {
            client.jwks_url = Some(url.to_owned());
            client.keys_wanted = true;
        }
    }

    /// Takes the keys of a client; answers how many are usable.
    pub(super) fn take_keys(&mut self, client_id: &str, set: &Value, now_ms: i64) -> Result<usize, String> {
        let client =
            self.clients.get_mut(client_id).ok_or("no client with this `client_id` is registered")?;
        client.keys = keys::parse_set(set)?;
        client.keys_wanted = false;
        client.keys_read_ms = now_ms;
        Ok(client.keys.len())
    }

    /// Gives up the wish for fresh keys until the next assertion that needs them.
    pub(super) fn give_up_keys(&mut self, client_id: &str) -> Result<(), String> {
        let client =
            self.clients.get_mut(client_id).ok_or("no client with this `client_id` is registered")?;
        client.keys_wanted = false;
        Ok(())
    }

    /// The first client whose key set should be fetched, with the address.
    pub(super) fn wanted_jwks_url(&self) -> Option<(String, String)> {
        self.clients.iter().find_map(|(client_id, client)| {
            let url = client.jwks_url.as_ref().filter(|_| client.keys_wanted)?;
            Some((client_id.clone(), url.clone()))
        })
    }

    pub(super) fn client_ids(&self) -> BTreeSet<&str> {
        self.clients.keys().map(String::as_str).collect()
    }

    pub(super) fn expire_tokens(&mut self) -> usize {
        let count = self.tokens.len();
        self.tokens.clear();
        count
    }

    /// Answers `POST /oauth2/token`.
    pub(super) fn token(
        &mut self,
        now_ms: i64,
        request: &Request,
        audience: &str,
        chance: &mut Chance,
    ) -> Response {
        match self.grant(now_ms, request, audience, chance) {
            Ok(body) => Response::json(200, &body)
                .with_header("cache-control", "no-store")
                .with_header("pragma", "no-cache"),
            Err((error, rule)) => {
                self.last_refusal = Some(rule);
                let body = json!({ "error": error, "error_description": null });
                Response::json(400, &body).with_header("cache-control", "no-store")
            }
        }
    }

    fn grant(
        &mut self,
        now_ms: i64,
        request: &Request,
        audience: &str,
        chance: &mut Chance,
    ) -> Result<Value, (&'static str, &'static str)> {
        let form = read_form(request)?;
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let text = value("client_assertion").unwrap_or_default();
        let client_id = self.prove(now_ms, text, audience).map_err(|rule| ("invalid_client", rule))?;
        let client = self.clients.get(&client_id).ok_or(("invalid_client", "iss"))?;
        let scopes = match value("scope").filter(|wish| !wish.trim().is_empty()) {
            Some(wish) => client.scopes.granted(&Scopes::parse(wish)),
            None => client.scopes.clone(),
        };
        if scopes.is_empty() {
            return Err(("invalid_scope", "scope"));
        }
        let access_token = chance.opaque(true);
        let body = json!({
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": self.lifetime_s,
            "scope": scopes.render(),
        });
        if self.tokens.len() >= SWEEP_AT {
            self.tokens.retain(|_, token| token.expires_ms > now_ms);
        }
        let expires_ms = now_ms.saturating_add(self.lifetime_s.saturating_mul(1_000));
        self.tokens.insert(access_token, Token { client_id, scopes, expires_ms });
        Ok(body)
    }

    /// Answers the id of the client that the assertion proves, or the rule that failed.
    fn prove(&mut self, now_ms: i64, text: &str, audience: &str) -> Result<String, &'static str> {
        let assertion = Assertion::parse(text).ok_or("malformed")?;
        let client_id = assertion.issuer().ok_or("iss")?.to_owned();
        let client = self.clients.get_mut(&client_id).ok_or("iss")?;
        let fetched = client.jwks_url.is_some();
        if fetched && now_ms.saturating_sub(client.keys_read_ms) > KEYS_FRESH_MS {
            client.keys_wanted = true;
        }
        let verified = assertion.verify(client, audience, now_ms).map_err(|fault| {
            client.keys_wanted |= fetched && fault.fresh_keys_may_help;
            fault.rule
        })?;
        if client.used.get(&verified.jti).is_some_and(|expires_ms| *expires_ms > now_ms) {
            return Err("jti reused");
        }
        if client.used.len() >= SWEEP_AT {
            client.used.retain(|_, expires_ms| *expires_ms > now_ms);
        }
        client.used.insert(verified.jti, verified.expires_ms);
        Ok(client_id)
    }

    /// Checks the bearer token of a FHIR request for one letter of one resource type.
    pub(super) fn admit(
        &self,
        now_ms: i64,
        request: &Request,
        kind: &str,
        letter: char,
    ) -> Result<(), Stranger> {
        let token = self.bearer(now_ms, request)?;
        if token.scopes.allows(kind, letter) { Ok(()) } else { Err(Stranger::Insufficient) }
    }

    /// Checks a request to the external-payment service: a bearer token, or a background user with
    /// Basic authentication and `Epic-Client-ID` (EPIC.md §2 and §7a).
    pub(super) fn admit_service(&self, now_ms: i64, request: &Request) -> Result<(), Stranger> {
        let client_id = request.header("epic-client-id");
        let authorization = request.header("authorization").ok_or(Stranger::Missing)?;
        if let Some(credentials) = strip_scheme(authorization, "basic") {
            let known = client_id.is_some_and(|id| self.clients.contains_key(id));
            return if known && self.is_user(credentials) { Ok(()) } else { Err(Stranger::Invalid) };
        }
        let token = self.bearer(now_ms, request)?;
        if client_id.is_some_and(|id| id != token.client_id) { Err(Stranger::Invalid) } else { Ok(()) }
    }

    fn is_user(&self, credentials: &str) -> bool {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(credentials).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        let Some((user, password)) = text.split_once(':') else { return false };
        self.users.get(user).is_some_and(|known| known == password)
    }

    fn bearer(&self, now_ms: i64, request: &Request) -> Result<&Token, Stranger> {
        let header = request.header("authorization").ok_or(Stranger::Missing)?;
        let text = strip_scheme(header, "bearer").ok_or(Stranger::Missing)?;
        let token = self.tokens.get(text).ok_or(Stranger::Invalid)?;
        if token.expires_ms > now_ms { Ok(token) } else { Err(Stranger::Invalid) }
    }
}

fn read_form(request: &Request) -> Result<Vec<(String, String)>, (&'static str, &'static str)> {
    let content_type = request.header("content-type").unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return Err(("invalid_request", "content-type"));
    }
    let form = request.form();
    let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if value("grant_type") != Some("client_credentials") {
        return Err(("unsupported_grant_type", "grant_type"));
    }
    if value("client_assertion_type") != Some(ASSERTION_TYPE) {
        return Err(("invalid_request", "client_assertion_type"));
    }
    Ok(form)
}

fn strip_scheme<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = header.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
