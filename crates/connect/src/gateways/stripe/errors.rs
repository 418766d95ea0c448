//! What became of a call that did not answer with an object: HTTP status and Stripe's error → our outcome.
//!
//! Called by every `read_…` of this folder. The default is `Unknown`. Only a readable `{"error": …}` can prove that
//! nothing happened: a status alone, without Stripe's error object, may come from a proxy in between.
//!
//! `NotSent` speaks about the one request that was answered. When an earlier send of the same key got no answer, that
//! earlier one stays unknown: the caller must not take `NotSent` of a repetition for proof.

use std::time::Duration;

use serde_json::{Map, Value};
use suture_core::evidence::PaymentError;

use crate::gateways::stripe::{declines, refusals, wire};
use crate::http::HttpResponse;
use crate::outcome::{Failure, Outcome, Retry};

/// Reads an answer: an object of a success, or the outcome of a refusal.
pub(super) fn read<W, T>(response: &HttpResponse, translate: impl FnOnce(W) -> Option<T>) -> Outcome<T>
where
    W: serde::de::DeserializeOwned,
{
    if !(200..300).contains(&response.status) {
        return refused(response);
    }
    match serde_json::from_slice::<W>(&response.body).ok().and_then(translate) {
        Some(value) => Outcome::Done(value),
        None => Outcome::Unknown(unreadable()),
    }
}

/// An answer with a success status that is not the expected object: empty, cut off, HTML, a state not known here.
fn unreadable() -> Failure {
    Failure::new(
        "unreadable_answer",
        "Stripe answered, but the answer cannot be read, so it is not known what happened. \
         Nothing was recorded; the object is looked up before anything is sent again.",
        Retry::LookUpFirst,
    )
}

/// The error object of a refusal, when there is a readable one.
pub(super) fn error_of(response: &HttpResponse) -> Option<Map<String, Value>> {
    serde_json::from_slice::<wire::Refused>(&response.body).ok().map(|refused| refused.error)
}

/// The outcome of an answer that is not a success (FACTS §a "HTTP codes", "Idempotency-Key", "Retry rule": Stripe's
/// documentation at docs.stripe.com as read for the sheet of 2026-11-21).
pub(super) fn refused<T>(response: &HttpResponse) -> Outcome<T> {
    let Some(error) = error_of(response).filter(|_| (400..500).contains(&response.status)) else {
        return Outcome::Unknown(no_proof(response));
    };
    let code = text(&error, "code").unwrap_or_default();
    let error_type = text(&error, "type").unwrap_or_default();
    let outcome = match (response.status, code, error_type) {
        // The first call with this key is still running: it may well charge. The same key gives its result later.
        (_, "idempotency_key_in_use", _) => Outcome::Unknown(Failure::new(
            "idempotency_key_in_use",
            "The first call with this key is still being worked on at Stripe. Nothing was done twice; \
             the same call is sent again later and then gives the first call's result.",
            later(response, Retry::Later),
        )),
        // Two writers met on one object; the later one was turned away before it did anything.
        (_, "lock_timeout", _) => Outcome::NotSent(Failure::new(
            "lock_timeout",
            "Another change to the same object was under way at Stripe, so this one was not started. \
             It is sent again shortly.",
            Retry::Throttled(retry_after(response)),
        )),
        (400, _, "idempotency_error") => Outcome::Declined(Failure::new(
            "idempotency_key_reused",
            "This key was used before for another call, so Stripe did not execute this one. \
             Look up what the earlier call did, and start a new attempt with a new key if it is still needed.",
            Retry::Never,
        )),
        // "Not stored: rejected before execution: … auth failure (401), rate limit (429)" (FACTS §a).
        (401, _, _) => Outcome::NotSent(Failure::new(
            "invalid_credentials",
            "Stripe refused the secret key of this connection, so nothing was executed. \
             Enter a valid key; waiting work is then sent.",
            Retry::Never,
        )),
        (403, _, _) => Outcome::NotSent(Failure::new(
            "permission_denied",
            "The key of this connection lacks a permission for this call, so nothing was executed. \
             Give the restricted key that permission at Stripe; waiting work is then sent.",
            Retry::Never,
        )),
        (429, _, _) => Outcome::NotSent(Failure::new(
            "rate_limited",
            "Stripe asked to slow down and did not execute the call. It is sent again later.",
            Retry::Throttled(retry_after(response)),
        )),
        (400 | 402 | 404, _, _) => Outcome::Declined(declined(response, &error)),
        // 409 of another kind, 424, and whatever is new: nothing proves that nothing happened.
        _ => Outcome::Unknown(no_proof(response)),
    };
    with_raw(outcome, error)
}

fn with_raw<T>(outcome: Outcome<T>, error: Map<String, Value>) -> Outcome<T> {
    let raw = without_private_parts(error);
    match outcome {
        Outcome::Done(value) => Outcome::Done(value),
        Outcome::Declined(failure) => Outcome::Declined(failure.with_raw(raw)),
        Outcome::NotSent(failure) => Outcome::NotSent(failure.with_raw(raw)),
        Outcome::Unknown(failure) => Outcome::Unknown(failure.with_raw(raw)),
    }
}

