//! Golden requests and the stories of each kind.

use serde_json::{Value, json};
use suture_connect::erp::epicor::settings::{Adopt, Charge};
use suture_connect::erp::filing::{FilingInput, FilingState, FilingStatus, FilingStep};
use suture_connect::http::HttpRequest;
use suture_connect::outcome::Retry;

use crate::kinetic::Kinetic;
use crate::support::{
    application, code, company, credit, customer, debit, document, done, every_document, file, file_in,
    filed, hold, journal, order, receipt, response, reversal, sent, step, step_in, wire,
};

const HEADERS: &str = "accept: application/json\nx-api-key: secret key-1\n\
    authorization: secret Basic c3V0dXJlOmh1bnRlcjI=\n";
const JSON: &str = "content-type: application/json\n";
const BASE: &str = "https://erp.example/kinetic/api/v2/odata/EPIC06";

fn first(document: &suture_connect::erp::document::Document) -> HttpRequest {
    sent(step(document, &FilingState::begin(), FilingInput::Go)).1
}

#[test]
fn an_order_is_one_request_with_exact_amounts() {
    let body = r#"{"Company":"EPIC06","CustNum":17,"OrderDate":"2026-11-21T00:00:00","CurrencyCode":"USD","SutureRef_c":"order:1","OrderDtls":[{"Company":"EPIC06","PartNum":"WIDGET","SellingQuantity":2,"DocUnitPrice":50.00,"LockPrice":true,"OverridePriceList":true}],"OHOrderMscs":[{"Company":"EPIC06","MiscCode":"TAX","Description":"Tax","DocMiscAmt":8.00}]}"#;
    let expected = format!("POST {BASE}/Erp.BO.SalesOrderSvc/SalesOrders\n{HEADERS}{JSON}{body}");
    assert_eq!(wire(&first(&order())), expected);
    let (status, requests) = file(&mut Kinetic::new(), &order());
    assert_eq!((filed(&status), requests.len()), ((&json!({"order_number": 1001, "held": false}), false), 1));
}

#[test]
fn a_receipt_names_its_group_customer_order_and_our_reference() {
    let body = r#"{"Company":"EPIC06","GroupID":"S261121A","TranDate":"2026-11-21T00:00:00","BankAcctID":"MAIN","TranType":"PayInv","CustNum":17,"OrderNum":1001,"ExternalID":"receipt:1","Reference":"visa 4242","CurrencyCode":"USD","DocTranAmt":108.00,"TranAmt":108.00,"CheckRef":"receipt:1"}"#;
    let expected = format!("POST {BASE}/Erp.BO.CashRecSvc/CashRecs\n{HEADERS}{JSON}{body}");
    assert_eq!(wire(&first(&receipt())), expected);
}

