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
