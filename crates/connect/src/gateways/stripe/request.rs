//! The parts that every call shares: address, version, credential, account, key, form (FACTS §a).
//!
//! Called by the capability files of this folder. Invariants: every call is pinned to [`API_VERSION`]; every POST
//! carries the caller's stored idempotency key; the key to the account travels in a secret header only.

use crate::gateways::stripe::form::{Form, encode};
use crate::gateways::stripe::settings::{API_VERSION, Stripe};
use crate::http::{HttpRequest, Method};

impl Stripe {
    /// A read. `query` may be empty.
    pub(super) fn get(&self, path: &str, query: Form) -> HttpRequest {
        let query = query.into_text();
        let mark = if query.is_empty() { "" } else { "?" };
        self.call(Method::Get, &format!("{path}{mark}{query}"))
    }

    /// An act.
    pub(super) fn post(&self, path: &str, form: Form, idempotency_key: &str) -> HttpRequest {
        self.call(Method::Post, path)
            .header("idempotency-key", idempotency_key)
            .body("application/x-www-form-urlencoded", form.into_text())
    }

    fn call(&self, method: Method, target: &str) -> HttpRequest {
        let settings = &self.settings;
        let request = HttpRequest::new(method, format!("{}{target}", settings.base_url))
            .secret_header("authorization", format!("Bearer {}", settings.secret_key.expose()))
            .header("stripe-version", API_VERSION);
        match &settings.account {
            Some(account) => request.header("stripe-account", account.as_str()),
            None => request,
        }
    }
}

/// A path with an id from outside in it. Everything but unreserved characters is encoded, so that an id cannot reach
/// another endpoint.
pub(super) fn path(before: &str, id: &str, after: &str) -> String {
    let mut path = before.to_owned();
    encode(&mut path, id);
    path.push_str(after);
    path
}
