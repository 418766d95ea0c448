//! Which call an address means, and which operation answers it.

use super::expand::Kind;
use super::object::{Answer, Snapshot};
use super::refusal::Refusal;
use super::schema::Params;
use super::world::StripeWorld;
use crate::wire::Request;

/// A recognized call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    method: &'static str,
    pattern: &'static str,
    /// The id in the address, empty when there is none.
    pub(crate) id: String,
    /// What the answer is, for `expand`.
    pub(crate) answers: Kind,
    /// Whether the answer is a page.
    pub(crate) lists: bool,
}

impl Call {
    /// The call as its shape is named: `POST /v1/refunds`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }
}

type Line = (&'static str, &'static str, Kind, bool);

/// Words before ids: `/v1/customers/search` must not be read as a customer called search.
const CALLS: [Line; 73] = [
    ("GET", "/v1/account", Kind::Flat, false),
    ("POST", "/v1/accounts", Kind::Flat, false),
    ("GET", "/v1/accounts/{id}", Kind::Flat, false),
    ("GET", "/v1/balance", Kind::Flat, false),
    ("GET", "/v1/balance_transactions", Kind::BalanceTransaction, true),
    ("GET", "/v1/balance_transactions/{id}", Kind::BalanceTransaction, false),
    ("GET", "/v1/charges", Kind::Charge, true),
    ("GET", "/v1/charges/{id}", Kind::Charge, false),
    ("GET", "/v1/credit_notes", Kind::CreditNote, true),
    ("POST", "/v1/credit_notes", Kind::CreditNote, false),
    ("GET", "/v1/credit_notes/{id}", Kind::CreditNote, false),
    ("POST", "/v1/credit_notes/{id}/void", Kind::CreditNote, false),
    ("POST", "/v1/customers", Kind::Customer, false),
    ("GET", "/v1/customers/search", Kind::Customer, true),
    ("GET", "/v1/customers/{id}", Kind::Customer, false),
    ("POST", "/v1/customers/{id}", Kind::Customer, false),
    ("GET", "/v1/customers/{id}/payment_methods", Kind::PaymentMethod, true),
    ("GET", "/v1/customers/{id}/balance_transactions", Kind::CustomerBalanceTransaction, true),
    ("POST", "/v1/customers/{id}/balance_transactions", Kind::CustomerBalanceTransaction, false),
    ("GET", "/v1/disputes", Kind::Dispute, true),
    ("GET", "/v1/disputes/{id}", Kind::Dispute, false),
    ("POST", "/v1/disputes/{id}", Kind::Dispute, false),
    ("POST", "/v1/disputes/{id}/close", Kind::Dispute, false),
    ("GET", "/v1/events", Kind::Flat, true),
    ("GET", "/v1/events/{id}", Kind::Flat, false),
    ("GET", "/v1/invoice_payments", Kind::InvoicePayment, true),
    ("GET", "/v1/invoice_payments/{id}", Kind::InvoicePayment, false),
    ("GET", "/v1/invoiceitems", Kind::InvoiceItem, true),
    ("POST", "/v1/invoiceitems", Kind::InvoiceItem, false),
    ("GET", "/v1/invoiceitems/{id}", Kind::InvoiceItem, false),
    ("GET", "/v1/invoices", Kind::Invoice, true),
    ("POST", "/v1/invoices", Kind::Invoice, false),
    ("GET", "/v1/invoices/{id}", Kind::Invoice, false),
    ("POST", "/v1/invoices/{id}", Kind::Invoice, false),
    ("DELETE", "/v1/invoices/{id}", Kind::Flat, false),
    ("POST", "/v1/invoices/{id}/attach_payment", Kind::Invoice, false),
    ("POST", "/v1/invoices/{id}/finalize", Kind::Invoice, false),
    ("POST", "/v1/invoices/{id}/mark_uncollectible", Kind::Invoice, false),
    ("POST", "/v1/invoices/{id}/pay", Kind::Invoice, false),
    ("POST", "/v1/invoices/{id}/send", Kind::Invoice, false),
    ("POST", "/v1/invoices/{id}/void", Kind::Invoice, false),
    ("GET", "/v1/payment_intents", Kind::PaymentIntent, true),
    ("POST", "/v1/payment_intents", Kind::PaymentIntent, false),
    ("GET", "/v1/payment_intents/search", Kind::PaymentIntent, true),
    ("GET", "/v1/payment_intents/{id}", Kind::PaymentIntent, false),
    ("POST", "/v1/payment_intents/{id}", Kind::PaymentIntent, false),
    ("POST", "/v1/payment_intents/{id}/confirm", Kind::PaymentIntent, false),
    ("POST", "/v1/payment_intents/{id}/capture", Kind::PaymentIntent, false),
    ("POST", "/v1/payment_intents/{id}/cancel", Kind::PaymentIntent, false),
    ("POST", "/v1/payment_intents/{id}/increment_authorization", Kind::PaymentIntent, false),
    ("GET", "/v1/payment_methods", Kind::PaymentMethod, true),
    ("POST", "/v1/payment_methods/{id}", Kind::PaymentMethod, false),
    ("GET", "/v1/payment_methods/{id}", Kind::PaymentMethod, false),
    ("POST", "/v1/payment_methods/{id}/attach", Kind::PaymentMethod, false),
    ("POST", "/v1/payment_methods/{id}/detach", Kind::PaymentMethod, false),
    ("GET", "/v1/payouts", Kind::Payout, true),
    ("GET", "/v1/payouts/{id}", Kind::Payout, false),
    ("GET", "/v1/refunds", Kind::Refund, true),
    ("POST", "/v1/refunds", Kind::Refund, false),
    ("GET", "/v1/refunds/{id}", Kind::Refund, false),
    ("POST", "/v1/setup_intents", Kind::SetupIntent, false),
    ("GET", "/v1/setup_intents/{id}", Kind::SetupIntent, false),
    ("POST", "/v1/setup_intents/{id}/confirm", Kind::SetupIntent, false),
    ("POST", "/v1/setup_intents/{id}/cancel", Kind::SetupIntent, false),
    ("GET", "/v1/transfers", Kind::Flat, true),
    ("POST", "/v1/transfers", Kind::Flat, false),
    ("GET", "/v1/transfers/{id}", Kind::Flat, false),
    ("GET", "/v1/transfers/{id}/reversals", Kind::Flat, true),
    ("POST", "/v1/transfers/{id}/reversals", Kind::Flat, false),
    ("GET", "/v1/webhook_endpoints", Kind::Flat, true),
    ("POST", "/v1/webhook_endpoints", Kind::Flat, false),
    ("GET", "/v1/webhook_endpoints/{id}", Kind::Flat, false),
    ("DELETE", "/v1/webhook_endpoints/{id}", Kind::Flat, false),
];

