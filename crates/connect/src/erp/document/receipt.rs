//! Money that came in: recorded, applied, taken back.

use serde::{Deserialize, Serialize};
use suture_core::calendar::LocalDate;
use suture_core::money::Money;

use super::fields::{self, Checked};

/// A cash receipt, unapplied, in the open group of its day and bank account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashReceipt {
    /// Our reference.
    pub reference: String,
    /// The ERP's number of the customer who paid.
    pub customer_number: i64,
    /// The order that the money is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_number: Option<i64>,
    /// How much.
    #[serde(deserialize_with = "fields::read_amount")]
    pub amount: Money,
    /// The day on which it is booked. In a closed period the connection's rule finds another, and the result says so.
    pub date: LocalDate,
    /// The ERP's bank account; without one the connection's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<String>,
    /// How it was paid, in words for people, for example `visa 4242`. Never a card number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The first one or two characters of the group's name; without them the connection's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl CashReceipt {
    pub(super) fn check(&self) -> Checked {
        fields::number("customer_number", self.customer_number)?;
        fields::optional_number("order_number", self.order_number)?;
        fields::positive("amount", self.amount)?;
        fields::optional_code("bank_account", self.bank_account.as_ref(), 8)?;
        fields::optional_text("method", self.method.as_ref(), 50)?;
        if let Some(method) = &self.method {
            // Card numbers have 12 digits or more; they must never reach an ERP.
            let digits = method.bytes().filter(u8::is_ascii_digit).count();
            fields::check(
                digits < 12,
                "method",
                "looks like a card or account number; give the last four digits only",
            )?;
        }
        self.group.as_ref().map_or(Ok(()), |group| fields::group_prefix("group", group))
    }
}

/// Which receipt: its group and its number there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptId {
    /// The group's name.
    pub group: String,
    /// The number of the receipt in the group.
    pub head: i64,
}

impl ReceiptId {
    fn check(&self) -> Checked {
        fields::group("receipt.group", &self.group)?;
        fields::number("receipt.head", self.head)
    }
}

/// Applies a receipt to a posted invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Our reference.
    pub reference: String,
    /// The receipt.
    pub receipt: ReceiptId,
    /// The ERP's number of the invoice.
    pub invoice_number: i64,
    /// How much of the receipt goes to the invoice.
    #[serde(deserialize_with = "fields::read_amount")]
    pub amount: Money,
    /// The day of the application; needed when the receipt has been posted.
    pub date: LocalDate,
}

impl Application {
    pub(super) fn check(&self) -> Checked {
        self.receipt.check()?;
        fields::number("invoice_number", self.invoice_number)?;
        fields::positive("amount", self.amount)
    }
}

/// Takes a receipt back: deletes it while it is not posted, reverses it afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptReversal {
    /// Our reference.
    pub reference: String,
    /// The receipt.
    pub receipt: ReceiptId,
    /// How much goes back. Less than the receipt lowers it while it is not posted.
    #[serde(deserialize_with = "fields::read_amount")]
    pub amount: Money,
    /// The day of the reversal.
    pub date: LocalDate,
    /// Why, in words for people.
    pub reason: String,
}

impl ReceiptReversal {
    pub(super) fn check(&self) -> Checked {
        self.receipt.check()?;
        fields::positive("amount", self.amount)?;
        fields::text("reason", &self.reason, 50)
    }
}
