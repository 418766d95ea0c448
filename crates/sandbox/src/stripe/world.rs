//! The Stripe world: all state, and the way of a request through it.
//!
//! Synchronous and deterministic: the same seed and the same calls at the same times give the same answers. Called
//! by `server` behind a lock, or by a simulator directly. What must stay true: a call runs to its end before the
//! next begins, and time never goes back.

use super::balance::{BalanceTransaction, Purses};
use super::charge::Charge;
use super::connected_account::ConnectedAccount;
use super::credit_note::CreditNote;
use super::customer::Customer;
use super::customer_balance::CustomerBalanceTransaction;
use super::delivery::{Ladder, Waiting};
use super::dispute::Dispute;
use super::event::{AskedBy, Event};
use super::expand;
use super::idempotency::{self, Body, Keys, Stored, Verdict};
use super::invoice::Invoice;
use super::invoice_item::InvoiceItem;
use super::invoice_payment::InvoicePayment;
use super::knob::{Knobs, Loss, failure};
use super::movement::Movement;
use super::object::Snapshot;
use super::payment_intent::PaymentIntent;
use super::payment_method::PaymentMethod;
use super::payout::Payout;
use super::random::{Id, Random};
use super::refund::Refund;
use super::refusal::{Kind, Refusal};
use super::route::{self, Call};
use super::schema;
use super::setup_intent::SetupIntent;
use super::table::Table;
use super::timer::Due;
use super::transfer::{Transfer, TransferReversal};
use super::webhook_endpoint::WebhookEndpoint;
use crate::wire::{Request, Response};
use base64::Engine;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The account's API version, and that of events when an endpoint does not say.
pub const API_VERSION: &str = "2026-10-28.endive";

/// The key that is accepted when no other is given.
pub const DEFAULT_KEY: &str = "sk_test_sandbox";

/// Where pages for people are when no server serves this world.
const SITE: &str = "https://pay.stripe.com";

/// How a Stripe world starts.
#[derive(Clone, Default)]
pub struct StripeOptions {
    /// Seed of ids and chances.
    pub seed: u64,
    /// Accepted keys, `sk_test_…` or `rk_test_…`; [`DEFAULT_KEY`] when empty.
    pub keys: Vec<String>,
    /// Address and secret of an endpoint for all events.
    pub webhook: Option<(String, String)>,
    /// Waits between tries of a webhook.
    pub ladder: Ladder,
}

/// Keys and secrets are not printed.
impl std::fmt::Debug for StripeOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StripeOptions").field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// All state of one Stripe account.
pub struct StripeWorld {
    pub(crate) options: StripeOptions,
    keys_accepted: BTreeSet<String>,
    /// Where people open invoices and receipts, without a slash at the end.
    pub(crate) site: Arc<str>,
    pub(crate) now_ms: i64,
    pub(crate) random: Random,
    pub(crate) knobs: Knobs,
    pub(crate) ladder: Ladder,
    /// The request that is being executed.
    pub(crate) asked_by: Option<AskedBy>,
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) keys: Keys,
    pub(crate) balance_transactions: Table<BalanceTransaction>,
    pub(crate) charges: Table<Charge>,
    pub(crate) connected_accounts: Table<ConnectedAccount>,
    pub(crate) credit_notes: Table<CreditNote>,
    pub(crate) customer_balance_transactions: Table<CustomerBalanceTransaction>,
    pub(crate) customers: Table<Customer>,
    pub(crate) disputes: Table<Dispute>,
    pub(crate) events: Table<Event>,
    pub(crate) invoice_items: Table<InvoiceItem>,
    pub(crate) invoice_payments: Table<InvoicePayment>,
    pub(crate) invoices: Table<Invoice>,
    pub(crate) payment_intents: Table<PaymentIntent>,
    pub(crate) payment_methods: Table<PaymentMethod>,
    pub(crate) payouts: Table<Payout>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) setup_intents: Table<SetupIntent>,
    pub(crate) transfer_reversals: Table<TransferReversal>,
    pub(crate) transfers: Table<Transfer>,
    pub(crate) webhook_endpoints: Table<WebhookEndpoint>,
    pub(crate) purses: Purses,
    /// Payout of a balance transaction.
    pub(crate) paid_out: BTreeMap<Id, Id>,
    pub(crate) movements: Vec<Movement>,
    pub(crate) timers: BTreeMap<(i64, u64), Due>,
    pub(crate) timers_made: u64,
    pub(crate) waiting: BTreeMap<u64, Waiting>,
    pub(crate) delivery_queue: BTreeSet<(i64, u64)>,
    pub(crate) deliveries_made: u64,
}

