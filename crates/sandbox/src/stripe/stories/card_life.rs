//! Saved cards as time passes, raised authorizations, and refunds that end otherwise than hoped.

use super::stage::{Story, id};
use crate::stripe::Motion;
use serde_json::{Value, json};

fn saved(story: &mut Story) -> (String, String) {
    let customer = id(&story.done("/v1/customers", ""));
    let form = format!("customer={customer}");
    let card = id(&story.done("/v1/payment_methods/pm_card_visa/attach", &form));
    (customer, card)
}

fn charge(story: &mut Story, customer: &str, card: &str) -> (u16, Value) {
    story.pay(card, &format!("&customer={customer}&off_session=true&capture_method=automatic"))
}

fn last_event(story: &mut Story) -> Value {
    story.get("/v1/events?limit=1")["data"][0].clone()
}

#[test]
fn a_card_declines_once_its_month_is_over() {
    let mut story = Story::new();
    let (customer, card) = saved(&mut story);
    story.control("card", json!({ "payment_method": card, "exp_month": 11, "exp_year": 2026 }));
    assert_eq!(charge(&mut story, &customer, &card).0, 200);
    // From 21 November to 1 December.
    story.pass(10 * 86_400);
    let (status, body) = charge(&mut story, &customer, &card);
    assert_eq!((status, &body["error"]["code"]), (402, &json!("expired_card")));
    story.done(&format!("/v1/payment_methods/{card}"), "card[exp_month]=11&card[exp_year]=2029");
    assert_eq!(last_event(&mut story)["type"], "payment_method.updated");
    assert_eq!(charge(&mut story, &customer, &card).0, 200);
}

#[test]
fn lost_and_stolen_cards_decline_until_the_bank_sends_a_new_one() {
    for (state, code) in [("lost", "lost_card"), ("stolen", "stolen_card"), ("declined", "generic_decline")] {
        let mut story = Story::new();
        let (customer, card) = saved(&mut story);
        story.control("card", json!({ "payment_method": card, "state": state }));
        assert_eq!(charge(&mut story, &customer, &card).1["error"]["decline_code"], code);
        story.control("replace_card", json!({ "payment_method": card, "last4": "1881" }));
        let told = last_event(&mut story);
        assert_eq!(told["type"], "payment_method.automatically_updated");
        assert_eq!(told["data"]["previous_attributes"]["card"]["last4"], "4242");
        assert_eq!(told["data"]["previous_attributes"]["card"]["exp_year"], 2034);
        let (status, paid) = charge(&mut story, &customer, &card);
        assert_eq!(status, 200);
        let charge = story.get(&format!("/v1/charges/{}", paid["latest_charge"].as_str().unwrap()));
        assert_eq!(charge["payment_method_details"]["card"]["last4"], "1881");
    }
}

#[test]
fn a_charge_keeps_the_face_the_card_had() {
    let mut story = Story::new();
    let (customer, card) = saved(&mut story);
    let (_, paid) = charge(&mut story, &customer, &card);
    story.control("replace_card", json!({ "payment_method": card, "last4": "1881" }));
    let charge = story.get(&format!("/v1/charges/{}", paid["latest_charge"].as_str().unwrap()));
    assert_eq!(charge["payment_method_details"]["card"]["last4"], "4242");
}

#[test]
fn a_card_that_the_holder_removed_pays_no_more() {
    let mut story = Story::new();
    let (customer, card) = saved(&mut story);
    assert_eq!(
        story.get(&format!("/v1/payment_methods?customer={customer}&type=card"))["data"][0]["id"],
        card.as_str()
    );
    story.control("remove_card", json!({ "payment_method": card }));
    assert_eq!(last_event(&mut story)["type"], "payment_method.detached");
    assert_eq!(last_event(&mut story)["request"]["id"], Value::Null);
    assert_eq!(story.get(&format!("/v1/payment_methods?customer={customer}"))["data"], json!([]));
    assert_eq!(charge(&mut story, &customer, &card).0, 400);
}

#[test]
fn an_expired_card_cannot_be_saved_or_set_up() {
    let mut story = Story::new();
    let (customer, card) = saved(&mut story);
    story.control("card", json!({ "payment_method": card, "exp_month": 1, "exp_year": 2026 }));
    let form = format!("customer={customer}&payment_method={card}&confirm=true");
    let (status, body) = story.post("/v1/setup_intents", &form);
    assert_eq!((status, &body["error"]["code"]), (402, &json!("expired_card")));
}

#[test]
fn the_change_of_a_customer_tells_only_what_changed() {
    let mut story = Story::new();
    let customer = id(&story.done("/v1/customers", "metadata[a]=1&metadata[b]=2&email=a@example.com"));
    story.done(&format!("/v1/customers/{customer}"), "metadata[b]=3&metadata[c]=4");
    let told = last_event(&mut story);
    assert_eq!(told["type"], "customer.updated");
    assert_eq!(told["data"]["previous_attributes"], json!({ "metadata": { "b": "2", "c": null } }));
}

