//! Invoice payments: which payment intents pay an invoice, and how much each brought (FACTS §0, §b).
//!
//! A finalized invoice has one default payment, whose intent Stripe makes and keeps in step with what remains. What
//! must stay true: an intent is attached to at most one invoice, and counted at most once.

use super::currency::Currency;
use super::invoice::Invoice;
use super::listing::page_of;
use super::object::{Answer, Echo, Metadata, Snapshot};
use super::payment_intent::{CaptureMethod, PaymentIntent, Status as IntentStatus, unexpected};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::table::Row;
use super::world::StripeWorld;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where an invoice payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Open,
    Paid,
    Canceled,
}

impl Status {
    fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Canceled => "canceled",
        }
    }
}

/// One payment of one invoice.
#[derive(Debug, Clone)]
pub(crate) struct InvoicePayment {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) invoice: Id,
    pub(crate) payment_intent: Id,
    pub(crate) currency: Currency,
    pub(crate) amount_requested: i64,
    pub(crate) amount_paid: Option<i64>,
    pub(crate) status: Status,
    pub(crate) is_default: bool,
    pub(crate) paid_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
}

impl Row for InvoicePayment {
    fn id(&self) -> &Id {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl InvoicePayment {
    /// The object as the API shows it.
    pub(crate) fn render(&self) -> Value {
        json!({
            "id": *self.id, "object": "invoice_payment", "amount_paid": self.amount_paid,
            "amount_requested": self.amount_requested, "created": self.created, "currency": self.currency,
            "invoice": *self.invoice, "is_default": self.is_default, "livemode": false,
            "payment": { "payment_intent": *self.payment_intent, "type": "payment_intent" },
            "status": self.status.text(),
            "status_transitions": { "canceled_at": self.canceled_at, "paid_at": self.paid_at },
        })
    }
}

impl StripeWorld {
    /// Puts an intent under an invoice.
    pub(crate) fn add_invoice_payment(
        &mut self,
        invoice: &Invoice,
        intent: &PaymentIntent,
        is_default: bool,
    ) -> Arc<InvoicePayment> {
        let payment = InvoicePayment {
            id: self.random.id("inpay_"),
            created: self.now_seconds(),
            invoice: Arc::clone(&invoice.id),
            payment_intent: Arc::clone(&intent.id),
            currency: invoice.currency,
            amount_requested: if is_default { invoice.amount_remaining() } else { intent.amount },
            amount_paid: None,
            status: Status::Open,
            is_default,
            paid_at: None,
            canceled_at: None,
        };
        self.invoice_payments.insert(payment, &[("invoice", &invoice.id), ("payment_intent", &intent.id)])
    }

    /// The intent that Stripe makes for a finalized invoice.
    pub(crate) fn open_default_payment(&mut self, invoice: &Invoice) -> Result<(), Box<Refusal>> {
        let intent = PaymentIntent {
            id: self.random.id("pi_"),
            created: self.now_seconds(),
            amount: invoice.amount_remaining(),
            amount_capturable: 0,
            amount_received: 0,
            currency: invoice.currency,
            status: IntentStatus::RequiresPaymentMethod,
            capture_method: CaptureMethod::Automatic,
            customer: Some(Arc::clone(&invoice.customer)),
            payment_method: None,
            latest_charge: None,
            canceled_at: None,
            cancellation_reason: None,
            next_action: None,
            last_payment_error: None,
            description: None,
            metadata: Metadata::default(),
            echo: Echo::default(),
            increments: 0,
            external: false,
        };
        let intent = self.keep_payment_intent(intent);
        self.add_invoice_payment(invoice, &intent, true);
        Ok(())
    }

    /// The open default payment of an invoice.
    pub(crate) fn default_payment(&self, invoice: &str) -> Option<Arc<InvoicePayment>> {
        let mut rows = self.invoice_payments.tagged("invoice", invoice);
        rows.find(|row| row.is_default && row.status == Status::Open).map(Arc::clone)
    }

    /// The payment that an intent is attached by, if it still counts.
    pub(crate) fn payment_of_intent(&self, intent: &str) -> Option<Arc<InvoicePayment>> {
        let mut rows = self.invoice_payments.tagged("payment_intent", intent);
        rows.find(|row| row.status != Status::Canceled).map(Arc::clone)
    }

    /// The intent of an invoice is Stripe's: it is neither edited nor canceled directly (FACTS §b).
    ///
    /// # Errors
    /// 400 when the intent is the default payment of an invoice.
    pub(crate) fn not_of_an_invoice(&self, intent: &PaymentIntent) -> Result<(), Box<Refusal>> {
        match self.payment_of_intent(&intent.id) {
            Some(payment) if payment.is_default => Err(unexpected(
                intent,
                format!(
                    "This PaymentIntent belongs to the invoice {} and cannot be changed or canceled directly. Change \
                     or void the invoice instead.",
                    payment.invoice
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Ends what is open under an invoice: the default intent is canceled, attached intents are let go.
    pub(crate) fn close_open_payments(&mut self, invoice: &str, reason: &str) {
        let open: Vec<Arc<InvoicePayment>> = self
            .invoice_payments
            .tagged("invoice", invoice)
            .filter(|row| row.status == Status::Open)
            .map(Arc::clone)
            .collect();
        let now = self.now_seconds();
        for payment in open {
            self.invoice_payments.change(&payment.id, |row| {
                row.status = Status::Canceled;
                row.canceled_at = Some(now);
            });
            let unpaid =
                self.payment_intents.get(&payment.payment_intent).is_some_and(|row| row.status.open());
            if payment.is_default
                && unpaid
                && let Ok(row) = self.close_intent(&payment.payment_intent, Some(reason))
            {
                self.emit("payment_intent.canceled", Snapshot::PaymentIntent(row), None);
            }
        }
    }

    /// Keeps the default payment in step with what remains of its invoice.
    pub(crate) fn follow_remaining(&mut self, invoice: &Invoice) {
        let Some(payment) = self.default_payment(&invoice.id) else { return };
        let remaining = invoice.amount_remaining();
        self.invoice_payments.change(&payment.id, |row| row.amount_requested = remaining);
        self.payment_intents.change(&payment.payment_intent, |row| row.amount = remaining);
    }

    /// `GET /v1/invoice_payments/{id}`
    pub(crate) fn show_invoice_payment(&self, id: &str) -> Answer {
        self.invoice_payments
            .get(id)
            .map(|row| Snapshot::InvoicePayment(Arc::clone(row)))
            .ok_or_else(|| Refusal::missing("invoice_payment", id, "invoice_payment"))
    }

    /// `GET /v1/invoice_payments`
    pub(crate) fn list_invoice_payments(&self, params: &Params) -> Answer {
        let invoice = params.text("invoice");
        let intent = params.text_at(&["payment", "payment_intent"]);
        let mut tags = Vec::new();
        tags.extend(invoice.map(|id| ("invoice", id)));
        tags.extend(intent.map(|id| ("payment_intent", id)));
        page_of(&self.invoice_payments, "/v1/invoice_payments", params, &tags, |row| {
            let fits = invoice.is_none_or(|wanted| *row.invoice == *wanted)
                && intent.is_none_or(|wanted| *row.payment_intent == *wanted)
                && params.text_at(&["payment", "payment_record"]).is_none()
                && params.text("status").is_none_or(|wanted| row.status.text() == wanted);
            fits.then(|| row.render())
        })
    }
}
