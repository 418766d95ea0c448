//! Customers and stored methods (FACTS §c.1; ENDPOINTS `/v1/customers`, `/v1/setup_intents`).
//!
//! Called by `engine` through [`Vault`]. A customer at Stripe has no name, address or e-mail: only our link token.

use suture_core::redact::Secret;

use crate::gateway::Vault;
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::LINK;
use crate::gateways::stripe::{errors, wire};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

impl Vault for Stripe {
    fn create_customer(&self, link: &str, idempotency_key: &str) -> HttpRequest {
        self.post("/v1/customers", Form::new().text(&["metadata", LINK], link), idempotency_key)
    }

    fn create_setup(&self, customer: &str, link: &str, idempotency_key: &str) -> HttpRequest {
        let form = Form::new()
            .text(&["customer"], customer)
            .text(&["usage"], "off_session")
            .text(&["automatic_payment_methods", "enabled"], "true")
            .text(&["metadata", LINK], link);
        self.post("/v1/setup_intents", form, idempotency_key)
    }

    fn read_customer(&self, response: &HttpResponse) -> Outcome<String> {
        errors::read(response, |wire: wire::Created| of_kind(&wire, "customer").then_some(wire.id)?)
    }

    fn read_setup(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)> {
        errors::read(response, |wire: wire::Created| {
            of_kind(&wire, "setup_intent").then_some(())?;
            Some((wire.id?, Secret::new(wire.client_secret?)))
        })
    }
}

pub(super) fn of_kind(wire: &wire::Created, kind: &str) -> bool {
    wire.object.as_deref() == Some(kind)
}
