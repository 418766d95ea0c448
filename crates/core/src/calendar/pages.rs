//! The pages of one provider, so that a range may cross from one month into the next.
//!
//! An absent page is wholly free: whoever books must have loaded the pages of every month that the range touches
//! ([`Month::touched`] of the visit with its buffers).

use std::collections::BTreeMap;

use super::cell;
use super::month::Month;
use super::page::Page;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// The pages of one provider by month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pages(BTreeMap<Month, Page>);

impl Pages {
    /// Nothing is busy.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds or replaces the page of its month.
    pub fn insert(&mut self, page: Page) {
        self.0.insert(page.month(), page);
    }

    /// The page of a month, if anything was ever busy in it.
    #[must_use]
    pub fn get(&self, month: Month) -> Option<&Page> {
        self.0.get(&month)
    }

    /// The pages in order.
    pub fn iter(&self) -> impl Iterator<Item = &Page> {
        self.0.values()
    }

    /// Makes all cells of `[from, until)` busy, or none of them.
    ///
    /// # Errors
    /// `slot_taken` when one of them is busy already.
    pub fn occupy(&mut self, from: Timestamp, until: Timestamp) -> Result<(), Refusal> {
        if !self.is_free(from, until) {
            return Err(taken());
        }
        self.block(from, until);
        Ok(())
    }

    /// Makes all cells of `[from, until)` busy, whatever they were: for bookings that were made elsewhere. Releasing one
    /// of two that overlap frees the cells of both.
    pub fn block(&mut self, from: Timestamp, until: Timestamp) {
        for month in Month::touched(from, until) {
            self.0.entry(month).or_insert_with(|| Page::new(month)).occupy(from, until);
        }
    }

    /// Makes all cells of `[from, until)` free. Twice is the same as once.
    pub fn release(&mut self, from: Timestamp, until: Timestamp) {
        for month in Month::touched(from, until) {
            if let Some(page) = self.0.get_mut(&month) {
                page.release(from, until);
            }
        }
    }

    /// Whether all cells of `[from, until)` are free.
    #[must_use]
    pub fn is_free(&self, from: Timestamp, until: Timestamp) -> bool {
        let (first, last) = (Month::of(from), Month::of(until));
        from >= until || self.0.range(first..=last).all(|(_, page)| page.is_free(from, until))
    }
}

/// Somebody else has the time.
pub(super) fn taken() -> Refusal {
    Refusal::state(
        "slot_taken",
        "Nothing was booked: this time was just taken. Choose another of the open times.",
    )
}

/// Reads busy cells word by word across months, and remembers the month it is in.
pub(super) struct Cursor<'a> {
    pages: &'a Pages,
    page: Option<&'a Page>,
    /// The cells of the month.
    start: i64,
    end: i64,
    month: Month,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(pages: &'a Pages, cell: i64) -> Self {
        let month = Month::of(cell::begin(cell));
        let (start, end) = (month.first_cell(), month.end_cell());
        Self { pages, page: pages.get(month), start, end, month }
    }

    /// The busy bits of the 64 cells from `cell`.
    pub(super) fn busy(&mut self, cell: i64) -> u64 {
        if !(self.start..self.end).contains(&cell) {
            *self = Self::new(self.pages, cell);
        }
        let here = match (self.page, usize::try_from(cell - self.start)) {
            (Some(page), Ok(offset)) => page.word_at(offset),
            _ => 0,
        };
        match u32::try_from(self.end - cell) {
            Ok(left) if left < 64 => {
                here | self.pages.get(self.month.next()).map_or(0, |page| page.word_at(0)) << left
            }
            _ => here,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_visit_over_the_end_of_a_month_is_busy_in_both() {
        let mut pages = Pages::new();
        let (from, until) = (utc("2026-01-31T23:30:00Z"), utc("2026-02-01T00:30:00Z"));
        pages.occupy(from, until).unwrap();
        assert_eq!(pages.iter().count(), 2);
        assert!(!pages.is_free(utc("2026-01-31T23:00:00Z"), utc("2026-01-31T23:35:00Z")));
        assert!(!pages.is_free(utc("2026-02-01T00:25:00Z"), utc("2026-02-01T09:00:00Z")));
        assert!(pages.is_free(utc("2026-02-01T00:30:00Z"), utc("2026-02-28T09:00:00Z")));
        pages.release(from, until);
        assert!(pages.iter().all(Page::is_empty));
    }

    #[test]
    fn a_range_that_is_taken_in_part_is_refused_whole() {
        let mut pages = Pages::new();
        pages.occupy(utc("2026-02-01T00:00:00Z"), utc("2026-02-01T00:30:00Z")).unwrap();
        let before = pages.clone();
        let refused = pages.occupy(utc("2026-01-31T23:00:00Z"), utc("2026-02-01T00:05:00Z")).unwrap_err();
        assert_eq!(refused.code, "slot_taken");
        assert_eq!(pages, before);
    }

    #[test]
    fn a_cursor_reads_across_the_end_of_a_month_in_both_directions() {
        let mut pages = Pages::new();
        let border = Month::of(utc("2026-02-01T00:00:00Z")).first_cell();
        pages.block(cell::begin(border - 2), cell::begin(border + 3));
        let mut cursor = Cursor::new(&pages, border + 1000);
        assert_eq!(cursor.busy(border - 10), 0b1_1111 << 8);
        assert_eq!(cursor.busy(border), 0b111);
        assert_eq!(cursor.busy(border - 64), 0b11 << 62);
        assert_eq!(cursor.busy(border + 3), 0);
        assert_eq!(cursor.busy(border - 5000), 0);
    }
}
