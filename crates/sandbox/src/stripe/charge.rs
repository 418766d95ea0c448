//! Charges: the movement of money behind a payment intent.

use super::balance::{Entry, processing_fee};
use super::card::{Afterwards, Decline, TestCard};
use super::card_face::Face;
use super::currency::Currency;
use super::listing::page_of;
use super::object::{Answer, Metadata, Snapshot};
use super::payment_method::{checks, no_address};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// How a charge ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approved,
    Declined(&'static Decline),
    Blocked(&'static Decline),
}

impl Outcome {
    fn decline(self) -> Option<&'static Decline> {
        match self {
            Self::Approved => None,
            Self::Declined(decline) | Self::Blocked(decline) => Some(decline),
        }
    }
}

/// A charge.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    /// Refunded money.
    pub(crate) amount_refunded: i64,
    /// Authorized money that was given back without ever being captured.
    pub(crate) amount_released: i64,
    pub(crate) currency: Currency,
    pub(crate) payment_intent: Id,
    pub(crate) customer: Option<Id>,
    pub(crate) payment_method: Id,
    pub(crate) card: &'static TestCard,
    /// The card's face when it was charged.
    pub(crate) face: Arc<Face>,
    /// The authorization may be raised.
    pub(crate) incremental: bool,
    /// Where the receipt is served, without a slash at the end.
    pub(crate) site: Arc<str>,
    pub(crate) outcome: Outcome,
    pub(crate) captured: bool,
    pub(crate) disputed: bool,
    /// A chargeback took the money: no refunds any more.
    pub(crate) charged_back: bool,
    /// Last second in which an authorization can be captured.
    pub(crate) capture_before: Option<i64>,
    pub(crate) balance_transaction: Option<Id>,
    pub(crate) metadata: Metadata,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) three_d_secure: bool,
}

impl Row for Charge {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Charge {
    /// True when the issuer said yes.
    pub(crate) fn approved(&self) -> bool {
        self.outcome == Outcome::Approved
    }

    /// What can still be refunded.
    pub(crate) fn refundable(&self) -> i64 {
        self.amount_captured - self.amount_refunded
    }

    /// The address of the receipt; its page is served by `page`.
    pub(crate) fn receipt_url(&self) -> Option<String> {
        self.approved().then(|| format!("{}/receipts/{}/{}", self.site, self.id, derived(&self.id, 24)))
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let decline = self.outcome.decline();
        // A release of the whole authorization is shown as refunded; the rest of a partial capture is not.
        let shown_refunded = if self.captured { self.amount_refunded } else { self.amount_released };
        let whole = if self.captured { self.amount_captured } else { self.amount };
        json!({
            "id": *self.id, "object": "charge", "amount": self.amount, "amount_captured": self.amount_captured,
            "amount_refunded": shown_refunded, "application": null, "application_fee": null,
            "application_fee_amount": null, "balance_transaction": self.balance_transaction.as_deref(),
            "billing_details": { "address": no_address(), "email": null, "name": null, "phone": null, "tax_id": null },
            "calculated_statement_descriptor": "SUTURE SANDBOX", "captured": self.captured, "created": self.created,
            "currency": self.currency, "customer": self.customer.as_deref(),
            "description": self.description.as_deref(), "disputed": self.disputed,
            "failure_balance_transaction": null, "failure_code": decline.map(|decline| decline.code),
            "failure_message": decline.map(|decline| decline.message), "fraud_details": {}, "livemode": false,
            "metadata": *self.metadata, "on_behalf_of": null, "outcome": self.outcome_fields(),
            "paid": self.approved(), "payment_intent": *self.payment_intent, "payment_method": *self.payment_method,
            "payment_method_details": { "type": "card", "card": self.card_fields() }, "radar_options": {},
            "receipt_email": null, "receipt_number": null,
            "receipt_url": self.receipt_url(),
            "refunded": shown_refunded > 0 && shown_refunded == whole, "review": null, "shipping": null,
            "source_transfer": null, "statement_descriptor": null, "statement_descriptor_suffix": null,
            "status": if self.approved() { "succeeded" } else { "failed" }, "transfer_data": null,
            "transfer_group": null,
        })
    }

