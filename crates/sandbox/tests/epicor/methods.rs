//! Methods of the pretended Epicor's services: tablesets, the way of a receipt through the screens, journals.

use super::stage::{Stage, number};
use serde_json::{Value, json};

const RECEIPTS: &str = "Erp.BO.CashRecSvc";

fn edited(answer: &Value, table: &str, fields: &Value) -> Value {
    let mut ds = answer["parameters"]["ds"].clone();
    for (name, value) in fields.as_object().into_iter().flatten() {
        ds[table][0][name] = value.clone();
    }
    ds
}

#[test]
fn a_receipt_goes_through_the_steps_of_the_screens() {
    let mut stage = Stage::furnished();
    assert_eq!(stage.get("Erp.BO.CashGrpSvc/ReceiptGroupExists?groupID=S260301B")["returnObj"], false);
    let new = stage.rpc("Erp.BO.CashGrpSvc/GetNewCashGrpNoLock", &json!({ "ds": {} }));
    let ds = edited(&new, "CashGrp", &json!({ "GroupID": "S260301B", "BankAcctID": "MAIN" }));
    stage.rpc("Erp.BO.CashGrpSvc/Update", &json!({ "ds": ds }));
    assert_eq!(stage.get("Erp.BO.CashGrpSvc/ReceiptGroupExists?groupID=S260301B")["returnObj"], true);

    let order = stage.order(&[("VISIT", 1)]);
    let invoice = stage.ship(order);
    let call = json!({ "ds": {}, "groupID": "S260301B", "tranType": "PayInv" });
    let new = stage.rpc(&format!("{RECEIPTS}/GetNewCashHeadType"), &call);
    let ds = edited(&new, "CashHead", &json!({ "CheckRef": "pay_1", "DocTranAmt": 150.0 }));
    let known = stage.rpc(&format!("{RECEIPTS}/GetCustomerInfo"), &json!({ "custID": "G-1", "ds": ds }));
    let call = json!({
        "ds": known["parameters"]["ds"], "ipGroupID": "S260301B", "ipTableName": "CashHead",
        "updGroupTotals": true, "ipIgnoreValidation": 0,
    });
    let made = stage.rpc(&format!("{RECEIPTS}/UpdateMaster"), &call);
    let head = number(&made["parameters"]["ds"]["CashHead"][0], "HeadNum");
    let call =
        json!({ "groupID": "S260301B", "headNum": head, "invoiceNum": invoice, "takeDiscount": false });
    let applied = stage.rpc(&format!("{RECEIPTS}/GenerateCashDtl"), &call);
    assert_eq!(applied["returnObj"]["CashDtl"][0]["DocTranAmt"], 120.0);
    assert_eq!(applied["returnObj"]["CashHead"][0]["DocUnAppliedAmt"], 30.0);

    stage.rpc("Erp.BO.CashGrpSvc/PrePostGroup", &json!({ "groupID": "S260301B" }));
    let parameters = stage.get("Erp.PROC.CashRecPostSvc/GetNewParameters");
    let mut ds = parameters["returnObj"].clone();
    ds["CashRecPostParam"][0]["GroupID"] = json!("S260301B");
    stage.rpc("Erp.PROC.CashRecPostSvc/RunDirect", &json!({ "ds": ds }));
    assert_eq!(stage.get("Erp.BO.CashGrpSvc/ReceiptGroupExists?groupID=S260301B")["returnObj"], false);
    let shown = stage.get(&format!("{RECEIPTS}/GetByID?groupID=S260301B&headNum={head}"));
    let memo = number(&shown["returnObj"]["CashHead"][0], "CreditMemoNum");
    let memo = stage.get(&format!("Erp.BO.ARInvoiceSvc/ARInvoices('EPIC06',{memo})"));
    assert_eq!((&memo["InvoiceSuffix"], &memo["DocInvoiceBal"]), (&json!("UR"), &json!(-30.0)));
    assert_eq!(stage.receivables()["total"], "-30.00");
}

