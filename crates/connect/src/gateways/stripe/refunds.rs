//! Returning payments (FACTS §b "Refund"; ENDPOINTS `/v1/refunds`).
//!
//! Called by `engine` through [`Refunds`]. A refund names the charge, never the intent, so that it can only return
//! the money movement it was decided for.

use suture_core::evidence::Evidence;

use crate::gateway::{CreateRefund, RefundReason, Refunds, Seen};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::{self, REFUND};
use crate::gateways::stripe::{amounts, declines, errors, wire};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

const REFUSED: &str = "Stripe could not make the refund and nothing was returned. \
     Check the balance at Stripe, or return the money another way.";

impl Refunds for Stripe {
    fn create(&self, call: &CreateRefund) -> HttpRequest {
        let reason = match call.reason {
            RefundReason::Duplicate => "duplicate",
            RefundReason::Fraudulent => "fraudulent",
            RefundReason::RequestedByCustomer => "requested_by_customer",
        };
        // The refund's currency is the charge's; Stripe takes none here (FACTS §i).
        let form = Form::new()
            .text(&["charge"], &call.charge)
            .text(&["amount"], &amounts::to_text(call.amount))
            .text(&["reason"], reason)
            .text(&["metadata", REFUND], &call.refund_id);
        self.post("/v1/refunds", form, &call.idempotency_key)
    }

    fn read_refund(&self, response: &HttpResponse) -> Outcome<Seen> {
        match errors::read(response, refund) {
            // The sentences about declined payments would mislead here: nobody's card was to be charged.
            Outcome::Declined(mut failure) if response.status == 402 || declines::is_known(&failure.code) => {
                failure.message = REFUSED.to_owned();
                Outcome::Declined(failure)
            }
            outcome => outcome,
        }
    }
}

/// A refund of an answer; anything else is not what was asked for.
pub(super) fn refund(wire: wire::Refund) -> Option<Seen> {
    if wire.object.as_deref() != Some("refund") {
        return None;
    }
    let mut seen = translate::nothing();
    seen.evidence.push(Evidence::Refund(translate::refund(wire)?));
    Some(seen)
}
