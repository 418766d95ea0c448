//! `expand[]`: which fields may be expanded, and replacing ids by objects (FACTS §j, at most four levels).
//!
//! `check` runs before a call is executed, so that a typo costs nothing; `apply` runs on the rendered answer.

use super::refusal::Refusal;
use super::world::StripeWorld;
use serde_json::Value;

/// What an answer is, for checking the paths before there is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    BalanceTransaction,
    Charge,
    CreditNote,
    Customer,
    CustomerBalanceTransaction,
    Dispute,
    Invoice,
    InvoiceItem,
    InvoicePayment,
    /// The payments inside an invoice.
    InvoicePayments,
    /// What an invoice payment was made with.
    PaymentOfInvoice,
    /// The refunds inside a credit note.
    LinkedRefunds,
    PaymentIntent,
    PaymentMethod,
    Payout,
    Refund,
    SetupIntent,
    /// Nothing in it can be expanded.
    Flat,
    /// One of several kinds: the source of a balance transaction.
    Source,
}

fn target(kind: Kind, field: &str) -> Option<Kind> {
    match (kind, field) {
        (Kind::PaymentIntent, "latest_charge") | (Kind::Refund | Kind::Dispute, "charge") => {
            Some(Kind::Charge)
        }
        (
            Kind::PaymentIntent
            | Kind::SetupIntent
            | Kind::Charge
            | Kind::PaymentMethod
            | Kind::CreditNote
            | Kind::CustomerBalanceTransaction
            | Kind::Invoice
            | Kind::InvoiceItem,
            "customer",
        ) => Some(Kind::Customer),
        (
            Kind::CreditNote | Kind::CustomerBalanceTransaction | Kind::InvoiceItem | Kind::InvoicePayment,
            "invoice",
        ) => Some(Kind::Invoice),
        (Kind::CreditNote, "customer_balance_transaction") => Some(Kind::CustomerBalanceTransaction),
        (Kind::CreditNote, "refunds") => Some(Kind::LinkedRefunds),
        (Kind::LinkedRefunds, "refund") => Some(Kind::Refund),
        (Kind::CustomerBalanceTransaction, "credit_note") => Some(Kind::CreditNote),
        (Kind::Invoice, "default_payment_method") => Some(Kind::PaymentMethod),
        (Kind::Invoice, "payments") => Some(Kind::InvoicePayments),
        (Kind::Invoice, "confirmation_secret") => Some(Kind::Flat),
        (Kind::InvoicePayments, "data") => Some(Kind::InvoicePayment),
        (Kind::InvoicePayment, "payment") => Some(Kind::PaymentOfInvoice),
        (Kind::PaymentOfInvoice, "payment_intent") => Some(Kind::PaymentIntent),
        (Kind::PaymentIntent | Kind::SetupIntent | Kind::Refund, "payment_method") => {
            Some(Kind::PaymentMethod)
        }
        (Kind::Charge | Kind::Refund | Kind::Dispute, "payment_intent") => Some(Kind::PaymentIntent),
        (
            Kind::Charge | Kind::Refund | Kind::Payout,
            "balance_transaction" | "failure_balance_transaction",
        ) => Some(Kind::BalanceTransaction),
        (Kind::BalanceTransaction, "source") => Some(Kind::Source),
        (Kind::Source, "charge") => Some(Kind::Charge),
        (Kind::Source, "payment_intent") => Some(Kind::PaymentIntent),
        (Kind::Source, "customer") => Some(Kind::Customer),
        (Kind::Source, "balance_transaction") => Some(Kind::BalanceTransaction),
        _ => None,
    }
}

/// Checks all paths against the kind of answer; `list` when the answer is a page.
///
/// # Errors
/// 400 for a field that cannot be expanded or a path of more than four levels.
pub(crate) fn check(kind: Kind, list: bool, paths: &[String]) -> Result<(), Box<Refusal>> {
    for (at, path) in paths.iter().enumerate() {
        let param = format!("expand[{at}]");
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() > 4 {
            return Err(Refusal::invalid(format!(
                "You cannot expand more than 4 levels of a property. Property: {path}"
            ))
            .param(&param));
        }
        let fields = match steps.split_first() {
            Some((first, rest)) if list && *first == "data" => rest,
            _ if list => return Err(cannot(path, &param)),
            _ => steps.as_slice(),
        };
        let mut reached = kind;
        for field in fields {
            reached = target(reached, field).ok_or_else(|| cannot(path, &param))?;
        }
    }
    Ok(())
}

fn cannot(path: &str, param: &str) -> Box<Refusal> {
    Refusal::invalid(format!("This property cannot be expanded ({path}).")).param(param)
}

/// Replaces the ids on the paths by their objects. Null stays null.
pub(crate) fn apply(world: &StripeWorld, answer: &mut Value, paths: &[String]) {
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        walk(world, answer, &steps);
    }
}

fn walk(world: &StripeWorld, value: &mut Value, steps: &[&str]) {
    let Some((step, deeper)) = steps.split_first() else { return };
    if let Value::Array(items) = value {
        for item in items {
            walk(world, item, steps);
        }
        return;
    }
    if value["object"] == "invoice" && matches!(*step, "payments" | "confirmation_secret") {
        let part = value["id"].as_str().and_then(|id| world.part_of_invoice(id, step));
        value[*step] = part.unwrap_or(Value::Null);
    }
    let Some(field) = value.get_mut(*step) else { return };
    if let Some(found) = field.as_str().and_then(|id| world.find(id)) {
        *field = found.render(world);
    }
    if let Value::Array(items) = field {
        for item in items {
            walk(world, item, deeper);
        }
    } else {
        walk(world, field, deeper);
    }
}
