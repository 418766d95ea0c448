//! What really happened to money, for judges outside: one line per movement, also for those nobody asked for.

use super::charge::Charge;
use super::random::Id;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// What kind of movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Motion {
    /// Money of a card was reserved.
    Authorization,
    /// A reservation, or the rest of it, was given back.
    Release,
    /// Money was taken.
    Charge,
    /// Money was given back.
    Refund,
    /// A refund came back.
    RefundFailure,
    /// A chargeback took money.
    Dispute,
    /// A won chargeback gave it back.
    DisputeReversal,
    /// Money went to the bank.
    Payout,
    /// A payout came back.
    PayoutFailure,
    /// Money went to a connected account.
    Transfer,
    /// Some of it came back.
    TransferReversal,
}

impl Motion {
    /// A word for JSON.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Release => "release",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
            Self::Payout => "payout",
            Self::PayoutFailure => "payout_failure",
            Self::Transfer => "transfer",
            Self::TransferReversal => "transfer_reversal",
        }
    }
}

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// What happened.
    pub motion: Motion,
    /// Minor units, always positive.
    pub amount: i64,
    /// Lower-case ISO code.
    pub currency: &'static str,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Id of the refund, dispute, payout or transfer, or of the charge itself.
    pub object: Arc<str>,
    /// The charge, for all but payouts and transfers.
    pub charge: Option<Arc<str>>,
    /// The payment intent, for all but payouts and transfers.
    pub payment_intent: Option<Arc<str>>,
    /// True when the payment was made at Stripe by somebody else.
    pub external: bool,
}

impl StripeWorld {
    /// Notes a movement of a charge's money.
    pub(crate) fn record(&mut self, motion: Motion, amount: i64, charge: &Charge, object: Option<&str>) {
        let external = self.payment_intents.get(&charge.payment_intent).is_some_and(|intent| intent.external);
        self.movements.push(Movement {
            motion,
            amount,
            currency: charge.currency,
            at_ms: self.now_ms,
            object: object.map_or_else(|| Arc::clone(&charge.id), Id::from),
            charge: Some(Arc::clone(&charge.id)),
            payment_intent: Some(Arc::clone(&charge.payment_intent)),
            external,
        });
    }

    /// All movements, oldest first.
    #[must_use]
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// The movements as JSON, with the metadata of their payment intents.
    pub(crate) fn render_movements(&self) -> Vec<Value> {
        self.movements
            .iter()
            .map(|movement| {
                let intent = movement.payment_intent.as_deref().and_then(|id| self.payment_intents.get(id));
                json!({
                    "motion": movement.motion.text(), "amount": movement.amount, "currency": movement.currency,
                    "at_ms": movement.at_ms, "object": *movement.object, "charge": movement.charge.as_deref(),
                    "payment_intent": movement.payment_intent.as_deref(), "external": movement.external,
                    "metadata": intent.map(|intent| (*intent.metadata).clone()),
                })
            })
            .collect()
    }
}
