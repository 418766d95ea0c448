//! Calls that move money: attempts, captures, cancellations, refunds. Each sends the key that was frozen before, takes the
//! answer in as evidence, and treats a lost answer as unknown until it is looked up.

use std::sync::Arc;
use std::time::Duration;

use suture_connect::gateway::{CaptureMode, CreatePayment, CreateRefund, Fetch, RefundReason, Seen};
use suture_connect::http::HttpRequest;
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::attempt;
use suture_core::evidence::{DeclineAdvice, Evidence, PaymentError};
use suture_core::id::{PaymentId, RefundId};
use suture_core::payment::{Answer, Command, Payment, Source};
use suture_core::refund::{self, Refund};
use suture_core::time::Timestamp;
use suture_store::journal;

use crate::Error;
use crate::apply::{Fetched, Found, throttled};
use crate::calls;
use crate::change::Change;
use crate::connections::Open;
use crate::engine::Engine;
use crate::facts::{self, Origin};
use crate::job::Job;
use crate::payments::gateway_effect;
use crate::worker::{After, Working, finish_dead};

/// A gateway forgets keys after 24 hours; an older call is looked up, never sent again by its key (Stripe facts §a).
pub(crate) const KEY_LIFETIME: Duration = Duration::from_secs(23 * 3600);
/// A look-up of a charge's refunds reads so many, the newest first.
const REFUNDS_LISTED: usize = 100;

impl Engine {
    pub(crate) async fn send_attempt(&self, working: &Working, job: &Job) -> Result<After, Error> {
        let Job::Attempt { payment, number, save_method, off_session, return_url } = job else {
            return Ok(After::Finished);
        };
        let state = self.payment(&working.effect.organization, *payment).await?;
        let Some(attempt) = state.attempts.iter().find(|attempt| attempt.number == *number) else {
            return self.finish(working, "there is no such attempt").await;
        };
        if !attempt.state.is_open() || attempt.state == attempt::State::Waiting {
            return self.finish(working, "the attempt was decided before this call").await;
        }
        if self.now().since(attempt.planned_at) > KEY_LIFETIME {
            return Ok(After::Dead {
                error: "the key of this attempt is too old to be sent again, and nothing proves what became of it; \
                        look the payment up at the gateway"
                    .to_owned(),
            });
        }
        let open = self.connection(&state.connection)?;
        if attempt.state == attempt::State::Planned && attempt.method.is_none() && state.intent.is_some() {
            // Its intent became known after it was planned: a second one could be paid as well.
            self.record_answer(working, &open, *payment, *number, Answer::GivenUp).await?;
            return self.show_intent(working, *payment).await;
        }
        let (gateway, _) = open.gateway()?;
        let payments = gateway.payments().ok_or_else(|| open.problem("it takes no payments"))?;
        let request = match (&state.intent, &attempt.method) {
            (Some(intent), Some(method)) => payments.confirm(intent, method, &attempt.key),
            _ => payments.create(&CreatePayment {
                idempotency_key: attempt.key.clone(),
                amount: state.amount,
                capture: if state.manual_capture { CaptureMode::Manual } else { CaptureMode::Automatic },
                customer: state.customer.clone(),
                method: attempt.method.clone(),
                confirm: attempt.method.is_some(),
                off_session: *off_session,
                save_method: *save_method,
                return_url: return_url.clone(),
                link: state.link.clone().unwrap_or_default(),
                attempt: format!("{payment}/{number}"),
            }),
        };
        if attempt.state == attempt::State::Planned {
            self.record_answer(working, &open, *payment, *number, Answer::Sent).await?;
        }
        let answer = self.call_leased(working, &open, request).await;
        let outcome = calls::outcome(answer, |response| payments.read_payment(response));
        self.after_attempt(working, &open, (*payment, *number), outcome).await
    }

