//! Issuing and voiding credit notes: what comes off the unpaid part, and what goes back of the paid part (FACTS §d).
//!
//! What must stay true: everything is checked before the first refund is made, notes of an invoice never exceed its
//! total, and refunds made without a note count against what can still be credited.

use super::charge::Charge;
use super::credit_note::{CreditNote, NoteLine};
use super::currency::spoken;
use super::customer_balance::Change;
use super::invoice::{Invoice, Status};
use super::invoice_moves::forbidden;
use super::invoice_payment::Status as PaymentStatus;
use super::object::{Answer, Metadata, Snapshot, merge_metadata};
use super::random::Id;
use super::refusal::Refusal;
use super::schema::Params;
use super::world::StripeWorld;
use serde_json::{Map, Value};
use std::sync::Arc;

/// How the part that was paid goes back.
#[derive(Debug, Default)]
struct Return {
    refund: i64,
    credit: i64,
    out_of_band: i64,
    /// Refunds that exist already, with the part of each.
    linked: Vec<(Id, i64)>,
}

/// A note that was checked.
#[derive(Debug)]
struct Checked {
    lines: Vec<NoteLine>,
    pre: i64,
    post: i64,
    back: Return,
}

impl Return {
    fn total(&self) -> i64 {
        let linked = self.linked.iter().map(|(_, part)| *part).fold(0, i64::saturating_add);
        self.refund.saturating_add(self.credit).saturating_add(self.out_of_band).saturating_add(linked)
    }
}

fn refused(message: String, param: &str) -> Box<Refusal> {
    Refusal::invalid(message).param(param).after_start()
}

fn not_negative(params: &Params, name: &str) -> Result<i64, Box<Refusal>> {
    match params.integer(name) {
        Some(amount) if amount < 0 => Err(Refusal::too_low(name, 0)),
        amount => Ok(amount.unwrap_or(0)),
    }
}

impl StripeWorld {
    /// `POST /v1/credit_notes`
    pub(crate) fn create_credit_note(&mut self, params: &Params) -> Answer {
        let named = params.text("invoice").unwrap_or_default();
        let Some(invoice) = self.invoices.get(named).filter(|row| !row.deleted).map(Arc::clone) else {
            return Err(Refusal::missing_reference("invoice", named, "invoice"));
        };
        if matches!(invoice.status, Status::Draft | Status::Void) {
            return Err(forbidden(&format!(
                "Credit notes can only be issued for finalized invoices that are open, paid or uncollectible. This \
                 invoice is {}.",
                invoice.status.text()
            )));
        }
        let lines = self.note_lines(&invoice, params)?;
        let amount = lines.iter().map(|line| line.amount).fold(0, i64::saturating_add);
        let back = self.read_return(&invoice, params)?;
        let (pre, post) = self.split_note(&invoice, amount, &back)?;
        let charge = self.charge_for_note(&invoice, back.refund)?;
        let checked = Checked { lines, pre, post, back };
        let note = self.issue(&invoice, checked, charge.as_deref(), params);
        self.emit("credit_note.created", Snapshot::CreditNote(Arc::clone(&note)), None);
        self.take_off(&invoice, pre, post)?;
        self.show_credit_note(&note.id)
    }

    /// The lines of the note: those given, or one for `amount`.
    fn note_lines(&mut self, invoice: &Invoice, params: &Params) -> Result<Vec<NoteLine>, Box<Refusal>> {
        let given = params.get("lines").and_then(Value::as_array).cloned().unwrap_or_default();
        let whole = params.integer("amount");
        let lines = match (whole, given.is_empty()) {
            (Some(_), false) => {
                return Err(Refusal::invalid("You may only specify one of these parameters: amount, lines.")
                    .code("parameters_exclusive"));
            }
            (None, true) => {
                return Err(Refusal::invalid("You must specify one of these parameters: amount, lines.")
                    .code("parameter_missing")
                    .param("amount"));
            }
            (Some(amount), true) => {
                let id = self.random.id("cnli_");
                let description = Some(Arc::from("Credit"));
                vec![NoteLine { id, amount, description, invoice_line: None, quantity: 1 }]
            }
            (None, false) => {
                given.iter().map(|line| self.note_line(invoice, line)).collect::<Result<_, _>>()?
            }
        };
        let name = if whole.is_some() { "amount" } else { "lines" };
        if lines.iter().any(|line| line.amount < 1) {
            return Err(Refusal::too_low(name, 1));
        }
        Ok(lines)
    }

