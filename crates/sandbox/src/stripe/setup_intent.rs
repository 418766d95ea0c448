//! Setup intents: saving a card for later without taking money (FACTS §b, §c.1).

use super::attempt::next_action;
use super::card::{Challenge, Verdict};
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::payment_intent::{belongs, client_secret};
use super::payment_method::PaymentMethod;
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where a setup intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Succeeded,
    Canceled,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// A setup intent.
#[derive(Debug, Clone)]
pub(crate) struct SetupIntent {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) status: Status,
    pub(crate) customer: Option<Id>,
    pub(crate) payment_method: Option<Id>,
    /// True for `usage=off_session`, the default.
    pub(crate) off_session: bool,
    pub(crate) cancellation_reason: Option<Arc<str>>,
    pub(crate) next_action: Option<Arc<Value>>,
    pub(crate) last_setup_error: Option<Arc<Value>>,
    pub(crate) metadata: Metadata,
    pub(crate) echo: Echo,
}

impl Row for SetupIntent {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl SetupIntent {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let mut shown = json!({
            "id": *self.id, "object": "setup_intent", "application": null,
            "automatic_payment_methods": { "allow_redirects": "always", "enabled": true },
            "cancellation_reason": self.cancellation_reason.as_deref(), "client_secret": client_secret(&self.id),
            "created": self.created, "customer": self.customer.as_deref(), "description": null,
            "flow_directions": null, "last_setup_error": self.last_setup_error.as_deref(), "latest_attempt": null,
            "livemode": false, "mandate": null, "metadata": *self.metadata,
            "next_action": self.next_action.as_deref(), "on_behalf_of": null,
            "payment_method": self.payment_method.as_deref(), "payment_method_configuration_details": null,
            "payment_method_options": { "card": {
                "mandate_options": null, "network": null, "request_three_d_secure": "automatic"
            } },
            "payment_method_types": ["card"], "single_use_mandate": null, "status": self.status.text(),
            "usage": if self.off_session { "off_session" } else { "on_session" },
        });
        self.echo.lay_over(&mut shown);
        shown
    }
}

const ECHOED: [&str; 4] =
    ["allowed_payment_method_types", "automatic_payment_methods", "description", "payment_method_options"];

impl StripeWorld {
    /// `POST /v1/setup_intents`
    pub(crate) fn create_setup_intent(&mut self, params: &Params) -> Answer {
        let customer = match params.text("customer") {
            Some(id) => match self.customers.get(id) {
                Some(customer) => Some(Arc::clone(&customer.id)),
                None => return Err(Refusal::missing_reference("customer", id, "customer")),
            },
            None => None,
        };
        let method = match params.text("payment_method") {
            Some(token) => Some(self.usable_payment_method(token, "payment_method")?),
            None => None,
        };
        if let Some(method) = &method {
            belongs(method.customer.as_deref(), customer.as_deref())?;
        }
        let intent = SetupIntent {
            id: self.random.id("seti_"),
            created: self.now_seconds(),
            status: if method.is_some() {
                Status::RequiresConfirmation
            } else {
                Status::RequiresPaymentMethod
            },
            customer,
            payment_method: method.map(|method| Arc::clone(&method.id)),
            off_session: params.text("usage") != Some("on_session"),
            cancellation_reason: None,
            next_action: None,
            last_setup_error: None,
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
            echo: Echo::default().with(params, &ECHOED),
        };
        let row = self.setup_intents.insert(intent, &[]);
        self.emit("setup_intent.created", Snapshot::SetupIntent(Arc::clone(&row)), None);
        if params.flag("confirm") {
            self.set_up(&row.id, None, params)
        } else {
            Ok(Snapshot::SetupIntent(row))
        }
    }

    /// `POST /v1/setup_intents/{id}/confirm`
    pub(crate) fn confirm_setup_intent(&mut self, id: &str, params: &Params) -> Answer {
        self.set_up(id, params.text("payment_method"), params)
    }

    /// What Stripe.js does with the browser's secret.
    pub(crate) fn store_in_browser(&mut self, id: &str, method: &str) -> Answer {
        self.set_up(id, Some(method), &Params::default())
    }

