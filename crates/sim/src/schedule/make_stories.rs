//! Stories of visits that random moves alone reach too rarely, as beginnings of schedules: each branch of FLOWS 1 to 3 that
//! needs several acts in their order. Called by `make`, which leaves gaps and puts other moves in between.

use suture_core::appointment::Party;
use suture_core::consent::Purpose;

use super::acts::{Act, Ruling};
use super::front::FAR;
use super::front_acts::{FrontAct, Moment};
use super::make::Maker;
use super::make_front::{desk, front};
use super::moves::Move;
use crate::chance::Chance;
use crate::world::Fate;

/// The types of visit by their numbers.
const DEPOSIT: usize = 0;
const CHARGED_BEFORE: usize = 1;
const RESERVED: usize = 2;
const PAID_AFTER: usize = 3;
const HYBRID: usize = 4;

pub(super) const STORIES: [&[Maker]; 11] = [
    &BOOKED,
    &LATE_MONEY,
    &LATE_MONEY,
    &AT_RISK,
    &AT_RISK,
    &WAITING,
    &RESERVATION,
    &NOT_COME,
    &PAID_LATER,
    &WITH_COVERAGE,
    &WITH_COVERAGE,
];

/// A deposit books; the visit moves, and takes place or not.
const BOOKED: [Maker; 10] = [
    |c| select(c, 0, DEPOSIT, 0),
    |c| pay(c, Some("pm_card_visa")),
    work,
    told,
    |c| {
        let act = FrontAct::Shift { appointment: 0, slot: c.below(6), by: Party::Patient };
        front(c, act)
    },
    work,
    |c| until(c, Moment::Begin),
    |c| sign(c, 0),
    work,
    |c| sign(c, 1),
];

/// The bank's check ends when the hold is over; somebody else may have the slot by then (FLOWS 1c, 1d).
const LATE_MONEY: [Maker; 11] = [
    |c| {
        let visit = [DEPOSIT, RESERVED][c.below(2)];
        select(c, 0, visit, 0)
    },
    |c| pay(c, Some("pm_card_threeDSecure2Required")),
    work,
    |c| until(c, Moment::HoldOver),
    work,
    |c| until(c, Moment::HoldOver),
    |c| Move::Step { node: c.below(2) },
    |c| check(c, 0),
    |c| if c.percent(50) { select(c, 1, DEPOSIT, 0) } else { Move::Step { node: c.below(2) } },
    told,
    work,
];

/// The charge before the visit fails; it is paid, overridden, an emergency, cancelled or released (FLOWS T1 to T5).
const AT_RISK: [Maker; 13] = [
    |c| {
        let card = ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"][c.below(2)];
        desk(c, Act::StoreCard { patient: 2, card })
    },
    told,
    |c| front(c, FrontAct::Allow { patient: 2, purpose: Purpose::Visit, cap: 20_000 }),
    |c| select(c, 2, CHARGED_BEFORE, 0),
    |c| pay(c, Some("pm_card_visa")),
    work,
    |c| until(c, Moment::ChargeBefore),
    work,
    rescued,
    |c| if c.percent(50) { work(c) } else { Move::Step { node: c.below(2) } },
    |c| until(c, Moment::DeadlineOver),
    |c| if c.percent(50) { check(c, 0) } else { work(c) },
    work,
];

/// Three wait, and the slot is freed again and again (FLOWS 1b).
const WAITING: [Maker; 12] = [
    |c| select(c, 0, DEPOSIT, 0),
    |c| wait(c, 1),
    |c| wait(c, 2),
    |c| wait(c, 1),
    |c| pay(c, Some("pm_card_visa")),
    |c| if c.percent(60) { cancel(c, Party::Provider) } else { until(c, Moment::HoldOver) },
    work,
    |c| if c.percent(50) { pay(c, Some("pm_card_visa")) } else { until(c, Moment::HoldOver) },
    work,
    |c| if c.percent(50) { cancel(c, Party::Patient) } else { until(c, Moment::HoldOver) },
    work,
    |c| pay(c, Some("pm_card_visa")),
];

/// A deposit that is only reserved: taken at the visit, kept for a fee, released, or lapsed.
const RESERVATION: [Maker; 6] = [
    |c| {
        let slot = if c.percent(30) { FAR } else { 0 };
        select(c, 0, RESERVED, slot)
    },
    |c| pay(c, Some("pm_card_visa")),
    work,
    |c| {
        let by = [Party::Patient, Party::Provider][c.below(2)];
        if c.percent(40) { cancel(c, by) } else { until(c, Moment::Begin) }
    },
    |c| {
        let act = [FrontAct::Arrive { appointment: 0 }, FrontAct::Miss { appointment: 0 }][c.below(2)];
        front(c, act)
    },
    work,
];

