//! Polls and sweeps.

use serde_json::{Value, json as object};
use suture_connect::gateway::{Fetch, History, List};
use suture_connect::outcome::Outcome;
use suture_core::evidence::{DisputeStatus, Evidence};

use crate::support::{answer, json, refusal, stripe};

fn fetched(what: &Fetch, body: &Value) -> Outcome<suture_connect::gateway::Seen> {
    stripe().read_fetched(what, &answer(200, body.to_string()))
}

fn list(items: &[Value], has_more: bool) -> Value {
    object!({ "object": "list", "data": items, "has_more": has_more, "url": "/v1/x" })
}

#[test]
fn an_object_counts_only_when_it_is_the_one_that_was_asked_for() {
    let charge = json("charge.json");
    let asked = Fetch::Charge("ch_3S1".to_owned());
    assert!(matches!(fetched(&asked, &charge), Outcome::Done(_)));
    for (what, body) in [
        (Fetch::Charge("ch_other".to_owned()), &charge),
        (Fetch::Refund("ch_3S1".to_owned()), &charge),
        (Fetch::Intent("pi_3S1".to_owned()), &charge),
        (asked, &json("refund.json")),
    ] {
        assert!(matches!(fetched(&what, body), Outcome::Unknown(_)), "{what:?}");
    }
}

#[test]
fn an_object_that_does_not_exist_is_missing_but_a_wrong_address_is_not() {
    let what = Fetch::Intent("pi_1".to_owned());
    let missing = refusal(404, &object!({ "type": "invalid_request_error", "code": "resource_missing" }));
    let Outcome::Declined(failure) = stripe().read_fetched(&what, &missing) else { panic!("not declined") };
    assert_eq!(failure.code, "resource_missing");
    let wrong =
        refusal(404, &object!({ "type": "invalid_request_error", "message": "Unrecognized request URL" }));
    let Outcome::Declined(failure) = stripe().read_fetched(&what, &wrong) else { panic!("not declined") };
    assert_eq!(failure.code, "not_found");
}

#[test]
fn a_dispute_says_what_was_taken() {
    let what = Fetch::Dispute("dp_1".to_owned());
    let Outcome::Done(seen) = fetched(&what, &json("dispute.json")) else { panic!("not done") };
    let [Evidence::Dispute(dispute)] = &seen.evidence[..] else { panic!("expected one dispute: {seen:?}") };
    assert_eq!((dispute.status, dispute.fee_minor), (DisputeStatus::Opened, 1_500));
    assert_eq!((dispute.withdrawn, dispute.reinstated), (true, false));
    assert!(dispute.due_by.is_some());
}

#[test]
fn the_refunds_of_a_charge_are_all_of_that_charge_or_unknown() {
    let what = Fetch::RefundsOfCharge("ch_3S1".to_owned());
    let refund = json("refund.json");
    let Outcome::Done(seen) = fetched(&what, &list(&[refund.clone(), refund.clone()], false)) else {
        panic!("not done")
    };
    assert_eq!(seen.evidence.len(), 2);
    let mut foreign = refund.clone();
    foreign["charge"] = "ch_other".into();
    assert!(matches!(fetched(&what, &list(&[refund, foreign], false)), Outcome::Unknown(_)));
}

#[test]
fn the_payments_of_an_invoice_are_fetched_one_by_one() {
    let payment = |payment| object!({ "id": "inpay_1", "object": "invoice_payment", "payment": payment });
    let items = [
        payment(object!({ "type": "payment_intent", "payment_intent": "pi_1" })),
        payment(object!({ "type": "charge", "charge": { "id": "ch_1", "object": "charge" } })),
        payment(object!({ "type": "payment_record", "payment_record": "pr_1" })),
        payment(object!({ "type": "payment_intent", "payment_intent": "../v1/refunds" })),
    ];
    let Outcome::Done(seen) = fetched(&Fetch::InvoicePayments("in_1".to_owned()), &list(&items, false))
    else {
        panic!("not done")
    };
    assert_eq!(seen.fetch, [Fetch::Intent("pi_1".to_owned()), Fetch::Charge("ch_1".to_owned())]);
}

#[test]
fn a_page_of_intents_hides_none_that_cannot_be_read() {
    let (good, mut odd) = (json("intent-succeeded.json"), json("intent-succeeded.json"));
    odd["id"] = "pi_odd".into();
    odd["currency"] = "doubloons".into();
    let body = list(&[odd, good], true).to_string();
    let Outcome::Done(page) = stripe().read_list(List::Intents, &answer(200, body)) else {
        panic!("not done")
    };
    assert_eq!(page.seen.fetch, [Fetch::Intent("pi_odd".to_owned())]);
    assert_eq!(page.seen.evidence.len(), 2, "the readable intent and its charge");
    assert_eq!(page.next.as_deref(), Some("pi_3S1"));
    assert!(page.seen.client_secret.is_none());
}

#[test]
fn the_last_page_has_no_next_one_and_a_page_without_end_is_unknown() {
    let refund = [json("refund.json")];
    let Outcome::Done(page) =
        stripe().read_list(List::Refunds, &answer(200, list(&refund, false).to_string()))
    else {
        panic!("not done")
    };
    assert_eq!(page.next, None);
    for kind in [List::Refunds, List::Payouts] {
        let endless = stripe().read_list(kind, &answer(200, list(&[], true).to_string()));
        assert!(matches!(endless, Outcome::Unknown(_)), "{endless:?}");
    }
}

#[test]
fn events_are_listed_as_they_are_but_without_browser_secrets() {
    let event = object!({ "id": "evt_1", "object": "event", "type": "payment_intent.succeeded",
        "data": { "object": { "id": "pi_1", "client_secret": "pi_1_secret_x", "amount": 1 } } });
    let body = list(&[event], true).to_string();
    let Outcome::Done(page) = stripe().read_list(List::Events, &answer(200, body)) else {
        panic!("not done")
    };
    assert_eq!(page.items[0]["data"]["object"], object!({ "id": "pi_1", "amount": 1 }));
    assert_eq!(page.next.as_deref(), Some("evt_1"));
}
