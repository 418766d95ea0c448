//! What Epic's errors mean: `OperationOutcome` with Epic's numeric codes, in our words.
//!
//! Called by every reader of this folder. Invariants: all issues are read; a body that is not FHIR (HTML, XML, empty,
//! truncated) survives; for a write such a body, a 5xx and every unlisted status is `Unknown`.
//! Codes, and which of them may be tried again: EPIC.md §6.

use std::convert::Infallible;
use std::time::Duration;

use suture_core::redact::Phi;

use super::wire;
use crate::http::HttpResponse;
use crate::outcome::{Failure, Outcome, Retry};

mod table;

pub use table::{Meaning, TABLE, Verdict, meaning};

/// What the failed call would have done. Decides what a lost or unreadable answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It only reads: asking again is harmless.
    Read,
    /// It changes something at Epic: look up before asking again.
    Write,
}

/// One issue of an `OperationOutcome`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// `fatal`, `error`, `warning` or `information`.
    pub severity: String,
    /// FHIR's issue code, for example `business-rule`.
    pub code: String,
    /// Epic's number.
    pub epic_code: Option<u32>,
    /// Epic's texts; may name the patient.
    pub texts: Phi<Vec<String>>,
}

impl Issue {
    /// Whether the issue says that the call failed.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.severity.as_str(), "fatal" | "error")
    }
}

/// The end of the OID of Epic's error codes. The middle differs by site, the end does not (EPIC.md §6).
const EPIC_CODES: &str = ".7.2.657369";

/// All issues of an `OperationOutcome`; `None` when the value is something else.
#[must_use]
pub fn issues(outcome: &serde_json::Value) -> Option<Vec<Issue>> {
    if outcome.get("resourceType")?.as_str()? != "OperationOutcome" {
        return None;
    }
    let listed = outcome.get("issue").and_then(serde_json::Value::as_array);
    Some(listed.map(|issues| issues.iter().map(issue).collect()).unwrap_or_default())
}

fn issue(issue: &serde_json::Value) -> Issue {
    let text = |name: &str| issue.get(name).and_then(serde_json::Value::as_str).unwrap_or("").to_owned();
    let codings = issue.pointer("/details/coding").and_then(serde_json::Value::as_array);
    let epic_code = codings.into_iter().flatten().find_map(|coding| {
        let system = coding.get("system")?.as_str()?;
        if !system.ends_with(EPIC_CODES) {
            return None;
        }
        let code = coding.get("code")?;
        code.as_str().map_or_else(|| code.as_u64()?.try_into().ok(), |text| text.parse().ok())
    });
    let details = issue.pointer("/details/text").and_then(serde_json::Value::as_str).unwrap_or("").to_owned();
    let mut texts = vec![details, text("diagnostics")];
    for list in ["expression", "location"] {
        let list = issue.get(list).and_then(serde_json::Value::as_array);
        texts.extend(list.into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)));
    }
    texts.retain(|text| !text.is_empty());
    Issue { severity: text("severity"), code: text("code"), epic_code, texts: Phi::new(texts) }
}

/// What an answer that is not a success means.
///
/// The status decides for 401 and 429, then Epic's number, then the status again. For a write `Declined` needs an
/// `OperationOutcome`: a page of HTML may come from anything between us and Epic.
#[must_use]
pub fn failed(response: &HttpResponse, asked: Asked) -> Outcome<Infallible> {
    let outcome = serde_json::from_slice::<serde_json::Value>(&response.body).ok();
    let issues = outcome.as_ref().and_then(issues);
    let known = issues.as_deref().and_then(|issues| strongest(issues, asked));
    match response.status {
        // RFC 6750 §3.1, EPIC.md §2: refused before processing. With a number of its own it is about something else.
        401 if known.is_none() => return Outcome::NotSent(keep_raw(token_refused(), outcome)),
        // RFC 6585 §4: refused before processing. Not documented by Epic, but sent by proxies before it.
        429 => return Outcome::NotSent(keep_raw(throttled(response), outcome)),
        _ => {}
    }
    let answers = (300..500).contains(&response.status) && response.status != 408;
    if let Some(meaning) = known.filter(|_| answers) {
        return by_meaning(meaning, asked, outcome);
    }
    match response.status {
        // EPIC.md §6: the statuses of a call that was considered and refused.
        400 | 403 | 404 | 405 | 406 | 410 | 412 | 415 | 422 if issues.is_some() => {
            Outcome::Declined(keep_raw(refused(response.status), outcome))
        }
        // EPIC.md §2, measured: a resource or path that Epic does not serve is an HTML 404.
        403 | 404 | 405 | 406 | 410 if asked == Asked::Read => {
            Outcome::Declined(keep_raw(not_offered(response.status), outcome))
        }
        status => Outcome::Unknown(keep_raw(unclear(status, known, response, asked), outcome)),
    }
}

/// An answer with status 2xx that is not what was asked for.
#[must_use]
pub fn unreadable(asked: Asked) -> Outcome<Infallible> {
    Outcome::Unknown(match asked {
        Asked::Read => Failure::new(
            "epic_unreadable_answer",
            "Epic's answer could not be read. Nothing was changed. It will be asked again.",
            Retry::Later,
        ),
        Asked::Write => Failure::new(
            "epic_unreadable_answer",
            "Epic's answer could not be read, so it is not known whether Epic did it. \
             It is looked up before it is sent again.",
            Retry::LookUpFirst,
        ),
    })
}

