//! Payment methods: test tokens become cards, cards are attached to customers and detached.
//!
//! What must stay true: a card that was used without a customer, or was detached, cannot be used again.

use super::card::{self, TestCard, Verdict};
use super::card_face::{Condition, Face};
use super::customer::differences;
use super::listing::page_of;
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// A card as a payment method.
#[derive(Debug, Clone)]
pub(crate) struct PaymentMethod {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) card: &'static TestCard,
    pub(crate) face: Arc<Face>,
    pub(crate) condition: Condition,
    pub(crate) customer: Option<Id>,
    /// Set up for payments without the holder.
    pub(crate) off_session: bool,
    /// Used without a customer, or detached: no further use.
    pub(crate) spent: bool,
    pub(crate) metadata: Metadata,
    pub(crate) echo: Echo,
}

impl Row for PaymentMethod {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl PaymentMethod {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let mut shown = json!({
            "id": *self.id, "object": "payment_method", "created": self.created, "livemode": false,
            "allow_redisplay": "unspecified",
            "billing_details": { "address": no_address(), "email": null, "name": null, "phone": null, "tax_id": null },
            "card": card_fields(self.card, &self.face),
            "customer": self.customer.as_deref(), "customer_account": null,
            "metadata": *self.metadata, "radar_options": {}, "type": "card",
        });
        self.echo.lay_over(&mut shown);
        shown
    }
}

/// An address without any line.
pub(crate) fn no_address() -> Value {
    json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null })
}

fn card_fields(card: &TestCard, face: &Face) -> Value {
    json!({
        "brand": card.brand, "display_brand": card.brand, "country": card.country, "description": card.description,
        "exp_month": face.exp_month, "exp_year": face.exp_year, "fingerprint": face.fingerprint(card),
        "funding": card.funding,
        "generated_from": null, "last4": *face.last4, "regulated_status": "unregulated",
        "checks": checks(card),
        "networks": { "available": [card.brand], "preferred": null },
        "three_d_secure_usage": { "supported": card.token != "pm_card_amex_threeDSecureNotSupported" },
        "wallet": null,
    })
}

/// The checks of address, postal code and CVC.
pub(crate) fn checks(card: &TestCard) -> Value {
    let [line, postal, cvc] = card.checks;
    json!({ "address_line1_check": line, "address_postal_code_check": postal, "cvc_check": cvc })
}

impl StripeWorld {
    /// A payment method for use: a test token becomes a new card, an id must be known and usable.
    pub(crate) fn usable_payment_method(
        &mut self,
        token: &str,
        param: &str,
    ) -> Result<Arc<PaymentMethod>, Box<Refusal>> {
        if let Some(card) = card::by_token(token) {
            return Ok(self.new_card(card));
        }
        let Some(method) = self.payment_methods.get(token) else {
            return Err(Refusal::missing_reference("PaymentMethod", token, param));
        };
        if method.spent {
            return Err(Refusal::invalid(
                "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, \
                 shared with a connected account without Customer attachment, or was detached from a Customer. It \
                 may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
            )
            .param(param));
        }
        Ok(Arc::clone(method))
    }

    /// A fresh card that looks and behaves like the test card.
    pub(crate) fn new_card(&mut self, card: &'static TestCard) -> Arc<PaymentMethod> {
        let method = PaymentMethod {
            id: self.random.id("pm_"),
            created: self.now_seconds(),
            card,
            face: Arc::new(Face::of(card)),
            condition: Condition::Good,
            customer: None,
            off_session: false,
            spent: false,
            metadata: Metadata::default(),
            echo: Echo::default(),
        };
        self.payment_methods.insert(method, &[])
    }

    /// Puts a card under a customer and tells about it; does nothing when it is there already.
    pub(crate) fn attach(&mut self, method: &PaymentMethod, customer: &str, off_session: bool) -> Answer {
        let Some(owner) = self.customers.get(customer).map(|row| Arc::clone(&row.id)) else {
            return Err(Refusal::missing_reference("customer", customer, "customer"));
        };
        if method.customer.as_deref().is_some_and(|known| known != customer) {
            return Err(Refusal::state(
                "payment_method_unexpected_state",
                "The payment method you provided has already been attached to a customer.",
            ));
        }
        let already = method.customer.is_some();
        let row = self.payment_methods.change(&method.id, |row| {
            row.customer = Some(owner);
            row.off_session |= off_session;
        });
        let Some(row) = row else {
            return Err(Refusal::missing("PaymentMethod", &method.id, "payment_method"));
        };
        if !already {
            self.payment_methods.tag(&method.id, "customer", customer);
            self.emit("payment_method.attached", Snapshot::PaymentMethod(Arc::clone(&row)), None);
        }
        Ok(Snapshot::PaymentMethod(row))
    }

