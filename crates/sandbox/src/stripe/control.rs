//! The control verbs of the Stripe world: faults, and everything that people and banks do at Stripe without us.
//!
//! Called by `server` for `POST /control/stripe/<verb>` and by simulators. Errors are sentences for the caller.

use super::attempt::Confirmation;
use super::card;
use super::currency;
use super::knob::{Loss, Target, per_million};
use super::object::{Answer, Echo, Metadata, merge_metadata};
use super::payment_intent::{CaptureMethod, PaymentIntent, Status};
use super::random::Id;
use super::refusal::{Kind, Refusal};
use super::schema::Params;
use super::table::{Row, Table};
use super::world::{StripeOptions, StripeWorld};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) type Controlled = Result<Value, String>;

impl StripeWorld {
    /// Carries out a control verb.
    ///
    /// # Errors
    /// A sentence that says what was not done and why.
    pub fn control(&mut self, now_ms: i64, verb: &str, body: &Value) -> Controlled {
        self.advance(now_ms);
        self.asked_by = None;
        match verb {
            "webhooks" => self.turn_webhooks(body),
            "lose_answers" => self.turn_loss(body),
            "refuse" => self.turn_refusal(body),
            "storm" => self.turn_storm(body),
            "latency" => {
                self.knobs.latency_ms = body["milliseconds"].as_u64().unwrap_or(0);
                Ok(json!({ "milliseconds": self.knobs.latency_ms }))
            }
            "rotate_secret" => {
                let seconds = body["old_valid_seconds"].as_i64().unwrap_or(86_400);
                Ok(json!({ "secret": self.roll_secret(body["secret"].as_str(), seconds) }))
            }
            "card" | "replace_card" | "remove_card" => self.control_card(verb, body),
            "refunds" => self.turn_refunds(body),
            "lapse_reason" => self.turn_lapse_reason(body),
            "pay_hosted" => self.pay_hosted(body),
            "complete_3ds" => self.complete_challenge(body),
            "browser_setup" => self.browser_setup(body),
            "browser_confirm" => self.browser_confirm(body),
            "external_payment" => self.external_payment(body),
            "external_refund" => self.external_refund(body),
            "dispute" => self.control_dispute(body),
            "win" => self.control_dispute_end(body, true),
            "lose" => self.control_dispute_end(body, false),
            "payout" | "payout_paid" | "payout_failed" => self.control_payout(verb, body),
            "balance_line" => self.control_balance_line(body),
            "exchange" => self.control_exchange(body),
            "connected_account" => self.control_connected_account(body),
            "movements" => Ok(json!({ "movements": self.render_movements() })),
            "state" => Ok(self.state(body)),
            "reset" => {
                let seed = body["seed"].as_u64().unwrap_or(self.options.seed);
                let site = Arc::clone(&self.site);
                *self = Self::new(StripeOptions { seed, ..self.options.clone() });
                self.site = site;
                self.advance(now_ms);
                Ok(json!({ "seed": seed }))
            }
            unknown => Err(format!("There is no control verb {unknown}: nothing was changed.")),
        }
    }

    fn turn_webhooks(&mut self, body: &Value) -> Controlled {
        let faults = &mut self.knobs.webhooks;
        faults.duplicate_per_million = per_million(body.get("duplicate_probability"))?;
        faults.extra_copies = body["extra_copies"].as_u64().unwrap_or(0);
        faults.drop_per_million = per_million(body.get("drop_probability"))?;
        faults.drop_all = body["drop_all"].as_bool().unwrap_or(false);
        faults.reorder_ms = body["reorder_ms"].as_u64().unwrap_or(0);
        faults.delay_ms = body["delay_ms"].as_i64().unwrap_or(0);
        Ok(json!({
            "duplicate_per_million": faults.duplicate_per_million, "extra_copies": faults.extra_copies,
            "drop_per_million": faults.drop_per_million, "drop_all": faults.drop_all,
            "reorder_ms": faults.reorder_ms, "delay_ms": faults.delay_ms,
        }))
    }

