//! Everything that the pretended Epicor refuses, and that nothing changes by it.

use super::stage::{Stage, number};
use serde_json::{Value, json};

const CUSTOMERS: &str = "Erp.BO.CustomerSvc/Customers";
const ORDERS: &str = "Erp.BO.SalesOrderSvc/SalesOrders";
const RECEIPTS: &str = "Erp.BO.CashRecSvc/CashRecs";
const ALLOCATIONS: &str = "Erp.BO.CashRecSvc/CashDtls";
const GROUPS: &str = "Erp.BO.CashGrpSvc/CashGrps";

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn customer() -> Value {
    json!({ "CustID": "G-2", "Name": "A guarantor", "TerritoryID": "CENTRAL" })
}

fn receipt() -> Value {
    json!({ "GroupID": "S260301A", "CustID": "G-1", "CheckRef": "pay_1", "DocTranAmt": 10 })
}

#[test]
fn a_customer_needs_its_fields_and_an_id_of_its_own() {
    let mut stage = Stage::furnished();
    stage.refused(CUSTOMERS, &with(customer(), "CustID", json!("")), 400, "Customer ID is required");
    stage.refused(CUSTOMERS, &with(customer(), "Name", json!(null)), 400, "Name is required");
    stage.refused(CUSTOMERS, &with(customer(), "TerritoryID", json!("")), 400, "Territory is required");
    stage.refused(
        CUSTOMERS,
        &with(customer(), "CustID", json!("G-234567890")),
        400,
        "more than 10 characters",
    );
    stage.refused(CUSTOMERS, &with(customer(), "CustID", json!("G-1")), 409, "already exists");
    stage.refused(CUSTOMERS, &with(customer(), "CurrencyCode", json!("EUR")), 400, "Currency 'EUR'");
    stage.refused(CUSTOMERS, &with(customer(), "Company", json!("EPIC07")), 400, "Company must be EPIC06");
}

#[test]
fn names_and_kinds_of_fields_are_taken_exactly() {
    let mut stage = Stage::furnished();
    stage.refused(CUSTOMERS, &with(customer(), "custID", json!("G-2")), 400, "property named 'custID'");
    stage.refused(CUSTOMERS, &with(customer(), "Unknown_c", json!("x")), 400, "property named 'Unknown_c'");
    stage.refused(CUSTOMERS, &with(customer(), "ValidPayer", json!("yes")), 400, "value of 'ValidPayer'");
    stage.refused(RECEIPTS, &with(receipt(), "DocTranAmt", json!("10.00")), 400, "value of 'DocTranAmt'");
    stage.refused(RECEIPTS, &with(receipt(), "DocTranAmt", json!(10.005)), 400, "more than two decimals");
    stage.control("user_column", &json!({ "table": "Customer", "column": "Unknown_c" }));
    stage.made(CUSTOMERS, &with(customer(), "Unknown_c", json!("x")));
    let found = stage.get(&format!("{CUSTOMERS}?$filter=Unknown_c%20eq%20'x'"));
    assert_eq!(found["value"][0]["CustID"], "G-2");
}

#[test]
fn an_order_needs_a_known_customer_and_known_parts() {
    let mut stage = Stage::furnished();
    let order = |customer: &str, part: &str, quantity: i64| {
        let lines = json!([{ "PartNum": part, "SellingQuantity": quantity }]);
        json!({ "CustomerCustID": customer, "OrderDtls": lines })
    };
    stage.refused(ORDERS, &order("G-9", "VISIT", 1), 400, "valid Customer ID");
    stage.refused(ORDERS, &order("G-1", "NONE", 1), 400, "Part is not valid");
    stage.refused(ORDERS, &order("G-1", "", 1), 400, "Part is required");
    stage.refused(ORDERS, &order("G-1", "VISIT", 0), 400, "Quantity");
    let made = stage.made(ORDERS, &order("G-1", "VISIT", 2));
    assert_eq!((&made["DocOrderAmt"], &made["OrderDtls"][0]["DocUnitPrice"]), (&json!(240.0), &json!(120.0)));
}

