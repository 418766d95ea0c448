//! Chance from a seed: the same seed gives the same draws on every machine.
//!
//! Used for schedules and for the engine's ids. What must stay true: nothing else in this crate is random.

use std::sync::{Mutex, PoisonError};

use suture_core::id::Random;

/// A stream of draws (SplitMix64, public domain, Steele and others 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// A stream for a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`; zero when the limit is zero.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.draw() % limit).unwrap_or(0)
    }

    /// Whether something with these odds in a hundred happens.
    pub fn percent(&mut self, odds: usize) -> bool {
        self.below(100) < odds
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// The engine's source of random bits for ids.
#[derive(Debug)]
pub struct SeededRandom(Mutex<Chance>);

impl SeededRandom {
    /// Bits from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(Chance::new(seed)))
    }
}

impl Random for SeededRandom {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut chance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (high, low) = (chance.draw().to_be_bytes(), chance.draw().to_be_bytes());
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low[..2]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_draws_again() {
        let draws = |seed| (0..5).map(|_| Chance::new(seed).below(1000)).collect::<Vec<_>>();
        assert_eq!(draws(7), draws(7));
        assert_ne!(SeededRandom::new(1).ten_bytes(), SeededRandom::new(2).ten_bytes());
    }
}
