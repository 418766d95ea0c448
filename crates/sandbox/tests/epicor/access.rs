//! Who may call the pretended Epicor, and what breaks on request.

use super::stage::{BASE, NOW_MS, Stage, signed};
use serde_json::{Value, json};
use suture_sandbox::epicor::DEFAULT_API_KEY;
use suture_sandbox::wire::{Request, Response};

const CUSTOMERS: &str = "Erp.BO.CustomerSvc/Customers";

fn bearer(token: &str) -> Request {
    Request::new("GET", &format!("{BASE}/{CUSTOMERS}"))
        .with_header("x-api-key", DEFAULT_API_KEY)
        .with_header("authorization", &format!("Bearer {token}"))
}

fn token_request() -> Request {
    Request::new("POST", "/Kinetic/TokenResource.svc/")
        .with_header("username", "suture")
        .with_header("password", "sandbox")
}

fn kind(answer: &Response) -> String {
    answer.body_json()["ErrorType"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_key_and_a_login_are_both_needed() {
    let mut stage = Stage::new();
    let target = format!("{BASE}/{CUSTOMERS}");
    let without_login = Request::new("GET", &target).with_header("x-api-key", DEFAULT_API_KEY);
    assert_eq!(stage.send(&without_login).status, 401);
    let mut without_key = signed("GET", CUSTOMERS);
    without_key.headers.retain(|(name, _)| name != "x-api-key");
    assert_eq!(stage.send(&without_key).status, 401);
    let in_query = without_key.path.clone();
    let mut in_query = Request::new("GET", &format!("{in_query}?api-key={DEFAULT_API_KEY}"));
    in_query.headers = without_key.headers.clone();
    assert_eq!(stage.send(&in_query).status, 200);
    let wrong =
        Request::new("GET", &target).with_header("authorization", "Basic eDp5").with_header("x-api-key", "x");
    let refused = stage.send(&wrong);
    assert_eq!((refused.status, &refused.body_json()["HttpStatus"]), (401, &json!(401)));
}

#[test]
fn a_token_is_good_until_its_time_and_a_new_login_helps() {
    let mut stage = Stage::new();
    let answer = stage.send(&token_request().with_header("accept", "application/json"));
    let token = answer.body_json()["AccessToken"].as_str().unwrap().to_owned();
    assert_eq!(answer.body_json()["ExpiresIn"], 3_600);
    assert_eq!(stage.send(&bearer(&token)).status, 200);
    stage.now_ms = NOW_MS + 3_600_000;
    assert_eq!(stage.send(&bearer(&token)).status, 401);
    let body = json!({ "clientId": "suture", "clientSecret": "sandbox", "scope": "epicor_erp" });
    let answer = stage.rpc("Ice.LIB.TokenServiceSvc/GetAccessToken", &body);
    let token = answer["returnObj"]["TokenService"][0]["AccessToken"].as_str().unwrap().to_owned();
    assert_eq!(stage.send(&bearer(&token)).status, 200);
    stage.control("expire_tokens", &json!({}));
    assert_eq!(stage.send(&bearer(&token)).status, 401);
}

#[test]
fn a_token_is_xml_unless_json_is_asked_for() {
    let mut stage = Stage::new();
    let answer = stage.send(&token_request());
    assert!(String::from_utf8(answer.body).unwrap().starts_with("<Token><AccessToken>"));
    let wrong = token_request().with_header("password", "x");
    let mut wrong = wrong;
    wrong.headers.retain(|(name, value)| name != "password" || value == "x");
    assert_eq!(stage.send(&wrong).status, 401);
}

#[test]
fn a_key_reaches_its_scope_and_a_user_his_companies() {
    let mut stage = Stage::new();
    stage.control("api_key", &json!({ "key": "narrow", "services": ["Erp.BO.CustomerSvc"] }));
    stage.control("company", &json!({ "company": "EPIC07" }));
    stage.control("user", &json!({ "user": "suture", "password": "sandbox", "companies": ["EPIC06"] }));
    let ask = |stage: &mut Stage, company: &str, target: &str| {
        let mut request = signed("GET", target);
        request.path = request.path.replace("EPIC06", company);
        request.headers.retain(|(name, _)| name != "x-api-key");
        stage.send(&request.with_header("x-api-key", "narrow"))
    };
    assert_eq!(ask(&mut stage, "EPIC06", CUSTOMERS).status, 200);
    let outside = ask(&mut stage, "EPIC06", "Erp.BO.PartSvc/Parts");
    assert_eq!((outside.status, kind(&outside).as_str()), (403, "System.UnauthorizedAccessException"));
    assert_eq!(ask(&mut stage, "EPIC07", CUSTOMERS).status, 403);
    assert_eq!(ask(&mut stage, "NONE", CUSTOMERS).status, 403);
}

#[test]
fn companies_share_nothing() {
    let mut stage = Stage::furnished();
    stage.control("company", &json!({ "company": "EPIC07" }));
    let mut request = signed("GET", CUSTOMERS);
    request.path = request.path.replace("EPIC06", "EPIC07");
    assert_eq!(stage.send(&request).body_json()["value"], json!([]));
    let foreign = stage.call("GET", &format!("{CUSTOMERS}('EPIC07',1)"), &Value::Null);
    assert_eq!(foreign.status, 404);
}

#[test]
fn an_ended_session_answers_410_until_another_one_is_named() {
    let mut stage = Stage::new();
    let ask = |stage: &mut Stage, id: &str| {
        let session = json!({ "SessionID": id }).to_string();
        stage.send(&signed("GET", CUSTOMERS).with_header("SessionInfo", &session)).status
    };
    assert_eq!(ask(&mut stage, "one"), 200);
    stage.control("end_sessions", &json!({}));
    assert_eq!((ask(&mut stage, "one"), ask(&mut stage, "two")), (410, 200));
}

#[test]
fn names_of_services_sets_and_methods_are_case_sensitive() {
    let mut stage = Stage::new();
    for target in
        ["Erp.BO.CustomerSvc/customers", "Erp.Bo.CustomerSvc/Customers", "Erp.BO.CashReceiptSvc/CashRecs"]
    {
        assert_eq!(stage.call("GET", target, &Value::Null).status, 404, "{target}");
    }
    let outside = stage.send(&Request::new("GET", "/Other/api/v2/odata/EPIC06/Erp.BO.PartSvc/Parts"));
    assert_eq!((outside.status, outside.header("content-type")), (404, Some("text/html")));
}

fn make(stage: &mut Stage, id: &str) -> Response {
    stage.post(CUSTOMERS, &json!({ "CustID": id, "Name": "x", "TerritoryID": "CENTRAL" }))
}

fn count(stage: &mut Stage) -> usize {
    stage.control("documents", &json!({ "table": "Customer" }))["rows"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_failure_before_the_commit_does_nothing_and_one_after_it_does_everything() {
    let mut stage = Stage::new();
    stage.control("fail", &json!({ "status": 500, "endpoint": "CustomerSvc", "method": "POST" }));
    let failed = make(&mut stage, "G-1");
    assert_eq!((failed.status, count(&mut stage)), (500, 0));
    stage.control("fail", &json!({ "status": 500, "acts": true }));
    let failed = make(&mut stage, "G-1");
    assert_eq!((failed.status, count(&mut stage)), (500, 1));
    let text = failed.body_json()["ErrorMessage"].as_str().unwrap().to_owned();
    assert!(text.contains("unexpected internal problem"), "{text}");
    assert_eq!(make(&mut stage, "G-1").status, 409);
}

#[test]
fn a_lost_answer_was_executed() {
    let mut stage = Stage::new();
    stage.control("lose_answers", &json!({ "count": 1, "method": "POST" }));
    stage.get(CUSTOMERS);
    assert!(make(&mut stage, "G-1").is_cut());
    assert_eq!((make(&mut stage, "G-2").status, count(&mut stage)), (201, 2));
}

#[test]
fn an_outage_says_when_to_come_back_and_does_nothing() {
    let mut stage = Stage::new();
    stage.control("outage", &json!({ "on": true }));
    let answer = make(&mut stage, "G-1");
    assert_eq!((answer.status, answer.header("retry-after"), count(&mut stage)), (503, Some("30"), 0));
    stage.control("outage", &json!({ "on": false }));
    stage.control("fail", &json!({ "status": 429, "retry_after": 7 }));
    let answer = make(&mut stage, "G-1");
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert_eq!(make(&mut stage, "G-1").status, 201);
}

#[test]
fn heavy_sets_may_be_unreadable_while_methods_and_queries_work() {
    let mut stage = Stage::furnished();
    stage.control("heavy_reads_fail", &json!({ "on": true }));
    assert_eq!(stage.call("GET", CUSTOMERS, &Value::Null).status, 500);
    let clause = "Erp.BO.CustomerSvc/GetRows?whereClauseCustomer=CustID='G-1'&pageSize=0&absolutePage=0";
    assert_eq!(stage.get(clause)["returnObj"]["Customer"][0]["CustNum"], 1);
    assert_eq!(stage.get("BaqSvc/SutureCustomers/Data")["value"][0]["Customer_CustID"], "G-1");
    assert_eq!(make(&mut stage, "G-2").status, 201);
}

#[test]
fn calls_are_counted_by_method_and_name() {
    let mut stage = Stage::new();
    stage.get(CUSTOMERS);
    make(&mut stage, "G-1");
    make(&mut stage, "G-2");
    let calls = stage.control("calls", &json!({ "forget": true }));
    assert_eq!(calls, json!({ format!("GET {CUSTOMERS}"): 1, format!("POST {CUSTOMERS}"): 2 }));
    assert_eq!(stage.control("calls", &json!({})), json!({}));
}

#[test]
fn an_error_has_the_shape_that_clients_read() {
    let mut stage = Stage::furnished();
    let answer = stage.post("Erp.BO.SalesOrderSvc/OrderDtls", &json!({ "OrderNum": 9, "PartNum": "VISIT" }));
    let body = answer.body_json();
    assert_eq!(body["ReasonPhrase"], "REST API Exception");
    assert_eq!(body["ErrorType"], "Ice.Common.BusinessObjectException");
    assert_eq!(
        (&body["ErrorDetails"][0]["Table"], &body["ErrorDetails"][0]["Field"]),
        (&json!("OrderDtl"), &json!("OrderNum"))
    );
    assert!(body["CorrelationId"].as_str().is_some_and(|id| !id.is_empty()));
    let xml = signed("GET", "Erp.BO.PartSvc/Parts('EPIC06','NONE')");
    let mut xml = xml;
    xml.headers.retain(|(name, _)| name != "accept");
    let answer = stage.send(&xml.with_header("accept", "application/xml"));
    assert!(String::from_utf8(answer.body).unwrap().contains("<HttpStatus>404</HttpStatus>"));
}
