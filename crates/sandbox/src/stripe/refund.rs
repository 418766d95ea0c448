//! Refunds: create, get, list, and refunds that end otherwise than at once: by test card or by knob (FACTS §b, §h).
//!
//! What must stay true: the refunds of a charge, failed ones left out, never exceed what was captured.

use super::balance::Entry;
use super::card::Afterwards;
use super::charge::Charge;
use super::currency::{Currency, spoken};
use super::listing::page_of;
use super::movement::Motion;
use super::object::{Answer, Metadata, Snapshot, merge_metadata};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::timer::Due;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Seconds until a refund of the two special cards ends.
const LATER_SECONDS: i64 = 300;

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Succeeded,
    Failed,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// How a refund goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Course {
    #[default]
    Succeeds,
    /// Pending for a reason and a number of seconds.
    Waits(&'static str, i64),
    /// Succeeds, and fails for a reason after a number of seconds.
    FailsLater(&'static str, i64),
    /// Fails for a reason within the call.
    Fails(&'static str),
}

/// What the knob wants of the next refunds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RefundPlan {
    pub(crate) next: u64,
    pub(crate) course: Course,
}

/// `failure_reason` when nothing else is asked for.
pub(crate) const CARD_GONE: &str = "expired_or_canceled_card";

/// A refund.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) charge: Id,
    pub(crate) payment_intent: Id,
    pub(crate) status: Status,
    pub(crate) course: Course,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) balance_transaction: Id,
    pub(crate) failure_balance_transaction: Option<Id>,
    pub(crate) metadata: Metadata,
}

impl Row for Refund {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Refund {
    /// True while the money is on its way back or has arrived.
    pub(crate) fn holds(&self) -> bool {
        self.status != Status::Failed
    }

    fn failure_reason(&self) -> Option<&'static str> {
        match (self.status, self.course) {
            (Status::Failed, Course::FailsLater(why, _) | Course::Fails(why)) => Some(why),
            (Status::Failed, Course::Succeeds | Course::Waits(..)) => Some(CARD_GONE),
            (Status::Pending | Status::Succeeded, _) => None,
        }
    }

    fn pending_reason(&self) -> Option<&'static str> {
        match (self.status, self.course) {
            (Status::Pending, Course::Waits(why, _)) => Some(why),
            (Status::Pending, _) => Some("processing"),
            (Status::Succeeded | Status::Failed, _) => None,
        }
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": *self.id, "object": "refund", "amount": self.amount,
            "balance_transaction": *self.balance_transaction, "charge": *self.charge, "created": self.created,
            "currency": self.currency,
            "destination_details": { "type": "card", "card": {
                "reference": derived(&self.id, 14), "reference_status": "available",
                "reference_type": "acquirer_reference_number", "type": "refund"
            } },
            "failure_balance_transaction": self.failure_balance_transaction.as_deref(),
            "failure_reason": self.failure_reason(),
            "metadata": *self.metadata, "payment_intent": *self.payment_intent,
            "pending_reason": self.pending_reason(),
            "reason": self.reason.as_deref(), "receipt_number": null, "source_transfer_reversal": null,
            "status": self.status.text(), "transfer_reversal": null,
        })
    }
}

