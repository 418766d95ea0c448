//! Seals: a signed Merkle root over the stream heads that changed since the seal before.
//!
//! The sealing job calls [`Seal::close`]. Because each seal is chained to the one before and names its leaves, a deleted
//! stream, a cut tail and a rewritten chain all show, and an outside anchor needs to keep only the latest seal's hash.

use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use super::canonical;
use super::chain::Hash;
use crate::time::Timestamp;

/// The head of one stream at the moment of sealing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Leaf {
    /// The stream.
    pub stream: String,
    /// Its version.
    pub version: i64,
    /// The hash of that version's entry.
    pub head: Hash,
}

impl Leaf {
    fn hash(&self) -> Hash {
        let mut out = Vec::with_capacity(96);
        out.extend_from_slice(b"suture.leaf.1");
        canonical::bytes(&mut out, self.stream.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.head.0);
        Hash::of(&out)
    }
}

/// A closed period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The tenant.
    pub organization: String,
    /// 1 for the first seal, then without gaps.
    pub number: i64,
    /// When it was closed.
    pub at: Timestamp,
    /// How many leaves it covers.
    pub leaf_count: i64,
    /// The Merkle root over the leaves in order of their streams.
    pub root: Hash,
    /// The hash of the seal before, or [`Hash::ZERO`].
    pub before: Hash,
    /// The public key, 64 hexadecimal digits.
    pub public_key: String,
    /// The Ed25519 signature over [`Seal::hash`], 128 hexadecimal digits.
    pub signature: String,
}

impl Seal {
    /// Closes a period over leaves. Leaves are sorted by stream here.
    #[must_use]
    pub fn close(
        organization: &str,
        before: Option<&Self>,
        mut leaves: Vec<Leaf>,
        at: Timestamp,
        key: &SealingKey,
    ) -> (Self, Vec<Leaf>) {
        leaves.sort();
        let mut seal = Self {
            organization: organization.to_owned(),
            number: before.map_or(1, |seal| seal.number.saturating_add(1)),
            at,
            leaf_count: i64::try_from(leaves.len()).unwrap_or(i64::MAX),
            root: merkle_root(&leaves),
            before: before.map_or(Hash::ZERO, Self::hash),
            public_key: key.public_key_hex(),
            signature: String::new(),
        };
        seal.signature = hex(key.0.sign(&seal.hash().0).as_ref());
        (seal, leaves)
    }

    /// The hash that is signed, and that the next seal refers to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut out = Vec::with_capacity(160);
        out.extend_from_slice(b"suture.seal.1");
        canonical::bytes(&mut out, self.organization.as_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.at.millis().to_be_bytes());
        out.extend_from_slice(&self.leaf_count.to_be_bytes());
        out.extend_from_slice(&self.root.0);
        out.extend_from_slice(&self.before.0);
        canonical::bytes(&mut out, self.public_key.as_bytes());
        Hash::of(&out)
    }

    /// Whether the signature is by the key that the verifier trusts.
    #[must_use]
    pub fn signed_by(&self, public_key_hex: &str) -> bool {
        let (Some(key), Some(signature)) = (unhex(public_key_hex), unhex(&self.signature)) else {
            return false;
        };
        self.public_key == public_key_hex
            && UnparsedPublicKey::new(&ED25519, key).verify(&self.hash().0, &signature).is_ok()
    }
}

/// The Ed25519 key that signs seals, and the root of other keys of the house.
pub struct SealingKey(Ed25519KeyPair, hmac::Key);

impl SealingKey {
    /// From a 32-byte seed, which the caller reads from the key file.
    ///
    /// # Errors
    /// [`NotASeed`] when the seed has another length.
    pub fn from_seed(seed: &[u8]) -> Result<Self, NotASeed> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NotASeed)?;
        Ok(Self(pair, hmac::Key::new(hmac::HMAC_SHA256, seed)))
    }

    /// A key for another purpose, made from the same seed. A label never means two things.
    #[must_use]
    pub fn derived(&self, label: &'static str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.1, label.as_bytes()).as_ref())
    }

    /// The Ed25519 signature over the digest of a document of some kind, 128 hexadecimal digits. The kind is signed too, so a
    /// signature is never taken for one of another kind, nor for a seal's.
    #[must_use]
    pub fn sign_document(&self, kind: &'static str, digest: Hash) -> String {
        hex(self.0.sign(&document_hash(kind, digest).0).as_ref())
    }

    /// The public key, 64 hexadecimal digits: all that a verifier needs.
    #[must_use]
    pub fn public_key_hex(&self) -> String {
        use ring::signature::KeyPair as _;
        hex(self.0.public_key().as_ref())
    }
}

