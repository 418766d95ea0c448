//! The only source of chance in the Epic world: a small seeded generator (SplitMix64).
//!
//! What must stay true: the same seed and the same calls give the same tokens, ids and lost answers.

/// State of the generator.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// True in `per_million` of a million draws.
    pub(super) fn hits(&mut self, per_million: u64) -> bool {
        self.draw() % 1_000_000 < per_million
    }

    /// An opaque text of 32 or 64 hexadecimal digits.
    pub(super) fn opaque(&mut self, long: bool) -> String {
        let mut text = format!("{:016x}{:016x}", self.draw(), self.draw());
        if long {
            text.push_str(&format!("{:016x}{:016x}", self.draw(), self.draw()));
        }
        text
    }
}
