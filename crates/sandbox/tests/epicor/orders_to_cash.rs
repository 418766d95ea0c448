//! From the order to the cash at the pretended Epicor, as a client does it over the wire.

use super::stage::{Stage, number};
use serde_json::json;

#[test]
fn an_unapplied_receipt_is_applied_to_the_invoice_of_the_shipment_and_nothing_is_owed() {
    let mut stage = Stage::furnished();
    let order = stage.order(&[("VISIT", 1), ("BRACE", 2)]);
    let shown = stage.get(&format!(
        "Erp.BO.SalesOrderSvc/SalesOrders('EPIC06',{order})?$expand=OrderDtls($expand=OrderRels)"
    ));
    assert_eq!((&shown["DocTotalTax"], &shown["DocOrderAmt"]), (&json!(14.5), &json!(334.5)));
    assert_eq!(shown["OrderDtls"][1]["OrderRels"][0]["OurReqQty"], 2.0);
    let head = stage.receipt("pay_1", 334.5);
    assert_eq!(stage.receivables()["total"], "0.00");

    let invoice = stage.ship(order);
    assert_eq!(stage.receivables()["total"], "334.50");
    let line = json!({ "GroupID": "S260301A", "HeadNum": head, "InvoiceNum": invoice, "DocTranAmt": 334.5 });
    stage.made("Erp.BO.CashRecSvc/CashDtls", &line);
    stage.control("post_cash", &json!({ "group": "S260301A" }));

    let balance = stage.receivables();
    assert_eq!((&balance["total"], &balance["banks"]["MAIN"]), (&json!("0.00"), &json!("334.50")));
    let paid = stage.get(&format!("Erp.BO.ARInvoiceSvc/ARInvoices('EPIC06',{invoice})"));
    assert_eq!((&paid["OpenInvoice"], &paid["DocInvoiceBal"]), (&json!(false), &json!(0.0)));
    let receipt =
        stage.get(&format!("Erp.BO.CashRecSvc/CashRecs('EPIC06','S260301A',{head})?$expand=CashDtls"));
    assert_eq!((&receipt["Posted"], &receipt["CashDtls"][0]["Posted"]), (&json!(true), &json!(true)));
    assert_eq!(number(&receipt, "CreditMemoNum"), 0);
}

/// A posted, unapplied receipt of 120.00 for an order, and the invoice of its shipment.
fn paid_before_shipped(stage: &mut Stage) -> (i64, i64) {
    let order = stage.order(&[("VISIT", 1)]);
    let head = stage.receipt("pay_1", 120.0);
    stage.control("post_cash", &json!({ "group": "S260301A" }));
    assert_eq!(stage.receivables()["total"], "-120.00");
    (head, stage.ship(order))
}

#[test]
fn a_posted_receipt_is_applied_later_by_an_adjustment() {
    let mut stage = Stage::furnished();
    let (head, invoice) = paid_before_shipped(&mut stage);
    assert_eq!(stage.receivables()["customers"][0]["credits"], "-120.00");
    let call = |amount: f64| json!({ "groupID": "S260301A", "headNum": head, "invoiceNum": invoice, "docTranAmt": amount });
    let adjust = "Erp.BO.CashReceiptAdjustmentSvc/AdjustCashReceipt";
    stage.refused(adjust, &call(120.01), 400, "more than the invoice balance");
    stage.rpc(adjust, &call(100.0));
    let shown = stage.rpc(adjust, &call(20.0));
    assert_eq!(shown["returnObj"]["CashDtl"][0]["DocTranAmt"], 120.0);
    let balance = stage.receivables();
    assert_eq!(
        (&balance["customers"][0]["credits"], &balance["customers"][0]["invoices"]),
        (&json!("0.00"), &json!("0.00"))
    );
    stage.refused(adjust, &call(1.0), 400, "not open");
}

