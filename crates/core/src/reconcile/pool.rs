//! The items of one list that are still free, by key, amount and day: every question is a look-up in an ordered set.

use std::collections::{BTreeSet, HashMap};

use crate::currency::Currency;

use super::item::Item;
use super::rule::{By, Rule};

/// Candidates that are compared for one item at most; the nearest amounts come first. Bounds lists that are all alike.
const CANDIDATES_MAX: usize = 256;

/// What items of both lists share, as a number.
pub(super) struct Keys<'a> {
    numbers: HashMap<(Currency, &'a str), u32>,
}

impl<'a> Keys<'a> {
    pub(super) fn new() -> Self {
        Self { numbers: HashMap::new() }
    }

    /// The number of an item's key under a rule; `None` when the item has no such key.
    pub(super) fn number(&mut self, item: &'a Item, by: By) -> Option<u32> {
        let next = u32::try_from(self.numbers.len()).ok()?;
        Some(*self.numbers.entry((item.currency, text(item, by)?)).or_insert(next))
    }

    /// As [`Self::number`], for keys that are known already.
    pub(super) fn known(&self, item: &'a Item, by: By) -> Option<u32> {
        self.numbers.get(&(item.currency, text(item, by)?)).copied()
    }
}

fn text(item: &Item, by: By) -> Option<&str> {
    match by {
        By::Reference => item.reference.as_deref(),
        By::Descriptor => item.descriptor.as_deref(),
        By::Amount => Some(""),
    }
}

/// Free items of one list: (key, amount, day, rank). The rank is the item's place in the order of ids.
pub(super) struct Pool(BTreeSet<(u32, i64, i64, u32)>);

impl Pool {
    pub(super) fn new(entries: impl Iterator<Item = (u32, i64, i64, u32)>) -> Self {
        // Sorting once and building from what is sorted is several times faster than inserting.
        Self(entries.collect())
    }

    /// Takes the item of this key whose amount is exactly this and whose day is nearest.
    pub(super) fn take_exact(&mut self, key: u32, amount: i64, day: i64, rule: &Rule) -> Option<u32> {
        let later = self.0.range((key, amount, day, 0)..=(key, amount, i64::MAX, u32::MAX)).next().copied();
        let earlier = self.0.range((key, amount, i64::MIN, 0)..(key, amount, day, 0)).next_back().copied();
        // Of those of the day before, the one that comes first.
        let earlier = earlier.and_then(|found| self.0.range((key, amount, found.2, 0)..).next().copied());
        let distance = |found: &(u32, i64, i64, u32)| (found.2.abs_diff(day), found.3);
        let best = [later, earlier].into_iter().flatten().min_by_key(distance)?;
        if !rule.is_near(day, best.2) {
            return None;
        }
        self.0.remove(&best);
        Some(best.3)
    }

    /// Takes the item of this key whose amount is nearest, within the rule's tolerance and window.
    pub(super) fn take_near(&mut self, key: u32, amount: i64, day: i64, rule: &Rule) -> Option<(u32, i64)> {
        let tolerance = rule.tolerance_minor.max(0);
        let (least, most) = (amount.saturating_sub(tolerance), amount.saturating_add(tolerance));
        let upward = self.0.range((key, amount, i64::MIN, 0)..=(key, most, i64::MAX, u32::MAX));
        let downward = self.0.range((key, least, i64::MIN, 0)..(key, amount, i64::MIN, 0)).rev();
        let near = |entry: &&(u32, i64, i64, u32)| rule.is_near(day, entry.2);
        let candidates = upward.take(CANDIDATES_MAX).chain(downward.take(CANDIDATES_MAX)).filter(near);
        let distance =
            |entry: &&(u32, i64, i64, u32)| (entry.1.abs_diff(amount), entry.2.abs_diff(day), entry.3);
        let best = candidates.min_by_key(distance).copied()?;
        self.0.remove(&best);
        Some((best.3, best.1))
    }

    /// Every free item of a key, up to a number: rank, amount, day.
    pub(super) fn of_key(&self, key: u32, limit: usize) -> impl Iterator<Item = (u32, i64, i64)> {
        let all = self.0.range((key, i64::MIN, i64::MIN, 0)..=(key, i64::MAX, i64::MAX, u32::MAX));
        all.take(limit).map(|entry| (entry.3, entry.1, entry.2))
    }

    /// Takes one item.
    pub(super) fn take(&mut self, key: u32, (rank, amount, day): (u32, i64, i64)) {
        self.0.remove(&(key, amount, day, rank));
    }
}
