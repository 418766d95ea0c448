//! A receiver of our own events: keeps what it heard, and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse};
use suture_core::time::Timestamp;

/// Its host name in a world.
pub(super) const RECEIVER: &str = "receiver.test";

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Heard {
    /// When.
    pub at: Timestamp,
    /// The URL.
    pub url: String,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Heard {
    /// A header; empty when absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Receiver {
    heard: Mutex<Vec<Heard>>,
    answers: Mutex<VecDeque<u16>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// Everything that arrived, oldest first.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.heard).clone()
    }

    /// Forgets what arrived.
    pub fn forget(&self) {
        lock(&self.heard).clear();
    }

    /// Answers the next messages with these statuses, and all others with 204.
    pub fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        lock(&self.answers).extend(statuses);
    }

    pub(super) fn take(&self, request: &HttpRequest, at: Timestamp) -> HttpResponse {
        let text = |value: &HeaderValue| match value {
            HeaderValue::Text(text) => text.clone(),
            HeaderValue::Secret(secret) => secret.expose().clone(),
        };
        let headers = request.headers.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        lock(&self.heard).push(Heard { at, url: request.url.clone(), headers, body: request.body.clone() });
        let status = lock(&self.answers).pop_front().unwrap_or(204);
        HttpResponse { status, headers: Vec::new(), body: Vec::new() }
    }
}
