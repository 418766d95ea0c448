//! The kinds of act about visits, with their weights. Called by `make`.

use suture_core::appointment::Party;
use suture_core::consent::Purpose;

use super::acts::{Act, CardFate};
use super::front::FAR;
use super::front_acts::{FrontAct, Moment};
use super::make::{Maker, card};
use super::moves::Move;
use crate::chance::Chance;
use crate::world::Fate;

/// How many patients there are.
const PATIENTS: usize = 3;

/// What visits begin with.
pub(super) const BEGINNING_FRONT: [Maker; 11] = [
    |c| desk(c, Act::Admit { person: 0 }),
    |c| desk(c, Act::Admit { person: 1 }),
    |c| desk(c, Act::Admit { person: 2 }),
    |c| Move::Work { node: c.below(2) },
    |c| desk(c, Act::StoreCard { patient: 0, card: "pm_card_visa" }),
    |c| stored_card(c, 1),
    |_| Move::Deliver { fate: Fate::Arrive, node: 0 },
    |c| Move::Work { node: c.below(2) },
    |c| front(c, FrontAct::Allow { patient: 0, purpose: Purpose::Visit, cap: 20_000 }),
    |c| desk(c, Act::Check { patient: 0, minor: 4_000 }),
    |c| desk(c, Act::Check { patient: 1, minor: 2_500 }),
];

pub(super) const FRONT: [(usize, Maker); 26] = [
    (16, selected),
    (14, paid),
    (5, checked),
    (5, canceled),
    (4, shifted),
    (3, |c| about(c, |appointment| FrontAct::Arrive { appointment })),
    (3, |c| about(c, |appointment| FrontAct::Miss { appointment })),
    (2, |c| about(c, |appointment| FrontAct::Override { appointment })),
    (2, |c| {
        let on = c.percent(70);
        about(c, |appointment| FrontAct::Emergency { appointment, on })
    }),
    (6, signed),
    (3, |c| {
        let codes = c.below(5);
        about(c, |appointment| FrontAct::Addend { appointment, codes })
    }),
    (1, |c| front(c, FrontAct::Price)),
    (6, waiting),
    (1, |c| {
        let place = c.below(3);
        front(c, FrontAct::Leave { place })
    }),
    (2, |c| about(c, |appointment| FrontAct::Accept { appointment })),
    (3, allowed),
    (12, until),
    (3, hold_over),
    (2, |c| {
        let patient = c.below(PATIENTS);
        stored_card(c, patient)
    }),
    (2, spoiled),
    (1, |c| {
        let patient = c.below(PATIENTS);
        desk(c, Act::Withdraw { patient })
    }),
    (2, |c| {
        let act = Act::Check { patient: c.below(PATIENTS), minor: [0, 30, 2_500, 4_000][c.below(4)] };
        desk(c, act)
    }),
    (2, |c| {
        let act = Act::Rule {
            service: c.below(2),
            ruling: super::acts::Ruling::Processed,
            patient: [0, 13, 40][c.below(3)],
            contractual: [0, 30][c.below(2)],
            refused: 0,
        };
        desk(c, act)
    }),
    (2, |c| {
        let act = Act::Charge { service: c.below(2), card: Some(card(c)), twice: c.percent(40) };
        desk(c, act)
    }),
    (1, |c| {
        let act = Act::WriteOff { service: c.below(2), percent: 100 };
        desk(c, act)
    }),
    (1, |c| {
        let act = Act::NextRefund(["succeeded", "pending", "fail_later", "fail"][c.below(4)]);
        desk(c, act)
    }),
];

/// Cards on file.
const STORED: [&str; 5] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_chargeCustomerFail",
    "pm_card_authenticationRequired",
    "pm_card_pendingRefund",
];

/// Cards that patients pay deposits with: those that work, mostly.
const PAYING: [&str; 9] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_threeDSecure2Required",
    "pm_card_threeDSecure2Required",
    "pm_card_refundFail",
];

pub(super) fn desk(chance: &mut Chance, act: Act) -> Move {
    Move::Desk { node: chance.below(2), act }
}

