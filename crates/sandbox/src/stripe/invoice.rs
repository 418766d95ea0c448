//! Invoices: the object and its amounts (FACTS §b, §d). Making drafts lives in `invoice_draft`, the moves between
//! states in `invoice_moves`, money in `invoice_pay`.
//!
//! What must stay true: `amount_due = amount_paid + amount_remaining`, and after finalizing the lines never change.

use super::currency::Currency;
use super::object::{Answer, Echo, Metadata, Snapshot};
use super::payment_intent::client_secret;
use super::random::{Id, derived};
use super::refusal::Refusal;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Draft,
    Open,
    Paid,
    Void,
    Uncollectible,
}

impl Status {
    /// The word of the API.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Void => "void",
            Self::Uncollectible => "uncollectible",
        }
    }

    /// True when money can still be taken for it.
    pub(crate) fn payable(self) -> bool {
        matches!(self, Self::Open | Self::Uncollectible)
    }
}

/// One line, in the order of the invoice.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) id: Id,
    pub(crate) item: Id,
    pub(crate) amount: i64,
    pub(crate) description: Option<Arc<str>>,
}

/// When an invoice entered its states, unix seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Transitions {
    pub(crate) finalized_at: Option<i64>,
    pub(crate) paid_at: Option<i64>,
    pub(crate) voided_at: Option<i64>,
    pub(crate) marked_uncollectible_at: Option<i64>,
}

/// An invoice. All amounts are minor units.
#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) customer: Id,
    pub(crate) currency: Currency,
    pub(crate) status: Status,
    pub(crate) deleted: bool,
    /// `collection_method=send_invoice`; charged automatically otherwise.
    pub(crate) by_mail: bool,
    pub(crate) auto_advance: bool,
    pub(crate) due_date: Option<i64>,
    pub(crate) number: Option<Arc<str>>,
    pub(crate) default_payment_method: Option<Id>,
    pub(crate) lines: Arc<Vec<Line>>,
    pub(crate) starting_balance: i64,
    pub(crate) ending_balance: Option<i64>,
    pub(crate) amount_due: i64,
    pub(crate) amount_paid: i64,
    pub(crate) amount_overpaid: i64,
    pub(crate) amount_paid_off_stripe: Option<i64>,
    pub(crate) pre_payment_credit_notes: i64,
    pub(crate) post_payment_credit_notes: i64,
    pub(crate) credit_notes_made: u32,
    pub(crate) attempted: bool,
    pub(crate) attempt_count: u32,
    pub(crate) transitions: Transitions,
    pub(crate) metadata: Metadata,
    /// Description, footer and the like, given back as they were sent.
    pub(crate) echo: Echo,
    /// Where the pages are served, without a slash at the end.
    pub(crate) site: Arc<str>,
}

impl Row for Invoice {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

/// Parameters of an invoice that are given back as they were sent.
pub(crate) const ECHOED: [&str; 7] = [
    "custom_fields",
    "description",
    "effective_at",
    "footer",
    "payment_settings",
    "rendering",
    "statement_descriptor",
];

impl Invoice {
    /// The sum of the lines; negative when the clinic owes.
    pub(crate) fn total(&self) -> i64 {
        self.lines.iter().map(|line| line.amount).fold(0, i64::saturating_add)
    }

    /// What is still to be paid.
    pub(crate) fn amount_remaining(&self) -> i64 {
        self.amount_due - self.amount_paid
    }

    /// The secret part of the addresses of its pages.
    pub(crate) fn page_secret(&self) -> String {
        derived(&self.id, 30)
    }

    /// The hosted page, once there is one.
    pub(crate) fn hosted_url(&self) -> Option<String> {
        self.number.as_ref()?;
        self.transitions.finalized_at.map(|_| format!("{}/i/{}/{}", self.site, self.id, self.page_secret()))
    }

    /// The object as the API shows it.
    pub(crate) fn render(&self, world: &StripeWorld) -> Value {
        let mut shown = json!({
            "id": *self.id, "object": "invoice", "account_country": "US", "account_name": "Suture Sandbox",
            "account_tax_ids": null, "application": null, "attempt_count": self.attempt_count,
            "attempted": self.attempted, "auto_advance": self.auto_advance,
            "automatic_tax": {
                "disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null
            },
            "automatically_finalizes_at": self.finalizes_at(), "billing_reason": "manual",
            "collection_method": if self.by_mail { "send_invoice" } else { "charge_automatically" },
            "created": self.created, "currency": self.currency, "custom_fields": null,
            "customer": *self.customer, "customer_account": null,
            "default_payment_method": self.default_payment_method.as_deref(), "default_source": null,
            "default_tax_rates": [], "description": null, "discounts": [], "due_date": self.due_date,
            "effective_at": self.transitions.finalized_at, "footer": null, "from_invoice": null,
            "hosted_invoice_url": self.hosted_url(),
            "invoice_pdf": self.hosted_url().map(|url| format!("{url}/pdf")),
            "issuer": { "type": "self" }, "last_finalization_error": null, "latest_revision": null,
            "lines": self.lines_page(world), "livemode": false, "metadata": *self.metadata,
            "next_payment_attempt": null, "number": self.number.as_deref(), "on_behalf_of": null, "parent": null,
            "payment_settings": {
                "default_mandate": null, "payment_method_options": null, "payment_method_types": null
            },
            "period_end": self.created, "period_start": self.created, "receipt_number": null, "rendering": null,
            "shipping_cost": null, "shipping_details": null, "statement_descriptor": null,
            "status": self.status.text(), "test_clock": null, "threshold_reason": null,
            "webhooks_delivered_at": self.created,
            "status_transitions": {
                "finalized_at": self.transitions.finalized_at, "paid_at": self.transitions.paid_at,
                "marked_uncollectible_at": self.transitions.marked_uncollectible_at,
                "voided_at": self.transitions.voided_at
            },
        });
        self.show_amounts(&mut shown);
        self.show_customer(world, &mut shown);
        self.echo.lay_over(&mut shown);
        shown
    }