#[test]
fn a_chargeback_reverses_a_posted_receipt_once_and_the_invoice_is_owed_again() {
    let mut stage = Stage::furnished();
    let (head, invoice) = paid_before_shipped(&mut stage);
    let call = json!({ "headNum": head, "invoiceNum": invoice, "docTranAmt": 70.0 });
    stage.rpc("Erp.BO.CashReceiptAdjustmentSvc/AdjustCashReceipt", &call);
    stage.cash_group("S260301R");
    let call = json!({
        "ds": {}, "groupID": "S260301R", "headNum": head, "reverseDate": "2026-03-01T00:00:00",
        "inTranDocTypeID": "", "reversedReason": "chargeback",
    });
    let reverse = "Erp.BO.ReverseCashReceiptSvc/ReverseCashReceipt";
    let made = stage.rpc(reverse, &call);
    assert_eq!(made["parameters"]["ds"]["CashHead"][0]["ReverseRef"], head);
    stage.refused(reverse, &call, 400, "already being reversed");
    assert_eq!(stage.receivables()["total"], "0.00");
    stage.control("post_cash", &json!({ "group": "S260301R" }));
    let balance = stage.receivables();
    assert_eq!((&balance["total"], &balance["banks"]["MAIN"]), (&json!("120.00"), &json!("0.00")));
    let owed = stage.get(&format!("Erp.BO.ARInvoiceSvc/ARInvoices('EPIC06',{invoice})"));
    assert_eq!((&owed["OpenInvoice"], &owed["DocInvoiceBal"]), (&json!(true), &json!(120.0)));
    stage.cash_group("S260301S");
    let mut again = call.clone();
    again["groupID"] = json!("S260301S");
    stage.refused(reverse, &again, 400, "reversed before");
}

#[test]
fn a_receipt_whose_credit_memo_was_spent_is_not_reversed() {
    let mut stage = Stage::furnished();
    let (head, invoice) = paid_before_shipped(&mut stage);
    let shown = stage.get(&format!("Erp.BO.CashRecSvc/CashRecs('EPIC06','S260301A',{head})"));
    let call = json!({ "creditMemoNum": shown["CreditMemoNum"], "invoiceNum": invoice, "docAmount": 120.0 });
    stage.rpc("Erp.BO.ApplyCreditMemoSvc/ApplyCreditMemo", &call);
    assert_eq!(stage.receivables()["customers"][0]["invoices"], "0.00");
    stage.cash_group("S260301R");
    let call = json!({
        "ds": {}, "groupID": "S260301R", "headNum": head, "reverseDate": "2026-03-01", "inTranDocTypeID": "",
        "reversedReason": "x",
    });
    stage.refused("Erp.BO.ReverseCashReceiptSvc/ReverseCashReceipt", &call, 400, "was applied to invoices");
}

#[test]
fn an_order_ships_in_parts_and_each_part_is_billed_with_its_tax() {
    let mut stage = Stage::furnished();
    let order = stage.order(&[("BRACE", 3)]);
    let ship = |stage: &mut Stage, quantity: &str| {
        let body = json!({ "order": order, "lines": [{ "line": 1, "quantity": quantity }] });
        stage.world.control(stage.now_ms, "ship", &body)
    };
    let first = number(&ship(&mut stage, "1").unwrap(), "invoice");
    assert_eq!(ship(&mut stage, "2.5"), Err("More cannot be shipped than is open.".to_owned()));
    let key = format!("Erp.BO.SalesOrderSvc/SalesOrders('EPIC06',{order})");
    assert_eq!(stage.get(&key)["OpenOrder"], true);
    ship(&mut stage, "2").unwrap();
    assert_eq!(stage.get(&key)["OpenOrder"], false);
    assert_eq!(ship(&mut stage, "1"), Err("Order is closed.".to_owned()));
    let billed = stage.get(&format!("Erp.BO.ARInvoiceSvc/ARInvoices('EPIC06',{first})?$expand=InvcDtls"));
    assert_eq!(
        (&billed["DocInvoiceAmt"], &billed["InvcDtls"][0]["OrderNum"]),
        (&json!(107.25), &json!(order))
    );
    let balance = stage.receivables();
    assert_eq!((&balance["total"], &balance["tax"]), (&json!("321.75"), &json!("-21.75")));
}