    fn set_up(&mut self, id: &str, token: Option<&str>, params: &Params) -> Answer {
        let intent = self.setup_intent(id)?;
        if matches!(intent.status, Status::Succeeded | Status::Canceled) {
            return Err(unexpected(&intent, "confirm"));
        }
        let Some(token) = token.or(intent.payment_method.as_deref()) else {
            return Err(unexpected(&intent, "confirm without a payment method"));
        };
        let method = self.usable_payment_method(token, "payment_method")?;
        belongs(method.customer.as_deref(), intent.customer.as_deref())?;
        self.setup_intents.change(id, |intent| intent.payment_method = Some(Arc::clone(&method.id)));
        if let Verdict::Decline(decline) | Verdict::Block(decline) = method.card.verdict {
            return self.fail_setup(id, &method, decline.refusal());
        }
        if let Some(decline) = method.refused_now(self.now_seconds()) {
            return self.fail_setup(id, &method, decline.refusal());
        }
        match method.card.challenge {
            Challenge::UnlessSetUp | Challenge::Always => {
                let action = next_action(id, params.text("return_url"));
                let row = self.setup_intents.change(id, |intent| {
                    intent.status = Status::RequiresAction;
                    intent.next_action = Some(Arc::new(action));
                });
                let Some(row) = row else { return Err(missing(id)) };
                self.emit("setup_intent.requires_action", Snapshot::SetupIntent(Arc::clone(&row)), None);
                Ok(Snapshot::SetupIntent(row))
            }
            _ => self.finish_setup(id, &method),
        }
    }

    fn finish_setup(&mut self, id: &str, method: &PaymentMethod) -> Answer {
        let intent = self.setup_intent(id)?;
        if let Some(customer) = &intent.customer {
            self.attach(method, customer, intent.off_session)?;
        }
        let row = self.setup_intents.change(id, |intent| {
            intent.status = Status::Succeeded;
            intent.next_action = None;
            intent.last_setup_error = None;
        });
        let Some(row) = row else { return Err(missing(id)) };
        self.emit("setup_intent.succeeded", Snapshot::SetupIntent(Arc::clone(&row)), None);
        Ok(Snapshot::SetupIntent(row))
    }

    fn fail_setup(&mut self, id: &str, method: &PaymentMethod, refusal: Box<Refusal>) -> Answer {
        let refusal =
            refusal.field("payment_method", method.render()).field("payment_method_type", json!("card"));
        let error = Arc::new(refusal.error());
        let row = self.setup_intents.change(id, |intent| {
            intent.status = Status::RequiresPaymentMethod;
            intent.payment_method = None;
            intent.next_action = None;
            intent.last_setup_error = Some(error);
        });
        let Some(row) = row else { return Err(missing(id)) };
        self.emit("setup_intent.setup_failed", Snapshot::SetupIntent(Arc::clone(&row)), None);
        Err(refusal.field("setup_intent", row.render()))
    }

    /// The holder passed or failed the challenge. Called by the control API.
    pub(crate) fn finish_setup_challenge(&mut self, id: &str, passed: bool) -> Answer {
        let intent = self.setup_intent(id)?;
        let method =
            intent.payment_method.as_deref().and_then(|id| self.payment_methods.get(id)).map(Arc::clone);
        let (Status::RequiresAction, Some(method)) = (intent.status, method) else {
            return Err(unexpected(&intent, "finish the challenge of"));
        };
        if passed {
            return self.finish_setup(id, &method);
        }
        let refusal = Refusal::state(
            "setup_intent_authentication_failure",
            "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        );
        match self.fail_setup(id, &method, refusal) {
            Err(_) => self.show_setup_intent(id),
            answered => answered,
        }
    }

    /// `POST /v1/setup_intents/{id}/cancel`
    pub(crate) fn cancel_setup_intent(&mut self, id: &str, params: &Params) -> Answer {
        let intent = self.setup_intent(id)?;
        if matches!(intent.status, Status::Succeeded | Status::Canceled) {
            return Err(unexpected(&intent, "cancel"));
        }
        let row = self.setup_intents.change(id, |intent| {
            intent.status = Status::Canceled;
            intent.next_action = None;
            intent.cancellation_reason = params.text("cancellation_reason").map(Arc::from);
        });
        let Some(row) = row else { return Err(missing(id)) };
        self.emit("setup_intent.canceled", Snapshot::SetupIntent(Arc::clone(&row)), None);
        Ok(Snapshot::SetupIntent(row))
    }

    /// `GET /v1/setup_intents/{id}`
    pub(crate) fn show_setup_intent(&self, id: &str) -> Answer {
        self.setup_intent(id).map(Snapshot::SetupIntent)
    }

    fn setup_intent(&self, id: &str) -> Result<Arc<SetupIntent>, Box<Refusal>> {
        self.setup_intents.get(id).map(Arc::clone).ok_or_else(|| missing(id))
    }
}

fn missing(id: &str) -> Box<Refusal> {
    Refusal::missing("setupintent", id, "intent")
}

fn unexpected(intent: &SetupIntent, verb: &str) -> Box<Refusal> {
    Refusal::state(
        "setup_intent_unexpected_state",
        format!("You cannot {verb} this SetupIntent because it has a status of {}.", intent.status.text()),
    )
    .field("setup_intent", intent.render())
}
