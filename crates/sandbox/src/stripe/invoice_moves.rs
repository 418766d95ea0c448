//! The moves of an invoice between its states: finalize, send, void, mark uncollectible (FACTS §b).
//!
//! What must stay true: draft → open → paid | uncollectible | void, uncollectible → paid | void, and nothing else; a
//! balance that finalizing used is given back by voiding.

use super::currency;
use super::customer_balance::{Change, one_currency};
use super::invoice::{Invoice, Status};
use super::object::{Answer, Snapshot};
use super::refusal::Refusal;
use super::schema::Params;
use super::world::StripeWorld;
use serde_json::Value;
use std::sync::Arc;

/// What finalizing makes of a total and the customer's balance.
struct Reckoning {
    amount_due: i64,
    ending_balance: i64,
    /// `type` of the change of the balance.
    kind: &'static str,
}

/// A negative sum stays as credit, one below the least charge is carried forward (FACTS §i).
fn reckon(total: i64, balance: i64, least: i64) -> Reckoning {
    match total.saturating_add(balance) {
        sum if sum <= 0 => Reckoning { amount_due: 0, ending_balance: sum, kind: "applied_to_invoice" },
        sum if sum < least => Reckoning { amount_due: 0, ending_balance: sum, kind: "invoice_too_small" },
        sum => Reckoning { amount_due: sum, ending_balance: 0, kind: "applied_to_invoice" },
    }
}

/// 400 without a code, as Stripe answers moves that the state forbids.
pub(crate) fn forbidden(message: &str) -> Box<Refusal> {
    Refusal::invalid(message).after_start()
}

impl StripeWorld {
    /// `POST /v1/invoices/{id}/finalize`: gives the number and the pages, collects nothing.
    pub(crate) fn finalize_invoice(&mut self, id: &str, params: &Params) -> Answer {
        let before = self.invoice(id, "id")?;
        if before.status != Status::Draft {
            return Err(forbidden(
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            ));
        }
        if let Some(advance) = params.get("auto_advance").and_then(Value::as_bool) {
            self.invoices.change(id, |invoice| invoice.auto_advance = advance);
        }
        self.seal_invoice(&before)?;
        self.show_invoice(id)
    }

    fn seal_invoice(&mut self, draft: &Invoice) -> Result<(), Box<Refusal>> {
        let Some(customer) = self.customers.get(&draft.customer).map(Arc::clone) else {
            return Err(Refusal::missing("customer", &draft.customer, "customer"));
        };
        // A balance in other money stays where it is.
        let same_money = customer.currency.is_none_or(|known| known == draft.currency);
        let balance = if same_money { customer.balance } else { 0 };
        let sum = reckon(draft.total(), balance, currency::least(draft.currency));
        if sum.ending_balance != balance {
            one_currency(&customer, draft.currency)?;
        }
        let sequence = customer.invoices_numbered + 1;
        let number = format!("{}-{sequence:04}", customer.invoice_prefix());
        self.customers.change(&customer.id, |customer| {
            customer.invoices_numbered = sequence;
            customer.currency.get_or_insert(draft.currency);
        });
        let change = Change {
            amount: sum.ending_balance.saturating_sub(balance),
            currency: draft.currency,
            kind: sum.kind,
            invoice: Some(Arc::clone(&draft.id)),
            ..Change::default()
        };
        self.change_customer_balance(&customer.id, change);
        let now = self.now_seconds();
        let row = self.change_invoice(&draft.id, |invoice| {
            invoice.status = Status::Open;
            invoice.number.get_or_insert_with(|| number.into());
            invoice.starting_balance = balance;
            invoice.ending_balance = Some(sum.ending_balance);
            invoice.amount_due = sum.amount_due;
            invoice.transitions.finalized_at = Some(now);
        })?;
        self.emit("invoice.finalized", Snapshot::Invoice(Arc::clone(&row)), None);
        if row.amount_due == 0 {
            self.invoices.change(&row.id, |invoice| invoice.attempted = true);
            return self.mark_paid(&row.id, false);
        }
        self.open_default_payment(&row)
    }

    /// The hour of a draft with `auto_advance` is over: finalize it, and charge it unless it goes by mail.
    pub(crate) fn finalize_by_itself(&mut self, id: &str) {
        let now = self.now_seconds();
        let Ok(draft) = self.invoice(id, "id") else { return };
        if draft.finalizes_at().is_none_or(|second| second > now) || self.seal_invoice(&draft).is_err() {
            return;
        }
        if !draft.by_mail && self.invoice(id, "id").is_ok_and(|invoice| invoice.status == Status::Open) {
            // There is nobody to answer to: a decline was told already, a missing card is told here.
            if self.pay_invoice(id, &Params::default()).is_err_and(|refusal| refusal.status != 402) {
                self.emit_invoice("invoice.payment_failed", id);
            }
        }
    }

