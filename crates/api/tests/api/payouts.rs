//! Stories about provider payouts over HTTP: the split is shown, why it is held is said, and a person decides with a reason.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::kit::Api;

fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

const PROVIDER: &str = "prv_77777777777777777777777777777777";

/// A visit of 240.00 whose care was given, and what is asked for its payout.
async fn visit(api: &Api, key: &str) -> Value {
    let patient = api.made("/v1/patients", key, &json!({})).await;
    let book = json!({ "patient": patient["id"], "currency": "USD", "account": "acc-1" });
    let service = api.made("/v1/services", key, &book).await["id"].as_str().unwrap().to_owned();
    let lines = json!({ "lines": [{ "code": "99214", "charge": usd(16_500) }, { "code": "90833", "charge": usd(7_500) }] });
    api.made(&format!("/v1/services/{service}/deliver"), key, &lines).await;
    let terms = json!({ "platform": { "basisPoints": 1_500 }, "waitForNote": true, "holdDays": 2, "loss": "pro_rata" });
    json!({ "service": service, "provider": PROVIDER, "charge": usd(24_000), "terms": terms })
}

#[tokio::test]
async fn the_split_of_240_is_36_and_204_and_the_list_says_why_it_is_held() {
    let api = Api::open().await;
    let (admin, billing) = (api.key("admin").await, api.key("billing").await);
    api.stripe(&admin).await;
    let ask = visit(&api, &billing).await;
    let made = api.made("/v1/payouts/providers", &billing, &ask).await;
    assert_eq!((&made["platformPart"], &made["providerPart"]), (&usd(3_600), &usd(20_400)));
    assert_eq!((&made["status"], &made["transferred"]), (&json!("held"), &usd(0)));
    let reasons: Vec<&str> =
        made["holds"].as_array().unwrap().iter().map(|hold| hold["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["payment_not_cleared", "note_incomplete", "no_account"]);
    assert_eq!(
        api.made("/v1/payouts/providers", &billing, &ask).await["id"],
        made["id"],
        "one payout per service"
    );

    let held = api.get("/v1/payouts/providers?status=held", &billing).await.json();
    assert_eq!((held["items"].as_array().unwrap().len(), &held["next"]), (1, &Value::Null));
    assert_eq!(api.get("/v1/payouts/providers?status=paid", &billing).await.json()["items"], json!([]));
    let shown = api.get(&format!("/v1/payouts/providers/{}", made["id"].as_str().unwrap()), &billing).await;
    assert_eq!(shown.json(), made);
    assert!(!shown.text.contains("key"), "no frozen key leaves");
    let books = api.get("/v1/ledger/balances", &billing).await.text;
    assert!(books.contains("rev:platform") && books.contains("owed:provider"), "{books}");
}

#[tokio::test]
async fn a_person_holds_and_lifts_with_a_reason_and_not_what_no_person_may_lift() {
    let api = Api::open().await;
    let (admin, billing) = (api.key("admin").await, api.key("billing").await);
    api.stripe(&admin).await;
    let ask = visit(&api, &billing).await;
    let made = api.made("/v1/payouts/providers", &billing, &ask).await;
    let path = format!("/v1/payouts/providers/{}", made["id"].as_str().unwrap());
    let held = api
        .made(&format!("{path}/hold"), &billing, &json!({ "by": "ann", "reason": "licence expired" }))
        .await;
    assert_eq!(held["holds"][3], json!({ "reason": "person", "until": null, "by": "ann" }));
    let (status, code, _) =
        api.refused(&format!("{path}/hold"), &billing, &json!({ "by": "ann", "reason": "" })).await;
    assert_eq!((status, code.as_str()), (422, "reason_required"));
    let (status, code, detail) =
        api.refused(&format!("{path}/release"), &billing, &json!({ "by": "ann", "reason": "asked" })).await;
    assert_eq!((status, code.as_str()), (422, "payout_held"));
    assert!(detail.contains("payment_not_cleared"), "{detail}");
    let lift = json!({ "hold": "disputed", "by": "ann", "reason": "asked" });
    assert_eq!(api.refused(&format!("{path}/unhold"), &billing, &lift).await.1, "payout_held");
    let lift = json!({ "hold": "person", "by": "ann", "reason": "licence_renewed" });
    let lifted = api.made(&format!("{path}/unhold"), &billing, &lift).await;
    assert_eq!(lifted["holds"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn who_may_not_and_what_is_no_agreement_is_refused() {
    let api = Api::open().await;
    let (admin, billing, desk) =
        (api.key("admin").await, api.key("billing").await, api.key("front_desk").await);
    api.stripe(&admin).await;
    let mut ask = visit(&api, &billing).await;
    let (status, code, _) = api.refused("/v1/payouts/providers", &desk, &ask).await;
    assert_eq!((status, code.as_str()), (403, "forbidden"));
    ask["terms"]["platform"] = json!({ "basisPoints": 10_001 });
    assert_eq!(api.refused("/v1/payouts/providers", &billing, &ask).await.1, "payout_terms_invalid");
    ask["terms"]["platform"] = json!({ "fixedMinor": 500 });
    ask["destination"] = json!("acct 1");
    assert_eq!(api.refused("/v1/payouts/providers", &billing, &ask).await.1, "destination_invalid");
    let nobody = api.get("/v1/payouts/providers/ppo_0", &billing).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}
