//! Holds: asking for one that can grow, raising it, taking a part of it (FACTS §c.4–6; ENDPOINTS `/v1/payment_intents`).
//!
//! Called by `engine` through [`Holds`]. A wish is `if_available`: Stripe grants it silently or not, and the charge tells.

use suture_core::money::Money;

use crate::gateway::{CaptureMode, CreatePayment, HoldWishes, Holds};
use crate::gateways::stripe::amounts;
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::payments::{EXPAND, INTENTS, creation};
use crate::gateways::stripe::request::path;
use crate::gateways::stripe::settings::Stripe;
use crate::http::HttpRequest;

impl Holds for Stripe {
    fn create_hold(&self, call: &CreatePayment, wishes: HoldWishes) -> HttpRequest {
        let wish = |form: Form, name: &str, wanted: bool| {
            form.maybe(&["payment_method_options", "card", name], wanted.then_some("if_available"))
        };
        let form = creation(call, CaptureMode::Manual);
        let form = wish(form, "request_incremental_authorization", wishes.growing);
        let form = wish(form, "request_extended_authorization", wishes.extended);
        let form = wish(form, "request_multicapture", wishes.in_parts);
        let form = wish(form, "request_overcapture", wishes.overcapture);
        self.post("/v1/payment_intents", form, &call.idempotency_key)
    }

    fn raise_hold(&self, intent: &str, total: Money, idempotency_key: &str) -> HttpRequest {
        let form = Form::new().text(&["amount"], &amounts::to_text(total)).list("expand", EXPAND);
        self.post(&path(INTENTS, intent, "/increment_authorization"), form, idempotency_key)
    }

    fn capture_part(&self, intent: &str, amount: Money, last: bool, idempotency_key: &str) -> HttpRequest {
        // Without multicapture Stripe takes no `final_capture`, and the only capture is the last one anyway.
        let form = Form::new()
            .text(&["amount_to_capture"], &amounts::to_text(amount))
            .maybe(&["final_capture"], (!last).then_some("false"))
            .list("expand", EXPAND);
        self.post(&path(INTENTS, intent, "/capture"), form, idempotency_key)
    }
}
