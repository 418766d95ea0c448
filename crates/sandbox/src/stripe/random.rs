//! Seeded chance and ids. The same seed and the same calls give the same ids.
//!
//! What must stay true: ids of one kind sort in the order of their making, which keeps indexes compact and listings
//! readable, and no clock or system randomness is read.

use std::sync::Arc;

/// An id such as `pi_3…`, shared by everything that refers to it.
pub(crate) type Id = Arc<str>;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
    made: u64,
}

impl Random {
    /// A generator; equal seeds give equal sequences.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, made: 0 }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// True in `per_million` of a million cases.
    pub(crate) fn chance(&mut self, per_million: u64) -> bool {
        per_million > 0 && self.below(1_000_000) < per_million
    }

    /// A new id: prefix, `3`, eight letters that count up, fifteen letters of chance.
    pub(crate) fn id(&mut self, prefix: &str) -> Id {
        self.made += 1;
        let mut id = String::with_capacity(prefix.len() + 24);
        id.push_str(prefix);
        id.push('3');
        let mut power = 62_u64.pow(7);
        for _ in 0..8 {
            id.push(letter(self.made / power));
            power = (power / 62).max(1);
        }
        let mut bits = self.next();
        for _ in 0..8 {
            id.push(letter(bits));
            bits /= 62;
        }
        bits = self.next();
        for _ in 0..7 {
            id.push(letter(bits));
            bits /= 62;
        }
        id.into()
    }
}

/// Letters that follow from a text: for client secrets and fingerprints, which must not change between renderings.
pub(crate) fn derived(text: &str, length: usize) -> String {
    let mut state = text
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3));
    (0..length)
        .map(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            letter(mix(state))
        })
        .collect()
}

fn letter(number: u64) -> char {
    usize::try_from(number % 62).map_or('0', |at| char::from(LETTERS[at]))
}

fn mix(state: u64) -> u64 {
    let mut mixed = state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_ids_that_sort_by_making() {
        let mut one = Random::new(7);
        let mut two = Random::new(7);
        let first = one.id("pi_");
        assert_eq!(first, two.id("pi_"));
        assert_eq!(first.len(), 27);
        let ids: Vec<Id> = (0..200).map(|_| one.id("pi_")).collect();
        assert!(ids.is_sorted());
    }
}
