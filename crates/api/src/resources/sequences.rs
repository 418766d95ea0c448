//! The payment-to-care sequence of an appointment, as JSON and as a page to print; and the money events that lack something.

use std::fmt::Write;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use suture_core::audit::chain::Hash;
use suture_core::id::AppointmentId;
use suture_engine::sequence::{Lacking, Link, Sequence};
use utoipa::ToSchema;

use super::events::EventBody;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::problem::Problem;

/// One link of the chain from patient to outcome.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainLink)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkBody {
    /// `patient`, `appointment`, `payment`, `encounter`, `outcome`.
    link: &'static str,
    ids: Vec<String>,
    /// Why there is none.
    missing: Option<&'static str>,
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        Self { link: link.name, ids: link.ids, missing: link.missing }
    }
}

/// Everything that happened around an appointment, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sequence)]
#[serde(rename_all = "camelCase")]
pub(super) struct SequenceBody {
    appointment: String,
    /// When it was read.
    read_at: String,
    chain: Vec<LinkBody>,
    /// SHA-256 over the hashes of all events below, in order: the same sequence gives the same digest.
    digest: String,
    events: Vec<EventBody>,
}

/// A money event whose explanation lacks something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LackingEvent)]
#[serde(rename_all = "camelCase")]
pub(super) struct LackingBody {
    /// `reason`, `patient`, `appointment or account`, `payment`.
    missing: Vec<&'static str>,
    event: EventBody,
}

/// What the linter found. Money without a known owner stands in suspense and is not listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MoneyLint)]
#[serde(rename_all = "camelCase")]
pub(super) struct LintBody {
    /// Money events that were looked at.
    checked: u64,
    /// Those that lack something: none, as long as everything is well.
    lacking: Vec<LackingBody>,
}

/// The payment-to-care sequence of an appointment: its five links, or why one is missing, and every event with its hash.
/// Looking is logged.
#[utoipa::path(get, path = "/v1/audit/appointments/{id}", tag = "audit", params(("id" = String, Path)), responses((status = 200, body = SequenceBody)))]
pub(super) async fn get_sequence(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<SequenceBody>, Problem> {
    let sequence = read(&app, &session, &id).await?;
    Ok(Json(SequenceBody {
        appointment: sequence.appointment.to_string(),
        read_at: sequence.at.to_rfc3339(),
        digest: digest(&sequence),
        chain: sequence.chain.into_iter().map(LinkBody::from).collect(),
        events: sequence.events.into_iter().map(EventBody::from).collect(),
    }))
}

/// The same as a page to print. Looking is logged.
#[utoipa::path(get, path = "/v1/audit/appointments/{id}/page", tag = "audit", params(("id" = String, Path)), responses((status = 200, description = "A page", content_type = "text/html")))]
pub(super) async fn print_sequence(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let sequence = read(&app, &session, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, page(&sequence)).into_response())
}

/// Money events that lack a patient, an appointment or account, a payment or a reason.
#[utoipa::path(get, path = "/v1/audit/money-lint", tag = "audit", responses((status = 200, body = LintBody)))]
pub(super) async fn lint_money(State(app): State<App>, session: Session) -> Result<Json<LintBody>, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    app.engine.log_access(&caller, "read", "*", "audit/money-lint", "audit").await?;
    let (checked, lacking) = app.engine.lint_money(&caller.organization).await?;
    let body =
        |lacking: Lacking| LackingBody { missing: lacking.missing, event: EventBody::from(lacking.event) };
    Ok(Json(LintBody { checked, lacking: lacking.into_iter().map(body).collect() }))
}

async fn read(app: &App, session: &Session, id: &str) -> Result<Sequence, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let appointment = AppointmentId::parse(id).map_err(|_| Problem::not_found("appointment"))?;
    let sequence = app.engine.sequence(&caller.organization, appointment).await?;
    let patient = sequence.events.iter().find_map(|event| event.entry.care.patient.clone());
    let subject = patient.as_deref().unwrap_or("*");
    app.engine.log_access(&caller, "read", subject, &format!("audit/{id}"), "audit").await?;
    Ok(sequence)
}

fn digest(sequence: &Sequence) -> String {
    let hashes: Vec<String> = sequence.events.iter().map(|event| event.hash.to_string()).collect();
    Hash::of(hashes.join("\n").as_bytes()).to_string()
}

fn page(sequence: &Sequence) -> String {
    let mut page = String::with_capacity(4_096 + sequence.events.len() * 400);
    let title = escaped(&sequence.appointment.to_string());
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sequence of {title}</title><style>\
         body{{font:13px/1.4 system-ui,sans-serif;margin:2em}}table{{border-collapse:collapse;width:100%}}\
         th,td{{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}}\
         code{{font-size:11px;word-break:break-all}}caption{{text-align:left;font-weight:600;padding:.6em 0}}</style></head>\
         <body><h1>From payment to care: {title}</h1><p>Read {} UTC. Digest <code>{}</code>: SHA-256 over the hashes below, \
         in order.</p><table><caption>The chain</caption><thead><tr><th scope=\"col\">Link</th><th scope=\"col\">Ids, or why \
         there is none</th></tr></thead><tbody>",
        sequence.at.to_rfc3339(),
        digest(sequence),
    );
    for link in &sequence.chain {
        let what = link.missing.map_or_else(|| link.ids.join(", "), ToOwned::to_owned);
        let _ = write!(page, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", link.name, escaped(&what));
    }
    page.push_str(
        "</tbody></table><table><caption>What happened, in order</caption><thead><tr><th scope=\"col\">When (UTC)</th>\
         <th scope=\"col\">What</th><th scope=\"col\">Object</th><th scope=\"col\">Who</th><th scope=\"col\">Why</th>\
         <th scope=\"col\">Hash</th></tr></thead><tbody>",
    );
    for event in &sequence.events {
        let entry = &event.entry;
        let (kind, who) = entry.actor.parts();
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{} v{}</td><td>{} {}</td><td>{}</td><td><code>{}</code></td></tr>",
            entry.at.to_rfc3339(),
            escaped(&entry.kind),
            escaped(&entry.stream),
            entry.version,
            escaped(kind),
            escaped(who),
            escaped(entry.reason.as_str()),
            event.hash,
        );
    }
    page.push_str("</tbody></table></body></html>");
    page
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            plain => safe.push(plain),
        }
    }
    safe
}
