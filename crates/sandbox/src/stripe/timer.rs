//! What becomes due as the clock moves: lapsing authorizations, late refunds, disputes, payouts.
//!
//! `StripeWorld::advance` is called by everything that enters the world, so nobody can see a state in which
//! something overdue has not happened.

use super::object::Snapshot;
use super::random::Id;
use super::world::StripeWorld;
use serde_json::json;

/// Something that will happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Due {
    /// A draft invoice finalizes by itself.
    Finalize(Id),
    /// An authorization lapses.
    Lapse(Id),
    /// The balance transaction of a charge arrives.
    Settle(Id),
    RefundSucceeds(Id),
    RefundFails(Id),
    Dispute {
        charge: Id,
        reason: &'static str,
        inquiry: bool,
    },
    FraudWarning(Id),
    /// The last day to answer a dispute passes.
    Deadline(Id),
    /// A payout's lines can be listed.
    Reconciled(Id),
    /// A payout arrives.
    Paid(Id),
}

impl StripeWorld {
    /// Plans something in `seconds` from now.
    pub(crate) fn schedule_in(&mut self, seconds: i64, due: Due) {
        self.schedule_ms(self.now_ms.saturating_add(seconds.saturating_mul(1000)), due);
    }

    /// Plans something after a unix second has passed.
    pub(crate) fn schedule_seconds(&mut self, second: i64, due: Due) {
        self.schedule_ms(second.saturating_add(1).saturating_mul(1000), due);
    }

    fn schedule_ms(&mut self, at_ms: i64, due: Due) {
        self.timers_made += 1;
        self.timers.insert((at_ms, self.timers_made), due);
    }

    /// Lets everything happen that is due until `now_ms`, each at its own time. Time never goes back.
    pub fn advance(&mut self, now_ms: i64) {
        while let Some((&(at_ms, _), _)) = self.timers.first_key_value() {
            if at_ms > now_ms {
                break;
            }
            self.now_ms = self.now_ms.max(at_ms);
            self.purses.mature(self.now_seconds());
            if let Some((_, due)) = self.timers.pop_first() {
                self.happen(&due);
            }
        }
        self.now_ms = self.now_ms.max(now_ms);
        self.purses.mature(self.now_seconds());
    }

    fn happen(&mut self, due: &Due) {
        // What the clock causes was asked for by no request.
        self.asked_by = None;
        match due {
            Due::Finalize(invoice) => self.finalize_by_itself(invoice),
            Due::Lapse(intent) => self.lapse(intent),
            Due::Settle(charge) => self.settle_charge_later(charge),
            Due::RefundSucceeds(refund) => self.refund_succeeds(refund),
            Due::RefundFails(refund) => self.refund_fails(refund),
            Due::Dispute { charge, reason, inquiry } => {
                self.open_dispute(charge, reason, *inquiry, None);
            }
            Due::FraudWarning(charge) => self.warn_of_fraud(charge),
            Due::Deadline(dispute) => self.dispute_deadline(dispute),
            Due::Reconciled(payout) => self.reconcile_payout(payout),
            Due::Paid(payout) => {
                self.pay_payout(payout);
            }
        }
    }

    fn warn_of_fraud(&mut self, charge: &str) {
        let Some(intent) = self.charges.get(charge).map(|charge| charge.payment_intent.clone()) else {
            return;
        };
        let warning = json!({
            "id": *self.random.id("issfr_"), "object": "radar.early_fraud_warning", "actionable": true,
            "charge": charge, "created": self.now_seconds(), "fraud_type": "misc", "livemode": false,
            "payment_intent": *intent,
        });
        self.emit("radar.early_fraud_warning.created", Snapshot::listing(warning), None);
    }
}
