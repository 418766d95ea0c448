//! Idempotency keys, refusals, lost answers (FACTS §a).

use super::stage::{Story, empty, id, paying};
use crate::stripe::{DEFAULT_KEY, Motion};
use crate::wire::Request;
use serde_json::json;

const PATH: &str = "/v1/payment_intents";

fn charges(story: &Story) -> usize {
    story.world.movements().iter().filter(|movement| movement.motion == Motion::Charge).count()
}

#[test]
fn a_second_call_with_the_same_key_replays_the_first_answer() {
    let mut story = Story::new();
    let first = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
    let second = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.header("original-request"), first.header("request-id"));
    assert_eq!(second.header("idempotency-key"), Some("key-1"));
    assert_eq!(charges(&story), 1);
}

#[test]
fn a_replay_shows_the_object_as_it_was() {
    let mut story = Story::new();
    let form = "amount=5000&currency=usd&payment_method=pm_card_visa";
    let first = story.keyed(PATH, form, "key-1").body_json();
    story.done(&format!("{PATH}/{}/confirm", id(&first)), "");
    assert_eq!(story.keyed(PATH, form, "key-1").body_json()["status"], "requires_confirmation");
}

#[test]
fn a_decline_is_kept_under_its_key() {
    let mut story = Story::new();
    let form = paying("pm_card_visa_chargeDeclined", "");
    let first = story.keyed(PATH, &form, "key-1");
    let second = story.keyed(PATH, &form, "key-1");
    assert_eq!((first.status, second.status), (402, 402));
    assert_eq!(first.body, second.body);
}

#[test]
fn other_parameters_under_the_same_key_are_refused() {
    let mut story = Story::new();
    story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
    let refused = story.keyed(PATH, &paying("pm_card_visa", "&description=x"), "key-1");
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body_json()["error"]["type"], "idempotency_error");
    assert_eq!(story.keyed("/v1/customers", "", "key-1").status, 400);
}

#[test]
fn a_call_that_is_still_running_holds_its_key() {
    let mut story = Story::new();
    story.control("latency", json!({ "milliseconds": 2000 }));
    story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
    let refused = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
    assert_eq!(refused.status, 409);
    assert_eq!(refused.body_json()["error"]["code"], "idempotency_key_in_use");
    story.pass(2);
    assert_eq!(story.keyed(PATH, &paying("pm_card_visa", ""), "key-1").status, 200);
    assert_eq!(charges(&story), 1);
}

#[test]
fn refusals_before_execution_are_not_kept() {
    let mut story = Story::new();
    assert_eq!(story.keyed(PATH, "amount=5000&currency=usd&color=red", "key-1").status, 400);
    assert_eq!(story.keyed(PATH, "amount=5000&currency=usd", "key-1").status, 200);
    story.control("storm", json!({ "calls": 1 }));
    let storm = story.keyed(PATH, "amount=6000&currency=usd", "key-2");
    assert_eq!((storm.status, storm.body_json()["error"]["code"].clone()), (429, json!("rate_limit")));
    assert_eq!(story.keyed(PATH, "amount=6000&currency=usd", "key-2").status, 200);
    story.control("refuse", json!({ "next": 1, "status": 409 }));
    assert_eq!(
        story.keyed(PATH, "amount=7000&currency=usd", "key-3").body_json()["error"]["code"],
        "lock_timeout"
    );
    assert_eq!(story.keyed(PATH, "amount=7000&currency=usd", "key-3").status, 200);
}

#[test]
fn a_refusal_by_the_state_of_the_object_is_kept() {
    let mut story = Story::new();
    let intent = id(&story.done(PATH, "amount=5000&currency=usd"));
    let capture = format!("{PATH}/{intent}/capture");
    let first = story.keyed(&capture, "", "key-1");
    assert_eq!(first.body_json()["error"]["code"], "payment_intent_unexpected_state");
    assert_eq!(first.body_json()["error"]["payment_intent"]["id"], intent.as_str());
    assert_eq!(story.keyed(&capture, "", "key-1").header("idempotent-replayed"), Some("true"));
}

#[test]
fn a_key_is_forgotten_after_a_day_and_executes_anew() {
    let mut story = Story::new();
    let first = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1").body_json();
    story.pass(24 * 3600);
    let second = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1").body_json();
    assert_ne!(id(&first), id(&second));
    assert_eq!(charges(&story), 2);
}

#[test]
fn a_lost_answer_was_executed_and_its_key_finds_it_again() {
    let mut story = Story::new();
    story.control("lose_answers", json!({ "next": 1 }));
    assert!(story.keyed(PATH, &paying("pm_card_visa", ""), "key-1").is_cut());
    assert_eq!(charges(&story), 1);
    let again = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(charges(&story), 1);
}

#[test]
fn an_error_of_stripe_is_replayed_although_the_money_moved() {
    let mut story = Story::new();
    story.control(
        "lose_answers",
        json!({ "next": 1, "mode": "kept_500", "only": "POST /v1/payment_intents" }),
    );
    story.get("/v1/balance");
    for _ in 0..2 {
        let answer = story.keyed(PATH, &paying("pm_card_visa", ""), "key-1");
        assert_eq!((answer.status, answer.body_json()["error"]["type"].clone()), (500, json!("api_error")));
    }
    assert_eq!(charges(&story), 1);
    story.control("lose_answers", json!({ "next": 1, "mode": "empty_500" }));
    let answer = story.keyed(PATH, &paying("pm_card_visa", ""), "key-2");
    assert_eq!((answer.status, answer.body.len()), (500, 0));
}

#[test]
fn a_call_without_a_known_key_gets_401() {
    let mut story = Story::new();
    let now_ms = story.now_ms;
    let missing = story.world.handle(now_ms, &Request::new("GET", "/v1/balance"));
    assert_eq!(missing.status, 401);
    assert_eq!(missing.body_json()["error"]["type"], "invalid_request_error");
    let wrong =
        Request::new("GET", "/v1/balance").with_header("authorization", "Bearer sk_test_0123456789abcd");
    let wrong = story.world.handle(now_ms, &wrong).body_json();
    assert_eq!(wrong["error"]["message"], "Invalid API Key provided: sk_test_**********abcd");
    let basic = format!(
        "Basic {}",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{DEFAULT_KEY}:"))
    );
    let basic = Request::new("GET", "/v1/balance").with_header("authorization", &basic);
    assert_eq!(story.world.handle(now_ms, &basic).status, 200);
}

#[test]
fn unknown_things_are_refused_as_stripe_does() {
    let mut story = Story::new();
    let (status, body) = story.post("/v1/payment_intents", "amount=5000&currency=usd&color=red");
    assert_eq!((status, &body["error"]["code"]), (400, &json!("parameter_unknown")));
    let (status, body) = story.post("/v1/nothing", "");
    assert_eq!(status, 404);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Unrecognized request URL (POST: /v1/nothing)")
    );
    let missing = story.send(Request::new("GET", "/v1/charges/ch_none"));
    assert_eq!(missing.status, 404);
    assert_eq!(missing.body_json()["error"]["code"], "resource_missing");
    let (status, body) = story.post(PATH, "amount=5000&currency=usd&expand[]=colour");
    assert_eq!((status, &body["error"]["param"]), (400, &json!("expand[0]")));
    assert_eq!(story.control("state", empty())["calls"]["POST /v1/payment_intents"], 2);
}
