//! Customers: found by number, by our key, by e-mail and name; created when nobody is found (EPICOR.md §7).
//!
//! Two filings of one new customer at once make one: `CustID` comes from our key, and Epicor keeps it unique. An e-mail
//! address is personal data, so the search by it travels in a body and never in a URL.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Filing;
use super::looked_up::{self, LookedUp};
use crate::erp::document::{Address, Customer};
use crate::erp::epicor::call::{CUSTOMERS, equals, quoted};
use crate::erp::epicor::errors::{self, Asked};
use crate::erp::epicor::rows::{self, Record, Row};
use crate::erp::epicor::settings::Adopt;
use crate::erp::filing::{Change, FilingState, LookUpBy};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::{Failure, Retry};

/// The length of `CustID` (EPICOR.md §7).
const ID_CHARACTERS: usize = 10;
/// How many customers with one e-mail address are looked at.
const MATCHES_MAX: u32 = 50;

impl Filing<'_> {
    pub(super) fn customer_filter(&self, customer: &Customer, state: &FilingState, by: LookUpBy) -> String {
        let number = match (by, &state.change) {
            (LookUpBy::Other, Some(Change::Link { number, .. })) => Some(*number),
            (LookUpBy::Number, _) => customer.number,
            _ => None,
        };
        match number {
            Some(number) => format!("CustNum eq {number}"),
            None => equals(&self.epicor.references.customer, &customer.external_id),
        }
    }

    /// `GetList` with the address in the body.
    pub(super) fn customer_search(&self, customer: &Customer) -> HttpRequest {
        let email = customer.email.as_deref().unwrap_or_default();
        let arguments = Row::new()
            .with("whereClause", &format!("EMailAddress = {}", quoted(email)))
            .with("pageSize", &MATCHES_MAX)
            .with("absolutePage", &0);
        self.caller().method(CUSTOMERS.service, "GetList", &arguments)
    }

    pub(super) fn customer_searched(&self, customer: &Customer, response: &HttpResponse) -> LookedUp {
        if response.status != 200 {
            return LookedUp::Failed(errors::failed(&self.epicor.words, response, Asked::Read, None));
        }
        let Some(rows) = rows::read_table(&response.body, "CustomerList") else {
            return LookedUp::Failed(errors::unreadable(Asked::Read));
        };
        let same_name =
            |row: &&Record| row.text("Name").is_some_and(|name| same_words(&name, &customer.name));
        let mut same = rows.iter().filter(same_name);
        match (same.next(), same.next()) {
            (None, _) => LookedUp::Absent,
            (Some(_), Some(_)) => LookedUp::Different(ambiguous()),
            (Some(row), None) => match (row.key("CustNum"), self.epicor.customers.adopt) {
                (None, _) => LookedUp::Failed(errors::unreadable(Asked::Read)),
                (Some(number), Adopt::Link) => {
                    let id = row.word("CustID").unwrap_or_default();
                    LookedUp::Next(LookUpBy::Other, Some(Change::Link { number, id }))
                }
                (Some(number), Adopt::Use | Adopt::Never) => {
                    LookedUp::There(told(number, &row.word("CustID").unwrap_or_default()))
                }
            },
        }
    }

    pub(super) fn customer_found(
        &self,
        customer: &Customer,
        state: &FilingState,
        by: LookUpBy,
        row: Option<&Record>,
    ) -> LookedUp {
        let there = |row: &Record| match row.key("CustNum") {
            Some(number) => LookedUp::There(told(number, &row.word("CustID").unwrap_or_default())),
            None => LookedUp::Failed(errors::unreadable(Asked::Read)),
        };
        match (by, row) {
            (LookUpBy::Other, Some(row)) => {
                // A customer of another key is used as it is; its key is not overwritten.
                let linked = row.word(&self.epicor.references.customer).is_some();
                match (&state.change, linked) {
                    (Some(change), false) => LookedUp::Change(change.clone()),
                    _ => there(row),
                }
            }
            (_, Some(row)) => there(row),
            (LookUpBy::Number, None) => {
                let message = "Epicor does not have a customer with this number, and nothing was created. Correct the \
                               number, or remove it so that the customer is looked for.";
                let value = customer.number.unwrap_or_default().to_string();
                looked_up::refused("erp_unknown_customer", message, "CustNum", value)
            }
            (LookUpBy::Reference, None)
                if customer.email.is_some() && self.epicor.customers.adopt != Adopt::Never =>
            {
                LookedUp::Next(LookUpBy::Match, None)
            }
            (_, None) => LookedUp::Absent,
        }
    }

    pub(super) fn customer_write(&self, customer: &Customer, state: &FilingState) -> HttpRequest {
        let field = &self.epicor.references.customer;
        match &state.change {
            Some(Change::Link { number, .. }) => {
                let row = Row::new().with(field, &customer.external_id);
                self.caller().patch(CUSTOMERS, &number.to_string(), &row)
            }
            _ => self.caller().create(CUSTOMERS, &self.customer_row(customer)),
        }
    }

    pub(super) fn customer_written(
        &self,
        customer: &Customer,
        state: &FilingState,
        row: &Record,
    ) -> Option<LookedUp> {
        if let Some(Change::Link { number, id }) = &state.change {
            return Some(LookedUp::There(told(*number, id)));
        }
        let id = row.word("CustID").unwrap_or_else(|| self.customer_id(customer));
        Some(LookedUp::There(told(row.key("CustNum")?, &id)))
    }

    fn customer_row(&self, customer: &Customer) -> Row {
        let defaults = &self.epicor.customers;
        let row = Row::new()
            .with("Company", &self.epicor.company)
            .with("CustID", &self.customer_id(customer))
            .with("Name", &customer.name)
            .with("CustomerType", &defaults.customer_type)
            .with(&self.epicor.references.customer, &customer.external_id)
            .with("CurrencyCode", &customer.currency.code())
            .maybe("EMailAddress", customer.email.as_ref())
            .maybe("TermsCode", customer.terms.as_ref().or(defaults.terms.as_ref()))
            .maybe("GroupCode", customer.group.as_ref().or(defaults.group.as_ref()))
            .maybe("TerritoryID", customer.territory.as_ref().or(defaults.territory.as_ref()))
            // ValidPayer=false would refuse every receipt (EPICOR.md §7).
            .with("ValidPayer", &true)
            .with("ValidSoldTo", &true)
            .with("ValidShipTo", &true);
        match &customer.address {
            Some(address) => self.with_address(row, address),
            None => row,
        }
    }

    fn with_address(&self, row: Row, address: &Address) -> Row {
        let row = row
            .maybe("Address1", address.line1.as_ref())
            .maybe("Address2", address.line2.as_ref())
            .maybe("Address3", address.line3.as_ref())
            .maybe("City", address.city.as_ref())
            .maybe("State", address.state.as_ref())
            .maybe("Zip", address.postal_code.as_ref());
        let Some(country) = &address.country else { return row };
        match self.epicor.customers.countries.get(country) {
            Some(number) => row.with("CountryNum", number),
            None => row.with("Country", country),
        }
    }

    /// Always the same for one key: the prefix, and the beginning of the key's SHA-256.
    fn customer_id(&self, customer: &Customer) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, customer.external_id.as_bytes());
        let mut id = self.epicor.customers.id_prefix.clone();
        for byte in digest.as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02X}");
        }
        id.truncate(ID_CHARACTERS);
        id
    }
}

fn told(number: i64, id: &str) -> Value {
    json!({"customer_number": number, "customer_id": id})
}

/// Without regard to case and blanks.
fn same_words(left: &str, right: &str) -> bool {
    let words = |text: &str| text.to_lowercase().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    words(left) == words(right)
}

fn ambiguous() -> Failure {
    let message = "Several customers in Epicor have this e-mail address and name, and nothing was created. A person must \
                   say which one it is.";
    Failure::new("erp_ambiguous_customer", message, Retry::Never)
}
