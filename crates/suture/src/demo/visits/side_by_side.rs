//! The three timings in one table: what was taken from each card, step by step.

use std::collections::BTreeMap;

use suture_sim::plan::{Outcome, Step};

use crate::demo::words::amount;
use crate::table;

/// The visits, as the scenario calls them.
const VISITS: [&str; 3] = ["before", "after", "insured"];

/// Prints the table.
pub(super) fn show(told: &Outcome) {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for step in told.steps.iter().filter(|step| !step.happened.is_empty()) {
        let mut row = vec![step.at.clone()];
        for name in VISITS {
            let taken = taken(step, name);
            *sums.entry(name).or_insert(0) += taken;
            row.push(if taken == 0 { "-".to_owned() } else { amount(taken, "USD") });
        }
        rows.push(row);
    }
    let total = VISITS.iter().map(|name| amount(sums.get(name).copied().unwrap_or(0), "USD"));
    rows.push(std::iter::once("in all".to_owned()).chain(total).collect());
    let header: Vec<&str> = std::iter::once("taken from the card of").chain(VISITS).collect();
    let right: Vec<usize> = (1..header.len()).collect();
    println!();
    println!(
        "   Side by side: the visit at 300.00, and when each patient's card paid for it. Of the insured visit the"
    );
    println!("   insurance paid 130.00, and 120.00 are a discount by contract.");
    println!();
    print!("{}", table::render(&header, &rows, &right));
}

/// What Stripe took from a card in a step, before its fees.
fn taken(step: &Step, name: &str) -> i64 {
    let of_stripe = |account: &str| matches!(account, "gw:stripe" | "exp:fee");
    let lines = step.booked.iter().filter(|line| line.whose.as_deref() == Some(name));
    lines.filter(|line| of_stripe(&line.account)).map(|line| line.minor).sum()
}