    /// Fetches an intent that waits for its payer, keeps its browser secret for the caller, and takes in what it says.
    pub(crate) async fn show_intent(&self, working: &Working, payment: PaymentId) -> Result<After, Error> {
        let state = self.payment(&working.effect.organization, payment).await?;
        let Some(intent) = state.intent else { return self.finish(working, "there is no intent").await };
        let open = self.connection(&state.connection)?;
        let (gateway, _) = open.gateway()?;
        let history = gateway.history().ok_or_else(|| open.problem("it shows no intents"))?;
        let what = Fetch::Intent(intent);
        let answer = self.call_leased(working, &open, history.fetch(&what)).await;
        match calls::outcome(answer, |response| history.read_fetched(&what, response)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => {
                self.keep_client_secret(payment, &seen);
                self.take_answer(working, &open, seen, Source::Fetched).await
            }
            Ok(Outcome::Declined(failure) | Outcome::NotSent(failure) | Outcome::Unknown(failure)) => {
                Ok(After::Failed { failure, job: None })
            }
        }
    }

    async fn after_attempt(
        &self,
        working: &Working,
        open: &Arc<Open>,
        (payment, number): (PaymentId, u32),
        outcome: Result<Outcome<Seen>, Timestamp>,
    ) -> Result<After, Error> {
        match outcome {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => {
                self.keep_client_secret(payment, &seen);
                self.take_answer(working, open, seen, Source::Answer(number)).await
            }
            Ok(Outcome::Declined(failure)) => {
                let declined = Answer::Declined(Box::new(payment_error(&failure)));
                self.record_answer(working, open, payment, number, declined).await?;
                self.finish(working, &failure.message).await
            }
            // Refused before processing. On a resend this says nothing of the first send, so the attempt stays open.
            Ok(Outcome::NotSent(failure)) => {
                Ok(After::Failed { failure: again_unless_never(failure), job: None })
            }
            Ok(Outcome::Unknown(failure)) => {
                self.record_answer(working, open, payment, number, Answer::Lost).await?;
                // The same key may be sent again: the gateway answers with what it did the first time.
                Ok(After::Failed { failure: Failure { retry: Retry::Later, ..failure }, job: None })
            }
        }
    }

    /// Takes in the evidence of an answer, fetching what it only names.
    async fn take_answer(
        &self,
        working: &Working,
        open: &Arc<Open>,
        seen: Seen,
        source: Source,
    ) -> Result<After, Error> {
        let now = self.now();
        let mut all = Found { evidence: seen.evidence, notes: seen.notes };
        let (gateway, _) = open.gateway()?;
        for what in &seen.fetch {
            if let crate::apply::Fetched::Found(found) = self.fetch(open, gateway, what).await {
                all.evidence.extend(found.evidence);
                all.notes.extend(found.notes);
            }
        }
        let origin = self.origin(open, source, now);
        self.take_in_and_finish(working, open, all, origin).await
    }

    async fn record_answer(
        &self,
        working: &Working,
        open: &Open,
        payment: PaymentId,
        number: u32,
        answer: Answer,
    ) -> Result<(), Error> {
        let origin = self.origin(open, Source::Answer(number), self.now());
        let command = Command::Answer { number, answer };
        self.command_payment(
            &working.effect.organization,
            self.order_by_gateway(open),
            payment,
            command,
            origin,
        )
        .await
    }

    /// Decides one command on a payment and settles what follows.
    async fn command_payment(
        &self,
        organization: &str,
        order: crate::change::Order,
        payment: PaymentId,
        command: Command,
        origin: Origin,
    ) -> Result<(), Error> {
        let order = crate::change::Order { organization: organization.to_owned(), ..order };
        self.apply(&payment.to_string(), order, move |change| {
            let mut loaded = change.load::<Payment>(&payment.to_string())?;
            let events = facts::decide(change, &mut loaded, &command)?;
            facts::settle(change, &mut loaded, &events, &origin)
        })
        .await
    }

