//! What happened in an ERP, told by a call of its own or found by a poll.

use serde::{Deserialize, Serialize};
use suture_core::time::Timestamp;

/// Something happened in the ERP. The same revision of the same record is the same event, however it was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErpEvent {
    /// What.
    pub kind: ErpEventKind,
    /// The ERP's number of the record: order, shipment, invoice, receipt in its group, or customer.
    pub number: i64,
    /// The record's revision; grows with each change. Zero: it was not told.
    pub revision: i64,
    /// When it happened, or when we heard of it where the ERP does not say.
    pub at: Timestamp,
    /// Our reference in the record, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The fields that flows use, in the ERP's words. Amounts are decimal text. Holds no names and addresses when it
    /// comes from a poll; a call's body is what the site put into it.
    pub body: serde_json::Value,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErpEventKind {
    /// A sales order was made.
    OrderCreated,
    /// A sales order was changed: held, released, closed, or other fields.
    OrderChanged,
    /// Goods left.
    Shipped,
    /// An invoice was posted, or a posted one changed.
    Invoiced,
    /// A receipt was posted.
    ReceiptPosted,
    /// A customer was changed.
    CustomerChanged,
}

impl ErpEventKind {
    /// The kind as it is written in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderCreated => "order_created",
            Self::OrderChanged => "order_changed",
            Self::Shipped => "shipped",
            Self::Invoiced => "invoiced",
            Self::ReceiptPosted => "receipt_posted",
            Self::CustomerChanged => "customer_changed",
        }
    }
}

impl ErpEvent {
    /// The key under which the event is taken once: kind, number, revision, and the group where receipts have one.
    #[must_use]
    pub fn key(&self) -> String {
        let group = self.body.get("GroupID").and_then(serde_json::Value::as_str).unwrap_or_default();
        format!("{}:{group}:{}:{}", self.kind.as_str(), self.number, self.revision)
    }
}
