//! One site, one token, one payment, and answers to build stories from.

use suture_connect::ehr::epic::posting::{PaymentPosting, Posting, PostingInput, PostingState, PostingStep};
use suture_connect::ehr::epic::routes::{Proposal, Route};
use suture_connect::ehr::epic::settings::{Epic, SiteZone};
use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse};
use suture_core::redact::Secret;

pub(crate) fn site() -> Epic {
    let mut epic = Epic::new("https://epic.example/prd/api/FHIR/R4/", "client-1");
    epic.interconnect_base_url = Some("https://epic.example/prd".to_owned());
    epic.organization = Some("Organization/eOrg".to_owned());
    epic.zone = SiteZone::parse("America/Chicago").unwrap();
    epic
}

pub(crate) fn token() -> Secret<String> {
    Secret::new("token-1".to_owned())
}

pub(crate) fn payment() -> PaymentPosting {
    let text = r#"{"reference":"ch_1","kind":"payment","amount":{"decimal":"120.00","currency":"USD"},
        "patient":"Patient/eP1","account":"eA1","claim":"eC1","encounter":"eE1","practitioner":"eD1",
        "paid_at":"2026-11-21T03:30:00Z","status":"paid","queue":"partial"}"#;
    serde_json::from_str(text).unwrap()
}

pub(crate) fn reversal() -> PaymentPosting {
    let text = r#"{"reference":"re_1","kind":"reversal","amount":{"minor":5000,"currency":"USD"},
        "patient":"eP1","paid_at":1795231800000,"status":"refunded","original_reference":"ch_1"}"#;
    serde_json::from_str(text).unwrap()
}

pub(crate) fn route(route: Route, read_back: bool) -> Proposal {
    Proposal { route, read_back, reasons: Vec::new() }
}

pub(crate) fn begin(chosen: Route) -> PostingState {
    PostingState::begin(&route(chosen, true))
}

pub(crate) fn step(state: &PostingState, input: PostingInput<'_>) -> PostingStep {
    step_of(&payment(), state, input)
}

pub(crate) fn step_of(
    document: &PaymentPosting,
    state: &PostingState,
    input: PostingInput<'_>,
) -> PostingStep {
    let (epic, token) = (site(), token());
    let posting = Posting { epic: &epic, token: &token, document };
    let first = posting.step(state, input);
    assert_eq!(first, posting.step(state, input), "the same state and input give the same step");
    first
}

pub(crate) fn response(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: body.as_bytes().to_vec() }
}

pub(crate) fn outcome_body(severity: &str, number: u32) -> String {
    let coding = format!(r#"{{"system":"urn:oid:1.2.840.114350.1.13.861.1.7.2.657369","code":"{number}"}}"#);
    format!(
        r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"{severity}","code":"processing","details":{{"coding":[{coding}]}}}}]}}"#
    )
}

/// The request as text, with credentials shown: what really goes over the wire.
pub(crate) fn wire(request: &HttpRequest) -> String {
    let mut text = format!("{} {}\n", request.method.as_str(), request.url);
    for (name, value) in &request.headers {
        match value {
            HeaderValue::Text(value) => text.push_str(&format!("{name}: {value}\n")),
            HeaderValue::Secret(value) => text.push_str(&format!("{name}: secret {}\n", value.expose())),
        }
    }
    text.push_str(std::str::from_utf8(&request.body).unwrap());
    text
}
