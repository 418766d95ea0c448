//! What can be asked of an order.

use crate::id::{DebtId, OrderId};
use crate::money::Money;
use crate::payment::Payment;
use crate::refusal::Refusal;
use crate::time::Timestamp;

use super::event::Event;
use super::state::{Document, Line, Order, Paid, Seen};

/// The most lines of an order.
const LINES_MAX: usize = 200;

/// An order to place.
#[derive(Debug, Clone, PartialEq)]
pub struct Placing {
    /// Its id.
    pub id: OrderId,
    /// The shop's number.
    pub reference: String,
    /// Who bought, by the shop's opaque id.
    pub buyer: String,
    /// The link token.
    pub link: String,
    /// The debt.
    pub debt: DebtId,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Tax, in minor units.
    pub tax_minor: i64,
    /// Shipping, in minor units.
    pub shipping_minor: i64,
    /// What the shop says that it comes to.
    pub total: Money,
    /// How it is sent.
    pub ship_method: Option<String>,
}

/// What can be asked of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Place it.
    Place(Box<Placing>),
    /// Follow one of its payments.
    Follow {
        /// The payment.
        payment: Box<Payment>,
    },
    /// The ERP has a document of it.
    Document {
        /// Our reference.
        reference: String,
        /// The document.
        document: Document,
    },
    /// Take in what the ERP says of shipments and invoices.
    See(Seen),
    /// The ERP applied the deposit to an invoice.
    Apply {
        /// The ERP's number of the invoice.
        invoice: i64,
        /// How much.
        amount: Money,
        /// Our reference of the application.
        reference: String,
    },
    /// The ERP took a credit memo against an invoice.
    Credit {
        /// The ERP's number of the invoice.
        invoice: i64,
        /// How much, with tax.
        amount: Money,
        /// The tax in it.
        tax_minor: i64,
        /// Our reference of the memo.
        reference: String,
    },
    /// Let it wait.
    Hold {
        /// Why, as a code.
        reason: String,
    },
    /// Let it go on.
    Release,
    /// End it without money.
    Cancel {
        /// Why, as a code.
        reason: String,
    },
}

/// Decides a command.
///
/// # Errors
/// [`Refusal`] with what must be different; nothing happened then.
pub fn decide(state: Option<&Order>, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match (state, command) {
        (None, Command::Place(placing)) => place(placing, now),
        (Some(_), Command::Place(_)) => Ok(Vec::new()),
        (None, _) => Err(Refusal::state("order_missing", "Nothing was done: there is no such order.")),
        (Some(order), command) => on(order, command),
    }
}

fn on(order: &Order, command: &Command) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Place(_) => Ok(Vec::new()),
        Command::Follow { payment } => {
            let paid = Paid::of(payment);
            let known = order.payments.get(&payment.id.to_string()) == Some(&paid);
            Ok(if known { Vec::new() } else { vec![Event::PaymentMoved { payment: payment.id, paid }] })
        }
        Command::Document { reference, document } => match order.documents.contains_key(reference) {
            true => Ok(Vec::new()),
            false => Ok(vec![Event::Documented { reference: reference.clone(), document: document.clone() }]),
        },
        Command::See(seen) => Ok(see(order, seen)),
        Command::Apply { invoice, amount, reference } => apply(order, *invoice, *amount, reference),
        Command::Credit { invoice, amount, tax_minor, reference } => {
            credit(order, *invoice, (*amount, *tax_minor), reference)
        }
        Command::Hold { reason } if order.held.as_ref() == Some(reason) => Ok(Vec::new()),
        Command::Hold { reason } => Ok(vec![Event::Held { reason: reason.clone() }]),
        Command::Release if order.held.is_none() => Ok(Vec::new()),
        Command::Release => Ok(vec![Event::Released]),
        Command::Cancel { .. } if order.canceled.is_some() => Ok(Vec::new()),
        Command::Cancel { .. } if order.net_minor() > 0 || !order.invoices.is_empty() => Err(Refusal::state(
            "order_has_money",
            "Nothing was cancelled: the order was paid or invoiced. Refund its payment instead.",
        )),
        Command::Cancel { reason } => Ok(vec![Event::Canceled { reason: reason.clone() }]),
    }
}

