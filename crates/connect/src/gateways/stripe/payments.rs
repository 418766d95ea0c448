//! Taking payments: payment intents (FACTS §b, §c; ENDPOINTS `/v1/payment_intents`).
//!
//! Called by `engine` through [`Payments`]. Nothing about a patient is sent: metadata holds our link token and our
//! attempt id, and there is no description, receipt address or statement text.

use serde_json::Value;
use suture_core::evidence::Evidence;
use suture_core::money::Money;

use crate::gateway::{CaptureMode, CreatePayment, Payments, Seen};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::request::path;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::{ATTEMPT, LINK, Translate};
use crate::gateways::stripe::{amounts, errors, wire};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// The charge and its fee come with every answer about an intent.
pub(super) const EXPAND: &[&str] = &["latest_charge.balance_transaction"];
pub(super) const INTENTS: &str = "/v1/payment_intents/";

impl Payments for Stripe {
    fn create(&self, call: &CreatePayment) -> HttpRequest {
        self.post("/v1/payment_intents", creation(call, call.capture), &call.idempotency_key)
    }

    fn confirm(&self, intent: &str, method: &str, idempotency_key: &str) -> HttpRequest {
        let form = Form::new()
            .text(&["payment_method"], method)
            .maybe(&["return_url"], self.settings.return_url.as_deref())
            .list("expand", EXPAND);
        self.post(&path(INTENTS, intent, "/confirm"), form, idempotency_key)
    }

    fn capture(&self, intent: &str, amount: Option<Money>, idempotency_key: &str) -> HttpRequest {
        let amount = amount.map(amounts::to_text);
        let form = Form::new().maybe(&["amount_to_capture"], amount.as_deref()).list("expand", EXPAND);
        self.post(&path(INTENTS, intent, "/capture"), form, idempotency_key)
    }

    fn cancel(&self, intent: &str, idempotency_key: &str) -> HttpRequest {
        let form = Form::new().list("expand", EXPAND);
        self.post(&path(INTENTS, intent, "/cancel"), form, idempotency_key)
    }

    fn read_payment(&self, response: &HttpResponse) -> Outcome<Seen> {
        if response.status == 402 {
            return self.read_declined(response);
        }
        errors::read(response, |wire| self.intent(wire))
    }
}

impl Stripe {
    pub(super) fn translate(&self) -> Translate<'_> {
        Translate { link_import_key: self.settings.link_import_key.as_deref() }
    }

    /// An intent of an answer; anything else is not what was asked for.
    pub(super) fn intent(&self, wire: wire::Intent) -> Option<Seen> {
        if wire.object.as_deref() != Some("payment_intent") {
            return None;
        }
        self.translate().intent(wire)
    }

    /// A declined confirmation carries the whole intent inside the error (FACTS §a "Error body"): its truth is worth
    /// more than the refusal, and its browser secret is needed to bring the payer back.
    pub(super) fn read_declined(&self, response: &HttpResponse) -> Outcome<Seen> {
        let seen = errors::error_of(response).and_then(|mut error| {
            let intent = error.get_mut("payment_intent").map(Value::take)?;
            let wire = serde_json::from_value::<wire::Intent>(intent).ok()?;
            let mut seen = self.intent(wire)?;
            if let Some(Evidence::Intent(intent)) = seen.evidence.first_mut() {
                let id = Value::from(intent.intent.as_str());
                error.insert(
                    "payment_intent".to_owned(),
                    serde_json::json!({ "id": id, "object": "payment_intent" }),
                );
                intent.error = errors::payment_error(Value::Object(error));
            }
            Some(seen)
        });
        seen.map_or_else(|| errors::refused(response), Outcome::Done)
    }
}

/// The form of an intent's creation, captured as told.
pub(super) fn creation(call: &CreatePayment, capture: CaptureMode) -> Form {
    // `payment_method_types` is gone since endive; automatic methods work in every version (FACTS §0).
    // With `automatic` instead of `automatic_async` the fee is known in the answer (FACTS §b).
    let capture = match capture {
        CaptureMode::Automatic => "automatic",
        CaptureMode::Manual => "manual",
    };
    // Stripe takes `off_session` and `return_url` only together with `confirm`; a browser that confirms brings
    // its own address.
    let return_url = call.return_url.as_deref().filter(|_| call.confirm);
    let never = (call.confirm && return_url.is_none()).then_some("never");
    Form::new()
        .text(&["amount"], &amounts::to_text(call.amount))
        .text(&["currency"], &call.amount.currency.code_lowercase())
        .text(&["capture_method"], capture)
        .text(&["automatic_payment_methods", "enabled"], "true")
        .maybe(&["automatic_payment_methods", "allow_redirects"], never)
        .maybe(&["customer"], call.customer.as_deref())
        .maybe(&["payment_method"], call.method.as_deref())
        .flag(&["confirm"], call.confirm)
        .flag(&["off_session"], call.confirm && call.off_session)
        .maybe(&["setup_future_usage"], call.save_method.then_some("off_session"))
        .maybe(&["return_url"], return_url)
        .text(&["metadata", LINK], &call.link)
        .text(&["metadata", ATTEMPT], &call.attempt)
        .list("expand", EXPAND)
}
