//! HTTP as values. Connectors build requests and read responses; `engine::egress` sends them.
//!
//! Invariant: a secret travels in a [`HeaderValue::Secret`] or in a [`Body`] marked as secret, and is never printed.

use std::fmt;

use suture_core::redact::Secret;

/// The methods that connectors use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create or act.
    Post,
    /// Replace.
    Put,
    /// Change some of it.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The method as written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A header's value: open text, or a credential that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Text that may be logged.
    Text(String),
    /// A credential.
    Secret(Secret<String>),
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::Secret(secret) => fmt::Debug::fmt(secret, f),
        }
    }
}

/// A request, complete but for the connection: the URL is absolute.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL. Never holds a secret or personal data.
    pub url: String,
    /// Headers in the order they are sent; names in lower case.
    pub headers: Vec<(&'static str, HeaderValue)>,
    /// The body; empty for GET. Printed as its length only.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds an open header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, HeaderValue::Text(value.into())));
        self
    }

    /// Adds a header that holds a credential.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, HeaderValue::Secret(Secret::new(value))));
        self
    }

    /// Sets the body and its content type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &self.headers)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A response that arrived whole.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, bounded by egress.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that lower-case name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