    fn turn_loss(&mut self, body: &Value) -> Controlled {
        self.knobs.loss = match body["mode"].as_str().unwrap_or("cut") {
            "cut" => Loss::Cut,
            "empty_500" => Loss::Empty,
            "kept_500" => Loss::Kept,
            mode => return Err(format!("There is no mode {mode}: give cut, empty_500 or kept_500.")),
        };
        self.knobs.lose = target(body)?;
        Ok(json!({ "next": self.knobs.lose.next }))
    }

    fn turn_refusal(&mut self, body: &Value) -> Controlled {
        let status = body["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(503);
        if !(400..600).contains(&status) {
            return Err(format!("{status} is no refusal: give a status from 400 to 599."));
        }
        self.knobs.refuse_status = status;
        self.knobs.refuse = target(body)?;
        Ok(json!({ "next": self.knobs.refuse.next, "status": status }))
    }

    fn turn_storm(&mut self, body: &Value) -> Controlled {
        self.knobs.storm_calls = body["calls"].as_u64().unwrap_or(0);
        let seconds = body["seconds"].as_i64().unwrap_or(0);
        self.knobs.storm_until_ms = self.now_ms.saturating_add(seconds.saturating_mul(1000));
        Ok(json!({ "calls": self.knobs.storm_calls, "until_ms": self.knobs.storm_until_ms }))
    }

    /// `{payment_intent | setup_intent, outcome: success | fail}`
    fn complete_challenge(&mut self, body: &Value) -> Controlled {
        let passed = body["outcome"].as_str().unwrap_or("success") == "success";
        let answer = match (body["payment_intent"].as_str(), body["setup_intent"].as_str()) {
            (Some(id), _) => self.finish_challenge(id, passed),
            (None, Some(id)) => self.finish_setup_challenge(id, passed),
            (None, None) => {
                return Err("Name a payment_intent or a setup_intent: nothing was changed.".to_owned());
            }
        };
        self.shown(answer)
    }

    /// The patient types a card in the browser: `{payment_intent, number | payment_method, exp_month, exp_year, cvc}`.
    pub(super) fn browser_confirm(&mut self, body: &Value) -> Controlled {
        let id =
            body["payment_intent"].as_str().ok_or("Name a payment_intent: nothing was paid.")?.to_owned();
        let card = match (body["number"].as_str(), body["payment_method"].as_str()) {
            (Some(number), _) => card::by_number(number),
            (None, token) => card::by_token(token.unwrap_or("pm_card_visa")),
        };
        if let Some(refusal) = mistyped(card.is_some(), body, self.now_seconds()) {
            return Ok(json!({ "error": refusal.error() }));
        }
        let Some(card) = card else { return Err("There is no such test card: nothing was paid.".to_owned()) };
        let method = self.typed_card(card, body);
        let asked = Confirmation { payment_method: Some(method.id.to_string()), ..Confirmation::default() };
        let answer = self.confirm(&id, &asked);
        self.shown(answer)
    }

    /// The payer stores a card in the browser: `{setup_intent, number | payment_method, exp_month, exp_year}`.
    fn browser_setup(&mut self, body: &Value) -> Controlled {
        let id = body["setup_intent"].as_str().ok_or("Name a setup_intent: nothing was stored.")?.to_owned();
        let card = match (body["number"].as_str(), body["payment_method"].as_str()) {
            (Some(number), _) => card::by_number(number),
            (None, token) => card::by_token(token.unwrap_or("pm_card_visa")),
        };
        if let Some(refusal) = mistyped(card.is_some(), body, self.now_seconds()) {
            return Ok(json!({ "error": refusal.error() }));
        }
        let Some(card) = card else {
            return Err("There is no such test card: nothing was stored.".to_owned());
        };
        let method = self.typed_card(card, body);
        let answer = self.store_in_browser(&id, method.id.as_ref());
        self.shown(answer)
    }

    /// A payment that was made at Stripe without us: `{amount, currency, metadata, payment_method}`.
    fn external_payment(&mut self, body: &Value) -> Controlled {
        let amount = body["amount"].as_i64().ok_or("Give an amount in minor units: nothing was paid.")?;
        let currency = currency::parse(body["currency"].as_str().unwrap_or("usd")).map_err(spoken)?;
        currency::check_amount(amount, currency).map_err(spoken)?;
        let token = body["payment_method"].as_str().unwrap_or("pm_card_visa");
        let card = card::by_token(token)
            .ok_or_else(|| format!("There is no test card {token}: nothing was paid."))?;
        let method = self.new_card(card);
        let intent = PaymentIntent {
            id: self.random.id("pi_"),
            created: self.now_seconds(),
            amount,
            amount_capturable: 0,
            amount_received: 0,
            currency,
            status: Status::RequiresConfirmation,
            capture_method: CaptureMethod::Automatic,
            customer: None,
            payment_method: Some(Arc::clone(&method.id)),
            latest_charge: None,
            canceled_at: None,
            cancellation_reason: None,
            next_action: None,
            last_payment_error: None,
            description: body["description"].as_str().map(Arc::from),
            metadata: merge_metadata(&Metadata::default(), body.get("metadata")),
            echo: Echo::default(),
            increments: 0,
            external: true,
        };
        let row = self.keep_payment_intent(intent);
        let answer = self.confirm(&row.id, &Confirmation::default());
        self.shown(answer)
    }

    /// A refund that was made at Stripe without us: `{charge | payment_intent, amount, reason}`.
    fn external_refund(&mut self, body: &Value) -> Controlled {
        let mut params = Map::new();
        for name in ["charge", "payment_intent", "amount", "reason", "metadata"] {
            if let Some(value) = body.get(name) {
                params.insert(name.to_owned(), value.clone());
            }
        }
        let answer = self.create_refund(&Params(params));
        self.shown(answer)
    }

    /// `{charge | payment_intent, reason, inquiry, amount}`
    fn control_dispute(&mut self, body: &Value) -> Controlled {
        let charge =
            self.charge_named(body).ok_or("Name a known charge or payment_intent: nothing was disputed.")?;
        let reason = body["reason"].as_str().unwrap_or("fraudulent");
        let inquiry = body["inquiry"].as_bool().unwrap_or(false);
        let row = self.open_dispute(&charge, reason, inquiry, body["amount"].as_i64()).ok_or_else(|| {
            format!("Charge {charge} has no captured money to dispute: nothing was disputed.")
        })?;
        Ok(row.render(self.now_seconds()))
    }

    fn charge_named(&self, body: &Value) -> Option<Id> {
        if let Some(id) = body["charge"].as_str() {
            return self.charges.get(id).map(|charge| Arc::clone(&charge.id));
        }
        self.payment_intents.get(body["payment_intent"].as_str()?)?.latest_charge.clone()
    }

    fn control_dispute_end(&mut self, body: &Value, won: bool) -> Controlled {
        let id = body["dispute"].as_str().ok_or("Name a dispute: nothing was changed.")?;
        let row = self
            .end_dispute(id, won)
            .ok_or_else(|| format!("Dispute {id} is unknown or has ended: nothing was changed."))?;
        Ok(row.render(self.now_seconds()))
    }

    fn control_payout(&mut self, verb: &str, body: &Value) -> Controlled {
        if verb == "payout" {
            let currency = currency::parse(body["currency"].as_str().unwrap_or("usd")).map_err(spoken)?;
            let may_be_negative = body["may_be_negative"].as_bool().unwrap_or(false);
            return self.create_payout(currency, may_be_negative).map(|row| row.render());
        }
        let id = body["payout"].as_str().ok_or("Name a payout: nothing was changed.")?;
        let row = if verb == "payout_paid" { self.pay_payout(id) } else { self.fail_payout(id) };
        row.map(|row| row.render())
            .ok_or_else(|| format!("Payout {id} is unknown or has ended: nothing was changed."))
    }

    pub(super) fn shown(&self, answer: Answer) -> Controlled {
        match answer {
            Ok(snapshot) => Ok(snapshot.render(self)),
            Err(refusal) => Ok(json!({ "error": refusal.error() })),
        }
    }

    /// All objects, calls and movements; `{only: ["payment_intents", …]}` limits it.
    fn state(&self, body: &Value) -> Value {
        let wanted = |name: &str| match body["only"].as_array() {
            Some(only) => only.iter().any(|known| known.as_str() == Some(name)),
            None => true,
        };
        let now = self.now_seconds();
        let mut state = Map::new();
        let mut add = |name: &str, rows: &dyn Fn() -> Value| {
            if wanted(name) {
                state.insert(name.to_owned(), rows());
            }
        };
        add("now_ms", &|| json!(self.now_ms));
        add("calls", &|| json!(self.calls));
        add("balance", &|| self.show_balance());
        add("movements", &|| json!(self.render_movements()));
        add("balance_transactions", &|| all(&self.balance_transactions, |row| row.render(now)));
        add("charges", &|| all(&self.charges, |row| row.render()));
        add("connected_accounts", &|| all(&self.connected_accounts, |row| row.render()));
        add("credit_notes", &|| all(&self.credit_notes, |row| row.render()));
        add("customer_balance_transactions", &|| {
            all(&self.customer_balance_transactions, |row| row.render())
        });
        add("customers", &|| all(&self.customers, |row| row.render()));
        add("disputes", &|| all(&self.disputes, |row| row.render(now)));
        add("events", &|| all(&self.events, |row| row.render(self, super::world::API_VERSION)));
        add("invoice_items", &|| all(&self.invoice_items, |row| row.render()));
        add("invoice_payments", &|| all(&self.invoice_payments, |row| row.render()));
        add("invoices", &|| all(&self.invoices, |row| row.render(self)));
        add("payment_intents", &|| all(&self.payment_intents, |row| row.render()));
        add("payment_methods", &|| all(&self.payment_methods, |row| row.render()));
        add("payouts", &|| all(&self.payouts, |row| row.render()));
        add("refunds", &|| all(&self.refunds, |row| row.render()));
        add("setup_intents", &|| all(&self.setup_intents, |row| row.render()));
        add("transfers", &|| all(&self.transfers, |row| row.render(self)));
        add("transfer_reversals", &|| all(&self.transfer_reversals, |row| row.render()));
        add("webhook_endpoints", &|| all(&self.webhook_endpoints, |row| row.render(None)));
        add("deliveries_waiting", &|| json!(self.waiting.len()));
        Value::Object(state)
    }
}

fn all<T: Row>(table: &Table<T>, show: impl Fn(&T) -> Value) -> Value {
    table.iter().map(|row| show(row)).collect()
}

/// What Stripe.js refuses about a typed card (FACTS §h, the row without a token).
fn mistyped(known: bool, body: &Value, now: i64) -> Option<Box<Refusal>> {
    let refuse = |code: &str, message: &str, param: &str| {
        Some(Refusal::new(402, Kind::Card, message).code(code).param(param).after_start())
    };
    if !known {
        return refuse("incorrect_number", "Your card number is incorrect.", "number");
    }
    if body["exp_month"].as_i64().is_some_and(|month| !(1..=12).contains(&month)) {
        return refuse("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month");
    }
    // A year has 31,556,952 seconds on average: near enough to tell last year from this one.
    if body["exp_year"].as_i64().is_some_and(|year| year < 1970 + now / 31_556_952) {
        return refuse("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year");
    }
    if body["cvc"].as_str().is_some_and(|cvc| !(3..=4).contains(&cvc.len())) {
        return refuse("invalid_cvc", "Your card's security code is invalid.", "cvc");
    }
    None
}

fn target(body: &Value) -> Result<Target, String> {
    Ok(Target {
        next: body["next"].as_u64().unwrap_or(0),
        per_million: per_million(body.get("probability"))?,
        only: body["only"].as_str().map(str::to_owned),
    })
}

#[expect(
    clippy::boxed_local,
    clippy::needless_pass_by_value,
    reason = "made for map_err, which gives the box"
)]
fn spoken(refusal: Box<Refusal>) -> String {
    refusal.error()["message"].as_str().unwrap_or_default().to_owned()
}
