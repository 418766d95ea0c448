//! Making a schedule from a seed. Each seed switches some kinds of move off altogether (swarm testing, Groce and others
//! 2012): a run without crashes goes deeper into lost answers, and the reverse.

use super::make_desk::{BEGINNING, DESK};
use super::make_front::{BEGINNING_FRONT, FRONT};
use super::make_stories::STORIES;
use super::moves::Move;
use crate::chance::Chance;
use crate::world::{Fate, Fault, Pause};

/// Cards that pay, mostly.
const CARDS: [&str; 14] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_amex",
    "pm_card_debit_visaHsaProductCode",
    "pm_card_visa_chargeDeclined",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_visa_chargeDeclinedStolenCard",
    "pm_card_chargeDeclinedProcessingError",
    "pm_card_authenticationRequired",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "pm_card_createDispute",
];
pub(super) const SECOND: i64 = 1_000;
const JUMPS: [i64; 10] = [
    SECOND,
    SECOND,
    5 * SECOND,
    31 * SECOND,
    61 * SECOND,
    301 * SECOND,
    1_801 * SECOND,
    6 * 3_600 * SECOND,
    25 * 3_600 * SECOND,
    4 * 86_400 * SECOND,
];

/// A kind of move with its weight; the last weights are those of faults.
pub(super) type Maker = fn(&mut Chance) -> Move;

const ACTIONS: [(usize, Maker); 14] = [
    (14, |c| Move::Take { visit: c.below(4), card: card(c), manual: c.percent(25) }),
    (4, |c| Move::TakeAgain { payment: c.below(6), card: card(c) }),
    (6, |c| Move::Retry { payment: c.below(6), card: card(c) }),
    (6, |c| Move::Capture { payment: c.below(6), percent: percent(c) }),
    (3, |c| Move::Cancel { payment: c.below(6) }),
    (6, |c| Move::Refund { payment: c.below(6), percent: percent(c) }),
    (4, |c| Move::Challenge { payment: c.below(6), passed: c.percent(70) }),
    (3, |c| Move::PayOutside { visit: if c.percent(60) { Some(c.below(4)) } else { None } }),
    (3, |c| Move::RefundOutside { payment: c.below(6), percent: percent(c) }),
    (2, |c| Move::Dispute { payment: c.below(6) }),
    (2, |c| Move::EndDispute { won: c.percent(50) }),
    (5, |c| Move::Identify { payment: c.below(6), visit: c.below(4) }),
    (2, |_| Move::Sweep),
    (2, |_| Move::Seal),
];

const MACHINERY: [(usize, Maker); 4] = [
    (30, |c| Move::Step { node: c.below(2) }),
    (10, |c| Move::Work { node: c.below(2) }),
    (14, |c| Move::Deliver { fate: Fate::Arrive, node: c.below(2) }),
    (12, |c| Move::Jump(JUMPS[c.below(JUMPS.len())])),
];

const FAULTS: [(usize, Maker); 16] = [
    (5, |_| Move::Line(Fault::NotSent)),
    (5, |_| Move::Line(Fault::RequestLost)),
    (9, |_| Move::Line(Fault::AnswerLost)),
    (4, |c| Move::Line(Fault::Refused([500, 503, 429][c.below(3)]))),
    (5, |c| Move::Line(Fault::Broken([500, 502, 504][c.below(3)]))),
    (3, |c| Move::Line(Fault::Slow(i64::try_from(c.below(40)).unwrap_or(0) * SECOND))),
    (6, |c| Move::StepAndDie { node: c.below(2), looks: looks(c) }),
    (6, |c| Move::Hold { node: c.below(2), pause: if c.percent(50) { Pause::Before } else { Pause::After } }),
    (5, |c| Move::GoOn { node: c.below(2) }),
    (3, |c| Move::Crash { node: c.below(2) }),
    (3, |c| Move::Deliver { fate: Fate::Backwards, node: c.below(2) }),
    (3, |c| Move::Deliver { fate: Fate::Twice, node: c.below(2) }),
    (3, |c| Move::Deliver { fate: [Fate::FirstLost, Fate::FirstRefused][c.below(2)], node: c.below(2) }),
    (3, |c| Move::Deliver { fate: Fate::Lost, node: c.below(2) }),
    (2, |c| Move::DeliverAndDie { node: c.below(2), looks: looks(c) }),
    (2, |c| if c.percent(70) { Move::EpicOutage(c.percent(50)) } else { Move::Spoof }),
];

