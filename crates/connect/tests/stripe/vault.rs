//! What an answer about a customer, a setup or a stored method says, and what a hold on a card allows.

use serde_json::{Value, json as object};
use suture_connect::gateway::{
    AuthorizationSeen, Fetch, History, HsaFsa, Note, Payments, SetupStatus, StoredMethod, Vault,
};
use suture_connect::outcome::{Outcome, Retry};
use suture_core::evidence::{DeclineAdvice, Evidence};
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::support::{answer, fixture, json, note, refusal, stripe};

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    let Outcome::Done(value) = outcome else { panic!("not done: {outcome:?}") };
    value
}

fn fetched(what: &Fetch, body: &Value) -> (Vec<String>, Vec<Fetch>) {
    let seen = done(stripe().read_fetched(what, &answer(200, body.to_string())));
    assert!(seen.evidence.is_empty() && seen.client_secret.is_none());
    (seen.notes.iter().map(note).collect(), seen.fetch)
}

#[test]
fn a_customer_is_seen_with_what_is_needed_to_adopt_it_and_prints_nothing_else() {
    let seen = done(stripe().read_customer(&answer(200, fixture("customer.json"))));
    assert_eq!((seen.customer.as_str(), seen.deleted), ("cus_1", false));
    assert_eq!((seen.link.as_deref(), seen.default_method.as_deref()), (Some("lnk_7"), Some("pm_1")));
    assert_eq!(seen.balance, Some(Money::usd(-2_500)));
    assert_eq!(seen.metadata.expose().get("bridgePatientId").map(String::as_str), Some("pat_6"));
    assert!(!format!("{seen:?}").contains("Hidden"), "{seen:?}");
}

#[test]
fn a_deleted_customer_is_told_as_deleted() {
    let body = object!({ "id": "cus_1", "object": "customer", "deleted": true });
    let seen = done(stripe().read_customer(&answer(200, body.to_string())));
    assert!(seen.deleted && seen.link.is_none() && seen.metadata.expose().is_empty());
}

#[test]
fn a_search_is_walked_by_its_own_pages() {
    let page = |has_more: bool, next: Value| {
        object!({ "object": "search_result", "data": [json("customer.json")], "has_more": has_more, "next_page": next,
            "url": "/v1/customers/search" })
    };
    let read = |body: Value| stripe().read_customers(&answer(200, body.to_string()));
    let first = done(read(page(true, "page_2".into())));
    assert_eq!((first.items.len(), first.next.as_deref()), (1, Some("page_2")));
    assert_eq!(done(read(page(false, Value::Null))).next, None);
    assert!(matches!(read(page(true, Value::Null)), Outcome::Unknown(_)), "more, but no way to it");
    let mut list = page(false, Value::Null);
    list["object"] = "list".into();
    assert!(matches!(read(list), Outcome::Unknown(_)), "not a search");
}

#[test]
fn a_stored_card_is_seen_without_its_owner() {
    let seen = done(stripe().read_method(&answer(200, fixture("method.json"))));
    let expected = StoredMethod {
        id: "pm_1".to_owned(),
        customer: Some("cus_1".to_owned()),
        kind: "card".to_owned(),
        brand: Some("visa".to_owned()),
        last4: Some("0072".to_owned()),
        exp_month: Some(12),
        exp_year: Some(2031),
        funding: Some("debit".to_owned()),
        hsa_fsa: HsaFsa::Unknown,
        fingerprint: Some("fp_1".to_owned()),
        wallet: Some("apple_pay".to_owned()),
        created: Some(Timestamp::from_seconds(1_795_254_000)),
    };
    assert_eq!(seen, expected);
    assert!(!format!("{seen:?}").contains("Hidden"));
}

#[test]
fn a_bank_account_and_a_kind_that_is_new_are_stored_methods_too() {
    let bank = object!({ "id": "pm_2", "object": "payment_method", "type": "us_bank_account", "customer": "cus_1",
        "us_bank_account": { "account_type": "checking", "fingerprint": "fp_2", "last4": "6789" } });
    let seen = done(stripe().read_method(&answer(200, bank.to_string())));
    assert_eq!((seen.kind.as_str(), seen.last4.as_deref()), ("us_bank_account", Some("6789")));
    assert_eq!(seen.funding.as_deref(), Some("checking"));
    let new = object!({ "id": "pm_3", "object": "payment_method", "type": "telepathy", "customer": null });
    let seen = done(stripe().read_method(&answer(200, new.to_string())));
    assert_eq!((seen.kind.as_str(), seen.customer, seen.last4), ("telepathy", None, None));
}

#[test]
fn a_page_of_methods_is_whole_or_unknown() {
    let page = |second: Value, has_more: bool| {
        let body = object!({ "object": "list", "data": [json("method.json"), second], "has_more": has_more });
        stripe().read_methods(&answer(200, body.to_string()))
    };
    let second = object!({ "id": "pm_2", "object": "payment_method", "type": "card" });
    let part = done(page(second.clone(), true));
    assert_eq!((part.items.len(), part.next.as_deref()), (2, Some("pm_2")));
    assert_eq!(done(page(second, false)).next, None);
    let foreign = object!({ "id": "ch_2", "object": "charge" });
    assert!(matches!(page(foreign, false), Outcome::Unknown(_)));
}

