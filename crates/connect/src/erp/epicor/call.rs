//! The requests that every part of the Epicor connector is made of (EPICOR.md §2).
//!
//! Invariants: `Accept` is always sent, since without it Epicor may answer in XML; the API key travels in a header, never
//! in the URL, where it would be logged; what comes from outside is escaped for its place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use suture_core::redact::Secret;

use super::rows::Row;
use super::settings::Epicor;
use crate::http::{HttpRequest, Method};
use crate::url;

/// The media type of every body.
pub(super) const JSON: &str = "application/json";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A user with a password.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret<String>,
        /// The API key; it decides what may be called.
        api_key: Secret<String>,
    },
    /// A token that was fetched before.
    Bearer {
        /// The token.
        token: Secret<String>,
        /// The API key; it decides what may be called.
        api_key: Secret<String>,
    },
}

/// A set of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
}

const fn set(service: &'static str, name: &'static str) -> Set {
    Set { service, name }
}

pub(super) const CUSTOMERS: Set = set("Erp.BO.CustomerSvc", "Customers");
pub(super) const PARTS: Set = set("Erp.BO.PartSvc", "Parts");
pub(super) const ORDERS: Set = set("Erp.BO.SalesOrderSvc", "SalesOrders");
pub(super) const RECEIPT_GROUPS: Set = set("Erp.BO.CashGrpSvc", "CashGrps");
pub(super) const RECEIPTS: Set = set("Erp.BO.CashRecSvc", "CashRecs");
pub(super) const RECEIPT_LINES: Set = set("Erp.BO.CashRecSvc", "CashDtls");
pub(super) const CREDIT_APPLICATIONS: Set = set("Erp.BO.ApplyCreditMemoSvc", "ApplyCreditMemoes");
pub(super) const INVOICE_GROUPS: Set = set("Erp.BO.InvcGrpSvc", "InvcGrps");
pub(super) const INVOICES: Set = set("Erp.BO.ARInvoiceSvc", "ARInvoices");
pub(super) const JOURNAL_GROUPS: Set = set("Erp.BO.GLJrnGrpSvc", "GLJrnGrps");
pub(super) const JOURNALS: Set = set("Erp.BO.GLJournalEntrySvc", "GLJournalEntries");
pub(super) const SHIPMENTS: Set = set("Erp.BO.CustShipSvc", "CustShips");

/// One of a caller's own kind: where, and as whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) epicor: &'a Epicor,
    pub(super) identity: &'a Identity,
}

/// What of a set is wanted. Empty parts are left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    pub(super) filter: String,
    pub(super) expand: &'static str,
    pub(super) order_by: String,
    pub(super) top: u32,
    pub(super) skip: u32,
}

impl Caller<'_> {
    /// Reads rows of a set, through a BAQ where the site has named one.
    pub(super) fn read(&self, set: Set, query: &Query) -> HttpRequest {
        let baq = self.epicor.reads.baqs.get(set.name);
        let path = match baq {
            Some(baq) => format!("BaqSvc/{}/Data", url::encode(baq)),
            None => format!("{}/{}", set.service, set.name),
        };
        let expand = if baq.is_some() { "" } else { query.expand };
        let mut parts = Vec::new();
        for (name, text) in
            [("$filter", query.filter.as_str()), ("$expand", expand), ("$orderby", &query.order_by)]
        {
            if !text.is_empty() {
                parts.push(format!("{name}={}", url::encode(text)));
            }
        }
        parts.push(format!("$top={}", query.top));
        if query.skip > 0 {
            parts.push(format!("$skip={}", query.skip));
        }
        self.request(Method::Get, &format!("{path}?{}", parts.join("&")))
    }

    /// Creates a row: `POST` on the set (EPICOR.md §4).
    pub(super) fn create(&self, set: Set, row: &Row) -> HttpRequest {
        self.request(Method::Post, &format!("{}/{}", set.service, set.name)).body(JSON, row.bytes())
    }

    /// Changes fields of a row; `key` holds the key's parts after the company, escaped by [`text_key`].
    pub(super) fn patch(&self, set: Set, key: &str, row: &Row) -> HttpRequest {
        self.request(Method::Patch, &self.entity(set, key)).body(JSON, row.bytes())
    }

    /// Deletes a row.
    pub(super) fn delete(&self, set: Set, key: &str) -> HttpRequest {
        self.request(Method::Delete, &self.entity(set, key))
    }

    /// Calls a method with its arguments in the body.
    pub(super) fn method(&self, service: &str, method: &str, arguments: &Row) -> HttpRequest {
        self.request(Method::Post, &format!("{service}/{method}")).body(JSON, arguments.bytes())
    }

    fn entity(&self, set: Set, key: &str) -> String {
        format!("{}/{}({},{key})", set.service, set.name, text_key(&self.epicor.company))
    }

    fn request(&self, method: Method, path: &str) -> HttpRequest {
        let base = instance_url(self.epicor);
        let company = url::encode(&self.epicor.company);
        let request = HttpRequest::new(method, format!("{base}/api/v2/odata/{company}/{path}"));
        self.authorized(request.header("accept", JSON))
    }

    fn authorized(&self, request: HttpRequest) -> HttpRequest {
        let request = match &self.epicor.plant {
            Some(plant) => {
                let settings = Row::new().with("Company", &self.epicor.company).with("Plant", plant);
                request.header("callsettings", String::from_utf8(settings.bytes()).unwrap_or_default())
            }
            None => request,
        };
        let (api_key, credential) = match self.identity {
            Identity::Basic { user, password, api_key } => {
                let pair = Secret::new(format!("{user}:{}", password.expose()));
                (api_key, format!("Basic {}", STANDARD.encode(pair.expose())))
            }
            Identity::Bearer { token, api_key } => (api_key, format!("Bearer {}", token.expose())),
        };
        request
            .secret_header("x-api-key", api_key.expose().clone())
            .secret_header("authorization", credential)
    }
}

/// `https://host/instance`.
pub(super) fn instance_url(epicor: &Epicor) -> String {
    let base = epicor.base_url.trim_end_matches('/');
    if epicor.instance.is_empty() {
        base.to_owned()
    } else {
        format!("{base}/{}", url::encode(&epicor.instance))
    }
}

/// Text in a filter: in single quotes, with quotes doubled.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Text in a key of a URL.
pub(super) fn text_key(text: &str) -> String {
    format!("'{}'", url::encode(&text.replace('\'', "''")))
}

/// `Field eq 'text'`.
pub(super) fn equals(field: &str, text: &str) -> String {
    format!("{field} eq {}", quoted(text))
}
