//! Stories of Connect: money passes on to a provider's account, and comes back as far as it is there.

use super::stage::{Story, id};
use serde_json::{Value, json};

const PROVIDER: &str = "type=express&capabilities[transfers][requested]=true";

fn provider(story: &mut Story) -> String {
    let account = story.done("/v1/accounts", PROVIDER);
    assert_eq!(account["capabilities"]["transfers"], "active");
    id(&account)
}

/// A transfer of 102.00 from a charge of 120.00.
fn sent(story: &mut Story, account: &str) -> Value {
    let charge = story.paid("pm_card_visa")["latest_charge"].as_str().unwrap().to_owned();
    let form = format!(
        "amount=10200&currency=usd&destination={account}&source_transaction={charge}&transfer_group=ppo_1\
         &metadata[suture_payout]=ppo_1/1"
    );
    story.done("/v1/transfers", &form)
}

#[test]
fn a_transfer_from_a_charge_needs_no_available_money_and_is_found_by_its_group() {
    let mut story = Story::new();
    let account = provider(&mut story);
    let known = story.events().len();
    let transfer = sent(&mut story, &account);
    assert_eq!((&transfer["amount"], &transfer["reversed"]), (&json!(10_200), &json!(false)));
    assert!(story.events_after(known).ends_with(&["transfer.created".to_owned()]));
    let page = story.get("/v1/transfers?transfer_group=ppo_1");
    assert_eq!(page["data"][0]["metadata"], json!({ "suture_payout": "ppo_1/1" }));
    assert_eq!(story.get("/v1/transfers?transfer_group=ppo_2")["data"], json!([]));
    let line =
        story.get(&format!("/v1/balance_transactions/{}", transfer["balance_transaction"].as_str().unwrap()));
    assert_eq!(
        (&line["type"], &line["amount"], &line["status"]),
        (&json!("transfer"), &json!(-10_200), &json!("pending"))
    );
}

#[test]
fn without_a_charge_the_money_must_be_available() {
    let mut story = Story::new();
    let account = provider(&mut story);
    story.paid("pm_card_visa");
    let form = format!("amount=5000&currency=usd&destination={account}");
    let (status, body) = story.post("/v1/transfers", &form);
    assert_eq!((status, &body["error"]["code"]), (400, &json!("balance_insufficient")));
    story.pass(3 * 86_400);
    story.done("/v1/transfers", &form);
}

#[test]
fn a_charge_is_passed_on_once_and_an_account_must_be_able_to_receive() {
    let mut story = Story::new();
    let account = provider(&mut story);
    let charge = sent(&mut story, &account)["source_transaction"].as_str().unwrap().to_owned();
    let more = format!("amount=1801&currency=usd&destination={account}&source_transaction={charge}");
    let (status, body) = story.post("/v1/transfers", &more);
    assert_eq!(status, 400, "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("must not exceed"), "{body}");
    story.control("connected_account", json!({ "account": account, "transfers": "inactive" }));
    let (_, body) = story.post("/v1/transfers", &more.replace("1801", "1"));
    assert_eq!(body["error"]["code"], "insufficient_capabilities_for_transfer");
    let (_, body) = story.post("/v1/transfers", "amount=1&currency=usd&destination=acct_none");
    assert_eq!(
        (&body["error"]["code"], &body["error"]["param"]),
        (&json!("resource_missing"), &json!("destination"))
    );
}

#[test]
fn a_reversal_takes_back_what_is_there_and_no_more_than_was_sent() {
    let mut story = Story::new();
    let account = provider(&mut story);
    let transfer = id(&sent(&mut story, &account));
    let path = format!("/v1/transfers/{transfer}/reversals");
    let reversal = story.done(&path, "amount=2000&metadata[suture_reversal]=ppo_1/r1");
    assert_eq!((&reversal["object"], &reversal["transfer"]), (&json!("transfer_reversal"), &json!(transfer)));
    assert_eq!(story.get(&format!("/v1/transfers/{transfer}"))["amount_reversed"], 2_000);
    assert_eq!(story.get(&path)["data"][0]["metadata"], json!({ "suture_reversal": "ppo_1/r1" }));
    let (status, body) = story.post(&path, "amount=8201");
    assert_eq!((status, &body["error"]["param"]), (400, &json!("amount")));
    // The provider's bank has most of it.
    story.control("connected_account", json!({ "account": account, "withdraw": 8_000 }));
    let (status, body) = story.post(&path, "amount=201");
    assert_eq!((status, &body["error"]["code"]), (400, &json!("balance_insufficient")));
    story.done(&path, "amount=200");
    assert!(story.events().contains(&"transfer.reversed".to_owned()));
}

#[test]
fn the_same_key_sends_once_also_when_the_answer_was_lost() {
    let mut story = Story::new();
    let account = provider(&mut story);
    story.paid("pm_card_visa");
    story.pass(3 * 86_400);
    let form = format!("amount=5000&currency=usd&destination={account}");
    story.control("lose_answers", json!({ "next": 1, "only": "POST /v1/transfers", "mode": "empty_500" }));
    assert_eq!(story.keyed("/v1/transfers", &form, "k1").status, 500);
    let again = story.keyed("/v1/transfers", &form, "k1");
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(story.get("/v1/transfers")["data"].as_array().unwrap().len(), 1);
}
