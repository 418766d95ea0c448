//! What a refusal proves: every row of the error taxonomy, every decline word, every test card.

use std::time::Duration;

use serde_json::{Value, json as object};
use suture_connect::gateway::{Account, Payments, Refunds, Seen};
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::evidence::{DeclineAdvice, Evidence};

use crate::support::{fixture, json, refusal, stripe};

/// `kind code retry`, as one line that a person can compare.
fn shown<T>(outcome: &Outcome<T>) -> String {
    let (kind, failure) = match outcome {
        Outcome::Done(_) => return "done".to_owned(),
        Outcome::Declined(failure) => ("declined", failure),
        Outcome::NotSent(failure) => ("not sent", failure),
        Outcome::Unknown(failure) => ("unknown", failure),
    };
    format!("{kind} {} {:?}", failure.code, failure.retry)
}

#[test]
fn every_refusal_becomes_one_outcome() {
    let invalid = "invalid_request_error";
    let rows: &[(u16, &str, Option<&str>, &str)] = &[
        (400, invalid, None, "declined invalid_request Never"),
        (400, invalid, Some("parameter_missing"), "declined parameter_missing Never"),
        (400, invalid, Some("parameter_unknown"), "declined parameter_unknown Never"),
        (400, invalid, Some("parameter_invalid_integer"), "declined parameter_invalid_integer Never"),
        (400, invalid, Some("amount_too_small"), "declined amount_too_small Never"),
        (400, invalid, Some("amount_too_large"), "declined amount_too_large Never"),
        (
            400,
            invalid,
            Some("payment_intent_unexpected_state"),
            "declined payment_intent_unexpected_state LookUpFirst",
        ),
        (400, invalid, Some("charge_already_captured"), "declined charge_already_captured LookUpFirst"),
        (400, invalid, Some("charge_already_refunded"), "declined charge_already_refunded LookUpFirst"),
        (400, invalid, Some("charge_expired_for_capture"), "declined charge_expired_for_capture LookUpFirst"),
        (
            400,
            invalid,
            Some("capture_charge_authorization_expired"),
            "declined capture_charge_authorization_expired LookUpFirst",
        ),
        (400, invalid, Some("charge_disputed"), "declined charge_disputed LookUpFirst"),
        (400, invalid, Some("refund_disputed_payment"), "declined refund_disputed_payment LookUpFirst"),
        (400, invalid, Some("invoice_not_editable"), "declined invoice_not_editable Never"),
        (
            400,
            invalid,
            Some("payout_reconciliation_not_ready"),
            "declined payout_reconciliation_not_ready Never",
        ),
        (400, "idempotency_error", None, "declined idempotency_key_reused Never"),
        (401, invalid, None, "not sent invalid_credentials Never"),
        (401, invalid, Some("api_key_expired"), "not sent invalid_credentials Never"),
        (402, "card_error", Some("card_declined"), "declined card_declined Never"),
        (402, "card_error", Some("expired_card"), "declined expired_card Never"),
        (402, "card_error", None, "declined card_declined Never"),
        (402, invalid, None, "declined payment_failed Never"),
        (
            402,
            "card_error",
            Some("card_decline_rate_limit_exceeded"),
            "declined card_decline_rate_limit_exceeded Never",
        ),
        (403, invalid, None, "not sent permission_denied Never"),
        (404, invalid, Some("resource_missing"), "declined resource_missing Never"),
        (404, invalid, None, "declined not_found Never"),
        (409, "idempotency_error", Some("idempotency_key_in_use"), "unknown idempotency_key_in_use Later"),
        (409, invalid, Some("idempotency_key_in_use"), "unknown idempotency_key_in_use Later"),
        (409, invalid, Some("lock_timeout"), "not sent lock_timeout Throttled(None)"),
        (409, invalid, None, "unknown unreadable_answer LookUpFirst"),
        (424, "api_error", None, "unknown unreadable_answer LookUpFirst"),
        (418, "api_error", None, "unknown unreadable_answer LookUpFirst"),
        (429, invalid, Some("rate_limit"), "not sent rate_limited Throttled(None)"),
        (429, invalid, Some("lock_timeout"), "not sent lock_timeout Throttled(None)"),
        (429, invalid, None, "not sent rate_limited Throttled(None)"),
        (500, "api_error", None, "unknown gateway_error LookUpFirst"),
        (502, "api_error", Some("lock_timeout"), "unknown gateway_error LookUpFirst"),
        (503, "api_error", Some("rate_limit"), "unknown gateway_error LookUpFirst"),
        (504, "card_error", Some("card_declined"), "unknown gateway_error LookUpFirst"),
    ];
    for (status, error_type, code, expected) in rows {
        let response = refusal(*status, &object!({ "type": error_type, "code": code, "message": "x" }));
        assert_eq!(shown(&stripe().read_payment(&response)), *expected, "payment: {status} {code:?}");
        assert_eq!(shown(&stripe().read_refund(&response)), *expected, "refund: {status} {code:?}");
    }
}

