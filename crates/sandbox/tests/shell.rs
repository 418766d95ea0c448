//! The sandbox over real connections on the loopback interface.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use suture_sandbox::epicor::{DEFAULT_API_KEY, DEFAULT_PASSWORD, DEFAULT_USER, SIGNATURE_HEADER};
use suture_sandbox::stripe::{DEFAULT_KEY, StripeOptions, sign};
use suture_sandbox::{Options, Running, start};
use tokio::sync::mpsc;

const SECRET: &str = "whsec_shell";

type Hook = (HeaderMap, Bytes);

async fn take(
    State(sender): State<mpsc::UnboundedSender<Hook>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    sender.send((headers, body)).map_or(StatusCode::GONE, |()| StatusCode::OK)
}

/// A sandbox whose webhooks arrive in a channel.
async fn sandbox() -> (Running, mpsc::UnboundedReceiver<Hook>, reqwest::Client) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("the loopback interface works");
    let hook = format!("http://{}/hook", listener.local_addr().expect("the loopback interface works"));
    let app = Router::new().fallback(take).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let stripe = StripeOptions { webhook: Some((hook, SECRET.to_owned())), ..StripeOptions::default() };
    let running =
        start(Options { stripe, ..Options::default() }).await.expect("the loopback interface works");
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .expect("the loopback interface works");
    (running, receiver, client)
}