/// A world is too large to print.
impl std::fmt::Debug for StripeWorld {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("StripeWorld")
            .field("now_ms", &self.now_ms)
            .field("payment_intents", &self.payment_intents.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// What the pipeline of a call ends with.
struct Finished {
    stored: Stored,
    replayed: bool,
    lost: Option<Loss>,
    rate_limited: bool,
}

impl StripeWorld {
    /// An empty account at the beginning of time.
    #[must_use]
    pub fn new(options: StripeOptions) -> Self {
        let given = options.keys.iter().filter(|key| test_key(key)).cloned();
        let mut keys_accepted: BTreeSet<String> = given.collect();
        if keys_accepted.is_empty() {
            keys_accepted.insert(DEFAULT_KEY.to_owned());
        }
        let mut world = Self {
            keys_accepted,
            site: Arc::from(SITE),
            now_ms: 0,
            random: Random::new(options.seed),
            knobs: Knobs::default(),
            ladder: options.ladder,
            asked_by: None,
            calls: BTreeMap::new(),
            keys: Keys::default(),
            balance_transactions: Table::new(),
            charges: Table::new(),
            connected_accounts: Table::new(),
            credit_notes: Table::new(),
            customer_balance_transactions: Table::new(),
            customers: Table::new(),
            disputes: Table::new(),
            events: Table::new(),
            invoice_items: Table::new(),
            invoice_payments: Table::new(),
            invoices: Table::new(),
            payment_intents: Table::new(),
            payment_methods: Table::new(),
            payouts: Table::new(),
            refunds: Table::new(),
            setup_intents: Table::new(),
            transfer_reversals: Table::new(),
            transfers: Table::new(),
            webhook_endpoints: Table::new(),
            purses: Purses::default(),
            paid_out: BTreeMap::new(),
            movements: Vec::new(),
            timers: BTreeMap::new(),
            timers_made: 0,
            waiting: BTreeMap::new(),
            delivery_queue: BTreeSet::new(),
            deliveries_made: 0,
            options,
        };
        if let Some((url, secret)) = world.options.webhook.clone() {
            world.add_webhook_endpoint(&url, Some(&secret), vec!["*".to_owned()], API_VERSION);
        }
        world
    }

    /// The present unix second of the world.
    pub(crate) fn now_seconds(&self) -> i64 {
        self.now_ms.div_euclid(1000)
    }

    /// How long a shell should wait before it gives an answer, milliseconds.
    #[must_use]
    pub fn latency_ms(&self) -> u64 {
        self.knobs.latency_ms
    }

    /// Where the pages of invoices and receipts made from now on are served: the base address of the Stripe server.
    pub fn serve_at(&mut self, base_url: &str) {
        self.site = Arc::from(base_url.trim_end_matches('/'));
    }

    /// The object of an id, whatever its kind.
    pub(crate) fn find(&self, id: &str) -> Option<Snapshot> {
        let (prefix, _) = id.split_once('_')?;
        let answer = match prefix {
            "acct" => self.show_connected_account(id),
            "cbtxn" => self.show_customer_balance_transaction(id),
            "ch" => self.show_charge(id),
            "cn" => self.show_credit_note(id),
            "cus" => self.show_customer(id),
            "du" => self.show_dispute(id),
            "ii" => self.show_invoice_item(id),
            "in" => self.show_invoice(id),
            "inpay" => self.show_invoice_payment(id),
            "pi" => self.show_payment_intent(id),
            "pm" => self.show_payment_method(id),
            "po" => self.show_payout(id),
            "re" => self.show_refund(id),
            "seti" => self.show_setup_intent(id),
            "tr" => self.show_transfer(id),
            "txn" => self.show_balance_transaction(id),
            _ => return None,
        };
        answer.ok()
    }

    /// Answers one request. `now_ms` is milliseconds since 1970.
    pub fn handle(&mut self, now_ms: i64, request: &Request) -> Response {
        self.advance(now_ms);
        if let Some(page) = self.page(request) {
            return page;
        }
        let request_id = self.random.id("req_");
        let finished = match self.answer(request, &request_id) {
            Ok(finished) => finished,
            Err(refusal) => Finished {
                rate_limited: refusal.status == 429,
                stored: self.refused(&refusal, &request_id),
                replayed: false,
                lost: None,
            },
        };
        self.asked_by = None;
        match finished.lost {
            Some(Loss::Cut) => Response::cut(),
            Some(Loss::Empty) => Response::empty(500).with_header("request-id", &request_id),
            Some(Loss::Kept) | None => self.respond(request, &request_id, &finished),
        }
    }

    fn respond(&self, request: &Request, request_id: &str, finished: &Finished) -> Response {
        let text = match &finished.stored.body {
            Body::Object(snapshot) => snapshot.render(self).to_string(),
            Body::Text(text) => text.to_string(),
        };
        let version = request.header("stripe-version").unwrap_or(API_VERSION);
        let mut response = Response::empty(finished.stored.status)
            .with_header("content-type", "application/json")
            .with_header("request-id", request_id)
            .with_header("stripe-version", version)
            .with_body(text);
        if let Some(key) = request.header("idempotency-key") {
            response = response.with_header("idempotency-key", key);
        }
        if finished.replayed {
            response = response
                .with_header("idempotent-replayed", "true")
                .with_header("original-request", &finished.stored.request_id);
        }
        if finished.rate_limited {
            response = response.with_header("stripe-rate-limited-reason", "global-rate");
        }
        if finished.stored.status == 401 {
            response = response.with_header("www-authenticate", "Basic realm=\"Stripe\"");
        }
        response
    }

    fn refused(&self, refusal: &Refusal, request_id: &Id) -> Stored {
        Stored {
            status: refusal.status,
            body: Body::Text(refusal.body(request_id).to_string().into()),
            request_id: Id::clone(request_id),
        }
    }

    /// Authentication, knobs, parameters, idempotency, execution: in Stripe's order.
    fn answer(&mut self, request: &Request, request_id: &Id) -> Result<Finished, Box<Refusal>> {
        self.authenticate(request)?;
        let Some(call) = route::find(&request.method, &request.path) else {
            return Err(Refusal::new(
                404,
                Kind::InvalidRequest,
                format!(
                    "Unrecognized request URL ({}: {}). Please see https://stripe.com/docs or we can help at \
                     https://support.stripe.com/.",
                    request.method, request.path
                ),
            ));
        };
        *self.calls.entry(call.name()).or_default() += 1;
        check_version(request)?;
        if let Some(refusal) = self.knob_refusal(&call.name()) {
            return Err(refusal);
        }
        let key = if request.method == "POST" { request.header("idempotency-key") } else { None };
        let Some(key) = key else {
            let (stored, _) = self.execute(&call, request, request_id)?;
            return Ok(self.finish(stored, &call));
        };
        if key.is_empty() || key.len() > 255 {
            return Err(Refusal::new(400, Kind::Idempotency, "Idempotency keys have 1 to 255 characters."));
        }
        let fingerprint = idempotency::fingerprint(request);
        match self.look_up_key(key, fingerprint) {
            Verdict::Refused(refusal) => return Err(refusal),
            Verdict::Replay(stored) => {
                return Ok(Finished { stored, replayed: true, ..self.finish_nothing(request_id, &call) });
            }
            Verdict::New => {}
        }
        let (stored, began) = self.execute(&call, request, request_id)?;
        let finished = self.finish(stored, &call);
        if began {
            self.keep_answer(key, fingerprint, &finished.stored);
        }
        Ok(finished)
    }

    /// A replay can get lost as well.
    fn finish_nothing(&mut self, request_id: &Id, call: &Call) -> Finished {
        let empty = Stored { status: 200, body: Body::Text("".into()), request_id: Id::clone(request_id) };
        let mut finished = self.finish(empty, call);
        if finished.lost == Some(Loss::Kept) {
            finished.lost = Some(Loss::Empty);
        }
        finished
    }

    fn finish(&mut self, stored: Stored, call: &Call) -> Finished {
        let lost = self.knob_loss(&call.name());
        let stored = match lost {
            Some(Loss::Kept) => {
                let refusal = failure(500);
                let id = Id::clone(&stored.request_id);
                self.refused(&refusal, &id)
            }
            _ => stored,
        };
        Finished { stored, replayed: false, lost, rate_limited: false }
    }

    /// Checks the parameters and runs the call. The flag says whether the endpoint began its work.
    fn execute(
        &mut self,
        call: &Call,
        request: &Request,
        request_id: &Id,
    ) -> Result<(Stored, bool), Box<Refusal>> {
        let pairs = route::parameters(request);
        let shape = schema::shape(&call.name()).ok_or_else(|| failure(500))?;
        let params = schema::check(shape, &pairs)?;
        let paths = params.texts("expand");
        expand::check(call.answers, call.lists, &paths)?;
        self.asked_by = Some(AskedBy {
            request: Id::clone(request_id),
            idempotency_key: request.header("idempotency-key").map(Arc::from),
        });
        match self.dispatch(call, &params) {
            Ok(snapshot) if paths.is_empty() => Ok((
                Stored { status: 200, body: Body::Object(snapshot), request_id: Id::clone(request_id) },
                true,
            )),
            Ok(snapshot) => {
                let mut shown = snapshot.render(self);
                expand::apply(self, &mut shown, &paths);
                let body = Body::Text(shown.to_string().into());
                Ok((Stored { status: 200, body, request_id: Id::clone(request_id) }, true))
            }
            Err(refusal) => Ok((self.refused(&refusal, request_id), refusal.executed)),
        }
    }

    fn authenticate(&self, request: &Request) -> Result<(), Box<Refusal>> {
        let Some(key) = request.header("authorization").and_then(key_of) else {
            return Err(Refusal::new(
                401,
                Kind::InvalidRequest,
                "You did not provide an API key. You need to provide your API key in the Authorization header, using \
                 Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
                 https://stripe.com/docs/api#authentication for details, or we can help at \
                 https://support.stripe.com/.",
            ));
        };
        if self.keys_accepted.contains(&key) {
            return Ok(());
        }
        Err(Refusal::new(401, Kind::InvalidRequest, format!("Invalid API Key provided: {}", masked(&key))))
    }

    /// Calls so far, by call name such as `POST /v1/refunds`.
    #[must_use]
    pub fn calls(&self) -> &BTreeMap<String, u64> {
        &self.calls
    }

    /// `GET /v1/account`
    pub(crate) fn show_account(&self) -> Value {
        serde_json::json!({
            "id": "acct_sandbox000000001", "object": "account", "business_type": "company", "charges_enabled": true,
            "country": "US", "default_currency": "usd", "details_submitted": true, "email": "sandbox@example.com",
            "payouts_enabled": true, "type": "standard",
            "settings": { "dashboard": { "display_name": "Suture Sandbox", "timezone": "Etc/UTC" } },
        })
    }
}

fn test_key(key: &str) -> bool {
    key.starts_with("sk_test_") || key.starts_with("rk_test_")
}

/// The key of `Bearer <key>` or of Basic with the key as user name.
fn key_of(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// Shows the kind of key and its last four letters.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let tail: String = letters.iter().skip(letters.len().saturating_sub(4).max(8)).collect();
    let head: String = letters.iter().take(8).collect();
    format!("{head}{}{tail}", "*".repeat(letters.len().saturating_sub(12)))
}

fn check_version(request: &Request) -> Result<(), Box<Refusal>> {
    let Some(version) = request.header("stripe-version") else { return Ok(()) };
    let date = version.split('.').next().unwrap_or_default();
    let dated = date.len() == 10
        && date.char_indices().all(|(at, letter)| match at {
            4 | 7 => letter == '-',
            _ => letter.is_ascii_digit(),
        });
    if dated { Ok(()) } else { Err(Refusal::invalid(format!("Invalid Stripe API version: {version}"))) }
}
