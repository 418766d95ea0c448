//! What a gateway tells that is not evidence about a payment.
//!
//! Made by connectors, used by `engine` for patients, methods, holds, invoices and disputes.

use crate::gateway::{
    AuthorizationSeen, CreditNoteSeen, CustomerSeen, InvoicePaymentSeen, InvoiceSeen, SettlementSeen,
    SetupSeen, StoredMethod,
};

/// One observation that is not evidence about a payment.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// Money is held on a card.
    Authorization(AuthorizationSeen),
    /// A customer exists, changed or was deleted.
    Customer(CustomerSeen),
    /// Where a setup stands.
    Setup(Box<SetupSeen>),
    /// A customer's method exists or changed.
    MethodChanged(StoredMethod),
    /// A method belongs to no customer any more, or to none yet: it cannot be charged later.
    MethodGone {
        /// The gateway's id.
        id: String,
    },
    /// An invoice.
    Invoice(Box<InvoiceSeen>),
    /// A draft invoice was deleted.
    InvoiceGone {
        /// The gateway's id.
        id: String,
    },
    /// A payment of an invoice: the bridge between an invoice and an intent.
    InvoicePayment(InvoicePaymentSeen),
    /// A credit note.
    CreditNote(Box<CreditNoteSeen>),
    /// A payout of the gateway to the bank.
    Settlement(Box<SettlementSeen>),
    /// The issuer believes that a charge is fraud; a dispute may follow.
    EarlyFraudWarning(FraudWarning),
}

/// An issuer's early warning of fraud.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FraudWarning {
    /// The gateway's id of the warning.
    pub warning: String,
    /// The charge.
    pub charge: String,
    /// Its intent.
    pub intent: Option<String>,
    /// The issuer's word for the kind of fraud.
    pub kind: Option<String>,
    /// Whether a refund can still prevent the dispute. `None` when the gateway does not tell.
    pub actionable: Option<bool>,
}