/// Whether a document of this kind with this digest was signed by the key that the verifier trusts.
#[must_use]
pub fn document_signed_by(kind: &'static str, digest: Hash, signature: &str, public_key_hex: &str) -> bool {
    let (Some(key), Some(signature)) = (unhex(public_key_hex), unhex(signature)) else { return false };
    UnparsedPublicKey::new(&ED25519, key).verify(&document_hash(kind, digest).0, &signature).is_ok()
}

fn document_hash(kind: &str, digest: Hash) -> Hash {
    let mut out = Vec::with_capacity(96);
    out.extend_from_slice(b"suture.document.1");
    canonical::bytes(&mut out, kind.as_bytes());
    out.extend_from_slice(&digest.0);
    Hash::of(&out)
}

/// The seed is not 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealing key is a seed of 32 bytes")]
pub struct NotASeed;

/// The Merkle root of leaves in their order: leaf hashes paired level by level; an odd one is carried up unchanged.
#[must_use]
pub fn merkle_root(leaves: &[Leaf]) -> Hash {
    let mut level: Vec<Hash> = leaves.iter().map(Leaf::hash).collect();
    while level.len() > 1 {
        level = level.chunks(2).map(parent).collect();
    }
    level.first().copied().unwrap_or(Hash::ZERO)
}

fn parent(pair: &[Hash]) -> Hash {
    match pair {
        [left, right] => {
            let mut out = Vec::with_capacity(80);
            out.extend_from_slice(b"suture.node.1");
            out.extend_from_slice(&left.0);
            out.extend_from_slice(&right.0);
            Hash::of(&out)
        }
        [only] => *only,
        _ => Hash::ZERO,
    }
}

fn hex(content: &[u8]) -> String {
    content.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(stream: &str) -> Leaf {
        Leaf { stream: stream.into(), version: 1, head: Hash::of(stream.as_bytes()) }
    }

    #[test]
    fn a_seal_is_valid_only_for_its_own_content_and_key() {
        let key = SealingKey::from_seed(&[1; 32]).unwrap();
        let (seal, _) =
            Seal::close("org", None, vec![leaf("b"), leaf("a")], Timestamp::from_seconds(5), &key);
        assert!(seal.signed_by(&key.public_key_hex()));
        let other = SealingKey::from_seed(&[2; 32]).unwrap();
        assert!(!seal.signed_by(&other.public_key_hex()));
        let forged = Seal { leaf_count: 1, ..seal };
        assert!(!forged.signed_by(&key.public_key_hex()));
    }

    #[test]
    fn a_signature_holds_for_one_document_of_one_kind_by_one_key() {
        let key = SealingKey::from_seed(&[1; 32]).unwrap();
        let (digest, public) = (Hash::of(b"report"), key.public_key_hex());
        let signature = key.sign_document("report.1", digest);
        assert!(document_signed_by("report.1", digest, &signature, &public));
        assert!(!document_signed_by("report.2", digest, &signature, &public), "another kind");
        assert!(!document_signed_by("report.1", Hash::of(b"other"), &signature, &public), "another document");
        let other = SealingKey::from_seed(&[2; 32]).unwrap().public_key_hex();
        assert!(!document_signed_by("report.1", digest, &signature, &other), "another key");
        assert!(!document_signed_by("report.1", digest, "zz", &public), "no signature at all");
    }

    #[test]
    fn the_root_depends_on_every_leaf_and_on_their_number() {
        let names = ["a", "b", "c", "d", "e"];
        let roots: std::collections::BTreeSet<Hash> = (0..=names.len())
            .map(|n| merkle_root(&names[..n].iter().map(|name| leaf(name)).collect::<Vec<_>>()))
            .collect();
        assert_eq!(roots.len(), names.len() + 1);
    }
}
