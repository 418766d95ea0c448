//! The kit of every connector, run for Stripe.

use suture_connect::gateway::{
    Account, Fetch, History, Invoices, Payments, Refunds, Transfers, Vault, Webhooks,
};
use suture_connect::kit;
use suture_core::time::Timestamp;

use crate::support::{KEY, WEBHOOK_SECRET, fixture, json, settings, stripe};

#[test]
fn the_same_call_gives_the_same_bytes() {
    kit::builds_the_same_bytes_twice(&stripe());
}

#[test]
fn every_post_carries_the_stored_key() {
    kit::every_post_carries_its_key(&stripe(), "idempotency-key");
}

#[test]
fn no_credential_is_ever_printed() {
    let webhook = stripe().read(event("payment_intent.succeeded").as_bytes()).unwrap();
    let declined = stripe().read_payment(&crate::support::answer(402, fixture("intent-declined.json")));
    let paid = stripe().read_payment(&crate::support::answer(200, fixture("intent-succeeded.json")));
    let hidden = [KEY, WEBHOOK_SECRET, "pi_3S1_secret_hidden", "Hidden Name", "hidden@example.org"];
    kit::shows_no_secret(&stripe(), &[&stripe(), &settings(), &webhook, &declined, &paid], &hidden);
}

#[test]
fn a_lost_answer_is_unknown_whatever_was_asked() {
    let stripe = stripe();
    let intent = fixture("intent-succeeded.json");
    kit::takes_a_lost_answer_for_unknown(intent.as_bytes(), |response| stripe.read_payment(response));
    let refund = fixture("refund.json");
    kit::takes_a_lost_answer_for_unknown(refund.as_bytes(), |response| stripe.read_refund(response));
    let setup = br#"{"id":"seti_1","object":"setup_intent","client_secret":"seti_1_secret_1"}"#;
    kit::takes_a_lost_answer_for_unknown(setup, |response| stripe.read_setup(response));
    let endpoint = br#"{"id":"we_1","object":"webhook_endpoint","secret":"whsec_1"}"#;
    kit::takes_a_lost_answer_for_unknown(endpoint, |response| stripe.read_endpoint(response));
    let balance = br#"{"object":"balance","livemode":false}"#;
    kit::takes_a_lost_answer_for_unknown(balance, |response| stripe.read_account(response));
}

#[test]
fn a_lost_answer_about_a_transfer_is_unknown() {
    let stripe = stripe();
    let transfer = fixture("transfer.json");
    kit::takes_a_lost_answer_for_unknown(transfer.as_bytes(), |response| stripe.read_transfer(response));
    let reversal = fixture("transfer-reversal.json");
    kit::takes_a_lost_answer_for_unknown(reversal.as_bytes(), |response| stripe.read_reversal(response));
    let empty = br#"{"object":"list","data":[],"has_more":false}"#;
    kit::takes_a_lost_answer_for_unknown(empty, |response| stripe.read_transfers(response));
    kit::takes_a_lost_answer_for_unknown(empty, |response| stripe.read_reversals(response));
    let account = br#"{"id":"acct_1","object":"account","capabilities":{"transfers":"active"}}"#;
    kit::takes_a_lost_answer_for_unknown(account, |response| stripe.read_standing(response));
}

#[test]
fn a_lost_answer_about_a_customer_or_a_method_is_unknown() {
    let stripe = stripe();
    let customer = fixture("customer.json");
    kit::takes_a_lost_answer_for_unknown(customer.as_bytes(), |response| stripe.read_customer(response));
    let found = br#"{"object":"search_result","data":[],"has_more":false,"next_page":null}"#;
    kit::takes_a_lost_answer_for_unknown(found, |response| stripe.read_customers(response));
    let setup = fixture("setup.json");
    kit::takes_a_lost_answer_for_unknown(setup.as_bytes(), |response| stripe.read_setup_result(response));
    let method = fixture("method.json");
    kit::takes_a_lost_answer_for_unknown(method.as_bytes(), |response| stripe.read_method(response));
    let empty = br#"{"object":"list","data":[],"has_more":false}"#;
    kit::takes_a_lost_answer_for_unknown(empty, |response| stripe.read_methods(response));
}

#[test]
fn a_lost_answer_about_an_invoice_is_unknown() {
    let stripe = stripe();
    let invoice = fixture("invoice.json");
    kit::takes_a_lost_answer_for_unknown(invoice.as_bytes(), |response| stripe.read_invoice(response));
    kit::takes_a_lost_answer_for_unknown(invoice.as_bytes(), |response| stripe.read_pay(response));
    let item = fixture("invoice-item.json");
    kit::takes_a_lost_answer_for_unknown(item.as_bytes(), |response| stripe.read_item(response));
    let empty = br#"{"object":"list","data":[],"has_more":false}"#;
    kit::takes_a_lost_answer_for_unknown(empty, |response| stripe.read_payments(response));
    let credit = fixture("credit-note.json");
    kit::takes_a_lost_answer_for_unknown(credit.as_bytes(), |response| stripe.read_credit_note(response));
}

#[test]
fn a_lost_answer_to_a_look_up_is_unknown_and_not_missing() {
    let stripe = stripe();
    let empty = br#"{"object":"list","data":[],"has_more":false}"#;
    for list in kit::lists() {
        kit::takes_a_lost_answer_for_unknown(empty, |response| stripe.read_list(list, response));
    }
    let charge = fixture("charge.json");
    for (asked, body) in [
        (Fetch::Charge("ch_3S1".to_owned()), charge),
        (Fetch::Customer("cus_1".to_owned()), fixture("customer.json")),
        (Fetch::Method("pm_1".to_owned()), fixture("method.json")),
        (Fetch::Setup("seti_1".to_owned()), fixture("setup.json")),
        (Fetch::Invoice("in_1".to_owned()), fixture("invoice.json")),
        (Fetch::CreditNote("cn_1".to_owned()), fixture("credit-note.json")),
    ] {
        kit::takes_a_lost_answer_for_unknown(body.as_bytes(), |response| {
            stripe.read_fetched(&asked, response)
        });
    }
}

#[test]
fn one_flipped_bit_fails_the_signature() {
    let cases = json("signatures.json");
    let case = &cases["cases"][0];
    let (header, body) = (case["header"].as_str().unwrap(), case["payload"].as_str().unwrap());
    let now = Timestamp::from_seconds(case["now"].as_i64().unwrap());
    kit::refuses_one_flipped_bit(&stripe(), header, body.as_bytes(), now);
}

fn event(event_type: &str) -> String {
    let ending = format!("\"type\":\"{event_type}\"}}");
    fixture("events.jsonl").lines().find(|line| line.ends_with(&ending)).unwrap().to_owned()
}
