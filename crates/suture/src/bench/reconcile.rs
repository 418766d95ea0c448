//! Matching of balance transactions with facts of the books (`core::reconcile`), in memory: each size in a process of its own,
//! whose peak memory is its own too.

use std::process::Command;

use suture_core::day::Day;
use suture_core::money::Money;
use suture_core::reconcile::{By, Item, Rule, Shape, Side, reconcile};

use super::end_to_end::rate;
use super::program::now;
use super::remittance::peak_kilobytes;

/// The sizes that are measured when the largest one is this.
const LARGEST: u64 = 1_000_000;

/// The name of the benchmark that the child runs; its argument is how many items each list has.
pub(super) const CHILD: &str = "reconcile-items";

/// Of so many items, one has no counterpart, and one differs by more than is tolerated.
const ODD: u64 = 1_000;

/// Prints seconds, items per second and peak memory for a hundredth, a tenth and all of the items.
pub(super) fn measure(items: Option<u64>) -> Result<(), String> {
    let items = items.unwrap_or(LARGEST).max(1);
    let mut sizes = [items / 100, items / 10, items].to_vec();
    sizes.retain(|size| *size > 0);
    for size in sizes {
        println!("{}", in_child(size)?);
    }
    println!("limits for {LARGEST} items: 20 s, 1 GB; again: suture bench reconcile --items N");
    Ok(())
}

fn in_child(items: u64) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program).args(["bench", CHILD]).arg(items.to_string()).output();
    let output = output.map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// In the child: matches two lists, looks whether the outcome is right, and prints what it took.
pub(super) fn match_items(items: &str) -> Result<(), String> {
    let items: u64 = items.parse().map_err(|_| format!("{items} is no number of items"))?;
    let day = Day::of(2026, 11, 1).ok_or("the day does not exist")?;
    let (left, right) = (transactions(items, day), facts(items, day));
    let lists = peak_kilobytes();
    // As they are tried for a payout: by id and amount, within a tolerance, then one line for several facts.
    let rules = [
        Rule::exact("by id"),
        Rule::exact("by id, within tolerance").within(50),
        Rule::exact("by id, several facts").shaped(Shape::OneToMany).by(By::Reference),
    ];
    let begun = now();
    let outcome = reconcile(&left, &right, &rules).map_err(|error| error.to_string())?;
    let took = begun.elapsed();
    let peak = peak_kilobytes();
    let left_over = |side| outcome.exceptions.iter().filter(|one| one.side == side).count();
    let (lines, facts) = (left_over(Side::Left), left_over(Side::Right));
    let wanted = usize::try_from(odd(items)).map_err(|error| error.to_string())?;
    let missing = usize::try_from(items.div_ceil(ODD)).map_err(|error| error.to_string())?;
    if (lines, facts) != (wanted, wanted - missing) {
        return Err(format!(
            "{lines} lines and {facts} facts were not matched, {wanted} and {} are odd",
            wanted - missing
        ));
    }
    println!(
        "{items} balance transactions with {} facts: {:.3} s, {:.0} items/s; {} matches, {} exceptions; peak memory of the \
         process {peak} kB, of which the lists {lists} kB",
        right.len(),
        took.as_secs_f64(),
        rate(items, took),
        outcome.matches.len(),
        outcome.exceptions.len(),
    );
    Ok(())
}

/// What becomes of a transaction.
enum Fate {
    /// The books do not know it.
    Missing,
    /// The books have another amount.
    Differs,
    /// The books have it in two facts.
    Split,
    /// The books have it less some cents.
    Cents,
    /// The books have it.
    Same,
}

const fn fate(at: u64) -> Fate {
    match at % ODD {
        0 => Fate::Missing,
        1 => Fate::Differs,
        2..12 => Fate::Split,
        12..22 => Fate::Cents,
        _ => Fate::Same,
    }
}

/// How many transactions are not explained.
const fn odd(items: u64) -> u64 {
    items.div_ceil(ODD) + items.saturating_sub(1).div_ceil(ODD)
}

fn minor(at: u64) -> i64 {
    1_000 + i64::try_from(at % 90_000).unwrap_or_default()
}

fn on(day: Day, at: u64) -> Day {
    day.plus(i32::try_from(at % 28).unwrap_or_default())
}

fn transactions(items: u64, day: Day) -> Vec<Item> {
    let one = |at| {
        let (id, charge) = (format!("txn_{at:016}"), format!("ch_{at:020}"));
        Item::new(&id, Some(&charge), Money::usd(minor(at)), on(day, at))
    };
    (0..items).map(one).collect()
}

/// In the opposite order: nobody promises that lists come in the same one.
fn facts(items: u64, day: Day) -> Vec<Item> {
    let mut facts = Vec::new();
    for at in (0..items).rev() {
        let charge = format!("ch_{at:020}");
        let mut add = |part: &str, minor| {
            let id = format!("capture:{charge}{part}");
            facts.push(Item::new(&id, Some(&charge), Money::usd(minor), on(day, at)));
        };
        match fate(at) {
            Fate::Missing => {}
            Fate::Differs => add("", minor(at) - 500),
            Fate::Split => {
                add("/1", 400);
                add("/2", minor(at) - 400);
            }
            Fate::Cents => add("", minor(at) - 7),
            Fate::Same => add("", minor(at)),
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_list_is_matched_and_what_is_odd_is_found() {
        for items in ["1", "2", "1500"] {
            match_items(items).unwrap();
        }
        assert!(match_items("many").is_err());
    }
}
