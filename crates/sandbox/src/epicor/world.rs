//! The Epicor world: one value that answers requests, turns knobs and shows its state.
//!
//! Called by the HTTP shell and by simulators. What must stay true: the same seed and the same calls give the same
//! answers, and a lost answer means that the request was executed all the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::auth::Authority;
use super::books::Books;
use super::bpm::{Delivery, Hooks};
use super::faults::{Failure, Faults};
use super::refusal::Refusal;
use super::route::Route;
use super::schema::{self, Id};
use super::{answer, baq, control, judge, odata, post, rpc};
use crate::stripe::Random;
use crate::wire::{Request, Response};

/// The company that exists from the beginning.
pub const DEFAULT_COMPANY: &str = "EPIC06";
/// The API key that is accepted from the beginning, without an access scope.
pub const DEFAULT_API_KEY: &str = "epicor_sandbox_key";
/// The user that exists from the beginning.
pub const DEFAULT_USER: &str = "suture";
/// Its password; also the secret of the client of the same name.
pub const DEFAULT_PASSWORD: &str = "sandbox";

/// Services whose entity sets some hosts cannot read (EPICOR.md §3).
const HEAVY: [&str; 6] = [
    "Erp.BO.ARInvoiceSvc",
    "Erp.BO.CashRecSvc",
    "Erp.BO.CustomerSvc",
    "Erp.BO.SalesOrderSvc",
    "Erp.BO.PartSvc",
    "Erp.BO.GLJournalEntrySvc",
];

/// The pretend Epicor Kinetic, reached below `/Kinetic/api/v2/odata/`. See EPICOR.md for what it copies.
pub struct EpicorWorld {
    pub(super) instance: String,
    pub(super) authority: Authority,
    pub(super) companies: BTreeMap<String, Books>,
    pub(super) faults: Faults,
    pub(super) hooks: Hooks,
    pub(super) baqs: BTreeMap<String, Id>,
    pub(super) random: Random,
    pub(super) seed: u64,
}

/// Keys, passwords and records stay out of the output.
impl std::fmt::Debug for EpicorWorld {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EpicorWorld")
            .field("companies", &self.companies.len())
            .finish_non_exhaustive()
    }
}

