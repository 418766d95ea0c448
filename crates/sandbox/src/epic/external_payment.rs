//! The external-payment service: `GetPaymentSessionData` and `PostTransactionResult`.
//!
//! Called by `world`. Source: EPIC.md §7a; the fields of the real service are not public, so the names here
//! are this sandbox's own. What must stay true: one body is parsed once, and a refusal posts nothing.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::{Value, json};

use super::amount::{self, Currency};
use super::answer::{Issue, Refusal};
use super::book::{Entry, Kind};
use super::records::{Held, patient};
use super::world::EpicWorld;
use crate::wire::{Request, Response};

/// Longest transaction id, as in Epic's reconciliation file (EPIC.md §7b).
const REFERENCE_LENGTH_MAX: usize = 50;
const TEXT_LENGTH_MAX: usize = 100;

/// A text of the body; missing and null are empty.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Body of `PostTransactionResult`. Other fields are ignored.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Transaction<'a> {
    #[serde(borrow, rename = "TransactionID", alias = "Reference", alias = "reference")]
    reference: Text<'a>,
    #[serde(borrow, rename = "PatientID")]
    patient: Text<'a>,
    #[serde(borrow, rename = "AccountID")]
    account: Text<'a>,
    #[serde(borrow, rename = "ClaimID")]
    claim: Text<'a>,
    #[serde(borrow, rename = "Amount")]
    amount: Text<'a>,
    #[serde(borrow, rename = "Currency")]
    currency: Text<'a>,
    #[serde(borrow, rename = "TransactionType")]
    kind: Text<'a>,
    #[serde(borrow, rename = "DateTime")]
    moment: Text<'a>,
    #[serde(borrow, rename = "EncounterID")]
    encounter: Text<'a>,
    #[serde(borrow, rename = "PractitionerID")]
    practitioner: Text<'a>,
    #[serde(borrow, rename = "Status")]
    status: Text<'a>,
    #[serde(borrow, rename = "WorkQueue")]
    work_queue: Text<'a>,
    #[serde(borrow, rename = "OriginalTransactionID")]
    original: Text<'a>,
}

impl Transaction<'_> {
    /// Checks every field that needs no record.
    fn check(&self) -> Result<(Kind, Currency, i64), Refusal> {
        let required = [
            ("TransactionID", &self.reference),
            ("PatientID", &self.patient),
            ("AccountID", &self.account),
            ("Amount", &self.amount),
            ("Currency", &self.currency),
            ("TransactionType", &self.kind),
            ("DateTime", &self.moment),
        ];
        if let Some((name, _)) = required.iter().find(|(_, text)| text.0.is_empty()) {
            return Err(Issue::new(59108, format!("{name} is missing. Nothing was posted."))
                .at(*name)
                .into());
        }
        let reference = &self.reference.0;
        if reference.len() > REFERENCE_LENGTH_MAX || !reference.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("TransactionID"));
        }
        if let Some(name) = [("Status", &self.status), ("WorkQueue", &self.work_queue)]
            .iter()
            .find_map(|(name, text)| (text.0.len() > TEXT_LENGTH_MAX).then_some(*name))
        {
            return Err(invalid(name));
        }
        if self.moment.0.parse::<jiff::Timestamp>().is_err() {
            return Err(invalid("DateTime"));
        }
        let kind = match &*self.kind.0 {
            "Payment" => Kind::Payment,
            "Refund" => Kind::Refund,
            _ => return Err(invalid("TransactionType")),
        };
        if kind == Kind::Refund && self.original.0.is_empty() {
            let issue = Issue::new(59108, "OriginalTransactionID is missing. Nothing was posted.");
            return Err(issue.at("OriginalTransactionID").into());
        }
        let currency = Currency::parse(&self.currency.0).ok_or_else(|| invalid("Currency"))?;
        let amount_minor = amount::parse(&self.amount.0, currency, currency.decimals())
            .filter(|minor| *minor > 0)
            .ok_or_else(|| invalid("Amount"))?;
        Ok((kind, currency, amount_minor))
    }
}

fn invalid(name: &str) -> Refusal {
    Issue::new(59111, format!("{name} has an invalid value. Nothing was posted.")).at(name).into()
}

fn not_found(name: &str) -> Refusal {
    Issue::new(59144, format!("{name} names no record here. Nothing was posted.")).at(name).into()
}

