//! Requests of the engine as requests of the sandbox, and answers back.

use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse};
use suture_sandbox::wire::{Request, Response};

/// Host and target (path with query) of an absolute URL.
pub(super) fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or((rest, "/"), |at| rest.split_at(at))
}

/// The request as it arrives.
pub(super) fn arriving(request: &HttpRequest) -> Request {
    let (host, target) = split(&request.url);
    let mut arriving = Request::new(request.method.as_str(), target).with_header("host", host);
    for (name, value) in &request.headers {
        let text = match value {
            HeaderValue::Text(text) => text,
            HeaderValue::Secret(secret) => secret.expose(),
        };
        arriving = arriving.with_header(name, text);
    }
    arriving.with_body(request.body.clone())
}

/// The answer as it comes back; `None` when the connection was cut.
pub(super) fn returning(response: Response) -> Option<HttpResponse> {
    if response.is_cut() {
        return None;
    }
    let headers =
        response.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    Some(HttpResponse { status: response.status, headers, body: response.body })
}
