//! Journal entries and the hash that links each to the one before it in its stream.

use std::fmt;

use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical;
use crate::explain::{Actor, Care, Reason};
use crate::time::Timestamp;

/// A SHA-256 hash, shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What stands before the first entry of a stream, and before the first seal.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of bytes.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, content).as_ref());
        Self(hash)
    }

    /// Parses 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not 64 hexadecimal digits"))
    }
}

/// One event as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The tenant.
    pub organization: String,
    /// The stream: the id of one aggregate.
    pub stream: String,
    /// 1 for the first entry of the stream, then without gaps.
    pub version: i64,
    /// The event's type, for example `payment.captured`.
    pub kind: String,
    /// The event: ids, codes, amounts and times. No names, record numbers or free text.
    pub body: Value,
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
    /// For which act of care.
    pub care: Care,
    /// When.
    pub at: Timestamp,
}

/// An entry by reference, for hashing without copies.
#[derive(Debug, Clone, Copy)]
pub struct EntryRef<'a> {
    /// The tenant.
    pub organization: &'a str,
    /// The stream.
    pub stream: &'a str,
    /// The version.
    pub version: i64,
    /// The event's type.
    pub kind: &'a str,
    /// The event.
    pub body: &'a Value,
    /// Who.
    pub actor: &'a Actor,
    /// Why.
    pub reason: &'a Reason,
    /// For which act of care.
    pub care: &'a Care,
    /// When.
    pub at: Timestamp,
}

impl EntryRef<'_> {
    /// The hash of this entry on top of the hash before it.
    #[must_use]
    pub fn hash(&self, before: Hash) -> Hash {
        let mut out = Vec::with_capacity(1024);
        out.extend_from_slice(b"suture.journal.1");
        out.extend_from_slice(&before.0);
        canonical::bytes(&mut out, self.organization.as_bytes());
        canonical::bytes(&mut out, self.stream.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        canonical::bytes(&mut out, self.kind.as_bytes());
        let (kind, id) = self.actor.parts();
        canonical::bytes(&mut out, kind.as_bytes());
        canonical::bytes(&mut out, id.as_bytes());
        canonical::bytes(&mut out, self.reason.as_str().as_bytes());
        let care = self.care;
        let links =
            [&care.patient, &care.appointment, &care.account, &care.payment, &care.encounter, &care.outcome];
        for link in links {
            canonical::optional(&mut out, link.as_deref());
        }
        out.extend_from_slice(&self.at.millis().to_be_bytes());
        canonical::value(&mut out, self.body);
        Hash::of(&out)
    }
}

impl Entry {
    /// The hash of this entry on top of the hash before it.
    #[must_use]
    pub fn hash(&self, before: Hash) -> Hash {
        EntryRef {
            organization: &self.organization,
            stream: &self.stream,
            version: self.version,
            kind: &self.kind,
            body: &self.body,
            actor: &self.actor,
            reason: &self.reason,
            care: &self.care,
            at: self.at,
        }
        .hash(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            organization: "org_1".into(),
            stream: "pay_1".into(),
            version: 1,
            kind: "payment.captured".into(),
            body: serde_json::json!({ "amount": { "minor": 12000, "currency": "USD" } }),
            actor: Actor::System("test".into()),
            reason: Reason::of("visit"),
            care: Care::default(),
            at: Timestamp::from_seconds(1),
        }
    }

    #[test]
    fn every_field_is_under_the_hash() {
        let original = entry().hash(Hash::ZERO);
        let changes: Vec<fn(&mut Entry)> = vec![
            |e| e.organization.push('x'),
            |e| e.stream.push('x'),
            |e| e.version += 1,
            |e| e.kind.push('x'),
            |e| e.body["amount"]["minor"] = 12001.into(),
            |e| e.actor = Actor::Operator("test".into()),
            |e| e.actor = Actor::System("other".into()),
            |e| e.reason = Reason::of("other"),
            |e| e.care.patient = Some("x".into()),
            |e| e.care.account = Some("x".into()),
            |e| e.care.appointment = Some("x".into()),
            |e| e.care.payment = Some("x".into()),
            |e| e.care.encounter = Some("x".into()),
            |e| e.care.outcome = Some("x".into()),
            |e| e.at = Timestamp::from_seconds(2),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut changed = entry();
            change(&mut changed);
            assert_ne!(changed.hash(Hash::ZERO), original, "change {index}");
        }
        assert_ne!(entry().hash(original), original);
    }

    #[test]
    fn the_hash_of_a_known_entry_never_changes() {
        let known = "8244212089a2d6253f8b397e7c8e027a5b649e7753ed372c24e05d64ae7fe41e";
        assert_eq!(entry().hash(Hash::ZERO).to_string(), known);
    }
}
