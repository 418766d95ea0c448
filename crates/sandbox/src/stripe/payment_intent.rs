//! Payment intents: the object, and create, get, update, list, search. Confirming lives in `attempt`, capturing and
//! cancelling in `capture`. States and events follow FACTS §b.

use super::attempt::Confirmation;
use super::currency::{self, Currency};
use super::listing::page_of;
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where a payment intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl Status {
    /// The word of the API.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// True while the patient's part is not done.
    pub(crate) fn open(self) -> bool {
        matches!(self, Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction)
    }
}

/// When the money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureMethod {
    Automatic,
    AutomaticAsync,
    Manual,
}

impl CaptureMethod {
    /// Reads the word of the API; the default is the late kind.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "automatic" => Self::Automatic,
            "manual" => Self::Manual,
            _ => Self::AutomaticAsync,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::AutomaticAsync => "automatic_async",
            Self::Manual => "manual",
        }
    }
}

/// A payment intent.
#[derive(Debug, Clone)]
pub(crate) struct PaymentIntent {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) amount: i64,
    pub(crate) amount_capturable: i64,
    pub(crate) amount_received: i64,
    pub(crate) currency: Currency,
    pub(crate) status: Status,
    pub(crate) capture_method: CaptureMethod,
    pub(crate) customer: Option<Id>,
    pub(crate) payment_method: Option<Id>,
    pub(crate) latest_charge: Option<Id>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) cancellation_reason: Option<Arc<str>>,
    pub(crate) next_action: Option<Arc<Value>>,
    pub(crate) last_payment_error: Option<Arc<Value>>,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) metadata: Metadata,
    pub(crate) echo: Echo,
    /// Tries to raise the authorization.
    pub(crate) increments: u32,
    /// Made at Stripe by somebody else.
    pub(crate) external: bool,
}

impl Row for PaymentIntent {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl PaymentIntent {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let chosen = self.echo.get("allowed_payment_method_types").is_some();
        let automatic =
            if chosen { Value::Null } else { json!({ "allow_redirects": "always", "enabled": true }) };
        let mut shown = json!({
            "id": *self.id, "object": "payment_intent", "amount": self.amount,
            "amount_capturable": self.amount_capturable, "amount_details": { "tip": {} },
            "amount_received": self.amount_received, "application": null, "application_fee_amount": null,
            "automatic_payment_methods": automatic, "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason.as_deref(), "capture_method": self.capture_method.text(),
            "client_secret": client_secret(&self.id), "confirmation_method": "automatic", "created": self.created,
            "currency": self.currency, "customer": self.customer.as_deref(), "customer_account": null,
            "description": self.description.as_deref(), "excluded_payment_method_types": null,
            "last_payment_error": self.last_payment_error.as_deref(),
            "latest_charge": self.latest_charge.as_deref(), "livemode": false, "metadata": *self.metadata,
            "next_action": self.next_action.as_deref(), "on_behalf_of": null,
            "payment_method": self.payment_method.as_deref(), "payment_method_configuration_details": null,
            "payment_method_options": { "card": {
                "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"
            } },
            "payment_method_types": ["card"], "processing": null, "receipt_email": null, "review": null,
            "setup_future_usage": null, "shipping": null, "source": null, "statement_descriptor": null,
            "statement_descriptor_suffix": null, "status": self.status.text(), "transfer_data": null,
            "transfer_group": null,
        });
        self.echo.lay_over(&mut shown);
        shown
    }

    /// True when the card is to be kept for later payments.
    pub(crate) fn keeps_card(&self) -> bool {
        self.echo.get("setup_future_usage").is_some_and(Value::is_string)
    }

    /// True when raising the authorization was asked for (FACTS §c.5).
    pub(crate) fn asks_for_increments(&self) -> bool {
        let asked = self.echo.get("payment_method_options").map(|options| {
            options["card"]["request_incremental_authorization"].as_str() == Some("if_available")
        });
        self.manual() && asked == Some(true)
    }

    /// True when the money waits for a capture: on the whole intent or for cards only.
    pub(crate) fn manual(&self) -> bool {
        let for_cards =
            self.echo.get("payment_method_options").map(|options| &options["card"]["capture_method"]);
        self.capture_method == CaptureMethod::Manual || for_cards.and_then(Value::as_str) == Some("manual")
    }
}

