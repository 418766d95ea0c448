//! What a handler decides to say, and how it is put on the wire: FHIR JSON, XML, HTML as IIS sends it.
//!
//! Called by every handler of the Epic world. Source: EPIC.md §2 (formats) and §6 (OperationOutcome).

use serde_json::{Value, json};

use super::codes::{self, Code};
use crate::wire::{Request, Response};

const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";
const FHIR_XML: &str = "application/fhir+xml; charset=utf-8";

/// One issue of an OperationOutcome.
pub(super) struct Issue {
    code: &'static Code,
    diagnostics: String,
    expression: Option<String>,
}

impl Issue {
    pub(super) fn new(number: u32, diagnostics: impl Into<String>) -> Self {
        Self { code: codes::known(number), diagnostics: diagnostics.into(), expression: None }
    }

    /// The same issue with the element it is about.
    pub(super) fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    fn json(&self, site: &str) -> Value {
        let mut issue = json!({
            "severity": self.code.severity,
            "code": self.code.issue,
            "details": {
                "coding": [{
                    "system": format!("urn:oid:1.2.840.114350.1.13.{site}.7.2.657369"),
                    "code": self.code.number.to_string(),
                    "display": self.code.display,
                }],
                "text": self.code.display,
            },
            "diagnostics": self.diagnostics,
        });
        if let Some(expression) = &self.expression {
            issue["expression"] = json!([expression]);
            issue["location"] = json!([format!("/f:{}", expression.replace('.', "/f:"))]);
        }
        issue
    }

    fn xml(&self, site: &str) -> String {
        format!(
            "<issue><severity value=\"{}\"/><code value=\"{}\"/><details><coding>\
             <system value=\"urn:oid:1.2.840.114350.1.13.{site}.7.2.657369\"/><code value=\"{}\"/></coding>\
             </details><diagnostics value=\"{}\"/></issue>",
            self.code.severity,
            self.code.issue,
            self.code.number,
            escape(&self.diagnostics)
        )
    }
}

/// A refusal: one or more issues and the HTTP status they come with.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) issues: Vec<Issue>,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with one issue and the status of its code.
    pub(super) fn new(number: u32, diagnostics: impl Into<String>) -> Self {
        Self::from(Issue::new(number, diagnostics))
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl From<Issue> for Refusal {
    fn from(issue: Issue) -> Self {
        // A warning that becomes the whole answer is still a refusal of the request.
        let status = if issue.code.status == 200 { 400 } else { issue.code.status };
        Self { status, issues: vec![issue], headers: Vec::new() }
    }
}

impl From<Vec<Issue>> for Refusal {
    fn from(issues: Vec<Issue>) -> Self {
        let worst = issues.iter().map(|issue| issue.code.status).max().unwrap_or(400).max(400);
        Self { status: worst, issues, headers: Vec::new() }
    }
}

/// What a FHIR handler answers with.
pub(super) enum Answer {
    /// A resource that the world builds itself.
    Resource(Value),
    /// A stored resource, as JSON text, so that decimals keep their digits.
    Stored { kind: &'static str, id: String, text: String },
    /// 201, `Location`, empty body (EPIC.md §6).
    Created { location: String },
    /// 200, `Location`, empty body: the record was there already.
    Existing { location: String },
}

/// True when the caller asked for JSON. Everything else, also a missing Accept, gets XML (EPIC.md §2).
pub(super) fn wants_json(request: &Request) -> bool {
    match request.query_value("_format") {
        Some(format) => format.contains("json"),
        None => request.header("accept").is_some_and(|accept| accept.contains("json")),
    }
}

/// Puts an answer or a refusal on the wire.
pub(super) fn render(outcome: Result<Answer, Refusal>, as_json: bool, site: &str) -> Response {
    match outcome {
        Ok(Answer::Resource(resource)) => success(&resource, as_json),
        Ok(Answer::Stored { text, .. }) if as_json => fhir(200, FHIR_JSON, text),
        Ok(Answer::Stored { kind, id, .. }) => fhir(200, FHIR_XML, brief_xml(kind, &id)),
        Ok(Answer::Created { location }) => Response::empty(201).with_header("location", &location),
        Ok(Answer::Existing { location }) => Response::empty(200).with_header("location", &location),
        Err(refusal) => refused(&refusal, as_json, site),
    }
}

fn success(resource: &Value, as_json: bool) -> Response {
    if as_json {
        return fhir(200, FHIR_JSON, resource.to_string());
    }
    let kind = resource["resourceType"].as_str().unwrap_or("OperationOutcome");
    fhir(200, FHIR_XML, brief_xml(kind, resource["id"].as_str().unwrap_or_default()))
}

fn refused(refusal: &Refusal, as_json: bool, site: &str) -> Response {
    let mut response = if as_json {
        fhir(refusal.status, FHIR_JSON, outcome(&refusal.issues, site).to_string())
    } else {
        let issues: String = refusal.issues.iter().map(|issue| issue.xml(site)).collect();
        let body = format!("<OperationOutcome xmlns=\"http://hl7.org/fhir\">{issues}</OperationOutcome>");
        fhir(refusal.status, FHIR_XML, body)
    };
    for (name, value) in &refusal.headers {
        response = response.with_header(name, value);
    }
    response
}

/// Puts an answer or a refusal of Epic's own web services on the wire, always as JSON.
///
/// A refusal is an OperationOutcome that also has `ErrorCode`, Epic's number as a JSON number, and, when the
/// number proves that nothing was done, `Status` with the word `Rejected`.
pub(super) fn render_service(outcome: Result<Response, Refusal>, site: &str) -> Response {
    let refusal = match outcome {
        Ok(response) => return response,
        Err(refusal) => refusal,
    };
    let mut body = self::outcome(&refusal.issues, site);
    if let Some(first) = refusal.issues.first() {
        body["ErrorCode"] = first.code.number.into();
        if !codes::PROVE_NOTHING.contains(&first.code.number) {
            body["Status"] = "Rejected".into();
        }
    }
    let response = Response::json(refusal.status, &body);
    refusal.headers.iter().fold(response, |response, (name, value)| response.with_header(name, value))
}

/// An OperationOutcome with these issues.
pub(super) fn outcome(issues: &[Issue], site: &str) -> Value {
    let issues: Vec<Value> = issues.iter().map(|issue| issue.json(site)).collect();
    json!({ "resourceType": "OperationOutcome", "issue": issues })
}

fn fhir(status: u16, content_type: &str, body: String) -> Response {
    Response::empty(status).with_header("content-type", content_type).with_body(body)
}

/// XML is only here to punish a missing Accept, so a resource is cut down to its type and id.
fn brief_xml(kind: &str, id: &str) -> String {
    format!("<{kind} xmlns=\"http://hl7.org/fhir\"><id value=\"{}\"/></{kind}>", escape(id))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// The HTML page that IIS sends for a route nobody serves, and when the application pool is down.
pub(super) fn iis(status: u16) -> Response {
    let title = match status {
        404 => "404 - File or directory not found.",
        503 => "Service Unavailable",
        _ => "Server Error",
    };
    let body = format!(
        "<!DOCTYPE html><html><head><title>{title}</title></head><body><h2>{title}</h2></body></html>"
    );
    Response::empty(status).with_header("content-type", "text/html").with_body(body)
}
