//! What we use of Epicor's rows. What Epicor does not tell is `None`, never a guess.

use suture_core::calendar::LocalDate;
use suture_core::currency::Currency;
use suture_core::money::Money;
use suture_core::redact::Phi;

use crate::erp::compare::{Context, Movement, Recorded, Said};
use crate::erp::document::ReceiptId;
use crate::erp::epicor::rows::Record;
use crate::erp::epicor::settings::Epicor;

/// A part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether it may not be sold any more.
    pub inactive: bool,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Epicor's number.
    pub number: i64,
    /// Epicor's id.
    pub id: Option<String>,
    /// Our key, where Epicor tells it.
    pub external_id: Option<String>,
    /// The name.
    pub name: Phi<Option<String>>,
    /// The e-mail address.
    pub email: Phi<Option<String>>,
    /// Whether receipts of the customer are taken; `None`: not told.
    pub may_pay: Option<bool>,
    /// Whether the customer is on credit hold; `None`: not told.
    pub credit_hold: Option<bool>,
}

/// A sales order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Epicor's number.
    pub number: i64,
    /// Our reference.
    pub reference: Option<String>,
    /// The customer.
    pub customer_number: Option<i64>,
    /// Whether it is on hold.
    pub held: Option<bool>,
    /// Whether something of it is still to be done.
    pub open: Option<bool>,
    /// Whether it was cancelled.
    pub cancelled: Option<bool>,
    /// Its total, in the order's currency.
    pub total: Option<Money>,
    /// How much of it was invoiced.
    pub invoiced: Option<Money>,
    /// Its lines; empty where Epicor does not tell them.
    pub lines: Vec<OrderedLine>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedLine {
    /// The line's number.
    pub number: i64,
    /// The part.
    pub part: Option<String>,
    /// How many were ordered, as decimal text.
    pub quantity: Option<String>,
    /// The price of one, where it has no more decimals than the currency.
    pub unit_price: Option<Money>,
    /// How many left already, as decimal text.
    pub shipped: Option<String>,
}

/// An invoice or a memo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Epicor's number.
    pub number: i64,
    /// Our reference.
    pub reference: Option<String>,
    /// The customer.
    pub customer_number: Option<i64>,
    /// The order.
    pub order_number: Option<i64>,
    /// The day on which it counts.
    pub date: Option<LocalDate>,
    /// Whether it is posted; only then a receipt can be applied.
    pub posted: Option<bool>,
    /// Whether it is a credit memo; its amounts are negative.
    pub credit: bool,
    /// Its amount.
    pub amount: Option<Money>,
    /// What is still open of it.
    pub balance: Option<Money>,
}

/// A cash receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its group.
    pub group: String,
    /// Its number in the group.
    pub head: i64,
    /// Our reference.
    pub reference: Option<String>,
    /// The customer.
    pub customer_number: Option<i64>,
    /// The day on which it counts.
    pub date: Option<LocalDate>,
    /// Its amount.
    pub amount: Option<Money>,
    /// What of it is not applied.
    pub unapplied: Option<Money>,
    /// Whether it is posted.
    pub posted: bool,
    /// Whether it was reversed.
    pub reversed: bool,
    /// The credit memo that posting made of what was not applied.
    pub credit_memo: Option<i64>,
}

/// A group of receipts that is not posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its bank account.
    pub bank_account: Option<String>,
    /// Its day.
    pub date: Option<LocalDate>,
    /// What Epicor said when posting it failed.
    pub post_error: Option<String>,
}

/// The row's own currency, or the company's.
fn currency(epicor: &Epicor, row: &Record) -> Currency {
    row.word("CurrencyCode").and_then(|code| Currency::parse(&code).ok()).unwrap_or(epicor.currency)
}

impl Part {
    pub(super) fn of(row: &Record) -> Option<Self> {
        Some(Self {
            number: row.word("PartNum")?,
            description: row.word("PartDescription"),
            inactive: row.flag("InActive") == Some(true),
        })
    }
}

impl Customer {
    pub(super) fn of(epicor: &Epicor, row: &Record) -> Option<Self> {
        Some(Self {
            number: row.key("CustNum")?,
            id: row.word("CustID"),
            external_id: row.word(&epicor.references.customer),
            name: Phi::new(row.word("Name")),
            email: Phi::new(row.word("EMailAddress")),
            may_pay: row.flag("ValidPayer"),
            credit_hold: row.flag("CreditHold"),
        })
    }
}