    fn show_amounts(&self, shown: &mut Value) {
        let total = self.total();
        let amounts = json!({
            "amount_due": self.amount_due, "amount_overpaid": self.amount_overpaid,
            "amount_paid": self.amount_paid, "amount_paid_off_stripe": self.amount_paid_off_stripe,
            "amount_remaining": self.amount_remaining(), "amount_shipping": 0,
            "ending_balance": self.ending_balance,
            "post_payment_credit_notes_amount": self.post_payment_credit_notes,
            "pre_payment_credit_notes_amount": self.pre_payment_credit_notes,
            "starting_balance": self.starting_balance, "subtotal": total, "subtotal_excluding_tax": total,
            "total": total, "total_discount_amounts": [], "total_excluding_tax": total,
            "total_pretax_credit_amounts": [], "total_taxes": [],
        });
        if let (Value::Object(shown), Value::Object(amounts)) = (shown, amounts) {
            shown.extend(amounts);
        }
    }

    fn show_customer(&self, world: &StripeWorld, shown: &mut Value) {
        let known = world.customers.get(&self.customer).map(|customer| customer.render());
        let field = |name: &str| known.as_ref().map_or(Value::Null, |known| known[name].clone());
        shown["customer_address"] = field("address");
        shown["customer_email"] = field("email");
        shown["customer_name"] = field("name");
        shown["customer_phone"] = field("phone");
        shown["customer_shipping"] = field("shipping");
        shown["customer_tax_exempt"] = field("tax_exempt");
        shown["customer_tax_ids"] = json!([]);
    }

    fn lines_page(&self, world: &StripeWorld) -> Value {
        let rows: Vec<Value> = self
            .lines
            .iter()
            .filter_map(|line| Some(world.invoice_items.get(&line.item)?.render_line(&line.id, &self.id)))
            .collect();
        let count = rows.len();
        json!({
            "object": "list", "data": rows, "has_more": false, "total_count": count,
            "url": format!("/v1/invoices/{}/lines", self.id)
        })
    }

    /// About an hour after its making, when a draft finalizes by itself.
    pub(crate) fn finalizes_at(&self) -> Option<i64> {
        (self.status == Status::Draft && self.auto_advance).then_some(self.created + 3601)
    }
}

impl StripeWorld {
    /// The invoice of an id in the address. Stripe names the id differently from call to call: `param`.
    pub(crate) fn invoice(&self, id: &str, param: &str) -> Result<Arc<Invoice>, Box<Refusal>> {
        self.invoices
            .get(id)
            .filter(|row| !row.deleted)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::missing("invoice", id, param))
    }

    /// `GET /v1/invoices/{id}`
    pub(crate) fn show_invoice(&self, id: &str) -> Answer {
        self.invoice(id, "invoice").map(Snapshot::Invoice)
    }

    /// What an invoice shows only when it is asked to: its payments and the browser's secret.
    pub(crate) fn part_of_invoice(&self, id: &str, part: &str) -> Option<Value> {
        let invoice = self.invoices.get(id)?;
        match part {
            "payments" => {
                let rows: Vec<Value> =
                    self.invoice_payments.tagged("invoice", id).rev().map(|row| row.render()).collect();
                Some(json!({
                    "object": "list", "data": rows, "has_more": false,
                    "url": format!("/v1/invoice_payments?invoice={id}")
                }))
            }
            "confirmation_secret" if invoice.status.payable() => {
                let intent = &self.default_payment(id)?.payment_intent;
                Some(json!({ "client_secret": client_secret(intent), "type": "payment_intent" }))
            }
            _ => None,
        }
    }

    /// Changes an invoice and tells `invoice.updated` with what was different.
    pub(crate) fn change_invoice(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut Invoice),
    ) -> Result<Arc<Invoice>, Box<Refusal>> {
        let before = self.invoice(id, "invoice")?;
        let before = before.render(self);
        let Some(row) = self.invoices.change(id, change) else {
            return Err(Refusal::missing("invoice", id, "invoice"));
        };
        let previous = super::customer::differences(&before, &row.render(self));
        self.emit("invoice.updated", Snapshot::Invoice(Arc::clone(&row)), Some(previous));
        Ok(row)
    }
}
