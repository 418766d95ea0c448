//! The external-payment route: one call gives Epic the result of the transaction, one asks for it.
//!
//! The services' specification is not public (EPIC.md §7a): every path, name and word comes from the settings. What the
//! settings do not name is never taken as a refusal.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::redact::Secret;

use super::document::{PaymentPosting, PostingKind};
use super::look_up::{LookUp, not_one_living_record, other_amount};
use crate::ehr::epic::call;
use crate::ehr::epic::outcome_codes::{self, Asked};
use crate::ehr::epic::settings::{AmountFormat, AnsweredNames, Epic, ExternalPayments};
use crate::ehr::epic::wire::decimal_number;
use crate::http::{HttpRequest, HttpResponse, Method};
use crate::outcome::{Failure, Outcome, Retry};
use crate::url;

/// What Epic said to the result of a transaction.
#[derive(Debug, PartialEq)]
pub(super) enum Posted {
    /// It gave a receipt number.
    Receipt(String),
    /// It said yes, or said nothing with a success status.
    Taken,
    /// It has something else under our reference.
    Different(Failure),
    /// It did not say yes.
    Failed(Outcome<Infallible>),
}

/// A JSON object whose members are named by settings, in the order of the settings.
struct Members<'a>(Vec<(&'a str, Member<'a>)>);

enum Member<'a> {
    Text(&'a str),
    Number(Box<RawValue>),
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, member) in &self.0 {
            match member {
                Member::Text(text) => map.serialize_entry(name, text)?,
                Member::Number(number) => map.serialize_entry(name, number)?,
            }
        }
        map.end()
    }
}

/// Builds the call that gives Epic the result of the transaction.
pub(super) fn post_result(epic: &Epic, token: &Secret<String>, document: &PaymentPosting) -> HttpRequest {
    let (template, names) = (&epic.external, &epic.external.sent);
    let transaction_type = word_of(template, document.kind);
    let decimal = document.amount.to_decimal();
    let amount = match (template.amount_format, decimal_number(document.amount)) {
        (AmountFormat::Number, Some(number)) => Member::Number(number),
        (AmountFormat::Number, None) | (AmountFormat::Text, _) => Member::Text(&decimal),
    };
    let paid_at = epic.zone.date_time(document.paid_at);
    let currency = document.amount.currency;
    let mut members = vec![
        (names.reference.as_str(), Member::Text(&document.reference)),
        (&names.transaction_type, Member::Text(transaction_type)),
        (&names.amount, amount),
        (&names.patient, Member::Text(document.patient_id().unwrap_or_default())),
    ];
    let optional = [
        (&names.currency, Some(currency.code())),
        (&names.patient_id_type, Some(template.patient_id_type.as_str())),
        (&names.account, document.account_id()),
        (&names.claim, document.claim_id()),
        (&names.encounter, document.encounter_id()),
        (&names.practitioner, document.practitioner_id()),
        (&names.paid_at, paid_at.as_deref()),
        (&names.status, Some(document.status.as_str())),
        (&names.queue, document.queue.as_deref()),
        (&names.original_reference, document.original_reference.as_deref()),
    ];
    members.extend(
        optional.into_iter().filter_map(|(name, text)| Some((name.as_deref()?, Member::Text(text?)))),
    );
    send(epic, token, &template.result_path, &Members(members))
}

/// Builds the look-up of our reference.
pub(super) fn look_up(epic: &Epic, token: &Secret<String>, document: &PaymentPosting) -> HttpRequest {
    let path = epic.external.look_up_path.as_deref().unwrap_or_default();
    let reference = (epic.external.sent.reference.as_str(), Member::Text(&document.reference));
    send(epic, token, path, &Members(vec![reference]))
}

fn send(epic: &Epic, token: &Secret<String>, path: &str, members: &Members<'_>) -> HttpRequest {
    let base = epic.interconnect_base_url.as_deref().unwrap_or_default();
    let mut request = HttpRequest::new(Method::Post, url::join(base, path))
        .header("accept", "application/json")
        .header("epic-client-id", epic.client_id.clone());
    if let Some(user) = &epic.user {
        request = request
            .secret_header("epic-user-id", user.id.expose().clone())
            .secret_header("epic-user-idtype", user.id_type.expose().clone());
    }
    let basic = epic.user.as_ref().and_then(|user| user.basic.as_ref());
    request = match basic {
        Some(basic) => {
            let pair = Secret::new(format!("{}:{}", basic.user.expose(), basic.password.expose()));
            let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair.expose());
            request.secret_header("authorization", format!("Basic {encoded}"))
        }
        None => call::bearer(request, token),
    };
    // Members of text and of numbers that are text already always serialize.
    request.body("application/json", serde_json::to_vec(members).unwrap_or_default())
}

fn word_of(template: &ExternalPayments, kind: PostingKind) -> &str {
    match kind {
        PostingKind::Payment => &template.payment_word,
        PostingKind::Reversal => &template.refund_word,
    }
}

/// An answer's object with the exact text of each member.
type Answer = BTreeMap<String, Box<RawValue>>;

/// The text of a member that is text, a number or a truth value.
fn text_of(answer: &Answer, name: &str) -> Option<String> {
    let raw = answer.get(name)?.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(raw.to_owned()),
    }
    .filter(|text: &String| !text.trim().is_empty())
}

/// What an answer says about the amount.
enum AmountSaid {
    Ours,
    Nothing,
    Other(Option<Money>),
}

