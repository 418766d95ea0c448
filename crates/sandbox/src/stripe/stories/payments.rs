//! Payments from creation to refund: states and events of FACTS §b and §c.

use super::stage::{Story, id};
use crate::wire::Request;
use serde_json::{Value, json};

#[test]
fn a_payment_tells_its_events_in_the_order_of_the_table() {
    let mut story = Story::new();
    let intent = story.done("/v1/payment_intents", "amount=5000&currency=usd");
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(story.events(), ["payment_intent.created"]);
    let path = format!("/v1/payment_intents/{}/confirm", id(&intent));
    let paid = story.done(&path, "payment_method=pm_card_visa");
    assert_eq!((&paid["status"], &paid["amount_received"]), (&json!("succeeded"), &json!(5000)));
    assert_eq!(story.events_after(1), ["payment_intent.succeeded", "charge.succeeded"]);
    story.pass(5);
    assert_eq!(story.events_after(3), ["charge.updated"]);
}

#[test]
fn the_balance_transaction_comes_late_unless_capture_is_automatic() {
    let mut story = Story::new();
    let expand = "&expand[]=latest_charge.balance_transaction";
    let (_, late) = story.pay("pm_card_visa", expand);
    assert_eq!(late["latest_charge"]["balance_transaction"], Value::Null);
    let (_, now) = story.pay("pm_card_visa", &format!("&capture_method=automatic{expand}"));
    assert_eq!(now["latest_charge"]["balance_transaction"]["fee"], 378);
    assert_eq!(now["latest_charge"]["balance_transaction"]["net"], 11_622);
    story.pass(5);
    let charge = story.get(&format!("/v1/charges/{}", id(&late["latest_charge"])));
    assert!(charge["balance_transaction"].is_string());
}

#[test]
fn a_decline_and_a_challenge_tell_their_events() {
    let mut story = Story::new();
    story.pay("pm_card_visa_chargeDeclined", "");
    assert_eq!(story.events(), ["payment_intent.created", "payment_intent.payment_failed", "charge.failed"]);
    let asked = id(&story.pay("pm_card_threeDSecure2Required", "").1);
    assert_eq!(story.events_after(3), ["payment_intent.created", "payment_intent.requires_action"]);
    story.control("complete_3ds", json!({ "payment_intent": asked, "outcome": "fail" }));
    assert_eq!(story.events_after(5), ["payment_intent.payment_failed"]);
}

#[test]
fn a_part_of_an_authorization_is_captured_and_the_rest_is_released() {
    let mut story = Story::new();
    let (_, held) = story.pay("pm_card_visa", "&capture_method=manual");
    assert_eq!((&held["status"], &held["amount_capturable"]), (&json!("requires_capture"), &json!(12_000)));
    assert_eq!(
        story.events(),
        ["payment_intent.created", "payment_intent.amount_capturable_updated", "charge.succeeded"]
    );
    let path = format!("/v1/payment_intents/{}/capture", id(&held));
    let (status, body) = story.post(&path, "amount_to_capture=12001");
    assert_eq!((status, &body["error"]["param"]), (400, &json!("amount_to_capture")));
    let taken = story.done(&path, "amount_to_capture=9000&expand[]=latest_charge.balance_transaction");
    assert_eq!(taken["amount_received"], 9000);
    assert_eq!(taken["amount"], 12_000);
    assert_eq!(taken["amount_capturable"], 0);
    assert_eq!(taken["latest_charge"]["amount_captured"], 9000);
    assert_eq!(taken["latest_charge"]["amount_refunded"], 0);
    assert_eq!(taken["latest_charge"]["balance_transaction"]["amount"], 9000);
    assert_eq!(story.events_after(3), ["charge.captured", "payment_intent.succeeded", "charge.updated"]);
    assert_eq!(story.post(&path, "").1["error"]["code"], "payment_intent_unexpected_state");
}

#[test]
fn the_capture_method_can_be_given_at_confirmation() {
    let mut story = Story::new();
    let intent = id(&story.done("/v1/payment_intents", "amount=5000&currency=usd"));
    let form = "payment_method=pm_card_visa&capture_method=manual";
    let held = story.done(&format!("/v1/payment_intents/{intent}/confirm"), form);
    assert_eq!(held["status"], "requires_capture");
}

