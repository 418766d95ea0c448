//! Posted requests: read, looked through, and carried out once per `Idempotency-Key`.
//!
//! Invariants: a body with a card number goes nowhere; the use case runs only after its key is stored; it runs to its end
//! even when the caller hangs up, so that the kept answer is the true one; a key whose outcome is not known stays taken.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use suture_core::audit::chain::Hash;
use suture_core::firewall;
use suture_engine::requests::{Key, Known};

use crate::app::App;
use crate::auth::Session;
use crate::frame::RequestId;
use crate::problem::{After, Problem};

/// A posted file, read up to a limit of its own. Its content is the file's, so no JSON is looked for.
pub(crate) struct PostedFile<const BYTES_MAX: usize, K = X12> {
    posted: Posted,
    /// Its kind of content, as the caller named it.
    kind: String,
    /// Bounds how much of such files is in memory. Held until the work is done.
    place: tokio::sync::OwnedSemaphorePermit,
    kinds: std::marker::PhantomData<K>,
}

/// The kinds of content that a posted file may have.
pub(crate) trait FileKinds {
    /// Their names in `Content-Type`.
    const NAMES: &'static [&'static str];
    /// What to do when it is another one.
    const INSTEAD: &'static str;
}

/// Files of payers.
pub(crate) struct X12;

impl FileKinds for X12 {
    const NAMES: &'static [&'static str] = &["text/x12", "application/edi-x12", "application/x12"];
    const INSTEAD: &'static str =
        "Nothing was read. Send the file itself with `Content-Type: application/edi-x12` or `text/x12`.";
}

/// A posted request, read but not yet understood.
pub(crate) struct Posted {
    key: Option<String>,
    /// Method and path, which are part of what a key stands for.
    target: String,
    request_id: String,
    body: Bytes,
}

/// What a use case made.
pub(crate) struct Made {
    status: StatusCode,
    body: Value,
    /// Fields that are shown to the first caller only and never kept.
    once: &'static [&'static str],
}

impl Made {
    /// Something that is there now (200).
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::with(StatusCode::OK, body)
    }

    /// Something new (201).
    pub(crate) fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Self::with(StatusCode::CREATED, body)
    }

    fn with(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let body =
            serde_json::to_value(body).map_err(|error| Problem::internal(&format!("an answer: {error}")))?;
        Ok(Self { status, body, once: &[] })
    }

    /// Keeps these fields out of the stored answer.
    pub(crate) fn show_once(self, once: &'static [&'static str]) -> Self {
        Self { once, ..self }
    }

    fn kept(&self) -> Vec<u8> {
        let mut body = self.body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|name, _| !self.once.contains(&name.as_str()));
        }
        body.to_string().into_bytes()
    }
}

impl FromRequest<App> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = read(&parts.headers, body, app.settings.body_bytes_max).await?;
        Ok(Self {
            key: key_of(&parts.headers),
            target: format!("{} {}", parts.method, parts.uri.path()),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            body,
        })
    }
}

impl<const BYTES_MAX: usize, K: FileKinds> FromRequest<App> for PostedFile<BYTES_MAX, K> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !K::NAMES.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new("content_type_refused", status, K::INSTEAD));
        }
        let kind = kind.to_ascii_lowercase();
        let place = app.files.clone().acquire_owned().await;
        let place = place.map_err(|_| Problem::internal("the places for files are closed"))?;
        let body = read(&parts.headers, body, BYTES_MAX).await.map_err(|problem| {
            if problem.is_too_large() { Problem::file_too_large(BYTES_MAX) } else { problem }
        })?;
        // What the query asks for is part of the request as well.
        let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path(), |all| all.as_str());
        let posted = Posted {
            key: key_of(&parts.headers),
            target: format!("{} {path}", parts.method),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            body,
        };
        Ok(Self { posted, kind, place, kinds: std::marker::PhantomData })
    }
}

impl<const BYTES_MAX: usize, K: FileKinds> PostedFile<BYTES_MAX, K> {
    /// The kind of content, in small letters.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// Carries the request out once, with the bytes of the file.
    pub(crate) async fn once<W, F>(
        mut self,
        app: &App,
        session: &Session,
        work: W,
    ) -> Result<Response, Problem>
    where
        W: FnOnce(Vec<u8>) -> F,
        F: Future<Output = Result<Made, Problem>> + Send + 'static,
    {
        let (bytes, place) = (Vec::from(std::mem::take(&mut self.posted.body)), self.place);
        let hash = Hash::of(format!("{}\n{}", self.posted.target, Hash::of(&bytes)).as_bytes());
        let work = || {
            let working = work(bytes);
            async move {
                let made = working.await;
                drop(place);
                made
            }
        };
        self.posted.carried_out(app, session, hash, work).await
    }
}

/// The caller's key, when it is one.
fn key_of(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("idempotency-key")?.to_str().ok()?.trim();
    let plain = (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then(|| text.to_owned())
}

/// Reads a body up to a limit.
pub(crate) async fn read(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > bytes_max)) {
        return Err(Problem::body_too_large());
    }
    axum::body::to_bytes(body, bytes_max).await.map_err(|error| {
        let text = error.to_string();
        if text.contains("length limit") {
            Problem::body_too_large()
        } else {
            let detail = "Nothing was done. The body did not arrive whole; send it again.";
            Problem::new("body_unreadable", StatusCode::BAD_REQUEST, detail)
        }
    })
}

impl Posted {
    /// The body as a value, for requests that change nothing and need no key.
    pub(crate) fn parse<B: DeserializeOwned>(&self) -> Result<B, Problem> {
        parse(&self.body)
    }

