//! A payment platform and the list of what it can do.
//!
//! `engine` asks for a capability and does without it when there is none: a missing one is `None`, never a stub.

use crate::gateway::{
    Account, Guide, History, Holds, Invoices, Payments, Refunds, Settlements, Transfers, Vault, Webhooks,
};

/// A payment platform behind one connection (one account, one mode).
pub trait Gateway: Send + Sync {
    /// The connector's name, for example `stripe`.
    fn name(&self) -> &'static str;
    /// Take payments.
    fn payments(&self) -> Option<&dyn Payments>;
    /// Hold money and take it later, in parts or with more.
    fn holds(&self) -> Option<&dyn Holds>;
    /// Return payments.
    fn refunds(&self) -> Option<&dyn Refunds>;
    /// Pass money on to connected accounts.
    fn transfers(&self) -> Option<&dyn Transfers>;
    /// Payouts to the bank, and the lines that they consist of.
    fn settlements(&self) -> Option<&dyn Settlements>;
    /// Customers and stored methods.
    fn vault(&self) -> Option<&dyn Vault>;
    /// Bill a patient.
    fn invoices(&self) -> Option<&dyn Invoices>;
    /// Verify and read webhooks.
    fn webhooks(&self) -> Option<&dyn Webhooks>;
    /// Fetch objects and lists for polls and sweeps.
    fn history(&self) -> Option<&dyn History>;
    /// Read the account, to check the credentials.
    fn account(&self) -> Option<&dyn Account>;
    /// Explain the platform's codes.
    fn guide(&self) -> Option<&dyn Guide>;
}