#[test]
fn a_refused_refund_does_not_speak_of_a_declined_card() {
    for status in [400, 402] {
        let response = refusal(status, &object!({ "type": "card_error", "code": "insufficient_funds" }));
        let Outcome::Declined(failure) = stripe().read_refund(&response) else { panic!("not declined") };
        assert_eq!(failure.code, "insufficient_funds");
        assert!(failure.message.contains("nothing was returned"), "{}", failure.message);
    }
}

#[test]
fn every_error_code_of_stripe_has_an_outcome_that_does_not_invite_a_second_charge() {
    for code in json("words.json")["error_codes"].as_array().unwrap() {
        for status in [400, 402, 404] {
            let outcome =
                stripe().read_payment(&refusal(status, &object!({ "type": "card_error", "code": code })));
            let never = |failure: &Failure| matches!(failure.retry, Retry::Never | Retry::LookUpFirst);
            let safe = match &outcome {
                Outcome::Declined(failure) => never(failure),
                Outcome::NotSent(_) => code == "lock_timeout",
                Outcome::Unknown(_) => code == "idempotency_key_in_use",
                Outcome::Done(_) => false,
            };
            assert!(safe, "{status} {code}: {outcome:?}");
        }
    }
}

#[test]
fn stripe_may_ask_for_a_retry_or_for_patience() {
    let with = |status, headers: &[(&str, &str)]| {
        let mut response = refusal(status, &object!({ "type": "api_error" }));
        response.headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        stripe().read_payment(&response).failure().unwrap().retry
    };
    assert_eq!(with(500, &[("stripe-should-retry", "true")]), Retry::Later);
    assert_eq!(with(500, &[("stripe-should-retry", "false")]), Retry::LookUpFirst);
    let three = Retry::Throttled(Some(Duration::from_secs(3)));
    assert_eq!(with(503, &[("stripe-should-retry", "true"), ("retry-after", "3")]), three);
    assert_eq!(with(503, &[("retry-after", "3")]), Retry::LookUpFirst);
    assert_eq!(with(429, &[("retry-after", "3"), ("stripe-should-retry", "false")]), three);
    for unusable in ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "999999", "", "3.5"] {
        assert_eq!(with(429, &[("retry-after", unusable)]), Retry::Throttled(None), "{unusable}");
    }
    assert_eq!(with(400, &[("stripe-should-retry", "true")]), Retry::Later);
}

#[test]
fn a_reused_key_is_never_sent_again_even_if_a_header_says_so() {
    let mut response = refusal(400, &object!({ "type": "idempotency_error" }));
    response.headers.push(("stripe-should-retry".to_owned(), "true".to_owned()));
    assert_eq!(shown(&stripe().read_payment(&response)), "declined idempotency_key_reused Never");
}

