//! Money for invoices: pay, pay outside of Stripe, attach a payment, and what an intent that succeeds does (FACTS §d).
//!
//! What must stay true: what an intent brought is counted once, what is too much becomes credit of the customer, and
//! an invoice is paid exactly when nothing remains.

use super::attempt::Confirmation;
use super::currency::least;
use super::customer_balance::Change;
use super::invoice::{Invoice, Status};
use super::invoice_moves::forbidden;
use super::invoice_payment::{InvoicePayment, Status as PaymentStatus};
use super::object::{Answer, Snapshot};
use super::payment_intent::{PaymentIntent, Status as IntentStatus};
use super::random::Id;
use super::refusal::{Kind, Refusal};
use super::schema::Params;
use super::world::StripeWorld;
use serde_json::Value;
use std::sync::Arc;

impl StripeWorld {
    /// `POST /v1/invoices/{id}/pay`: a draft is finalized first; without more the default card is charged.
    pub(crate) fn pay_invoice(&mut self, id: &str, params: &Params) -> Answer {
        let before = self.invoice(id, "id")?;
        refuse_unpayable(&before)?;
        if let Some(source) = params.text("source") {
            return Err(Refusal::missing_reference("source", source, "source"));
        }
        // A card that cannot be used must not leave a draft finalized behind a refusal.
        let card = if params.flag("paid_out_of_band") { None } else { Some(self.card_for(&before, params)) };
        if before.status == Status::Draft {
            if let Some(Err(refusal)) = card.clone().filter(|_| before.amount_due >= least(before.currency)) {
                return Err(refusal);
            }
            self.finalize_invoice(id, &Params::default())?;
        }
        let invoice = self.invoice(id, "id")?;
        if invoice.status == Status::Paid {
            return Ok(Snapshot::Invoice(invoice));
        }
        match card {
            None => self.pay_outside(&invoice),
            Some(card) => self.charge_invoice(&invoice, &card?, params),
        }
    }

    fn pay_outside(&mut self, invoice: &Invoice) -> Answer {
        let remaining = invoice.amount_remaining();
        self.invoices.change(&invoice.id, |invoice| {
            invoice.amount_paid += remaining;
            invoice.amount_paid_off_stripe = Some(remaining);
        });
        self.mark_paid(&invoice.id, false)?;
        self.show_invoice(&invoice.id)
    }

    /// The named card, the invoice's, or the customer's, in this order.
    fn card_for(&self, invoice: &Invoice, params: &Params) -> Result<Id, Box<Refusal>> {
        if let Some(named) = params.text("payment_method") {
            return self.card_of(&invoice.customer, named, "payment_method");
        }
        let customer = self.customers.get(&invoice.customer);
        let known = invoice
            .default_payment_method
            .as_deref()
            .or_else(|| customer.and_then(|customer| customer.default_payment_method()));
        let Some(known) = known else {
            return Err(Refusal::state(
                "resource_missing",
                "This customer has no attached payment source or default payment method. Please consider adding a \
                 default payment method. For more information, visit \
                 https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
            ));
        };
        self.card_of(&invoice.customer, known, "payment_method")
    }

    fn charge_invoice(&mut self, invoice: &Invoice, card: &str, params: &Params) -> Answer {
        let Some(payment) = self.default_payment(&invoice.id) else {
            return Err(forbidden("Invoice is no longer payable"));
        };
        self.invoices.change(&invoice.id, |invoice| {
            invoice.attempted = true;
            invoice.attempt_count = invoice.attempt_count.max(1);
        });
        let asked = Confirmation {
            payment_method: Some(card.to_owned()),
            off_session: params.get("off_session").and_then(Value::as_bool).unwrap_or(true),
            ..Confirmation::default()
        };
        match self.confirm(&payment.payment_intent, &asked) {
            Ok(Snapshot::PaymentIntent(row)) if row.status == IntentStatus::RequiresAction => {
                self.emit_invoice("invoice.payment_action_required", &invoice.id);
                Err(Refusal::new(
                    402,
                    Kind::Card,
                    "This payment requires additional user action before it can be completed successfully. Payment \
                     can be completed using the PaymentIntent associated with the invoice.",
                )
                .code("invoice_payment_intent_requires_action")
                .field("payment_intent", row.render())
                .after_start())
            }
            Ok(_) => self.show_invoice(&invoice.id),
            Err(refusal) => {
                if refusal.status == 402 {
                    self.emit_invoice("invoice.payment_failed", &invoice.id);
                }
                Err(refusal)
            }
        }
    }

    /// Tells about an invoice in its present version.
    pub(crate) fn emit_invoice(&mut self, kind: &'static str, id: &str) {
        if let Some(row) = self.invoices.get(id).map(Arc::clone) {
            self.emit(kind, Snapshot::Invoice(row), None);
        }
    }