#[test]
fn an_authorization_lapses_after_its_last_second() {
    let mut story = Story::new();
    let (_, held) = story.pay("pm_card_visa", "&capture_method=manual&expand[]=latest_charge");
    let last = held["latest_charge"]["payment_method_details"]["card"]["capture_before"].as_i64().unwrap();
    assert_eq!(last, story.now_ms / 1000 + 7 * 86_400);
    story.pass(7 * 86_400);
    let path = format!("/v1/payment_intents/{}", id(&held));
    assert_eq!(story.get(&path)["status"], "requires_capture");
    story.pass(1);
    let gone = story.get(&path);
    assert_eq!((&gone["status"], &gone["cancellation_reason"]), (&json!("canceled"), &json!("expired")));
    assert_eq!(story.events_after(3), ["charge.expired", "payment_intent.canceled"]);
    assert_eq!(story.post(&format!("{path}/capture"), "").0, 400);
}

#[test]
fn cancelling_releases_the_authorization() {
    let mut story = Story::new();
    let (_, held) = story.pay("pm_card_visa", "&capture_method=manual");
    let path = format!("/v1/payment_intents/{}/cancel", id(&held));
    let gone = story.done(&path, "cancellation_reason=abandoned&expand[]=latest_charge");
    assert_eq!(gone["status"], "canceled");
    assert_eq!(gone["latest_charge"]["refunded"], true);
    assert_eq!(story.events_after(3), ["payment_intent.canceled", "charge.refunded"]);
    assert_eq!(story.post(&path, "").0, 400);
}

#[test]
fn refunds_never_exceed_what_was_captured() {
    let mut story = Story::new();
    let intent = id(&story.paid("pm_card_visa"));
    let known = story.events().len();
    let refund = story
        .done("/v1/refunds", &format!("payment_intent={intent}&amount=2000&reason=requested_by_customer"));
    assert_eq!((&refund["status"], &refund["amount"]), (&json!("succeeded"), &json!(2000)));
    assert_eq!(story.events_after(known), ["refund.created", "charge.refunded"]);
    let (status, body) = story.post("/v1/refunds", &format!("payment_intent={intent}&amount=10001"));
    assert_eq!(status, 400);
    assert_eq!(
        body["error"]["message"],
        "Refund amount ($100.01) is greater than unrefunded amount on charge ($100.00)"
    );
    story.done("/v1/refunds", &format!("payment_intent={intent}"));
    let (_, body) = story.post("/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!(body["error"]["code"], "charge_already_refunded");
    assert_eq!(
        story.get(&format!("/v1/refunds?payment_intent={intent}"))["data"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn an_uncaptured_payment_cannot_be_refunded() {
    let mut story = Story::new();
    let (_, held) = story.pay("pm_card_visa", "&capture_method=manual");
    let (status, body) = story.post("/v1/refunds", &format!("payment_intent={}", id(&held)));
    assert_eq!(status, 400);
    assert!(
        body["error"]["message"].as_str().unwrap().contains("does not have a successful charge to refund")
    );
}

#[test]
fn listings_page_by_cursor_and_keep_their_filters() {
    let mut story = Story::new();
    let customer = id(&story.done("/v1/customers", ""));
    for amount in [100, 200, 300] {
        story.done("/v1/payment_intents", &format!("amount={amount}&currency=usd&customer={customer}"));
        story.done("/v1/payment_intents", "amount=999&currency=usd");
    }
    let first = story.get(&format!("/v1/payment_intents?customer={customer}&limit=2"));
    assert_eq!((&first["data"][0]["amount"], &first["has_more"]), (&json!(300), &json!(true)));
    let after = id(&first["data"][1]);
    let rest = story.get(&format!("/v1/payment_intents?customer={customer}&limit=2&starting_after={after}"));
    assert_eq!((&rest["data"][0]["amount"], &rest["has_more"]), (&json!(100), &json!(false)));
    let refused = story.send(Request::new("GET", "/v1/payment_intents?limit=101"));
    assert_eq!(refused.status, 400);
}

#[test]
fn metadata_merges_and_an_empty_value_deletes() {
    let mut story = Story::new();
    let intent =
        id(&story.done("/v1/payment_intents", "amount=500&currency=usd&metadata[a]=1&metadata[b]=2"));
    let changed = story.done(&format!("/v1/payment_intents/{intent}"), "metadata[a]=&metadata[c]=3");
    assert_eq!(changed["metadata"], json!({ "b": "2", "c": "3" }));
    let found = story.get("/v1/payment_intents/search?query=metadata%5B%22c%22%5D%3A%223%22");
    assert_eq!(found["data"][0]["id"], intent.as_str());
    assert_eq!(
        story.get("/v1/payment_intents/search?query=metadata%5B%22a%22%5D%3A%221%22")["data"],
        json!([])
    );
}
