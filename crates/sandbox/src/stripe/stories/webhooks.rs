//! Webhooks: content, signature, retries, faults, secrets (FACTS §e).

use super::stage::{Story, empty, id};
use crate::stripe::{API_VERSION, Delivery, Ladder, sign};
use serde_json::{Value, json};

fn due(story: &mut Story) -> Vec<Delivery> {
    let now_ms = story.now_ms;
    story.world.due_deliveries(now_ms)
}

fn report(story: &mut Story, delivery: &Delivery, status: u16) {
    let now_ms = story.now_ms;
    story.world.delivered(delivery.id, now_ms, &Ok(status));
}

fn signature(delivery: &Delivery) -> &str {
    delivery
        .headers
        .iter()
        .find(|(name, _)| name == "stripe-signature")
        .map(|(_, value)| value.as_str())
        .unwrap()
}

fn event(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

#[test]
fn an_event_carries_the_state_of_its_moment_and_the_request() {
    let mut story = Story::new();
    let form = "amount=5000&currency=usd&payment_method=pm_card_visa&confirm=true";
    story.keyed("/v1/payment_intents", form, "key-1");
    let sent = due(&mut story);
    let created = event(&sent[0]);
    assert_eq!(created["type"], "payment_intent.created");
    assert_eq!(created["data"]["object"]["status"], "requires_confirmation");
    assert_eq!(created["request"]["idempotency_key"], "key-1");
    assert_eq!(created["api_version"], API_VERSION);
    assert_eq!(created["livemode"], false);
    let t = story.now_ms / 1000;
    assert_eq!(signature(&sent[0]), sign("whsec_story", t, &sent[0].body));
}

#[test]
fn a_failed_delivery_climbs_the_ladder_with_a_new_signature_and_the_same_event() {
    let mut story = Story::new();
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    let first = due(&mut story).remove(0);
    report(&mut story, &first, 500);
    assert!(due(&mut story).is_empty());
    for tries in 1..=11 {
        let wait = Ladder::Live.wait_seconds(tries).unwrap();
        story.pass(wait - 1);
        assert!(due(&mut story).is_empty(), "try {tries}");
        story.pass(1);
        let again = due(&mut story).remove(0);
        assert_eq!(event(&again)["id"], event(&first)["id"]);
        assert_ne!(signature(&again), signature(&first));
        report(&mut story, &again, 500);
    }
    story.pass(30 * 3600);
    assert!(due(&mut story).is_empty(), "Stripe gave up");
}

#[test]
fn undelivered_events_can_be_found() {
    let mut story = Story::new();
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    story.done("/v1/payment_intents", "amount=6000&currency=usd");
    let sent = due(&mut story);
    report(&mut story, &sent[0], 204);
    let open = story.get("/v1/events?delivery_success=false");
    assert_eq!(open["data"].as_array().unwrap().len(), 1);
    assert_eq!(open["data"][0]["id"], event(&sent[1])["id"]);
    assert_eq!(open["data"][0]["pending_webhooks"], 1);
}

#[test]
fn webhooks_are_doubled_dropped_and_delayed_on_request() {
    let mut story = Story::new();
    story.control("webhooks", json!({ "extra_copies": 1 }));
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    let sent = due(&mut story);
    assert_eq!(sent.len(), 2);
    assert_eq!(event(&sent[0])["id"], event(&sent[1])["id"]);
    story.control("webhooks", json!({ "drop_all": true }));
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    assert!(due(&mut story).is_empty());
    story.control("webhooks", json!({ "delay_ms": 60_000 }));
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    assert!(due(&mut story).is_empty());
    story.pass(60);
    assert_eq!(due(&mut story).len(), 1);
}

#[test]
fn webhooks_come_out_of_order_on_request() {
    let mut story = Story::new();
    story.control("webhooks", json!({ "reorder_ms": 10_000 }));
    for _ in 0..20 {
        story.done("/v1/payment_intents", "amount=5000&currency=usd");
    }
    story.pass(11);
    let ids: Vec<String> = due(&mut story).iter().map(|delivery| id(&event(delivery))).collect();
    assert_eq!(ids.len(), 20);
    assert!(!ids.is_sorted());
}

#[test]
fn a_rolled_secret_signs_beside_the_old_one_for_a_day() {
    let mut story = Story::new();
    story.control("rotate_secret", json!({ "secret": "whsec_new" }));
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    let both = due(&mut story).remove(0);
    assert_eq!(signature(&both).matches("v1=").count(), 2);
    story.pass(86_401);
    story.done("/v1/payment_intents", "amount=5000&currency=usd");
    let one = due(&mut story).remove(0);
    assert_eq!(signature(&one), sign("whsec_new", story.now_ms / 1000, &one.body));
}

#[test]
fn an_endpoint_shows_its_secret_once_and_gets_what_it_wants() {
    let mut story = Story::new();
    let form = "url=http://127.0.0.1:8/hook&enabled_events[]=charge.succeeded&api_version=2026-09-30.endive";
    let endpoint = story.done("/v1/webhook_endpoints", form);
    assert!(endpoint["secret"].as_str().unwrap().starts_with("whsec_"));
    let path = format!("/v1/webhook_endpoints/{}", id(&endpoint));
    assert_eq!(story.get(&path)["secret"], Value::Null);
    story.paid("pm_card_visa");
    let mine: Vec<Delivery> = due(&mut story).into_iter().filter(|one| one.url.contains(":8/")).collect();
    assert_eq!(mine.len(), 1);
    assert_eq!(event(&mine[0])["type"], "charge.succeeded");
    assert_eq!(event(&mine[0])["api_version"], "2026-09-30.endive");
    let deleted = story.send(crate::wire::Request::new("DELETE", &path)).body_json();
    assert_eq!(deleted["deleted"], true);
    assert_eq!(story.get("/v1/webhook_endpoints")["data"].as_array().unwrap().len(), 1);
    assert!(story.control("state", empty())["webhook_endpoints"].is_array());
}

#[test]
fn events_are_listed_by_type_and_forgotten_after_thirty_days() {
    let mut story = Story::new();
    story.paid("pm_card_visa");
    let some = story.get("/v1/events?types[]=charge.succeeded&types[]=payment_intent.created");
    assert_eq!(some["data"].as_array().unwrap().len(), 2);
    assert_eq!(story.get("/v1/events?type=charge.*")["data"].as_array().unwrap().len(), 1);
    story.pass(31 * 86_400);
    assert_eq!(story.get("/v1/events")["data"], json!([]));
}
