//! Stories about customers' orders over HTTP: placed once, shown without what the buyer is called, and the tables and
//! approvals that their flows need.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::kit::{Answer, Api};

const NAME: &str = "Acme Clinic Supply";

fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

fn order(reference: &str, buyer: &str) -> Value {
    json!({
        "reference": reference,
        "buyer": {
            "id": buyer, "name": NAME, "email": "buy@acme.example",
            "address": { "line1": "1 Main St", "city": "Springfield", "postalCode": "62701" },
        },
        "lines": [{ "product": "brace", "quantity": 2, "unitPriceMinor": 5_000 }],
        "taxMinor": 800,
        "total": usd(10_800),
        "shipMethod": "express",
    })
}

async fn send(api: &Api, method: Method, path: &str, key: &str, body: &Value) -> Answer {
    let request =
        Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
    api.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn an_order_placed_twice_is_one_and_other_content_under_its_number_is_refused() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let placed = api.post("/v1/orders", &desk, "a", &order("SHOP-1", "buyer-7")).await;
    assert_eq!(placed.status, StatusCode::CREATED, "{}", placed.text);
    let first = placed.json();
    assert_eq!((&first["status"], &first["total"]), (&json!("placed"), &usd(10_800)));
    assert_eq!((&first["net"], &first["unapplied"]), (&usd(0), &usd(0)));
    let again = api.made("/v1/orders", &desk, &order("SHOP-1", "buyer-7")).await;
    assert_eq!(again, first, "another key, the same order");

    let (status, code, detail) = api.refused("/v1/orders", &desk, &order("SHOP-1", "buyer-8")).await;
    assert_eq!((status, code.as_str()), (409, "order_reference_used"));
    assert!(detail.contains(first["id"].as_str().unwrap()), "{detail}");
    let listed = api.get("/v1/orders", &desk).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);

    let link = api.get(&format!("/v1/links/{}", first["link"].as_str().unwrap()), &desk).await.json();
    assert_eq!((&link["patient"], &link["due"]), (&json!("buyer-7"), &usd(10_800)));
    let debt = api.get(&format!("/v1/debts/{}", first["debt"].as_str().unwrap()), &desk).await;
    assert_eq!(debt.json()["owed"], usd(10_800), "{}", debt.text);
}

#[tokio::test]
async fn a_total_that_is_not_the_sum_is_refused_with_both_sums_and_nothing_is_there() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    let mut wrong = order("SHOP-1", "buyer-7");
    wrong["total"] = usd(10_700);
    let (status, code, detail) = api.refused("/v1/orders", &desk, &wrong).await;
    assert_eq!((status, code.as_str()), (422, "order_invalid"));
    assert!(detail.contains("108.00") && detail.contains("107.00"), "{detail}");

    let mut unnamed = order("SHOP-1", "buyer-7");
    unnamed["buyer"]["email"] = json!("no address of Acme");
    let (status, code, detail) = api.refused("/v1/orders", &desk, &unnamed).await;
    assert_eq!((status, code.as_str()), (422, "buyer_invalid"));
    assert!(!detail.contains("Acme"), "{detail}");
    let spoken = order("SHOP-1", "Acme Clinic Supply");
    assert_eq!(api.refused("/v1/orders", &desk, &spoken).await.1, "order_invalid", "no names as ids");
    assert_eq!(api.get("/v1/orders", &desk).await.json(), json!({ "items": [], "next": null }));
    assert_eq!(api.get("/v1/debts", &desk).await.json()["items"], json!([]));
}

#[tokio::test]
async fn orders_are_listed_by_buyer_newest_first_and_page_by_page() {
    let api = Api::open().await;
    let desk = api.key("front_desk").await;
    for (reference, buyer) in [("SHOP-1", "buyer-7"), ("SHOP-2", "buyer-8"), ("SHOP-3", "buyer-7")] {
        api.made("/v1/orders", &desk, &order(reference, buyer)).await;
    }
    let references = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|order| order["reference"].as_str().unwrap().to_owned()).collect()
    };
    let of_buyer = api.get("/v1/orders?buyer=buyer-7", &desk).await.json();
    assert_eq!(references(&of_buyer), ["SHOP-3", "SHOP-1"]);
    let first = api.get("/v1/orders?limit=2", &desk).await.json();
    assert_eq!(references(&first), ["SHOP-3", "SHOP-2"]);
    let path = format!("/v1/orders?limit=2&cursor={}", first["next"].as_str().unwrap());
    let second = api.get(&path, &desk).await.json();
    assert_eq!((references(&second), &second["next"]), (vec!["SHOP-1".to_owned()], &Value::Null));
    assert_eq!(api.get("/v1/orders?page=2", &desk).await.problem(), (422, "query_invalid".to_owned()));
}

