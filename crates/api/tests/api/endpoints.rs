//! Stories about endpoints, events and live progress as a caller sees them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::kit::Api;

async fn made(api: &Api, key: &str) -> Value {
    let body = json!({ "url": "http://127.0.0.1:9/hook", "description": "books", "events": ["payment.*"] });
    let made = api.post("/v1/endpoints", key, "make-endpoint", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()
}

/// A payment that was asked for and is not sent: no worker runs here.
async fn payment(api: &Api, admin: &str) -> String {
    api.stripe(admin).await;
    let body = json!({ "link": api.link(admin).await, "amount": { "minor": 100, "currency": "USD" } });
    let made = api.post("/v1/payments", admin, "take", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_is_shown_once_and_never_again() {
    let api = Api::open().await;
    let integrator = api.key("integrator").await;
    let endpoint = made(&api, &integrator).await;
    let secret = endpoint["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let path = format!("/v1/endpoints/{}", endpoint["id"].as_str().unwrap());
    for path in [path.as_str(), "/v1/endpoints"] {
        let shown = api.get(path, &integrator).await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(!shown.text.contains("whsec_"), "{}", shown.text);
    }
    let body = json!({ "url": "http://127.0.0.1:9/hook", "description": "books", "events": ["payment.*"] });
    let again = api.post("/v1/endpoints", &integrator, "make-endpoint", &body).await;
    assert_eq!(again.json()["id"], endpoint["id"], "the kept answer");
    assert!(again.json()["secret"].is_null(), "is without the secret");

    let rotated =
        api.post(&format!("{path}/rotate"), &integrator, "r", &json!({ "overlapSeconds": 60 })).await;
    let fresh = rotated.json();
    assert!(fresh["secret"].as_str().unwrap() != secret && fresh["previousSecretUntil"].is_string());
}

#[tokio::test]
async fn an_endpoint_is_changed_disabled_enabled_and_removed() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let endpoint = made(&api, &admin).await;
    let path = format!("/v1/endpoints/{}", endpoint["id"].as_str().unwrap());
    let changed = api.post(&path, &admin, "a", &json!({ "events": ["refund.*"] })).await.json();
    assert_eq!((&changed["events"], &changed["description"]), (&json!(["refund.*"]), &json!("books")));
    let disabled = api.post(&format!("{path}/disable"), &admin, "b", &json!({})).await.json();
    assert_eq!(disabled["status"], "disabled");
    assert!(disabled["note"].as_str().unwrap().starts_with("disabled by key_"));
    let replay = api.post(&format!("{path}/replay"), &admin, "c", &json!({ "position": 0 })).await;
    assert_eq!(replay.problem(), (409, "endpoint_disabled".to_owned()));
    let enabled = api.post(&format!("{path}/enable"), &admin, "d", &json!({})).await.json();
    assert_eq!((&enabled["status"], &enabled["note"]), (&json!("enabled"), &Value::Null));

    let remove = Request::delete(&path).header("authorization", format!("Bearer {admin}"));
    assert_eq!(api.send(remove.body(Body::empty()).unwrap()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(api.get(&path, &admin).await.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn what_is_wrong_with_an_endpoint_or_a_replay_is_said() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let endpoint = made(&api, &admin).await;
    let path = format!("/v1/endpoints/{}", endpoint["id"].as_str().unwrap());
    let rotate = format!("{path}/rotate");
    let replay = format!("{path}/replay");
    let redeliver = format!("{path}/redeliver");
    let cases = [
        ("/v1/endpoints", json!({ "url": "ftp://a.test" }), (422, "endpoint_url_refused")),
        ("/v1/endpoints", json!({ "url": "http://a.test", "events": ["x.y"] }), (422, "event_type_unknown")),
        (
            "/v1/endpoints",
            json!({ "url": "http://a.test", "description": "a\nb" }),
            (422, "description_invalid"),
        ),
        (&rotate, json!({ "overlapSeconds": 604_801 }), (422, "overlap_too_long")),
        (&replay, json!({}), (422, "replay_range_invalid")),
        (&replay, json!({ "since": "yesterday" }), (422, "replay_range_invalid")),
        (&replay, json!({ "since": "2026-11-21T09:30:00Z", "position": 1 }), (422, "replay_range_invalid")),
        (&redeliver, json!({ "event": "evt_pay_1_1" }), (404, "not_found")),
        ("/v1/endpoints/whk_1/test", json!({}), (404, "not_found")),
    ];
    for (number, (path, body, (status, code))) in cases.into_iter().enumerate() {
        let answer = api.post(path, &admin, &format!("key-{number}"), &body).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{path} {body}");
    }
}

#[tokio::test]
async fn deliveries_of_an_endpoint_are_listed_and_only_its_own() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let endpoint = made(&api, &admin).await;
    payment(&api, &admin).await;
    let path = format!("/v1/endpoints/{}/deliveries", endpoint["id"].as_str().unwrap());
    let listed = api.get(&format!("{path}?state=ready"), &admin).await.json();
    let items = listed["items"].as_array().unwrap();
    assert!(!items.is_empty());
    assert!(items.iter().all(|item| item["kind"] == "announce" && item["destination"] == endpoint["id"]));
    assert!(
        api.get(&format!("{path}?state=dead"), &admin).await.json()["items"].as_array().unwrap().is_empty()
    );
    assert_eq!(api.get("/v1/endpoints/whk_1/deliveries", &admin).await.problem().0, 404);
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_lists_are_filtered() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let payment = payment(&api, &admin).await;
    let listed = api.get(&format!("/v1/events?type=payment.opened&object={payment}"), &admin).await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    let id = items[0]["id"].as_str().unwrap();
    assert_eq!(id, format!("evt_{payment}_1"));
    assert_eq!(api.get(&format!("/v1/events/{id}"), &admin).await.json(), items[0]);
    assert_eq!(api.get(&format!("/v1/events/{id}0"), &admin).await.problem().0, 404);
    assert_eq!(api.get("/v1/events/nonsense", &admin).await.problem().0, 404);
    let none = api.get("/v1/events?type=refund.*", &admin).await.json();
    assert!(none["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_live_stream_tells_what_happened_and_who_looked_is_logged() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let payment = payment(&api, &admin).await;
    let path = format!("/v1/objects/{payment}/stream");
    let first = api.first_frame(&path, &admin).await;
    assert!(first.contains("id: 1\n") && first.contains("event: payment.opened\n"), "{first}");
    assert!(first.contains(&format!("\"id\":\"evt_{payment}_1\"")), "{first}");

    let auditor = api.key("auditor").await;
    let looked = api.get("/v1/access?patient=p-1", &auditor).await;
    assert!(looked.text.contains(&format!("object/{payment}")), "{}", looked.text);

    let desk = api.key("front_desk").await;
    assert_eq!(api.get("/v1/objects/whk_1/stream", &desk).await.problem(), (403, "forbidden".to_owned()));
    assert_eq!(api.get("/v1/objects/pay_1/stream", &desk).await.problem().0, 404);
    let wrong =
        Request::get(&path).header("authorization", format!("Bearer {desk}")).header("last-event-id", "x");
    let refused = api.send(wrong.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.problem(), (422, "last_event_id_invalid".to_owned()));
}

#[tokio::test]
async fn a_key_holds_at_most_sixteen_live_streams() {
    let api = Api::open().await;
    let admin = api.key("admin").await;
    let payment = payment(&api, &admin).await;
    let path = format!("/v1/objects/{payment}/stream");
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(api.open_stream(&path, &admin, "0").await);
    }
    assert_eq!(api.get(&path, &admin).await.problem(), (429, "too_many_streams".to_owned()));
    open.pop();
    let again = api.first_frame(&path, &admin).await;
    assert!(again.contains("payment.opened"), "a closed stream makes room");
}

#[tokio::test]
async fn the_catalogue_lists_types_and_filters() {
    let api = Api::open().await;
    let key = api.key("integrator").await;
    let types = api.get("/v1/event-types", &key).await.json();
    let payments = types["items"].as_array().unwrap().iter().find(|one| one["kind"] == "payment").unwrap();
    assert_eq!(payments["filter"], "payment.*");
    let names: Vec<&str> =
        payments["types"].as_array().unwrap().iter().filter_map(|one| one["type"].as_str()).collect();
    assert!(names.contains(&"payment.captured") && !names.contains(&"payment.attempt_planned"));
}

#[test]
fn every_kind_of_event_that_the_core_knows_is_in_the_catalogue_or_named_private() {
    let mut kinds = Vec::new();
    crate::document::each_source("../core/src", &mut |text| {
        let named =
            text.lines().filter(|line| line.trim_start().starts_with("Self::") || line.contains("Status::"));
        for line in named {
            let Some((_, kind)) = line.split_once("=> \"") else { continue };
            let kind = kind.split('"').next().unwrap_or_default();
            let plain = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
            if kind.matches('.').count() == 1 && !kind.ends_with('.') && kind.bytes().all(plain) {
                kinds.push(kind.to_owned());
            }
        }
    });
    assert!(kinds.len() > 30, "the sources are where they were");
    let private = suture_core::catalogue::PRIVATE;
    for kind in kinds {
        let whole = kind.split('.').next().map(|machine| format!("{machine}.*"));
        if private.contains(&kind.as_str()) || whole.is_some_and(|whole| private.contains(&whole.as_str())) {
            continue;
        }
        let Some(machine) = suture_core::catalogue::machine_of(&kind) else {
            panic!("{kind}: add a line for its machine to core::catalogue::MACHINES");
        };
        let listed = machine.types.iter().any(|(name, _)| *name == kind);
        assert!(machine.types.is_empty() || listed, "{kind}: {} lists its types", machine.name);
    }
}

#[tokio::test]
async fn nobody_lets_events_leave_that_the_key_may_not_read() {
    let api = Api::open().await;
    let (admin, integrator) = (api.key("admin").await, api.key("integrator").await);
    let payment = payment(&api, &admin).await;
    let url = "http://127.0.0.1:9/hook";
    for (number, hidden) in
        [json!([]), json!(["*"]), json!(["payment.*", "patient.*"]), json!(["service.created"])]
            .into_iter()
            .enumerate()
    {
        let body = json!({ "url": url, "events": hidden });
        let refused = api.post("/v1/endpoints", &integrator, &format!("make-{number}"), &body).await;
        assert_eq!(refused.problem(), (403, "forbidden".to_owned()), "{hidden}");
    }
    let own = made(&api, &integrator).await;
    let own = format!("/v1/endpoints/{}", own["id"].as_str().unwrap());
    let all = api.post("/v1/endpoints", &admin, "all", &json!({ "url": url })).await.json();
    let all = format!("/v1/endpoints/{}", all["id"].as_str().unwrap());
    let link = api.get("/v1/events?limit=50", &admin).await.json();
    let events = link["items"].as_array().unwrap();
    let debt = events.iter().find(|event| event["kind"] == "debt.recorded").unwrap();
    assert!(debt["stream"].is_string() && payment.starts_with("pay_"));
    let hidden = [
        (own.clone(), json!({ "events": ["patient.*"] })),
        (all.clone(), json!({ "url": "http://127.0.0.1:9/mine" })),
        (format!("{own}/replay"), json!({ "position": 0, "events": ["appointment.*"] })),
        (format!("{all}/replay"), json!({ "position": 0 })),
        (format!("{all}/enable"), json!({})),
    ];
    for (path, body) in hidden {
        let refused = api.post(&path, &integrator, &format!("h-{path}"), &body).await;
        assert_eq!(refused.problem(), (403, "forbidden".to_owned()), "{path} {body}");
    }
    let replay = json!({ "position": 0, "events": ["payment.*"] });
    let replayed = api.post(&format!("{own}/replay"), &integrator, "replay", &replay).await;
    assert_eq!(replayed.status, StatusCode::CREATED, "{}", replayed.text);
}
