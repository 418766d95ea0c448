//! Customers: create, get, update, search by metadata or email.

use super::card::Verdict;
use super::currency::Currency;
use super::customer_balance::Change;
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::payment_intent::belongs;
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: Id,
    pub(crate) created: i64,
    /// What the next invoice adds to its total: negative is credit. Changed by `customer_balance` only.
    pub(crate) balance: i64,
    /// The one currency of the balance and the invoices.
    pub(crate) currency: Option<Currency>,
    /// Invoices that have a number.
    pub(crate) invoices_numbered: i64,
    pub(crate) metadata: Metadata,
    /// Name, email and the like, given back as they were sent.
    pub(crate) echo: Echo,
}

impl Row for Customer {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Customer {
    /// What the numbers of the customer's invoices start with.
    pub(crate) fn invoice_prefix(&self) -> String {
        derived(&self.id, 8).to_ascii_uppercase()
    }

    /// The card that invoices are paid with when nothing else is said.
    pub(crate) fn default_payment_method(&self) -> Option<&str> {
        self.echo.get("invoice_settings")?.get("default_payment_method")?.as_str()
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        let mut shown = json!({
            "id": *self.id, "object": "customer", "created": self.created, "livemode": false,
            "address": null, "balance": self.balance, "business_name": null, "currency": self.currency,
            "customer_account": null,
            "default_source": null, "delinquent": false, "description": null, "discount": null, "email": null,
            "individual_name": null,
            "invoice_prefix": self.invoice_prefix(),
            "invoice_settings": {
                "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null
            },
            "metadata": *self.metadata, "name": null, "next_invoice_sequence": self.invoices_numbered + 1, "phone": null,
            "preferred_locales": [], "shipping": null, "tax_exempt": "none", "test_clock": null,
        });
        self.echo.lay_over(&mut shown);
        shown
    }
}

/// Parameters that are given back as they were sent.
const ECHOED: [&str; 10] = [
    "address",
    "business_name",
    "description",
    "email",
    "individual_name",
    "invoice_settings",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
];

impl StripeWorld {
    /// `POST /v1/customers`
    pub(crate) fn create_customer(&mut self, params: &Params) -> Answer {
        let attached = match params.text("payment_method") {
            Some(token) => Some(self.usable_payment_method(token, "payment_method")?),
            None => None,
        };
        if let Some(method) = &attached {
            belongs(method.customer.as_deref(), None)?;
            if let Verdict::Decline(decline) = method.card.verdict {
                return Err(decline.refusal());
            }
        }
        let id = self.random.id("cus_");
        let customer = Customer {
            id: Arc::clone(&id),
            created: self.now_seconds(),
            balance: 0,
            currency: None,
            invoices_numbered: 0,
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
            echo: Echo::default().with(params, &ECHOED),
        };
        let row = self.customers.insert(customer, &[]);
        self.tag_customer(&row);
        self.emit("customer.created", Snapshot::Customer(row), None);
        if let Some(method) = attached {
            self.attach(&method, &id, false)?;
        }
        if let Some(balance) = params.integer("balance") {
            self.set_balance(&id, balance, "initial");
        }
        self.show_customer(&id)
    }

    /// `POST /v1/customers/{id}`
    pub(crate) fn update_customer(&mut self, id: &str, params: &Params) -> Answer {
        let Some(before) = self.customers.get(id).map(Arc::clone) else {
            return Err(Refusal::missing("customer", id, "id"));
        };
        let row = self.customers.change(id, |customer| {
            customer.metadata = merge_metadata(&customer.metadata, params.get("metadata"));
            customer.echo = customer.echo.clone().with(params, &ECHOED);
        });
        let Some(row) = row else { return Err(Refusal::missing("customer", id, "id")) };
        self.tag_customer(&row);
        let previous = differences(&before.render(), &row.render());
        self.emit("customer.updated", Snapshot::Customer(Arc::clone(&row)), Some(previous));
        if let Some(balance) = params.integer("balance") {
            self.set_balance(id, balance, "adjustment");
        }
        self.show_customer(id)
    }

    fn set_balance(&mut self, id: &str, wanted: i64, kind: &'static str) {
        let Some(customer) = self.customers.get(id) else { return };
        let change = Change {
            amount: wanted.saturating_sub(customer.balance),
            currency: customer.currency.unwrap_or("usd"),
            kind,
            ..Change::default()
        };
        self.change_customer_balance(id, change);
    }

    /// `GET /v1/customers/{id}`
    pub(crate) fn show_customer(&self, id: &str) -> Answer {
        self.customers
            .get(id)
            .map(|row| Snapshot::Customer(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("customer", id, "id"))
    }

    /// `GET /v1/customers/search`
    pub(crate) fn search_customers(&self, params: &Params) -> Answer {
        let terms = super::search::parse(params.text("query").unwrap_or_default())?;
        let found = super::search::run(&self.customers, &terms, params, |customer| customer.render())?;
        Ok(Snapshot::listing(super::search::result("/v1/customers/search", found)))
    }

    fn tag_customer(&mut self, customer: &Customer) {
        for (key, value) in customer.metadata.iter() {
            self.customers.tag(&customer.id, "metadata", &super::search::tag_of(key, value));
        }
        if let Some(email) = customer.echo.get("email").and_then(Value::as_str) {
            self.customers.tag(&customer.id, "email", email);
        }
    }
}

/// The fields that changed, with their old values: `previous_attributes` of an event. Nests show only what changed
/// inside them, and what is new had the value null.
pub(crate) fn differences(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return before.clone() };
    let mut changed = Map::new();
    for (name, value) in before {
        let now = after.get(name).unwrap_or(&Value::Null);
        if now != value {
            changed.insert(name.clone(), differences(value, now));
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        changed.insert(name.clone(), Value::Null);
    }
    Value::Object(changed)
}