/// The failure for issues that came with a success status, if one of them says that the call failed.
#[must_use]
pub fn failed_by_issues(
    issues: &[Issue],
    raw: serde_json::Value,
    asked: Asked,
) -> Option<Outcome<Infallible>> {
    if !issues.iter().any(Issue::is_failure) {
        return None;
    }
    let meaning = strongest(issues, asked).filter(|meaning| meaning.verdict != Verdict::Remark);
    Some(match (meaning, asked) {
        // Success and failure in one answer: for a write nobody knows which of them is true.
        (_, Asked::Write) => unreadable(asked),
        (Some(meaning), Asked::Read) => by_meaning(meaning, asked, Some(raw)),
        (None, Asked::Read) => Outcome::Declined(refused(200).with_raw(raw)),
    })
}

/// What one number of Epic's means, wherever it was found.
#[must_use]
pub fn by_number(number: u32, asked: Asked, raw: Option<serde_json::Value>) -> Option<Outcome<Infallible>> {
    let meaning = meaning(number)?;
    (meaning.verdict != Verdict::Remark).then(|| by_meaning(meaning, asked, raw))
}

/// The id of the patient into which another was merged, when the answer names it: in a `Location`, or in the texts of
/// an issue with code 4107. `former` is the id that was asked for.
#[must_use]
pub fn surviving_patient(response: &HttpResponse, former: &str) -> Option<String> {
    let in_header = ["location", "content-location"].into_iter().filter_map(|name| response.get(name));
    let mut candidates: Vec<String> = in_header.map(str::to_owned).collect();
    let outcome = serde_json::from_slice::<serde_json::Value>(&response.body).ok();
    let issues = outcome.as_ref().and_then(issues).unwrap_or_default();
    let merged = issues.iter().filter(|issue| issue.epic_code == Some(4107));
    candidates.extend(merged.flat_map(|issue| issue.texts.expose().iter().cloned()));
    candidates.iter().flat_map(|text| patients_named_in(text)).find(|id| *id != former).map(str::to_owned)
}

fn patients_named_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("Patient/").filter_map(|(at, found)| {
        let rest = text.get(at + found.len()..)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')));
        // A full stop at the end belongs to the sentence.
        let id = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches('.');
        wire::is_id(id).then_some(id)
    })
}

/// The meaning that decides. For a write an uncertain issue wins over a refusal; otherwise the order of the table.
fn strongest(issues: &[Issue], asked: Asked) -> Option<&'static Meaning> {
    let known: Vec<_> = issues.iter().filter_map(|issue| meaning(issue.epic_code?)).collect();
    if asked == Asked::Write
        && let Some(uncertain) = known.iter().find(|meaning| meaning.verdict == Verdict::Uncertain)
    {
        return Some(uncertain);
    }
    known.into_iter().min_by_key(|meaning| table::rank(meaning))
}

fn by_meaning(meaning: &Meaning, asked: Asked, raw: Option<serde_json::Value>) -> Outcome<Infallible> {
    let message = format!("{} (Epic {})", meaning.sentence, meaning.number);
    let mut failure = keep_raw(Failure::new(meaning.code, message, meaning.retry), raw);
    match (meaning.verdict, asked) {
        (Verdict::Uncertain, Asked::Write) => {
            failure.retry = Retry::LookUpFirst;
            Outcome::Unknown(failure)
        }
        (Verdict::Uncertain, Asked::Read) => Outcome::Unknown(failure),
        (Verdict::NotNow, _) => Outcome::NotSent(failure),
        (Verdict::Refused | Verdict::Remark, _) => Outcome::Declined(failure),
    }
}

fn token_refused() -> Failure {
    let message = "Epic refused the access token before doing anything. A new token is fetched and the call is sent \
                   again once.";
    Failure::new("epic_token_refused", message, Retry::RefreshToken)
}

fn throttled(response: &HttpResponse) -> Failure {
    let wait = response.get("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let message =
        "Epic, or a proxy before it, asked us to slow down and did nothing. The call is sent again later.";
    Failure::new("epic_throttled", message, Retry::Throttled(wait))
}

fn refused(status: u16) -> Failure {
    let message = format!(
        "Epic refused the call (HTTP {status}) and did nothing. Epic's own text says why; correct it and send again."
    );
    Failure::new("epic_refused", message, Retry::Never)
}

fn not_offered(status: u16) -> Failure {
    let message = format!(
        "Epic does not offer this call to us (HTTP {status}) and did nothing. Ask the site's Epic team to allow it, or \
         check the base URL."
    );
    Failure::new("epic_not_offered", message, Retry::Never)
}

fn unclear(status: u16, known: Option<&Meaning>, response: &HttpResponse, asked: Asked) -> Failure {
    let code = match known {
        Some(meaning) if meaning.verdict == Verdict::Uncertain => meaning.code,
        _ if status >= 500 => "epic_unavailable",
        _ => "epic_unclear_answer",
    };
    match asked {
        Asked::Read => {
            let wait = response.get("retry-after").and_then(|text| text.trim().parse().ok());
            let retry =
                wait.map_or(Retry::Later, |seconds| Retry::Throttled(Some(Duration::from_secs(seconds))));
            let message = format!(
                "Epic did not answer as expected (HTTP {status}). Nothing was changed; asked again later."
            );
            Failure::new(code, message, retry)
        }
        Asked::Write => {
            let message = format!(
                "Epic did not answer as expected (HTTP {status}), so it is not known whether Epic did it. \
                 It is looked up before it is sent again."
            );
            Failure::new(code, message, Retry::LookUpFirst)
        }
    }
}

fn keep_raw(failure: Failure, raw: Option<serde_json::Value>) -> Failure {
    match raw {
        Some(raw) => failure.with_raw(raw),
        None => failure,
    }
}
