//! Everything beyond an engine's wire: Stripe, Epic, the payer, and a line that loses, breaks and delays.
//!
//! What must stay true: a request is executed at most once per send, at the clock's present moment, and every request to
//! Stripe is searched for personal data before anything else happens to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse};
use suture_engine::{Sending, Transport, Undelivered};
use suture_sandbox::epic::EpicWorld;
use suture_sandbox::epicor::EpicorWorld;
use suture_sandbox::payer::PayerWorld;
use suture_sandbox::stripe::StripeWorld;
use suture_sandbox::wire::{Request, Response};
use tokio::sync::Notify;

use super::clock::ManualClock;
use super::receiver::{RECEIVER, Receiver};
use super::wire;
use crate::judge::personal;

/// The host name of Stripe in a world.
pub(super) const STRIPE: &str = "stripe.test";

/// The host name of Epicor in a world.
pub(super) const EPICOR: &str = "erp.test";

/// The host name of Stripe's pages and documents for payers.
const STRIPE_PAGES: &str = "pay.stripe.com";

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No connection: proven not to have left.
    NotSent,
    /// Lost on the way: not executed, and nobody knows.
    RequestLost,
    /// Executed; the answer is lost.
    AnswerLost,
    /// Not executed; this status instead.
    Refused(u16),
    /// Executed; this status instead of the answer.
    Broken(u16),
    /// Executed; the answer takes this many milliseconds.
    Slow(i64),
}

/// Where an engine's next request stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Before it leaves.
    Before,
    /// After it was executed, before the answer arrives.
    After,
}

#[derive(Default)]
struct Line {
    script: VecDeque<Fault>,
    /// Requests to paths that begin with this carry a key of their own, also when they are sent again.
    fresh_keys: Option<&'static str>,
    keys_made: u64,
    leak: Option<String>,
    sent: Vec<String>,
}

/// Everything beyond the wire.
pub struct Outside {
    pub(super) clock: Arc<ManualClock>,
    stripe: Mutex<StripeWorld>,
    epic: Mutex<EpicWorld>,
    epicor: Mutex<EpicorWorld>,
    payer: Mutex<PayerWorld>,
    line: Mutex<Line>,
    /// Whoever listens to our own events.
    pub receiver: Receiver,
    /// The key set that Epic finds at our address.
    published: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outside {
    pub(super) fn new(clock: Arc<ManualClock>, stripe: StripeWorld, epic: EpicWorld) -> Self {
        Self {
            clock,
            stripe: Mutex::new(stripe),
            epic: Mutex::new(epic),
            epicor: Mutex::new(EpicorWorld::new(1)),
            payer: Mutex::new(PayerWorld::new()),
            line: Mutex::default(),
            receiver: Receiver::default(),
            published: Mutex::default(),
        }
    }

    /// The Stripe world.
    pub fn stripe(&self) -> MutexGuard<'_, StripeWorld> {
        lock(&self.stripe)
    }