    /// `POST /v1/payment_methods/{id}/attach`: declining cards cannot be attached (FACTS §h).
    pub(crate) fn attach_payment_method(&mut self, id: &str, params: &Params) -> Answer {
        let Some(customer) = params.text("customer") else {
            return Err(Refusal::parameter_missing("customer"));
        };
        if self.customers.get(customer).is_none() {
            return Err(Refusal::missing_reference("customer", customer, "customer"));
        }
        let known = card::by_token(id).is_some() || self.payment_methods.get(id).is_some();
        if !known {
            return Err(Refusal::missing("PaymentMethod", id, "payment_method"));
        }
        let method = self.usable_payment_method(id, "payment_method")?;
        if let Verdict::Decline(decline) = method.card.verdict {
            return Err(decline.refusal());
        }
        if let Some(decline) = method.refused_now(self.now_seconds()) {
            return Err(decline.refusal());
        }
        self.attach(&method, customer, false)
    }

    /// `POST /v1/payment_methods/{id}/detach`
    pub(crate) fn detach_payment_method(&mut self, id: &str) -> Answer {
        let Some(before) = self.payment_methods.get(id) else {
            return Err(Refusal::missing("PaymentMethod", id, "payment_method"));
        };
        let Some(customer) = before.customer.clone() else {
            return Err(Refusal::state(
                "payment_method_unexpected_state",
                "The payment method you provided is not attached to a customer so detachment is impossible.",
            ));
        };
        let row = self.payment_methods.change(id, |row| {
            row.customer = None;
            row.off_session = false;
            row.spent = true;
        });
        let Some(row) = row else { return Err(Refusal::missing("PaymentMethod", id, "payment_method")) };
        let previous = json!({ "customer": *customer });
        self.emit("payment_method.detached", Snapshot::PaymentMethod(Arc::clone(&row)), Some(previous));
        Ok(Snapshot::PaymentMethod(row))
    }

    /// `POST /v1/payment_methods/{id}`: expiry, billing details, metadata of a saved card.
    pub(crate) fn update_payment_method(&mut self, id: &str, params: &Params) -> Answer {
        let Some(before) = self.payment_methods.get(id).map(Arc::clone) else {
            return Err(Refusal::missing("PaymentMethod", id, "payment_method"));
        };
        if before.customer.is_none() {
            return Err(Refusal::state(
                "payment_method_unexpected_state",
                "You must save this PaymentMethod to a customer before you can update it.",
            ));
        }
        let typed = |name: &str| params.get("card").and_then(|card| card.get(name)).and_then(Value::as_i64);
        let face = Face {
            last4: Arc::clone(&before.face.last4),
            exp_month: typed("exp_month").unwrap_or(before.face.exp_month),
            exp_year: typed("exp_year").unwrap_or(before.face.exp_year),
        };
        if !(1..=12).contains(&face.exp_month) {
            return Err(Refusal::invalid("Your card's expiration month is invalid.")
                .code("invalid_expiry_month")
                .param("card[exp_month]"));
        }
        let row = self.payment_methods.change(id, |row| {
            row.face = Arc::new(face);
            row.metadata = merge_metadata(&row.metadata, params.get("metadata"));
            row.echo = row.echo.clone().with(params, &["allow_redisplay", "billing_details"]);
        });
        let Some(row) = row else { return Err(Refusal::missing("PaymentMethod", id, "payment_method")) };
        let previous = differences(&before.render(), &row.render());
        self.emit("payment_method.updated", Snapshot::PaymentMethod(Arc::clone(&row)), Some(previous));
        Ok(Snapshot::PaymentMethod(row))
    }

    /// `GET /v1/payment_methods`: the cards of a customer.
    pub(crate) fn list_all_payment_methods(&self, params: &Params) -> Answer {
        let Some(customer) = params.text("customer") else {
            return Err(Refusal::parameter_missing("customer"));
        };
        if self.customers.get(customer).is_none() {
            return Err(Refusal::missing_reference("customer", customer, "customer"));
        }
        self.page_of_payment_methods("/v1/payment_methods", customer, params)
    }

    /// `GET /v1/payment_methods/{id}`
    pub(crate) fn show_payment_method(&self, id: &str) -> Answer {
        self.payment_methods
            .get(id)
            .map(|row| Snapshot::PaymentMethod(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("PaymentMethod", id, "payment_method"))
    }

    /// `GET /v1/customers/{id}/payment_methods`
    pub(crate) fn list_payment_methods(&self, customer: &str, params: &Params) -> Answer {
        if self.customers.get(customer).is_none() {
            return Err(Refusal::missing("customer", customer, "customer"));
        }
        self.page_of_payment_methods(&format!("/v1/customers/{customer}/payment_methods"), customer, params)
    }

    fn page_of_payment_methods(&self, url: &str, customer: &str, params: &Params) -> Answer {
        let cards = params.text("type").is_none_or(|kind| kind == "card");
        page_of(&self.payment_methods, url, params, &[("customer", customer)], |row| {
            (cards && row.customer.as_deref() == Some(customer)).then(|| row.render())
        })
    }
}