impl Order {
    pub(super) fn of(epicor: &Epicor, row: &Record) -> Option<Self> {
        let currency = currency(epicor, row);
        let total = epicor.orders.total_field.as_ref().and_then(|field| row.amount(field, currency));
        let lines = row.rows("OrderDtls").unwrap_or_default();
        Some(Self {
            number: row.key("OrderNum")?,
            reference: row.word(&epicor.references.order),
            customer_number: row.key("CustNum"),
            held: row.flag(&epicor.orders.held_field),
            open: row.flag("OpenOrder"),
            cancelled: row.flag("VoidOrder"),
            total,
            invoiced: row.amount("TotalInvoiced", currency),
            lines: lines.iter().map(|line| OrderedLine::of(line, currency)).collect::<Option<_>>()?,
        })
    }
}

impl OrderedLine {
    fn of(row: &Record, currency: Currency) -> Option<Self> {
        Some(Self {
            number: row.key("OrderLine")?,
            part: row.word("PartNum"),
            quantity: row.decimal("SellingQuantity"),
            unit_price: row.amount("DocUnitPrice", currency),
            shipped: row.decimal("TotalShipped"),
        })
    }
}

impl Invoice {
    /// The memo for the daily compare: a credit is a refund, anything else a dispute's charge. `None`: not made by us.
    #[must_use]
    pub fn recorded(&self) -> Option<Recorded> {
        let amount = self.amount?;
        let said = Said {
            reference: self.reference.clone()?,
            movement: if self.credit { Movement::Refund } else { Movement::Dispute },
            amount: Money::new(amount.minor.checked_abs()?, amount.currency),
            date: self.date?,
            customer_number: self.customer_number,
        };
        let context = Context {
            posted: self.posted == Some(true),
            invoice_number: Some(self.number),
            order_number: self.order_number,
            receipt: None,
        };
        Some(Recorded { said, context })
    }

    pub(super) fn of(epicor: &Epicor, row: &Record) -> Option<Self> {
        let currency = currency(epicor, row);
        Some(Self {
            number: row.key("InvoiceNum")?,
            reference: row.word(&epicor.references.invoice),
            customer_number: row.key("CustNum"),
            order_number: row.key("OrderNum"),
            date: row.date("ApplyDate").or_else(|| row.date("InvoiceDate")),
            posted: row.flag("Posted"),
            credit: row.flag("CreditMemo") == Some(true),
            amount: row.amount("DocInvoiceAmt", currency),
            balance: row.amount("DocInvoiceBal", currency),
        })
    }
}

impl Receipt {
    /// The receipt for the daily compare. `None`: not made by us, or reversed.
    #[must_use]
    pub fn recorded(&self) -> Option<Recorded> {
        if self.reversed {
            return None;
        }
        let said = Said {
            reference: self.reference.clone()?,
            movement: Movement::Payment,
            amount: self.amount?,
            date: self.date?,
            customer_number: self.customer_number,
        };
        let receipt = Some(ReceiptId { group: self.group.clone(), head: self.head });
        Some(Recorded { said, context: Context { receipt, posted: self.posted, ..Context::default() } })
    }

    pub(super) fn of(epicor: &Epicor, row: &Record) -> Option<Self> {
        let currency = currency(epicor, row);
        Some(Self {
            group: row.word("GroupID")?,
            head: row.key("HeadNum")?,
            reference: row.word(&epicor.references.receipt),
            customer_number: row.key("CustNum"),
            date: row.date("TranDate"),
            amount: row.amount("DocTranAmt", currency),
            unapplied: row.amount("DocUnAppliedAmt", currency),
            posted: row.flag("Posted") == Some(true),
            reversed: row.key("ReverseRef").is_some() || row.date("ReverseDate").is_some(),
            credit_memo: row.key("CreditMemoNum"),
        })
    }
}

impl Group {
    pub(super) fn of(row: &Record) -> Option<Self> {
        Some(Self {
            name: row.word("GroupID")?,
            bank_account: row.word("BankAcctID"),
            date: row.date("TranDate"),
            post_error: row.word("PostErrorLog"),
        })
    }
}