#[test]
fn a_credit_memo_lowers_what_a_customer_owes_when_it_is_posted() {
    let mut stage = Stage::furnished();
    let order = stage.order(&[("VISIT", 1)]);
    let invoice = stage.ship(order);
    stage.made("Erp.BO.InvcGrpSvc/InvcGrps", &json!({ "GroupID": "CM1", "InvoiceDate": "2026-03-01" }));
    let memo = |amount: f64| {
        let line = json!({ "LineDesc": "goodwill", "SalesCatID": "SALE", "DocExtPrice": amount });
        json!({ "GroupID": "CM1", "CreditMemo": true, "CustNum": 1, "InvoiceRef": invoice, "InvcDtls": [line] })
    };
    let invoices = "Erp.BO.ARInvoiceSvc/ARInvoices";
    stage.refused(invoices, &memo(20.0), 400, "must be negative");
    let mut blank = memo(-20.0);
    blank["InvcDtls"][0]["SalesCatID"] = json!("");
    stage.refused(invoices, &blank, 400, "Sales Category is required");
    let made = number(&stage.made(invoices, &memo(-20.0)), "InvoiceNum");
    assert_eq!(stage.receivables()["total"], "120.00");
    stage.rpc("Erp.BO.InvcGrpSvc/PostInvoices", &json!({ "groupID": "CM1" }));
    assert_eq!(stage.receivables()["total"], "100.00");
    let call = json!({ "creditMemoNum": made, "invoiceNum": invoice, "docAmount": 20.0 });
    stage.rpc("Erp.BO.ApplyCreditMemoSvc/ApplyCreditMemo", &call);
    let owed = stage.get(&format!("{invoices}('EPIC06',{invoice})"));
    assert_eq!((&owed["DocInvoiceBal"], &stage.receivables()["total"]), (&json!(100.0), &json!("100.00")));
}

#[test]
fn a_miscellaneous_invoice_is_entered_through_the_screens_and_cancelled() {
    let mut stage = Stage::furnished();
    stage.made("Erp.BO.InvcGrpSvc/InvcGrps", &json!({ "GroupID": "MB1" }));
    let service = "Erp.BO.ARInvoiceSvc";
    let call = json!({ "GroupID": "MB1", "invoiceType": "MISC-BILL", "ds": {} });
    let mut ds = stage.rpc(&format!("{service}/GetNewInvcHeadType"), &call)["parameters"]["ds"].clone();
    ds["InvcHead"][0]["SoldToCustID"] = json!("G-1");
    ds["InvcHead"][0]["ExternalID"] = json!("inv_1");
    let made =
        stage.rpc(&format!("{service}/UpdateMaster"), &json!({ "ds": ds, "suppressUserPrompts": true }));
    let invoice = number(&made["parameters"]["ds"]["InvcHead"][0], "InvoiceNum");
    let new = stage.rpc(&format!("{service}/GetNewInvcDtl"), &json!({ "ds": {}, "invoiceNum": invoice }));
    let mut ds = new["parameters"]["ds"].clone();
    for (name, value) in
        [("LineDesc", json!("fee")), ("SalesCatID", json!("SALE")), ("DocUnitPrice", json!(25.0))]
    {
        ds["InvcDtl"][0][name] = value;
    }
    ds["InvcDtl"][0]["SellingShipQty"] = json!(2);
    stage.rpc(&format!("{service}/UpdateMaster"), &json!({ "ds": ds }));
    stage.rpc("Erp.BO.InvcGrpSvc/PostInvoices", &json!({ "groupID": "MB1" }));
    let found = stage.get(&format!("{service}/ARInvoices?$filter=ExternalID%20eq%20'inv_1'"));
    assert_eq!(
        (&found["value"][0]["DocInvoiceBal"], &found["value"][0]["Posted"]),
        (&json!(50.0), &json!(true))
    );
    stage.made("Erp.BO.InvcGrpSvc/InvcGrps", &json!({ "GroupID": "MB2" }));
    let call = json!({ "groupID": "MB2", "sourceInvoiceNum": invoice });
    stage.rpc(&format!("{service}/GetCancellationInvoice"), &call);
    stage.control("post_invoices", &json!({ "group": "MB2" }));
    assert_eq!(stage.receivables()["total"], "0.00");
}