#[test]
fn credits_are_negative_and_debits_are_not() {
    let credit = wire(&first(&credit()));
    for part in [
        r#""GroupID":"SI261121A""#,
        r#""InvoiceType":"Mis""#,
        r#""CreditMemo":true,"InvoiceRef":501,"CMReason":"RET","DocInvoiceAmt":-54.00"#,
        r#""SellingShipQty":-1,"DocUnitPrice":50.00,"DocExtPrice":-50.00"#,
        r#""LineDesc":"Tax","SellingShipQty":-1,"DocUnitPrice":4.00,"DocExtPrice":-4.00"#,
    ] {
        assert!(credit.contains(part), "{part}: {credit}");
    }
    let debit = wire(&first(&debit()));
    assert!(
        debit.contains(r#""CreditMemo":false,"InvoiceRef":501,"CMReason":"CHB","DocInvoiceAmt":108.00"#),
        "{debit}"
    );
}

#[test]
fn a_journal_carries_every_line_once() {
    let text = wire(&first(&journal()));
    assert!(text.contains("/Erp.BO.GLJournalEntrySvc/GLJournalEntries\n"), "{text}");
    assert!(text.contains(r#""JournalLine":3,"GLAccount":"1190","Description":"payout po_1","DebitAmount":0.00,"CreditAmount":108.00"#), "{text}");
}

#[test]
fn tax_and_shipping_are_written_as_the_site_wants() {
    let mut epicor = company();
    epicor.orders.tax = Charge::Part("SALESTAX".to_owned());
    epicor.orders.shipping = Charge::Field("Freight_c".to_owned());
    epicor.plant = Some("MfgSys".to_owned());
    let mut value = serde_json::to_value(order()).unwrap();
    value["shipping_minor"] = json!(500);
    value["total_minor"] = json!(11_300);
    value["custom"] = json!({"Channel_c": "web"});
    value["hold"] = json!(true);
    value["hold_reason"] = json!("payment declined");
    let (_, request) = sent(step_in(&epicor, &document(value), &FilingState::begin(), FilingInput::Go));
    let text = wire(&request);
    for part in [
        "callsettings: {\"Company\":\"EPIC06\",\"Plant\":\"MfgSys\"}\n",
        r#""OrderHeld":true,"OrderComment":"payment declined","Freight_c":5.00,"Channel_c":"web""#,
        r#"{"Company":"EPIC06","PartNum":"SALESTAX","LineDesc":"Tax","SellingQuantity":1,"DocUnitPrice":8.00,"#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_new_customer_is_looked_for_by_key_and_by_mail_and_then_created_once() {
    let mut kinetic = Kinetic::new();
    let (status, requests) = file(&mut kinetic, &customer());
    let (result, existing) = filed(&status);
    assert!(!existing);
    assert_eq!(requests.len(), 3);
    assert!(wire(&requests[0]).contains("Customers?$filter=ExternalID%20eq%20%27cus_1%27&$top=2"));
    assert!(wire(&requests[1]).ends_with(
        r#"{"whereClause":"EMailAddress = 'ann.o''neil@example.org'","pageSize":50,"absolutePage":0}"#
    ));
    let id = result["customer_id"].as_str().unwrap();
    assert!(id.len() == 10 && id.starts_with('S'), "{id}");
    let row = &kinetic.rows("Customers")[0];
    assert_eq!(
        (&row["Country"], &row["ValidPayer"], &row["Zip"]),
        (&json!("US"), &json!(true), &json!("78701"))
    );

    let (status, requests) = file(&mut kinetic, &customer());
    assert_eq!((filed(&status).1, requests.len(), kinetic.rows("Customers").len()), (true, 1, 1));
}

#[test]
fn no_url_and_no_debug_text_tells_who_the_customer_is() {
    for document in every_document() {
        let (_, requests) = file(&mut Kinetic::new(), &document);
        for request in &requests {
            let shown = format!("{request:?} {document:?}");
            for secret in ["O'Neil", "O%27Neil", "example.org", "Main St", "hunter2", "key-1"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }
}

#[test]
fn two_filings_of_one_new_customer_at_once_make_one() {
    let mut kinetic = Kinetic::new();
    let mut other = customer();
    if let suture_connect::erp::document::Document::Customer(customer) = &mut other {
        customer.reference = "cust:2".to_owned();
    }
    // Both have looked and found nobody.
    let mut creating = Vec::new();
    for document in [customer(), other] {
        let (state, request) = sent(step(&document, &FilingState::begin(), FilingInput::Go));
        let (state, request) = sent(step(&document, &state, FilingInput::Answer(&kinetic.receive(&request))));
        let (state, request) = sent(step(&document, &state, FilingInput::Answer(&kinetic.receive(&request))));
        creating.push((document, state, request));
    }
    let mut results = Vec::new();
    for (document, mut state, mut request) in creating {
        loop {
            match step(&document, &state, FilingInput::Answer(&kinetic.receive(&request))) {
                FilingStep::Send { state: next, request: asked } => (state, request) = (next, asked),
                FilingStep::Done { status, .. } => break results.push(filed(&status).0.clone()),
                FilingStep::Wait { failure, .. } => panic!("{failure:?}"),
            }
        }
    }
    assert_eq!((results[0] == results[1], kinetic.rows("Customers").len()), (true, 1));
}

#[test]
fn a_customer_with_the_same_mail_and_name_is_adopted_by_the_rule() {
    let known = |external: &str| {
        let mut kinetic = Kinetic::new();
        kinetic.put(
            "Customers",
            json!({"CustNum": 17, "CustID": "ANN", "Name": "ANN  O'NEIL",
            "EMailAddress": "ann.o'neil@example.org", "ExternalID": external}),
        );
        kinetic
    };
    let told = json!({"customer_number": 17, "customer_id": "ANN"});
    let mut kinetic = known("");
    let (status, requests) = file(&mut kinetic, &customer());
    assert_eq!((filed(&status), requests.len()), ((&told, true), 4));
    assert_eq!(kinetic.rows("Customers")[0]["ExternalID"], "cus_1", "linked");

    let mut kinetic = known("cus_other");
    assert_eq!(filed(&file(&mut kinetic, &customer()).0), (&told, true));
    assert_eq!(kinetic.rows("Customers")[0]["ExternalID"], "cus_other", "another key is not overwritten");

    let mut epicor = company();
    epicor.customers.adopt = Adopt::Never;
    let mut kinetic = known("");
    assert!(!filed(&file_in(&epicor, &mut kinetic, &customer()).0).1);
    assert_eq!(kinetic.rows("Customers").len(), 2);

    let mut kinetic = known("");
    kinetic.put(
        "Customers",
        json!({"CustNum": 18, "CustID": "ANN2", "Name": "Ann O'Neil",
        "EMailAddress": "ann.o'neil@example.org", "ExternalID": ""}),
    );
    assert_eq!(code(&file(&mut kinetic, &customer()).0), "erp_ambiguous_customer");
}

#[test]
fn a_customer_number_that_epicor_does_not_have_stops_with_field_and_value() {
    let mut value = serde_json::to_value(customer()).unwrap();
    value["number"] = json!(4711);
    let (status, _) = file(&mut Kinetic::new(), &document(value));
    let FilingStatus::Rejected { failure, field, value } = status else { panic!("{status:?}") };
    assert_eq!(
        (failure.code.as_str(), field.as_deref(), value.as_deref()),
        ("erp_unknown_customer", Some("CustNum"), Some("4711"))
    );
}

#[test]
fn a_hold_is_set_and_released_once() {
    let mut kinetic = Kinetic::new();
    let (status, requests) = file(&mut kinetic, &hold());
    assert_eq!(filed(&status), (&json!({"order_number": 900, "held": true}), false));
    assert_eq!(wire(&requests[1]), format!("PATCH {BASE}/Erp.BO.SalesOrderSvc/SalesOrders(%27EPIC06%27,900)\n{HEADERS}{JSON}{{\"OrderHeld\":true,\"OrderComment\":\"payment declined\"}}").replace("%27", "'"));
    let (status, requests) = file(&mut kinetic, &hold());
    assert_eq!((filed(&status).1, requests.len()), (true, 1));
}

#[test]
fn an_order_that_is_not_there_cannot_be_held() {
    let mut kinetic = Kinetic::new();
    kinetic.sets.clear();
    let FilingStatus::Rejected { failure, value, .. } = file(&mut kinetic, &hold()).0 else { panic!() };
    assert_eq!((failure.code.as_str(), value.as_deref()), ("erp_not_found", Some("900")));
}

fn with_receipt(change: impl FnOnce(&mut Value)) -> Kinetic {
    let mut kinetic = Kinetic::new();
    change(&mut kinetic.sets.get_mut("CashRecs").unwrap()[0]);
    kinetic
}

#[test]
fn a_receipt_is_deleted_lowered_or_reversed() {
    let mut kinetic = Kinetic::new();
    assert_eq!(filed(&file(&mut kinetic, &reversal(10_800)).0).0["how"], "deleted");
    assert!(kinetic.rows("CashRecs").is_empty());

    let mut kinetic = Kinetic::new();
    assert_eq!(filed(&file(&mut kinetic, &reversal(800)).0).0["how"], "lowered");
    assert_eq!(kinetic.rows("CashRecs")[0]["DocTranAmt"], json!(100.0));
    assert!(filed(&file(&mut kinetic, &reversal(800)).0).1, "the mark tells that it was done");

    let mut kinetic = with_receipt(|row| row["Posted"] = json!(true));
    let (status, requests) = file(&mut kinetic, &reversal(10_800));
    assert_eq!(filed(&status).0["how"], "reversed");
    assert!(wire(&requests[1]).ends_with(r#"{"ds":{},"groupID":"S261120A","headNum":1,"reverseDate":"2026-11-21T00:00:00","inTranDocTypeID":"","reversedReason":"refunded"}"#));
    assert!(filed(&file(&mut kinetic, &reversal(10_800)).0).1);
}

#[test]
fn a_reversal_that_does_not_fit_the_receipt_is_refused() {
    assert_eq!(code(&file(&mut Kinetic::new(), &reversal(20_000)).0), "erp_reversal_exceeds_receipt");
    let mut posted = with_receipt(|row| row["Posted"] = json!(true));
    assert_eq!(code(&file(&mut posted, &reversal(100)).0), "erp_partial_reversal");
    let mut gone = Kinetic::new();
    gone.sets.clear();
    assert_eq!(code(&file(&mut gone, &reversal(10_800)).0), "erp_receipt_missing");
}

#[test]
fn a_receipt_that_is_not_posted_is_applied_by_a_line_of_its_own() {
    let mut kinetic = Kinetic::new();
    let (status, requests) = file(&mut kinetic, &application());
    let expected = json!({"group": "S261120A", "head": 1, "invoice_number": 501, "applied": {"minor": 10800, "currency": "USD"}});
    assert_eq!((filed(&status), requests.len()), ((&expected, false), 1));
    assert!(wire(&requests[0]).ends_with(r#"{"Company":"EPIC06","InvoiceNum":501,"DocTranAmt":108.00,"TranAmt":108.00,"GroupID":"S261120A","HeadNum":1}"#));
    let (status, _) = file(&mut kinetic, &application());
    assert_eq!((filed(&status).1, kinetic.rows("CashDtls").len()), (true, 1), "nothing is applied twice");
}

#[test]
fn a_posted_receipt_is_applied_by_a_person_unless_the_site_allows_its_credit_memo() {
    let posted = || {
        let mut kinetic = with_receipt(|row| {
            row["Posted"] = json!(true);
            row["CreditMemoNum"] = json!(777);
        });
        kinetic.posted_groups = vec!["S261120A".to_owned()];
        kinetic
    };
    assert_eq!(code(&file(&mut posted(), &application()).0), "erp_receipt_posted");
    let mut epicor = company();
    epicor.receipts.apply_posted = true;
    let mut kinetic = posted();
    let (status, _) = file_in(&epicor, &mut kinetic, &application());
    filed(&status);
    let row = &kinetic.rows("ApplyCreditMemoes")[0];
    assert_eq!((&row["InvoiceNum"], &row["CashDtls"][0]["InvoiceNum"]), (&json!(777), &json!(501)));
}

#[test]
fn a_record_of_our_reference_with_another_amount_or_customer_goes_to_a_person() {
    for (document, set, spoiled, expected) in [
        (receipt(), "CashRecs", json!({"DocTranAmt": 1.0}), "erp_other_amount"),
        (receipt(), "CashRecs", json!({"CustNum": 99}), "erp_other_customer"),
        (order(), "SalesOrders", json!({"DocOrderAmt": 107.99}), "erp_other_total"),
        (order(), "SalesOrders", json!({"CustNum": 99}), "erp_other_customer"),
        (credit(), "ARInvoices", json!({"DocInvoiceAmt": -1.0}), "erp_other_amount"),
    ] {
        let mut kinetic = Kinetic::new();
        file(&mut kinetic, &document);
        let row = kinetic.sets.get_mut(set).unwrap().last_mut().unwrap();
        for (name, value) in spoiled.as_object().unwrap() {
            row[name] = value.clone();
        }
        let (state, _) = sent(step(&document, &FilingState::begin(), FilingInput::Go));
        let (state, request) = sent(step(&document, &state, FilingInput::Go));
        let (_, status) = done(step(&document, &state, FilingInput::Answer(&kinetic.receive(&request))));
        assert_eq!(code(&status), expected);
        assert!(matches!(status, FilingStatus::WaitingForPerson { .. }));
    }
}

#[test]
fn an_unknown_part_is_rejected_with_the_part_that_epicor_names() {
    let mut kinetic = Kinetic::new();
    kinetic.parts = vec!["WIDGET".to_owned()];
    let mut value = serde_json::to_value(order()).unwrap();
    value["lines"] = json!([{"part": "WIDGET", "quantity": "1", "unit_price_minor": 5000},
        {"part": "GADGET", "quantity": "1", "unit_price_minor": 5000}]);
    let FilingStatus::Rejected { failure, field, value } = file(&mut kinetic, &document(value)).0 else {
        panic!()
    };
    assert_eq!(failure.code, "erp_unknown_part");
    assert_eq!((field.as_deref(), value.as_deref()), (Some("PartNum"), Some("GADGET")));
    assert_eq!(kinetic.rows("SalesOrders").len(), 1);
}

#[test]
fn errors_inside_a_success_are_looked_up_and_told_as_the_refusal_when_nothing_was_kept() {
    let (state, _) = sent(step(&order(), &FilingState::begin(), FilingInput::Go));
    let body = r#"{"returnObj":{"BOUpdError":[{"TableName":"OrderDtl","ErrorText":"Part WIDGET is not valid."}]},"parameters":{"errorsOccurred":true}}"#;
    let (state, request) = sent(step(&order(), &state, FilingInput::Answer(&response(200, body))));
    assert!(request.url.contains("SalesOrders?$filter=SutureRef_c"));
    let (_, status) = done(step(&order(), &state, FilingInput::Answer(&response(200, r#"{"value":[]}"#))));
    assert!(
        matches!(&status, FilingStatus::Rejected { value: Some(part), .. } if part == "WIDGET"),
        "{status:?}"
    );
    let kept = r#"{"value":[{"OrderNum":5,"CustNum":17,"DocOrderAmt":50.00}]}"#;
    let (_, status) = done(step(&order(), &state, FilingInput::Answer(&response(200, kept))));
    assert_eq!(code(&status), "erp_other_total", "half of it was kept");
}

#[test]
fn a_filing_is_not_sent_for_ever() {
    let mut next = step(&order(), &FilingState::begin(), FilingInput::Go);
    for _ in 0..3 {
        let (state, request) = sent(next);
        assert_eq!(request.method.as_str(), "POST");
        let (state, status) = done(step(&order(), &state, FilingInput::Lost));
        assert!(matches!(status, FilingStatus::Unknown { .. }) && state.is_uncertain());
        let (state, _) = sent(step(&order(), &state, FilingInput::Go));
        next = step(&order(), &state, FilingInput::Answer(&response(200, r#"{"value":[]}"#)));
    }
    assert_eq!(code(&done(next).1), "erp_sent_too_often");
}

#[test]
fn a_look_up_that_does_not_tell_never_leads_to_another_write() {
    let (state, _) = sent(step(&order(), &FilingState::begin(), FilingInput::Go));
    let (state, _) = sent(step(&order(), &state, FilingInput::Go));
    for answer in [
        response(200, "{}"),
        response(200, r#"{"value":null}"#),
        response(200, r#"{"value":[{}]}"#),
        response(404, "<html>"),
        response(500, ""),
        response(403, ""),
    ] {
        let (next, status) = done(step(&order(), &state, FilingInput::Answer(&answer)));
        assert!(matches!(status, FilingStatus::Unknown { .. }), "{answer:?}: {status:?}");
        assert!(next.is_uncertain());
    }
}

#[test]
fn a_sign_in_is_repeated_once() {
    let (state, _) = sent(step(&order(), &FilingState::begin(), FilingInput::Go));
    let refused = response(401, "");
    let FilingStep::Wait { state, failure } = step(&order(), &state, FilingInput::Answer(&refused)) else {
        panic!()
    };
    assert_eq!((failure.retry, state.is_uncertain()), (Retry::RefreshToken, false));
    let (state, _) = sent(step(&order(), &state, FilingInput::Go));
    let FilingStep::Wait { failure, .. } = step(&order(), &state, FilingInput::Answer(&refused)) else {
        panic!()
    };
    assert_eq!((failure.code.as_str(), failure.retry), ("erp_token_refused_again", Retry::Later));
}

#[test]
fn a_set_may_be_read_through_a_query_of_the_site() {
    let mut epicor = company();
    epicor.reads.baqs.insert("CashRecs".to_owned(), "SUTURE_Receipts".to_owned());
    let (state, _) = sent(step_in(&epicor, &receipt(), &FilingState::begin(), FilingInput::Go));
    let (state, request) = sent(step_in(&epicor, &receipt(), &state, FilingInput::Go));
    assert!(
        request.url.ends_with(
            "/EPIC06/BaqSvc/SUTURE_Receipts/Data?$filter=ExternalID%20eq%20%27receipt%3A1%27&$top=2"
        ),
        "{}",
        request.url
    );
    let row = r#"{"value":[{"CashHead_GroupID":"S261121A","CashHead_HeadNum":3,"CashHead_CustNum":17,"CashHead_DocTranAmt":108.0,"CashHead_TranDate":"2026-11-21T00:00:00"}]}"#;
    let (_, status) = done(step_in(&epicor, &receipt(), &state, FilingInput::Answer(&response(200, row))));
    assert_eq!(filed(&status).0["head"], 3);
}