impl StripeWorld {
    /// `POST /v1/refunds`
    pub(crate) fn create_refund(&mut self, params: &Params) -> Answer {
        let charge = self.charge_to_refund(params)?;
        if charge.charged_back {
            return Err(Refusal::state(
                "charge_disputed",
                format!("Charge {} has been charged back; cannot issue a refund.", charge.id),
            ));
        }
        if charge.refundable() <= 0 {
            return Err(Refusal::state(
                "charge_already_refunded",
                format!("Charge {} has already been refunded.", charge.id),
            ));
        }
        let amount = params.integer("amount").unwrap_or(charge.refundable());
        if amount < 1 {
            return Err(Refusal::too_low("amount", 1));
        }
        if amount > charge.refundable() {
            return Err(Refusal::invalid(format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                spoken(amount, charge.currency),
                spoken(charge.refundable(), charge.currency)
            ))
            .param("amount")
            .after_start());
        }
        Ok(Snapshot::Refund(self.refund(&charge, amount, params)))
    }

    fn charge_to_refund(&self, params: &Params) -> Result<Arc<Charge>, Box<Refusal>> {
        let id = match (params.text("charge"), params.text("payment_intent")) {
            (Some(charge), _) => Id::from(charge),
            (None, Some(intent)) => {
                let Some(intent) = self.payment_intents.get(intent) else {
                    return Err(Refusal::missing_reference("payment_intent", intent, "payment_intent"));
                };
                let charge = intent.latest_charge.clone().filter(|id| {
                    self.charges.get(id).is_some_and(|charge| charge.approved() && charge.captured)
                });
                charge.ok_or_else(|| {
                    Refusal::state(
                        "payment_intent_unexpected_state",
                        format!(
                            "This PaymentIntent ({}) does not have a successful charge to refund.",
                            intent.id
                        ),
                    )
                })?
            }
            (None, None) => {
                return Err(Refusal::invalid(
                    "One of the following params should be provided for this request: payment_intent or charge.",
                )
                .code("parameter_missing"));
            }
        };
        let charge =
            self.charges.get(&id).ok_or_else(|| Refusal::missing_reference("charge", &id, "charge"))?;
        if !charge.captured {
            return Err(Refusal::state(
                "charge_not_refundable",
                format!(
                    "Charge {} was not captured. Cancel its PaymentIntent to release the authorization.",
                    charge.id
                ),
            ));
        }
        Ok(Arc::clone(charge))
    }

    /// Refunds an amount that was checked to be refundable.
    pub(crate) fn refund(&mut self, charge: &Charge, amount: i64, params: &Params) -> Arc<Refund> {
        self.settle_charge_later(&charge.id);
        let id = self.random.id("re_");
        let line = self.book(refund_entry(charge, -amount, "refund", &id));
        let course = self.course_of_refund(charge);
        let refund = Refund {
            id: Arc::clone(&id),
            created: self.now_seconds(),
            amount,
            currency: charge.currency,
            charge: Arc::clone(&charge.id),
            payment_intent: Arc::clone(&charge.payment_intent),
            status: if matches!(course, Course::Waits(..)) { Status::Pending } else { Status::Succeeded },
            course,
            reason: params.text("reason").map(Arc::from),
            balance_transaction: Arc::clone(&line.id),
            failure_balance_transaction: None,
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
        };
        let row = self
            .refunds
            .insert(refund, &[("charge", &charge.id), ("payment_intent", &charge.payment_intent)]);
        let before = json!({ "amount_refunded": charge.amount_refunded, "refunded": false });
        let changed = self.charges.change(&charge.id, |charge| charge.amount_refunded += amount);
        match course {
            Course::Waits(_, seconds) => {
                self.schedule_in(seconds, Due::RefundSucceeds(Arc::clone(&id)));
            }
            Course::FailsLater(_, seconds) => self.schedule_in(seconds, Due::RefundFails(Arc::clone(&id))),
            Course::Succeeds | Course::Fails(_) => {}
        }
        self.record(Motion::Refund, amount, charge, Some(&id));
        self.emit("refund.created", Snapshot::Refund(Arc::clone(&row)), None);
        if let Some(changed) = changed {
            self.emit("charge.refunded", Snapshot::Charge(changed), Some(before));
        }
        if matches!(course, Course::Fails(_)) {
            self.refund_fails(&id);
        }
        self.refunds.get(&id).map_or(row, Arc::clone)
    }

    /// The knob decides before the test card.
    fn course_of_refund(&mut self, charge: &Charge) -> Course {
        if self.knobs.refunds.next > 0 {
            self.knobs.refunds.next -= 1;
            return self.knobs.refunds.course;
        }
        match charge.card.afterwards {
            Afterwards::PendingRefund => Course::Waits("processing", LATER_SECONDS),
            Afterwards::FailingRefund => Course::FailsLater(CARD_GONE, LATER_SECONDS),
            Afterwards::Quiet
            | Afterwards::Dispute(_)
            | Afterwards::Inquiry
            | Afterwards::Disputes
            | Afterwards::FraudWarning
            | Afterwards::AtOnce => Course::Succeeds,
        }
    }

    /// A pending refund arrives.
    pub(crate) fn refund_succeeds(&mut self, id: &str) {
        let waited = self.refunds.get(id).and_then(|refund| refund.pending_reason());
        let open = self.refunds.get(id).is_some_and(|refund| refund.status == Status::Pending);
        if open && let Some(row) = self.refunds.change(id, |refund| refund.status = Status::Succeeded) {
            let previous = json!({ "status": "pending", "pending_reason": waited });
            self.emit("refund.updated", Snapshot::Refund(row), Some(previous));
        }
    }

    /// A refund comes back: the money returns as `failure_balance_transaction`.
    pub(crate) fn refund_fails(&mut self, id: &str) {
        let Some(refund) = self.refunds.get(id).map(Arc::clone) else { return };
        let Some(charge) = self.charges.get(&refund.charge).map(Arc::clone) else { return };
        if refund.status == Status::Failed {
            return;
        }
        let line = self.book(refund_entry(&charge, refund.amount, "refund_failure", id));
        let row = self.refunds.change(id, |refund| {
            refund.status = Status::Failed;
            refund.failure_balance_transaction = Some(Arc::clone(&line.id));
        });
        self.charges.change(&charge.id, |charge| charge.amount_refunded -= refund.amount);
        self.record(Motion::RefundFailure, refund.amount, &charge, Some(id));
        if let Some(row) = row {
            let previous = json!({ "status": refund.status.text(), "failure_balance_transaction": null });
            self.emit("refund.updated", Snapshot::Refund(Arc::clone(&row)), Some(previous));
            self.emit("refund.failed", Snapshot::Refund(row), None);
        }
    }

    /// `GET /v1/refunds/{id}`
    pub(crate) fn show_refund(&self, id: &str) -> Answer {
        self.refunds
            .get(id)
            .map(|row| Snapshot::Refund(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("refund", id, "id"))
    }

    /// `GET /v1/refunds`
    pub(crate) fn list_refunds(&self, params: &Params) -> Answer {
        let mut tags = Vec::new();
        for name in ["charge", "payment_intent"] {
            if let Some(value) = params.text(name) {
                tags.push((name, value));
            }
        }
        page_of(&self.refunds, "/v1/refunds", params, &tags, |row| {
            let fits = params.text("charge").is_none_or(|charge| *row.charge == *charge)
                && params.text("payment_intent").is_none_or(|intent| *row.payment_intent == *intent);
            fits.then(|| row.render())
        })
    }
}

/// A refund takes available money at once; Stripe's fee is not returned (FACTS §b).
fn refund_entry(charge: &Charge, amount: i64, kind: &'static str, refund: &str) -> Entry {
    Entry {
        amount,
        fee: 0,
        currency: charge.currency,
        kind,
        category: kind,
        source: Id::from(refund),
        at_once: true,
    }
}
