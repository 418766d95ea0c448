//! One attempt to pay: challenge, decision of the issuer, charge, and what follows (FACTS §b, §c, §h).
//!
//! What must stay true: an intent has at most one approved charge, and every charge made here, approved or not, is
//! told by an event.

use super::card::{self, Afterwards, Challenge, Decline, Verdict};
use super::charge::{Charge, Outcome};
use super::movement::Motion;
use super::object::{Answer, Snapshot};
use super::payment_intent::{CaptureMethod, PaymentIntent, Status, belongs, client_secret, unexpected};
use super::payment_method::PaymentMethod;
use super::random::derived;
use super::refusal::{Kind, Refusal};
use super::schema::Params;
use super::timer::Due;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// How a confirmation was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Confirmation {
    pub(crate) payment_method: Option<String>,
    pub(crate) off_session: bool,
    pub(crate) error_on_requires_action: bool,
    pub(crate) return_url: Option<String>,
    pub(crate) wants_challenge: bool,
}

impl Confirmation {
    /// Reads the parameters of create or confirm.
    pub(crate) fn of(params: &Params) -> Self {
        let off_session = params.flag("off_session") || params.text("off_session").is_some();
        let secure = params.text_at(&["payment_method_options", "card", "request_three_d_secure"]);
        Self {
            payment_method: params.text("payment_method").map(str::to_owned),
            off_session,
            error_on_requires_action: params.flag("error_on_requires_action"),
            return_url: params.text("return_url").map(str::to_owned),
            wants_challenge: matches!(secure, Some("any" | "challenge")),
        }
    }
}

/// What the issuer wants before it decides.
#[derive(Debug, PartialEq, Eq)]
enum Gate {
    Open,
    Ask,
    Refuse(&'static Decline),
}

fn gate(method: &PaymentMethod, asked: &Confirmation, now: i64) -> Gate {
    if let Some(decline) = method.refused_now(now) {
        return Gate::Refuse(decline);
    }
    let challenge = match (method.card.challenge, asked.off_session) {
        (Challenge::Never, _) | (Challenge::OnSessionOnly, true) => return Gate::Open,
        (Challenge::UnlessSetUp, true) if method.off_session => return Gate::Open,
        (Challenge::FailsOnRequest, _) if asked.wants_challenge => return Gate::Refuse(&card::GENERIC),
        (Challenge::OnRequest | Challenge::FailsOnRequest, _) if !asked.wants_challenge => return Gate::Open,
        (_, off_session) => !off_session && !asked.error_on_requires_action,
    };
    if challenge { Gate::Ask } else { Gate::Refuse(&card::AUTHENTICATION) }
}

impl StripeWorld {
    /// `POST /v1/payment_intents/{id}/confirm`
    pub(crate) fn confirm_payment_intent(&mut self, id: &str, params: &Params) -> Answer {
        let intent = self.payment_intent(id)?;
        if !intent.status.open() {
            return Err(not_confirmable(&intent));
        }
        self.payment_intents.change(id, |intent| {
            let named = ["payment_method_options", "receipt_email", "setup_future_usage", "shipping"];
            intent.echo = intent.echo.clone().with(params, &named);
            if let Some(text) = params.text("capture_method") {
                intent.capture_method = CaptureMethod::parse(text);
            }
        });
        self.confirm(id, &Confirmation::of(params))
    }

    /// Tries to pay an open intent.
    pub(crate) fn confirm(&mut self, id: &str, asked: &Confirmation) -> Answer {
        let intent = self.payment_intent(id)?;
        if !intent.status.open() {
            return Err(not_confirmable(&intent));
        }
        let Some(token) = asked.payment_method.as_deref().or(intent.payment_method.as_deref()) else {
            return Err(unexpected(
                &intent,
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update \
                 the PaymentIntent with a payment method and then confirm it again, or confirm it again directly \
                 with a payment method or ConfirmationToken."
                    .to_owned(),
            ));
        };
        let method = self.usable_payment_method(token, "payment_method")?;
        belongs(method.customer.as_deref(), intent.customer.as_deref())?;
        self.payment_intents.change(id, |intent| intent.payment_method = Some(Arc::clone(&method.id)));
        match gate(&method, asked, self.now_seconds()) {
            Gate::Open => self.decide(id, &method, asked.off_session, false),
            Gate::Refuse(decline) => self.fail_payment(id, &method, Outcome::Declined(decline)),
            Gate::Ask => self.ask_holder(id, asked),
        }
    }

