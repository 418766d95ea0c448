//! What all Stripe objects share: metadata, echoed parameters, and the shared versions that events and answers keep.

use super::balance::BalanceTransaction;
use super::charge::Charge;
use super::connected_account::ConnectedAccount;
use super::credit_note::CreditNote;
use super::customer::Customer;
use super::customer_balance::CustomerBalanceTransaction;
use super::dispute::Dispute;
use super::event::Event;
use super::invoice::Invoice;
use super::invoice_item::InvoiceItem;
use super::invoice_payment::InvoicePayment;
use super::payment_intent::PaymentIntent;
use super::payment_method::PaymentMethod;
use super::payout::Payout;
use super::refund::Refund;
use super::refusal::Refusal;
use super::schema::Params;
use super::setup_intent::SetupIntent;
use super::transfer::{Transfer, TransferReversal};
use super::webhook_endpoint::WebhookEndpoint;
use super::world::StripeWorld;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Metadata of an object, shared between its versions and its charge.
pub(crate) type Metadata = Arc<BTreeMap<String, String>>;

/// What an operation answers: an object in the version it made, or Stripe's refusal.
pub(crate) type Answer = Result<Snapshot, Box<Refusal>>;

/// Merges as FACTS §a says: an empty value deletes one key, an empty text deletes all.
pub(crate) fn merge_metadata(known: &Metadata, sent: Option<&Value>) -> Metadata {
    match sent {
        Some(Value::String(_)) => Metadata::default(),
        Some(Value::Object(sent)) => {
            let mut merged = (**known).clone();
            for (key, value) in sent {
                match value.as_str() {
                    Some("") | None => merged.remove(key),
                    Some(text) => merged.insert(key.clone(), text.to_owned()),
                };
            }
            Arc::new(merged)
        }
        _ => Arc::clone(known),
    }
}

/// Parameters without behaviour here, given back as they were sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Echo(Option<Arc<Map<String, Value>>>);

impl Echo {
    /// The same with the named parameters of a call; an empty text becomes null.
    pub(crate) fn with(self, params: &Params, names: &[&str]) -> Self {
        let sent: Vec<_> =
            names.iter().filter_map(|name| params.get(name).map(|value| (*name, value))).collect();
        if sent.is_empty() {
            return self;
        }
        let mut map = self.0.map(|map| (*map).clone()).unwrap_or_default();
        for (name, value) in sent {
            let value = if value.as_str() == Some("") { Value::Null } else { value.clone() };
            map.insert(name.to_owned(), value);
        }
        Self(Some(Arc::new(map)))
    }

    /// One echoed value.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Writes the echoed values over the defaults of a rendered object; nests are merged one level deep.
    pub(crate) fn lay_over(&self, shown: &mut Value) {
        let Some(map) = &self.0 else { return };
        for (name, value) in map.iter() {
            match (&mut shown[name.as_str()], value) {
                (Value::Object(default), Value::Object(sent)) => default.extend(sent.clone()),
                (field, value) => *field = value.clone(),
            }
        }
    }
}

/// One version of one object, cheap to keep.
#[derive(Debug, Clone)]
pub(crate) enum Snapshot {
    BalanceTransaction(Arc<BalanceTransaction>),
    Charge(Arc<Charge>),
    ConnectedAccount(Arc<ConnectedAccount>),
    CreditNote(Arc<CreditNote>),
    Customer(Arc<Customer>),
    CustomerBalanceTransaction(Arc<CustomerBalanceTransaction>),
    Dispute(Arc<Dispute>),
    Event(Arc<Event>),
    Invoice(Arc<Invoice>),
    InvoiceItem(Arc<InvoiceItem>),
    InvoicePayment(Arc<InvoicePayment>),
    PaymentIntent(Arc<PaymentIntent>),
    PaymentMethod(Arc<PaymentMethod>),
    Payout(Arc<Payout>),
    Refund(Arc<Refund>),
    SetupIntent(Arc<SetupIntent>),
    Transfer(Arc<Transfer>),
    TransferReversal(Arc<TransferReversal>),
    /// An endpoint, with its secret when it was just made.
    WebhookEndpoint(Arc<WebhookEndpoint>, Option<Arc<str>>),
    /// A listing or an object without a table.
    Rendered(Arc<Value>),
}

impl Snapshot {
    /// A page as Stripe writes it.
    pub(crate) fn page(url: &str, rows: &[Value], more: bool) -> Self {
        Self::listing(json!({ "object": "list", "url": url, "has_more": more, "data": rows }))
    }

    /// Something rendered already.
    pub(crate) fn listing(value: Value) -> Self {
        Self::Rendered(Arc::new(value))
    }

    /// The object as the API shows it at this moment of the world.
    pub(crate) fn render(&self, world: &StripeWorld) -> Value {
        match self {
            Self::BalanceTransaction(row) => row.render(world.now_seconds()),
            Self::Charge(row) => row.render(),
            Self::ConnectedAccount(row) => row.render(),
            Self::CreditNote(row) => row.render(),
            Self::Customer(row) => row.render(),
            Self::CustomerBalanceTransaction(row) => row.render(),
            Self::Dispute(row) => row.render(world.now_seconds()),
            Self::Event(row) => row.render(world, super::world::API_VERSION),
            Self::Invoice(row) => row.render(world),
            Self::InvoiceItem(row) => row.render(),
            Self::InvoicePayment(row) => row.render(),
            Self::PaymentIntent(row) => row.render(),
            Self::PaymentMethod(row) => row.render(),
            Self::Payout(row) => row.render(),
            Self::Refund(row) => row.render(),
            Self::SetupIntent(row) => row.render(),
            Self::Transfer(row) => row.render(world),
            Self::TransferReversal(row) => row.render(),
            Self::WebhookEndpoint(row, secret) => row.render(secret.as_deref()),
            Self::Rendered(value) => (**value).clone(),
        }
    }
}