/// The call of a method and a path.
pub(crate) fn find(method: &str, path: &str) -> Option<Call> {
    CALLS.iter().filter(|(known, ..)| *known == method).find_map(|(method, pattern, answers, lists)| {
        matched(pattern, path).map(|id| Call { method, pattern, id, answers: *answers, lists: *lists })
    })
}

/// The parameters of a request: its query and, for POST, its form as well.
pub(crate) fn parameters(request: &Request) -> Vec<(String, String)> {
    let mut pairs = request.query.clone();
    if request.method == "POST" {
        pairs.extend(request.form());
    }
    pairs
}

fn matched(pattern: &str, path: &str) -> Option<String> {
    let mut id = String::new();
    let mut steps = path.trim_end_matches('/').split('/');
    for wanted in pattern.split('/') {
        let step = steps.next()?;
        if wanted == "{id}" {
            step.clone_into(&mut id);
        } else if wanted != step {
            return None;
        }
    }
    if steps.next().is_some() { None } else { Some(id) }
}

impl StripeWorld {
    /// Runs the operation of a call whose parameters were checked.
    pub(crate) fn dispatch(&mut self, call: &Call, params: &Params) -> Answer {
        match call.method {
            "POST" => self.dispatch_post(call, params),
            "DELETE" if call.pattern == "/v1/invoices/{id}" => self.delete_invoice(&call.id),
            "DELETE" => self.delete_webhook_endpoint(&call.id),
            _ => self.dispatch_get(call, params),
        }
    }

    fn dispatch_post(&mut self, call: &Call, params: &Params) -> Answer {
        let id = call.id.as_str();
        match call.pattern {
            "/v1/accounts" => self.create_connected_account(params),
            "/v1/credit_notes" => self.create_credit_note(params),
            "/v1/credit_notes/{id}/void" => self.void_credit_note(id),
            "/v1/customers" => self.create_customer(params),
            "/v1/customers/{id}" => self.update_customer(id, params),
            "/v1/customers/{id}/balance_transactions" => self.create_customer_balance_transaction(id, params),
            "/v1/disputes/{id}" => self.update_dispute(id, params),
            "/v1/disputes/{id}/close" => self.close_dispute(id),
            "/v1/invoiceitems" => self.create_invoice_item(params),
            "/v1/invoices" => self.create_invoice(params),
            "/v1/invoices/{id}" => self.update_invoice(id, params),
            "/v1/invoices/{id}/attach_payment" => self.attach_payment(id, params),
            "/v1/invoices/{id}/finalize" => self.finalize_invoice(id, params),
            "/v1/invoices/{id}/mark_uncollectible" => self.mark_uncollectible(id),
            "/v1/invoices/{id}/pay" => self.pay_invoice(id, params),
            "/v1/invoices/{id}/send" => self.send_invoice(id),
            "/v1/invoices/{id}/void" => self.void_invoice(id),
            "/v1/payment_intents" => self.create_payment_intent(params),
            "/v1/payment_intents/{id}" => self.update_payment_intent(id, params),
            "/v1/payment_intents/{id}/confirm" => self.confirm_payment_intent(id, params),
            "/v1/payment_intents/{id}/capture" => self.capture_payment_intent(id, params),
            "/v1/payment_intents/{id}/cancel" => self.cancel_payment_intent(id, params),
            "/v1/payment_intents/{id}/increment_authorization" => self.increment_authorization(id, params),
            "/v1/payment_methods/{id}" => self.update_payment_method(id, params),
            "/v1/payment_methods/{id}/attach" => self.attach_payment_method(id, params),
            "/v1/payment_methods/{id}/detach" => self.detach_payment_method(id),
            "/v1/refunds" => self.create_refund(params),
            "/v1/setup_intents" => self.create_setup_intent(params),
            "/v1/setup_intents/{id}/confirm" => self.confirm_setup_intent(id, params),
            "/v1/setup_intents/{id}/cancel" => self.cancel_setup_intent(id, params),
            "/v1/transfers" => self.create_transfer(params),
            "/v1/transfers/{id}/reversals" => self.reverse_transfer(id, params),
            "/v1/webhook_endpoints" => self.create_webhook_endpoint(params),
            unknown => Err(Refusal::invalid(format!("{unknown} is not served."))),
        }
    }