    fn note_line(&mut self, invoice: &Invoice, given: &Value) -> Result<NoteLine, Box<Refusal>> {
        let quantity = given["quantity"].as_i64().unwrap_or(1);
        let priced = given["unit_amount"].as_i64().map(|unit| unit.saturating_mul(quantity));
        let amount = given["amount"].as_i64().or(priced);
        let credited = match given["invoice_line_item"].as_str() {
            Some(id) => Some(
                invoice
                    .lines
                    .iter()
                    .find(|line| *line.id == *id)
                    .ok_or_else(|| Refusal::missing_reference("line_item", id, "lines"))?,
            ),
            None => None,
        };
        let Some(amount) = amount.or(credited.map(|line| line.amount)) else {
            return Err(Refusal::parameter_missing("lines[0][unit_amount]"));
        };
        let described = given["description"].as_str().map(Arc::from);
        Ok(NoteLine {
            id: self.random.id("cnli_"),
            amount,
            description: described.or_else(|| credited.and_then(|line| line.description.clone())),
            invoice_line: credited.map(|line| Arc::clone(&line.id)),
            quantity,
        })
    }

    fn read_return(&self, invoice: &Invoice, params: &Params) -> Result<Return, Box<Refusal>> {
        let mut back = Return {
            refund: not_negative(params, "refund_amount")?,
            credit: not_negative(params, "credit_amount")?,
            out_of_band: not_negative(params, "out_of_band_amount")?,
            linked: Vec::new(),
        };
        let given = params.get("refunds").and_then(Value::as_array).cloned().unwrap_or_default();
        for (at, link) in given.iter().enumerate() {
            let id = link["refund"].as_str().unwrap_or_default();
            let Some(refund) = self.refunds.get(id) else {
                return Err(Refusal::missing_reference("refund", id, &format!("refunds[{at}][refund]")));
            };
            let ours = self
                .payment_of_intent(&refund.payment_intent)
                .is_some_and(|payment| payment.invoice == invoice.id);
            if !ours {
                return Err(refused(
                    format!("The refund {id} does not belong to a payment of this invoice."),
                    &format!("refunds[{at}][refund]"),
                ));
            }
            let twice: i64 =
                back.linked.iter().filter(|(known, _)| **known == *id).map(|(_, part)| *part).sum();
            let free = refund.amount - self.linked_of(id) - twice;
            let part = link["amount_refunded"].as_i64().unwrap_or(free);
            if part < 1 || part > free {
                return Err(refused(
                    format!(
                        "Only {} of the refund {id} can still be linked to a credit note.",
                        spoken(free, invoice.currency)
                    ),
                    &format!("refunds[{at}][amount_refunded]"),
                ));
            }
            back.linked.push((Arc::clone(&refund.id), part));
        }
        Ok(back)
    }

    /// How much of a refund belongs to credit notes already.
    fn linked_of(&self, refund: &str) -> i64 {
        let notes = self.credit_notes.iter().filter(|note| note.voided_at.is_none());
        notes
            .flat_map(|note| note.refunds.iter())
            .filter(|(known, _)| **known == *refund)
            .map(|(_, part)| *part)
            .sum()
    }

    /// The charges that paid an invoice, newest first.
    fn charges_of(&self, invoice: &Invoice) -> Vec<Arc<Charge>> {
        self.invoice_payments
            .tagged("invoice", &invoice.id)
            .rev()
            .filter(|payment| payment.status == PaymentStatus::Paid)
            .filter_map(|payment| self.payment_intents.get(&payment.payment_intent)?.latest_charge.clone())
            .filter_map(|charge| self.charges.get(&charge).map(Arc::clone))
            .collect()
    }

    /// What was refunded of an invoice without a credit note. What had gone back before a payment was attached never paid
    /// the invoice, so it takes nothing off it (our reading: Stripe documents only refunds of what was paid).
    fn refunded_without_note(&self, invoice: &Invoice) -> i64 {
        let paid = self.invoice_payments.tagged("invoice", &invoice.id);
        paid.filter(|payment| payment.status == PaymentStatus::Paid)
            .filter_map(|payment| {
                let charge = self.payment_intents.get(&payment.payment_intent)?.latest_charge.clone()?;
                let charge = self.charges.get(&charge)?;
                let before = charge.amount_captured - payment.amount_paid.unwrap_or(charge.amount_captured);
                let held = || self.refunds.tagged("charge", &charge.id).filter(|refund| refund.holds());
                let all: i64 = held().map(|refund| refund.amount).sum();
                let linked: i64 = held().map(|refund| self.linked_of(&refund.id)).sum();
                Some((all - before).max(0) - linked)
            })
            .map(|free| free.max(0))
            .sum()
    }

