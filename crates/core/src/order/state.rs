//! An order as known now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{DebtId, OrderId};
use crate::money::Money;
use crate::payment::{self, Payment};
use crate::time::Timestamp;

use super::event::Event;

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The shop's product; a table leads from it to the ERP's part.
    pub product: String,
    /// How many.
    pub quantity: u32,
    /// The price of one, in minor units.
    pub unit_price_minor: i64,
}

impl Line {
    /// Quantity times price; `None` when it does not fit.
    #[must_use]
    pub fn extended_minor(&self) -> Option<i64> {
        i64::from(self.quantity).checked_mul(self.unit_price_minor)
    }
}

/// What a payment of the order proves, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Where it stands.
    pub status: payment::Status,
    /// Captured, less what went back.
    pub net_minor: i64,
    /// Captured at all.
    pub captured_minor: i64,
}

impl Paid {
    /// What a payment proves now.
    #[must_use]
    pub fn of(payment: &Payment) -> Self {
        Self {
            status: payment.status(),
            net_minor: payment.captured_minor.saturating_sub(payment.refunded_minor()),
            captured_minor: payment.captured_minor,
        }
    }
}

/// A document that the ERP has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Its kind, for example `sales_order`.
    pub kind: String,
    /// The ERP's keys of it, for example `{"order_number": 1001}`.
    pub keys: Value,
    /// How much, when it is about money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Since when we know.
    pub at: Timestamp,
}

/// Goods that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// The ERP's word for it: a pack number.
    pub number: String,
    /// When.
    pub at: Timestamp,
}

/// An invoice of the ERP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// The ERP's number.
    pub number: i64,
    /// With tax, in minor units.
    pub total_minor: i64,
    /// The tax in it.
    pub tax_minor: i64,
    /// When it was posted.
    pub at: Timestamp,
    /// What deposits paid of it.
    #[serde(default)]
    pub applied_minor: i64,
    /// What credit memos took back.
    #[serde(default)]
    pub credited_minor: i64,
    /// What of it deposits had paid.
    #[serde(default)]
    pub returned_minor: i64,
}

impl Invoice {
    /// What nobody paid yet.
    #[must_use]
    pub const fn open_minor(&self) -> i64 {
        let credited_open = self.credited_minor.saturating_sub(self.returned_minor);
        self.total_minor.saturating_sub(self.applied_minor).saturating_sub(credited_open)
    }
}

/// What the ERP says of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// What left.
    pub shipments: Vec<Shipment>,
    /// What is invoiced and posted.
    pub invoices: Vec<Invoice>,
}

/// Where an order stands; follows from what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Placed and not paid.
    Placed,
    /// It waits for its payer.
    Held,
    /// Paid, nothing left yet.
    Paid,
    /// Goods left and are not invoiced.
    Shipped,
    /// Invoiced, and the deposit is not applied wholly.
    Invoiced,
    /// Invoiced and paid.
    Settled,
    /// All money went back.
    Refunded,
    /// Over without money.
    Canceled,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Held => "held",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Invoiced => "invoiced",
            Self::Settled => "settled",
            Self::Refunded => "refunded",
            Self::Canceled => "canceled",
        }
    }
}

/// An order as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The shop's number, unique in the organization.
    pub reference: String,
    /// Who bought, by the shop's opaque id.
    pub buyer: String,
    /// The link token that its payments carry.
    pub link: String,
    /// What is owed for it.
    pub debt: DebtId,
    /// What was bought.
    pub lines: Vec<Line>,
    /// Tax, in minor units.
    pub tax_minor: i64,
    /// Shipping, in minor units.
    pub shipping_minor: i64,
    /// Lines, tax and shipping.
    pub total: Money,
    /// How it is sent, in the shop's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_method: Option<String>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Its payments by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payments: BTreeMap<String, Paid>,
    /// The ERP's documents by our reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<String, Document>,
    /// What left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<Shipment>,
    /// What was invoiced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invoices: Vec<Invoice>,
    /// Why it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Why it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled: Option<String>,
}

impl Order {
    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Placed(order)) => Some((**order).clone()),
            (Some(mut order), event) => {
                order.apply(event);
                Some(order)
            }
            (None, _) => None,
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Placed(_) => {}
            Event::PaymentMoved { payment, paid } => {
                self.payments.insert(payment.to_string(), *paid);
            }
            Event::Documented { reference, document } => {
                self.documents.insert(reference.clone(), document.clone());
            }
            Event::Shipped(shipment) => self.shipments.push(shipment.clone()),
            Event::Invoiced(invoice) => self.invoices.push(invoice.clone()),
            Event::Applied { invoice, minor, .. } => {
                if let Some(known) = self.invoice_mut(*invoice) {
                    known.applied_minor = known.applied_minor.saturating_add(*minor);
                }
            }
            Event::Credited { invoice, minor, returned_minor, .. } => {
                if let Some(known) = self.invoice_mut(*invoice) {
                    known.credited_minor = known.credited_minor.saturating_add(*minor);
                    known.returned_minor = known.returned_minor.saturating_add(*returned_minor);
                }
            }
            Event::Held { reason } => self.held = Some(reason.clone()),
            Event::Released => self.held = None,
            Event::Canceled { reason } => self.canceled = Some(reason.clone()),
        }
    }

    fn invoice_mut(&mut self, number: i64) -> Option<&mut Invoice> {
        self.invoices.iter_mut().find(|known| known.number == number)
    }

    /// An invoice by the ERP's number.
    #[must_use]
    pub fn invoice(&self, number: i64) -> Option<&Invoice> {
        self.invoices.iter().find(|known| known.number == number)
    }

    /// What its payments collected, less what went back, in minor units.
    #[must_use]
    pub fn net_minor(&self) -> i64 {
        self.payments.values().map(|paid| paid.net_minor).sum()
    }

    /// What of it paid invoices.
    #[must_use]
    pub fn applied_minor(&self) -> i64 {
        self.invoices.iter().map(|invoice| invoice.applied_minor).sum()
    }

    /// What credit memos gave back to the deposit.
    #[must_use]
    pub fn returned_minor(&self) -> i64 {
        self.invoices.iter().map(|invoice| invoice.returned_minor).sum()
    }

    /// What is collected and pays no invoice yet. Negative while a refund after the invoice waits for its credit memo.
    #[must_use]
    pub fn unapplied_minor(&self) -> i64 {
        self.net_minor().saturating_sub(self.applied_minor()).saturating_add(self.returned_minor())
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let invoiced: i64 = self.invoices.iter().map(|invoice| invoice.total_minor).sum();
        let captured: i64 = self.payments.values().map(|paid| paid.captured_minor).sum();
        match () {
            () if self.canceled.is_some() => Status::Canceled,
            () if captured > 0 && self.net_minor() <= 0 => Status::Refunded,
            () if invoiced > 0 && self.invoices.iter().all(|invoice| invoice.open_minor() <= 0) => {
                Status::Settled
            }
            () if invoiced > 0 => Status::Invoiced,
            () if !self.shipments.is_empty() => Status::Shipped,
            () if self.held.is_some() => Status::Held,
            () if self.net_minor() >= self.total.minor => Status::Paid,
            () => Status::Placed,
        }
    }

    /// The ERP's keys of the newest document of a kind.
    #[must_use]
    pub fn keys_of(&self, kind: &str) -> Option<&Value> {
        let of_kind = self.documents.values().filter(|document| document.kind == kind);
        of_kind.max_by_key(|document| document.at).map(|document| &document.keys)
    }
}
