//! A Kinetic that keeps whatever it is given, as often as it is given, with groups, periods and unique keys.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use suture_connect::http::{HttpRequest, HttpResponse, Method};

use crate::support::{error, response};

#[derive(Default)]
pub(crate) struct Kinetic {
    pub(crate) sets: BTreeMap<String, Vec<Value>>,
    /// Days before this one are in a closed period.
    pub(crate) open_from: String,
    /// Groups that were posted: gone from the list, and refused by name.
    pub(crate) posted_groups: Vec<String>,
    /// Parts that exist; empty: all.
    pub(crate) parts: Vec<String>,
    next: i64,
}

impl Kinetic {
    /// An order, a receipt in its open group, and nothing else.
    pub(crate) fn new() -> Self {
        let mut kinetic = Self { next: 1000, ..Self::default() };
        kinetic.put("SalesOrders", json!({"OrderNum": 900, "CustNum": 17, "OrderHeld": false}));
        kinetic.put(
            "CashGrps",
            json!({"GroupID": "S261120A", "BankAcctID": "MAIN", "TranDate": "2026-11-20T00:00:00"}),
        );
        let head = json!({"GroupID": "S261120A", "HeadNum": 1, "CustNum": 17, "DocTranAmt": 108.00, "Posted": false,
            "Reference": "visa 4242", "ReverseRef": 0, "ReverseDate": null, "CreditMemoNum": 0});
        kinetic.put("CashRecs", head);
        kinetic
    }

    pub(crate) fn put(&mut self, set: &str, row: Value) {
        self.sets.entry(set.to_owned()).or_default().push(row);
    }

    pub(crate) fn rows(&self, set: &str) -> &[Value] {
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }

    /// How many rows hold this value in this field.
    pub(crate) fn count(&self, set: &str, field: &str, value: &Value) -> usize {
        self.rows(set).iter().filter(|row| &row[field] == value).count()
    }

