//! What an answer about a payment or a refund says.

use serde_json::json as object;
use suture_connect::gateway::{Fetch, Payments, Refunds, Seen};
use suture_connect::gateways::stripe::settings::Stripe;
use suture_connect::outcome::Outcome;
use suture_core::evidence::{
    CardSeen, ChargeStatus, DeclineAdvice, Evidence, FeeSeen, IntentStatus, RefundStatus,
};
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::support::{answer, fixture, json, settings, stripe};

fn done(outcome: Outcome<Seen>) -> Seen {
    let Outcome::Done(seen) = outcome else { panic!("not done: {outcome:?}") };
    seen
}

#[test]
fn a_paid_intent_is_seen_with_its_charge_and_the_fee() {
    let seen = done(stripe().read_payment(&answer(200, fixture("intent-succeeded.json"))));

    let [Evidence::Intent(intent), Evidence::Charge(charge)] = &seen.evidence[..] else {
        panic!("expected the intent, then its charge: {seen:?}")
    };
    assert_eq!((intent.intent.as_str(), intent.status), ("pi_3S1", IntentStatus::Succeeded));
    assert_eq!(
        (intent.amount, intent.received_minor, intent.capturable_minor),
        (Money::usd(12_000), 12_000, 0)
    );
    assert_eq!((intent.link.as_deref(), intent.attempt.as_deref()), (Some("lnk_7"), Some("att_9")));
    assert_eq!(intent.charge.as_deref(), Some("ch_3S1"));
    assert_eq!((charge.charge.as_str(), charge.status), ("ch_3S1", ChargeStatus::Succeeded));
    assert_eq!((charge.captured_minor, charge.refunded_minor, charge.disputed), (12_000, 0, false));
    assert_eq!(charge.capture_before, Some(Timestamp::from_seconds(1_795_858_800)));
    let card = CardSeen {
        brand: "visa".to_owned(),
        last4: "4242".to_owned(),
        funding: "credit".to_owned(),
        exp_month: Some(12),
        exp_year: Some(2031),
    };
    assert_eq!(charge.card, Some(card));
    let fee = FeeSeen { transaction: "txn_1".to_owned(), charge: "ch_3S1".to_owned(), fee: Money::usd(378) };
    assert_eq!(charge.fee, Some(fee));
    assert!(seen.fetch.is_empty(), "everything is known");
    assert_eq!(seen.client_secret.unwrap().expose(), "pi_3S1_secret_hidden");
}

#[test]
fn a_decline_with_its_intent_is_seen_as_that_intent_with_the_error() {
    let seen = done(stripe().read_payment(&answer(402, fixture("intent-declined.json"))));

    let [Evidence::Intent(intent)] = &seen.evidence[..] else { panic!("expected one intent: {seen:?}") };
    assert_eq!(intent.status, IntentStatus::RequiresMethod);
    let error = intent.error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.decline_code.as_deref()),
        ("card_declined", Some("insufficient_funds"))
    );
    assert_eq!(error.advice, DeclineAdvice::SoftDecline);
    assert_eq!(error.raw["message"], "Your card has insufficient funds.");
    assert_eq!(
        error.raw["payment_method"],
        object!({ "id": "pm_1", "object": "payment_method", "type": "card" })
    );
    assert_eq!(seen.fetch, [Fetch::Charge("ch_3S1".to_owned())]);
    assert!(seen.client_secret.is_some(), "the payer can be brought back to the same intent");
}

#[test]
fn what_the_payer_must_do_next_is_forwarded_verbatim() {
    let mut intent = json("intent-succeeded.json");
    intent["status"] = "requires_action".into();
    intent["latest_charge"] = serde_json::Value::Null;
    let action = object!({ "type": "use_stripe_sdk", "use_stripe_sdk": { "opaque": [1, { "deep": null }] } });
    intent["next_action"] = action.clone();

    let seen = done(stripe().read_payment(&answer(200, intent.to_string())));

    let Some(Evidence::Intent(intent)) = seen.evidence.first() else { panic!("no intent") };
    assert_eq!((intent.status, intent.next_action.as_ref()), (IntentStatus::RequiresAction, Some(&action)));
}

#[test]
fn a_status_that_is_not_known_here_is_unknown_and_not_guessed() {
    let mut intent = json("intent-succeeded.json");
    intent["status"] = "requires_magic".into();
    let outcome = stripe().read_payment(&answer(200, intent.to_string()));
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[test]
fn success_without_an_amount_received_is_unknown() {
    let mut intent = json("intent-succeeded.json");
    intent.as_object_mut().unwrap().remove("amount_received");
    let outcome = stripe().read_payment(&answer(200, intent.to_string()));
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
}

#[test]
fn an_intent_of_an_old_version_is_read_with_its_embedded_charge_and_refunds() {
    let seen = done(stripe().read_payment(&answer(200, fixture("old-intent.json"))));
    let [Evidence::Intent(intent), Evidence::Charge(charge), Evidence::Refund(refund)] = &seen.evidence[..]
    else {
        panic!("expected intent, charge, refund: {seen:?}")
    };
    assert_eq!(intent.charge.as_deref(), Some("ch_3S1"));
    assert_eq!((charge.refunded_minor, refund.amount), (201, Money::usd(201)));
}

#[test]
fn the_released_part_of_a_partial_capture_is_never_more_than_was_captured() {
    let mut intent = json("intent-succeeded.json");
    intent["latest_charge"]["amount_captured"] = 3_000.into();
    intent["latest_charge"]["amount_refunded"] = 9_000.into();
    let seen = done(stripe().read_payment(&answer(200, intent.to_string())));
    let Some(Evidence::Charge(charge)) = seen.evidence.last() else { panic!("no charge") };
    assert_eq!((charge.captured_minor, charge.refunded_minor), (3_000, 3_000));
}

#[test]
fn a_link_of_an_earlier_system_is_read_only_where_ours_is_absent() {
    let mut settings = settings();
    settings.link_import_key = Some("bridgePatientId".to_owned());
    let importing = Stripe::try_new(settings).unwrap();
    let mut intent = json("intent-succeeded.json");
    let link = |intent: &serde_json::Value| {
        let seen = done(importing.read_payment(&answer(200, intent.to_string())));
        let Some(Evidence::Intent(intent)) = seen.evidence.into_iter().next() else { panic!("no intent") };
        intent.link
    };
    intent["metadata"]["bridgePatientId"] = "old_1".into();
    assert_eq!(link(&intent).as_deref(), Some("lnk_7"));
    intent["metadata"].as_object_mut().unwrap().remove("suture_link");
    assert_eq!(link(&intent).as_deref(), Some("old_1"));
}

#[test]
fn a_refund_is_seen_with_our_own_id() {
    let seen = done(stripe().read_refund(&answer(200, fixture("refund.json"))));
    let [Evidence::Refund(refund)] = &seen.evidence[..] else { panic!("expected one refund: {seen:?}") };
    assert_eq!((refund.refund.as_str(), refund.charge.as_str()), ("re_3S1", "ch_3S1"));
    assert_eq!((refund.status, refund.amount), (RefundStatus::Succeeded, Money::usd(201)));
    assert_eq!(refund.refund_id.as_deref(), Some("ref_4"));
}