    pub(crate) async fn send_capture(
        &self,
        working: &Working,
        payment: PaymentId,
        key: &str,
    ) -> Result<After, Error> {
        let state = self.payment(&working.effect.organization, payment).await?;
        let (Some(amount), Some(intent)) = (state.capturing, state.intent.clone()) else {
            return self.finish(working, "the capture was decided before this call").await;
        };
        let open = self.connection(&state.connection)?;
        let (gateway, _) = open.gateway()?;
        let payments = gateway.payments().ok_or_else(|| open.problem("it takes no payments"))?;
        let request = payments.capture(&intent, Some(amount), key);
        let refused = |failure: &Failure| Command::CaptureRefused { code: failure.code.clone() };
        self.send_and_take(working, &open, payment, request, refused).await
    }

    pub(crate) async fn send_cancel(
        &self,
        working: &Working,
        payment: PaymentId,
        key: &str,
    ) -> Result<After, Error> {
        let state = self.payment(&working.effect.organization, payment).await?;
        let Some(intent) = state.intent.clone() else {
            return self.finish(working, "there is nothing to cancel at the gateway").await;
        };
        let open = self.connection(&state.connection)?;
        let (gateway, _) = open.gateway()?;
        let payments = gateway.payments().ok_or_else(|| open.problem("it takes no payments"))?;
        let request = payments.cancel(&intent, key);
        // A refused cancellation usually means that it was paid meanwhile: look, and take in what is true.
        let refused = |_: &Failure| Command::CaptureRefused { code: "cancel_refused".to_owned() };
        self.send_and_take(working, &open, payment, request, refused).await
    }

    /// Sends a call about an intent and takes in its answer; a refusal is recorded and the truth fetched.
    async fn send_and_take(
        &self,
        working: &Working,
        open: &Arc<Open>,
        payment: PaymentId,
        request: HttpRequest,
        refused: impl Fn(&Failure) -> Command,
    ) -> Result<After, Error> {
        let (gateway, _) = open.gateway()?;
        let payments = gateway.payments().ok_or_else(|| open.problem("it takes no payments"))?;
        let answer = self.call_leased(working, open, request).await;
        match calls::outcome(answer, |response| payments.read_payment(response)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => self.take_answer(working, open, seen, Source::Fetched).await,
            Ok(Outcome::Declined(failure)) => {
                let origin = self.origin(open, Source::Fetched, self.now());
                let order = self.order_by_gateway(open);
                self.command_payment(&working.effect.organization, order, payment, refused(&failure), origin)
                    .await?;
                let state = self.payment(&working.effect.organization, payment).await?;
                let what = state.intent.map(Fetch::Intent);
                match what {
                    Some(what) => self.fetch_and_apply(working, what).await,
                    None => self.finish(working, &failure.message).await,
                }
            }
            Ok(Outcome::NotSent(failure)) => {
                Ok(After::Failed { failure: again_unless_never(failure), job: None })
            }
            // The same key, or the same cancellation, may be sent again.
            Ok(Outcome::Unknown(failure)) => {
                Ok(After::Failed { failure: Failure { retry: Retry::Later, ..failure }, job: None })
            }
        }
    }

