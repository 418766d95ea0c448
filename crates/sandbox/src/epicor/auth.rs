//! Who may call: API keys with their scopes, users, tokens and sessions (EPICOR.md §2).
//!
//! What must stay true: a key and a login are both needed; a token is good until its time; a session that ended
//! stays ended.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::refusal::Refusal;
use crate::stripe::Random;
use crate::wire::{Request, Response};

/// Expired tokens are swept when so many are kept.
const SWEEP_AT: usize = 4_096;

struct User {
    password: String,
    /// Companies that the user may work in; all when empty.
    companies: BTreeSet<String>,
}

struct Token {
    user: String,
    expires_ms: i64,
}

/// Keys, users, tokens and sessions.
pub(super) struct Authority {
    /// Services that a key may reach; all when empty.
    keys: BTreeMap<String, BTreeSet<String>>,
    users: BTreeMap<String, User>,
    clients: BTreeMap<String, String>,
    tokens: BTreeMap<String, Token>,
    sessions: BTreeMap<String, bool>,
    pub(super) lifetime_s: i64,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self {
            keys: BTreeMap::new(),
            users: BTreeMap::new(),
            clients: BTreeMap::new(),
            tokens: BTreeMap::new(),
            sessions: BTreeMap::new(),
            lifetime_s: 3_600,
        }
    }

    pub(super) fn add_key(&mut self, key: &str, services: BTreeSet<String>) {
        self.keys.insert(key.to_owned(), services);
    }

    pub(super) fn remove_key(&mut self, key: &str) -> bool {
        self.keys.remove(key).is_some()
    }

    pub(super) fn add_user(&mut self, name: &str, password: &str, companies: BTreeSet<String>) {
        self.users.insert(name.to_owned(), User { password: password.to_owned(), companies });
    }

    pub(super) fn add_client(&mut self, id: &str, secret: &str) {
        self.clients.insert(id.to_owned(), secret.to_owned());
    }

    /// Ends all tokens; how many there were.
    pub(super) fn expire_tokens(&mut self) -> usize {
        let count = self.tokens.len();
        self.tokens.clear();
        count
    }

    /// Ends all sessions that were seen; how many there were.
    pub(super) fn end_sessions(&mut self) -> usize {
        self.sessions.values_mut().for_each(|alive| *alive = false);
        self.sessions.len()
    }

    /// Lets a call of a service in, or not; the user comes back.
    pub(super) fn admit(&mut self, now_ms: i64, request: &Request, target: &str) -> Result<String, Refusal> {
        self.check_key(request, target)?;
        let user = self.identify(now_ms, request)?;
        self.check_session(request)?;
        Ok(user)
    }

    fn check_key(&self, request: &Request, target: &str) -> Result<(), Refusal> {
        let key = request.header("x-api-key").or_else(|| request.query_value("api-key"));
        let key = key.ok_or_else(|| Refusal::stranger("API key is required."))?;
        let scope = self.keys.get(key).ok_or_else(|| Refusal::stranger("API key is not valid."))?;
        if scope.is_empty() || scope.contains(target) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("Access scope of the API key does not include {target}.")))
    }

    /// Whether the user may work in a company.
    pub(super) fn check_company(&self, user: &str, company: &str) -> Result<(), Refusal> {
        let companies = self.users.get(user).map(|user| &user.companies);
        if companies.is_none_or(|companies| companies.is_empty() || companies.contains(company)) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("User is not authorized for company {company}.")))
    }

    fn identify(&self, now_ms: i64, request: &Request) -> Result<String, Refusal> {
        let header = request.header("authorization");
        let (scheme, value) = header
            .and_then(|header| header.split_once(' '))
            .ok_or_else(|| Refusal::stranger("Authorization is required."))?;
        if scheme.eq_ignore_ascii_case("bearer") {
            let token = self.tokens.get(value.trim()).filter(|token| token.expires_ms > now_ms);
            let token =
                token.ok_or_else(|| Refusal::stranger("The access token is not valid or has expired."))?;
            return Ok(token.user.clone());
        }
        let pair = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = pair.filter(|_| scheme.eq_ignore_ascii_case("basic"));
        let (name, password) = pair
            .as_deref()
            .and_then(|pair| pair.split_once(':'))
            .ok_or_else(|| Refusal::stranger("Invalid username or password."))?;
        self.check_password(name, password)?;
        Ok(name.to_owned())
    }

    fn check_password(&self, name: &str, password: &str) -> Result<(), Refusal> {
        let known = self.users.get(name).is_some_and(|user| user.password == password);
        if known { Ok(()) } else { Err(Refusal::stranger("Invalid username or password.")) }
    }

    fn check_session(&mut self, request: &Request) -> Result<(), Refusal> {
        let Some(header) = request.header("sessioninfo") else { return Ok(()) };
        let info: Value = serde_json::from_str(header).unwrap_or(Value::Null);
        let Some(id) = info["SessionID"].as_str().filter(|id| !id.is_empty()) else { return Ok(()) };
        let alive = *self.sessions.entry(id.to_owned()).or_insert(true);
        if alive { Ok(()) } else { Err(Refusal::ended_session()) }
    }

    /// `TokenResource.svc`: user and password in headers, XML unless JSON is asked for.
    pub(super) fn token_resource(
        &mut self,
        now_ms: i64,
        request: &Request,
        random: &mut Random,
    ) -> Result<Response, Refusal> {
        let name = request.header("username").unwrap_or_default();
        self.check_password(name, request.header("password").unwrap_or_default())?;
        let name = name.to_owned();
        let token = self.mint(now_ms, &name, random);
        let seconds = self.lifetime_s;
        let accepts_json = request.header("accept").is_some_and(|accept| accept.contains("json"));
        if accepts_json {
            let body =
                serde_json::json!({ "AccessToken": token, "ExpiresIn": seconds, "TokenType": "Bearer" });
            return Ok(Response::json(200, &body));
        }
        let body = format!(
            "<Token><AccessToken>{token}</AccessToken><ExpiresIn>{seconds}</ExpiresIn><TokenType>Bearer</TokenType></Token>"
        );
        Ok(Response::empty(200).with_header("content-type", "application/xml").with_body(body))
    }

    /// `TokenServiceSvc/GetAccessToken`: client id and secret in the body, and the API key as for every v2 call.
    pub(super) fn token_service(
        &mut self,
        now_ms: i64,
        request: &Request,
        random: &mut Random,
    ) -> Result<Response, Refusal> {
        self.check_key(request, "Ice.LIB.TokenServiceSvc")?;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let id = body["clientId"].as_str().unwrap_or_default().to_owned();
        let secret = body["clientSecret"].as_str();
        if secret.is_none() || self.clients.get(&id).map(String::as_str) != secret {
            return Err(Refusal::stranger("Invalid client id or secret."));
        }
        let token = self.mint(now_ms, &id, random);
        let row =
            serde_json::json!({ "AccessToken": token, "ExpiresIn": self.lifetime_s, "TokenType": "Bearer" });
        Ok(Response::json(200, &serde_json::json!({ "returnObj": { "TokenService": [row] } })))
    }

    fn mint(&mut self, now_ms: i64, user: &str, random: &mut Random) -> String {
        if self.tokens.len() >= SWEEP_AT {
            self.tokens.retain(|_, token| token.expires_ms > now_ms);
        }
        let text = format!("{:016x}{:016x}{:016x}", random.next(), random.next(), random.next());
        let expires_ms = now_ms.saturating_add(self.lifetime_s.saturating_mul(1000));
        self.tokens.insert(text.clone(), Token { user: user.to_owned(), expires_ms });
        text
    }
}
