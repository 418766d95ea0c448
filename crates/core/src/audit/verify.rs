//! The verifier: needs the entries, the seals and the public key, nothing else. Green, or the first broken link named.

use std::collections::BTreeMap;

use super::chain::{Entry, Hash};
use super::seal::{Leaf, Seal, merkle_root};

/// The first thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The entry's content does not give the stored hash.
    #[error("entry {version} of stream {stream} was changed: its content does not match its hash")]
    Entry {
        /// The stream.
        stream: String,
        /// The version.
        version: i64,
    },
    /// A version is missing or out of order.
    #[error("stream {stream} jumps to version {version} where {expected} was expected: an entry is missing")]
    Gap {
        /// The stream.
        stream: String,
        /// The version found.
        version: i64,
        /// The version expected.
        expected: i64,
    },
    /// A seal names an entry that is not there, or is there with another hash.
    #[error("seal {number} covers version {version} of stream {stream}, which is missing or was rewritten")]
    Missing {
        /// The seal.
        number: i64,
        /// The stream.
        stream: String,
        /// The version.
        version: i64,
    },
    /// A seal's own content does not fit.
    #[error("seal {number} is broken: {what}")]
    Seal {
        /// The seal.
        number: i64,
        /// What does not fit.
        what: &'static str,
    },
}

/// What was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// Entries checked.
    pub entries: u64,
    /// Streams checked.
    pub streams: u64,
    /// Seals checked.
    pub seals: u64,
    /// Entries that no seal covers yet.
    pub unsealed: u64,
}

/// Checks entries as they are read, then the seals. Entries of one stream must come in order; streams may interleave.
#[derive(Debug, Default)]
pub struct Verifier {
    heads: BTreeMap<String, (i64, Hash)>,
    /// Hashes that seals may refer to: by stream, then version.
    hashes: BTreeMap<String, Vec<Hash>>,
    entries: u64,
}

impl Verifier {
    /// Checks one entry against the hash stored beside it.
    ///
    /// # Errors
    /// [`Broken`] at the first entry that does not fit.
    pub fn entry(&mut self, entry: &Entry, stored: Hash) -> Result<(), Broken> {
        let (version, before) = self.heads.get(&entry.stream).copied().unwrap_or((0, Hash::ZERO));
        let stream = || entry.stream.clone();
        if entry.version != version + 1 {
            return Err(Broken::Gap { stream: stream(), version: entry.version, expected: version + 1 });
        }
        if entry.hash(before) != stored {
            return Err(Broken::Entry { stream: stream(), version: entry.version });
        }
        self.heads.insert(stream(), (entry.version, stored));
        self.hashes.entry(stream()).or_default().push(stored);
        self.entries += 1;
        Ok(())
    }

    /// Checks the seals, in order, with their leaves.
    ///
    /// # Errors
    /// [`Broken`] at the first seal that does not fit.
    pub fn seals(&self, seals: &[(Seal, Vec<Leaf>)], public_key_hex: &str) -> Result<Verified, Broken> {
        let mut before = Hash::ZERO;
        let mut sealed: BTreeMap<&str, i64> = BTreeMap::new();
        for (index, (seal, leaves)) in seals.iter().enumerate() {
            let broken = |what| Err(Broken::Seal { number: seal.number, what });
            if i64::try_from(index + 1) != Ok(seal.number) {
                return broken("a seal before it is missing");
            }
            if seal.before != before {
                return broken("it does not continue the seal before it");
            }
            if !seal.signed_by(public_key_hex) {
                return broken("its signature is not by the given key");
            }
            if merkle_root(leaves) != seal.root || i64::try_from(leaves.len()) != Ok(seal.leaf_count) {
                return broken("its leaves do not give its root");
            }
            for leaf in leaves {
                self.leaf(seal.number, leaf)?;
                sealed.insert(&leaf.stream, leaf.version);
            }
            before = seal.hash();
        }
        let covered: i64 = sealed.values().sum();
        Ok(Verified {
            entries: self.entries,
            streams: u64::try_from(self.heads.len()).unwrap_or(u64::MAX),
            seals: u64::try_from(seals.len()).unwrap_or(u64::MAX),
            unsealed: self.entries.saturating_sub(u64::try_from(covered).unwrap_or(0)),
        })
    }

    /// The head of a stream as verified so far.
    #[must_use]
    pub fn head(&self, stream: &str) -> Option<(i64, Hash)> {
        self.heads.get(stream).copied()
    }

