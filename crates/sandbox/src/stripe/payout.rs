//! Payouts: the available balance goes to the bank with all lines it consists of (FACTS §b, §g).
//!
//! What must stay true: the nets of the lines of a payout, the payout's own line left out, sum to its amount.

use super::balance::{BalanceTransaction, Entry};
use super::currency::Currency;
use super::listing::{bounds, page_of};
use super::movement::{Motion, Movement};
use super::object::{Answer, Metadata, Snapshot};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::timer::Due;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Seconds until the lines of a payout can be listed.
const RECONCILED_AFTER: i64 = 3_600;
/// Seconds until the money arrives.
const ARRIVES_AFTER: i64 = 86_400;

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    InTransit,
    Paid,
    Failed,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Failed => "failed",
        }
    }
}

/// A payout.
#[derive(Debug, Clone)]
pub(crate) struct Payout {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) arrival_date: i64,
    pub(crate) status: Status,
    pub(crate) reconciled: bool,
    pub(crate) balance_transaction: Id,
    pub(crate) failure_balance_transaction: Option<Id>,
}

impl Row for Payout {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Payout {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let failed = self.status == Status::Failed;
        json!({
            "id": *self.id, "object": "payout", "amount": self.amount, "application_fee": null,
            "application_fee_amount": null, "arrival_date": self.arrival_date, "automatic": true,
            "balance_transaction": *self.balance_transaction, "created": self.created, "currency": self.currency,
            "description": "STRIPE PAYOUT", "destination": format!("ba_{}", derived("bank account", 24)),
            "failure_balance_transaction": self.failure_balance_transaction.as_deref(),
            "failure_code": failed.then_some("account_closed"),
            "failure_message": failed.then_some("The bank account has been closed"), "livemode": false,
            "metadata": *Metadata::default(), "method": "standard", "original_payout": null, "payout_method": null,
            "reconciliation_status": if self.reconciled { "completed" } else { "in_progress" },
            "reversed_by": null, "source_type": "card", "statement_descriptor": null, "status": self.status.text(),
            "trace_id": if self.status == Status::Paid {
                json!({ "status": "supported", "value": derived(&self.id, 15) })
            } else {
                json!({ "status": "pending", "value": null })
            },
            "type": "bank_account",
        })
    }
}

impl StripeWorld {
    /// Pays out all that is available in a currency. Called by the control API.
    ///
    /// # Errors
    /// A sentence when nothing is available.
    pub(crate) fn create_payout(
        &mut self,
        currency: Currency,
        may_be_negative: bool,
    ) -> Result<Arc<Payout>, String> {
        let now = self.now_seconds();
        let waiting = self.purses.unpaid.remove(currency).unwrap_or_default();
        let (taken, left): (Vec<Id>, Vec<Id>) = waiting
            .into_iter()
            .partition(|id| self.balance_transactions.get(id).is_some_and(|line| line.available_on <= now));
        let amount: i64 =
            taken.iter().filter_map(|id| self.balance_transactions.get(id)).map(|line| line.net()).sum();
        if amount == 0 || amount < 0 && !may_be_negative {
            self.purses.unpaid.insert(currency, taken.into_iter().chain(left).collect());
            return Err(format!(
                "No payout was made: {amount} {currency} are available. Jump the clock until charges are available."
            ));
        }
        self.purses.unpaid.insert(currency, left);
        let id = self.random.id("po_");
        let line = self.book(payout_entry(-amount, currency, "payout", &id));
        for taken in taken.iter().chain([&line.id]) {
            self.balance_transactions.tag(taken, "payout", &id);
            self.paid_out.insert(Arc::clone(taken), Arc::clone(&id));
        }
        let row = self.payouts.insert(
            Payout {
                id: Arc::clone(&id),
                created: now,
                amount,
                currency,
                arrival_date: now + ARRIVES_AFTER,
                status: Status::Pending,
                reconciled: false,
                balance_transaction: Arc::clone(&line.id),
                failure_balance_transaction: None,
            },
            &[],
        );
        self.schedule_in(RECONCILED_AFTER, Due::Reconciled(Arc::clone(&id)));
        self.schedule_in(ARRIVES_AFTER, Due::Paid(Arc::clone(&id)));
        self.record_payout(Motion::Payout, &row);
        self.emit("payout.created", Snapshot::Payout(Arc::clone(&row)), None);
        Ok(row)
    }

