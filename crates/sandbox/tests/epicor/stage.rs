//! A stage for stories about the pretended Epicor: a world, a clock and a client that speaks REST v2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use suture_sandbox::epicor::{DEFAULT_API_KEY, EpicorWorld};
use suture_sandbox::wire::{Request, Response};

/// 1 March 2026.
pub(crate) const NOW_MS: i64 = 1_772_323_200_000;
pub(crate) const BASE: &str = "/Kinetic/api/v2/odata/EPIC06";

pub(crate) struct Stage {
    pub(crate) world: EpicorWorld,
    pub(crate) now_ms: i64,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self { world: EpicorWorld::new(7), now_ms: NOW_MS }
    }

    /// A world with a customer, two parts and a cash group.
    pub(crate) fn furnished() -> Self {
        let mut stage = Self::new();
        stage.customer("G-1");
        for (number, price, tax) in [("VISIT", 120.0, "EXEMPT"), ("BRACE", 100.0, "TAXABLE")] {
            let body = json!({
                "PartNum": number, "PartDescription": "x", "UnitPrice": price, "TaxCatID": tax, "TypeCode": "P",
            });
            stage.made("Erp.BO.PartSvc/Parts", &body);
        }
        stage.cash_group("S260301A");
        stage
    }

    pub(crate) fn customer(&mut self, id: &str) -> i64 {
        let body =
            json!({ "CustID": id, "Name": "A guarantor", "TerritoryID": "CENTRAL", "GroupCode": "PAT" });
        number(&self.made("Erp.BO.CustomerSvc/Customers", &body), "CustNum")
    }

    pub(crate) fn cash_group(&mut self, id: &str) {
        let body = json!({ "GroupID": id, "TranDate": "2026-03-01T00:00:00", "BankAcctID": "MAIN" });
        self.made("Erp.BO.CashGrpSvc/CashGrps", &body);
    }

    pub(crate) fn order(&mut self, lines: &[(&str, i64)]) -> i64 {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(part, quantity)| json!({ "PartNum": part, "SellingQuantity": quantity }))
            .collect();
        let body =
            json!({ "CustomerCustID": "G-1", "PONum": "pay_1", "ReadyToCalc": true, "OrderDtls": lines });
        number(&self.made("Erp.BO.SalesOrderSvc/SalesOrders", &body), "OrderNum")
    }

    pub(crate) fn receipt(&mut self, reference: &str, amount: f64) -> i64 {
        let body = json!({
            "GroupID": "S260301A", "CustID": "G-1", "TranType": "PayInv", "CheckRef": reference,
            "DocTranAmt": amount,
        });
        number(&self.made("Erp.BO.CashRecSvc/CashRecs", &body), "HeadNum")
    }

    /// Ships an order wholly; the invoice's number.
    pub(crate) fn ship(&mut self, order: i64) -> i64 {
        number(&self.control("ship", &json!({ "order": order })), "invoice")
    }

    #[track_caller]
    pub(crate) fn control(&mut self, verb: &str, body: &Value) -> Value {
        self.world.control(self.now_ms, verb, body).expect("the verb is taken")
    }

    pub(crate) fn receivables(&mut self) -> Value {
        let balance = self.control("trial_balance", &json!({}));
        assert_eq!(balance["total"], balance["ledger"], "documents and ledger agree");
        balance
    }

    pub(crate) fn send(&mut self, request: &Request) -> Response {
        self.world.handle(self.now_ms, request)
    }

    pub(crate) fn call(&mut self, method: &str, target: &str, body: &Value) -> Response {
        let request = signed(method, target);
        let request = if body.is_null() { request } else { request.with_body(body.to_string()) };
        self.send(&request)
    }

    pub(crate) fn post(&mut self, target: &str, body: &Value) -> Response {
        self.call("POST", target, body)
    }

    #[track_caller]
    pub(crate) fn get(&mut self, target: &str) -> Value {
        let answer = self.call("GET", target, &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.body_json());
        answer.body_json()
    }

    #[track_caller]
    pub(crate) fn made(&mut self, target: &str, body: &Value) -> Value {
        let answer = self.post(target, body);
        assert_eq!(answer.status, 201, "{}", answer.body_json());
        answer.body_json()
    }

    /// Calls a method that works.
    #[track_caller]
    pub(crate) fn rpc(&mut self, method: &str, body: &Value) -> Value {
        let answer = self.post(method, body);
        assert_eq!(answer.status, 200, "{}", answer.body_json());
        answer.body_json()
    }

    /// Sends something that must be refused with this status and these words, and checks that nothing changed.
    #[track_caller]
    pub(crate) fn refused(&mut self, target: &str, body: &Value, status: u16, words: &str) {
        let before = self.control("documents", &json!({}));
        let answer = self.post(target, body);
        let said = answer.body_json();
        assert_eq!(answer.status, status, "{said}");
        assert_eq!(said["HttpStatus"], status);
        let message = said["ErrorMessage"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{message}");
        assert_eq!(self.control("documents", &json!({})), before);
    }
}

/// A request with the key and the user that exist from the beginning.
pub(crate) fn signed(method: &str, target: &str) -> Request {
    Request::new(method, &format!("{BASE}/{target}"))
        .with_header("x-api-key", DEFAULT_API_KEY)
        .with_header("authorization", &format!("Basic {}", STANDARD.encode("suture:sandbox")))
        .with_header("accept", "application/json")
}

#[track_caller]
pub(crate) fn number(row: &Value, name: &str) -> i64 {
    row[name].as_i64().unwrap_or_else(|| panic!("{name} in {row}"))
}
