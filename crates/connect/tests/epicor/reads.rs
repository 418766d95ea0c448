//! Reads page by page, and polls that tell every revision once.

use serde_json::{Value, json};
use suture_connect::erp::epicor::poll::{Poll, Source, Watermark};
use suture_connect::erp::epicor::reads::{PAGE_ROWS, Read, Reads, Rows};
use suture_connect::erp::event::ErpEventKind;
use suture_connect::outcome::Outcome;
use suture_core::calendar::LocalDate;
use suture_core::money::Money;
use suture_core::redact::Phi;

use crate::support::{company, error, identity, now, response, wire};

fn value(rows: &[Value]) -> String {
    json!({"@odata.context": "x", "value": rows}).to_string()
}

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_order_is_read_with_its_lines_by_our_reference() {
    let (epicor, identity) = (company(), identity());
    let reads = Reads { epicor: &epicor, identity: &identity };
    let read = Read::OrderByReference("order:1".to_owned());
    let request = reads.request(&read, 0);
    assert!(request.url.ends_with("SalesOrders?$filter=SutureRef_c%20eq%20%27order%3A1%27&$expand=OrderDtls&$orderby=OrderNum&$top=100"), "{}", request.url);
    let body = r#"{"value":[{"OrderNum":1001,"SutureRef_c":"order:1","CustNum":17,"OrderHeld":false,"OpenOrder":true,"CurrencyCode":"USD","DocOrderAmt":108.00000,"TotalInvoiced":0,"OrderDtls":[{"OrderLine":1,"PartNum":"WIDGET","SellingQuantity":2.00,"DocUnitPrice":50.0,"TotalShipped":1.5}]}]}"#;
    let page = done(reads.answer(&read, 0, &response(200, body)));
    let Rows::Orders(orders) = page.rows else { panic!() };
    let order = &orders[0];
    assert_eq!(
        (order.number, order.total, order.invoiced),
        (1001, Some(Money::usd(10_800)), Some(Money::usd(0)))
    );
    assert_eq!(
        (order.lines[0].shipped.as_deref(), order.lines[0].unit_price),
        (Some("1.5"), Some(Money::usd(5000)))
    );
    assert_eq!(page.next, None);
}

#[test]
fn pages_follow_until_one_is_short_and_not_for_ever() {
    let (epicor, identity) = (company(), identity());
    let reads = Reads { epicor: &epicor, identity: &identity };
    let read = Read::Receipts(day("2026-11-01"), day("2026-11-30"));
    let request = reads.request(&read, 2);
    assert!(request.url.contains("$filter=TranDate%20ge%202026-11-01T00%3A00%3A00%20and%20TranDate%20le%202026-11-30T00%3A00%3A00&$orderby=GroupID%2CHeadNum&$top=100&$skip=200"), "{}", request.url);
    let row = json!({"GroupID": "S261121A", "HeadNum": 3, "ExternalID": "receipt:1", "DocTranAmt": 108.0, "Posted": true,
        "TranDate": "2026-11-21T00:00:00", "ReverseDate": null, "ReverseRef": 0, "CustNum": 17});
    let full = vec![row.clone(); usize::try_from(PAGE_ROWS).unwrap()];
    assert_eq!(done(reads.answer(&read, 0, &response(200, &value(&full)))).next, Some(1));
    assert!(matches!(reads.answer(&read, 199, &response(200, &value(&full))), Outcome::Declined(_)));
    let page = done(reads.answer(&read, 1, &response(200, &value(&[row]))));
    let Rows::Receipts(receipts) = page.rows else { panic!() };
    let recorded = receipts[0].recorded().unwrap();
    assert_eq!((recorded.said.amount, recorded.context.posted, page.next), (Money::usd(10_800), true, None));
}

#[test]
fn a_row_that_cannot_be_read_fails_the_page() {
    let (epicor, identity) = (company(), identity());
    let reads = Reads { epicor: &epicor, identity: &identity };
    let rows = value(&[json!({"PartNum": "A"}), json!({"PartNum": null})]);
    assert!(matches!(reads.answer(&Read::Parts, 0, &response(200, &rows)), Outcome::Unknown(_)));
    assert!(matches!(reads.answer(&Read::Parts, 0, &error(500, "Exception", "x")), Outcome::Unknown(_)));
    assert!(matches!(
        reads.answer(&Read::Parts, 0, &error(403, "UnauthorizedAccessException", "x")),
        Outcome::Declined(_)
    ));
}

#[test]
fn an_address_is_searched_for_in_a_body() {
    let (epicor, identity) = (company(), identity());
    let reads = Reads { epicor: &epicor, identity: &identity };
    let read = Read::CustomersByEmail(Phi::new("ann@example.org".to_owned()));
    let request = reads.request(&read, 0);
    assert!(!request.url.contains("ann") && wire(&request).contains("EMailAddress = 'ann@example.org'"));
    let body =
        r#"{"returnObj":{"CustomerList":[{"CustNum":17,"CustID":"ANN","Name":"Ann"}]},"parameters":{}}"#;
    let Rows::Customers(customers) = done(reads.answer(&read, 0, &response(200, body))).rows else {
        panic!()
    };
    assert_eq!(customers[0].number, 17);
    assert!(!format!("{customers:?} {read:?}").contains("nn@") && !format!("{customers:?}").contains("Ann"));
}

