//! The account's balance: transactions, fees, and when money becomes available (FACTS §g).
//!
//! Every movement of money is booked here exactly once. What must stay true: `net = amount − fee`, and the sum of
//! `available` and `pending` is the sum of all nets.

use super::currency::Currency;
use super::listing::page_of;
use super::object::{Answer, Snapshot};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const DAY_SECONDS: i64 = 86_400;

/// A line of the balance.
#[derive(Debug, Clone)]
pub(crate) struct BalanceTransaction {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) available_on: i64,
    /// Signed gross amount, minor units.
    pub(crate) amount: i64,
    /// Stripe's fee, never negative.
    pub(crate) fee: i64,
    pub(crate) currency: Currency,
    /// `type`
    pub(crate) kind: &'static str,
    /// `reporting_category`
    pub(crate) category: &'static str,
    pub(crate) source: Id,
}

impl Row for BalanceTransaction {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl BalanceTransaction {
    /// What the balance changes by.
    pub(crate) fn net(&self) -> i64 {
        self.amount - self.fee
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self, now: i64) -> Value {
        let fees = match self.fee {
            0 => json!([]),
            fee => json!([{
                "amount": fee, "application": null, "currency": self.currency,
                "description": "Stripe processing fees", "type": "stripe_fee"
            }]),
        };
        json!({
            "id": *self.id, "object": "balance_transaction", "amount": self.amount, "available_on": self.available_on,
            "balance_type": "payments", "created": self.created, "currency": self.currency, "description": null,
            "exchange_rate": null, "fee": self.fee, "fee_details": fees, "net": self.net(),
            "reporting_category": self.category, "source": *self.source,
            "status": if self.available_on <= now { "available" } else { "pending" }, "type": self.kind,
        })
    }
}

/// What is to be booked.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) currency: Currency,
    pub(crate) kind: &'static str,
    pub(crate) category: &'static str,
    pub(crate) source: Id,
    /// True when the money moves in or out of the available part at once.
    pub(crate) at_once: bool,
}

/// Totals of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Purse {
    pub(crate) available: i64,
    pub(crate) pending: i64,
}

/// Totals, what matures when, and what no payout has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Purses {
    pub(crate) totals: BTreeMap<Currency, Purse>,
    pub(super) maturing: BTreeMap<(i64, Currency), i64>,
    pub(crate) unpaid: BTreeMap<Currency, Vec<Id>>,
}

impl Purses {
    /// Moves what is due from pending to available.
    pub(crate) fn mature(&mut self, now: i64) {
        while let Some((&(time, currency), &net)) = self.maturing.first_key_value() {
            if time > now {
                return;
            }
            self.maturing.pop_first();
            let purse = self.totals.entry(currency).or_default();
            purse.pending -= net;
            purse.available += net;
        }
    }
}

/// 2.9 % + 30, rounded half up.
pub(crate) fn processing_fee(amount: i64) -> i64 {
    (amount.saturating_mul(29) + 500) / 1000 + 30
}

impl StripeWorld {
    /// Books a movement and returns its line.
    pub(crate) fn book(&mut self, entry: Entry) -> Arc<BalanceTransaction> {
        let now = self.now_seconds();
        let available_on = if entry.at_once { now } else { (now / DAY_SECONDS + 2) * DAY_SECONDS };
        let line = BalanceTransaction {
            id: self.random.id("txn_"),
            created: now,
            available_on,
            amount: entry.amount,
            fee: entry.fee,
            currency: entry.currency,
            kind: entry.kind,
            category: entry.category,
            source: entry.source,
        };
        let purse = self.purses.totals.entry(line.currency).or_default();
        if entry.at_once {
            purse.available += line.net();
        } else {
            purse.pending += line.net();
            *self.purses.maturing.entry((available_on, line.currency)).or_default() += line.net();
        }
        if line.kind != "payout" {
            self.purses.unpaid.entry(line.currency).or_default().push(Arc::clone(&line.id));
        }
        let source = Arc::clone(&line.source);
        let kind = line.kind;
        self.balance_transactions.insert(line, &[("source", &source), ("type", kind)])
    }

    /// `GET /v1/balance`
    pub(crate) fn show_balance(&self) -> Value {
        let list = |pick: fn(&Purse) -> i64| -> Vec<Value> {
            self.purses
                .totals
                .iter()
                .map(|(currency, purse)| {
                    json!({ "amount": pick(purse), "currency": currency, "source_types": { "card": pick(purse) } })
                })
                .collect()
        };
        json!({
            "object": "balance", "livemode": false,
            "available": list(|purse| purse.available), "pending": list(|purse| purse.pending),
        })
    }

    /// `GET /v1/balance_transactions/{id}`
    pub(crate) fn show_balance_transaction(&self, id: &str) -> Answer {
        self.balance_transactions
            .get(id)
            .map(|row| Snapshot::BalanceTransaction(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("balance transaction", id, "id"))
    }

    /// `GET /v1/balance_transactions`; by payout only once the payout is reconciled.
    pub(crate) fn list_balance_transactions(&self, params: &Params) -> Answer {
        let mut tags = Vec::new();
        if let Some(payout) = params.text("payout") {
            self.reconciled(payout)?;
            tags.push(("payout", payout));
        }
        for name in ["source", "type"] {
            if let Some(value) = params.text(name) {
                tags.push((name, value));
            }
        }
        let now = self.now_seconds();
        page_of(&self.balance_transactions, "/v1/balance_transactions", params, &tags, |row| {
            let fits = params.text("source").is_none_or(|source| *row.source == *source)
                && params.text("type").is_none_or(|kind| row.kind == kind)
                && params.text("currency").is_none_or(|currency| row.currency == currency)
                && params.text("payout").is_none_or(|payout| self.paid_out(row, payout));
            fits.then(|| row.render(now))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::processing_fee;

    #[test]
    fn the_fee_is_two_point_nine_percent_and_thirty() {
        assert_eq!(processing_fee(10_000), 320);
        assert_eq!(processing_fee(50), 31);
    }
}
