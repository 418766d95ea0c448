//! Which line of a service each cent belongs to: what the payer paid and took off, what is the patient's, and which payment
//! pays it. Pure arithmetic over what is known; it books nothing.
//!
//! Called to explain a bill and to show a service. Invariant: over all lines, and with what no line needs, every column adds
//! up to the worksheet.
//!
//! The rules. What a payer says about a line counts for that line; what it says about the claim is shared by the charges of
//! the lines. A responsibility that a person set is shared like the payer's, or by the charges where there is none. Payments,
//! net of their refunds, pay the lines in the order of the claim, the oldest payment first; what was paid elsewhere comes
//! last, and write-offs take what is then left. Cents that do not divide go to the largest remainders, first lines first.

use serde::{Deserialize, Serialize};

use crate::adjudication::{Adjudication, Part, Split};
use crate::money::Money;

use super::state::Service;

/// A part of a payment that pays a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePayment {
    /// The payment; `None`: paid elsewhere, less what was given back there.
    pub payment: Option<String>,
    /// How much of it.
    pub amount: Money,
}

/// What one line comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineShare {
    /// The procedure code; `None`: the service as a whole, when it has no lines.
    pub code: Option<String>,
    /// What it costs.
    pub charge: Money,
    /// Paid by the payer.
    pub payer_paid: Money,
    /// Taken off by contract.
    pub contractual: Money,
    /// Stays with the payer: refused, unexplained or waiting for the next payer.
    pub open_with_payer: Money,
    /// What the patient owes of it in all.
    pub patient: Money,
    /// Which payments pay it.
    pub payments: Vec<LinePayment>,
    /// Given up.
    pub written_off: Money,
    /// What is left for the patient to pay.
    pub due: Money,
}

/// A service by its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The lines in the order of the claim.
    pub lines: Vec<LineShare>,
    /// What no line needs: deposits before anything is decided, and what is owed back. All that is due less this is the
    /// worksheet's difference.
    pub unapplied: Money,
}

/// A column over the lines, in minor units.
type Column = Vec<i64>;

impl Service {
    /// Which line each cent belongs to, as of now.
    #[must_use]
    pub fn allocation(&self) -> Allocation {
        let money = |minor| Money::new(minor, self.currency);
        let charges = self.charges();
        let decided = self.decided_by_line(&charges);
        let owed = match self.set_by_person {
            Some(set) if decided.patient.iter().any(|minor| *minor > 0) => share(set.minor, &decided.patient),
            Some(set) => share(set.minor, &charges),
            None => decided.patient.clone(),
        };
        let mut left = owed.clone();
        let mut payments: Vec<Vec<LinePayment>> = vec![Vec::new(); charges.len()];
        let mut unapplied = 0_i64;
        for (payment, minor) in self.sources() {
            let parts = pay(&mut left, minor);
            unapplied += minor - parts.iter().sum::<i64>();
            for (line, part) in payments.iter_mut().zip(parts).filter(|(_, part)| *part != 0) {
                line.push(LinePayment { payment: payment.clone(), amount: money(part) });
            }
        }
        let given_up: i64 = self.write_offs.values().sum();
        let written_off = pay(&mut left, given_up);
        unapplied += given_up - written_off.iter().sum::<i64>();
        let of = |column: &Column, line: usize| money(column.get(line).copied().unwrap_or(0));
        let share_of = |(line, payments): (usize, Vec<LinePayment>)| LineShare {
            code: self.lines.get(line).map(|line| line.code.clone()),
            charge: of(&charges, line),
            payer_paid: of(&decided.paid, line),
            contractual: of(&decided.contractual, line),
            open_with_payer: of(&decided.open, line),
            patient: of(&owed, line),
            payments,
            written_off: of(&written_off, line),
            due: of(&left, line),
        };
        let lines = payments.into_iter().enumerate().map(share_of).collect();
        Allocation { lines, unapplied: money(unapplied) }
    }

    /// The charge of each line; one that is nothing when there are none.
    fn charges(&self) -> Column {
        match self.lines.is_empty() {
            true => vec![0],
            false => self.lines.iter().map(|line| line.charge.minor).collect(),
        }
    }

    /// What all decisions come to, by line.
    fn decided_by_line(&self, charges: &[i64]) -> ByLine {
        let mut sum = ByLine::of(charges.len());
        for (decision, split) in &self.decisions {
            sum.add(&by_line(decision, *split, charges));
        }
        sum
    }

