//! The one way out: TLS, time limits, bounded answers, no redirects, nothing logged but method, host and status.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method as WireMethod};
use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse, Method};

use crate::ports::{Sending, Transport, Undelivered};

/// Answers larger than this are cut off and count as lost.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Sends requests over HTTP.
pub struct Egress {
    client: Client,
}

impl Egress {
    /// Builds the client.
    ///
    /// # Errors
    /// A sentence when TLS cannot be set up on this machine.
    pub fn try_new() -> Result<Self, String> {
        // Another part of the process may have chosen the same provider already; that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(256)
            .user_agent(concat!("suture/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        Ok(Self { client })
    }

    async fn exchange(&self, request: HttpRequest, limit: Duration) -> Result<HttpResponse, Undelivered> {
        let method = match request.method {
            Method::Get => WireMethod::GET,
            Method::Post => WireMethod::POST,
            Method::Put => WireMethod::PUT,
            Method::Delete => WireMethod::DELETE,
        };
        let mut building = self.client.request(method, &request.url).timeout(limit);
        for (name, value) in &request.headers {
            building = match value {
                HeaderValue::Text(text) => building.header(*name, text),
                HeaderValue::Secret(secret) => building.header(*name, secret.expose()),
            };
        }
        if !request.body.is_empty() {
            building = building.body(request.body);
        }
        let mut answer = building.send().await.map_err(|error| undelivered(&error))?;
        let status = answer.status().as_u16();
        let text =
            |value: &reqwest::header::HeaderValue| value.to_str().map(ToOwned::to_owned).unwrap_or_default();
        let headers =
            answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(Undelivered::Lost("the answer is larger than 8 MiB".to_owned())),
                Ok(None) => return Ok(HttpResponse { status, headers, body }),
                Err(error) => return Err(Undelivered::Lost(cause(&error))),
            }
        }
    }
}

impl Transport for Egress {
    fn send(&self, request: HttpRequest, limit: Duration) -> Sending<'_> {
        Box::pin(self.exchange(request, limit))
    }
}

/// A connection that could not be made, and a request that cannot be written, prove that nothing arrived.
fn undelivered(error: &reqwest::Error) -> Undelivered {
    if error.is_connect() || error.is_builder() {
        return Undelivered::NotSent(cause(error));
    }
    Undelivered::Lost(cause(error))
}

/// The innermost cause. The outer texts of the library repeat the URL, which is safe but long.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.source().is_none() && error.is_timeout() {
        "time limit reached".to_owned()
    } else {
        cause.to_string()
    }
}
