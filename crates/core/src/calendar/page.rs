//! A page: which five-minute cells of one provider are busy in one month of UTC. A bitmap, stored as a blob.
//!
//! The store keeps one row per provider and month; the booking transaction reads, occupies and writes it. What must
//! stay true: no bit is set beyond the end of the month.

use super::cell;
use super::month::Month;
use crate::time::Timestamp;

/// 31 days of 288 cells, in words of 64.
const WORDS: usize = 140;
/// The cells as bytes: 31 days of 36 bytes; the last half word is never used.
const CELL_BYTES: usize = 1116;
/// Version, month and count of busy cells.
const HEAD_BYTES: usize = 7;
const VERSION: u8 = 1;

/// The busy cells of one provider in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    month: Month,
    words: Box<[u64; WORDS]>,
}

/// Bytes that are not the page they were stored as. Nothing may be booked on them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the page of {month} is corrupt: {wrong}")]
pub struct CorruptPage {
    /// The month that was expected.
    pub month: Month,
    /// What is wrong.
    pub wrong: &'static str,
}

impl Page {
    /// Length of [`Page::to_bytes`].
    pub const BYTES: usize = HEAD_BYTES + CELL_BYTES;

    /// A wholly free page.
    #[must_use]
    pub fn new(month: Month) -> Self {
        Self { month, words: Box::new([0; WORDS]) }
    }

    /// The month.
    #[must_use]
    pub const fn month(&self) -> Month {
        self.month
    }

    /// Whether nothing is busy, so that the row may go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// As stored: version, month, count of busy cells, then the cells, lowest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES + 4);
        bytes.push(VERSION);
        bytes.extend(u32::try_from(self.month.number()).unwrap_or(0).to_le_bytes());
        bytes.extend(self.busy_count().to_le_bytes());
        bytes.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.truncate(Self::BYTES);
        bytes
    }

    /// Reads what [`Page::to_bytes`] wrote for this month.
    ///
    /// # Errors
    /// [`CorruptPage`] when length, version, month, count or the end of the month do not agree.
    pub fn from_bytes(month: Month, bytes: &[u8]) -> Result<Self, CorruptPage> {
        let corrupt = |wrong| CorruptPage { month, wrong };
        let [version, m0, m1, m2, m3, c0, c1, cells @ ..] = bytes else {
            return Err(corrupt("it is too short"));
        };
        if cells.len() != CELL_BYTES {
            return Err(corrupt("it has the wrong length"));
        }
        if *version != VERSION {
            return Err(corrupt("its version is not known"));
        }
        if i64::from(u32::from_le_bytes([*m0, *m1, *m2, *m3])) != month.number() {
            return Err(corrupt("it belongs to another month"));
        }
        let mut page = Self::new(month);
        for (word, bytes) in page.words.iter_mut().zip(cells.chunks(8)) {
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(padded);
        }
        if page.busy_count() != u16::from_le_bytes([*c0, *c1]) {
            return Err(corrupt("its cells were changed"));
        }
        let beyond = page.length()..WORDS * 64;
        if page.any(beyond.start, beyond.end) {
            return Err(corrupt("cells are busy after the end of the month"));
        }
        Ok(page)
    }

    /// Makes the cells of `[from, until)` busy, as far as they lie in this month.
    pub fn occupy(&mut self, from: Timestamp, until: Timestamp) {
        let (from, until) = self.clip(from, until);
        self.each_word(from, until, |word, mask| *word |= mask);
    }

    /// Makes the cells of `[from, until)` free, as far as they lie in this month.
    pub fn release(&mut self, from: Timestamp, until: Timestamp) {
        let (from, until) = self.clip(from, until);
        self.each_word(from, until, |word, mask| *word &= !mask);
    }

    /// Whether all cells of `[from, until)` are free, as far as they lie in this month.
    #[must_use]
    pub fn is_free(&self, from: Timestamp, until: Timestamp) -> bool {
        let (from, until) = self.clip(from, until);
        !self.any(from, until)
    }

    /// The busy bits of 64 cells from the cell `offset` of this month; zero beyond its end.
    pub(super) fn word_at(&self, offset: usize) -> u64 {
        let (index, bit) = (offset / 64, offset % 64);
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        let low = word(index) >> bit;
        if bit == 0 { low } else { low | word(index + 1) << (64 - bit) }
    }

    /// The range as cells of this month. A cell that is touched at all belongs to it.
    fn clip(&self, from: Timestamp, until: Timestamp) -> (usize, usize) {
        let (start, end) = (self.month.first_cell(), self.month.end_cell());
        let clipped = |cell: i64| usize::try_from(cell.clamp(start, end) - start).unwrap_or(0);
        (clipped(cell::floor(from)), clipped(cell::ceil(until)))
    }

    /// Cells of the month.
    fn length(&self) -> usize {
        usize::try_from(self.month.end_cell() - self.month.first_cell()).unwrap_or(0)
    }

    fn busy_count(&self) -> u16 {
        let count: u32 = self.words.iter().map(|word| word.count_ones()).sum();
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    fn any(&self, from: usize, until: usize) -> bool {
        masks(from, until).any(|(index, mask)| self.words[index] & mask != 0)
    }

    fn each_word(&mut self, from: usize, until: usize, change: impl Fn(&mut u64, u64)) {
        for (index, mask) in masks(from, until) {
            change(&mut self.words[index], mask);
        }
    }
}

