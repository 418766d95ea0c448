//! The external-payment service `GetPaymentSessionData`: what is due, and whether a transaction was posted.
//!
//! Called by `world`. Source: EPIC.md §7a; the fields are this sandbox's own, as in `external_payment`. What must stay
//! true: `Transactions` is there whenever a transaction was asked for, and empty exactly when none was posted.

use serde::Serialize;
use serde_json::{Value, json};

use super::amount::{Currency, Exact};
use super::answer::{Issue, Refusal};
use super::external_payment::{answer_with, not_found};
use super::records::{Held, patient};
use super::world::EpicWorld;
use crate::wire::{Request, Response};

#[derive(Serialize)]
struct Session<'a> {
    #[serde(flatten)]
    due: Option<Due<'a>>,
    #[serde(rename = "Transactions", skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<Posted<'a>>>,
}

/// What is due on one account.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Due<'a> {
    #[serde(rename = "PatientID")]
    patient: &'a str,
    #[serde(rename = "AccountID")]
    account: &'a str,
    #[serde(rename = "GuarantorID")]
    guarantor: &'a str,
    #[serde(rename = "ClaimID")]
    claim: &'a str,
    claim_status: Option<&'a str>,
    balance_due: Exact,
    currency: &'static str,
    balances: Vec<Balance<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Balance<'a> {
    currency: &'a str,
    amount: Exact,
}

/// One posted transaction.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Posted<'a> {
    #[serde(rename = "TransactionID")]
    reference: &'a str,
    receipt_number: String,
    amount: Exact,
    currency: &'a str,
    transaction_type: &'static str,
    status: &'static str,
    refunded_amount: Exact,
    #[serde(rename = "AccountID")]
    account: &'a str,
}

impl EpicWorld {
    /// Answers what is due on an account, and whether a transaction was posted.
    pub(super) fn session_data(&self, request: &Request) -> Result<Response, Refusal> {
        let body: Value = match request.method.as_str() {
            "POST" => serde_json::from_slice(&request.body)
                .map_err(|_| Refusal::new(59105, "The body is not JSON."))?,
            _ => request
                .query
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        };
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
        let reference = text("TransactionID");
        let due = match text("PatientID") {
            Some(id) => Some(self.amounts_due(id, text("AccountID"))?),
            None if reference.is_some() => None,
            None => return Err(Issue::new(59108, "PatientID is missing.").at("PatientID").into()),
        };
        let transactions = reference.map(|reference| self.transactions(reference));
        answer_with(&Session { due, transactions })
    }

    fn amounts_due<'a>(&'a self, patient_id: &'a str, account_id: Option<&str>) -> Result<Due<'a>, Refusal> {
        let owner = self
            .records
            .find(Held::Patient, patient_id)
            .ok_or_else(|| Refusal::new(4102, "PatientID names no patient here."))?;
        self.records.check_patient(owner)?;
        let account = match account_id {
            Some(id) => self.records.find(Held::Account, id).ok_or_else(|| not_found("AccountID"))?,
            None => owner,
        };
        if self.records.owner(account) != owner {
            return Err(Refusal::new(59159, "AccountID is not an account of the patient."));
        }
        let all = self.book.balances().get(account).map_or(&[][..], Vec::as_slice);
        let balances = all.iter().map(|(currency, minor)| Balance {
            currency: currency.as_str(),
            amount: Exact { minor: *minor, currency: *currency },
        });
        Ok(Due {
            patient: patient_id,
            account: self.records.id(Held::Account, account),
            guarantor: &patient(account).guarantor,
            claim: self.records.id(Held::Claim, account),
            claim_status: self.claim_status.get(&account).map(String::as_str),
            balance_due: Exact { minor: self.book.balance(account, Currency::USD), currency: Currency::USD },
            currency: "USD",
            balances: balances.collect(),
        })
    }

    /// The transaction, once for each time that it was really posted.
    fn transactions<'a>(&'a self, reference: &'a str) -> Vec<Posted<'a>> {
        let Some(posting) = self.book.posting(reference) else { return Vec::new() };
        let exact = |minor| Exact { minor, currency: posting.currency };
        posting
            .receipt_numbers()
            .map(|receipt_number| Posted {
                reference,
                receipt_number,
                amount: exact(posting.amount_minor),
                currency: posting.currency.as_str(),
                transaction_type: posting.kind.name(),
                status: "Posted",
                refunded_amount: exact(posting.refunded_minor),
                account: self.records.id(Held::Account, posting.account),
            })
            .collect()
    }
}