fn place(placing: &Placing, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let invalid = |what: String| Refusal::invalid("order_invalid", format!("Nothing was placed. {what}"));
    let word = |text: &str, max: usize| {
        (1..=max).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    };
    if !word(&placing.reference, 40) || !word(&placing.buyer, 40) {
        let text =
            "Give `reference` and `buyer` as 1 to 40 letters, digits or any of - _ . : / each; no names.";
        return Err(invalid(text.to_owned()));
    }
    if placing.lines.is_empty() || placing.lines.len() > LINES_MAX {
        return Err(invalid(format!("Give 1 to {LINES_MAX} lines.")));
    }
    let mut sum = placing.tax_minor.checked_add(placing.shipping_minor);
    for (index, line) in placing.lines.iter().enumerate() {
        if !word(&line.product, 50) || line.quantity == 0 || line.unit_price_minor < 0 {
            let text = format!("Line {} needs a product, a quantity above zero and a price.", index + 1);
            return Err(invalid(text));
        }
        sum = sum.and_then(|sum| sum.checked_add(line.extended_minor()?));
    }
    if placing.tax_minor < 0 || placing.shipping_minor < 0 || placing.total.minor <= 0 {
        return Err(invalid(
            "Tax and shipping are zero or more, and the total is more than zero.".to_owned(),
        ));
    }
    if sum != Some(placing.total.minor) {
        let found = sum.map(|minor| Money::new(minor, placing.total.currency).to_string());
        let found = found.unwrap_or_else(|| "too much".to_owned());
        let text = format!("Lines, tax and shipping are {found}, the total says {}.", placing.total);
        return Err(invalid(text));
    }
    Ok(vec![Event::Placed(Box::new(Order {
        id: placing.id,
        reference: placing.reference.clone(),
        buyer: placing.buyer.clone(),
        link: placing.link.clone(),
        debt: placing.debt,
        lines: placing.lines.clone(),
        tax_minor: placing.tax_minor,
        shipping_minor: placing.shipping_minor,
        total: placing.total,
        ship_method: placing.ship_method.clone(),
        placed_at: now,
        payments: std::collections::BTreeMap::new(),
        documents: std::collections::BTreeMap::new(),
        shipments: Vec::new(),
        invoices: Vec::new(),
        held: None,
        canceled: None,
    }))])
}

/// Only what is new: the ERP is asked again and again.
fn see(order: &Order, seen: &Seen) -> Vec<Event> {
    let mut events = Vec::new();
    for shipment in &seen.shipments {
        let known = order.shipments.iter().any(|known| known.number == shipment.number);
        if !known && !events.contains(&Event::Shipped(shipment.clone())) {
            events.push(Event::Shipped(shipment.clone()));
        }
    }
    for invoice in &seen.invoices {
        let listed = events
            .iter()
            .any(|event| matches!(event, Event::Invoiced(known) if known.number == invoice.number));
        if order.invoice(invoice.number).is_none() && !listed && invoice.total_minor > 0 {
            let fresh = super::state::Invoice {
                applied_minor: 0,
                credited_minor: 0,
                returned_minor: 0,
                ..invoice.clone()
            };
            events.push(Event::Invoiced(fresh));
        }
    }
    events
}

fn is_done(order: &Order, reference: &str) -> bool {
    order.documents.contains_key(reference)
}

fn apply(order: &Order, number: i64, amount: Money, reference: &str) -> Result<Vec<Event>, Refusal> {
    if is_done(order, reference) {
        return Ok(Vec::new());
    }
    let invoice = of_order(order, number)?;
    let open = invoice.open_minor();
    let fits = amount.currency == order.total.currency
        && amount.minor > 0
        && amount.minor <= open
        && amount.minor <= order.unapplied_minor();
    match fits {
        true => {
            Ok(vec![Event::Applied { invoice: number, minor: amount.minor, reference: reference.to_owned() }])
        }
        false => Err(Refusal::state(
            "application_exceeds",
            format!(
                "Nothing was applied in the books: {amount} is more than the deposit holds or invoice {number} needs. Compare \
                 the order with the ERP."
            ),
        )),
    }
}

fn credit(
    order: &Order,
    number: i64,
    (amount, tax_minor): (Money, i64),
    reference: &str,
) -> Result<Vec<Event>, Refusal> {
    if is_done(order, reference) {
        return Ok(Vec::new());
    }
    let invoice = of_order(order, number)?;
    let left = invoice.total_minor.saturating_sub(invoice.credited_minor);
    let fits = amount.currency == order.total.currency
        && amount.minor > 0
        && amount.minor <= left
        && (0..=amount.minor).contains(&tax_minor);
    match fits {
        true => Ok(vec![Event::Credited {
            invoice: number,
            minor: amount.minor,
            tax_minor,
            returned_minor: amount.minor.saturating_sub(invoice.open_minor().clamp(0, amount.minor)),
            reference: reference.to_owned(),
        }]),
        false => Err(Refusal::state(
            "credit_exceeds",
            format!("Nothing was credited in the books: {amount} is more than invoice {number} has left."),
        )),
    }
}

fn of_order(order: &Order, number: i64) -> Result<&super::state::Invoice, Refusal> {
    order.invoice(number).ok_or_else(|| {
        Refusal::state("invoice_unknown", format!("Nothing was booked: the order has no invoice {number}."))
    })
}
