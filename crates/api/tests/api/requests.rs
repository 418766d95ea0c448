//! Stories about posted requests: carried out once, read strictly, and never with a card number.

use crate::kit::Api;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

fn link() -> Value {
    json!({ "patient": "p-1", "account": "a-1", "purpose": "balance" })
}

#[tokio::test]
async fn the_same_request_under_the_same_key_gets_the_same_answer_and_is_not_done_again() {
    let api = Api::open().await;
    let key = api.key("front_desk").await;
    let first = api.post("/v1/links", &key, "once", &link()).await;
    let second = api.post("/v1/links", &key, "once", &link()).await;
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.json(), second.json());
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let found = api.get("/v1/links?patient=p-1", &key).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_cannot_be_used_for_another_body_or_path() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    api.post("/v1/links", &key, "once", &link()).await;
    let mut other = link();
    other["patient"] = json!("p-2");
    let answer = api.post("/v1/links", &key, "once", &other).await;
    assert_eq!(answer.problem(), (422, "idempotency_key_reused".to_owned()));
    let body = json!({ "name": "x", "role": "admin" });
    let answer = api.post("/v1/api-keys", &key, "once", &body).await;
    assert_eq!(answer.problem(), (422, "idempotency_key_reused".to_owned()));
}

#[tokio::test]
async fn callers_do_not_share_their_keys() {
    let api = Api::open().await;
    let (one, two) = (api.key("front_desk").await, api.key("front_desk").await);
    let first = api.post("/v1/links", &one, "once", &link()).await.json();
    let second = api.post("/v1/links", &two, "once", &link()).await.json();
    assert_ne!(first["id"], second["id"]);
}

#[tokio::test]
async fn a_request_without_a_key_is_not_done() {
    let api = Api::open().await;
    let key = api.key("front_desk").await;
    for idempotency_key in ["", "with a space"] {
        let answer = api.post("/v1/links", &key, idempotency_key, &link()).await;
        assert_eq!(answer.problem(), (400, "idempotency_key_required".to_owned()));
    }
}

