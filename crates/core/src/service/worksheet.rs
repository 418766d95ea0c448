//! The worksheet of a service: what the patient owes, what was paid, and the difference. Pure arithmetic; everything that
//! collects or pays back reads it.

use serde::{Deserialize, Serialize};

use crate::id::PaymentId;
use crate::money::Money;

use super::event::{Applied, GivenBackFrom};
use super::state::{Kind, Service, Status};

/// What a service comes to. All amounts are in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worksheet {
    /// What the patient owes.
    pub responsibility: Money,
    /// Paid by estimates, net.
    pub estimates: Money,
    /// Paid on the balance, net.
    pub balance_payments: Money,
    /// Paid elsewhere, less what was given back outside of a gateway.
    pub elsewhere: Money,
    /// Given up.
    pub written_off: Money,
    /// On its way back to the patient, not proven.
    pub returning: Money,
    /// What is left: positive, the patient owes it; negative, it is owed to the patient.
    pub difference: Money,
}

impl Service {
    /// The worksheet as of now.
    #[must_use]
    pub fn worksheet(&self) -> Worksheet {
        let money = |minor| Money::new(minor, self.currency);
        let net = |kind: Kind| -> i64 {
            self.payments.values().filter(|held| held.kind == kind).map(|held| held.net_minor).sum()
        };
        let (estimates, balance) = (net(Kind::Estimate), net(Kind::Balance));
        let elsewhere = self.elsewhere.values().sum::<i64>() - self.given_back.values().sum::<i64>();
        let written_off: i64 = self.write_offs.values().sum();
        let responsibility = self.responsibility_minor();
        Worksheet {
            responsibility: money(responsibility),
            estimates: money(estimates),
            balance_payments: money(balance),
            elsewhere: money(elsewhere),
            written_off: money(written_off),
            returning: money(self.payments.values().map(|held| held.returning_minor).sum()),
            difference: money(responsibility - elsewhere - written_off - estimates - balance),
        }
    }

    /// How the money of estimates is to be applied now; `None` when nothing changes. Before settling begins, deposits stay
    /// deposits.
    #[must_use]
    pub fn to_apply(&self) -> Option<Applied> {
        if self.version == 0 || self.status == Status::Canceled {
            return None;
        }
        let sheet = self.worksheet();
        // What was given back of estimates pays nothing any more, and is no debt of the patient either.
        let gone = self.given_back_estimates_minor;
        let others = sheet.elsewhere.minor + gone + sheet.written_off.minor + sheet.balance_payments.minor;
        let owed = (sheet.responsibility.minor - others).max(0);
        let applied_minor = owed.min(sheet.estimates.minor.max(0) - gone);
        let unused = |(id, held): (&String, &super::Held)| {
            let fresh = held.kind == Kind::Estimate && held.net_minor > 0 && !self.consumed.contains(id);
            // What a refund brought back is a credit already.
            let deposit = held.net_minor - held.came_back_minor;
            PaymentId::parse(id).ok().filter(|_| fresh).map(|id| (id, deposit))
        };
        let consumed: Vec<(PaymentId, i64)> = self.payments.iter().filter_map(unused).collect();
        match consumed.is_empty() && applied_minor == self.applied_minor {
            true => None,
            false => Some(Applied { consumed, applied_minor }),
        }
    }

    /// What to pay back, newest charge first, each at most what its payment still holds (FLOWS 5c). Empty while something
    /// is on its way back or came back to us: then a person, or the proof, comes first. Empty too while the payer has taken
    /// its decision back: the next one says what the patient owes (FLOWS 2G).
    #[must_use]
    pub fn to_refund(&self) -> Vec<(PaymentId, Money)> {
        let sheet = self.worksheet();
        let mut left = sheet.difference.minor.saturating_neg();
        let waits = sheet.returning.minor > 0 || self.has_failed_refund() || self.is_undecided();
        if left <= 0 || waits {
            return Vec::new();
        }
        let mut newest: Vec<(&String, &super::Held)> =
            self.payments.iter().filter(|(_, held)| held.net_minor > 0).collect();
        newest.sort_by(|(one, a), (other, b)| b.charged_at.cmp(&a.charged_at).then(other.cmp(one)));
        let mut refunds = Vec::new();
        for (id, held) in newest {
            let part = left.min(held.net_minor);
            if let Ok(payment) = PaymentId::parse(id)
                && part > 0
            {
                refunds.push((payment, Money::new(part, self.currency)));
                left -= part;
            }
        }
        refunds
    }

