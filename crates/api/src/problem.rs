//! Problems: how a request that was not carried out is answered (RFC 9457), and the page that explains each code.
//!
//! A handler returns a [`Problem`]; [`crate::frame`] adds the request's id, logs the cause once, and writes the body.
//! Causes of the store and of other systems never reach the caller.

mod pages;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use suture_core::refusal::Kind;
use suture_engine::Error;
use utoipa::ToSchema;

pub use pages::{PAGES, page};

/// A request that was not carried out.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    failure: Option<Failure>,
    retry_after_seconds: Option<u32>,
    cause: Option<String>,
    after: After,
}

/// What a failed request left behind, which decides what becomes of its idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The rules said no: the answer stands, and is given again.
    Stands,
    /// Nothing was changed, and the same request may succeed later.
    Nothing,
    /// It may have been carried out. The key stays taken, so that a retry cannot do it twice.
    Unknown,
}

/// The body of a problem, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// The page that explains the code.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not_found")]
    kind: String,
    /// The code in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// A stable code.
    code: &'a str,
    /// What happened, what did not happen, and the next step.
    detail: &'a str,
    /// The id of the request, as in `X-Request-Id` and in our log.
    instance: &'a str,
    /// What the other system said, when it was the one that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
}

/// What another system said.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// Our code for it.
    code: String,
    /// A sentence: what happened and what to do.
    message: String,
    /// The other system's error object, verbatim.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    raw: Option<serde_json::Value>,
}

