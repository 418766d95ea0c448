//! The Epic world: one value that answers requests, turns knobs and shows its state.
//!
//! Called by the HTTP shell and by simulators. What must stay true: the same seed and the same calls give
//! the same answers, and a lost answer means that the request was executed all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::{self, Answer, Refusal};
use super::book::Book;
use super::calls::Calls;
use super::capability::{self, Mode};
use super::chance::Chance;
use super::created::Created;
use super::faults::{Failure, Faults};
use super::oauth::{Authority, Stranger};
use super::records::{Held, Records};
use super::route::Route;
use super::search::Sessions;
use super::state::POSTINGS_DEFAULT;
use super::{codes, control};
use crate::wire::{Request, Response};

/// The pretend Epic. See EPIC.md for what it copies.
pub struct EpicWorld {
    pub(super) mode: Mode,
    pub(super) chance: Chance,
    pub(super) base_url: Option<String>,
    pub(super) site: String,
    pub(super) authority: Authority,
    pub(super) records: Records,
    pub(super) book: Book,
    pub(super) claim_status: BTreeMap<usize, String>,
    pub(super) created: Created,
    pub(super) sessions: Sessions,
    pub(super) faults: Faults,
    pub(super) calls: Calls,
}

/// Tokens, passwords and records stay out of the output.
impl std::fmt::Debug for EpicWorld {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EpicWorld").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl EpicWorld {
    /// A world with the fifty patients, each owing between 50.00 and 999.99 USD, and no client.
    #[must_use]
    pub fn new(seed: u64, mode: Mode) -> Self {
        let mut chance = Chance::new(seed);
        let records = Records::new();
        let owed = |_| 5_000 + i64::try_from(chance.draw() % 95_000).unwrap_or(0);
        let book = Book::new((0..records.count(Held::Account)).map(owed).collect::<Vec<_>>().into_iter());
        Self {
            mode,
            chance,
            base_url: None,
            site: "0.1".to_owned(),
            authority: Authority::new(),
            records,
            book,
            claim_status: BTreeMap::new(),
            created: Created::default(),
            sessions: Sessions::new(),
            faults: Faults::new(),
            calls: Calls::default(),
        }
    }

    /// Answers one request at `now_ms` (Unix time in milliseconds). Status 0 means that the request was
    /// executed and the connection is to be cut without an answer.
    pub fn handle(&mut self, now_ms: i64, request: &Request) -> Response {
        let route = Route::of(request, self.mode);
        let endpoint = route.endpoint();
        let reaches_records = route.reaches_records();
        let response = if self.faults.outage {
            answer::iis(503)
        } else {
            let response = match self.faults.take_failure(endpoint, reaches_records) {
                Some(failure) => self.fail(now_ms, request, &route, &failure),
                None => self.act(now_ms, request, &route),
            };
            let lost = self.faults.loses(endpoint, reaches_records, &mut self.chance);
            if lost { Response::cut() } else { response }
        };
        self.calls.note(now_ms, endpoint, response.status);
        response
    }

    /// Turns a knob; the verbs are listed in `control`.
    ///
    /// # Errors
    /// A sentence that says what was not changed and why: an unknown verb, or a body that does not fit it.
    pub fn control(&mut self, now_ms: i64, verb: &str, body: &Value) -> Result<Value, String> {
        control::turn(self, now_ms, verb, body)
    }

