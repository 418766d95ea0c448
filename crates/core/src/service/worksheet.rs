//! The worksheet of a service: what the patient owes, what was paid, and the difference. Pure arithmetic; everything that
//! collects or pays back reads it.

use serde::{Deserialize, Serialize};

use crate::id::PaymentId;
use crate::money::Money;

use super::event::Applied;
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
    /// Paid elsewhere.
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
        let elsewhere: i64 = self.elsewhere.values().sum();
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
        let others = sheet.elsewhere.minor + sheet.written_off.minor + sheet.balance_payments.minor;
        let owed = (sheet.responsibility.minor - others).max(0);
        let applied_minor = owed.min(sheet.estimates.minor.max(0));
        let unused = |(id, held): (&String, &super::Held)| {
            let fresh = held.kind == Kind::Estimate && held.net_minor > 0 && !self.consumed.contains(id);
            PaymentId::parse(id).ok().filter(|_| fresh).map(|id| (id, held.net_minor))
        };
        let consumed: Vec<(PaymentId, i64)> = self.payments.iter().filter_map(unused).collect();
        match consumed.is_empty() && applied_minor == self.applied_minor {
            true => None,
            false => Some(Applied { consumed, applied_minor }),
        }
    }

    /// What to pay back, newest charge first, each at most what its payment still holds (FLOWS 5c). Empty while something
    /// is on its way back or came back to us: then a person, or the proof, comes first.
    #[must_use]
    pub fn to_refund(&self) -> Vec<(PaymentId, Money)> {
        let sheet = self.worksheet();
        let mut left = sheet.difference.minor.saturating_neg();
        if left <= 0 || sheet.returning.minor > 0 || self.has_failed_refund() {
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

    /// Whether the balance is zero and proven: nothing on its way in either direction.
    #[must_use]
    pub fn is_even(&self) -> bool {
        let busy = self.payments.values().any(|held| held.collecting || held.returning_minor > 0);
        self.worksheet().difference.minor == 0 && !busy
    }
}
