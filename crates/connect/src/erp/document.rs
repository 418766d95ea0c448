//! The neutral documents of an ERP: the output of mapping flows, the input of filing.
//!
//! Nothing here knows a product. Invariants: what passes [`Document::check`] adds up to the cent and can be written for
//! every ERP; `Debug` prints no personal data; the same document in every step of one filing.

mod customer;
mod fields;
mod journal;
mod memo;
mod order;
mod receipt;

use serde::{Deserialize, Serialize};
use suture_core::money::Money;

pub use customer::{Address, Customer};
pub use fields::DocumentProblem;
pub use journal::{Journal, JournalLine};
pub use memo::{CreditMemo, DebitMemo, MemoLine};
pub use order::{OrderHold, OrderLine, SalesOrder};
pub use receipt::{Application, CashReceipt, ReceiptId, ReceiptReversal};

/// One thing that the ERP shall know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Document {
    /// Find or create a customer.
    Customer(Customer),
    /// Create a sales order.
    SalesOrder(SalesOrder),
    /// Put an order on hold, or release it.
    OrderHold(OrderHold),
    /// Record money that came in, not yet applied to an invoice.
    CashReceipt(CashReceipt),
    /// Apply a receipt to an invoice.
    Application(Application),
    /// Take a receipt back.
    ReceiptReversal(ReceiptReversal),
    /// Credit an invoice.
    CreditMemo(CreditMemo),
    /// Charge a customer again, for example after a lost dispute.
    DebitMemo(DebitMemo),
    /// A balanced entry of the general ledger.
    Journal(Journal),
}

impl Document {
    /// Our reference: the same document always has the same one, and the ERP's record is found by it.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Self::Customer(it) => &it.reference,
            Self::SalesOrder(it) => &it.reference,
            Self::OrderHold(it) => &it.reference,
            Self::CashReceipt(it) => &it.reference,
            Self::Application(it) => &it.reference,
            Self::ReceiptReversal(it) => &it.reference,
            Self::CreditMemo(it) => &it.reference,
            Self::DebitMemo(it) => &it.reference,
            Self::Journal(it) => &it.reference,
        }
    }

    /// The kind as it is written in JSON, for example `sales_order`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Customer(_) => "customer",
            Self::SalesOrder(_) => "sales_order",
            Self::OrderHold(_) => "order_hold",
            Self::CashReceipt(_) => "cash_receipt",
            Self::Application(_) => "application",
            Self::ReceiptReversal(_) => "receipt_reversal",
            Self::CreditMemo(_) => "credit_memo",
            Self::DebitMemo(_) => "debit_memo",
            Self::Journal(_) => "journal",
        }
    }

    /// Checks what the types cannot say, before anything is sent.
    ///
    /// # Errors
    /// The first [`DocumentProblem`]: the field and what is wrong with it.
    pub fn check(&self) -> Result<(), DocumentProblem> {
        fields::reference("reference", self.reference())?;
        match self {
            Self::Customer(it) => it.check(),
            Self::SalesOrder(it) => it.check(),
            Self::OrderHold(it) => it.check(),
            Self::CashReceipt(it) => it.check(),
            Self::Application(it) => it.check(),
            Self::ReceiptReversal(it) => it.check(),
            Self::CreditMemo(it) => it.check(),
            Self::DebitMemo(it) => it.check(),
            Self::Journal(it) => it.check(),
        }
    }

    /// The money that the document moves, always positive: an order's total, a journal's sum of debits. `None` for a
    /// customer, a hold, and a journal whose sum does not fit.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        match self {
            Self::Customer(_) | Self::OrderHold(_) => None,
            Self::SalesOrder(it) => Some(Money::new(it.total_minor, it.currency)),
            Self::CashReceipt(it) => Some(it.amount),
            Self::Application(it) => Some(it.amount),
            Self::ReceiptReversal(it) => Some(it.amount),
            Self::CreditMemo(it) => Some(it.amount),
            Self::DebitMemo(it) => Some(it.amount),
            Self::Journal(it) => it.sum(),
        }
    }
}
