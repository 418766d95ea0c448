//! Which addresses an endpoint may have, so that nobody makes this server knock on doors inside the house.
//!
//! A live organization's endpoint is reached by https and lies in the public internet. What a name resolves to is checked
//! again when the message is sent: see `egress`. A sandbox organization, which knows nobody, may send anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use suture_core::refusal::Refusal;

/// The longest address.
const URL_BYTES_MAX: usize = 2048;

/// Checks an endpoint's address and gives it back in its normal form.
///
/// # Errors
/// A refusal that says what is wrong with it.
pub(crate) fn check(text: &str, sandbox: bool) -> Result<String, Refusal> {
    if text.len() > URL_BYTES_MAX {
        return Err(refused("it is longer than 2048 bytes"));
    }
    let url = Url::parse(text).map_err(|_| refused("it is not a URL such as https://example.org/suture"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds credentials; the signature proves who sends"));
    }
    if url.fragment().is_some() {
        return Err(refused("it holds a fragment (#…), which is never sent"));
    }
    match (url.scheme(), sandbox) {
        ("https", _) | ("http", true) => {}
        ("http", false) => return Err(refused("a live organization sends by https only")),
        _ => return Err(refused("it is neither https nor http")),
    }
    let Some(host) = url.host_str() else { return Err(refused("it has no host")) };
    if !sandbox && is_inside(host) {
        return Err(refused("it is a private or local address, which a live organization does not send to"));
    }
    Ok(url.to_string())
}

/// Whether a host is known to be inside without asking anybody: a literal address, or a name that means this machine.
pub(crate) fn is_inside(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().is_ok_and(|address| !is_public(address))
}

/// Whether an address lies in the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The ranges of <https://www.iana.org/assignments/iana-ipv4-special-registry> that are not globally reachable, and
/// multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let inside = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !inside
}

/// Only 2000::/3 is given out; of it, not the ranges that wrap an IPv4 address or belong to documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    if let Some(wrapped) = address.to_ipv4_mapped() {
        return is_public_v4(wrapped);
    }
    let tunnels =
        first == 0x2002 || (first == 0x2001 && second < 0x0200) || (first == 0x2001 && second == 0x0db8);
    first & 0xe000 == 0x2000 && !tunnels
}

fn refused(why: &str) -> Refusal {
    Refusal::invalid("endpoint_url_refused", format!("Nothing was changed. The URL is refused: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_endpoint_is_public_and_https() {
        assert_eq!(check("https://Example.org/a?b=1", false).unwrap(), "https://example.org/a?b=1");
        for wrong in [
            "http://example.org/",
            "https://localhost/",
            "https://a.localhost./",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::a00:1]/",
            "https://0.0.0.0/",
        ] {
            assert_eq!(check(wrong, false).unwrap_err().code, "endpoint_url_refused", "{wrong}");
        }
        assert!(check("https://93.184.216.34/", false).is_ok());
        assert!(check("https://[2606:2800:220:1::1]/", false).is_ok());
    }

    #[test]
    fn a_sandbox_endpoint_may_be_on_this_machine() {
        assert!(check("http://127.0.0.1:9000/hook", true).is_ok());
    }

    #[test]
    fn nobody_s_endpoint_holds_credentials_or_is_no_web_address() {
        let long = format!("https://example.org/{}", "x".repeat(2048));
        for wrong in [
            "https://a:b@example.org/",
            "https://a@example.org",
            "ftp://example.org",
            "file:///etc",
            "x",
            &long,
        ] {
            for sandbox in [true, false] {
                assert!(check(wrong, sandbox).is_err(), "{wrong}");
            }
        }
        assert!(check("https://example.org/#part", true).is_err());
    }
}