    /// How much may be given back outside of a gateway now, in minor units: before settling what was paid elsewhere, afterwards
    /// what is owed back. Nothing while something is on its way back, or while nobody knows what is owed.
    #[must_use]
    pub fn to_give_back_minor(&self) -> i64 {
        let sheet = self.worksheet();
        if self.version == 0 && self.status != Status::Canceled {
            return sheet.elsewhere.minor.max(0);
        }
        match sheet.returning.minor > 0 || self.is_undecided() {
            true => 0,
            false => sheet.difference.minor.saturating_neg().max(0),
        }
    }

    /// Which money an amount that is given back is: what was paid elsewhere first, then what stands as a credit.
    #[must_use]
    pub(super) fn given_back_from(&self, minor: i64) -> GivenBackFrom {
        let came_back = |kind: Kind| -> i64 {
            self.payments.values().filter(|held| held.kind == kind).map(|held| held.came_back_minor).sum()
        };
        let mut left = minor;
        let mut take = |most: i64| {
            let part = left.min(most.max(0));
            left -= part;
            part
        };
        let paid: i64 = self.elsewhere.values().sum();
        let elsewhere_minor = take(paid - self.given_back_elsewhere_minor);
        let is_applied = self.version > 0 && self.status != Status::Canceled;
        // Of a cancelled service no estimate was applied: what came back of it is a credit, the rest still a deposit.
        let (spare, returned) = match is_applied {
            true => (
                self.worksheet().estimates.minor - self.given_back_estimates_minor - self.applied_minor,
                came_back(Kind::Balance),
            ),
            false => (0, came_back(Kind::Balance) + came_back(Kind::Estimate)),
        };
        let estimates_minor = take(spare);
        let returned_minor = take(returned - self.given_back_returned_minor);
        GivenBackFrom { elsewhere_minor, estimates_minor, returned_minor, unrefunded_minor: left }
    }

    /// Whether a refund came back to us that nothing has made good since: the money is still owed to the patient.
    #[must_use]
    pub fn has_failed_refund(&self) -> bool {
        self.worksheet().difference.minor < 0 && self.payments.values().any(|held| held.failed_refunds > 0)
    }

    /// What is to be collected from the patient now; `None` while something is on its way.
    #[must_use]
    pub fn to_collect(&self) -> Option<Money> {
        let busy = self.payments.values().any(|held| held.collecting || held.returning_minor > 0);
        let due = self.worksheet().difference;
        (self.status == Status::Settling && due.minor > 0 && !busy).then_some(due)
    }

    /// Whether a self-pay bill is 400.00 or more above the good-faith estimate and nobody has reviewed it: then the patient
    /// may dispute it, and nothing is collected (No Surprises Act; FEATURES M307).
    #[must_use]
    pub fn is_far_above_estimate(&self) -> bool {
        const FAR: i64 = 40_000;
        let Some((told, _)) = self.good_faith.filter(|_| self.claim.is_none() && !self.reviewed) else {
            return false;
        };
        self.responsibility_minor().saturating_sub(told.minor) >= FAR
    }

    /// Whether the balance is zero and proven: decided, and nothing on its way in either direction.
    #[must_use]
    pub fn is_even(&self) -> bool {
        let busy = self.payments.values().any(|held| held.collecting || held.returning_minor > 0);
        self.worksheet().difference.minor == 0 && !busy && !self.is_undecided()
    }
}