    /// `POST /v1/invoices/{id}/attach_payment`: a succeeded intent counts at once, another one when it succeeds.
    pub(crate) fn attach_payment(&mut self, id: &str, params: &Params) -> Answer {
        let invoice = self.invoice(id, "invoice")?;
        if invoice.status != Status::Open {
            return Err(forbidden("You can only pass in open invoices. This invoice isn't open."));
        }
        if let Some(record) = params.text("payment_record") {
            return Err(Refusal::missing_reference("payment_record", record, "payment_record"));
        }
        let Some(named) = params.text("payment_intent") else {
            return Err(Refusal::parameter_missing("payment_intent"));
        };
        let Some(intent) = self.payment_intents.get(named).map(Arc::clone) else {
            return Err(Refusal::missing_reference("payment_intent", named, "payment_intent"));
        };
        self.check_attachable(&invoice, &intent)?;
        let payment = self.add_invoice_payment(&invoice, &intent, false);
        if intent.status == IntentStatus::Succeeded {
            self.credit_payment(&payment, self.kept_of(&intent), false)?;
        }
        self.show_invoice(id)
    }

    fn check_attachable(&self, invoice: &Invoice, intent: &PaymentIntent) -> Result<(), Box<Refusal>> {
        let refuse = |message: String| Err(Refusal::invalid(message).param("payment_intent").after_start());
        if intent.customer.as_deref() != Some(&*invoice.customer) {
            return refuse(
                "The PaymentIntent and the invoice must have the same customer: nothing was attached."
                    .to_owned(),
            );
        }
        if intent.currency != invoice.currency {
            return refuse(format!(
                "The PaymentIntent's currency ({}) must match the invoice's currency ({}).",
                intent.currency, invoice.currency
            ));
        }
        if let Some(payment) = self.payment_of_intent(&intent.id) {
            return refuse(format!(
                "The PaymentIntent is attached to the invoice {} already.",
                payment.invoice
            ));
        }
        if intent.status == IntentStatus::Canceled {
            return refuse("A canceled PaymentIntent cannot be attached to an invoice.".to_owned());
        }
        if intent.status == IntentStatus::Succeeded && self.kept_of(intent) <= 0 {
            return refuse("This PaymentIntent was refunded in full: there is nothing to attach.".to_owned());
        }
        Ok(())
    }

    /// What an intent brought and was not refunded since.
    fn kept_of(&self, intent: &PaymentIntent) -> i64 {
        let charge = intent.latest_charge.as_deref().and_then(|id| self.charges.get(id));
        intent.amount_received - charge.map_or(0, |charge| charge.amount_refunded)
    }

    /// Called when an intent succeeded: an open invoice payment gets its money.
    pub(crate) fn intent_paid(&mut self, intent: &PaymentIntent) {
        let payment = self.payment_of_intent(&intent.id);
        let Some(payment) = payment.filter(|payment| payment.status == PaymentStatus::Open) else { return };
        let credited = self.credit_payment(&payment, intent.amount_received, true);
        debug_assert!(credited.is_ok(), "the invoice of a payment is never deleted: it was open once");
    }

    /// Counts the money of a payment: as far as it is owed it pays, the rest becomes credit.
    fn credit_payment(
        &mut self,
        payment: &InvoicePayment,
        received: i64,
        collected: bool,
    ) -> Result<(), Box<Refusal>> {
        let now = self.now_seconds();
        let row = self.invoice_payments.change(&payment.id, |row| {
            row.status = PaymentStatus::Paid;
            row.amount_paid = Some(received);
            row.paid_at = Some(now);
        });
        let before = self.invoice(&payment.invoice, "invoice")?;
        let owed = if before.status.payable() { before.amount_remaining() } else { 0 };
        let used = received.min(owed);
        let surplus = received - used;
        if let Some(row) = row {
            self.emit("invoice_payment.paid", Snapshot::InvoicePayment(row), None);
        }
        let change = Change {
            amount: -surplus,
            currency: before.currency,
            kind: "invoice_overpaid",
            invoice: Some(Arc::clone(&before.id)),
            ..Change::default()
        };
        self.change_customer_balance(&before.customer, change);
        let invoice = self.change_invoice(&payment.invoice, |invoice| {
            invoice.amount_paid += used;
            invoice.amount_overpaid += surplus;
            invoice.attempted |= collected;
        })?;
        if surplus > 0 {
            self.emit("invoice.overpaid", Snapshot::Invoice(Arc::clone(&invoice)), None);
        }
        if invoice.status.payable() && invoice.amount_remaining() == 0 {
            return self.mark_paid(&invoice.id, collected);
        }
        self.follow_remaining(&invoice);
        Ok(())
    }
}

fn refuse_unpayable(invoice: &Invoice) -> Result<(), Box<Refusal>> {
    match invoice.status {
        Status::Draft | Status::Open | Status::Uncollectible => Ok(()),
        Status::Paid => Err(forbidden("Invoice is already paid")),
        Status::Void => Err(forbidden("Invoice is no longer payable")),
    }
}