#[tokio::test]
async fn trail_page_and_list_show_ids_and_never_what_the_buyer_is_called() {
    let api = Api::open().await;
    let (desk, auditor) = (api.key("front_desk").await, api.key("auditor").await);
    let placed = api.made("/v1/orders", &desk, &order("SHOP-1", "buyer-7")).await;
    assert!(placed.get("id").is_some());
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let shown = api.get(&path, &auditor).await;
    assert_eq!(shown.json(), placed);
    let trail = api.get(&format!("{path}/trail"), &auditor).await;
    assert_eq!((&trail.json()["order"], &trail.json()["stopped"]), (&placed, &json!([])));
    assert_eq!(trail.json()["entries"][0]["what"], "order");
    let page = api.get(&format!("{path}/page"), &auditor).await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(page.text.contains("108.00"), "{}", page.text);
    let list = api.get("/v1/orders", &auditor).await;
    for answer in [&shown, &trail, &page, &list] {
        for secret in ["Acme", "acme.example", "Main St", "62701"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn who_may_only_read_places_nothing_and_an_unknown_order_is_not_found() {
    let api = Api::open().await;
    let (desk, auditor) = (api.key("front_desk").await, api.key("auditor").await);
    assert_eq!(api.refused("/v1/orders", &auditor, &order("SHOP-1", "buyer-7")).await.0, 403);
    let unknown = "/v1/orders/ord_77777777777777777777777777777777";
    for path in
        [unknown.to_owned(), format!("{unknown}/trail"), format!("{unknown}/page"), "/v1/orders/1".to_owned()]
    {
        assert_eq!(api.get(&path, &desk).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(api.refused(&format!("{unknown}/ask-erp"), &desk, &json!({})).await.0, 404);
    let placed = api.made("/v1/orders", &desk, &order("SHOP-1", "buyer-7")).await;
    let ask = format!("/v1/orders/{}/ask-erp", placed["id"].as_str().unwrap());
    assert_eq!(api.refused(&ask, &auditor, &json!({})).await.0, 403);
    assert_eq!(api.made(&ask, &desk, &json!({})).await, placed);
    let planned = api.get("/v1/deliveries", &auditor).await.text;
    assert!(planned.contains("\"erp\""), "the question is on its way: {planned}");
}

#[tokio::test]
async fn a_row_of_a_table_is_put_listed_replaced_and_removed() {
    let api = Api::open().await;
    let (integrator, billing) = (api.key("integrator").await, api.key("billing").await);
    for (product, part) in [("brace", "KNEE-1"), ("walker", "WALK-7"), ("brace", "KNEE-100")] {
        let path = format!("/v1/tables/part/{product}");
        let saved = send(&api, Method::PUT, &path, &integrator, &json!({ "value": part })).await;
        assert_eq!(saved.json(), json!({ "runsResumed": 0 }), "{}", saved.text);
    }
    let rows = api.get("/v1/tables/part?limit=1", &billing).await.json();
    let row = &rows["items"][0];
    assert_eq!(
        (&row["key"], &row["value"], &rows["next"]),
        (&json!("brace"), &json!("KNEE-100"), &json!("brace"))
    );
    let rows = api.get("/v1/tables/part?limit=1&cursor=brace", &billing).await.json();
    assert_eq!((&rows["items"][0]["key"], &rows["next"]), (&json!("walker"), &Value::Null));
    assert_eq!(api.get("/v1/tables/other", &billing).await.json()["items"], json!([]));

    let gone = send(&api, Method::DELETE, "/v1/tables/part/brace", &integrator, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    let again = send(&api, Method::DELETE, "/v1/tables/part/brace", &integrator, &Value::Null).await;
    assert_eq!(again.problem(), (404, "not_found".to_owned()));
    let left = api.get("/v1/tables/part", &billing).await.json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_row_that_cannot_be_looked_up_is_refused_and_only_who_manages_connections_writes() {
    let api = Api::open().await;
    let (integrator, billing) = (api.key("integrator").await, api.key("billing").await);
    let long = json!({ "value": "x".repeat(5_000) });
    for (path, body) in [
        ("/v1/tables/Part/brace", &json!({ "value": "A" })),
        ("/v1/tables/part/brace", &json!({ "value": null })),
        ("/v1/tables/part/brace", &long),
    ] {
        let refused = send(&api, Method::PUT, path, &integrator, body).await;
        assert_eq!(refused.problem(), (422, "row_invalid".to_owned()), "{path}");
    }
    let empty = send(&api, Method::PUT, "/v1/tables/part/brace", &integrator, &json!({})).await;
    assert_eq!(empty.problem(), (422, "body_invalid".to_owned()));
    for method in [Method::PUT, Method::DELETE] {
        let refused = send(&api, method, "/v1/tables/part/brace", &billing, &json!({ "value": "A" })).await;
        assert_eq!(refused.problem(), (403, "forbidden".to_owned()));
    }
    assert_eq!(api.get("/v1/tables/part", &integrator).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_run_that_does_not_exist_asks_nothing_and_its_question_is_for_who_repairs_flows() {
    let api = Api::open().await;
    let (admin, billing) = (api.key("admin").await, api.key("billing").await);
    assert_eq!(api.get("/v1/runs/run_1/approval", &admin).await.problem().0, 404);
    assert_eq!(api.get("/v1/runs/run_1/approval", &billing).await.problem().0, 403);
    let decision = json!({ "reason": "amount_checked" });
    for verb in ["approve", "reject"] {
        assert_eq!(api.refused(&format!("/v1/runs/run_1/{verb}"), &billing, &decision).await.0, 404);
    }
    let (_, code, _) = api.refused("/v1/runs/run_1/approve", &admin, &json!({})).await;
    assert_eq!(code, "body_invalid", "a decision has a reason");
}