#[test]
fn a_created_setup_gives_its_browser_secret_and_nothing_prints_it() {
    let (id, secret) = done(stripe().read_setup(&answer(200, fixture("setup.json"))));
    assert_eq!((id.as_str(), secret.expose().as_str()), ("seti_1", "seti_1_secret_hidden"));
    let seen = done(stripe().read_setup_result(&answer(200, fixture("setup.json"))));
    assert_eq!((seen.status.clone(), seen.method.as_deref()), (SetupStatus::Succeeded, Some("pm_1")));
    assert!(!format!("{seen:?}").contains("_secret_"));
}

#[test]
fn a_setup_that_failed_says_why_and_one_in_a_new_state_keeps_the_word() {
    let mut body = json("setup.json");
    body["status"] = "requires_payment_method".into();
    body["last_setup_error"] = json("intent-declined.json")["error"].clone();
    let seen = done(stripe().read_setup_result(&answer(200, body.to_string())));
    assert_eq!(seen.error.as_ref().map(|error| error.advice), Some(DeclineAdvice::SoftDecline));
    assert!(!format!("{seen:?}").contains("Hidden"));
    body["status"] = "requires_magic".into();
    let seen = done(stripe().read_setup_result(&answer(200, body.to_string())));
    assert_eq!(seen.status, SetupStatus::Other("requires_magic".to_owned()));
}

#[test]
fn a_declined_card_that_was_to_be_stored_is_not_said_to_have_failed_a_payment() {
    let error = object!({ "type": "card_error", "code": "card_declined", "decline_code": "do_not_honor" });
    let Outcome::Declined(failure) = stripe().read_method(&refusal(402, &error)) else {
        panic!("not declined")
    };
    assert_eq!((failure.code.as_str(), failure.retry), ("card_declined", Retry::Never));
    assert!(failure.message.contains("was not stored"), "{}", failure.message);
}

#[test]
fn what_is_fetched_is_noted_and_names_what_to_fetch_next() {
    let (notes, next) = fetched(&Fetch::Customer("cus_1".to_owned()), &json("customer.json"));
    assert!(notes[0].starts_with("customer cus_1 deleted false"), "{notes:?}");
    assert!(next.is_empty());
    let (notes, next) = fetched(&Fetch::Setup("seti_1".to_owned()), &json("setup.json"));
    assert!(notes[0].starts_with("setup seti_1 Succeeded"), "{notes:?}");
    assert_eq!(next, [Fetch::Method("pm_1".to_owned())]);
    let mut waiting = json("setup.json");
    waiting["status"] = "requires_action".into();
    assert!(fetched(&Fetch::Setup("seti_1".to_owned()), &waiting).1.is_empty(), "nothing is stored yet");
    let (notes, _) = fetched(&Fetch::Method("pm_1".to_owned()), &json("method.json"));
    assert!(notes[0].contains("last4: Some(\"0072\")"), "{notes:?}");
    let mut detached = json("method.json");
    detached["customer"] = Value::Null;
    assert_eq!(fetched(&Fetch::Method("pm_1".to_owned()), &detached).0, ["method pm_1 gone"]);
}

/// An intent that waits for capture, with its charge.
fn held() -> Value {
    let mut intent = json("intent-succeeded.json");
    intent["status"] = "requires_capture".into();
    intent["amount_capturable"] = 12_000.into();
    intent["amount_received"] = 0.into();
    intent["latest_charge"]["captured"] = false.into();
    intent["latest_charge"]["amount_captured"] = 0.into();
    let card = &mut intent["latest_charge"]["payment_method_details"]["card"];
    card["incremental_authorization"] = object!({ "status": "available" });
    card["overcapture"] = object!({ "status": "available", "maximum_amount_capturable": 13_800 });
    intent
}

fn notes_of(intent: &Value) -> Vec<Note> {
    done(stripe().read_payment(&answer(200, intent.to_string()))).notes
}

#[test]
fn a_hold_says_how_long_it_lasts_and_what_it_allows() {
    let expected = AuthorizationSeen {
        charge: "ch_3S1".to_owned(),
        intent: Some("pi_3S1".to_owned()),
        held: Money::usd(12_000),
        capturable_max: Some(Money::usd(13_800)),
        capture_before: Some(Timestamp::from_seconds(1_795_858_800)),
        network: Some("visa".to_owned()),
        growing: Some(true),
        extended: Some(false),
        in_parts: Some(false),
    };
    assert_eq!(notes_of(&held()), [Note::Authorization(expected)]);
}

#[test]
fn a_hold_that_is_captured_in_parts_has_moved_the_parts_and_holds_the_rest() {
    let mut intent = held();
    intent["amount_received"] = 4_500.into();
    intent["amount_capturable"] = 7_500.into();
    intent["latest_charge"]["amount_captured"] = 4_500.into();
    let seen = done(stripe().read_payment(&answer(200, intent.to_string())));
    let Some(Evidence::Charge(charge)) = seen.evidence.last() else { panic!("no charge") };
    assert_eq!(charge.captured_minor, 4_500);
    assert!(matches!(&seen.notes[..], [Note::Authorization(hold)] if hold.held == Money::usd(7_500)));
}

#[test]
fn what_was_captured_released_or_canceled_is_no_hold() {
    assert!(notes_of(&json("intent-succeeded.json")).is_empty(), "captured");
    let mut released = held();
    released["latest_charge"]["amount_refunded"] = 12_000.into();
    assert!(notes_of(&released).is_empty(), "released");
    let mut canceled = held();
    canceled["status"] = "canceled".into();
    assert!(notes_of(&canceled).is_empty(), "canceled before the charge tells it");
}