    /// `POST /v1/invoices/{id}/send`: finalizes a draft first.
    pub(crate) fn send_invoice(&mut self, id: &str) -> Answer {
        let before = self.invoice(id, "invoice")?;
        if !before.by_mail {
            return Err(forbidden(
                "You can only manually send an invoice if its collection method is 'send_invoice'.",
            ));
        }
        match before.status {
            Status::Draft => self.seal_invoice(&before)?,
            Status::Open | Status::Uncollectible => {}
            Status::Paid | Status::Void => {
                return Err(forbidden(
                    "This invoice cannot be sent right now. Please contact us via \
                     https://support.stripe.com/contact with details, so we can help.",
                ));
            }
        }
        let row = self.invoice(id, "invoice")?;
        self.emit("invoice.sent", Snapshot::Invoice(Arc::clone(&row)), None);
        Ok(Snapshot::Invoice(row))
    }

    /// `POST /v1/invoices/{id}/void`
    pub(crate) fn void_invoice(&mut self, id: &str) -> Answer {
        let before = self.invoice(id, "id")?;
        let part_paid = before.status.payable() && before.amount_paid > 0;
        if before.status == Status::Paid || part_paid {
            return Err(forbidden("Invoices with `paid` payments cannot be voided."));
        }
        if !before.status.payable() {
            return Err(forbidden("You can only pass in open invoices. This invoice isn't open."));
        }
        self.close_open_payments(id, "void_invoice");
        let used = before.ending_balance.unwrap_or(before.starting_balance) - before.starting_balance;
        let back = Change {
            amount: -used,
            currency: before.currency,
            kind: "unapplied_from_invoice",
            invoice: Some(Arc::clone(&before.id)),
            ..Change::default()
        };
        self.change_customer_balance(&before.customer, back);
        let now = self.now_seconds();
        let row = self.change_invoice(id, |invoice| {
            invoice.status = Status::Void;
            invoice.auto_advance = false;
            invoice.transitions.voided_at = Some(now);
        })?;
        self.emit("invoice.voided", Snapshot::Invoice(Arc::clone(&row)), None);
        Ok(Snapshot::Invoice(row))
    }

    /// `POST /v1/invoices/{id}/mark_uncollectible`
    pub(crate) fn mark_uncollectible(&mut self, id: &str) -> Answer {
        let before = self.invoice(id, "id")?;
        match before.status {
            Status::Open => {}
            Status::Uncollectible => {
                return Err(forbidden("This invoice has already been marked uncollectible."));
            }
            Status::Draft | Status::Paid | Status::Void => {
                return Err(forbidden("You can only pass in open invoices. This invoice isn't open."));
            }
        }
        let now = self.now_seconds();
        let row = self.change_invoice(id, |invoice| {
            invoice.status = Status::Uncollectible;
            invoice.transitions.marked_uncollectible_at = Some(now);
        })?;
        self.emit("invoice.marked_uncollectible", Snapshot::Invoice(Arc::clone(&row)), None);
        Ok(Snapshot::Invoice(row))
    }

    /// Ends an invoice as paid. `collected` when an attempt to collect is what paid it.
    pub(crate) fn mark_paid(&mut self, id: &str, collected: bool) -> Result<(), Box<Refusal>> {
        self.close_open_payments(id, "automatic");
        let now = self.now_seconds();
        let row = self.change_invoice(id, |invoice| {
            invoice.status = Status::Paid;
            invoice.auto_advance = false;
            invoice.transitions.paid_at = Some(now);
        })?;
        self.emit("invoice.paid", Snapshot::Invoice(Arc::clone(&row)), None);
        if collected {
            self.emit("invoice.payment_succeeded", Snapshot::Invoice(row), None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::reckon;

    #[test]
    fn credit_is_used_up_and_small_sums_are_carried_forward() {
        let reckoned = |total, balance| {
            let sum = reckon(total, balance, 50);
            (sum.amount_due, sum.ending_balance, sum.kind)
        };
        assert_eq!(reckoned(5000, 0), (5000, 0, "applied_to_invoice"));
        assert_eq!(reckoned(5000, -2000), (3000, 0, "applied_to_invoice"));
        assert_eq!(reckoned(5000, -6000), (0, -1000, "applied_to_invoice"));
        assert_eq!(reckoned(-2500, 0), (0, -2500, "applied_to_invoice"));
        assert_eq!(reckoned(49, 0), (0, 49, "invoice_too_small"));
        assert_eq!(reckoned(50, 0), (50, 0, "applied_to_invoice"));
    }
}