async fn pay(running: &Running, client: &reqwest::Client, key: &str) -> Result<(u16, Value), reqwest::Error> {
    let response = client
        .post(format!("{}/v1/payment_intents", running.stripe_url))
        .header("authorization", format!("Bearer {DEFAULT_KEY}"))
        .header("idempotency-key", key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("amount=12000&currency=usd&confirm=true&payment_method=pm_card_visa")
        .send()
        .await?;
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

async fn control(running: &Running, client: &reqwest::Client, verb: &str, body: Value) -> Value {
    let response = client
        .post(format!("{}/control/{verb}", running.control_url))
        .body(body.to_string())
        .send()
        .await
        .expect("the loopback interface works");
    assert_eq!(response.status().as_u16(), 200, "{verb}");
    serde_json::from_slice(&response.bytes().await.expect("the loopback interface works"))
        .expect("the loopback interface works")
}

#[tokio::test]
async fn a_payment_answers_and_its_signed_webhooks_arrive() {
    let (running, mut hooks, client) = sandbox().await;
    let (status, intent) = pay(&running, &client, "key-1").await.unwrap();
    assert_eq!((status, &intent["status"]), (200, &json!("succeeded")));
    let mut types = Vec::new();
    while types.len() < 3 {
        let (headers, body) =
            tokio::time::timeout(Duration::from_secs(10), hooks.recv()).await.unwrap().unwrap();
        let signature = headers["stripe-signature"].to_str().unwrap();
        let t = signature.strip_prefix("t=").unwrap().split(',').next().unwrap().parse().unwrap();
        assert_eq!(signature, sign(SECRET, t, &body));
        let event: Value = serde_json::from_slice(&body).unwrap();
        types.push(event["type"].as_str().unwrap().to_owned());
    }
    types.sort();
    assert_eq!(types, ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]);
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer_but_the_call_was_executed() {
    let (running, _hooks, client) = sandbox().await;
    control(&running, &client, "stripe/lose_answers", json!({ "next": 2 })).await;
    assert!(pay(&running, &client, "key-1").await.is_err());
    assert!(pay(&running, &client, "key-1").await.is_err());
    let (status, intent) = pay(&running, &client, "key-1").await.unwrap();
    assert_eq!((status, &intent["status"]), (200, &json!("succeeded")));
    let state = control(&running, &client, "stripe/movements", json!({})).await;
    assert_eq!(state["movements"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_jump_of_the_clock_fires_what_becomes_due() {
    let (running, _hooks, client) = sandbox().await;
    pay(&running, &client, "key-1").await.unwrap();
    control(&running, &client, "clock", json!({ "seconds": 4 * 86_400 })).await;
    let payout = control(&running, &client, "stripe/payout", json!({})).await;
    assert_eq!(payout["amount"], 11_622);
    let refused =
        client.post(format!("{}/control/stripe/nonsense", running.control_url)).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 400);
}

#[tokio::test]
async fn the_payer_takes_a_claim_and_pays_it() {
    let (running, _hooks, client) = sandbox().await;
    let claim = json!({
        "patient_control": "ACCT-1", "charge_minor": 30_000, "rule": "2A",
        "lines": [{ "procedure": "99214", "charge_minor": 30_000 }]
    });
    let taken =
        client.post(format!("{}/claims", running.payer_url)).body(claim.to_string()).send().await.unwrap();
    assert_eq!(taken.status().as_u16(), 200);
    let made = control(&running, &client, "payer/remit", json!({})).await;
    assert_eq!((&made["number"], &made["paid_minor"]), (&json!(1), &json!(13_000)));
    let file = client.get(format!("{}/remittances/1", running.payer_url)).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "application/edi-x12");
    assert!(file.text().await.unwrap().contains("CLP*ACCT-1*1*300.00*130.00*50.00*"));
}

#[tokio::test]
async fn a_receipt_is_a_page_of_the_server_that_took_the_payment() {
    let (running, _hooks, client) = sandbox().await;
    pay(&running, &client, "key-1").await.unwrap();
    let state = control(&running, &client, "stripe/state", json!({ "only": ["charges"] })).await;
    let receipt = state["charges"][0]["receipt_url"].as_str().unwrap().to_owned();
    assert!(receipt.starts_with(&running.stripe_url), "{receipt}");
    let page = client.get(receipt).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 200);
    assert!(page.text().await.unwrap().contains("Amount charged: $120.00"));
}

#[tokio::test]
async fn epic_answers_beside_stripe() {
    let (running, _hooks, client) = sandbox().await;
    let response = client.get(format!("{}/nowhere", running.epic_url)).send().await.unwrap();
    assert!(response.status().is_client_error());
}

#[tokio::test]
async fn epicor_answers_on_its_own_port_and_its_signed_callbacks_arrive() {
    let (running, mut hooks, client) = sandbox().await;
    let (sender, mut callbacks) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/epicor", listener.local_addr().unwrap());
    let app = Router::new().fallback(take).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, app).await });
    control(&running, &client, "epicor/hook", json!({ "url": url, "secret": SECRET })).await;
    control(&running, &client, "epicor/lose_answers", json!({ "count": 1 })).await;
    let create = |id: &str| {
        let body = json!({ "CustID": id, "Name": "x", "TerritoryID": "CENTRAL" });
        client
            .post(format!("{}/Kinetic/api/v2/odata/EPIC06/Erp.BO.CustomerSvc/Customers", running.epicor_url))
            .header("x-api-key", DEFAULT_API_KEY)
            .basic_auth(DEFAULT_USER, Some(DEFAULT_PASSWORD))
            .body(body.to_string())
            .send()
    };
    assert!(create("G-1").await.is_err());
    assert_eq!(create("G-1").await.unwrap().status().as_u16(), 409);
    assert_eq!(create("G-2").await.unwrap().status().as_u16(), 201);
    for number in 1..=2 {
        let (headers, body) =
            tokio::time::timeout(Duration::from_secs(10), callbacks.recv()).await.unwrap().unwrap();
        assert_eq!(headers[SIGNATURE_HEADER], suture_sandbox::epicor::sign(SECRET, &body));
        let told: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&told["event"], &told["key"]["CustNum"]), (&json!("customer.created"), &json!(number)));
    }
    assert!(hooks.try_recv().is_err());
    let state: Value = serde_json::from_slice(
        &client
            .get(format!("{}/control/epicor", running.control_url))
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
    )
    .unwrap();
    assert_eq!(state["companies"]["EPIC06"]["counts"]["Customer"], 2);
}
