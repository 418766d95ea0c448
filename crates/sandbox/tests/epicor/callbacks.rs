//! Callbacks of BPM directives: what they tell, how they are signed, and how they get lost.

use super::stage::Stage;
use ring::hmac;
use serde_json::{Value, json};
use suture_sandbox::epicor::{Delivery, SIGNATURE_HEADER, sign};

const SECRET: &str = "bpm_secret";

fn listening(events: &Value) -> Stage {
    let mut stage = Stage::furnished();
    stage.control("hook", &json!({ "url": "https://hook.test/epicor", "secret": SECRET, "events": events }));
    stage
}

fn due(stage: &mut Stage) -> Vec<Delivery> {
    let now_ms = stage.now_ms;
    stage.world.due_deliveries(now_ms)
}

fn told(deliveries: &[Delivery]) -> Vec<Value> {
    deliveries.iter().map(|delivery| serde_json::from_slice(&delivery.body).unwrap_or(Value::Null)).collect()
}

fn events(deliveries: &[Delivery]) -> Vec<String> {
    told(deliveries).iter().map(|body| body["event"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn orders_shipments_invoices_and_customers_are_told() {
    let mut stage = listening(&json!([]));
    let order = stage.order(&[("VISIT", 1)]);
    assert_eq!(events(&due(&mut stage)), ["order.created"]);
    stage.ship(order);
    let shipped = due(&mut stage);
    assert_eq!(events(&shipped), ["invoice.posted", "order.shipped"]);
    assert_eq!(told(&shipped)[1]["key"], json!({ "Company": "EPIC06", "OrderNum": order }));
    stage.control("change", &json!({ "table": "Customer", "key": [1], "fields": { "City": "Here" } }));
    assert_eq!(events(&due(&mut stage)), ["customer.changed"]);
    assert_eq!(due(&mut stage), []);
}

#[test]
fn a_callback_is_signed_over_its_raw_body() {
    let mut stage = listening(&json!(["customer.created"]));
    stage.customer("G-2");
    let delivery = due(&mut stage).remove(0);
    let signature = delivery.headers.iter().find(|(name, _)| name == SIGNATURE_HEADER).unwrap().1.clone();
    assert_eq!(signature, sign(SECRET, &delivery.body));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let bytes: Vec<u8> = (0..signature.len() / 2)
        .map(|at| u8::from_str_radix(&signature[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    assert!(hmac::verify(&key, &delivery.body, &bytes).is_ok());
    assert_ne!(signature, sign("other", &delivery.body));
}

#[test]
fn callbacks_get_lost_doubled_and_late_and_are_not_tried_again() {
    let mut stage = listening(&json!(["customer.created"]));
    stage.control("hook_faults", &json!({ "lose": 1, "duplicate": 1 }));
    stage.customer("G-2");
    assert_eq!(due(&mut stage), []);
    stage.customer("G-3");
    let twice = due(&mut stage);
    assert_eq!((twice.len(), &twice[0].body), (2, &twice[1].body));
    stage.world.delivered(twice[0].id, &Err("no answer".to_owned()));
    stage.control("hook_faults", &json!({ "delay_ms": 60_000 }));
    stage.customer("G-4");
    assert_eq!(due(&mut stage), []);
    assert_eq!(stage.world.next_due_ms(), Some(stage.now_ms + 60_000));
    stage.now_ms += 60_000;
    assert_eq!(due(&mut stage).len(), 1);
    stage.now_ms += 86_400_000;
    assert_eq!(due(&mut stage), []);
}

#[test]
fn what_was_refused_has_not_happened() {
    let mut stage = listening(&json!([]));
    let lines =
        json!([{ "PartNum": "VISIT", "SellingQuantity": 1 }, { "PartNum": "NONE", "SellingQuantity": 1 }]);
    let answer = stage.post("Erp.BO.SalesOrderSvc/SalesOrders", &json!({ "CustNum": 1, "OrderDtls": lines }));
    assert_eq!((answer.status, due(&mut stage)), (400, Vec::new()));
    assert_eq!(stage.control("documents", &json!({ "table": "OrderHed" }))["rows"], json!([]));
}
