//! The customer's balance: what Stripe's invoices owe or are owed by a customer, as a list of changes (FACTS §d, model B).
//!
//! A ledger, not money: negative is credit that the customer has. Changed by calls, by finalizing and voiding
//! invoices, by overpaid invoices and by credit notes. What must stay true: the balance of a customer is the sum of
//! the amounts of its changes.

use super::currency::{self, Currency};
use super::customer::Customer;
use super::listing::page_of;
use super::object::{Answer, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// One change of a customer's balance.
#[derive(Debug, Clone)]
pub(crate) struct CustomerBalanceTransaction {
    pub(crate) id: Id,
    pub(crate) created: i64,
    customer: Id,
    amount: i64,
    ending_balance: i64,
    currency: Currency,
    kind: &'static str,
    description: Option<Arc<str>>,
    invoice: Option<Id>,
    credit_note: Option<Id>,
    metadata: Metadata,
}

impl Row for CustomerBalanceTransaction {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl CustomerBalanceTransaction {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": *self.id, "object": "customer_balance_transaction", "amount": self.amount,
            "checkout_session": null, "created": self.created, "credit_note": self.credit_note.as_deref(),
            "currency": self.currency, "customer": *self.customer, "customer_account": null,
            "description": self.description.as_deref(), "ending_balance": self.ending_balance,
            "invoice": self.invoice.as_deref(), "livemode": false, "metadata": *self.metadata, "type": self.kind,
        })
    }
}

/// A change to be made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    /// Signed: negative gives the customer credit.
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    /// `type`
    pub(crate) kind: &'static str,
    pub(crate) description: Option<Arc<str>>,
    pub(crate) invoice: Option<Id>,
    pub(crate) credit_note: Option<Id>,
    pub(crate) metadata: Metadata,
}

impl StripeWorld {
    /// Changes a balance and tells about the customer. `None` when the amount is zero or nobody has that id.
    pub(crate) fn change_customer_balance(
        &mut self,
        customer: &str,
        change: Change,
    ) -> Option<Arc<CustomerBalanceTransaction>> {
        if change.amount == 0 {
            return None;
        }
        let before = self.customers.get(customer).map(Arc::clone)?;
        let row = self.customers.change(customer, |row| {
            row.balance = row.balance.saturating_add(change.amount);
            row.currency = Some(change.currency);
        })?;
        let invoice = change.invoice.clone();
        let line = CustomerBalanceTransaction {
            id: self.random.id("cbtxn_"),
            created: self.now_seconds(),
            customer: Arc::clone(&row.id),
            amount: change.amount,
            ending_balance: row.balance,
            currency: change.currency,
            kind: change.kind,
            description: change.description,
            invoice: change.invoice,
            credit_note: change.credit_note,
            metadata: change.metadata,
        };
        let mut tags = vec![("customer", &*row.id)];
        if let Some(invoice) = &invoice {
            tags.push(("invoice", &**invoice));
        }
        let line = self.customer_balance_transactions.insert(line, &tags);
        let previous = super::customer::differences(&before.render(), &row.render());
        self.emit("customer.updated", Snapshot::Customer(row), Some(previous));
        Some(line)
    }

    /// `POST /v1/customers/{id}/balance_transactions`
    pub(crate) fn create_customer_balance_transaction(&mut self, id: &str, params: &Params) -> Answer {
        let Some(customer) = self.customers.get(id).map(Arc::clone) else {
            return Err(Refusal::missing("customer", id, "customer"));
        };
        let currency = currency::parse(params.text("currency").unwrap_or_default())?;
        one_currency(&customer, currency)?;
        let change = Change {
            amount: params.integer("amount").unwrap_or_default(),
            currency,
            kind: "adjustment",
            description: params.text("description").map(Arc::from),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
            ..Change::default()
        };
        self.change_customer_balance(id, change)
            .map(Snapshot::CustomerBalanceTransaction)
            .ok_or_else(|| Refusal::invalid("The amount must not be zero.").param("amount").after_start())
    }

    /// One change, for `expand`.
    pub(crate) fn show_customer_balance_transaction(&self, id: &str) -> Answer {
        self.customer_balance_transactions
            .get(id)
            .map(|row| Snapshot::CustomerBalanceTransaction(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("customer_balance_transaction", id, "id"))
    }

    /// `GET /v1/customers/{id}/balance_transactions`
    pub(crate) fn list_customer_balance_transactions(&self, id: &str, params: &Params) -> Answer {
        if self.customers.get(id).is_none() {
            return Err(Refusal::missing("customer", id, "customer"));
        }
        let url = format!("/v1/customers/{id}/balance_transactions");
        page_of(&self.customer_balance_transactions, &url, params, &[("customer", id)], |row| {
            let fits = *row.customer == *id
                && params.text("invoice").is_none_or(|invoice| row.invoice.as_deref() == Some(invoice));
            fits.then(|| row.render())
        })
    }
}

/// A customer has one currency once its balance was used.
///
/// # Errors
/// 400 for another one.
pub(crate) fn one_currency(customer: &Customer, currency: Currency) -> Result<(), Box<Refusal>> {
    match customer.currency {
        Some(known) if known != currency => Err(Refusal::invalid(format!(
            "You cannot combine currencies on a single customer. This customer has a balance in {known}, not in \
             {currency}: nothing was changed."
        ))
        .param("currency")
        .after_start()),
        _ => Ok(()),
    }
}