    fn leaf(&self, number: i64, leaf: &Leaf) -> Result<(), Broken> {
        let index = usize::try_from(leaf.version - 1).unwrap_or(usize::MAX);
        let found = self.hashes.get(&leaf.stream).and_then(|hashes| hashes.get(index));
        if found == Some(&leaf.head) {
            return Ok(());
        }
        Err(Broken::Missing { number, stream: leaf.stream.clone(), version: leaf.version })
    }
}

#[cfg(test)]
mod tests {
    use super::super::seal::SealingKey;
    use super::*;
    use crate::explain::{Actor, Care, Reason};
    use crate::time::Timestamp;

    fn entry(stream: &str, version: i64) -> Entry {
        Entry {
            organization: "org".into(),
            stream: stream.into(),
            version,
            kind: "payment.captured".into(),
            body: serde_json::json!({ "minor": version }),
            actor: Actor::System("test".into()),
            reason: Reason::of("visit"),
            care: Care::default(),
            at: Timestamp::from_seconds(version),
        }
    }

    /// Two streams with two entries each, and their hashes.
    fn journal() -> Vec<(Entry, Hash)> {
        let mut out = Vec::new();
        for stream in ["a", "b"] {
            let mut before = Hash::ZERO;
            for version in 1..=2 {
                let entry = entry(stream, version);
                before = entry.hash(before);
                out.push((entry, before));
            }
        }
        out
    }

    fn sealed() -> (SealingKey, Vec<(Seal, Vec<Leaf>)>) {
        let key = SealingKey::from_seed(&[1; 32]).unwrap();
        let leaf = |at: usize| {
            let (entry, head) = &journal()[at];
            Leaf { stream: entry.stream.clone(), version: entry.version, head: *head }
        };
        let first = Seal::close("org", None, vec![leaf(0), leaf(3)], Timestamp::from_seconds(9), &key);
        let second = Seal::close("org", Some(&first.0), vec![leaf(1)], Timestamp::from_seconds(10), &key);
        (key, vec![first, second])
    }

    fn verify(
        entries: &[(Entry, Hash)],
        seals: &[(Seal, Vec<Leaf>)],
        key: &SealingKey,
    ) -> Result<Verified, Broken> {
        let mut verifier = Verifier::default();
        for (entry, hash) in entries {
            verifier.entry(entry, *hash)?;
        }
        verifier.seals(seals, &key.public_key_hex())
    }

    #[test]
    fn an_untouched_trail_is_green() {
        let (key, seals) = sealed();
        let verified = verify(&journal(), &seals, &key).unwrap();
        assert_eq!(verified, Verified { entries: 4, streams: 2, seals: 2, unsealed: 0 });
    }

    #[test]
    fn a_changed_entry_is_named() {
        let (key, seals) = sealed();
        let mut entries = journal();
        entries[2].0.body = serde_json::json!({ "minor": 7 });
        assert_eq!(verify(&entries, &seals, &key), Err(Broken::Entry { stream: "b".into(), version: 1 }));
    }

    #[test]
    fn a_deleted_stream_and_a_cut_tail_show() {
        let (key, seals) = sealed();
        let deleted: Vec<_> = journal().into_iter().filter(|(entry, _)| entry.stream != "b").collect();
        let missing = Broken::Missing { number: 1, stream: "b".into(), version: 2 };
        assert_eq!(verify(&deleted, &seals, &key), Err(missing.clone()));
        assert_eq!(verify(&journal()[..3], &seals, &key), Err(missing));
    }

    #[test]
    fn a_chain_that_was_rewritten_from_the_start_does_not_fit_its_seal() {
        let (key, seals) = sealed();
        let mut entries = journal();
        let mut before = Hash::ZERO;
        for (entry, hash) in entries.iter_mut().filter(|(entry, _)| entry.stream == "a") {
            entry.body = serde_json::json!({ "minor": 99 });
            before = entry.hash(before);
            *hash = before;
        }
        assert!(matches!(verify(&entries, &seals, &key), Err(Broken::Missing { number: 1, .. })));
    }

    #[test]
    fn a_removed_or_reordered_seal_shows() {
        let (key, seals) = sealed();
        assert!(matches!(verify(&journal(), &seals[1..], &key), Err(Broken::Seal { number: 2, .. })));
    }
}