#[test]
fn a_group_has_a_short_id_an_open_period_and_a_known_bank() {
    let mut stage = Stage::furnished();
    let group = json!({ "GroupID": "S260301B", "TranDate": "2026-03-01", "BankAcctID": "MAIN" });
    stage.refused(
        GROUPS,
        &with(group.clone(), "GroupID", json!("S260301ABC")),
        400,
        "10 characters; at most 9",
    );
    stage.refused(GROUPS, &with(group.clone(), "GroupID", json!("S260301A")), 409, "Duplicate");
    stage.refused(
        GROUPS,
        &with(group.clone(), "BankAcctID", json!("OTHER")),
        400,
        "Bank Account is not valid",
    );
    stage.control("close_period", &json!({ "year": 2026, "period": 3 }));
    stage.refused(GROUPS, &group, 400, "fiscal period 2026/3 of 2026-03-01 is closed");
    stage.made(GROUPS, &with(group, "TranDate", json!("2026-04-01")));
}

#[test]
fn a_receipt_needs_an_open_group_a_payer_and_an_amount() {
    let mut stage = Stage::furnished();
    stage.refused(RECEIPTS, &with(receipt(), "GroupID", json!("NONE")), 400, "does not exist");
    stage.refused(RECEIPTS, &with(receipt(), "CustID", json!("G-9")), 400, "valid Customer ID");
    stage.refused(RECEIPTS, &with(receipt(), "DocTranAmt", json!(0)), 400, "greater than zero");
    stage.refused(RECEIPTS, &with(receipt(), "TranDate", json!("2026-03-02")), 400, "date of the group");
    stage.refused(RECEIPTS, &with(receipt(), "TranType", json!("Deposit")), 400, "Order is required");
    stage.refused(RECEIPTS, &with(receipt(), "TranType", json!("deposit")), 400, "PayInv, Deposit or MisPay");
    stage.control("change", &json!({ "table": "Customer", "key": [1], "fields": { "ValidPayer": false } }));
    stage.refused(RECEIPTS, &receipt(), 400, "not a valid payer");
}

#[test]
fn a_card_number_is_refused_wherever_it_stands() {
    let mut stage = Stage::furnished();
    for name in ["Reference", "CheckRef", "CardNumber", "Description"] {
        stage.refused(RECEIPTS, &with(receipt(), name, json!("4242 4242 4242 4242")), 400, "card number");
    }
    stage.made(RECEIPTS, &with(receipt(), "Reference", json!("visa 4242")));
}

#[test]
fn cash_goes_to_posted_invoices_of_the_customer_and_not_beyond_what_is_open() {
    let mut stage = Stage::furnished();
    stage.customer("G-2");
    let order = stage.order(&[("VISIT", 1)]);
    let head = stage.receipt("pay_1", 200.0);
    let line = |invoice: i64, amount: i64| json!({ "GroupID": "S260301A", "HeadNum": head, "InvoiceNum": invoice, "DocTranAmt": amount });
    stage.refused(ALLOCATIONS, &line(9, 10), 400, "Invoice is not valid");
    let unposted = number(&stage.control("ship", &json!({ "order": order, "post": false })), "invoice");
    stage.refused(ALLOCATIONS, &line(unposted, 10), 400, "Invoice is not posted");
    stage.control("post_invoices", &json!({ "group": format!("SH{unposted}") }));
    stage.refused(ALLOCATIONS, &line(unposted, 121), 400, "more than the invoice balance");
    stage.refused(ALLOCATIONS, &line(unposted, -1), 400, "greater than zero");
    let small = stage.receipt("pay_2", 5.0);
    let beyond = json!({ "GroupID": "S260301A", "HeadNum": small, "InvoiceNum": unposted, "DocTranAmt": 6 });
    stage.refused(ALLOCATIONS, &beyond, 400, "more than the unapplied amount");
    let foreign = with(receipt(), "CustID", json!("G-2"));
    let foreign = number(&stage.made(RECEIPTS, &foreign), "HeadNum");
    let line = json!({ "GroupID": "S260301A", "HeadNum": foreign, "InvoiceNum": unposted });
    stage.refused(ALLOCATIONS, &line, 400, "another customer");
}

