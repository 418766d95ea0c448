//! Encryption of personal data, raw bodies and credentials at rest: AES-256-GCM, with the key's id stored beside.
//!
//! The sealed form is a 12-byte nonce followed by ciphertext and tag. The place a value belongs to is authenticated, so
//! a sealed value cannot be moved to another row. Rotation: add a new key as current, reseal, remove the old key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::Error;

/// The keys, one of which seals new values.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    current: String,
    keys: BTreeMap<String, LessSafeKey>,
    random: SystemRandom,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("current", &self.0.current)
            .field("keys", &self.0.keys.keys())
            .finish()
    }
}

impl Keyring {
    /// A keyring of 32-byte keys by id; the first one seals.
    ///
    /// # Errors
    /// [`Error::KeyMissing`] when there is none, or one is not 32 bytes long.
    pub fn new(keys: &[(String, Vec<u8>)]) -> Result<Self, Error> {
        let current = keys.first().ok_or_else(|| Error::KeyMissing("(none given)".to_owned()))?.0.clone();
        let mut ring = BTreeMap::new();
        for (id, bytes) in keys {
            let key = UnboundKey::new(&AES_256_GCM, bytes)
                .map_err(|_| Error::KeyMissing(format!("{id} (not 32 bytes)")))?;
            ring.insert(id.clone(), LessSafeKey::new(key));
        }
        Ok(Self(Arc::new(Keys { current, keys: ring, random: SystemRandom::new() })))
    }

    /// The id of the key that seals new values.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.0.current
    }

    /// Seals a value for a place.
    ///
    /// # Errors
    /// [`Error::Database`] when the system gives no random bytes.
    pub fn seal(&self, place: &str, content: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |_| Error::database("seal", "no random bytes");
        let key =
            self.0.keys.get(&self.0.current).ok_or_else(|| Error::KeyMissing(self.0.current.clone()))?;
        let mut nonce = [0; NONCE_LEN];
        self.0.random.fill(&mut nonce).map_err(failed)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + content.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(content);
        let aad = Aad::from(place.as_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, aad, &mut sealed[NONCE_LEN..]).map_err(failed)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens a value of a place.
    ///
    /// # Errors
    /// [`Error::KeyMissing`] when the key is not here, [`Error::Corrupt`] when the value was changed or moved.
    pub fn open(&self, key_id: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let corrupt = || Error::Corrupt(format!("sealed value of {place}"));
        let key = self.0.keys.get(key_id).ok_or_else(|| Error::KeyMissing(key_id.to_owned()))?;
        let (nonce, content) = sealed.split_at_checked(NONCE_LEN).ok_or_else(corrupt)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| corrupt())?;
        let mut content = content.to_vec();
        let length =
            key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut content).map_err(|_| corrupt())?.len();
        content.truncate(length);
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(ids: &[&str]) -> Keyring {
        let keys: Vec<_> =
            ids.iter().map(|id| ((*id).to_owned(), vec![u8::try_from(id.len()).unwrap(); 32])).collect();
        Keyring::new(&keys).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_place_and_unchanged() {
        let keyring = ring(&["a"]);
        let sealed = keyring.seal("personal/p1/name", b"Ann").unwrap();
        assert_eq!(keyring.open("a", "personal/p1/name", &sealed).unwrap(), b"Ann");
        assert!(keyring.open("a", "personal/p2/name", &sealed).is_err());
        let mut changed = sealed;
        changed[14] ^= 1;
        assert!(keyring.open("a", "personal/p1/name", &changed).is_err());
        assert!(keyring.open("a", "personal/p1/name", b"short").is_err());
    }

    #[test]
    fn an_old_value_opens_after_rotation_and_a_missing_key_is_named() {
        let sealed = ring(&["a"]).seal("x", b"1").unwrap();
        assert_eq!(ring(&["bb", "a"]).open("a", "x", &sealed).unwrap(), b"1");
        let missing = ring(&["bb"]).open("a", "x", &sealed).unwrap_err();
        assert!(missing.to_string().contains("key a"), "{missing}");
    }
}