impl EpicorWorld {
    /// A world with one company, one key, one user and no records but a few parts.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut authority = Authority::new();
        authority.add_key(DEFAULT_API_KEY, BTreeSet::new());
        authority.add_user(DEFAULT_USER, DEFAULT_PASSWORD, BTreeSet::new());
        authority.add_client(DEFAULT_USER, DEFAULT_PASSWORD);
        let mut world = Self {
            instance: "Kinetic".to_owned(),
            authority,
            companies: BTreeMap::new(),
            faults: Faults::default(),
            hooks: Hooks::default(),
            baqs: baq::standard(),
            random: Random::new(seed),
            seed,
        };
        world.add_company(DEFAULT_COMPANY);
        world
    }

    /// Adds an empty company; false when it exists.
    pub(super) fn add_company(&mut self, name: &str) -> bool {
        if self.companies.contains_key(name) {
            return false;
        }
        let salt = name.bytes().fold(self.seed, |salt, byte| salt.wrapping_mul(31).wrapping_add(byte.into()));
        self.companies.insert(name.to_owned(), Books::new(name, salt));
        true
    }

    /// Answers one request at `now_ms` (Unix time in milliseconds). Status 0 means that the request was
    /// executed and the connection is to be cut without an answer.
    pub fn handle(&mut self, now_ms: i64, request: &Request) -> Response {
        self.advance(now_ms);
        let route = Route::of(request, &self.instance);
        let name = route.name();
        self.faults.count(&request.method, &name);
        if self.faults.outage {
            return self.refuse(&Refusal::of_status(503), request, &name).with_header("retry-after", "30");
        }
        let response = match self.faults.take_failure(&request.method, &name) {
            Some(failure) => self.fail(now_ms, request, &route, &failure),
            None => self.act(now_ms, request, &route),
        };
        self.send_happenings(now_ms);
        if self.faults.loses(&request.method, &name, &mut self.random) { Response::cut() } else { response }
    }

    /// Turns a knob or does what people do in the screens; the verbs are listed in `control`.
    ///
    /// # Errors
    /// A sentence that says what was not changed and why: an unknown verb, or a body that does not fit it.
    pub fn control(&mut self, now_ms: i64, verb: &str, body: &Value) -> Result<Value, String> {
        self.advance(now_ms);
        let outcome = control::turn(self, verb, body);
        self.send_happenings(now_ms);
        outcome
    }

    /// The state as JSON: per company the trial balance of receivables and counts of documents; calls; faults.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        judge::snapshot(self)
    }

    /// How long a shell should wait before it gives an answer, milliseconds.
    #[must_use]
    pub fn latency_ms(&self) -> u64 {
        self.faults.latency_ms
    }

    /// Takes the BPM callbacks that are due. Each is tried once; report it with [`EpicorWorld::delivered`].
    pub fn due_deliveries(&mut self, now_ms: i64) -> Vec<Delivery> {
        self.advance(now_ms);
        self.send_happenings(now_ms);
        self.hooks.due(now_ms)
    }

    /// Reports how a callback went: an HTTP status, or why there was none. There is no second try.
    pub fn delivered(&mut self, id: u64, outcome: &Result<u16, String>) {
        self.hooks.report(id, outcome);
    }

    /// When a callback or a submitted posting becomes due next. Milliseconds since 1970.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        let postings =
            self.companies.values().filter_map(|books| books.submitted.first().map(|(due, _, _)| *due));
        postings.chain(self.hooks.next_due_ms()).min()
    }

    /// Brings the world to a moment: submitted postings that are due are carried out.
    pub(super) fn advance(&mut self, now_ms: i64) {
        for books in self.companies.values_mut() {
            books.now_ms = books.now_ms.max(now_ms);
            while let Some((due, id, group)) = books.submitted.first().cloned() {
                if due > now_ms {
                    break;
                }
                books.submitted.remove(&(due, id, group.clone()));
                post::submitted(books, id, &group);
            }
        }
    }

    fn send_happenings(&mut self, now_ms: i64) {
        for books in self.companies.values_mut() {
            let happenings = std::mem::take(&mut books.happenings);
            for happening in &happenings {
                self.hooks.queue(now_ms, books, happening, &mut self.random);
            }
        }
    }

    fn act(&mut self, now_ms: i64, request: &Request, route: &Route) -> Response {
        let outcome = match route {
            Route::TokenResource => self.authority.token_resource(now_ms, request, &mut self.random),
            Route::TokenService => self.authority.token_service(now_ms, request, &mut self.random),
            Route::Nowhere => Ok(answer::nowhere()),
            Route::Service { .. } | Route::Baq { .. } => self.serve(now_ms, request, route),
        };
        outcome.unwrap_or_else(|refusal| self.refuse(&refusal, request, &route.name()))
    }

    fn refuse(&mut self, refusal: &Refusal, request: &Request, name: &str) -> Response {
        let correlation = format!("{:016x}{:016x}", self.random.next(), self.random.next());
        answer::refused(refusal, request, name, &correlation)
    }

    fn serve(&mut self, now_ms: i64, request: &Request, route: &Route) -> Result<Response, Refusal> {
        let user = self.authority.admit(now_ms, request, route.scope())?;
        let (Route::Service { company, .. } | Route::Baq { company, .. }) = route else {
            return Ok(answer::nowhere());
        };
        self.authority.check_company(&user, company)?;
        let books = self.companies.get_mut(company);
        let books = books.ok_or_else(|| Refusal::forbidden(format!("Company {company} is not valid.")))?;
        books.user = user;
        books.plant = plant_of(books, request);
        match route {
            Route::Baq { id, .. } => baq::serve(books, &self.baqs, request, id),
            Route::Service { service, target, key, .. } => {
                let Some(id) = schema::set(service, target) else {
                    return rpc::serve(books, request, service, target);
                };
                if self.faults.heavy_reads_fail
                    && request.method == "GET"
                    && HEAVY.contains(&service.as_str())
                {
                    return Err(Refusal::internal());
                }
                let host = request.header("host").unwrap_or("epicor.sandbox.invalid");
                let context = format!(
                    "https://{host}/{}/api/v2/odata/{company}/$metadata#{service}.{target}",
                    self.instance
                );
                odata::serve(books, request, &odata::Target { id, context, key: key.as_deref() })
            }
            Route::TokenResource | Route::TokenService | Route::Nowhere => Ok(answer::nowhere()),
        }
    }

    fn fail(&mut self, now_ms: i64, request: &Request, route: &Route, failure: &Failure) -> Response {
        if failure.acts {
            self.act(now_ms, request, route);
        }
        let response = self.refuse(&Refusal::of_status(failure.status), request, &route.name());
        match failure.retry_after {
            Some(seconds) => response.with_header("retry-after", &seconds.to_string()),
            None => response,
        }
    }
}

/// The site that `CallSettings` names; unknown ones are passed over in silence (EPICOR.md §2).
fn plant_of(books: &Books, request: &Request) -> String {
    let settings = request.header("callsettings").and_then(|text| serde_json::from_str::<Value>(text).ok());
    let plant = settings.as_ref().and_then(|settings| settings["Plant"].as_str());
    plant.filter(|plant| books.settings.plants.contains(*plant)).unwrap_or("MfgSys").to_owned()
}