/// The patient does not come.
const NOT_COME: [Maker; 7] = [
    |c| {
        let visit = [DEPOSIT, CHARGED_BEFORE, PAID_AFTER][c.below(3)];
        select(c, 0, visit, 0)
    },
    |c| pay(c, Some("pm_card_visa")),
    work,
    |c| front(c, FrontAct::Allow { patient: 0, purpose: Purpose::MissedVisitFee, cap: 6_000 }),
    |c| until(c, Moment::Begin),
    |c| front(c, FrontAct::Miss { appointment: 0 }),
    work,
];

/// The signed encounter is charged, by a ladder of days where it must; addenda go up and down (FLOWS 3).
const PAID_LATER: [Maker; 11] = [
    |c| {
        let card = ["pm_card_visa", "pm_card_chargeCustomerFail"][c.below(2)];
        desk(c, Act::StoreCard { patient: 0, card })
    },
    told,
    |c| select(c, 0, PAID_AFTER, 0),
    |c| until(c, Moment::Begin),
    |c| sign(c, 0),
    work,
    told,
    |c| front(c, FrontAct::Addend { appointment: 0, codes: 1 }),
    work,
    |c| front(c, FrontAct::Addend { appointment: 0, codes: 2 }),
    |c| until(c, Moment::DayAfter),
];

/// The deposit comes from coverage; the same check may be used for two visits (FLOWS 2).
const WITH_COVERAGE: [Maker; 12] = [
    |c| select(c, 0, HYBRID, 0),
    |c| if c.percent(50) { select(c, 0, HYBRID, 2) } else { work(c) },
    |c| pay(c, Some("pm_card_visa")),
    |c| front(c, FrontAct::Pay { appointment: 1, card: Some("pm_card_visa"), twice: false }),
    work,
    |c| if c.percent(30) { cancel(c, Party::Patient) } else { work(c) },
    work,
    |c| until(c, Moment::Begin),
    |c| sign(c, 0),
    work,
    |c| {
        let (ruling, patient) = (Ruling::Processed, [0, 13, 40][c.below(3)]);
        desk(c, Act::Rule { service: 0, ruling, patient, contractual: 30, refused: 0 })
    },
    work,
];

fn work(chance: &mut Chance) -> Move {
    Move::Work { node: chance.below(2) }
}

fn told(_: &mut Chance) -> Move {
    Move::Deliver { fate: Fate::Arrive, node: 0 }
}

fn select(chance: &mut Chance, patient: usize, visit: usize, slot: usize) -> Move {
    let raced = chance.percent(20);
    front(chance, FrontAct::Select { patient, provider: 0, visit, slot, raced, emergency: false })
}

fn pay(chance: &mut Chance, card: Option<&'static str>) -> Move {
    let twice = chance.percent(15);
    front(chance, FrontAct::Pay { appointment: 0, card, twice })
}

fn check(chance: &mut Chance, appointment: usize) -> Move {
    front(chance, FrontAct::Check { appointment, passed: true })
}

fn cancel(chance: &mut Chance, by: Party) -> Move {
    front(chance, FrontAct::Cancel { appointment: 0, by, waived: false })
}

fn until(chance: &mut Chance, moment: Moment) -> Move {
    front(chance, FrontAct::Until { appointment: 0, moment })
}

fn sign(chance: &mut Chance, codes: usize) -> Move {
    let twice = chance.percent(20);
    front(chance, FrontAct::Sign { appointment: 0, codes, twice })
}

fn wait(chance: &mut Chance, patient: usize) -> Move {
    let provider = chance.percent(50).then_some(0);
    front(chance, FrontAct::Wait { patient, visit: DEPOSIT, provider })
}

/// What may happen to a visit at risk.
fn rescued(chance: &mut Chance) -> Move {
    match chance.below(6) {
        0 => pay(chance, Some("pm_card_visa")),
        1 | 2 => pay(chance, Some("pm_card_threeDSecure2Required")),
        3 => front(chance, FrontAct::Override { appointment: 0 }),
        4 => front(chance, FrontAct::Emergency { appointment: 0, on: true }),
        _ => cancel(chance, Party::Provider),
    }
}
