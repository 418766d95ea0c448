//! Documents that say too little, too much, or do not add up, are refused with the field's name.

use serde_json::{Value, json};
use suture_connect::erp::document::Document;
use suture_connect::erp::filing::{FilingInput, FilingState, FilingStatus};
use suture_core::money::Money;

use crate::support::{
    application, credit, customer, debit, document, done, every_document, hold, journal, order, receipt,
    reversal, step,
};

fn spoiled(good: &Document, pointer: &str, value: Value) -> Document {
    let mut json = serde_json::to_value(good).unwrap();
    match json.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => json[pointer.trim_start_matches('/')] = value,
    }
    document(json)
}

#[test]
fn every_document_of_the_stories_is_good_and_survives_storage() {
    for document in every_document() {
        document.check().unwrap();
        let stored = serde_json::to_value(&document).unwrap();
        assert_eq!(stored["kind"], document.kind());
        assert_eq!(serde_json::from_value::<Document>(stored).unwrap(), document);
    }
}

#[test]
fn the_refused_field_is_named_and_nothing_is_sent() {
    let wrong = [
        (customer(), "/reference", json!("a b"), "reference"),
        (customer(), "/reference", json!("x".repeat(51)), "reference"),
        (customer(), "/reference", json!("é"), "reference"),
        (customer(), "/external_id", json!(""), "external_id"),
        (customer(), "/name", json!("  "), "name"),
        (customer(), "/email", json!("nobody"), "email"),
        (customer(), "/address/country", json!("USA"), "address.country"),
        (order(), "/customer_number", json!(0), "customer_number"),
        (order(), "/lines", json!([]), "lines"),
        (order(), "/lines/0/part", json!(""), "lines[0].part"),
        (order(), "/lines/0/quantity", json!("1.5x"), "lines[0].quantity"),
        (order(), "/lines/0/quantity", json!("0.00001"), "lines[0].quantity"),
        (order(), "/total_minor", json!(10_801), "total_minor"),
        (order(), "/tax_minor", json!(-1), "tax_minor"),
        (order(), "/hold", json!(true), "hold_reason"),
        (order(), "/custom", json!({"OrderNum": 5}), "custom.OrderNum"),
        (order(), "/custom", json!({"A_c": 1.5}), "custom.A_c"),
        (receipt(), "/amount/minor", json!(0), "amount"),
        (receipt(), "/group", json!("SUT"), "group"),
        (receipt(), "/group", json!("s"), "group"),
        (receipt(), "/method", json!("4242424242424242"), "method"),
        (application(), "/receipt/group", json!("S261121ABC"), "receipt.group"),
        (application(), "/invoice_number", json!(-1), "invoice_number"),
        (reversal(100), "/receipt/head", json!(0), "receipt.head"),
        (reversal(100), "/reason", json!("a\nb"), "reason"),
        (hold(), "/order_number", json!(0), "order_number"),
        (credit(), "/tax_minor", json!(5401), "tax_minor"),
        (credit(), "/lines", json!([{"description": "x", "quantity": "1", "unit_price_minor": 1}]), "amount"),
        (debit(), "/reason_code", json!(""), "reason_code"),
        (journal(), "/lines/0/debit_minor", json!(10_488), "lines"),
        (
            journal(),
            "/lines/0",
            json!({"account": "1010", "debit_minor": 1, "credit_minor": 1}),
            "lines[0].debit_minor",
        ),
        (journal(), "/description", json!(""), "description"),
    ];
    for (good, pointer, value, field) in wrong {
        let bad = spoiled(&good, pointer, value);
        let problem = bad.check().expect_err(pointer);
        assert_eq!(problem.field, field, "{problem}");
        let (_, status) = done(step(&bad, &FilingState::begin(), FilingInput::Go));
        let FilingStatus::Rejected { failure, field: told, .. } = status else {
            panic!("{pointer} was sent")
        };
        assert_eq!((failure.code.as_str(), told.as_deref()), ("erp_document_incomplete", Some(field)));
        assert!(failure.message.contains("Nothing was sent."));
    }
}

#[test]
fn the_message_of_a_wrong_total_tells_both_sums() {
    let problem = spoiled(&order(), "/total_minor", json!(10_801)).check().unwrap_err();
    assert_eq!(
        problem.to_string(),
        "total_minor is 10801, but lines, tax and shipping add up to 10800; correct the mapping of the order"
    );
}

#[test]
fn members_that_nobody_knows_and_rounded_money_are_refused() {
    let mut value = serde_json::to_value(receipt()).unwrap();
    value["card"] = json!("4242");
    assert!(serde_json::from_value::<Document>(value).is_err());
    let mut value = serde_json::to_value(receipt()).unwrap();
    value["amount"] = json!({"decimal": "1.005", "currency": "USD"});
    assert!(serde_json::from_value::<Document>(value.clone()).is_err());
    value["amount"] = json!({"decimal": "1.50", "currency": "USD"});
    assert_eq!(document(value).amount(), Some(Money::usd(150)));
}

#[test]
fn what_a_document_moves_is_its_amount() {
    assert_eq!(order().amount(), Some(Money::usd(10_800)));
    assert_eq!(journal().amount(), Some(Money::usd(10_800)));
    assert_eq!((customer().amount(), hold().amount()), (None, None));
}
