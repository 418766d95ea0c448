//! The external-payment service `PostTransactionResult`: a payment or a refund is posted to an account.
//!
//! Called by `world`. Source: EPIC.md §7a; the fields of the real service are not public, so the names here
//! are this sandbox's own, and are what a caller sends that was told nothing else. What must stay true: one body
//! is parsed once, amounts are read by their decimal text, and a refusal posts nothing.

use std::borrow::Cow;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::amount::{self, Currency, Exact};
use super::answer::{Issue, Refusal};
use super::book::{Entry, Kind};
use super::records::Held;
use super::world::EpicWorld;
use crate::wire::Response;

/// Longest transaction id, as in Epic's reconciliation file (EPIC.md §7b).
const REFERENCE_LENGTH_MAX: usize = 50;
const TEXT_LENGTH_MAX: usize = 100;
/// The one type of patient ids that is known here.
const PATIENT_ID_TYPE: &str = "FHIR";

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
    #[serde(borrow, rename = "PatientIDType")]
    patient_id_type: Text<'a>,
    #[serde(borrow, rename = "AccountID")]
    account: Text<'a>,
    #[serde(borrow, rename = "ClaimID")]
    claim: Text<'a>,
    #[serde(borrow, rename = "Amount")]
    amount: Option<&'a RawValue>,
    #[serde(borrow, rename = "Currency")]
    currency: Text<'a>,
    #[serde(borrow, rename = "TransactionType")]
    kind: Text<'a>,
    #[serde(borrow, rename = "TransactionDateTime", alias = "DateTime")]
    moment: Text<'a>,
    #[serde(borrow, rename = "EncounterID")]
    encounter: Text<'a>,
    #[serde(borrow, rename = "PractitionerID")]
    practitioner: Text<'a>,
    #[serde(borrow, rename = "TransactionStatus", alias = "Status")]
    status: Text<'a>,
    #[serde(borrow, rename = "Queue", alias = "WorkQueue")]
    work_queue: Text<'a>,
    #[serde(borrow, rename = "OriginalTransactionID")]
    original: Text<'a>,
}

impl Transaction<'_> {
    /// Checks every field that needs no record.
    fn check(&self) -> Result<(Kind, Currency, i64), Refusal> {
        self.check_presence()?;
        let reference = &self.reference.0;
        if reference.len() > REFERENCE_LENGTH_MAX || !reference.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("TransactionID"));
        }
        if !self.patient_id_type.0.is_empty() && self.patient_id_type.0 != PATIENT_ID_TYPE {
            return Err(invalid("PatientIDType"));
        }
        if let Some(name) = [("TransactionStatus", &self.status), ("Queue", &self.work_queue)]
            .iter()
            .find_map(|(name, text)| (text.0.len() > TEXT_LENGTH_MAX).then_some(*name))
        {
            return Err(invalid(name));
        }
        if self.moment.0.parse::<jiff::Timestamp>().is_err() {
            return Err(invalid("TransactionDateTime"));
        }
        let kind = match &*self.kind.0 {
            "Payment" => Kind::Payment,
            "Refund" => Kind::Refund,
            _ => return Err(invalid("TransactionType")),
        };
        if kind == Kind::Refund && self.original.0.is_empty() {
            return Err(missing("OriginalTransactionID"));
        }
        let currency = Currency::parse(&self.currency.0).ok_or_else(|| invalid("Currency"))?;
        let amount_minor = self
            .amount
            .and_then(|raw| read_amount(raw.get(), currency))
            .filter(|minor| *minor > 0)
            .ok_or_else(|| invalid("Amount"))?;
        Ok((kind, currency, amount_minor))
    }

    fn check_presence(&self) -> Result<(), Refusal> {
        let required = [
            ("TransactionID", self.reference.0.is_empty()),
            ("PatientID", self.patient.0.is_empty()),
            ("Amount", self.amount.is_none()),
            ("Currency", self.currency.0.is_empty()),
            ("TransactionType", self.kind.0.is_empty()),
            ("TransactionDateTime", self.moment.0.is_empty()),
        ];
        match required.iter().find(|(_, is_empty)| *is_empty) {
            Some((name, _)) => Err(missing(name)),
            None => Ok(()),
        }
    }
}

