//! HTTP requests and answers as plain values, so that a world can be called without a socket.
//!
//! Built by `server` from real connections and by simulators by hand; read by the worlds.
//! What must stay true: header names are lower case, and `path` never carries the query string.

use serde_json::Value;

/// One HTTP request, already read to its end.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Upper-case method: `GET`, `POST`, `PUT`, `DELETE`.
    pub method: String,
    /// Path without query, starting with `/`, not percent-decoded.
    pub path: String,
    /// Query pairs in their order, percent-decoded.
    pub query: Vec<(String, String)>,
    /// Header pairs, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Raw body bytes.
    pub body: Vec<u8>,
}

/// Headers and bodies carry keys and personal data, so only the method and the path are printed.
impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").field("method", &self.method).field("path", &self.path).finish()
    }
}

impl Request {
    /// A request without headers and body; `target` may carry a query string.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            query: decode_pairs(query),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same request with one more header; the name is put into lower case.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The same request with this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// First value of a header; `name` in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// First value of a query parameter.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as form pairs, percent-decoded and in their order.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        decode_pairs(&String::from_utf8_lossy(&self.body))
    }
}

/// One HTTP answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; 0 means: the connection is cut without an answer.
    pub status: u16,
    /// Header pairs.
    pub headers: Vec<(String, String)>,
    /// Raw body bytes.
    pub body: Vec<u8>,
}

/// Bodies carry personal data, so only the status and the length are printed.
impl std::fmt::Debug for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Response")
            .field("status", &self.status)
            .field("length", &self.body.len())
            .finish()
    }
}

impl Response {
    /// An answer without body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON answer with `content-type: application/json`.
    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::empty(status).with_header("content-type", "application/json").with_body(value.to_string())
    }

    /// No answer at all: the connection is cut after the request was executed.
    #[must_use]
    pub fn cut() -> Self {
        Self::empty(0)
    }

    /// True when the caller gets no answer.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.status == 0
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer with this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// First value of a header, the name compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON, `Null` when it is none.
    #[must_use]
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Splits `a=1&b=2` into decoded pairs. A key without `=` gets an empty value; empty pieces are skipped.
#[must_use]
pub fn decode_pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
            (percent_decode(key), percent_decode(value))
        })
        .collect()
}

/// Decodes `%41` and `+` as forms and query strings use them; broken escapes stay as they are.
#[must_use]
pub fn percent_decode(text: &str) -> String {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => decoded.push(b' '),
            b'%' => match text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                Some(byte) => {
                    decoded.push(byte);
                    at += 2;
                }
                None => decoded.push(b'%'),
            },
            byte => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_with_plus_and_percent() {
        let request = Request::new("post", "/v1/x?a%5Bb%5D=1").with_body("name=a+b%20c&broken=%zz&flag");
        assert_eq!(request.query_value("a[b]"), Some("1"));
        let form = request.form();
        assert_eq!(form[0], ("name".into(), "a b c".into()));
        assert_eq!(form[1], ("broken".into(), "%zz".into()));
        assert_eq!(form[2], ("flag".into(), String::new()));
    }

    #[test]
    fn headers_and_bodies_are_not_printed() {
        let request = Request::new("GET", "/v1/x").with_header("Authorization", "Bearer sk_test_secret");
        assert!(!format!("{request:?}").contains("secret"));
        assert_eq!(request.header("authorization"), Some("Bearer sk_test_secret"));
    }
}