impl EpicWorld {
    /// Posts a payment or a refund and moves the balance of the account.
    pub(super) fn post_transaction(&mut self, now_ms: i64, body: &[u8]) -> Result<Response, Refusal> {
        let transaction: Transaction<'_> = serde_json::from_slice(body).map_err(|_| {
            Refusal::new(59105, "The body is not JSON with texts as values. Nothing was posted.")
        })?;
        let (kind, currency, amount_minor) = transaction.check()?;
        let (account, claim) = self.find_records(&transaction)?;
        let original = (kind == Kind::Refund).then_some(&*transaction.original.0);
        let receipt = self.book.post(&Entry {
            reference: &transaction.reference.0,
            account,
            claim,
            amount_minor,
            currency,
            kind,
            original,
            work_queue: &transaction.work_queue.0,
            at_ms: now_ms,
        })?;
        if let Some(claim) = claim.filter(|_| receipt.is_new) {
            self.note_claim_status(claim, &transaction.status.0);
        }
        let mut answer = json!({
            "TransactionID": transaction.reference.0,
            "Result": if receipt.is_new { "Posted" } else { "AlreadyPosted" },
            "ReceiptNumber": receipt.number,
            "TransactionType": kind.name(),
            "Amount": amount::render(amount_minor, currency),
            "Currency": currency.as_str(),
            "AccountBalance": amount::render(receipt.balance_minor, currency),
        });
        let warnings = self.enrichment_warnings(&transaction);
        if !warnings.is_empty() {
            answer["Warnings"] = warnings.into();
        }
        Ok(Response::json(200, &answer))
    }

    /// Positions of the account and the claim, after the patient was checked.
    fn find_records(&self, transaction: &Transaction<'_>) -> Result<(usize, Option<usize>), Refusal> {
        let patient =
            self.records.find(Held::Patient, &transaction.patient.0).ok_or_else(|| not_found("PatientID"))?;
        self.records.check_patient(patient)?;
        let account =
            self.records.find(Held::Account, &transaction.account.0).ok_or_else(|| not_found("AccountID"))?;
        if self.records.owner(account) != patient {
            return Err(Refusal::new(
                59159,
                "AccountID is not an account of the patient. Nothing was posted.",
            ));
        }
        if transaction.claim.0.is_empty() {
            return Ok((account, None));
        }
        let claim =
            self.records.find(Held::Claim, &transaction.claim.0).ok_or_else(|| not_found("ClaimID"))?;
        if self.records.owner(claim) != patient {
            return Err(Refusal::new(59159, "ClaimID is not a claim of the patient. Nothing was posted."));
        }
        if self.records.is_closed(claim) {
            return Err(Refusal::new(59159, "The claim is closed and takes no payment. Nothing was posted."));
        }
        Ok((account, Some(claim)))
    }

    fn note_claim_status(&mut self, claim: usize, status: &str) {
        let known = self.claim_status.entry(claim).or_default();
        if !status.is_empty() && known != status {
            status.clone_into(known);
        }
    }

    /// Enrichment is optional: an unknown encounter or practitioner is ignored and reported.
    fn enrichment_warnings(&self, transaction: &Transaction<'_>) -> Vec<Value> {
        let optional = [
            ("EncounterID", Held::Encounter, &transaction.encounter),
            ("PractitionerID", Held::Practitioner, &transaction.practitioner),
        ];
        optional
            .iter()
            .filter(|(_, held, text)| !text.0.is_empty() && self.records.find(*held, &text.0).is_none())
            .map(|(name, _, _)| {
                let text = "The record is unknown and was ignored.";
                json!({ "Code": "59109", "Field": name, "Text": text })
            })
            .collect()
    }

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
        let mut answer = match text("PatientID") {
            Some(id) => self.amounts_due(id, text("AccountID"))?,
            None if reference.is_some() => json!({}),
            None => return Err(Issue::new(59108, "PatientID is missing.").at("PatientID").into()),
        };
        if let Some(reference) = reference {
            answer["Transaction"] = self.transaction_state(reference);
        }
        Ok(Response::json(200, &answer))
    }

    fn amounts_due(&self, patient_id: &str, account_id: Option<&str>) -> Result<Value, Refusal> {
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
        let balances: Vec<Value> = all
            .iter()
            .map(|(currency, minor)| {
                json!({ "Currency": currency.as_str(), "Amount": amount::render(*minor, *currency) })
            })
            .collect();
        let due_minor = self.book.balance(account, Currency::USD);
        Ok(json!({
            "PatientID": patient_id,
            "AccountID": self.records.id(Held::Account, account),
            "GuarantorID": patient(account).guarantor,
            "ClaimID": self.records.id(Held::Claim, account),
            "ClaimStatus": self.claim_status.get(&account),
            "BalanceDue": amount::render(due_minor, Currency::USD),
            "Currency": Currency::USD.as_str(),
            "Balances": balances,
        }))
    }

    fn transaction_state(&self, reference: &str) -> Value {
        let Some(posting) = self.book.posting(reference) else {
            return json!({ "TransactionID": reference, "Posted": false });
        };
        json!({
            "TransactionID": reference,
            "Posted": true,
            "ReceiptNumber": posting.receipt_number(),
            "TransactionType": posting.kind.name(),
            "Amount": amount::render(posting.amount_minor, posting.currency),
            "RefundedAmount": amount::render(posting.refunded_minor, posting.currency),
            "Currency": posting.currency.as_str(),
            "AccountID": self.records.id(Held::Account, posting.account),
        })
    }
}
