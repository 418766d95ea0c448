//! Our public keys as a JWK Set, the document that Epic fetches from the registered URL.
//!
//! Served by the API or exported for static hosting. At least two keys must fit, for rotation (EPIC.md §3). Private
//! keys are never seen here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

/// A public key and the id under which assertions name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicKey<'a> {
    /// RSA, for RS384. Big-endian unsigned integers.
    Rsa {
        /// The key id.
        kid: &'a str,
        /// The modulus, at least 2048 bits.
        modulus: &'a [u8],
        /// The public exponent.
        exponent: &'a [u8],
    },
    /// The elliptic curve P-384, for ES384. 48 bytes each.
    EcP384 {
        /// The key id.
        kid: &'a str,
        /// The x coordinate.
        x: &'a [u8],
        /// The y coordinate.
        y: &'a [u8],
    },
}

/// Why a key set cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// Shorter than Epic takes.
    #[error("the RSA key {0:?} has fewer than 2048 bits")]
    RsaTooShort(String),
    /// Not a point of the curve's size.
    #[error("the coordinates of the P-384 key {0:?} are not 48 bytes each")]
    WrongCoordinates(String),
    /// No exponent.
    #[error("the RSA key {0:?} has no public exponent")]
    NoExponent(String),
    /// A key id is empty.
    #[error("a key has no id")]
    NoId,
    /// Two keys share an id, so Epic could not tell them apart.
    #[error("the key id {0:?} is used twice")]
    SameId(String),
}

#[derive(Serialize)]
struct Document {
    keys: Vec<Jwk>,
}

/// RFC 7517, RFC 7518 §6.
#[derive(Serialize)]
struct Jwk {
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    kid: String,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Numbers {
    Rsa { n: String, e: String },
    Ec { crv: &'static str, x: String, y: String },
}

/// The document, as JSON text. The same keys give the same text.
///
/// # Errors
/// [`KeyProblem`] for the first key that Epic would not take.
pub fn key_set(keys: &[PublicKey<'_>]) -> Result<String, KeyProblem> {
    let mut document = Document { keys: Vec::new() };
    for key in keys {
        let jwk = jwk(*key)?;
        if jwk.kid.is_empty() {
            return Err(KeyProblem::NoId);
        }
        if document.keys.iter().any(|other| other.kid == jwk.kid) {
            return Err(KeyProblem::SameId(jwk.kid));
        }
        document.keys.push(jwk);
    }
    // Text and lists of text always serialize.
    Ok(serde_json::to_string(&document).unwrap_or_default())
}

fn jwk(key: PublicKey<'_>) -> Result<Jwk, KeyProblem> {
    match key {
        PublicKey::Rsa { kid, modulus, exponent } => {
            let (modulus, exponent) = (without_leading_zeros(modulus), without_leading_zeros(exponent));
            let top_bit = modulus.first().is_some_and(|byte| byte & 0x80 != 0);
            if modulus.len() < 256 || (modulus.len() == 256 && !top_bit) {
                return Err(KeyProblem::RsaTooShort(kid.to_owned()));
            }
            if exponent.is_empty() {
                return Err(KeyProblem::NoExponent(kid.to_owned()));
            }
            let numbers = Numbers::Rsa { n: base64url(modulus), e: base64url(exponent) };
            Ok(Jwk { kty: "RSA", usage: "sig", alg: "RS384", kid: kid.to_owned(), numbers })
        }
        PublicKey::EcP384 { kid, x, y } => {
            // RFC 7518 §6.2.1.2: leading zeros belong to a coordinate.
            if x.len() != 48 || y.len() != 48 {
                return Err(KeyProblem::WrongCoordinates(kid.to_owned()));
            }
            let numbers = Numbers::Ec { crv: "P-384", x: base64url(x), y: base64url(y) };
            Ok(Jwk { kty: "EC", usage: "sig", alg: "ES384", kid: kid.to_owned(), numbers })
        }
    }
}

/// RFC 7518 §6.3.1.1: the modulus has no leading zeros, but many libraries give one.
fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[start..]
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_live_keys_are_published_side_by_side() {
        let modulus = [&[0, 0x80][..], &[1; 255]].concat();
        let old = PublicKey::Rsa { kid: "old", modulus: &modulus, exponent: &[1, 0, 1] };
        let new = PublicKey::EcP384 { kid: "new", x: &[0; 48], y: &[7; 48] };
        let text = key_set(&[old, new]).unwrap();
        let start = r#"{"keys":[{"kty":"RSA","use":"sig","alg":"RS384","kid":"old","n":"gAEBAQ"#;
        assert!(text.starts_with(start), "{text}");
        assert!(
            text.contains(r#""e":"AQAB"},{"kty":"EC","use":"sig","alg":"ES384","kid":"new","crv":"P-384""#)
        );
        assert_eq!(key_set(&[old, new]).unwrap(), text);
    }

    #[test]
    fn keys_that_epic_would_not_take_are_refused() {
        let short = PublicKey::Rsa { kid: "a", modulus: &[0x7f; 256], exponent: &[1, 0, 1] };
        assert_eq!(key_set(&[short]), Err(KeyProblem::RsaTooShort("a".to_owned())));
        let point = PublicKey::EcP384 { kid: "b", x: &[1; 47], y: &[1; 48] };
        assert_eq!(key_set(&[point]), Err(KeyProblem::WrongCoordinates("b".to_owned())));
        let good = PublicKey::EcP384 { kid: "c", x: &[1; 48], y: &[1; 48] };
        assert_eq!(key_set(&[good, good]), Err(KeyProblem::SameId("c".to_owned())));
    }
}