    fn dispatch_get(&self, call: &Call, params: &Params) -> Answer {
        let id = call.id.as_str();
        match call.pattern {
            "/v1/account" => Ok(Snapshot::listing(self.show_account())),
            "/v1/accounts/{id}" => self.show_connected_account(id),
            "/v1/balance" => Ok(Snapshot::listing(self.show_balance())),
            "/v1/balance_transactions" => self.list_balance_transactions(params),
            "/v1/balance_transactions/{id}" => self.show_balance_transaction(id),
            "/v1/charges" => self.list_charges(params),
            "/v1/charges/{id}" => self.show_charge(id),
            "/v1/credit_notes" => self.list_credit_notes(params),
            "/v1/credit_notes/{id}" => self.show_credit_note(id),
            "/v1/customers/search" => self.search_customers(params),
            "/v1/customers/{id}" => self.show_customer(id),
            "/v1/customers/{id}/payment_methods" => self.list_payment_methods(id, params),
            "/v1/customers/{id}/balance_transactions" => self.list_customer_balance_transactions(id, params),
            "/v1/disputes" => self.list_disputes(params),
            "/v1/disputes/{id}" => self.show_dispute(id),
            "/v1/events" => self.list_events(params),
            "/v1/events/{id}" => self.show_event(id),
            "/v1/invoice_payments" => self.list_invoice_payments(params),
            "/v1/invoice_payments/{id}" => self.show_invoice_payment(id),
            "/v1/invoiceitems" => self.list_invoice_items(params),
            "/v1/invoiceitems/{id}" => self.show_invoice_item(id),
            "/v1/invoices" => self.list_invoices(params),
            "/v1/invoices/{id}" => self.show_invoice(id),
            "/v1/payment_intents" => self.list_payment_intents(params),
            "/v1/payment_intents/search" => self.search_payment_intents(params),
            "/v1/payment_intents/{id}" => self.show_payment_intent(id),
            "/v1/payment_methods" => self.list_all_payment_methods(params),
            "/v1/payment_methods/{id}" => self.show_payment_method(id),
            "/v1/payouts" => self.list_payouts(params),
            "/v1/payouts/{id}" => self.show_payout(id),
            "/v1/refunds" => self.list_refunds(params),
            "/v1/refunds/{id}" => self.show_refund(id),
            "/v1/setup_intents/{id}" => self.show_setup_intent(id),
            "/v1/transfers" => self.list_transfers(params),
            "/v1/transfers/{id}" => self.show_transfer(id),
            "/v1/transfers/{id}/reversals" => self.list_transfer_reversals(id, params),
            "/v1/webhook_endpoints" => self.list_webhook_endpoints(params),
            "/v1/webhook_endpoints/{id}" => self.show_webhook_endpoint(id),
            unknown => Err(Refusal::invalid(format!("{unknown} is not served."))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::schema;

    #[test]
    fn every_call_has_a_shape() {
        for (method, pattern, ..) in CALLS {
            assert!(schema::shape(&format!("{method} {pattern}")).is_some(), "{method} {pattern}");
        }
    }

    #[test]
    fn addresses_are_read() {
        assert_eq!(find("GET", "/v1/customers/search").unwrap().pattern, "/v1/customers/search");
        assert_eq!(find("GET", "/v1/customers/cus_1").unwrap().id, "cus_1");
        assert_eq!(find("POST", "/v1/payment_intents/pi_1/confirm").unwrap().id, "pi_1");
        assert_eq!(find("PATCH", "/v1/customers/cus_1"), None);
    }
}
