//! Control verbs about saved cards, refunds and hosted invoices: what banks and holders do as time passes.
//!
//! Called by `control`. What must stay true: a bank's change of mind is told to nobody until the card is used; a new
//! number or date is told by `payment_method.automatically_updated`.

use super::card::TestCard;
use super::card_face::{Condition, Face};
use super::control::Controlled;
use super::customer::differences;
use super::object::Snapshot;
use super::payment_method::PaymentMethod;
use super::refund::{CARD_GONE, Course, RefundPlan};
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

impl StripeWorld {
    /// `card {payment_method, state, for_seconds, exp_month, exp_year}`, `replace_card {payment_method, last4,
    /// exp_month, exp_year}`, `remove_card {payment_method}`.
    pub(super) fn control_card(&mut self, verb: &str, body: &Value) -> Controlled {
        let id = body["payment_method"].as_str().ok_or("Name a payment_method: nothing was changed.")?;
        let before = self
            .payment_methods
            .get(id)
            .map(Arc::clone)
            .ok_or_else(|| format!("Payment method {id} is unknown: nothing was changed."))?;
        match verb {
            "card" => self.turn_card(&before, body),
            "replace_card" => self.replace_card(&before, body),
            _ => {
                let answer = self.detach_payment_method(id);
                self.shown(answer)
            }
        }
    }

    fn turn_card(&mut self, before: &PaymentMethod, body: &Value) -> Controlled {
        let until = body["for_seconds"].as_i64().map(|seconds| self.now_seconds().saturating_add(seconds));
        let condition = match body["state"].as_str() {
            None => before.condition,
            Some(word) => Condition::parse(word, until).ok_or_else(|| {
                format!(
                    "There is no state {word}: give good, lost, stolen, insufficient_funds, declined or \
                     processing_error."
                )
            })?,
        };
        let face = Arc::new(printed(&before.face, body)?);
        let row = self.payment_methods.change(&before.id, |row| {
            row.condition = condition;
            row.face = face;
        });
        Ok(row.map_or(Value::Null, |row| row.render()))
    }

    fn replace_card(&mut self, before: &PaymentMethod, body: &Value) -> Controlled {
        if before.customer.is_none() {
            return Err("Only a saved card is updated by its bank: nothing was changed.".to_owned());
        }
        let mut face = printed(&before.face, body)?;
        if body.get("exp_year").is_none() {
            face.exp_year = face.exp_year.saturating_add(4);
        }
        let row = self.payment_methods.change(&before.id, |row| {
            row.condition = Condition::Good;
            row.face = Arc::new(face);
        });
        let Some(row) = row else { return Err("The card is unknown: nothing was changed.".to_owned()) };
        let previous = differences(&before.render(), &row.render());
        let told = Snapshot::PaymentMethod(Arc::clone(&row));
        self.emit("payment_method.automatically_updated", told, Some(previous));
        Ok(row.render())
    }

    /// A card with the date that was typed, as far as one was.
    pub(super) fn typed_card(&mut self, card: &'static TestCard, body: &Value) -> Arc<PaymentMethod> {
        let method = self.new_card(card);
        let Ok(face) = printed(&method.face, body) else { return method };
        self.payment_methods.change(&method.id, |row| row.face = Arc::new(face)).unwrap_or(method)
    }

    /// `refunds {next, outcome: succeeded | pending | fail_later | fail, seconds, reason}`
    pub(super) fn turn_refunds(&mut self, body: &Value) -> Controlled {
        let seconds = body["seconds"].as_i64().unwrap_or(300);
        let reason = body["reason"].as_str();
        let course = match body["outcome"].as_str().unwrap_or("fail") {
            "succeeded" => Course::Succeeds,
            "pending" => Course::Waits(known(reason, &PENDING_REASONS, "processing")?, seconds),
            "fail_later" => Course::FailsLater(known(reason, &FAILURE_REASONS, CARD_GONE)?, seconds),
            "fail" => Course::Fails(known(reason, &FAILURE_REASONS, CARD_GONE)?),
            word => {
                return Err(format!(
                    "There is no outcome {word}: give succeeded, pending, fail_later or fail. Nothing was changed."
                ));
            }
        };
        self.knobs.refunds = RefundPlan { next: body["next"].as_u64().unwrap_or(1), course };
        Ok(json!({ "next": self.knobs.refunds.next }))
    }

    /// `lapse_reason {reason: expired | automatic}`: older versions of the API say `automatic` (FACTS §b).
    pub(super) fn turn_lapse_reason(&mut self, body: &Value) -> Controlled {
        self.knobs.lapse_automatic = match body["reason"].as_str() {
            Some("automatic") => true,
            Some("expired") | None => false,
            Some(word) => return Err(format!("There is no reason {word}: give expired or automatic.")),
        };
        Ok(json!({ "reason": if self.knobs.lapse_automatic { "automatic" } else { "expired" } }))
    }

    /// The patient pays on the hosted page: `{invoice, number | payment_method, exp_month, exp_year, cvc}`.
    pub(super) fn pay_hosted(&mut self, body: &Value) -> Controlled {
        let id = body["invoice"].as_str().ok_or("Name an invoice: nothing was paid.")?;
        let payment = self
            .default_payment(id)
            .ok_or_else(|| format!("Invoice {id} is unknown or waits for no payment: nothing was paid."))?;
        let mut body = body.clone();
        body["payment_intent"] = json!(*payment.payment_intent);
        self.browser_confirm(&body)
    }
}

/// The face with what the body says of it.
fn printed(face: &Face, body: &Value) -> Result<Face, String> {
    let last4 = body["last4"].as_str().map_or_else(|| Arc::clone(&face.last4), Arc::from);
    let exp_month = body["exp_month"].as_i64().unwrap_or(face.exp_month);
    let exp_year = body["exp_year"].as_i64().unwrap_or(face.exp_year);
    if last4.len() != 4 || !last4.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("last4 has four digits: nothing was changed.".to_owned());
    }
    if !(1..=12).contains(&exp_month) || !(2000..=9998).contains(&exp_year) {
        return Err("exp_month is 1 to 12 and exp_year has four digits: nothing was changed.".to_owned());
    }
    Ok(Face { last4, exp_month, exp_year })
}

/// `pending_reason` of a refund (enums.json).
const PENDING_REASONS: [&str; 3] = ["charge_pending", "insufficient_funds", "processing"];

/// `failure_reason` of a refund (enums.json).
const FAILURE_REASONS: [&str; 7] = [
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
];

fn known(
    wanted: Option<&str>,
    reasons: &'static [&'static str],
    usual: &'static str,
) -> Result<&'static str, String> {
    let Some(wanted) = wanted else { return Ok(usual) };
    reasons.iter().find(|reason| **reason == wanted).copied().ok_or_else(|| {
        format!("There is no reason {wanted}: give one of {}. Nothing was changed.", reasons.join(", "))
    })
}