/// 5xx, redirects, HTML, empty and cut-off answers. A stored 500 is replayed for its key (FACTS §a), so a look-up is
/// the way out unless Stripe itself asks for the same call again.
fn no_proof(response: &HttpResponse) -> Failure {
    Failure::new(
        if response.status >= 500 { "gateway_error" } else { "unreadable_answer" },
        format!(
            "Stripe answered with HTTP {} and no proof of what happened. It may or may not have been done; \
             it is looked up before anything is sent again.",
            response.status
        ),
        later(response, Retry::LookUpFirst),
    )
}

/// `Stripe-Should-Retry: true` asks for the same call with the same key; `false` leaves the default of the case.
fn later(response: &HttpResponse, default: Retry) -> Retry {
    match (response.get("stripe-should-retry"), retry_after(response)) {
        (Some("true"), Some(wait)) => Retry::Throttled(Some(wait)),
        (Some("true"), None) => Retry::Later,
        (_, Some(wait)) if default == Retry::Later => Retry::Throttled(Some(wait)),
        _ => default,
    }
}

/// `Retry-After` in seconds. A date, or more than an hour, is left to the caller's own backoff.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds: u64 = response.get("retry-after")?.trim().parse().ok()?;
    (seconds <= 3600).then(|| Duration::from_secs(seconds))
}

/// A call that Stripe considered and refused (400, 402, 404).
fn declined(response: &HttpResponse, error: &Map<String, Value>) -> Failure {
    let code = text(error, "code");
    let decline_code = text(error, "decline_code");
    let known = code.is_some_and(declines::is_known) || decline_code.is_some_and(declines::is_known);
    if response.status == 402 || known || text(error, "type") == Some("card_error") {
        let (_, sentence) = declines::judge(code, decline_code, text(error, "advice_code"));
        return Failure::new(payment_code(error), sentence, Retry::Never);
    }
    let should_retry = response.get("stripe-should-retry") == Some("true");
    let (sentence, retry) = refusals::judge(code.unwrap_or_default());
    let retry = if should_retry && retry == Retry::Never { later(response, retry) } else { retry };
    match (code, response.status) {
        (Some(code), _) => Failure::new(code, sentence, retry),
        // A path that does not exist also gives 404, but proves nothing about an object.
        (None, 404) => Failure::new("not_found", sentence, retry),
        (None, _) => Failure::new("invalid_request", sentence, retry),
    }
}

/// The error of a payment intent, as in `last_payment_error` or in the answer to a declined confirmation.
pub(super) fn payment_error(raw: Value) -> Option<PaymentError> {
    let Value::Object(error) = raw else { return None };
    let decline_code = text(&error, "decline_code");
    let (advice, message) = declines::judge(text(&error, "code"), decline_code, text(&error, "advice_code"));
    Some(PaymentError {
        code: payment_code(&error).to_owned(),
        decline_code: decline_code.map(str::to_owned),
        advice,
        message: message.to_owned(),
        raw: without_private_parts(error),
    })
}

/// The error of a failed charge: `failure_code`, `failure_message` and `outcome`, put together verbatim.
pub(super) fn charge_error(
    code: Option<&str>,
    message: Option<&str>,
    outcome: &Value,
) -> Option<PaymentError> {
    // The issuer's word stands in `outcome.reason`; rules of Radar stand there too and are not in the table.
    let reason = outcome.get("reason").and_then(Value::as_str).filter(|reason| declines::is_known(reason));
    let advice_code = outcome.get("advice_code").and_then(Value::as_str);
    let (advice, sentence) = declines::judge(code, reason, advice_code);
    let decline_code = reason.map(str::to_owned);
    let our_code = match (code, reason) {
        (Some("card_declined") | None, Some("authentication_required")) => "authentication_required",
        (Some(code), _) => code,
        (None, _) => "payment_failed",
    };
    let raw = serde_json::json!({ "failure_code": code, "failure_message": message, "outcome": outcome });
    Some(PaymentError { code: our_code.to_owned(), decline_code, advice, message: sentence.to_owned(), raw })
}

/// Our code of a failed try: Stripe's, except that a bank's wish to authenticate has one name wherever it stands.
fn payment_code(error: &Map<String, Value>) -> &str {
    match (text(error, "code"), text(error, "decline_code")) {
        (Some("card_declined") | None, Some("authentication_required" | "authentication_not_handled")) => {
            "authentication_required"
        }
        (Some(code), _) => code,
        (None, Some(_)) => "card_declined",
        (None, None) if text(error, "type") == Some("card_error") => "card_declined",
        (None, None) => "payment_failed",
    }
}

/// The error object verbatim, except that whole objects inside it are cut down to what identifies them: an intent
/// holds its browser secret, and a payment method holds the payer's name and address. Neither may be kept or logged.
fn without_private_parts(mut error: Map<String, Value>) -> Value {
    for name in ["payment_intent", "setup_intent", "payment_method", "source"] {
        if let Some(Value::Object(object)) = error.get_mut(name) {
            object.retain(|key, _| matches!(key.as_str(), "id" | "object" | "type" | "status"));
        }
    }
    Value::Object(error)
}

fn text<'a>(error: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
