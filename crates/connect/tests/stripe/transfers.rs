//! What an answer about a transfer, its reversals or a connected account says.

use serde_json::json as object;
use suture_connect::gateway::Transfers;
use suture_connect::outcome::{Outcome, Retry};
use suture_core::money::Money;

use crate::support::{answer, fixture, json, refusal, stripe};

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    let Outcome::Done(value) = outcome else { panic!("not done: {outcome:?}") };
    value
}

#[test]
fn a_transfer_is_seen_with_our_token_and_what_came_back() {
    let seen = done(stripe().read_transfer(&answer(200, fixture("transfer.json"))));
    assert_eq!((seen.id.as_str(), seen.amount, seen.reversed_minor), ("tr_3S1", Money::usd(20_400), 4_675));
    assert_eq!((seen.transfer_id.as_deref(), seen.group.as_deref()), (Some("ppo_1/1"), Some("ppo_1")));
    assert_eq!(seen.destination.as_deref(), Some("acct_1Provider"));
}

#[test]
fn a_reversal_names_its_transfer() {
    let seen = done(stripe().read_reversal(&answer(200, fixture("transfer-reversal.json"))));
    assert_eq!(
        (seen.id.as_str(), seen.transfer.as_str(), seen.amount),
        ("trr_3S1", "tr_3S1", Money::usd(4_675))
    );
    assert_eq!(seen.reversal_id.as_deref(), Some("ppo_1/r1"));
}

#[test]
fn transfers_of_a_group_are_walked_page_by_page_and_one_unreadable_item_makes_all_unknown() {
    let page = |items: Vec<serde_json::Value>, more: bool| {
        answer(200, object!({ "object": "list", "data": items, "has_more": more }).to_string())
    };
    let part = done(stripe().read_transfers(&page(vec![json("transfer.json")], true)));
    assert_eq!((part.items.len(), part.next.as_deref()), (1, Some("tr_3S1")));
    let mut strange = json("transfer.json");
    strange["currency"] = "xyz".into();
    let outcome = stripe().read_transfers(&page(vec![json("transfer.json"), strange], false));
    assert!(matches!(outcome, Outcome::Unknown(_)), "a list with a hole proves nothing: {outcome:?}");
}

#[test]
fn a_balance_that_is_too_small_has_one_code_and_a_sentence_of_its_own() {
    for code in ["balance_insufficient", "insufficient_funds"] {
        let short = refusal(400, &object!({ "type": "invalid_request_error", "code": code, "message": "x" }));
        let Outcome::Declined(sent) = stripe().read_transfer(&short) else { panic!("not declined") };
        let Outcome::Declined(back) = stripe().read_reversal(&short) else { panic!("not declined") };
        assert_eq!((sent.code.as_str(), sent.retry), ("balance_insufficient", Retry::Never));
        assert!(sent.message.contains("nothing was sent"), "{}", sent.message);
        assert!(back.message.contains("nothing was taken back"), "{}", back.message);
    }
    let other = refusal(400, &object!({ "type": "invalid_request_error", "code": "transfers_not_allowed" }));
    let Outcome::Declined(failure) = stripe().read_transfer(&other) else { panic!("not declined") };
    assert_eq!(failure.code, "transfers_not_allowed");
    assert!(failure.message.contains("moved nothing"), "{}", failure.message);
}

#[test]
fn an_account_may_receive_transfers_only_when_its_capability_is_active() {
    for (capability, enabled) in [("active", true), ("pending", false), ("inactive", false)] {
        let body = object!({
            "id": "acct_1", "object": "account", "payouts_enabled": true, "capabilities": { "transfers": capability },
        });
        let standing = done(stripe().read_standing(&answer(200, body.to_string())));
        assert_eq!((standing.transfers_enabled, standing.payouts_enabled), (enabled, true), "{capability}");
    }
    let bare = done(stripe().read_standing(&answer(200, r#"{"id":"acct_1","object":"account"}"#)));
    assert_eq!((bare.transfers_enabled, bare.payouts_enabled), (false, false));
}