    /// The parts before and after payment, or why the note is too large or does not add up.
    fn split_note(&self, invoice: &Invoice, amount: i64, back: &Return) -> Result<(i64, i64), Box<Refusal>> {
        let linking: i64 = back.linked.iter().map(|(_, part)| *part).sum();
        let unlinked = self.refunded_without_note(invoice) - linking;
        let used = invoice.pre_payment_credit_notes + invoice.post_payment_credit_notes + unlinked;
        let creditable = (invoice.total() - used).max(0);
        if amount > creditable {
            return Err(refused(
                format!(
                    "The credit note's amount ({}) is greater than what can still be credited of the invoice ({}).",
                    spoken(amount, invoice.currency),
                    spoken(creditable, invoice.currency)
                ),
                "amount",
            ));
        }
        let open = if invoice.status.payable() { invoice.amount_remaining() } else { 0 };
        let pre = amount.min(open);
        let post = amount - pre;
        if back.total() != post {
            return Err(refused(
                format!(
                    "The sum of credit amount, refund amount and out of band amount ({}) must equal the credit note \
                     amount ({}).",
                    spoken(back.total(), invoice.currency),
                    spoken(post, invoice.currency)
                ),
                "refund_amount",
            ));
        }
        Ok((pre, post))
    }

    /// The newest payment that can give a refund back in one piece.
    fn charge_for_note(&self, invoice: &Invoice, refund: i64) -> Result<Option<Arc<Charge>>, Box<Refusal>> {
        if refund == 0 {
            return Ok(None);
        }
        let charges = self.charges_of(invoice);
        let found = charges.iter().find(|charge| !charge.charged_back && charge.refundable() >= refund);
        found.map(|charge| Some(Arc::clone(charge))).ok_or_else(|| {
            refused(
                format!(
                    "No payment of this invoice can be refunded by {}. Create the refunds first and name them in \
                     `refunds`.",
                    spoken(refund, invoice.currency)
                ),
                "refund_amount",
            )
        })
    }

    fn issue(
        &mut self,
        invoice: &Invoice,
        checked: Checked,
        charge: Option<&Charge>,
        params: &Params,
    ) -> Arc<CreditNote> {
        let Checked { lines, pre, post, back } = checked;
        let id = self.random.id("cn_");
        let mut refunds = back.linked;
        if let Some(charge) = charge {
            let row = self.refund(charge, back.refund, &Params(Map::new()));
            refunds.push((Arc::clone(&row.id), back.refund));
        }
        let credit = Change {
            amount: -back.credit,
            currency: invoice.currency,
            kind: "credit_note",
            invoice: Some(Arc::clone(&invoice.id)),
            credit_note: Some(Arc::clone(&id)),
            ..Change::default()
        };
        let line = self.change_customer_balance(&invoice.customer, credit);
        let made = invoice.credit_notes_made + 1;
        let note = CreditNote {
            id,
            created: self.now_seconds(),
            invoice: Arc::clone(&invoice.id),
            customer: Arc::clone(&invoice.customer),
            currency: invoice.currency,
            number: format!("{}-CN-{made:02}", invoice.number.as_deref().unwrap_or_default()).into(),
            lines: Arc::new(lines),
            pre_payment: pre,
            post_payment: post,
            out_of_band: params.integer("out_of_band_amount"),
            refunds: Arc::new(refunds),
            balance_transaction: line.map(|line| Arc::clone(&line.id)),
            reason: params.text("reason").map(Arc::from),
            memo: params.text("memo").map(Arc::from),
            voided_at: None,
            metadata: merge_metadata(&Metadata::default(), params.get("metadata")),
            site: Arc::clone(&self.site),
        };
        self.credit_notes.insert(note, &[("customer", &invoice.customer), ("invoice", &invoice.id)])
    }

    fn take_off(&mut self, invoice: &Invoice, pre: i64, post: i64) -> Result<(), Box<Refusal>> {
        let row = self.change_invoice(&invoice.id, |invoice| {
            invoice.amount_due -= pre;
            invoice.pre_payment_credit_notes += pre;
            invoice.post_payment_credit_notes += post;
            invoice.credit_notes_made += 1;
        })?;
        if row.status.payable() && row.amount_remaining() == 0 {
            return self.mark_paid(&row.id, false);
        }
        self.follow_remaining(&row);
        Ok(())
    }

    /// `POST /v1/credit_notes/{id}/void`: only what was not paid yet can be owed again.
    pub(crate) fn void_credit_note(&mut self, id: &str) -> Answer {
        let Some(before) = self.credit_notes.get(id).map(Arc::clone) else {
            return Err(Refusal::missing("credit_note", id, "id"));
        };
        let open = self.invoices.get(&before.invoice).is_some_and(|invoice| invoice.status == Status::Open);
        if before.voided_at.is_some() || before.post_payment > 0 || !open {
            return Err(forbidden(
                "You can only void an issued credit note of an open invoice that nothing was given back for.",
            ));
        }
        let now = self.now_seconds();
        let row = self.credit_notes.change(id, |note| note.voided_at = Some(now));
        let invoice = self.change_invoice(&before.invoice, |invoice| {
            invoice.amount_due += before.pre_payment;
            invoice.pre_payment_credit_notes -= before.pre_payment;
        })?;
        self.follow_remaining(&invoice);
        if let Some(row) = row {
            self.emit("credit_note.voided", Snapshot::CreditNote(row), None);
        }
        self.show_credit_note(id)
    }
}