    pub(crate) async fn send_refund(&self, working: &Working, id: RefundId) -> Result<After, Error> {
        let (organization, stream) = (working.effect.organization.clone(), id.to_string());
        let found = self
            .0
            .store
            .read(move |tx| journal::load::<Refund>(tx, &organization, &stream).map_err(Error::from))
            .await?;
        let refund =
            found.map(|stream| stream.state).ok_or_else(|| Error::not_found("refund", &id.to_string()))?;
        match refund.status {
            refund::Status::Requested | refund::Status::Sent | refund::Status::Unknown => {}
            _ => return self.finish(working, "the refund was decided before this call").await,
        }
        let payment = self.payment(&working.effect.organization, refund.payment).await?;
        let open = self.connection(&payment.connection)?;
        let (gateway, _) = open.gateway()?;
        let refunds = gateway.refunds().ok_or_else(|| open.problem("it makes no refunds"))?;
        if refund.key_used_at().is_some_and(|sent_at| self.now().since(sent_at) > KEY_LIFETIME) {
            return self.look_up_refund(working, &open, &refund).await;
        }
        let request = refunds.create(&CreateRefund {
            idempotency_key: refund.key.clone(),
            charge: refund.charge.clone(),
            amount: refund.amount,
            refund_id: id.to_string(),
            reason: RefundReason::RequestedByCustomer,
        });
        if refund.status == refund::Status::Requested {
            self.move_refund(working, &open, id, refund::Status::Sent, None).await?;
        }
        let answer = self.call_leased(working, &open, request).await;
        match calls::outcome(answer, |response| refunds.read_refund(response)) {
            Err(at) => Ok(throttled(at)),
            Ok(Outcome::Done(seen)) => self.take_answer(working, &open, seen, Source::Fetched).await,
            Ok(Outcome::Declined(failure)) => self.refund_refused(working, &open, &refund, &failure).await,
            Ok(Outcome::NotSent(failure)) => {
                Ok(After::Failed { failure: again_unless_never(failure), job: None })
            }
            Ok(Outcome::Unknown(failure)) => {
                self.move_refund(working, &open, id, refund::Status::Unknown, Some(&failure.code)).await?;
                Ok(After::Failed { failure: Failure { retry: Retry::Later, ..failure }, job: None })
            }
        }
    }

    async fn move_refund(
        &self,
        working: &Working,
        open: &Open,
        id: RefundId,
        to: refund::Status,
        code: Option<&str>,
    ) -> Result<(), Error> {
        let order = crate::change::Order {
            organization: working.effect.organization.clone(),
            ..self.order_by_gateway(open)
        };
        let code = code.map(ToOwned::to_owned);
        self.apply(&id.to_string(), order, move |change| move_refund(change, id, to, code.as_deref())).await
    }

    /// The gateway has forgotten the key: what became of the refund is looked up, and taken in. One that the whole list of its
    /// charge lacks was never made; its amount is free again, and a person is told that the patient is still owed.
    async fn look_up_refund(
        &self,
        working: &Working,
        open: &Arc<Open>,
        refund: &Refund,
    ) -> Result<After, Error> {
        let (gateway, _) = open.gateway()?;
        let found = match self.fetch(open, gateway, &Fetch::RefundsOfCharge(refund.charge.clone())).await {
            Fetched::Found(found) => found,
            Fetched::Gone => {
                let error = "the charge of this refund does not exist at the gateway; look it up there";
                return Ok(After::Dead { error: error.to_owned() });
            }
            Fetched::Wait(at) => return Ok(throttled(at)),
            Fetched::Failed(failure) => {
                return Ok(After::Failed { failure: again_unless_never(failure), job: None });
            }
        };
        let token = refund.id.to_string();
        let is_ours = |piece: &Evidence| match piece {
            Evidence::Refund(seen) => seen.refund_id.as_ref() == Some(&token),
            _ => false,
        };
        if found.evidence.iter().any(is_ours) {
            let origin = self.origin(open, Source::Fetched, self.now());
            return self.take_in_and_finish(working, open, found, origin).await;
        }
        // Only a list that was read to its end, by a gateway that lists at all, proves an absence.
        if gateway.history().is_none() || found.evidence.len() >= REFUNDS_LISTED {
            let error = "the key of this refund is too old to be sent again, and the gateway does not list all refunds of \
                         its charge; look it up there";
            return Ok(After::Dead { error: error.to_owned() });
        }
        let failure = Failure::new(
            "not_found_at_gateway",
            "the key of this refund is too old to be sent again, and the gateway lists no such refund, so it was not made",
            Retry::Never,
        );
        self.refund_refused(working, open, refund, &failure).await
    }

