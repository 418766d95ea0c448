//! Rows of patient billing as the command line prints them when it reads the database itself: the members of the API's
//! bodies that fit a terminal, under the same names.

use serde_json::{Value, json};
use suture_core::money::Money;
use suture_core::payout::{Hold, HoldReason, ProviderPayout};
use suture_core::service::Service;
use suture_core::time::Timestamp;
use suture_engine::billing::{CreditLine, RemittanceClaim, Statement};

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 86_400_000;

/// An amount as people read it.
fn amount(money: Money) -> Value {
    Value::String(money.to_string())
}

/// An amount of the API as people read it; other values as they are.
pub(super) fn readable(row: &Value) -> Value {
    let Some(members) = row.as_object() else { return row.clone() };
    let money = |value: &Value| -> Option<Value> {
        let currency = suture_core::currency::Currency::parse(value["currency"].as_str()?).ok()?;
        Some(amount(Money::new(value["minor"].as_i64()?, currency)))
    };
    let member =
        |(name, value): (&String, &Value)| (name.clone(), money(value).unwrap_or_else(|| value.clone()));
    Value::Object(members.iter().map(member).collect())
}

/// A service with its worksheet, flat.
pub(super) fn service(service: &Service) -> Value {
    let sheet = service.worksheet();
    json!({
        "id": service.id, "status": service.status.name(), "patient": service.patient,
        "responsibility": amount(sheet.responsibility), "estimates": amount(sheet.estimates),
        "paid": amount(sheet.balance_payments), "difference": amount(sheet.difference),
    })
}

/// The same of a service that the API gave.
pub(super) fn service_of_api(service: &Value) -> Value {
    let sheet = readable(&service["worksheet"]);
    json!({
        "id": service["id"], "status": service["status"], "patient": service["patient"],
        "responsibility": sheet["responsibility"], "estimates": sheet["estimates"],
        "paid": sheet["balancePayments"], "difference": sheet["difference"],
    })
}

/// A payout with why it is held, flat.
pub(super) fn payout(payout: &ProviderPayout) -> Value {
    let money = |minor| amount(payout.money(minor));
    let hold = |(reason, hold): (&HoldReason, &Hold)| {
        held(reason.name(), hold.until.map(Timestamp::to_rfc3339).as_deref())
    };
    let holds: Vec<String> = payout.holds.iter().map(hold).collect();
    json!({
        "id": payout.accrual.payout, "status": payout.status().name(), "provider": payout.accrual.provider,
        "charge": money(payout.gross_minor), "entitled": money(payout.entitled_minor()),
        "transferred": money(payout.transferred_minor()), "owes": money(payout.owes_minor()),
        "holds": holds.join(", "),
    })
}

/// The same of a payout that the API gave.
pub(super) fn payout_of_api(payout: &Value) -> Value {
    let mut row = readable(payout);
    let holds = payout["holds"].as_array().map(Vec::as_slice).unwrap_or_default();
    let hold = |hold: &Value| held(hold["reason"].as_str().unwrap_or_default(), hold["until"].as_str());
    row["holds"] = holds.iter().map(hold).collect::<Vec<_>>().join(", ").into();
    row
}

fn held(reason: &str, until: Option<&str>) -> String {
    match until {
        Some(until) => format!("{reason} until {until}"),
        None => reason.to_owned(),
    }
}

/// A credit with its age.
pub(super) fn credit(credit: &CreditLine, now: Timestamp) -> Value {
    json!({
        "link": credit.link, "patient": credit.patient, "amount": amount(credit.amount),
        "since": credit.since.to_rfc3339(), "ageDays": (now.millis() - credit.since.millis()) / DAY_MILLIS,
    })
}

/// The lines of a statement.
pub(super) fn statement(statement: &Statement) -> Vec<Value> {
    let line = |line: &suture_engine::billing::StatementLine| {
        json!({
            "at": line.at.to_rfc3339(), "what": line.what, "account": line.account, "amount": amount(line.amount),
        })
    };
    statement.lines.iter().map(line).collect()
}

/// A claim of a remittance.
pub(super) fn claim(claim: &RemittanceClaim) -> Value {
    json!({ "position": claim.position, "claim": claim.claim, "state": claim.state, "note": claim.note })
}
