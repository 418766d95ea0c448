//! The lines of a gateway payout against the facts of the books: one with many, by the id of what both speak of.
//!
//! A line's part before fees is explained by the entries of its charge, refund, dispute or transfer; its fee by the entry of
//! the fee. Ids decide, never days (FLOWS 8g).

use std::collections::BTreeMap;

use crate::day::Day;
use crate::money::Money;
use crate::reconcile::{Item, Outcome, Rule, Shape, Side, TooLarge, reconcile};

use super::event::{Booking, Event};

/// What kind of line it is, as far as the books care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Money of a payer.
    Charge,
    /// Money back to a payer, or back from there.
    Refund,
    /// Money taken or given back by a dispute.
    Dispute,
    /// Money passed on to a connected account, or back.
    Transfer,
    /// A payout that came back: it was in the balance again.
    Payout,
    /// A fee that belongs to no payment.
    Fee,
    /// Something that we have no word for.
    Other,
}

/// A line of a gateway's balance.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// The gateway's id.
    pub transaction: String,
    /// What kind.
    pub class: Class,
    /// The gateway's word for the kind.
    pub kind: String,
    /// What it speaks of.
    pub source: Option<String>,
    /// Before fees.
    pub gross: Money,
    /// The fee, never negative.
    pub fee: Money,
    /// When.
    pub on: Day,
}

impl Line {
    /// What the balance changes by.
    #[must_use]
    pub const fn net_minor(&self) -> i64 {
        self.gross.minor.saturating_sub(self.fee.minor)
    }

    /// The line in words, for people.
    #[must_use]
    pub fn label(&self) -> String {
        match self.class {
            Class::Other => format!("unknown: {}", self.kind),
            _ => self
                .source
                .as_ref()
                .map_or_else(|| self.kind.clone(), |source| format!("{} {source}", self.kind)),
        }
    }
}

/// An entry of the books on the gateway's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The entry's key.
    pub key: String,
    /// The line that it was looked up for.
    pub transaction: String,
    /// Whether it is the fee of the line.
    pub is_fee: bool,
    /// What it changes the gateway's account by.
    pub amount: Money,
    /// When.
    pub on: Day,
}

/// A part of a line that no fact explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The gateway's line, with `:fee` for its fee.
    pub transaction: String,
    /// In words.
    pub label: String,
    /// What is to be booked.
    pub amount: Money,
    /// As what.
    pub booking: Booking,
    /// The line's day.
    pub on: Day,
}

impl Judged {
    /// The event that books it.
    #[must_use]
    pub fn event(&self) -> Event {
        let Self { transaction, label, amount, booking, on } = self.clone();
        Event::LineBooked { transaction, label, amount, booking, on }
    }
}

/// The part of a line.
fn part_id(line: &str, is_fee: bool) -> String {
    if is_fee { format!("{line}:fee") } else { line.to_owned() }
}

/// Keys of entries by the line that they explain, and what no entry explains.
pub type Verdict = (BTreeMap<String, Vec<String>>, Vec<Judged>);

/// Positions of pairs, and what has no pair.
pub type Eliminated = (Vec<(u32, u32)>, Vec<(Side, u32)>);

/// Judges lines: which entries explain each, and what is left of it. The keys of entries come back by line.
///
/// # Errors
/// [`TooLarge`] when amounts cannot be added.
pub fn judge(lines: &[Line], facts: &[Fact]) -> Result<Verdict, TooLarge> {
    let parts: Vec<(&Line, bool, Money)> = lines
        .iter()
        .flat_map(|line| {
            let fee = Money::new(line.fee.minor.saturating_neg(), line.fee.currency);
            [(line, false, line.gross), (line, true, fee)]
        })
        .filter(|(.., amount)| amount.minor != 0)
        .collect();
    let left: Vec<Item> = parts
        .iter()
        .map(|(line, is_fee, amount)| {
            let id = part_id(&line.transaction, *is_fee);
            Item::new(&id, Some(&id), *amount, line.on)
        })
        .collect();
    let right: Vec<Item> = facts
        .iter()
        .map(|fact| {
            Item::new(&fact.key, Some(&part_id(&fact.transaction, fact.is_fee)), fact.amount, fact.on)
        })
        .collect();
    let rules = [Rule::exact("by id"), Rule::exact("parts by id").shaped(Shape::OneToMany)];
    let outcome = reconcile(&left, &right, &rules)?;
    Ok((explained(&outcome, &parts, facts), left_over(&outcome, &parts, facts)))
}

