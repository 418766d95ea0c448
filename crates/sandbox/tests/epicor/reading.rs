//! Reading from the pretended Epicor: conditions, pages, queries, and what changed since the last look.

use super::stage::{Stage, number};
use serde_json::{Value, json};

const CUSTOMERS: &str = "Erp.BO.CustomerSvc/Customers";

fn numbers(body: &Value, name: &str) -> Vec<i64> {
    body["value"].as_array().into_iter().flatten().map(|row| number(row, name)).collect()
}

#[test]
fn a_page_has_a_hundred_rows_and_the_rest_comes_with_skip() {
    let mut stage = Stage::new();
    for at in 1..=250 {
        stage.customer(&format!("G-{at:03}"));
    }
    let first = stage.get(&format!("{CUSTOMERS}?$orderby=CustNum&$select=CustNum&$count=true"));
    assert_eq!((numbers(&first, "CustNum"), &first["@odata.count"]), ((1..=100).collect(), &json!(250)));
    assert_eq!(first["value"][0], json!({ "CustNum": 1 }));
    let third = stage.get(&format!("{CUSTOMERS}?$orderby=CustNum&$skip=200"));
    assert_eq!(numbers(&third, "CustNum"), (201..=250).collect::<Vec<_>>());
    let many = stage.get(&format!("{CUSTOMERS}?$orderby=CustNum%20desc&$top=150"));
    assert_eq!(numbers(&many, "CustNum"), (101..=250).rev().collect::<Vec<_>>());
}

#[test]
fn conditions_take_texts_numbers_dates_flags_and_guids() {
    let mut stage = Stage::furnished();
    let customer = stage.get(&format!("{CUSTOMERS}('EPIC06',1)"));
    let id = customer["SysRowID"].as_str().unwrap().to_owned();
    let order = stage.order(&[("VISIT", 1)]);
    stage.order(&[("BRACE", 1)]);
    for (target, count) in [
        (format!("{CUSTOMERS}?$filter=SysRowID%20eq%20{id}"), 1),
        (format!("{CUSTOMERS}?$filter=ValidPayer%20eq%20true%20and%20CustID%20eq%20'G-1'"), 1),
        (format!("Erp.BO.SalesOrderSvc/SalesOrders?$filter=OrderNum%20eq%20{order}"), 1),
        (format!("Erp.BO.SalesOrderSvc/SalesOrders?$filter=OrderNum%20gt%20{order}"), 1),
        ("Erp.BO.SalesOrderSvc/SalesOrders?$filter=PONum%20eq%20'pay_1'".to_owned(), 2),
        ("Erp.BO.SalesOrderSvc/SalesOrders?$filter=PONum%20eq%20'pay''1'".to_owned(), 0),
        ("Erp.BO.SalesOrderSvc/SalesOrders?$filter=DocOrderAmt%20le%20107.25".to_owned(), 1),
        ("Erp.BO.SalesOrderSvc/SalesOrders?$filter=OrderDate%20ge%202026-03-01T00:00:00Z".to_owned(), 2),
        ("Erp.BO.SalesOrderSvc/SalesOrders?$filter=OrderDate%20lt%202026-03-01T00:00:00".to_owned(), 0),
    ] {
        assert_eq!(stage.get(&target)["value"].as_array().unwrap().len(), count, "{target}");
    }
    for wrong in
        ["$filter=custid%20eq%20'x'", "$filter=CustID%20eq%205", "$select=Nothing", "$top=many", "$expand=X"]
    {
        assert_eq!(stage.call("GET", &format!("{CUSTOMERS}?{wrong}"), &Value::Null).status, 400, "{wrong}");
    }
}

#[test]
fn keys_are_written_with_or_without_names_and_escaped() {
    let mut stage = Stage::furnished();
    stage.made("Erp.BO.PartSvc/Parts", &json!({ "PartNum": "O'Neil+1", "PartDescription": "x" }));
    for key in ["('EPIC06','O''Neil+1')", "(Company='EPIC06',PartNum='O%27%27Neil%2B1')"] {
        assert_eq!(stage.get(&format!("Erp.BO.PartSvc/Parts{key}"))["PartNum"], "O'Neil+1");
    }
    for (key, status) in [("('EPIC06')", 400), ("('EPIC06',1)", 400), ("('EPIC06','NONE')", 404)] {
        assert_eq!(
            stage.call("GET", &format!("Erp.BO.PartSvc/Parts{key}"), &Value::Null).status,
            status,
            "{key}"
        );
    }
}

#[test]
fn polling_by_row_version_sees_every_change_once() {
    let mut stage = Stage::furnished();
    let changes = |stage: &mut Stage, after: i64| {
        let body =
            stage.get(&format!("BaqSvc/SutureChanges/Data?$filter=Calculated_SysRevID%20gt%20{after}"));
        body["value"].as_array().unwrap().clone()
    };
    let seen = changes(&mut stage, 0);
    let mut mark = number(seen.last().unwrap(), "Calculated_SysRevID");
    assert_eq!(changes(&mut stage, mark), Vec::<Value>::new());
    stage.call("PATCH", &format!("{CUSTOMERS}('EPIC06',1)"), &json!({ "City": "Here" }));
    stage.receipt("pay_1", 10.0);
    let tables: Vec<Value> =
        changes(&mut stage, mark).iter().map(|row| row["Calculated_Table"].clone()).collect();
    assert_eq!(tables, ["Customer", "CashHead", "CashGrp"]);
    let mut rows = Vec::new();
    mark = 0;
    loop {
        let page =
            stage.get(&format!("BaqSvc/SutureChanges/Data?$filter=Calculated_SysRevID%20gt%20{mark}&$top=2"));
        let Some(last) = page["value"].as_array().unwrap().last().cloned() else { break };
        mark = number(&last, "Calculated_SysRevID");
        rows.extend(page["value"].as_array().unwrap().clone());
    }
    assert_eq!(rows, changes(&mut stage, 0));
}

#[test]
fn a_query_names_columns_with_their_table_and_the_customer_beside() {
    let mut stage = Stage::furnished();
    stage.receipt("pay_1", 10.0);
    let found = stage.get("BaqSvc/SutureReceipts/Data?$filter=CashHead_CheckRef%20eq%20'pay_1'");
    let row = &found["value"][0];
    assert_eq!((&row["CashHead_DocTranAmt"], &row["Customer_CustID"]), (&json!(10.0), &json!("G-1")));
    let version = number(row, "CashHead_SysRevID");
    let target = |from: i64| {
        format!("BaqSvc/SutureReceipts/Data?$filter=CashHead_SysRevID%20gt%20{from}&$select=CashHead_HeadNum")
    };
    assert_eq!(stage.get(&target(version))["value"], json!([]));
    let found = stage.get(&target(version - 1));
    assert_eq!(found["value"][0]["CashHead_HeadNum"], 1);
    assert_eq!(
        stage.call("GET", "BaqSvc/SutureReceipts/Data?$filter=CheckRef%20eq%20'x'", &Value::Null).status,
        400
    );
    assert_eq!(stage.call("GET", "BaqSvc/Nothing/Data", &Value::Null).status, 404);
    stage.control("baq", &json!({ "id": "MyParts", "table": "Part" }));
    assert_eq!(stage.get("BaqSvc/MyParts/Data")["value"].as_array().unwrap().len(), 2);
}
