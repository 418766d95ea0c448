//! Customers and stored methods (FACTS §c.1, §j; ENDPOINTS `/v1/customers`, `/v1/setup_intents`, `/v1/payment_methods`).
//!
//! Called by `engine` through [`Vault`]. A customer at Stripe has no name, address or e-mail: only our link token and
//! what the site configured.

use suture_core::redact::Secret;

use crate::gateway::{
    CreateCustomer, CustomerSearch, CustomerSeen, Metadata, Part, SetupSeen, StoredMethod, UpdateCustomer,
    Vault,
};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::request::path;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::translate::LINK;
use crate::gateways::stripe::wire::Object;
use crate::gateways::stripe::{declines, errors, translate_vault, wire, wire_vault};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

const CUSTOMERS: &str = "/v1/customers/";
const SETUPS: &str = "/v1/setup_intents/";
const METHODS: &str = "/v1/payment_methods/";

const NOT_STORED: &str = "The payer's bank did not approve the method, so it was not stored and nothing was charged. \
     Please use another card, or ask the bank.";

impl Vault for Stripe {
    fn create_customer(&self, call: &CreateCustomer) -> HttpRequest {
        let form = with_entries(Form::new().text(&["metadata", LINK], &call.link), &call.metadata);
        self.post("/v1/customers", form, &call.idempotency_key)
    }

    fn update_customer(&self, call: &UpdateCustomer) -> HttpRequest {
        let form = Form::new().maybe(&["metadata", LINK], call.link.as_deref());
        let form = with_entries(form, &call.metadata)
            .maybe(&["invoice_settings", "default_payment_method"], call.default_method.as_deref());
        self.post(&path(CUSTOMERS, &call.customer, ""), form, &call.idempotency_key)
    }

    fn fetch_customer(&self, customer: &str) -> HttpRequest {
        self.get(&path(CUSTOMERS, customer, ""), Form::new())
    }

    fn search_customers(&self, search: &CustomerSearch, page: Option<&str>, limit: u8) -> HttpRequest {
        let form = Form::new()
            .text(&["query"], &query(search))
            .text(&["limit"], &limit.clamp(1, 100).to_string())
            .maybe(&["page"], page);
        self.get("/v1/customers/search", form)
    }

    fn read_customer(&self, response: &HttpResponse) -> Outcome<CustomerSeen> {
        errors::read(response, |wire| self.translate().customer(of_its_kind(wire)?))
    }

    fn read_customers(&self, response: &HttpResponse) -> Outcome<Part<CustomerSeen>> {
        errors::read(response, |list: wire::List<wire_vault::Customer>| {
            let next = match (list.object.as_deref(), list.has_more) {
                (Some("search_result"), true) => Some(list.next_page?),
                (Some("search_result"), false) => None,
                _ => return None,
            };
            let customer = |wire| self.translate().customer(of_its_kind(wire)?);
            Some(Part { items: list.data.into_iter().map(customer).collect::<Option<_>>()?, next })
        })
    }

    fn create_setup(&self, customer: &str, link: &str, idempotency_key: &str) -> HttpRequest {
        let form = Form::new()
            .text(&["customer"], customer)
            .text(&["usage"], "off_session")
            .text(&["automatic_payment_methods", "enabled"], "true")
            .text(&["metadata", LINK], link);
        self.post("/v1/setup_intents", form, idempotency_key)
    }

    fn cancel_setup(&self, setup: &str, idempotency_key: &str) -> HttpRequest {
        self.post(&path(SETUPS, setup, "/cancel"), Form::new(), idempotency_key)
    }

    fn fetch_setup(&self, setup: &str) -> HttpRequest {
        self.get(&path(SETUPS, setup, ""), Form::new())
    }

    fn read_setup(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)> {
        errors::read(response, |wire: wire::Created| {
            of_kind(&wire, "setup_intent").then_some(())?;
            Some((wire.id?, Secret::new(wire.client_secret?)))
        })
    }

    fn read_setup_result(&self, response: &HttpResponse) -> Outcome<SetupSeen> {
        not_stored(response, errors::read(response, |wire| self.translate().setup(of_its_kind(wire)?)))
    }

    fn fetch_method(&self, method: &str) -> HttpRequest {
        self.get(&path(METHODS, method, ""), Form::new())
    }

    fn list_methods(&self, customer: &str, after: Option<&str>, limit: u8) -> HttpRequest {
        let form =
            Form::new().text(&["limit"], &limit.clamp(1, 100).to_string()).maybe(&["starting_after"], after);
        self.get(&path(CUSTOMERS, customer, "/payment_methods"), form)
    }

    fn attach_method(&self, method: &str, customer: &str, idempotency_key: &str) -> HttpRequest {
        let form = Form::new().text(&["customer"], customer);
        self.post(&path(METHODS, method, "/attach"), form, idempotency_key)
    }

    fn detach_method(&self, method: &str, idempotency_key: &str) -> HttpRequest {
        self.post(&path(METHODS, method, "/detach"), Form::new(), idempotency_key)
    }

    fn read_method(&self, response: &HttpResponse) -> Outcome<StoredMethod> {
        not_stored(response, errors::read(response, |wire| translate_vault::method(of_its_kind(wire)?)))
    }

    fn read_methods(&self, response: &HttpResponse) -> Outcome<Part<StoredMethod>> {
        errors::read(response, |list| part(list, |wire| translate_vault::method(of_its_kind(wire)?)))
    }
}

fn with_entries(form: Form, metadata: &Metadata) -> Form {
    metadata.entries().fold(form, |form, (key, value)| form.text(&["metadata", key], value))
}

/// The search in Stripe's language: `metadata["key"]:"value"`, joined by AND; `-…:null` is "has any value" (FACTS §j).
fn query(search: &CustomerSearch) -> String {
    let is = |key: &str, value: &str| format!("metadata[{}]:{}", quoted(key), quoted(value));
    match search {
        CustomerSearch::Link(link) => is(LINK, link),
        CustomerSearch::Entries(entries) => {
            let terms: Vec<String> = entries.entries().map(|(key, value)| is(key, value)).collect();
            terms.join(" AND ")
        }
        CustomerSearch::HasKey(key) => format!("-metadata[{}]:null", quoted(key)),
    }
}

/// Text in quotes, so that nothing in it can become another term.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The sentences about declined payments would mislead here: nobody was to be charged.
fn not_stored<T>(response: &HttpResponse, outcome: Outcome<T>) -> Outcome<T> {
    match outcome {
        Outcome::Declined(mut failure) if response.status == 402 || declines::is_known(&failure.code) => {
            failure.message = NOT_STORED.to_owned();
            Outcome::Declined(failure)
        }
        outcome => outcome,
    }
}

/// The object, when it is of the kind that was asked for.
pub(super) fn of_its_kind<W: Object>(wire: W) -> Option<W> {
    (wire.object() == Some(W::KIND)).then_some(wire)
}

/// One page of a list, whole or not at all: a caller that counts must not miss one.
pub(super) fn part<W: Object, T>(list: wire::List<W>, translate: impl Fn(W) -> Option<T>) -> Option<Part<T>> {
    (list.object.as_deref() == Some("list")).then_some(())?;
    let last = list.data.last().and_then(Object::id).map(str::to_owned);
    let next = if list.has_more { Some(last?) } else { None };
    Some(Part { items: list.data.into_iter().map(translate).collect::<Option<_>>()?, next })
}

pub(super) fn of_kind(wire: &wire::Created, kind: &str) -> bool {
    wire.object.as_deref() == Some(kind)
}
