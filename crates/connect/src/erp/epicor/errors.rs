//! What Epicor's errors mean, in our words (EPICOR.md §5).
//!
//! Invariants: a success status with errors inside is no success; for a write, a 5xx, an unlisted status and an answer
//! that is not Epicor's are `Unknown`; the refused field and value are named where they can be known.

use std::convert::Infallible;
use std::time::Duration;

use serde::Deserialize;

use super::words::{ErrorWords, says};
use crate::erp::document::Document;
use crate::http::HttpResponse;
use crate::outcome::{Failure, Outcome, Retry};

/// What the failed call would have done. Decides what a lost or unreadable answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It only reads: asking again is harmless.
    Read,
    /// It changes something in Epicor: look up before asking again.
    Write,
}

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// What it means.
    pub outcome: Outcome<Infallible>,
    /// The refused field, in Epicor's word.
    pub field: Option<String>,
    /// The value that the document has there.
    pub value: Option<String>,
}

impl Failed {
    pub(super) fn plain(outcome: Outcome<Infallible>) -> Self {
        Self { outcome, field: None, value: None }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    #[serde(rename = "ErrorMessage")]
    message: Option<String>,
    #[serde(rename = "ErrorType")]
    kind: Option<String>,
    #[serde(rename = "ErrorDetails")]
    details: Option<Vec<Detail>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    #[serde(rename = "Message")]
    message: Option<String>,
    #[serde(rename = "Field")]
    field: Option<String>,
}

/// The errors that `UpdateExt` puts into an answer with status 200 (EPICOR.md §4).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Inside {
    #[serde(rename = "errorsOccurred")]
    errors_occurred: Option<bool>,
    parameters: Option<Parameters>,
    #[serde(rename = "returnObj")]
    return_obj: Option<ReturnObj>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Parameters {
    #[serde(rename = "errorsOccurred")]
    errors_occurred: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReturnObj {
    #[serde(rename = "BOUpdError")]
    errors: Option<Vec<BoUpdError>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BoUpdError {
    #[serde(rename = "ErrorText")]
    text: Option<String>,
    #[serde(rename = "TableName")]
    table: Option<String>,
}

/// The refusal inside an answer with a success status, if there is one. The outer outcome is `Unknown`: some of the
/// call's rows may have been kept, so it is looked up; `Failure::code` says why it was refused.
#[must_use]
pub fn inside(words: &ErrorWords, response: &HttpResponse, document: &Document) -> Option<Failed> {
    let inside = serde_json::from_slice::<Inside>(&response.body).ok()?;
    let errors = inside.return_obj.and_then(|it| it.errors).unwrap_or_default();
    let said = inside.errors_occurred == Some(true)
        || inside.parameters.is_some_and(|it| it.errors_occurred == Some(true));
    if !said && errors.is_empty() {
        return None;
    }
    let text = errors.iter().find_map(|error| error.text.clone()).unwrap_or_default();
    let raw = serde_json::json!({
        "errors": errors.iter().map(|it| serde_json::json!({"table": it.table, "text": it.text})).collect::<Vec<_>>(),
    });
    let meaning = Meaning::of(words, &text, None);
    let (field, value) = meaning.place(document, &text, None);
    let failure = meaning.failure().with_raw(raw);
    Some(Failed { outcome: Outcome::Unknown(failure), field, value })
}

/// What an answer that is not a success means.
#[must_use]
pub fn failed(
    words: &ErrorWords,
    response: &HttpResponse,
    asked: Asked,
    document: Option<&Document>,
) -> Failed {
    let raw = serde_json::from_slice::<serde_json::Value>(&response.body).ok();
    let wire = serde_json::from_slice::<Wire>(&response.body).unwrap_or_default();
    let is_epicors = wire.message.is_some() || wire.kind.is_some();
    let wait = response.get("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let outcome = match response.status {
        401 => Outcome::NotSent(token_refused()),
        // RFC 6585 §4: refused before processing.
        429 => Outcome::NotSent(throttled(wait)),
        // A proxy may say this after Epicor has acted, so a write is looked up after the wait.
        503 => Outcome::Unknown(throttled(wait)),
        // EPICOR.md §2: the session is dead, and the call was not begun.
        410 if is_epicors => Outcome::NotSent(session_lost()),
        400 | 403 | 404 | 405 | 409 | 422 if is_epicors => {
            return considered(words, response.status, &wire, raw, document);
        }
        // Whoever says that it exists: it is looked up, which harms nobody.
        409 => Outcome::Declined(Meaning::Duplicate.failure()),
        403..=405 | 410 if asked == Asked::Read => Outcome::Declined(not_offered(response.status)),
        status => Outcome::Unknown(unclear(status, asked)),
    };
    Failed::plain(match raw.filter(|_| is_epicors) {
        Some(raw) => with_raw(outcome, raw),
        None => outcome,
    })
}

/// An answer with a success status that is not what was asked for.
#[must_use]
pub fn unreadable(asked: Asked) -> Failed {
    Failed::plain(Outcome::Unknown(match asked {
        Asked::Read => Failure::new(
            "erp_unreadable_answer",
            "Epicor's answer could not be read. Nothing was changed. It will be asked again.",
            Retry::Later,
        ),
        Asked::Write => Failure::new(
            "erp_unreadable_answer",
            "Epicor's answer could not be read, so it is not known whether Epicor did it. It is looked up before it is \
             sent again.",
            Retry::LookUpFirst,
        ),
    }))
}

/// Epicor read the call and refused it; nothing was changed.
fn considered(
    words: &ErrorWords,
    status: u16,
    wire: &Wire,
    raw: Option<serde_json::Value>,
    document: Option<&Document>,
) -> Failed {
    let details = wire.details.as_deref().unwrap_or_default();
    let texts: Vec<&str> = std::iter::once(wire.message.as_deref())
        .chain(details.iter().map(|detail| detail.message.as_deref()))
        .flatten()
        .collect();
    let text = texts.join(" ");
    let named =
        details.iter().find_map(|detail| detail.field.clone()).filter(|field| !field.trim().is_empty());
    let kind = wire.kind.as_deref().unwrap_or_default();
    let meaning = match status {
        403 => Meaning::NotAuthorized,
        404 if kind.contains("RecordNotFound") => Meaning::NotFound,
        404 => Meaning::NotOffered,
        409 if !says(&words.modified, &text) => Meaning::Duplicate,
        _ => Meaning::of(words, &text, named.as_deref()),
    };
    let (field, value) =
        document.map_or((named.clone(), None), |document| meaning.place(document, &text, named.clone()));
    let failure = meaning.failure();
    let failure = match raw {
        Some(raw) => failure.with_raw(raw),
        None => failure,
    };
    let outcome =
        if meaning == Meaning::Modified { Outcome::NotSent(failure) } else { Outcome::Declined(failure) };
    Failed { outcome, field, value }
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Modified,
    PeriodClosed,
    GroupPosted,
    GroupInUse,
    GroupMissing,
    Duplicate,
    Part,
    Invoice,
    Customer,
    NotAuthorized,
    NotFound,
    NotOffered,
    Other,
}

impl Meaning {
    /// By Epicor's field where it names one that decides, else by its text.
    fn of(words: &ErrorWords, text: &str, field: Option<&str>) -> Self {
        let by_words = [
            (&words.modified, Self::Modified),
            (&words.period_closed, Self::PeriodClosed),
            (&words.group_posted, Self::GroupPosted),
            (&words.group_in_use, Self::GroupInUse),
            (&words.group_missing, Self::GroupMissing),
            (&words.duplicate, Self::Duplicate),
        ];
        if let Some((_, meaning)) = by_words.into_iter().find(|(words, _)| says(words, text)) {
            return meaning;
        }
        match field {
            Some("PartNum") => return Self::Part,
            Some("CustNum" | "CustID") => return Self::Customer,
            Some("InvoiceNum") => return Self::Invoice,
            Some(_) | None => {}
        }
        let by_words =
            [(&words.part, Self::Part), (&words.invoice, Self::Invoice), (&words.customer, Self::Customer)];
        by_words.into_iter().find(|(words, _)| says(words, text)).map_or(Self::Other, |(_, meaning)| meaning)
    }

    fn failure(self) -> Failure {
        let (code, message, retry) = match self {
            Self::Modified => (
                "erp_record_modified",
                "Somebody else changed the record in Epicor at the same moment, and nothing was done. It is read again and sent again.",
                Retry::Later,
            ),
            Self::PeriodClosed => (
                "erp_period_closed",
                "The day is in a period that Epicor has closed, and nothing was recorded. Open the period, or let the connection's rule choose the next open day.",
                Retry::Never,
            ),
            Self::GroupPosted => (
                "erp_group_posted",
                "The group was posted in Epicor and takes nothing more; nothing was recorded. Another group is used.",
                Retry::Never,
            ),
            Self::GroupInUse => (
                "erp_group_in_use",
                "Somebody is working on the group in Epicor, and nothing was recorded. It is sent again later.",
                Retry::Later,
            ),
            Self::GroupMissing => (
                "erp_group_missing",
                "Epicor does not have the group, and nothing was recorded.",
                Retry::Never,
            ),
            Self::Duplicate => (
                "erp_duplicate",
                "Epicor says that this record exists already and did not add another. The existing record is looked up.",
                Retry::LookUpFirst,
            ),
            Self::Part => (
                "erp_unknown_part",
                "Epicor does not accept the part, and nothing was recorded. Map the product to a part that exists, then send again.",
                Retry::Never,
            ),
            Self::Invoice => (
                "erp_invoice_refused",
                "Epicor does not accept the invoice, and nothing was recorded. The invoice must exist, be posted and be open.",
                Retry::Never,
            ),
            Self::Customer => (
                "erp_unknown_customer",
                "Epicor does not accept the customer, and nothing was recorded. Link a customer that exists and may pay, then send again.",
                Retry::Never,
            ),
            Self::NotAuthorized => (
                "erp_not_authorized",
                "Epicor does not allow this user or API key to do that, and did nothing. Extend the access scope of the key or the user's security, then send again.",
                Retry::Never,
            ),
            Self::NotFound => (
                "erp_not_found",
                "Epicor does not have this record and did nothing. Correct the link, then send again.",
                Retry::Never,
            ),
            Self::NotOffered => (
                "erp_not_offered",
                "Epicor does not offer this call and did nothing. Check the address, the instance and the company.",
                Retry::Never,
            ),
            Self::Other => (
                "erp_refused",
                "Epicor refused the call and did nothing. Epicor's own text says why; correct it and send again.",
                Retry::Never,
            ),
        };
        Failure::new(code, message, retry)
    }

    /// The field that was refused and what the document has there.
    fn place(
        self,
        document: &Document,
        text: &str,
        named: Option<String>,
    ) -> (Option<String>, Option<String>) {
        let number = |field: &str, number: Option<i64>| {
            (Some(named.clone().unwrap_or_else(|| field.to_owned())), number.map(|number| number.to_string()))
        };
        match self {
            Self::Part => (Some("PartNum".to_owned()), refused_part(document, text)),
            Self::Customer => number("CustNum", customer_number(document)),
            Self::Invoice => number("InvoiceNum", invoice_number(document)),
            _ => (named, None),
        }
    }
}

/// The part that Epicor's text names, or the only one of the order.
fn refused_part(document: &Document, text: &str) -> Option<String> {
    let parts: Vec<&str> = match document {
        Document::SalesOrder(order) => order.lines.iter().map(|line| line.part.as_str()).collect(),
        Document::CreditMemo(memo) => memo.lines.iter().filter_map(|line| line.part.as_deref()).collect(),
        _ => Vec::new(),
    };
    let named = parts.iter().filter(|part| text.contains(**part)).max_by_key(|part| part.len());
    let first = parts.first();
    let only = first.filter(|first| parts.iter().all(|part| part == *first));
    named.or(only).map(|part| (*part).to_owned())
}

const fn customer_number(document: &Document) -> Option<i64> {
    match document {
        Document::Customer(it) => it.number,
        Document::SalesOrder(it) => Some(it.customer_number),
        Document::CashReceipt(it) => Some(it.customer_number),
        Document::CreditMemo(it) => Some(it.customer_number),
        Document::DebitMemo(it) => Some(it.customer_number),
        Document::OrderHold(_)
        | Document::Application(_)
        | Document::ReceiptReversal(_)
        | Document::Journal(_) => None,
    }
}

const fn invoice_number(document: &Document) -> Option<i64> {
    match document {
        Document::Application(it) => Some(it.invoice_number),
        Document::CreditMemo(it) => Some(it.invoice_number),
        Document::DebitMemo(it) => it.invoice_number,
        _ => None,
    }
}

fn token_refused() -> Failure {
    let message = "Epicor refused who we are before doing anything. A new token is fetched and the call is sent again \
                   once.";
    Failure::new("erp_token_refused", message, Retry::RefreshToken)
}

fn throttled(wait: Option<Duration>) -> Failure {
    let message =
        "Epicor, or a proxy before it, is not ready or asked us to slow down. The call is made again later.";
    Failure::new("erp_throttled", message, Retry::Throttled(wait))
}

fn session_lost() -> Failure {
    let message = "Epicor had ended our session and did nothing. The call is sent again.";
    Failure::new("erp_session_lost", message, Retry::Later)
}

fn not_offered(status: u16) -> Failure {
    let message = format!(
        "Epicor does not offer this call to us (HTTP {status}) and did nothing. Check the address, the instance, the \
         company and the API key's access scope."
    );
    Failure::new("erp_not_offered", message, Retry::Never)
}

fn unclear(status: u16, asked: Asked) -> Failure {
    let code = if status >= 500 { "erp_unavailable" } else { "erp_unclear_answer" };
    match asked {
        Asked::Read => {
            let message = format!(
                "Epicor did not answer as expected (HTTP {status}). Nothing was changed; it is asked again later. If it \
                 stays so, name a BAQ for this set in the connection's settings."
            );
            Failure::new(code, message, Retry::Later)
        }
        Asked::Write => {
            let message = format!(
                "Epicor did not answer as expected (HTTP {status}), so it is not known whether Epicor did it. It is \
                 looked up before it is sent again."
            );
            Failure::new(code, message, Retry::LookUpFirst)
        }
    }
}

fn with_raw(outcome: Outcome<Infallible>, raw: serde_json::Value) -> Outcome<Infallible> {
    match outcome {
        Outcome::Done(never) => match never {},
        Outcome::Declined(failure) => Outcome::Declined(failure.with_raw(raw)),
        Outcome::NotSent(failure) => Outcome::NotSent(failure.with_raw(raw)),
        Outcome::Unknown(failure) => Outcome::Unknown(failure.with_raw(raw)),
    }
}