fn at<T>(items: &[T], position: u32) -> Option<&T> {
    usize::try_from(position).ok().and_then(|index| items.get(index))
}

fn explained(
    outcome: &Outcome,
    parts: &[(&Line, bool, Money)],
    facts: &[Fact],
) -> BTreeMap<String, Vec<String>> {
    let mut by_line: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in &outcome.matches {
        for (line, ..) in found.left.positions().iter().filter_map(|position| at(parts, *position)) {
            let keys = found.right.positions().iter().filter_map(|position| at(facts, *position));
            by_line.entry(line.transaction.clone()).or_default().extend(keys.map(|fact| fact.key.clone()));
        }
    }
    by_line
}

/// What is left of a part is its amount less the facts that were found for it.
fn left_over(outcome: &Outcome, parts: &[(&Line, bool, Money)], facts: &[Fact]) -> Vec<Judged> {
    let mut told: BTreeMap<(String, bool), Vec<Money>> = BTreeMap::new();
    for exception in outcome.exceptions.iter().filter(|exception| exception.side == Side::Right) {
        if let Some(fact) = at(facts, exception.position) {
            told.entry((fact.transaction.clone(), fact.is_fee)).or_default().push(fact.amount);
        }
    }
    let exceptions = outcome.exceptions.iter().filter(|exception| exception.side == Side::Left);
    exceptions
        .filter_map(|exception| at(parts, exception.position))
        .flat_map(|(line, is_fee, amount)| {
            let found = told.remove(&(line.transaction.clone(), *is_fee)).unwrap_or_default();
            judged(line, *is_fee, *amount, &found)
        })
        .collect()
}

fn judged(line: &Line, is_fee: bool, amount: Money, found: &[Money]) -> Vec<Judged> {
    let (same, other): (Vec<&Money>, Vec<&Money>) =
        found.iter().partition(|money| money.currency == amount.currency);
    let booked = same.iter().fold(0_i64, |sum, money| sum.saturating_add(money.minor));
    let rest = Money::new(amount.minor.saturating_sub(booked), amount.currency);
    let transaction = part_id(&line.transaction, is_fee);
    let named = |label: String, booking| Judged {
        transaction: transaction.clone(),
        label,
        amount: rest,
        booking,
        on: line.on,
    };
    match other.as_slice() {
        // The books hold it in the payer's currency; the gateway pays in another (FLOWS 8f).
        [only] if same.is_empty() => {
            vec![named(format!("exchanged: {}", line.label()), Booking::Exchange { booked: **only })]
        }
        _ if line.class == Class::Fee && found.is_empty() => vec![named(line.label(), Booking::Fee)],
        _ if is_fee && found.is_empty() && line.class != Class::Other => {
            vec![named(format!("fee of {}", line.label()), Booking::Fee)]
        }
        _ => vec![named(line.label(), Booking::Unexplained)],
    }
}

/// Transfers between accounts of one house: what left one arrived at another, pair by pair (FLOWS 8j). Gives the pairs, and
/// what has none.
///
/// # Errors
/// [`TooLarge`] when amounts cannot be added.
pub fn eliminate(out: &[Item], arrived: &[Item]) -> Result<Eliminated, TooLarge> {
    let turned: Vec<Item> = out
        .iter()
        .map(|item| Item { amount_minor: item.amount_minor.saturating_neg(), ..item.clone() })
        .collect();
    let outcome = reconcile(&turned, arrived, &[Rule::exact("transfer by id")])?;
    let pairs = outcome
        .matches
        .iter()
        .filter_map(|found| Some((*found.left.positions().first()?, *found.right.positions().first()?)));
    let alone = outcome.exceptions.iter().map(|exception| (exception.side, exception.position));
    Ok((pairs.collect(), alone.collect()))
}
