//! Stripe's error bodies (FACTS §a, "Error body") as values.
//!
//! Made by every operation that says no; turned into an answer by `world`. What must stay true: `executed` is
//! false exactly for refusals that happen before the endpoint begins, because those are not stored under the
//! idempotency key.

use serde_json::{Map, Value, json};

/// The four error types of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `api_error`
    Api,
    /// `card_error`
    Card,
    /// `idempotency_error`
    Idempotency,
    /// `invalid_request_error`
    InvalidRequest,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Api => "api_error",
            Self::Card => "card_error",
            Self::Idempotency => "idempotency_error",
            Self::InvalidRequest => "invalid_request_error",
        }
    }
}

/// One refusal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// True when the endpoint had begun its work, so that the answer is kept under the idempotency key.
    pub(crate) executed: bool,
    kind: Kind,
    fields: Map<String, Value>,
}

impl Refusal {
    /// A refusal with a message and nothing else.
    pub(crate) fn new(status: u16, kind: Kind, message: impl Into<String>) -> Box<Self> {
        let mut fields = Map::new();
        fields.insert("message".to_owned(), Value::String(message.into()));
        Box::new(Self { status, executed: false, kind, fields })
    }

    /// 400 `invalid_request_error` before execution.
    pub(crate) fn invalid(message: impl Into<String>) -> Box<Self> {
        Self::new(400, Kind::InvalidRequest, message)
    }

    /// 400 `invalid_request_error` of an endpoint that had begun: the state of the object forbids it.
    pub(crate) fn state(code: &str, message: impl Into<String>) -> Box<Self> {
        let mut refusal = Self::invalid(message).code(code);
        refusal.executed = true;
        refusal
    }

    /// 404 for an object named in the address.
    pub(crate) fn missing(noun: &str, id: &str, param: &str) -> Box<Self> {
        let mut refusal = Self::new(404, Kind::InvalidRequest, format!("No such {noun}: '{id}'"))
            .code("resource_missing")
            .param(param);
        refusal.executed = true;
        refusal
    }

    /// 400 for an object named by a parameter.
    pub(crate) fn missing_reference(noun: &str, id: &str, param: &str) -> Box<Self> {
        Self::invalid(format!("No such {noun}: '{id}'")).code("resource_missing").param(param)
    }

    /// A required parameter is absent.
    pub(crate) fn parameter_missing(name: &str) -> Box<Self> {
        Self::invalid(format!("Missing required param: {name}.")).code("parameter_missing").param(name)
    }

    /// A number is below its least value.
    pub(crate) fn too_low(name: &str, least: i64) -> Box<Self> {
        Self::invalid(format!("This value must be greater than or equal to {least}."))
            .code("parameter_invalid_integer")
            .param(name)
    }

    /// With the error code and its page.
    pub(crate) fn code(mut self: Box<Self>, code: &str) -> Box<Self> {
        self.fields.insert("code".to_owned(), json!(code));
        self.fields.insert(
            "doc_url".to_owned(),
            json!(format!("https://docs.stripe.com/error-codes/{}", code.replace('_', "-"))),
        );
        self
    }

    /// With the name of the parameter at fault.
    pub(crate) fn param(self: Box<Self>, param: &str) -> Box<Self> {
        self.field("param", json!(param))
    }

    /// With one more field of the error body.
    pub(crate) fn field(mut self: Box<Self>, name: &str, value: Value) -> Box<Self> {
        self.fields.insert(name.to_owned(), value);
        self
    }

    /// Marked as an answer of an endpoint that had begun.
    pub(crate) fn after_start(mut self: Box<Self>) -> Box<Self> {
        self.executed = true;
        self
    }

    /// The inside of `error`, for `last_payment_error` and the like.
    pub(crate) fn error(&self) -> Value {
        let mut error = self.fields.clone();
        error.insert("type".to_owned(), json!(self.kind.text()));
        Value::Object(error)
    }

    /// The whole body, with the link to the request's log that Stripe adds.
    pub(crate) fn body(&self, request_id: &str) -> Value {
        let mut error = self.error();
        error["request_log_url"] = json!(format!("https://dashboard.stripe.com/test/logs/{request_id}"));
        json!({ "error": error })
    }
}