    /// Takes a refusal in; a person must pay the patient another way, or ask again.
    async fn refund_refused(
        &self,
        working: &Working,
        open: &Open,
        refund: &Refund,
        failure: &Failure,
    ) -> Result<After, Error> {
        let error = format!("{} ({}); the patient is still owed this refund", failure.message, failure.code);
        self.fail_refund((working, &error), open, refund, failure).await?;
        self.tell_dead(working, &error);
        Ok(After::Finished)
    }

    /// The gateway refused: the amount is free to be refunded again, the refund says why, and a person is told, all at once.
    async fn fail_refund(
        &self,
        (working, told): (&Working, &str),
        open: &Open,
        refund: &Refund,
        failure: &Failure,
    ) -> Result<(), Error> {
        let order = crate::change::Order {
            organization: working.effect.organization.clone(),
            ..self.order_by_gateway(open)
        };
        let origin = self.origin(open, Source::Fetched, self.now());
        let (id, payment, code) = (refund.id, refund.payment, failure.code.clone());
        let (lease, told) = (working.lease.clone(), told.to_owned());
        self.apply(&payment.to_string(), order, move |change| {
            let mut loaded = change.load::<Payment>(&payment.to_string())?;
            let events = facts::decide(change, &mut loaded, &Command::ReleaseRefund { refund_id: id })?;
            facts::settle(change, &mut loaded, &events, &origin)?;
            move_refund(change, id, refund::Status::Failed, Some(&code))?;
            finish_dead(change, &lease, &told)
        })
        .await
    }

    fn keep_client_secret(&self, payment: PaymentId, seen: &Seen) {
        let (Some(secret), Ok(mut secrets)) = (&seen.client_secret, self.0.client_secrets.lock()) else {
            return;
        };
        // Nobody fetched the oldest in time; a caller can ask the gateway for it again.
        while secrets.len() >= 1000 {
            secrets.pop_first();
        }
        secrets.insert(payment.to_string(), secret.clone());
    }
}

/// Asks for the browser's secret of the intent that is there, so that the payer may go on with it in another window.
pub(crate) fn plan_show(change: &mut Change<'_, '_>, state: &Payment) -> Result<String, Error> {
    let effect = format!("{}/show/{}", state.id, change.order.now.millis());
    let job = Job::ShowIntent { payment: state.id };
    let (connection, now) = (&state.connection, change.order.now);
    change.effect_once(gateway_effect(effect.clone(), &job, state.id, connection, now))?;
    Ok(effect)
}

fn move_refund(
    change: &mut Change<'_, '_>,
    id: RefundId,
    to: refund::Status,
    code: Option<&str>,
) -> Result<(), Error> {
    let mut loaded = change.load::<Refund>(&id.to_string())?;
    let Some(refund) = loaded.state.clone() else { return Ok(()) };
    let event = match to {
        refund::Status::Sent => refund::send(&refund, change.order.now),
        _ => refund::move_to(&refund, to, None, code),
    };
    if let Some(event) = event {
        loaded.record(&event)?;
    }
    let care = suture_core::explain::Care { payment: Some(refund.payment.to_string()), ..Default::default() };
    change.save(&mut loaded, &care)
}

/// A refusal without an intent, in the words of an attempt's error.
fn payment_error(failure: &Failure) -> PaymentError {
    PaymentError {
        code: failure.code.clone(),
        decline_code: None,
        advice: DeclineAdvice::FixMethod,
        message: failure.message.clone(),
        raw: failure.raw.clone().unwrap_or(serde_json::Value::Null),
    }
}

/// A call that was proven not to have happened waits for the connection to be mended, even when nothing will change by
/// itself: money that was asked for is never dropped silently.
fn again_unless_never(failure: Failure) -> Failure {
    match failure.retry {
        Retry::Never => Failure { retry: Retry::Throttled(Some(Duration::from_secs(60))), ..failure },
        _ => failure,
    }
}
