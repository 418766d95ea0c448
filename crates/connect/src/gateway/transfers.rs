//! Passing money on to connected accounts, and taking it back.
//!
//! Used by `engine` for provider payouts (FLOWS 3). Invariants: the key of every call was stored before the call is built;
//! nothing about a patient leaves, only our token; a look-up reads what is there before anything is sent again.

use serde::{Deserialize, Serialize};
use suture_core::money::Money;

use crate::gateway::Part;
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// Send money to a connected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTransfer {
    /// The frozen key.
    pub idempotency_key: String,
    /// How much.
    pub amount: Money,
    /// The connected account.
    pub destination: String,
    /// The group by which transfers are found again. Ours, and nobody else's.
    pub group: String,
    /// The charge whose money it is: the transfer may then be made before that money is available.
    pub source: Option<String>,
    /// Our own token of this transfer.
    pub transfer_id: String,
}

/// Take a part of a transfer back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReverseTransfer {
    /// The frozen key.
    pub idempotency_key: String,
    /// The gateway's transfer.
    pub transfer: String,
    /// How much.
    pub amount: Money,
    /// Our own token of this reversal.
    pub reversal_id: String,
}

/// A transfer as the gateway has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferSeen {
    /// The gateway's id, for example `tr_…`.
    pub id: String,
    /// How much was sent.
    pub amount: Money,
    /// How much of it came back, in minor units.
    pub reversed_minor: i64,
    /// The connected account.
    pub destination: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// Our own token, when it is one of ours.
    pub transfer_id: Option<String>,
}

/// A reversal as the gateway has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReversalSeen {
    /// The gateway's id, for example `trr_…`.
    pub id: String,
    /// The transfer it takes back from.
    pub transfer: String,
    /// How much.
    pub amount: Money,
    /// Our own token, when it is one of ours.
    pub reversal_id: Option<String>,
}

/// What a connected account may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStanding {
    /// The gateway's id.
    pub account: String,
    /// Whether money can be sent to it.
    pub transfers_enabled: bool,
    /// Whether the gateway pays its money out to a bank.
    pub payouts_enabled: bool,
}

/// Pass money on to connected accounts.
pub trait Transfers: Send + Sync {
    /// Builds a transfer.
    fn create(&self, call: &CreateTransfer) -> HttpRequest;
    /// Builds a reversal.
    fn reverse(&self, call: &ReverseTransfer) -> HttpRequest;
    /// Builds one page of the transfers of a group, newest first, `limit` ≤ 100; `after` is the `next` of the page before.
    fn find_transfers(&self, group: &str, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Builds one page of the reversals of a transfer, newest first.
    fn find_reversals(&self, transfer: &str, after: Option<&str>, limit: u8) -> HttpRequest;
    /// Builds the fetch of a connected account.
    fn fetch_standing(&self, account: &str) -> HttpRequest;

    /// Reads a created transfer.
    fn read_transfer(&self, response: &HttpResponse) -> Outcome<TransferSeen>;
    /// Reads a created reversal. A connected balance that is too small is `Declined` with code `balance_insufficient`.
    fn read_reversal(&self, response: &HttpResponse) -> Outcome<ReversalSeen>;
    /// Reads one page of transfers.
    fn read_transfers(&self, response: &HttpResponse) -> Outcome<Part<TransferSeen>>;
    /// Reads one page of reversals.
    fn read_reversals(&self, response: &HttpResponse) -> Outcome<Part<ReversalSeen>>;
    /// Reads a connected account.
    fn read_standing(&self, response: &HttpResponse) -> Outcome<AccountStanding>;
}
