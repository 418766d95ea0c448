//! Holding money on a card: asking for a hold that can grow or last longer, growing it, taking a part of it.
//!
//! Used by `engine` for estimates (FLOWS 4). What a card really allows is told by [`AuthorizationSeen`] after the hold.

use serde::{Deserialize, Serialize};
use suture_core::money::Money;
use suture_core::time::Timestamp;

use crate::gateway::CreatePayment;
use crate::http::HttpRequest;

/// What to ask of the network for a hold. It is granted where network, card and merchant category allow it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldWishes {
    /// The amount may be raised later.
    pub growing: bool,
    /// The hold lasts longer than usual.
    pub extended: bool,
    /// More than one capture.
    pub in_parts: bool,
    /// A little more than was authorized may be captured.
    pub overcapture: bool,
}

/// Hold money and take it later. Answers are read by [`crate::gateway::Payments::read_payment`].
pub trait Holds: Send + Sync {
    /// Builds a payment that is only authorized, whatever the call's capture mode says.
    fn create_hold(&self, call: &CreatePayment, wishes: HoldWishes) -> HttpRequest;
    /// Builds the raising of a hold to a new total. A refusal leaves the hold as it was.
    fn raise_hold(&self, intent: &str, total: Money, idempotency_key: &str) -> HttpRequest;
    /// Builds a capture of a part of a hold. The last one releases the rest; one that is not the last needs
    /// [`AuthorizationSeen::in_parts`].
    fn capture_part(&self, intent: &str, amount: Money, last: bool, idempotency_key: &str) -> HttpRequest;
}

/// A hold as seen on its charge. `None` where the gateway does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationSeen {
    /// The charge that is the hold.
    pub charge: String,
    /// Its intent.
    pub intent: Option<String>,
    /// What is held and not captured yet.
    pub held: Money,
    /// The most that can be captured, when it is more than what is held.
    pub capturable_max: Option<Money>,
    /// The hold lapses at this moment.
    pub capture_before: Option<Timestamp>,
    /// The card network: `visa`, `mastercard` …
    pub network: Option<String>,
    /// Whether the hold can be raised.
    pub growing: Option<bool>,
    /// Whether it lasts longer than usual.
    pub extended: Option<bool>,
    /// Whether it can be captured in several parts.
    pub in_parts: Option<bool>,
}
