//! Which starts can be booked: the list that a patient sees, and the check that the booking transaction makes.
//!
//! [`openings`] works on words of 64 cells, because it looks at months of hundreds of providers at once; [`admits`]
//! looks at one start and gives the reason. What must stay true, and is tested: a start is in the list if and only if
//! the check admits it.

use std::ops::Range;

use super::cell;
use super::expanded::{Expanded, Span};
use super::need::Need;
use super::pages::{Cursor, Pages, taken};
use super::rules::Rules;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Words that hold 64 starts with the longest visit and both its buffers: 64 + 240 cells.
const WORDS: usize = 5;

/// The starts in `[from, until)` that can be booked at `now`, in order, at most `limit`.
///
/// Only months that were expanded are looked at. A need that does not pass [`Need::check`] has no starts.
#[must_use]
pub fn openings(
    expanded: &Expanded,
    pages: &Pages,
    need: &Need,
    now: Timestamp,
    between: Range<Timestamp>,
    limit: usize,
) -> Vec<Timestamp> {
    Starts::new(expanded, pages, need, now, &between).take(limit).collect()
}

/// The first start in `[from, until)` that can be booked at `now`. Looks no further than it.
#[must_use]
pub fn first_opening(
    expanded: &Expanded,
    pages: &Pages,
    need: &Need,
    now: Timestamp,
    between: Range<Timestamp>,
) -> Option<Timestamp> {
    Starts::new(expanded, pages, need, now, &between).next()
}

/// Whether a visit may be booked at `now` to begin at `start`. Run inside the transaction that books, with the rules
/// and pages as read in it.
///
/// # Errors
/// `visit_times_invalid`, `time_in_the_past`, `too_soon`, `too_far`, `outside_hours`, `not_on_grid` or `slot_taken`.
pub fn admits(
    rules: &Rules,
    pages: &Pages,
    need: &Need,
    now: Timestamp,
    start: Timestamp,
) -> Result<(), Refusal> {
    need.check()?;
    in_time(rules, need, now, start)?;
    let end = start + need.duration();
    let expanded = Expanded::around(rules, start);
    let Some(opening) = expanded.opening_of(start, end) else {
        let why = "it is not within the opening hours";
        return Err(refused("outside_hours", rules, start, why, "Choose one of the open times."));
    };
    let into = start.millis() - opening.from.millis();
    if into % (i64::from(need.interval_minutes) * 60_000) != 0 {
        let local = rules.zone.local(opening.from).time;
        let why = format!("visits of this type begin every {} minutes from {local}", need.interval_minutes);
        return Err(refused("not_on_grid", rules, start, &why, "Choose one of the open times."));
    }
    if pages.is_free(start - need.before(), end + need.after()) { Ok(()) } else { Err(taken()) }
}

fn in_time(rules: &Rules, need: &Need, now: Timestamp, start: Timestamp) -> Result<(), Refusal> {
    if start < now {
        return Err(refused("time_in_the_past", rules, start, "it is in the past", "Choose a later time."));
    }
    if start < now + need.minimum_notice {
        let why = format!("it must be booked {} before", spoken(need.minimum_notice));
        return Err(refused("too_soon", rules, start, &why, "Choose a later time, or call the clinic."));
    }
    if start > now + need.horizon {
        let why = format!("it can be booked at most {} ahead", spoken(need.horizon));
        return Err(refused("too_far", rules, start, &why, "Choose an earlier time, or come back later."));
    }
    Ok(())
}

fn refused(code: &'static str, rules: &Rules, start: Timestamp, why: &str, next: &str) -> Refusal {
    let zone = &rules.zone;
    let detail = format!("{} in {zone} was not booked: {why}. {next}", zone.local(start));
    if code == "not_on_grid" { Refusal::invalid(code, detail) } else { Refusal::state(code, detail) }
}