#[test]
fn a_posted_receipt_and_its_group_are_closed() {
    let mut stage = Stage::furnished();
    let head = stage.receipt("pay_1", 10.0);
    stage.control("post_cash", &json!({ "group": "S260301A" }));
    stage.refused(RECEIPTS, &receipt(), 400, "does not exist, or it was posted");
    let key = format!("{RECEIPTS}('EPIC06','S260301A',{head})");
    let answer = stage.call("PATCH", &key, &json!({ "Reference": "x" }));
    assert_eq!(answer.status, 400);
    assert_eq!(stage.call("DELETE", &key, &Value::Null).status, 400);
    assert_eq!(stage.get(&key)["Posted"], true);
}

#[test]
fn a_reference_may_come_once_where_the_site_says_so() {
    let mut stage = Stage::furnished();
    stage.receipt("pay_1", 10.0);
    stage.receipt("pay_1", 10.0);
    for (table, column) in [("CashHead", "CheckRef"), ("Customer", "SutureRef_c")] {
        stage.control("unique", &json!({ "table": table, "column": column }));
    }
    stage.refused(RECEIPTS, &receipt(), 409, "CheckRef already exists");
    stage.made(CUSTOMERS, &with(customer(), "SutureRef_c", json!("ref_1")));
    let again = with(with(customer(), "CustID", json!("G-3")), "SutureRef_c", json!("ref_1"));
    let answer = stage.post(CUSTOMERS, &again);
    assert_eq!(answer.body_json()["ErrorType"], "Ice.Common.DuplicateRecordException");
}

#[test]
fn a_stale_version_is_refused_and_the_present_one_is_not() {
    let mut stage = Stage::furnished();
    let key = format!("{CUSTOMERS}('EPIC06',1)");
    let read = number(&stage.get(&key), "SysRevID");
    assert_eq!(stage.call("PATCH", &key, &json!({ "City": "Here", "SysRevID": read })).status, 204);
    let stale = stage.call("PATCH", &key, &json!({ "City": "There", "SysRevID": read }));
    assert_eq!(stale.status, 400);
    assert!(stale.body_json()["ErrorMessage"].as_str().is_some_and(|text| text.contains("another user")));
    let shown = stage.get(&key);
    assert_eq!(shown["City"], "Here");
    assert!(number(&shown, "SysRevID") > read);
}

#[test]
fn what_has_documents_or_shipments_is_not_deleted() {
    let mut stage = Stage::furnished();
    let order = stage.order(&[("VISIT", 1)]);
    let other = stage.order(&[("VISIT", 1)]);
    stage.ship(order);
    let delete = |stage: &mut Stage, target: String| stage.call("DELETE", &target, &Value::Null).status;
    assert_eq!(delete(&mut stage, format!("{CUSTOMERS}('EPIC06',1)")), 400);
    assert_eq!(delete(&mut stage, format!("{ORDERS}('EPIC06',{order})")), 400);
    assert_eq!(delete(&mut stage, format!("{ORDERS}('EPIC06',{other})")), 204);
    assert_eq!(delete(&mut stage, format!("{ORDERS}('EPIC06',{other})")), 404);
}

#[test]
fn an_order_on_hold_does_not_ship() {
    let mut stage = Stage::furnished();
    let order = stage.order(&[("VISIT", 1)]);
    let key = format!("{ORDERS}('EPIC06',{order})");
    assert_eq!(stage.call("PATCH", &key, &json!({ "OrderHeld": true })).status, 204);
    let held = stage.world.control(stage.now_ms, "ship", &json!({ "order": order }));
    assert_eq!(held, Err("Order is on hold.".to_owned()));
    stage.call("PATCH", &key, &json!({ "OrderHeld": false }));
    stage.ship(order);
}
