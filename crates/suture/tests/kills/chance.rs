//! Chance that comes from a seed, so that a failed story can be told again.

use std::sync::Mutex;
use suture_core::id::Random;

/// A seeded source (xorshift64*).
pub(crate) struct Chance(u64);

impl Chance {
    /// Chance from a seed.
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number.
    pub(crate) const fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below a limit.
    pub(crate) const fn below(&mut self, limit: u64) -> u64 {
        (self.number() >> 16) % limit
    }

    /// True once in so many times.
    pub(crate) const fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// Random bits for ids of engines in this process.
pub(crate) struct Bits(Mutex<Chance>);

impl Bits {
    /// Bits from a seed. Two engines on one database need different seeds.
    pub(crate) const fn of(seed: u64) -> Self {
        Self(Mutex::new(Chance::of(seed)))
    }
}

impl Random for Bits {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut chance = self.0.lock().expect("nothing panics in here");
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&chance.number().to_be_bytes());
        bytes[8..].copy_from_slice(&chance.number().to_be_bytes()[..2]);
        bytes
    }
}
