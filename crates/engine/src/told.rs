//! What flows are told of a payment: its facts about money, one by one, or all so far when its owner became known late.
//!
//! Called by `facts` when they happen, and by `repairs` to compare what a delivery says with what happened.

use suture_core::evidence::RefundStatus;
use suture_core::money::Money;
use suture_core::payment::{Event, Payment, Purpose};
use suture_core::time::Timestamp;

/// A fact, as flows are told of it.
pub(crate) struct Told {
    /// Its kind, as flows name it.
    pub(crate) kind: &'static str,
    /// Its key.
    pub(crate) fact: String,
    /// How much.
    pub(crate) amount: Money,
    /// When, if the gateway said so.
    pub(crate) occurred_at: Option<Timestamp>,
    /// In what status.
    pub(crate) status: &'static str,
    /// The fact that it takes back.
    pub(crate) original: Option<String>,
}

impl Told {
    /// A payment of an order that was declined: no money moved, and the order may be in the ERP already.
    pub(crate) fn declined(payment: &Payment) -> Self {
        Self {
            kind: "order.declined",
            fact: format!("declined:{}", payment.id),
            amount: payment.amount,
            occurred_at: None,
            status: "declined",
            original: None,
        }
    }
}

/// What flows are told of an event; `None` when it is no fact about money.
pub(crate) fn fact_event(payment: &Payment, event: &Event) -> Option<Told> {
    let original = || payment.charge.as_ref().map(|charge| format!("charge:{charge}"));
    match event {
        Event::Captured { charge, amount, charged_at, .. } => Some(Told {
            kind: "payment.captured",
            fact: format!("charge:{charge}"),
            amount: *amount,
            occurred_at: Some(*charged_at),
            status: "succeeded",
            original: None,
        }),
        Event::Refunded { refund, amount, .. } => Some(Told {
            kind: "payment.refunded",
            fact: format!("refund:{refund}"),
            amount: *amount,
            occurred_at: None,
            status: "succeeded",
            original: original(),
        }),
        Event::RefundFailed { refund, amount, .. } => Some(Told {
            kind: "payment.refund_failed",
            fact: format!("refund_failed:{refund}"),
            amount: *amount,
            occurred_at: None,
            status: "failed",
            original: original(),
        }),
        Event::DisputeWithdrawn { dispute, amount, .. } => Some(Told {
            kind: "payment.disputed",
            fact: format!("dispute:{dispute}"),
            amount: *amount,
            occurred_at: None,
            status: "disputed",
            original: original(),
        }),
        _ => None,
    }
}

/// The facts of a payment whose owner became known only now.
pub(crate) fn facts_so_far(payment: &Payment) -> Vec<Told> {
    let captured = payment.charge.clone().filter(|_| payment.captured_minor > 0).map(|charge| Told {
        kind: "payment.captured",
        fact: format!("charge:{charge}"),
        amount: Money::new(payment.captured_minor, payment.amount.currency),
        occurred_at: payment.charged_at,
        status: "succeeded",
        original: None,
    });
    let refunded = payment.refunds.iter().filter(|(_, known)| known.status == RefundStatus::Succeeded);
    let refunded = refunded.map(|(refund, known)| Told {
        kind: "payment.refunded",
        fact: format!("refund:{refund}"),
        amount: known.amount,
        occurred_at: None,
        status: "succeeded",
        original: payment.charge.as_ref().map(|charge| format!("charge:{charge}")),
    });
    captured.into_iter().chain(refunded).collect()
}

/// Whether a payment told this event to flows: the fact with its amount and status, whenever that was.
pub(crate) fn is_told(payment: &Payment, events: &[Event], told: &serde_json::Value) -> bool {
    let is_of_order = payment.purpose == Some(Purpose::Order);
    let name = |kind: &'static str| if is_of_order { crate::orders::tell(kind) } else { kind };
    let same = |known: &Told| {
        told["event"] == name(known.kind)
            && told["fact"] == known.fact.as_str()
            && told["amount"] == serde_json::to_value(known.amount).unwrap_or_default()
            && told["status"] == known.status
            && told["original_fact"].as_str() == known.original.as_deref()
    };
    if is_of_order && same(&Told::declined(payment)) {
        return true;
    }
    if events.iter().filter_map(|event| fact_event(payment, event)).any(|known| same(&known)) {
        return true;
    }
    // Money whose owner became known later was told as it stood then.
    let mut state = None;
    events.iter().any(|event| {
        state = Payment::evolve(state.take(), event);
        state.as_ref().is_some_and(|then| facts_so_far(then).iter().any(same))
    })
}
