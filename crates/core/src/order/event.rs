//! What happens to an order.

use serde::{Deserialize, Serialize};

use crate::id::PaymentId;

use super::state::{Document, Invoice, Order, Paid, Shipment};

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was placed.
    Placed(Box<Order>),
    /// One of its payments proves something else than before.
    PaymentMoved {
        /// Which.
        payment: PaymentId,
        /// What it proves.
        paid: Paid,
    },
    /// The ERP has a document of it.
    Documented {
        /// The reference by which the ERP finds it.
        reference: String,
        /// The document.
        document: Document,
    },
    /// Goods left.
    Shipped(Shipment),
    /// The ERP invoiced it.
    Invoiced(Invoice),
    /// The deposit paid a part of an invoice.
    Applied {
        /// The ERP's number of the invoice.
        invoice: i64,
        /// How much, in minor units.
        minor: i64,
        /// The reference of the application.
        reference: String,
    },
    /// A credit memo took back a part of an invoice.
    Credited {
        /// The ERP's number of the invoice.
        invoice: i64,
        /// How much with tax, in minor units.
        minor: i64,
        /// How much of it is tax.
        tax_minor: i64,
        /// How much of it was paid by the deposit before, and belongs to the customer again.
        returned_minor: i64,
        /// The reference of the memo.
        reference: String,
    },
    /// It waits, and is not shipped.
    Held {
        /// Why, as a code.
        reason: String,
    },
    /// It goes on.
    Released,
    /// It is over without money.
    Canceled {
        /// Why, as a code.
        reason: String,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Placed(_) => "order.placed",
            Self::PaymentMoved { .. } => "order.payment_moved",
            Self::Documented { .. } => "order.documented",
            Self::Shipped(_) => "order.shipped",
            Self::Invoiced(_) => "order.invoiced",
            Self::Applied { .. } => "order.applied",
            Self::Credited { .. } => "order.credited",
            Self::Held { .. } => "order.held",
            Self::Released => "order.released",
            Self::Canceled { .. } => "order.canceled",
        }
    }
}