fn amount_said(answer: &Answer, names: &AnsweredNames, ours: Money) -> AmountSaid {
    let Some(text) = text_of(answer, &names.amount) else { return AmountSaid::Nothing };
    let currency = match text_of(answer, &names.currency) {
        Some(code) => Currency::parse(&code).ok(),
        None => Some(ours.currency),
    };
    let theirs = currency.and_then(|currency| Money::from_decimal(&text, currency).ok());
    if theirs == Some(ours) { AmountSaid::Ours } else { AmountSaid::Other(theirs) }
}

/// Reads the answer to [`post_result`].
pub(super) fn posted(epic: &Epic, document: &PaymentPosting, response: &HttpResponse) -> Posted {
    let (template, names) = (&epic.external, &epic.external.answered);
    let success = matches!(response.status, 200 | 201 | 204);
    if success && response.body.iter().all(u8::is_ascii_whitespace) {
        return Posted::Taken;
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&response.body) else {
        return Posted::Failed(not_an_answer(response, success));
    };
    // A 5xx proves nothing, whatever its body says.
    if response.status < 500
        && let Some(refused) = refused(template, &answer, response)
    {
        return Posted::Failed(refused);
    }
    if !success || answer.contains_key("resourceType") {
        return Posted::Failed(not_an_answer(response, success));
    }
    if text_of(&answer, &names.reference).is_some_and(|echo| echo != document.reference) {
        return Posted::Failed(outcome_codes::unreadable(Asked::Write));
    }
    if let AmountSaid::Other(theirs) = amount_said(&answer, names, document.amount) {
        return Posted::Different(other_amount(document.amount, theirs));
    }
    let status = text_of(&answer, &names.status);
    match text_of(&answer, &names.receipt) {
        Some(receipt) => Posted::Receipt(receipt),
        None if status.is_none_or(|status| is_one_of(&status, &template.accepted_words)) => Posted::Taken,
        // A word that the settings do not know: it may mean anything.
        None => Posted::Failed(outcome_codes::unreadable(Asked::Write)),
    }
}

fn not_an_answer(response: &HttpResponse, success: bool) -> Outcome<Infallible> {
    if success {
        outcome_codes::unreadable(Asked::Write)
    } else {
        outcome_codes::failed(response, Asked::Write)
    }
}

/// A refusal by a number of Epic's, or by a word that the settings name as one.
fn refused(
    template: &ExternalPayments,
    answer: &Answer,
    response: &HttpResponse,
) -> Option<Outcome<Infallible>> {
    let raw = || serde_json::from_slice(&response.body).ok();
    let number = text_of(answer, &template.answered.error_code).and_then(|text| text.parse().ok());
    if let Some(outcome) = number.and_then(|number| outcome_codes::by_number(number, Asked::Write, raw())) {
        return Some(outcome);
    }
    let status = text_of(answer, &template.answered.status)?;
    if !is_one_of(&status, &template.refused_words) {
        return None;
    }
    let message = "Epic refused the transaction and posted nothing. Epic's own answer says why; correct it and post \
                   again.";
    let failure = Failure::new("epic_transaction_refused", message, Retry::Never);
    Some(Outcome::Declined(match raw() {
        Some(raw) => failure.with_raw(raw),
        None => failure,
    }))
}

fn is_one_of(word: &str, words: &[String]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word.trim()))
}

/// Reads the answer to [`look_up`]: a list of transactions, or the one transaction itself. Only a list proves absence.
pub(super) fn found(epic: &Epic, document: &PaymentPosting, response: &HttpResponse) -> LookUp {
    let names = &epic.external.answered;
    if response.status != 200 {
        return LookUp::Failed(outcome_codes::failed(response, Asked::Read));
    }
    let unreadable = || LookUp::Failed(outcome_codes::unreadable(Asked::Read));
    let Ok(answer) = serde_json::from_slice::<Answer>(&response.body) else { return unreadable() };
    if answer.contains_key("resourceType") {
        return unreadable();
    }
    let Some(list) = answer.get(&names.transactions) else {
        let is_ours = text_of(&answer, &names.reference).as_deref() == Some(&*document.reference);
        return if is_ours { compare(epic, document, &answer) } else { unreadable() };
    };
    let Ok(transactions) = serde_json::from_str::<Vec<Answer>>(list.get()) else { return unreadable() };
    if transactions.iter().any(|transaction| text_of(transaction, &names.reference).is_none()) {
        return unreadable();
    }
    let is_ours = |transaction: &&Answer| {
        text_of(transaction, &names.reference).as_deref() == Some(&*document.reference)
    };
    let ours: Vec<&Answer> = transactions.iter().filter(is_ours).collect();
    match ours.as_slice() {
        [] => LookUp::Absent,
        [one] => compare(epic, document, one),
        _ => LookUp::Different(not_one_living_record("several transactions")),
    }
}

fn compare(epic: &Epic, document: &PaymentPosting, transaction: &Answer) -> LookUp {
    let (template, names) = (&epic.external, &epic.external.answered);
    let status = text_of(transaction, &names.status);
    if status.is_some_and(|status| !is_one_of(&status, &template.accepted_words)) {
        return LookUp::Different(not_one_living_record("a transaction that it does not call accepted"));
    }
    let other_type = text_of(transaction, &names.transaction_type)
        .is_some_and(|said| !said.eq_ignore_ascii_case(word_of(template, document.kind)));
    if other_type {
        return LookUp::Different(not_one_living_record("a transaction of another type"));
    }
    let amount_seen = match amount_said(transaction, names, document.amount) {
        AmountSaid::Ours => true,
        AmountSaid::Nothing => false,
        AmountSaid::Other(theirs) => return LookUp::Different(other_amount(document.amount, theirs)),
    };
    let reference = text_of(transaction, &names.receipt).unwrap_or_else(|| document.reference.clone());
    LookUp::Found { reference, amount_seen }
}
