//! Signatures of messages, as Standard Webhooks defines them: `v1,` and the base64 of HMAC-SHA256 over
//! `id.timestamp.body`, keyed by the bytes behind `whsec_`.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
//!
//! Invariant: a secret leaves this module only as a signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use suture_core::id::Random;
use suture_core::redact::Secret;

/// Bytes of a secret; the standard asks for 24 to 64.
const SECRET_BYTES: usize = 32;
/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// A fresh secret: `whsec_` and base64.
pub(crate) fn new_secret(random: &dyn Random) -> Secret<String> {
    let bytes: Vec<u8> = (0..4).flat_map(|_| random.ten_bytes()).take(SECRET_BYTES).collect();
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The value of `webhook-signature`: one signature for each secret that is valid now, separated by spaces.
pub(crate) fn sign(secrets: &[&Secret<String>], (id, seconds): (&str, i64), body: &[u8]) -> String {
    let one = |secret: &&Secret<String>| {
        let text = secret.expose().strip_prefix(PREFIX).unwrap_or(secret.expose());
        // Secrets are made here, so they decode; one that does not is used as it stands.
        let bytes = STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::*;

    /// HMAC as RFC 2104 defines it, over a plain digest.
    fn by_hand(key: &[u8], message: &[u8]) -> Vec<u8> {
        let pad = |with: u8| {
            let mut block = [with; 64];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            block.to_vec()
        };
        let inner = digest(&SHA256, &[pad(0x36).as_slice(), message].concat());
        digest(&SHA256, &[pad(0x5c).as_slice(), inner.as_ref()].concat()).as_ref().to_vec()
    }

    #[test]
    fn a_signature_is_the_hmac_of_id_time_and_body() {
        let key: Vec<u8> = (1..=32).collect();
        let secret = Secret::new(format!("whsec_{}", STANDARD.encode(&key)));
        let expected = by_hand(&key, b"evt_pay_1_2.1763700000.{\"a\":1}");
        let signed = sign(&[&secret], ("evt_pay_1_2", 1_763_700_000), b"{\"a\":1}");
        assert_eq!(signed, format!("v1,{}", STANDARD.encode(expected)));
    }

    #[test]
    fn while_secrets_overlap_both_sign() {
        let (new, old) = (Secret::new("whsec_bmV3".to_owned()), Secret::new("whsec_b2xk".to_owned()));
        let both = sign(&[&new, &old], ("evt_1", 1), b"{}");
        let alone: Vec<String> = [&new, &old].map(|one| sign(&[one], ("evt_1", 1), b"{}")).to_vec();
        assert_eq!(both, alone.join(" "));
        assert_ne!(alone[0], alone[1]);
    }

    #[test]
    fn a_fresh_secret_is_thirty_two_bytes() {
        struct Fixed;
        impl Random for Fixed {
            fn ten_bytes(&self) -> [u8; 10] {
                [7; 10]
            }
        }
        let secret = new_secret(&Fixed);
        let text = secret.expose().strip_prefix("whsec_").unwrap();
        assert_eq!(STANDARD.decode(text).unwrap(), [7; 32]);
    }
}
