//! Stories about webhooks at the door: what is acknowledged and what is refused.

use crate::kit::{Answer, Api};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ring::hmac;
use serde_json::json;

async fn deliver(api: &Api, connection: &str, signature: Option<&str>, body: &str) -> Answer {
    let mut request = Request::post(format!("/webhooks/{connection}"));
    if let Some(signature) = signature {
        request = request.header("stripe-signature", signature);
    }
    api.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_webhook_that_nobody_signed_is_refused_and_counted() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    let connection = api.stripe(&key).await;
    let now = api.engine.now().seconds();
    let wrong = format!("t={now},v1={}", "0".repeat(64));
    let old = format!("t={},v1={}", now - 3600, "0".repeat(64));

    for (signature, code) in [
        (None, "missing_header"),
        (Some("nonsense"), "unreadable_header"),
        (Some(wrong.as_str()), "no_matching_signature"),
    ] {
        let answer = deliver(&api, &connection, signature, "{}").await;
        assert_eq!(answer.problem(), (400, code.to_owned()));
    }
    assert_eq!(deliver(&api, &connection, Some(&old), "{}").await.problem().0, 400);

    let refused = api.get("/v1/rejected-deliveries", &key).await.json();
    let counted: i64 =
        refused["items"].as_array().unwrap().iter().map(|line| line["count"].as_i64().unwrap()).sum();
    assert_eq!(counted, 4);
    assert_eq!(api.get("/v1/messages", &key).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_webhook_for_no_connection_is_not_found_and_a_huge_one_is_not_read() {
    let api = Api::open().await;
    assert_eq!(deliver(&api, "con_1", None, "{}").await.problem(), (404, "not_found".to_owned()));
    let huge = "x".repeat(1024 * 1024 + 1);
    assert_eq!(deliver(&api, "con_1", None, &huge).await.problem(), (413, "body_too_large".to_owned()));
}

#[tokio::test]
async fn a_signed_webhook_is_taken_in_once_and_its_repetition_is_counted() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    let connection = api.stripe(&key).await;
    let now = api.engine.now().seconds();
    let event = json!({
        "id": "evt_1",
        "object": "event",
        "type": "customer.created",
        "created": now,
        "livemode": false,
        "api_version": "2025-06-30.basil",
        "data": { "object": { "id": "cus_1", "object": "customer" } },
    })
    .to_string();
    let secret = hmac::Key::new(hmac::HMAC_SHA256, b"whsec_secretsecret");
    let signed = hmac::sign(&secret, format!("{now}.{event}").as_bytes());
    let hex: String = signed.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let header = format!("t={now},v1={hex}");

    let first = deliver(&api, &connection, Some(&header), &event).await;
    let second = deliver(&api, &connection, Some(&header), &event).await;

    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    assert_eq!(first.json(), json!({ "received": true, "duplicate": false }));
    assert_eq!(second.json(), json!({ "received": true, "duplicate": true }));
    let messages = api.get("/v1/messages", &key).await.json();
    assert_eq!(messages["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&messages["items"][0]["eventId"], &messages["items"][0]["deliveries"]),
        (&json!("evt_1"), &json!(2))
    );
}