pub(super) fn front(chance: &mut Chance, act: FrontAct) -> Move {
    Move::Front { node: chance.below(2), act }
}

fn about(chance: &mut Chance, act: impl FnOnce(usize) -> FrontAct) -> Move {
    // The latest is number 0.
    let appointment = [0, 0, 0, 1, 1, 2, 3, 4][chance.below(8)];
    front(chance, act(appointment))
}

fn stored_card(chance: &mut Chance, patient: usize) -> Move {
    let card = STORED[chance.below(STORED.len())];
    desk(chance, Act::StoreCard { patient, card })
}

fn spoiled(chance: &mut Chance) -> Move {
    const FATES: [CardFate; 3] = [CardFate::Refused, CardFate::RemovedAtStripe, CardFate::TakenOff];
    let act = Act::Spoil { patient: chance.below(PATIENTS), fate: FATES[chance.below(FATES.len())] };
    desk(chance, act)
}

fn slot(chance: &mut Chance) -> usize {
    if chance.percent(8) { FAR } else { chance.below(6) }
}

fn selected(chance: &mut Chance) -> Move {
    let act = FrontAct::Select {
        patient: chance.below(PATIENTS),
        provider: usize::from(chance.percent(25)),
        visit: [0, 0, 1, 1, 2, 2, 3, 4][chance.below(8)],
        slot: slot(chance),
        raced: chance.percent(25),
        emergency: chance.percent(5),
    };
    front(chance, act)
}

fn paid(chance: &mut Chance) -> Move {
    let card = chance.percent(90).then(|| PAYING[chance.below(PAYING.len())]);
    let twice = chance.percent(15);
    about(chance, |appointment| FrontAct::Pay { appointment, card, twice })
}

fn checked(chance: &mut Chance) -> Move {
    let passed = chance.percent(75);
    about(chance, |appointment| FrontAct::Check { appointment, passed })
}

fn canceled(chance: &mut Chance) -> Move {
    let by = [Party::Patient, Party::Patient, Party::Provider, Party::Clinic][chance.below(4)];
    let waived = chance.percent(20);
    about(chance, |appointment| FrontAct::Cancel { appointment, by, waived })
}

fn shifted(chance: &mut Chance) -> Move {
    let (slot, by) = (slot(chance), [Party::Patient, Party::Clinic][chance.below(2)]);
    about(chance, |appointment| FrontAct::Shift { appointment, slot, by })
}

fn signed(chance: &mut Chance) -> Move {
    let (codes, twice) = (chance.below(5), chance.percent(25));
    about(chance, |appointment| FrontAct::Sign { appointment, codes, twice })
}

fn waiting(chance: &mut Chance) -> Move {
    let act = FrontAct::Wait {
        patient: chance.below(PATIENTS),
        visit: [0, 0, 0, 1, 2, 3, 4][chance.below(7)],
        provider: chance.percent(40).then_some(0),
    };
    front(chance, act)
}

fn allowed(chance: &mut Chance) -> Move {
    const PURPOSES: [Purpose; 4] =
        [Purpose::Visit, Purpose::Visit, Purpose::Deposit, Purpose::MissedVisitFee];
    let act = FrontAct::Allow {
        patient: chance.below(PATIENTS),
        purpose: PURPOSES[chance.below(PURPOSES.len())],
        cap: [6_000, 20_000][chance.below(2)],
    };
    front(chance, act)
}

fn until(chance: &mut Chance) -> Move {
    const MOMENTS: [Moment; 8] = [
        Moment::LastSecondOfHold,
        Moment::HoldOver,
        Moment::ChargeBefore,
        Moment::ChargeBefore,
        Moment::DeadlineOver,
        Moment::DeadlineOver,
        Moment::Begin,
        Moment::DayAfter,
    ];
    let moment = MOMENTS[chance.below(MOMENTS.len())];
    about(chance, |appointment| FrontAct::Until { appointment, moment })
}

fn hold_over(chance: &mut Chance) -> Move {
    about(chance, |appointment| FrontAct::Until { appointment, moment: Moment::HoldOver })
}
