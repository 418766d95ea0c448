//! What a payment platform can do, as object-safe capabilities. A missing capability is `None`, never a stub.
//!
//! `engine` asks for a capability, builds the request, sends it through egress and hands the response back to the
//! matching `read_…`. Every builder is deterministic: the same call gives the same bytes.

mod account;
mod bills;
mod guide;
mod history;
mod holds;
mod invoices;
mod metadata;
mod note;
mod payments;
mod platform;
mod seen;
mod settlements;
mod stored;
mod transfers;
mod vault;
mod webhooks;

pub use account::{Account, AccountSeen};
pub use bills::{
    CreditNoteSeen, CreditNoteStatus, InvoiceLine, InvoicePaymentSeen, InvoicePaymentStatus, InvoiceSeen,
    InvoiceStatus, LinkedRefund,
};
pub use guide::{Explanation, Guide, Page as GuidePage};
pub use history::{History, List, Page};
pub use holds::{AuthorizationSeen, HoldWishes, Holds};
pub use invoices::{
    AddItem, Collection, CreateCreditNote, CreateInvoice, CreditReason, Invoices, ItemSeen, PayInvoice,
};
pub use metadata::{Metadata, MetadataRefusal};
pub use note::{FraudWarning, Note};
pub use payments::{CaptureMode, CreatePayment, CreateRefund, Payments, RefundReason, Refunds};
pub use platform::Gateway;
pub use seen::{Fetch, Part, Seen};
pub use settlements::{SettlementSeen, Settlements};
pub use stored::{CustomerSeen, HsaFsa, SetupSeen, SetupStatus, StoredMethod};
pub use transfers::{
    AccountStanding, CreateTransfer, ReversalSeen, ReverseTransfer, TransferSeen, Transfers,
};
pub use vault::{CreateCustomer, CustomerSearch, UpdateCustomer, Vault};
pub use webhooks::{Notice, WebhookRefusal, Webhooks};