fn order_row(number: i64, revision: i64) -> Value {
    json!({"OrderNum": number, "SysRevID": revision, "CustNum": 17, "SutureRef_c": format!("order:{number}"),
        "OrderHeld": false, "DocOrderAmt": 108.5, "BTCustNumBTName": "Ann"})
}

/// Polls like a caller would, against rows that answer the filter; returns (number, revision) of every event.
fn poll_all(rows: &mut [Value], watermark: &mut Watermark) -> Vec<(ErpEventKind, i64, i64)> {
    let (epicor, identity) = (company(), identity());
    let poll = Poll { epicor: &epicor, identity: &identity, source: Source::Orders };
    let mut told = Vec::new();
    for _ in 0..50 {
        let request = poll.request(watermark);
        let after: i64 =
            request.url.split("SysRevID%20gt%20").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
        rows.sort_by_key(|row| row["SysRevID"].as_i64());
        let page: Vec<Value> =
            rows.iter().filter(|row| row["SysRevID"].as_i64() > Some(after)).take(100).cloned().collect();
        let polled = done(poll.read(watermark, &response(200, &value(&page)), now()));
        told.extend(polled.events.iter().map(|event| (event.kind, event.number, event.revision)));
        *watermark = serde_json::from_str(&serde_json::to_string(&polled.watermark).unwrap()).unwrap();
        if !polled.more {
            return told;
        }
    }
    panic!("the poll never ended");
}

#[test]
fn every_revision_is_told_once_and_late_ones_are_not_lost() {
    let mut rows: Vec<Value> = (1..=350).map(|number| order_row(number, 5000 + number * 10)).collect();
    let mut watermark = Watermark::default();
    let told = poll_all(&mut rows, &mut watermark);
    assert_eq!(told.len(), 350);
    assert!(told.iter().all(|(kind, _, _)| *kind == ErpEventKind::OrderCreated));
    assert_eq!(poll_all(&mut rows, &mut watermark), []);
    assert!(watermark.seen.len() <= 101, "what is remembered is bounded");

    rows[3]["SysRevID"] = json!(9000);
    // A transaction that began earlier ended later.
    rows.push(order_row(351, 8401));
    assert_eq!(
        poll_all(&mut rows, &mut watermark),
        [(ErpEventKind::OrderCreated, 351, 8401), (ErpEventKind::OrderChanged, 4, 9000)]
    );
    assert_eq!(poll_all(&mut rows, &mut watermark), []);
}

#[test]
fn a_new_source_begins_at_its_latest_row() {
    let (epicor, identity) = (company(), identity());
    let poll = Poll { epicor: &epicor, identity: &identity, source: Source::Orders };
    assert!(poll.latest_request().url.ends_with("SalesOrders?$orderby=SysRevID%20desc&$top=1"));
    let mut watermark = done(poll.read_latest(&response(200, &value(&[order_row(7, 700)]))));
    let mut rows = vec![order_row(6, 650), order_row(7, 700), order_row(8, 710)];
    assert_eq!(poll_all(&mut rows, &mut watermark), [(ErpEventKind::OrderCreated, 8, 710)]);
}

#[test]
fn an_event_of_a_poll_holds_no_names_and_no_floats() {
    let (epicor, identity) = (company(), identity());
    let poll = Poll { epicor: &epicor, identity: &identity, source: Source::Orders };
    let polled = done(poll.read(&Watermark::default(), &response(200, &value(&[order_row(7, 700)])), now()));
    let event = &polled.events[0];
    assert_eq!(event.reference.as_deref(), Some("order:7"));
    assert_eq!(event.body, json!({"OrderNum": 7, "CustNum": 17, "OrderHeld": false, "DocOrderAmt": "108.5"}));
    assert_eq!(event.key(), "order_created::7:700");
}

#[test]
fn only_what_left_or_was_posted_is_told() {
    let (epicor, identity) = (company(), identity());
    let kinds = |source, rows: &[Value]| {
        let poll = Poll { epicor: &epicor, identity: &identity, source };
        let polled = done(poll.read(&Watermark::default(), &response(200, &value(rows)), now()));
        assert_eq!(polled.watermark.seen.len(), rows.len(), "what is not told is read all the same");
        polled.events.into_iter().map(|event| (event.kind, event.number)).collect::<Vec<_>>()
    };
    let invoices = [
        json!({"InvoiceNum": 1, "SysRevID": 1, "Posted": false}),
        json!({"InvoiceNum": 2, "SysRevID": 2, "Posted": true}),
    ];
    assert_eq!(kinds(Source::Invoices, &invoices), [(ErpEventKind::Invoiced, 2)]);
    let shipments = [
        json!({"PackNum": 1, "SysRevID": 1, "ShipStatus": "OPEN", "ReadyToInvoice": false}),
        json!({"PackNum": 2, "SysRevID": 2, "ShipStatus": "SHIPPED"}),
        json!({"PackNum": 3, "SysRevID": 3, "ReadyToInvoice": true}),
    ];
    assert_eq!(
        kinds(Source::Shipments, &shipments),
        [(ErpEventKind::Shipped, 2), (ErpEventKind::Shipped, 3)]
    );
    let receipts = [json!({"GroupID": "G", "HeadNum": 3, "SysRevID": 1, "Posted": true})];
    assert_eq!(kinds(Source::Receipts, &receipts), [(ErpEventKind::ReceiptPosted, 3)]);
    let customers = [json!({"CustNum": 17, "SysRevID": 1})];
    assert_eq!(kinds(Source::Customers, &customers), [(ErpEventKind::CustomerChanged, 17)]);
}