#[test]
fn a_submitted_posting_happens_later_and_its_objection_stands_in_the_group() {
    let mut stage = Stage::furnished();
    stage.control("post_delay", &json!({ "milliseconds": 5_000 }));
    stage.receipt("pay_1", 10.0);
    let ds = json!({ "ds": { "CashRecPostParam": [{ "GroupID": "S260301A" }] }, "agentID": "", "maintProgram": "" });
    stage.rpc("Erp.PROC.CashRecPostSvc/SubmitToAgent", &ds);
    assert_eq!(stage.post("Erp.PROC.CashRecPostSvc/SubmitToAgent", &ds).status, 400);
    stage.control("close_period", &json!({ "year": 2026, "period": 3 }));
    stage.now_ms += 5_000;
    let group = stage.get("Erp.BO.CashGrpSvc/CashGrps('EPIC06','S260301A')");
    assert!(group["PostErrorLog"].as_str().unwrap().contains("is closed"));
    stage.control("open_period", &json!({ "year": 2026, "period": 3 }));
    stage.rpc("Erp.PROC.CashRecPostSvc/SubmitToAgent", &ds);
    stage.now_ms += 5_000;
    let gone = stage.call("GET", "Erp.BO.CashGrpSvc/CashGrps('EPIC06','S260301A')", &Value::Null);
    assert_eq!((gone.status, &stage.receivables()["total"]), (404, &json!("-10.00")));
}

#[test]
fn update_writes_all_rows_or_none_and_update_ext_says_what_went_wrong() {
    let mut stage = Stage::furnished();
    let rows = json!([
        { "RowMod": "A", "CustID": "G-2", "Name": "x", "TerritoryID": "T", "CountryNum": 1 },
        { "RowMod": "A", "CustID": "G-1", "Name": "x", "TerritoryID": "T", "CountryNum": 1 },
        { "RowMod": "", "CustID": "G-4", "Name": "x" },
    ]);
    let ds = json!({ "ds": { "Customer": rows } });
    stage.refused("Erp.BO.CustomerSvc/Update", &ds, 409, "already exists");
    let mut call = ds.clone();
    call["continueProcessingOnError"] = json!(false);
    call["rollbackParentOnChildError"] = json!(true);
    let count = |stage: &mut Stage| {
        stage.control("documents", &json!({ "table": "Customer" }))["rows"].as_array().unwrap().len()
    };
    let said = stage.rpc("Erp.BO.CustomerSvc/UpdateExt", &call);
    assert_eq!((&said["parameters"]["errorsOccurred"], count(&mut stage)), (&json!(true), 1));
    assert_eq!(said["returnObj"]["BOUpdError"][0]["ErrorText"], "Customer ID already exists.");
    call["continueProcessingOnError"] = json!(true);
    let said = stage.rpc("Erp.BO.CustomerSvc/UpdateExt", &call);
    assert_eq!((&said["parameters"]["errorsOccurred"], count(&mut stage)), (&json!(true), 2));
    assert_eq!(said["parameters"]["ds"]["Customer"][0]["CustID"], "G-2");
}

#[test]
fn a_tableset_changes_and_deletes_by_row_mod_and_refuses_stale_rows() {
    let mut stage = Stage::furnished();
    let mut ds = stage.get("Erp.BO.CustomerSvc/GetByID?custNum=1")["returnObj"].clone();
    let before = ds["Customer"][0].clone();
    ds["Customer"][0]["RowMod"] = json!("U");
    ds["Customer"][0]["Name"] = json!("Another name");
    ds["Customer"].as_array_mut().unwrap().insert(0, before);
    let made = stage.rpc("Erp.BO.CustomerSvc/Update", &json!({ "ds": ds }));
    assert_eq!(made["parameters"]["ds"]["Customer"][0]["Name"], "Another name");
    stage.refused("Erp.BO.CustomerSvc/Update", &json!({ "ds": ds }), 400, "another user");
    let mut ds = made["parameters"]["ds"].clone();
    ds["Customer"][0]["RowMod"] = json!("D");
    stage.rpc("Erp.BO.CustomerSvc/Update", &json!({ "ds": ds }));
    assert_eq!(stage.call("GET", "Erp.BO.CustomerSvc/GetByID?custNum=1", &Value::Null).status, 404);
}

