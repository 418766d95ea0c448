//! Invoice items: amounts that wait for an invoice of their customer, or are put on a draft at once.
//!
//! What must stay true: an item is on at most one invoice, and only drafts take items.

use super::currency::{self, Currency};
use super::customer_balance::one_currency;
use super::invoice::{self, Line};
use super::listing::page_of;
use super::object::{Answer, Metadata, Snapshot, merge_metadata};
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// An amount for an invoice.
#[derive(Debug, Clone)]
pub(crate) struct InvoiceItem {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) customer: Id,
    pub(crate) invoice: Option<Id>,
    pub(crate) currency: Currency,
    /// Signed minor units: negative takes from the invoice.
    pub(crate) amount: i64,
    quantity: i64,
    unit_amount: i64,
    description: Option<Arc<str>>,
    period: (i64, i64),
    metadata: Metadata,
}

impl Row for InvoiceItem {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// The one-off price that Stripe makes behind an amount.
fn pricing(item: &str, unit_amount: i64) -> Value {
    json!({
        "type": "price_details", "unit_amount_decimal": unit_amount.to_string(),
        "price_details": {
            "price": format!("price_{}", derived(item, 24)), "product": format!("prod_{}", derived(item, 14))
        },
    })
}

impl InvoiceItem {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": *self.id, "object": "invoiceitem", "amount": self.amount, "currency": self.currency,
            "customer": *self.customer, "customer_account": null, "date": self.created,
            "description": self.description.as_deref(), "discountable": self.amount >= 0, "discounts": [],
            "invoice": self.invoice.as_deref(), "livemode": false, "metadata": *self.metadata,
            "net_amount": self.amount, "parent": null,
            "period": { "end": self.period.1, "start": self.period.0 },
            "pricing": pricing(&self.id, self.unit_amount), "proration": false, "proration_details": null,
            "quantity": self.quantity, "quantity_decimal": self.quantity.to_string(), "tax_rates": [],
            "test_clock": null,
        })
    }

    /// The item as a line of an invoice.
    pub(crate) fn line(&self, id: Id) -> Line {
        Line { id, item: Arc::clone(&self.id), amount: self.amount, description: self.description.clone() }
    }

    /// The line as the API shows it.
    pub(crate) fn render_line(&self, id: &str, invoice: &str) -> Value {
        json!({
            "id": id, "object": "line_item", "amount": self.amount, "currency": self.currency,
            "description": self.description.as_deref(), "discount_amounts": [], "discountable": self.amount >= 0,
            "discounts": [], "invoice": invoice, "livemode": false, "metadata": *self.metadata,
            "parent": {
                "type": "invoice_item_details", "subscription_item_details": null,
                "invoice_item_details": {
                    "invoice_item": *self.id, "proration": false,
                    "proration_details": { "credited_items": null }, "subscription": null
                },
            },
            "period": { "end": self.period.1, "start": self.period.0 }, "pretax_credit_amounts": [],
            "pricing": pricing(&self.id, self.unit_amount), "quantity": self.quantity,
            "quantity_decimal": self.quantity.to_string(), "subscription": null, "subtotal": self.amount,
            "taxes": [],
        })
    }
}

/// Amount, quantity and price of one unit, as the parameters say.
fn priced(params: &Params) -> Result<(i64, i64, i64), Box<Refusal>> {
    if params.text_at(&["pricing", "price"]).is_some_and(|price| !price.is_empty()) {
        let price = params.text_at(&["pricing", "price"]).unwrap_or_default();
        return Err(Refusal::missing_reference("price", price, "pricing[price]"));
    }
    let quantity = params.integer("quantity").unwrap_or(1);
    let unit = params.get("price_data").and_then(|price| price.get("unit_amount")).and_then(Value::as_i64);
    let decimal = params.text("unit_amount_decimal").map(str::parse::<i64>);
    let unit = match (unit, decimal) {
        (Some(unit), _) | (None, Some(Ok(unit))) => Some(unit),
        (None, Some(Err(_))) => {
            return Err(Refusal::invalid("Only whole minor units are served here: nothing was created.")
                .param("unit_amount_decimal"));
        }
        (None, None) => None,
    };
    match (params.integer("amount"), unit) {
        (Some(_), _) if params.get("quantity").is_some() => {
            Err(Refusal::invalid("You may only specify one of these parameters: amount, quantity.")
                .code("parameters_exclusive")
                .param("amount"))
        }
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "You may only specify one of these parameters: amount, unit_amount_decimal.",
        )
        .code("parameters_exclusive")
        .param("amount")),
        (Some(amount), None) => Ok((amount, 1, amount)),
        (None, Some(unit)) if quantity >= 0 => Ok((unit.saturating_mul(quantity), quantity, unit)),
        (None, Some(_)) => Err(Refusal::too_low("quantity", 0)),
        (None, None) => Err(Refusal::parameter_missing("amount")),
    }
}

