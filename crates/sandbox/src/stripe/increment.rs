//! Raising an authorization before it is captured (FACTS §c.5).
//!
//! What must stay true: a refused raise leaves the old authorization as it was, and the sum of the recorded
//! authorizations of a charge is its amount.

use super::currency;
use super::movement::Motion;
use super::object::{Answer, Snapshot, merge_metadata};
use super::payment_intent::{Status, unexpected};
use super::refusal::Refusal;
use super::schema::Params;
use super::world::StripeWorld;
use serde_json::json;
use std::sync::Arc;

/// Stripe takes this many tries per payment intent.
const TRIES_MAX: u32 = 10;

impl StripeWorld {
    /// `POST /v1/payment_intents/{id}/increment_authorization`: `amount` is the new total.
    pub(crate) fn increment_authorization(&mut self, id: &str, params: &Params) -> Answer {
        let intent = self.payment_intent(id)?;
        let held = intent.latest_charge.as_deref().filter(|_| intent.status == Status::RequiresCapture);
        let Some(charge) = held.and_then(|id| self.charges.get(id)).map(Arc::clone) else {
            return Err(unexpected(
                &intent,
                format!(
                    "This PaymentIntent's authorization could not be incremented because it has a status of {}. \
                     Only a PaymentIntent with one of the following statuses may be incremented: requires_capture.",
                    intent.status.text()
                ),
            ));
        };
        if !charge.incremental || intent.increments >= TRIES_MAX {
            return Err(unexpected(
                &intent,
                "This PaymentIntent is not eligible for incremental authorization.".to_owned(),
            ));
        }
        let amount = params.integer("amount").unwrap_or_default();
        if amount <= intent.amount {
            return Err(Refusal::invalid(
                "The amount must be greater than the currently authorized amount of this PaymentIntent.",
            )
            .code("parameter_invalid_integer")
            .param("amount")
            .after_start());
        }
        currency::check_amount(amount, intent.currency)?;
        self.payment_intents.change(id, |intent| intent.increments += 1);
        let now = self.now_seconds();
        let method = self.payment_methods.get(&charge.payment_method);
        if let Some(decline) = method.and_then(|method| method.refused_now(now)) {
            let refusal = decline.refusal().field("charge", json!(*charge.id));
            return Err(refusal.field("payment_intent", self.payment_intent(id)?.render()));
        }
        let more = amount - intent.amount;
        let raised = self.charges.change(&charge.id, |charge| charge.amount = amount);
        let row = self.payment_intents.change(id, |intent| {
            intent.amount = amount;
            intent.amount_capturable = amount;
            if let Some(text) = params.text("description") {
                intent.description = Some(Arc::from(text));
            }
            intent.metadata = merge_metadata(&intent.metadata, params.get("metadata"));
        });
        let (Some(raised), Some(row)) = (raised, row) else {
            return Err(Refusal::missing("payment_intent", id, "intent"));
        };
        self.record(Motion::Authorization, more, &raised, None);
        let previous = json!({ "amount": intent.amount });
        self.emit(
            "payment_intent.amount_capturable_updated",
            Snapshot::PaymentIntent(Arc::clone(&row)),
            None,
        );
        self.emit("charge.updated", Snapshot::Charge(raised), Some(previous));
        Ok(Snapshot::PaymentIntent(row))
    }
}