#[test]
fn an_order_and_its_lines_go_into_one_tableset() {
    let mut stage = Stage::furnished();
    let new = stage.rpc("Erp.BO.SalesOrderSvc/GetNewOrderHed", &json!({ "ds": {} }));
    let ds = edited(&new, "OrderHed", &json!({ "CustomerCustID": "G-1" }));
    let known = stage.rpc("Erp.BO.SalesOrderSvc/ChangeSoldToID", &json!({ "ds": ds }));
    let mut ds = known["parameters"]["ds"].clone();
    assert_eq!(ds["OrderHed"][0]["CustNum"], 1);
    ds["OrderDtl"] = json!([{ "RowMod": "A", "OrderNum": 0, "PartNum": "VISIT", "SellingQuantity": 3 }]);
    let made = stage.rpc("Erp.BO.SalesOrderSvc/MasterUpdate", &json!({ "ds": ds, "cTableName": "OrderHed" }));
    let made = &made["parameters"]["ds"];
    assert_eq!(
        (&made["OrderHed"][0]["DocOrderAmt"], &made["OrderRel"][0]["OurReqQty"]),
        (&json!(360.0), &json!(3.0))
    );
}

#[test]
fn names_of_arguments_are_exact_and_writing_needs_post() {
    let mut stage = Stage::furnished();
    let answer = stage.post("Erp.BO.CashGrpSvc/ReceiptGroupExists", &json!({ "groupid": "x" }));
    assert!(answer.body_json()["ErrorMessage"].as_str().unwrap().contains("Parameter groupID is not found"));
    assert_eq!(stage.call("GET", "Erp.BO.CustomerSvc/Update", &Value::Null).status, 404);
    assert_eq!(stage.post("Erp.BO.CustomerSvc/update", &json!({ "ds": {} })).status, 404);
    assert_eq!(stage.post("Erp.BO.CashReceiptSvc/Update", &json!({ "ds": {} })).status, 404);
}

#[test]
fn a_journal_is_posted_when_it_balances() {
    let mut stage = Stage::furnished();
    let group = json!({ "GroupID": "P260301", "BookID": "MAIN", "JEDate": "2026-03-01" });
    stage.made("Erp.BO.GLJrnGrpSvc/GLJrnGrps", &group);
    let lines = json!([
        { "GLAccount": "1010-MAIN", "DebitAmount": 97.1 },
        { "GLAccount": "6100", "TransAmt": 2.9 },
    ]);
    let journal = json!({ "GroupID": "P260301", "Description": "payout", "GLJrnDtlMnls": lines });
    let made = stage.made("Erp.BO.GLJournalEntrySvc/GLJournalEntries", &journal);
    let group = json!({ "groupID": "P260301" });
    stage.refused("Erp.BO.GLJrnGrpSvc/CheckBeforePost", &group, 400, "out of balance");
    stage.refused("Erp.BO.GLJrnGrpSvc/PostGroupJournals", &group, 400, "out of balance");
    let line = json!({ "JournalNum": made["JournalNum"], "GLAccount": "1090", "CreditAmount": 100.0 });
    stage.made("Erp.BO.GLJournalEntrySvc/GLJrnDtlMnls", &line);
    stage.rpc("Erp.BO.GLJrnGrpSvc/CheckBeforePost", &group);
    stage.rpc("Erp.BO.GLJrnGrpSvc/PostGroupJournals", &group);
    stage.refused("Erp.BO.GLJrnGrpSvc/PostGroupJournals", &group, 400, "was posted");
    assert_eq!(stage.receivables()["banks"]["MAIN"], "97.10");
}
