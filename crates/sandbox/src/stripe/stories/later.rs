//! What happens after a payment: late refunds, disputes, payouts, payments of others.

use super::stage::{Story, empty, id};
use crate::stripe::Motion;
use crate::wire::Request;
use serde_json::{Value, json};

fn sum(rows: &Value, field: &str) -> i64 {
    rows.as_array().unwrap().iter().map(|row| row[field].as_i64().unwrap()).sum()
}

#[test]
fn a_pending_refund_succeeds_later() {
    let mut story = Story::new();
    let intent = id(&story.paid("pm_card_pendingRefund"));
    let refund = story.done("/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!(refund["status"], "pending");
    let known = story.events().len();
    story.pass(600);
    assert_eq!(story.get(&format!("/v1/refunds/{}", id(&refund)))["status"], "succeeded");
    assert_eq!(story.events_after(known), ["refund.updated"]);
}

#[test]
fn a_refund_that_fails_later_brings_the_money_back() {
    let mut story = Story::new();
    let intent = story.paid("pm_card_refundFail");
    let refund = story.done("/v1/refunds", &format!("payment_intent={}&amount=5000", id(&intent)));
    assert_eq!(refund["status"], "succeeded");
    let known = story.events().len();
    story.pass(600);
    let failed = story.get(&format!("/v1/refunds/{}?expand[]=failure_balance_transaction", id(&refund)));
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["failure_balance_transaction"]["amount"], 5000);
    assert_eq!(failed["failure_balance_transaction"]["type"], "refund_failure");
    assert_eq!(story.events_after(known), ["refund.updated", "refund.failed"]);
    let charge = story.get(&format!("/v1/charges/{}", intent["latest_charge"].as_str().unwrap()));
    assert_eq!(charge["amount_refunded"], 0);
}

#[test]
fn a_chargeback_takes_the_money_and_a_win_returns_it() {
    let mut story = Story::new();
    let intent = id(&story.paid("pm_card_createDispute"));
    let known = story.events().len();
    story.pass(10);
    assert_eq!(story.events_after(known), ["charge.dispute.created", "charge.dispute.funds_withdrawn"]);
    let dispute = story.get(&format!("/v1/disputes?payment_intent={intent}"))["data"][0].clone();
    assert_eq!((&dispute["status"], &dispute["reason"]), (&json!("needs_response"), &json!("fraudulent")));
    assert_eq!(dispute["balance_transactions"][0]["net"], -13_500);
    let (status, body) = story.post("/v1/refunds", &format!("payment_intent={intent}"));
    assert_eq!((status, &body["error"]["code"]), (400, &json!("charge_disputed")));
    let path = format!("/v1/disputes/{}", id(&dispute));
    let staged = story.done(&path, "evidence[product_description]=visit&submit=false");
    assert_eq!(staged["status"], "needs_response");
    let won = story.done(&path, "evidence[uncategorized_text]=winning_evidence");
    assert_eq!(won["status"], "won");
    assert_eq!(won["balance_transactions"].as_array().unwrap().len(), 2);
    let told = story.events();
    assert_eq!(told[told.len() - 2..], ["charge.dispute.funds_reinstated", "charge.dispute.closed"]);
}

#[test]
fn an_inquiry_takes_no_money_and_a_closed_dispute_is_lost() {
    let mut story = Story::new();
    story.paid("pm_card_createDisputeInquiry");
    story.pass(10);
    let inquiry = story.get("/v1/disputes")["data"][0].clone();
    assert_eq!(
        (&inquiry["status"], &inquiry["balance_transactions"]),
        (&json!("warning_needs_response"), &json!([]))
    );
    let intent = id(&story.paid("pm_card_visa"));
    let dispute = story.control("dispute", json!({ "payment_intent": intent, "reason": "duplicate" }));
    assert_eq!(story.done(&format!("/v1/disputes/{}/close", id(&dispute)), "")["status"], "lost");
    assert!(story.world.control(story.now_ms, "win", &json!({ "dispute": id(&dispute) })).is_err());
}

