//! Stripe's error and decline codes in plain words, with the pages that document them (FEATURES M31).
//!
//! Called by `api` through [`Guide`]. The titles are those of docs.stripe.com, read on 2026-11-21.

use suture_core::evidence::DeclineAdvice;

use crate::gateway::{Explanation, Guide, GuidePage};
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::{declines, refusals};

const DECLINES: GuidePage =
    GuidePage { title: "Stripe decline codes", url: "https://docs.stripe.com/declines/codes" };
const ERRORS: GuidePage = GuidePage { title: "Error codes", url: "https://docs.stripe.com/error-codes" };
const AUTHENTICATION: GuidePage =
    GuidePage { title: "3D Secure authentication", url: "https://docs.stripe.com/payments/3d-secure" };
const HOLDS: GuidePage = GuidePage {
    title: "Place a hold on a payment method",
    url: "https://docs.stripe.com/payments/place-a-hold-on-a-payment-method",
};
const REFUNDS: GuidePage =
    GuidePage { title: "Refund and cancel payments", url: "https://docs.stripe.com/refunds" };

impl Guide for Stripe {
    fn explain(&self, code: &str) -> Option<Explanation> {
        let explained =
            |advice, sentence, pages| Some(Explanation { code: code.to_owned(), advice, sentence, pages });
        if declines::is_known(code) {
            let (advice, sentence) = declines::judge(Some(code), None, None);
            let mut pages = vec![DECLINES, ERRORS];
            pages.extend((advice == DeclineAdvice::Authenticate).then_some(AUTHENTICATION));
            return explained(Some(advice), sentence, pages);
        }
        let (sentence, _) = refusals::find(code)?;
        let mut pages = vec![ERRORS];
        pages.extend(topic(code));
        explained(None, sentence, pages)
    }

    fn codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> = declines::codes().chain(refusals::codes()).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

/// The page about what a refused call was for.
fn topic(code: &str) -> Option<GuidePage> {
    match code {
        "charge_already_captured" | "charge_expired_for_capture" | "capture_charge_authorization_expired" => {
            Some(HOLDS)
        }
        "charge_already_refunded"
        | "charge_disputed"
        | "refund_disputed_payment"
        | "charge_not_refundable"
        | "balance_insufficient" => Some(REFUNDS),
        _ => None,
    }
}