impl StripeWorld {
    /// `POST /v1/invoiceitems`
    pub(crate) fn create_invoice_item(&mut self, params: &Params) -> Answer {
        let Some(customer) = params.text("customer") else {
            return Err(Refusal::parameter_missing("customer"));
        };
        let Some(customer) = self.customers.get(customer).map(Arc::clone) else {
            return Err(Refusal::missing_reference("customer", customer, "customer"));
        };
        let draft = params.text("invoice").map(|id| self.draft_named(id, &customer.id)).transpose()?;
        let (amount, quantity, unit_amount) = priced(params)?;
        let named = params.text("currency").or_else(|| params.text_at(&["price_data", "currency"]));
        let currency = match (named, &draft) {
            (Some(text), _) => currency::parse(text)?,
            (None, Some(draft)) => draft.currency,
            (None, None) => return Err(Refusal::parameter_missing("currency")),
        };
        one_currency(&customer, currency)?;
        if draft.as_ref().is_some_and(|draft| draft.currency != currency) {
            return Err(Refusal::invalid("The currency of the item is not the currency of the invoice.")
                .param("currency")
                .after_start());
        }
        let now = self.now_seconds();
        let moment = |name: &str| params.get("period").and_then(|period| period.get(name)?.as_i64());
        let item = InvoiceItem {
            id: self.random.id("ii_"),
            created: now,
            customer: Arc::clone(&customer.id),
            invoice: draft.as_ref().map(|draft| Arc::clone(&draft.id)),
            currency,
            amount,
            quantity,
            unit_amount,
            description: params.text("description").map(Arc::from),
            period: (moment("start").unwrap_or(now), moment("end").unwrap_or(now)),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
        };
        let row = self.invoice_items.insert(item, &[("customer", &customer.id)]);
        self.emit("invoiceitem.created", Snapshot::InvoiceItem(Arc::clone(&row)), None);
        if let Some(draft) = draft {
            self.put_on_draft(&draft.id, &[Arc::clone(&row)])?;
        }
        Ok(Snapshot::InvoiceItem(row))
    }

    fn draft_named(&self, id: &str, customer: &str) -> Result<Arc<invoice::Invoice>, Box<Refusal>> {
        let Some(draft) = self.invoices.get(id).filter(|draft| !draft.deleted) else {
            return Err(Refusal::missing_reference("invoice", id, "invoice"));
        };
        if *draft.customer != *customer {
            return Err(Refusal::invalid("The invoice belongs to another customer: nothing was created.")
                .param("invoice")
                .after_start());
        }
        if draft.status != invoice::Status::Draft {
            return Err(Refusal::state(
                "invoice_not_editable",
                "Invalid invoice: This invoice is no longer editable",
            )
            .param("invoice"));
        }
        Ok(Arc::clone(draft))
    }

    /// The items of a customer and a currency that are on no invoice, newest first.
    pub(crate) fn pending_items(&self, customer: &str, currency: Currency) -> Vec<Arc<InvoiceItem>> {
        let items = self.invoice_items.tagged("customer", customer).rev();
        items.filter(|item| item.invoice.is_none() && item.currency == currency).map(Arc::clone).collect()
    }

    /// `GET /v1/invoiceitems/{id}`
    pub(crate) fn show_invoice_item(&self, id: &str) -> Answer {
        self.invoice_items
            .get(id)
            .map(|row| Snapshot::InvoiceItem(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("Invoice Item", id, "id"))
    }

    /// `GET /v1/invoiceitems`
    pub(crate) fn list_invoice_items(&self, params: &Params) -> Answer {
        let customer = params.text("customer");
        let tags: Vec<_> = customer.map(|customer| ("customer", customer)).into_iter().collect();
        let pending = params.get("pending").and_then(Value::as_bool);
        page_of(&self.invoice_items, "/v1/invoiceitems", params, &tags, |row| {
            let fits = customer.is_none_or(|wanted| *row.customer == *wanted)
                && params.text("invoice").is_none_or(|wanted| row.invoice.as_deref() == Some(wanted))
                && pending.is_none_or(|wanted| wanted == row.invoice.is_none());
            fits.then(|| row.render())
        })
    }
}