    fn ask_holder(&mut self, id: &str, asked: &Confirmation) -> Answer {
        let action = next_action(id, asked.return_url.as_deref());
        let row = self.payment_intents.change(id, |intent| {
            intent.status = Status::RequiresAction;
            intent.next_action = Some(Arc::new(action));
        });
        let Some(row) = row else { return Err(Refusal::missing("payment_intent", id, "intent")) };
        self.emit("payment_intent.requires_action", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        Ok(Snapshot::PaymentIntent(row))
    }

    /// The issuer decides.
    fn decide(&mut self, id: &str, method: &PaymentMethod, off_session: bool, authenticated: bool) -> Answer {
        match method.card.verdict {
            Verdict::Approve => self.approve(id, method, off_session, authenticated),
            Verdict::Decline(decline) | Verdict::DeclineCharges(decline) => {
                self.fail_payment(id, method, Outcome::Declined(decline))
            }
            Verdict::Block(decline) => self.fail_payment(id, method, Outcome::Blocked(decline)),
        }
    }

    fn approve(
        &mut self,
        id: &str,
        method: &PaymentMethod,
        off_session: bool,
        authenticated: bool,
    ) -> Answer {
        let intent = self.payment_intent(id)?;
        let manual = intent.manual();
        let mut charge = self.new_charge(&intent, method, Outcome::Approved);
        charge.three_d_secure = authenticated;
        charge.captured = !manual;
        if manual {
            // FACTS §c.6: 7 days, or 4 days 18 hours for Visa without the holder.
            let seconds = if off_session && method.card.brand == "visa" { 410_400 } else { 604_800 };
            charge.capture_before = Some(charge.created + seconds);
        } else {
            charge.amount_captured = charge.amount;
        }
        let charge = self.keep_charge(charge);
        self.use_card(&intent, method);
        if manual { self.authorized(&intent, &charge) } else { self.paid(&intent, &charge) }
    }

    fn authorized(&mut self, intent: &PaymentIntent, charge: &Charge) -> Answer {
        let row = self.conclude(&intent.id, Status::RequiresCapture, charge, |intent| {
            intent.amount_capturable = intent.amount;
        })?;
        if let Some(second) = charge.capture_before {
            self.schedule_seconds(second, Due::Lapse(Arc::clone(&intent.id)));
        }
        self.record(Motion::Authorization, charge.amount, charge, None);
        self.emit(
            "payment_intent.amount_capturable_updated",
            Snapshot::PaymentIntent(Arc::clone(&row)),
            None,
        );
        self.emit_charge("charge.succeeded", &charge.id);
        Ok(Snapshot::PaymentIntent(row))
    }

    fn paid(&mut self, intent: &PaymentIntent, charge: &Charge) -> Answer {
        let row = self.conclude(&intent.id, Status::Succeeded, charge, |intent| {
            intent.amount_received = intent.amount;
        })?;
        if intent.capture_method == CaptureMethod::AutomaticAsync {
            self.schedule_in(1, Due::Settle(Arc::clone(&charge.id)));
        } else {
            self.settle_charge(&charge.id);
        }
        self.record(Motion::Charge, charge.amount, charge, None);
        self.emit("payment_intent.succeeded", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        self.emit_charge("charge.succeeded", &charge.id);
        self.after_payment(&charge.id);
        self.intent_paid(&row);
        Ok(Snapshot::PaymentIntent(row))
    }

    fn conclude(
        &mut self,
        id: &str,
        status: Status,
        charge: &Charge,
        amounts: impl FnOnce(&mut PaymentIntent),
    ) -> Result<Arc<PaymentIntent>, Box<Refusal>> {
        self.payment_intents
            .change(id, |intent| {
                intent.status = status;
                intent.latest_charge = Some(Arc::clone(&charge.id));
                intent.next_action = None;
                intent.last_payment_error = None;
                amounts(intent);
            })
            .ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))
    }

    /// Schedules what the test card does once its money was taken.
    pub(crate) fn after_payment(&mut self, charge: &str) {
        let Some(charge) = self.charges.get(charge).map(Arc::clone) else { return };
        let dispute = |reason, inquiry| Due::Dispute { charge: Arc::clone(&charge.id), reason, inquiry };
        match charge.card.afterwards {
            Afterwards::Dispute(reason) => self.schedule_in(2, dispute(reason, false)),
            Afterwards::Inquiry => self.schedule_in(2, dispute("general", true)),
            Afterwards::Disputes => {
                self.schedule_in(2, dispute("fraudulent", false));
                self.schedule_in(4, dispute("fraudulent", false));
            }
            Afterwards::FraudWarning => self.schedule_in(2, Due::FraudWarning(Arc::clone(&charge.id))),
            Afterwards::Quiet
            | Afterwards::PendingRefund
            | Afterwards::FailingRefund
            | Afterwards::AtOnce => {}
        }
    }

    /// Saves the card when asked to; a card without a customer is used up.
    fn use_card(&mut self, intent: &PaymentIntent, method: &PaymentMethod) {
        match &intent.customer {
            Some(customer) if intent.keeps_card() => {
                let off_session =
                    intent.echo.get("setup_future_usage").and_then(Value::as_str) == Some("off_session");
                // The customer is known and the card is not somebody else's: both were checked before.
                let attached = self.attach(method, customer, off_session);
                debug_assert!(attached.is_ok(), "checked by belongs and named_customer");
            }
            _ if method.customer.is_none() => {
                self.payment_methods.change(&method.id, |method| method.spent = true);
            }
            _ => {}
        }
    }

