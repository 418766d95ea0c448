//! A signed proof of balance: a document of totals with its digest and signature, verified with the public key alone.
//!
//! The engine makes the document; anybody verifies it without a database. What must stay true: the digest is over canonical
//! bytes, so that white space and member order of a stored copy do not matter, and a changed digit always shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::canonical;
use crate::audit::chain::Hash;
use crate::audit::seal::{SealingKey, document_signed_by};

/// The kind of document that is signed.
const KIND: &str = "balance_proof.1";

/// A signed document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// What is proven.
    pub document: Value,
    /// The public key, 64 hexadecimal digits.
    pub public_key: String,
    /// The Ed25519 signature over the digest of the document, 128 hexadecimal digits.
    pub signature: String,
}

impl Proof {
    /// Signs a document.
    #[must_use]
    pub fn sign(document: Value, key: &SealingKey) -> Self {
        let signature = key.sign_document(KIND, digest(&document));
        Self { document, public_key: key.public_key_hex(), signature }
    }

    /// Whether the document is the one that was signed, by the key that the verifier trusts.
    #[must_use]
    pub fn signed_by(&self, public_key_hex: &str) -> bool {
        self.public_key == public_key_hex
            && document_signed_by(KIND, digest(&self.document), &self.signature, public_key_hex)
    }
}

fn digest(document: &Value) -> Hash {
    let mut out = Vec::with_capacity(1_024);
    canonical::value(&mut out, document);
    Hash::of(&out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_changed_digit_and_another_key_show() {
        let key = SealingKey::from_seed(&[1; 32]).unwrap();
        let public = key.public_key_hex();
        let proof = Proof::sign(json!({ "ledger": 175_110, "bank": 175_110 }), &key);
        assert!(proof.signed_by(&public));
        let stored: Proof = serde_json::from_str(&serde_json::to_string_pretty(&proof).unwrap()).unwrap();
        assert!(stored.signed_by(&public), "white space of a copy does not matter");
        let changed = Proof { document: json!({ "ledger": 175_111, "bank": 175_110 }), ..proof.clone() };
        assert!(!changed.signed_by(&public));
        let other = SealingKey::from_seed(&[2; 32]).unwrap().public_key_hex();
        assert!(!proof.signed_by(&other));
        assert!(!Proof { public_key: other.clone(), ..proof }.signed_by(&other));
    }
}
