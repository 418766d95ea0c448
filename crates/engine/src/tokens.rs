//! Access tokens of Epic sites: our signing keys, the public key set, and a cache of one token per connection.
//!
//! Private keys never leave this module; connectors get signatures and tokens only.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA384, RsaKeyPair,
};
use suture_connect::ehr::epic::jwks::{PublicKey, key_set};
use suture_connect::ehr::epic::token::Algorithm;
use suture_core::redact::Secret;
use suture_core::time::Timestamp;

/// The keys of one connection; the first one signs, all are published.
pub(crate) struct Tokens {
    keys: Vec<SigningKey>,
    random: SystemRandom,
    cached: Mutex<Option<Cached>>,
}

#[derive(Clone)]
struct Cached {
    token: Secret<String>,
    until: Timestamp,
}

struct SigningKey {
    kid: String,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Tokens {
    /// Reads the signing keys: `signing_key` holds entries `KID:BASE64-PKCS8`, the current one first.
    pub(crate) fn try_new(
        secrets: &BTreeMap<String, Vec<String>>,
        previous: Option<&Self>,
    ) -> Result<Self, String> {
        let entries = secrets.get("signing_key").map(Vec::as_slice).unwrap_or_default();
        let keys = entries.iter().map(|entry| read_key(entry)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err("it has no signing key; make one with `suture keys signing`".to_owned());
        }
        let same_key =
            |before: &Self| before.keys.first().map(|key| &key.kid) == keys.first().map(|key| &key.kid);
        let kept =
            previous.filter(|before| same_key(before)).and_then(|before| before.cached.lock().ok()?.clone());
        Ok(Self { keys, random: SystemRandom::new(), cached: Mutex::new(kept) })
    }

    /// The key that signs: its id and algorithm.
    pub(crate) fn current(&self) -> Option<(&str, Algorithm)> {
        self.keys.first().map(|key| {
            let algorithm = match key.pair {
                Pair::Ec(_) => Algorithm::Es384,
                Pair::Rsa(_) => Algorithm::Rs384,
            };
            (key.kid.as_str(), algorithm)
        })
    }

    /// Signs an assertion with the current key.
    pub(crate) fn sign(&self, input: &str) -> Result<Vec<u8>, String> {
        let failed = |_| "the signing key does not sign".to_owned();
        match self.keys.first().map(|key| &key.pair) {
            Some(Pair::Ec(pair)) => pair
                .sign(&self.random, input.as_bytes())
                .map(|signature| signature.as_ref().to_vec())
                .map_err(failed),
            Some(Pair::Rsa(pair)) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA384, &self.random, input.as_bytes(), &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            None => Err("there is no signing key".to_owned()),
        }
    }

    /// The public keys as a JWK set, all of them, so that a rotation has no gap.
    pub(crate) fn jwks(&self) -> Result<String, String> {
        enum Parts {
            Ec { x: Vec<u8>, y: Vec<u8> },
            Rsa { n: Vec<u8>, e: Vec<u8> },
        }
        let parts: Vec<(&str, Parts)> = self
            .keys
            .iter()
            .map(|key| {
                let parts = match &key.pair {
                    // An uncompressed point: 0x04, then 48 bytes each.
                    Pair::Ec(pair) => {
                        let point = pair.public_key().as_ref();
                        Parts::Ec { x: point[1..49].to_vec(), y: point[49..97].to_vec() }
                    }
                    Pair::Rsa(pair) => {
                        let public: ring::rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                        Parts::Rsa { n: public.n, e: public.e }
                    }
                };
                (key.kid.as_str(), parts)
            })
            .collect();
        let keys: Vec<PublicKey<'_>> = parts
            .iter()
            .map(|(kid, parts)| match parts {
                Parts::Ec { x, y } => PublicKey::EcP384 { kid, x, y },
                Parts::Rsa { n, e } => PublicKey::Rsa { kid, modulus: n, exponent: e },
            })
            .collect();
        key_set(&keys).map_err(|problem| problem.to_string())
    }

    /// The cached token, if it is good for another half minute.
    pub(crate) fn cached(&self, now: Timestamp) -> Option<Secret<String>> {
        let cached = self.cached.lock().ok()?;
        let fresh = cached.as_ref().filter(|cached| cached.until > now + std::time::Duration::from_secs(30));
        fresh.map(|cached| cached.token.clone())
    }

    /// Keeps a token until it ends.
    pub(crate) fn keep(&self, token: Secret<String>, until: Timestamp) {
        if let Ok(mut cached) = self.cached.lock() {
            *cached = Some(Cached { token, until });
        }
    }

    /// Forgets the token: the other side refused it.
    pub(crate) fn forget(&self) {
        if let Ok(mut cached) = self.cached.lock() {
            *cached = None;
        }
    }
}

/// A fresh P-384 key as an entry for `signing_key`.
///
/// # Errors
/// A sentence when the system gives no random bytes.
pub fn new_signing_key(kid: &str) -> Result<Secret<String>, String> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| "the system gave no random bytes".to_owned())?;
    Ok(Secret::new(format!("{kid}:{}", STANDARD.encode(document.as_ref()))))
}

fn read_key(entry: &str) -> Result<SigningKey, String> {
    let wrong =
        || "a signing key is written KID:BASE64, a PKCS#8 key of P-384 or RSA (2048 bits or more)".to_owned();
    let (kid, encoded) = entry.split_once(':').ok_or_else(wrong)?;
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    let pair = match EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &bytes, &SystemRandom::new())
    {
        Ok(pair) => Pair::Ec(pair),
        Err(_) => Pair::Rsa(RsaKeyPair::from_pkcs8(&bytes).map_err(|_| wrong())?),
    };
    Ok(SigningKey { kid: kid.to_owned(), pair })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_signs_and_is_published_beside_the_old_one() {
        let entry = |kid| new_signing_key(kid).unwrap().expose().clone();
        let secrets = BTreeMap::from([("signing_key".to_owned(), vec![entry("new"), entry("old")])]);
        let tokens = Tokens::try_new(&secrets, None).unwrap();
        assert_eq!(tokens.current(), Some(("new", Algorithm::Es384)));
        assert_eq!(tokens.sign("header.claims").unwrap().len(), 96);
        let jwks: serde_json::Value = serde_json::from_str(&tokens.jwks().unwrap()).unwrap();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_key_that_cannot_be_read_is_refused_without_being_repeated() {
        let secrets = BTreeMap::from([("signing_key".to_owned(), vec!["kid:c2VjcmV0".to_owned()])]);
        let refused = Tokens::try_new(&secrets, None).err().unwrap();
        assert!(!refused.contains("c2VjcmV0"), "{refused}");
    }
}
