//! A Stripe world with a clock that is moved by hand, for stories.

use super::super::{DEFAULT_KEY, StripeOptions, StripeWorld};
use crate::wire::{Request, Response};
use serde_json::{Value, json};

/// 2026-11-21T12:00:00Z
pub(super) const START_MS: i64 = 1_795_262_400_000;

/// A world with one webhook endpoint and a clock that is moved by hand.
pub(super) struct Story {
    pub(super) world: StripeWorld,
    pub(super) now_ms: i64,
}

impl Story {
    pub(super) fn new() -> Self {
        let webhook = Some(("http://127.0.0.1:9/hook".to_owned(), "whsec_story".to_owned()));
        let world = StripeWorld::new(StripeOptions { seed: 7, webhook, ..StripeOptions::default() });
        Self { world, now_ms: START_MS }
    }

    pub(super) fn send(&mut self, request: Request) -> Response {
        let request = request.with_header("Authorization", &format!("Bearer {DEFAULT_KEY}"));
        self.world.handle(self.now_ms, &request)
    }

    pub(super) fn post(&mut self, path: &str, form: &str) -> (u16, Value) {
        let response = self.send(Request::new("POST", path).with_body(form));
        (response.status, response.body_json())
    }

    pub(super) fn keyed(&mut self, path: &str, form: &str, key: &str) -> Response {
        self.send(Request::new("POST", path).with_header("Idempotency-Key", key).with_body(form))
    }

    /// A POST that must succeed.
    pub(super) fn done(&mut self, path: &str, form: &str) -> Value {
        let (status, body) = self.post(path, form);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(super) fn get(&mut self, target: &str) -> Value {
        let response = self.send(Request::new("GET", target));
        assert_eq!(response.status, 200, "{target}: {}", response.body_json());
        response.body_json()
    }

    #[expect(clippy::needless_pass_by_value, reason = "stories give the body as a literal")]
    pub(super) fn control(&mut self, verb: &str, body: Value) -> Value {
        self.world.control(self.now_ms, verb, &body).unwrap()
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now_ms += seconds * 1000;
        self.world.advance(self.now_ms);
    }

    /// All event types so far, oldest first.
    pub(super) fn events(&mut self) -> Vec<String> {
        let page = self.get("/v1/events?limit=100");
        let types =
            page["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned());
        types.rev().collect()
    }

    /// Event types since the last `events` of this length.
    pub(super) fn events_after(&mut self, known: usize) -> Vec<String> {
        self.events().split_off(known)
    }

    pub(super) fn pay(&mut self, card: &str, more: &str) -> (u16, Value) {
        self.post("/v1/payment_intents", &paying(card, more))
    }

    pub(super) fn paid(&mut self, card: &str) -> Value {
        let (status, body) = self.pay(card, "&capture_method=automatic");
        assert_eq!(status, 200, "{body}");
        body
    }
}

pub(super) fn paying(card: &str, more: &str) -> String {
    format!("amount=12000&currency=usd&confirm=true&payment_method={card}{more}")
}

pub(super) fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

pub(super) fn empty() -> Value {
    json!({})
}
