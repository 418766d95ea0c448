//! The reference model: what must have come out, predicted from Stripe's own objects and movements.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use suture_core::payment::Status;

use crate::world::World;

/// What happened to the money of one intent.
#[derive(Debug, Default, Clone)]
pub(super) struct Truth {
    /// The charge that moved money.
    pub(super) charge: Option<String>,
    /// What was taken.
    pub(super) charged: i64,
    /// What went back and stayed there.
    pub(super) refunded: i64,
    /// Every refund that left, with its amount.
    pub(super) refunds: BTreeMap<String, i64>,
    /// Refunds that came back, with their amounts.
    came_back: BTreeMap<String, i64>,
    /// What disputes hold.
    disputed: i64,
    /// Whether a dispute was lost.
    lost: bool,
    /// The intent's own status and cancellation reason.
    status: String,
    reason: Option<String>,
}

impl Truth {
    /// The statuses that ours may be.
    pub(super) fn expected(&self) -> Vec<Status> {
        if self.lost {
            return vec![Status::Lost];
        }
        if self.disputed > 0 {
            return vec![Status::Disputed];
        }
        if self.charged > 0 {
            return match self.refunded {
                0 => vec![Status::Captured],
                refunded if refunded >= self.charged => vec![Status::Refunded],
                _ => vec![Status::PartRefunded],
            };
        }
        match (self.status.as_str(), self.reason.as_deref()) {
            ("requires_capture", _) => vec![Status::Authorized],
            ("canceled", Some("automatic" | "expired")) => vec![Status::Expired],
            ("canceled", _) => vec![Status::Canceled],
            ("requires_action", _) => vec![Status::RequiresAction],
            ("requires_payment_method", _) => vec![Status::RequiresMethod],
            ("requires_confirmation", _) => vec![Status::Created],
            _ => vec![Status::Processing],
        }
    }
}

/// What Stripe knows, by intent, and the balance of its account.
pub(super) fn truths(world: &World) -> Result<(BTreeMap<String, Truth>, i64), String> {
    let only = json!({ "only": ["payment_intents", "disputes", "balance_transactions"] });
    let state = world.outside.at_stripe("state", &only)?;
    let list = |name: &str| state[name].as_array().cloned().unwrap_or_default();
    let mut truths: BTreeMap<String, Truth> = BTreeMap::new();
    for intent in list("payment_intents") {
        let truth = truths.entry(word(&intent, "id")).or_default();
        truth.status = word(&intent, "status");
        truth.reason = intent["cancellation_reason"].as_str().map(ToOwned::to_owned);
    }
    for movement in world.movements() {
        let truth = truths.entry(word(&movement, "payment_intent")).or_default();
        take_in(truth, &movement);
    }
    for dispute in list("disputes").iter().filter(|dispute| dispute["status"] == "lost") {
        truths.entry(word(dispute, "payment_intent")).or_default().lost = true;
    }
    let net = |line: &Value| line["net"].as_i64().unwrap_or(0);
    let balance = list("balance_transactions").iter().map(net).sum();
    Ok((truths, balance))
}

fn take_in(truth: &mut Truth, movement: &Value) {
    let amount = movement["amount"].as_i64().unwrap_or(0);
    match movement["motion"].as_str().unwrap_or_default() {
        "charge" => {
            truth.charged += amount;
            truth.charge = movement["charge"].as_str().map(ToOwned::to_owned);
        }
        "refund" => {
            truth.refunded += amount;
            truth.refunds.insert(word(movement, "object"), amount);
        }
        "refund_failure" => {
            truth.refunded -= amount;
            truth.came_back.insert(word(movement, "object"), amount);
        }
        "dispute" => truth.disputed += amount,
        "dispute_reversal" => truth.disputed -= amount,
        _ => {}
    }
}

fn word(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A posting that Epic must have.
pub(super) struct Expected {
    /// Our reference.
    reference: String,
    /// Epic's word for its type.
    kind: &'static str,
    /// Minor units.
    amount: i64,
    /// Epic keeps the reversal of a refund that came back, so it may refuse the next one of the charge; then a person
    /// must have been asked.
    may_be_refused: bool,
}

/// Postings that Epic must have for one intent.
pub(super) fn expected_postings(truth: &Truth) -> Vec<Expected> {
    let may_be_refused = !truth.came_back.is_empty();
    let charge = truth.charge.iter().map(|charge| Expected {
        reference: format!("charge:{charge}"),
        kind: "Payment",
        amount: truth.charged,
        may_be_refused: false,
    });
    let refunds = truth.refunds.iter().map(|(refund, amount)| Expected {
        reference: format!("refund:{refund}"),
        kind: "Refund",
        amount: *amount,
        may_be_refused,
    });
    let returned = truth.came_back.iter().map(|(refund, amount)| Expected {
        reference: format!("refund_failed:{refund}"),
        kind: "Payment",
        amount: *amount,
        may_be_refused: false,
    });
    charge.chain(refunds).chain(returned).collect()
}

/// Checks Epic against the postings that must be there, no more and no fewer.
pub(super) fn check_postings(
    world: &World,
    expected: &[Expected],
    stopped: &BTreeSet<String>,
) -> Result<(), String> {
    let snapshot = world.outside.epic().snapshot();
    let postings = snapshot["postings"].as_object().cloned().unwrap_or_default();
    for Expected { reference, kind, amount, may_be_refused } in expected {
        let says = |code: &str| stopped.iter().any(|effect| effect.contains(code));
        let refused = || *may_be_refused && says("59159");
        match postings.get(reference) {
            Some(posting) if posting["type"] == *kind && posting["amount_minor"] == *amount => {}
            Some(posting) => {
                return Err(format!("Epic has {reference} as {posting}, not as {kind} of {amount}"));
            }
            None if refused() => {}
            None => {
                return Err(format!("Epic has no {reference} of {amount}; stopped effects: {stopped:?}"));
            }
        }
    }
    let known: BTreeSet<&String> = expected.iter().map(|posting| &posting.reference).collect();
    match postings.keys().find(|reference| !known.contains(reference)) {
        Some(surplus) => Err(format!("Epic has {surplus}, which nothing explains")),
        None => Ok(()),
    }
}