#[test]
fn a_dispute_that_nobody_answers_is_lost() {
    let mut story = Story::new();
    story.paid("pm_card_createDispute");
    story.pass(10 * 86_400);
    assert_eq!(story.get("/v1/disputes")["data"][0]["status"], "lost");
}

#[test]
fn the_lines_of_a_payout_sum_to_its_amount() {
    let mut story = Story::new();
    for _ in 0..3 {
        story.paid("pm_card_visa");
    }
    let refunded = id(&story.paid("pm_card_visa"));
    story.done("/v1/refunds", &format!("payment_intent={refunded}&amount=3000"));
    story.pass(3 * 86_400);
    let payout = story.control("payout", empty());
    let lines = format!("/v1/balance_transactions?payout={}&limit=100", id(&payout));
    let early = story.send(Request::new("GET", &lines));
    assert_eq!(early.body_json()["error"]["code"], "payout_reconciliation_not_ready");
    story.pass(2 * 86_400);
    let rows = story.get(&lines)["data"].clone();
    let amount = payout["amount"].as_i64().unwrap();
    assert_eq!(amount, 4 * 11_622 - 3000);
    assert_eq!(sum(&rows, "net"), 0, "the payout's own line takes the rest away");
    assert_eq!(rows[0]["type"], "payout");
    assert_eq!(rows[0]["amount"], -amount);
    let told = story.events();
    let payouts: Vec<_> = told.iter().filter(|kind| kind.starts_with("payout.")).collect();
    assert_eq!(
        payouts,
        ["payout.created", "payout.updated", "payout.reconciliation_completed", "payout.paid"]
    );
    assert_eq!(story.get("/v1/balance")["available"][0]["amount"], 0);
}

#[test]
fn a_failed_payout_returns_to_the_balance() {
    let mut story = Story::new();
    story.paid("pm_card_bypassPending");
    let payout = story.control("payout", empty());
    let failed = story.control("payout_failed", json!({ "payout": id(&payout) }));
    assert_eq!(failed["status"], "failed");
    assert_eq!(story.get("/v1/balance")["available"][0]["amount"], 11_622);
    assert_eq!(story.control("payout", empty())["amount"], 11_622);
}

#[test]
fn nothing_is_paid_out_before_it_is_available() {
    let mut story = Story::new();
    story.paid("pm_card_visa");
    assert!(story.world.control(story.now_ms, "payout", &empty()).is_err());
    assert_eq!(story.get("/v1/balance")["pending"][0]["amount"], 11_622);
}

#[test]
fn payments_of_others_are_visible_and_marked_for_judges() {
    let mut story = Story::new();
    let paid = json!({ "amount": 4500, "currency": "usd", "metadata": { "link": "l-9" } });
    let intent = story.control("external_payment", paid);
    assert_eq!((&intent["status"], &intent["metadata"]["link"]), (&json!("succeeded"), &json!("l-9")));
    story.control("external_refund", json!({ "payment_intent": id(&intent), "amount": 500 }));
    let movements = story.world.movements();
    assert!(movements.iter().all(|movement| movement.external));
    assert_eq!(
        movements.iter().map(|movement| movement.motion).collect::<Vec<_>>(),
        [Motion::Charge, Motion::Refund]
    );
    assert_eq!(story.get("/v1/events?type=charge.succeeded")["data"][0]["request"]["id"], Value::Null);
}

#[test]
fn a_reset_forgets_everything_and_the_same_seed_repeats() {
    let mut story = Story::new();
    let first = id(&story.paid("pm_card_visa"));
    story.control("reset", json!({ "seed": 7 }));
    assert_eq!(story.get("/v1/events")["data"], json!([]));
    assert_eq!(story.world.movements().len(), 0);
    story.control("reset", json!({ "seed": 7 }));
    assert_eq!(id(&story.paid("pm_card_visa")), first);
}