/// The browser's secret of an intent.
pub(crate) fn client_secret(id: &str) -> String {
    format!("{id}_secret_{}", derived(id, 25))
}

const ECHOED: [&str; 14] = [
    "allowed_payment_method_types",
    "amount_details",
    "automatic_payment_methods",
    "confirmation_method",
    "excluded_payment_method_types",
    "payment_method_options",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
    "application_fee_amount",
];

impl StripeWorld {
    /// `POST /v1/payment_intents`
    pub(crate) fn create_payment_intent(&mut self, params: &Params) -> Answer {
        let currency = currency::parse(params.text("currency").unwrap_or_default())?;
        let amount = params.integer("amount").unwrap_or_default();
        currency::check_amount(amount, currency)?;
        let confirming = params.flag("confirm");
        for name in ["off_session", "error_on_requires_action", "return_url"] {
            if !confirming && params.get(name).is_some() {
                return Err(Refusal::invalid(format!(
                    "You can only set `{name}` when `confirm` is true: the payment was not created."
                ))
                .param(name));
            }
        }
        let customer = self.named_customer(params)?;
        let method = match params.text("payment_method") {
            Some(token) => Some(self.usable_payment_method(token, "payment_method")?),
            None => None,
        };
        if let Some(method) = &method {
            belongs(method.customer.as_deref(), customer.as_deref())?;
        }
        let intent = PaymentIntent {
            id: self.random.id("pi_"),
            created: self.now_seconds(),
            amount,
            amount_capturable: 0,
            amount_received: 0,
            currency,
            status: if method.is_some() {
                Status::RequiresConfirmation
            } else {
                Status::RequiresPaymentMethod
            },
            capture_method: CaptureMethod::parse(params.text("capture_method").unwrap_or_default()),
            customer,
            payment_method: method.map(|method| Arc::clone(&method.id)),
            latest_charge: None,
            canceled_at: None,
            cancellation_reason: None,
            next_action: None,
            last_payment_error: None,
            description: params.text("description").map(Arc::from),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
            echo: Echo::default().with(params, &ECHOED),
            increments: 0,
            external: false,
        };
        let row = self.keep_payment_intent(intent);
        if !confirming {
            return Ok(Snapshot::PaymentIntent(row));
        }
        // The card of the parameter is on the intent already; a test token must not make a second one.
        self.confirm(&row.id, &Confirmation { payment_method: None, ..Confirmation::of(params) })
    }

    /// Stores a new intent under its tags and tells about it.
    pub(crate) fn keep_payment_intent(&mut self, intent: PaymentIntent) -> Arc<PaymentIntent> {
        let customer = intent.customer.clone();
        let tags: Vec<_> = customer.as_deref().map(|customer| ("customer", customer)).into_iter().collect();
        let row = self.payment_intents.insert(intent, &tags);
        self.tag_payment_intent(&row);
        self.emit("payment_intent.created", Snapshot::PaymentIntent(Arc::clone(&row)), None);
        row
    }

    /// `GET /v1/payment_intents/{id}`
    pub(crate) fn show_payment_intent(&self, id: &str) -> Answer {
        self.payment_intent(id).map(Snapshot::PaymentIntent)
    }