    /// What pays, oldest first, net of what went back. What went back beyond its own source is taken from the newest.
    fn sources(&self) -> Vec<(Option<String>, i64)> {
        let mut held: Vec<_> = self.payments.iter().filter(|(_, held)| held.net_minor != 0).collect();
        held.sort_by(|(one, a), (other, b)| a.charged_at.cmp(&b.charged_at).then(one.cmp(other)));
        let mut sources: Vec<(Option<String>, i64)> =
            held.into_iter().map(|(payment, held)| (Some(payment.clone()), held.net_minor)).collect();
        sources.push((None, self.worksheet().elsewhere.minor));
        let mut missing: i64 = sources.iter().map(|(_, minor)| (*minor).min(0)).sum();
        for (_, minor) in sources.iter_mut().rev() {
            *minor = (*minor).max(0);
            let taken = (*minor).min(-missing);
            *minor -= taken;
            missing += taken;
        }
        if missing < 0 {
            sources.push((None, missing));
        }
        sources
    }
}

/// Decided amounts by line.
struct ByLine {
    paid: Column,
    contractual: Column,
    patient: Column,
    open: Column,
}

impl ByLine {
    fn of(lines: usize) -> Self {
        let column = || vec![0; lines];
        Self { paid: column(), contractual: column(), patient: column(), open: column() }
    }

    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.paid, &other.paid),
            (&mut self.contractual, &other.contractual),
            (&mut self.patient, &other.patient),
            (&mut self.open, &other.open),
        ];
        for (sum, more) in pairs {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
}

/// One decision by line. What it states for a line stands there; the rest of each part is shared by the charges, so that
/// each column is the decision's.
fn by_line(decision: &Adjudication, split: Split, charges: &[i64]) -> ByLine {
    let mut stated = ByLine::of(charges.len());
    for adjustment in &decision.adjustments {
        let line = adjustment.line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
        let Some(line) = line.filter(|line| *line < charges.len()) else { continue };
        let column = match decision.part_of(adjustment) {
            Part::Contractual => &mut stated.contractual,
            Part::Patient => &mut stated.patient,
            Part::Open => &mut stated.open,
        };
        if let Some(cell) = column.get_mut(line) {
            *cell += adjustment.amount.minor;
        }
    }
    let fill = |column: Column, total: i64| -> Column {
        let rest = share(total - column.iter().sum::<i64>(), charges);
        column.iter().zip(rest).map(|(stated, rest)| stated + rest).collect()
    };
    let (contractual, patient, open) = (
        fill(stated.contractual, split.contractual),
        fill(stated.patient, split.patient),
        fill(stated.open, split.open),
    );
    // A line's charge less what was taken off is what was paid for it, if the decision is about these charges.
    let sign = if split.paid + split.contractual + split.patient + split.open < 0 { -1 } else { 1 };
    let taken = |line: usize| -> i64 {
        [&contractual, &patient, &open].iter().filter_map(|column| column.get(line)).sum()
    };
    let paid = charges.iter().enumerate().map(|(line, charge)| sign * charge - taken(line)).collect();
    ByLine { paid: fill(paid, split.paid), contractual, patient, open }
}

/// Pays lines in order, each at most what is left of it. Says how much went to each. What is less than nothing is owed again
/// on the first line.
fn pay(left: &mut [i64], minor: i64) -> Column {
    let mut rest = minor;
    left.iter_mut()
        .map(|line| {
            let part = rest.min((*line).max(0));
            *line -= part;
            rest -= part;
            part
        })
        .collect()
}

/// Divides an amount by weights without losing a cent; by equal parts when they weigh nothing.
fn share(minor: i64, weights: &[i64]) -> Column {
    let weighed: Vec<i128> = weights.iter().map(|weight| i128::from((*weight).max(0))).collect();
    let all: i128 = weighed.iter().sum();
    let weighed = if all == 0 { vec![1; weights.len()] } else { weighed };
    let all: i128 = weighed.iter().sum::<i128>().max(1);
    let whole = i128::from(minor.unsigned_abs());
    let mut parts: Vec<i128> = weighed.iter().map(|weight| whole * weight / all).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let remainder = |line: &usize| weighed.get(*line).map_or(0, |weight| whole * weight % all);
    order.sort_by(|one, other| remainder(other).cmp(&remainder(one)).then(one.cmp(other)));
    let mut missing = whole - parts.iter().sum::<i128>();
    for line in order {
        if let Some(part) = parts.get_mut(line).filter(|_| missing > 0) {
            *part += 1;
            missing -= 1;
        }
    }
    // A part of an amount that fits fits too.
    let sign = minor.signum();
    parts.into_iter().map(|part| sign * i64::try_from(part).unwrap_or(i64::MAX)).collect()
}
