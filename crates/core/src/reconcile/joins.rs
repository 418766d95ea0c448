//! The rules, one after the other: each is a join over what is still free.
//!
//! A rule costs n log n: items are ordered by id once, keys are numbers, candidates come from an ordered set.

use std::collections::BTreeMap;

use super::item::{Item, Side};
use super::outcome::{Exception, Match, Members, Outcome, TooLarge, Why};
use super::pool::{Keys, Pool};
use super::rule::{By, Rule, Shape};

/// How often the items of a key may be added up, per item: bounds keys that everything shares.
const SUMS_PER_ITEM: usize = 16;

/// One list in the order of its ids, with what is still free.
struct List<'a> {
    items: &'a [Item],
    /// Rank to position.
    order: Vec<u32>,
    free: Vec<bool>,
}

impl<'a> List<'a> {
    /// Orders a list. Items whose id was there before are left out and reported.
    fn new(items: &'a [Item]) -> (Self, Vec<u32>) {
        let mut order: Vec<u32> = (0..u32::try_from(items.len()).unwrap_or(u32::MAX)).collect();
        let at = |position: u32| usize::try_from(position).ok().and_then(|index| items.get(index));
        // By id; by everything else for repeated ids, so that it does not matter which of them came first.
        order.sort_unstable_by(|one, other| at(*one).cmp(&at(*other)));
        let mut repeated = Vec::new();
        let mut before: Option<&str> = None;
        order.retain(|position| {
            let this = at(*position).map(|item| item.id.as_ref());
            let is_new = before != this;
            before = this;
            if !is_new {
                repeated.push(*position);
            }
            is_new
        });
        let free = vec![true; order.len()];
        (Self { items, order, free }, repeated)
    }

    fn position(&self, rank: u32) -> u32 {
        usize::try_from(rank).ok().and_then(|index| self.order.get(index)).copied().unwrap_or(u32::MAX)
    }

    fn item(&self, rank: u32) -> Option<&'a Item> {
        usize::try_from(self.position(rank)).ok().and_then(|index| self.items.get(index))
    }

    /// Free items with their ranks.
    fn free(&self) -> impl Iterator<Item = (u32, &'a Item)> + '_ {
        let ranks = 0..u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        let free = ranks.zip(&self.free).filter(|(_, free)| **free);
        free.filter_map(|(rank, _)| self.item(rank).map(|item| (rank, item)))
    }

    fn mark(&mut self, rank: u32) {
        if let Some(free) = usize::try_from(rank).ok().and_then(|index| self.free.get_mut(index)) {
            *free = false;
        }
    }

    fn members(&self, ranks: &[u32]) -> Members {
        match ranks {
            [one] => Members::One(self.position(*one)),
            many => {
                let mut positions: Vec<u32> = many.iter().map(|rank| self.position(*rank)).collect();
                positions.sort_unstable();
                Members::Many(positions.into())
            }
        }
    }
}

/// Matches two lists by rules in their order.
///
/// ```
/// use suture_core::day::Day;
/// use suture_core::money::Money;
/// use suture_core::reconcile::{Item, Rule, reconcile};
/// let day = Day::of(2026, 11, 20).unwrap();
/// let gateway = [Item::new("txn_1", Some("ch_1"), Money::usd(500), day)];
/// let ledger = [Item::new("capture:ch_1", Some("ch_1"), Money::usd(500), day.plus(1))];
/// let outcome = reconcile(&gateway, &ledger, &[Rule::exact("by id")]).unwrap();
/// assert_eq!(outcome.matches.len(), 1);
/// assert_eq!(outcome.remainders.values().next().unwrap().label(&[]), "explained 100 %");
/// ```
///
/// # Errors
/// [`TooLarge`] when a sum does not fit 64 bits.
pub fn reconcile(left: &[Item], right: &[Item], rules: &[Rule]) -> Result<Outcome, TooLarge> {
    let ((mut lefts, repeated_left), (mut rights, repeated_right)) = (List::new(left), List::new(right));
    let mut matches = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        match rule.shape {
            Shape::OneToOne => one_to_one(&mut lefts, &mut rights, (number, rule), &mut matches),
            Shape::OneToMany => {
                let found = one_to_many(&mut lefts, &mut rights, rule);
                matches.extend(found.into_iter().map(|(one, many, difference_minor)| {
                    let (left, right) = (lefts.members(&[one]), rights.members(&many));
                    Match { rule: number, left, right, difference_minor }
                }));
            }
            Shape::ManyToOne => {
                let found = one_to_many(&mut rights, &mut lefts, rule);
                matches.extend(found.into_iter().map(|(one, many, difference)| {
                    let (left, right) = (lefts.members(&many), rights.members(&[one]));
                    Match { rule: number, left, right, difference_minor: difference.saturating_neg() }
                }));
            }
        }
    }
    let mut exceptions = exceptions(&lefts, &rights, Side::Left);
    exceptions.extend(repeated(Side::Left, &repeated_left));
    exceptions.extend(self::exceptions(&rights, &lefts, Side::Right));
    exceptions.extend(repeated(Side::Right, &repeated_right));
    Outcome::new((left, right), matches, exceptions)
}