    /// The Epic world.
    pub fn epic(&self) -> MutexGuard<'_, EpicWorld> {
        lock(&self.epic)
    }

    /// The Epicor world.
    pub fn epicor(&self) -> MutexGuard<'_, EpicorWorld> {
        lock(&self.epicor)
    }

    /// Turns a knob of Epicor, or does there what people do in its screens.
    ///
    /// # Errors
    /// Epicor's sentence.
    pub fn at_epicor(&self, verb: &str, body: &Value) -> Result<Value, String> {
        self.epicor().control(self.clock.millis(), verb, body)
    }

    /// Turns a knob of Stripe, or does there what people and banks do without us.
    ///
    /// # Errors
    /// Stripe's sentence.
    pub fn at_stripe(&self, verb: &str, body: &Value) -> Result<Value, String> {
        self.stripe().control(self.clock.millis(), verb, body)
    }

    /// Turns a knob of Epic.
    ///
    /// # Errors
    /// Epic's sentence.
    pub fn at_epic(&self, verb: &str, body: &Value) -> Result<Value, String> {
        self.epic().control(self.clock.millis(), verb, body)
    }

    /// Turns a knob of the payer, or lets it decide and pay.
    ///
    /// # Errors
    /// The payer's sentence.
    pub fn at_payer(&self, verb: &str, body: &Value) -> Result<Value, String> {
        lock(&self.payer).control(self.clock.millis(), verb, body)
    }

    /// What the payer answers to a question, a claim, or a request for a file. Staff and clearing houses ask, not engines.
    #[must_use]
    pub fn ask_payer(&self, request: &Request) -> Response {
        lock(&self.payer).handle(self.clock.millis(), request)
    }

    /// Plans what happens to the next requests, one fault each.
    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.line).script.extend(faults);
    }

    /// Mends the line.
    pub fn mend(&self) {
        lock(&self.line).script.clear();
    }

    /// Gives every request to a path of Stripe that begins with this a fresh Idempotency-Key, also when it is sent again: a
    /// guard is gone.
    pub fn resend_with_fresh_keys(&self, path: &'static str) {
        lock(&self.line).fresh_keys = Some(path);
    }

    /// What personal data reached Stripe, if any ever did.
    #[must_use]
    pub fn leak(&self) -> Option<String> {
        lock(&self.line).leak.clone()
    }

    /// Method and URL of every request so far, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<String> {
        lock(&self.line).sent.clone()
    }

    /// Publishes a key set at our address; Epic fetches it when it needs it.
    pub fn publish_keys(&self, jwks: &str) {
        *lock(&self.published) = Some(jwks.to_owned());
    }

    /// Lets Epic fetch the key set that it wants, if it wants one.
    pub fn fetch_wanted_keys(&self) {
        let Some((client, _)) = self.epic().wanted_jwks_url() else { return };
        let published = lock(&self.published).clone();
        let jwks: Option<Value> = published.and_then(|text| serde_json::from_str(&text).ok());
        let verb = if jwks.is_some() { "jwks_fetched" } else { "jwks_failed" };
        // An answer that says no leaves the keys as they are, as at a real site.
        let _said = self.at_epic(verb, &json!({ "client_id": client, "jwks": jwks }));
    }

    fn execute(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let (host, _) = wire::split(&request.url);
        let now_ms = self.clock.millis();
        let arriving = wire::arriving(request);
        if host == STRIPE || host == STRIPE_PAGES {
            return wire::returning(self.stripe().handle(now_ms, &arriving));
        }
        if host == EPICOR {
            return wire::returning(self.epicor().handle(now_ms, &arriving));
        }
        if host == RECEIVER {
            return Some(self.receiver.take(request, self.clock.now()));
        }
        let response = self.epic().handle(now_ms, &arriving);
        // A site fetches keys when an assertion names one that it does not know.
        self.fetch_wanted_keys();
        wire::returning(response)
    }

    /// What the line does before anything arrives: search, tamper, and the planned fault.
    fn enter(&self, request: &mut HttpRequest) -> Option<Fault> {
        let (host, target) = wire::split(&request.url);
        let to_stripe = host == STRIPE;
        let mut line = lock(&self.line);
        line.sent.push(format!("{} {}", request.method.as_str(), request.url));
        if to_stripe && line.leak.is_none() {
            line.leak = personal::found_in(&wire::arriving(request));
        }
        if to_stripe && line.fresh_keys.is_some_and(|path| target.starts_with(path)) {
            line.keys_made += 1;
            let fresh = format!("fresh-{}", line.keys_made);
            for (name, value) in &mut request.headers {
                if *name == "idempotency-key" {
                    *value = HeaderValue::Text(fresh.clone());
                }
            }
        }
        line.script.pop_front()
    }

    fn lost(why: &str) -> Undelivered {
        Undelivered::Lost(why.to_owned())
    }

    fn carry(
        &self,
        request: &HttpRequest,
        fault: Option<Fault>,
        limit: Duration,
    ) -> Result<HttpResponse, Undelivered> {
        let status = |status| HttpResponse { status, headers: Vec::new(), body: Vec::new() };
        let cut = || Self::lost("the connection was cut");
        match fault {
            None => self.execute(request).ok_or_else(cut),
            Some(Fault::NotSent) => Err(Undelivered::NotSent("connection refused".to_owned())),
            Some(Fault::RequestLost) => Err(Self::lost("no answer in time")),
            Some(Fault::Refused(code)) => Ok(status(code)),
            Some(Fault::AnswerLost) => {
                self.execute(request);
                Err(cut())
            }
            Some(Fault::Broken(code)) => {
                self.execute(request);
                Ok(status(code))
            }
            Some(Fault::Slow(millis)) => {
                let answer = self.execute(request);
                let waited = millis.min(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
                self.clock.jump(waited);
                if waited < millis { Err(Self::lost("no answer in time")) } else { answer.ok_or_else(cut) }
            }
        }
    }
}

/// One engine's way out.
pub(super) struct NodeLine {
    pub(super) outside: Arc<Outside>,
    pause: Mutex<Option<Pause>>,
    pub(super) standing: Notify,
    pub(super) go_on: Notify,
}

impl NodeLine {
    pub(super) fn new(outside: Arc<Outside>) -> Self {
        Self { outside, pause: Mutex::default(), standing: Notify::new(), go_on: Notify::new() }
    }

    /// Lets the next request stand still, or none.
    pub(super) fn pause(&self, pause: Option<Pause>) {
        *lock(&self.pause) = pause;
    }

    fn take_pause(&self, at: Pause) -> bool {
        let mut pause = lock(&self.pause);
        let hit = *pause == Some(at);
        if hit {
            *pause = None;
        }
        hit
    }

    async fn stand_still(&self) {
        self.standing.notify_one();
        self.go_on.notified().await;
    }
}

impl Transport for NodeLine {
    fn send(&self, mut request: HttpRequest, limit: Duration) -> Sending<'_> {
        Box::pin(async move {
            let fault = self.outside.enter(&mut request);
            let begun = self.outside.clock.now();
            let late = || self.outside.clock.now().since(begun) > limit;
            if self.take_pause(Pause::Before) {
                self.stand_still().await;
                // Whoever waited this long for a connection has given the request up.
                if late() {
                    return Err(Outside::lost("no connection in time"));
                }
            }
            let answer = self.outside.carry(&request, fault, limit);
            if self.take_pause(Pause::After) {
                self.stand_still().await;
                if late() {
                    return Err(Outside::lost("no answer in time"));
                }
            }
            answer
        })
    }
}
