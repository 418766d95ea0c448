//! Capturing and releasing an authorization (FACTS §b, §c.4, §c.6).
//!
//! What must stay true: an authorization is captured, cancelled or lapsed, exactly one of the three.

use super::charge::Charge;
use super::movement::Motion;
use super::object::{Answer, Snapshot, merge_metadata};
use super::payment_intent::{PaymentIntent, Status, unexpected};
use super::refusal::Refusal;
use super::schema::Params;
use super::world::StripeWorld;
use serde_json::json;
use std::sync::Arc;

impl StripeWorld {
    /// `POST /v1/payment_intents/{id}/capture`: once, at most what was authorized; the rest is released.
    pub(crate) fn capture_payment_intent(&mut self, id: &str, params: &Params) -> Answer {
        let intent = self.payment_intent(id)?;
        let Some(charge) = intent.latest_charge.clone().filter(|_| intent.status == Status::RequiresCapture)
        else {
            return Err(not_capturable(&intent));
        };
        let amount = params.integer("amount_to_capture").unwrap_or(intent.amount_capturable);
        if amount < 1 {
            return Err(Refusal::too_low("amount_to_capture", 1));
        }
        if amount > intent.amount_capturable {
            return Err(Refusal::state(
                "amount_too_large",
                "The provided amount_to_capture is greater than the amount you can capture for this PaymentIntent.",
            )
            .param("amount_to_capture"));
        }
        let taken = self.charges.change(&charge, |charge| {
            charge.captured = true;
            charge.amount_captured = amount;
            charge.amount_released = charge.amount - amount;
        });
        let row = self.payment_intents.change(id, |intent| {
            intent.status = Status::Succeeded;
            intent.amount_received = amount;
            intent.amount_capturable = 0;
            intent.metadata = merge_metadata(&intent.metadata, params.get("metadata"));
        });
        let (Some(taken), Some(row)) = (taken, row) else { return Err(not_capturable(&intent)) };
        self.settle_charge(&charge);
        self.record(Motion::Charge, amount, &taken, None);
        if taken.amount_released > 0 {
            self.record(Motion::Release, taken.amount_released, &taken, None);
        }
        self.emit_charge("charge.captured", &charge);
        self.emit("payment_intent.succeeded", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        if let Some(settled) = self.charges.get(&charge).map(Arc::clone) {
            let previous = json!({ "balance_transaction": null });
            self.emit("charge.updated", Snapshot::Charge(settled), Some(previous));
        }
        self.after_payment(&charge);
        self.intent_paid(&row);
        Ok(Snapshot::PaymentIntent(row))
    }

    /// `POST /v1/payment_intents/{id}/cancel`
    pub(crate) fn cancel_payment_intent(&mut self, id: &str, params: &Params) -> Answer {
        let intent = self.payment_intent(id)?;
        if matches!(intent.status, Status::Succeeded | Status::Canceled) {
            return Err(unexpected(
                &intent,
                format!(
                    "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with \
                     one of the following statuses may be canceled: requires_payment_method, requires_capture, \
                     requires_confirmation, requires_action, processing.",
                    intent.status.text()
                ),
            ));
        }
        self.not_of_an_invoice(&intent)?;
        let released = self.release(&intent);
        let row = self.close_intent(id, params.text("cancellation_reason"))?;
        self.emit("payment_intent.canceled", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        if let Some(charge) = released {
            self.emit(
                "charge.refunded",
                Snapshot::Charge(charge),
                Some(json!({ "amount_refunded": 0, "refunded": false })),
            );
        }
        Ok(Snapshot::PaymentIntent(row))
    }

    /// An authorization that nobody captured in time: canceled with reason `expired`, or `automatic` as older
    /// versions of the API say when the knob wants it (FACTS §b).
    pub(crate) fn lapse(&mut self, id: &str) {
        let Ok(intent) = self.payment_intent(id) else { return };
        if intent.status != Status::RequiresCapture {
            return;
        }
        let released = self.release(&intent);
        if let Some(charge) = released {
            self.emit("charge.expired", Snapshot::Charge(charge), None);
        }
        if let Ok(row) =
            self.close_intent(id, Some(if self.knobs.lapse_automatic { "automatic" } else { "expired" }))
        {
            self.emit("payment_intent.canceled", Snapshot::PaymentIntent(row), None);
        }
    }

    fn release(&mut self, intent: &PaymentIntent) -> Option<Arc<Charge>> {
        let charge = intent.latest_charge.as_deref().filter(|_| intent.status == Status::RequiresCapture)?;
        let row = self.charges.change(charge, |charge| charge.amount_released = charge.amount)?;
        self.record(Motion::Release, row.amount, &row, None);
        Some(row)
    }

    pub(crate) fn close_intent(
        &mut self,
        id: &str,
        reason: Option<&str>,
    ) -> Result<Arc<PaymentIntent>, Box<Refusal>> {
        let now = self.now_seconds();
        self.payment_intents
            .change(id, |intent| {
                intent.status = Status::Canceled;
                intent.canceled_at = Some(now);
                intent.cancellation_reason = reason.map(Arc::from);
                intent.amount_capturable = 0;
                intent.next_action = None;
            })
            .ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))
    }
}

fn not_capturable(intent: &PaymentIntent) -> Box<Refusal> {
    let message = if intent.status == Status::Succeeded {
        "This PaymentIntent could not be captured because it has already been captured.".to_owned()
    } else {
        format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with one \
             of the following statuses may be captured: requires_capture.",
            intent.status.text()
        )
    };
    unexpected(intent, message)
}
