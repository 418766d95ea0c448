//! The kinds of act at the desk of patient billing, with their weights. Called by `make`.

use super::acts::{Act, CardFate, Ruling};
use super::make::{Maker, SECOND, card, percent};
use super::moves::Move;
use crate::chance::Chance;
use crate::world::{Fate, Fault};

/// What a patient's billing begins with.
pub(super) const BEGINNING: [Maker; 12] = [
    |c| desk(c, Act::Admit { person: 0 }),
    |c| Move::Work { node: c.below(2) },
    |c| stored_card(c, 0),
    |_| Move::Deliver { fate: Fate::Arrive, node: 0 },
    |c| Move::Work { node: c.below(2) },
    |c| desk(c, Act::Consent { patient: 0, balance: false, cap: 12_000 }),
    |c| desk(c, Act::Consent { patient: 0, balance: true, cap: 15_000 }),
    |c| checked(c, 0),
    |c| estimated(c, 0),
    |c| authorized(c, 0),
    |c| Move::Work { node: c.below(2) },
    |c| booked(c, 0),
];

pub(super) const DESK: [(usize, Maker); 24] = [
    (2, |c| person(c)),
    (3, |c| {
        let patient = c.below(2);
        stored_card(c, patient)
    }),
    (2, |c| spoiled(c)),
    (3, |c| consented(c)),
    (1, |c| {
        let patient = c.below(2);
        desk(c, Act::Withdraw { patient })
    }),
    (4, |c| {
        let patient = c.below(2);
        checked(c, patient)
    }),
    (5, |c| {
        let check = c.below(2);
        estimated(c, check)
    }),
    (9, |c| {
        let estimate = c.below(3);
        authorized(c, estimate)
    }),
    (9, |c| {
        let act = Act::CaptureEstimate { estimate: c.below(3), percent: percent(c) };
        desk(c, act)
    }),
    (2, |c| {
        let estimate = c.below(3);
        desk(c, Act::CancelEstimate { estimate })
    }),
    (3, |c| {
        let act = Act::RefundEstimate { estimate: c.below(3), percent: percent(c) };
        desk(c, act)
    }),
    (3, |c| {
        let act = Act::ChangeEstimate { estimate: c.below(3), minor: share(c) };
        desk(c, act)
    }),
    (4, |c| {
        let check = c.below(2);
        booked(c, check)
    }),
    (28, |c| {
        let service = c.below(2);
        desk(c, Act::Further { service })
    }),
    (8, |c| ruled(c)),
    (3, |c| {
        let act = Act::SetByHand { service: c.below(2), minor: share(c) };
        desk(c, act)
    }),
    (6, |c| {
        let act = Act::Settle { service: c.below(2), twice: c.percent(60) };
        desk(c, act)
    }),
    (7, |c| charged(c)),
    (2, |c| {
        let act = Act::PayAtDesk { service: c.below(2), minor: 1_500 };
        desk(c, act)
    }),
    (2, |c| {
        let act = Act::WriteOff { service: c.below(2), percent: percent(c) };
        desk(c, act)
    }),
    (1, |c| {
        let service = c.below(2);
        desk(c, Act::UndoWriteOff { service })
    }),
    (3, |c| {
        let service = c.below(2);
        desk(c, Act::CancelService { service })
    }),
    (3, |c| {
        let act = Act::NextRefund(REFUNDS[c.below(REFUNDS.len())]);
        desk(c, act)
    }),
    (2, |_| Move::Jump(8 * 86_400 * SECOND)),
];

/// How a refund goes at Stripe.
const REFUNDS: [&str; 4] = ["succeeded", "pending", "fail_later", "fail"];
/// What patients' plans leave to them, in minor units; the smallest is below what can be charged.
const SHARES: [i64; 6] = [0, 30, 2_500, 4_000, 6_000, 9_000];
/// Cards that a browser may store or name.
const STORED: [&str; 7] = [
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_mastercard",
    "pm_card_authenticationRequired",
    "pm_card_chargeCustomerFail",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
];
/// The services of a schedule are in so many days; 0: nobody knows.
const DAYS: [i64; 5] = [0, 0, 1, 5, 12];