/// Keep the draws of what kind of schedule it is apart from the draws of the schedule.
const BILLING: u64 = 0x6269_6c6c;
const VISITS: u64 = 0x7669_7369;

pub(super) fn card(chance: &mut Chance) -> &'static str {
    CARDS[chance.below(CARDS.len())]
}

pub(super) fn percent(chance: &mut Chance) -> i64 {
    [100, 100, 50, 30][chance.below(4)]
}

fn looks(chance: &mut Chance) -> u32 {
    u32::try_from(1 + chance.below(9)).unwrap_or(1)
}

/// What a schedule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Payments of links.
    Payments,
    /// Patient billing.
    Billing,
    /// Visits: calendars, deposits, encounters.
    Visits,
}

/// What the schedule of a seed is about: about a third each.
#[must_use]
pub fn kind_of(seed: u64) -> Kind {
    if Chance::new(seed ^ BILLING).percent(35) {
        return Kind::Billing;
    }
    if Chance::new(seed ^ VISITS).percent(46) { Kind::Visits } else { Kind::Payments }
}

/// The schedule of a seed. One with billing or visits is longer, by the acts that lead up to money.
#[must_use]
pub fn schedule(seed: u64, moves: usize) -> Vec<Move> {
    let chance = &mut Chance::new(seed);
    match kind_of(seed) {
        Kind::Payments => with_payments(chance, moves),
        Kind::Billing => with_billing(chance, moves),
        Kind::Visits => with_story(chance, moves),
    }
}

fn with_payments(chance: &mut Chance, moves: usize) -> Vec<Move> {
    let mut kinds: Vec<(usize, Maker)> = Vec::new();
    kinds.extend(ACTIONS.iter().filter(|_| chance.percent(85)).copied());
    kinds.extend(MACHINERY);
    kinds.extend(FAULTS.iter().filter(|_| chance.percent(50)).copied());
    // Nothing can happen before somebody pays.
    let first = vec![Move::Take { visit: chance.below(4), card: card(chance), manual: chance.percent(25) }];
    fill(chance, &kinds, first, moves)
}

/// Most of what leads up to money comes first, in its order; then everything in any order.
fn with_billing(chance: &mut Chance, moves: usize) -> Vec<Move> {
    let mut kinds: Vec<(usize, Maker)> = Vec::new();
    kinds.extend(ACTIONS.iter().filter(|_| chance.percent(40)).copied());
    kinds.extend(DESK.iter().filter(|_| chance.percent(85)).copied());
    kinds.extend(MACHINERY);
    kinds.extend(FAULTS.iter().filter(|_| chance.percent(50)).copied());
    let mut first: Vec<Move> = Vec::new();
    for make in BEGINNING {
        if chance.percent(90) {
            first.push(make(chance));
        }
    }
    let moves = moves + first.len();
    fill(chance, &kinds, first, moves)
}

/// Patients and cards, then one of the stories of visits with gaps and with anything in between, then everything.
fn with_story(chance: &mut Chance, moves: usize) -> Vec<Move> {
    let mut kinds: Vec<(usize, Maker)> = Vec::new();
    kinds.extend(ACTIONS.iter().filter(|_| chance.percent(20)).copied());
    kinds.extend(FRONT.iter().filter(|_| chance.percent(85)).copied());
    kinds.extend(MACHINERY);
    kinds.extend(FAULTS.iter().filter(|_| chance.percent(40)).copied());
    let mut made: Vec<Move> = Vec::new();
    for make in BEGINNING_FRONT {
        if chance.percent(92) {
            made.push(make(chance));
        }
    }
    let most = moves + made.len();
    for make in STORIES[chance.below(STORIES.len())] {
        if chance.percent(92) {
            made.push(make(chance));
        }
        if chance.percent(35) {
            let room = made.len() + 1;
            made = fill(chance, &kinds, made, room);
        }
    }
    fill(chance, &kinds, made, most)
}

fn fill(chance: &mut Chance, kinds: &[(usize, Maker)], mut made: Vec<Move>, moves: usize) -> Vec<Move> {
    let total: usize = kinds.iter().map(|(weight, _)| weight).sum();
    while made.len() < moves {
        let mut at = chance.below(total);
        for (weight, make) in kinds {
            if at < *weight {
                made.push(make(chance));
                break;
            }
            at -= weight;
        }
    }
    made
}