    fn new_charge(&mut self, intent: &PaymentIntent, method: &PaymentMethod, outcome: Outcome) -> Charge {
        Charge {
            id: self.random.id("ch_"),
            created: self.now_seconds(),
            amount: intent.amount,
            amount_captured: 0,
            amount_refunded: 0,
            amount_released: 0,
            currency: intent.currency,
            payment_intent: Arc::clone(&intent.id),
            customer: intent.customer.clone(),
            payment_method: Arc::clone(&method.id),
            card: method.card,
            face: Arc::clone(&method.face),
            incremental: intent.asks_for_increments(),
            site: Arc::clone(&self.site),
            outcome,
            captured: false,
            disputed: false,
            charged_back: false,
            capture_before: None,
            balance_transaction: None,
            metadata: Arc::clone(&intent.metadata),
            description: intent.description.clone(),
            three_d_secure: false,
        }
    }

    fn keep_charge(&mut self, charge: Charge) -> Arc<Charge> {
        let intent = Arc::clone(&charge.payment_intent);
        let customer = charge.customer.clone();
        let mut tags = vec![("payment_intent", &*intent)];
        if let Some(customer) = &customer {
            tags.push(("customer", &**customer));
        }
        self.charges.insert(charge, &tags)
    }

    /// The payment is refused: back to `requires_payment_method`, 402 with the whole intent.
    fn fail_payment(&mut self, id: &str, method: &PaymentMethod, outcome: Outcome) -> Answer {
        let intent = self.payment_intent(id)?;
        let charge = self.new_charge(&intent, method, outcome);
        let charge = self.keep_charge(charge);
        let (Outcome::Declined(decline) | Outcome::Blocked(decline)) = outcome else {
            return Err(Refusal::new(500, Kind::Api, "An approved payment cannot fail."));
        };
        let refusal = decline
            .refusal()
            .field("charge", json!(*charge.id))
            .field("payment_method", method.render())
            .field("payment_method_type", json!("card"));
        let row = self.back_to_start(id, refusal.error(), Some(&charge))?;
        self.emit("payment_intent.payment_failed", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        self.emit_charge("charge.failed", &charge.id);
        Err(refusal.field("payment_intent", row.render()))
    }

    fn back_to_start(
        &mut self,
        id: &str,
        error: Value,
        charge: Option<&Charge>,
    ) -> Result<Arc<PaymentIntent>, Box<Refusal>> {
        self.payment_intents
            .change(id, |intent| {
                intent.status = Status::RequiresPaymentMethod;
                intent.payment_method = None;
                intent.next_action = None;
                intent.last_payment_error = Some(Arc::new(error));
                if let Some(charge) = charge {
                    intent.latest_charge = Some(Arc::clone(&charge.id));
                }
            })
            .ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))
    }

    /// The holder passed or failed the challenge in the browser. Called by the control API.
    ///
    /// # Errors
    /// The refusal that the browser would see, also when the intent waits for nothing.
    pub(crate) fn finish_challenge(&mut self, id: &str, passed: bool) -> Answer {
        let intent = self.payment_intent(id)?;
        let method =
            intent.payment_method.as_deref().and_then(|id| self.payment_methods.get(id)).map(Arc::clone);
        let (Status::RequiresAction, Some(method)) = (intent.status, method) else {
            return Err(unexpected(
                &intent,
                "This PaymentIntent does not wait for the card holder.".to_owned(),
            ));
        };
        if passed {
            return self.decide(id, &method, false, true);
        }
        let refusal = Refusal::state(
            "payment_intent_authentication_failure",
            "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        )
        .field("payment_method", method.render())
        .field("payment_method_type", json!("card"));
        let row = self.back_to_start(id, refusal.error(), None)?;
        self.emit("payment_intent.payment_failed", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        Ok(Snapshot::PaymentIntent(row))
    }
}

/// What the browser has to do: a redirect when there is a way back, Stripe.js otherwise (FACTS §c.7).
pub(crate) fn next_action(id: &str, return_url: Option<&str>) -> Value {
    let source = format!("src_{}", derived(id, 24));
    match return_url {
        Some(url) => json!({
            "type": "redirect_to_url",
            "redirect_to_url": {
                "return_url": url,
                "url": format!("https://hooks.stripe.com/3d_secure_2/hosted?merchant=acct_sandbox&source={source}"),
            },
        }),
        None => json!({
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {
                "type": "three_d_secure_redirect", "three_d_secure_2_source": source,
                "stripe_js": format!("https://hooks.stripe.com/redirect/{}", derived(&client_secret(id), 24)),
            },
        }),
    }
}

fn not_confirmable(intent: &PaymentIntent) -> Box<Refusal> {
    let message = if intent.status == Status::Succeeded {
        "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
            .to_owned()
    } else {
        format!(
            "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of \
             the following statuses may be confirmed: requires_confirmation, requires_action.",
            intent.status.text()
        )
    };
    unexpected(intent, message)
}
