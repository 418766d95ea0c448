//! What reaches us from outside about messages: reports and words from a provider of texts, and clicks on "no more".
//!
//! No session: a provider's signature, or the pass in the link, is the proof. A link is opened by machines too, so that
//! opening one changes nothing; only the button does, or the mailbox's own (RFC 8058).

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Html;
use suture_core::pass::Purpose;
use suture_engine::Error;
use suture_engine::notices::Arrival;

use crate::app::App;
use crate::once;
use crate::problem::Problem;

/// Bytes of a provider's message at most.
const WORDS_BYTES_MAX: usize = 64 * 1024;

async fn hear(
    app: App,
    (organization, notice): (String, Option<String>),
    (uri, headers, body): (Uri, HeaderMap, Body),
) -> Result<StatusCode, Problem> {
    let body = once::read(&headers, body, WORDS_BYTES_MAX).await?.to_vec();
    let path = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
    let header = |name: &str| headers.get(name)?.to_str().ok().map(ToOwned::to_owned);
    app.engine.hear_of_text(Arrival { organization, notice, path, body }, header).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes in what a phone's owner wrote: STOP and START are obeyed.
#[utoipa::path(post, path = "/hooks/sms/{organization}", tag = "webhooks", params(("organization" = String, Path)), request_body(content = String, description = "As sent, byte for byte"), responses((status = 204)))]
pub(super) async fn hear_text(
    State(app): State<App>,
    Path(organization): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    hear(app, (organization, None), (uri, headers, body)).await
}

/// Takes in what became of a text.
#[utoipa::path(post, path = "/hooks/sms/{organization}/{notice}", tag = "webhooks", params(("organization" = String, Path), ("notice" = String, Path)), request_body(content = String, description = "As sent, byte for byte"), responses((status = 204)))]
pub(super) async fn hear_report(
    State(app): State<App>,
    Path((organization, notice)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    hear(app, (organization, Some(notice)), (uri, headers, body)).await
}

/// Asks whether e-mails are to stop. Changes nothing.
#[utoipa::path(get, path = "/opt-out/{token}", tag = "notices", params(("token" = String, Path)), responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn ask_opt_out(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Html<&'static str>, Problem> {
    app.engine.read_pass(&token, Purpose::OptOut).map_err(Error::from)?;
    Ok(Html(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>No more e-mails</title>\
         <h1>No more e-mails from us?</h1><p>You will not get reminders and receipts by e-mail any more.</p>\
         <form method=\"post\"><button>Stop e-mails</button></form></html>",
    ))
}

/// Stops all e-mails to whoever holds the link: by the button, or by the mailbox's own (RFC 8058).
#[utoipa::path(post, path = "/opt-out/{token}", tag = "notices", params(("token" = String, Path)), responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn opt_out(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Html<&'static str>, Problem> {
    app.engine.opt_out_by_link(&token).await?;
    Ok(Html(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>No more e-mails</title>\
         <h1>You will get no more e-mails from us.</h1><p>Ask at the desk if you change your mind.</p></html>",
    ))
}
