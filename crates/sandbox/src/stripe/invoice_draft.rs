//! Drafts of invoices: create, update, put items on, delete, list.
//!
//! What must stay true: only drafts are deleted, and of a finalized invoice only what does not touch money changes.

use super::currency;
use super::customer_balance::one_currency;
use super::invoice::{ECHOED, Invoice, Line, Status, Transitions};
use super::invoice_item::InvoiceItem;
use super::listing::{bounds, page_of};
use super::object::{Answer, Echo, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::timer::Due;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

const DAY_SECONDS: i64 = 86_400;

/// Parameters that may change after an invoice was finalized.
const ALWAYS_OPEN: [&str; 4] = ["auto_advance", "default_payment_method", "expand", "metadata"];

/// Parameters whose behaviour is not served: refused, so that nobody relies on nothing.
const NOT_SERVED: [&str; 13] = [
    "application_fee_amount",
    "automatically_finalizes_at",
    "customer_account",
    "default_source",
    "default_tax_rates",
    "discounts",
    "from_invoice",
    "issuer",
    "on_behalf_of",
    "shipping_cost",
    "shipping_details",
    "subscription",
    "transfer_data",
];

fn check_served(params: &Params) -> Result<(), Box<Refusal>> {
    match NOT_SERVED.iter().find(|name| params.get(name).is_some()) {
        Some(name) => Err(Refusal::invalid(format!(
            "The sandbox does not serve the parameter {name} of invoices: nothing was changed."
        ))
        .param(name)),
        None => Ok(()),
    }
}

/// When a mailed invoice is due: exactly one of a date and a number of days.
fn due_date(params: &Params, by_mail: bool, created: i64) -> Result<Option<i64>, Box<Refusal>> {
    let days = params.integer("days_until_due");
    let date = params.integer("due_date").or(days.map(|days| created + days.saturating_mul(DAY_SECONDS)));
    match (by_mail, date) {
        (true, None) => Err(Refusal::invalid(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
        )
        .after_start()),
        (false, Some(_)) => Err(Refusal::invalid(
            "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.",
        )
        .after_start()),
        (_, date) => Ok(date),
    }
}

impl StripeWorld {
    /// `POST /v1/invoices`: a draft, with the pending items only when asked to.
    pub(crate) fn create_invoice(&mut self, params: &Params) -> Answer {
        check_served(params)?;
        let Some(customer) = params.text("customer") else {
            return Err(Refusal::parameter_missing("customer"));
        };
        let Some(customer) = self.customers.get(customer).map(Arc::clone) else {
            return Err(Refusal::missing_reference("customer", customer, "customer"));
        };
        let currency =
            params.text("currency").map_or(Ok(customer.currency.unwrap_or("usd")), currency::parse)?;
        one_currency(&customer, currency)?;
        let by_mail = params.text("collection_method") == Some("send_invoice");
        let default_payment_method = self.default_card(&customer.id, params)?;
        let now = self.now_seconds();
        let due_date = due_date(params, by_mail, now)?;
        let invoice = Invoice {
            id: self.random.id("in_"),
            created: now,
            customer: Arc::clone(&customer.id),
            currency,
            status: Status::Draft,
            deleted: false,
            by_mail,
            auto_advance: params.flag("auto_advance"),
            due_date,
            number: params.text("number").map(Arc::from),
            default_payment_method,
            lines: Arc::default(),
            starting_balance: customer.balance,
            ending_balance: None,
            amount_due: customer.balance.max(0),
            amount_paid: 0,
            amount_overpaid: 0,
            amount_paid_off_stripe: None,
            pre_payment_credit_notes: 0,
            post_payment_credit_notes: 0,
            credit_notes_made: 0,
            attempted: false,
            attempt_count: 0,
            transitions: Transitions::default(),
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
            echo: Echo::default().with(params, &ECHOED),
            site: Arc::clone(&self.site),
        };
        self.keep_draft(invoice, params.text("pending_invoice_items_behavior") == Some("include"))
    }

    fn keep_draft(&mut self, invoice: Invoice, with_pending: bool) -> Answer {
        let customer = Arc::clone(&invoice.customer);
        let row = self.invoices.insert(invoice, &[("customer", &customer)]);
        self.emit("invoice.created", Snapshot::Invoice(Arc::clone(&row)), None);
        if let Some(second) = row.finalizes_at() {
            self.schedule_seconds(second - 1, Due::Finalize(Arc::clone(&row.id)));
        }
        if with_pending {
            let items = self.pending_items(&customer, row.currency);
            self.put_on_draft(&row.id, &items)?;
        }
        self.show_invoice(&row.id)
    }

    fn default_card(&self, customer: &str, params: &Params) -> Result<Option<Id>, Box<Refusal>> {
        let Some(id) = params.text("default_payment_method") else { return Ok(None) };
        self.card_of(customer, id, "default_payment_method").map(Some)
    }

    /// A saved card of a customer.
    ///
    /// # Errors
    /// 400 when there is no such card or it belongs to somebody else.
    pub(crate) fn card_of(&self, customer: &str, id: &str, param: &str) -> Result<Id, Box<Refusal>> {
        let Some(method) = self.payment_methods.get(id) else {
            return Err(Refusal::missing_reference("PaymentMethod", id, param));
        };
        if method.customer.as_deref() == Some(customer) {
            return Ok(Arc::clone(&method.id));
        }
        Err(Refusal::invalid(format!(
            "The customer does not have a payment method with the ID {id}. The payment method must be attached to \
             the customer."
        ))
        .code("resource_missing")
        .param(param))
    }

    /// Puts items on a draft, newest first, and counts it anew.
    pub(crate) fn put_on_draft(&mut self, id: &str, items: &[Arc<InvoiceItem>]) -> Result<(), Box<Refusal>> {
        if items.is_empty() {
            return Ok(());
        }
        let mut lines: Vec<Line> = Vec::with_capacity(items.len());
        for item in items {
            lines.push(item.line(self.random.id("il_")));
            let at = Id::from(id);
            self.invoice_items.change(&item.id, |item| item.invoice = Some(at));
        }
        self.change_invoice(id, |invoice| {
            lines.extend(invoice.lines.iter().cloned());
            invoice.lines = Arc::new(lines);
            invoice.amount_due = invoice.total().saturating_add(invoice.starting_balance).max(0);
        })?;
        Ok(())
    }

    /// `POST /v1/invoices/{id}`
    pub(crate) fn update_invoice(&mut self, id: &str, params: &Params) -> Answer {
        let before = self.invoice(id, "id")?;
        check_served(params)?;
        let sealed = params.0.keys().find(|name| !ALWAYS_OPEN.contains(&name.as_str()));
        if let Some(name) = sealed.filter(|_| before.status != Status::Draft) {
            return Err(Refusal::invalid("Finalized invoices can't be updated in this way")
                .param(name)
                .after_start());
        }
        let by_mail =
            params.text("collection_method").map_or(before.by_mail, |method| method == "send_invoice");
        let moved = params.get("due_date").is_some() || params.get("days_until_due").is_some();
        let due = if moved || by_mail && before.due_date.is_none() {
            due_date(params, by_mail, before.created)?
        } else {
            before.due_date.filter(|_| by_mail)
        };
        let card = self.default_card(&before.customer, params)?;
        let row = self.change_invoice(id, |invoice| {
            invoice.by_mail = by_mail;
            invoice.due_date = due;
            if card.is_some() {
                invoice.default_payment_method = card;
            }
            if let Some(advance) = params.get("auto_advance").and_then(Value::as_bool) {
                invoice.auto_advance = advance;
            }
            if let Some(number) = params.text("number") {
                invoice.number = Some(Arc::from(number));
            }
            invoice.metadata = merge_metadata(&invoice.metadata, params.get("metadata"));
            invoice.echo = invoice.echo.clone().with(params, &ECHOED);
        })?;
        if let Some(second) = row.finalizes_at().filter(|_| !before.auto_advance) {
            self.schedule_seconds(second - 1, Due::Finalize(Arc::clone(&row.id)));
        }
        Ok(Snapshot::Invoice(row))
    }

    /// `DELETE /v1/invoices/{id}`: its items stay with it and are not billed again.
    pub(crate) fn delete_invoice(&mut self, id: &str) -> Answer {
        let before = self.invoice(id, "invoice")?;
        if before.status != Status::Draft {
            return Err(Refusal::invalid("You can only delete draft invoices.").after_start());
        }
        if let Some(row) = self.invoices.change(id, |invoice| invoice.deleted = true) {
            self.emit("invoice.deleted", Snapshot::Invoice(row), None);
        }
        Ok(Snapshot::listing(json!({ "id": id, "object": "invoice", "deleted": true })))
    }

    /// `GET /v1/invoices`
    pub(crate) fn list_invoices(&self, params: &Params) -> Answer {
        let customer = params.text("customer");
        let tags: Vec<_> = customer.map(|customer| ("customer", customer)).into_iter().collect();
        let (from, until) = bounds(params.get("due_date"));
        let dated = from.is_some() || until.is_some();
        page_of(&self.invoices, "/v1/invoices", params, &tags, |row| {
            let mailed = if row.by_mail { "send_invoice" } else { "charge_automatically" };
            let due = row.due_date.is_some_and(|due| {
                from.is_none_or(|from| due >= from) && until.is_none_or(|until| due <= until)
            });
            let fits = !row.deleted
                && customer.is_none_or(|wanted| *row.customer == *wanted)
                && params.text("status").is_none_or(|wanted| row.status.text() == wanted)
                && params.text("collection_method").is_none_or(|wanted| mailed == wanted)
                && params.text("subscription").is_none()
                && (!dated || due);
            fits.then(|| row.render(self))
        })
    }
}