impl Problem {
    /// A problem of the request itself: nothing was changed, and the same request will fail again.
    pub(crate) fn new(code: &'static str, status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            failure: None,
            retry_after_seconds: None,
            cause: None,
            after: After::Nothing,
        }))
    }

    /// A problem of the content of a request (422).
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(code, StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let detail =
            format!("Nothing was changed. There is no such {what} for the organization of this key.");
        Self::new("not_found", StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "Nothing was done. The path exists, the method does not; see `Allow` and /openapi.json.";
        Self::new("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    pub(crate) fn body_too_large() -> Self {
        let detail =
            "Nothing was done. The body is larger than the limit (1 MiB unless configured) and was not read.";
        Self::new("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub(crate) fn file_too_large(bytes_max: usize) -> Self {
        let detail = format!(
            "Nothing was done. The file is larger than {} MiB and was not read whole; split it.",
            bytes_max >> 20
        );
        Self::new("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// Whether a body was too large.
    pub(crate) fn is_too_large(&self) -> bool {
        self.0.status == StatusCode::PAYLOAD_TOO_LARGE
    }

    pub(crate) fn not_understood() -> Self {
        let detail = "Nothing was done. The request is not well-formed; see /openapi.json.";
        Self::new("request_not_understood", StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail =
            "Nothing was done. Send `Authorization: Bearer suture_…` with a key that is not revoked.";
        Self::new("unauthenticated", StatusCode::UNAUTHORIZED, detail)
    }

    pub(crate) fn forbidden() -> Self {
        let detail =
            "Nothing was done. The role of this key does not allow it; an admin can make a key that may.";
        Self::new("forbidden", StatusCode::FORBIDDEN, detail)
    }

    pub(crate) fn rate_limited() -> Self {
        let detail =
            "Nothing was done. This key sends too many requests; wait as long as `Retry-After` says.";
        Self::new("rate_limited", StatusCode::TOO_MANY_REQUESTS, detail).retry_after(1)
    }

    pub(crate) fn timeout() -> Self {
        let detail = "The request took too long. What it asked for may still happen: look at the object, or send the same \
                      request with the same Idempotency-Key to get its answer.";
        Self::new("request_timeout", StatusCode::GATEWAY_TIMEOUT, detail).retry_after(5)
    }

    pub(crate) fn internal(cause: &str) -> Self {
        let detail = "The request failed for a reason of ours. It may have been carried out in part: look at the object \
                      before asking again, and tell the operator the id in `instance`.";
        Self::new("internal", StatusCode::INTERNAL_SERVER_ERROR, detail)
            .because(cause.to_owned())
            .leaving(After::Unknown)
    }

    fn store_unavailable(cause: String) -> Self {
        let detail = "The database did not answer, so it is not certain what was stored. Look at the object before asking \
                      again; a request without effect may be sent again with a new Idempotency-Key.";
        Self::new("store_unavailable", StatusCode::SERVICE_UNAVAILABLE, detail)
            .because(cause)
            .retry_after(2)
            .leaving(After::Unknown)
    }

    /// Adds when to come back.
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds what only the operator is told.
    fn because(mut self, cause: String) -> Self {
        self.0.cause = Some(cause);
        self
    }

    fn leaving(mut self, after: After) -> Self {
        self.0.after = after;
        self
    }

    pub(crate) fn after(&self) -> After {
        self.0.after
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The body as sent.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let body = ProblemBody {
            kind: format!("/problems/{}", self.0.code),
            title: title(self.0.code),
            status: self.0.status.as_u16(),
            code: self.0.code,
            detail: &self.0.detail,
            instance: request_id,
            failure: self.0.failure.as_ref(),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The whole answer.
    pub(crate) fn answer(&self, request_id: &str) -> axum::response::Response {
        let mut response = Response::new(Body::from(self.body(request_id)));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// Tells the operator what the caller is not told.
    pub(crate) fn log(&self, request_id: &str) {
        let cause = self.0.cause.as_deref().unwrap_or("no further cause");
        if self.0.code == "internal" {
            tracing::error!(request.id = %request_id, code = self.0.code, "request {request_id} failed: {cause}");
        } else if self.0.status.is_server_error() {
            tracing::warn!(request.id = %request_id, code = self.0.code, "request {request_id} failed: {cause}");
        } else {
            tracing::debug!(request.id = %request_id, code = self.0.code, "request {request_id} was refused");
        }
    }
}

impl IntoResponse for Problem {
    /// The status only; the frame around the router writes the body, because it knows the request's id.
    fn into_response(self) -> axum::response::Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => {
                let status = match refusal.kind {
                    Kind::State => StatusCode::CONFLICT,
                    Kind::Invalid | Kind::Held => StatusCode::UNPROCESSABLE_ENTITY,
                };
                Self::new(refusal.code, status, refusal.detail).leaving(After::Stands)
            }
            Error::NotFound { what, .. } => Self::not_found(what),
            Error::Store(store) if store.is_conflict() => {
                let detail = "Nothing was changed. Something else changed the object at the same moment; read it again \
                              and send the request again.";
                Self::new("changed_meanwhile", StatusCode::CONFLICT, detail).because(store.to_string())
            }
            Error::Store(store) => Self::store_unavailable(store.to_string()),
            Error::Outside(failure) => {
                let detail = "The other system refused or did not answer; `failure` holds its words. Nothing was changed here.";
                let mut problem = Self::new("other_system_failed", StatusCode::BAD_GATEWAY, detail)
                    .because(failure.code.clone());
                problem.0.failure =
                    Some(Failure { code: failure.code, message: failure.message, raw: failure.raw });
                problem
            }
            Error::Connection { connection, problem } => Self::new(
                "connection_unusable",
                StatusCode::CONFLICT,
                format!("Nothing was sent. The connection {connection} cannot be used: {problem}."),
            ),
            Error::Missing(object) => Self::new(
                "object_missing",
                StatusCode::CONFLICT,
                format!(
                    "Nothing was changed. {object} is not known here yet; it is being fetched. Ask again in a minute."
                ),
            )
            .retry_after(30),
        }
    }
}

/// The code in words.
fn title(code: &str) -> String {
    let mut letters = code.chars().map(|sign| if sign == '_' { ' ' } else { sign });
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
