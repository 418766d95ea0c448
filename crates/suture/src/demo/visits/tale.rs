//! The chapters of the story, in order.

use suture_sim::plan::{self, Outcome};

use super::{chapter, side_by_side};
use crate::demo::narrator::Narrator;
use crate::failure::Failure;

/// The scenario of the first chapter.
const SIDE_BY_SIDE: &str = "three_timings_side_by_side";
/// The scenarios of the mishaps, with their headings.
const MISHAPS: [(&str, &str); 4] = [
    ("released_at_15_00", "First mishap: a decline ten minutes before the visit"),
    ("late_money_goes_back", "Second mishap: the money comes too late"),
    ("a_denial_at_the_clinics_cost_bills_nobody", "Third mishap: the insurance refuses to pay"),
    ("an_expired_card_after_insurance", "Fourth mishap: the card on file has expired"),
];

/// Tells all of it. True when every expectation held.
///
/// # Errors
/// When the plan has no such scenario.
pub(crate) fn tell() -> Result<bool, Failure> {
    let narrator = Narrator::default();
    println!(
        "One visit can be paid at three times. Nothing here is real but the program: Stripe, Epic, the insurance"
    );
    println!(
        "and the clock are the sandbox's. In the books, what we have is positive, what it came from is negative,"
    );
    println!("and every entry sums to zero.");
    let told = play(SIDE_BY_SIDE)?;
    chapter::tell(&narrator, "The same visit, paid at three times", &told);
    side_by_side::show(&told);
    for (name, heading) in MISHAPS {
        chapter::tell(&narrator, heading, &play(name)?);
    }
    println!();
    println!("All other branches: suture go-live-check");
    Ok(narrator.conclude())
}

fn play(name: &str) -> Result<Outcome, Failure> {
    let scenario =
        plan::scenario(name).ok_or_else(|| Failure::new(format!("the plan has no scenario {name}")))?;
    Ok(plan::run(&scenario))
}
