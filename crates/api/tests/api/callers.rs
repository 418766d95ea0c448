//! Stories about the API as a caller sees it.

use crate::kit::Api;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_request_without_a_valid_key_is_refused_with_a_problem() {
    let api = Api::open().await;
    for key in ["", "suture_0123", "sk_test_1"] {
        let answer = api.get("/v1/payments", key).await;
        assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test]
async fn each_role_reaches_what_it_may_and_nothing_else() {
    let api = Api::open().await;
    let paths = [
        ("/v1/payments", "xxxxx"),
        ("/v1/debts", "xxxxx"),
        ("/v1/orders", "xxxxx"),
        ("/v1/links?patient=p-1", "xxx--"),
        ("/v1/deliveries", "xx-xx"),
        ("/v1/dead-letters", "xx-xx"),
        ("/v1/queues", "xx-xx"),
        ("/v1/runs", "xx-xx"),
        ("/v1/messages", "xx-xx"),
        ("/v1/rejected-deliveries", "xx-xx"),
        ("/v1/connections", "xx-xx"),
        ("/v1/tables/part", "xx-xx"),
        ("/v1/endpoints", "xx-xx"),
        ("/v1/event-types", "xx-xx"),
        ("/v1/ledger/balances", "xx-x-"),
        ("/v1/ledger/entries", "xx-x-"),
        ("/v1/ledger/accounts/ar:patient/lines", "xx-x-"),
        ("/v1/ledger/proof", "xx-x-"),
        ("/v1/events", "x--x-"),
        ("/v1/audit/verify", "x--x-"),
        ("/v1/audit/export", "x--x-"),
        ("/v1/access?patient=p-1", "x--x-"),
        ("/v1/patients?external=p-1", "xxx--"),
        ("/v1/services?status=settling", "xxxx-"),
        ("/v1/credits", "xxxx-"),
        ("/v1/payouts/providers", "xxxx-"),
        ("/v1/remittances", "xxxx-"),
        ("/v1/remittance-claims?state=waiting", "xxxx-"),
        ("/v1/api-keys", "x----"),
    ];
    let mut keys = Vec::new();
    for role in ["admin", "billing", "front_desk", "auditor", "integrator"] {
        keys.push(api.key(role).await);
    }
    for (path, expected) in paths {
        let mut seen = String::new();
        for key in &keys {
            let answer = api.get(path, key).await;
            seen.push(if answer.status == StatusCode::OK { 'x' } else { '-' });
            if answer.status != StatusCode::OK {
                assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{path}");
            }
        }
        assert_eq!(seen, expected, "{path}");
    }
}

#[tokio::test]
async fn a_role_that_is_not_known_here_may_do_nothing() {
    let api = Api::open().await;
    let key = api.key("superuser").await;
    assert_eq!(api.get("/v1/payments", &key).await.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_revoked_key_stops_working_at_once() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let body = json!({ "name": "desk", "role": "front_desk" });
    let made = api.post("/v1/api-keys", &admin, "k", &body).await.json();
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(api.get("/v1/payments", secret).await.status, StatusCode::OK);

    let path = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    let revoke = Request::delete(path).header("authorization", format!("Bearer {admin}"));
    let revoked = api.send(revoke.body(Body::empty()).unwrap()).await;

    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(api.get("/v1/payments", secret).await.problem().0, 401);
    let again = api.post("/v1/api-keys", &admin, "k", &body).await;
    assert!(again.json().get("secret").is_none(), "a secret is shown once and not kept");
}

#[tokio::test]
async fn a_key_beyond_its_rate_is_told_to_wait_and_another_is_not() {
    let settings = suture_api::Settings { requests_per_second_per_key: 1, ..Default::default() };
    let api = Api::with(settings).await;
    let (busy, calm) = (api.key("admin").await, api.key("admin").await);
    for _ in 0..2 {
        assert_eq!(api.get("/v1/queues", &busy).await.status, StatusCode::OK);
    }
    let limited = api.get("/v1/queues", &busy).await;
    assert_eq!(limited.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(limited.headers["retry-after"], "1");
    assert_eq!(api.get("/v1/queues", &calm).await.status, StatusCode::OK);
}

#[tokio::test]
async fn problems_of_paths_methods_and_queries_have_the_one_shape() {
    let api = Api::open().await;
    let key = api.key("admin").await;
    for (path, expected) in [
        ("/nowhere", (404, "not_found")),
        ("/v1/payments/pay_1", (404, "not_found")),
        ("/v1/payments/pay_0190a1b2c3d4e5f60718293a4b5c6d7e", (404, "not_found")),
        ("/v1/runs/run_1", (404, "not_found")),
        ("/v1/audit/payments/pay_1", (404, "not_found")),
        ("/v1/payments?page=2", (422, "query_invalid")),
        ("/v1/payments?limit=many", (422, "query_invalid")),
        ("/v1/events?cursor=x", (422, "cursor_invalid")),
        ("/v1/deliveries?state=lost", (422, "query_invalid")),
        ("/v1/ledger/proof?at=yesterday", (422, "time_invalid")),
        ("/v1/access", (422, "query_invalid")),
        ("/v1/payments/pay_1/cancel", (405, "method_not_allowed")),
        ("/problems/no_such_code", (404, "not_found")),
    ] {
        let answer = api.get(path, &key).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_request_id_and_hardened_headers() {
    let api = Api::open().await;
    let request = Request::get("/health").header("x-request-id", "desk-7");
    let answer = api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.headers["x-request-id"], "desk-7");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");

    let request = Request::get("/health").header("x-request-id", "<script>");
    let answer = api.send(request.body(Body::empty()).unwrap()).await;
    assert!(answer.headers["x-request-id"].to_str().unwrap().starts_with("req_"));
}

#[tokio::test]
async fn an_empty_database_is_ready_balanced_and_intact() {
    let api = Api::open().await;
    let key = api.key("auditor").await;
    assert_eq!(api.get("/ready", "").await.status, StatusCode::OK);
    let proof = api.get("/v1/ledger/proof?at=2026-11-21T09:30:00Z", &key).await.json();
    assert_eq!(
        proof,
        json!({ "at": "2026-11-21T09:30:00.000Z", "balanced": true, "sums": [], "entries": 0, "lines": 0 })
    );
    assert_eq!(api.get("/v1/payments", &key).await.json(), json!({ "items": [], "next": null }));
    assert_eq!(api.get("/v1/audit/verify", &key).await.json()["intact"], true);
    assert_eq!(api.get("/.well-known/jwks.json", "").await.json(), json!({ "keys": [] }));
}

#[tokio::test]
async fn the_metrics_page_wants_its_token_when_it_has_one() {
    let token = suture_core::redact::Secret::new("look".to_owned());
    let api = Api::with(suture_api::Settings { metrics_token: Some(token), ..Default::default() }).await;
    assert_eq!(api.get("/metrics", "wrong").await.problem().0, 401);
    let page = api.get("/metrics", "look").await;
    assert!(page.text.contains("# TYPE suture_queue_depth gauge"), "{}", page.text);
}

#[tokio::test]
async fn who_repairs_deliveries_moves_no_money_by_it() {
    let api = Api::open().await;
    let (admin, integrator, billing) =
        (api.key("admin").await, api.key("integrator").await, api.key("billing").await);
    api.stripe(&admin).await;
    let body = json!({ "link": api.link(&admin).await, "amount": { "minor": 100, "currency": "USD" } });
    api.post("/v1/payments", &admin, "take", &body).await;
    let deliveries = api.get("/v1/deliveries?limit=50", &admin).await.json();
    let of_kind = |kind: &str| {
        let found = deliveries["items"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap();
        found["id"].as_str().unwrap().replace('/', "%2F")
    };
    let (attempt, poll) = (of_kind("attempt"), of_kind("poll"));
    let (edited, as_it_is) = (json!({ "payload": { "do": "poll" } }), json!({}));
    let skip = json!({ "reason": "by_hand" });
    let not_stopped = (409, "effect_not_stopped".to_owned());
    let forbidden = (403, "forbidden".to_owned());
    for (verb, delivery, body, of_billing) in [
        ("retry", &attempt, &as_it_is, &not_stopped),
        ("skip", &attempt, &skip, &not_stopped),
        ("retry", &poll, &edited, &(422, "payload_not_of_kind".to_owned())),
    ] {
        let path = format!("/v1/dead-letters/{delivery}/{verb}");
        assert_eq!(&api.post(&path, &integrator, &format!("i-{path}"), body).await.problem(), &forbidden);
        assert_eq!(&api.post(&path, &billing, &format!("b-{path}"), body).await.problem(), of_billing);
    }
    // What moves no money is the integrator's work.
    let path = format!("/v1/dead-letters/{poll}/retry");
    assert_eq!(api.post(&path, &integrator, "poll", &as_it_is).await.problem(), not_stopped);
}

#[tokio::test]
async fn an_unusual_amount_is_confirmed_by_name_and_with_the_permission_to_refund() {
    let api = Api::open().await;
    let (admin, desk) = (api.key("admin").await, api.key("front_desk").await);
    api.stripe(&admin).await;
    let link = json!({ "patient": "p-1", "account": "a-1", "purpose": "balance", "due": { "minor": 100, "currency": "USD" } });
    let link = api.post("/v1/links", &admin, "link", &link).await.json()["id"].clone();
    let take = |by: serde_json::Value| json!({ "link": link, "amount": { "minor": 1_000_000, "currency": "USD" }, "confirmedBy": by });
    let refused = api.post("/v1/payments", &admin, "none", &take(serde_json::Value::Null)).await;
    assert_eq!(refused.problem(), (422, "amount_unusual".to_owned()));
    let refused = api.post("/v1/payments", &desk, "desk", &take(json!("ann"))).await;
    assert_eq!(refused.problem(), (403, "forbidden".to_owned()));
    for (number, nobody) in ["", "  ", "ann!"].into_iter().enumerate() {
        let refused = api.post("/v1/payments", &admin, &format!("x{number}"), &take(json!(nobody))).await;
        assert_eq!(refused.problem(), (422, "authorizer_required".to_owned()), "{nobody:?}");
    }
    let made = api.post("/v1/payments", &admin, "ann", &take(json!("ann"))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let chain = api.get(made.json()["audit"].as_str().unwrap(), &admin).await.json();
    let opened =
        chain["items"].as_array().unwrap().iter().find(|one| one["kind"] == "payment.opened").unwrap();
    assert!(opened.to_string().contains("\"confirmed_by\":\"ann\""), "{opened}");
}