fn desk(chance: &mut Chance, act: Act) -> Move {
    Move::Desk { node: chance.below(2), act }
}

fn person(chance: &mut Chance) -> Move {
    let person = chance.below(3);
    desk(chance, Act::Admit { person })
}

fn stored_card(chance: &mut Chance, patient: usize) -> Move {
    let card = STORED[chance.below(STORED.len())];
    desk(chance, Act::StoreCard { patient, card })
}

fn spoiled(chance: &mut Chance) -> Move {
    const FATES: [CardFate; 5] = [
        CardFate::Expires,
        CardFate::Refused,
        CardFate::Replaced,
        CardFate::RemovedAtStripe,
        CardFate::TakenOff,
    ];
    let act = Act::Spoil { patient: chance.below(2), fate: FATES[chance.below(FATES.len())] };
    desk(chance, act)
}

fn consented(chance: &mut Chance) -> Move {
    let cap = [3_000, 6_000, 15_000][chance.below(3)];
    let act = Act::Consent { patient: chance.below(2), balance: chance.percent(50), cap };
    desk(chance, act)
}

fn share(chance: &mut Chance) -> i64 {
    SHARES[chance.below(SHARES.len())]
}

fn checked(chance: &mut Chance, patient: usize) -> Move {
    let minor = share(chance);
    desk(chance, Act::Check { patient, minor })
}

fn estimated(chance: &mut Chance, check: usize) -> Move {
    let days = DAYS[chance.below(DAYS.len())];
    desk(chance, Act::Estimate { check, days })
}

fn booked(chance: &mut Chance, check: usize) -> Move {
    let days = DAYS[chance.below(DAYS.len())];
    desk(chance, Act::Book { check, days })
}

fn present(chance: &mut Chance) -> Option<&'static str> {
    chance.percent(60).then(|| card(chance))
}

fn authorized(chance: &mut Chance, estimate: usize) -> Move {
    let card = present(chance);
    desk(chance, Act::Authorize { estimate, card })
}

fn charged(chance: &mut Chance) -> Move {
    let act = Act::Charge { service: chance.below(2), card: present(chance), twice: chance.percent(40) };
    desk(chance, act)
}

fn ruled(chance: &mut Chance) -> Move {
    const RULINGS: [Ruling; 8] = [
        Ruling::Processed,
        Ruling::Processed,
        Ruling::Processed,
        Ruling::Denied,
        Ruling::Forwarded,
        Ruling::Reversed,
        Ruling::Reversed,
        Ruling::Repeated,
    ];
    let act = Act::Rule {
        service: chance.below(2),
        ruling: RULINGS[chance.below(RULINGS.len())],
        patient: [0, 8, 13, 20, 40][chance.below(5)],
        contractual: [0, 30, 40][chance.below(3)],
        refused: [0, 0, 0, 7][chance.below(4)],
    };
    desk(chance, act)
}

/// A captured estimate charge of which a part is refunded; the refund's answer is lost.
pub fn a_refund_whose_answer_is_lost() -> Vec<Move> {
    let at_desk = |act| Move::Desk { node: 0, act };
    let work = || Move::Work { node: 0 };
    vec![
        at_desk(Act::Admit { person: 0 }),
        work(),
        at_desk(Act::Check { patient: 0, minor: 6_000 }),
        at_desk(Act::Estimate { check: 0, days: 0 }),
        at_desk(Act::Authorize { estimate: 0, card: Some("pm_card_visa") }),
        work(),
        at_desk(Act::CaptureEstimate { estimate: 0, percent: 100 }),
        work(),
        Move::Deliver { fate: Fate::Arrive, node: 0 },
        work(),
        Move::Line(Fault::AnswerLost),
        at_desk(Act::RefundEstimate { estimate: 0, percent: 30 }),
        work(),
    ]
}
