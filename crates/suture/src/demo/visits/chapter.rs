//! One chapter: the steps of a scenario, each with its ledger lines, the balances after it, and what people were told.

use suture_sim::plan::{Booked, Outcome, Said, Step};

use crate::demo::narrator::Narrator;
use crate::demo::reasons::{meaning, why};
use crate::demo::words::{amount, short};
use crate::table;

/// Tells a chapter.
pub(super) fn tell(narrator: &Narrator, heading: &str, told: &Outcome) {
    println!();
    println!("== {heading}");
    println!("   {}.", told.claim);
    for step in &told.steps {
        narrator.step(&format!("{} - {}", step.at, step.title));
        step.happened.iter().for_each(|line| narrator.did(line));
        booked(narrator, step);
        step.said.iter().for_each(|said| narrator.saw(line_of(said)));
        narrator.saw(format!(
            "Audit trail: {} entries{}.",
            step.trail.entries,
            if step.trail.intact { ", every hash, state and ledger entry follows" } else { ": BROKEN" }
        ));
        for finding in &step.findings {
            narrator.expect(&finding.name, finding.held);
            if !finding.held {
                narrator.saw(format!("Expected {}, saw {}.", finding.expected, finding.seen));
            }
        }
    }
    if let Some(why) = &told.stopped {
        narrator.expect(&format!("the chapter can be told to its end: {why}"), false);
    }
}

fn booked(narrator: &Narrator, step: &Step) {
    if step.booked.is_empty() {
        narrator.saw("Books: no entry; no money moved and nothing became owed.");
        return;
    }
    let several = step.booked.iter().any(|line| line.whose.is_some());
    let row = |line: &Booked| {
        let mut cells = vec![short(&line.entry)];
        if several {
            cells.push(line.whose.clone().unwrap_or_default());
        }
        cells.extend([
            line.account.clone(),
            amount(line.minor, "USD"),
            why(&line.entry, &line.account).to_owned(),
        ]);
        cells
    };
    let rows: Vec<Vec<String>> = step.booked.iter().map(row).collect();
    let (header, right) = match several {
        true => (vec!["entry", "visit", "account", "amount", "why it is there"], 3),
        false => (vec!["entry", "account", "amount", "why it is there"], 2),
    };
    println!();
    print!("{}", table::render(&header, &rows, &[right]));
    println!();
    let balance = |(account, minor): (&String, &i64)| {
        vec![account.clone(), amount(*minor, "USD"), meaning(account).to_owned()]
    };
    let mut rows: Vec<Vec<String>> = step.books.iter().map(balance).collect();
    let sum: i64 = step.books.values().sum();
    rows.push(vec!["sum".to_owned(), amount(sum, "USD"), "always zero".to_owned()]);
    print!("{}", table::render(&["the books now", "balance", "in plain words"], &rows, &[1]));
    println!();
}

/// Who was told what: the template, and how its text begins. Links are left out; they lead nowhere.
fn line_of(said: &Said) -> String {
    let text: String = said.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.split("http").next().unwrap_or_default().chars().take(110).collect();
    format!("Told: {}: \"{}...\"", said.name(), text.trim_end())
}
