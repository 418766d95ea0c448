//! Control verbs of the balance: lines that no object of ours explains, and money that Stripe exchanges.

use super::balance::Entry;
use super::control::Controlled;
use super::currency;
use super::random::Id;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Kinds of lines that can be booked by hand, with their reporting category.
const KINDS: [(&str, &str); 5] = [
    ("anticipation_repayment", "anticipation_repayment"),
    ("capital_repayment", "capital_repayment"),
    ("stripe_fee", "fee"),
    ("reserve_hold", "risk_reserved_funds"),
    ("adjustment", "other_adjustment"),
];

impl StripeWorld {
    /// `{type, amount, currency, source}`: a line that is available at once.
    pub(super) fn control_balance_line(&mut self, body: &Value) -> Controlled {
        let wanted = body["type"].as_str().unwrap_or("capital_repayment");
        let (kind, category) = KINDS
            .iter()
            .copied()
            .find(|(kind, _)| *kind == wanted)
            .ok_or_else(|| format!("There is no line of type {wanted}: nothing was booked."))?;
        let amount = body["amount"].as_i64().ok_or("Give an amount in minor units: nothing was booked.")?;
        let currency = currency::parse(body["currency"].as_str().unwrap_or("usd"))
            .map_err(|_| "That is no currency: nothing was booked.")?;
        let source = Id::from(body["source"].as_str().unwrap_or("cptl_1"));
        let line = self.book(Entry { amount, fee: 0, currency, kind, category, source, at_once: true });
        Ok(json!({ "balance_transaction": *line.id }))
    }

    /// `{from, to, rate_per_million}`: every line of a currency that no payout has taken becomes one of another, as for an
    /// account that has no bank account in the first.
    pub(super) fn control_exchange(&mut self, body: &Value) -> Controlled {
        let code = |name: &str| body[name].as_str().and_then(|code| currency::parse(code).ok());
        let (Some(from), Some(to)) = (code("from"), code("to")) else {
            return Err("Name two currencies: nothing was exchanged.".to_owned());
        };
        let rate = body["rate_per_million"].as_i64().ok_or("Give a rate: nothing was exchanged.")?;
        let ids = self.purses.unpaid.remove(from).unwrap_or_default();
        let exchanged = |minor: i64| (minor.saturating_mul(rate) + 500_000).div_euclid(1_000_000);
        let mut count = 0;
        for id in ids {
            let Some(row) = self.balance_transactions.get(&id).map(Arc::clone) else { continue };
            let changed = self.balance_transactions.change(&id, |line| {
                line.amount = exchanged(line.amount);
                line.fee = exchanged(line.fee);
                line.currency = to;
            });
            let Some(changed) = changed else { continue };
            self.move_purse(from, -row.net(), row.available_on);
            self.move_purse(to, changed.net(), row.available_on);
            self.purses.unpaid.entry(to).or_default().push(id);
            count += 1;
        }
        Ok(json!({ "exchanged": count }))
    }

    fn move_purse(&mut self, currency: currency::Currency, net: i64, available_on: i64) {
        let now = self.now_seconds();
        let purse = self.purses.totals.entry(currency).or_default();
        if available_on <= now {
            purse.available += net;
        } else {
            purse.pending += net;
            *self.purses.maturing.entry((available_on, currency)).or_default() += net;
        }
    }
}
