//! Bank lines and gateway payouts, matched by the rules of the core, in the transaction that brought either of them.

use suture_core::reconcile::{By, Item, Match, Rule, Shape, reconcile};
use suture_core::settlement::{Bank, Command, Settlement};
use suture_store::bank::{self, KeptLine};
use suture_store::journal;

use crate::Error;
use crate::change::Change;

use super::hear::settle;

/// What a bank may keep of a payout without anybody being asked, in minor units (FLOWS 8e).
pub const TOLERANCE_MINOR: i64 = 2_500;

/// How many days a bank's line may lie from the day that the gateway promised.
const WINDOW_DAYS: i64 = 6;
/// Open lines that are looked at, oldest first.
const LINES_MAX: i64 = 20_000;
/// How many payouts one read takes.
const CHUNK: i64 = 500;

/// The rules in their order: a reference is better than a descriptor, one line better than several, exact better than near.
fn rules() -> Vec<Rule> {
    let described = |name| Rule::exact(name).by(By::Descriptor).days(WINDOW_DAYS);
    vec![
        Rule::exact("bank reference").days(60),
        described("amount and descriptor"),
        described("payout in several lines").shaped(Shape::ManyToOne),
        described("several payouts in one line").shaped(Shape::OneToMany),
        described("amount less a bank fee").within(TOLERANCE_MINOR),
        described("several lines less a bank fee").shaped(Shape::ManyToOne).within(TOLERANCE_MINOR),
    ]
}

/// Matches every open line of the bank with every gateway payout that is on its way.
pub(super) fn match_bank(change: &mut Change<'_, '_>) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let keyring = change.office.keyring.clone();
    let lines = bank::lines(change.tx, &keyring, &organization, "open", LINES_MAX)?;
    if lines.is_empty() {
        return Ok(());
    }
    let payouts = in_transit(change)?;
    let left: Vec<Item> = lines.iter().map(|line| bank_item(line, &payouts)).collect();
    let right: Vec<Item> = payouts.iter().map(payout_item).collect();
    let too_large = |_| Error::Store(suture_store::Error::Corrupt("amounts of the bank".to_owned()));
    let outcome = reconcile(&left, &right, &rules()).map_err(too_large)?;
    for found in &outcome.matches {
        // The bank gave more than the gateway sent: nobody's fee, and a person's question.
        if found.difference_minor <= 0 && !is_backwards(found, &right) {
            apply(change, found, &lines, &payouts)?;
        }
    }
    Ok(())
}

/// Of money that goes back, a difference has the other sign: the bank took less, or more as its fee.
fn is_backwards(found: &Match, right: &[Item]) -> bool {
    let first = found.right.positions().first().and_then(|position| at(right, *position));
    found.difference_minor < 0 && first.is_some_and(|item| item.amount_minor < 0)
}

fn at<T>(items: &[T], position: u32) -> Option<&T> {
    usize::try_from(position).ok().and_then(|index| items.get(index))
}

fn apply(
    change: &mut Change<'_, '_>,
    found: &Match,
    lines: &[KeptLine],
    payouts: &[Settlement],
) -> Result<(), Error> {
    let organization = change.order.organization.clone();
    let lines: Vec<&KeptLine> =
        found.left.positions().iter().filter_map(|position| at(lines, *position)).collect();
    let payouts: Vec<&Settlement> =
        found.right.positions().iter().filter_map(|position| at(payouts, *position)).collect();
    let kept_minor = found.difference_minor.saturating_neg();
    for (index, line) in lines.iter().enumerate() {
        for payout in &payouts {
            let is_only = payouts.len() == 1;
            let amount = if is_only { line.amount } else { payout.transit() };
            let is_last = index + 1 == lines.len();
            let kept = suture_core::money::Money::new(if is_last { kept_minor } else { 0 }, amount.currency);
            let id = format!("{}/{}", line.account, line.id);
            let see = Command::SeeBank(Bank { line: id, amount, kept, on: line.day });
            settle(change, payout.heard.settlement, &[see])?;
        }
        let ids: Vec<String> = payouts.iter().map(|payout| payout.heard.settlement.to_string()).collect();
        let moved = bank::move_line(
            change.tx,
            &organization,
            (&line.account, &line.id),
            "matched",
            &ids,
            (None, None),
        )?;
        if !moved {
            return Err(Error::Store(suture_store::Error::Conflict("bank line".to_owned())));
        }
    }
    Ok(())
}

/// Gateway payouts of which money is on its way to the bank, or back.
pub(super) fn in_transit(change: &mut Change<'_, '_>) -> Result<Vec<Settlement>, Error> {
    let organization = change.order.organization.clone();
    all(change.tx, &organization, |settlement| settlement.transit_minor != 0)
}

/// Gateway payouts that fit, in the order in which they were heard of.
pub(super) fn all(
    tx: &mut suture_store::Tx<'_>,
    organization: &str,
    fits: impl Fn(&Settlement) -> bool,
) -> Result<Vec<Settlement>, Error> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let chunk = journal::list_streams::<Settlement>(tx, organization, "settlement", &after, CHUNK)?;
        let Some((last, _)) = chunk.last() else { return Ok(found) };
        after.clone_from(last);
        found.extend(chunk.into_iter().map(|(_, state)| state).filter(&fits));
    }
}

fn payout_item(payout: &Settlement) -> Item {
    let id = payout.heard.settlement.to_string();
    Item::new(&id, payout.trace.as_deref(), payout.transit(), payout.day()).described(&payout.heard.gateway)
}

/// A bank's line: known by a payout's trace when the bank repeats it anywhere, described by the gateway's name when the bank
/// wrote that.
fn bank_item(line: &KeptLine, payouts: &[Settlement]) -> Item {
    let words = line.words.descriptor.expose().to_uppercase();
    let reference = line.words.reference.as_ref().map(|reference| reference.expose().clone());
    let traces = payouts.iter().filter_map(|payout| payout.trace.as_deref());
    let repeats = |trace: &&str| trace.len() >= 6 && words.contains(&trace.to_uppercase());
    let trace = traces
        .clone()
        .find(|trace| reference.as_deref() == Some(trace))
        .or_else(|| traces.clone().find(repeats));
    let id = format!("{}/{}", line.account, line.id);
    let item = Item::new(&id, trace, line.amount, line.day);
    let gateway =
        payouts.iter().map(|payout| &payout.heard.gateway).find(|name| words.contains(&name.to_uppercase()));
    match gateway {
        Some(name) => item.described(name),
        None => item,
    }
}
