//! Customers and stored methods: making them, finding those that exist, storing, listing and removing methods.
//!
//! Used by `engine` for patients and their cards. Invariant: nothing about a person is sent but our link token and
//! entries that the site configured.

use suture_core::redact::Secret;

use crate::gateway::{CustomerSeen, Metadata, Part, SetupSeen, StoredMethod};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// Create a customer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CreateCustomer {
    /// The frozen key.
    pub idempotency_key: String,
    /// Our opaque link token.
    pub link: String,
    /// Entries under configured keys, opaque values only.
    pub metadata: Metadata,
}

/// Change what we may change of a customer: adopt it, or choose its default method. What is `None` or empty stays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UpdateCustomer {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's customer.
    pub customer: String,
    /// Our opaque link token, when the customer is adopted.
    pub link: Option<String>,
    /// Entries under configured keys, opaque values only. Entries that are not named stay.
    pub metadata: Metadata,
    /// The method to charge when none is named.
    pub default_method: Option<String>,
}

/// Which customers to look for. A search may lag behind by minutes: never use it to learn whether a call was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerSearch {
    /// Those that carry this link token.
    Link(String),
    /// Those that carry all these entries. At least one must be given.
    Entries(Metadata),
    /// Those that carry this metadata key with any value: the customers of an earlier system.
    HasKey(String),
}

/// Customers and stored methods.
pub trait Vault: Send + Sync {
    /// Builds a customer that carries nothing but our link token and the given entries.
    fn create_customer(&self, call: &CreateCustomer) -> HttpRequest;
    /// Builds a change of a customer.
    fn update_customer(&self, call: &UpdateCustomer) -> HttpRequest;
    /// Builds the fetch of a customer.
    fn fetch_customer(&self, customer: &str) -> HttpRequest;
    /// Builds one page of a search, `limit` ≤ 100; `page` is the `next` of the page before.
    fn search_customers(&self, search: &CustomerSearch, page: Option<&str>, limit: u8) -> HttpRequest;
    /// Reads a created, changed or fetched customer.
    fn read_customer(&self, response: &HttpResponse) -> Outcome<CustomerSeen>;
    /// Reads one page of a search.
    fn read_customers(&self, response: &HttpResponse) -> Outcome<Part<CustomerSeen>>;

    /// Builds a setup intent that stores a method for later use.
    fn create_setup(&self, customer: &str, link: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the cancellation of a setup intent.
    fn cancel_setup(&self, setup: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the fetch of a setup intent.
    fn fetch_setup(&self, setup: &str) -> HttpRequest;
    /// Reads the id and browser secret of the created setup intent.
    fn read_setup(&self, response: &HttpResponse) -> Outcome<(String, Secret<String>)>;
    /// Reads where a fetched or canceled setup intent stands.
    fn read_setup_result(&self, response: &HttpResponse) -> Outcome<SetupSeen>;

    /// Builds the fetch of a method.
    fn fetch_method(&self, method: &str) -> HttpRequest;
    /// Builds one page of a customer's methods, newest first, `limit` ≤ 100; `after` is the `next` of the page before.
    fn list_methods(&self, customer: &str, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Builds the storing of a method for a customer. The gateway may ask the bank first.
    fn attach_method(&self, method: &str, customer: &str, idempotency_key: &str) -> HttpRequest;
    /// Builds the removal of a method. It can never be charged or stored again.
    fn detach_method(&self, method: &str, idempotency_key: &str) -> HttpRequest;
    /// Reads a fetched, attached or detached method.
    fn read_method(&self, response: &HttpResponse) -> Outcome<StoredMethod>;
    /// Reads one page of methods.
    fn read_methods(&self, response: &HttpResponse) -> Outcome<Part<StoredMethod>>;
}