/// A length as a person says it.
fn spoken(length: std::time::Duration) -> String {
    let minutes = length.as_secs() / 60;
    let (count, unit) = match minutes {
        0 => (0, "minute"),
        whole if whole % 1440 == 0 => (whole / 1440, "day"),
        whole if whole % 60 == 0 => (whole / 60, "hour"),
        whole => (whole, "minute"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// The starts that can be booked, found 64 at a time.
struct Starts<'a> {
    spans: &'a [Span],
    busy: Cursor<'a>,
    /// Starts lie in these cells.
    within: Range<i64>,
    before: i64,
    duration: i64,
    /// Cells that must be free for one start: the visit and both its buffers.
    length: usize,
    interval: i64,
    /// Every interval-th bit.
    grid: u64,
    /// The opening that is looked at: where its grid begins, and where its last start has been.
    origin: i64,
    end: i64,
    /// The cell of the lowest bit of `found`.
    base: i64,
    /// Starts that were found and not given yet.
    found: u64,
}

impl<'a> Starts<'a> {
    fn new(
        expanded: &'a Expanded,
        pages: &'a Pages,
        need: &Need,
        now: Timestamp,
        between: &Range<Timestamp>,
    ) -> Self {
        let first = cell::ceil(between.start.max(now + need.minimum_notice));
        let end = cell::ceil(between.end).min(cell::floor(now + need.horizon) + 1);
        let usable = need.check().is_ok() && first < end;
        let cells = |minutes: u16| i64::from(minutes / cell::MINUTES);
        let interval = cells(need.interval_minutes).max(1);
        let length = cells(need.before_minutes) + cells(need.duration_minutes) + cells(need.after_minutes);
        Self {
            spans: if usable { expanded.after(first) } else { &[] },
            busy: Cursor::new(pages, first),
            within: first..end,
            before: cells(need.before_minutes),
            duration: cells(need.duration_minutes),
            length: usize::try_from(length).unwrap_or(0),
            interval,
            grid: every(interval),
            origin: 0,
            end: 0,
            base: 0,
            found: 0,
        }
    }

    /// Moves to the next 64 cells that may hold starts; `false` when there are none.
    fn advance(&mut self) -> bool {
        self.base += 64;
        while self.base >= self.end {
            let Some((span, rest)) = self.spans.split_first() else { return false };
            self.spans = rest;
            if span.from >= self.within.end {
                self.spans = &[];
                return false;
            }
            self.origin = span.from;
            self.base = span.from.max(self.within.start);
            self.end = (span.until - self.duration + 1).min(self.within.end);
        }
        true
    }

    /// The starts among the 64 cells from `base`.
    fn search(&mut self) -> u64 {
        let into = (self.base - self.origin) % self.interval;
        let first = if into == 0 { 0 } else { self.interval - into };
        let grid = u32::try_from(first).ok().and_then(|first| self.grid.checked_shl(first)).unwrap_or(0);
        let wanted = grid & cell::ones(self.end - self.base);
        if wanted == 0 { 0 } else { wanted & self.free_runs() }
    }

    /// For each of the 64 cells from `base`: whether all cells from the buffer before it to the one after are free.
    fn free_runs(&mut self) -> u64 {
        let mut free = [0; WORDS];
        let used = (64 + self.length - 1).div_ceil(64).min(WORDS);
        let mut cell = self.base - self.before;
        for word in &mut free[..used] {
            *word = !self.busy.busy(cell);
            cell += 64;
        }
        let mut run = 1;
        while run < self.length {
            let step = run.min(self.length - run);
            for index in 0..used {
                free[index] &= shifted(&free[..used], index, step);
            }
            run += step;
        }
        free[0]
    }
}

impl Iterator for Starts<'_> {
    type Item = Timestamp;

    fn next(&mut self) -> Option<Timestamp> {
        while self.found == 0 {
            if !self.advance() {
                return None;
            }
            self.found = self.search();
        }
        let bit = self.found.trailing_zeros();
        self.found &= self.found - 1;
        Some(cell::begin(self.base + i64::from(bit)))
    }
}

/// The word at `index` after all words were moved down by `step` bits.
fn shifted(words: &[u64], index: usize, step: usize) -> u64 {
    let (index, bit) = (index + step / 64, step % 64);
    let word = |index: usize| words.get(index).copied().unwrap_or(0);
    let low = word(index) >> bit;
    if bit == 0 { low } else { low | word(index + 1) << (64 - bit) }
}

/// A word whose every `interval`-th bit is set, from the lowest.
fn every(interval: i64) -> u64 {
    let step = usize::try_from(interval).unwrap_or(64).max(1);
    (0..64).step_by(step).fold(0, |word, bit| word | 1 << bit)
}
