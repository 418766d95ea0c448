//! A small client of our own HTTP API: for the command line against a running server, and for the demo.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::Value;
use suture_core::redact::Secret;

use crate::failure::Failure;

/// A server and the key to talk to it.
#[derive(Clone)]
pub(crate) struct Remote {
    client: Client,
    base: String,
    key: Option<Secret<String>>,
}

/// An answer: its status and its JSON, `null` when it has none.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    /// The body, when the answer is a success.
    ///
    /// # Errors
    /// The server's own sentence about what it did not do.
    pub(crate) fn success(self) -> Result<Value, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let detail = ["detail", "title", "error"].iter().find_map(|name| self.body[*name].as_str());
        Err(Failure::new(format!(
            "the server answered {}: {}",
            self.status,
            detail.unwrap_or("no explanation")
        )))
    }
}

impl Remote {
    /// A client for a server.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub(crate) fn try_new(base: &str, key: Option<Secret<String>>) -> Result<Self, Failure> {
        // Another part of the process may have chosen the same provider already; that is fine.
        let _ = suture_engine::Egress::try_new().map_err(Failure::new)?;
        let client = Client::builder()
            .timeout(Duration::from_secs(40))
            .build()
            .map_err(|error| Failure::of("the HTTP client cannot be built", &error))?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), key })
    }

    /// The same server with another key, or none.
    pub(crate) fn with_key(&self, key: Option<Secret<String>>) -> Self {
        Self { key, ..self.clone() }
    }

    /// Reads something.
    ///
    /// # Errors
    /// When the server does not answer, or answers with a problem.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, &[], Vec::new()).await?.success()
    }

    /// Posts JSON under an idempotency key.
    ///
    /// # Errors
    /// When the server does not answer, or answers with a problem.
    pub(crate) async fn post(&self, path: &str, idempotency: &str, body: &Value) -> Result<Value, Failure> {
        self.try_post(path, idempotency, body).await?.success()
    }

    /// As [`post`](Self::post), and gives refusals to the caller.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn try_post(
        &self,
        path: &str,
        idempotency: &str,
        body: &Value,
    ) -> Result<Answer, Failure> {
        let headers = [("content-type", "application/json"), ("idempotency-key", idempotency)];
        self.send(Method::POST, path, &headers, body.to_string().into_bytes()).await
    }

    /// Posts a file of a kind under an idempotency key.
    ///
    /// # Errors
    /// When the server does not answer, or answers with a problem.
    pub(crate) async fn post_file(
        &self,
        path: &str,
        idempotency: &str,
        kind: &str,
        content: Vec<u8>,
    ) -> Result<Value, Failure> {
        let headers = [("content-type", kind), ("idempotency-key", idempotency)];
        self.send(Method::POST, path, &headers, content).await?.success()
    }

    /// Sends anything, and reads the answer as JSON.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let (status, bytes) = self.send_raw(method, path, headers, body).await?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// Sends anything; gives status and bytes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn send_raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {}", key.expose()));
        }
        let unreachable = |error: reqwest::Error| {
            Failure::of(
                format!("{} did not answer; is the server running there?", self.base),
                &error.without_url(),
            )
        };
        let response = request.body(body).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(unreachable)?;
        Ok((status, bytes.to_vec()))
    }
}