    /// The state as JSON: postings by reference (at most 10,000; the verb `state` shows more), balances in
    /// minor units by account, calls by endpoint.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.state("", POSTINGS_DEFAULT)
    }

    /// Client id and address of a key set that should be fetched and handed in with the control verb
    /// `jwks_fetched`. After a fetch that failed, `jwks_failed` makes room for the next client; the address
    /// is wanted again when the next assertion needs it.
    #[must_use]
    pub fn wanted_jwks_url(&self) -> Option<(String, String)> {
        self.authority.wanted_jwks_url()
    }

    /// Scheme and host that callers use: as set, or as the request says, or a name that resolves nowhere.
    pub(super) fn base_of(&self, request: &Request) -> String {
        match (&self.base_url, request.header("host")) {
            (Some(base), _) => base.clone(),
            (None, Some(host)) => format!("http://{host}"),
            (None, None) => "https://epic.sandbox.invalid".to_owned(),
        }
    }

    fn act(&mut self, now_ms: i64, request: &Request, route: &Route<'_>) -> Response {
        match route {
            Route::Token => {
                let audience = format!("{}/interconnect/oauth2/token", self.base_of(request));
                self.authority.token(now_ms, request, &audience, &mut self.chance)
            }
            Route::SmartConfiguration => {
                Response::json(200, &capability::smart_configuration(&self.base_of(request)))
            }
            Route::Metadata => {
                let statement = capability::statement(self.mode, &self.base_of(request));
                self.render(Ok(Answer::Resource(statement)), request)
            }
            Route::NotAllowed { allow } => Response::empty(405).with_header("allow", allow),
            Route::Nowhere => answer::iis(404),
            Route::SessionData | Route::TransactionResult => self.serve_payment(now_ms, request, route),
            Route::Read { .. } | Route::Search { .. } | Route::Create { .. } | Route::Update { .. } => {
                self.serve_fhir(now_ms, request, route)
            }
        }
    }

    fn serve_fhir(&mut self, now_ms: i64, request: &Request, route: &Route<'_>) -> Response {
        let (kind, letter) = match route {
            Route::Read { kind, .. } => (*kind, 'r'),
            Route::Search { kind, .. } => (*kind, 's'),
            Route::Create { kind } => (*kind, 'c'),
            Route::Update { kind, .. } => (*kind, 'u'),
            Route::Token
            | Route::SmartConfiguration
            | Route::Metadata
            | Route::SessionData
            | Route::TransactionResult
            | Route::NotAllowed { .. }
            | Route::Nowhere => return answer::iis(404),
        };
        if let Err(stranger) = self.authority.admit(now_ms, request, kind, letter) {
            return self.turned_away(&stranger, request);
        }
        let outcome = match self.below_ceiling(now_ms) {
            Ok(()) => self.interact(now_ms, request, route),
            Err(refusal) => Err(refusal),
        };
        self.render(outcome, request)
    }

    fn serve_payment(&mut self, now_ms: i64, request: &Request, route: &Route<'_>) -> Response {
        if let Err(stranger) = self.authority.admit_service(now_ms, request) {
            return self.turned_away(&stranger, request);
        }
        let outcome = match self.below_ceiling(now_ms) {
            Ok(()) if matches!(route, Route::TransactionResult) => {
                self.post_transaction(now_ms, &request.body)
            }
            Ok(()) => self.session_data(request),
            Err(refusal) => Err(refusal),
        };
        answer::render_service(outcome, &self.site)
    }

    fn below_ceiling(&mut self, now_ms: i64) -> Result<(), Refusal> {
        if self.faults.is_below_ceiling(now_ms) {
            return Ok(());
        }
        Err(Refusal::new(4135, "The daily limit of calls has been reached. Please try again tomorrow."))
    }

    fn render(&self, outcome: Result<Answer, Refusal>, request: &Request) -> Response {
        answer::render(outcome, answer::wants_json(request), &self.site)
    }

    fn turned_away(&self, stranger: &Stranger, request: &Request) -> Response {
        let challenge = match stranger {
            Stranger::Missing => "Bearer realm=\"Epic\"",
            Stranger::Invalid => "Bearer realm=\"Epic\", error=\"invalid_token\"",
            Stranger::Insufficient => {
                let refusal = Refusal::new(4118, "The granted scopes do not allow this request.")
                    .with_header("www-authenticate", "Bearer realm=\"Epic\", error=\"insufficient_scope\"");
                return self.render(Err(refusal), request);
            }
        };
        Response::empty(401).with_header("www-authenticate", challenge)
    }

    /// Answers with a failure that was asked for: one of Epic's codes, or a bare HTTP status.
    fn fail(&mut self, now_ms: i64, request: &Request, route: &Route<'_>, failure: &Failure) -> Response {
        if failure.acts {
            self.act(now_ms, request, route);
        }
        if codes::find(failure.code).is_some() {
            let refusal = Refusal::new(failure.code, "The sandbox was told to fail.");
            if matches!(route, Route::SessionData | Route::TransactionResult) {
                return answer::render_service(Err(refusal), &self.site);
            }
            return self.render(Err(refusal), request);
        }
        match u16::try_from(failure.code) {
            Ok(429) => Response::empty(429),
            Ok(status) => answer::iis(status),
            Err(_) => answer::iis(500),
        }
    }
}