/// Reads `120.00` or `"120.00"`. A text shows every decimal of its currency; a number may leave out last zeros,
/// because JSON writers do.
fn read_amount(raw: &str, currency: Currency) -> Option<i64> {
    if !raw.starts_with('"') {
        return amount::parse(raw, currency, 0);
    }
    let text: Text<'_> = serde_json::from_str(raw).ok()?;
    amount::parse(&text.0, currency, currency.decimals())
}

fn missing(name: &str) -> Refusal {
    Issue::new(59108, format!("{name} is missing. Nothing was posted.")).at(name).into()
}

fn invalid(name: &str) -> Refusal {
    Issue::new(59111, format!("{name} has an invalid value. Nothing was posted.")).at(name).into()
}

/// A refusal because no record has the id in this member.
pub(super) fn not_found(name: &str) -> Refusal {
    Issue::new(59144, format!("{name} names no record here. Nothing was posted.")).at(name).into()
}

/// The answer to a transaction that was taken.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Taken<'a> {
    status: &'static str,
    /// `Posted` now, or `AlreadyPosted`.
    result: &'static str,
    #[serde(rename = "TransactionID")]
    reference: &'a str,
    receipt_number: &'a str,
    transaction_type: &'static str,
    amount: Exact,
    currency: &'a str,
    account_balance: Exact,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// A field that was ignored.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Warning {
    code: &'static str,
    field: &'static str,
    text: &'static str,
}

/// An answer with this body.
pub(super) fn answer_with(body: &impl Serialize) -> Result<Response, Refusal> {
    let text = serde_json::to_string(body)
        .map_err(|_| Refusal::new(59177, "The answer of the sandbox could not be written."))?;
    Ok(Response::empty(200).with_header("content-type", "application/json").with_body(text))
}

impl EpicWorld {
    /// Posts a payment or a refund and moves the balance of the account.
    pub(super) fn post_transaction(&mut self, now_ms: i64, body: &[u8]) -> Result<Response, Refusal> {
        let transaction: Transaction<'_> = serde_json::from_slice(body).map_err(|_| {
            let text = "The body is no JSON object with a text in each field, or gives a field twice. Nothing was \
                        posted.";
            Refusal::new(59105, text)
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
        answer_with(&Taken {
            status: "Accepted",
            result: if receipt.is_new { "Posted" } else { "AlreadyPosted" },
            reference: &transaction.reference.0,
            receipt_number: &receipt.number,
            transaction_type: kind.name(),
            amount: Exact { minor: amount_minor, currency },
            currency: currency.as_str(),
            account_balance: Exact { minor: receipt.balance_minor, currency },
            warnings: self.enrichment_warnings(&transaction),
        })
    }

    /// Positions of the account and the claim, after the patient was checked. Without an account it is the
    /// account of the payment that is reversed, or the patient's own.
    fn find_records(&self, transaction: &Transaction<'_>) -> Result<(usize, Option<usize>), Refusal> {
        let patient =
            self.records.find(Held::Patient, &transaction.patient.0).ok_or_else(|| not_found("PatientID"))?;
        self.records.check_patient(patient)?;
        let account = match &*transaction.account.0 {
            "" => self.book.posting(&transaction.original.0).map_or(patient, |original| original.account),
            id => self.records.find(Held::Account, id).ok_or_else(|| not_found("AccountID"))?,
        };
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
    fn enrichment_warnings(&self, transaction: &Transaction<'_>) -> Vec<Warning> {
        let optional = [
            ("EncounterID", Held::Encounter, &transaction.encounter),
            ("PractitionerID", Held::Practitioner, &transaction.practitioner),
        ];
        optional
            .iter()
            .filter(|(_, held, text)| !text.0.is_empty() && self.records.find(*held, &text.0).is_none())
            .map(|(field, _, _)| {
                let text = "The record is unknown and was ignored.";
                Warning { code: "59109", field, text }
            })
            .collect()
    }
}