/// The words that hold the cells `[from, until)` of a page, each with the bits of these cells.
fn masks(from: usize, until: usize) -> impl Iterator<Item = (usize, u64)> {
    let words = if from < until { from / 64..until.div_ceil(64).min(WORDS) } else { 0..0 };
    let ones = |count: usize| if count >= 64 { u64::MAX } else { !(u64::MAX << count) };
    words.map(move |index| {
        let below = |cell: usize| ones(cell.saturating_sub(index * 64));
        (index, below(until) & !below(from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn february() -> Page {
        let mut page = Page::new(Month::of(utc("2026-02-01T00:00:00Z")));
        page.occupy(utc("2026-02-03T09:00:00Z"), utc("2026-02-03T09:45:00Z"));
        page.occupy(utc("2026-02-28T23:55:00Z"), utc("2026-03-01T01:00:00Z"));
        page
    }

    #[test]
    fn a_visit_is_busy_from_its_first_cell_to_its_last() {
        let page = february();
        assert!(!page.is_free(utc("2026-02-03T09:40:00Z"), utc("2026-02-03T10:00:00Z")));
        assert!(!page.is_free(utc("2026-02-03T08:00:00Z"), utc("2026-02-03T09:01:00Z")), "a touched cell");
        assert!(page.is_free(utc("2026-02-03T09:45:00Z"), utc("2026-02-28T23:55:00Z")));
        assert!(page.is_free(utc("2026-02-01T00:00:00Z"), utc("2026-02-03T09:00:00Z")));
        assert!(page.is_free(utc("2026-02-03T09:30:00Z"), utc("2026-02-03T09:30:00Z")), "nothing is free");
        assert!(page.is_free(utc("2026-02-03T09:30:00Z"), utc("2026-02-03T09:00:00Z")), "backwards");
    }

    #[test]
    fn what_was_released_is_free_and_its_neighbours_stay_busy() {
        let mut page = february();
        page.release(utc("2026-02-03T09:15:00Z"), utc("2026-02-03T09:30:00Z"));
        assert!(page.is_free(utc("2026-02-03T09:15:00Z"), utc("2026-02-03T09:30:00Z")));
        assert!(!page.is_free(utc("2026-02-03T09:10:00Z"), utc("2026-02-03T09:15:00Z")));
        assert!(!page.is_free(utc("2026-02-03T09:30:00Z"), utc("2026-02-03T09:35:00Z")));
        page.release(page.month().start(), page.month().end());
        assert!(page.is_empty());
    }

    #[test]
    fn a_page_comes_back_from_its_bytes() {
        let (page, full) = (february(), {
            let mut page = Page::new(Month::of(utc("2026-03-01T00:00:00Z")));
            page.occupy(page.month().start(), page.month().end());
            page
        });
        for page in [page, full] {
            let bytes = page.to_bytes();
            assert_eq!(bytes.len(), Page::BYTES);
            assert_eq!(Page::from_bytes(page.month(), &bytes), Ok(page));
        }
    }

    #[test]
    fn bytes_that_were_damaged_are_not_a_page() {
        let page = february();
        let bytes = page.to_bytes();
        let wrong = |bytes: &[u8]| Page::from_bytes(page.month(), bytes).unwrap_err().to_string();
        assert_eq!(wrong(&[]), "the page of 2026-02 is corrupt: it is too short");
        assert!(wrong(&bytes[1..]).contains("length"));
        assert!(wrong(&[&bytes[..], &[0]].concat()).contains("length"));
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            assert!(Page::from_bytes(page.month(), &damaged).is_err(), "byte {index}");
        }
        assert!(Page::from_bytes(page.month().next(), &bytes).is_err(), "another month");
    }

    #[test]
    fn a_busy_cell_after_the_end_of_the_month_is_corrupt() {
        let mut bytes = february().to_bytes();
        bytes[5] += 1;
        *bytes.last_mut().unwrap() = 128;
        let error = Page::from_bytes(february().month(), &bytes).unwrap_err();
        assert!(error.to_string().ends_with("cells are busy after the end of the month"));
    }

    #[test]
    fn a_word_of_cells_may_begin_anywhere() {
        let page = february();
        let cells = |offset: usize| {
            (0..64).filter(move |bit| page.word_at(offset) >> bit & 1 == 1).map(move |bit| bit + offset)
        };
        let (from, until) = (2 * 288 + 108, 2 * 288 + 117);
        for offset in [from - 63, from - 1, from, from + 4, until - 1, until] {
            let wanted: Vec<usize> = (from.max(offset)..until.min(offset + 64)).collect();
            assert_eq!(cells.clone()(offset).collect::<Vec<_>>(), wanted, "from {offset}");
        }
    }
}