    /// Carries the request out once: runs the work, or gives the answer again that it had.
    pub(crate) async fn once<B, W, F>(
        self,
        app: &App,
        session: &Session,
        work: W,
    ) -> Result<Response, Problem>
    where
        B: DeserializeOwned,
        W: FnOnce(B) -> F,
        F: Future<Output = Result<Made, Problem>> + Send + 'static,
    {
        if self.key.is_none() {
            return Err(key_required());
        }
        let body = self.parse()?;
        let mut content = self.target.clone().into_bytes();
        content.push(b'\n');
        content.extend_from_slice(&self.body);
        self.carried_out(app, session, Hash::of(&content), || work(body)).await
    }

    /// The key of the request, for a call to a gateway that is to happen once for it. Not the key itself: it may be long,
    /// and is the caller's.
    pub(crate) fn derived_key(&self, session: &Session) -> String {
        let key = self.key.as_deref().unwrap_or_default();
        Hash::of(format!("{}\n{key}", session.key()).as_bytes()).to_string()
    }

    async fn carried_out<F>(
        self,
        app: &App,
        session: &Session,
        hash: Hash,
        work: impl FnOnce() -> F,
    ) -> Result<Response, Problem>
    where
        F: Future<Output = Result<Made, Problem>> + Send + 'static,
    {
        let key = self.key.ok_or_else(key_required)?;
        let key =
            Key { organization: session.organization().to_owned(), api_key: session.key().to_owned(), key };
        match app.engine.begin_request(key.clone(), hash).await? {
            Known::New => {}
            Known::Running { since } => return Err(running(&since.to_rfc3339())),
            Known::OtherRequest => return Err(reused()),
            Known::Answered { status, body } => return Ok(replayed(status, body)),
        }
        let carried_out = tokio::spawn(carry_out(app.clone(), key, self.request_id, work()));
        carried_out.await.unwrap_or_else(|_| Err(Problem::internal("the work of a request panicked")))
    }
}

fn key_required() -> Problem {
    Problem::new(
        "idempotency_key_required",
        StatusCode::BAD_REQUEST,
        "Nothing was done. Send an `Idempotency-Key` header of 1 to 255 visible ASCII characters, new for each thing that \
         you want and the same when you try it again.",
    )
}

/// Runs the work and keeps its answer, or forgets the key when nothing was changed.
async fn carry_out<F>(app: App, key: Key, request_id: String, work: F) -> Result<Response, Problem>
where
    F: Future<Output = Result<Made, Problem>> + Send,
{
    match work.await {
        Ok(made) => {
            if let Err(error) = app.engine.answer_request(key, made.status.as_u16(), made.kept()).await {
                // The work is done and the caller gets its answer; only a retry will be told that it is running.
                tracing::warn!(request.id = %request_id, "the answer to request {request_id} was not kept: {error}");
            }
            Ok(json(made.status, made.body.to_string().into_bytes(), "application/json"))
        }
        Err(problem) => {
            let closed = match problem.after() {
                After::Stands => {
                    let body = problem.body(&request_id);
                    app.engine.answer_request(key, problem.status().as_u16(), body).await
                }
                After::Nothing => app.engine.forget_request(key).await,
                After::Unknown => Ok(()),
            };
            if let Err(error) = closed {
                tracing::warn!(request.id = %request_id, "the key of request {request_id} stays taken: {error}");
            }
            Err(problem)
        }
    }
}

fn running(since: &str) -> Problem {
    Problem::new(
        "request_running",
        StatusCode::CONFLICT,
        format!(
            "Nothing was done twice. A request with this Idempotency-Key began at {since} and has no answer yet. Ask again in \
             a few seconds; if it stays so, its answer was lost: look at the object before using a new key."
        ),
    )
    .retry_after(2)
}

fn reused() -> Problem {
    Problem::invalid(
        "idempotency_key_reused",
        "Nothing was done. This Idempotency-Key was used for another request; a new request needs a new key.",
    )
}

fn replayed(status: i64, body: Vec<u8>) -> Response {
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = json(status, body, kind);
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}

fn json(status: StatusCode, body: Vec<u8>, kind: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Understands a body. An empty one counts as `{}`.
pub(crate) fn parse<B: DeserializeOwned>(body: &[u8]) -> Result<B, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let detail = format!("Nothing was done. The body is not JSON: it cannot be read at {place}.");
        Problem::new("body_not_json", StatusCode::BAD_REQUEST, detail)
    })?;
    if holds_card_number(&value) {
        return Err(Problem::invalid(
            "card_number_refused",
            "Nothing was done and nothing was stored. The body holds what looks like a card number. Card numbers go from the \
             payer's browser to the gateway only; send the gateway's payment method id instead.",
        ));
    }
    // From the text again, because only then a problem knows its place.
    serde_json::from_slice(body).map_err(|error| {
        let text = without_values(&error.to_string());
        let code = if text.starts_with("unknown field") { "unknown_field" } else { "body_invalid" };
        Problem::invalid(code, format!("Nothing was done. The body is not as documented: {text}."))
    })
}

/// A reader's message without the value that it quotes, which may be a credential in the wrong place.
fn without_values(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}\"…\"{}", &message[..first], &message[last + 1..])
        }
        _ => message.to_owned(),
    }
}

/// Whether a text, a number or a name anywhere in the value looks like a card number.
fn holds_card_number(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        // Thirteen digits are a moment in milliseconds; card numbers of 13 digits are no longer issued.
        Value::Number(number) => {
            let text = number.to_string();
            text.len() > 13 && firewall::holds_card_number(&text)
        }
        Value::String(text) => firewall::holds_card_number(text),
        Value::Array(items) => items.iter().any(holds_card_number),
        Value::Object(fields) => {
            fields.iter().any(|(name, item)| firewall::holds_card_number(name) || holds_card_number(item))
        }
    }
}