#[tokio::test]
async fn a_refusal_by_the_rules_stands_and_what_is_missing_may_be_asked_for_again() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    let payment = json!({ "link": "lnk_1", "amount": { "minor": 100, "currency": "USD" } });
    let refused = api.post("/v1/payments", &key, "a", &payment).await;
    assert_eq!(refused.problem(), (409, "no_gateway".to_owned()));
    let again = api.post("/v1/payments", &key, "a", &payment).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.json()["code"], "no_gateway");

    api.stripe(&key).await;
    let missing = api.post("/v1/payments", &key, "b", &payment).await;
    assert_eq!(missing.problem(), (404, "not_found".to_owned()));
    let again = api.post("/v1/payments", &key, "b", &payment).await;
    assert!(!again.headers.contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn bodies_are_read_strictly_and_the_wrong_field_is_named() {
    let api = Api::open().await;
    let key = api.key("front_desk").await;
    let mut misspelled = link();
    misspelled["acount"] = json!("a-1");
    let answer = api.post("/v1/links", &key, "a", &misspelled).await;
    assert_eq!(answer.problem(), (422, "unknown_field".to_owned()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("`acount`"));

    let answer = api.post("/v1/links", &key, "b", &json!({ "purpose": "balance" })).await;
    assert_eq!(answer.problem(), (422, "body_invalid".to_owned()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("`patient`"));

    let request = Request::post("/v1/links")
        .header("authorization", format!("Bearer {key}"))
        .header("idempotency-key", "c")
        .body(Body::from("{\"patient\": "));
    assert_eq!(api.send(request.unwrap()).await.problem(), (400, "body_not_json".to_owned()));

    let mut unknown = link();
    unknown["due"] = json!({ "minor": 1, "currency": "XXQ" });
    let answer = api.post("/v1/links", &key, "d", &unknown).await;
    assert_eq!(answer.problem(), (422, "currency_unknown".to_owned()));
}

#[tokio::test]
async fn a_card_number_anywhere_in_a_body_is_refused_and_not_repeated() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    let bodies = [
        json!({ "link": "4242 4242 4242 4242" }),
        json!({ "amount": { "minor": 4_242_424_242_424_242_i64 } }),
        json!({ "deep": [{ "4242424242424242": true }] }),
    ];
    for body in bodies {
        let answer = api.post("/v1/payments", &key, "pan", &body).await;
        assert_eq!(answer.problem(), (422, "card_number_refused".to_owned()));
        assert!(!answer.text.contains("4242"), "{}", answer.text);
    }
    let escaped = r#"{"link": "\u0034242424242424242"}"#;
    let request = Request::post("/v1/payments")
        .header("authorization", format!("Bearer {key}"))
        .header("idempotency-key", "pan")
        .body(Body::from(escaped));
    assert_eq!(api.send(request.unwrap()).await.problem().1, "card_number_refused");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_unread() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    let large = json!({ "patient": "x".repeat(1024 * 1024) });
    let answer = api.post("/v1/links", &key, "large", &large).await;
    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
}

#[tokio::test]
async fn a_payment_is_planned_once_and_told_from_link_to_chain() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    let connection = api.stripe(&key).await;
    let body = json!({ "link": api.link(&key).await, "amount": { "minor": 12_000, "currency": "usd" } });

    let made = api.post("/v1/payments", &key, "pay", &body).await;

    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let payment = made.json();
    let id = payment["id"].as_str().unwrap();
    assert_eq!(payment["amount"], json!({ "minor": 12_000, "currency": "USD" }));
    assert_eq!((&payment["status"], &payment["connection"]), (&json!("created"), &json!(connection)));
    assert_eq!(payment["refundable"]["minor"], 0);
    let again = api.post("/v1/payments", &key, "pay", &body).await.json();
    assert_eq!(again["id"], payment["id"]);
    let read = api.get(&format!("/v1/payments/{id}"), &key).await.json();
    assert_eq!(read["postings"], json!([]));
    let debt = api.get(&format!("/v1/debts/{}", read["debt"].as_str().unwrap()), &key).await.json();
    assert_eq!((&debt["status"], &debt["lockedBy"]), (&json!("locked"), &json!(id)));
    let chain = api.get(payment["audit"].as_str().unwrap(), &key).await.json();
    assert_eq!(chain["items"][0]["kind"], "debt.recorded");
    let refund = json!({ "reason": "slot_lost", "authorizer": "ann" });
    let refund = api.post(&format!("/v1/payments/{id}/refunds"), &key, "refund", &refund).await;
    assert!(matches!(refund.problem().0, 409 | 422), "{}", refund.text);
    let looks = api.get("/v1/access?patient=p-1", &key).await.json();
    assert!(looks["items"].as_array().unwrap().iter().any(|look| look["resource"] == format!("audit/{id}")));
}

#[tokio::test]
async fn pages_follow_one_another_until_the_last() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    api.stripe(&key).await;
    for number in ["one", "two", "three"] {
        // A link has one payment that may still collect.
        let link = json!({ "patient": "p-1", "account": "a-1", "purpose": "balance" });
        let link = api.post("/v1/links", &key, &format!("link-{number}"), &link).await.json();
        let body = json!({ "link": link["id"], "amount": { "minor": 5_000, "currency": "USD" } });
        let made = api.post("/v1/payments", &key, number, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
    let first = api.get("/v1/payments?limit=2", &key).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("/v1/payments?limit=2&cursor={next}"), &key).await.json();
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (1, &Value::Null));

    let deliveries = api.get("/v1/deliveries?limit=1", &key).await.json();
    let newest = deliveries["items"][0]["id"].as_str().unwrap();
    let one = api.get(&format!("/v1/deliveries/{}", newest.replace('/', "%2F")), &key).await;
    assert_eq!(one.json()["id"], newest);
    let skip = format!("/v1/dead-letters/{}/skip", newest.replace('/', "%2F"));
    let skipped = api.post(&skip, &key, "skip", &json!({ "reason": "by_hand" })).await;
    assert_eq!(skipped.problem(), (409, "effect_not_stopped".to_owned()));
}

#[tokio::test]
async fn the_export_of_the_audit_trail_has_a_line_for_each_entry() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    api.stripe(&key).await;
    let body = json!({ "link": api.link(&key).await, "amount": { "minor": 5_000, "currency": "USD" } });
    api.post("/v1/payments", &key, "pay", &body).await;
    let export = api.get("/v1/audit/export", &key).await;
    let events = api.get("/v1/events?limit=200", &key).await.json();
    assert_eq!(export.headers["content-type"], "application/x-ndjson");
    assert_eq!(export.text.lines().count(), events["items"].as_array().unwrap().len());
}

#[tokio::test]
async fn a_credential_in_the_wrong_place_is_not_repeated() {
    let api = Api::open().await;
    let key = api.key("integrator").await;
    let body = json!({ "kind": "stripe", "name": "cards", "secrets": { "secret_key": "sk_test_1\"2" } });
    let answer = api.post("/v1/connections", &key, "a", &body).await;
    assert_eq!(answer.problem(), (422, "body_invalid".to_owned()));
    assert!(!answer.text.contains("sk_test"), "{}", answer.text);
}

#[tokio::test]
async fn a_live_credential_in_a_sandbox_is_refused_and_not_repeated() {
    let api = Api::open().await;
    let key = api.key("integrator").await;
    let body = json!({ "kind": "stripe", "name": "cards", "secrets": { "secret_key": ["sk_live_1"] } });
    let answer = api.post("/v1/connections", &key, "a", &body).await;
    assert_eq!(answer.problem(), (422, "live_key_in_sandbox".to_owned()));
    assert!(!answer.text.contains("sk_live"), "{}", answer.text);
}