#[test]
fn an_authorization_is_raised_when_it_was_asked_for() {
    let mut story = Story::new();
    let more =
        "&capture_method=manual&payment_method_options[card][request_incremental_authorization]=if_available";
    let (_, held) = story.pay("pm_card_visa", &format!("{more}&expand[]=latest_charge"));
    let card = &held["latest_charge"]["payment_method_details"]["card"];
    assert_eq!(card["incremental_authorization"]["status"], "available");
    let path = format!("/v1/payment_intents/{}", id(&held));
    assert_eq!(story.post(&format!("{path}/increment_authorization"), "amount=12000").0, 400);
    let raised = story.done(&format!("{path}/increment_authorization"), "amount=15000");
    assert_eq!((&raised["amount"], &raised["amount_capturable"]), (&json!(15_000), &json!(15_000)));
    let taken = story.done(&format!("{path}/capture"), "");
    assert_eq!(taken["amount_received"], 15_000);
    let held: i64 = story
        .world
        .movements()
        .iter()
        .filter(|movement| movement.motion == Motion::Authorization)
        .map(|movement| movement.amount)
        .sum();
    assert_eq!(held, 15_000);
}

#[test]
fn a_refused_raise_leaves_the_old_authorization() {
    let mut story = Story::new();
    let (customer, card) = saved(&mut story);
    let more = format!(
        "&customer={customer}&capture_method=manual\
         &payment_method_options[card][request_incremental_authorization]=if_available"
    );
    let (_, held) = story.pay(&card, &more);
    story.control("card", json!({ "payment_method": card, "state": "insufficient_funds" }));
    let path = format!("/v1/payment_intents/{}", id(&held));
    let (status, body) = story.post(&format!("{path}/increment_authorization"), "amount=15000");
    assert_eq!((status, &body["error"]["decline_code"]), (402, &json!("insufficient_funds")));
    assert_eq!(story.done(&format!("{path}/capture"), "")["amount_received"], 12_000);
    let (_, plain) = story.pay("pm_card_visa", "&capture_method=manual");
    let path = format!("/v1/payment_intents/{}/increment_authorization", id(&plain));
    assert_eq!(story.post(&path, "amount=15000").1["error"]["code"], "payment_intent_unexpected_state");
}

#[test]
fn an_authorization_without_the_holder_is_shorter_at_visa_only() {
    for (token, seconds) in [("pm_card_visa", 410_400), ("pm_card_mastercard", 604_800)] {
        let mut story = Story::new();
        let customer = id(&story.done("/v1/customers", ""));
        let card =
            id(&story.done(&format!("/v1/payment_methods/{token}/attach"), &format!("customer={customer}")));
        let more =
            format!("&customer={customer}&off_session=true&capture_method=manual&expand[]=latest_charge");
        let (_, held) = story.pay(&card, &more);
        let last =
            held["latest_charge"]["payment_method_details"]["card"]["capture_before"].as_i64().unwrap();
        assert_eq!(last, story.now_ms / 1000 + seconds, "{token}");
    }
}

#[test]
fn older_accounts_say_that_a_lapsed_authorization_was_canceled_automatically() {
    let mut story = Story::new();
    story.control("lapse_reason", json!({ "reason": "automatic" }));
    let (_, held) = story.pay("pm_card_visa", "&capture_method=manual");
    story.pass(7 * 86_400 + 1);
    let gone = story.get(&format!("/v1/payment_intents/{}", id(&held)));
    assert_eq!((&gone["status"], &gone["cancellation_reason"]), (&json!("canceled"), &json!("automatic")));
}

#[test]
fn the_next_refund_ends_as_the_knob_says() {
    let mut story = Story::new();
    let intent = id(&story.paid("pm_card_visa"));
    let refund = format!("payment_intent={intent}&amount=1000");
    story.control("refunds", json!({ "outcome": "fail", "reason": "lost_or_stolen_card" }));
    let known = story.events().len();
    let failed = story.done("/v1/refunds", &refund);
    assert_eq!(
        (&failed["status"], &failed["failure_reason"]),
        (&json!("failed"), &json!("lost_or_stolen_card"))
    );
    assert!(failed["failure_balance_transaction"].is_string());
    assert_eq!(
        story.events_after(known),
        ["refund.created", "charge.refunded", "refund.updated", "refund.failed"]
    );
    story.control("refunds", json!({ "outcome": "pending", "seconds": 60, "reason": "insufficient_funds" }));
    let waits = story.done("/v1/refunds", &refund);
    assert_eq!(
        (&waits["status"], &waits["pending_reason"]),
        (&json!("pending"), &json!("insufficient_funds"))
    );
    story.control("refunds", json!({ "outcome": "fail_later", "seconds": 60 }));
    let later = story.done("/v1/refunds", &refund);
    assert_eq!(later["status"], "succeeded");
    story.pass(60);
    let at = |refund: &Value| format!("/v1/refunds/{}", id(refund));
    assert_eq!(story.get(&at(&waits))["status"], "succeeded");
    assert_eq!(story.get(&at(&later))["status"], "failed");
    assert_eq!(story.done("/v1/refunds", &refund)["status"], "succeeded", "one refund per turn of the knob");
    let charge = story.get(&format!("/v1/charges?payment_intent={intent}"))["data"][0].clone();
    assert_eq!(charge["amount_refunded"], 2000);
}
