//! Public keys of registered clients: reading a JWK Set and checking one signature with one key.
//!
//! Called by `assertion`. Source: EPIC.md §3 (algorithms), RFC 7517 and RFC 7518 (members).
//! What must stay true: a key is used only with the algorithm family of its type.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// One public key with its id.
pub(super) struct Key {
    pub(super) kid: String,
    algorithm: Option<String>,
    material: Material,
}

enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// Uncompressed point, 0x04 and both coordinates.
    P384(Vec<u8>),
}

/// Reads a JWK Set. Keys of other types, without `kid`, or not for signatures are left out.
pub(super) fn parse_set(document: &Value) -> Result<Vec<Key>, String> {
    let keys =
        document["keys"].as_array().ok_or("the JWK Set has no `keys` array; nothing was registered")?;
    if keys.iter().any(|key| ["d", "p", "q"].iter().any(|part| !key[*part].is_null())) {
        return Err("the JWK Set holds a private key; nothing was registered, publish the public part".into());
    }
    Ok(keys.iter().filter_map(parse_key).collect())
}

fn parse_key(key: &Value) -> Option<Key> {
    if key["use"].as_str().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let material = match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => Material::Rsa { modulus: number(&key["n"])?, exponent: number(&key["e"])? },
        ("EC", Some("P-384")) => Material::P384(point(&key["x"], &key["y"])?),
        _ => return None,
    };
    Some(Key {
        kid: key["kid"].as_str()?.to_owned(),
        algorithm: key["alg"].as_str().map(str::to_owned),
        material,
    })
}

fn number(member: &Value) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(member.as_str()?).ok()?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes.get(start..)?.to_vec())
}

fn point(x: &Value, y: &Value) -> Option<Vec<u8>> {
    let mut point = vec![4];
    for coordinate in [x, y] {
        let bytes = URL_SAFE_NO_PAD.decode(coordinate.as_str()?).ok()?;
        if bytes.len() != 48 {
            return None;
        }
        point.extend_from_slice(&bytes);
    }
    Some(point)
}

impl Key {
    /// True when `signature` over `message` was made with this key and `algorithm`.
    pub(super) fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.as_deref().is_some_and(|only| only != algorithm) {
            return false;
        }
        match (&self.material, algorithm) {
            (Material::P384(point), "ES384") => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature).is_ok()
            }
            (Material::Rsa { modulus, exponent }, "RS256" | "RS384" | "RS512") => {
                let parameters = match algorithm {
                    "RS256" => &RSA_PKCS1_2048_8192_SHA256,
                    "RS512" => &RSA_PKCS1_2048_8192_SHA512,
                    _ => &RSA_PKCS1_2048_8192_SHA384,
                };
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(parameters, message, signature).is_ok()
            }
            _ => false,
        }
    }
}