    /// The payout is on its way and its lines can be listed.
    pub(crate) fn reconcile_payout(&mut self, id: &str) {
        let Some(before) = self.payouts.get(id).filter(|payout| !payout.reconciled).map(Arc::clone) else {
            return;
        };
        let row = self.payouts.change(id, |payout| {
            payout.reconciled = true;
            if payout.status == Status::Pending {
                payout.status = Status::InTransit;
            }
        });
        if let Some(row) = row {
            let previous = json!({ "status": before.status.text(), "reconciliation_status": "in_progress" });
            self.emit("payout.updated", Snapshot::Payout(Arc::clone(&row)), Some(previous));
            self.emit("payout.reconciliation_completed", Snapshot::Payout(row), None);
        }
    }

    /// The bank has the money. `None` when the payout is unknown or ended.
    pub(crate) fn pay_payout(&mut self, id: &str) -> Option<Arc<Payout>> {
        self.payouts.get(id).filter(|payout| matches!(payout.status, Status::Pending | Status::InTransit))?;
        self.reconcile_payout(id);
        let row = self.payouts.change(id, |payout| payout.status = Status::Paid)?;
        self.emit("payout.paid", Snapshot::Payout(Arc::clone(&row)), None);
        Some(row)
    }

    /// The bank sent the money back, possibly after it was paid.
    pub(crate) fn fail_payout(&mut self, id: &str) -> Option<Arc<Payout>> {
        let payout = self.payouts.get(id).filter(|payout| payout.status != Status::Failed).map(Arc::clone)?;
        let line = self.book(payout_entry(payout.amount, payout.currency, "payout_failure", id));
        let row = self.payouts.change(id, |payout| {
            payout.status = Status::Failed;
            payout.failure_balance_transaction = Some(Arc::clone(&line.id));
        })?;
        self.record_payout(Motion::PayoutFailure, &row);
        self.emit("payout.failed", Snapshot::Payout(Arc::clone(&row)), None);
        Some(row)
    }

    fn record_payout(&mut self, motion: Motion, payout: &Payout) {
        self.movements.push(Movement {
            motion,
            amount: payout.amount,
            currency: payout.currency,
            at_ms: self.now_ms,
            object: Arc::clone(&payout.id),
            charge: None,
            payment_intent: None,
            external: false,
        });
    }

    /// Whether a line belongs to a payout.
    pub(crate) fn paid_out(&self, line: &BalanceTransaction, payout: &str) -> bool {
        self.paid_out.get(&line.id).is_some_and(|known| **known == *payout)
    }

    /// Refuses a listing by a payout that is unknown or not reconciled yet.
    pub(crate) fn reconciled(&self, id: &str) -> Result<(), Box<Refusal>> {
        match self.payouts.get(id) {
            None => Err(Refusal::missing_reference("payout", id, "payout")),
            Some(payout) if !payout.reconciled => Err(Refusal::state(
                "payout_reconciliation_not_ready",
                format!("The reconciliation of payout {id} is not complete yet. Wait for payout.reconciliation_completed."),
            )
            .param("payout")),
            Some(_) => Ok(()),
        }
    }

    /// `GET /v1/payouts/{id}`
    pub(crate) fn show_payout(&self, id: &str) -> Answer {
        self.payouts
            .get(id)
            .map(|row| Snapshot::Payout(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("payout", id, "payout"))
    }

    /// `GET /v1/payouts`
    pub(crate) fn list_payouts(&self, params: &Params) -> Answer {
        let (from, until) = bounds(params.get("arrival_date"));
        page_of(&self.payouts, "/v1/payouts", params, &[], |row| {
            let fits = params.text("status").is_none_or(|status| row.status.text() == status)
                && from.is_none_or(|from| row.arrival_date >= from)
                && until.is_none_or(|until| row.arrival_date <= until);
            fits.then(|| row.render())
        })
    }
}

fn payout_entry(amount: i64, currency: Currency, kind: &'static str, payout: &str) -> Entry {
    let category = if kind == "payout" { "payout" } else { "payout_reversal" };
    Entry { amount, fee: 0, currency, kind, category, source: Id::from(payout), at_once: true }
}