    fn outcome_fields(&self) -> Value {
        let (network_status, kind, message) = match self.outcome {
            Outcome::Approved => ("approved_by_network", "authorized", "Payment complete."),
            Outcome::Declined(_) => (
                "declined_by_network",
                "issuer_declined",
                "The bank did not return any further details with this decline.",
            ),
            Outcome::Blocked(_) => {
                ("not_sent_to_network", "blocked", "Stripe blocked this payment as too risky.")
            }
        };
        let reason = match self.outcome {
            Outcome::Approved => None,
            Outcome::Declined(decline) => Some(decline.decline_code),
            Outcome::Blocked(_) => Some("highest_risk_level"),
        };
        json!({
            "advice_code": self.outcome.decline().map(|decline| decline.advice), "network_advice_code": null,
            "network_decline_code": null, "network_status": network_status, "reason": reason,
            "risk_level": self.card.risk, "seller_message": message, "type": kind,
        })
    }

    fn card_fields(&self) -> Value {
        let waiting = self.approved() && !self.captured;
        json!({
            "amount_authorized": if self.approved() { Some(self.amount) } else { None },
            "authorization_code": self.approved().then(|| derived(&self.id, 6).to_ascii_uppercase()),
            "brand": self.card.brand, "capture_before": if waiting { self.capture_before } else { None },
            "checks": checks(self.card), "country": self.card.country, "description": self.card.description,
            "exp_month": self.face.exp_month, "exp_year": self.face.exp_year,
            "extended_authorization": { "status": "disabled" }, "fingerprint": self.face.fingerprint(self.card),
            "funding": self.card.funding,
            "incremental_authorization": { "status": if self.incremental { "available" } else { "unavailable" } },
            "installments": null, "last4": *self.face.last4, "mandate": null,
            "multicapture": { "status": "unavailable" }, "network": self.card.brand,
            "network_token": { "used": false }, "network_transaction_id": derived(&self.id, 15),
            "overcapture": { "maximum_amount_capturable": self.amount, "status": "unavailable" },
            "regulated_status": "unregulated",
            "three_d_secure": if self.three_d_secure {
                json!({ "authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0" })
            } else {
                Value::Null
            },
            "wallet": null,
        })
    }
}

impl StripeWorld {
    /// Books the money of a captured charge: at most once per charge.
    pub(crate) fn settle_charge(&mut self, id: &str) -> Option<Arc<Charge>> {
        let charge = self.charges.get(id).map(Arc::clone)?;
        if charge.balance_transaction.is_some() || !charge.captured {
            return Some(charge);
        }
        let line = self.book(Entry {
            amount: charge.amount_captured,
            fee: processing_fee(charge.amount_captured),
            currency: charge.currency,
            kind: "charge",
            category: "charge",
            source: Arc::clone(&charge.id),
            at_once: charge.card.afterwards == Afterwards::AtOnce,
        });
        self.charges.change(id, |charge| charge.balance_transaction = Some(Arc::clone(&line.id)))
    }

    /// The late half of `automatic_async`: the balance transaction arrives with `charge.updated` (FACTS §b).
    pub(crate) fn settle_charge_later(&mut self, id: &str) {
        let late = self.charges.get(id).is_some_and(|charge| charge.balance_transaction.is_none());
        if let Some(row) = self.settle_charge(id)
            && late
        {
            let previous = json!({ "balance_transaction": null });
            self.emit("charge.updated", Snapshot::Charge(row), Some(previous));
        }
    }

    /// `GET /v1/charges/{id}`
    pub(crate) fn show_charge(&self, id: &str) -> Answer {
        self.charges
            .get(id)
            .map(|row| Snapshot::Charge(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("charge", id, "id"))
    }

    /// `GET /v1/charges`
    pub(crate) fn list_charges(&self, params: &Params) -> Answer {
        let mut tags = Vec::new();
        for name in ["customer", "payment_intent"] {
            if let Some(value) = params.text(name) {
                tags.push((name, value));
            }
        }
        page_of(&self.charges, "/v1/charges", params, &tags, |row| {
            let fits =
                params.text("customer").is_none_or(|customer| row.customer.as_deref() == Some(customer))
                    && params.text("payment_intent").is_none_or(|intent| *row.payment_intent == *intent);
            fits.then(|| row.render())
        })
    }
}