    pub(crate) fn receive(&mut self, request: &HttpRequest) -> HttpResponse {
        let path = request.url.split_once("/api/v2/odata/EPIC06/").unwrap().1;
        let path = decode(path);
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let (service, name) = path.split_once('/').unwrap();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method, name.split_once('(')) {
            (Method::Get, None) => self.list(name, query),
            (Method::Post, None) if name == "GetList" => self.customers_by_mail(&body),
            (Method::Post, None) if name == "ReverseCashReceipt" => self.reverse(&body),
            (Method::Post, None) => self.create(name, body),
            (Method::Patch, Some((set, key))) => self.patch(set, key, &body),
            (Method::Delete, Some((set, key))) => self.delete(set, key),
            _ => panic!("not offered: {service} {name}"),
        }
    }

    fn list(&self, set: &str, query: &str) -> HttpResponse {
        let filter = query.split("$filter=").nth(1).unwrap_or("").split("&$").next().unwrap();
        let fits = |row: &&Value| {
            filter.split(" and ").filter(|part| !part.is_empty()).all(|part| {
                let (field, wanted) = part.split_once(" eq ").unwrap();
                let wanted = match wanted.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
                    Some(text) => json!(text.replace("''", "'")),
                    None => serde_json::from_str(wanted).unwrap(),
                };
                row[field] == wanted
            })
        };
        let rows: Vec<&Value> = self.rows(set).iter().filter(fits).collect();
        response(200, &json!({"@odata.context": "x", "value": rows}).to_string())
    }

    fn customers_by_mail(&self, body: &Value) -> HttpResponse {
        let clause = body["whereClause"].as_str().unwrap();
        let email =
            clause.strip_prefix("EMailAddress = '").unwrap().strip_suffix('\'').unwrap().replace("''", "'");
        let rows: Vec<Value> = self
            .rows("Customers")
            .iter()
            .filter(|row| row["EMailAddress"] == email.as_str())
            .map(|row| json!({"CustNum": row["CustNum"], "CustID": row["CustID"], "Name": row["Name"]}))
            .collect();
        response(
            200,
            &json!({"returnObj": {"CustomerList": rows}, "parameters": {"morePages": false}}).to_string(),
        )
    }

    fn reverse(&mut self, body: &Value) -> HttpResponse {
        let group = body["groupID"].clone();
        for row in self.sets.get_mut("CashRecs").unwrap() {
            if row["GroupID"] == group && row["HeadNum"] == body["headNum"] {
                let times = row["reversals"].as_i64().unwrap_or(0) + 1;
                row["reversals"] = json!(times);
                row["ReverseRef"] = json!(77);
            }
        }
        response(200, r#"{"returnObj":null,"parameters":{"ds":{}}}"#)
    }

    fn create(&mut self, set: &str, mut row: Value) -> HttpResponse {
        let date = ["TranDate", "ApplyDate", "JEDate"].iter().find_map(|field| row[*field].as_str());
        if date.is_some_and(|date| date < self.open_from.as_str()) && set != "ApplyCreditMemoes" {
            return error(400, "BusinessObjectException", "The fiscal period is closed.");
        }
        let group = row["GroupID"].as_str().unwrap_or_default().to_owned();
        if self.posted_groups.contains(&group) {
            return error(400, "BusinessObjectException", &format!("Group {group} has already been posted."));
        }
        let (key, groups) = match set {
            "Customers" => ("CustNum", None),
            "SalesOrders" => ("OrderNum", None),
            "CashRecs" => ("HeadNum", Some("CashGrps")),
            "ARInvoices" => ("InvoiceNum", Some("InvcGrps")),
            "GLJournalEntries" => ("JournalNum", Some("GLJrnGrps")),
            _ => ("", None),
        };
        if let Some(groups) = groups
            && self.count(groups, "GroupID", &json!(group)) == 0
        {
            return error(400, "BusinessObjectException", "A valid Group ID is required.");
        }
        let unique: &[&str] = match set {
            "CashGrps" | "InvcGrps" | "GLJrnGrps" => &["GroupID"],
            "Customers" => &["CustID"],
            "CashDtls" => &["GroupID", "HeadNum", "InvoiceNum"],
            _ => &[],
        };
        let same =
            |other: &Value| !unique.is_empty() && unique.iter().all(|field| other[*field] == row[*field]);
        if self.rows(set).iter().any(same) {
            return error(409, "DuplicateRecordException", "A duplicate record exists.");
        }
        for line in row["OrderDtls"].as_array().into_iter().flatten() {
            let part = line["PartNum"].as_str().unwrap().to_owned();
            if !self.parts.is_empty() && !self.parts.contains(&part) {
                return error(400, "BusinessObjectException", &format!("Part {part} is not valid."));
            }
        }
        if !key.is_empty() {
            self.next += 1;
            row[key] = json!(self.next);
        }
        self.put(set, row.clone());
        response(201, &row.to_string())
    }

    fn at(&self, set: &str, key: &str) -> Option<usize> {
        let parts: Vec<String> = key
            .trim_end_matches(')')
            .split(',')
            .skip(1)
            .map(|part| part.trim_matches('\'').to_owned())
            .collect();
        let fields: &[&str] = match set {
            "Customers" => &["CustNum"],
            "SalesOrders" => &["OrderNum"],
            _ => &["GroupID", "HeadNum"],
        };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.rows(set)
            .iter()
            .position(|row| fields.iter().zip(&parts).all(|(field, part)| &text(&row[*field]) == part))
    }

    fn patch(&mut self, set: &str, key: &str, body: &Value) -> HttpResponse {
        let Some(at) = self.at(set, key) else {
            return error(404, "RecordNotFoundException", "Record not found.");
        };
        for (name, value) in body.as_object().unwrap() {
            self.sets.get_mut(set).unwrap()[at][name] = value.clone();
        }
        response(204, "")
    }

    fn delete(&mut self, set: &str, key: &str) -> HttpResponse {
        let Some(at) = self.at(set, key) else {
            return error(404, "RecordNotFoundException", "Record not found.");
        };
        self.sets.get_mut(set).unwrap().remove(at);
        response(204, "")
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
