//! Stripe's payouts and balance transactions (FACTS §b, §g; OBJECTS `payout`, `balance_transaction`, `balance`).
//!
//! Called by `engine` through [`Settlements`] and [`History`](crate::gateway::History). Lines of an automatic payout can be
//! listed once its `reconciliation_status` is `completed`; payouts that a person made have no such link.

use std::collections::BTreeMap;

use suture_core::currency::Currency;
use suture_core::day::Day;
use suture_core::money::Money;
use suture_core::settlement::{Class, Line, Standing};
use suture_core::time::Timestamp;

use crate::gateway::{Note, Part, Seen, SettlementSeen, Settlements};
use crate::gateways::stripe::errors;
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::{id_of, money, noted};
use crate::gateways::stripe::wire::{Created, Linked, List, object};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

object!(Payout, "payout");
object!(BalanceLine, "balance_transaction");

#[derive(serde::Deserialize)]
pub(super) struct Payout {
    id: Option<String>,
    object: Option<String>,
    amount: Option<i64>,
    currency: Option<String>,
    created: Option<i64>,
    arrival_date: Option<i64>,
    automatic: Option<bool>,
    reconciliation_status: Option<String>,
    status: Option<String>,
    failure_code: Option<String>,
    trace_id: Option<Trace>,
}

#[derive(serde::Deserialize)]
struct Trace {
    value: Option<String>,
}

#[derive(serde::Deserialize)]
struct BalanceLine {
    id: Option<String>,
    object: Option<String>,
    amount: Option<i64>,
    fee: Option<i64>,
    currency: Option<String>,
    created: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    reporting_category: Option<String>,
    source: Option<Linked<Created>>,
}

#[derive(serde::Deserialize)]
struct Balance {
    object: String,
    #[serde(default)]
    available: Vec<Purse>,
    #[serde(default)]
    pending: Vec<Purse>,
}

#[derive(serde::Deserialize)]
struct Purse {
    amount: i64,
    currency: String,
}

impl Settlements for Stripe {
    fn lines(&self, payout: &str, after: Option<&str>, limit: u8) -> HttpRequest {
        let query = Form::new()
            .text(&["payout"], payout)
            .text(&["limit"], &limit.clamp(1, 100).to_string())
            .maybe(&["starting_after"], after);
        self.get("/v1/balance_transactions", query)
    }

    fn read_lines(&self, payout: &str, response: &HttpResponse) -> Outcome<Part<Line>> {
        errors::read(response, |list: List<BalanceLine>| {
            if list.object.as_deref() != Some("list") {
                return None;
            }
            let last = list.data.last().and_then(|line| line.id.clone());
            let next = if list.has_more { Some(last?) } else { None };
            let mut items = Vec::with_capacity(list.data.len());
            for wire in list.data {
                let own = wire.kind.as_deref() == Some("payout")
                    && id_of(wire.source.as_ref()).as_deref() == Some(payout);
                if !own {
                    items.push(line(wire)?);
                }
            }
            Some(Part { items, next })
        })
    }

    fn balance(&self) -> HttpRequest {
        self.get("/v1/balance", Form::new())
    }

    fn read_balance(&self, response: &HttpResponse) -> Outcome<Vec<Money>> {
        errors::read(response, |wire: Balance| {
            let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
            for purse in wire.available.iter().chain(&wire.pending) {
                let currency = currency(Some(&purse.currency))?;
                let sum = sums.entry(currency).or_insert(Money::zero(currency));
                *sum = sum.plus(money(purse.amount, currency)?).ok()?;
            }
            (wire.object == "balance").then(|| sums.into_values().collect())
        })
    }
}

/// A payout as a note.
pub(super) fn payout(wire: Payout) -> Option<Seen> {
    let currency = currency(wire.currency.as_deref())?;
    let day = |seconds: Option<i64>| seconds.map(|seconds| Day::utc(Timestamp::from_seconds(seconds)));
    let created_on = day(wire.created)?;
    let status = wire.reconciliation_status.as_deref();
    Some(noted(Note::Settlement(Box::new(SettlementSeen {
        payout: wire.id?,
        amount: money(wire.amount?, currency)?,
        created_on,
        arrives_on: day(wire.arrival_date).unwrap_or(created_on),
        linked: wire.automatic.unwrap_or(true) && status != Some("not_applicable"),
        ready: status == Some("completed"),
        standing: standing(wire.status.as_deref()?),
        trace: wire.trace_id.and_then(|trace| trace.value),
        failure: wire.failure_code,
    }))))
}

/// An unknown word is read as pending: the next look tells more.
fn standing(word: &str) -> Standing {
    match word {
        "in_transit" => Standing::InTransit,
        "paid" => Standing::Paid,
        "canceled" => Standing::Canceled,
        "failed" => Standing::Failed,
        _ => Standing::Pending,
    }
}

fn line(wire: BalanceLine) -> Option<Line> {
    let currency = currency(wire.currency.as_deref())?;
    let kind = wire.kind?;
    let category = wire.reporting_category.unwrap_or_else(|| kind.clone());
    (wire.object.as_deref() == Some(BALANCE_TRANSACTION)).then_some(())?;
    Some(Line {
        transaction: wire.id?,
        class: class(&category, &kind),
        kind,
        source: id_of(wire.source.as_ref()),
        gross: money(wire.amount?, currency)?,
        fee: money(wire.fee.unwrap_or(0), currency)?,
        on: Day::utc(Timestamp::from_seconds(wire.created?)),
    })
}

const BALANCE_TRANSACTION: &str = "balance_transaction";

/// Reporting categories first, as Stripe advises for ledgers (FACTS §g); what has none of them by its type.
fn class(category: &str, kind: &str) -> Class {
    match category {
        "charge" | "charge_failure" => Class::Charge,
        "refund" | "refund_failure" | "partial_capture_reversal" => Class::Refund,
        "dispute" | "dispute_reversal" => Class::Dispute,
        "transfer" | "transfer_reversal" => Class::Transfer,
        "payout" | "payout_reversal" => Class::Payout,
        "fee" | "network_cost" | "tax" => Class::Fee,
        _ => match kind {
            "charge" | "payment" => Class::Charge,
            "refund" | "payment_refund" | "refund_failure" | "payment_failure_refund" => Class::Refund,
            "transfer" | "transfer_refund" | "transfer_cancel" | "transfer_failure" => Class::Transfer,
            "payout_failure" | "payout_cancel" => Class::Payout,
            "stripe_fee" | "stripe_fx_fee" | "tax_fee" => Class::Fee,
            _ => Class::Other,
        },
    }
}

fn currency(code: Option<&str>) -> Option<Currency> {
    Currency::parse(code?).ok()
}