/// Exact amounts first, so that a tolerance never takes away what fits another item exactly.
fn one_to_one(
    lefts: &mut List<'_>,
    rights: &mut List<'_>,
    (number, rule): (usize, &Rule),
    matches: &mut Vec<Match>,
) {
    let mut keys = Keys::new();
    let entries = rights.free().filter_map(|(rank, item)| {
        keys.number(item, rule.by).map(|key| (key, item.amount_minor, item.day, rank))
    });
    let mut pool = Pool::new(entries);
    for with_tolerance in [false, true] {
        if with_tolerance && rule.tolerance_minor <= 0 {
            break;
        }
        let ranks: Vec<u32> = lefts.free().map(|(rank, _)| rank).collect();
        for rank in ranks {
            let Some(item) = lefts.item(rank) else { continue };
            let Some(key) = keys.known(item, rule.by) else { continue };
            let (amount, day) = (item.amount_minor, item.day);
            let taken = match with_tolerance {
                false => pool.take_exact(key, amount, day, rule).map(|other| (other, amount)),
                true => pool.take_near(key, amount, day, rule),
            };
            let Some((other, other_amount)) = taken else { continue };
            lefts.mark(rank);
            rights.mark(other);
            let (left, right) = (lefts.members(&[rank]), rights.members(&[other]));
            let difference_minor = amount.saturating_sub(other_amount);
            matches.push(Match { rule: number, left, right, difference_minor });
        }
    }
}

/// Each of `ones` with all of `others` that share its key and are near enough, when they add up.
fn one_to_many(ones: &mut List<'_>, others: &mut List<'_>, rule: &Rule) -> Vec<(u32, Vec<u32>, i64)> {
    if rule.by == By::Amount {
        return Vec::new();
    }
    let mut keys = Keys::new();
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    let entries = others.free().filter_map(|(rank, item)| {
        let key = keys.number(item, rule.by)?;
        *sizes.entry(key).or_default() += 1;
        Some((key, item.amount_minor, item.day, rank))
    });
    let mut pool = Pool::new(entries);
    // What may still be added up for a key: bounds keys that everything shares.
    let mut budgets: BTreeMap<u32, usize> =
        sizes.iter().map(|(key, size)| (*key, size.saturating_mul(SUMS_PER_ITEM))).collect();
    let mut found = Vec::new();
    let ranks: Vec<u32> = ones.free().map(|(rank, _)| rank).collect();
    for rank in ranks {
        let Some(item) = ones.item(rank) else { continue };
        let Some(key) = keys.known(item, rule.by) else { continue };
        let Some(budget) = budgets.get_mut(&key).filter(|budget| **budget > 0) else { continue };
        let near = |entry: &(u32, i64, i64)| rule.is_near(item.day, entry.2);
        let members: Vec<(u32, i64, i64)> = pool.of_key(key, *budget).filter(near).collect();
        *budget = budget.saturating_sub(members.len().max(1));
        let sum: i128 = members.iter().map(|(_, amount, _)| i128::from(*amount)).sum();
        let difference = i128::from(item.amount_minor) - sum;
        let Ok(difference) = i64::try_from(difference) else { continue };
        if members.is_empty() || difference.unsigned_abs() > rule.tolerance_minor.max(0).unsigned_abs() {
            continue;
        }
        for member in &members {
            pool.take(key, *member);
            others.mark(member.0);
        }
        ones.mark(rank);
        found.push((rank, members.into_iter().map(|(rank, ..)| rank).collect(), difference));
    }
    found
}

/// What is still free of one list, each with the best reason that its reference gives.
fn exceptions(list: &List<'_>, other: &List<'_>, side: Side) -> Vec<Exception> {
    let mut keys = Keys::new();
    let mut by_key: BTreeMap<u32, (i64, i64)> = BTreeMap::new();
    for (_, item) in other.free() {
        if let Some(key) = keys.number(item, By::Reference) {
            by_key.entry(key).or_insert((item.amount_minor, item.day));
        }
    }
    let why = |item: &Item| {
        let found = keys.known(item, By::Reference).and_then(|key| by_key.get(&key));
        match found {
            None => Why::NoCounterpart,
            Some((amount, _)) if *amount != item.amount_minor => {
                Why::AmountDiffers { by_minor: item.amount_minor.saturating_sub(*amount) }
            }
            Some((_, day)) => Why::TooFarApart { days: item.day.saturating_sub(*day).saturating_abs() },
        }
    };
    let free = list.free();
    free.map(|(rank, item)| Exception { side, position: list.position(rank), why: why(item) }).collect()
}

fn repeated(side: Side, positions: &[u32]) -> impl Iterator<Item = Exception> {
    positions.iter().map(move |position| Exception { side, position: *position, why: Why::Repeated })
}