    /// The intent of an id in the address.
    pub(crate) fn payment_intent(&self, id: &str) -> Result<Arc<PaymentIntent>, Box<Refusal>> {
        self.payment_intents
            .get(id)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::missing("payment_intent", id, "intent"))
    }

    /// `POST /v1/payment_intents/{id}`: money and card only while the payment is open.
    pub(crate) fn update_payment_intent(&mut self, id: &str, params: &Params) -> Answer {
        let before = self.payment_intent(id)?;
        let moneyed =
            ["amount", "currency", "customer", "payment_method", "capture_method", "setup_future_usage"];
        if !before.status.open()
            && let Some(name) = moneyed.iter().find(|name| params.get(name).is_some())
        {
            return Err(unexpected(
                &before,
                format!(
                    "This PaymentIntent's {name} could not be updated because it has a status of {}. You may only \
                     update the {name} of a PaymentIntent with one of the following statuses: \
                     requires_payment_method, requires_confirmation, requires_action.",
                    before.status.text()
                ),
            ));
        }
        self.not_of_an_invoice(&before)?;
        let currency = params.text("currency").map_or(Ok(before.currency), currency::parse)?;
        let amount = params.integer("amount").unwrap_or(before.amount);
        currency::check_amount(amount, currency)?;
        let customer = self.named_customer(params)?.or_else(|| before.customer.clone());
        let method = match params.text("payment_method") {
            Some(token) => Some(self.usable_payment_method(token, "payment_method")?),
            None => None,
        };
        if let Some(method) = &method {
            belongs(method.customer.as_deref(), customer.as_deref())?;
        }
        let row = self.payment_intents.change(id, |intent| {
            intent.amount = amount;
            intent.currency = currency;
            intent.customer = customer;
            if let Some(method) = method {
                intent.payment_method = Some(Arc::clone(&method.id));
                intent.status = Status::RequiresConfirmation;
                intent.next_action = None;
            }
            if let Some(text) = params.get("capture_method").and_then(Value::as_str) {
                intent.capture_method = CaptureMethod::parse(text);
            }
            if params.get("description").is_some() {
                intent.description = params.text("description").map(Arc::from);
            }
            intent.metadata = merge_metadata(&intent.metadata, params.get("metadata"));
            intent.echo = intent.echo.clone().with(params, &ECHOED);
        });
        let Some(row) = row else { return Err(Refusal::missing("payment_intent", id, "intent")) };
        self.tag_payment_intent(&row);
        Ok(Snapshot::PaymentIntent(row))
    }

    fn named_customer(&self, params: &Params) -> Result<Option<Id>, Box<Refusal>> {
        let Some(id) = params.text("customer") else { return Ok(None) };
        match self.customers.get(id) {
            Some(customer) => Ok(Some(Arc::clone(&customer.id))),
            None => Err(Refusal::missing_reference("customer", id, "customer")),
        }
    }

    fn tag_payment_intent(&mut self, intent: &PaymentIntent) {
        for (key, value) in intent.metadata.iter() {
            self.payment_intents.tag(&intent.id, "metadata", &super::search::tag_of(key, value));
        }
        if let Some(customer) = &intent.customer {
            self.payment_intents.tag(&intent.id, "customer", customer);
        }
    }

    /// `GET /v1/payment_intents`
    pub(crate) fn list_payment_intents(&self, params: &Params) -> Answer {
        let customer = params.text("customer");
        let tags: Vec<_> = customer.map(|customer| ("customer", customer)).into_iter().collect();
        page_of(&self.payment_intents, "/v1/payment_intents", params, &tags, |row| {
            customer.is_none_or(|wanted| row.customer.as_deref() == Some(wanted)).then(|| row.render())
        })
    }

    /// `GET /v1/payment_intents/search`
    pub(crate) fn search_payment_intents(&self, params: &Params) -> Answer {
        let terms = super::search::parse(params.text("query").unwrap_or_default())?;
        let found = super::search::run(&self.payment_intents, &terms, params, PaymentIntent::render)?;
        Ok(Snapshot::listing(super::search::result("/v1/payment_intents/search", found)))
    }
}

/// A saved card may only be used for its own customer.
pub(crate) fn belongs(owner: Option<&str>, customer: Option<&str>) -> Result<(), Box<Refusal>> {
    match (owner, customer) {
        (None, _) => Ok(()),
        (Some(owner), Some(customer)) if owner == customer => Ok(()),
        (Some(_), None) => Err(Refusal::invalid(
            "The payment method you provided is attached to a customer so for security purposes you must provide the \
             customer in the request.",
        )
        .param("payment_method")),
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "The payment method you provided does not belong to the customer of this payment.",
        )
        .param("payment_method")),
    }
}

/// `payment_intent_unexpected_state` with the intent in the body.
pub(crate) fn unexpected(intent: &PaymentIntent, message: String) -> Box<Refusal> {
    Refusal::state("payment_intent_unexpected_state", message).field("payment_intent", intent.render())
}
