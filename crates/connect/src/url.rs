//! Text that goes into URLs and form bodies, and the origin of a URL.
//!
//! Invariant: text from outside is percent-encoded, so it can never add a path segment, a parameter or a host.

use std::fmt::Write;

/// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `name=value&…`, valid both as a query and as `application/x-www-form-urlencoded`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// Puts a path behind a base URL, with exactly one slash between them.
pub(super) fn join(base: &str, path: &str) -> String {
    format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
}

/// Scheme, host and port: who receives a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: u16,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// The origin of an absolute http or https URL.
///
/// `None` for everything that two URL readers could understand differently: user names, backslashes, blanks, control
/// characters, anything but ASCII.
pub(super) fn origin(url: &str) -> Option<Origin> {
    if url.bytes().any(|byte| !(0x21..=0x7e).contains(&byte) || byte == b'\\') {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let standard_port = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, standard_port),
    };
    if host.is_empty() {
        return None;
    }
    Some(Origin { scheme, host: host.to_ascii_lowercase(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_leave_its_place() {
        assert_eq!(encode("../Patient?x=1&y=é"), "..%2FPatient%3Fx%3D1%26y%3D%C3%A9");
        assert_eq!(form(&[("identifier", "urn:oid:1|A&B")]), "identifier=urn%3Aoid%3A1%7CA%26B");
    }

    #[test]
    fn the_same_origin_may_be_written_in_several_ways() {
        assert_eq!(origin("https://Epic.Example/a"), origin("HTTPS://epic.example:443?b"));
        assert_ne!(origin("https://epic.example/a"), origin("http://epic.example/a"));
        assert_ne!(origin("https://epic.example/a"), origin("https://epic.example:8443/a"));
    }

    #[test]
    fn a_url_that_can_be_read_in_two_ways_has_no_origin() {
        for url in [
            "https://epic.example@evil.example/",
            "https://epic.example\\@evil.example/",
            "https://epic.example /",
            "//epic.example/",
            "/relative",
            "ftp://epic.example/",
            "https:///path",
            "https://epic.example:port/",
            "https://épic.example/",
            "",
        ] {
            assert_eq!(origin(url), None, "{url}");
        }
    }
}