#[test]
fn a_refused_key_is_the_answer_of_the_probe() {
    let refused = stripe().read_account(&refusal(401, &object!({ "type": "invalid_request_error" })));
    assert_eq!(shown(&refused), "declined invalid_credentials Never");
    let limited = stripe().read_account(&refusal(403, &object!({ "type": "invalid_request_error" })));
    assert_eq!(shown(&limited), "not sent permission_denied Never");
}

/// The error of a decline that came with its intent.
fn declined(code: &Value, decline_code: &Value, advice_code: &Value) -> suture_core::evidence::PaymentError {
    let mut body: Value = serde_json::from_str(&fixture("intent-declined.json")).unwrap();
    body["error"]["code"] = code.clone();
    body["error"]["decline_code"] = decline_code.clone();
    body["error"]["advice_code"] = advice_code.clone();
    let Outcome::Done(Seen { mut evidence, .. }) = stripe().read_payment(&refusal(402, &body["error"]))
    else {
        panic!("{code} {decline_code} is not done")
    };
    let Evidence::Intent(intent) = evidence.remove(0) else { panic!("no intent") };
    intent.error.unwrap()
}

#[test]
fn every_test_card_that_fails_says_what_to_do_next() {
    for card in json("test-cards.json").as_array().unwrap() {
        let error = declined(&card["code"], &card["decline_code"], &Value::Null);
        assert_eq!(error.code, card["expect_code"].as_str().unwrap(), "{card}");
        assert_eq!(serde_json::to_value(error.advice).unwrap(), card["expect_advice"], "{card}");
        assert!(error.message.contains("nothing was charged"), "{card}: {}", error.message);
        assert_eq!(error.raw["code"], card["code"], "the error is forwarded");
    }
}

#[test]
fn every_decline_word_of_the_fact_sheet_is_understood() {
    let words = json("words.json");
    let mut text = String::new();
    for list in ["card_decline_codes", "lpm_decline_codes"] {
        text += &format!("## {list}\n");
        for word in words[list].as_array().unwrap() {
            let error = declined(&object!("card_declined"), word, &Value::Null);
            text +=
                &format!("{:<38} {:<13} {}\n", word.as_str().unwrap(), advice(error.advice), error.message);
        }
    }
    crate::support::matches_the_reviewed_file("declines.txt", &text);
}

#[test]
fn declines_that_stripe_wants_shown_as_plain_ones_read_alike() {
    let words = json("words.json");
    let generic = words["decline_codes_show_as_generic"].as_array().unwrap();
    let texts: std::collections::BTreeSet<String> =
        generic.iter().map(|word| declined(&object!("card_declined"), word, &Value::Null).message).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[test]
fn stripes_advice_turns_a_soft_decline_into_a_hard_one() {
    let error = declined(&object!("card_declined"), &object!("do_not_honor"), &object!("do_not_try_again"));
    assert_eq!(error.advice, DeclineAdvice::HardDecline);
    let error =
        declined(&object!("card_declined"), &object!("generic_decline"), &object!("confirm_card_data"));
    assert_eq!(error.advice, DeclineAdvice::FixMethod);
}

fn advice(advice: DeclineAdvice) -> &'static str {
    match advice {
        DeclineAdvice::HardDecline => "hard",
        DeclineAdvice::SoftDecline => "soft",
        DeclineAdvice::Authenticate => "authenticate",
        DeclineAdvice::FixMethod => "fix",
    }
}

#[test]
fn a_refusal_keeps_stripes_error_object_without_secrets_and_names() {
    let error = object!({
        "type": "invalid_request_error", "code": "payment_intent_unexpected_state", "message": "m", "param": "p",
        "payment_intent": { "id": "pi_1", "object": "payment_intent", "status": "succeeded",
            "client_secret": "pi_1_secret_x", "receipt_email": "hidden@example.org" }
    });
    let outcome = stripe().read_payment(&refusal(400, &error));
    let mut expected = error;
    expected["payment_intent"] = object!({ "id": "pi_1", "object": "payment_intent", "status": "succeeded" });
    assert_eq!(outcome.failure().and_then(|failure| failure.raw.clone()), Some(expected));
}
